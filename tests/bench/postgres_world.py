"""A PostgreSQL server, and source databases, models and merge databases on it to measure with.

README.md says which server that is. All databases belong to an ordinary role with a password (SCRAM) that ours and the
reference use alike, over the server's Unix socket."""
import json
import os
import pathlib
import subprocess
import tempfile
import time

from measured import Failed, measure

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "postgres.sh"
ROLE, PASSWORD = "bench", "correct-horse"
# name, type of the model, type at the source, value of row i
COLUMNS = [
    ("id", "bigint primary key", "bigint NOT NULL", "i"),
    ("name", "text not null", "text NOT NULL", "'Customer number ' || i"),
    ("city", "varchar(60)", "varchar(60)", "CASE WHEN i % 10 = 3 THEN NULL ELSE 'City ' || i % 997 END"),
    ("born", "date", "date", "date '1950-01-01' + (i % 20000)::int"),
    ("balance", "decimal(12,2)", "numeric(12,2)", "(i * 7919 % 1000000000) / 100.0"),
    ("rate", "decimal(10,4)", "numeric(10,4)", "(i * 104729 % 100000000) / 10000.0"),
    ("seen", "timestamptz", "timestamptz", "timestamptz '2020-01-01 00:00:00Z' + i * interval '1.000137 s'"),
    ("changed", "timestamp", "timestamp", "timestamp '2020-01-01' + i * interval '7 s'"),
]
NAMES = ", ".join(column[0] for column in COLUMNS)
VALUES = ", ".join(column[3] for column in COLUMNS)
# A number from 0 to 999 by which a round of changes picks rows; another one each round.
LOT = "(hashint8extended(id, {salt}) & 9223372036854775807) % 1000"


def table_ddl(name):
    return f"CREATE TABLE {name} ({', '.join(f'{column[0]} {column[2]}' for column in COLUMNS)})"


def insert(table, first, last):
    return f"INSERT INTO {table} SELECT {VALUES} FROM generate_series({first}::bigint, {last}::bigint) i"


def copy_out(table):
    return f"COPY (SELECT {NAMES} FROM {table}) TO STDOUT (FORMAT binary)"


