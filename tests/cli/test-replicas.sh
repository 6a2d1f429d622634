#!/bin/sh
# Workspaces with containers of their own: copies there, followed batch by batch, shared, given up and pruned.
. "$(dirname "$0")/lib.sh"
. "$here/git_lib.sh"
need python3
runner=
trap 'kill -9 $runner 2>/dev/null || :; rm -rf "$work"' EXIT
mkdir shop
sql shop/crm.db "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO customers VALUES (1, 'ann'), (2, 'bob');
    CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER); INSERT INTO orders VALUES (1, 5)"

# model REPORTS EXTRA: more of Reports and of Extra
model()
{
    shop_head >shop/model.yaml
    cat >>shop/model.yaml <<MODEL
{kind: DataContainer, team: Z/T, name: CrmDb, type: sqlite, path: crm.db}
---
{kind: DataContainer, team: Z/T, name: ReportsDb, type: sqlite, path: reports.db, limits: {writers: 1}}
---
kind: Datastore
team: Z/T
name: Crm
capture: {type: sql_snapshot, container: CrmDb, max_delete_ratio: 1, trigger: {external: true}}
datasets:
  customers: {classification: pub, columns: {id: integer primary key, name: varchar(40)${3:-}}}
  orders: {classification: pub, columns: {id: integer primary key, total: integer}}
---
kind: Workspace
team: Z/T
name: Reports
$1
dataset_groups:
  live: {requires: {history: live}, sinks: [Crm/customers, Upper/customers]}
  audit: {requires: {history: full}, sinks: [Crm/customers, Crm/orders]}
---
kind: Workspace
team: Z/T
name: Extra
$2
dataset_groups: {all: {sinks: [Crm/customers, Crm/orders]}}
---
kind: Workspace
team: Z/T
name: Upperer
dataset_groups: {input: {sinks: [Crm/customers]}}
transformer:
  name: upper
  run: {sql: {customers: 'SELECT id, upper(name) AS name FROM {input.Crm.customers}'}}
  output:
    datastore: Upper
    max_delete_ratio: 1
    datasets: {customers: {classification: pub, columns: {id: integer primary key, name: varchar(40)}}}
---
kind: PlatformService
name: Svc
merge: {container: Merge}
containers: {Merge: {type: sqlite, path: merge.db}}
platforms: {Live: {type: yellow, milestoning: scd1}, Full: {type: yellow, milestoning: scd2}}
assignments:
  - {group: Reports/live, platforms: [{platform: Live, status: provisioned}]}
  - {group: Reports/audit, platforms: [{platform: Full, status: provisioned}]}
  - {group: Extra/all, platforms: [{platform: Live, status: provisioned}]}
primary_ingestion: {Crm: Full}
MODEL
}

reports()
{
    sql shop/reports.db "$1"
}

# is WHAT ACTUAL EXPECTED
is()
{
    same "$1" "$3" "$2"
}

# again: one turn of all streams
again()
{
    "$ds" -C shop run --once >$out 2>$err || { echo "# $(cat $err)"; false; }
}

model "container: ReportsDb" ""
expect "a workspace has a container of its own" 0 -C shop lint
expect "its streams have copies in the graph" 0 -C shop graph
says "which are between a stream and its views" '^Ingest/Live/Upper \(medium\) -> Replica/Live/Upper@ReportsDb$'
says "and lead to them" '^Replica/Live/Crm@ReportsDb \(medium\) -> Export/Live/Reports/live/Crm/customers$'
expect "plan" 0 -C shop plan
says "plan has a part for each database" '^Svc in ReportsDb \(reports.db\)$'
says "a copy has a name of its own" 'create +stream Live/Crm@ReportsDb +1 dataset, scd1'
expect "apply" 0 -C shop apply
expect "nothing is left to plan" 0 -C shop plan --exit-code
is "views are in one database only" "$(sql shop/merge.db "SELECT count(*) FROM sqlite_master WHERE name LIKE 'ws_reports%'")" 0
is "and have no rows before the first batch" "$(reports "SELECT count(*) FROM ws_reports__live__crm__customers")" 0
expect "run: copies come after what they copy" 0 -C shop run --once
is "rows have arrived" "$(reports "SELECT group_concat(id || name) FROM ws_reports__live__crm__customers")" "1ann,2bob"
is "what transformers make, too" "$(reports "SELECT group_concat(id || name) FROM ws_reports__live__upper__customers")" "1ANN,2BOB"
sql shop/crm.db "UPDATE customers SET name = 'anna' WHERE id = 1; DELETE FROM customers WHERE id = 2"
"$ds" -C shop job Full/Crm >/dev/null
expect "status" 0 -C shop status
says "status says how far behind a copy is" '^Full/Crm@ReportsDb is 1 batch behind Full/Crm$'
expect "status as JSON" 0 -C shop status --format json
is "in JSON, too" "$(python3 -c "import json; print([s['batches_behind'] for s in json.load(open('$out'))['result']['streams']])")" "[None, '1', None, '1', '0', '0']"
again
is "the same versions with the same batches" "$(reports "SELECT id, name, ds_batch_in, ds_batch_out FROM ds_full__crm__customers ORDER BY 1, 3")" \
    "$(sql shop/merge.db "SELECT id, name, ds_batch_in, ds_batch_out FROM ds_full__crm__customers ORDER BY 1, 3")"
