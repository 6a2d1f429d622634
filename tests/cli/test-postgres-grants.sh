#!/bin/sh
# The rights that docs/postgres.md lists are enough, its SQL runs, and each that is missing is named.
. "$(dirname "$0")/lib.sh"
. "$here/pg_lib.sh"

# round WHAT: a batch of every stream, and a proof
round()
{
    expect "$1: run" 0 -C shop run --once
    expect "$1: verify" 0 -C shop verify
    says "$1: is exact" '^exact: 3 datasets'
}

# every SQL block of the page is one that runs here
same "the page's blocks" "consumer merge merge-closed merge-schemas source source-all source-closed source-future source-rls" \
    "$(sed -n 's/^```sql \(.*\)/\1/p' "$page" | sort | tr '\n' ' ' | sed 's/ $//')"

# --- import
make_shop
make_merge
block source | admin shop
block merge | admin merge
import_shop shop
same "import as the reader" 0 "$code"
silent "finds everything readable" 'SELECT|right|permission'
expect "the model lints" 0 -C shop lint

# --- the way through, as these roles
expect "apply" 0 -C shop apply
round "first load"
echo "UPDATE customers SET credit = credit + 1 WHERE id < 'C3'; DELETE FROM visits WHERE page = '/1';
    INSERT INTO visits VALUES ('2026-02-01Z', NULL);" | admin shop
round "changes"
own <<'END' | admin merge >.super
SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles
    WHERE rolname IN ('shop_ro', 'merge_rw') ORDER BY 1;
SELECT count(*) FROM pg_auth_members AS m JOIN pg_roles AS r ON r.oid = m.member WHERE r.rolname IN ('shop_ro', 'merge_rw');
SELECT has_database_privilege('merge_rw', current_database(), 'TEMP'), has_schema_privilege('merge_rw', 'public', 'USAGE');
END
same "ordinary roles" "merge_rw_$unique|f|f|f|f|f shop_ro_$unique|f|f|f|f|f 0 f|f" "$(tr '\n' ' ' <.super | sed 's/ $//')"

# --- consumers
block consumer | admin merge
same "a consumer reads views" 100 "$(as analyst merge 'SELECT count(*) FROM ws_explore.live__shop__customers')"
same "and history" 100 "$(as analyst merge 'SELECT count(*) FROM ws_explore.history__shop__customers__history WHERE ds_batch_in = 1')"
for table in ds_live.shop__customers datasurface.batch; do
    same "but not $table" "permission denied for schema ${table%.*}" \
        "$(as analyst merge "SELECT 1 FROM $table" 2>&1 | sed -n 's/^ERROR:  //p')"
