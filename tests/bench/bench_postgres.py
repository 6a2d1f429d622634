#!/usr/bin/env python3
"""Whole processes, as users run them, against what psql needs for the same, on a PostgreSQL server of their own.

Each line is the median of --runs runs of each side, taken in turn (reference, ours, reference, ours ...), because
machines are noisy. Before each run the server has written everything (CHECKPOINT). The counts of each job are looked
at, so that no line measures something else than it says.

To work on one line, keep the server and its data, so that only what is measured runs:
  tests/bench/bench_postgres.py build/src/cli/datasurface --only unchanged --keep /tmp/bench
  tools/postgres.sh remove /tmp/bench                      # when done"""
import argparse
import fnmatch
import pathlib
import subprocess
import sys

from measured import Failed, Table, record
from postgres_world import Server, World, copy_out

ENGINE = "PostgreSQL"


class Bench:
    """What the lines share: sizes, and worlds by name, made when first asked for."""

    def __init__(self, options):
        self.options = options
        self.program = str(pathlib.Path(options.program).resolve())
        self.server = Server(options.keep)
        self.worlds = {}

    def world(self, name, tables, rows, milestoning="scd1"):
        if name not in self.worlds:
            self.worlds[name] = World(self.server, self.program, name, tables, rows, milestoning)
        return self.worlds[name]

    def wide(self):
        return self.world("wide", ["t"], self.options.rows)

    def in_turn(self, reference, ours):
        """(figures of ours, figures of the reference)"""
        figures = [], []
        for _ in range(self.options.runs):
            for run, side in ((reference, 1), (ours, 0)):
                self.server.settle()
                figures[side].append(run())
        return figures


def refresh(bench, work, bar, change):
    """A job after change, against reading everything once."""
    world = bench.wide()
    world.load()
    command = f"psql -d {world.src} -c '{copy_out('t')}' >/dev/null"
    expected = {}

    def reference():
        expected.update(change(world))
        bench.server.settle()
        return world.reference(command)

    ours, theirs = bench.in_turn(reference, lambda: world.job(**expected))
    yield record(ENGINE, work, ours, (command, theirs), bar=bar)


def nothing(world):
    return {"read": world.rows, "inserted": 0, "updated": 0, "deleted": 0}


def unchanged(bench):
    yield from refresh(bench, "refresh, unchanged", 1.2, nothing)


LINES = {
    "unchanged": unchanged,
}


def measure_line(bench, name):
    try:
        yield from LINES[name](bench)
    except (Failed, subprocess.CalledProcessError) as failure:
        yield {"engine": ENGINE, "work": name, "error": str(failure)}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the program to measure")
    parser.add_argument("--only", default="*", metavar="GLOB", help="lines: " + " ".join(LINES))
    parser.add_argument("--rows", type=int, default=2000000, help="of the table of most lines")
    parser.add_argument("--runs", type=int, default=3, help="of each side")
    parser.add_argument("--keep", metavar="DIR", help="leave the server and its data in DIR, or use what is there")
    parser.add_argument("--json", metavar="FILE", help="write the lines there, too")
    return parser.parse_args()


def main():
    options = arguments()
    names = [name for name in LINES if fnmatch.fnmatch(name, options.only)]
    if not names:
        sys.exit(f"no line is called {options.only}; there are {' '.join(LINES)}")
    bench = Bench(options)
    table = Table()
    try:
        print(bench.server.describe())
        table.heading()
        for name in names:
            for row in measure_line(bench, name):
                table.add(row)
    finally:
        bench.server.end()
    if options.json:
        table.write(options.json)
    return 1 if table.failed() else 0


if __name__ == "__main__":
    sys.exit(main())
