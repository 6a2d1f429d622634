"""Carries connections to a server, as long as nobody cuts them: a process of its own, so that who tests doesn't slow down
what it tests.

link.py PORT prints the port at which it listens, and then each word, `cut` or `mend`, that it has read and done."""
import select
import socket
import sys
import threading


class Link:
    """127.0.0.1:port, behind which is a server."""

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
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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


def main():
    link = Link(int(sys.argv[1]))
    print(link.port, flush=True)
    for line in sys.stdin:
        {"cut": link.cut, "mend": link.mend}[line.strip()]()
        print(line.strip(), flush=True)


main()
