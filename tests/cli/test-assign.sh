#!/bin/sh
# assign --propose: assignments for groups that have none.
. "$(dirname "$0")/lib.sh"
"$ds" init shop >/dev/null
cd shop
expect "nothing to propose" 0 assign --propose
says "says so" '^# every group has an assignment$'
cat >consumers.yaml <<'E2'
kind: Workspace
team: USA/analytics
name: New
dataset_groups:
  any: {sinks: [Store1/customers]}
  full: {requires: {history: full}, sinks: [Store1/customers]}
E2
expect "two groups without one" 0 assign --propose
says "where it belongs" '^# platforms.yaml:14: behind the last assignment of PlatformService Yellow_NY$'
says "the first that fits" '^  - \{group: New/any, platforms: \[\{platform: YellowLive, status: provisioned\}\]\}$'
says "the first that keeps history" '^  - \{group: New/full, platforms: \[\{platform: YellowForensic, status: provisioned\}\]\}$'
says "what fits, too" '^# New/any: .*fit, too: YellowForensic$'
says "why not the other" '^#   not YellowLive: it keeps live rows only \(scd1\)'
silent "nothing for transformers" MaskCustomers
expect "as JSON" 0 assign --propose --format json
python3 -c '
import json, sys
p = {x["group"]: x for x in json.load(open(sys.argv[1]))["result"]["proposals"]}
assert p["New/full"]["platform"] == "YellowForensic" and p["New/full"]["service"] == "Yellow_NY"
assert (p["New/any"]["file"], p["New/any"]["line"]) == ("platforms.yaml", 14)
assert "why_not" in p["New/full"]["candidates"][0]' "$out" && ok "has the place" || not_ok "has the place"

expect "into a file" 0 assign --propose -o ../proposed
says "tells which" '^wrote ../proposed$'
refuses "the file is kept" 2 'proposed exists already' assign --propose -o ../proposed
complains "says how" '[-][-]force'
expect "--force overwrites" 0 assign --propose -o ../proposed --force
refuses "no such directory" 3 'no/such' assign --propose -o no/such/file
grep -v '^#' ../proposed >>platforms.yaml
expect "pasted, the model lints" 0 lint
expect "and nothing is left" 0 assign --propose
says "as it says" '^# every group has an assignment$'

sed -i '/New.full/d; s/New.any, platforms: ..platform: YellowLive, status: provisioned/New\/any, platforms: [{platform: YellowLive, status: decommissioned/' platforms.yaml
expect "one that has ended, one that is gone" 0 assign --propose
says "the entry is there" '^# New/any: is assigned, but to nothing that stays; add a platform to the assignment at platforms.yaml:15'
says "the other is proposed" 'group: New/full'
silent "the first is not" '\{group: New/any'
sed -i '/New.any/d' platforms.yaml
echo 'auto_assign: true' >>platforms.yaml
expect "auto_assign" 0 assign --propose
says "is explained" '^# New/any: auto_assign of Yellow_NY gives it YellowLive; fit, too: YellowForensic$'
silent "and nothing proposed" '\{group:'

sed -i '/^auto_assign/d; /^assignments/,$d' platforms.yaml
expect "a service without assignments" 0 assign --propose --service Yellow_NY
says "gets a list" '^assignments:$'
says "whose place is told" '^# platforms.yaml:3: into PlatformService Yellow_NY, which has none yet$'
"$ds" assign --propose | grep -v '^#' >>platforms.yaml
expect "which lints, too" 0 lint

refuses "an unknown service" 2 'no PlatformService "Yellow_N" in the model' assign --propose --service Yellow_N
complains "did you mean" 'did you mean "Yellow_NY"'
refuses "without --propose" 2 'assign wants --propose' assign
finish
