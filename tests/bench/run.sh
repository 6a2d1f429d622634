#!/bin/sh
# make bench: the bars, each a ratio to a reference of the same run. $1 is the build directory; BENCH_QUICK=1 takes a
# tenth of the rows, to see that the bench works.
set -eu
build=$(cd "$1" && pwd)
rows=1000000
[ -n "${BENCH_QUICK:-}" ] && rows=100000
exec "$build/tests/bench/bench_engine" "$build/bench.json" "$build/src/cli/datasurface" "$rows"
