#!/bin/sh
# clang-tidy over src/, in parallel. What was clean before and is the same after preprocessing is not read again.
# usage: check-tidy.sh [ROOT [BUILD]]     BUILD was configured with clang (make lint does that: build-clang)
set -eu
cd "${1:-$(dirname "$0")/..}"
build=${2:-build-clang}
tool=$(command -v clang-tidy-14 || command -v clang-tidy)
mkdir -p "$build/tidy"

check_one='
    build=$1; tool=$2; file=$3
    key=$( { cat .clang-tidy; clang-14 -E -P -std=gnu2x -D_GNU_SOURCE -DDS_VERSION="\"\"" -Isrc "$file"; cat "$file"; } 2>/dev/null |
        sha256sum | cut -c1-32)
    [ ! -e "$build/tidy/$key" ] || exit 0
    log=$build/tidy/$key.log
    if "$tool" --quiet -p "$build" "$file" >"$log" 2>/dev/null; then
        : >"$build/tidy/$key"; rm -f "$log"
    else
        grep -E "(error|warning): " "$log" | sed "s|^$PWD/||; s|^$build/\.\./||"
        echo "    the whole path: $tool -p $build $file"; rm -f "$log"; exit 1
    fi'
find src -name '*.c' | sort | xargs -r -n 1 -P "$(nproc)" sh -c "$check_one" tidy "$build" "$tool" || exit 1
