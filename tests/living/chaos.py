"""Blows at random moments: to processes, to servers, and to the links between them."""
import os
import pathlib
import random
import signal
import threading
import time

from patience import slowness


def children(pid):
    """Of a process, by /proc."""
    try:
        return [
            int(word) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
            for word in (task / "children").read_text(encoding="ascii").split()
        ]
    except OSError:
        return []


class Chaos(threading.Thread):
    """One blow every `pace` seconds or so, fewer where all is slow, when nobody holds world.calm. Also sees to it that as
    many processes run as should, and that none ends by itself."""

    BLOWS = (("kill", 8), ("freeze", 2), ("cut", 3), ("session", 3), ("server", 1), ("command", 2))

    def __init__(self, world, pace):
        super().__init__(name="chaos", daemon=True)
        self.world, self.pace, self.rng = world, pace, random.Random(f"{world.seed} chaos")
        self.next = time.monotonic() + pace

    def run(self):
        while not self.world.over.wait(0.05):
            with self.world.calm:
                if self.world.over.is_set():
                    return
                self.keep_running()
                if time.monotonic() >= self.next and self.world.runs:
                    names, weights = zip(*self.BLOWS)
                    getattr(self, self.rng.choices(names, weights)[0])()
                    self.next = time.monotonic() + self.pace * slowness() ** 0.5 * self.rng.uniform(0.3, 1.7)

    def keep_running(self):
        for run in list(self.world.runs):
            code = run.poll()
            if code is None:
                continue
            self.world.runs.remove(run)
            if code != 3:  # 3: no server was there when it began
                self.world.trouble.append(f"a run ended by itself with {code}; see run.log")
            self.world.run()

    def said(self, text):
        self.world.count["kills"] += 1
        self.world.tell("    " + text)

    def kill(self):
        run = self.rng.choice(self.world.runs)
        run.kill()
        run.wait()
        self.world.runs.remove(run)
        self.said(f"run {run.pid} is killed; another one begins")
        self.world.run()

    def freeze(self):
        run = self.rng.choice(self.world.runs)
        run.send_signal(signal.SIGSTOP)
        nap = self.rng.choice([0.3, 1, self.world.longest_nap])
        self.said(f"run {run.pid} is stopped for {nap} s")
        self.world.over.wait(nap)
        run.send_signal(signal.SIGCONT)

    def cut(self):
        name = self.rng.choice(list(self.world.links))
        nap = self.rng.choice([0, 0.2, 1])
        self.world.links[name].cut()
        self.said(f"the link to the {name} server is cut for {nap} s")
        self.world.over.wait(nap)
        self.world.links[name].mend()

    def session(self):
        """As an administrator does it, politely."""
        name = self.rng.choice(list(self.world.sites))
        ended = self.world.sites[name].run(
            "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() "
            "ORDER BY random() LIMIT 2")
        self.said(f"{len(ended)} sessions of the {name} server are ended")

    def server(self):
        name = self.rng.choice(list(self.world.sites))
        started = time.monotonic()
        self.world.sites[name].shoot()
        self.said(f"the {name} server is killed; it was down for {time.monotonic() - started:.1f} s")

    def command(self):
        """A transformer's program, if one is at work just now."""
        for run in self.world.runs:
            for pid in children(run.pid):
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    continue
                self.said("a transformer's program is killed")
                return
