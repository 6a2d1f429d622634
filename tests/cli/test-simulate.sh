#!/bin/sh
# simulate: deterministic, and its ledger is enough to recompute the source.
. "$(dirname "$0")/lib.sh"
need python3
cat >replay.py <<'PY'
"""replay.py LEDGER DATABASE: recomputes every table from the ledger and compares with the database."""
import json, sqlite3, struct, sys
tables = {}
last = 0
for line in open(sys.argv[1], encoding="utf-8"):
    change = json.loads(line)
    assert list(change) == ["tx", "at", "dataset", "op", "key", "row"], change
    assert change["tx"] in (last, last + 1), (last, change)
    last = change["tx"]
    rows = tables.setdefault(change["dataset"], {})
    key = json.dumps(change["key"], sort_keys=True)
    if change["op"] == "insert":
        assert key not in rows, change
        rows[key] = change["row"]
    elif change["op"] == "update":
        assert rows[key] != change["row"], change
        rows[key] = change["row"]
    else:
        assert change["op"] == "delete" and change["row"] is None, change
        del rows[key]
db = sqlite3.connect(sys.argv[2])
db.row_factory = sqlite3.Row
def same(stored, written):
    """Floats are text in the ledger, the shortest that a column of type real needs."""
    if isinstance(stored, float):
        return struct.pack("f", stored) == struct.pack("f", float(written))
    return (stored.hex() if isinstance(stored, bytes) else stored) == written
for name, rows in tables.items():
    stored = db.execute(f'SELECT * FROM "{name}"').fetchall()
    assert len(stored) == len(rows), (name, len(stored), len(rows))
    columns = json.loads(next(iter(rows))).keys()
    for row in stored:
        expected = rows[json.dumps({c: row[c] for c in columns}, sort_keys=True)]
        assert all(same(row[c], expected[c]) for c in row.keys()), (name, dict(row), expected)
PY
"$ds" init shop >/dev/null
expect "simulate makes what is missing" 0 -C shop simulate Store1 --changes 0
says "and says so" '^Store1: made 2 tables and 40 rows'
expect "a given number of changes" 0 -C shop simulate Store1 --changes 57 --format json
same "no more and no less" 57 "$(python3 -c 'import json,sys; r=json.load(open(sys.argv[1]))["result"]
print(sum(int(r[k]) for k in ("inserted", "updated", "deleted")))' "$out")"

for n in 1 2; do
    "$ds" init --template northwind nw$n >/dev/null
    "$ds" -C nw$n simulate NW_Data --rows 30 --changes 400 --seed 7 --ledger nw$n.jsonl >/dev/null
    "$ds" -C nw$n simulate NW_Data --changes 300 --seed 8 --ledger nw$n.jsonl >/dev/null
done
same "the same seed makes the same ledger" "$(cksum <nw1.jsonl)" "$(cksum <nw2.jsonl)"
python3 replay.py nw1.jsonl nw1/northwind.db 2>"$err" && ok "the ledger recomputes 14 tables" ||
    not_ok "the ledger recomputes 14 tables"
"$ds" -C nw2 simulate NW_Data --changes 100 --seed 9 --ledger nw2.jsonl >/dev/null
python3 replay.py nw2.jsonl nw2/northwind.db 2>"$err" && ok "also after a third run" || not_ok "also after a third run"
same "references go by the table's name, or by what people call it" "0 0" "$(sql nw1/northwind.db "SELECT
    (SELECT count(*) FROM orders WHERE customer_id NOT IN (SELECT customer_id FROM customers)) || ' ' ||
    (SELECT count(*) FROM orders WHERE ship_via NOT IN (SELECT shipper_id FROM shippers))")"
"$ds" -C nw1 apply >/dev/null
expect "northwind runs" 0 -C nw1 run --once
expect "northwind verifies" 0 -C nw1 verify

sqlite3 shop/customers.db 'PRAGMA journal_mode = DELETE' >/dev/null
expect "a source with a rollback journal" 0 -C shop simulate Store1 --changes 1
says "is said to be switched" '^Store1: its rollback journal became a WAL'
expect "once" 0 -C shop simulate Store1 --changes 1
silent "and not again" 'rollback journal'

# Several at once on one store: none gives up.
pids=
for seed in 1 2 3; do
    "$ds" -C shop simulate Store1 --changes 300 --seed $seed >"many$seed" 2>&1 &
    pids="$pids $!"
done
failures=0
for pid in $pids; do wait "$pid" || failures=$((failures + 1)); done
cat many1 many2 many3 >"$out"
same "three simulators at once" 0 $failures
refuses "unknown store" 2 'no datastore "Store2"' -C shop simulate Store2
complains "did you mean" 'did you mean "Store1"'
refuses "a transformer's store" 2 'made by the transformer of workspace MaskCustomers' -C shop simulate MaskedCustomers
rm shop/customers.db
refuses "--no-create without a database" 3 'no such file' -C shop simulate Store1 --no-create
sqlite3 shop/customers.db 'CREATE TABLE customers(id TEXT PRIMARY KEY)'
refuses "a table that does not fit" 1 'no such column' -C shop simulate Store1
refuses "a ledger that can't be written" 3 "can't open ledger" -C nw1 simulate NW_Data --ledger /nowhere/ledger.jsonl

# --rate alone goes on until Ctrl-C, and then ends well.
"$ds" -C nw1 simulate NW_Data --rate 200 --ledger rate.jsonl >"$out" 2>"$err" &
pid=$!
wait_for "a change" test -s rate.jsonl
kill -INT $pid
code=0
wait $pid || code=$?
same "Ctrl-C ends a simulation without an end" 0 $code
finish
