#!/bin/sh
# A store that is read by watermark, as a user sees it: lint, apply, job, status, verify, resnapshot.
. "$(dirname "$0")/lib.sh"
need python3
mkdir shop
sql shop/source.db "PRAGMA journal_mode = WAL;
    CREATE TABLE orders (id INTEGER PRIMARY KEY, total NUMERIC, changed TEXT NOT NULL);
    CREATE INDEX orders_changed ON orders (changed);
    INSERT INTO orders VALUES (1, 10, '2026-01-01 10:00:00'), (2, 20, '2026-01-01 11:00:00'),
        (3, 30, '2026-01-01 12:00:00');" >"$work/.journal"
shop_head >shop/model.yaml
cat >>shop/model.yaml <<'MODEL'
kind: DataContainer
team: Z/T
name: Source
type: sqlite
path: source.db
---
kind: Datastore
team: Z/T
name: Sales
capture:
  type: sql_watermark
  container: Source
  trigger: {external: true}
  watermark: {column: changed, overlap: 10m}
datasets:
  orders: {classification: pub, columns: {id: integer primary key, total: "decimal(9,2)", changed: timestamp not null}}
---
kind: Workspace
team: Z/T
name: Reports
dataset_groups:
  live: {requires: {history: live}, sinks: [Sales/orders]}
---
kind: PlatformService
name: Svc
merge: {container: Merge}
containers: {Merge: {type: sqlite, path: merge.db}}
platforms: {Live: {type: yellow, milestoning: scd1}}
auto_assign: true
MODEL

rows()
{
    sql shop/merge.db 'SELECT group_concat(id) FROM (SELECT id FROM ws_reports__live__sales__orders ORDER BY id)'
}

expect "lint" 0 -C shop lint
says "says what a watermark doesn't tell" 'deleted at the source of "Sales" stay: nothing sweeps \[L063\]'
expect "apply" 0 -C shop apply
expect "status before any batch" 0 -C shop status
says "knows no watermark" '^Live/Sales orders: changed not read yet$'
expect "the first batch reads all" 0 -C shop job Live/Sales
says "three rows" '^orders +3 +3 '
sql shop/source.db "UPDATE orders SET total = 21, changed = '2026-01-01 13:00:00' WHERE id = 2;
    INSERT INTO orders VALUES (4, 40, '2026-01-01 11:55:00'), (5, 50, '2026-01-01 11:45:00'); DELETE FROM orders WHERE id = 1"
expect "the next one what is new" 0 -C shop job Live/Sales
says "one that is late, one that has changed" '^orders +3 +1 +1 +0 +1 '
same "neither what is later than the overlap, nor that a row is gone" "1,2,3,4" "$(rows)"
expect "status" 0 -C shop status
says "shows the watermark" '^Live/Sales orders: changed 2026-01-01 13:00:00, all rows read 20.* UTC$'
expect "status in JSON" 0 -C shop status --format json
python3 -c 'import json,sys
marks=json.load(open(sys.argv[1]))["result"]["streams"][0]["watermarks"]
assert len(marks) == 1 and marks[0]["dataset"] == "orders", marks
assert marks[0]["watermark"] == "2026-01-01 13:00:00" and marks[0]["swept_at"].startswith("20"), marks' "$out" &&
    ok "the same" || not_ok "the same"
expect "verify reads all" 0 -C shop verify Live/Sales
same "and what had not been seen is there, or gone" "2,3,4,5" "$(rows)"
sql shop/source.db 'DELETE FROM orders WHERE id = 5'
expect "resnapshot" 0 -C shop resnapshot Live/Sales
expect "does so, too" 0 -C shop job Live/Sales
same "once" "2,3,4" "$(rows)"
expect "and then by watermark again" 0 -C shop job Live/Sales
says "one row" '^orders +1 +0 +0 +0 +1 '
finish
