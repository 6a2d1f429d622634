"""Rows as docs/encoding.md tells them, computed anew: nothing of the program is in here, only xxHash.

A row's content is a tuple of (column, cell), nulls left out, in the order in which it is hashed. Two rows are the same
when their contents are equal, and a set of contents has a fingerprint."""
import ctypes
import datetime
import decimal
import functools
import struct


class _Hash128(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


_xxhash = ctypes.CDLL("libxxhash.so.0")
_xxhash.XXH3_64bits.restype = ctypes.c_uint64
_xxhash.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
_xxhash.XXH3_128bits.restype = _Hash128
_xxhash.XXH3_128bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]

INTEGERS = {"tinyint", "smallint", "integer", "bigint"}
TIMES = {"date", "timestamp"}
EPOCH = datetime.datetime(1970, 1, 1)


def family(kind):
    """varchar(20) primary key -> varchar"""
    return kind.split()[0].split("(")[0]


def cell(kind, value):
    """A value's bytes, whether a ledger, libpq or sqlite3 gives it."""
    if kind in INTEGERS:
        return struct.pack(">q", int(value))
    if kind == "boolean":
        return b"\1" if value in (True, 1, "t", "1", "true") else b"\0"
    if kind == "decimal":
        digits = format(decimal.Decimal(str(value)).normalize(), "f")
        return (digits if digits.strip("-0.") else "0").encode()
    if kind in TIMES:
        at = datetime.datetime.fromisoformat(str(value)) - EPOCH
        return struct.pack(">q", at // datetime.timedelta(microseconds=1))
    return str(value).encode()


def value(kind, data):
    """What a cell says, for those who compute with it."""
    if kind in INTEGERS:
        return struct.unpack(">q", data)[0]
    if kind == "decimal":
        return decimal.Decimal(data.decode())
    if kind in TIMES:
        return str(EPOCH + datetime.timedelta(microseconds=struct.unpack(">q", data)[0]))
    return data.decode()


class Lens:
    """The columns by which rows are looked at: {name: type}."""

    def __init__(self, columns):
        self.kinds = {name: family(kind) for name, kind in columns.items()}
        self.order = sorted(self.kinds, key=str.lower)
        self.names = frozenset(self.kinds)

    def __eq__(self, other):
        return isinstance(other, Lens) and self.kinds == other.kinds

    def __hash__(self):
        return hash(tuple(sorted(self.kinds.items())))

    def content(self, row):
        return tuple((name, cell(self.kinds[name], row[name])) for name in self.order if row.get(name) is not None)

    def only(self, content):
        """Of a content what this lens shows."""
        if all(name in self.names for name, _ in content):
            return content
        return tuple(pair for pair in content if pair[0] in self.names)

    def values(self, content):
        row = dict.fromkeys(self.kinds)
        row.update((name, value(self.kinds[name], data)) for name, data in self.only(content))
        return row


@functools.lru_cache(maxsize=None)
def _name_hash(name):
    data = name.lower().encode()
    return struct.pack(">Q", _xxhash.XXH3_64bits(data, len(data)))


@functools.lru_cache(maxsize=1 << 18)
def row_hash(content):
    data = b"".join(_name_hash(name) + struct.pack(">I", len(data)) + data for name, data in content)
    done = _xxhash.XXH3_128bits(data, len(data))
    return done.high << 64 | done.low


def fingerprint(contents):
    """Number of rows, and the sum of their hashes as the control tables write it."""
    return len(contents), f"{sum(map(row_hash, contents)) % (1 << 128):032x}"
