#!/usr/bin/env python3
"""How long a large model takes: to be read and judged from its text, and by way of its compiled image.

Whole processes, as users run them. The model is made by generate_model in a directory of its own below TMPDIR and goes
with the bench; --keep DIR leaves it there, or uses what is there. Bars are of the size `standard`; `huge` has bars of
its own, takes half an hour and 20 GB below TMPDIR, and is run by hand:
  tests/bench/bench_model.py build --size huge"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from measured import Failed, measure, record
from table import Table

ENGINE = "model"
# Files are recognised by their times when those are older than this: what was written a moment ago is read again.
SETTLED_S = 2.2
# Of a cold lint the bar is a ratio: 0.40 s, and 0.60 s of CPU, where libyaml alone takes 0.2 s. Others have a unit.
SIZES = {
    "quick": {"stores": 100, "datasets": 40, "workspaces": 200, "runs": 3, "bars": {}},
    "standard": {"stores": 1000, "datasets": 40, "workspaces": 2000, "runs": 7,
                 "bars": {"cold": 2.0, "cold CPU": 3.0, "cold memory": 60, "unchanged": 20, "file": 50, "check": 100}},
    "huge": {"stores": 10000, "datasets": 1200, "workspaces": 3000, "runs": 1,
             "bars": {"cold alone": 90, "cold memory": 8192, "file": 1000, "check": 1000, "check memory": 1024}},
}


class World:
    """The model, its images, and the programs. Files are changed by what a dataset's description says."""

    def __init__(self, build, size, home):
        self.program = str(build / "src/program/datasurface")
        self.generate, self.parse = (str(build / "tests/bench" / name) for name in ("generate_model", "parse_yaml"))
        self.size, self.home = size, home
        self.model, self.cache = home / "model", home / "cache"
        self.env = {**os.environ, "XDG_CACHE_HOME": str(home / "usual")}
        self.changes = 0
        if not self.model.exists():
            self._run([self.generate, str(self.model)] + [
                word for name in ("stores", "datasets", "workspaces") for word in (f"--{name}", str(size[name]))])
            time.sleep(SETTLED_S)
        self.store = sorted(self.model.glob("teams/*/*/stores/*.yaml"))[0]
        self.text = self.store.read_text(encoding="utf-8")

    def _run(self, command):
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr.strip()}")
        return done

    def ours(self, *words):
        return [self.program, "-C", str(self.model), "--cache", str(self.cache), *words]

    def measure(self, command, decoded=None):
        """One run; decoded: how many files it may decode, which a second run tells."""
        figure = measure(command, self.env)
        if decoded is not None:
            said = self._run([*command, "--log-level", "debug"]).stderr
            counts = [int(json.loads(line)["message"].split()[0]) for line in said.splitlines() if " decoded" in line]
            if sum(counts) != decoded:
                raise Failed(f"{' '.join(command)}: {counts} files were decoded, not {decoded}")
        return figure

    def forget(self):
        shutil.rmtree(self.cache, ignore_errors=True)

    def change(self):
        """Another text of the same store, old enough to be recognised by its times the next time."""
        self.changes += 1
        self.store.write_text(self.text.replace("description: ", f"description: {self.changes} ", 1), encoding="utf-8")
        time.sleep(SETTLED_S)

    def restore(self):
        self.store.write_text(self.text, encoding="utf-8")
        time.sleep(SETTLED_S)

    def query(self, sql):
        return json.loads(self._run(self.ours("query", "--format", "json", sql)).stdout)["result"]["rows"]

    def describe(self):
        files = [path for path in self.model.rglob("*.yaml")]
        return (f"model: {self.size['stores'] * self.size['datasets']} datasets of 12 columns in {len(files)} files, "
                f"{sum(path.stat().st_size for path in files) / 1e6:.0f} MB; {os.cpu_count()} processors")

    def git(self, *words):
        return self._run(["git", "-C", str(self.model), "-c", "user.name=bench", "-c", "user.email=bench@localhost",
                          "-c", "core.looseCompression=1", "-c", "gc.auto=0", *words])

    def commit_twice(self):
        """The model as `base`, and with one file changed as `head`."""
        if not (self.model / ".git").exists():
            self.git("init", "--quiet")
            self.git("add", "--all")
            self.git("commit", "--quiet", "-m", "base")
            self.git("tag", "base")
            self.change()
            self.git("commit", "--quiet", "--all", "-m", "head")
            self.git("tag", "head")
        owner = self.query(f"SELECT t.repository FROM stores s JOIN teams t ON t.name = s.team "
                           f"WHERE s.name = '{self.store.stem}'")[0]["repository"]
        repository, _, branch = owner.partition("@")
        return self.ours("check", "--base", "base", "--head", "head", "--repository", repository, "--branch", branch)