class Server:
    """A server of its own in a new directory that goes with this process, or a kept one that stays."""

    def __init__(self, keep=None):
        self.keep = keep
        self.settles = True  # between runs
        self.dir = str(pathlib.Path(keep).resolve()) if keep else tempfile.mkdtemp(prefix="bench-")
        self.env = {**os.environ, "PGHOST": self.dir, "PGUSER": ROLE, "PGPASSWORD": PASSWORD,
                    "DATASURFACE_SRC_READ_USER": ROLE, "DATASURFACE_SRC_READ_PASSWORD": PASSWORD,
                    "DATASURFACE_MERGE_RW_USER": ROLE, "DATASURFACE_MERGE_RW_PASSWORD": PASSWORD}
        if self._psql("postgres", "SELECT 1", stderr=subprocess.DEVNULL).returncode != 0:
            owner = [] if keep else ["--owner", str(os.getpid())]
            subprocess.run([str(TOOL), "start", self.dir, "--durable", *owner], check=True)
        self._take_its_programs()
        if not self.ask("postgres", f"SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}'"):
            self.run("postgres", f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")

    def _take_its_programs(self):
        """Debian's psql is a script that looks for psql: the reference must not pay for that."""
        started = (pathlib.Path(self.dir) / "data" / "postmaster.opts").read_text(encoding="utf-8")
        self.env["PATH"] = f"{pathlib.Path(started.split()[0]).parent}:{self.env['PATH']}"

    def _psql(self, database, script, **how):
        command = ["psql", "-XqAtv", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database]
        return subprocess.run(command, input=script, stdout=subprocess.PIPE, text=True, check=False,
                              env={**self.env, "PGOPTIONS": "-c client_min_messages=warning"}, **how)

    def ask(self, database, *statements, role=None):
        """Runs statements as superuser, or as a role, and answers with what they print."""
        become = [f"SET ROLE {role}"] if role else []
        done = self._psql(database, ";\n".join([*become, *statements, ""]), stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise Failed(f"psql -d {database}: {done.stderr.strip()}")
        return done.stdout.strip()

    run = ask

    def new_database(self, name):
        self.run("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name} OWNER {ROLE}")

    def configure(self, settings):
        """From now on, instead of what was set so before: "name = value"."""
        self.run("postgres", "ALTER SYSTEM RESET ALL", *(f"ALTER SYSTEM SET {setting}" for setting in settings),
                 "SELECT pg_reload_conf()")

    def databases(self, like="%"):
        return self.ask("postgres", f"SELECT datname FROM pg_database WHERE datname LIKE '{like}'").split()

    def measure(self, command, stdout=subprocess.DEVNULL):
        """Nobody pays for writing what the other side, or the preparation, has left in memory. Not between small
        changes: after a checkpoint each page that changes is logged whole, on a server in use once in five minutes."""
        if self.settles:
            self.run("postgres", "CHECKPOINT")
        before = self._sessions_cpu_s()
        figure = measure(command, self.env, stdout)
        time.sleep(0.05)  # until the server has buried the last session
        figure.server_s = self._sessions_cpu_s() - before
        return figure

    def _sessions_cpu_s(self):
        """Of all sessions that have ended (proc(5): cutime, cstime)."""
        pid = (pathlib.Path(self.dir) / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0]
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")

    def describe(self):
        version, fsync, buffers = (self.ask("postgres", f"SHOW {name}")
                                   for name in ("server_version", "fsync", "shared_buffers"))
        where = subprocess.run(["stat", "-f", "-c", "%T", self.dir], capture_output=True, text=True, check=True)
        return (f"PostgreSQL {version.split()[0]}, fsync {fsync}, shared_buffers {buffers}, in {self.dir} on "
                f"{where.stdout.strip()}; {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} at the start")

    def end(self):
        if not self.keep:
            subprocess.run([str(TOOL), "remove", self.dir], check=True)


class World:
    """tables of rows each in the database NAME_src, a model that serves them live, and its merge database."""

    def __init__(self, server, program, name, tables, rows, **how):
        self.server, self.program, self.tables, self.rows = server, program, tables, rows
        self.name, self.milestoning, self.hints = name, how.get("milestoning", "scd1"), how.get("hints")
        self.src, self.merge, self.hand = f"{name}_src", f"{name}_{self.milestoning}_merge", f"{name}_by_hand"
        self.model = pathlib.Path(server.dir) / "models" / self.merge
        self.write_model()
        self._fill_source()

    def write_model(self):
        """JSON is YAML."""
        self.model.mkdir(parents=True, exist_ok=True)
        text = "\n---\n".join(json.dumps(document, indent=1) for document in _model(self))
        (self.model / "model.yaml").write_text(text + "\n", encoding="utf-8")

    def _fill_source(self):
        """Once: a database that is complete says so in its comment."""
        size = f"{len(self.tables)} x {self.rows}"
        if size == self.server.ask("postgres", "SELECT shobj_description(oid, 'pg_database') FROM pg_database "
                                               f"WHERE datname = '{self.src}'"):
            return
        for database in self.server.databases(f"{self.name}\\_%"):
            self.server.run("postgres", f"DROP DATABASE {database} WITH (FORCE)")
        self.server.new_database(self.src)
        statements = [statement for table in self.tables for statement in (
            table_ddl(table), insert(table, 1, self.rows), f"ALTER TABLE {table} ADD PRIMARY KEY (id)")]
        self.server.run(self.src, *statements, role=ROLE)
        self.server.run(self.src, "VACUUM ANALYZE", f"COMMENT ON DATABASE {self.src} IS '{size}'")

    def new_merge(self):
        """An empty one, after apply."""
        self.server.new_database(self.merge)
        self.ours("apply")

    def load(self):
        """Brings the merge database to the source's state."""
        if self.merge not in self.server.databases():
            self.new_merge()
        self.ours("apply")
        self.job()
        self.rest(self.merge)

    def rest(self, database):
        """What autovacuum does in a quiet hour, now: it would do so at another time in each run."""
        self.server.run(database, "VACUUM ANALYZE")

    def ours(self, *arguments, stdout=subprocess.DEVNULL):
        return self.server.measure([self.program, "-C", str(self.model), *arguments], stdout)

    def job(self, **expected):
        """One job, measured; its counts must be what the line is about."""
        with tempfile.TemporaryFile() as out:
            figure = self.ours("--format", "json", "job", "Live/Store", stdout=out)
            out.seek(0)
            counts = json.load(out)["result"]
        for name, count in expected.items():
            if int(counts[name]) != count:
                raise Failed(f"job: {name} {counts[name]}, not {count}")
        return figure

    def reference(self, command):
        return self.server.measure(command)

    def change(self, percent):
        """So much of the only table changes: 0.8 of that are updates, 0.1 deletes, and as many inserts as deletes.
        Returns what a job must count."""
        last = int(self.server.ask(self.src, "SELECT max(id) FROM t"))
        lot = LOT.format(salt=last)
        updates, deletes = f"{lot} < {8 * percent}", f"{lot} BETWEEN {8 * percent} AND {9 * percent - 1}"
        updated, deleted = map(int, self.server.ask(
            self.src, f"SELECT count(*) FILTER (WHERE {updates}), count(*) FILTER (WHERE {deletes}) FROM t").split("|"))
        self.server.run(self.src, f"UPDATE t SET balance = balance + 1, changed = now() WHERE {updates}",
                        f"DELETE FROM t WHERE {deletes}", insert("t", last + 1, last + deleted), role=ROLE)
        self.rest(self.src)
        self.rest(self.merge)
        return {"read": self.rows, "inserted": deleted, "updated": updated, "deleted": deleted}

    def same(self, database):
        """The only table of another database must equal the source's."""
        sums = "SELECT count(*), sum(id), sum(balance), sum(rate), max(changed), count(city) FROM t"
        if self.server.ask(self.src, sums) != self.server.ask(database, sums):
            raise Failed(f"the reference has not made {database}'s table equal to the source's")


def _model(world):
    """The least model that serves one store live."""
    columns = {name: kind for name, kind, _, _ in COLUMNS}
    container = {"type": "postgres", "host": world.server.dir, "port": 5432}
    service = {"kind": "PlatformService", "name": "Yellow", "merge": {"container": "MergeDB", "credential": "merge_rw"},
               "containers": {"MergeDB": {**container, "database": world.merge}},
               "platforms": {"Live": {"type": "yellow", "milestoning": world.milestoning}},
               "assignments": [{"group": "Reader/live", "platforms": [{"platform": "Live", "status": "provisioned"}]}]}
    if world.hints:
        service["hints"] = {"streams": {"Store": world.hints}}
    return [
        {"kind": "Ecosystem", "name": "Bench", "repository": "bench/model@central", "live": "bench/model@main",
         "zones": [{"name": "Zone", "repository": "bench/model@zone"}],
         "platform_services": [{"name": "Yellow", "repository": "bench/model@yellow"}]},
        {"kind": "GovernanceZone", "name": "Zone", "teams": [{"name": "team", "repository": "bench/model@team"}]},
        {"kind": "DataContainer", "team": "Zone/team", "name": "SourceDB", **container, "database": world.src},
        {"kind": "Datastore", "team": "Zone/team", "name": "Store",
         "capture": {"type": "sql_snapshot", "container": "SourceDB", "credential": "src_read",
                     "trigger": {"external": True}, "consistency": "multi_dataset"},
         "datasets": {table: {"classification": "pub", "columns": columns} for table in world.tables}},
        {"kind": "Workspace", "team": "Zone/team", "name": "Reader",
         "dataset_groups": {"live": {"sinks": [f"Store/{table}" for table in world.tables]}}},
        service,
    ]
