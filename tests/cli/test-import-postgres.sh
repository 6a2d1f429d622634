#!/bin/sh
# import from PostgreSQL: what becomes of every oddity, whose password it is, and that the model runs.
. "$(dirname "$0")/lib.sh"
need psql
server=${DATASURFACE_TEST_POSTGRES:-}
[ -n "$server" ] || { echo "1..0 # SKIP no PostgreSQL server for tests (tools/test.sh starts one)"; exit 0; }
unset PGHOST PGPORT PGDATABASE PGUSER PGPASSWORD PGPASSFILE PGSERVICE PGSSLMODE PGOPTIONS
export HOME="$work"
name=import_$$
reader=reader_$$

# pg DATABASE ARGS...: as superuser
pg()
{
    database=$1
    shift
    PGOPTIONS='-c client_min_messages=warning' psql -X -q -v ON_ERROR_STOP=1 -h "$server" -U postgres -d "$database" "$@"
}

drop()
{
    pg postgres -c "DROP DATABASE IF EXISTS $name WITH (FORCE)" -c "DROP ROLE IF EXISTS $reader" || true
}
trap 'drop; rm -rf "$work"' EXIT
pg postgres -c "CREATE ROLE $reader LOGIN PASSWORD 'geheim %'" -c "CREATE DATABASE $name TEMPLATE template0"
pg "$name" -v reader="$reader" -f - <<'SQL'
CREATE SCHEMA sales;
CREATE TYPE sales.mood AS ENUM ('sad', 'happy');
CREATE DOMAIN sales.price AS numeric(10,2) CHECK (VALUE >= 0);
CREATE TABLE customers (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(40) NOT NULL, born date,
    mood sales.mood, host inet, tags text[], seen timestamptz, data jsonb, "Größe: #" real);
COMMENT ON TABLE customers IS 'Who buys';
COMMENT ON COLUMN customers.name IS 'As on the ID';
CREATE TABLE sales.customers (code char(5) NOT NULL UNIQUE, price sales.price, rate numeric);
CREATE TABLE sales.orders (id bigint, at date, total money, PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
CREATE TABLE sales.orders_1 PARTITION OF sales.orders FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE sales.orders_2 PARTITION OF sales.orders DEFAULT;
CREATE TABLE log (at timestamp, what text);
CREATE VIEW rich AS SELECT id, name FROM customers;
CREATE MATERIALIZED VIEW sums AS SELECT count(*) AS n FROM customers;
CREATE TABLE nothing ();
INSERT INTO customers (name, mood, host, tags, data) VALUES ('Zoë', 'sad', '10.0.0.1', '{a,"b c"}', '{"a": 1}'), ('Al', NULL, NULL, NULL, NULL);
INSERT INTO sales.customers VALUES ('A1', 1.5, 0.125), ('B', NULL, 1e20);
INSERT INTO sales.orders VALUES (1, '2024-02-29', 12.5), (1, '2030-01-01', 0);
INSERT INTO log VALUES ('2024-01-01', 'x'), ('2024-01-01', 'x'), (NULL, NULL);
GRANT USAGE ON SCHEMA sales TO :reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public, sales TO :reader;
CREATE TABLE "se
cret: x" (id integer);
REFRESH MATERIALIZED VIEW sums;
SQL
url="postgres://$reader:geheim%20%25@/$name?host=$server"

# exits WHAT CODE ARGS...: the exit code, of imports that have something to say on stderr
exits()
{
    what=$1
    wanted=$2
    shift 2
    ds "$@"
    if [ "$code" = "$wanted" ]; then ok "$what"; else not_ok "$what: exit $code, wanted $wanted"; fi
}

exits "import with the URL's password" 0 import "$url" --datastore Shop
says "tells what it wrote" '^wrote Shop.yaml: Shop with 4 datasets, and a model around it'
complains "counts what it could not import" '^not imported: 2 tables; comments'
complains "and what nobody asked for" '^not imported: 2 views or foreign tables; --views'
complains "says how to name a credential" '[-]-credential NAME'
same "no password anywhere" "" "$(grep -rl geheim . || true)"
cp Shop.yaml "$out"
says "the reason for what is missing" "^# not imported: public.se.ncret: x: no SELECT right for role $reader\$"
says "a table without columns" '^# not imported: public.nothing: it has no columns$'
says "views as comments" '^# not imported: public.rich: a view, which --views imports$'
says "where the server is" "^host: \"$server\"\$"
says "names that collide have their schema's" '^  public_customers:'
says "both of them" '^  sales_customers:'
says "others don't" '^  orders:'
silent "partitions are no datasets" 'orders_1'
says "comments are descriptions" '^    description: "Who buys"'
says "a unique index is a key" 'its key is that of the unique index \\"customers_code_key\\"'
says "an enum" 'description: "enum sales.mood at the source: sad, happy"'
says "a domain" 'description: "domain sales.price at the source: CHECK'
says "the domain's type" 'type: decimal\(10,2\)'
says "an array" '^      tags: array\(text\)'

expect "it lints" 0 lint
export DATASURFACE_SHOP_RO_USER="$reader" DATASURFACE_SHOP_RO_PASSWORD='geheim %'
exits "import with a credential" 0 import "postgres:///$name?host=$server" --datastore Shop --credential shop_ro --views --force
says "views are datasets" 'Shop with 6 datasets'
silent "the rest of the hints has gone" 'credential NAME'
expect "which lints" 0 lint
expect "applies" 0 apply
expect "runs" 0 run --once
expect "and is exact" 0 verify
says "all of it" '^exact: '
same "a value that the model has no word for" '10.0.0.1/32' \
    "$(sql merge.db "SELECT host FROM ws_explore__live__shop__public_customers WHERE name = 'Zoë'")"

exits "one schema" 0 import "postgres:///$name?host=$server" --credential shop_ro --schema 'sal*' --team Main/data -o -
says "is the container's" '^schema: "sales"'
says "its tables need no prefix" '^  customers:'
silent "the others are not there" 'not imported'
same "nothing to say" "" "$(cat "$err")"
exits "some tables" 0 import "postgres:///$name?host=$server" --credential shop_ro --tables 'lo*' --team Main/data -o -
silent "and no others" '^  orders:'

printf '*:*:%s:%s:geheim %%\n' "$name" "$reader" >pass
chmod 600 pass
PGPASSFILE="$work/pass" exits "a password file" 0 import "postgres://$reader@/$name?host=$server" --team Main/data -o -
PGPASSWORD='geheim %' PGUSER=$reader PGHOST=$server exits "the environment" 0 import "postgresql:///$name" --team Main/data -o -
says "what it said is in the model" "^host: \"$server\"\$"
refuses "a wrong password" 3 'password authentication failed' import "postgres://$reader:Falsch@/$name?host=$server" -o -
same "stays secret" 0 "$(cat "$out" "$err" | grep -c Falsch)"
refuses "no such database" 3 'does not exist' import "postgres://$reader:geheim%20%25@/no_$name?host=$server" -o -
refuses "no server" 3 'connection' import 'postgres:///x?host=/nowhere' -o -
refuses "no schema of that name" 2 'x\*' import "$url" --schema 'x*' --team Main/data -o -
refuses "no name of a credential" 2 'is not the name of a credential' import "$url" --credential 'a b' -o -
finish
