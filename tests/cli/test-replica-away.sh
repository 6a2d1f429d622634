#!/bin/sh
# A consumer's database that is away keeps nobody else from being changed, and no view is dropped before it is in its
# new place: plan, apply and run --follow meanwhile, and when it is back.
. "$(dirname "$0")/lib.sh"
. "$here/git_lib.sh"
need python3
follower=
trap 'kill -9 $follower 2>/dev/null || :; rm -rf "$work"' EXIT
mkdir shop
sql shop/crm.db "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO customers VALUES (1, 'ann'), (2, 'bob');
    CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER); INSERT INTO orders VALUES (1, 5)"

# model FIXED MOVING EXTRA CAPTURE: more of the workspaces Fixed and Moving, more columns, and more of the capture
model()
{
    shop_head >shop/model.yaml
    cat >>shop/model.yaml <<MODEL
{kind: DataContainer, team: Z/T, name: CrmDb, type: sqlite, path: crm.db}
---
{kind: DataContainer, team: Z/T, name: OneDb, type: sqlite, path: one.db}
---
{kind: DataContainer, team: Z/T, name: TwoDb, type: sqlite, path: two.db}
---
kind: Datastore
team: Z/T
name: Crm
capture: {type: sql_snapshot, container: CrmDb, max_delete_ratio: 1, trigger: {external: true}${4:-}}
datasets:
  customers: {classification: pub, columns: {id: integer primary key, name: varchar(40)${3:-}}}
  orders: {classification: pub, columns: {id: integer primary key, total: integer}}
---
{kind: Workspace, team: Z/T, name: Here, dataset_groups: {all: {sinks: [Crm/customers]}}}
---
kind: Workspace
team: Z/T
name: Fixed
$1
dataset_groups: {all: {sinks: [Crm/customers]}}
---
kind: Workspace
team: Z/T
name: Moving
$2
dataset_groups: {all: {sinks: [Crm/customers, Crm/orders]}}
---
kind: PlatformService
name: Svc
merge: {container: Merge}
containers: {Merge: {type: sqlite, path: merge.db}}
platforms: {Live: {type: yellow, milestoning: scd1}}
assignments:
  - {group: Here/all, platforms: [{platform: Live, status: provisioned}]}
  - {group: Fixed/all, platforms: [{platform: Live, status: provisioned}]}
  - {group: Moving/all, platforms: [{platform: Live, status: provisioned}]}
MODEL
}

# away DB: nobody can open it; back DB
away()
{
    if [ -e "shop/$1" ]; then mv "shop/$1" shop/kept; fi
    mkdir "shop/$1"
}
back()
{
    rmdir "shop/$1"
    if [ -e shop/kept ]; then mv shop/kept "shop/$1"; fi
}

# views DB: the consumers' views there
views()
{
    sql "shop/$1" "SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_master WHERE type = 'view' AND name LIKE 'ws_%' ORDER BY 1)"
}
# plan_id: of the last plan
plan_id()
{
    sed -n 's/^plan \([0-9a-f]*\):.*/\1/p' "$out"
}
here_view=ws_here__all__crm__customers
moving_views="ws_moving__all__crm__customers ws_moving__all__crm__orders"

model "container: OneDb" ""
expect "apply" 0 -C shop apply
expect "run" 0 -C shop run --once
same "one has its views" ws_fixed__all__crm__customers "$(views one.db)"

# --- a column more, while a replica is away
model "container: OneDb" "" ", city: varchar(20)"
sql shop/crm.db "ALTER TABLE customers ADD COLUMN city TEXT; UPDATE customers SET city = 'Bonn'"
expect "plan with all" 0 -C shop plan
whole=$(plan_id)
away one.db
refuses "plan without one" 3 'the plan for OneDb is missing: .*one\.db' -C shop plan
part=$(plan_id)
says "it shows the others' changes" 'add-column +table ds_live__crm__customers +"city"'
says "and the one it can't" '^  not reached$'
same "once" 1 "$(grep -c 'one\.db' "$err")"
ds -C shop plan --format json
same "in JSON, too" OneDb "$(python3 -c "import json; print(json.load(open('$out'))['result']['missing'][0]['container'])")"
refuses "apply of the whole plan" 1 'is out of date' -C shop apply --plan "$whole"
refuses "apply" 3 'OneDb is left out: .*one\.db' -C shop apply --plan "$part"
says "does the others" 'applied: [0-9]+ change'
says "and shows their views" 'SELECT \* FROM ws_here__all__crm__customers'
refuses "apply once more" 3 'OneDb is left out' -C shop apply
silent "has nothing more to do" 'applied'
ds -C shop run --once
same "the others go on" "Bonn" "$(sql shop/merge.db "SELECT DISTINCT city FROM $here_view")"
expect_away="$(sql shop/merge.db "SELECT count(*) FROM datasurface__applied")"
ds -C shop apply
same "an apply without changes leaves no record" "$expect_away" "$(sql shop/merge.db "SELECT count(*) FROM datasurface__applied")"
ds -C shop views
same "views without it" 3 "$code"
says "are the others'" 'FROM ws_here__all'
back one.db
ds -C shop plan
refuses "the plan without it is none of all" 1 'is out of date' -C shop apply --plan "$part"
expect "the next apply finishes it" 0 -C shop apply
expect "nothing is left to plan" 0 -C shop plan --exit-code
expect "run" 0 -C shop run --once
same "it has caught up" "Bonn" "$(sql shop/one.db "SELECT DISTINCT city FROM ws_fixed__all__crm__customers")"

