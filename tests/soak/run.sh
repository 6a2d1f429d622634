#!/bin/sh
# Kills and restarts for as long as it takes: `make soak`.
#
#   tests/soak/run.sh DIR
#
# KILL_ROUNDS (500) kills for each strategy, as many blows to jobs and to a PostgreSQL server, SOAK_SEQUENCES (300)
# random sequences, every driver call failing in every scenario under every strategy. All that is said is kept in
# DIR/soak.log, that of the server's part in DIR/soak-postgres.log; the last line is "soak: passed" or "soak: failed".
set -u
dir=${1:?usage: tests/soak/run.sh DIR}
cd "$(dirname "$0")/../.." || exit 3
summary=$dir/soak.log
log=$summary
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
    printf '%-10s %-7s %6d s\n' "$title" "$verdict" $(($(date +%s) - start)) | tee -a "$summary"
}

: >"$summary" && : >"$dir/soak-postgres.log" || exit 3
git rev-parse HEAD 2>/dev/null | tee -a "$dir/soak-postgres.log" >>"$summary"
step kills env KILL_ROUNDS="${KILL_ROUNDS:-500}" "$dir/tests/fault/kill_loop"
log=$dir/soak-postgres.log
step servers env KILL_ROUNDS="${KILL_ROUNDS:-500}" "$dir/tests/fault/pg_kill"
log=$summary
step faults env DS_SWEEP=all "$dir/tests/fault/fault_sweep" sqlite
step faults-pg env DS_SWEEP=all "$dir/tests/fault/fault_sweep" postgres
step sequences env DS_ROUNDS="${SOAK_SEQUENCES:-300}" "$dir/tests/property/property_engine"
[ $status = 0 ] && echo "soak: passed" | tee -a "$summary" || echo "soak: failed, see $summary and $dir/soak-postgres.log" | tee -a "$summary"
exit $status
