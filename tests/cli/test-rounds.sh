#!/bin/sh
# Changes, batches, changes, batches: the history as of every batch equals the simulator's ledger. ROUNDS=200 for more.
. "$(dirname "$0")/lib.sh"
need python3
rounds=${ROUNDS:-8}
for what in "starter Store1 YellowForensic/Store1 audit" "northwind NW_Data LegacyHistory/NW_Data OrderHistory" \
    "$here/types S Two/S h2" "$here/types S Four/S h4"; do
    # shellcheck disable=SC2086
    if python3 "$here/rounds.py" "$ds" $what "$rounds" >"$out" 2>"$err"; then
        ok "as of every batch: ${what#"$here"/}: $(cat "$out")"
    else
        not_ok "as of every batch: ${what#"$here"/}"
    fi
done

# All of it, on every platform, with a table that has no key and streams of single tables.
cp -r "$here/types" everything
"$ds" -C everything simulate M --changes 0 >/dev/null
"$ds" -C everything simulate S --changes 0 >/dev/null
"$ds" -C everything apply >/dev/null
for round in 1 2 3; do
    "$ds" -C everything simulate M --changes 40 --seed $round >/dev/null
    "$ds" -C everything simulate S --changes 100 --seed $round >/dev/null
    expect "round $round" 0 -C everything run --once
done
expect "every platform is exact" 0 -C everything verify
says "in all datasets" '^exact: 34 datasets'
same "copies in a table without a key" \
    "$(sql everything/source.db 'SELECT kind, word, count(*) FROM multi GROUP BY 1, 2 ORDER BY 1, 2')" \
    "$(sql everything/merge.db 'SELECT kind, word, count(*) FROM ws_w__live__m__multi GROUP BY 1, 2 ORDER BY 1, 2')"
finish
