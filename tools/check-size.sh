#!/bin/sh
# Size limits, measured by pmccabe: functions of 70 lines and modified complexity 15 (a switch counts once), files of
# 800 lines. From 400 lines on a file gets a warning, which fails nothing. Exceptions: tools/exempt.txt.
# usage: check-size.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"
command -v pmccabe >/dev/null || { echo "check-size: pmccabe is missing (tools/setup.sh lint)" >&2; exit 3; }
exempt=$(awk '$1 == "size" && NF >= 3 { print $2 }' tools/exempt.txt 2>/dev/null || true)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
find src -name '*.[ch]' | sort | xargs -r wc -l | awk '$2 != "total" { print "file", $1, $2 }' >"$work/sizes"
# pmccabe takes a struct's member `VEC(T) name;` for the beginning of a C++ method: it gets a copy with a plain type.
for file in $(find src -name '*.c' | sort); do
    mkdir -p "$work/${file%/*}"
    sed -E 's/^( *)[A-Z_]+\([^()]*\) ([a-z_0-9, *]+;)/\1int \2/' "$file" >"$work/$file"
done
(cd "$work" && find src -name '*.c' | sort | xargs -r pmccabe) >>"$work/sizes" 2>"$work/errors" || true
sed -E 's/^"([^"]*)", line ([0-9]+): /\1:\2: pmccabe cannot read this: /' "$work/errors"
awk -v exempt="$exempt" '
    BEGIN { n = split(exempt, e, "\n"); for (i = 1; i <= n; i++) free[e[i]] = 1 }
    $1 == "file" {
        if (($3) in free) next
        if ($2 > 800) { print $3 ":1: " $2 " lines; the limit is 800"; bad = 1 }
        else if ($2 > 400) print $3 ":1: warning: " $2 " lines; consider two files"
        next
    }
    NF >= 7 {                           # modified, traditional, statements, first line, lines, file(line): function
        file = $6; sub(/\([0-9]+\):$/, "", file)
        if ((file ":" $7) in free) next
        if ($5 > 70) { print file ":" $4 ": " $7 " has " $5 " lines; the limit is 70"; bad = 1 }
        if ($1 > 15) { print file ":" $4 ": " $7 " has complexity " $1 "; the limit is 15"; bad = 1 }
    }
    END { exit bad }' "$work/sizes"
[ ! -s "$work/errors" ]
