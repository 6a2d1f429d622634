#!/bin/sh
# plan, apply, run, job, views, status, batches, verify, history, pause, resnapshot, reset: the way through.
. "$(dirname "$0")/lib.sh"
need python3
shop

refuses "run before apply" 1 'nothing has been applied' -C shop run --once
complains "says what to do" 'datasurface apply'
refuses "status before apply" 1 'nothing has been applied' -C shop status
expect "plan" 0 -C shop plan
says "lists what would be made" 'create .*view ws_consumer1__live__store1__customers'
id=$(sed -n 's/^plan \([0-9a-f]*\):.*/\1/p' "$out")
expect "plan is the same again" 0 -C shop plan
says "with the same id" "^plan $id:"
expect "plan --exit-code" 10 -C shop plan --exit-code
refuses "apply of another plan" 1 'plan 0123 is out of date' -C shop apply --plan 0123
expect "apply of this plan" 0 -C shop apply --plan "$id"
says "ends with ready SELECTs" '^    SELECT \* FROM ws_consumer1__audit__store1__customers__history;$'
while read -r select; do
    sql shop/merge.db "$select" >/dev/null 2>"$err" || not_ok "a view's SELECT runs: $select"
done <<END
$(sed -n 's/^    \(SELECT .*\)/\1/p' "$out")
END
ok "every view's SELECT runs"
expect "plan after apply" 0 -C shop plan --exit-code
says "has nothing to do" 'nothing to change'
expect "apply again" 0 -C shop apply
says "does nothing" 'nothing to change'
expect "status: new" 0 -C shop status
expect "status --check of streams that never ran" 1 -C shop status --check

expect "run" 0 -C shop run --once
same "transformers come after their inputs" "YellowLive/MaskedCustomers" "$(tail -2 "$out" | cut -d' ' -f1 | head -1)"
says "with counts" '^YellowLive/Store1 +1 +[0-9]+ +[0-9]+ +0 +0 +0 +[0-9.]+ k?B +[0-9.]+( +[0-9]+)?$'
says "with each dataset" '^  customers +[0-9]+ +[0-9]+ +0 +0 +0 +[0-9.]+ k?B +[0-9.]+( +[0-9]+)?$'
says "with a total" '^total +[0-9]+ +[0-9]+ +0 +0 +0 +[0-9.]+ k?B +[0-9.]+( +[0-9]+)?$'
same "live rows" "$(sql shop/customers.db 'SELECT * FROM customers ORDER BY id')" \
    "$(sql shop/merge.db 'SELECT * FROM ws_consumer1__live__store1__customers ORDER BY id')"
same "masked rows" "$(sql shop/customers.db "SELECT id, substr(lastname, 1, 1) || '***' FROM customers ORDER BY id")" \
    "$(sql shop/merge.db 'SELECT id, lastname FROM ws_consumer1__live__maskedcustomers__customers ORDER BY id')"
expect "run of an unchanged source" 0 -C shop run --once
says "changes nothing" '^YellowLive/Store1 +2 +[0-9]+ +0 +0 +0 '
says "and leaves transformers alone" 'MaskedCustomers +inputs unchanged'
expect "run of some streams" 0 -C shop run --once --stream 'YellowFor*'
silent "and of no others" YellowLive
refuses "run of nothing" 2 'no stream matches "X\*"' -C shop run --once --stream 'X*'
expect "run in JSON" 0 -C shop run --once --format json
python3 -c 'import json,sys; s=json.load(open(sys.argv[1]))["result"]["streams"]; assert len(s)==3
assert {x["status"] for x in s} == {"committed", "none"} and isinstance(s[0]["batch"], str), s
d=[x for x in s if x["stream"] == "YellowLive/Store1"][0]["datasets"]; assert [x["dataset"] for x in d] == ["customers", "addresses"], d
assert all(int(x["read"]) > 0 and int(x["bytes"]) > 0 and x["seconds"] >= 0 and x["unchanged"] == x["read"] for x in d), d' "$out" &&
    ok "the envelope of run" || not_ok "the envelope of run"

