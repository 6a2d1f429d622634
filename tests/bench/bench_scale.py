#!/usr/bin/env python3
"""`datasurface run` with many streams that are due every minute: are they on time, and what do they cost?

The sources are N stores of 31 small tables (template wwi), each a schema of one source database; a writer changes a
row or two a second. All streams have loaded before the first minute that counts. A stream is on time at a minute when a
batch that began since then has committed before the next one.

By hand, with the server and its data kept (--keep) so that only the running is measured again:
  tests/bench/bench_scale.py build/src/program/datasurface --stores 1000 --minutes 3 --keep /var/tmp/scale
  tests/bench/bench_scale.py build/src/program/datasurface --stores 1000 --processes 4 --keep /var/tmp/scale
  tests/bench/bench_scale.py build/src/program/datasurface --databases 50 --datasets 200 --workspaces 100
  tools/postgres.sh remove /var/tmp/scale                 # when done"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from measured import Failed
from postgres_world import ROLE, Server
from table import Table

ENGINE = "PostgreSQL"
# The bars are those of 1,000 stores on two cores.
BAR_CPU_S, BAR_PEAK_MB, BAR_STORES = 15, 400, 1000
TICKS = os.sysconf("SC_CLK_TCK")
LOAD_WORKERS = 4
# Nobody misses what a crash of the preparation loses; sync and a checkpoint end it.
LOADING = ["fsync = off", "full_page_writes = off", "synchronous_commit = off", "autovacuum = off",
           "max_wal_size = '4GB'"]


def wwi(program):
    """name -> lines of its columns, of the 31 datasets of the template."""
    with tempfile.TemporaryDirectory() as dir_name:
        subprocess.run([program, "init", "--template", "wwi", dir_name], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        text = (pathlib.Path(dir_name) / "wwi.yaml").read_text(encoding="utf-8")
    parts = re.split(r"^  (\w+):\n", text.split("\ndatasets:\n")[1], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


class Estate:
    """The sources, the model and the merge database of one size."""

    def __init__(self, server, program, options):
        self.server, self.program, self.options = server, program, options
        self.name = f"scale_{options.databases}_{options.datasets}"
        self.merge = f"{self.name}_merge"
        self.stores = [f"Store{n:04}" for n in range(options.stores)]
        self.model = pathlib.Path(server.dir) / "models" / self.name
        self.kinds = wwi(program)
        names = list(self.kinds)
        self.datasets = {name if n < len(names) else f"{name}_{n // len(names)}": self.kinds[name]
                         for n, name in ((n, names[n % len(names)]) for n in range(options.datasets))}

    def database(self, n):
        return f"{self.name}_src{n % self.options.databases:02}"

    def write_model(self):
        self.model.mkdir(parents=True, exist_ok=True)
        (self.model / "model.yaml").write_text(
            "\n---\n".join(json.dumps(document) for document in self._documents()) + "\n", encoding="utf-8")
        (self.model / "stores").mkdir(exist_ok=True)
        for n, store in enumerate(self.stores):
            (self.model / "stores" / f"{store}.yaml").write_text(self._store(n, store), encoding="utf-8")

    def _store(self, n, name):
        capture = {"type": "sql_snapshot", "container": f"DB{n % self.options.databases:02}",
                   "credential": "src_read", "trigger": {"cron": "* * * * *"}, "consistency": "multi_dataset"}
        head = {"kind": "Datastore", "team": "Zone/team", "name": name, "capture": capture}
        text = "".join(f"{key}: {json.dumps(value)}\n" for key, value in head.items()) + "datasets:\n"
        return text + "".join(f"  {dataset}:\n    source: {{schema: s{n:04}}}\n{lines}"
                              for dataset, lines in self.datasets.items())

    def _documents(self):
        options = self.options
        container = {"type": "postgres", "host": self.server.dir, "port": 5432}
        workspaces = [f"Reader{n:04}" for n in range(options.workspaces or options.stores)]
        if options.workspaces:
            shown = [(self.stores[n % len(self.stores)], self.stores[(n + 1) % len(self.stores)])
                     for n in range(options.workspaces)]
        else:
            shown = [(store,) for store in self.stores]
        yield {"kind": "Ecosystem", "name": "Bench", "repository": "bench/model@central", "live": "bench/model@main",
               "zones": [{"name": "Zone", "repository": "bench/model@zone"}],
               "platform_services": [{"name": "Yellow", "repository": "bench/model@yellow"}]}
        yield {"kind": "GovernanceZone", "name": "Zone", "teams": [{"name": "team", "repository": "bench/model@team"}]}
        for n in range(options.databases):
            yield {"kind": "DataContainer", "team": "Zone/team", "name": f"DB{n:02}", **container,
                   "database": self.database(n)}
        for name, stores in zip(workspaces, shown):
            yield {"kind": "Workspace", "team": "Zone/team", "name": name, "dataset_groups": {"live": {
                "sinks": [f"{store}/{dataset}" for store in stores for dataset in self.datasets]}}}
        yield {"kind": "PlatformService", "name": "Yellow",
               "merge": {"container": "MergeDB", "credential": "merge_rw"},
               "containers": {"MergeDB": {**container, "database": self.merge}},
               "platforms": {"Live": {"type": "yellow", "milestoning": "scd1"}},
               "assignments": [{"group": f"{name}/live", "platforms": [{"platform": "Live", "status": "provisioned"}]}
                               for name in workspaces]}

    def ours(self, *arguments, **how):
        done = subprocess.run([self.program, "-C", str(self.model), *arguments], env=self.server.env, check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **how)
        if done.returncode != 0:
            raise Failed(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stderr[-2000:]}")

    def prepare(self):
        """Once, and what is missing later: a merge database says in its comment how many stores have loaded."""
        loaded = int(self.server.ask("postgres", "SELECT coalesce(max(shobj_description(oid, 'pg_database')), '0') "
                                                 f"FROM pg_database WHERE datname = '{self.merge}'"))
        if loaded > len(self.stores):
            raise Failed(f"{self.server.dir} has {loaded} stores, and can't have fewer")
        self.write_model()
        if loaded == len(self.stores):
            return
        self.server.configure(LOADING)
        self._told("sources", lambda: self._make_sources(loaded))
        if not loaded:
            self.server.new_database(self.merge)
        self._told("apply", lambda: self.ours("apply"))
        self._told("first loads", self._load)
        self._told("catalogues", self._settle)
        self.server.run(self.merge, f"COMMENT ON DATABASE {self.merge} IS '{len(self.stores)}'", "CHECKPOINT")
        os.sync()
        self.server.configure([])

    def _told(self, what, do):
        begin, ours, server = time.monotonic(), children_cpu_s(), server_cpu_s(self.server)
        do()
        print(f"{what}: {time.monotonic() - begin:.0f} s, CPU {children_cpu_s() - ours:.0f} s, the server's "
              f"{server_cpu_s(self.server) - server:.0f} s", file=sys.stderr)

    def _settle(self):
        """What autovacuum would do later, after so many tables were made. So small ones it never looks at."""
        for database in {self.merge, *(self.database(n) for n in range(self.options.databases))}:
            tables = self.server.ask(database, "SELECT string_agg(oid::regclass::text, ', ') FROM pg_class WHERE "
                                               "relkind = 'r' AND NOT relisshared AND relnamespace::regnamespace::text "
                                               "IN ('pg_catalog', 'datasurface')")
            self.server.run(database, f"VACUUM ANALYZE {tables}")

    def _load(self):
        """The scheduler does it: --once runs one stream after another."""
        with subprocess.Popen([self.program, "-C", str(self.model), "run", "--workers", str(LOAD_WORKERS)],
                              env=self.server.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            while self.server.ask(self.merge, "SELECT count(*) FROM datasurface.stream s WHERE EXISTS (SELECT FROM "
                                              "datasurface.batch b WHERE b.stream = s.name AND b.status = "
                                              "'committed')") != str(len(self.stores)):
                if child.poll() is not None:
                    raise Failed(f"run: exit {child.returncode} before all had loaded")
                time.sleep(2)
            child.send_signal(signal.SIGTERM)

    def _make_sources(self, have):
        if not have:
            self._make_first_sources()
        made = self.server.ask(self.database(0), "SELECT string_agg(quote_ident(relname), ' ') FROM pg_class "
                               "WHERE relkind = 'r' AND relnamespace = 's0000'::regnamespace").split()
        missing = range(max(have, self.options.databases), len(self.stores))
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda some: self._copy_schemas(missing[some:some + 50], made), range(0, len(missing), 50)))
        for n in range(1, self.options.databases if not have else 0):
            self.server.run(self.database(n), f"ALTER SCHEMA s0000 RENAME TO s{n:04}")

    def _make_first_sources(self):
        for n in range(self.options.databases):
            self.server.new_database(self.database(n))
        self.server.run(self.database(0), "CREATE SCHEMA s0000", role=ROLE)
        self.ours("simulate", self.stores[0], "--changes", "0", "--rows", str(self.options.rows))
        dump = subprocess.run(["pg_dump", "-n", "s0000", "-d", self.database(0)], env=self.server.env, check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        for n in range(1, self.options.databases):
            self.server.run(self.database(n), dump, role=ROLE)

    def _copy_schemas(self, numbers, tables):
        """A transaction for each: a server has no room for the locks on all of them."""
        for database in {self.database(n) for n in numbers}:
            self.server.run(database, *(statement for n in numbers if self.database(n) == database for statement in (
                "BEGIN", f"CREATE SCHEMA s{n:04}", *(
                    f"CREATE TABLE s{n:04}.{table} (LIKE s0000.{table} INCLUDING ALL);"
                    f"INSERT INTO s{n:04}.{table} SELECT * FROM s0000.{table}" for table in tables), "COMMIT")),
                            role=ROLE)


# --- what is watched while it runs

# Two rows a second, each in a table that every store has.
WRITE = """DO $$ BEGIN
  EXECUTE format('UPDATE %I.colors SET last_edited_by = last_edited_by %% 1000 + 1 WHERE color_id = '
    '(SELECT min(color_id) FROM %1$I.colors)', (SELECT nspname FROM pg_namespace WHERE nspname ~ '^s[0-9]{4}$'
    ORDER BY random() LIMIT 1));
