#!/bin/sh
# A store's consistency changes there and back, under a mirror, replicas of both, and a transformer: nothing is loaded
# again, and history goes on.
. "$(dirname "$0")/lib.sh"
mkdir shop
sql shop/crm.db "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO customers VALUES (1, 'ann'), (2, 'bob');
    CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER); INSERT INTO orders VALUES (1, 5)"

# model CONSISTENCY
model()
{
    shop_head >shop/model.yaml
    cat >>shop/model.yaml <<MODEL
{kind: DataContainer, team: Z/T, name: CrmDb, type: sqlite, path: crm.db}
---
{kind: DataContainer, team: Z/T, name: ReportsDb, type: sqlite, path: reports.db}
---
kind: Datastore
team: Z/T
name: Crm
capture: {type: sql_snapshot, container: CrmDb, consistency: $1, max_delete_ratio: 1, trigger: {external: true}}
datasets:
  customers: {classification: pub, columns: {id: integer primary key, name: varchar(40)}}
  orders: {classification: pub, columns: {id: integer primary key, total: integer}}
---
kind: Workspace
team: Z/T
name: Reports
container: ReportsDb
dataset_groups:
  live: {requires: {history: live}, sinks: [Crm/customers, Upper/customers]}
  audit: {requires: {history: full}, sinks: [Crm/customers, Crm/orders]}
---
kind: Workspace
team: Z/T
name: Extra
dataset_groups: {all: {requires: {history: full}, sinks: [Crm/customers, Crm/orders]}}
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
platforms: {Live: {type: yellow, milestoning: scd1}, Full: {type: yellow, milestoning: scd4}}
assignments:
  - {group: Reports/live, platforms: [{platform: Live, status: provisioned}]}
  - {group: Reports/audit, platforms: [{platform: Full, status: provisioned}]}
  - {group: Extra/all, platforms: [{platform: Full, status: provisioned}]}
primary_ingestion: {Crm: Full}
MODEL
}

change()
{
    n=$((${n:-0} + 1))
    sql shop/crm.db "INSERT INTO customers VALUES ($((n + 10)), 'c$n'); UPDATE customers SET name = name || '$n' WHERE id = 1;
        UPDATE orders SET total = total + 1"
}

versions()
{
    sql "shop/$1" "SELECT id, name, ds_batch_in, ds_batch_out FROM ds_full__crm__customers__h UNION ALL
        SELECT id, name, ds_batch_in, 0 FROM ds_full__crm__customers ORDER BY 1, 3;
        SELECT id, total, ds_batch_in, ds_batch_out FROM ds_full__crm__orders__h ORDER BY 1, 3"
}

# looks WHAT: everything has what the source has, and replicas have the primary's versions
looks()
{
    expect "$1: run" 0 -C shop run --once
    expect "$1: run again" 0 -C shop run --once
    same "$1: a replica has the versions of its stream" "$(versions merge.db)" "$(versions reports.db)"
    for view in ws_reports__live__crm__customers ws_reports__audit__crm__customers; do
        same "$1: $view" "$(sql shop/crm.db 'SELECT * FROM customers')" "$(sql shop/reports.db "SELECT * FROM $view ORDER BY id")"
    done
    same "$1: the transformer's output" "$(sql shop/crm.db 'SELECT id, upper(name) FROM customers')" \
        "$(sql shop/reports.db 'SELECT * FROM ws_reports__live__upper__customers ORDER BY id')"
    expect "$1: verify" 0 -C shop verify
}

model multi_dataset
expect "apply" 0 -C shop apply
looks "the beginning"
first=$(sql shop/merge.db "SELECT min(committed_at) FROM datasurface__batch WHERE stream = 'Full/Crm'")
change
looks "a change"

change
expect "the primary alone" 0 -C shop job Full/Crm
change
model single_dataset
expect "plan" 0 -C shop plan
says "datasets move" 'move  *table ds_full__crm__customers  *from stream Full/Crm, with its rows and the record'
expect "one stream for each dataset" 0 -C shop apply
expect "nothing is left to plan" 0 -C shop plan --exit-code
looks "one stream for each dataset"
expect "status" 0 -C shop status
silent "the former streams are shown no longer" 'Full/Crm(@ReportsDb)? '
expect "but their batches are" 0 -C shop batches Full/Crm
says "all of them" '^ +1 +committed '
refuses "a former stream runs no more" 2 'no stream "Full/Crm" was applied' -C shop job Full/Crm
change
expect "a dataset alone" 0 -C shop job Full/Crm/customers
expect "and once more" 0 -C shop job Full/Crm/customers
change
expect "once more" 0 -C shop job Full/Crm/customers

model multi_dataset
expect "one stream again" 0 -C shop apply
looks "one stream again"
expect "as of the beginning" 0 -C shop history Extra/all/Crm/customers --as-of "$first"
same "is what was there then" "id,name 1,ann 2,bob" "$(tr -d '\r' <"$out" | paste -sd ' ')"
same "nothing was loaded twice" "0" "$(sql shop/merge.db "SELECT count(*) FROM (SELECT dataset, sum(first_load) AS n
    FROM datasurface__dataset_batch WHERE stream LIKE 'Full/Crm%' GROUP BY dataset) WHERE n <> 1")"
expect "prune" 0 -C shop apply --prune
looks "after a prune"
expect "the record is still there" 0 -C shop history Extra/all/Crm/customers --as-of "$first"

# What a dataset did while it was alone is part of what a transformer says it has read, also when its input has its old
# name again.
model single_dataset
expect "alone again" 0 -C shop apply
change
expect "the primary of customers" 0 -C shop job Full/Crm/customers
expect "their mirror" 0 -C shop job Live/Crm/customers
model multi_dataset
expect "together again" 0 -C shop apply
looks "a transformer that has slept"
same "it says which batch it has read" "$(sql shop/merge.db "SELECT max(batch_id) FROM datasurface__dataset_batch
        WHERE stream LIKE 'Live/Crm%' AND dataset = 'customers' AND rows_updated > 0")" \
    "$(sql shop/merge.db "SELECT json_extract(position, '\$.\"Live/Crm/customers\"') FROM datasurface__batch
        WHERE stream = 'Live/Upper' ORDER BY batch_id DESC LIMIT 1")"
finish
