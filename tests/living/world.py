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

from ecosystem import Ecosystem, wait_until
from oracle import MirrorStream, SourceStream, TransformerStream, WatermarkStream, Wrong, compare_history, compare_live
from pq import Refused, Sqlite
from rows import Lens
from servers import PASSWORD, ROLE, Link, Server

PATIENCE_S = float(os.environ.get("LIVING_PATIENCE", "180"))


class Merge:
    """A merge database, to look into and to ask for batches; connect is for the test's own eyes."""

    def __init__(self, service, connect, schemas):
        self.service, self.connect, self.schemas = service, connect, schemas
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
            self.asking.ask(f"INSERT INTO {self.control('trigger')} (stream, wanted_at) SELECT name, {now} FROM {self.control('stream')} "
                            "WHERE removed = 0 AND true ON CONFLICT (stream) DO UPDATE SET wanted_at = excluded.wanted_at")
        except Refused:
            if self.asking:
                self.asking.close()
            self.asking = None


class World:
    """seed: of everything that is random, but for the order in which the machine does it."""

    def __init__(self, directory, program, seed, tell):
        self.dir, self.program, self.seed, self.tell = pathlib.Path(directory), [program], seed, tell
        self.rng, self.forgets = random.Random(f"{seed} world"), False
        self.sources, self.merges, self.streams, self.runs = {}, {}, {}, []
        self.calm, self.over, self.trouble = threading.RLock(), threading.Event(), []
        self.pruned, self.makers = set(), {}
        self.count = dict.fromkeys(("batches", "looks", "views", "rows", "applies", "kills"), 0)
        self.sites = {}
        makers = [threading.Thread(target=self._make_server, args=(name, databases))
                  for name, databases in (("sources", ["sales", "visits"]), ("merge", ["merge"]))]
        for maker in makers:
            maker.start()
        for maker in makers:
            maker.join()
        self.links = {name: Link(server.port) for name, server in self.sites.items()}
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
        deadline = time.monotonic() + PATIENCE_S
        while True:
            done = subprocess.run([*self.program, "--format", "json", "-C", str(self.ecosystem.model), *words], env=self.env,
                                  capture_output=True, text=True, check=False)
            if done.returncode != 3 or not patience or time.monotonic() > deadline:
                return done
            time.sleep(0.1)

    def result(self, *words, codes=(0,)):
        done = self.ds(*words)
        if done.returncode not in codes:
            raise Wrong(f"{' '.join(words)}: exit {done.returncode}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
        return json.loads(done.stdout)["result"]

    def run(self):
        """Another process of `datasurface run`."""
        log = open(self.dir / "run.log", "ab")
        with self.starting:
            self.runs.append(subprocess.Popen([*self.program, "-C", str(self.ecosystem.model), "run", "--workers", "3"], env=self.env,
                                              stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        log.close()

    def run_anew(self):
        """All of them drain, and as many begin with the model of today."""
        with self.calm:
            runs, self.runs = self.runs, []
            for run in runs:
                run.send_signal(signal.SIGCONT)
                run.send_signal(signal.SIGTERM)
            for run in runs:
                if run.wait(timeout=PATIENCE_S) != 0:
                    raise Wrong(f"SIGTERM: run ended with {run.returncode}")
            for _ in runs:
                self.run()

    def apply(self, *words, killed=0.0):
        """plan says what it will do, apply does it, sometimes after an apply that was killed on the way."""
        started = time.monotonic()
        changes = self.result("plan", *words)["changes"]
        if self.rng.random() < killed:
            victim = subprocess.Popen([*self.program, "-C", str(self.ecosystem.model), "apply", *words], env=self.env,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(self.rng.uniform(0.005, 0.15))
            victim.kill()
            code = victim.wait()
            self.count["kills"] += code != 0
            self.tell("        " + ("apply is killed on the way" if code else "apply was faster than its killer"))
        self.result("apply", *words)
        if self.result("plan", *words)["changes"]:
            raise Wrong("after apply, plan still has changes")
        self.count["applies"] += 1
        self.tell(f"        applied: {len(changes)} change{'s' if len(changes) != 1 else ''}, {time.monotonic() - started:.2f} s")
        self.learn_versions()
        return changes

    # --- streams

    def learn_versions(self):
        """Which columns each stream has from now on: by the documents, not by the program."""
        for merge in self.merges.values():
            for name, version in merge.ask(f"SELECT name, version FROM {merge.control('stream')} WHERE removed = 0 ORDER BY name"):
                stream = self.streams.get(name) or self.streams.setdefault(name, self._new_stream(name))
                stream.lenses.setdefault(int(version), self._lenses(name))

    def _primary(self, store):
        for service in self.ecosystem.services():
            if store in service.get("primary_ingestion", {}):
                return service["primary_ingestion"][store]
        return None

    def _new_stream(self, name):
        platform, store = name.split("/")[:2]
        primary = self._primary(store)
        if primary and primary != platform:
            return MirrorStream(name, self.streams.get(f"{primary}/{store}") or self._made_first(f"{primary}/{store}"))
        if store in self.makers:
            inputs, make = self.makers[store]
            return TransformerStream(name, [self.streams.get(f"{platform}/{s}") or self._made_first(f"{platform}/{s}") for s in inputs], make)
        by_watermark = self.ecosystem["Datastore " + store]["capture"]["type"] == "sql_watermark"
        return (WatermarkStream if by_watermark else SourceStream)(name, self.sources[store].ledger)

    def _made_first(self, name):
        return self.streams.setdefault(name, self._new_stream(name))

    def _lenses(self, name):
        platform, store, *rest = name.split("/")
        used = self._used(platform, store)
        return {dataset: Lens(columns) for dataset, columns in self.ecosystem.datasets(store).items()
                if dataset in used and (not rest or rest == [dataset])}

    def _used(self, platform, store):
        """Datasets of a store that a group on this platform needs, itself or through a transformer; or a mirror of it."""
        documents, used = self.ecosystem.documents, set()
        needed, seen = [], set()
        for service in self.ecosystem.services():
            for assignment in service.get("assignments", ()):
                if any(p["platform"] == platform and p["status"] != "decommissioned" for p in assignment["platforms"]):
                    needed.append(tuple(assignment["group"].split("/")))
        while needed:
            workspace, group = needed.pop()
            if (workspace, group) in seen:
                continue
            seen.add((workspace, group))
            for sink in documents["Workspace", workspace]["dataset_groups"][group]["sinks"]:
                source, dataset = (sink if isinstance(sink, str) else sink["dataset"]).split("/")
                used |= {dataset} if source == store else set()
                needed += [(name, g) for (kind, name), d in documents.items() if kind == "Workspace"
                           and d.get("transformer", {}).get("output", {}).get("datastore") == source for g in d["dataset_groups"]]
        return used

    # --- looks

    def look(self):
        """Everything that was committed since the last look, and every view, against the ledgers."""
        self.count["looks"] += 1
        before = self.count["batches"], self.count["views"], self.count["rows"]
        with contextlib.ExitStack() as stack:
            seen = []
            for merge in reversed(self.merges.values()):  # mirrors before their primaries
                while True:
                    db = merge.connect()
                    try:
                        seen.append((merge, self._read(merge, db)))
                        break
                    except Refused:
                        time.sleep(0.05)  # somebody has shot the server meanwhile
                    finally:
                        db.close()
            with contextlib.ExitStack() as still:
                for source in self.sources.values():  # what a batch has seen is in the ledger by now
                    still.enter_context(source.still)
            self._take([batch for _, (batches, _) in seen for batch in batches])
            for merge, (_, views) in seen:
                self._compare(merge, views)
        return tuple(self.count[what] - was for what, was in zip(("batches", "views", "rows"), before))

    def _read(self, merge, db):
        """In one snapshot: new batches, and the rows of all views that there ought to be."""
        with db.snapshot():
            batches = []
            for name, stream in self.streams.items():
                if name in self.pruned:
                    continue
                columns, rows = db.ask(f"SELECT * FROM {merge.control('batch')} WHERE stream = '{name}' AND status = 'committed' "
                                       f"AND batch_id > {stream.last} ORDER BY batch_id")
                details = {}
                if rows:
                    names, found = db.ask(f"SELECT * FROM {merge.control('dataset_batch')} WHERE stream = '{name}' AND batch_id > {stream.last}")
                    for row in (dict(zip(names, values)) for values in found):
                        details.setdefault(int(row["batch_id"]), []).append(row)
                for row in (dict(zip(columns, values)) for values in rows):
                    batches.append((stream, row, details.get(int(row["batch_id"]), [])))
            views = []
            for workspace, group, store, dataset, platform, full in self.ecosystem.views(self.ecosystem[f"PlatformService {merge.service}"]):
                name = merge.view(workspace, group, store, dataset)
                views.append((f"{workspace}/{group}/{store}/{dataset}", platform, store, dataset, False, db.ask(f"SELECT * FROM {name}")))
                if full:
                    name = name[:-1] + '__history"'
                    views.append((f"{workspace}/{group}/{store}/{dataset} history", platform, store, dataset, True,
                                  db.ask(f"SELECT * FROM {name}")))
            count = int(db.ask(f"SELECT count(*) FROM {merge.control('view')}")[1][0][0])
            if count != len(views):
                raise Wrong(f"{merge.service}: {count} views, but the model wants {len(views)}")
            repaired = db.ask(f"SELECT stream, detail FROM {merge.control('event')} WHERE kind = 'repaired'")[1]
            if repaired:
                raise Wrong(f"{merge.service}: repaired: {repaired}")
        return batches, views

    def _take(self, batches):
        """Primaries before their mirrors, inputs before transformers, which may be inputs themselves."""
        rank = {"source": 0, "mirror": 1}
        plain = [entry for entry in batches if not isinstance(entry[0], TransformerStream)]
        made = [entry for entry in batches if isinstance(entry[0], TransformerStream)]
        for stream, batch, rows in sorted(plain, key=lambda entry: rank[entry[0].kind]):
            stream.take(batch, rows)
        for stream, batch, rows in sorted(made, key=lambda entry: self.depth(entry[0])):
            stream.take(batch, rows)
        self.count["batches"] += len(batches)

    def depth(self, stream):
        return 1 + max((self.depth(s) for s, _ in stream.inputs.values()), default=0) if isinstance(stream, TransformerStream) else 0

    def _compare(self, merge, views):
        lenses = {}
        for where, platform, store, dataset, full, (names, rows) in views:
            stream = self.streams.get(f"{platform}/{store}/{dataset}") or self.streams[f"{platform}/{store}"]
            lens = lenses.setdefault((store, dataset), Lens(self.ecosystem.datasets(store)[dataset]))
            if full:
                self.count["rows"] += compare_history(where, names, rows, lens, stream, dataset)
            elif dataset in stream.histories:
                self.count["rows"] += compare_live(where, names, rows, lens, stream.histories[dataset])
            elif rows:
                raise Wrong(f"{where}: {len(rows)} rows before its first batch")
            self.count["views"] += 1

    @contextlib.contextmanager
    def quiet(self):
        """No changes, no blows; what has happened arrives."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.calm)
            for source in self.sources.values():
                stack.enter_context(source.still)
            wait_until("all streams to have caught up", self.caught_up, PATIENCE_S)
            yield

    def caught_up(self):
        self.look()
        for stream in self.streams.values():
            if stream.name in self.resting():
                continue
            if not stream.is_at_end():
                return False
        return True

    def resting(self):
        """Streams that nobody needs any more."""
        return {name for name in self.streams if not self._lenses_now(name)}

    def _lenses_now(self, name):
        platform, store, *_ = name.split("/")
        try:
            return self._lenses(name)
        except (KeyError, StopIteration):
            return {}

    def verify(self):
        """The program's own proof, and that its fingerprints are ours."""
        datasets = self.result("verify")["datasets"]
        for entry in datasets:
            if not entry["equal"]:
                raise Wrong(f"verify: {entry}")
        self.look()
        for entry in datasets:
            stream = self.streams[entry["stream"]]
            rows, total = stream.recorded[entry["dataset"]]
            for side in ("source", "merge"):
                if (int(entry[side]["rows"]), entry[side]["sum"]) != (rows, total):
                    raise Wrong(f"verify: {entry}; ours is {rows}, {total}")
        return len(datasets)

    def end(self):
        self.over.set()
        for source in self.sources.values():
            source.over.set()
        for run in self.runs:
            run.kill()
            run.wait()
        for server in self.sites.values():
            server.end()


def sqlite(path):
    db = Sqlite(path)
    db.ask("PRAGMA journal_mode = WAL")
    return db
