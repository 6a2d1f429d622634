#!/bin/sh
# What the README and docs/ show is what a reader gets: consoles are run, YAML is linted.
. "$(dirname "$0")/lib.sh"
need python3
need sqlite3
. "$here/git_lib.sh"
for page in README.md docs/model.md docs/runtime.md docs/pull-requests.md; do
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

# Every column of every control table is described, and no other.
"$ds" init shop >/dev/null
"$ds" -C shop apply >/dev/null
sql shop/merge.db "SELECT substr(t.name, 14), c.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
    WHERE t.type = 'table' AND t.name LIKE 'datasurface\_\_%' ESCAPE '\'" | sort >made
awk '/^#/ { table = "" } /^### `/ { split($0, part, "`"); table = part[2] }
    table && /^\| `/ { split($0, part, "`"); print table "|" part[2] }' "$root/docs/runtime.md" | sort >described
if [ -s made ] && diff made described >"$out" 2>"$err"; then
    ok "docs/runtime.md describes the control tables"
else
    not_ok "docs/runtime.md describes the control tables"
fi
finish
