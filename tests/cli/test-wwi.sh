#!/bin/sh
# The template with 31 datasets: every round of changes arrives on both platforms and behind the transformer; the history
# as of every batch is what the simulator's ledger says; and the same on PostgreSQL, where there is a server.
. "$(dirname "$0")/lib.sh"
need python3
expect "init" 0 init --template wwi importer
expect "source data" 0 -C importer simulate WWI_Data --changes 0
says "in 31 tables" '^WWI_Data: made 31 tables and 620 rows'
expect "apply" 0 -C importer apply
for round in 1 2 3; do
    [ $round = 1 ] || expect "round $round: changes" 0 -C importer simulate WWI_Data --changes 60 --seed $round
    expect "round $round: run" 0 -C importer run --once
    expect "round $round: verify" 0 -C importer verify
    says "round $round: all equal" '^exact: 55 datasets'
done
same "a place is a point with its SRID" "" "$(sql importer/wwi.db "SELECT location FROM cities
    WHERE location NOT LIKE 'SRID=4326;POINT(%)'")"
same "a border closes its rings" "" "$(sql importer/wwi.db "SELECT border FROM countries
    WHERE border NOT LIKE 'SRID=4326;MULTIPOLYGON(((%)))'")"
same "who is named exists" 0 "$(sql importer/wwi.db 'SELECT count(*) FROM orders
    WHERE salesperson_person_id NOT IN (SELECT person_id FROM people)')"
same "names are masked" 0 "$(sql importer/merge.db "SELECT count(*)
    FROM ws_customeranalytics__insights__masked_wwi_data__customers_masked WHERE customer_name NOT LIKE '_%***'")"
same "counted per city" "$(sql importer/wwi.db 'SELECT delivery_city_id, customer_category_id, count(*) FROM customers
    GROUP BY 1, 2 ORDER BY 1, 2')" "$(sql importer/merge.db "SELECT delivery_city_id, customer_category_id, customers
    FROM ws_customeranalytics__insights__masked_wwi_data__customers_per_city ORDER BY 1, 2")"
if python3 "$here/rounds.py" "$ds" wwi WWI_Data YellowForensic/WWI_Data Everything 3 >"$out" 2>"$err"; then
    ok "as of every batch: $(cat "$out")"
else
    not_ok "as of every batch"
fi

server=${DATASURFACE_TEST_POSTGRES:-}
[ -n "$server" ] && command -v psql >/dev/null || finish
unset PGHOST PGPORT PGDATABASE PGUSER PGPASSWORD PGPASSFILE PGSERVICE PGSSLMODE PGOPTIONS
name=wwi_$$_$(od -An -N3 -tx1 /dev/urandom | tr -d ' \n')

# pg DATABASE ARGS...: as superuser
pg()
{
    database=$1
    shift
    psql -X -q -At -v ON_ERROR_STOP=1 -h "$server" -U postgres -d "$database" "$@"
}

drop()
{
    for database in "source_$name" "merge_$name"; do
        pg postgres -c "DROP DATABASE IF EXISTS $database WITH (FORCE)" || true
    done
    pg postgres -c "DROP ROLE IF EXISTS $name" || true
}
trap 'drop >/dev/null 2>&1; rm -rf "$work"' EXIT
pg postgres -c "CREATE ROLE $name LOGIN PASSWORD 'choose one'" -c "CREATE DATABASE source_$name OWNER $name TEMPLATE template0" \
    -c "CREATE DATABASE merge_$name OWNER $name TEMPLATE template0"
export DATASURFACE_WWI_CRED_USER="$name" DATASURFACE_WWI_CRED_PASSWORD='choose one'
export DATASURFACE_MERGE_CRED_USER="$name" DATASURFACE_MERGE_CRED_PASSWORD='choose one'
expect "init for a server" 0 init --template wwi server
cat >server/server.yaml <<END
kind: Environment
name: server
containers:
  WWI_DB: {type: postgres, host: "$server", database: source_$name}
  MergeDB: {type: postgres, host: "$server", database: merge_$name}
END
export DATASURFACE_ENV=server
expect "lint for a server" 0 -C server lint
silent "without a warning" '(error|warning)'
expect "source data on a server" 0 -C server simulate WWI_Data --changes 0
expect "apply on a server" 0 -C server apply
expect "the views" 0 -C server --format json views
python3 -c 'import json, sys
for v in json.load(open(sys.argv[1]))["result"]["views"]:
    if v["kind"] == "live" and v["workspace"] == "Audit" and v["store"] == "WWI_Data":
        print(v["dataset"], v["select"])' "$out" >live
same "31 datasets have a live view" 31 "$(wc -l <live)"
pg "source_$name" -F ' ' -c "SELECT relname, string_agg(attname, ', ' ORDER BY attnum) FROM pg_class
    JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace GROUP BY 1" >columns
while read -r dataset select; do
    columns=$(sed -n "s/^$dataset //p" columns)
    printf '\\echo %s\nSELECT %s FROM %s ORDER BY 1;\n' "$dataset" "$columns" "$dataset" >>source.sql
    printf '\\echo %s\nSELECT %s FROM (%s) AS live ORDER BY 1;\n' "$dataset" "$columns" "${select%;}" >>merge.sql
done <live
for round in 1 2 3; do
    [ $round = 1 ] || expect "round $round on a server: changes" 0 -C server simulate WWI_Data --changes 60 --seed $round
    expect "round $round on a server: run" 0 -C server run --once
    expect "round $round on a server: verify" 0 -C server verify
    says "round $round on a server: all equal" '^exact: 55 datasets'
    pg "source_$name" -f source.sql >rows_source
    pg "merge_$name" -f merge.sql >rows_view
    same "round $round on a server: the views are the tables" "" "$(diff rows_source rows_view | head -4)"
done
finish
