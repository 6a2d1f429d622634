"""Everything that is alive: servers, links, sources, the ecosystem, processes of the program; and the looks at it."""
import contextlib
import json
import os
import pathlib
import random
import signal
import subprocess
import threading
import time

from ecosystem import Ecosystem
from looks import Looks
from oracle import Wrong
from patience import patience_s
from pq import Refused, Sqlite
from servers import PASSWORD, ROLE, Link, Server


class Merge:
    """A merge database, of a service or of the workspaces that have that container, to look into and to ask for
    batches; connect is for the test's own eyes."""

    def __init__(self, name, connect, schemas, *, container=None):
        self.name, self.connect, self.schemas, self.container = name, connect, schemas, container
        self.asking = None

    def ask(self, sql):
        """Rows, as often as it takes."""
        while True:
            try:
                with contextlib.closing(self.connect()) as db:
                    return db.ask(sql)[1]
            except Refused:
                time.sleep(0.05)

    def control(self, table):
        return f"datasurface.{table}" if self.schemas else f"datasurface__{table}"

    def view(self, workspace, group, store, dataset):
        name = f"{group}__{store}__{dataset}".lower()
        return f'ws_{workspace.lower()}."{name}"' if self.schemas else f'"ws_{workspace.lower()}__{name}"'

    def ask_for_batches(self):
        """What any program may do that has the right to: a row in the control table `trigger`."""
        now = "clock_timestamp()" if self.schemas else "strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')"
        try:
            self.asking = self.asking or self.connect()
            self.asking.ask(
                f"INSERT INTO {self.control('trigger')} (stream, wanted_at) SELECT name, {now} "
                f"FROM {self.control('stream')} "
                "WHERE removed = 0 AND true ON CONFLICT (stream) DO UPDATE SET wanted_at = excluded.wanted_at")
        except Refused:
            if self.asking:
                self.asking.close()
            self.asking = None


