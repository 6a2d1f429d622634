#!/bin/sh
# check: pull requests in a git repository, judged from its objects.
. "$(dirname "$0")/lib.sh"
. "$here/git_lib.sh"
need python3

# ecosystem NAME ZONES: its document, to standard output
ecosystem()
{
    cat <<END
kind: Ecosystem
name: $1
repository: acme/model@central
live: acme/model@main
vendors: [{name: Here, locations: [A]}]
zones: [$2]
platform_services: [{name: Yellow, repository: acme/model@infra}]
END
}
eu='{name: EU, repository: acme/model@EUmain}'
usa='{name: USA, repository: acme/model@USAmain}'
china='{name: China, repository: acme/model@Chinamain}'

zone()
{
    printf 'kind: GovernanceZone\nname: %s\nteams: [%s]\n' "$1" "${2:-}"
}
paris='{name: Paris, repository: acme/model@ParisMain}'
ny='{name: NY, repository: acme/model@NYMain}'

# store TEAM NAME COLUMNS [MORE]: a container and a datastore with one dataset
store()
{
    cat <<END
kind: DataContainer
team: $1
name: $2DB
type: sqlite
path: $2.db
---
kind: Datastore
team: $1
name: $2
${4:-}
capture: {type: sql_snapshot, container: $2DB, trigger: {external: true}}
datasets:
  orders:
    classification: pub
    columns: {$3}
END
}

workspace()
{
    cat <<END
kind: Workspace
team: USA/NY
name: Reports
$1
dataset_groups: {live: {sinks: [Sales/orders]}}
END
}

service()
{
    cat <<END
kind: PlatformService
name: Yellow
merge: {container: Merge}
containers: {Merge: {type: sqlite, path: merge.db}}
platforms: {Live: {type: yellow, milestoning: scd1}}
assignments: [{group: Reports/live, platforms: [{platform: Live, status: $1}]}]
END
}

# step WHAT OWNER: what is in the work tree is accepted from OWNER, from nobody else, and merged
step()
{
    git -C "$repo" stash -q -u
    branch step
    git -C "$repo" stash pop -q
    commit
    check 1 "A01 $1, bad branch" "acme/model@BAD_BRANCH"
    says "is refused" '^refused: [0-9]+ change'
    check 0 "A01 $1" "$2"
    says "is accepted" '^accepted: [0-9]+ changes?, .*[0-9]+ ms$'
    merged step
}

repository
refuses "no model anywhere" 2 'wants --base' -C repo check
check 1 "no model anywhere" acme/model@central
says "is told" 'error: there is no model in "repo"'

# Five steps from nothing to teams.
ecosystem Big "$eu, $usa" | write eco.yaml
step "from nothing" acme/model@central
zone EU "$paris" | write zones/eu.yaml
step "the EU zone" acme/model@EUmain
zone USA "$ny" | write zones/usa.yaml
step "the USA zone" acme/model@USAmain
store EU/Paris Sales 'id: integer primary key, city: varchar(20)' | write teams/paris/sales.yaml
step "the EU team" acme/model@ParisMain
workspace "" | write teams/ny.yaml
step "the USA team" acme/model@NYMain
service provisioned | write yellow.yaml
step "the platforms" acme/model@infra

# try WHAT CODE OWNER RULE: what the work tree has, from OWNER; the work tree is main's again afterwards
try()
{
    git -C "$repo" checkout -q -B try
    commit
    check "$2" "$1" "$3"
    [ "$2" = 0 ] || says "$1: because" "\\[$4\\]"
    git -C "$repo" checkout -q main
}

ecosystem Bigger "$eu, $usa" | write eco.yaml && try "A02 by its owner" 0 acme/model@central
ecosystem Bigger "$eu, $usa" | write eco.yaml && try "A02 by another" 1 acme/model@EUmain A002
says "A02 names both" 'Ecosystem Bigger is changed: that belongs to "acme/model@central", not to "acme/model@EUmain"'
lyon='{name: Lyon, repository: acme/model@Lyon}'
zone EU "$paris, $lyon" | write zones/eu.yaml && try "A03 by the zone" 0 acme/model@EUmain
zone EU "$paris, $lyon" | write zones/eu.yaml && try "A03 by the Ecosystem" 1 acme/model@central A002
for who in EUmain central NYMain; do
    store EU/Paris Costs 'id: integer primary key' | write costs.yaml && try "A04 by $who" 1 acme/model@$who A002
