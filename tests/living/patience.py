"""How long to wait: the longer the more the machine has to do, since how fast it is proves nothing."""
import os
import time

from oracle import Wrong

PATIENCE_S = float(os.environ.get("LIVING_PATIENCE", "180"))


def slowness():
    """1 on a machine that has nothing else to do; how many want each of its cores."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def patience_s():
    return PATIENCE_S * slowness()


def wait_until(what, ready, tell=None):
    """tell: what keeps us waiting, every ten seconds."""
    started = time.monotonic()
    next_word = started + 10
    while not ready():
        if time.monotonic() > next_word and tell:
            tell()
            next_word += 10
        waited = time.monotonic() - started
        if waited > patience_s():
            raise Wrong(f"waited {waited:.0f} s in vain for {what}")
        time.sleep(0.1)
