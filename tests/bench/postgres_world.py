"""A PostgreSQL server, a model, a source database and a merge database to measure with.

The server is one that tools/postgres.sh makes: PostgreSQL's defaults, fsync included, with shared_buffers = 128MB and
max_wal_size = 512MB. Both databases belong to an ordinary role with a password (SCRAM), ours and the reference use
it alike, over the server's Unix socket."""
import json
import os
import pathlib
import subprocess
import tempfile

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


def table_ddl(name):
    return f"CREATE TABLE {name} ({', '.join(f'{column[0]} {column[2]}' for column in COLUMNS)})"


def copy_out(table):
    return f"COPY (SELECT {NAMES} FROM {table}) TO STDOUT (FORMAT binary)"


class Server:
    """A server of its own in a new directory that goes with this process, or a kept one that stays."""

    def __init__(self, keep=None):
        self.keep = keep
        self.dir = str(pathlib.Path(keep).resolve()) if keep else tempfile.mkdtemp(prefix="bench-")
        self.env = {**os.environ, "PGHOST": self.dir, "PGUSER": ROLE, "PGPASSWORD": PASSWORD, "PGOPTIONS": "",
                    "DATASURFACE_SRC_READ_USER": ROLE, "DATASURFACE_SRC_READ_PASSWORD": PASSWORD,
                    "DATASURFACE_MERGE_RW_USER": ROLE, "DATASURFACE_MERGE_RW_PASSWORD": PASSWORD}
        if not self._answers():
            owner = [] if keep else ["--owner", str(os.getpid())]
            subprocess.run([str(TOOL), "start", self.dir, "--durable", *owner], check=True)
        if not self.ask("postgres", f"SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}'"):
            self.run("postgres", f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")

    def _psql(self, database, statements, **how):
        options = [item for statement in statements for item in ("-c", statement)]
        return subprocess.run(["psql", "-XqAtv", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, *options],
                              env={**self.env, "PGOPTIONS": "-c client_min_messages=warning"}, text=True, **how)

    def _answers(self):
        return self._psql("postgres", ["SELECT 1"], capture_output=True, check=False).returncode == 0

    def ask(self, database, statement):
        return self._psql(database, [statement], stdout=subprocess.PIPE, check=True).stdout.strip()

    def run(self, database, *statements, role=None):
        """As superuser, or as a role."""
        become = [f"SET ROLE {role}"] if role else []
        self._psql(database, [*become, *statements], stdout=subprocess.DEVNULL, check=True)

    def settle(self):
        """No side pays for writing what the other, or the preparation, has left in memory."""
        self.run("postgres", "CHECKPOINT")

    def new_database(self, name):
        self.run("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name} OWNER {ROLE}")

    def describe(self):
        version, fsync, buffers = (self.ask("postgres", f"SHOW {name}")
                                   for name in ("server_version", "fsync", "shared_buffers"))
        where = subprocess.run(["stat", "-f", "-c", "%T", self.dir], capture_output=True, text=True, check=True)
        return (f"PostgreSQL {version.split()[0]}, fsync {fsync}, shared_buffers {buffers}, in {self.dir} on "
                f"{where.stdout.strip()}; {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")

    def end(self):
        if not self.keep:
            subprocess.run([str(TOOL), "remove", self.dir], check=True)


class World:
    """tables of rows each in the database NAME_src, a model for them, and the merge database NAME_merge."""

    def __init__(self, server, program, name, tables, rows, milestoning="scd1"):
        self.server, self.program, self.tables, self.rows = server, program, tables, rows
        self.src, self.merge = f"{name}_src", f"{name}_merge"
        self.milestoning = milestoning
        self.model = pathlib.Path(server.dir) / "models" / f"{name}-{milestoning}"
        self.write_model()
        self.fill_source()

    def write_model(self, hints=None):
        """JSON is YAML."""
        documents = model_documents(self, hints)
        self.model.mkdir(parents=True, exist_ok=True)
        text = "\n---\n".join(json.dumps(document, indent=1) for document in documents)
        (self.model / "model.yaml").write_text(text + "\n", encoding="utf-8")

    def fill_source(self):
        """Once: a database that is complete says so in its comment."""
        size = f"{len(self.tables)} x {self.rows}"
        comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = "
        if self.server.ask("postgres", f"{comment}'{self.src}'") == size:
            return
        self.server.new_database(self.src)
        for table in self.tables:
            self.server.run(self.src, table_ddl(table),
                            f"INSERT INTO {table} SELECT {VALUES} FROM generate_series(1, {self.rows}::bigint) i",
                            f"ALTER TABLE {table} ADD PRIMARY KEY (id)", role=ROLE)
        self.server.run(self.src, "VACUUM ANALYZE", f"COMMENT ON DATABASE {self.src} IS '{size}'")
        self.new_merge()

    def new_merge(self):
        """An empty one, after apply."""
        self.server.new_database(self.merge)
        self.ours("apply")

    def has_merge(self):
        return self.server.ask("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{self.merge}'") == "1"

    def load(self):
        """Brings the merge database to the source's state, and lets it rest: what a server's autovacuum does by then."""
        if not self.has_merge():
            self.new_merge()
        self.ours("apply")
        self.job()
        self.server.run(self.merge, "VACUUM ANALYZE")

    def ours(self, *arguments, stdout=subprocess.DEVNULL):
        return measure([self.program, "-C", str(self.model), *arguments], self.server.env, stdout)

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
        return measure(command, self.server.env)


def model_documents(world, hints):
    """The least model that serves one store live."""
    columns = {name: kind for name, kind, _, _ in COLUMNS}
    container = {"type": "postgres", "host": world.server.dir, "port": 5432}
    service = {"kind": "PlatformService", "name": "Yellow", "merge": {"container": "MergeDB", "credential": "merge_rw"},
               "containers": {"MergeDB": {**container, "database": world.merge}},
               "platforms": {"Live": {"type": "yellow", "milestoning": world.milestoning}},
               "assignments": [{"group": "Reader/live", "platforms": [{"platform": "Live", "status": "provisioned"}]}]}
    if hints:
        service["hints"] = {"streams": {"Store": hints}}
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
