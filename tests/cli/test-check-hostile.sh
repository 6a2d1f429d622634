#!/bin/sh
# check on repositories that nobody should make: an answer in words, never a crash, and nothing outside is read.
. "$(dirname "$0")/lib.sh"
. "$here/git_lib.sh"
need python3

owner='--repository acme/model --branch central'

# model: a small one that lints, to standard output
model()
{
    printf 'kind: Ecosystem\nname: Small\nrepository: acme/model@central\nlive: acme/model@main\n'
}

# odd ENTRY...: a commit of a tree of these entries (as git ls-tree prints them), on top of main, as branch odd
odd()
{
    tree=$(for entry; do printf '%b\0' "$entry"; done | git -C "$repo" mktree -z --missing)
    git -C "$repo" update-ref refs/heads/odd "$(git -C "$repo" commit-tree -p main -m odd "$tree")"
}

blob()
{
    git -C "$repo" hash-object -w --stdin
}

repository
model | write eco.yaml
commit
eco=$(git -C repo rev-parse main:eco.yaml)
readme=$(git -C repo rev-parse main:README.md)

# Links lead nowhere, repositories within are not entered.
echo 'kind: Secret' >outside.yaml
for target in ../outside.yaml "$work/outside.yaml" eco.yaml . /dev/zero; do
    link=$(printf %s "$target" | blob)
    odd "100644 blob $eco\teco.yaml" "120000 blob $link\tlink.yaml"
    expect "a link to $target" 1 -C repo check --base main --head odd $owner
    says "is not followed" '^link.yaml: error: the file is a symbolic link'
    silent "nor read" 'Secret'
done
link=$(printf %s .. | blob)
odd "100644 blob $eco\teco.yaml" "120000 blob $link\tteams"
expect "a link to a folder" 0 -C repo check --base main --head odd $owner
odd "100644 blob $eco\teco.yaml" "160000 commit $(git -C repo rev-parse main)\tinner"
expect "a submodule" 0 -C repo check --base main --head odd $owner
says "is left out" '^inner: warning: a repository within the model is left out'

# Sizes.
head -c 17000000 /dev/zero | tr '\0' '#' >huge
huge=$(blob <huge)
odd "100644 blob $eco\teco.yaml" "100644 blob $huge\thuge.yaml"
expect "a huge file" 1 -C repo check --base main --head odd $owner
says "is not read" '^huge.yaml: error: the file is larger than [0-9]+ bytes'
odd "100644 blob $eco\teco.yaml" "100644 blob $huge\thuge.bin"
expect "a huge file that is no model" 0 -C repo check --base main --head odd $owner
awk -v n=100000 'BEGIN { for (i = 0; i < n; i++) printf "100644 blob %s\tf%d.txt%c", "'"$readme"'", i, 0 }' >entries
printf '100644 blob %s\teco.yaml\0' "$eco" >>entries
tree=$(git -C repo mktree -z <entries)
git -C repo update-ref refs/heads/many "$(git -C repo commit-tree -p main -m many "$tree")"
expect "100,000 files" 0 -C repo check --base main --head many $owner
empty=$(: | blob)
sed -z "s/$readme/$empty/; s/\.txt$/.yaml/" entries >more
tree=$(git -C repo mktree -z <more)
git -C repo update-ref refs/heads/many "$(git -C repo commit-tree -p main -m many "$tree")"
expect "100,000 files of a model" 0 -C repo check --base main --head many $owner
tree=$(git -C repo rev-parse main:)
for i in $(seq 100); do tree=$(printf '040000 tree %s\td\0' "$tree" | git -C repo mktree -z); done
git -C repo update-ref refs/heads/deep "$(git -C repo commit-tree -p main -m deep "$tree")"
expect "100 folders in each other" 1 -C repo check --base main --head deep $owner
says "are too many" '^error: .*deep'

# Names.
bad=$(echo 'kind: Workspce' | blob)
odd "100644 blob $eco\teco.yaml" "100644 blob $bad\ta\n::error::b\x1b[2J\\0377\"<b>.yaml"
for format in text github junit sarif json; do
    expect "an odd name in $format" 1 -C repo check --base main --head odd $owner --format $format --summary summary.md
    if LC_ALL=C tr -d '\n' <"$out" | LC_ALL=C grep -q '[[:cntrl:]]'; then
        not_ok "$format has no control characters"
    else
        ok "$format has no control characters"
    fi
    silent "and no line of its own in $format" '^::error::b'
    iconv -f UTF-8 -t UTF-8 "$out" >/dev/null 2>&1 && ok "$format is UTF-8" || not_ok "$format is UTF-8"
