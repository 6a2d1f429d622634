#!/bin/sh
# What goes wrong in real life: exit code, a message that says what and where and what to do, and nothing lost.
. "$(dirname "$0")/lib.sh"
need sqlite3

# --- the model
refuses "a missing directory" 3 "nowhere" -C nowhere lint
mkdir empty
refuses "an empty model" 1 'there is no model in "empty"' -C empty lint
complains "says how to begin" 'datasurface init'
"$ds" init twice >/dev/null
cp twice/ecosystem.yaml twice/again.yaml
expect "two ecosystems" 1 -C twice lint
says "names both" 'ecosystem.yaml:[0-9]+:[0-9]+: error: '
"$ds" init dir >/dev/null
mkdir dir/dir.yaml
expect "a directory called like a model file" 0 -C dir lint
if [ "$(id -u)" != 0 ]; then
    "$ds" init unreadable >/dev/null
    chmod 000 unreadable/masked.yaml
    refuses "an unreadable file" 3 "masked.yaml.*[Pp]ermission" -C unreadable lint
    chmod 600 unreadable/masked.yaml
fi

# --- the source
applied_shop
before=$(sql shop/merge.db 'SELECT count(*), sum(length(firstname)) FROM ws_consumer1__live__store1__customers')
unchanged()
{
    same "$1: nothing is lost" "$before" \
        "$(sql shop/merge.db 'SELECT count(*), sum(length(firstname)) FROM ws_consumer1__live__store1__customers')"
}
# with_source WHAT: the source that follows on standard input takes the place of the good one
with_source()
{
    rm -f shop/customers.db*
    sqlite3 shop/customers.db
}
sqlite3 shop/customers.db 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
cp shop/customers.db good.db
restore()
{
    rm -rf shop/customers.db*
    cp good.db shop/customers.db
}
run_live='-C shop run --once --stream YellowLive/Store1'
mv shop/customers.db moved.db && rm -f shop/customers.db-*
# shellcheck disable=SC2086
refuses "a missing source file" 3 'YellowLive/Store1.*customers.db.*no such file' $run_live
complains "has a hint" '^  hint: '
unchanged "a missing source file"
expect "status shows it" 1 -C shop status --check
says "as failed" '^YellowLive/Store1 +failed .*no such file'
mkdir shop/customers.db
# shellcheck disable=SC2086
refuses "a directory instead of the file" 3 'is a directory' $run_live
rmdir shop/customers.db
echo 'this is no database, whatever its name says, and long enough to be read as one' >shop/customers.db
# shellcheck disable=SC2086
refuses "no database" 3 'not a database' $run_live
restore
expect "a source that is back needs nobody" 0 -C shop run --once

echo "ATTACH 'good.db' AS good; CREATE TABLE customers AS SELECT * FROM good.customers;" | with_source
# shellcheck disable=SC2086
refuses "a missing source table" 1 'source table "addresses" is missing' $run_live
unchanged "a missing source table"
restore
sqlite3 shop/customers.db 'ALTER TABLE customers RENAME COLUMN email TO mail'
# shellcheck disable=SC2086
refuses "a missing column" 1 'email' $run_live
unchanged "a missing column"
restore
sqlite3 shop/customers.db "UPDATE customers SET dob = 'a Tuesday' WHERE id = 'C000003'"
# shellcheck disable=SC2086
refuses "a value of another type" 1 "dob" $run_live
complains "names the row" "C000003"
unchanged "a value of another type"
restore
long=$(printf '%0101d' 1)
sqlite3 shop/customers.db "UPDATE customers SET lastname = '$long' WHERE id = 'C000003'"
# shellcheck disable=SC2086
refuses "a text that is too long" 1 'lastname' $run_live
unchanged "a text that is too long"

for bad in "NULL key" "duplicate key"; do
    { echo 'CREATE TABLE customers(id, firstname, lastname, dob, email, phone);'
      echo 'CREATE TABLE addresses(id, customer_id, street, city, state, zip);'
      echo "ATTACH 'good.db' AS good; INSERT INTO customers SELECT * FROM good.customers;"
      echo 'INSERT INTO addresses SELECT * FROM good.addresses;'
      case $bad in
      NULL*) echo "INSERT INTO customers VALUES (NULL, 'a', 'b', '2000-01-01', NULL, NULL);" ;;
      *) echo "INSERT INTO customers SELECT * FROM good.customers WHERE id = 'C000003';" ;;
      esac; } | with_source
    # shellcheck disable=SC2086
    refuses "a $bad" 1 'customers' $run_live
    case $bad in
    NULL*) complains "a $bad is named" 'null in (key )?column "id"|null.*"?id' ;;
    *) complains "a $bad is named" "C000003" ;;
    esac
    unchanged "a $bad"
