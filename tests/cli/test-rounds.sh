#!/bin/sh
# Changes, batches, changes, batches: the history as of every batch equals the simulator's ledger. ROUNDS=200 for more.
. "$(dirname "$0")/lib.sh"
need python3
rounds=${ROUNDS:-8}
for what in "starter Store1 YellowForensic/Store1" "northwind NW_Data LegacyHistory/NW_Data"; do
    # shellcheck disable=SC2086
    if python3 "$here/rounds.py" "$ds" $what "$rounds" >"$out" 2>"$err"; then
        ok "as of every batch: $what: $(cat "$out")"
    else
        not_ok "as of every batch: $what"
    fi
done
finish
