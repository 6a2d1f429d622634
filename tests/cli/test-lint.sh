#!/bin/sh
# init, lint, explain, schema, graph: what needs no database.
. "$(dirname "$0")/lib.sh"
need python3

expect "init" 0 init shop
says "init tells what it wrote" '^wrote shop/customers.yaml$'
says "init tells what comes next" 'datasurface simulate Store1'
[ -f shop/.gitignore ] && ok "init keeps databases out of git" || not_ok "init keeps databases out of git"
refuses "init overwrites nothing" 2 'exists already' init shop
mkdir other && echo 'kind: Ecosystem' >other/mine.yml
refuses "init leaves another model alone" 2 'there is a model in "other" already: mine.yml' init other
echo x >file
refuses "init into a file" 2 '"file" is a file' init file
refuses "unknown template" 2 "can't be \"nonsense\"" init new --template nonsense
same "nothing was made" "" "$(ls new 2>/dev/null)"
expect "init into an empty directory" 0 -C . init "$(mkdir empty && echo empty)"

for template in starter northwind wwi; do
    expect "template $template" 0 init --template $template "t-$template"
    expect "template $template lints" 0 -C "t-$template" lint
    silent "template $template lints clean" '(error|warning)'
    for file in "t-$template"/*.yaml; do
        head -1 "$file" | grep -q '^# yaml-language-server: \$schema=datasurface\.schema\.json$' ||
            not_ok "$file begins with the schema comment"
    done
done
ok "every YAML file begins with the editor's comment"

expect "lint" 0 -C shop lint
says "lint counts" '^ok: 3 datasets, 2 workspaces, [0-9]+ ms$'
sed 's/email: varchar/email: varchr/; s/^    columns:/    colums:/' shop/customers.yaml >bad && cp bad shop/customers.yaml
expect "lint finds" 1 -C shop lint
says "with a place" '^customers.yaml:[0-9]+:[0-9]+: error: '
says "a caret" '\^~*$'
says "a hint" 'hint: .*columns'
says "and the count" '^failed: [0-9]+ errors?'
same "errors of lint are results" "" "$(cat "$err")"
cat >check.py <<'PY'
import json, sys
e = json.load(open(sys.argv[1]))
assert e["exit"] == 1 and e["command"] == "lint"
errors = [d for d in e["diagnostics"] if d["severity"] == "error"]
assert len(errors) == e["result"]["counts"]["errors"] > 0
d = errors[0]
assert set(d) == {"severity", "rule", "message", "hint", "file", "line", "column", "object"}, d
assert d["file"] == "customers.yaml" and d["line"] > 1 and d["rule"]
PY
expect "lint in JSON" 1 -C shop lint --format json
python3 check.py "$out" && ok "the envelope of lint" || not_ok "the envelope of lint"
expect "lint of one file" 1 -C shop lint shop/customers.yaml
expect "lint of another file is clean" 0 -C shop lint shop/ecosystem.yaml
refuses "lint of a missing file" 3 "can't open.*missing.yaml" -C shop lint missing.yaml
refuses "lint of a file outside" 2 'holds nothing of the model' -C shop lint file
expect "lint as SARIF" 1 -C shop lint --format sarif
python3 -c 'import json,sys; s=json.load(open(sys.argv[1])); r=s["runs"][0]; assert s["version"]=="2.1.0" and r["results"]
ids={x["id"] for x in r["tool"]["driver"]["rules"]}; assert all(x["ruleId"] in ids for x in r["results"]), ids' "$out" &&
    ok "SARIF" || not_ok "SARIF"
expect "lint for GitHub" 1 -C shop lint --format github
says "as annotations" '^::error file=customers.yaml,line=[0-9]+,col=[0-9]+,title=[A-Z][0-9]+::'
expect "lint as JUnit" 1 -C shop lint --format junit
python3 -c 'import sys, xml.dom.minidom as m; d=m.parse(sys.argv[1]); assert d.getElementsByTagName("failure")' "$out" &&
    ok "JUnit is XML" || not_ok "JUnit is XML"
refuses "other commands refuse a model with errors" 1 'the model has [0-9]+ error' -C shop plan
complains "and print the errors" 'customers.yaml:[0-9]+:[0-9]+: error:'

expect "explain" 0 explain
rule=$(sed -n 2p "$out" | cut -d' ' -f1)
expect "explain $rule" 0 explain "$rule"
says "shows what passes" '^This passes:'
refuses "explain nothing" 2 'no rule "M9999"' explain M9999
expect "schema" 0 schema
python3 -c 'import json,sys; s=json.load(open(sys.argv[1])); assert s["$schema"]' "$out" && ok "is JSON" || not_ok "is JSON"
cmp -s "$out" t-starter/datasurface.schema.json || [ -s t-starter/datasurface.schema.json ] && ok "init writes it" ||
    not_ok "init writes it"

expect "graph" 0 -C t-starter graph
says "names streams" 'Ingest/YellowLive/Store1'
expect "graph of one platform" 0 -C t-starter graph --platform YellowLive
silent "and of no other" YellowForensic
refuses "graph of an unknown platform" 2 'no platform "YellowLiv"' -C t-starter graph --platform YellowLiv
complains "did you mean" 'did you mean "YellowLive"'
expect "graph for Mermaid" 0 -C t-starter graph --format mermaid
says "is Mermaid" '^(flowchart|graph) '
expect "graph for Graphviz" 0 -C t-starter graph --format dot
says "is DOT" '^digraph'
expect "graph in JSON" 0 -C t-starter graph --format json
python3 -c 'import json,sys; r=json.load(open(sys.argv[1]))["result"]; assert r["nodes"] and r["edges"]' "$out" &&
    ok "has nodes and edges" || not_ok "has nodes and edges"
expect "lineage" 0 -C t-starter graph --lineage Store1/customers
says "through the transformer" 'Dataset/MaskedCustomers/customers -> Group/Consumer1/live'
refuses "lineage of nothing" 2 'no dataset "Store1/nothing"' -C t-starter graph --lineage Store1/nothing
finish
