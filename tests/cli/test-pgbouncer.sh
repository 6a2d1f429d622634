#!/bin/sh
# The way through with PgBouncer in transaction mode in front of source and merge database, and pools as small as
# docs/postgres.md says: two processes, streams with three readers.
. "$(dirname "$0")/lib.sh"
. "$here/pg_lib.sh"
pgbouncer=$(command -v pgbouncer || echo /usr/sbin/pgbouncer)
[ -x "$pgbouncer" ] || { echo "1..0 # SKIP pgbouncer is missing"; exit 0; }

pooler=${TMPDIR:-/tmp}/pooler-$unique
start_pooler()
{
    mkdir "$pooler"
    cat >"$pooler/ini" <<END
[databases]
shop_$unique = host=$pg port=5432 pool_size=6
merge_$unique = host=$pg port=5432 pool_size=5
[pgbouncer]
listen_port = 5432
unix_socket_dir = $pooler
logfile = $pooler/log
auth_type = scram-sha-256
auth_file = $pooler/users
auth_user = postgres
pool_mode = transaction
max_client_conn = 100
END
    echo '"postgres" ""' >"$pooler/users"
    if [ "$(id -u)" = 0 ]; then
        chown -R postgres "$pooler"
        setsid setpriv --reuid postgres --regid postgres --clear-groups --pdeathsig KILL "$pgbouncer" -q "$pooler/ini" &
    else
        setsid setpriv --pdeathsig KILL "$pgbouncer" -q "$pooler/ini" &
    fi
    pooler_pid=$!
    trap 'kill -9 "$pooler_pid"; pg_clean >/dev/null 2>&1; rm -rf "$work" "$pooler"' EXIT
    wait_for "the pooler" test -S "$pooler/.s.PGSQL.5432"
}

make_shop
make_merge
# large enough to be read in ranges of pages
echo "SET ROLE shop_owner; CREATE TABLE big (id integer PRIMARY KEY, word text) WITH (fillfactor = 10);
    INSERT INTO big SELECT i, 'word ' || i FROM generate_series(1, 60000) AS i" | own | admin shop
{ block source; own; } <<'END' | admin shop
GRANT SELECT ON big TO shop_ro;
END
block merge | admin merge
start_pooler
host=$pooler
import_shop shop
same "import" 0 "$code"
sed -i 's/^platforms:/hints: {streams: {shop: {workers: 3}}}\n&/' shop/model.yaml
expect "the model lints" 0 -C shop lint

expect "apply" 0 -C shop apply
expect "first load" 0 -C shop run --once
expect "verify" 0 -C shop verify
says "is exact" '^exact: 5 datasets'
for round in 1 2 3; do
    echo "UPDATE customers SET credit = $round WHERE id LIKE 'C%$round'; DELETE FROM visits WHERE page = '/$round';
        UPDATE big SET word = 'round $round' WHERE id % 50 = $round; DELETE FROM big WHERE id % 1000 = $round;
        INSERT INTO visits SELECT now(), '/new' FROM generate_series(1, $round)" | admin shop
    expect "changes $round" 0 -C shop run --once
done
expect "verify the changes" 0 -C shop verify
says "is exact, too" '^exact: 5 datasets'
silent "nothing was unchanged by mistake" 'DIFFERS'

# both JOB1 JOB2: two jobs at once; their exit codes
both()
{
    echo "UPDATE customers SET credit = credit + 1; UPDATE big SET word = word || '.' WHERE id % 20 = 0" | admin shop
    first=0 second=0
    "$ds" -C shop job "$1" --lease-wait 60s >first 2>&1 &
    other=$!
    "$ds" -C shop job "$2" --lease-wait 60s >second 2>&1 || second=$?
    wait $other || first=$?
    cat first second >"$out"
}
both Live/shop History/shop
same "two streams at once" "0 0" "$first $second"
both Live/shop Live/shop
same "one stream, twice at once" "0 0" "$first $second"
same "in two batches" 2 "$(sed -n 's/^Live\/shop batch \([0-9]*\):.*/\1/p' first second | sort -u | wc -l)"

for delay in 0.02 0.05 0.1 0.15 0.2 0.3; do
    echo "UPDATE big SET word = word || '!' WHERE id % 10 = 1" | admin shop
    timeout -s KILL $delay "$ds" -C shop job History/shop >"$out" 2>"$err" || true
    expect "a job after one that was killed after $delay s" 0 -C shop job History/shop --lease-wait 0s
done
expect "verify after the kills" 0 -C shop verify
says "is still exact" '^exact: 5 datasets'

same "all went through the pooler" "merge_rw_$unique shop_ro_$unique" \
    "$(sed -n 's/.*login attempt: db=[^ ]* user=\([^ ]*\) .*/\1/p' "$pooler/log" | sort -u | grep "$unique" | tr '\n' ' ' | sed 's/ $//')"
# What is left on the pooler's connections, each looked at in a transaction of its own
default="SELECT concat_ws(' ', current_setting('search_path'), current_setting('row_security'), current_setting('jit'),
    current_setting('lock_timeout'), (SELECT count(*) FROM pg_prepared_statements),
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()))"
for i in 1 2 3; do
    same "nothing is left on a server's connection" '"$user", public on on 0 0 0' "$(as merge_rw merge "$default")"
done
finish
