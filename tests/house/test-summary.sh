#!/bin/sh
# tools/test-summary.py: counts cases, and never calls a failure a pass
. "$(dirname "$0")/lib.sh"
mkdir -p meson-logs

# total STATUS LINE...: the last line for these log lines
total()
{
    status=$1
    shift
    printf '%s\n' "$@" >meson-logs/testlog.json
    python3 "$tools/test-summary.py" . "$status" | tail -n 1
}
cmocka='{"name":"a","suite":["p:unit"],"result":"OK","duration":0.1,"stdout":"","stderr":"[==========] unit: 7 test(s) run.\n[  PASSED  ] 7 test(s).\n"}'
broken='{"name":"b","suite":["p:unit"],"result":"FAIL","duration":0.1,"stderr":"[==========] unit: 7 test(s) run.\n[  PASSED  ] 5 test(s).\n[  FAILED  ] unit: 2 test(s), listed below:\n"}'
tap='{"name":"c","suite":["p:cli"],"result":"OK","duration":0.1,"stdout":"ok 1 - x\nok 2 - y # SKIP no\nok 3 - z\n1..3\n"}'
plain='{"name":"d","suite":["p:cli"],"result":"OK","duration":0.1,"stdout":"fine"}'
crash='{"name":"e","suite":["p:cli"],"result":"FAIL","duration":0.1,"stdout":"ok 1 - x\n1..9\n"}'
liar='{"name":"h","suite":["p:cli"],"result":"OK","duration":0.1,"stdout":"ok 1 - x\nnot ok 2 - y\n1..2\n"}'
late='{"name":"f","suite":["p:cli"],"result":"TIMEOUT","duration":0.1,"stdout":""}'
skip='{"name":"g","suite":["p:cli"],"result":"SKIP","duration":0.1,"stdout":""}'

same 'cases of cmocka, TAP and plain programs' '10 passed, 0 failed' "$(total 0 "$cmocka" "$tap" "$plain" "$skip")"
same 'failed cases of cmocka' '12 passed, 2 failed' "$(total 1 "$cmocka" "$broken")"
same 'a crash after a passing case' '1 passed, 1 failed' "$(total 1 "$crash")"
same 'a program that says not ok and exits with 0' '1 passed, 1 failed' "$(total 0 "$liar")"
same 'a time-out' '0 passed, 1 failed' "$(total 1 "$late")"
same 'a run that broke by itself' '7 passed, 1 failed' "$(total 1 "$cmocka")"
rm meson-logs/testlog.json
same 'no log' '0 passed, 1 failed' "$(python3 "$tools/test-summary.py" . 0 | tail -n 1)"
rejects 'with an exit status' '1 failed' python3 "$tools/test-summary.py" . 0
finish