done
store EU/Paris Costs 'id: integer primary key' | write costs.yaml && try "A04 by the team" 0 acme/model@ParisMain
ecosystem Big "$eu, $usa, $china" | write eco.yaml && try "A06 by the Ecosystem" 0 acme/model@central
ecosystem Big "$eu, $usa, $china" | write eco.yaml && try "A06 by China" 1 acme/model@Chinamain A001
store EU/Paris Costs 'id: integer primary key' | write costs.yaml && try "A07" 1 acme/other@main A001
store EU/Paris Costs 'id: integer primary key' | write costs.yaml && try "A08" 1 acme/model@parismain A001
says "A08 is told apart" 'did you mean "acme/model@ParisMain"\? Upper and lower case differ'
ecosystem Bigger "$eu, $usa" | write eco.yaml
zone USA "$ny, {name: LA, repository: acme/model@LA}" | write zones/usa.yaml && try "A09" 1 acme/model@central A002
says "A09 asks for two" 'one pull request for each repository'
for who in central EUmain NYMain infra; do
    try "A10 $who" 0 acme/model@$who
    says "A10 $who, A13" '^accepted: 0 changes'
done
workspace "priority: critical" | write teams/ny.yaml && try "A11" 1 acme/model@ParisMain A002
workspace "priority: critical" | write teams/ny.yaml && try "A11 by its owner" 0 acme/model@NYMain
says "what changes" '^changed  Workspace Reports priority: medium -> critical$'
says "whose it is" '^  owner    acme/model@NYMain$'
says "whom it reaches" '^  affects  stream Live/Sales of acme/model@infra: is scheduled by the new priority$'
service decommissioning | write yellow.yaml && try "A14 by a team" 1 acme/model@NYMain A002
service decommissioning | write yellow.yaml && try "A14 by the service" 0 acme/model@infra
git -C repo mv teams/paris/sales.yaml elsewhere.yml && try "files are nobody's" 0 acme/model@NYMain
says "a move is no change" '^accepted: 0 changes'
git -C repo rm -q teams/paris/sales.yaml && try "removed while in use" 1 acme/model@ParisMain C012

# A05: the definition goes first, then the declaration.
ecosystem Big "$eu, $usa, $china" | write eco.yaml && zone China | write zones/china.yaml && commit
git -C repo rm -q zones/china.yaml && try "A05 definition, by the Ecosystem" 1 acme/model@central A002
git -C repo rm -q zones/china.yaml && try "A05 definition" 0 acme/model@Chinamain
merged try
ecosystem Big "$eu, $usa" | write eco.yaml && try "A05 declaration, by the zone" 1 acme/model@Chinamain A002
ecosystem Big "$eu, $usa" | write eco.yaml && try "A05 declaration" 0 acme/model@central
merged try

# What breaks somebody needs a word.
branch breaking
store EU/Paris Sales 'id: integer primary key' | write teams/paris/sales.yaml
commit
check 1 "a breaking change" acme/model@ParisMain
says "is marked" '^removed  Datastore Sales/orders.city: .*  breaking$'
says "has a rule" '^teams/paris/sales.yaml:[0-9]+:[0-9]+: error: .* \[C001\]$'
says "shows the line" '^ +[0-9]+ \| '
check 0 "approved" acme/model@ParisMain --approve breaking
says "is a warning" '^teams/paris/sales.yaml:.* warning: .* \[C001\]$'
says "and counted" '^accepted: 1 change, 1 warning, '
refuses "approve something else" 2 "can't be \"all\"" -C repo check --base main --repository a/b --branch c --approve all

# The merge is judged, not the branch.
branch behind
workspace "priority: low" | write teams/ny.yaml
commit
git -C repo checkout -q main
store EU/Paris Costs 'id: integer primary key' | write costs.yaml
commit
git -C repo checkout -q behind
check 0 "a branch that is behind" acme/model@NYMain
says "its own change only" '^accepted: 1 change, '
git -C repo checkout -q main
workspace "priority: high" | write teams/ny.yaml
commit
git -C repo branch conflict
git -C repo checkout -q behind
check 1 "a conflict" acme/model@NYMain
says "is a refusal that names the file" 'error: the merge of HEAD into main is in conflict: teams/ny.yaml$'
says "and says what to do" 'hint: merge or rebase'
check 1 "a conflict in JSON" acme/model@NYMain --format json
says "is a finding" '"message": "the merge of HEAD into main is in conflict: teams/ny.yaml"'
says "is a verdict" '"verdict": "refused"'
check 1 "a conflict for GitHub" acme/model@NYMain --format github
says "is an annotation" '^::error ::the merge of HEAD into main is in conflict: teams/ny.yaml; hint: '

