#!/bin/sh
# A critical stream among a thousand low ones that are all due and read the same container, which bears two connections:
# it is the first whenever it is due, the low ones go on beside it, and the server never sees a third connection.
#
# What the scheduler knows it has from its last look, once a second; so the watcher that counts connections also notes
# when the scheduler's own connection has come to rest. After that a low stream may only begin where a worker had
# chosen it already: one for each of the two connections.
. "$(dirname "$0")/lib.sh"
. "$here/pg_lib.sh"
low=1000
scheduler=
trap 'kill -9 $scheduler 2>/dev/null || :; pg_clean >/dev/null 2>&1; rm -rf "$work"' EXIT

make_shop
make_merge
{ block source; cat <<END; } | own | admin shop
SET ROLE shop_owner;
SELECT format('CREATE TABLE t%s AS SELECT %s AS id', n, n) FROM generate_series(0, $low) AS n \gexec
GRANT SELECT ON ALL TABLES IN SCHEMA public TO shop_ro;
END
block merge | admin merge

# datasets FROM TO: those lines of a datastore
datasets()
{
    seq "$1" "$2" | sed 's/.*/  t&: {columns: {id: integer primary key}}/'
}

# sinks STORE FROM TO
sinks()
{
    seq "$2" "$3" | sed "s|.*|$1/t&|" | paste -sd ,
}

# store NAME PRIORITY FROM TO: a datastore and who reads it
store()
{
    cat <<END
---
kind: Datastore
team: Z/T
name: $1
capture: {type: sql_snapshot, container: ShopDB, credential: shop_ro, trigger: {external: true}, consistency: single_dataset}
datasets:
$(datasets "$3" "$4")
---
kind: Workspace
team: Z/T
name: Of$1
priority: $2
dataset_groups:
  live: {sinks: [$(sinks "$1" "$3" "$4")]}
END
}

mkdir model
{
    shop_head
    cat <<END
kind: DataContainer
team: Z/T
name: ShopDB
type: postgres
host: $pg
database: shop_$unique
limits: {connections: 2}
---
kind: PlatformService
name: Svc
merge: {container: MergeDB, credential: merge_rw}
containers:
  MergeDB: {type: postgres, host: $pg, database: merge_$unique}
platforms:
  Live: {type: yellow, milestoning: scd1}
assignments:
  - {group: OfTop/live, platforms: [{platform: Live, status: provisioned}]}
  - {group: OfLow/live, platforms: [{platform: Live, status: provisioned}]}
END
    store Top critical 0 0
    store Low low 1 $low
} >model/model.yaml
ds -C model apply
same "apply" 0 "$code"

# watch: until the table `enough` has a row. The most of the source's connections at a time goes there; when the
# scheduler's connection came to rest goes to `looks`.
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
        INSERT INTO looks SELECT state_change FROM pg_stat_activity
            WHERE datname = 'merge_$unique' AND application_name = 'datasurface run' AND state = 'idle'
            ON CONFLICT DO NOTHING;
        EXIT WHEN EXISTS (SELECT FROM enough);
        PERFORM pg_sleep(0.0005);
    END LOOP;
    UPDATE enough SET most_connections = most;
END \$\$;
END
}

# trigger PATTERN
trigger()
{
    echo "INSERT INTO datasurface.trigger SELECT name, clock_timestamp() FROM datasurface.stream WHERE name LIKE '$1'" \
        "ON CONFLICT (stream) DO UPDATE SET wanted_at = excluded.wanted_at RETURNING wanted_at" | admin merge | sort -u
}

# committed PATTERN N: so many batches of such streams
committed()
{
    [ "$(echo "SELECT count(*) FROM datasurface.batch WHERE status = 'committed' AND stream LIKE '$1'" | admin merge)" -ge "$2" ]
}

# low_between FROM TO: low batches that began in that time
low_between()
{
    echo "SELECT count(*) FROM datasurface.batch WHERE stream LIKE 'Live/Low/%' AND started_at > '$1' AND started_at < '$2'" |
        admin merge
}

# begun N: when the critical stream's batch N did
begun()
{
    echo "SELECT started_at FROM datasurface.batch WHERE stream = 'Live/Top/t0' AND batch_id = $1" | admin merge
}

# few WHAT N: at most two
few()
{
    if [ "$2" -le 2 ]; then ok "$1: $2"; else not_ok "$1: $2"; fi
}

echo "CREATE TABLE enough (most_connections integer); CREATE TABLE looks (at timestamptz PRIMARY KEY)" | admin shop
watch &
watcher=$!
trigger 'Live/%' >.triggered
"$ds" -C model run --workers 4 >"$out" 2>"$err" </dev/null &
scheduler=$!
round=1
for enough in 20 40 60; do
    wait_for "$enough low batches" committed 'Live/Low/%' $enough
    round=$((round + 1))
    trigger 'Live/Top/%' >wanted.$round
    wait_for "the critical stream's batch $round" committed 'Live/Top/%' $round
done
wait_for "80 low batches" committed 'Live/Low/%' 80
kill -TERM $scheduler
code=0
wait $scheduler || code=$?
scheduler=
echo "INSERT INTO enough VALUES (NULL)" | admin shop
wait $watcher

same "it drains" 0 "$code"
same "no failures" 0 "$(grep -c 'datasurface: error' "$err" || true)"
same "two connections, never more" 2 "$(echo 'SELECT most_connections FROM enough' | admin shop)"
few "of all, the critical stream is the first: low ones before it" "$(low_between -infinity "$(begun 1)")"
while [ $round -gt 1 ]; do
    # Four rests: two looks, the first of which may have begun before it was wanted.
    known=$(echo "SELECT at FROM looks WHERE at > '$(cat wanted.$round)' ORDER BY at OFFSET 3 LIMIT 1" | admin shop)
    few "low ones between its being known as due and its batch $round" "$(low_between "${known:-infinity}" "$(begun $round)")"
    round=$((round - 1))
done
same "each low one has run once, or waits" "$low" \
    "$(echo "SELECT count(*) FROM datasurface.stream AS s WHERE name LIKE 'Live/Low/%' AND (SELECT count(*)
        FROM datasurface.batch AS b WHERE b.stream = s.name) <= 1" | admin merge)"
if committed 'Live/Low/%' $low; then not_ok "there was nobody left to wait"; else ok "the others still wait"; fi
finish
