"""What every batch of every stream must have seen, and what every view must show, recomputed from the ledgers.

A batch that reads a source must have the fingerprint of one transaction of its ledger: not an older one than that of the
batch before, none that the source had not yet when the batch committed, and none older than what was there when it began. A mirror has what its
primary had in the batch of that number, a transformer's output is made anew from what the batches of its inputs had. The
contents that follow are then what live views show, and their runs over the batches are the versions of history views."""
import bisect
import datetime
import json
from collections import Counter

from ledger import Replay, Sums
from rows import fingerprint, row_hash

FOREVER = 9223372036854775807
CLOCK_SLACK_S = 0.005


class Wrong(Exception):
    """The program has done what it promises not to do."""


def seconds(text):
    return datetime.datetime.fromisoformat(text).timestamp()


class History:
    """Of one dataset of one stream: the contents after its last batch, since when, and what is over."""

    def __init__(self):
        self.live, self.closed = {}, []

    def turn(self, batch, contents):
        """What came and what went in that batch."""
        gone, come = self.live.keys() - contents, contents - self.live.keys()
        for content in gone:
            self.closed.append((content, self.live.pop(content), batch - 1))
        self.live.update(dict.fromkeys(come, batch))
        return come, gone

    def versions(self):
        return [*self.closed, *((content, begun, FOREVER) for content, begun in self.live.items())]


class Stream:
    """lenses: {version: {dataset: Lens}}, filled by who applies. deltas: what each batch changed, for those who follow."""

    kind = "source"

    def __init__(self, name, ledger):
        self.name, self.ledger = name, ledger
        self.last, self.lenses, self.recorded, self.histories, self.deltas = 0, {}, {}, {}, {}
        self.batches, self.committed_at, self.swept, self.changed, self.version = [], {}, {}, {}, 0

    def forget(self):
        """A stream of this name begins anew, because its tables were dropped."""
        self.last, self.batches = 0, []
        self.recorded, self.histories, self.deltas, self.committed_at = {}, {}, {}, {}
        self.swept, self.changed = {}, {}

    def is_newest(self):
        """Its last batch was read by the definition of today, which has all of its datasets."""
        return bool(self.lenses) and self.version == max(self.lenses) and self.lenses[self.version].keys() <= self.recorded.keys()

    def take(self, batch, rows):
        """The next committed batch, with its rows of dataset_batch."""
        number = int(batch["batch_id"])
        if self.kind != "mirror" and number != self.last + 1:
            raise Wrong(f"{self.name}: batch {number} comes after {self.last}")
        if self.batches and seconds(batch["committed_at"]) <= seconds(self.committed_at[self.last]):
            raise Wrong(f"{self.name}: batch {number} committed before batch {self.last}")
        lenses = self.lenses.get(int(batch["stream_version"]))
        if lenses is None:
            raise Wrong(f"{self.name}: batch {number} has version {batch['stream_version']}, which nobody applied")
        self.version = int(batch["stream_version"])
        for row in rows:
            self.changed[row["dataset"]] = number
            self.recorded[row["dataset"]] = (int(row["fingerprint_rows"]), row["fingerprint"])
            if int(row["first_load"]):
                self.histories.pop(row["dataset"], None)
        seen = {dataset: lens for dataset, lens in lenses.items() if dataset in self.recorded}
        contents = self.contents(number, batch, rows, seen)
        self.deltas[number] = {}
        for dataset in seen:
            wanted = fingerprint(contents[dataset])
            if wanted != self.recorded[dataset]:
                raise Wrong(f"{self.name}: batch {number} of {dataset} has {self.recorded[dataset]}, not {wanted}")
            history = self.histories.setdefault(dataset, History())
            self.deltas[number][dataset] = history.turn(number, contents[dataset])
        self._count(batch, number)
        self.last = number
        self.batches.append(number)
        self.committed_at[number] = batch["committed_at"]

    def batches_after(self, number):
        return self.batches[bisect.bisect_right(self.batches, number):]

    def lens(self, dataset):
        """The one that shows most: rows without a value say nothing about a column."""
        return next(lenses[dataset] for _, lenses in sorted(self.lenses.items(), reverse=True) if dataset in lenses)

    @property
    def store(self):
        return self.name.split("/")[1]

    def _count(self, batch, number):
        """Nothing doubled, nothing lost: what a batch says it did is what became of the contents."""
        come = sum(len(delta[0]) for delta in self.deltas[number].values())
        gone = sum(len(delta[1]) for delta in self.deltas[number].values())
        inserted, updated, deleted = (int(batch[f"rows_{what}"]) for what in ("inserted", "updated", "deleted"))
        if self.kind != "mirror" and (inserted + updated, updated + deleted) != (come, gone):
            raise Wrong(f"{self.name}: batch {number} says {inserted} inserted, {updated} updated, {deleted} deleted, but "
                        f"{come} contents came and {gone} went")


