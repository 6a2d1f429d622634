"""Sources with a life of their own: threads that change tables, and write down what they did."""
import datetime
import random
import subprocess
import threading
import time

from ledger import Ledger
from pq import Refused, Sqlite

WORDS = "anchor ballast capstan davit ensign fender gunwale halyard jib keel O'Leary Ærø 港 rudder".split()
FIRST_DAY = datetime.date(2026, 1, 1)


def literal(value):
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


class Source(threading.Thread):
    """Does something every `pace` seconds; never while somebody holds `still`."""

    def __init__(self, store, seed, pace):
        super().__init__(name=store, daemon=True)
        self.store, self.rng, self.pace = store, random.Random(f"{seed} {store}"), pace
        self.still, self.over = threading.RLock(), threading.Event()

    failed = None

    def run(self):
        try:
            while not self.over.wait(self.pace * self.rng.uniform(0.3, 1.7)):
                with self.still:
                    if not self.over.is_set():
                        self.step()
        except Exception as why:  # pylint: disable=broad-except
            self.failed = repr(why)


class Simulated(Source):
    """A store that `datasurface simulate` plays, in bursts; its ledger is the program's."""

    def __init__(self, store, seed, pace, program, ledger_path, model):
        super().__init__(store, seed, pace)
        self.program, self.model, self.ledger, self.turns = program, model, Ledger(ledger_path), 0

    def step(self, changes=None):
        self.turns += 1
        changes = self.rng.randint(1, 12) if changes is None else changes
        begun = time.time()
        done = subprocess.run([
            *self.program, "-C",
            self.model(), "simulate", self.store, "--changes",
            str(changes), "--seed",
            str(self.turns), "--ledger", self.ledger.path
        ], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Refused(f"simulate {self.store}: {done.stderr}")
        self.ledger.take(begun, time.time())


class Table:
    """columns: {name: (type at the source, maker)}; a maker takes the writer and says a value. key: its columns."""

    def __init__(self, name, key, columns, least=30, most=120):
        self.name, self.key, self.columns, self.least, self.most = name, key, columns, least, most

    def ddl(self):
        columns = ", ".join(f'"{name}" {kind}' for name, (kind, _) in self.columns.items())
        return f'CREATE TABLE "{self.name}" ({columns}, PRIMARY KEY ({", ".join(self.key)}))'


class Writer(Source):
    """Tables of one database. Its transactions are numbered in a table of its own, `writer`, so that after a commit
    whose answer was lost it can see whether there was one."""

    def __init__(self, store, seed, pace, connect, tables):
        super().__init__(store, seed, pace)
        self.connect, self.db = connect, None
        self.tables, self.rows, self.ledger = {table.name: table for table in tables}, {}, Ledger()
        self.serial = 0
        self.ask("CREATE TABLE writer (tx integer)")
        self.ask("INSERT INTO writer VALUES (0)")
        for table in tables:
            self.rows[table.name] = {}
            self.ask(table.ddl())

    def ask(self, sql):
        """One statement, as often as it takes."""
        while True:
            try:
                self.db = self.db or self.connect()
                return self.db.ask(sql)[1]
            except Refused as why:
                if isinstance(self.db, Sqlite) and "locked" not in str(why):
                    raise
                self.lose()

    def lose(self):
        if self.db:
            self.db.close()
        self.db = None
        time.sleep(0.02)

    def commit(self, changes, by_hand=()):
        """changes: [(table, id, row or None)]"""
        statements = [*by_hand, *(self._statement(*change) for change in changes)]
        number = self.ledger.last + 1
        begun = time.time()
        while not self._try(number, statements):
            self.lose()
            if int(self.ask("SELECT tx FROM writer")[0][0]) == number:
                break
        for name, identity, row in changes:
            if row is None:
                del self.rows[name][identity]
            else:
                self.rows[name][identity] = row
        self.ledger.add(changes, begun, time.time())

    def _try(self, number, statements):
        try:
            self.db = self.db or self.connect()
            for sql in ("BEGIN", *statements, f"UPDATE writer SET tx = {number}", "COMMIT"):
                self.db.ask(sql)
            return True
        except Refused as why:
            self.said = str(why)
            return False

    def _statement(self, name, identity, row):
        table, old = self.tables[name], self.rows[name].get(identity)
        where = old and " AND ".join(f'"{column}" = {literal(old[column])}' for column in table.key)
        if row is None:
            return f'DELETE FROM "{name}" WHERE {where}'
        if old is None:
            columns = ", ".join(f'"{column}"' for column in row)
            return f'INSERT INTO "{name}" ({columns}) VALUES ({", ".join(map(literal, row.values()))})'
        changed = ", ".join(f'"{column}" = {literal(row[column])}' for column in row if row[column] != old.get(column))
        return f'UPDATE "{name}" SET {changed or table.key[0] + " = " + table.key[0]} WHERE {where}'

    def new_row(self, name, **given):
        self.serial += 1
        row = {column: make(self) for column, (_, make) in self.tables[name].columns.items()}
        return {**row, **given}

    def touched(self, name, row):
        """One to three columns that are not of the key get other values."""
        free = [column for column in row if column not in self.tables[name].key and column not in self.fixed]
        chosen = self.rng.sample(free, min(len(free), self.rng.randint(1, 3)))
        return {**row, **{column: self.tables[name].columns[column][1](self) for column in chosen}}

    fixed = ()

    def grow(self, name, least):
        rows = {}
        while len(self.rows[name]) + len(rows) < least:
            row = self.new_row(name)
            rows[self.serial] = row
        self.commit([(name, identity, row) for identity, row in rows.items()])

    def step(self):
        """Between its least and its most rows a table does what it likes."""
        changes = {}
        for _ in range(self.rng.randint(1, 3)):
            name = self.rng.choice(list(self.tables))
            for identity, row in self.one_change(name):
                changes[name, identity] = row
        self.commit([(name, identity, row) for (name, identity), row in changes.items()
                     if row is not None or identity in self.rows[name]])

    def one_change(self, name):
        rows, table = self.rows[name], self.tables[name]
        grows = len(rows) < table.least or (len(rows) < table.most and self.rng.random() < 0.4)
        if grows:
            row = self.new_row(name)
            return [(self.serial, row)]
        identity = self.rng.choice(list(rows))
        if self.rng.random() < 0.3:
            return [(identity, None)]
        return [(identity, self.touched(name, rows[identity]))]

    def add_column(self, name, column, kind, make):
        """As a producer does it: first the column, then, in a transaction like any other, a value here and there."""
        with self.still:
            self.ask(f'ALTER TABLE "{name}" ADD COLUMN "{column}" {kind}')
            self.tables[name].columns[column] = (kind, make)
            rows = {identity: {**row, column: None} for identity, row in self.rows[name].items()}
            self.rows[name] = rows
            self.commit([(name, identity, {**row, column: make(self)}) for identity, row in list(rows.items())[::3]])


def serial(writer):
    return writer.serial


def word(writer):
    return writer.rng.choice(WORDS)


def maybe(make, share=0.25):
    return lambda writer: None if writer.rng.random() < share else make(writer)


def number(least, most):
    return lambda writer: writer.rng.randint(least, most)


def money(writer):
    cents = writer.rng.choice([0, 1, 10, 12345, writer.rng.randint(0, 9999999)])
    return f"{cents // 100}.{cents % 100:02d}"


def day(writer):
    return str(FIRST_DAY + datetime.timedelta(days=writer.rng.randint(0, 700)))


def code(prefix):
    return lambda writer: f"{prefix}-{writer.serial:06d}"


class Sales(Writer):
    """Orders with their lines, which come and go together."""

    fixed = ("number", )

    def __init__(self, seed, pace, connect):
        super().__init__("Sales", seed, pace, connect, [
            Table(
                "orders", ["id"], {
                    "id": ("integer", serial), "number": ("varchar(12) NOT NULL", code("N")),
                    "customer": ("varchar(20)", maybe(word)), "placed": ("date", day),
                    "total": ("numeric(12,2)", money), "note": ("text", maybe(word, 0.5))
                }),
            Table(
                "lines", ["order_id", "line"], {
                    "order_id": ("integer", serial), "line": ("integer", lambda writer: 1),
                    "item": ("varchar(40)", word), "quantity": ("smallint", number(
                        1, 99)), "price": ("numeric(10,2)", maybe(money, 0.1))
                }, 60, 300)
        ])

    def step(self):
        orders, changes, roll = self.rows["orders"], [], self.rng.random()
        if len(orders) < 40 or (roll < 0.35 and len(orders) < 150):
            order = self.new_row("orders")
            changes.append(("orders", order["id"], order))
            for line in range(self.rng.randint(1, 4)):
                changes.append(("lines", (order["id"], line), self.new_row("lines", order_id=order["id"], line=line)))
        elif roll < 0.55:
            gone = self.rng.choice(list(orders))
            changes = [("lines", key, None) for key in self.rows["lines"] if key[0] == gone] + [("orders", gone, None)]
        else:
            name = self.rng.choice(["orders", "lines"])
            key = self.rng.choice(list(self.rows[name]))
            changes.append((name, key, self.touched(name, self.rows[name][key])))
        self.commit(changes)


class Visits(Writer):
    """A table by watermark: its rows say which transaction changed them last, or one a little before."""

    behind = 0

    def __init__(self, seed, pace, connect):
        super().__init__("Visits", seed, pace, connect, [
            Table(
                "visits", ["id"], {
                    "id": ("bigint", serial), "page": ("text", word), "seconds": ("integer", maybe(number(0, 600))),
                    "seen": ("bigint NOT NULL", None)
                }, 50, 400)
        ])

    def new_row(self, name, **given):
        self.tables[name].columns["seen"] = ("bigint NOT NULL", self._mark)
        return super().new_row(name, **given)

    def touched(self, name, row):
        return {**super().touched(name, row), "seen": self._mark(self)}

    def _mark(self, _):
        return self.ledger.last + 1 - (self.behind or min(self.rng.choice([0, 0, 0, 1, 3]), self.ledger.last))

    def load_old(self, behind):
        """Rows with marks of so many transactions ago: some that are new, and some that were there."""
        with self.still:
            self.behind = behind
            rows = [self.new_row("visits") for _ in range(5)]
            changed = self.rng.sample(list(self.rows["visits"].items()), 5)
            self.commit([("visits", row["id"], row) for row in rows] +
                        [("visits", identity, self.touched("visits", row)) for identity, row in changed])
            self.behind = 0


class Stock(Writer):

    def __init__(self, seed, pace, connect):
        super().__init__("Stock", seed, pace, connect, [
            Table(
                "items", ["sku"], {
                    "sku": ("varchar(12)", code("S")), "name": ("text", word), "level": ("integer", number(-5, 10**6)),
                    "counted": ("timestamp", lambda writer: f"{day(writer)} 07:30:00")
                }),
            Table("places", ["place"],
                  {"place": ("integer", serial), "sku": ("varchar(12)", maybe(word)), "shelf": ("varchar(20)", word)},
                  20, 60)
        ])
