#!/bin/sh
# make bench: one table of the bars, each against a reference of the same run, and the same as BUILD/bench.json.
#
#   run.sh BUILD
#
# BENCH_QUICK=1      a tenth of everything, and nothing of ten million rows: to see that the bench works
# BENCH_ONLY=...     model, sqlite, scale, postgres, or a glob of PostgreSQL's lines (bench_postgres.py --help lists them)
# TMPDIR             where the databases are, 8 GB of them
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
program=$build/src/program/datasurface
rows=1000000
size=standard
stores=100
quick=
if [ -n "${BENCH_QUICK:-}" ]; then
    rows=100000
    size=quick
    stores=10
    quick=--quick
fi
case ${BENCH_ONLY:-} in
'') engines='model sqlite postgres scale' lines='*' ;;
model | sqlite | postgres | scale) engines=$BENCH_ONLY lines='*' ;;
*) engines=postgres lines=$BENCH_ONLY ;;
esac
set --
for engine in $engines; do
    case $engine in
    model) set -- "$@" -- "$here/bench_model.py" "$build" --size "$size" --lines ;;
    sqlite) set -- "$@" -- "$build/tests/bench/bench_engine" "$program" "$rows" ;;
    scale) set -- "$@" -- "$here/bench_scale.py" "$program" --lines --stores "$stores" ;;
    postgres) set -- "$@" -- "$here/bench_postgres.py" "$program" --lines --only "$lines" $quick ;;
    esac
done
exec "$here/table.py" "$build/bench.json" "$@"
