#!/bin/sh
# tools/check-format.sh: finds and fixes
. "$(dirname "$0")/lib.sh"
command -v clang-format-14 >/dev/null || skip_without clang-format
check=$tools/check-format.sh
cp "$tools/../.clang-format" .

printf 'int a(void)\n{\n    return 1;\n}\n' >src/base/a.c
accepts 'formatted code' "$check" .
printf 'int b( void ) {\nreturn 1; }\n' >src/base/b.c
rejects 'other code' '^src/base/b\.c:1: not formatted, [0-9]+ places' "$check" .
"$check" --fix .
accepts 'it after --fix' "$check" .
finish