expect "job" 0 -C shop job YellowLive/Store1
same "ends with DONE" DONE "$(tail -1 "$out")"
says "tells of each dataset" '^addresses +[0-9]+ +0 +0 +0 +[0-9]+ +'
says "and of all" '^total +[0-9]+ +0 +0 +0 +[0-9]+ +'
refuses "job of an unknown stream" 2 'no stream "YellowLive/Store2"' -C shop job YellowLive/Store2
complains "did you mean a stream" 'did you mean "YellowLive/Store1"'
(cd / && ds --merge "sqlite:$work/shop/merge.db" -C "$work/shop" job YellowLive/Store1)
same "job without a model" DONE "$(tail -1 "$out")"
mkdir elsewhere && cp shop/customers.db* elsewhere/
expect "job with --merge and no checkout" 0 --merge "sqlite:shop/merge.db" -C elsewhere job YellowLive/Store1
expect "views without a model" 0 --merge "sqlite:shop/merge.db" -C / views
# Two workspaces of the same shape: where we stand doesn't decide which source is read.
mkdir other && cp shop/merge.db* shop/customers.db* other/
sql other/customers.db "UPDATE customers SET lastname = 'Elsewhere'"
elsewhere="SELECT count(*) FROM ws_consumer1__live__store1__customers WHERE lastname = 'Elsewhere'"
(cd other && "$ds" --merge "sqlite:$work/shop/merge.db" job YellowLive/Store1 >"$out" 2>"$err") ||
    not_ok "job from another workspace"
same "a source is looked for beside the merge file" 0 "$(sql shop/merge.db "$elsewhere")"
(cd shop && "$ds" -C "$work/other" --merge "sqlite:$work/other/merge.db" job YellowLive/Store1 >"$out" 2>"$err") ||
    not_ok "job with -C"
same "-C decides when it is given" "$(sql other/customers.db 'SELECT count(*) FROM customers')" \
    "$(sql other/merge.db "$elsewhere")"
rm -r other
refuses "--merge of what is no URL" 2 "can't be \"shop/merge.db\"" --merge shop/merge.db status

expect "views" 0 -C shop views Consumer1
refuses "views of nobody" 2 'workspace "Consumer" has no views' -C shop views Consumer
expect "views in JSON" 0 -C shop views --format json
python3 -c 'import json,sys; v=json.load(open(sys.argv[1]))["result"]["views"]; assert len(v)==7
assert {x["kind"] for x in v}=={"live","history"} and v[0]["select"].startswith("SELECT")' "$out" &&
    ok "the envelope of views" || not_ok "the envelope of views"

expect "status" 0 -C shop status --check
says "tells the state" '^YellowLive/Store1 +ok +[0-9]+ '
sql shop/merge.db "UPDATE datasurface__batch SET committed_at = '2026-01-01 00:07:30+00:00' WHERE stream = 'YellowLive/Store1'"
expect "status --check of a late stream" 1 -C shop status --check
says "when it was due" '^YellowLive/Store1 +late .* 2026-01-01 00:10:00 UTC'
"$ds" -C shop run --once >/dev/null
expect "status in JSON" 0 -C shop status --format json
python3 -c 'import json,sys
for s in json.load(open(sys.argv[1]))["result"]["streams"]:
    assert {"stream","platform","state","batch","lag_s","next_due","last_error","paused"} <= set(s), s' "$out" &&
    ok "the envelope of status" || not_ok "the envelope of status"
expect "batches" 0 -C shop batches YellowForensic/Store1 --limit 2
same "newest first, and no more than asked for" 3 "$(wc -l <"$out")"
expect "batches in JSON" 0 -C shop batches YellowForensic/Store1 --format json
python3 -c 'import json,sys
b=json.load(open(sys.argv[1]))["result"]["batches"]; assert b[-1]["batch"]=="1" and len(b[0]["fingerprint"])==32
assert {"batch","status","started_at","ended_at","read","inserted","updated","deleted","unchanged","fingerprint","error"} <= set(b[0])' \
    "$out" && ok "the envelope of batches" || not_ok "the envelope of batches"

# History: as of a batch it is what the source was then.
before=$(sql shop/customers.db 'SELECT id FROM customers ORDER BY id')
batch=$("$ds" -C shop job YellowForensic/Store1 | sed -n 's/.* batch \([0-9]*\):.*/\1/p')
"$ds" -C shop simulate Store1 --changes 40 --seed 9 >/dev/null
"$ds" -C shop run --once >/dev/null
expect "history" 0 -C shop history Consumer1/audit/Store1/customers --as-of "$batch"
same "as of a batch" "$before" "$(tail -n +2 "$out" | cut -d, -f1 | sort)"
same "with the names" "id,firstname,lastname,dob,email,phone" "$(head -1 "$out" | tr -d '\r')"
expect "as of now" 0 -C shop history Consumer1/audit/Store1/customers --as-of 2999-01-01
same "is the source" "$(sql shop/customers.db 'SELECT id FROM customers ORDER BY id')" \
    "$(tail -n +2 "$out" | cut -d, -f1 | sort)"
