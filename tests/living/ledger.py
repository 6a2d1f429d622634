"""What happened at a source: every transaction, in order, with when it was asked for and when its commit was known."""
import bisect
import json


class Ledger:
    """changes[n] is transaction n: [(dataset, id, row or None)]; 0 is the empty source. An id stays with its row."""

    def __init__(self, path=None):
        self.path, self.read = path, 0
        self.changes, self.begun_at, self.done_at = [[]], [0.0], [0.0]

    @property
    def last(self):
        return len(self.done_at) - 1

    def add(self, changes, begun_at, done_at):
        self.changes.append(changes)
        self.begun_at.append(begun_at)
        self.done_at.append(done_at)

    def known_at(self, when):
        """The last transaction whose commit was known by then."""
        return bisect.bisect_left(self.done_at, when) - 1

    def take(self, begun_at, done_at):
        """What `datasurface simulate --ledger` has appended."""
        with open(self.path, encoding="utf-8") as file:
            file.seek(self.read)
            lines = file.readlines()
            self.read = file.tell()
        number, changes = None, []
        for line in lines:
            change = json.loads(line)
            if number is not None and change["tx"] != number:
                self.add(changes, begun_at, done_at)
                changes = []
            number = change["tx"]
            changes.append((change["dataset"], json.dumps(change["key"], sort_keys=True), change["row"]))
        if changes:
            self.add(changes, begun_at, done_at)


class Sums:
    """Fingerprints of one dataset, seen through one lens, after each transaction of a ledger."""

    def __init__(self, ledger, dataset, lens, fingerprint_of):
        self.ledger, self.dataset, self.lens, self.hash = ledger, dataset, lens, fingerprint_of
        self.rows, self.total, self.after = {}, 0, []

    def at(self, number):
        while len(self.after) <= number:
            for dataset, identity, row in self.ledger.changes[len(self.after)]:
                if dataset == self.dataset:
                    self.total -= self.rows.pop(identity, 0)
                    if row is not None:
                        self.rows[identity] = self.hash(self.lens.content(row))
                        self.total += self.rows[identity]
            self.after.append((len(self.rows), f"{self.total % (1 << 128):032x}"))
        return self.after[number]


class Replay:
    """The rows of a ledger as of a transaction that only grows."""

    def __init__(self, ledger):
        self.ledger, self.number, self.rows = ledger, 0, {}

    def go(self, number):
        while self.number < number:
            self.number += 1
            for dataset, identity, row in self.ledger.changes[self.number]:
                rows = self.rows.setdefault(dataset, {})
                if row is None:
                    rows.pop(identity, None)
                else:
                    rows[identity] = row
