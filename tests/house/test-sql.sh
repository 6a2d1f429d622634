#!/bin/sh
# tools/check-sql.py: no %s beside SQL text
. "$(dirname "$0")/lib.sh"
check="python3 $tools/check-sql.py"

file src/base/good.c <<'END'
// "SELECT %s FROM t" in a comment
const char *a = "SELECT a FROM t WHERE b = ?1", *b = "can't update %s", *c = "Select a file: %s", *d = "%s";
const char *e = "DELETE FROM t WHERE a LIKE '100%%s'";
const char *f = "CREATE the file %s", *g = "SELECT a FROM t LIMIT %d";
END
accepts 'SQL without holes, holes without SQL' $check .

try()
{
    printf 'int x;\nconst char *q = %s;\n' "$2" >src/base/bad.c
    rejects "$1" '^src/base/bad\.c:2: %s beside SQL' $check .
}
try 'a hole for a table' '"SELECT a FROM %s"'
try 'a hole right after the verb' '"SELECT %s"'
try 'a quoted hole' '"DROP TABLE \"%s\""'
try 'a hole with a width' '"INSERT INTO %.*s VALUES (1)"'
try 'text over several lines' '"UPDATE t " // why
    "SET a = 1 "
    "WHERE b = %s"'
try 'text with a macro between' '"DELETE FROM t WHERE a = %" PRIu64 " AND b = %s"'
finish