def bar(world, name, unit=None):
    """Without a unit: of the ratio to the reference."""
    bars = world.size["bars"]
    return {name: value for name, value in (("bar", bars[name]), ("bar_unit", unit)) if value} if name in bars else {}


def of_the_same(work, ours, reference=None, **more):
    """Another figure of runs that stand above with all there is to say of them."""
    row = record(ENGINE, work, ours, reference, **more)
    return {name: row[name] for name in row if name in ("engine", "work", "unit", "ours", "ours_runs",
                                                        "reference_value", "ratio", "bar", "bar_unit")}


def cold(world):
    ours, theirs, nowhere = [], [], []
    for _ in range(world.size["runs"]):
        world.forget()
        theirs.append(world.measure([world.parse, str(world.model)]))
        ours.append(world.measure(world.ours("lint")))
        nowhere.append(world.measure([world.program, "-C", str(world.model), "--no-cache", "lint"]))
    reference = ("libyaml's parser alone, on one thread: parse_yaml", theirs)
    yield record(ENGINE, "lint, cold, image written", ours, reference, **bar(world, "cold"), **bar(world, "cold alone", "s"))
    yield of_the_same("... its CPU", ours, reference, unit="CPU s", **bar(world, "cold CPU"))
    yield of_the_same("... its memory", ours, unit="MB", **bar(world, "cold memory", "MB"))
    yield record(ENGINE, "lint, cold, image only in memory", nowhere)
    size = sum(path.stat().st_size for path in world.cache.rglob("*.image")) / 1e6
    yield {"engine": ENGINE, "work": "the image", "unit": "MB", "ours": size}


def unchanged(world):
    world.measure(world.ours("lint"))
    figures = [world.measure(world.ours("lint"), decoded=0) for _ in range(world.size["runs"])]
    yield record(ENGINE, "lint, nothing changed", figures, unit="ms", **bar(world, "unchanged", "ms"))
    figures = [world.measure(world.ours("graph"), decoded=0) for _ in range(world.size["runs"])]
    yield record(ENGINE, "graph, nothing changed", figures, unit="ms")


def one_file(world):
    world.measure(world.ours("lint"))
    figures = []
    for _ in range(world.size["runs"]):
        world.change()
        figures.append(world.measure(world.ours("lint", str(world.store)), decoded=1))
    world.restore()
    yield record(ENGINE, "lint FILE, which has changed", figures, unit="ms", **bar(world, "file", "ms"))


def check(world):
    command = world.commit_twice()
    world.measure(command)
    figures = [world.measure(command, decoded=1) for _ in range(world.size["runs"])]
    yield record(ENGINE, "check, one file changed", figures, unit="ms", **bar(world, "check", "ms"))
    if "check memory" in world.size["bars"]:
        yield of_the_same("... its memory", figures, unit="MB", **bar(world, "check memory", "MB"))


LINES = [cold, unchanged, one_file, check]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, help="the directory that everything was built in")
    parser.add_argument("--size", choices=SIZES, default="standard")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="leave the model and its images there")
    parser.add_argument("--lines", action="store_true", help="print JSON objects instead of a table")
    return parser.parse_args()


def main():
    options = arguments()
    show = (lambda row: print(json.dumps(row), flush=True)) if options.lines else Table().add
    failed = False
    with tempfile.TemporaryDirectory(prefix="bench-model-") as own:
        home = options.keep or pathlib.Path(own)
        home.mkdir(parents=True, exist_ok=True)
        world = World(options.build.resolve(), SIZES[options.size], home.resolve())
        show({"note": world.describe()})
        for line in LINES:
            try:
                for row in line(world):
                    show(row)
            except Failed as failure:
                failed = True
                show({"engine": ENGINE, "work": line.__name__, "error": str(failure)})
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
