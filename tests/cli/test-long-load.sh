#!/bin/sh
# A table that is too large for a batch, as a user sees its first load: status, job, run, verify. How large is too large
# can't be set here, so the load is begun by hand, with the row that a job writes when it finds such a table.
. "$(dirname "$0")/lib.sh"
need python3
shop

begin_load()
{
    sql shop/merge.db "INSERT INTO datasurface__restart VALUES ('$1', 'customers', '{\"format\": 1, \"phase\": \"ranges\",
        \"batch_in\": 1, \"rows_estimate\": 50, \"definition\": \"\", \"last\": []}', 0, '2026-01-01 00:00:00+00:00')"
}

expect "apply" 0 -C shop apply
begin_load YellowLive/Store1
begin_load YellowForensic/Store1
expect "status" 0 -C shop status
says "names a stream that loads" '^YellowLive/Store1 +loading '
says "how far it is" '^YellowLive/Store1 customers: 0 of about 50 rows are loaded$'
expect "status in JSON" 0 -C shop status --format json
python3 -c 'import json,sys; s=json.load(open(sys.argv[1]))["result"]["streams"]
loads={x["stream"]: x["loads"] for x in s}
assert loads["YellowLive/Store1"] == [{"dataset": "customers", "rows_loaded": "0", "rows_estimate": "50"}], loads
assert loads["YellowLive/MaskedCustomers"] == [], loads' "$out" && ok "the same" || not_ok "the same"

ds -C shop verify YellowLive/Store1
complains "verify says what it could not compare" 'not compared: customers: 0 of about 50 rows are loaded'
rows=$(sql shop/customers.db 'SELECT count(*) FROM customers')
expect "a job loads ranges after its batch" 0 -C shop job YellowLive/Store1
same "and wants to be called again" KEEP_WORKING "$(tail -1 "$out")"
says "says how far it is" "^customers: $rows rows are loaded, the next batch compares them$"
same "nobody sees a part" 0 "$(sql shop/merge.db 'SELECT count(*) FROM ws_consumer1__live__store1__customers')"
expect "the next job shows the rows" 0 -C shop job YellowLive/Store1
same "and is done" DONE "$(tail -1 "$out")"
same "all of them" "$(sql shop/customers.db 'SELECT * FROM customers ORDER BY id')" \
    "$(sql shop/merge.db 'SELECT * FROM ws_consumer1__live__store1__customers ORDER BY id')"

expect "run goes on to the end" 0 -C shop run --once
same "of all loads" 0 "$(sql shop/merge.db 'SELECT count(*) FROM datasurface__restart')"
same "all versions" "$rows" "$(sql shop/merge.db 'SELECT count(*) FROM ws_consumer1__audit__store1__customers__history')"
expect "verify" 0 -C shop verify
finish
