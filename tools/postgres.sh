#!/bin/sh
# A PostgreSQL server for tests, made from nothing in a directory of its own; any number of them at once.
#
#   tools/postgres.sh start DIR [--port] [--durable] [--owner PID]
#   tools/postgres.sh stop|crash|restart|remove DIR
#
# start    makes a cluster in DIR when there is none (UTF-8, locale C.UTF-8) and starts its server
# stop     ends sessions and writes everything (fast); crash: as if the power went (immediate)
# restart  stop and start
# remove   crash, and delete DIR
#
# Connect with host=DIR: the socket is DIR/.s.PGSQL.5432, open to DIR's owner and root only, and takes user postgres
# without a password. Everybody else needs one. --port: listens on 127.0.0.1, too, at the port that DIR/port names
# from then on, which is also the socket's. --durable: syncs every commit, as users' servers do. DIR/log says what
# went on. Root runs the server as user postgres.
#
# --owner: when that process is gone, the server is stopped and DIR deleted, however the process ended.
set -eu

fail()
{
    echo "postgres.sh: $*" >&2
    exit 3
}

# The newest server of the machine; Debian keeps them apart by version.
find_programs()
{
    for bin in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -rn) "$(dirname "$(command -v initdb || echo -)")"; do
        [ ! -x "$bin/initdb" ] || [ ! -x "$bin/postgres" ] || return 0
    done
    fail "no PostgreSQL server here: tools/setup.sh test installs it (package postgresql-15)"
}

as_server()
{
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid postgres --regid postgres --clear-groups -- "$@"
    else
        "$@"
    fi
}

port_of()
{
    if [ -f "$dir/port" ]; then cat "$dir/port"; else echo 5432; fi
}

make_cluster()
{
    chmod 700 "$dir"
    [ "$(id -u)" != 0 ] || chown postgres: "$dir"
    as_server test -x "$dir" || fail "the server's user can't reach $dir: choose a directory below /tmp or /dev/shm"
    cd "$dir"
    as_server "$bin/initdb" -D "$dir/data" -U postgres -E UTF8 --locale=C.UTF-8 --no-sync --no-instructions \
        -A trust >"$dir/initdb.log" 2>&1 || {
        cat "$dir/initdb.log" >&2
        fail "initdb failed in $dir"
    }
    rm "$dir/initdb.log"
    cat >"$dir/data/pg_hba.conf" <<'END'
local all,replication postgres trust
local all             all      scram-sha-256
host  all,replication all      127.0.0.1/32 scram-sha-256
END
    cat >>"$dir/data/postgresql.conf" <<END
unix_socket_directories = '$dir'
unix_socket_permissions = 0700
listen_addresses = ''
max_connections = 200
shared_buffers = 128MB
max_wal_size = 512MB
min_wal_size = 80MB
checkpoint_timeout = 30min
dynamic_shared_memory_type = mmap
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
END
    [ "$durable" = yes ] || cat >>"$dir/data/postgresql.conf" <<'END'
fsync = off
synchronous_commit = off
full_page_writes = off
END
}

start_server()
{
    cd "$dir"
    as_server "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -o "-p $(port_of)" -s -w -t 60 start >"$dir/start.log" 2>&1
}

# Somebody else may take a port between the look and the start: try another one then.
start_with_port()
{
    echo "listen_addresses = '127.0.0.1'" >>"$dir/data/postgresql.conf"
    for try in 1 2 3 4 5 6 7 8 9 10; do
        # Below the ports that the kernel hands out by itself.
        echo $((20000 + ($(od -An -N2 -tu2 /dev/urandom) % 12000))) >"$dir/port"
        ! start_server || return 0
        grep -q 'Address already in use' "$dir/log" || return 1
    done
    return 1
}

start()
{
    mkdir -p "$dir"
    if [ -n "$owner" ] && [ ! -d "$dir/data" ]; then
        setsid "$self" watch "$dir" --owner "$owner" </dev/null >/dev/null 2>&1 &
    fi
    find_programs
    [ -d "$dir/data" ] || make_cluster
    if [ "$port" = yes ] && [ ! -f "$dir/port" ]; then
        start_with_port
    else
        start_server
    fi || {
        cat "$dir/start.log" >&2
        tail -n 20 "$dir/log" >&2 || true
        fail "the server in $dir does not start"
    }
}

stop()
{
    find_programs
    cd "$dir"
    ! as_server "$bin/pg_ctl" -D "$dir/data" status >/dev/null 2>&1 ||
        as_server "$bin/pg_ctl" -D "$dir/data" -s -w -m "$1" stop
}

remove()
{
    [ ! -d "$dir/data" ] || (stop immediate) || true
    cd / && rm -rf "$dir"
}

inode()
{
    stat -c %i "$dir" 2>/dev/null
}

# Leaves alone what somebody has made anew under the same name.
watch()
{
    mine=$(inode) || return 0
    while [ "$(inode)" = "$mine" ]; do
        kill -0 "$owner" 2>/dev/null || remove
        sleep 1
    done
}

[ $# -ge 2 ] || fail "usage: postgres.sh start|stop|crash|restart|remove DIR [--port] [--durable] [--owner PID]"
self=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
verb=$1
dir=$2
shift 2
port=no
durable=no
owner=
while [ $# -gt 0 ]; do
    case $1 in
    --port) port=yes ;;
    --durable) durable=yes ;;
    --owner) owner=$2 && shift ;;
    *) fail "unknown option $1" ;;
    esac
    shift
done
case $dir in
*[!A-Za-z0-9/._+-]*) fail "DIR has characters that are asking for trouble: $dir" ;;
/*) ;;
*) dir=$PWD/$dir ;;
esac
# A socket's path has 107 bytes, .s.PGSQL.NNNNN.lock included.
[ ${#dir} -le 86 ] || fail "DIR is too long for a socket's path: $dir"

case $verb in
start) start ;;
stop) stop fast ;;
crash) stop immediate ;;
restart) stop fast && start ;;
remove) remove ;;
watch) watch ;;
*) fail "unknown verb $verb" ;;
esac
