// Schemas and views.
#include <string.h>

#include "store/postgres/pg_int.h"

ds_rc pg_schema_put(ds_db *db, const char *name, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = ");
    sql_text(&q, name);
    ds_result r;
    TRY(pg_query(db, &q, arena, &r, err));
    if (r.rows) // even IF NOT EXISTS asks for the right to make one
        return DS_DONE;
    sql_clear(&q);
    SQL(&q, "CREATE SCHEMA IF NOT EXISTS ");
    sql_ident(&q, name);
    return pg_exec(db, &q, NULL, err);
}

// --- views

static ds_rc create_view(ds_db *db, ds_relation view, const ds_sql *select, bool replace, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    if (replace)
        SQL(&q, "CREATE OR REPLACE VIEW ");
    else
        SQL(&q, "CREATE VIEW ");
    sql_relation(&q, view);
    SQL(&q, " AS ");
    sql_append(&q, select);
    return pg_exec(db, &q, NULL, err);
}

// What others were granted on the view: role ("" for everybody), right, and whether they may grant it on.
static ds_rc read_grants(ds_db *db, ds_relation view, ds_arena *arena, ds_result *out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q,
        "SELECT COALESCE(r.rolname, ''), g.privilege_type, g.is_grantable::int FROM pg_catalog.pg_class AS c "
        "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace CROSS JOIN pg_catalog.aclexplode(c.relacl) AS g "
        "LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = g.grantee WHERE g.grantee <> c.relowner AND n.nspname = ");
    sql_text(&q, view.schema);
    SQL(&q, " AND c.relname = ");
    sql_text(&q, view.name);
    return pg_query(db, &q, arena, out, err);
}

static ds_rc grant(ds_db *db, ds_relation view, const char *role, const char *right, bool grantable, ds_error *err)
{
    static const char *const RIGHTS[] = {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"};
    for (size_t i = 0; i < sizeof RIGHTS / sizeof RIGHTS[0]; i++) {
        if (strcmp(RIGHTS[i], right) != 0)
            continue;
        CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
        SQL(&q, "GRANT ");
        sql_add_fixed(&q, RIGHTS[i], strlen(RIGHTS[i]));
        SQL(&q, " ON ");
        sql_relation(&q, view);
        SQL(&q, " TO ");
        if (role[0])
            sql_ident(&q, role);
        else
            SQL(&q, "PUBLIC");
        if (grantable)
            SQL(&q, " WITH GRANT OPTION");
        return pg_exec(db, &q, NULL, err);
    }
    return DS_DONE;
}

static ds_rc make_anew(ds_db *db, ds_relation view, const ds_sql *select, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_result grants;
    TRY(read_grants(db, view, arena, &grants, err));
    CLEANUP(sql_release) ds_sql drop = sql_new(db->dialect);
    SQL(&drop, "DROP VIEW ");
    sql_relation(&drop, view);
    TRY(pg_exec(db, &drop, NULL, err));
    TRY(create_view(db, view, select, false, err));
    for (size_t i = 0; i < grants.rows; i++)
        TRY(grant(db, view, result_text(&grants, i, 0), result_text(&grants, i, 1), result_int(&grants, i, 2) != 0,
                  err));
    return DS_DONE;
}

// In place where names and types allow it, so that what stands on the view is not disturbed.
static ds_rc put_view(ds_db *base, ds_relation view, const ds_sql *select, ds_error *err)
{
    static const char INVALID_TABLE_DEFINITION[] = "42P16";
    ds_pg *db = (ds_pg *)base;
    TRY(pg_run_text(db, "SAVEPOINT view_put", NULL, err));
    ds_rc rc = create_view(base, view, select, true, err);
    if (rc.code == DS_OK)
        return pg_run_text(db, "RELEASE SAVEPOINT view_put", NULL, err);
    if (db->broken || strcmp(err->state, INVALID_TABLE_DEFINITION) != 0)
        return rc;
    TRY(pg_run_text(db, "ROLLBACK TO SAVEPOINT view_put", NULL, err));
    return make_anew(base, view, select, err);
}

ds_rc pg_view_put(ds_db *base, ds_relation view, const ds_sql *select, ds_error *err)
{
    ds_pg *db = (ds_pg *)base;
    TRY(pg_own_begin(db, BEGIN_WRITE, err));
    return pg_own_end(db, put_view(base, view, select, err), err);
}