# A base with errors can be repaired, and is told of.
branch damage
echo 'kind: Workspce' | write oops.yaml
commit
merged damage
branch repair
git -C repo rm -q oops.yaml
commit
check 0 "a repair" acme/model@NYMain
says "is told" '^info: repaired: unknown kind "Workspce".* \(oops.yaml:1:7 in the base\)'
branch no-repair
workspace "priority: medium" | write teams/ny.yaml
commit
check 1 "what the head leaves broken" acme/model@NYMain
says "is an error" '^oops.yaml:1:7: error: '
git -C repo checkout -q main && git -C repo rm -q oops.yaml && commit

# Environments: names and types.
cat >laptop.yaml <<'END'
kind: Environment
name: laptop
containers: {SalesDB: {type: kafka}}
END
branch laptop
write laptop.yaml <laptop.yaml
commit
check 1 "an environment" acme/model@central
says "its types" '^[^ ]+: error: with --env laptop: '
sed 's/SalesDB: .*}/SaleDB: {type: sqlite, path: x.db}}/' laptop.yaml | write laptop.yaml
commit
check 1 "an environment's names" acme/model@central
says "are known ones" 'error: no container "SaleDB" to replace'
sed 's/type: kafka/type: sqlite, path: x.db/' laptop.yaml | write laptop.yaml
commit
check 0 "an environment that fits" acme/model@central

# Where the model is.
branch deep
mkdir repo/deep && git -C repo mv eco.yaml zones teams yellow.yaml costs.yaml deep/ && commit
merged deep
branch deeper
workspace "priority: low" | write deep/teams/ny.yaml
commit
expect "from a folder" 0 -C repo/deep check --base main --repository acme/model --branch NYMain
expect "from a folder within the model" 1 -C repo/deep/zones check --base main --repository acme/model --branch NYMain
says "lacks the rest" 'the model has no Ecosystem'
git clone -q --bare repo bare.git 2>/dev/null
bare="-C bare.git check --head deeper --repository acme/model --branch NYMain"
expect "from a bare repository" 0 $bare --base main
says "which says what it has looked at" "^accepted: 1 change, deeper $(git -C repo rev-parse --short=10 deeper) into main \
$(git -C repo rev-parse --short=10 main), [0-9]+ ms$"
expect "a folder of a bare repository" 0 $bare --base main --folder deep
expect "the same, otherwise" 0 $bare --base main --folder ./deep//
expect "a folder within the model" 1 $bare --base main --folder deep/zones
says "has less" 'the model has no Ecosystem'
expect "a folder that isn't there" 1 $bare --base main --folder shallow
says "is told" 'no model in "bare.git/shallow"'
refuses "a folder out of the repository" 2 'leads out of the repository' $bare --base main --folder ../deep
refuses "a folder as a ref" 2 'hint: name the commit alone, and the model.s place in it with --folder' $bare --base main:deep
expect "a folder for GitHub" 1 $bare --base main --folder deep --branch ParisMain --format github
says "its places count from the root" '^::error file=deep/teams/ny.yaml,'
git -C bare.git tag main deeper
refuses "a tag that is called as the base" 2 'may be refs/tags/main and refs/heads/main' $bare --base main
expect "its whole name" 0 $bare --base refs/heads/main
git -C bare.git tag -d main >"$out"
# A link to a model of one's own in the place of the model: what git's objects have there is no directory.
branch link
ecosystem Mine "" | sed 's/@central/@mine/' | write mine/eco.yaml
git -C repo mv deep was && ln -s mine repo/deep && commit
args="check --base main --repository acme/model --branch mine"
expect "a link in the model's place" 1 -C repo $args --folder deep
says "is no model" 'the model has no Ecosystem'
git -C repo checkout -q deeper
expect "from a bare repository, again" 0 $bare --base main
cp "$out" first
expect "with the cache" 0 -C bare.git check --base main --head deeper --repository acme/model --branch NYMain
expect "without a cache" 0 -C bare.git check --base main --head deeper --repository acme/model --branch NYMain --no-cache
same "is the same" "$(sed 's/, [0-9]* ms$//' first)" "$(sed 's/, [0-9]* ms$//' "$out")"

