#!/bin/sh
# Two services with a merge database each: one that was never applied keeps the other one's streams from nothing.
. "$(dirname "$0")/lib.sh"
runner=
trap 'kill -9 $runner 2>/dev/null || :; rm -rf "$work"' EXIT
mkdir shop
sql shop/crm.db "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO customers VALUES (1, 'ann')"
shop_head | sed 's|{name: Svc, repository: acme/model@infra}|{name: A, repository: acme/model@a}, {name: B, repository: acme/model@b}|' >shop/model.yaml
cat >>shop/model.yaml <<'MODEL'
{kind: DataContainer, team: Z/T, name: CrmDb, type: sqlite, path: crm.db}
---
kind: Datastore
team: Z/T
name: Crm
capture: {type: sql_snapshot, container: CrmDb, trigger: {external: true}}
datasets: {customers: {classification: pub, columns: {id: integer primary key, name: varchar(40)}}}
---
{kind: Workspace, team: Z/T, name: Here, dataset_groups: {a: {sinks: [Crm/customers]}, b: {sinks: [Crm/customers]}}}
---
kind: PlatformService
name: A
merge: {container: MergeA}
containers: {MergeA: {type: sqlite, path: a.db}}
platforms: {LiveA: {type: yellow, milestoning: scd1}}
assignments: [{group: Here/a, platforms: [{platform: LiveA, status: provisioned}]}]
---
kind: PlatformService
name: B
merge: {container: MergeB}
containers: {MergeB: {type: sqlite, path: b.db}}
platforms: {LiveB: {type: yellow, milestoning: scd1}}
assignments: [{group: Here/b, platforms: [{platform: LiveB, status: provisioned}]}]
MODEL

# rows DB: that its merge table has; 0 without one
rows()
{
    sql "shop/$1.db" "SELECT count(*) FROM ds_live${1}__crm__customers"
}
has_rows()
{
    [ "$(rows "$1")" = "$2" ]
}

expect "the model" 0 -C shop lint
refuses "run --once of nothing applied" 1 'nothing has been applied' -C shop run --once
refuses "run of nothing applied" 1 'nothing has been applied' -C shop run
for pair in 'B A' 'A B'; do # both orders
    one=${pair% *}
    other=${pair#* }
    small=$(echo "$one" | tr AB ab)
    missing=$(echo "$other" | tr AB ab)
    rm -f shop/a.db* shop/b.db*
    expect "apply $one" 0 -C shop --service "$one" apply
    refuses "run --once without $other" 1 "nothing has been applied to merge database \"Merge$other\"" -C shop run --once
    same "runs $one" 1 "$(rows "$small")"
    ds -C shop status
    same "status without $other" 0 "$code"
    says "shows $one" "^Live$one/Crm +ok +1 "
    complains "and says what is missing" "nothing has been applied to merge database \"Merge$other\".*left out"
    ds -C shop status --check
    same "which a check finds" 1 "$code"
    refuses "views without $other" 1 "nothing has been applied to merge database \"Merge$other\"" -C shop views
    says "shows those of $one" 'SELECT . FROM ws_here__'
    expect "trigger $one" 0 -C shop trigger "Live$one/Crm"
    sql shop/crm.db "INSERT INTO customers VALUES ((SELECT max(id) + 1 FROM customers), 'more')"
    count_before=$(rows "$small")
    "$ds" -C shop trigger "Live$one/Crm" >/dev/null
    "$ds" -C shop run >run.out 2>run.err </dev/null &
    runner=$!
    wait_for "a batch of $one" has_rows "$small" $((count_before + 1))
    ok "run runs $one"
    "$ds" -C shop apply >/dev/null
    "$ds" -C shop trigger "Live$other/Crm" >/dev/null
    wait_for "a batch of $other" has_rows "$missing" $((count_before + 1))
    ok "and picks $other up when it is applied"
    kill -TERM $runner
    wait $runner && code=0 || code=$?
    runner=
    cp run.out "$out"
    cp run.err "$err"
    same "it drains" 0 "$code"
    same "who waited was told once" 1 "$(grep -c "nothing has been applied to merge database \"Merge$other\"" "$err")"
    sql shop/crm.db "DELETE FROM customers WHERE id > 1"
done
# Another name, of the service and of its platform: what goes on is nobody's secret.
rm -f shop/a.db* shop/b.db*
"$ds" -C shop apply >/dev/null
sed -i 's/{name: B, repository/{name: C, repository/; s/^name: B$/name: C/; s/LiveB/LiveC/' shop/model.yaml
expect "plan" 0 -C shop plan
says "what the model has is new" 'create +stream LiveC/Crm'
says "and what goes on is told" '^1 stream of services that the model does not have goes on: LiveB/Crm of B; declare'
"$ds" -C shop apply >/dev/null
expect "status" 0 -C shop status
says "tells it, too" '^1 stream of services that .*: LiveB/Crm of B'
sed -i 's/{name: C, repository: acme.model@b}/&, {name: B, repository: acme\/model@b}/' shop/model.yaml
printf '%s\n' '---' 'kind: PlatformService' 'name: B' 'merge: {container: MergeB2}' \
    'containers: {MergeB2: {type: sqlite, path: b.db}}' 'platforms: {LiveB: {type: yellow, milestoning: scd1}}' >>shop/model.yaml
expect "it is declared again" 0 -C shop plan
says "and retired" 'keep +stream LiveB/Crm'
silent "and no secret any more" 'does not have'
finish
