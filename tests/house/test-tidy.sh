#!/bin/sh
# tools/check-tidy.sh: finds a bug, and finds it again the second time
. "$(dirname "$0")/lib.sh"
command -v clang-tidy-14 >/dev/null || skip_without clang-tidy
command -v clang-14 >/dev/null || skip_without clang-14
check=$tools/check-tidy.sh
cp "$tools/../.clang-tidy" .

# database SOURCE: how clang compiles it
database()
{
    mkdir -p build-clang
    echo "[{\"directory\":\"$sample/build-clang\",\"file\":\"../$1\",\"command\":\"clang-14 -std=gnu2x -I../src -c ../$1\"}]" \
        >build-clang/compile_commands.json
}
printf 'int a(int x);\nint a(int x)\n{\n    return x + 1;\n}\n' >src/base/a.c
database src/base/a.c
accepts 'harmless code' "$check" .
accepts 'it again, from memory' "$check" .
printf '#include <stdlib.h>\nint a(int *x);\nint a(int *x)\n{\n    free(x);\n    return *x;\n}\n' >src/base/a.c
rejects 'a use after free' '^src/base/a\.c:6:.*(error|warning): .*after it is freed' "$check" .
rejects 'it again' '^src/base/a\.c:6:' "$check" .
finish