is "history views are there" "$(reports "SELECT group_concat(id || name || ds_batch_in) FROM (SELECT * FROM ws_reports__audit__crm__customers__history ORDER BY 1, 3)")" \
    "1ann1,1anna2,2bob1"
expect "a copy is verified" 0 -C shop verify Full/Crm@ReportsDb
says "verify says in which database" '^Full/Crm@ReportsDb +ReportsDb +customers '
expect "all are" 0 -C shop verify
says "of each row" '^Full/Crm +Merge +customers '
expect "verify as JSON" 0 -C shop verify --format json
is "in JSON, too" "$(python3 -c "import json; print(sorted({d['container'] for d in json.load(open('$out'))['result']['datasets']}))")" "['Merge', 'ReportsDb']"
expect "views" 0 -C shop views
says "views of the merge database" '^in Merge$'
says "and those of a replica" '^in ReportsDb$'
expect "views as JSON" 0 -C shop views --format json
is "say so, too" "$(python3 -c "import json; print(sorted({v['workspace'] + ' ' + v['container'] for v in json.load(open('$out'))['result']['views']}))")" "['Extra Merge', 'Reports ReportsDb']"

# a second workspace in the same database
model "container: ReportsDb" "container: ReportsDb"
expect "a second workspace moves in" 0 -C shop plan
says "its views leave the merge database" 'drop +view ws_extra__all__crm__orders'
says "the copy gets what it lacks" 'create +table ds_live__crm__orders'
silent "and shares what is there" 'create +table ds_live__crm__customers'
expect "apply" 0 -C shop apply
again
is "its view has rows" "$(reports "SELECT total FROM ws_extra__all__crm__orders")" 5
is "one copy for both" "$(reports "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name LIKE 'ds_live__crm__customers'")" 1

# the database is away for a while
mv shop/reports.db shop/away.db
mkdir shop/reports.db
sql shop/crm.db "INSERT INTO customers VALUES (3, 'cy')"
ds -C shop run --once
is "a copy that can't be reached is worth a retry" "$code" 3
complains "it is named" 'the replicas in ReportsDb are left out'
is "the others have gone on" "$(sql shop/merge.db "SELECT count(*) FROM ds_live__crm__customers")" 2
ds -C shop verify
is "a proof without it is none" "$code" 3
silent "and doesn't call itself one" '^exact'
expect "what is named and there is proved" 0 -C shop verify Full/Crm
sql shop/crm.db "INSERT INTO customers VALUES (4, 'di')"
ds -C shop run --once
"$ds" -C shop run >$out 2>$err </dev/null &
runner=$!
sql shop/crm.db "INSERT INTO customers VALUES (5, 'eve')"
"$ds" -C shop trigger Full/Crm >/dev/null
merged()
{
    [ "$(sql shop/merge.db "SELECT count(*) FROM ds_live__crm__customers WHERE id = 5")" = 1 ]
}
wait_for "run to go on without it" merged
kill -TERM $runner
wait $runner && code=0 || code=$?
is "run begins and drains without it" "$code" 0

# a run that follows a branch begins without it, too
git -C shop init -q -b main
git -C shop add model.yaml
git -C shop commit -q -m model
"$ds" -C shop run --follow main >$out 2>$err </dev/null &
runner=$!
sql shop/crm.db "UPDATE customers SET name = 'eva' WHERE id = 5"
"$ds" -C shop trigger Full/Crm >/dev/null
merged()
{
    [ "$(sql shop/merge.db "SELECT name FROM ds_live__crm__customers WHERE id = 5")" = eva ]
}
wait_for "run --follow to go on without it" merged
kill -TERM $runner
wait $runner && code=0 || code=$?
is "run --follow begins and drains without it" "$code" 0
rmdir shop/reports.db
mv shop/away.db shop/reports.db
again
is "it catches up in one batch" "$(reports "SELECT id, name, ds_batch_in FROM ds_full__crm__customers WHERE ds_batch_out > 99 ORDER BY 1")" \
    "$(sql shop/merge.db "SELECT id, name, ds_batch_in FROM ds_full__crm__customers WHERE ds_batch_out > 99 ORDER BY 1")"

