#!/bin/sh
# Everything that a machine can check about the code (`make lint`). One line per check; what a check says stands
# above its line. All checks run, even after one has failed.
set -u
cd "$(dirname "$0")/.." || exit 3
failed=0

run()
{
    name=$1
    shift
    start=$(date +%s)
    if "$@"; then
        verdict=ok
    else
        verdict=FAILED
        failed=$((failed + 1))
    fi
    printf '  %-10s %-7s %3d s\n' "$name" "$verdict" $(($(date +%s) - start))
}

run gcc tools/build.sh build --buildtype=debugoptimized
run clang env CC=clang-14 tools/build.sh build-clang --buildtype=debugoptimized
run layers tools/check-layers.sh
run size tools/check-size.sh
run banned tools/check-banned.py
run sql tools/check-sql.py
run headers tools/check-headers.sh
run unused tools/check-unused.py
run readme tools/check-readme.sh
run docs tools/check-docs.py
run scripts tools/check-scripts.sh
run format tools/check-format.sh
run tidy tools/check-tidy.sh

[ "$failed" = 0 ] || { echo "lint: $failed checks failed" >&2; exit 1; }
echo "lint: all is well"