done
restore
echo 'DELETE FROM customers; DELETE FROM addresses;' | sqlite3 shop/customers.db
# shellcheck disable=SC2086
refuses "a source that was emptied" 1 'accept-deletes|max_delete_ratio|would' $run_live
unchanged "a source that was emptied"
for command in 'run --once --stream YellowLive/Store1' 'job YellowLive/Store1'; do
    # shellcheck disable=SC2086
    ds -C shop $command --format json
    python3 - "$out" $code <<'PY' && ok "a guard in JSON: $command" || not_ok "a guard in JSON: $command"
import json, sys
e = json.load(open(sys.argv[1]))
stream, = e["result"]["streams"]
assert e["exit"] == 1 == int(sys.argv[2]) and stream["status"] == "guarded" and int(stream["batch"]) > 1, e
finding, = e["diagnostics"]
assert finding["severity"] == "error" and finding["object"] == "YellowLive/Store1" and finding["hint"], e
PY
done
expect "verify can't compare everything" 1 -C shop verify
silent "and does not say that all is exact" '^exact'
says "but how much" '^[0-9] of 3 streams could be compared'
expect "verify in JSON" 1 -C shop verify --format json
same "names the stream" YellowLive/Store1 "$(python3 -c 'import json,sys
print(json.load(open(sys.argv[1]))["diagnostics"][-1]["object"])' "$out")"
expect "status shows the guard" 1 -C shop status --check
says "as guarded" '^YellowLive/Store1 +guarded '
# shellcheck disable=SC2086
expect "--accept-deletes lets it pass" 0 $run_live --accept-deletes
same "then it is empty" 0 "$(sql shop/merge.db 'SELECT count(*) FROM ws_consumer1__live__store1__customers')"
restore
expect "and comes back" 0 -C shop run --once
unchanged "a source that was emptied and came back"

# --- a locked database: the source by another process, then the merge database
lock()
{
    rm -f locked unlock
    mkfifo unlock
    # The shell command of sqlite3 tells when the lock is held; a line into the pipe ends it.
    { echo 'PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;'
      echo '.shell touch locked'
      cat unlock; } | sqlite3 "$1" >/dev/null 2>&1 &
    locker=$!
    wait_for "the lock" test -e locked
}
unlock()
{
    echo 'ROLLBACK;' >unlock
    wait $locker || true
}
sqlite3 shop/customers.db 'PRAGMA journal_mode = DELETE' >/dev/null
lock shop/customers.db
# shellcheck disable=SC2086
refuses "a locked source" 3 'locked|busy' $run_live
unlock
lock shop/merge.db
# shellcheck disable=SC2086
refuses "a locked merge database" 3 'locked|busy' $run_live
unlock
expect "both are free again" 0 -C shop run --once

# --- the merge database
cp -r shop newer
sql newer/merge.db "UPDATE datasurface__meta SET value = '999' WHERE key = 'schema_version'"
refuses "a merge database of a newer version" 1 'newer' -C newer run --once
refuses "apply refuses it, too" 1 'newer' -C newer apply
"$ds" init taken >/dev/null
sqlite3 taken/merge.db 'CREATE TABLE ws_consumer1__live__store1__customers(mine)'
refuses "a view's name that is taken" 1 'ws_consumer1__live__store1__customers' -C taken apply
same "the table is still there" mine "$(sql taken/merge.db 'SELECT name FROM pragma_table_info("ws_consumer1__live__store1__customers")')"
complains "says that nothing happened" 'nothing was changed'
silent "and prints no change as if it was done" 'create'
sqlite3 taken/merge.db 'CREATE TABLE ws_consumer1__live__store1__addresses(mine)'
refuses "two views' names that are taken" 1 'refused: 2 changes .*nothing was changed' -C taken apply
complains "names the one" 'refused: view ws_consumer1__live__store1__customers'
complains "and the other" 'refused: view ws_consumer1__live__store1__addresses'
echo 'garbage garbage garbage garbage garbage garbage garbage' >taken/merge.db
refuses "a merge database that is none" 3 'not a database' -C taken apply

