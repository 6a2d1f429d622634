#!/bin/sh
# Each header compiles alone, and twice in a row.   usage: check-headers.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"
bad=0
libraries=$(pkg-config --cflags-only-I libpq 2>/dev/null || true) # those that aren't in the usual place
for header in $(find src -name '*.h' | sort); do
    name=${header#src/}
    # shellcheck disable=SC2086  # $libraries are words
    if ! message=$(printf '#include "%s"\n#include "%s"\n' "$name" "$name" |
        gcc -std=gnu2x -D_GNU_SOURCE -DDS_VERSION='""' -fsyntax-only -Wall -Wextra -Werror -Isrc $libraries -x c - 2>&1); then
        echo "$header:1: does not compile alone:"
        echo "$message" | grep -E 'error' | head -n 5 | sed 's/^/    /'
        bad=1
    fi
done
exit $bad
