#!/bin/sh
# tools/check-unused.py: globals that nobody else uses
. "$(dirname "$0")/lib.sh"
check="python3 $tools/check-unused.py"
mkdir -p tests

file src/base/a.c <<'END'
static int hidden(void) { return 1; }
int used(void) { return hidden(); }
int tested(void) { return 2; }
END
file src/base/main.c <<'END'
int used(void);
int main(void) { return used(); }
END
file tests/t.c <<'END'
int tested(void);
int probe(void) { return tested(); }
END
compile src/base/a.c src/base/main.c tests/t.c
accepts 'globals used by another file or a test, and unused ones of tests' $check .

file src/base/b.c <<'END'
int used(void);

int lonely(void)
{
    return used();
}
int counter;
int selfish(void) { return ++counter; }
int again(void) { return selfish(); }
END
compile src/base/a.c src/base/b.c src/base/main.c tests/t.c
rejects 'a function that nobody calls' '^src/base/b\.c:3: lonely is global .*nobody uses it' $check .
rejects 'a function for its own file only' '^src/base/b\.c:8: selfish is global .*make it static' $check .
rejects 'a variable for its own file only' '^src/base/b\.c:7: counter is global' $check .
printf 'unused lonely a plug-in calls it\nunused counter shared\nunused selfish so\nunused again so\n' >tools/exempt.txt
accepts 'exceptions with a reason' $check .
echo 'unused lonely' >tools/exempt.txt
rejects 'an exception without a reason' 'needs a reason' $check .
finish
