#!/bin/sh
# Runs the tests of a build directory and sums them up.
#
#   tools/test.sh DIR [meson test options...]
#
# The last line is always "N passed, N failed". Exit status 1 when a test failed.
set -u
dir=$1
shift
cd "$(dirname "$0")/.." || exit 3
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1:abort_on_error=1}"
export TSAN_OPTIONS="${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}"

# ThreadSanitizer needs a plainly laid out address space, which newer kernels don't give it.
plain=
case $dir in
*tsan*) ! setarch "$(uname -m)" -R true 2>/dev/null || plain="setarch $(uname -m) -R" ;;
esac

rm -f "$dir/meson-logs/testlog.json"
$plain meson test -C "$dir" --no-rebuild --print-errorlogs "$@"
status=$?
python3 tools/test-summary.py "$dir" "$status"