# Formats.
store EU/Paris Sales 'id: integer primary key' | write deep/teams/paris/sales.yaml
commit
args="-C repo/deep check --base main --repository acme/model --branch NYMain"
cat >result.py <<'PY'
import json, sys
e = json.load(open(sys.argv[1]))
assert e["command"] == "check" and e["exit"] == 1, e
r = e["result"]
assert r["verdict"] == "refused", r
assert (r["base"]["ref"], r["head"]["ref"]) == ("main", "HEAD"), r
assert len(r["base"]["commit"]) == len(r["head"]["commit"]) == 40, r
by = {c["object"]: c for c in r["changes"]}
c = by["Datastore Sales/orders.city"]
assert c["action"] == "removed" and c["owner"] == "acme/model@ParisMain" and not c["allowed"] and c["breaking"], c
assert {a["name"] for a in c["affects"]} >= {"Live/Sales", "Reports/live"}, c
assert set(c["affects"][0]) == {"kind", "name", "owner", "effect", "about"}, c
assert by["Workspace Reports"]["allowed"] and not by["Workspace Reports"]["breaking"], by
assert {d["rule"] for d in e["diagnostics"]} >= {"A002", "C001"}, e["diagnostics"]
PY
expect "JSON" 1 $args --format json
python3 result.py "$out" 2>"$err" && ok "the result of check" || not_ok "the result of check"
expect "GitHub" 1 $args --format github
says "annotations count from the repository's root" '^::error file=deep/teams/paris/sales.yaml,line=[0-9]+,col=[0-9]+,title=C001::'
silent "and nothing that isn't one but the last line" '^[^:r]'
expect "SARIF" 1 $args --format sarif
cp "$out" change.sarif
says "places count from the repository's root" '"uri": "deep/teams/paris/sales.yaml"'
python3 -c 'import json, sys
p = json.load(open(sys.argv[1]))["runs"][0]["properties"]
assert set(p) == {"base", "head"} and all(len(s["commit"]) == 40 and s["ref"] for s in p.values()), p' "$out" 2>"$err" &&
    ok "with the commits" || not_ok "with the commits"
expect "SARIF without a place" 1 -C repo/deep check --base main --repository a/b --branch c --format sarif
cp "$out" unknown.sarif
says "stands with the Ecosystem" '"uri": "deep/eco.yaml"'
git -C repo checkout -q behind
expect "SARIF of a conflict" 1 -C repo check --base conflict --repository a/b --branch c --format sarif
cp "$out" conflict.sarif
git -C repo checkout -q deeper
echo 'kind: Workspce' | write 'deep/odd name %41 é#?.yaml'
expect "SARIF of lint" 1 -C repo/deep lint --format sarif
says "with odd names" '"uri": "odd%20name%20%2541%20%C3%A9%23%3F.yaml"'
rm "$repo"/deep/odd*
cp "$out" lint.sarif
for python in python3 /usr/bin/python3; do # the second one is Debian's
    ! "$python" -c 'import sarif_om, jsonschema' 2>"$err" || break
done
"$python" "$here/sarif.py" change.sarif unknown.sarif conflict.sarif lint.sarif >"$out" 2>"$err" &&
    ok "all is SARIF 2.1.0" || not_ok "all is SARIF 2.1.0"
expect "JUnit" 1 $args --format junit
python3 -c 'import sys, xml.dom.minidom as m; d = m.parse(sys.argv[1]); assert len(d.getElementsByTagName("failure")) == 2
assert d.documentElement.getAttribute("name") == "datasurface check"
p = {e.getAttribute("name"): e.getAttribute("value") for e in d.getElementsByTagName("property")}
assert set(p) == {"base.ref", "base.commit", "head.ref", "head.commit"} and len(p["head.commit"]) == 40, p' "$out" 2>"$err" && ok "is XML" || not_ok "is XML"
expect "a summary" 1 $args --summary summary.md
says "and the text" '^refused: 2 changes, 2 errors, '
cp summary.md "$out"
says "has the verdict" '^### datasurface: refused$'
says "has owners" '<code>acme/model@ParisMain</code>.*<b>no</b>'
says "says whom it reaches" '<td>group</td><td><code>Reports/live</code></td><td><code>acme/model@NYMain</code></td>'
expect "a summary alone" 1 $args --summary -
cmp -s "$out" summary.md && ok "is the same on standard output" || not_ok "is the same on standard output"
refuses "a summary that can't be written" 3 "can't write.*nowhere" $args --summary nowhere/summary.md
rm summary.md
refuses "a base that isn't there" 2 '"nothing" names nothing here' -C repo/deep check --base nothing --repository a/b \
    --branch c --summary summary.md
cp summary.md "$out"
says "is told in the summary" '<code>&quot;nothing&quot; names nothing here</code>'
refuses "no branch" 2 'check wants --branch' -C repo check --base main --repository acme/model
refuses "an empty branch" 2 'branch wants a value' -C repo check --base main --repository acme/model --branch ''
refuses "no repository" 2 'check wants --repository' -C repo check --base main --branch x
finish
