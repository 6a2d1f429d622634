#!/bin/sh
# What lint and check say by way of an image of an earlier model is what they say without any.
. "$(dirname "$0")/lib.sh"
. "$here/git_lib.sh"
generate=${GENERATE_MODEL:-$root/build/tests/bench/generate_model}
[ -x "$generate" ] || { echo "Bail out! no generator at $generate"; exit 1; }

"$generate" model --stores 12 --datasets 6 --columns 5 --workspaces 60 --seed 3 >/dev/null
store=$(find model -path '*/stores/*' | sort | sed -n 3p)
: >"$out" >"$err"
workspace=$(find model -path '*/workspaces/*' | sort | sed -n 7p)

# findings [OPTIONS...]: what lint says, but for the time it took
findings()
{
    { "$ds" -C model "$@" lint --format json || true; } | sed 's/"seconds": *[0-9.]*//'
}

# warm WHAT: from the cache as from nothing
warm()
{
    findings --no-cache >cold.json
    findings --cache cache >warm.json
    if cmp -s cold.json warm.json; then
        ok "$1"
    else
        diff cold.json warm.json | head -20 >"$out"
        not_ok "$1"
    fi
}

# change FILE SED WHAT
change()
{
    cp "$1" before
    sed -i "$2" "$1"
    if cmp -s before "$1"; then
        not_ok "$3: the file is as it was"
    fi
    warm "$3"
}

warm "a new image"
images=$(find cache -name '*.image' | wc -l)
change "$store" '0,/ not null/s///' "a column of another kind"
change "$store" '0,/primary key/s//nonsense/' "an error"
change "$store" '1i # all further down' "the same, elsewhere"
change "$store" 's/^production: .*/production: false/' "no longer production"
change "$workspace" '$s/- .*/- nowhere\/at_all/' "a sink that leads nowhere"
change "$workspace" 's/^name: .*/name: Renamed/' "another name"
change "$workspace" 's/^kind: .*/kind: Workspce/' "another kind"
same "no image was written for them" "$images" "$(find cache -name '*.image' | wc -l)"
mv "$workspace" model/moved.yaml && warm "a file that has moved"
rm "$store" && warm "a file that is gone"
rm -rf model cache

"$generate" model --stores 12 --datasets 6 --columns 5 --workspaces 60 --seed 4 >/dev/null
store=$(find model -path '*/stores/*' | sort | sed -n 5p)
(cd model && git init -q -b main . && git add -A && git commit -q -m base && git checkout -q -b change)
sed -i '0,/ not null/s///; s/^production: .*/production: false/' "$store"
(cd model && git commit -q -a -m change)
for how in --no-cache "--cache cache" "--cache cache"; do
    # shellcheck disable=SC2086
    { "$ds" -C model $how check --base main --head change --repository acme/model --branch x --format json || true; } |
        sed 's/"seconds": *[0-9.]*//' >"check.json"
    [ -f first.json ] || cp check.json first.json
    cmp -s check.json first.json && ok "check with $how" || not_ok "check with $how"
done
grep -q '"rule"' first.json && ok "it had something to say" || not_ok "it had something to say"
finish
