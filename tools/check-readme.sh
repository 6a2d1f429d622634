#!/bin/sh
# Every room says what it is for: each directory below src/ that holds C has a README.md of more than a title.
# usage: check-readme.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"
bad=0
for dir in $(find src -name '*.[ch]' | sed 's|/[^/]*$||' | sort -u); do
    if [ ! -f "$dir/README.md" ]; then
        echo "$dir/README.md:1: missing: say what this module is, who owns what, which threads may call it"
        bad=1
    elif [ "$(grep -c '[^[:space:]]' "$dir/README.md")" -lt 2 ]; then
        echo "$dir/README.md:1: says nothing beyond its title"
        bad=1
    fi
done
exit $bad
