#!/bin/sh
# Kills and restarts for as long as it takes: `make soak`.
#
#   tests/soak/run.sh DIR
#
# KILL_ROUNDS (500) kills for each strategy, SOAK_SEQUENCES (300) random sequences, every driver call failing in every
# scenario under every strategy. All that is said is kept in DIR/soak.log; the last line is "soak: passed" or "soak: failed".
set -u
dir=${1:?usage: tests/soak/run.sh DIR}
cd "$(dirname "$0")/../.." || exit 3
log=$dir/soak.log
status=0

# step TITLE COMMAND...
step()
{
    title=$1
    shift
    start=$(date +%s)
    verdict=ok
    {
        echo "==== $title: $*"
        date -u '+%Y-%m-%dT%H:%M:%SZ'
    } >>"$log"
    "$@" >>"$log" 2>&1 || verdict=FAILED
    [ "$verdict" = ok ] || status=1
    printf '%-10s %-7s %6d s\n' "$title" "$verdict" $(($(date +%s) - start)) | tee -a "$log"
}

: >"$log" || exit 3
git rev-parse HEAD >>"$log" 2>/dev/null
step kills env KILL_ROUNDS="${KILL_ROUNDS:-500}" "$dir/tests/fault/kill_loop"
step faults env DS_SWEEP=all "$dir/tests/fault/fault_sweep"
step sequences env DS_ROUNDS="${SOAK_SEQUENCES:-300}" "$dir/tests/property/property_engine"
[ $status = 0 ] && echo "soak: passed" | tee -a "$log" || echo "soak: failed, see $log" | tee -a "$log"
exit $status
