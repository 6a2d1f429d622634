#!/bin/sh
# run without --once: due, triggered, applied, drained, cancelled, killed, and two processes side by side.
. "$(dirname "$0")/lib.sh"
shop
sed -i 's/trigger: {cron: .*}/trigger: {external: true}/' shop/customers.yaml
grep -q 'external: true' shop/customers.yaml || not_ok "the store has an external trigger"
trap 'kill -9 $first $second 2>/dev/null || :; rm -rf "$work"' EXIT
first=
second=

# batches STREAM: how many are committed
batches()
{
    sql shop/merge.db "SELECT count(*) FROM datasurface__batch WHERE stream = '$1' AND status = 'committed'"
}

# at STREAM N: so many are
at()
{
    [ "$(batches "$1")" = "$2" ]
}

# start NAME: in the background, its streams in NAME.out and NAME.err; $pid is its process
start()
{
    "$ds" -C shop run >"$1.out" 2>"$1.err" </dev/null &
    pid=$!
    wait_for "the start of $1" grep -q '^running with' "$1.err"
}

# ends WHAT PID CODE: it ends, so
ends()
{
    code=0
    wait "$2" || code=$?
    case $2 in "$first") first= ;; *) second= ;; esac
    cp "$3.out" "$out"
    cp "$3.err" "$err"
    same "$1" "$4" "$code"
}

refuses "run of nothing applied" 1 'nothing has been applied' -C shop run
"$ds" -C shop apply >/dev/null
start one
first=$pid

# --- a trigger, and what comes after it
expect "trigger" 0 -C shop trigger YellowLive/Store1
says "says what it did" '^YellowLive/Store1: due now$'
wait_for "the triggered batch" at YellowLive/Store1 1
wait_for "the transformer after it" at YellowLive/MaskedCustomers 1
same "nobody asked for the other" 0 "$(batches YellowForensic/Store1)"
refuses "trigger of an unknown stream" 2 'no stream "YellowLive/Nothing"' -C shop trigger YellowLive/Nothing
sql shop/merge.db "INSERT INTO datasurface__trigger VALUES ('YellowForensic/Store1', '2000-01-01 00:00:00.000000+00:00')"
wait_for "a row does the same" at YellowForensic/Store1 1

# --- pause and resume
"$ds" -C shop pause YellowForensic/Store1 >/dev/null
"$ds" -C shop trigger YellowForensic/Store1 >/dev/null
"$ds" -C shop trigger YellowLive/Store1 >/dev/null
wait_for "a batch of another stream" at YellowLive/Store1 2
same "a paused stream waits" 1 "$(batches YellowForensic/Store1)"
"$ds" -C shop resume YellowForensic/Store1 >/dev/null
wait_for "and goes on when it is resumed" at YellowForensic/Store1 2
ok "pause, resume"

# --- apply: a stream that gets a cron line has never fired, so it is late
sed -i 's/trigger: {external: true}/trigger: {cron: "0 0 1 1 *"}/' shop/customers.yaml
sql shop/merge.db "UPDATE datasurface__batch SET started_at = '2020-01-01 00:00:00.000000+00:00'"
"$ds" -C shop apply >/dev/null
wait_for "what was applied is due" at YellowLive/Store1 3
wait_for "for every stream" at YellowForensic/Store1 3
ok "apply is noticed"
sed -i 's/trigger: {cron: .*}/trigger: {external: true}/' shop/customers.yaml
"$ds" -C shop apply >/dev/null

# --- two processes: each trigger makes one batch
start two
second=$pid
for n in 4 5 6 7 8 9; do
    "$ds" -C shop simulate Store1 --changes 3 --seed $n >/dev/null
    "$ds" -C shop trigger YellowLive/Store1 >/dev/null
    "$ds" -C shop trigger YellowForensic/Store1 >/dev/null
    wait_for "batch $n" at YellowLive/Store1 $n
    wait_for "batch $n of the other" at YellowForensic/Store1 $n
done
kill -TERM $second
ends "SIGTERM drains" $second two 0
complains "and says so" '^drained: [0-9]+ batch'
same "one batch for each trigger" "9 9" "$(batches YellowLive/Store1) $(batches YellowForensic/Store1)"

# --- killed in the middle of nothing, and of a batch
kill -9 $first
wait $first 2>/dev/null || true
first=
"$ds" -C shop trigger YellowLive/Store1 >/dev/null
start three
first=$pid
wait_for "what was wanted meanwhile" at YellowLive/Store1 10
ok "a trigger outlives the process"
sql shop/customers.db "ALTER TABLE customers RENAME TO elsewhere"
"$ds" -C shop trigger YellowLive/Store1 >/dev/null
wait_for "a failure" grep -q '^datasurface: error: ' three.err
wait_for "its record" sh -c "sqlite3 shop/merge.db 'SELECT retry_at FROM datasurface__batch WHERE attempts > 0' | grep -q ."
expect "status of a failure" 1 -C shop status --check
sql shop/customers.db "ALTER TABLE elsewhere RENAME TO customers"
expect "resume tries at once" 0 -C shop resume YellowLive/Store1
wait_for "which goes well" at YellowLive/Store1 11
kill -INT $first
ends "Ctrl-C drains, too" $first three 0

# --- a long batch: the first signal waits for it, the second does not
sed -i 's/^    rows_per_second: .*//; s/^\( *\)path: customers.db/&\n\1limits: {rows_per_second: 1}/' shop/*.yaml
"$ds" -C shop apply >/dev/null
same "apply writes caps" "CustomerDB 1" \
    "$(sql shop/merge.db "SELECT name || ' ' || rows_per_second FROM datasurface__container WHERE rows_per_second > 0")"
"$ds" -C shop trigger YellowForensic/Store1 >/dev/null
start four
first=$pid
wait_for "the beginning of a batch" sh -c "sqlite3 shop/merge.db \"SELECT status FROM datasurface__batch WHERE stream = 'YellowForensic/Store1' ORDER BY batch_id DESC LIMIT 1\" | grep -qv committed"
kill -TERM $first
wait_for "the answer" grep -q '^draining: 1 stream' four.err
kill -TERM $first
ends "a second signal cancels" $first four 143
complains "and says so" 'interrupted before all streams were done'
same "the batch is open" 9 "$(batches YellowForensic/Store1)"
finish
