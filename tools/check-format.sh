#!/bin/sh
# clang-format over src/ and tests/.   usage: check-format.sh [--fix] [ROOT]
set -eu
fix=no
if [ "${1:-}" = --fix ]; then
    fix=yes
    shift
fi
cd "${1:-$(dirname "$0")/..}"
tool=$(command -v clang-format-14 || command -v clang-format)
files=$(find src tests -name '*.[ch]' ! -path '*/corpus/*' 2>/dev/null | sort)
[ -n "$files" ] || exit 0
if [ "$fix" = yes ]; then
    echo "$files" | xargs "$tool" -i --style=file
    exit 0
fi
# One line for each place would drown the rest: name the file, its first place and how many there are.
echo "$files" | xargs "$tool" --dry-run -Werror --style=file 2>&1 |
    awk -F: '/clang-format-violations/ { if (!count[$1]++) { first[$1] = $2; name[++n] = $1 } }
        END {
            for (i = 1; i <= n; i++) printf "%s:%d: not formatted, %d places: make fmt\n", name[i], first[name[i]], count[name[i]]
            exit n > 0
        }'