END $$ \\watch 0.5
"""
COUNT = ("SELECT count(*) FROM pg_stat_activity WHERE usename = '" + ROLE + "' AND application_name <> 'psql' "
         "\\watch 1\n")


# Everybody wants everything: more batches than cron lines can ask for.
TRIGGER = ("INSERT INTO datasurface.trigger (stream, wanted_at) SELECT name, clock_timestamp() FROM datasurface.stream "
           "ON CONFLICT (stream) DO UPDATE SET wanted_at = excluded.wanted_at \\watch {}\n")


class Psql:
    """A session that does one thing again and again; what it printed is told at the end."""

    def __init__(self, server, database, script):
        self.script = tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8")
        self.script.write(script)
        self.script.flush()
        self.out = tempfile.TemporaryFile("w+")
        self.child = subprocess.Popen(["psql", "-XqAt", "-U", "postgres", "-d", database, "-f", self.script.name],
                                      env=server.env, stdout=self.out, stderr=subprocess.DEVNULL,
                                      stdin=subprocess.DEVNULL)

    def end(self):
        self.child.terminate()
        self.child.wait()
        self.out.seek(0)
        return self.out.read()


def cpu_s(pid, children=False):
    """Of a process (proc(5): utime, stime), and of those of its children that have ended."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15 if children else 13]) / TICKS


