#!/bin/sh
# A file that names its interpreter can be run, and one that can be run names it: others start it by its path.
# usage: check-scripts.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"
bad=0
for file in $(find .ci tools tests examples -type f ! -path '*/__pycache__/*' 2>/dev/null | sort); do
    case $(head -c 2 "$file" | tr -d '\0') in
    '#!') [ -x "$file" ] || { echo "$file:1: it begins with #! and is not executable"; bad=1; } ;;
    *) [ ! -x "$file" ] || { echo "$file:1: it is executable and does not begin with #!"; bad=1; } ;;
    esac
done
exit $bad
