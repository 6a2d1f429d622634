"""What every batch of every stream must have seen, and what every view must show, recomputed from the ledgers.

A batch that reads a source must have the fingerprint of one transaction of its ledger: not an older one than that of
the batch before, none that the source had not yet when the batch committed, and none older than what was there when it
began. A mirror has what its primary had in the batch of that number, a transformer's output is made anew from what the
batches of its inputs had. The contents that follow are then what live views show, and their runs over the batches are
the versions of history views. A dataset's batches may be those of several streams, one after the other."""
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

    def as_of(self, batch):
        return [content for content, begun, ended in self.versions() if begun <= batch <= ended]

    def versions(self):
        return [*self.closed, *((content, begun, FOREVER) for content, begun in self.live.items())]


class Timeline:
    """Of one dataset on one platform, or of its copy in a container: what it held after each of its batches, and which
    stream has it. deltas: what each batch changed, for those who follow; loads: batches that began with nothing, also
    after tables were dropped; primaries: the timelines of which it is a mirror; lenses: {batch: Lens} of a mirror."""

    def __init__(self):
        self.life = 0
        self.forget()

    def forget(self):
        """Nothing has been committed, or all of it was dropped: the next batch is a first one."""
        self.life += 1
        self.holder, self.recorded, self.history, self.primaries = None, None, History(), set()
        self.batches, self.deltas, self.committed_at, self.loads, self.lenses = [], {}, {}, set(), {}

    def batches_after(self, number):
        return self.batches[bisect.bisect_right(self.batches, number):]

    def has_changed_since(self, number):
        return any(any(self.deltas[after]) for after in self.batches_after(number))

    def copied(self, content, begun):
        """What a mirror has of a version that came and went between two of its batches: the columns of that time."""
        after = bisect.bisect_left(self.batches, begun)
        lens = self.lenses.get(self.batches[after]) if after < len(self.batches) else None
        return lens.only(content) if lens else content

    def load(self, number):
        self.history = History()
        self.loads.add(number)

    def turn(self, where, number, committed_at, contents):
        """The next batch, and what it has left."""
        wanted = fingerprint(contents)
        if wanted != self.recorded:
            raise Wrong(f"{where} has {self.recorded}, not {wanted}")
        self._add(where, number, committed_at, self.history.turn(number, contents))
        return self.deltas[number]

    def stay(self, where, number, committed_at):
        """A batch in which nothing has changed."""
        self._add(where, number, committed_at, (set(), set()))

    def _add(self, where, number, committed_at, delta):
        if self.batches and number <= self.batches[-1]:
            raise Wrong(f"{where} comes after batch {self.batches[-1]}")
        if self.batches and seconds(committed_at) <= seconds(self.committed_at[self.batches[-1]]):
            raise Wrong(f"{where} committed before batch {self.batches[-1]}")
        self.batches.append(number)
        self.committed_at[number], self.deltas[number] = committed_at, delta


