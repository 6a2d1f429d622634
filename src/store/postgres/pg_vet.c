// A user's select is vetted before it runs: it may read the relations that it was given and call functions that only
// compute. What it really names is not for us to parse: the server does, by making a temporary view of it that is
// rolled back. The view's rule lists every relation and function with its OID, whatever the text looked like. Within a
// transaction that writes the view is made there, because it may read tables that were made there, too; one that reads
// can't make any, and a connection of its own does it.
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

typedef struct vetting {
    ds_pg *db;
    PGconn *conn; // of its own; NULL: in the open transaction
} vetting;

static ds_rc fail(const vetting *v, const PGresult *result, ds_error *err)
{
    ds_pg other = {.conn = v->conn, .label = v->db->label};
    return pg_fail_result(&other, result, err);
}

// One statement, or it is refused.
static ds_rc run(const vetting *v, const char *text, PGresult **out, ds_error *err)
{
    pg_result_clearp(out);
    if (!v->conn) {
        if (!PQsendQueryParams(v->db->conn, text, 0, NULL, NULL, NULL, NULL, 0))
            return pg_fail_connection(v->db, err);
        return pg_finish(v->db, out, err);
    }
    *out = PQexecParams(v->conn, text, 0, NULL, NULL, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(*out);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ? DS_DONE : fail(v, *out, err);
}

static ds_rc begin_beside(const vetting *v, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(v->db->db.dialect);
    sql_add_fixed(&q, BEGIN_VET, sizeof BEGIN_VET - 1);
    sql_ident(&q, v->db->schema);
    CLEANUP(pg_result_clearp) PGresult *result = PQexec(v->conn, buf_text(&q.text));
    return PQresultStatus(result) == PGRES_COMMAND_OK ? DS_DONE : fail(v, result, err);
}

static ds_rc make_view(const vetting *v, const char *select, ds_error *err)
{
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    CLEANUP(sql_release) ds_sql q = sql_new(v->db->db.dialect);
    SQL(&q, "CREATE TEMPORARY VIEW ");
    sql_ident(&q, VIEW);
    SQL(&q, " AS ");
    sql_user_text(&q, select);
    if (!sql_ok(&q))
        return ds_fail(err, DS_FINDING, "%s: the statement is too large", v->db->label);
    return run(v, buf_text(&q.text), &result, err);
}

static ds_rc check(const vetting *v, const ds_read *read, ds_error *err)
{
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    TRY(run(v, RELATIONS, &result, err));
    for (int i = 0; i < PQntuples(result); i++)
        if (!is_allowed(read, PQgetvalue(result, i, 0), PQgetvalue(result, i, 1)))
            return ds_fail(err, DS_FINDING, "%s: the SQL reads \"%s\".\"%s\", which is not one of its inputs",
                           v->db->label, PQgetvalue(result, i, 0), PQgetvalue(result, i, 1));
    TRY(run(v, FUNCTIONS, &result, err));
    if (PQntuples(result))
        return ds_fail(err, DS_FINDING, "%s: the SQL may not call %s", v->db->label, PQgetvalue(result, 0, 0));
    return DS_DONE;
}

static ds_rc view_and_check(const vetting *v, const ds_read *read, const char *select, ds_error *err)
{
    TRY(make_view(v, select, err));
    return check(v, read, err);
}

static ds_rc vet_beside(ds_pg *db, const ds_read *read, const char *select, ds_error *err)
{
    vetting v = {.db = db, .conn = pg_connect_again(db, VET_TIMEOUT_MS)};
    if (!v.conn)
        return ds_hint(ds_fail(err, DS_ENV, "%s: no second connection to vet a select", db->label), err,
                       "allow one connection more");
    ds_rc rc = begin_beside(&v, err);
    if (rc.code == DS_OK)
        rc = view_and_check(&v, read, select, err);
    PQfinish(v.conn); // rolls back
    return rc;
}

// After a refusal the transaction is as good as before.
static ds_rc vet_inside(ds_pg *db, const ds_read *read, const char *select, ds_error *err)
{
    TRY(pg_run_text(db, "SAVEPOINT ds_vet", NULL, err));
    ds_rc rc = view_and_check(&(vetting){.db = db}, read, select, err);
    if (db->broken)
        return rc;
    ds_error ignored;
    ds_rc back = pg_run_text(db, "ROLLBACK TO SAVEPOINT ds_vet; RELEASE SAVEPOINT ds_vet", NULL, &ignored);
    if (rc.code == DS_OK && back.code != DS_OK)
        *err = ignored;
    return rc.code == DS_OK ? back : rc;
}

static ds_rc writes(ds_pg *db, bool *out, ds_error *err)
{
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    TRY(pg_run_text(db, "SHOW transaction_read_only", &result, err));
    *out = strcmp(PQgetvalue(result, 0, 0), "off") == 0;
    return DS_DONE;
}

ds_rc pg_vet(ds_pg *db, const ds_read *read, const char *select, ds_error *err)
{
    bool inside = false;
    if (db->in_transaction)
        TRY(writes(db, &inside, err));
    return inside ? vet_inside(db, read, select, err) : vet_beside(db, read, select, err);
}
