#!/bin/sh
# Exported contracts against the JSON Schema that the standard publishes. No Debian package has it; a Python package
# does (datacontract-cli, whose program isn't used). Skipped where that can't be had; ODCS_SCHEMA names a copy.
. "$(dirname "$0")/lib.sh"
need python3
python3 -c 'import jsonschema, yaml' 2>/dev/null || { echo "1..0 # SKIP python3-jsonschema or python3-yaml is missing"; exit 0; }
if [ -z "${ODCS_SCHEMA:-}" ]; then
    cat >wanted.txt <<'E2'
datacontract-cli==1.2.8 --hash=sha256:43bc341b82a77ae56fcb365e73dc02b901cd6e7afbef63fb5476deb91e383d2a
E2
    timeout 60 python3 -m pip download --quiet --disable-pip-version-check --retries 0 --timeout 10 --no-deps \
        --only-binary :all: --require-hashes --dest . -r wanted.txt >pip.log 2>&1 ||
        { echo "1..0 # SKIP PyPI doesn't give datacontract-cli, which has the standard's JSON Schema"; exit 0; }
    python3 -m zipfile -e datacontract_cli-*.whl wheel
    ODCS_SCHEMA=wheel/datacontract/schemas/odcs-3.1.0.schema.json
fi
cat >valid.py <<'E2'
import json, sys, jsonschema, yaml
schema = json.load(open(sys.argv[1]))
jsonschema.Draft201909Validator(schema).validate(yaml.safe_load(open(sys.argv[2])))
E2

# valid WHAT: the last stdout is a valid contract
valid()
{
    if python3 valid.py "$ODCS_SCHEMA" "$out" 2>why; then ok "$1"; else tail -5 why | sed 's/^/# /'; not_ok "$1"; fi
}

for template in starter northwind wwi; do
    "$ds" init "$template" --template "$template" >/dev/null
done
for store in starter/Store1 starter/MaskedCustomers northwind/NW_Data wwi/WWI_Data; do
    expect "$store" 0 -C "${store%/*}" export odcs "${store#*/}"
    valid "$store is valid"
done

# Every type of container, and everything else that a contract can have.
cp starter/ecosystem.yaml base.yaml
for store in 'sql_snapshot postgres, host: h, database: d' 'sql_snapshot mariadb, host: h, database: d' \
    'sql_snapshot sqlserver, host: h, database: d' 'sql_snapshot oracle, host: h, database: d' \
    'sql_snapshot db2, host: h, database: d' 'sql_snapshot snowflake, host: h, database: d' \
    'sql_snapshot odbc, database: dsn' 'sql_snapshot sqlite, path: x.db' 'kafka kafka, host: h' \
    'http_json http, host: h' 'files_csv s3, path: bucket/x'; do
    capture=${store%% *}
    container=${store#* }
    type=${container%%,*}
    mkdir "$type"
    cp base.yaml "$type/ecosystem.yaml"
    cat >"$type/store.yaml" <<E2
--- {kind: DataContainer, team: USA/analytics, name: DB, type: $container, locations: ["MyCorp:USA/NY_1"],
     limits: {connections: 2}}
---
kind: Datastore
team: USA/analytics
name: S
description: everything
consumers: []
deprecated: use another
capture: {type: $capture, container: DB, trigger: {cron: "*/5 * * * *", timezone: Europe/Berlin}}
datasets:
  t:
    classification: [cpi, pub]
    deprecated: true
    source: {schema: s, table: T}
    primary_key: [b, a]
    checks: [{not_null: [a, c]}, {unique: [c, d]}, {range: {column: d, min: 0, max: 9}}, {sql: a > b}]
    columns:
      a: integer primary key
      b: varchar(20) primary key
      c: {type: timestamptz, source: C, description: when}
      d: decimal(9,2) partition
      e: array(integer)
      f: struct(a text, b integer)
      g: boolean
      h: time
      i: binary(4)
      j: json
      k: double
      l: date
      m: uuid
E2
    ds -C "$type" export odcs S
    valid "a store in $type is valid"
done
echo 'kind: DataContract' >"$out"
python3 valid.py "$ODCS_SCHEMA" "$out" 2>/dev/null && not_ok "what is not valid isn't" || ok "what is not valid isn't"
finish
