#!/bin/sh
# demo: the whole story, twice, and never in somebody else's directory.
. "$(dirname "$0")/lib.sh"
start=$(date +%s)
expect "demo" 0 demo
[ $(($(date +%s) - start)) -lt 30 ] && ok "under 30 seconds" || not_ok "under 30 seconds"
for part in 'Intentions' '\$ datasurface plan' '\$ datasurface apply' 'SELECT \* FROM ws_consumer1__' '\$ datasurface run' \
    '\$ datasurface simulate' 'What consumers see' '\*\*\*' 'to now' '^exact: 5 datasets' 'datasurface history .*--as-of 1'; do
    says "tells of $part" "$part"
done
same "no escape sequences in a file" 0 "$(grep -c "$(printf '\033')" "$out" || true)"
expect "demo again" 0 demo
says "goes on" 'Going on in datasurface-demo'
says "and proves it again" '^exact: 5 datasets'
for step in 'simulate Store1 --changes 50' 'run --once' 'history Consumer1/audit/Store1/customers --as-of 1' 'graph'; do
    # shellcheck disable=SC2086
    expect "what it offers works: $step" 0 -C datasurface-demo $step
done
# The alias is the path that it was called by, or of a build directory the link at its top.
mkdir -p built/src/program && ln -s "$ds" built/src/program/datasurface
rm -rf datasurface-demo
built/src/program/datasurface demo >"$out" 2>"$err" || not_ok "demo by another path"
says "the alias is how it was called" "^  alias datasurface=$work/built/src/program/datasurface\$"
ln -s src/program/datasurface built/datasurface
built/src/program/datasurface demo >"$out" 2>"$err" || not_ok "demo by another path, again"
says "or the link at the top of a build" "^  alias datasurface=$work/built/datasurface\$"

# Ctrl-C: what it says fits what the next demo does.
rm -rf datasurface-demo
"$ds" demo --seconds 100 >"$out" 2>"$err" &
pid=$!
wait_for "the model" grep -q complete datasurface-demo/.datasurface-demo
kill -INT $pid
code=0
wait $pid || code=$?
same "Ctrl-C ends the demo" 130 $code
complains "says what comes next" 'the demo was interrupted; datasurface demo goes on with what is there'
expect "the next demo" 0 demo
says "goes on" 'Going on in datasurface-demo'
mkdir mine && echo hello >mine/letter.txt
refuses "somebody else's directory" 2 '"mine" exists and was not made by the demo' demo --dir mine
same "is left as it was" letter.txt "$(ls mine)"
mkdir empty
expect "an empty directory will do" 0 demo --dir empty
rm empty/ecosystem.yaml && echo begun >empty/.datasurface-demo
expect "a demo that was killed while it began" 0 demo --dir empty
finish
