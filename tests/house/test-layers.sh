#!/bin/sh
# tools/check-layers.sh: who may include whom
. "$(dirname "$0")/lib.sh"

# place PATH LINE...: src/PATH holds these lines
place()
{
    path=$1
    shift
    printf '%s\n' "$@" >"src/$path"
}
check=$tools/check-layers.sh

place base/a.c '#include "base/a.h"' '#include "base/a_int.h"' '#include <stdio.h>'
place model/b.c '#include "base/a.h"' '#  include <yaml.h>'
place store/sqlite/c.c '#include "store/c.h"' '#include "store/c_int.h"' '#include <sqlite3.h>'
accepts 'includes of floors below' "$check" .

place base/bad.c '// first' '#include "model/b.h"'
rejects 'a floor above' '^src/base/bad\.c:2: .*base may not include model' "$check" .
place base/bad.c '#include "attic/b.h"'
rejects 'an include from an unknown module' '^src/base/bad\.c:1: .*unknown module attic' "$check" .
place base/bad.c '#include "a.h"'
rejects 'an include without its module' '^src/base/bad\.c:1: write' "$check" .
place base/bad.c '#include <base/a.h>'
rejects 'our header in angle brackets' '^src/base/bad\.c:1: .*ours' "$check" .
place base/bad.c '#include <sqlite3.h>'
rejects 'a library outside its room' '^src/base/bad\.c:1: <sqlite3\.h> belongs to store/sqlite' "$check" .
rm src/base/bad.c

place store/bad.c '#include <sqlite3.h>'
rejects 'a library in the room above its own' '^src/store/bad\.c:1: <sqlite3' "$check" .
rm src/store/bad.c

place model/bad.c '#include "base/a_int.h"'
rejects 'a private header of another module' '^src/model/bad\.c:1: .*private to src/base' "$check" .
rm src/model/bad.c
place store/bad.c '#include "store/sqlite/x_int.h"'
rejects 'a private header of a room below' 'private to src/store/sqlite' "$check" .
rm src/store/bad.c

mkdir -p src/store/low src/store/high src/cli
printf 'base:\nmodel: base\nstore/low: base\nstore/high: store/low\nstore: base\ncli: store\n' >tools/layers.txt
place store/low/l.c '#include "base/a.h"' '#include "store/low/l_int.h"'
place store/high/h.c '#include "store/low/l.h"'
place store/s.c '#include "store/high/h.h"'
place cli/u.c '#include "store/low/l.h"'
accepts 'floors within a module' "$check" .
place store/low/bad.c '#include "store/high/h.h"'
rejects 'a floor above within the module' '^src/store/low/bad\.c:1: .*store/low may not include store/high' "$check" .
place store/low/bad.c '#include "store/s.h"'
rejects 'the module above its floor' '^src/store/low/bad\.c:1: .*store/low may not include store ' "$check" .
rm src/store/low/bad.c
place store/high/bad.c '#include "base/a.h"'
rejects 'what a floor has no word for' '^src/store/high/bad\.c:1: .*store/high may not include base' "$check" .
rm -r src/store/low src/store/high src/store/s.c src/cli

mkdir src/attic
place attic/x.c '#include <stdio.h>'
rejects 'a module without a line' '^src/attic/x\.c:1: unknown module attic' "$check" .
rm -r src/attic

printf 'base: model\nmodel: base\nstore:\n' >tools/layers.txt
rejects 'a table with a cycle' '^tools/layers\.txt:1: .*does not stand below' "$check" .
finish
