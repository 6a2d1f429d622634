#!/bin/sh
# tools/check-size.sh: long functions, branchy functions, long files
. "$(dirname "$0")/lib.sh"
skip_without pmccabe
check=$tools/check-size.sh

# repeat N TEXT
repeat()
{
    awk -v n="$1" -v text="$2" 'BEGIN { for (i = 1; i <= n; i++) print text }'
}

{ echo 'int fits(int a)'; echo '{'; repeat 60 '    a++;'; echo '    return a;'; echo '}'; } >src/base/fits.c
{ echo 'int choose(int a)'; echo '{ switch (a) {'; repeat 40 'case 1: return 2;' | awk '{ sub(/1/, NR); print }'; echo '} return 0; }'; } >src/base/choose.c
accepts 'functions within the limits, a switch counting once' "$check" .

{ echo 'int longer(int a)'; echo '{'; repeat 70 '    a++;'; echo '    return a;'; echo '}'; } >src/base/bad.c
rejects 'a long function' '^src/base/bad\.c:1: longer has 7[0-9] lines' "$check" .
mkdir -p tools
echo 'size src/base/bad.c:longer one table of steps' >tools/exempt.txt
accepts 'a long function with a reason' "$check" .
rm tools/exempt.txt

{ echo 'int branchy(int a)'; echo '{'; repeat 15 '    if (a == 7) a++;'; echo '    return a;'; echo '}'; } >src/base/bad.c
rejects 'a branchy function' '^src/base/bad\.c:1: branchy has complexity 16' "$check" .
rm src/base/bad.c

repeat 801 '// text' >src/base/bad.h
rejects 'a long file' '^src/base/bad\.h:1: 801 lines' "$check" .
repeat 500 '// text' >src/base/bad.h
same 'warns of a file of 500 lines' 'src/base/bad.h:1: warning: 500 lines; consider two files' "$("$check" .)"
rm src/base/bad.h

{ echo 'struct s {'; echo '    VEC(int) numbers, more;'; echo '};'; echo 'int longer(int a)'; echo '{'; repeat 70 '    a++;'; echo '    return a;'; echo '}'; } >src/base/bad.c
rejects 'a long function after a struct with a macro' '^src/base/bad\.c:4: longer has 7[0-9] lines' "$check" .
echo 'struct s { int a;' >src/base/bad.c
rejects 'text that pmccabe cannot read' '^src/base/bad\.c:[0-9]+: pmccabe cannot' "$check" .
finish
