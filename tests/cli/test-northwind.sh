#!/bin/sh
# A real PostgreSQL database, where it is at hand beside the checkout: import, lint without edits, two platforms, proof;
# merged into SQLite and into PostgreSQL.
. "$(dirname "$0")/lib.sh"
need psql
northwind=${NORTHWIND:-$root/../shared/data/northwind.postgres.sql}
server=${DATASURFACE_TEST_POSTGRES:-}
if [ ! -f "$northwind" ]; then
    echo "1..0 # SKIP no northwind.postgres.sql at hand"
    exit 0
fi
[ -n "$server" ] || { echo "1..0 # SKIP no PostgreSQL server for tests (tools/test.sh starts one)"; exit 0; }
unset PGHOST PGPORT PGDATABASE PGUSER PGPASSWORD PGPASSFILE PGSERVICE PGSSLMODE PGOPTIONS
name=northwind_$$
role=trader_$$

# pg DATABASE ARGS...: as superuser
pg()
{
    database=$1
    shift
    PGOPTIONS='-c client_min_messages=warning' psql -X -q -h "$server" -U postgres -d "$database" "$@"
}

drop()
{
    pg postgres -c "DROP DATABASE IF EXISTS $name WITH (FORCE)" -c "DROP DATABASE IF EXISTS merge_$name WITH (FORCE)" \
        -c "DROP ROLE IF EXISTS $role" || true
}
trap 'drop; rm -rf "$work"' EXIT
pg postgres -c "CREATE ROLE $role LOGIN PASSWORD 'geheim'" -c "CREATE DATABASE $name TEMPLATE template0" \
    -c "CREATE DATABASE merge_$name OWNER $role TEMPLATE template0"
pg "$name" -f "$northwind" >/dev/null 2>&1 # it sets what servers of today no longer have
pg "$name" -c "GRANT SELECT ON ALL TABLES IN SCHEMA public TO $role"
tables=$(pg "$name" -At -c "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
same "14 tables are loaded" 14 "$tables"

export DATASURFACE_NORTHWIND_USER="$role" DATASURFACE_NORTHWIND_PASSWORD=geheim
expect "import" 0 import "postgres:///$name?host=$server" --datastore Northwind --credential northwind
says "all of it" '^wrote Northwind.yaml: Northwind with 14 datasets, and a model around it'
same "nothing is left out" 0 "$(grep -c 'not imported' Northwind.yaml)"
expect "lint without edits" 0 lint
says "14 datasets, warnings only for the missing classification" '^ok: 14 warnings, 14 datasets'
expect "plan" 0 plan
expect "apply" 0 apply
expect "run" 0 run --once
says "every row on the live platform" '^Live/Northwind +1 +3362 +3362 +0 +0 +0 '
says "and on the one with history" '^History/Northwind +1 +3362 +3362 +0 +0 +0 '
expect "verify" 0 verify
says "all equal" '^exact: 28 datasets'

# The same with a merge database of PostgreSQL, as the same role.
cat >postgres.yaml <<END
kind: Environment
name: postgres
containers:
  MergeDB: {type: postgres, host: "$server", database: merge_$name}
END
export PGUSER="$role" PGPASSWORD=geheim
expect "lint for PostgreSQL" 0 --env postgres lint
expect "apply to PostgreSQL" 0 --env postgres apply
expect "run into PostgreSQL" 0 --env postgres run --once
says "every row there, too" '^Live/Northwind +1 +3362 +3362 +0 +0 +0 '
pg "$name" -c "UPDATE products SET unit_price = unit_price + 1 WHERE product_id = 1" \
    -c "DELETE FROM order_details WHERE order_id = 10248" \
    -c "INSERT INTO region VALUES (5, 'Mitte')"
expect "run after changes" 0 --env postgres run --once
says "finds them" '^History/Northwind +2 +3360 +1 +1 +3 '
expect "verify in PostgreSQL" 0 --env postgres verify
says "all equal there" '^exact: 28 datasets'
finish