def children_cpu_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peak_mb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def server_cpu_s(server):
    """Of all its processes, those that have ended included."""
    pid = int((pathlib.Path(server.dir) / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0])
    total = cpu_s(pid, children=True)
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split():
        try:
            total += cpu_s(int(child))
        except OSError:
            pass  # it has ended just now, and counts for the next look
    return total


def server_pss_mb(server):
    """Of all its processes: what they share is counted once."""
    pid = int((pathlib.Path(server.dir) / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0])
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    total = 0
    for process in [str(pid), *children]:
        try:
            text = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8")
        except OSError:
            continue  # it has ended just now
        total += int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1])
    return total / 1024


def seconds_to_minute():
    return 60 - time.time() % 60


class Running:
    """So many processes of `run`, for some minutes."""

    def __init__(self, estate):
        options = estate.options
        self.command = [estate.program, "-C", str(estate.model), "--format", "json", "run", "--workers",
                        str(options.workers)]
        self.log = tempfile.TemporaryFile("w+")
        self.children = [subprocess.Popen([*options.under.split(), *self.command], env=estate.server.env,
                                          stdout=self.log, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
                         for _ in range(options.processes)]

    def cpu_s(self):
        return sum(cpu_s(child.pid) for child in self.children)

    def peak_mb(self):
        return max(peak_mb(child.pid) for child in self.children)

    def end(self):
        for child in self.children:
            child.send_signal(signal.SIGTERM)
        codes = [child.wait(timeout=300) for child in self.children]
        self.log.seek(0)
        failures = [line for line in self.log if '"error":null' not in line and '"error"' in line]
        if any(codes):
            raise Failed(f"run: exit {codes}")
        return failures


def lags(estate, first, minutes):
    """Seconds from due to committed of every stream and minute; None where no batch has begun before the next one."""
    out = estate.server.ask(
        estate.merge,
        "SELECT extract(epoch FROM s.committed - d.due) FROM datasurface.stream st "
        f"CROSS JOIN generate_series(to_timestamp({first}), to_timestamp({first + 60 * (minutes - 1)}), '1 minute') "
        "AS d(due) LEFT JOIN LATERAL (SELECT min(b.committed_at) AS committed FROM datasurface.batch b "
        "WHERE b.stream = st.name AND b.started_at >= d.due AND b.committed_at IS NOT NULL) s ON true "
        "WHERE st.paused = 0")
    return [float(line) if line else None for line in out.split("\n")]


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def measure(estate):
    options = estate.options
    estate.server.run(estate.merge, "UPDATE datasurface.stream SET paused = (name >= "
                      f"'Live/Store{options.active or options.stores:04}')::int")
    running = Running(estate)
    watchers = []
    try:
        time.sleep(seconds_to_minute() + 60 * options.warm)
        first = round(time.time() / 60) * 60
        watchers = [Psql(estate.server, estate.merge, COUNT),
                    *(Psql(estate.server, estate.database(n), WRITE) for n in range(min(2, options.databases)))]
        if options.every:
            watchers.append(Psql(estate.server, estate.merge, TRIGGER.format(options.every)))
        ours, server = running.cpu_s(), server_cpu_s(estate.server)
        time.sleep(60 * options.minutes)
        figures = {"cpu": (running.cpu_s() - ours) / options.minutes, "peak": running.peak_mb(),
                   "server": (server_cpu_s(estate.server) - server) / options.minutes,
                   "pss": server_pss_mb(estate.server)}
        time.sleep(min(59, options.grace))
    finally:
        counted = [watcher.end() for watcher in watchers]
        failures = running.end()
    figures["backends"] = max(int(line) for line in counted[0].split())
    figures["failures"] = len(failures)
    for line in failures[:3]:
        print(line, file=sys.stderr)
    figures["lags"] = lags(estate, first, options.minutes)
    figures["batches"] = int(estate.server.ask(
        estate.merge, f"SELECT count(*) FROM datasurface.batch WHERE committed_at >= to_timestamp({first}) AND "
        f"committed_at < to_timestamp({first + 60 * options.minutes})"))
    return figures


def rows(options, figures):
    known = [lag for lag in figures["lags"] if lag is not None]
    late = 100 * sum(1 for lag in figures["lags"] if lag is None or lag > 60) / len(figures["lags"])
    size = f"{options.active or options.stores:,} x {options.datasets}" + (f", {options.processes} proc." if options.processes > 1 else "")
    barred = options.stores <= BAR_STORES

    def row(work, unit, value, bar=None):
        made = {"engine": ENGINE, "work": f"{size}: {work}", "unit": unit, "ours": value, "ours_runs": [value]}
        return {**made, "bar": bar, "bar_unit": unit} if bar is not None and barred else made

    yield row("late or skipped", "%", late, 0)
    yield row("late by more than a period", "%", 100 * sum(
        1 for lag in figures["lags"] if lag is None or lag > 120) / len(figures["lags"]))
    yield row("batches a minute", "batches", figures["batches"] / options.minutes)
    yield row("our CPU a minute", "CPU s", figures["cpu"], BAR_CPU_S)
    yield row("the server's CPU a minute", "CPU s", figures["server"])
    yield row("our CPU a batch", "ms", figures["cpu"] * options.minutes * 1000 / max(1, figures["batches"]))
    yield row("the server's CPU a batch", "ms", figures["server"] * options.minutes * 1000 / max(1, figures["batches"]))
    yield row("peak memory", "MB", figures["peak"], BAR_PEAK_MB)
    yield row("the server's memory", "MB", figures["pss"])
    yield row("backends", "at most", figures["backends"])
    yield row("failed jobs", "jobs", figures["failures"], 0)
    yield row("due to committed, p50", "s", statistics.median(known) if known else -1)
    yield row("due to committed, p99", "s", percentile(known, 0.99) if known else -1)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--stores", type=int, help="(default 100; with --databases one for each)")
    parser.add_argument("--datasets", type=int, default=31, help="of each store")
    parser.add_argument("--databases", type=int, default=1, help="that the stores are spread over")
    parser.add_argument("--workspaces", type=int, help="of two stores each, not one for each store")
    parser.add_argument("--active", type=int, help="so many of the stores; the others' streams are paused")
    parser.add_argument("--rows", type=int, default=10, help="of each table")
    parser.add_argument("--minutes", type=int, default=2)
    parser.add_argument("--warm", type=int, default=1, help="minutes before those that count")
    parser.add_argument("--grace", type=int, default=20, help="seconds for what was due in the last minute")
    parser.add_argument("--every", type=int, help="seconds after which all streams are triggered, again and again")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--under", default="", help="a command to run `run` under, as `perf record -g -o FILE`")
    parser.add_argument("--keep", metavar="DIR", help="the server's directory stays, with all data")
    parser.add_argument("--prepare", action="store_true", help="nothing is measured; wants --keep")
    parser.add_argument("--lines", action="store_true", help="JSON, a line each, for table.py")
    options = parser.parse_args()
    options.stores = options.stores or (options.databases if options.databases > 1 else 100)
    return options


def main():
    options = arguments()
    table = Table()

    def show(row):
        if options.lines:
            print(json.dumps(row), flush=True)
        else:
            table.add(row)

    server = Server(options.keep)
    try:
        show({"note": server.describe()})
        estate = Estate(server, str(pathlib.Path(options.program).resolve()), options)
        estate.prepare()
        for row in [] if options.prepare else rows(options, measure(estate)):
            show(row)
        return 0
    except (Failed, subprocess.CalledProcessError) as failure:
        show({"engine": ENGINE, "work": f"{options.stores} stores", "error": str(failure)})
        return 1
    finally:
        server.end()


if __name__ == "__main__":
    sys.exit(main())