# a column more
model "container: ReportsDb" "container: ReportsDb" ", city: varchar(20)"
sql shop/crm.db "ALTER TABLE customers ADD COLUMN city TEXT; UPDATE customers SET city = 'Bonn' WHERE id = 3"
expect "a column more" 0 -C shop apply
again
is "arrives" "$(reports "SELECT city FROM ws_reports__live__crm__customers WHERE id = 3")" Bonn

# upstream is built anew
sql shop/merge.db "DELETE FROM datasurface__batch WHERE stream = 'Full/Crm'; DELETE FROM datasurface__dataset_batch WHERE stream = 'Full/Crm';
    DELETE FROM ds_full__crm__customers; DELETE FROM ds_full__crm__orders; DELETE FROM ds_full__crm__customers__s; DELETE FROM ds_full__crm__orders__s" 2>/dev/null || :
"$ds" -C shop job Full/Crm >/dev/null
ds -C shop job Full/Crm@ReportsDb
is "lower batch ids are refused" "$code" 1
complains "and it says what to do" 'datasurface resnapshot Full/Crm@ReportsDb'
ds -C shop status --check
is "status finds it" "$code" 1
says "and tells" '^Full/Crm@ReportsDb +failed .*primary'
expect "resnapshot" 0 -C shop resnapshot Full/Crm@ReportsDb
expect "begins anew" 0 -C shop job Full/Crm@ReportsDb
expect "status" 0 -C shop status
says "has forgotten it" '^Full/Crm@ReportsDb +ok '
is "with the new history" "$(reports "SELECT count(*) FROM ds_full__crm__customers WHERE ds_batch_in > 1")" 0

# given up
model "" ""
expect "no workspace has the container any more" 0 -C shop plan
says "its views go" 'drop +view ws_reports__live__crm__customers'
says "its copies are kept" 'keep +stream Live/Crm@ReportsDb'
says "the views are in the merge database again" 'create +view ws_reports__live__crm__customers'
expect "apply" 0 -C shop apply
expect "nothing is left to plan" 0 -C shop plan --exit-code
is "with all rows at once" "$(sql shop/merge.db "SELECT count(*) FROM ws_reports__live__crm__customers")" 4
is "what was there is kept" "$(reports "SELECT count(*) FROM ds_live__crm__customers")" 4
expect "prune" 0 -C shop plan --prune
says "plan --prune finds it where it was" 'drop +table ds_live__crm__customers'
expect "apply --prune" 0 -C shop apply --prune
is "then it is gone" "$(reports "SELECT count(*) FROM sqlite_master WHERE name LIKE 'ds_live%' OR name LIKE 'ds_full%'")" 0
is "and forgotten" "$(sql shop/merge.db "SELECT count(*) FROM datasurface__meta WHERE key LIKE 'replica%'")" 0

# given up, and a retention keeps a part of it
model "container: ReportsDb" ""
sed -i 's/{history: full}/{history: full, retention: 7y}/' shop/model.yaml
expect "a retention, there" 0 -C shop apply
ds -C shop job Full/Crm@ReportsDb
is "a column that the primary has not given up yet is waited for" "$code" 3
complains "with the way" 'apply both, and run Full/Crm once'
expect "the primary" 0 -C shop job Full/Crm
expect "and rows" 0 -C shop job Full/Crm@ReportsDb
model "" ""
expect "given up once more" 0 -C shop apply
expect "apply --prune" 0 -C shop apply --prune
is "what no retention asks for is gone" "$(reports "SELECT count(*) FROM sqlite_master WHERE name LIKE 'ds_live%'")" 0
is "the rest is kept" "$(reports "SELECT count(*) FROM ds_full__crm__customers WHERE ds_batch_out > 99")" 4
expect "plan --prune" 0 -C shop plan --prune
says "and is still known" 'keep +stream Full/Crm@ReportsDb +a group required its retention'

# what can't be reached is not silently taken for done
mv shop/reports.db shop/away.db
mkdir shop/reports.db
ds -C shop plan
is "a former database that is away keeps nobody" "$code" 0
complains "but it is told" 'ReportsDb, which no workspace uses any more, stay as they are: .*reports.db'
finish
