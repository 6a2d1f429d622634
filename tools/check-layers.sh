#!/bin/sh
# Who may include whom: tools/layers.txt and tools/rooms.txt against every #include below src/.
# usage: check-layers.sh [ROOT]
set -eu
tools=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$tools/..}"
layers=$tools/layers.txt
rooms=$tools/rooms.txt
[ ! -f tools/layers.txt ] || layers=tools/layers.txt
[ ! -f tools/rooms.txt ] || rooms=tools/rooms.txt
find src -name '*.[ch]' | sort | xargs -r awk -f "$tools/check-layers.awk" "$layers" "$rooms"
