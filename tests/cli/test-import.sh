#!/bin/sh
# import: a database's catalogue becomes a model that lints and runs.
. "$(dirname "$0")/lib.sh"
need sqlite3
sqlite3 crm.sqlite '
    CREATE TABLE customers(id INTEGER PRIMARY KEY, "Full Name" VARCHAR(40) NOT NULL, born DATE, balance DECIMAL(12,2));
    CREATE TABLE "order lines"(order_id INTEGER, line INTEGER, what TEXT, PRIMARY KEY (order_id, line));
    CREATE TABLE log(at DATETIME, message TEXT);
    CREATE VIEW rich AS SELECT * FROM customers WHERE balance > 1000;
    INSERT INTO customers VALUES (1, '"'O''Connor'"', '"'1980-02-29'"', 12.5), (2, '"'Zoë'"', NULL, NULL);
    INSERT INTO "order lines" VALUES (1, 1, '"'tea'"'), (1, 2, '"'lamp'"');
    INSERT INTO log VALUES ('"'2026-01-31 12:00:00'"', '"'hello'"'), ('"'2026-01-31 12:00:00'"', '"'hello'"');'
expect "import into nothing" 0 import crm.sqlite
says "tells what it wrote" '^wrote crm.yaml: crm with 3 datasets, and a model around it'
says "views are left out" '1 view left out'
says "tables without a key" '1 without a primary key'
says "illegal names" 'made legal'
expect "the model lints" 0 lint
says "classification is asked for" 'warning: .*classification'
expect "import --force over the whole model" 0 import crm.sqlite --force
says "writes the whole model again" 'and a model around it'
expect "which lints" 0 lint
expect "the model applies" 0 apply
expect "the model runs" 0 run --once
expect "the copy is exact" 0 verify
expect "names of the source are kept" 0 import crm.sqlite --datastore other --team Main/data -o -
says "beside the legal ones" 'Full Name'
refuses "nothing is overwritten" 2 'crm.yaml exists already' import crm.sqlite --team Main/data
complains "says how" '[-][-]force'
refuses "a missing file" 3 'no such file' import missing.sqlite
refuses "a directory" 3 'is a directory' import sqlite:.
refuses "no database" 3 'not a database' import crm.yaml
refuses "what is no URL" 2 "can't import" import gopher:stuff
refuses "another database" 2 'import from "mysql:"' import mysql://me:geheim@localhost/x
same "whose password is nobody's business" 0 "$(cat "$out" "$err" | grep -c geheim)"
refuses "a PostgreSQL URL that can't be read" 2 "URL can't be read" import 'postgres://me:geheim@[::1/x'
refuses "one that a model has no place for" 2 'says channel_binding, which' import 'postgres://me@h/x?channel_binding=require'
for option in '--schema x' '--credential x' '--views'; do
    # shellcheck disable=SC2086
    refuses "${option% x} of a file" 2 "${option% x} is for PostgreSQL" import crm.sqlite $option
done
refuses "no table matches" 2 'zzz' import crm.sqlite --datastore none --tables 'zzz*'
refuses "an illegal name" 2 '1 2' import crm.sqlite --datastore '1 2'

"$ds" init shop >/dev/null
refuses "a model with several teams" 2 'wants --team' -C shop import crm.sqlite
complains "lists them" 'USA/customer_data, USA/analytics'
expect "into an existing model" 0 -C shop import sqlite:crm.sqlite --datastore CRM --team USA/customer_data --tables 'cust*'
[ -s shop/CRM.yaml ] && ok "as a file of its own" || not_ok "as a file of its own"
refuses "an unknown team" 2 'no team "USA/sales" in the model' -C shop import crm.sqlite --datastore C2 --team USA/sales
refuses "a datastore that exists" 2 'a datastore "Store1" already' -C shop import crm.sqlite --datastore Store1 --team USA/customer_data
refuses "a file that holds more" 2 'analytics.yaml holds ".*" as well' -C shop import crm.sqlite --datastore C3 \
    --team USA/customer_data --force -o shop/analytics.yaml
same "nothing of that was written" 3 "$(ls shop/C2.yaml shop/Store1.yaml shop/C3.yaml 2>&1 | grep -c 'No such')"
expect "--force over a part" 0 -C shop import sqlite:crm.sqlite --datastore CRM --team USA/customer_data --tables 'cust*' --force
same "without a second Ecosystem" 0 "$(grep -c Ecosystem shop/CRM.yaml || true)"
ds -C shop lint
silent "it can be read" 'error.*\[M'
finish
