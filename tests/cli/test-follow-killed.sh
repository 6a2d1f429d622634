#!/bin/sh
# run --follow without a stream, killed at each point of an apply: the next one reaches the branch's state, and what is there equals what
# an apply that nobody disturbed makes.
. "$(dirname "$0")/lib.sh"
. "$here/git_lib.sh"
killed=${KILLED:-$root/build/tests/cli/killed}
[ -x "$killed" ] || { echo "Bail out! no program at $killed"; exit 1; }
follower=
trap 'kill -9 $follower 2>/dev/null || :; rm -rf "$work"' EXIT

# model COLUMNS PLATFORM MOVING STORES: more columns, where Here's group is, where Moving's views are, and what it uses
model()
{
    shop_head >base/model.yaml
    cat >>base/model.yaml <<MODEL
{kind: DataContainer, team: Z/T, name: CrmDb, type: sqlite, path: crm.db}
---
{kind: DataContainer, team: Z/T, name: OneDb, type: sqlite, path: one.db}
---
kind: Datastore
team: Z/T
name: Crm
capture: {type: sql_snapshot, container: CrmDb, max_delete_ratio: 1, trigger: {external: true}}
datasets:
  customers: {classification: pub, columns: {id: integer primary key, name: varchar(40)$1}}
  orders: {classification: pub, columns: {id: integer primary key, total: integer}}
---
kind: Datastore
team: Z/T
name: More
capture: {type: sql_snapshot, container: CrmDb, trigger: {external: true}}
datasets: {orders: {classification: pub, columns: {id: integer primary key, total: integer}}}
---
{kind: Workspace, team: Z/T, name: Here, dataset_groups: {all: {sinks: [Crm/customers]}}}
---
{kind: Workspace, team: Z/T, name: Beside, dataset_groups: {all: {sinks: [Crm/customers, Crm/orders]}}}
---
kind: Workspace
team: Z/T
name: Moving
$3
dataset_groups: {all: {sinks: [$4]}}
---
kind: PlatformService
name: Svc
merge: {container: Merge}
containers: {Merge: {type: sqlite, path: merge.db}}
platforms: {Live: {type: yellow, milestoning: scd1}, Full: {type: yellow, milestoning: scd2}}
assignments:
  - {group: Here/all, platforms: [{platform: $2, status: provisioned}]}
  - {group: Beside/all, platforms: [{platform: Full, status: provisioned}]}
  - {group: Moving/all, platforms: [{platform: Live, status: provisioned}]}
MODEL
}

# made DIR: what is there, without what differs from one time to another
made()
{
    for file in merge.db one.db; do
        sql "$1/$file" "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2;
            SELECT name, config, retired, tree_id, removed FROM datasurface__stream ORDER BY 1;
            SELECT * FROM datasurface__view ORDER BY 1, 2; SELECT stream FROM datasurface__lease WHERE stream = 'apply' AND expires_at > '9';
            SELECT commit_id FROM datasurface__applied ORDER BY id DESC LIMIT 1; SELECT key FROM datasurface__meta ORDER BY 1"
    done
}

followed()
{
    [ "$(sql "$1/merge.db" 'SELECT state || commit_id FROM datasurface__follow')" = "applied$head" ]
}

repo=base
git init -q -b main base
echo '*.db*' >base/.gitignore
sql base/crm.db "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, city TEXT); INSERT INTO customers VALUES (1, 'ann', 'Bonn');
    CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER); INSERT INTO orders VALUES (1, 5)"
model "" Live "" "Crm/customers, Crm/orders"
commit one
expect "the first model" 0 -C base apply
expect "and its rows" 0 -C base run --once
# A column more in both streams, a new store, a view that moves to another platform, views that move to another database
model ", city: varchar(20)" Full "container: OneDb" "Crm/customers, Crm/orders, More/orders"
commit two
head=$(git -C base rev-parse main)
cp -r base plain
cp -r base first
rm first/merge.db*
expect "a plain apply" 0 -C plain apply
made plain >plain.txt
expect "leaves nothing to do" 0 -C plain plan --exit-code

# From which databases (base: of the first model; first: none), at which point, the how-manieth time
while read -r from point nth; do
    rm -rf case
    cp -r $from case
    code=0
    KILL_AT=$point KILL_NTH=$nth "$killed" -C case run --follow main --stream nothing >"$out" 2>"$err" </dev/null || code=$?
    same "$from: killed at $point, $nth" 137 "$code"
    "$ds" -C case run --follow main --stream nothing >"$out" 2>"$err" </dev/null &
    follower=$!
    wait_for "the branch after $point, $nth" followed case
    kill -TERM $follower
    wait $follower || not_ok "$from: it drains after $point, $nth"
    follower=
    made case >case.txt
    if [ $from = first ]; then # what the first model left isn't there
        expect "first: nothing is left to do after $point, $nth" 0 -C case plan --exit-code
        continue
    fi
    made case >case.txt
    diff plain.txt case.txt >"$out" && ok "base: all is as after a plain apply" ||
        not_ok "base: all is as after a plain apply, $point $nth"
done <<'POINTS'
base apply:commit 1
base apply:commit 2
base apply:commit 3
base apply:commit 4
base apply:commit 5
base apply:commit 6
base apply:commit 7
base apply:stream 1
base apply:stream 2
base apply:stream 3
base apply:views 1
base apply:record 1
base apply:record 2
base apply:record 3
first apply:control 1
first apply:commit 1
first apply:commit 2
first apply:stream 1
first apply:record 1
POINTS
finish
