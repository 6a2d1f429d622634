#!/bin/sh
# tools/check-banned.py: calls in the text, and calls that only the object shows
. "$(dirname "$0")/lib.sh"
check="python3 $tools/check-banned.py"

file src/base/good.c <<'END'
// strcpy(a, b) in a comment is fine, and so is a name such as x->system(1)
#include <stdio.h>
struct x { int (*system)(int); };
int my_atoi(const char *text) { return puts(text) + puts("strcat(a, b)"); }
int call(struct x *x) { return x->system(1); }
END
compile src/base/good.c
accepts 'other calls, comments and strings' $check .

file src/base/bad.c <<'END'
#include <string.h>
char *copy(char *to)
{
    return strcpy(to, "short");
}
END
compile src/base/good.c src/base/bad.c
rejects 'a call, even one that the compiler makes vanish' '^src/base/bad\.c:4: strcpy is banned' $check .

file src/base/bad.c <<'END'
#include <stdlib.h>
#define NUMBER ato ## i
#define PASTE(a, b) a##b
int number(const char *text) { return PASTE(ato, i)(text) + PASTE(ra, nd)(); }
END
compile src/base/bad.c
rejects 'a call hidden by a macro' '^src/base/bad\.c:1: its object calls (atoi|strtol|rand)' $check .
rm src/base/bad.c build/compile_commands.json
rejects 'to run without a build' 'run make first' $check .
finish
