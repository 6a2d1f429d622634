"""Everything that is alive: servers, links, sources, the ecosystem, processes of the program; and the looks at it."""
import collections
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
from oracle import History, Mirror, Snapshot, Stream, Transformer, Watermark, Wrong, compare_history, compare_live, difference
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


View = collections.namedtuple("View", "name platform store dataset full")


class World:
    """seed: of everything that is random, but for the order in which the machine does it."""

    def __init__(self, directory, program, seed, tell):
        self.dir, self.program, self.seed, self.tell = pathlib.Path(directory), [program], seed, tell
        self.rng, self.forgets = random.Random(f"{seed} world"), False
        self.sources, self.merges, self.streams, self.runs = {}, {}, {}, []
        self.calm, self.over, self.trouble = threading.RLock(), threading.Event(), []
        self.hush = threading.Lock()  # who holds it keeps streams from being asked for batches
        self.makers, self.inputs = {}, {}  # of output stores: how they are made, and of which stores
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
        """Which way each stream goes from now on, with which columns: by the documents, not by the program."""
        known = set()
        for merge in self.merges.values():
            rows = merge.ask(f"SELECT name, version, removed FROM {merge.control('stream')} ORDER BY name")
            for name, version, removed in rows:
                known.add(name)
                stream = self.streams.setdefault(name, Stream(name))
                if not int(removed):
                    stream.definitions.setdefault(int(version), (self._way(stream), self._lenses(name)))
        for name in self.streams.keys() - known:  # pruned
            del self.streams[name]

    def _primary(self, platform, store):
        service = next(service for service in self.ecosystem.services() if platform in service["platforms"])
        return service.get("primary_ingestion", {}).get(store)

    def _way(self, stream):
        """The one of before, as long as it is of the same kind: it knows how far it has been."""
        platform, store, *rest = stream.name.split("/")
        primary = self._primary(platform, store)
        if store in self.makers:
            kind, what = Transformer, (self.streams, self.makers[store])
        elif primary and primary != platform:
            name = "/".join([primary, store, *rest])
            kind, what = Mirror, (self.streams.setdefault(name, Stream(name)),)
        elif self.ecosystem["Datastore " + store]["capture"]["type"] == "sql_watermark":
            kind, what = Watermark, (self.sources[store].ledger,)
        else:
            kind, what = Snapshot, (self.sources[store].ledger,)
        before = stream.definitions[max(stream.definitions)][0] if stream.definitions else None
        return before if type(before) is kind else kind(*what)

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

    def look(self, views=True):
        """Everything that was committed since the last look, and every view, against the ledgers."""
        self.count["looks"] += views
        before = self.count["batches"], self.count["views"], self.count["rows"]
        seen = [(merge, *self._read_patiently(merge, views)) for merge in reversed(self.merges.values())]  # mirrors before primaries
        with contextlib.ExitStack() as still:
            for source in self.sources.values():  # what a batch has seen is in the ledger by now
                still.enter_context(source.still)
        self._take([batch for _, batches, _ in seen for batch in batches])
        for merge, _, shown in seen:
            self._compare(merge, shown)
        return tuple(self.count[what] - was for what, was in zip(("batches", "views", "rows"), before))

    def _read_patiently(self, merge, views):
        while True:
            try:
                with contextlib.closing(merge.connect()) as db:
                    return self._read(merge, db, self._wanted_views(merge) if views else [])
            except Refused:
                time.sleep(0.05)  # somebody has shot the server meanwhile

    def _read(self, merge, db, wanted):
        """In one snapshot: new batches, and the rows of all views that there ought to be."""
        with db.snapshot([view.name for view in wanted]):
            batches = [entry for stream in self.streams.values() for entry in self._read_batches(merge, db, stream)]
            views = [(view, *db.ask(f"SELECT * FROM {view.name}")) for view in wanted]
            count = int(db.ask(f"SELECT count(*) FROM {merge.control('view')}")[1][0][0])
            if wanted and count != len(wanted):
                raise Wrong(f"{merge.service}: {count} views, but the model wants {len(wanted)}")
            repaired = db.ask(f"SELECT stream, detail FROM {merge.control('event')} WHERE kind = 'repaired'")[1]
            if repaired:
                raise Wrong(f"{merge.service}: repaired: {repaired}")
        return batches, views

    def _wanted_views(self, merge):
        wanted = []
        for workspace, group, store, dataset, platform, full in self.ecosystem.views(self.ecosystem[f"PlatformService {merge.service}"]):
            name = merge.view(workspace, group, store, dataset)
            wanted.append(View(name, platform, store, dataset, False))
            wanted += [View(name[:-1] + '__history"', platform, store, dataset, True)] if full else []
        return wanted

    @staticmethod
    def _read_batches(merge, db, stream):
        """Those since the last look; all, when the last one that we saw isn't there any more."""
        where = f"stream = '{stream.name}' AND batch_id"
        if stream.last:
            found = db.ask(f"SELECT committed_at FROM {merge.control('batch')} WHERE {where} = {stream.last}")[1]
            if stream.merge is merge and (not found or found[0][0] != stream.committed_at[stream.last]):
                stream.forget()
        names, rows = db.ask(f"SELECT * FROM {merge.control('batch')} WHERE {where} > {stream.last} AND status = 'committed'")
        if not rows:
            return []
        stream.merge = merge
        columns, found = db.ask(f"SELECT * FROM {merge.control('dataset_batch')} WHERE {where} > {stream.last}")
        details = [dict(zip(columns, values)) for values in found]
        return [(stream, batch, [row for row in details if row["batch_id"] == batch["batch_id"]])
                for batch in (dict(zip(names, values)) for values in rows)]

    def _take(self, batches):
        """Primaries before their mirrors, inputs before transformers, which may be inputs themselves."""
        for stream, batch, rows in sorted(batches, key=lambda entry: (self.depth(entry[0]), int(entry[1]["batch_id"]))):
            stream.take(batch, rows)
        self.count["batches"] += len(batches)

    def depth(self, stream):
        way = stream.definitions[max(stream.definitions)][0] if stream.definitions else None
        if isinstance(way, Mirror):
            return 1 + self.depth(way.primary)
        if isinstance(way, Transformer):
            platform = stream.name.split("/")[0]
            return 2 + max(self.depth(self.streams[f"{platform}/{store}"]) for store in self.inputs[stream.store])
        return 0

    def _compare(self, merge, views):
        for view, names, rows in views:
            stream = self.streams.get(f"{view.platform}/{view.store}/{view.dataset}") or self.streams[f"{view.platform}/{view.store}"]
            lens = Lens(self.ecosystem.datasets(view.store)[view.dataset])
            where = f"{merge.service} {view.name}"
            if view.full:
                self.count["rows"] += compare_history(where, names, rows, lens, stream, view.dataset)
            else:
                self.count["rows"] += compare_live(where, names, rows, lens, stream.histories.get(view.dataset, History()))
            self.count["views"] += 1

    @contextlib.contextmanager
    def quiet(self):
        """No changes, no blows; what has happened arrives."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.calm)
            for source in self.sources.values():
                stack.enter_context(source.still)
            wait_until("all streams to have caught up", lambda: not self.behind(), PATIENCE_S, self.tell_behind)
            yield

    def behind(self):
        """Streams that are needed and have not seen everything yet."""
        self.look(views=False)
        resting = self.resting()
        return [name for name, stream in self.streams.items() if name not in resting and not stream.is_at_end()]

    def tell_behind(self):
        for name in self.behind():
            merge = self.streams[name].merge
            row = merge and merge.ask(f"SELECT batch_id, status, started_at, attempts, retry_at, error FROM {merge.control('batch')} "
                                      f"WHERE stream = '{name}' ORDER BY batch_id DESC LIMIT 1")
            self.tell(f"        waiting for {name}: {row}")

    def resting(self):
        """Streams that nobody needs any more."""
        return {name for name in self.streams if not self._is_needed(name)}

    def _is_needed(self, name):
        try:
            return bool(self._lenses(name))
        except (KeyError, StopIteration):  # its store has gone
            return False

    def verify(self):
        """The program's own proof, and that its fingerprints are ours."""
        with self.hush:  # streams have no other work meanwhile
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

    def look_back(self):
        """`datasurface history` of some view as of some batch, against what that batch saw."""
        views = [(merge, v) for merge in self.merges.values() for v in self.ecosystem.views(self.ecosystem[f"PlatformService {merge.service}"])
                 if v[5]]
        if not views:
            return
        merge, (workspace, group, store, dataset, platform, _) = self.rng.choice(views)
        stream = self.streams.get(f"{platform}/{store}/{dataset}") or self.streams[f"{platform}/{store}"]
        history = stream.histories.get(dataset)
        if not history or not history.versions():
            return
        batch = self.rng.choice([n for n in stream.batches if n >= min(v[1] for v in history.versions())])
        path = f"{workspace}/{group}/{store}/{dataset}"
        lens = Lens(self.ecosystem.datasets(store)[dataset])
        shown = collections.Counter(lens.content(row) for row in self.result("history", path, "--as-of", str(batch))["rows"])
        wanted = collections.Counter(lens.only(content) for content in history.as_of(batch))
        if shown != wanted:
            raise Wrong(f"history {path} --as-of {batch}: {difference(shown, wanted)}")
        self.tell(f"        {path} as of batch {batch}, of {stream.last}: {sum(shown.values())} rows, as it was")

    def keep_evidence(self):
        """What the control tables say, and the ledgers, as text beside the databases."""
        for name, merge in self.merges.items():
            with contextlib.closing(merge.connect()) as db:
                for table in ("stream", "batch", "dataset_batch", "event", "applied"):
                    names, rows = db.ask(f"SELECT * FROM {merge.control(table)}")
                    lines = [json.dumps(dict(zip(names, row))) for row in rows]
                    (self.dir / f"{name}-{table}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        for name, source in self.sources.items():
            lines = [json.dumps(entry, default=str) for entry in zip(range(source.ledger.last + 1), source.ledger.begun_at,
                                                                     source.ledger.done_at, source.ledger.changes)]
            (self.dir / f"{name}-ledger.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")

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