expect "history in JSON" 0 -C shop history Consumer1/audit/Store1/customers --as-of 1 --format json
python3 -c 'import json,sys
e=json.load(open(sys.argv[1])); r=e["result"]; assert e["exit"]==0 and e["diagnostics"]==[] and e["command"]=="history"
assert r["as_of"]=="1" and len(r["rows"])>5 and r["rows"][0]["id"].startswith("C"), e' "$out" &&
    ok "the envelope of history" || not_ok "the envelope of history"
ds -C shop history Consumer1/audit/Store1/customers --as-of 999 --format json
python3 -c 'import json,sys
e=json.load(open(sys.argv[1])); assert e["exit"]==1 and len(e["diagnostics"])==1 and e["result"]["rows"]==[], e' "$out" &&
    ok "the envelope of no history" || not_ok "the envelope of no history"
refuses "before the beginning" 1 'before' -C shop history Consumer1/audit/Store1/customers --as-of 2001-01-01
same "and nothing on stdout" "" "$(cat "$out")"
refuses "after the end" 1 '999' -C shop history Consumer1/audit/Store1/customers --as-of 999
refuses "of nothing" 2 'no consumer has "Consumer1/audit/Store1/customer"' -C shop history \
    Consumer1/audit/Store1/customer --as-of 1
refuses "as of nonsense" 2 "can't be \"yesterday\"" -C shop history Consumer1/audit/Store1/customers --as-of yesterday
refuses "as of nothing" 2 'wants --as-of' -C shop history Consumer1/audit/Store1/customers

expect "verify" 0 -C shop verify
says "is exact" '^exact: 5 datasets'
expect "verify in JSON" 0 -C shop verify --format json
python3 -c 'import json,sys
d=json.load(open(sys.argv[1]))["result"]["datasets"]; assert len(d)==5 and all(x["equal"] and x["source"]==x["merge"] for x in d)' \
    "$out" && ok "the envelope of verify" || not_ok "the envelope of verify"
table=$(sql shop/merge.db "SELECT name FROM sqlite_schema WHERE type='table' AND name LIKE 'ds_yellowlive__store1__customers'")
sql shop/merge.db "UPDATE $table SET lastname = 'Mallory' WHERE id = (SELECT min(id) FROM $table)"
expect "verify finds damage" 1 -C shop verify YellowLive/Store1
says "and names the key" "id='C"
says "and both fingerprints" ' in merge$'
says "and what to do" 'resnapshot STREAM'
expect "resnapshot" 0 -C shop resnapshot YellowLive/Store1
expect "repairs" 0 -C shop run --once
expect "what was damaged" 0 -C shop verify YellowLive/Store1

expect "pause" 0 -C shop pause YellowLive/Store1
expect "run leaves it out" 0 -C shop run --once
says "and says so" '^YellowLive/Store1 +paused'
expect "resume" 0 -C shop resume YellowLive/Store1
expect "run takes it in" 0 -C shop run --once
says "again" '^YellowLive/Store1 +[0-9]+ '
expect "reset without an open batch" 0 -C shop reset YellowLive/Store1
says "has nothing to do" 'no batch is open'

# Another environment: the same model on other databases.
cat >shop/laptop.yaml <<'END'
# yaml-language-server: $schema=datasurface.schema.json
kind: Environment
name: laptop
containers:
  MergeDB: {type: sqlite, path: laptop.db}
END
expect "apply in an environment" 0 -C shop --env laptop apply
[ -s shop/laptop.db ] && ok "goes to its database" || not_ok "goes to its database"
DATASURFACE_ENV=laptop expect "run by \$DATASURFACE_ENV" 0 -C shop run --once
refuses "unknown environment" 2 'laptpo' -C shop --env laptpo lint
refuses "unknown service" 2 'no PlatformService "Yellow"' -C shop --service Yellow plan
expect "one service" 0 -C shop --service Yellow_NY plan

# A model that has moved since apply is one line on stderr, and the work goes on.
"$ds" -C shop apply >/dev/null
echo '# a thought' >>shop/analytics.yaml
ds -C shop run --once
same "a model that has moved since apply: exit" 0 $code
complains "a model that has moved since apply" 'warning: the model in "shop" differs from what was applied'
same "said once" 1 "$(wc -l <"$err")"
"$ds" -C shop apply >/dev/null
expect "until apply" 0 -C shop run --once

# The documentation's example runs on a laptop.
cp -r "$root/tests/data/example" example
expect "the example: source data" 0 -C example --env laptop simulate Store1
expect "the example: apply" 0 -C example --env laptop apply
expect "the example: run" 0 -C example --env laptop run --once
expect "the example: verify" 0 -C example --env laptop verify
refuses "the example as written wants a server that is not there" 3 'merge.internal' -C example plan
finish