class Stream:
    """Of one name. alone: its dataset, where each of the store has a stream of its own; timelines: of all streams.
    definitions: {version: (Way, {dataset: Lens})}, filled by who applies."""

    def __init__(self, name, timelines):
        self.name, self.timelines = name, timelines
        original, _, self.container = name.partition("@")
        self.platform, self.store, *self.alone = original.split("/")
        self.definitions, self.merge = {}, None
        self._begin()

    def _begin(self):
        self.last, self.version, self.position, self.committed_at = 0, 0, {}, {}

    def forget(self):
        """As if it had never been."""
        self._begin()
        for timeline in self.timelines.values():
            if timeline.holder is self:
                timeline.forget()

    def timeline(self, dataset):
        return self.timelines.setdefault((self.platform, self.store, dataset, self.container), Timeline())

    def has(self, dataset):
        return self.timeline(dataset).holder is self

    def is_at_end(self):
        """Whether its last batch was read by the definition of today, and there is nothing that it hasn't seen."""
        return self.is_loaded() and self.definitions[self.version][0].is_at_end(self, self.definitions[self.version][1])

    def is_loaded(self):
        return bool(self.definitions) and self.version == max(self.definitions) and \
            all(self.has(dataset) for dataset in self.definitions[self.version][1])

    def lens(self, dataset):
        """The latest: rows without a value say nothing about a column."""
        return next(lenses[dataset] for _, (_, lenses) in sorted(self.definitions.items(), reverse=True)
                    if dataset in lenses)

    def take(self, batch, rows):
        """The next committed batch, with its rows of dataset_batch."""
        number, version = int(batch["batch_id"]), int(batch["stream_version"])
        if self.last and seconds(batch["committed_at"]) <= seconds(self.committed_at[self.last]):
            raise Wrong(f"{self.name}: batch {number} committed before batch {self.last}")
        if version:
            self._take_read(number, version, batch, rows)
        else:
            self._take_over(number, batch, rows)
        self.last = number
        self.committed_at[number] = batch["committed_at"]

    def _take_read(self, number, version, batch, rows):
        self.version = version
        if version not in self.definitions:
            raise Wrong(f"{self.name}: batch {number} has version {version}, which nobody applied")
        way, lenses = self.definitions[version]
        if not isinstance(way, Mirror):
            self._comes_next(number, lenses)
        for row in rows:
            timeline = self.timeline(row["dataset"])
            timeline.holder, timeline.recorded = self, (int(row["fingerprint_rows"]), row["fingerprint"])
            if int(row["first_load"]):
                timeline.load(number)
        come = gone = 0
        for dataset, contents in way.contents(self, number, batch, rows,
                                              {d: lens for d, lens in lenses.items() if way.may_have(self, d)}).items():
            timeline, where = self.timeline(dataset), f"{self.name}: batch {number} of {dataset}"
            if isinstance(way, Mirror):
                timeline.holder = self
                timeline.primaries.add(way.primary.timeline(dataset))
                timeline.lenses[number] = lenses[dataset]
            delta = timeline.turn(where, number, batch["committed_at"], contents)
            come, gone = come + len(delta[0]), gone + len(delta[1])
        if not isinstance(way, Mirror):
            self._count(number, batch, come, gone)

    def _comes_next(self, number, lenses):
        if number != self.last + 1:
            raise Wrong(f"{self.name}: batch {number} comes after {self.last}")
        for dataset in lenses:
            holder = self.timeline(dataset).holder
            if holder not in (None, self):
                raise Wrong(f"{self.name}: batch {number} of {dataset}, which is in {holder.name}")

    def _count(self, number, batch, come, gone):
        """Nothing lost, nothing doubled: what a batch says it did is what became of the contents."""
        inserted, updated, deleted = (int(batch[f"rows_{what}"]) for what in ("inserted", "updated", "deleted"))
        if (inserted + updated, updated + deleted) != (come, gone):
            raise Wrong(
                f"{self.name}: batch {number} says {inserted} inserted, {updated} updated, {deleted} deleted, but "
                f"{come} contents came and {gone} went")

    def _take_over(self, number, batch, rows):
        """A batch that nobody has read anything for: datasets come from another stream of the store, as they are."""
        way, mirrors = self.definitions[max(self.definitions)][0], self.mirrors()
        for row in rows:
            timeline, where = self.timeline(row["dataset"]), f"{self.name}: batch {number}, with {row['dataset']},"
            former, recorded = timeline.holder, (int(row["fingerprint_rows"]), row["fingerprint"])
            if former in (None, self) or recorded != timeline.recorded or int(row["first_load"]):
                raise Wrong(f"{where} has {recorded} from {former and former.name}, which had {timeline.recorded}")
            timeline.holder = self
            if not mirrors:  # a mirror's has no number of its own: it has seen nothing
                way.go_on_from(former.definitions[max(former.definitions)][0])
                timeline.stay(where, number, batch["committed_at"])
        if not mirrors:
            self._count(number, batch, 0, 0)

    def mirrors(self):
        return isinstance(self.definitions[max(self.definitions)][0], Mirror)


class Way:
    """How a stream comes to its contents."""

    def may_have(self, stream, dataset):
        return stream.has(dataset)

    def go_on_from(self, former):
        """Of another stream, that had one of the datasets until now."""


class Snapshot(Way):
    """The way of a stream that reads a source's tables in one snapshot. number: the transaction that it saw last."""

    def __init__(self, ledger):
        self.ledger, self.replay, self.sums, self.number = ledger, Replay(ledger), {}, 0

    def contents(self, stream, number, batch, rows, lenses):
        least = self.least(batch)
        for at in range(least, self.ledger.last + 1):
            if self._is_at(stream, lenses, at):
                break
        else:
            was = {dataset: self.sum(dataset, lens).at(least) for dataset, lens in lenses.items()}
            raise Wrong(
                f"{stream.name}: batch {number}, begun {batch['started_at']}, is no state of the source from "
                f"transaction {least}, when that was {was}, to {self.ledger.last}: "
                f"{ {dataset: stream.timeline(dataset).recorded for dataset in lenses} }; before, it saw {self.number}")
        if self.ledger.begun_at[at] > seconds(batch["committed_at"]) + CLOCK_SLACK_S:
            raise Wrong(f"{stream.name}: batch {number} has transaction {at}, which began after its commit")
        self.go(at)
        return {
            dataset: {lens.content(row)
                      for row in self.replay.rows.get(dataset, {}).values()}
            for dataset, lens in lenses.items()
        }

    def least(self, batch):
        """What was committed when the batch began must be in it, and what was in the one before."""
        return max(self.number, self.ledger.known_at(seconds(batch["started_at"]) - CLOCK_SLACK_S))

    def go(self, number):
        if number < self.replay.number:
            self.replay = Replay(self.ledger)
        self.number = number
        self.replay.go(number)

    def go_on_from(self, former):
        self.number = max(self.number, former.number)

    def is_at_end(self, stream, lenses):
        return self._is_at(stream, lenses, self.ledger.last)

    def _is_at(self, stream, lenses, number):
        return all(
            self.sum(dataset, lens).at(number) == stream.timeline(dataset).recorded for dataset, lens in lenses.items())

    def sum(self, dataset, lens):
        if (dataset, lens) not in self.sums:
            self.sums[dataset, lens] = Sums(self.ledger, dataset, lens, row_hash)
        return self.sums[dataset, lens]


