"""Looks at a world: what was committed, and what is shown, against what must be."""
import collections
import contextlib
import time

from oracle import (FOREVER, Mirror, Snapshot, Stream, Timeline, Transformer, Watermark, Wrong, compare_history,
                    compare_live, difference)
from patience import patience_s, wait_until
from pq import Refused
from rows import Lens

View = collections.namedtuple("View", "name platform store dataset full")


class Looks:
    """The part of a World that is about streams and views."""

    # --- streams

    def followed(self, state="applied"):
        """Whether all who follow main have come to this state of where it is, or of where it was."""
        commit = self.ecosystem.git("rev-parse", "main").strip()
        for merge in self.merges_in_use():
            rows = merge.ask(f"SELECT commit_id, state FROM {merge.control('follow')} WHERE ref = 'main'")
            if rows != [(commit, state)]:
                return False
        return True

    def last_applied(self):
        return [
            merge.ask(f"SELECT commit_id FROM {merge.control('applied')} ORDER BY id DESC LIMIT 1")
            for merge in self.merges_in_use()
        ]

    def merges_in_use(self):
        """Those that the model knows: a container only as long as a workspace has it."""
        used = {None} | {text.get("container") for (kind, _), text in self.ecosystem.documents.items()
                         if kind == "Workspace"}
        return [merge for merge in self.merges.values() if merge.container in used]

    def wait_followed(self):
        """Nobody applies: those who run see that main has moved."""
        started = time.monotonic()
        wait_until("run --follow to apply what is merged", self.followed)
        self.tell(f"        run --follow has applied it after {time.monotonic() - started:.2f} s")
        self.learn_versions()

    def learn_versions(self):
        """Which way each stream goes from now on, with which columns: by the documents, not by the program."""
        known = set()
        for merge in self.merges.values():
            rows = merge.ask(f"SELECT name, version, removed FROM {merge.control('stream')} ORDER BY name")
            for name, version, removed in rows:
                known.add(name)
                stream = self._stream(name)
                if not int(removed):
                    stream.definitions.setdefault(int(version), (self._way(stream), self._lenses(stream)))
        for name in self.streams.keys() - known:  # pruned
            self.streams.pop(name).forget()

    def _stream(self, name):
        return self.streams.setdefault(name, Stream(name, self.timelines))

    def streams_of(self, store, platform=None):
        """By name, those that read or make a store's datasets today, in the databases of services."""
        return {
            name: stream for name, stream in self.streams.items()
            if stream.store == store and not stream.container and platform in (None, stream.platform) and
            self._is_needed(name)
        }

    def _primary(self, platform, store):
        service = next(service for service in self.ecosystem.services() if platform in service["platforms"])
        return service.get("primary_ingestion", {}).get(store)

    def _way(self, stream):
        """The one of before, as long as it is of the same kind: it knows how far it has been."""
        store, primary = stream.store, self._primary(stream.platform, stream.store)
        if stream.container:
            return Mirror(self._stream(stream.name.split("@")[0]))
        if store in self.makers:
            kind, what = Transformer, (self.streams, self.makers[store])
        elif primary and primary != stream.platform:
            return Mirror(self._stream("/".join([primary, store, *stream.alone])))
        elif self.ecosystem["Datastore " + store]["capture"]["type"] == "sql_watermark":
            mark = self.ecosystem["Datastore " + store]["capture"]["watermark"]
            kind, what = Watermark, (self.sources[store].ledger, mark["column"], mark["overlap"])
        else:
            kind, what = Snapshot, (self.sources[store].ledger, )
        before = stream.definitions[max(stream.definitions)][0] if stream.definitions else None
        return before if type(before) is kind else kind(*what)

    def _lenses(self, stream):
        used = self._used(stream.platform, stream.store, stream.container)
        return {
            dataset: Lens(columns)
            for dataset, columns in self.ecosystem.datasets(stream.store).items()
            if dataset in used and stream.alone == ([dataset] if self.ecosystem.is_apart(stream.store) else [])
        }

    def _used(self, platform, store, container):
        """Datasets of a store that a group on this platform needs, itself or through a transformer. Of a copy in a
        container: that such a group of a workspace with this container has among its sinks."""
        used, needed, seen = set(), self._groups_on(platform), set()
        if container:
            needed = [path for path in needed if self.ecosystem["Workspace " + path[0]].get("container") == container]
        while needed:
            workspace, group = needed.pop()
            if (workspace, group) in seen:
                continue
            seen.add((workspace, group))
            for sink in self.ecosystem["Workspace " + workspace]["dataset_groups"][group]["sinks"]:
                source, dataset = (sink if isinstance(sink, str) else sink["dataset"]).split("/")
                used |= {dataset} if source == store else set()
                needed += [] if container else self._inputs_of(source)
        return used

    def _groups_on(self, platform):
        return [
            tuple(entry["group"].split("/")) for service in self.ecosystem.services()
            for entry in service.get("assignments", ()) if any(
                place["platform"] == platform and place["status"] != "decommissioned" for place in entry["platforms"])
        ]

    def _inputs_of(self, store):
        """The groups of the transformer that makes it."""
        return [(name, group) for (kind, name), text in self.ecosystem.documents.items()
                if kind == "Workspace" and text.get("transformer", {}).get("output", {}).get("datastore") == store
                for group in text["dataset_groups"]]

    # --- looks

    def look(self, views=True):
        """Everything that was committed since the last look, and every view, against the ledgers."""
        self.count["looks"] += views
        before = self.count["batches"], self.count["views"], self.count["rows"]
        seen = [(merge, *self._read_patiently(merge, views))
                for merge in reversed(self.merges.values())]  # mirrors before primaries
        with contextlib.ExitStack() as still:
            for source in self.sources.values():  # what a batch has seen is in the ledger by now
                still.enter_context(source.still)
        self._take([batch for _, batches, _ in seen for batch in batches])
        for merge, _, shown in seen:
            self._compare(merge, shown)
        return tuple(self.count[what] - was for what, was in zip(("batches", "views", "rows"), before))

    def _read_patiently(self, merge, views):
        deadline = time.monotonic() + patience_s()
        while True:
            try:
                with contextlib.closing(merge.connect()) as db:
                    return self._read(merge, db, self._wanted_views(merge) if views else [])
            except Refused as why:
                if time.monotonic() > deadline:
                    raise Wrong(f"{merge.name} can't be read: {why}") from why
                time.sleep(0.05)  # somebody has shot the server meanwhile

    def _read(self, merge, db, wanted):
        """In one snapshot: new batches, and the rows of all views that there ought to be."""
        with db.snapshot([view.name for view in wanted]):
            batches = [entry for stream in self.streams.values() for entry in self._read_batches(merge, db, stream)]
            views = [(view, *db.ask(f"SELECT * FROM {view.name}")) for view in wanted]
            count = int(db.ask(f"SELECT count(*) FROM {merge.control('view')}")[1][0][0])
            if wanted and count != len(wanted):
                raise Wrong(f"{merge.name}: {count} views, but the model wants {len(wanted)}")
            repaired = db.ask(f"SELECT stream, detail FROM {merge.control('event')} WHERE kind = 'repaired'")[1]
            if repaired:
                raise Wrong(f"{merge.name}: repaired: {repaired}")
        return batches, views

    def _wanted_views(self, merge):
        wanted = []
        for workspace, group, store, dataset, platform, full in self._views_in(merge):
            name = merge.view(workspace, group, store, dataset)
            wanted.append(View(name, platform, store, dataset, False))
            wanted += [View(name[:-1] + '__history"', platform, store, dataset, True)] if full else []
        return wanted

    def _views_in(self, merge):
        """(workspace, group, store, dataset, platform, with history)"""
        views = [(service["name"], view) for service in self.ecosystem.services()
                 for view in self.ecosystem.views(service)]
        return [
            view for service, view in views
            if merge.container == self.ecosystem["Workspace " + view[0]].get("container") and (
                merge.container or merge.name == service)
        ]

    def _timeline(self, merge, platform, store, dataset):
        return self.timelines.get((platform, store, dataset, merge.container or ""), Timeline())

    @staticmethod
    def _read_batches(merge, db, stream):
        """Those since the last look; all, when the last one that we saw isn't there any more."""
        where = f"stream = '{stream.name}' AND batch_id"
        if stream.last:
            found = db.ask(f"SELECT committed_at FROM {merge.control('batch')} WHERE {where} = {stream.last}")[1]
            if stream.merge is merge and (not found or found[0][0] != stream.committed_at[stream.last]):
                stream.forget()
        names, rows = db.ask(
            f"SELECT * FROM {merge.control('batch')} WHERE {where} > {stream.last} AND status = 'committed'")
        if not rows:
            return []
        stream.merge = merge
        columns, found = db.ask(f"SELECT * FROM {merge.control('dataset_batch')} WHERE {where} > {stream.last}")
        details = [dict(zip(columns, values)) for values in found]
        return [(stream, batch, [row for row in details if row["batch_id"] == batch["batch_id"]])
                for batch in (dict(zip(names, values)) for values in rows)]

    def _take(self, batches):
        """Primaries before their mirrors, inputs before transformers, which may be inputs themselves."""
        for stream, batch, rows in sorted(
                batches, key=lambda entry: (self.depth(entry[0]), int(entry[1]["batch_id"]), entry[1]["committed_at"])):
            stream.take(batch, rows)
        self.count["batches"] += len(batches)

    def depth(self, stream):
        way = stream.definitions[max(stream.definitions)][0] if stream.definitions else None
        if isinstance(way, Mirror):
            return 1 + self.depth(way.primary)
        if isinstance(way, Transformer):
            return 2 + max(
                self.depth(other) for other in self.streams.values() if other.platform == stream.platform and
                other.store in self.inputs[stream.store] and not other.container)
        return 0

    def look_at_kept(self, merge, name):
        """Tables of a stream that nobody has views of any more, with history in them: what it merged last is there."""
        stream = self.streams[name]
        platform, store = stream.platform.lower(), stream.store.lower()
        for dataset, lens in stream.definitions[max(stream.definitions)][1].items():
            columns = ", ".join(f'"{column}"' for column in lens.kinds)
            with contextlib.closing(merge.connect()) as db:
                names, rows = db.ask(f"SELECT {columns} FROM ds_{platform}.{store}__{dataset.lower()} "
                                     f"WHERE ds_batch_out = {FOREVER}")
            compare_live(f"what is kept of {name}", names, rows, lens, stream.timeline(dataset).history)

    def _compare(self, merge, views):
        for view, names, rows in views:
            timeline = self._timeline(merge, view.platform, view.store, view.dataset)
            lens = Lens(self.ecosystem.datasets(view.store)[view.dataset])
            where = f"{merge.name} {view.name}"
            if view.full:
                self.count["rows"] += compare_history(where, names, rows, lens, timeline)
            else:
                self.count["rows"] += compare_live(where, names, rows, lens, timeline.history)
            self.count["views"] += 1

    @contextlib.contextmanager
    def quiet(self):
        """No changes, no blows; what has happened arrives."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.calm)
            for source in self.sources.values():
                stack.enter_context(source.still)
            wait_until("all streams to have caught up", lambda: not self.behind(), self.tell_behind)
            yield

    def behind(self):
        """Streams that are needed and have not seen everything yet."""
        self.look(views=False)
        resting = self.resting()
        return [name for name, stream in self.streams.items() if name not in resting and not stream.is_at_end()]

    def tell_behind(self):
        for name in self.behind():
            merge = self.streams[name].merge
            row = merge and merge.ask(
                f"SELECT batch_id, status, started_at, attempts, retry_at, error FROM {merge.control('batch')} "
                f"WHERE stream = '{name}' ORDER BY batch_id DESC LIMIT 1")
            self.tell(f"        waiting for {name}: {row}")

    def resting(self):
        """Streams that nobody needs any more."""
        return {name for name in self.streams if not self._is_needed(name)}

    def _is_needed(self, name):
        try:
            return bool(self._lenses(self.streams[name]))
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
            rows, total = stream.timeline(entry["dataset"]).recorded
            for side in ("source", "merge"):
                if (int(entry[side]["rows"]), entry[side]["sum"]) != (rows, total):
                    raise Wrong(f"verify: {entry}; ours is {rows}, {total}")
        return len(datasets)

    def look_back(self):
        """`datasurface history` of some view as of some batch, against what that batch saw."""
        views = [(merge, view) for merge in self.merges.values() for view in self._views_in(merge) if view[5]]
        if not views:
            return
        merge, (workspace, group, store, dataset, platform, _) = self.rng.choice(views)
        timeline = self._timeline(merge, platform, store, dataset)
        history = timeline.history
        if not history.versions():
            return
        batch = self.rng.choice([n for n in timeline.batches if n >= min(v[1] for v in history.versions())])
        path = f"{workspace}/{group}/{store}/{dataset}"
        lens = Lens(self.ecosystem.datasets(store)[dataset])
        shown = collections.Counter(
            lens.content(row) for row in self.result("history", path, "--as-of", str(batch))["rows"])
        wanted = collections.Counter(lens.only(content) for content in history.as_of(batch))
        if shown != wanted:
            raise Wrong(f"history {path} --as-of {batch}: {difference(shown, wanted)}")
        last = timeline.batches[-1]
        self.tell(f"        {path} as of batch {batch}, of {last}: {sum(shown.values())} rows, as it was")
