#!/bin/sh
# Replicas between engines: from a server to another database of it and to a file, and from a file to a server; with a
# login and roles of their own there, one connection and one writer at a time where the container says so.
. "$(dirname "$0")/lib.sh"
. "$here/pg_lib.sh"
trap 'kill -9 $runner 2>/dev/null || :; reports_clean >/dev/null 2>&1; pg_clean >/dev/null 2>&1; rm -rf "$work"' EXIT
runner=

reports_clean()
{
    echo "DROP DATABASE IF EXISTS reports_$unique WITH (FORCE); DROP DATABASE IF EXISTS other_$unique WITH (FORCE);
        DROP ROLE IF EXISTS ws_explore__reports_$unique, ws_explore__other_$unique, reports_rw_$unique" |
        tr ';' '\n' | while read -r statement; do echo "$statement;" | admin postgres; done
}

for name in reports other; do
    [ $name = other ] || echo "CREATE ROLE reports_rw_$unique LOGIN CREATEROLE PASSWORD 'choose one'" | admin postgres
    echo "CREATE DATABASE ${name}_$unique OWNER reports_rw_$unique TEMPLATE template0" | admin postgres
done
export DATASURFACE_REPORTS_RW_USER="reports_rw_$unique" DATASURFACE_REPORTS_RW_PASSWORD='choose one'

make_shop
make_merge
block source | admin shop
block merge | admin merge
import_shop shop
cat >>shop/model.yaml <<MODEL
---
{kind: DataContainer, team: Main/data, name: ReportsDB, type: postgres, host: $host, database: reports_$unique, limits: {connections: 4, writers: 1}}
---
{kind: DataContainer, team: Main/data, name: FileDB, type: sqlite, path: file.db}
---
kind: Workspace
team: Main/data
name: Files
container: FileDB
dataset_groups:
  live: {sinks: [shop/customers, shop/visits]}
  history: {requires: {history: full}, sinks: [shop/customers]}
MODEL
sed -i 's/^name: Explore$/name: Explore\ncontainer: ReportsDB\ncredential: reports_rw/
    s/^assignments:/&\n  - {group: Files\/live, platforms: [{platform: Live, status: provisioned}]}\n  - {group: Files\/history, platforms: [{platform: History, status: provisioned}]}/' shop/model.yaml
ds -C shop lint
same "a model with replicas on two engines" 0 "$code"

# compare WHAT: both copies hold what is merged
versions="SELECT id, name, credit, ds_batch_in, CASE WHEN ds_batch_out < 9223372036854775807 THEN ds_batch_out END"
visits="SELECT count(*), count(DISTINCT page) FROM"
compare()
{
    merge=$(echo "$versions FROM ds_history.shop__customers ORDER BY 1, 4" | admin merge)
    same "$1: versions on the server" "$merge" "$(echo "$versions FROM ds_history.shop__customers ORDER BY 1, 4" | admin reports)"
    same "$1: versions in the file" "$merge" "$(sql shop/file.db "SELECT id, name, printf('%.2f', credit), ds_batch_in,
        CASE WHEN ds_batch_out < 9223372036854775807 THEN ds_batch_out END FROM ds_history__shop__customers ORDER BY 1, 4")"
    merge=$(echo "$visits ds_live.shop__visits" | admin merge)
    same "$1: rows without a key" "$merge $merge" "$(echo "$visits ws_explore.live__shop__visits" | admin reports) $(sql shop/file.db "$visits ws_files__live__shop__visits")"
}

