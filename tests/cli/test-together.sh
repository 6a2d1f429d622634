#!/bin/sh
# Everything at once on SQLite: a snapshot store and a watermark store, each with a primary platform that keeps history and
# a mirror, a SQL transformer and a program, and `run`, which is killed again and again while the sources and the model
# change. In the end every view is what its source, or its recomputation, is.
. "$(dirname "$0")/lib.sh"
need python3
trap 'kill -9 $runner 2>/dev/null || :; rm -rf "$work"' EXIT
runner=
mkdir shop
sql shop/crm.db "PRAGMA journal_mode = WAL;
    CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
    INSERT INTO customers SELECT i, 'name' || i, 'city' || (i % 7) FROM n" >.journal
sql shop/sales.db "PRAGMA journal_mode = WAL;
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, total INTEGER NOT NULL, changed INTEGER);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
    INSERT INTO orders SELECT i, i % 100 + 1, i * 3, i FROM n" >.journal
cat >shop/upper.py <<'PROGRAM'
#!/usr/bin/env python3
import json, os, sqlite3
context = json.load(open(os.environ["DATASURFACE_CONTEXT"]))
db = sqlite3.connect(context["connection"]["path"])
source, target = context["inputs"][0]["table"]["sql"], context["outputs"][0]["table"]["sql"]
db.execute("INSERT INTO " + target + " SELECT id, upper(name) FROM " + source)
db.commit()
PROGRAM
chmod +x shop/upper.py
shop_head >shop/model.yaml
cat >>shop/model.yaml <<'MODEL'
{kind: DataContainer, team: Z/T, name: CrmDb, type: sqlite, path: crm.db}
---
{kind: DataContainer, team: Z/T, name: SalesDb, type: sqlite, path: sales.db}
---
kind: Datastore
team: Z/T
name: Crm
capture: {type: sql_snapshot, container: CrmDb, max_delete_ratio: 1, trigger: {external: true}}
datasets:
  customers: {classification: pub, columns: {id: integer primary key, name: varchar(40) not null, city: varchar(40)}}
---
kind: Datastore
team: Z/T
name: Sales
capture:
  type: sql_watermark
  container: SalesDb
  max_delete_ratio: 1
  trigger: {external: true}
  watermark: {column: changed, overlap: 5}
datasets:
  orders:
    classification: pub
    columns: {id: integer primary key, customer: integer not null, total: integer not null, changed: integer}
---
kind: Workspace
team: Z/T
name: Reports
dataset_groups:
  live: {requires: {history: live}, sinks: [Crm/customers, Sales/orders, Totals/totals, Upper/customers]}
  audit: {requires: {history: full}, sinks: [Crm/customers, Sales/orders]}
---
kind: Workspace
team: Z/T
name: Totaller
dataset_groups: {input: {sinks: [Sales/orders, Crm/customers]}}
transformer:
  name: totals
  run:
    sql:
      totals: SELECT c.city AS city, sum(o.total) AS total FROM {input.Sales.orders} o JOIN {input.Crm.customers} c ON
        c.id = o.customer WHERE c.city IS NOT NULL GROUP BY c.city
  output:
    datastore: Totals
    max_delete_ratio: 1
    datasets: {totals: {classification: pub, columns: {city: varchar(40) primary key, total: bigint}}}
---
kind: Workspace
team: Z/T
name: Upperer
dataset_groups: {input: {sinks: [Crm/customers]}}
transformer:
  name: upper
  run: {command: {exec: [./upper.py], timeout: 30s}}
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
primary_ingestion: {Crm: Full, Sales: Full}
MODEL
cp shop/model.yaml first.yaml

batches()
{
    sql shop/merge.db "SELECT count(*) FROM datasurface__batch WHERE stream = '$1' AND status = 'committed'"
}

more_than()
{
    [ "$(batches "$1")" -gt "$2" ]
}

# round N: changes in both sources, each stream asked for
round()
{
    sql shop/crm.db "UPDATE customers SET name = name || 'x' WHERE id % 9 = $1 % 9; DELETE FROM customers WHERE id = $1 * 2;
        INSERT INTO customers (id, name, city) VALUES (1000 + $1, 'new$1', 'city' || ($1 % 5))"
    sql shop/sales.db "UPDATE orders SET total = total + 1, changed = 1000 + $1 WHERE id % 11 = $1 % 11;
        INSERT INTO orders (id, customer, total, changed) VALUES (1000 + $1, $1, 7, nullif(1000 + $1, 1003)); DELETE FROM orders WHERE id = $1"
    "$ds" -C shop trigger Full/Crm >/dev/null
    "$ds" -C shop trigger Full/Sales >/dev/null
}

start()
{
    "$ds" -C shop run --workers 4 >>run.out 2>>run.err </dev/null &
    runner=$!
}

# killed: kill -9 whatever it is at, and another one
killed()
{
    kill -9 $runner
    wait $runner 2>/dev/null || :
    start
}

# equal WHAT SELECT SELECT: the two have the same rows
equal()
{
    same "$1" 0 "$(sqlite3 -batch -noheader shop/merge.db "ATTACH 'shop/crm.db' AS crm; ATTACH 'shop/sales.db' AS sales;
        SELECT (SELECT count(*) FROM ($2 EXCEPT $3)) + (SELECT count(*) FROM ($3 EXCEPT $2))")"
}

