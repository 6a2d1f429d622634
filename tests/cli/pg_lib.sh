# Sourced after lib.sh by tests that need a PostgreSQL server: the run's shared one, else one of their own. Databases and
# roles get names that nobody else has, and go when the test ends.
need psql
page=$root/docs/postgres.md
unique=t$$_$(od -An -N3 -tx1 /dev/urandom | tr -d ' \n')
names='shop_ro|shop_owner|merge_rw|analyst'
pg=${DATASURFACE_TEST_POSTGRES:-}
if [ -z "$pg" ]; then # a directory that the server's user can reach
    pg=${TMPDIR:-/tmp}/datasurface-$unique
    "$root/tools/postgres.sh" start "$pg" --owner $$
fi
trap 'pg_clean >/dev/null 2>&1; rm -rf "$work"' EXIT
unset PGHOST PGPORT PGDATABASE PGUSER PGPASSWORD PGPASSFILE PGSERVICE PGSSLMODE PGOPTIONS
export HOME="$work"

# own: the page's names become names of our own
own()
{
    sed -E "s/\b($names)\b/\1_$unique/g; s/DATABASE (shop|merge)\b/DATABASE \1_$unique/g"
}

# block NAME: the page's SQL block of that name
block()
{
    awk -v fence="\`\`\`sql $1" '$0 == "```" { on = 0 } on { found = 1; print } $0 == fence { on = 1 } END { exit !found }' \
        "$page" | own
}

# admin DATABASE: standard input, as superuser; DATABASE is shop, merge or postgres
admin()
{
    case $1 in postgres) name=postgres ;; *) name=$1_$unique ;; esac
    psql -X -q -At -v ON_ERROR_STOP=1 -h "$pg" -U postgres -d "$name"
}

# as ROLE DATABASE STATEMENT, on $host
host=$pg
as()
{
    PGPASSWORD='choose one' psql -X -q -At -v ON_ERROR_STOP=1 -h "$host" -U "$1_$unique" -d "$2_$unique" -c "$3"
}

pg_clean()
{
    for name in shop merge; do
        echo "DROP DATABASE IF EXISTS ${name}_$unique WITH (FORCE);" | admin postgres
    done
    for name in shop_ro shop_owner merge_rw analyst; do
        echo "DROP ROLE IF EXISTS ${name}_$unique;" | admin postgres
    done
    [ -n "${DATASURFACE_TEST_POSTGRES:-}" ] || "$root/tools/postgres.sh" remove "$pg"
}

# A source with the page's tables; nobody but their owner has a right on anything.
make_shop()
{
    own <<'END' | admin postgres
CREATE ROLE shop_owner LOGIN PASSWORD 'choose one';
CREATE DATABASE shop OWNER shop_owner TEMPLATE template0;
END
    { block source-closed; own; } <<'END' | admin shop
SET ROLE shop_owner;
CREATE TABLE customers (id varchar(20) PRIMARY KEY, name varchar(100) NOT NULL, since date, credit numeric(12,2));
CREATE TABLE visits (at timestamptz, page text);
INSERT INTO customers SELECT 'C' || i, 'name ' || i, date '2020-01-01' + i, i / 4.0 FROM generate_series(1, 100) AS i;
INSERT INTO visits SELECT timestamptz '2026-01-01Z' + interval '1 minute' * (i / 3), '/' || i % 5
    FROM generate_series(1, 200) AS i;
END
}

make_merge()
{
    echo 'CREATE DATABASE merge TEMPLATE template0;' | own | admin postgres
    block merge-closed | admin merge
}

# import_shop DIR: what import writes of the shop on $host, in ./DIR, with the page's platform service.
import_shop()
{
    mkdir "$1"
    ds -C "$1" import "postgres://shop_ro_$unique@/shop_$unique?host=$host" --credential shop_ro --datastore shop
    [ "$code" = 0 ] || { not_ok "import of the shop"; finish; }
    awk 'BEGIN { RS = "---\n"; ORS = "---\n" } !/kind: PlatformService/' "$1"/*.yaml >.model
    awk '$0 == "```" { on = 0 } on { print } $0 == "```yaml" { on = 1 }' "$page" |
        sed "s|host: pg.internal|host: $host|; s|database: merge|database: merge_$unique|" >>.model
    rm "$1"/*.yaml && mv .model "$1/model.yaml"
}

export DATASURFACE_SHOP_RO_USER="shop_ro_$unique" DATASURFACE_SHOP_RO_PASSWORD='choose one'
export DATASURFACE_MERGE_RW_USER="merge_rw_$unique" DATASURFACE_MERGE_RW_PASSWORD='choose one'
