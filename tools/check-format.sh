#!/bin/sh
# clang-format over src/ and tests/.   usage: check-format.sh [--fix] [ROOT]
set -eu
how='--dry-run -Werror'
if [ "${1:-}" = --fix ]; then
    how=-i
    shift
fi
cd "${1:-$(dirname "$0")/..}"
tool=$(command -v clang-format-14 || command -v clang-format)
# shellcheck disable=SC2086  # $how is a list of options
find src tests -name '*.[ch]' ! -path '*/corpus/*' 2>/dev/null | sort | xargs -r "$tool" $how --style=file
