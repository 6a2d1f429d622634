"""PostgreSQL servers that can be shot, and links to them that can be cut."""
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

from pq import Postgres, Refused

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "postgres.sh"
LINK = pathlib.Path(__file__).resolve().parent / "link.py"
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
    """A process (link.py) that listens at 127.0.0.1:port, and carries what comes to a server, unless it is cut."""

    def __init__(self, target_port):
        self.process = subprocess.Popen([sys.executable, LINK, str(target_port)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.guard = threading.Lock()  # of its pipes

    def cut(self):
        """Every connection ends, and none is made. Whoever cuts mends."""
        self._say("cut")

    def mend(self):
        self._say("mend")

    def _say(self, word):
        with self.guard:
            print(word, file=self.process.stdin, flush=True)
            self.process.stdout.readline()

    def end(self):
        self.process.stdin.close()
        self.process.wait()
