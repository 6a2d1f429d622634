#!/bin/sh
# tools/check-headers.sh: headers that compile alone
. "$(dirname "$0")/lib.sh"
check=$tools/check-headers.sh

printf '#pragma once\n#include <stddef.h>\nsize_t a(void);\ntypedef struct a_t { int x; } a_t;\n' >src/base/a.h
printf '#pragma once\n#include "base/a.h"\na_t b(void);\n' >src/model/b.h
accepts 'headers that bring what they need' "$check" .
printf '#pragma once\na_t c(void);\n' >src/model/c.h
rejects 'a header that leans on its user' '^src/model/c\.h:1: does not compile alone' "$check" .
printf '#include <stddef.h>\nstruct d { int x; };\n' >src/model/c.h
rejects 'a header without a guard' '^src/model/c\.h:1: ' "$check" .
finish