# all_equal WHEN: after a sweep of what a watermark doesn't tell
all_equal()
{
    expect "verify $1" 0 -C shop verify
    expect "run --once $1" 0 -C shop run --once
    customers="SELECT id, name, city FROM crm.customers"
    orders="SELECT id, customer, total, changed FROM sales.orders"
    equal "primary of the snapshot $1" "$customers" "SELECT id, name, city FROM ws_reports__audit__crm__customers"
    equal "its mirror $1" "$customers" "SELECT id, name, city FROM ws_reports__live__crm__customers"
    equal "primary by watermark $1" "$orders" "SELECT id, customer, total, changed FROM ws_reports__audit__sales__orders"
    equal "its mirror $1" "$orders" "SELECT id, customer, total, changed FROM ws_reports__live__sales__orders"
    equal "the program's output $1" "SELECT id, upper(name) FROM crm.customers" \
        "SELECT id, name FROM ws_reports__live__upper__customers"
    equal "that of the SQL $1" "SELECT city, sum(total) FROM sales.orders o JOIN crm.customers c ON c.id = o.customer
        WHERE city IS NOT NULL GROUP BY city" "SELECT city, total FROM ws_reports__live__totals__totals"
}

applies()
{
    "$ds" -C shop apply >apply.out 2>&1
}

expect "apply" 0 -C shop apply
start
for n in 1 2 3 4 5 6 7 8; do
    was=$(batches Live/Upper)
    round $n
    [ $((n % 2)) = 0 ] || killed
    wait_for "what comes after the mirror in round $n" more_than Live/Upper "$was"
    [ $((n % 3)) != 0 ] || killed
done
ok "killed again and again"

# --- the model changes while it runs
sql shop/crm.db "ALTER TABLE customers ADD COLUMN phone TEXT DEFAULT '1'"
sed -i 's/city: varchar(40)}}$/city: varchar(40), phone: varchar(20)}}/' shop/model.yaml
sed -i 's/^  audit: .*/&\n  again: {requires: {history: live}, sinks: [Upper\/customers]}/;
    s/^  - {group: Reports.audit/  - {group: Reports\/again, platforms: [{platform: Live, status: provisioned}]}\n&/' shop/model.yaml
wait_for "a column and a group" applies
round 11
for step in 's/^primary_ingestion: .*/primary_ingestion: {Crm: Full}/' \
    's/type: sql_watermark/type: sql_snapshot/; s/^  watermark: .*/  staging: full/' \
    's/^primary_ingestion: .*/primary_ingestion: {Crm: Full, Sales: Full}/' \
    's/^  staging: full/  watermark: {column: changed, overlap: 5}/; s/container: SalesDb$/&\n  staging: deltas/; /^name: Sales$/,/^---/s/sql_snapshot/sql_watermark/'; do
    sed -i "$step" shop/model.yaml
    wait_for "apply of $step" applies
    was=$(batches Full/Sales)
    n=$((n + 12))
    round $n
    "$ds" -C shop trigger Live/Sales >/dev/null
    wait_for "a batch after $step" more_than Full/Sales "$was"
    killed
done
ok "mirrored or not, by watermark or not"
round 70
kill -TERM $runner
code=0
wait $runner || code=$?
runner=
same "SIGTERM drains" 0 $code
same "no failure on the way" 0 "$(sql shop/merge.db "SELECT count(*) FROM datasurface__event WHERE kind IN ('failed', 'repaired')")"
expect "what was open is done" 0 -C shop run --once
all_equal "in the end"
same "the other group sees the same" "$(sql shop/crm.db 'SELECT count(*) FROM customers')" \
    "$(sql shop/merge.db 'SELECT count(*) FROM ws_reports__again__upper__customers')"
same "the new column" "$(sql shop/crm.db 'SELECT count(phone) FROM customers')" \
    "$(sql shop/merge.db 'SELECT count(phone) FROM ws_reports__live__crm__customers')"

# --- a batch that changes nothing concerns no transformer, whatever was read for it
was="$(batches Live/Totals) $(batches Live/Upper)"
expect "a sweep of both" 0 -C shop resnapshot Full/Sales
expect "and of the other" 0 -C shop resnapshot Full/Crm
expect "run --once after it" 0 -C shop run --once
says "the transformer has nothing to do" '^Live/Totals +inputs unchanged$'
says "nor has the program" '^Live/Upper +inputs unchanged$'
same "no batch" "$was" "$(batches Live/Totals) $(batches Live/Upper)"
expect "status" 0 -C shop status
says "of a mirror" '^Live/Crm +ok .* after inputs'
says "of a watermark" '^Full/Sales orders: changed 1070'
expect "status in JSON" 0 -C shop status --format json

# --- what nobody uses any more
sed -i '/group: Reports.again/d; /^  again: /d' shop/model.yaml
expect "apply --prune" 0 -C shop apply --prune
same "the view is gone" 0 "$(sql shop/merge.db "SELECT count(*) FROM sqlite_master WHERE name LIKE 'ws_reports__again%'")"
expect "nothing is left to do" 0 -C shop plan
all_equal "after that"
finish
