#!/bin/sh
# Two schedulers on one merge database of a server: a cap of two connections holds for both together, counted at the
# server; every trigger makes one batch; a killed one's streams are taken over; one that waits is cancelled.
. "$(dirname "$0")/lib.sh"
. "$here/pg_lib.sh"
first=
second=
trap 'kill -9 $first $second 2>/dev/null || :; pg_clean >/dev/null 2>&1; rm -rf "$work"' EXIT

make_shop
make_merge
echo "SET ROLE shop_owner;
    SELECT format('CREATE TABLE t%s AS SELECT i AS id, ''word '' || i AS word FROM generate_series(1, 3000) AS i', n),
        format('ALTER TABLE t%s ADD PRIMARY KEY (id)', n) FROM generate_series(1, 6) AS n \gexec" | own | admin shop
{ block source; echo "GRANT SELECT ON ALL TABLES IN SCHEMA public TO shop_ro;"; } | own | admin shop
block merge | admin merge
import_shop shop
sed -i 's/^    cron: .*/    external: true/
    s/^  type: sql_snapshot/&\n  consistency: single_dataset/
    s/^name: shopDB/&\nlimits: {connections: 2}/' shop/model.yaml
expect "apply" 0 -C shop apply
expect "streams" 0 -C shop status --format json
python3 -c 'import json,sys
for s in json.load(open(sys.argv[1]))["result"]["streams"]: print(s["stream"])' "$out" >streams
same "one for each table and platform" 15 "$(wc -l <streams)"

# watch: the most of the source's connections that the server sees at a time, until the table `enough` has a row
watch()
{
    admin shop <<END
DO \$\$
DECLARE now integer; most integer := 0;
BEGIN
    LOOP
        PERFORM pg_stat_clear_snapshot();
        SELECT count(*) INTO now FROM pg_stat_activity WHERE datname = current_database() AND usename LIKE 'shop_ro%';
        most := greatest(most, now);
        EXIT WHEN EXISTS (SELECT FROM enough);
        PERFORM pg_sleep(0.0005);
    END LOOP;
    UPDATE enough SET most_connections = most;
END \$\$;
END
}

# batches N: every stream has committed so many
batches()
{
    [ "$(echo "SELECT count(*) FROM (SELECT stream FROM datasurface.batch WHERE status = 'committed'
        GROUP BY stream HAVING count(*) = $1) AS s" | admin merge)" = 15 ]
}

trigger_all()
{
    echo "INSERT INTO datasurface.trigger SELECT name, clock_timestamp() FROM datasurface.stream
        ON CONFLICT (stream) DO UPDATE SET wanted_at = excluded.wanted_at" | admin merge
}

echo "CREATE TABLE enough (most_connections integer)" | admin shop
watch &
watcher=$!
"$ds" -C shop run >one.out 2>one.err </dev/null &
first=$!
# The other one's password is in the URL only, and lasts longer than the model is needed.
"$ds" -C shop --merge "postgres://merge_rw_$unique:choose%20one@/merge_$unique?host=$host" run \
    >two.out 2>two.err </dev/null &
second=$!
for round in 1 2 3; do
    echo "UPDATE t$round SET word = 'round $round' WHERE id % 10 = 0" | admin shop
    trigger_all
    wait_for "round $round" batches $round
done
echo "INSERT INTO enough VALUES (NULL)" | admin shop
wait $watcher
same "two connections, never more" 2 "$(echo 'SELECT most_connections FROM enough' | admin shop)"
cat one.err two.err >"$err"
cat one.out two.out >"$out"
same "no failures" 0 "$(grep -c 'datasurface: error' "$err" || true)"
ok "every trigger is one batch: $(grep -c . one.out || true) and $(grep -c . two.out || true) with changes"

# --- one is killed, the other goes on
kill -9 $first
wait $first 2>/dev/null || true
first=
trigger_all
wait_for "the other one's batches" batches 4
kill -TERM $second
code=0
wait $second || code=$?
second=
same "it drains" 0 "$code"

# --- one that waits for a source table is told twice to end
mkfifo hold
admin shop <hold &
holder=$!
exec 9>hold
echo "BEGIN; LOCK TABLE t1;" >&9

# waiting: somebody asks for a lock of a table of shop that he doesn't get
waiting()
{
    [ "$(echo "SELECT count(*) > 0 FROM pg_locks JOIN pg_database AS d ON d.oid = database
        WHERE NOT granted AND datname = current_database()" | admin shop)" = t ]
}

# held: t1 is locked
held()
{
    [ "$(echo "SELECT count(*) FROM pg_locks WHERE relation = 't1'::regclass AND mode = 'AccessExclusiveLock' AND granted" |
        admin shop)" = 1 ]
}

wait_for "a lock of t1" held
"$ds" -C shop run >three.out 2>three.err </dev/null &
first=$!
trigger_all
wait_for "a job that waits" waiting
kill -TERM $first
wait_for "the answer" grep -q '^draining: ' three.err
kill -TERM $first
code=0
wait $first || code=$?
first=
cp three.err "$err"
same "a second signal cancels it" 143 "$code"
exec 9>&-
wait $holder
"$ds" -C shop run --once >"$out" 2>"$err" || not_ok "what was cancelled is finished"
expect "verify" 0 -C shop verify
same "no slot is left" 0 "$(echo "SELECT count(*) FROM datasurface.lease WHERE expires_at > now() AND stream NOT LIKE 'slot%'" | admin merge)"
finish
