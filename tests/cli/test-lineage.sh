#!/bin/sh
# graph --lineage: where datasets and columns come from and go to.
. "$(dirname "$0")/lib.sh"
"$ds" init shop >/dev/null
cd shop
expect "a dataset" 0 graph --lineage Store1/customers
says "its source" '^  Source/CustomerDB/customers -> Ingest/YellowLive/Store1$'
says "its stream" '^  Ingest/YellowLive/Store1 -> Dataset/Store1/customers$'
says "the transformer that reads it" '^  Dataset/Store1/customers -> Transformer/MaskCustomers$'
says "what that writes" '^  Ingest/YellowLive/MaskedCustomers -> Dataset/MaskedCustomers/customers$'
says "who consumes it" '^  Dataset/Store1/customers -> Group/Consumer1/audit$'
expect "a column" 0 graph --lineage MaskedCustomers/customers/firstname
says "through the SQL" '^  Column/Store1/customers/firstname -> Column/MaskedCustomers/customers/firstname \(value, by MaskCustomers\)$'
silent "not of other columns" lastname
expect "a store" 0 graph --lineage Store1
says "all of its datasets" 'Dataset/Store1/addresses'
for format in mermaid:flowchart dot:digraph; do
    expect "as ${format%:*}" 0 graph --lineage Store1/customers --format "${format%:*}"
    says "is ${format%:*}" "^${format#*:} "
done
expect "as JSON" 0 graph --lineage Store1/customers/firstname --format json
python3 -c '
import json, sys
r = json.load(open(sys.argv[1]))["result"]
names = {node["name"] for node in r["nodes"]}
assert all(edge["from"] in names and edge["to"] in names for edge in r["edges"])
assert any(edge.get("through") == "MaskCustomers" and edge["how"] == "value" for edge in r["edges"])' "$out" &&
    ok "edges between nodes" || not_ok "edges between nodes"

for how in "--cache $work/cache" "--cache $work/cache" --no-cache; do
    # shellcheck disable=SC2086
    expect "lineage in SQL ($how)" 0 $how query "SELECT from_store || '.' || from_dataset || '.' || from_column AS source,
        influence FROM column_lineage WHERE store = 'MaskedCustomers' AND \"column\" = 'firstname'"
    says "a column is made of another" '^Store1\.customers\.firstname +value$'
    # shellcheck disable=SC2086
    expect "of datasets" 0 $how query "SELECT from_store, store, note IS NULL AS known FROM dataset_lineage"
    says "a dataset, too" '^Store1 +MaskedCustomers +1$'
done
refuses "an unknown store" 2 'no datastore "Store2" in the model' graph --lineage Store2/customers
complains "did you mean" 'did you mean "Store1"\?'
refuses "an unknown dataset" 2 'no dataset "Store1/custmers" in the model' graph --lineage Store1/custmers
complains "did you mean that" 'did you mean "Store1/customers"\?'
refuses "an unknown column" 2 'no column "Store1/customers/emial" in the model' graph --lineage Store1/customers/emial
complains "did you mean this" 'did you mean "Store1/customers/email"\?'

sed -i 's/^        FROM {input.Store1.customers}/& WHERE lower(email) GLOB '"'x*'/" masked.yaml
expect "SQL of another dialect" 0 graph --lineage MaskedCustomers/customers/dob
says "is a note" '^note: MaskedCustomers/customers: columns are unknown \(workspace MaskCustomers\): PostgreSQL can.t parse it: '
says "and a lineage of datasets" '^  Dataset/Store1/customers -> Column/MaskedCustomers/customers/dob \(unknown, by MaskCustomers\)$'
expect "and in SQL" 0 query "SELECT note, (SELECT count(*) FROM column_lineage) AS columns FROM dataset_lineage"
says "the note" "^PostgreSQL can't parse it: .* 0$"
finish