expect "apply" 0 -C shop apply
says "a role for consumers is made where their views are" "create +role ws_explore__reports_$unique "
same "and nowhere else" 0 "$(echo "SELECT count(*) FROM information_schema.views WHERE table_schema LIKE 'ws_%'" | admin merge)"
expect "nothing is left to plan" 0 -C shop plan --exit-code
expect "run" 0 -C shop run --once
compare "first load"
same "consumers may read there" t "$(echo "SELECT has_table_privilege('ws_explore__reports_$unique', 'ws_explore.live__shop__customers', 'SELECT')" | admin reports)"
same "and not what is behind it" f "$(echo "SELECT has_schema_privilege('ws_explore__reports_$unique', 'ds_live', 'USAGE')" | admin reports)"
expect "copies are verified" 0 -C shop verify 'Live/shop@FileDB'
expect "and" 0 -C shop verify 'History/shop@ReportsDB'

# the scheduler: copies follow, one writer at a time
committed()
{
    [ "$(echo "SELECT count(*) FROM datasurface.batch WHERE status = 'committed' AND batch_id = $1" | admin reports)" = 2 ] &&
        [ "$(sql shop/file.db "SELECT count(*) FROM datasurface__batch WHERE status = 'committed' AND batch_id = $1")" = 2 ]
}
sed -i 's/^    cron: .*/    external: true/' shop/model.yaml
expect "by triggers" 0 -C shop apply
"$ds" -C shop run >run.out 2>run.err </dev/null &
runner=$!
for round in 2 3 4 5; do
    echo "UPDATE customers SET credit = credit + $round WHERE id LIKE '%$round'; DELETE FROM visits WHERE page = '/$round'" | admin shop
    for stream in Live/shop History/shop; do "$ds" -C shop trigger $stream >/dev/null; done
    wait_for "batch $round in both places" committed $round
done
kill -TERM $runner
wait $runner && code=0 || code=$?
cat run.out >"$out"
cat run.err >"$err"
same "it drains" 0 "$code"
compare "four rounds of run"
same "one writer at a time" 0 "$(echo "SELECT count(*) FROM datasurface.batch AS a JOIN datasurface.batch AS b
    ON a.stream < b.stream AND a.started_at < b.committed_at AND b.started_at < a.committed_at AND a.batch_id > 1" | admin reports)"

# the server that it is on is away
echo "ALTER DATABASE reports_$unique CONNECTION LIMIT 0; ALTER ROLE reports_rw_$unique CONNECTION LIMIT 0" | tr ';' '\n' |
    while read -r statement; do echo "$statement" | admin postgres; done
for round in 1 2 3; do
    echo "UPDATE customers SET credit = credit + 1 WHERE id LIKE '%$round'" | admin shop
    ds -C shop run --once
done
same "worth a retry" 3 "$code"
complains "and named" 'replicas in ReportsDB are left out'
echo "ALTER DATABASE reports_$unique CONNECTION LIMIT -1; ALTER ROLE reports_rw_$unique CONNECTION LIMIT -1" | tr ';' '\n' |
    while read -r statement; do echo "$statement" | admin postgres; done
expect "back again" 0 -C shop run --once
compare "three batches later"

# a merge database that is a file, with a copy on the server
sed "s/^  MergeDB: .*/  MergeDB: {type: sqlite, path: merge.db}/;s/^merge: .*/merge: {container: MergeDB}/;s/database: reports_/database: other_/" \
    shop/model.yaml >model.yaml
mkdir file
mv model.yaml file
expect "from a file to a server: apply" 0 -C file apply
expect "run" 0 -C file run --once
echo "UPDATE customers SET credit = NULL WHERE id LIKE '%7'; DELETE FROM customers WHERE id LIKE '%1'" | admin shop
expect "run again" 0 -C file run --once
same "versions are the same" "$(sql file/merge.db "SELECT id, printf('%.2f', credit), ds_batch_in FROM ds_history__shop__customers WHERE credit IS NOT NULL ORDER BY 1, 3")" \
    "$(echo "SELECT id, credit, ds_batch_in FROM ds_history.shop__customers WHERE credit IS NOT NULL ORDER BY 1, 3" | admin other)"
expect "verified" 0 -C file verify 'Live/shop@ReportsDB'
finish
