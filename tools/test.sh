#!/bin/sh
# Runs the tests of a build directory and sums them up.
#
#   tools/test.sh DIR [meson test options...]
#
# The last line is always "N passed, N failed". Exit status 1 when a test failed. One PostgreSQL server serves the whole
# run; what it said is in DIR/meson-logs/postgres.log.
set -u
dir=$1
# Make takes this script with it, and this script meson, however they end. A shell's jobs may outlive it.
if [ -n "${MAKELEVEL:-}" ] && [ -z "${BOUND_TO_MAKE:-}" ]; then
    BOUND_TO_MAKE=yes exec setpriv --pdeathsig KILL -- "$0" "$@"
fi
shift
cd "$(dirname "$0")/.." || exit 3
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1:abort_on_error=1}"
export TSAN_OPTIONS="${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}"

# In memory when two gigabytes are free there.
server_parent()
{
    free_kb=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
    if [ -w /dev/shm ] && [ "${free_kb:-0}" -gt 2000000 ]; then echo /dev/shm; else echo "${TMPDIR:-/tmp}"; fi
}

start_server()
{
    server=$(mktemp -d "$(server_parent)/datasurface-pg-XXXXXX") || return 1
    trap 'stop_server' EXIT
    trap 'exit 130' HUP INT TERM
    tools/postgres.sh start "$server" --owner "$$" || return 1
    export DATASURFACE_TEST_POSTGRES="$server"
}

stop_server()
{
    [ ! -f "$server/log" ] || [ ! -d "$dir/meson-logs" ] || cp "$server/log" "$dir/meson-logs/postgres.log"
    tools/postgres.sh remove "$server" || rm -rf "$server"
}

# ThreadSanitizer needs a plainly laid out address space, which newer kernels don't give it.
plain=
case $dir in
*tsan*) ! setarch "$(uname -m)" -R true 2>/dev/null || plain="setarch $(uname -m) -R" ;;
esac

start_server || echo "test.sh: no PostgreSQL server for the tests; those that need one will fail" >&2
rm -f "$dir/meson-logs/testlog.json"
setpriv --pdeathsig TERM -- $plain meson test -C "$dir" --no-rebuild --print-errorlogs "$@"
status=$?
python3 tools/test-summary.py "$dir" "$status"