class World(Looks):
    """seed: of everything that is random, but for the order in which the machine does it."""

    def __init__(self, directory, program, seed, tell):
        self.dir, self.program, self.seed, self.tell = pathlib.Path(directory), [program], seed, tell
        self.applied = None  # the directory of the model
        self.follows = False  # runs keep themselves true to the branch main
        self.rng = random.Random(f"{seed} world")
        self.sources, self.merges, self.streams, self.timelines, self.runs = {}, {}, {}, {}, []
        self.calm, self.over, self.trouble = threading.RLock(), threading.Event(), []
        self.hush = threading.Lock()  # who holds it keeps streams from being asked for batches
        self.makers, self.inputs = {}, {}  # of output stores: how they are made, and of which stores
        self.count = dict.fromkeys(("batches", "looks", "views", "rows", "applies", "kills"), 0)
        self.sites = {}
        makers = [
            threading.Thread(target=self._make_server, args=(name, databases))
            for name, databases in (("sources", ["sales", "visits", "office"]), ("merge", ["merge"]))
        ]
        for maker in makers:
            maker.start()
        for maker in makers:
            maker.join()
        self.links = {name: Link(server.port) for name, server in self.sites.items()}
        self.links["office"] = Link(self.sites["sources"].port)  # another way to the same server
        self.env = {**os.environ, "XDG_CACHE_HOME": str(self.dir / "cache"), "TMPDIR": str(self.dir)}
        for credential in ("SRC_READ", "MERGE_RW"):
            self.env |= {f"DATASURFACE_{credential}_USER": ROLE, f"DATASURFACE_{credential}_PASSWORD": PASSWORD}
        self.ecosystem = Ecosystem(self)
        self.starting = threading.Lock()  # guards runs

    def _make_server(self, name, databases):
        directory = self.dir / name
        directory.mkdir()
        self.sites[name] = Server(directory, databases)

    # --- the program

    def ds(self, *words, patience=True):
        """One command, as often as it is worth a retry: exit 3."""
        deadline = time.monotonic() + patience_s()
        while True:
            done = subprocess.run([*self.program, "--format", "json", "-C",
                                   str(self.ecosystem.model), *words], env=self.env, capture_output=True, text=True,
                                  check=False)
            if done.returncode != 3 or not patience or time.monotonic() > deadline:
                return done
            time.sleep(0.1)

    def result(self, *words, codes=(0, )):
        done = self.ds(*words)
        if done.returncode not in codes:
            raise Wrong(f"{' '.join(words)}: exit {done.returncode}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
        return json.loads(done.stdout)["result"]

    def run(self):
        """Another process of `datasurface run`."""
        log = open(self.dir / "run.log", "ab")
        with self.starting:
            where = ["-C", str(self.ecosystem.repository if self.follows else self.applied)]
            more = ["--follow", "main", "--follow-every", "200ms"] if self.follows else []
            self.runs.append(
                subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *self.program, *where, "run", "--workers", "3",
                                  *more], env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        log.close()

    def run_anew(self):
        """All of them drain, and as many begin with the model of today."""
        with self.calm:
            runs, self.runs = self.runs, []
            for run in runs:
                run.send_signal(signal.SIGCONT)
                run.send_signal(signal.SIGTERM)
            for run in runs:
                if run.wait(timeout=patience_s()) not in (0, -signal.SIGTERM):  # it didn't know the signal yet
                    raise Wrong(f"SIGTERM: run ended with {run.returncode}")
            for _ in runs:
                self.run()

    def _begin_apply(self, *words):
        return subprocess.Popen([*self.program, "-C", str(self.ecosystem.model), "apply", *words], env=self.env,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def apply(self, *words, killed=0.0, rivals=0.2):
        """plan says what it will do, apply does it, sometimes after an apply that was killed on the way, sometimes
        beside another one. Where those who run have applied it already, nothing is left to do."""
        started = time.monotonic()
        changes = self.result("plan", *words)["changes"]
        followed = self.follows and not words
        if followed and to_do(changes):
            raise Wrong(f"run --follow has applied it, and plan still has changes: {to_do(changes)}")
        if self.rng.random() < killed:
            victim = self._begin_apply(*words)
            time.sleep(self.rng.uniform(0.005, 0.15))
            victim.kill()
            code = victim.wait()
            self.count["kills"] += code != 0
            self.tell("        " + ("apply is killed on the way" if code else "apply was faster than its killer"))
        rival = self._begin_apply(*words) if self.rng.random() < rivals else None
        self.result("apply", *words)
        if rival and rival.wait() not in (0, 3):
            raise Wrong(f"two applies at once: one ended with {rival.returncode}")
        if not followed and to_do(self.result("plan", *words)["changes"]):
            raise Wrong("after apply, plan still has changes")
        self.count["applies"] += 1
        self.applied = self.ecosystem.model
        self.tell(
            f"        applied: {len(changes)} change{'s' if len(changes) != 1 else ''}, "
            f"{time.monotonic() - started:.2f} s"
        )
        self.learn_versions()
        return changes

    def keep_evidence(self):
        """What the control tables say, and the ledgers, as text beside the databases."""
        for name, merge in self.merges.items():
            with contextlib.closing(merge.connect()) as db:
                for table in ("stream", "batch", "dataset_batch", "event", "applied"):
                    names, rows = db.ask(f"SELECT * FROM {merge.control(table)}")
                    lines = [json.dumps(dict(zip(names, row))) for row in rows]
                    (self.dir / f"{name}-{table}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        for name, source in self.sources.items():
            lines = [
                json.dumps(entry, default=str)
                for entry in zip(range(source.ledger.last +
                                       1), source.ledger.begun_at, source.ledger.done_at, source.ledger.changes)
            ]
            (self.dir / f"{name}-ledger.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def end(self):
        self.over.set()
        for source in self.sources.values():
            source.over.set()
        for run in self.runs:
            run.kill()
            run.wait()
        for thing in [*self.links.values(), *self.sites.values()]:
            thing.end()


def to_do(changes):
    return [change for change in changes if change["action"] != "keep"]


def sqlite(path):
    db = Sqlite(path)
    db.ask("PRAGMA journal_mode = WAL")
    return db
