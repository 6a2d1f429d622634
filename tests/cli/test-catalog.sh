#!/bin/sh
# The model itself as datasets: export model, on SQLite and on PostgreSQL.
. "$(dirname "$0")/lib.sh"
. "$here/pg_lib.sh"
mkdir bin
ln -s "$ds" bin/datasurface
PATH=$work/bin:$PATH # where the transformer's program is looked for
tables='ecosystem vendors locations zones teams stores datasets columns workspaces groups sinks transformers services
platforms assignments primaries streams edges'

# readers TEAM: a workspace that uses all of them, with history
readers()
{
    printf '%s\n' '---' 'kind: Workspace' "team: $1" 'name: Readers' 'dataset_groups:' '  all:' \
        '    requires: {history: full}' '    sinks:'
    for table in $tables; do echo "    - Model/$table"; done
}

# assign FILE PLATFORM: to them
assign()
{
    sed -i "s|^assignments:|&\n  - {group: Readers/all, platforms: [{platform: $2, status: provisioned}]}|" "$1"
}

# ask SQL: the one value that the model has for it
ask()
{
    "$ds" -C shop query "SELECT ($1) AS x" --format json | sed -n 's/^{"x": *"*\([^"}]*\).*/\1/p'
}

# asked TABLE: how many rows the model has of it
asked()
{
    ask "SELECT count(*) FROM $1"
}

"$ds" init shop >/dev/null
expect "the documents" 0 -C shop export model --team USA/analytics --classification ip -o shop/catalog.yaml
says "are written" '^wrote shop/catalog.yaml: Model$'
readers USA/analytics >>shop/catalog.yaml
assign shop/platforms.yaml YellowForensic
sed -i 's|locations: .USA/NY_1.|locations: [USA/NY_1, USA/NJ_1]|' shop/ecosystem.yaml
expect "they are a model" 0 -C shop lint
refuses "once written" 2 'exists already' -C shop export model --team USA/analytics -o shop/catalog.yaml
expect "apply" 0 -C shop apply
expect "run" 0 -C shop run --once --stream YellowForensic/Model
for table in $tables; do
    same "$table" "$(asked $table)" "$(sql shop/merge.db "SELECT count(*) FROM ws_readers__all__model__$table")"
done
same "both places" 2 "$(asked locations)"
same "with what stands there" "USA/analytics 0" "$(sql shop/merge.db "SELECT team || ' ' || datasets
    FROM ws_readers__all__model__stores s WHERE name = 'Model'" | sed 's/ [0-9]*$/ 0/')"

# A change of the model is a change of the data.
sed -i 's/varchar(100)/varchar(120)/' shop/customers.yaml
expect "apply a change" 0 -C shop apply
expect "run again" 0 -C shop run --once --stream YellowForensic/Model
changed=$(ask "SELECT count(*) FROM columns WHERE store = 'Store1' AND type = 'varchar(120)'")
same "columns have changed" "$changed" "$(sql shop/merge.db "SELECT count(*) FROM ws_readers__all__model__columns__history
    WHERE ds_batch_in = 2 AND type = 'varchar(120)'")"
same "and have been otherwise" "$changed" "$(sql shop/merge.db "SELECT count(*) FROM ws_readers__all__model__columns__history
    WHERE ds_batch_out = 1 AND type = 'varchar(100)'")"
expect "run once more" 0 -C shop run --once --stream YellowForensic/Model
says "nothing has changed" '^YellowForensic/Model +3 +[0-9]+ +0 +0 +0 '

# What doesn't fit.
refuses "without a team" 2 'wants --team' export model
refuses "a team of no form" 2 'team can.t be "a b"' export model --team 'a b'
refuses "a classification that there is not" 2 'classification can.t be "secret"' export model --team USA/analytics \
    --classification secret
refuses "a datastore of no form" 2 'datastore can.t be "1/2"' export model --team USA/analytics --datastore 1/2
refuses "two words" 2 '"Store1" has no place there' export model Store1
refuses "another format" 2 'can.t export "csv"' export csv Store1
refuses "outside of a transformer" 2 'DATASURFACE_CONTEXT is not set' -C shop export model --fill
echo '{"datasurface": 2}' >context
DATASURFACE_CONTEXT=context refuses "another context" 2 'is no context of a transformer' -C shop export model --fill
sed -i 's/^      stores:$/      shops:/; s|Model/stores|Model/shops|' shop/catalog.yaml
"$ds" -C shop apply >/dev/null
refuses "a table that the model lacks" 1 'the model has no table "shops"' -C shop run --once --stream YellowForensic/Model
sed -i 's/^      shops:$/      stores:/; s|Model/shops|Model/stores|' shop/catalog.yaml
sed -i '/^      zones:/,/^      teams:/s/repository: varchar/repo: varchar/' shop/catalog.yaml
"$ds" -C shop apply >/dev/null
refuses "a column that it lacks" 1 'output "zones" has a column "repo", which the model has not' -C shop run --once \
    --stream YellowForensic/Model

# On a server, by the role of the run.
rm -rf shop
make_shop
make_merge
block source | admin shop
block merge | admin merge
echo "ALTER ROLE merge_rw_$unique CREATEROLE" | admin postgres
import_shop shop
"$ds" -C shop export model --team Main/data --classification ip >shop/catalog.yaml
readers Main/data >>shop/catalog.yaml
platform=$(ask "SELECT name FROM platforms WHERE milestoning <> 'scd1'")
assign shop/model.yaml "$platform"
expect "the same on a server" 0 -C shop lint
refuses "a role that nobody lets in" 1 'not everybody may connect to the merge database' -C shop apply
complains "and what to do" 'hint: GRANT CONNECT ON DATABASE ... WITH GRANT OPTION'
echo "GRANT CONNECT ON DATABASE merge_$unique TO merge_rw_$unique WITH GRANT OPTION" | admin postgres
expect "apply there" 0 -C shop apply
expect "run there" 0 -C shop run --once --stream "$platform/Model"
for table in $tables; do
    same "$table there" "$(asked $table)" "$(echo "SELECT count(*) FROM $("$ds" -C shop views Readers |
        sed -n "s/.*FROM \(.*__$table\);/\1/p")" | admin merge)"
done
finish
