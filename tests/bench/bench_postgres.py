#!/usr/bin/env python3
"""Whole processes, as users run them, against what psql needs for the same, on a PostgreSQL server of their own.

Each line is the median of --runs runs of each side, taken in turn (reference, ours, reference, ours ...), because
machines are noisy. Before each run the server has written everything (CHECKPOINT). The counts of each job are looked
at, so that no line measures something else than it says.

To work on one line, keep the server and its data, so that only what is measured runs:
  tests/bench/bench_postgres.py build/src/program/datasurface --only unchanged --keep /tmp/bench
  tools/postgres.sh remove /tmp/bench                      # when done
first-load makes the merge database anew, for a program that keeps its tables otherwise than the one before."""
import argparse
import fnmatch
import json
import pathlib
import subprocess
import sys

from measured import Failed, record
from postgres_world import COLUMNS, NAMES, ROLE, Server, World, copy_out, table_ddl
from table import Table

ENGINE = "PostgreSQL"
IDLE_RUNS = 15
QUIET_JOBS = 6  # a table without changes for some batches is read on one side only
OTHERS = [column[0] for column in COLUMNS[1:]]
# What somebody who knows PostgreSQL writes by hand: only rows that differ are written.
HELD, SENT = (", ".join(f"{table}.{column}" for column in OTHERS) for table in "ts")
MERGE = (f"MERGE INTO t USING staging s ON t.id = s.id WHEN MATCHED AND ({HELD}) IS DISTINCT FROM ({SENT}) "
         f"THEN UPDATE SET {', '.join(f'{c} = s.{c}' for c in OTHERS)} "
         f"WHEN NOT MATCHED THEN INSERT ({NAMES}) VALUES (s.id, {SENT})")
DELETE = "DELETE FROM t WHERE NOT EXISTS (SELECT 1 FROM staging s WHERE s.id = t.id)"


class Bench:
    """What the lines share: sizes, and worlds, made when first asked for."""

    def __init__(self, options):
        self.options = options
        self.program = str(pathlib.Path(options.program).resolve())
        self.server = Server(options.keep)

    def world(self, name, tables, rows, **how):
        return World(self.server, self.program, name, tables, rows, **how)

    def wide(self, **how):
        return self.world("wide", ["t"], self.options.rows, **how)

    def many(self):
        return self.world("many", [f"t{n:04}" for n in range(1, self.options.tables + 1)], 1000)

    def in_turn(self, reference, ours, runs=None):
        """(figures of ours, figures of the reference)"""
        figures = [], []
        for _ in range(runs or self.options.runs):
            figures[1].append(reference())
            figures[0].append(ours())
        return figures


def first_load(bench, milestoning, bar):
    world = bench.wide(milestoning=milestoning)
    command = (f"psql -d {world.src} -c '{copy_out('t')}' | psql -d {world.hand} -c 'COPY t FROM STDIN (FORMAT binary)'"
               f" && psql -d {world.hand} -c 'ALTER TABLE t ADD PRIMARY KEY (id)'")

    def reference():
        world.server.new_database(world.hand)
        world.server.run(world.hand, table_ddl("t"), role=ROLE)
        figure = world.reference(command)
        world.same(world.hand)
        return figure

    def ours():
        world.new_merge()
        return world.job(read=world.rows, inserted=world.rows)

    ours, theirs = bench.in_turn(reference, ours)
    world.rest(world.merge)
    yield record(ENGINE, f"first load, {milestoning}", ours, (command, theirs), **bar)


def refresh(bench, work, bar, change, jobs_before=0):
    """Jobs after changes, against reading everything once."""
    world = bench.wide()
    world.load()
    for _ in range(jobs_before):
        world.job(**nothing(world))
    command = f"psql -d {world.src} -c '{copy_out('t')}' >/dev/null"
    expected = {}

    def reference():
        expected.update(change(world))
        return world.reference(command)

    bench.server.settles = change is nothing
    ours, theirs = bench.in_turn(reference, lambda: world.job(**expected))
    bench.server.settles = True
    yield record(ENGINE, work, ours, (command, theirs), **({"bar": bar} if bar else {}))


def nothing(world):
    return {"read": world.rows, "inserted": 0, "updated": 0, "deleted": 0}


def changed_before(world):
    """A table that was changed lately is read on both sides."""
    world.job(**world.change(1))
    return nothing(world)


def changed_much(bench, percent):
    """Both sides begin each round with what the round before has left, and get the same changes."""
    world = bench.wide()
    world.load()
    world.server.new_database(world.hand)
    world.server.run(world.hand, table_ddl("t"), table_ddl("staging"), "ALTER TABLE t ADD PRIMARY KEY (id)", role=ROLE)
    command = (f"psql -d {world.src} -c '{copy_out('t')}' | psql -d {world.hand} -c BEGIN -c 'TRUNCATE staging' "
               f"-c 'COPY staging FROM STDIN (FORMAT binary)' -c '{MERGE}' -c '{DELETE}' -c COMMIT")
    world.reference(command)
    expected = {}

    def reference():
        world.rest(world.hand)
        expected.update(world.change(percent))
        figure = world.reference(command)
        world.same(world.hand)
        return figure

    ours, theirs = bench.in_turn(reference, lambda: world.job(**expected))
    yield record(ENGINE, f"refresh, {percent} % changed", ours, (command, theirs), bar=1.0)