done
cp summary.md "$out"
silent "nor does it in the summary" '<b>\.yaml'

# Texts.
git -C repo checkout -q -B texts main
cat >repo/eco.yaml <<'END'
kind: Ecosystem
name: Small
repository: acme/model@central
live: acme/model@main
description: "</code></td></table><script>alert(1)</script><img src=x> @acme/all #1 [x](http://x.example)\n\n# head `a` | b\e[2J‮\x85&lt;"
zones: [{name: "</code><b>@all</b>\n\n# head", repository: acme/model@eu}]
END
commit
cat >tags.py <<'PY'
import html.parser, re, sys
class Parser(html.parser.HTMLParser):
    stack, tags, outside = [], set(), ""
    def handle_starttag(self, tag, attrs):
        assert not attrs, attrs
        self.tags.add(tag)
        if tag != "br":
            self.stack.append(tag)
    def handle_endtag(self, tag):
        assert self.stack.pop() == tag, tag
    def handle_data(self, data):
        if "code" not in self.stack:
            self.outside += data
text = open(sys.argv[1], encoding="utf-8").read()
parser = Parser()
parser.feed(text)
assert parser.tags <= {"p", "br", "table", "tr", "th", "td", "code", "b"} and not parser.stack, parser.tags
assert not re.search(r"@|alert|http|\[|`|\||<", parser.outside), parser.outside
for block in re.findall(r"<table>.*?</table>", text, re.S):
    assert "\n\n" not in block, "Markdown would go on within a table"
assert len(text.encode()) <= 60000, len(text.encode())
PY
expect "hostile texts" 1 -C repo check --base main --head texts $owner --summary summary.md
LC_ALL=C tr -d '\n' <"$out" | LC_ALL=C grep -q '[[:cntrl:]]' && not_ok "hostile texts are shown" || ok "hostile texts are shown"
python3 tags.py summary.md 2>"$err" && ok "nothing acts in the summary" || not_ok "nothing acts in the summary"
git -C repo checkout -q -B size main
awk 'BEGIN { for (i = 0; i < 3000; i++) printf "kind: GovernanceZone\nname: <Zone%d>\ndescription: %0500d\n---\n", i, i }' >repo/z.yaml
commit
expect "3,000 changes and findings" 1 -C repo check --base main --head size $owner --summary summary.md
says "are told to people" '^and [0-9]+ more; --format json has them all$'
python3 tags.py summary.md 2>"$err" && ok "fit into the summary" || not_ok "fit into the summary"
cp summary.md "$out"
says "with what is missing" '^… and [0-9]+ more$'
git -C repo checkout -q main

# Trees that git itself would not make.
# literally ENTRY...: the same as odd, with a tree object written byte by byte: MODE NAME ID
literally()
{
    : >object
    while [ $# -gt 0 ]; do
        printf '%s %b\0' "$1" "$2" >>object
        printf '%b' "$(echo "$3" | sed 's/../\\0x&/g; s/\\0x\(..\)/\\x\1/g')" >>object
        shift 3
    done
    tree=$(git -C "$repo" hash-object -t tree --literally -w ../object)
    git -C "$repo" update-ref refs/heads/odd "$(git -C "$repo" commit-tree -p main -m odd "$tree")"
}
top=$(git -C repo rev-parse main:)
for name in .. . .git 'a/../../b.yaml' '/etc/x.yaml'; do
    mode=100644 id=$bad
    case $name in *.yaml) ;; *) mode=40000 id=$top ;; esac
    literally $mode "$name" "$id" 100644 eco.yaml "$eco"
    ds -C repo check --base main --head odd $owner
    if [ "$code" = 0 ] || [ "$code" = 1 ] || [ "$code" = 3 ]; then ok "a name $name"; else not_ok "a name $name: exit $code"; fi
    silent "is not read" 'Workspce'
done
literally 100644 eco.yaml "$eco" 100644 eco.yaml "$bad"
ds -C repo check --base main --head odd $owner
[ "$code" = 1 ] || [ "$code" = 3 ] && ok "a name twice" || not_ok "a name twice: exit $code"