class SourceStream(Stream):
    """Reads a source's tables in one snapshot."""

    def __init__(self, name, ledger):
        super().__init__(name, ledger)
        self.replay, self.sums, self.number = Replay(ledger), {}, 0

    def forget(self):
        super().forget()
        self.replay, self.number = Replay(self.ledger), 0

    def contents(self, number, batch, rows, lenses):
        least = max(self.number, self.ledger.known_at(seconds(batch["started_at"]) - CLOCK_SLACK_S))
        for at in range(least, self.ledger.last + 1):
            if all(self.sum(dataset, lens).at(at) == self.recorded[dataset] for dataset, lens in lenses.items()):
                break
        else:
            raise Wrong(f"{self.name}: batch {number}, begun {batch['started_at']}, is no state of the source from "
                        f"transaction {least} to {self.ledger.last}: {self.recorded}; the source had "
                        f"{ {dataset: self.sum(dataset, lens).at(least) for dataset, lens in lenses.items()} } then; "
                        f"the batch before saw {self.number}")
        if self.ledger.begun_at[at] > seconds(batch["committed_at"]) + CLOCK_SLACK_S:
            raise Wrong(f"{self.name}: batch {number} has transaction {at}, which began after its commit")
        self.number = at
        self.replay.go(at)
        return {dataset: {lens.content(row) for row in self.replay.rows.get(dataset, {}).values()}
                for dataset, lens in lenses.items()}

    def is_at_end(self):
        """Whether there is nothing at the source that it hasn't seen."""
        return self.is_newest() and all(self.sum(dataset, lens).at(self.ledger.last) == self.recorded[dataset]
                                        for dataset, lens in self.lenses[self.version].items())

    def sum(self, dataset, lens):
        if (dataset, lens) not in self.sums:
            self.sums[dataset, lens] = Sums(self.ledger, dataset, lens, row_hash)
        return self.sums[dataset, lens]


class WatermarkStream(SourceStream):
    """Reads by watermark: what was deleted stays until a batch that reads all."""

    def __init__(self, name, ledger):
        super().__init__(name, ledger)
        self.ghosts = {}  # per dataset: what this stream believes the source has

    def forget(self):
        super().forget()
        self.ghosts = {}

    def contents(self, number, batch, rows, lenses):
        (dataset, lens), = lenses.items()
        position = next((json.loads(row["position"]) for row in rows if row["position"]), None)
        swept = position and position.get("swept_at_us")
        if swept and swept != self.swept.get(dataset):
            self.swept[dataset] = swept
            contents = super().contents(number, batch, rows, lenses)
            self.ghosts = {identity: lens.content(row) for identity, row in self.replay.rows.get(dataset, {}).items()}
            return contents
        return {dataset: self._window(number, batch, dataset, lens)}

    def _window(self, number, batch, dataset, lens):
        least = max(self.number, self.ledger.known_at(seconds(batch["started_at"]) - CLOCK_SLACK_S))
        at = self.number
        while at < least or fingerprint(set(self.ghosts.values())) != self.recorded[dataset]:
            if at == self.ledger.last:
                raise Wrong(f"{self.name}: batch {number} is no state of the source from transaction {least} on, nor of what "
                            f"was deleted since the last sweep: {self.recorded}")
            at += 1
            for name, identity, row in self.ledger.changes[at]:
                if name == dataset and row is not None:
                    self.ghosts[identity] = lens.content(row)
        self.number = at
        self.replay.go(at)
        return set(self.ghosts.values())

    def is_at_end(self):
        if not self.is_newest():
            return False
        (dataset, lens), = self.lenses[self.version].items()
        return all(self.ghosts.get(identity) == lens.content(row) for changes in self.ledger.changes[self.number + 1:]
                   for name, identity, row in changes if name == dataset and row is not None)


class Follower:
    """The contents of a stream's datasets as of one of its batches, which only grow."""

    def __init__(self, stream):
        self.stream, self.at, self.rows = stream, 0, {}

    def go(self, batch):
        if batch < self.at:  # its stream began anew, or a program looked further than the next one says
            self.at, self.rows = 0, {}
        for number in (n for n in self.stream.batches_after(self.at) if n <= batch):
            for dataset, (come, gone) in self.stream.deltas[number].items():
                rows = self.rows.setdefault(dataset, set())
                rows -= gone
                rows |= come
        self.at = batch
        return self.rows


class MirrorStream(Stream):
    kind = "mirror"

    def __init__(self, name, primary):
        super().__init__(name, primary.ledger)
        self.primary, self.follower = primary, Follower(primary)

    def forget(self):
        super().forget()
        self.follower = Follower(self.primary)

    def is_at_end(self):
        return self.is_newest() and all(self.primary.recorded.get(dataset) == self.recorded[dataset]
                                        for dataset in self.lenses[self.version])

    def contents(self, number, batch, rows, lenses):
        if number not in self.primary.deltas:
            raise Wrong(f"{self.name}: batch {number} is none of its primary {self.primary.name}, at {self.primary.last}")
        have = self.follower.go(number)
        return {dataset: {lens.only(content) for content in have.get(dataset, ())} for dataset, lens in lenses.items()}


