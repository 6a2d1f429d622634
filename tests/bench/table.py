#!/usr/bin/env python3
"""table.py OUT.json -- COMMAND... [-- COMMAND...]: runs benchmarks that print a JSON object a line, shows all of them
as one table, and writes them to OUT.json. Fails when a benchmark does, not when a bar is missed.

An object has engine, work, unit, ours, reference, reference_value, ratio, bar as measured.record() makes them; or
engine, work and error; or a note alone."""
import json
import subprocess
import sys

FORMAT = "{:<10}  {:<42} {:>11} {:>11} {:>6} {:>7}  {}"


def _value(number, unit):
    return f"{number:.3f} s" if unit in ("s", "CPU s") else f"{number:.1f} {unit}"


def verdict(row):
    if "bar" not in row:
        return ""
    return "ok" if row["ours" if row.get("bar_unit") else "ratio"] <= row["bar"] else "OVER"


def _bar(row):
    if "bar" not in row:
        return ""
    return f"{row['bar']:g} {row['bar_unit']}" if row.get("bar_unit") else f"{row['bar']:.2f}"


def _best(row):
    """What a noisy machine has disturbed the least."""
    ours, theirs = min(row["ours_runs"]), min(row["reference_value_runs"])
    return f"best runs: ours {_value(ours, row['unit'])}, reference {_value(theirs, row['unit'])}: {ours / theirs:.2f}"


def _used(row, side):
    text = f"{row[f'{side}_cpu_s']:.2f} s"
    if f"{side}_server_cpu_s" in row:
        text += f" and the server {row[f'{side}_server_cpu_s']:.2f} s"
    return text


def _below(row):
    """What stands below a row: the reference's command, CPU seconds, peak memory."""
    if "reference" in row:
        yield "reference: " + row["reference"]
    if len(row.get("reference_value_runs", [])) > 1:
        yield _best(row)
    if "ours_cpu_s" in row:
        theirs = f"; reference {_used(row, 'reference_value')}" if "reference_value_cpu_s" in row else ""
        yield f"CPU: ours {_used(row, 'ours')}{theirs}; our peak memory {row['ours_peak_mb']:.0f} MB"


class Table:
    """Prints rows as they come, and keeps them."""

    def __init__(self):
        self.notes, self.rows, self.begun = [], [], False

    def heading(self):
        if not self.begun:
            self.begun = True
            print(FORMAT.format("engine", "work", "ours", "reference", "ratio", "bar", "").rstrip())

    def add(self, row):
        if "note" in row:
            self.notes.append(row["note"])
            print(row["note"], flush=True)
            return
        self.heading()
        self.rows.append(row)
        if "error" in row:
            print(FORMAT.format(row["engine"], row["work"], "FAILED", "", "", "", "").rstrip())
            below = row["error"].splitlines()
        else:
            unit = row["unit"]
            print(FORMAT.format(row["engine"], row["work"], _value(row["ours"], unit),
                                _value(row["reference_value"], unit) if "reference_value" in row else "",
                                f"{row['ratio']:.2f}" if "ratio" in row else "", _bar(row), verdict(row)).rstrip())
            below = _below(row)
        print("".join(f"            {line}\n" for line in below), end="", flush=True)

    def write(self, path):
        with open(path, "w", encoding="utf-8") as out:
            json.dump({"notes": self.notes, "lines": self.rows}, out, indent=1, ensure_ascii=False)
            out.write("\n")

    def failed(self):
        return any("error" in row for row in self.rows)


def commands(words):
    """The words between each -- and the next."""
    found = []
    for word in words:
        if word == "--":
            found.append([])
        else:
            found[-1].append(word)
    return found


def main():
    if len(sys.argv) < 4 or sys.argv[2] != "--":
        sys.exit(__doc__)
    table, status = Table(), 0
    for command in commands(sys.argv[2:]):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as bench:
            for line in bench.stdout:
                table.add(json.loads(line))
        if bench.returncode != 0:
            print(f"{command[0]}: exit {bench.returncode}", file=sys.stderr)
            status = 1
    table.write(sys.argv[1])
    return status


if __name__ == "__main__":
    sys.exit(main())