done
# views that change keep what was granted, new ones get it
echo "ALTER TABLE customers ADD COLUMN note text DEFAULT 'n'" | admin shop
sed -i 's/^      credit: .*/&\n      note: text/' shop/model.yaml
sed -i '0,/^  history:/s//  again:\n    requires: {history: live}\n    sinks: [shop\/customers]\n  history:/
    s|^  - {group: Explore/live,.*|&\n  - {group: Explore/again, platforms: [{platform: Live, status: provisioned}]}|' shop/model.yaml
expect "a changed model applies" 0 -C shop apply
expect "and runs" 0 -C shop run --once
same "what was granted stays" n "$(as analyst merge 'SELECT DISTINCT note FROM ws_explore.live__shop__customers')"
same "new views are readable" 100 "$(as analyst merge 'SELECT count(*) FROM ws_explore.again__shop__customers')"

# --- a right that is missing: lacks WHAT DATABASE TAKE GIVE MESSAGE HINT COMMAND...
lacks()
{
    right=$1 database=$2 give=$4 message=$5 hint=$6
    echo "$3" | own | admin "$database"
    shift 6
    refuses "without $right" 3 "$message" -C shop "$@"
    complains "without $right: says so" "$hint"
    echo "$give" | own | admin "$database"
}
lacks "SELECT" shop 'REVOKE SELECT ON visits FROM shop_ro' 'GRANT SELECT ON visits TO shop_ro' \
    'permission denied for table visits' "hint: role \"shop_ro_$unique\" lacks SELECT" job Live/shop
lacks "USAGE" shop 'REVOKE USAGE ON SCHEMA public FROM shop_ro' 'GRANT USAGE ON SCHEMA public TO shop_ro' \
    'permission denied for schema public' "hint: role \"shop_ro_$unique\" lacks USAGE" job Live/shop
lacks "CONNECT" shop 'REVOKE CONNECT ON DATABASE shop FROM shop_ro' 'GRANT CONNECT ON DATABASE shop TO shop_ro' \
    "permission denied for database \"shop_$unique\"" 'CONNECT privilege' job Live/shop
lacks "SELECT on all columns" shop 'REVOKE SELECT ON visits FROM shop_ro; GRANT SELECT (at, page) ON visits TO shop_ro' \
    'REVOKE SELECT (at, page) ON visits FROM shop_ro; GRANT SELECT ON visits TO shop_ro' \
    'permission denied for table visits' 'lacks SELECT' job Live/shop
lacks "BYPASSRLS" shop 'ALTER TABLE customers ENABLE ROW LEVEL SECURITY' '' \
    'row-level security policy for table "customers"' 'lacks BYPASSRLS' job Live/shop
block source-rls | admin shop
round "with BYPASSRLS"
lacks "CONNECT to the merge database" merge 'REVOKE CONNECT ON DATABASE merge FROM merge_rw' \
    'GRANT CONNECT ON DATABASE merge TO merge_rw' 'permission denied for database "merge_' 'CONNECT privilege' job Live/shop
lacks "ownership" merge 'ALTER TABLE ds_live.shop__customers OWNER TO postgres' \
    'ALTER TABLE ds_live.shop__customers OWNER TO merge_rw' 'permission denied for table shop__customers' \
    'lacks ' verify Live/shop
expect "all given back" 0 -C shop run --once

# --- the other ways to the same
echo 'REVOKE SELECT ON customers, visits FROM shop_ro; REVOKE USAGE ON SCHEMA public FROM shop_ro' | own | admin shop
block source-all | admin shop
round "with pg_read_all_data"
echo 'REVOKE pg_read_all_data FROM shop_ro; GRANT USAGE ON SCHEMA public TO shop_ro' | own | admin shop
block source-future | admin shop
echo 'SET ROLE shop_owner; CREATE TABLE later (id integer PRIMARY KEY)' | own | admin shop
same "tables made later" 0 "$(as shop_ro shop 'SELECT count(*) FROM later')"
mkdir few
ds -C few import "postgres://shop_ro_$unique@/shop_$unique?host=$pg" --datastore few --credential shop_ro
same "import with less" 0 "$code"
complains "leaves out what it can't read" 'not imported: 2 tables'
echo 'GRANT SELECT ON customers, visits TO shop_ro' | own | admin shop

own <<'END' | admin postgres
DROP DATABASE merge WITH (FORCE);
DROP ROLE analyst;
DROP ROLE merge_rw;
END
make_merge
echo "CREATE ROLE merge_rw LOGIN PASSWORD 'choose one'; GRANT CONNECT ON DATABASE merge TO merge_rw" | own | admin merge
refuses "without CREATE" 3 "permission denied for database merge_$unique" -C shop apply
complains "without CREATE: says so" "hint: role \"merge_rw_$unique\" lacks CREATE, or schemas"
own <<'END' | admin merge
REVOKE ALL ON DATABASE merge FROM merge_rw;
DROP ROLE merge_rw;
END
block merge-schemas | admin merge
expect "apply into schemas of an administrator" 0 -C shop apply
expect "run there" 0 -C shop run --once
expect "verify there" 0 -C shop verify
same "no other schema was made" "datasurface ds_history ds_live public ws_explore" \
    "$(echo "SELECT string_agg(nspname, ' ' ORDER BY nspname) FROM pg_namespace WHERE nspname !~ '^pg_|^information'" | admin merge)"
finish
