#!/bin/sh
# What the README and docs/ show is what a reader gets: consoles are run, YAML is linted.
. "$(dirname "$0")/lib.sh"
need python3
need sqlite3
for page in README.md docs/model.md docs/runtime.md; do
    [ -f "$root/$page" ] || continue
    if python3 "$here/tour.py" "$ds" "$root/$page" >"$out" 2>"$err"; then
        ok "$page shows what happens"
    else
        not_ok "$page shows what happens"
    fi
done
if python3 "$here/examples.py" "$ds" "$root/tests/data/example" "$root/docs/model.md" >"$out" 2>"$err"; then
    ok "the YAML of docs/model.md is the example, or fits into it"
else
    not_ok "the YAML of docs/model.md is the example, or fits into it"
fi
finish
