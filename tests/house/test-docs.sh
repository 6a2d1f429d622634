#!/bin/sh
# tools/check-docs.py: documentation names what is there; and ours does
. "$(dirname "$0")/lib.sh"
check=$tools/check-docs.py
skip_without python3

mkdir -p docs tests
: >src/base/error.h
file docs/other.md <<'MD'
# Other
## What `it` is, and why
MD
page()
{
    printf '# Page\n%s\n' "$1" >docs/page.md
}
page 'See [other](other.md#what-it-is-and-why), [above](#page), <https://example.com> and [there](https://example.com/x).'
accepts 'links that lead somewhere' "$check" .
page 'Edit `src/base/error.h`, `base/error.h`, `error.h`, `src/base/err*.h`, `src/NAME/error.h`, `src/base/`.'
accepts 'paths that are there, and patterns of them' "$check" .
page 'Words like `x`, `build/bin`, `other/error.h` and `customers.db` are no paths of ours.'
accepts 'what is no path' "$check" .
page '```
src/base/nothing.h [x](nothing.md)
```'
accepts 'examples' "$check" .

page 'See [other](others.md).'
rejects 'a link to no file' '^docs/page\.md:2: the link leads nowhere: others\.md' "$check" .
page 'See [other](other.md#what-it-was).'
rejects 'a link to no heading' 'leads nowhere: other\.md#what-it-was' "$check" .
page 'Edit `src/base/errors.h`.'
rejects 'a path that is gone' '^docs/page\.md:2: no such file: src/base/errors\.h' "$check" .
page 'Edit `base/errors.h`.'
rejects 'a file of a module that is gone' 'no such file: base/errors\.h' "$check" .
page 'Edit `errors.c`.'
rejects 'a source file that is gone' 'no such file: errors\.c' "$check" .
page 'Edit `tests/NAME/`.'
rejects 'a pattern of nothing' 'no such file: tests/NAME/' "$check" .

accepts 'our own documentation' "$check"
finish