def memory(bench):
    """Memory is not a matter of luck: one run."""
    rows = bench.options.tall_rows
    for hints, bar in ((None, {"bar": 450, "bar_unit": "MB"}), ({"memory": "64Mi"}, {})):
        world = bench.world("tall", ["t"], rows, hints=hints)
        world.load()
        expected = world.change(1)
        ours = [world.job(**expected)]
        name = f"{rows:,} rows, 1 % changed" + (", memory: 64Mi" if hints else "")
        yield record(ENGINE, f"{name}: peak", ours, unit="MB", **bar)
        yield record(ENGINE, f"{name}: time", ours)


def tables_first_load(bench):
    world = bench.many()
    command = f"pg_dump -d {world.src} | psql -q -d {world.hand}"
    world.server.new_database(world.hand)
    theirs = [world.reference(command)]
    world.new_merge()
    count = len(world.tables) * world.rows
    yield record(ENGINE, f"first load of {len(world.tables):,} tables", [world.job(read=count, inserted=count)],
                 (command, theirs))


def tables_unchanged(bench):
    world = bench.many()
    world.load()
    script = world.model / "copy.sql"
    script.write_text("".join(f"{copy_out(table)};\n" for table in world.tables), encoding="utf-8")
    command = f"psql -d {world.src} -f {script} >/dev/null"
    shown = f"psql -d {world.src} -f copy.sql >/dev/null, {len(world.tables):,} lines: {copy_out(world.tables[0])}; ..."
    expected = {"read": len(world.tables) * world.rows, "inserted": 0, "updated": 0, "deleted": 0}
    ours, theirs = bench.in_turn(lambda: world.reference(command), lambda: world.job(**expected))
    yield record(ENGINE, f"refresh of {len(world.tables):,} tables, unchanged", ours, (shown, theirs), bar=2.0)


def idle(bench):
    world = bench.world("idle", [f"t{n:02}" for n in range(1, 32)], 20)
    world.load()
    command = f"psql -d {world.src} -c 'SELECT 1'"
    ours, theirs = bench.in_turn(lambda: world.reference(command), lambda: world.job(inserted=0, updated=0, deleted=0),
                                 IDLE_RUNS)
    yield record(ENGINE, "idle job on 31 tables", ours, (command, theirs), unit="ms", bar=60, bar_unit="ms")


LINES = {
    "first-load": lambda bench: first_load(bench, "scd1", {"bar": 1.3}),
    "first-load-scd2": lambda bench: first_load(bench, "scd2", {}),
    "unchanged": lambda bench: refresh(bench, "refresh, unchanged for a while", 1.2, nothing, QUIET_JOBS),
    "unchanged-since": lambda bench: refresh(bench, "refresh, unchanged, after a change", None, changed_before),
    "changed-1": lambda bench: refresh(bench, "refresh, 1 % changed", 1.5, lambda world: world.change(1)),
    "changed-30": lambda bench: changed_much(bench, 30),
    "memory": memory,
    "tables-first-load": tables_first_load,
    "tables-unchanged": tables_unchanged,
    "idle": idle,
}
QUICK = [name for name in LINES if name != "memory"]


def rows_of(bench, name):
    try:
        yield from LINES[name](bench)
    except (Failed, subprocess.CalledProcessError) as failure:
        yield {"engine": ENGINE, "work": name, "error": str(failure)}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the program to measure")
    parser.add_argument("--only", default="*", metavar="GLOB", help="lines: " + " ".join(LINES))
    parser.add_argument("--rows", type=int, default=2000000, help="of the table of most lines")
    parser.add_argument("--tall-rows", type=int, default=10000000, help="of the table that memory is measured with")
    parser.add_argument("--tables", type=int, default=1000, help="of the stream with many tables")
    parser.add_argument("--runs", type=int, default=3, help="of each side")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, without the line about memory")
    parser.add_argument("--keep", metavar="DIR", help="leave the server and its data in DIR, or use what is there")
    parser.add_argument("--lines", action="store_true", help="print JSON objects instead of a table")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.tables = options.rows // 10, options.tables // 10
    return options


def main():
    options = arguments()
    names = [name for name in (QUICK if options.quick else LINES) if fnmatch.fnmatch(name, options.only)]
    if not names:
        sys.exit(f"no line is called {options.only}; there are {' '.join(LINES)}")
    show = (lambda row: print(json.dumps(row), flush=True)) if options.lines else Table().add
    failed = False
    bench = Bench(options)
    try:
        show({"note": bench.server.describe()})
        for name in names:
            for row in rows_of(bench, name):
                failed = failed or "error" in row
                show(row)
    finally:
        bench.server.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
