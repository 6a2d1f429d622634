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

mkdir src/attic
place attic/x.c '#include <stdio.h>'
rejects 'a module without a line' '^src/attic/x\.c:1: unknown module attic' "$check" .
rm -r src/attic

printf 'base: model\nmodel: base\nstore:\n' >tools/layers.txt
rejects 'a table with a cycle' '^tools/layers\.txt:1: .*does not stand below' "$check" .
finish
