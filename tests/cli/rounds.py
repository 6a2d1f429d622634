#!/usr/bin/env python3
"""rounds.py PROGRAM MODEL STORE STREAM GROUP ROUNDS [DATABASE]: changes a source and runs a stream, again and again; then the
history views of the group, as of every batch, must equal what the simulator's ledger says the source was at that time.
MODEL is a template of init, or a directory, with a source DATABASE in it that is not empty."""
import csv
import io
import json
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import sys

program, model, store, stream, group = sys.argv[1:6]
rounds = int(sys.argv[6])
here = f"{pathlib.Path(model).name}-{stream.replace('/', '-')}"


def datasurface(*args):
    done = subprocess.run([program, *args], capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        sys.exit(f"{args}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def result(*args):
    return json.loads(datasurface("-C", here, "--format", "json", *args))["result"]


class Source:
    """What the ledger says the source holds."""

    def __init__(self, path):
        self.path, self.read, self.tables = path, 0, {}

    def begin_with(self, database):
        """What was there before the ledger begins. The key of a row is written as the simulator writes it."""
        db = sqlite3.connect(database)
        db.row_factory = sqlite3.Row
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' "
                                              "AND name NOT LIKE 'sqlite_%'")]
        for name in names:
            columns = db.execute(f'PRAGMA table_info("{name}")').fetchall()
            keys = [c["name"] for c in sorted(columns, key=lambda c: c["pk"]) if c["pk"]]
            self.tables[name] = {json.dumps({k: row[k] for k in keys}, sort_keys=True): dict(row)
                                 for row in db.execute(f'SELECT * FROM "{name}"')}
        db.close()

    def catch_up(self):
        with open(self.path, encoding="utf-8") as ledger:
            lines = ledger.readlines()
        for line in lines[self.read:]:
            change = json.loads(line)
            rows = self.tables.setdefault(change["dataset"], {})
            key = json.dumps(change["key"], sort_keys=True)
            if change["op"] == "delete":
                del rows[key]
            else:
                rows[key] = change["row"]
        self.read = len(lines)

    def copy(self):
        return {name: dict(rows) for name, rows in self.tables.items()}


def same(stored, written):
    """Floats and decimals are text in the ledger: floats the shortest that a column of type real needs."""
    if isinstance(stored, (int, float)) and isinstance(written, str):
        return stored == float(written) or struct.pack("f", stored) == struct.pack("f", float(written))
    return (stored.hex() if isinstance(stored, bytes) else stored) == written


def norm(value):
    """A part of a key, whatever form a database or the ledger gives it."""
    try:
        return float(value.hex() if isinstance(value, bytes) else value)
    except ValueError:
        return value.hex() if isinstance(value, bytes) else value


def compare(db, view, batch, expected):
    rows = db.execute(f'SELECT * FROM "{view}" WHERE ds_batch_in <= ? AND ds_batch_out >= ?', (batch, batch)).fetchall()
    assert len(rows) == len(expected), (view, batch, len(rows), len(expected))
    keys = list(json.loads(next(iter(expected)))) if expected else []
    wanted = {tuple(norm(row[k]) for k in keys): row for row in expected.values()}
    for row in rows:
        other = wanted[tuple(norm(row[k]) for k in keys)]
        assert all(same(row[c], other[c]) for c in other), (view, batch, dict(row), other)


def main():
    if pathlib.Path(model).is_dir():
        shutil.copytree(model, here)
    else:
        datasurface("init", "--template", model, here)
    source = Source(f"{here}.jsonl")
    for database in sys.argv[7:]:
        source.begin_with(f"{here}/{database}")
    states = {}
    for number in range(rounds):
        datasurface("-C", here, "simulate", store, "--seed", str(number), "--changes", "0" if number == 0 else "25",
                    "--ledger", source.path)
        if number == 0:
            datasurface("-C", here, "apply")
        done = result("run", "--once", "--stream", stream)["streams"][0]
        source.catch_up()
        states[int(done["batch"])] = source.copy()
    assert sorted(states) == list(range(1, rounds + 1)), sorted(states)

    views = {v["dataset"]: v for v in result("views")["views"]
             if v["kind"] == "history" and v["store"] == store and v["group"] == group}
    db = sqlite3.connect(f"{here}/merge.db")
    db.row_factory = sqlite3.Row
    compared = 0
    for batch, tables in states.items():
        for name, rows in tables.items():
            compare(db, views[name]["name"], batch, rows)
            compared += 1
    for batch in {1, (rounds + 1) // 2, rounds}:
        for name, view in views.items():
            path = f'{view["workspace"]}/{view["group"]}/{view["store"]}/{name}'
            rows = list(csv.DictReader(io.StringIO(datasurface("-C", here, "history", path, "--as-of", str(batch)))))
            assert len(rows) == len(states[batch][name]), (path, batch, len(rows))
    print(f"{compared} tables compared as of {len(states)} batches")


main()
