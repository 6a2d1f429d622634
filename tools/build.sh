#!/bin/sh
# Configures a build directory once and builds it.
#
#   tools/build.sh DIR [-t TARGET] [meson setup options...]
#
# Says little when all is well and everything when not. CC chooses the compiler of a new directory.
set -eu
dir=$1
shift
target=
if [ "${1:-}" = -t ]; then
    target=$2
    shift 2
fi
cd "$(dirname "$0")/.."

if [ ! -f "$dir/build.ninja" ]; then
    echo "configuring $dir"
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    if ! meson setup "$dir" "$@" >"$log" 2>&1; then
        cat "$log" >&2
        exit 1
    fi
fi
# On a terminal ninja keeps to one line; elsewhere only warnings and errors are worth reading.
quiet=--quiet
[ ! -t 1 ] || quiet=
# shellcheck disable=SC2086
exec ninja -C "$dir" $quiet $target
