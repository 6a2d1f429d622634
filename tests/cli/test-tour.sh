#!/bin/sh
# The tour of the README is what a reader gets.
. "$(dirname "$0")/lib.sh"
need python3
need sqlite3
if python3 "$here/tour.py" "$ds" "$root/README.md" >"$out" 2>"$err"; then
    ok "README.md shows what happens"
else
    not_ok "README.md shows what happens"
fi
finish