# A full disk: init takes back what it wrote, and can be repeated.
code=0
(
    ulimit -f 8
    exec "$ds" init half
) >"$out" 2>"$err" || code=$?
same "init on a full disk" 3 $code
same "leaves nothing behind" "" "$(ls -A half 2>/dev/null)"
expect "init again" 0 init half

# A full disk: the merge database may not grow.
"$ds" init full >/dev/null
"$ds" -C full simulate Store1 --rows 3000 --changes 0 >/dev/null
"$ds" -C full apply >/dev/null
code=0
(
    ulimit -f 300
    exec "$ds" -C full run --once --stream 'YellowLive/Store1'
) >"$out" 2>"$err" || code=$?
same "a full disk" 3 $code
complains "says so" 'full|space|I/O|limit'
expect "with room again it goes on" 0 -C full run --once
expect "and nothing is wrong" 0 -C full verify

# --- a store that leaves the model while its data stays
cp -r shop gone
rm gone/masked.yaml
sed 's/, MaskedCustomers\/customers//' shop/analytics.yaml >gone/analytics.yaml
expect "a store is removed" 0 -C gone plan
says "its data is kept" 'keep .*[Mm]asked'
expect "apply keeps it" 0 -C gone apply
same "the table is there" 1 "$(sql gone/merge.db "SELECT count(*) FROM sqlite_schema WHERE name = 'ds_yellowlive__maskedcustomers__customers'")"
expect "plan tells what is kept" 0 -C gone plan
says "by name" '^1 stream kept that the model no longer mentions: YellowLive/MaskedCustomers; apply --prune drops it$'
expect "status tells it, too" 0 -C gone status
says "by name as well" '^1 stream kept .*: YellowLive/MaskedCustomers'
expect "its batches are still on record" 0 -C gone batches YellowLive/MaskedCustomers
says "as they were" '^ +1 +committed '
for command in 'job YellowLive/MaskedCustomers' 'history Consumer1/live/MaskedCustomers/customers --as-of 1'; do
    # shellcheck disable=SC2086
    refuses "a stream that left: ${command%% *}" 2 'MaskedCustomers.* was removed from the model' -C gone $command
done
expect "plan --prune" 0 -C gone plan --prune
says "names a command that works" '^datasurface apply --prune does this; --plan '
silent "and has nothing to say of what is kept" 'stream kept'
prune=$(sed -n 's/.*--plan \([0-9a-f]*\) .*/\1/p' "$out")
expect "apply --prune drops it" 0 -C gone apply --prune --plan "$prune"
same "the table is gone" 0 "$(sql gone/merge.db "SELECT count(*) FROM sqlite_schema WHERE name = 'ds_yellowlive__maskedcustomers__customers'")"
expect "and nothing is left to do" 0 -C gone plan --exit-code

# --- Ctrl-C in the middle of a load
"$ds" init big >/dev/null
"$ds" -C big simulate Store1 --rows 20 --changes 0 >/dev/null
sqlite3 big/customers.db "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120000)
    INSERT INTO customers SELECT 'X' || i, 'a', 'b', '2000-01-01', NULL, NULL FROM n"
"$ds" -C big apply >/dev/null
fence()
{
    sqlite3 -cmd '.timeout 10000' big/merge.db "SELECT fence FROM datasurface__stream WHERE name = 'YellowLive/Store1'"
}
begun()
{
    [ "$(fence)" -gt "$before" ]
}
for signal in INT TERM; do
    before=$(fence)
    "$ds" -C big run --once --stream 'YellowLive/Store1' >"$out" 2>"$err" &
    pid=$!
    wait_for "the job to begin" begun
    kill -$signal $pid 2>/dev/null || true
    code=0
    wait $pid || code=$?
    if [ $code = 0 ]; then
        ok "it was done before the signal came" # a fast machine
    else
        same "interrupted by $signal" "$([ $signal = INT ] && echo 130 || echo 143)" $code
        complains "says that nothing is lost" 'hint: run it again'
    fi
done
expect "run again" 0 -C big run --once
expect "and nothing is wrong" 0 -C big verify
finish
