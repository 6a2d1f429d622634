"""PostgreSQL servers that can be shot, and links to them that can be cut."""
import os
import pathlib
import select
import signal
import socket
import subprocess
import threading
import time

from pq import Postgres, Refused

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "postgres.sh"
ROLE, PASSWORD = "harbour", "correct-horse"
PATIENCE_S = 120


class Server:
    """A server of its own in a directory, with a role that owns its databases. It syncs what it commits: a process that
    is shot must find everything again."""

    def __init__(self, directory, databases):
        self.dir = str(directory)
        subprocess.run([TOOL, "start", self.dir, "--port", "--durable", "--owner", str(os.getpid())], check=True)
        self.port = int((pathlib.Path(self.dir) / "port").read_text(encoding="ascii"))
        self.run("postgres", f"CREATE ROLE {ROLE} LOGIN CREATEROLE PASSWORD '{PASSWORD}'")
        for database in databases:
            self.run("postgres", f"CREATE DATABASE {database} OWNER {ROLE} TEMPLATE template0")

    def connect(self, database, user="postgres"):
        """Over the Unix socket, which no link is between; waits for a server that is coming up."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return Postgres(self.dir, self.port, database, user)
            except Refused:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def run(self, database, sql):
        db = self.connect(database)
        try:
            return db.ask(sql)[1]
        finally:
            db.close()

    def _postmaster(self):
        return int((pathlib.Path(self.dir) / "data" / "postmaster.pid").read_text(encoding="ascii").split()[0])

    def shoot(self):
        """kill -9 of the postmaster; its backends go when they notice. Then a new one."""
        os.kill(self._postmaster(), signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE_S
        while subprocess.run([TOOL, "start", self.dir], capture_output=True, check=False).returncode != 0:
            if time.monotonic() > deadline:
                raise Refused(f"the server in {self.dir} does not come up again")
            time.sleep(0.05)  # until the last backend of the old one has let go of the shared memory

    def end(self):
        subprocess.run([TOOL, "remove", self.dir], check=False)


class Link:
    """127.0.0.1:port, behind which is a server, as long as nobody cuts it."""

    def __init__(self, target_port):
        self.target = ("127.0.0.1", target_port)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.pairs, self.guard = set(), threading.Lock()  # guard: of pairs
        self.cuts = 0  # as many must be mended
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            threading.Thread(target=self._carry, args=(near, ), daemon=True).start()

    def _carry(self, near):
        try:
            if self.cuts:
                return
            with socket.create_connection(self.target, timeout=5) as far:
                far.settimeout(None)
                pair = (near, far)
                with self.guard:
                    self.pairs.add(pair)
                try:
                    _pump(near, far)
                finally:
                    with self.guard:
                        self.pairs.discard(pair)
        except OSError:
            pass
        finally:
            near.close()

    def cut(self):
        with self.guard:
            self.cuts += 1
            pairs = list(self.pairs)
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def mend(self):
        with self.guard:
            self.cuts -= 1


def _pump(near, far):
    other = {near: far, far: near}
    while True:
        for end in select.select([near, far], [], [])[0]:
            data = end.recv(1 << 16)
            if not data:
                return
            other[end].sendall(data)
