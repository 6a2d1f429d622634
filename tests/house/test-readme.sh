#!/bin/sh
# tools/check-readme.sh: every room says what it is for
. "$(dirname "$0")/lib.sh"
check=$tools/check-readme.sh

: >src/base/a.c
printf '# base\n\nGround floor.\n' >src/base/README.md
accepts 'a room with a README, and rooms without code' "$check" .
: >src/store/sqlite/a.c
rejects 'a room without one' '^src/store/sqlite/README\.md:1: missing' "$check" .
printf '# sqlite\n\n' >src/store/sqlite/README.md
rejects 'a README that is only a title' '^src/store/sqlite/README\.md:1: says nothing' "$check" .
finish