class Watermark(Snapshot):
    """The way of a stream with one dataset that is read by watermark: a batch sees rows whose mark is at most `overlap`
    below the greatest that was seen; what is older or was deleted stays as it was, until one reads all."""

    def __init__(self, ledger, column, overlap):
        super().__init__(ledger)
        self.column, self.overlap = column, overlap
        self.believed, self.swept = {}, None  # rows by their id, the deleted among them; which sweep was the last
        self.greatest = 0

    def go_on_from(self, former):
        super().go_on_from(former)
        self.believed, self.swept, self.greatest = former.believed, former.swept, former.greatest

    def contents(self, stream, number, batch, rows, lenses):
        (dataset, lens), = lenses.items()
        swept = next((json.loads(row["position"])["swept_at_us"] for row in rows if row["position"]), self.swept)
        if swept != self.swept:
            self.swept = swept
            contents = super().contents(stream, number, batch, rows, lenses)
            self.believed = dict(self.replay.rows.get(dataset, {}))
            self.greatest = max((row[self.column] for row in self.believed.values()), default=0)
            return contents
        least, before = self.least(batch), self.believed
        for at in range(least, self.ledger.last + 1):
            self.go(at)
            window = {
                identity: row
                for identity, row in self.replay.rows.get(dataset, {}).items()
                if row[self.column] >= self.greatest - self.overlap
            }
            self.believed = {**before, **window}
            if fingerprint(self._seen(lens)) == stream.timeline(dataset).recorded:
                self.greatest = max([self.greatest, *(row[self.column] for row in window.values())])
                return {dataset: self._seen(lens)}
        raise Wrong(
            f"{stream.name}: batch {number} is no state of the source from transaction {least} on, seen through a "
            f"window from {self.greatest - self.overlap}: {stream.timeline(dataset).recorded}, not "
            f"{fingerprint(self._seen(lens))}")

    def _seen(self, lens):
        return {lens.content(row) for row in self.believed.values()}

    def is_at_end(self, stream, lenses):
        (dataset, lens), = lenses.items()
        replay = Replay(self.ledger)
        replay.go(self.ledger.last)
        return {lens.content(row) for row in replay.rows.get(dataset, {}).values()} <= self._seen(lens)


class Follower:
    """The contents of a timeline as of one of its batches."""

    def __init__(self, timeline):
        self.timeline, self.life, self.at, self.rows = timeline, 0, 0, set()

    def go(self, batch):
        if batch < self.at or self.life != self.timeline.life:
            self.life, self.at, self.rows = self.timeline.life, 0, set()
        for number in self.timeline.batches_after(self.at):
            if number > batch:
                break
            come, gone = self.timeline.deltas[number]
            self.rows -= self.rows if number in self.timeline.loads else gone
            self.rows |= come
        self.at = batch
        return self.rows


class Mirror(Way):
    """The way of a stream that reads what another one has merged."""

    def __init__(self, primary):
        self.primary, self.followers = primary, {}

    def may_have(self, stream, dataset):
        return stream.timeline(dataset).recorded is not None

    def is_at_end(self, stream, lenses):
        return all(
            self.primary.has(dataset) and self.primary.timeline(dataset).recorded == stream.timeline(dataset).recorded
            for dataset in lenses)

    def contents(self, stream, number, batch, rows, lenses):
        if number not in self.primary.committed_at:
            raise Wrong(
                f"{stream.name}: batch {number} is none of its primary {self.primary.name}, at {self.primary.last}")
        return {dataset: {lens.only(content)
                          for content in self._follower(dataset).go(number)}
                for dataset, lens in lenses.items()}

    def _follower(self, dataset):
        return self.followers.setdefault(dataset, Follower(self.primary.timeline(dataset)))