class TransformerStream(Stream):
    """make({input: [row]}) -> {output dataset: [row]}. SQL reads its inputs as of the batches in its position; a program,
    that looks for itself, as of these or later ones."""

    kind = "transformer"

    def __init__(self, name, inputs, make):
        super().__init__(name, None)
        self.make, self.position, self.looks_itself = make, {}, make.__doc__ == "A program."
        self.inputs = {stream.name: (stream, Follower(stream)) for stream in inputs}

    def is_at_end(self):
        return self.is_newest() and all(self.inputs[path.rsplit("/", 1)[0]][0].changed[path.rsplit("/", 1)[1]] == int(at)
                                        for path, at in self.position.items())

    def contents(self, number, batch, rows, lenses):
        self.position = json.loads(batch["position"])
        made = self._made({path: int(at) for path, at in self.position.items()}, lenses)
        if not self.looks_itself:
            return made
        (path, at), = self.position.items()
        stream, _ = self.inputs[path.rsplit("/", 1)[0]]
        for later in stream.batches_after(int(at)):
            if all(fingerprint(made[dataset]) == self.recorded[dataset] for dataset in lenses):
                break
            if seconds(stream.committed_at[later]) > seconds(batch["committed_at"]):
                break
            made = self._made({path: later}, lenses)
        return made

    def _made(self, position, lenses):
        tables = {}
        for path, at in position.items():
            name, dataset = path.rsplit("/", 1)
            stream, follower = self.inputs[name]
            lens = stream.lens(dataset)
            tables[f"{stream.store}/{dataset}"] = [lens.values(content) for content in follower.go(at)[dataset]]
        made = self.make(tables)
        return {dataset: {lens.content(row) for row in made[dataset]} for dataset, lens in lenses.items()}


def compare_live(where, names, rows, lens, history):
    """A live view must show the columns of the model, and each content once."""
    if names != list(lens.kinds):
        raise Wrong(f"{where}: columns {names}, not {list(lens.kinds)}")
    shown = Counter(lens.content(dict(zip(names, row))) for row in rows)
    wanted = Counter(lens.only(content) for content in history.live)
    if shown != wanted:
        raise Wrong(f"{where}: {_difference(shown, wanted)}")
    return len(rows)


def compare_history(where, names, rows, lens, stream, dataset):
    """And a history view each version once, in the batches in which it held, between their commits."""
    if names != [*lens.kinds, "ds_batch_in", "ds_batch_out", "ds_valid_from", "ds_valid_to"]:
        raise Wrong(f"{where}: columns {names}")
    shown = Counter()
    for row in rows:
        row = dict(zip(names, row))
        shown[lens.content(row), int(row["ds_batch_in"]), int(row["ds_batch_out"])] += 1
    history = stream.histories.get(dataset, History())
    if stream.kind == "mirror":
        _fits_primary(where, shown, lens, stream, dataset)
        shown = _coarse(shown, stream.batches)
    wanted = Counter((lens.only(content), begun, ended) for content, begun, ended in history.versions())
    if shown != wanted:
        raise Wrong(f"{where}: {_difference(shown, wanted)}")
    return len(rows)


def _fits_primary(where, shown, lens, stream, dataset):
    """A mirror's version begins and ends where its primary's does, or with a batch of the mirror's own."""
    primary = stream.primary.histories.get(dataset, History()).versions()
    begins = {(lens.only(content), begun) for content, begun, _ in primary}
    ends = {(lens.only(content), ended) for content, _, ended in primary}
    own = set(stream.batches)
    for (content, begun, ended), count in shown.items():
        if count != 1:
            raise Wrong(f"{where}: {count} times {content} from {begun} to {ended}")
        if begun not in own and (content, begun) not in begins:
            raise Wrong(f"{where}: a version from {begun} that the primary has not: {content}")
        if ended != FOREVER and ended + 1 not in own and (content, ended) not in ends:
            raise Wrong(f"{where}: a version to {ended} that the primary has not: {content}")


def _coarse(shown, batches):
    """Of a mirror's versions what its own batches saw: those between two of them were copied, and are not in our runs."""
    runs = {}
    for content, begun, ended in shown:
        first, last = bisect.bisect_left(batches, begun), bisect.bisect_right(batches, ended) - 1
        if first <= last:
            runs.setdefault(content, []).append((first, last))
    out = Counter()
    for content, spans in runs.items():
        spans.sort()
        first, last = spans[0]
        for begun, ended in [*spans[1:], (len(batches) + 1, 0)]:
            if begun <= last:
                raise Wrong(f"two versions at a time of {content}")
            if begun == last + 1:
                last = ended
                continue
            out[content, batches[first], batches[last + 1] - 1 if last + 1 < len(batches) else FOREVER] += 1
            first, last = begun, ended
    return out


def _difference(shown, wanted):
    extra, missing = shown - wanted, wanted - shown
    return (f"{sum(shown.values())} shown, {sum(wanted.values())} wanted; {sum(extra.values())} too many, such as "
            f"{list(extra)[:3]}; {sum(missing.values())} missing, such as {list(missing)[:3]}")