# Refs.
head=$(git -C repo rev-parse main)
refuses "no such ref" 2 '"nothing" names nothing here' -C repo check --base nothing $owner
refuses "no such head" 2 '"nothing" names nothing here' -C repo check --base main --head nothing $owner
for ref in --upload-pack=x -x '-' '..' '@{' 'main..odd' 'main:eco.yaml' "$(printf 'a\033[2Jb')" 'a b' ':/' '^{/' '*'; do
    ds -C repo check "--base=$ref" $owner
    if [ "$code" = 2 ] && [ "$(grep -c '^datasurface: error: ' "$err")" = 1 ]; then ok "a ref $ref"
    else not_ok "a ref $ref: exit $code"; fi
done
git -C repo branch -- same main && git -C repo tag same main
expect "a branch and a tag of one name" 0 -C repo check --base same --head main $owner
for i in $(seq 300); do echo $i | blob >/dev/null; done
short=$(git -C repo cat-file --batch-all-objects --batch-check='%(objectname)' | cut -c1-4 | sort | uniq -d | head -1)
[ -n "$short" ] && refuses "an id that fits two" 2 "\"$short\" (fits more than one object|names nothing here)" \
    -C repo check --base "$short" $owner
refuses "a file as base" 2 'not a commit' -C repo check --base "$eco" $owner
git -C repo checkout -q --detach main
expect "a detached head" 0 -C repo check --base main $owner

# Repositories.
mkdir plain && model >plain/eco.yaml
refuses "no repository" 3 'not in a git repository' -C plain check --base main $owner
complains "has a hint" 'hint: -C DIR'
refuses "no directory" 3 'no such directory: "nowhere"' -C nowhere check --base main $owner
refuses "a file" 3 'is not a directory' -C repo/eco.yaml check --base main $owner
git init -q -b main empty
refuses "a repository without a commit" 2 '"main" names nothing here' -C empty check --base main $owner
git -C repo checkout -q main
for ref in odd many deep; do git -C repo update-ref -d refs/heads/$ref; done
echo >>repo/README.md && commit
git clone -q --depth 1 "file://$work/repo" shallow 2>/dev/null
refuses "a shallow clone without the base" 2 "\"$head\" names nothing here" -C shallow check --base "$head" $owner
complains "has a hint" 'hint: .*git fetch --unshallow'
git -C repo checkout -q -b side "$head" && echo x >repo/x && commit
git -C repo checkout -q main
git clone -q --depth 1 --no-single-branch "file://$work/repo" shallow2 2>/dev/null
ds -C shallow2 check --base main --head origin/side $owner
[ "$code" = 0 ] || [ "$code" = 1 ] || [ "$code" = 3 ] && ok "a shallow clone without the history" ||
    not_ok "a shallow clone without the history: exit $code"
git -C repo checkout -q --orphan other && git -C repo rm -q -rf . && model | write other.yaml && commit
expect "histories without a common beginning" 1 -C repo check --base main --head other $owner
git clone -q --bare "file://$work/repo" damaged.git 2>/dev/null
for pack in damaged.git/objects/pack/*.pack; do head -c 300 "$pack" >cut && mv -f cut "$pack"; done
sanitizer=${ASAN_OPTIONS:-}
export ASAN_OPTIONS="$sanitizer:detect_leaks=0" # libgit2 1.5 keeps some memory of a cut pack
refuses "a damaged repository" 2 '"main" names nothing here' -C damaged.git check --base main --head side $owner
git clone -q --bare "file://$work/repo" missing.git 2>/dev/null
mv missing.git/objects/pack/*.pack . && for pack in *.pack; do git -C missing.git unpack-objects -q <"$pack"; done
rm -f "missing.git/objects/$(echo "$eco" | cut -c1-2)/$(echo "$eco" | cut -c3-)"
ASAN_OPTIONS=$sanitizer
complains "has a hint" 'hint: .*git fsck'
refuses "a missing file" 3 'eco.yaml' -C missing.git check --base main --head side $owner
mkdir -p cruel/.git && echo 'gitdir: ../../../../../../etc' >cruel/x && echo 'ref: ../../etc/passwd' >cruel/.git/HEAD
refuses "half a repository" 3 'not in a git repository' -C cruel check --base main $owner

# Two at once, into one cache.
git -C repo checkout -q main
rm -rf .cache
for i in 1 2 3; do
    "$ds" -C repo check --base main --head side $owner >"at-once.$i" 2>&1 &
done
wait
same "at once" 3 "$(grep -l '^accepted: 0 changes' at-once.* | wc -l | tr -d ' ')"
finish
