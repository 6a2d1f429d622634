#!/bin/sh
# Runs every fuzzer of a build directory for a while.
#
#   tools/fuzz.sh DIR SECONDS
#
# Seeds come from tests/fuzz/corpus/NAME, and from DIR/tests/fuzz/seeds/NAME where they are made with the build; they
# stay untouched. What a fuzzer finds grows in DIR/corpus/NAME, what it breaks lands in DIR/crashes/. A file from there,
# moved into the seeds, is replayed by `make test` for ever.
set -u
dir=$1
seconds=$2
cd "$(dirname "$0")/.." || exit 3
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1:allocator_may_return_null=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}"

mkdir -p "$dir/crashes"
passed=0
failed=0
for fuzzer in $(find "$dir" -type f -name 'fuzz_*' -perm -u+x ! -name '*.*' | sort); do
    name=$(basename "$fuzzer")
    short=${name#fuzz_}
    seeds=
    for candidate in "tests/fuzz/corpus/$name" "tests/fuzz/corpus/$short" "$dir/tests/fuzz/seeds/$short"; do
        [ ! -d "$candidate" ] || seeds="$seeds $candidate"
    done
    dict=
    for candidate in "tests/fuzz/$name.dict" "tests/fuzz/$short.dict"; do
        [ ! -f "$candidate" ] || dict="-dict=$candidate"
    done
    mkdir -p "$dir/corpus/$name"
    log=$dir/crashes/$name.log
    printf '  %-28s ' "$name"
    # shellcheck disable=SC2086  # $seeds and $dict are lists of words
    if "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 $dict \
        -artifact_prefix="$dir/crashes/$name-" "$dir/corpus/$name" $seeds >"$log" 2>&1; then
        passed=$((passed + 1))
        awk '/stat::number_of_executed_units/ { n = $2 } / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") c = $(i+1) }
             END { printf "ok      %d runs, %d edges\n", n, c }' "$log"
    else
        failed=$((failed + 1))
        echo "BROKEN  see $log"
        tail -n 40 "$log"
        echo "  to see it again: $fuzzer $(sed -n 's/.*Test unit written to //p' "$log")"
    fi
done
[ $((passed + failed)) -gt 0 ] || { echo "fuzz: no fuzzer found in $dir" >&2; exit 1; }
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