# --- a workspace moves to a database that is away
model "container: OneDb" "container: TwoDb" ", city: varchar(20)"
away two.db
refuses "plan of a move" 3 'the plan for TwoDb is missing' -C shop plan
says "its views stay" 'keep +view ws_moving__all__crm__orders +it stays until it is in TwoDb'
silent "none is dropped" 'drop '
refuses "apply" 3 'TwoDb is left out' -C shop apply
same "the consumer has its views" "$here_view $moving_views" "$(views merge.db)"
sql shop/crm.db "INSERT INTO orders VALUES (2, 7)"
ds -C shop run --once
same "with new rows" "12" "$(sql shop/merge.db "SELECT sum(total) FROM ws_moving__all__crm__orders")"
model "container: OneDb" "container: TwoDb" ", city: varchar(20), street: varchar(20)"
sql shop/crm.db "ALTER TABLE customers ADD COLUMN street TEXT; UPDATE customers SET street = 'Main'"
refuses "a column more meanwhile" 3 'TwoDb is left out' -C shop apply
ds -C shop run --once
same "is in what stays" "Main" "$(sql shop/merge.db "SELECT DISTINCT street FROM ws_moving__all__crm__customers")"
back two.db
expect "plan when it is back" 0 -C shop plan
says "its views go then" 'drop +view ws_moving__all__crm__orders +it is in TwoDb now'
expect "apply" 0 -C shop apply --plan "$(plan_id)"
says "says so" 'drop +view ws_moving__all__crm__orders'
same "they are there" "$moving_views" "$(views two.db)"
same "and nowhere else" "$here_view" "$(views merge.db)"
expect "nothing is left to plan" 0 -C shop plan --exit-code
expect "run" 0 -C shop run --once

# --- from one replica to another that is away, then back to where it was
model "container: OneDb" "container: OneDb" ", city: varchar(20), street: varchar(20)"
away one.db
refuses "to another replica that is away" 3 'OneDb is left out' -C shop apply
same "its views stay where they are" "$moving_views" "$(views two.db)"
model "container: OneDb" "" ", city: varchar(20), street: varchar(20)"
refuses "given up" 3 'OneDb is left out' -C shop apply
same "they are in the merge database" "$here_view $moving_views" "$(views merge.db)"
same "and gone from where they were" "" "$(views two.db)"
back one.db
expect "apply" 0 -C shop apply

# --- what a store's streams are changes while views wait
single=", consistency: single_dataset"
columns=", city: varchar(20), street: varchar(20)"
model "container: OneDb" "container: TwoDb" "$columns" "$single"
away two.db
refuses "a move, and datasets that change their streams" 3 'TwoDb is left out' -C shop apply
same "the views stay" "$here_view $moving_views" "$(views merge.db)"
sql shop/crm.db "INSERT INTO orders VALUES (3, 8)"
ds -C shop run --once
same "with new rows" "20" "$(sql shop/merge.db "SELECT sum(total) FROM ws_moving__all__crm__orders")"
back two.db
expect "apply" 0 -C shop apply
same "they go when they are there" "$here_view" "$(views merge.db)"
expect "nothing is left to plan" 0 -C shop plan --exit-code
model "container: OneDb" "" "$columns" "$single"
expect "back again" 0 -C shop apply

# --- a container is given up while its database is away
model "" "" "$columns" "$single"
away one.db
ds -C shop apply
same "a former database that is away is told and keeps nobody" 0 "$code"
complains "told" 'OneDb, which no workspace uses any more, stay as they are'
same "the views are in the merge database" "ws_fixed__all__crm__customers $here_view $moving_views" "$(views merge.db)"
refuses "prune wants it" 3 'OneDb is left out' -C shop apply --prune
back one.db
expect "the next one finds the rest" 0 -C shop apply --prune
same "and drops it" "" "$(views one.db)"

# --- follow
repo=shop
git init -q -b main shop
echo '*.db*' >shop/.gitignore
model "container: OneDb" "" "$columns" "$single"
commit_shop()
{
    commit "$1"
    head=$(git -C shop rev-parse main)
}
state()
{
    sql shop/merge.db "SELECT state || ' ' || commit_id FROM datasurface__follow"
}
is_state()
{
    [ "$(state)" = "$1 $2" ]
}
commit_shop one
expect "apply what is there" 0 -C shop apply
expect "run" 0 -C shop run --once
away one.db
model "container: OneDb" "" "$columns, zip: varchar(9)" "$single"
commit_shop two
"$ds" -C shop run --follow main >follow.out 2>follow.err </dev/null &
follower=$!
wait_for "the state" is_state waiting "$head"
ok "a branch is applied where it can be"
same "what can be is applied" "$head" "$(sql shop/merge.db 'SELECT commit_id FROM datasurface__applied ORDER BY id DESC LIMIT 1')"
expect "status" 1 -C shop status --check
says "names it" "^follows main: .* waiting .*: OneDb can.t be changed now: "
model "container: OneDb" "" "$columns, zip: varchar(9), land: varchar(9)" "$single"
commit_shop three
wait_for "the next commit" is_state waiting "$head"
ok "the next commit is not kept waiting"
back one.db
wait_for "the rest" is_state applied "$head"
same "it is applied when it is back" "$head" "$(sql shop/one.db 'SELECT commit_id FROM datasurface__applied ORDER BY id DESC LIMIT 1')"
kill -TERM $follower
wait $follower && ok "it drains" || not_ok "it drains"
follower=
expect "nothing is left to plan" 0 -C shop plan --exit-code
finish
