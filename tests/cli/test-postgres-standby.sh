#!/bin/sh
# A hot standby is a source like another, with several readers, too; as a merge database it is refused.
. "$(dirname "$0")/lib.sh"
unset DATASURFACE_TEST_POSTGRES # a primary of its own
. "$here/pg_lib.sh"
bin=$(dirname "$(ls -d /usr/lib/postgresql/*/bin/pg_basebackup 2>/dev/null | tail -1)")
[ -x "$bin/pg_basebackup" ] || { echo "1..0 # SKIP pg_basebackup is missing"; exit 0; }

standby=${TMPDIR:-/tmp}/standby-$unique
as_server()
{
    if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --clear-groups -- "$@"; else "$@"; fi
}

start_standby()
{
    mkdir -m 700 "$standby"
    [ "$(id -u)" != 0 ] || chown postgres "$standby"
    cd "$standby"
    trap 'cd /; as_server "$bin/pg_ctl" -D "$standby/data" -s -m immediate stop; pg_clean >/dev/null 2>&1
        rm -rf "$work" "$standby"' EXIT
    as_server "$bin/pg_basebackup" -h "$pg" -U postgres -D "$standby/data" -R -X stream -c fast
    as_server "$bin/pg_ctl" -D "$standby/data" -o "-c unix_socket_directories=$standby" -l "$standby/log" -s -w start
    cd "$work"
}

# Everything that the primary has written by now.
wait_for_replay()
{
    position=$(echo 'SELECT pg_current_wal_insert_lsn()' | admin postgres)
    wait_for "the standby" sh -c "psql -X -At -h '$standby' -U postgres \
        -c \"SELECT pg_last_wal_replay_lsn() >= '$position'\" | grep -q t"
}

make_shop
make_merge
block source | admin shop
block merge | admin merge
start_standby
host=$standby
import_shop shop
sed -i "s|host: .*, database: merge|host: $pg, database: merge|; s/^platforms:/hints: {streams: {shop: {workers: 3}}}\n&/" shop/model.yaml
expect "apply" 0 -C shop apply
expect "first load" 0 -C shop run --once
echo "UPDATE customers SET credit = 0 WHERE id < 'C5'; DELETE FROM visits WHERE page = '/1'" | admin shop
wait_for_replay
expect "changes" 0 -C shop run --once
says "come over" '^  visits +160 +0 +0 +40 +160 '
expect "verify" 0 -C shop verify
says "is exact" '^exact: 3 datasets'
sed -i "s|host: $pg, database: merge|host: $standby, database: merge|" shop/model.yaml
wait_for_replay
refuses "a standby as merge database" 3 'the server is a standby, which only allows reading' -C shop job Live/shop
finish
