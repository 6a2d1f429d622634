"""As much of libpq as is needed here: text in, text out. Also sqlite3 behind the same two words, so that a merge
database is read in the same way on both engines."""
import contextlib
import ctypes
import sqlite3

_pq = ctypes.CDLL("libpq.so.5")
for _name, _result, *_arguments in (("PQconnectdb", ctypes.c_void_p, ctypes.c_char_p),
                                    ("PQstatus", ctypes.c_int, ctypes.c_void_p), ("PQerrorMessage", ctypes.c_char_p,
                                                                                  ctypes.c_void_p),
                                    ("PQfinish", None, ctypes.c_void_p), ("PQexec", ctypes.c_void_p, ctypes.c_void_p,
                                                                          ctypes.c_char_p), ("PQclear", None,
                                                                                             ctypes.c_void_p),
                                    ("PQresultStatus", ctypes.c_int,
                                     ctypes.c_void_p), ("PQresultErrorMessage", ctypes.c_char_p,
                                                        ctypes.c_void_p), ("PQntuples", ctypes.c_int, ctypes.c_void_p),
                                    ("PQnfields", ctypes.c_int, ctypes.c_void_p), ("PQfname", ctypes.c_char_p,
                                                                                   ctypes.c_void_p, ctypes.c_int),
                                    ("PQgetvalue", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int,
                                     ctypes.c_int), ("PQgetlength", ctypes.c_int, ctypes.c_void_p, ctypes.c_int,
                                                     ctypes.c_int), ("PQgetisnull", ctypes.c_int, ctypes.c_void_p,
                                                                     ctypes.c_int, ctypes.c_int)):
    getattr(_pq, _name).restype, getattr(_pq, _name).argtypes = _result, _arguments
_COMMAND_OK, _TUPLES_OK = 1, 2
_NOTICE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)
_pq.PQsetNoticeProcessor.argtypes = [ctypes.c_void_p, _NOTICE, ctypes.c_void_p]
_silent = _NOTICE(lambda _, __: None)  # a server that goes down tells stderr so
_SILENT = "-c client_min_messages=error -c timezone=UTC"


class Refused(Exception):
    """The server said no, or there is none."""


class Postgres:

    def __init__(self, directory, port, database, user="postgres"):
        text = f"host='{directory}' port={port} dbname='{database}' user='{user}' connect_timeout=5 options='{_SILENT}'"
        self.handle = _pq.PQconnectdb(text.encode())
        if _pq.PQstatus(self.handle) != 0:
            said = _pq.PQerrorMessage(self.handle).decode().strip()
            self.close()
            raise Refused(said)
        _pq.PQsetNoticeProcessor(self.handle, _silent, None)

    def ask(self, sql):
        """Any number of statements; the names and rows of the last one."""
        result = _pq.PQexec(self.handle, sql.encode())
        try:
            if _pq.PQresultStatus(result) not in (_COMMAND_OK, _TUPLES_OK):
                raise Refused((_pq.PQresultErrorMessage(result) or _pq.PQerrorMessage(self.handle)).decode().strip())
            width = _pq.PQnfields(result)
            names = [_pq.PQfname(result, column).decode() for column in range(width)]
            return names, [
                tuple(_field(result, row, column) for column in range(width)) for row in range(_pq.PQntuples(result))
            ]
        finally:
            _pq.PQclear(result)

    @contextlib.contextmanager
    def snapshot(self, views):
        """Definitions of views are those of the moment, whatever the snapshot: nobody may replace one meanwhile."""
        self.ask("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if views:
            self.ask(f"LOCK TABLE {', '.join(views)} IN ACCESS SHARE MODE")
        yield
        self.ask("COMMIT")

    def close(self):
        if self.handle:
            _pq.PQfinish(self.handle)
        self.handle = None


def _field(result, row, column):
    if _pq.PQgetisnull(result, row, column):
        return None
    return ctypes.string_at(_pq.PQgetvalue(result, row, column), _pq.PQgetlength(result, row, column)).decode()


class Sqlite:

    def __init__(self, path):
        self.db = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)

    def ask(self, sql):
        try:
            cursor = self.db.execute(sql)
            return [column[0] for column in cursor.description or ()], cursor.fetchall()
        except sqlite3.Error as error:
            raise Refused(str(error)) from error

    @contextlib.contextmanager
    def snapshot(self, _views):
        self.ask("BEGIN")
        yield
        self.ask("COMMIT")

    def close(self):
        self.db.close()
