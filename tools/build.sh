#!/bin/sh
# Configures a build directory once and builds it.
#
#   tools/build.sh DIR [--program] [meson setup options...]
#
# --program builds nothing but DIR/datasurface. Says little when all is well and everything when not. CC chooses the compiler of a new directory.
set -eu
dir=$1
shift
only_program=no
if [ "${1:-}" = --program ]; then
    only_program=yes
    shift
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
# The program may be linked in its module's directory; users find it at the top.
program=src/program/datasurface
! grep -q '^build datasurface:' "$dir/build.ninja" || program=datasurface
target=
[ "$only_program" = no ] || target=$program
# On a terminal ninja keeps to one line; elsewhere only warnings and errors are worth reading.
# shellcheck disable=SC2086  # $target is a word or nothing
if [ -t 1 ]; then
    ninja -C "$dir" $target
else
    status=0
    said=$(ninja -C "$dir" --quiet $target 2>&1) || status=$?
    [ -z "$said" ] || echo "$said" | grep -v -e 'no work to do' -e '^ninja: Entering' || true
    [ "$status" = 0 ] || exit "$status"
fi
[ "$program" = datasurface ] || ln -sf "$program" "$dir/datasurface"
