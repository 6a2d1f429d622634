#!/bin/sh
# Every command that needs the model reads it from the compiled image: where that knows all files, none is decoded.
. "$(dirname "$0")/lib.sh"
need sqlite3
shop
cache=$work/cache
image()
{
    find "$cache" -name '*.image'
}

# How many files the decoder itself says that it has decoded, whenever it was called.
decoded()
{
    sed -n 's/.*"\([0-9]*\) of [0-9]* files are decoded".*/\1/p' "$err" | awk '{ n += $1 } END { print n + 0 }'
}

# warm COMMAND...: from the image
warm()
{
    ds -C shop --cache "$cache" --log-level debug "$@"
    same "$1: nothing is decoded" "exit 0, 0 files" "exit $code, $(decoded) files"
}

# same_warm COMMAND...: and with the same output as without one
same_warm()
{
    warm "$@"
    sed '/^ok: /s/, [0-9]* ms$//' "$out" >"$work/warm"
    ds -C shop --no-cache "$@"
    sed '/^ok: /s/, [0-9]* ms$//' "$out" | cmp -s - "$work/warm" && ok "$1: the same" || not_ok "$1: the same"
}

expect "an image is written" 0 -C shop --cache "$cache" --log-level error plan
ds -C shop --cache "$work/other" --log-level debug plan
same "of all files, each decoded once" "$(find shop -name '*.yaml' | wc -l)" "$(decoded)"
files=$(image)
same_warm lint
same_warm plan
same_warm graph
same_warm graph --lineage Store1
same_warm graph --lineage MaskedCustomers/customers/firstname
same_warm assign --propose
same_warm export odcs Store1
same_warm export odcs MaskedCustomers
same_warm query "SELECT * FROM columns"
warm simulate Store1 --changes 0
warm apply
warm run --once
same_warm status
same_warm views
same_warm verify
same_warm batches YellowLive/Store1
same_warm history Consumer1/audit/Store1/customers --as-of 1
warm job YellowLive/Store1
same_warm plan
same "one image serves them all" "$files" "$(image)"

sed -i 's/email: varchar(100)/email: varchar(120)/' shop/customers.yaml
ds -C shop --cache "$cache" --log-level debug plan
same "after a change that file is decoded" 1 "$(decoded)"
says "and seen" 'email'
sed -i 's/email: varchar(120)/email: varchr(120)/' shop/customers.yaml
refuses "a command that finds errors" 1 'the model has 1 error$' -C shop --cache "$cache" plan
cp "$err" "$work/errors"
refuses "says so without an image" 1 'the model has 1 error$' -C shop --no-cache plan
cmp -s "$err" "$work/errors" && ok "in the same words" || not_ok "in the same words"
ds -C shop --cache "$cache" query "SELECT 1" # whose image keeps them
refuses "and from an image" 1 'the model has 1 error$' -C shop --cache "$cache" plan
cmp -s "$err" "$work/errors" && ok "too" || not_ok "too"
sed -i 's/email: varchr(120)/email: varchar(100)/' shop/customers.yaml

# What was damaged is found before anything is done with it: with a part that is read at once, or only when asked for.
for damage in "dataset SET place = 1 - place WHERE document IN (SELECT id FROM document WHERE store = 'Store1')" \
    "dataset SET packed = (SELECT max(packed) FROM dataset)" "document SET file = 1"; do
    rm -rf "$cache"
    ds -C shop --cache "$cache" plan
    cp "$out" "$work/plan"
    sql "$(image)" "UPDATE $damage"
    ds -C shop --cache "$cache" plan
    case $code in
    0) cmp -s "$out" "$work/plan" && ok "found: $damage" || not_ok "not found: $damage" ;;
    3) grep -q 'was damaged, and has been thrown away' "$err" && ok "found: $damage" || not_ok "found: $damage" ;;
    *) not_ok "exit $code: $damage" ;;
    esac
    ds -C shop --cache "$cache" plan
    cmp -s "$out" "$work/plan" && ok "and written again" || not_ok "and written again"
done
rm -rf "$cache"
ds -C shop --no-cache query "SELECT * FROM datasets"
cp "$out" "$work/datasets"
ds -C shop --cache "$cache" plan
sql "$(image)" "UPDATE dataset SET place = 1 - place WHERE document IN (SELECT id FROM document WHERE store = 'Store1')"
echo '# another text' >>shop/masked.yaml
ds -C shop --cache "$cache" query "SELECT * FROM datasets"
cmp -s "$out" "$work/datasets" && ok "what was damaged is not copied" || not_ok "what was damaged is not copied"
rm -rf "$cache"
ds -C shop --cache "$cache" plan
sql "$(image)" "DELETE FROM dataset WHERE name = 'addresses'"
refuses "a lost dataset" 3 'thrown away' -C shop --cache "$cache" plan
ds -C shop --cache "$cache" plan --format json
same "what was got round is no diagnostic" 0 "$(grep -c image "$out" || true)"
finish
