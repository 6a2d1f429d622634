#!/bin/sh
# A real database, where it is at hand beside the checkout: import, lint without edits, two platforms, proof, history.
. "$(dirname "$0")/lib.sh"
need python3
chinook=${CHINOOK:-$root/../shared/data/chinook.sqlite}
if [ ! -f "$chinook" ]; then
    echo "1..0 # SKIP no chinook.sqlite at hand"
    exit 0
fi
mkdir music
cp "$chinook" music/chinook.sqlite
expect "import" 0 -C music import music/chinook.sqlite --datastore Chinook
expect "lint without edits" 0 -C music lint
says "11 datasets, warnings only for the missing classification" '^ok: 11 warnings, 11 datasets'
cp -r music model
expect "apply" 0 -C music apply
expect "run" 0 -C music run --once
says "every row on the live platform" '^Live/Chinook +1 +15607 +15607 +0 +0 +0 '
says "and on the one with history" '^History/Chinook +1 +15607 +15607 +0 +0 +0 '
expect "verify" 0 -C music verify
says "all equal" '^exact: 22 datasets'
if python3 "$here/rounds.py" "$ds" "$work/model" Chinook History/Chinook history "${ROUNDS:-8}" chinook.sqlite \
    >"$out" 2>"$err"; then
    ok "as of every batch: $(cat "$out")"
else
    not_ok "as of every batch"
fi
finish
