#!/usr/bin/env python3
"""A living system: an ecosystem that begins with one store and grows by pull requests, while its sources change, its
streams run every second, and processes, servers and links die at random. After every chapter each batch, each view and
each version in it must be what can be recomputed from the ledgers of the sources.

living.py [--seed N] [--minutes M] [--chapter NAME]... [--tap] [--dir DIR] [--keep]"""
import argparse
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from chaos import Chaos  # noqa: E402
from oracle import Wrong  # noqa: E402
from later import LATER  # noqa: E402
from story import CHAPTERS  # noqa: E402
from world import World  # noqa: E402


class Teller:
    """The story goes out line by line; TAP comes at the end, or in between as comments do."""

    def __init__(self, tap):
        self.before, self.lock = "# " if tap else "", threading.Lock()
        self.results = []

    def __call__(self, text):
        with self.lock:
            print(f"{self.before}{time.strftime('%H:%M:%S')}  {text}", flush=True)

    def ok(self, good, what):
        self.results.append(f"{'ok' if good else 'not ok'} {len(self.results) + 1} - {what}")

    def finish(self):
        print("\n".join([*self.results, f"1..{len(self.results)}"]), flush=True)


def pulse(world):
    """Streams run every second."""
    while not world.over.wait(1):
        with world.hush:
            for merge in list(world.merges.values()):
                merge.ask_for_batches()


def tell_look(world, look):
    streams = [s for s in world.streams if s not in world.resting()]
    world.tell(
        f"        {look[0]} batches of {len(streams)} streams and {look[1]} views with {look[2]} rows are as the "
        "ledgers say"
    )


def chosen(options):
    """The chapters of the short turn; with --minutes all; with --chapter those, and what they go on from."""
    if not options.chapter:
        return CHAPTERS + (LATER if options.minutes else [])
    wanted, left = set(), [chapter for chapter in CHAPTERS + LATER if chapter.__name__ in options.chapter]
    while left:
        wanted.add(left[-1])
        left += getattr(left.pop(), "after", ())
    return [chapter for chapter in CHAPTERS + LATER if chapter in wanted]


def live(world, options, teller):
    """Chapters in order; with --minutes as many more turns of those that can come again as there is time."""
    end = time.monotonic() + options.minutes * 60
    chapters = chosen(options)
    pause = max(options.pause, options.minutes * 60 / (len(chapters) * 2.5))
    for chapter in chapters:
        play(world, teller, chapter, pause)
    turns = [
        chapter for chapter in chapters
        if getattr(chapter, "again", False) and chapter.__name__ in (options.chapter or chapter.__name__)
    ]
    rng = random.Random(f"{options.seed} again")
    while time.monotonic() < end:
        play(world, teller, rng.choice(turns), pause)
    with world.quiet():
        teller.ok(True, "in the end everything has arrived")
        teller.ok(True, f"verify: {world.verify()} datasets equal, with our fingerprints")
        tell_look(world, world.look())


def play(world, teller, chapter, pause):
    what = chapter.__doc__.split("\n")[0].rstrip(".")
    world.tell(f"--- {what}")
    chapter(world)
    world.over.wait(pause)
    look = world.look()
    trouble = world.trouble + [source.failed for source in world.sources.values() if source.failed]
    if trouble:
        raise Wrong(trouble[0])
    tell_look(world, look)
    world.look_back()
    teller.ok(True, what)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--pause", type=float, default=0.7, help="seconds after each chapter, at least")
    parser.add_argument("--pace", type=float, default=3, help="seconds between two blows")
    parser.add_argument("--chapter", action="append", choices=[chapter.__name__ for chapter in CHAPTERS + LATER],
                        help="only this one, and those that it goes on from")
    parser.add_argument("--tap", action="store_true")
    parser.add_argument("--dir")
    parser.add_argument("--keep", action="store_true", help="also when all is well")
    options = parser.parse_args()
    missing = [program for program in ("git", "psql") if not shutil.which(program)]
    if missing:
        print(f"1..0 # SKIP {missing[0]} is missing")
        return
    root = pathlib.Path(__file__).resolve().parents[2]
    program = os.environ.get("DATASURFACE", str(root / "build" / "datasurface"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # after the end of what we have started
    directory = options.dir or tempfile.mkdtemp(prefix="living-")
    os.chmod(directory, 0o755)  # the servers are another user's
    teller = Teller(options.tap)
    teller(f"seed {options.seed}, in {directory}")
    started, world, good = time.monotonic(), None, False
    try:
        world = World(directory, program, options.seed, teller)
        world.longest_nap = 25 if options.minutes else 2
        threading.Thread(target=pulse, args=(world, ), daemon=True).start()
        Chaos(world, options.pace).start()
        live(world, options, teller)
        good = True
    except Exception as error:  # pylint: disable=broad-except
        for line in (traceback.format_exc() if not isinstance(error, Wrong) else str(error)).splitlines():
            teller(line[:4000])
        teller.ok(False, f"seed {options.seed}: {str(error)[:300]}")
    finally:
        if world:
            if not good:
                world.keep_evidence()
            world.end()
            teller(", ".join(f"{number} {what}"
                             for what, number in world.count.items()) + f" in {time.monotonic() - started:.0f} s")
        if good and not options.keep:
            shutil.rmtree(directory, ignore_errors=True)
        else:
            teller(f"seed {options.seed}; everything is kept in {directory}")
    teller.finish()
    sys.exit(0 if good else 1)


main()
