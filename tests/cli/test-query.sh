#!/bin/sh
# query, and lint by way of compiled models.
. "$(dirname "$0")/lib.sh"
need python3

"$ds" init shop >/dev/null
cache=$work/cache
images()
{
    find "$cache" -name '*.image' | wc -l
}

expect "query" 0 -C shop --cache "$cache" query "SELECT store, name FROM datasets ORDER BY 1, 2"
says "headings" '^store +name$'
says "rows" '^Store1 +customers$'
same "an image is kept" 1 "$(images)"
ds -C shop --no-cache query "SELECT 1 WHERE 0"
same "a query without rows is no failure" 0 "$code"
expect "query in JSON" 0 -C shop --cache "$cache" query --format json "SELECT count(*) AS n, NULL AS x FROM sinks"
python3 -c 'import json,sys; e=json.load(open(sys.argv[1])); assert e["command"] == "query" and e["exit"] == 0
r = e["result"]["rows"]; assert len(r) == 1 and r[0]["n"] > 1 and r[0]["x"] is None, r' "$out" &&
    ok "the envelope of query" || not_ok "the envelope of query"
expect "query --tables" 0 query --tables
says "tables are listed" '^columns +store dataset name '
expect "streams are there" 0 -C shop --cache "$cache" query "SELECT name FROM streams"
says "with their names" '^YellowLive/Store1$'
cp -r "$root/tests/data/example" example
expect "containers" 0 -C example --cache "$cache" query "SELECT DISTINCT type FROM containers"
says "as they are" '^postgres$'
expect "containers of an Environment" 0 -C example --cache "$cache" --env laptop query "SELECT DISTINCT type FROM containers"
says "as it has them" '^sqlite$'
rm -rf "$cache"
refuses "query without SQL" 2 'wants SQL' query
refuses "query of an unknown table" 2 'no such table: shops' -C shop --cache "$cache" query "SELECT * FROM shops"
complains "did you mean" 'hint: '
refuses "query that writes" 2 'only a query' -C shop --cache "$cache" query "DELETE FROM stores"
refuses "query of nothing" 1 'no model' -C "$cache" query "SELECT 1"
refuses "query of an unknown environment" 2 'no environment "moon"' -C shop --cache "$cache" --env moon query "SELECT 1"

# lint says the same, whatever is kept.
lints()
{
    for how in "--cache $cache" "--cache $cache" --no-cache "--cache /proc/nowhere"; do
        # shellcheck disable=SC2086
        "$ds" -C shop $how lint 2>&1 | sed 's/, [0-9]* ms$//' >"$work/lint.$n" || true
        n=$((n + 1))
    done
    for i in 1 2 3; do
        cmp -s "$work/lint.0" "$work/lint.$i" || { cp "$work/lint.$i" "$out"; cp "$work/lint.0" "$err"; return 1; }
    done
}
n=0 && lints && ok "lint is the same with an image" || not_ok "lint is the same with an image"
sed -i 's/email: varchar/email: varchr/' shop/customers.yaml
n=0 && lints && grep -q varchr "$work/lint.0" && ok "after an edit" || not_ok "after an edit"
sed -i 's/email: varchr/email: varchar/; s/classification: cpi *#.*//' shop/customers.yaml
n=0 && lints && grep -q 'no classification' "$work/lint.0" && ok "after another" || not_ok "after another"
"$ds" -C shop --cache "$cache" query "SELECT 1" >/dev/null
n=0 && lints && ok "with what an image has kept of it" || not_ok "with what an image has kept of it"
printf 'kind: DataContainer\nname: New\n' >shop/new.yaml
n=0 && lints && grep -q 'new.yaml' "$work/lint.0" && ok "with a new file" || not_ok "with a new file"
rm shop/new.yaml
n=0 && lints && ! grep -q 'new.yaml' "$work/lint.0" && ok "without it" || not_ok "without it"

for image in $(find "$cache" -name '*.image'); do
    printf 'damage' | dd of="$image" bs=1 seek=20000 conv=notrunc 2>/dev/null
    printf 'damage' | dd of="$image" bs=1 seek=30000 conv=notrunc 2>/dev/null
done
n=0 && lints && ok "with a damaged image" || not_ok "with a damaged image"
for image in $(find "$cache" -name '*.image'); do echo nonsense >"$image"; done
n=0 && lints && ok "with no image at all" || not_ok "with no image at all"
same "nothing else is left in the cache" "" "$(find "$cache" -type f ! -name '*.image' ! -name stat)"

# Many at once.
rm -rf "$cache"
for i in 1 2 3 4 5 6 7 8; do
    "$ds" -C shop --cache "$cache" query "SELECT count(*) FROM columns" >"$work/at-once.$i" 2>&1 &
done
wait
same "eight at once" 1 "$(sort -u "$work"/at-once.* | grep -vc '^count')"
finish
