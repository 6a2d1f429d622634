"""One measured process, and what the rows of the benchmarks' table look like."""
import json
import os
import statistics
import subprocess
import tempfile
import time

MB = 1024


class Failed(Exception):
    """A process of a benchmark ended badly; the text says which, and its last words."""


class Figure:
    """What one run took. A shell's pipeline counts as one process: CPU of all its parts, memory of the largest."""

    def __init__(self, seconds, used):
        self.seconds = seconds
        self.cpu_s = used.ru_utime + used.ru_stime
        self.peak_mb = used.ru_maxrss / MB


def measure(command, env, stdout=subprocess.DEVNULL):
    """Runs a list of arguments, or a text by the shell, from its start to its end."""
    with tempfile.TemporaryFile() as stderr:
        begin = time.monotonic()
        child = subprocess.Popen(command, shell=isinstance(command, str), env=env, stdin=subprocess.DEVNULL,
                                 stdout=stdout, stderr=stderr)
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.monotonic() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            stderr.seek(0)
            words = stderr.read().decode(errors="replace").strip()
            raise Failed(f"{command if isinstance(command, str) else ' '.join(command)}: exit {child.returncode}\n{words}")
    return Figure(seconds, used)


UNITS = {"s": lambda figure: figure.seconds, "ms": lambda figure: figure.seconds * 1000,
         "MB": lambda figure: figure.peak_mb}


def record(engine, work, ours, reference=None, **more):
    """A row of the table. ours: figures of all runs; reference: (shown command, figures) or None. more may have a unit
    (default s), and a bar: a ratio, or with bar_unit a value of ours."""
    row = {"engine": engine, "work": work, "unit": "s", "bar": None, "bar_unit": "", **more}
    value = UNITS[row["unit"]]
    row["ours"] = (max if row["unit"] == "MB" else statistics.median)([value(figure) for figure in ours])
    row["runs"] = [round(value(figure), 4) for figure in ours]
    row["cpu_s"] = round(statistics.median(figure.cpu_s for figure in ours), 3)
    row["peak_mb"] = round(max(figure.peak_mb for figure in ours), 1)
    if reference:
        command, figures = reference
        row["reference"] = command
        row["reference_value"] = statistics.median(value(figure) for figure in figures)
        row["reference_runs"] = [round(value(figure), 4) for figure in figures]
        row["reference_cpu_s"] = round(statistics.median(figure.cpu_s for figure in figures), 3)
    return row


def _cells(row):
    unit, bar = row["unit"], row.get("bar")
    theirs = row.get("reference_value")
    absolute = bool(row.get("bar_unit"))
    ratio = row["ours"] / theirs if theirs else None
    measured = row["ours"] if absolute else ratio
    verdict = "" if bar is None else "ok" if measured <= bar else "OVER"
    return [row["engine"], row["work"], f"{row['ours']:.3f} {unit}" if unit == "s" else f"{row['ours']:.1f} {unit}",
            "" if theirs is None else f"{theirs:.3f} {unit}" if unit == "s" else f"{theirs:.1f} {unit}",
            "" if ratio is None else f"{ratio:.2f}",
            "" if bar is None else f"{bar:.0f} {row['bar_unit']}" if absolute else f"{bar:.2f}", verdict,
            f"{row['cpu_s']:.2f} s" if "cpu_s" in row else "", f"{row['peak_mb']:.0f} MB" if "peak_mb" in row else ""]


FORMAT = "{:<10} {:<38} {:>11} {:>11} {:>6} {:>7} {:<5} {:>9} {:>7}"


class Table:
    """Prints rows as they come, with the command of the reference below each, and keeps them."""

    def __init__(self):
        self.rows = []

    def heading(self):
        print(FORMAT.format("engine", "work", "ours", "reference", "ratio", "bar", "", "our CPU", "peak").rstrip())

    def add(self, row):
        self.rows.append(row)
        if "error" in row:
            print(f"{row['engine']:<10} {row['work']:<38} FAILED\n{_indent(row['error'])}", flush=True)
            return
        print(FORMAT.format(*_cells(row)).rstrip())
        if row.get("reference"):
            print(_indent("reference: " + row["reference"]))
        print(end="", flush=True)

    def write(self, path):
        with open(path, "w", encoding="utf-8") as out:
            json.dump(self.rows, out, indent=1, ensure_ascii=False)
            out.write("\n")

    def failed(self):
        return any("error" in row for row in self.rows)


def _indent(text):
    return "\n".join("           " + line for line in text.splitlines())
