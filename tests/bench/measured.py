"""One measured process, and the row that its figures make in the benchmarks' table."""
import os
import statistics
import subprocess
import tempfile
import time


class Failed(Exception):
    """A measured process ended badly, or did something else than it should; the text says what, and its last words."""


class Figure:
    """What one run took. A shell's pipeline counts as one process: CPU of all its parts, memory of the largest.
    server_s is CPU of a database server's sessions in that time, where somebody looks at it."""

    def __init__(self, seconds, used):
        self.seconds = seconds
        self.cpu_s = used.ru_utime + used.ru_stime
        self.peak_mb = used.ru_maxrss / 1024
        self.server_s = None


def measure(command, env, stdout=subprocess.DEVNULL):
    """Runs a list of arguments, or a text by the shell, from its start to its end. The kernel counts the memory of this
    process before the exec as the child's, too: a peak below some 20 MB can't be seen."""
    with tempfile.TemporaryFile() as stderr:
        begin = time.monotonic()
        with subprocess.Popen(command, shell=isinstance(command, str), env=env, stdin=subprocess.DEVNULL,
                              stdout=stdout, stderr=stderr) as child:
            _, status, used = os.wait4(child.pid, 0)
            seconds = time.monotonic() - begin
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            stderr.seek(0)
            shown = command if isinstance(command, str) else " ".join(command)
            raise Failed(f"{shown}: exit {child.returncode}\n{stderr.read().decode(errors='replace').strip()}")
    return Figure(seconds, used)


VALUES = {"s": lambda figure: figure.seconds, "ms": lambda figure: figure.seconds * 1000,
          "CPU s": lambda figure: figure.cpu_s, "MB": lambda figure: figure.peak_mb}


def record(engine, work, ours, reference=None, **more):
    """A row of the table. ours: the figures of all runs; reference: (command as shown, its figures) or None. more may
    have a unit (default s) and a bar: a ratio, or with bar_unit a value of ours."""
    row = {"engine": engine, "work": work, "unit": "s", **more, **_side("ours", ours, more.get("unit", "s"))}
    if reference:
        row["reference"], figures = reference
        row.update(_side("reference_value", figures, row["unit"]))
        row["ratio"] = row["ours"] / row["reference_value"]
    return row


def _side(name, figures, unit):
    values = [VALUES[unit](figure) for figure in figures]
    side = {name: (max if unit == "MB" else statistics.median)(values), f"{name}_runs": values,
            f"{name}_cpu_s": statistics.median(figure.cpu_s for figure in figures),
            f"{name}_peak_mb": max(figure.peak_mb for figure in figures)}
    if figures[0].server_s is not None:
        side[f"{name}_server_cpu_s"] = statistics.median(figure.server_s for figure in figures)
    return side