class Transformer(Way):
    """The way of an output. make({input: [row]}) -> {output dataset: [row]}. SQL reads its inputs as of the batches in
    its position; a program, that looks for itself, as of these or later ones. streams: by name."""

    def __init__(self, streams, make):
        self.streams, self.make, self.followers = streams, make, {}
        self.looks_itself = make.__doc__ == "A program."

    def is_at_end(self, stream, lenses):
        return not any(self._input(path).timeline.has_changed_since(at) for path, at in stream.position.items())

    def _input(self, path):
        name, dataset = path.rsplit("/", 1)
        timeline = self.streams[name].timeline(dataset)
        return self.followers.setdefault(timeline, Follower(timeline))

    def contents(self, stream, number, batch, rows, lenses):
        stream.position = {path: int(at) for path, at in json.loads(batch["position"]).items()}
        made = self._made(stream.position, lenses)
        if not self.looks_itself:
            return made
        (path, at), = stream.position.items()
        source = self._input(path).timeline
        for later in source.batches_after(at):
            if all(fingerprint(made[dataset]) == stream.timeline(dataset).recorded for dataset in lenses):
                break
            if seconds(source.committed_at[later]) > seconds(batch["committed_at"]):
                break
            made = self._made({path: later}, lenses)
        return made

    def _made(self, position, lenses):
        tables = {}
        for path, at in position.items():
            name, dataset = path.rsplit("/", 1)
            stream = self.streams[name]
            lens = stream.lens(dataset)
            tables[f"{stream.store}/{dataset}"] = [lens.values(content) for content in self._input(path).go(at)]
        made = self.make(tables)
        return {dataset: {lens.content(row) for row in made[dataset]} for dataset, lens in lenses.items()}


def compare_live(where, names, rows, lens, history):
    """A live view must show the columns of the model, and each content once."""
    if names != list(lens.kinds):
        raise Wrong(f"{where}: columns {names}, not {list(lens.kinds)}")
    shown = Counter(lens.content(dict(zip(names, row))) for row in rows)
    wanted = Counter(lens.only(content) for content in history.live)
    if shown != wanted:
        raise Wrong(f"{where}: {difference(shown, wanted)}")
    return len(rows)


def compare_history(where, names, rows, lens, timeline):
    """And a history view each version once, in the batches in which it held, between their commits."""
    if names != [*lens.kinds, "ds_batch_in", "ds_batch_out", "ds_valid_from", "ds_valid_to"]:
        raise Wrong(f"{where}: columns {names}")
    shown, mirrored = Counter(), bool(timeline.primaries)
    for row in rows:
        row = dict(zip(names, row))
        begun, ended = int(row["ds_batch_in"]), int(row["ds_batch_out"])
        shown[lens.content(row), begun, ended] += 1
        times = timeline.committed_at.get(begun), \
            timeline.committed_at.get(next(iter(timeline.batches_after(ended)), None))
        if not mirrored and times != (row["ds_valid_from"], row["ds_valid_to"]):
            raise Wrong(
                f"{where}: batches {begun} to {ended} are valid from {row['ds_valid_from']} to {row['ds_valid_to']}, "
                f"not {times}"
            )
    if mirrored:
        _fits_primary(where, shown, lens, timeline)
        shown = _coarse(shown, timeline.batches)
    wanted = Counter((lens.only(content), begun, ended) for content, begun, ended in timeline.history.versions())
    if mirrored:  # two that differed only in a column that has gone
        wanted = _coarse(wanted, timeline.batches)
    if shown != wanted:
        raise Wrong(f"{where}: {difference(shown, wanted)}")
    return len(rows)


def _fits_primary(where, shown, lens, timeline):
    """A mirror's version begins and ends where its primary's does, or with a batch of the mirror's own."""
    begins, ends, own = set(), set(), set(timeline.batches)
    for one in timeline.primaries:
        for content, begun, ended in one.history.versions():
            for copy in (content, timeline.copied(content, begun)):
                begins.add((lens.only(copy), begun))
                ends.add((lens.only(copy), ended))
    for (content, begun, ended), count in shown.items():
        if count != 1:
            raise Wrong(f"{where}: {count} times {content} from {begun} to {ended}")
        if begun not in own and (content, begun) not in begins:
            raise Wrong(f"{where}: a version from {begun} that the primary has not: {content}")
        if ended != FOREVER and ended + 1 not in own and (content, ended) not in ends:
            raise Wrong(f"{where}: a version to {ended} that the primary has not: {content}")


def _coarse(shown, batches):
    """Of a mirror's versions what its own batches saw: those between two of them were copied, and are in no run."""
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


def difference(shown, wanted):
    extra, missing = shown - wanted, wanted - shown
    return (f"{sum(shown.values())} shown, {sum(wanted.values())} wanted; {sum(extra.values())} too many, such as "
            f"{list(extra)[:3]}; {sum(missing.values())} missing, such as {list(missing)[:3]}")
