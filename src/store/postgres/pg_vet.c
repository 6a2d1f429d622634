// A user's select is vetted before it runs: it may read the relations that it was given and call functions that only
// compute. What it really names is not for us to parse: the server does, by making a temporary view of it in a
// transaction that is rolled back, on a connection of its own. The view's rule lists every relation and function with
// its OID, whatever the text looked like.
#include <stdlib.h>
#include <string.h>

#include "store/postgres/pg_int.h"

enum { VET_TIMEOUT_MS = 10000, TEXT_MAX = 2 * SQL_TEXT_MAX };

static const char BEGIN_VET[] =
    "BEGIN READ WRITE; SET LOCAL statement_timeout = 10000; SET LOCAL lock_timeout = 10000; SET LOCAL search_path = ";
static const char VIEW[] = "ds_vet";

// Every relation of the rule but the view itself.
static const char RELATIONS[] =
    "SELECT DISTINCT n.nspname, c.relname FROM pg_catalog.pg_rewrite AS r "
    "CROSS JOIN pg_catalog.regexp_matches(r.ev_action::text, ':relid ([1-9]\\d*)', 'g') AS m "
    "JOIN pg_catalog.pg_class AS c ON c.oid = m[1]::oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
    "WHERE r.ev_class = 'pg_temp.ds_vet'::regclass AND c.oid <> r.ev_class";

// Functions, and those behind operators and aggregates, that do more than compute: volatile ones but for a few that are
// harmless, those that take the name of a relation or a query and read it, and what somebody wrote in SQL or another
// language of the database, which may do anything.
static const char FUNCTIONS[] =
    "WITH called AS (SELECT m[1] AS kind, m[2]::oid AS oid FROM pg_catalog.pg_rewrite AS r "
    "CROSS JOIN pg_catalog.regexp_matches(r.ev_action::text, "
    "':(funcid|opfuncid|hashfuncid|aggfnoid|winfnoid|opno|useOp) ([1-9]\\d*)', 'g') AS m "
    "WHERE r.ev_class = 'pg_temp.ds_vet'::regclass), "
    "functions AS (SELECT oid FROM called WHERE kind NOT IN ('opno', 'useOp') "
    "UNION SELECT o.oprcode FROM called AS k JOIN pg_catalog.pg_operator AS o ON o.oid = k.oid "
    "WHERE k.kind IN ('opno', 'useOp')) "
    "SELECT p.proname FROM functions AS f JOIN pg_catalog.pg_proc AS p ON p.oid = f.oid "
    "JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang "
    "WHERE (p.provolatile = 'v' AND p.proname NOT IN ('random', 'clock_timestamp', 'timeofday', 'gen_random_uuid')) "
    "OR p.proname ~ '^(table|query|cursor|schema|database)_to_xml' "
    "OR (l.lanname NOT IN ('internal', 'c') AND p.pronamespace <> 'pg_catalog'::regnamespace) "
    "ORDER BY 1 LIMIT 1";

static bool is_allowed(const ds_read *read, const char *schema, const char *name)
{
    for (size_t i = 0; i < read->allowed_count; i++)
        if (strcmp(read->allowed[i].name, name) == 0 && strcmp(read->allowed[i].schema, schema) == 0)
            return true;
    return false;
}

static ds_rc fail(ds_pg *db, PGconn *conn, const PGresult *result, ds_error *err)
{
    ds_pg vetting = {.conn = conn, .label = db->label};
    return pg_fail_result(&vetting, result, err);
}

static ds_rc run(ds_pg *db, PGconn *conn, const char *text, PGresult **out, ds_error *err)
{
    PQclear(*out);
    *out = PQexecParams(conn, text, 0, NULL, NULL, NULL, NULL, 0); // one statement, or it is refused
    ExecStatusType status = PQresultStatus(*out);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ? DS_DONE : fail(db, conn, *out, err);
}

static ds_rc make_view(ds_pg *db, PGconn *conn, const char *select, ds_error *err)
{
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    CLEANUP(sql_release) ds_sql q = sql_new(db->db.dialect);
    sql_add_fixed(&q, BEGIN_VET, sizeof BEGIN_VET - 1);
    sql_ident(&q, db->schema);
    result = PQexec(conn, buf_text(&q.text));
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        return fail(db, conn, result, err);
    sql_clear(&q);
    SQL(&q, "CREATE TEMPORARY VIEW ");
    sql_ident(&q, VIEW);
    SQL(&q, " AS ");
    sql_user_text(&q, select);
    if (!sql_ok(&q))
        return ds_fail(err, DS_FINDING, "%s: the statement is too large", db->label);
    return run(db, conn, buf_text(&q.text), &result, err);
}

static ds_rc check(ds_pg *db, PGconn *conn, const ds_read *read, ds_error *err)
{
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    TRY(run(db, conn, RELATIONS, &result, err));
    for (int i = 0; i < PQntuples(result); i++)
        if (!is_allowed(read, PQgetvalue(result, i, 0), PQgetvalue(result, i, 1)))
            return ds_fail(err, DS_FINDING, "%s: the SQL reads \"%s\".\"%s\", which is not one of its inputs",
                           db->label, PQgetvalue(result, i, 0), PQgetvalue(result, i, 1));
    TRY(run(db, conn, FUNCTIONS, &result, err));
    if (PQntuples(result))
        return ds_fail(err, DS_FINDING, "%s: the SQL may not call %s", db->label, PQgetvalue(result, 0, 0));
    return DS_DONE;
}

ds_rc pg_vet(ds_pg *db, const ds_read *read, const char *select, ds_error *err)
{
    PGconn *conn = pg_connect_again(db, VET_TIMEOUT_MS);
    if (!conn)
        return ds_hint(ds_fail(err, DS_ENV, "%s: no second connection to vet a select", db->label), err,
                       "allow one connection more");
    ds_rc rc = make_view(db, conn, select, err);
    if (rc.code == DS_OK)
        rc = check(db, conn, read, err);
    PQfinish(conn); // rolls back
    return rc;
}
