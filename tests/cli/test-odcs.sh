#!/bin/sh
# export odcs and import odcs: a datastore as a data contract, and a contract as a datastore.
. "$(dirname "$0")/lib.sh"
"$ds" init shop >/dev/null
expect "a contract" 0 -C shop export odcs Store1
says "of the standard" '^apiVersion: v3.1.0$'
says "of the store" '^id: Starter/Store1$'
cp "$out" store1.odcs.yaml
expect "the same again" 0 -C shop export odcs Store1
cmp -s "$out" store1.odcs.yaml && ok "is the same text" || not_ok "is the same text"
expect "into a file" 0 -C shop export odcs Store1 -o s.yaml
says "tells which" '^wrote s.yaml: Store1 with 2 datasets$'
cmp -s s.yaml store1.odcs.yaml && ok "has the same text" || not_ok "has the same text"
refuses "the file is kept" 2 's.yaml exists already' -C shop export odcs Store1 -o s.yaml
complains "says how" '[-][-]force'
expect "--force overwrites" 0 -C shop export odcs Store1 -o s.yaml --force
expect "as JSON" 0 -C shop export odcs Store1 --format json
python3 -c '
import json, sys
c = json.load(open(sys.argv[1]))["result"]["contract"]
assert c["kind"] == "DataContract" and c["schema"][0]["properties"][0]["primaryKey"] is True' "$out" &&
    ok "is the contract" || not_ok "is the contract"
expect "what a transformer writes" 0 -C shop export odcs MaskedCustomers
silent "has no server" '^servers:'
refuses "an unknown store" 2 'no datastore "Store2" in the model' -C shop export odcs Store2
complains "did you mean" 'did you mean "Store1"'
refuses "another format" 2 'can.t export "avro"' -C shop export avro Store1
refuses "without a store" 2 'STORE' -C shop export odcs

# The store goes, and comes back from its contract.
cp -r shop back
rm back/customers.yaml
expect "comes back" 0 -C back import odcs store1.odcs.yaml
says "tells what it wrote" '^wrote back/Store1.yaml: Store1 with 2 datasets$'
silent "leaves nothing out" 'left out'
expect "lints" 0 -C back lint
expect "is a contract again" 0 -C back export odcs Store1
cmp -s "$out" store1.odcs.yaml && ok "the same one" || not_ok "the same one"
refuses "the store is there" 2 'Store1.yaml exists already' -C back import odcs store1.odcs.yaml
expect "--force writes it again" 0 -C back import odcs store1.odcs.yaml --force
expect "under another name" 0 -C back import odcs store1.odcs.yaml --datastore Copy -o -
says "printed" '^name: Copy$'
silent "the model's container is used" '^kind: DataContainer'
says "which a comment says" '^# not imported: servers: .*the model has the container'
refuses "a store of another file" 2 'a datastore "Store1" already, in customers.yaml' -C shop import odcs store1.odcs.yaml
expect "the JSON of it" 0 -C shop export odcs Store1 --format json
python3 -c 'import json, sys; json.dump(json.load(open(sys.argv[1]))["result"]["contract"], open("c.json", "w"))' "$out"
expect "is read, too" 0 -C back import odcs c.json --datastore FromJson --format json
python3 -c '
import json, sys
r = json.load(open(sys.argv[1]))["result"]
assert r["datastore"] == "FromJson" and r["datasets"] == 2 and r["left_out"] == 1' "$out" &&
    ok "and told as JSON" || not_ok "and told as JSON"

cat >foreign.yaml <<'E2'
kind: DataContract
apiVersion: v3.1.0
id: 53581432-6c55-4ba2-a65f-72344a91553a
version: 1.1.0
status: active
name: seller data
price: {priceAmount: 9.95}
servers: [{server: my-db, type: postgres, host: h, port: 5432, database: d, schema: s}]
schema:
- name: order lines
  properties: [{name: id, primaryKey: true, physicalType: int}, {name: note, physicalType: varchar(20)}]
E2
refuses "somebody's contract without a team" 2 'import wants --team: the model has 2 teams' -C shop import odcs foreign.yaml
expect "for a team" 0 -C shop import odcs foreign.yaml --team USA/analytics
says "legal names" '^wrote shop/seller_data.yaml: seller_data with 1 dataset$'
says "what is left out" '2 entries are left out'
same "as comments" 2 "$(grep -c '^# not imported: ' shop/seller_data.yaml)"
ds -C shop lint
silent "which can be read" 'error.*\[M'
says "and wants a location, as the zone does" 'error: container "my_db" .* needs locations'
rm shop/seller_data.yaml
expect "in a container of the model" 0 -C shop import odcs foreign.yaml --team USA/analytics --container CustomerDB -o -
says "says so" '^  container: CustomerDB$'
refuses "in none of its containers" 2 'no container "CustomerDC" in the model' -C shop import odcs foreign.yaml \
    --team USA/analytics --container CustomerDC
refuses "for an unknown team" 2 'no team "USA/x" in the model' -C shop import odcs foreign.yaml --team USA/x
refuses "as an illegal name" 2 '"1 2" is not a legal name' -C shop import odcs foreign.yaml --datastore '1 2'
expect "without a model" 0 -C new import odcs foreign.yaml --team A/b
refuses "without a model or a team" 2 'import wants --team' -C new2 import odcs foreign.yaml
refuses "what is no team" 2 '"x" is not a team' -C new2 import odcs foreign.yaml --team x
refuses "options of databases" 2 '[-][-]tables is for databases' import odcs foreign.yaml --tables x
refuses "options of contracts" 2 '[-][-]container is for data contracts' import foreign.yaml --container x
refuses "too many words" 2 'is too much' import a.db b.db
refuses "a missing file" 3 'missing.yaml: No such file' import odcs missing.yaml
refuses "a directory" 3 'is a directory' import odcs shop
printf 'kind: [\n' >broken.yaml
refuses "broken YAML" 1 'broken.yaml:2:1: ' import odcs broken.yaml
printf 'kind: Datastore\n' >other.yaml
refuses "what is no contract" 1 'other.yaml: it is no data contract' import odcs other.yaml
sed 's/v3.1.0/v2.2.2/' foreign.yaml >old.yaml
refuses "an old contract" 1 'version 3 of the standard can be read' import odcs old.yaml
sed '/^servers/d' foreign.yaml >nowhere.yaml
refuses "a contract without a server" 1 'names no server' -C shop import odcs nowhere.yaml --team USA/analytics
complains "what to do" '[-][-]container NAME'
finish
