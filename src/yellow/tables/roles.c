#include "yellow/tables/roles.h"

const char *role_transformer_name(ds_arena *arena, ds_name_rules rules, const ds_stream_def *def, const char *database)
{
    const char *parts[] = {arena_printf(arena, "dq_%s", def->platform), def->workspace, database};
    return naming_role(arena, rules, parts, 3);
}

static ds_rc current_database(ds_db *db, ds_arena *arena, const char **out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT pg_catalog.current_database()");
    ds_result r;
    TRY(store_query(db, &q, arena, &r, err));
    *out = result_text(&r, 0, 0);
    return DS_DONE;
}

ds_rc role_transformer_find(ds_db *db, const ds_stream_def *def, ds_arena *arena, const char **out, ds_error *err)
{
    *out = NULL;
    if (!db->dialect->has_roles || def->command)
        return DS_DONE;
    const char *database;
    TRY(current_database(db, arena, &database, err));
    const char *name = role_transformer_name(arena, db->dialect->names, def, database);
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT 1 FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(oid, 'MEMBER') AND rolname = ");
    sql_text(&q, name);
    ds_result r;
    TRY(store_query(db, &q, arena, &r, err));
    *out = r.rows ? name : NULL;
    return DS_DONE;
}

static ds_rc exec(ds_control *control, const ds_sql *q, ds_error *err)
{
    return store_exec(control->db, q, NULL, err);
}

static ds_rc create(ds_control *control, const plan_role *role, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    CLEANUP(sql_release) ds_sql comment = sql_new(control->db->dialect);
    SQL(&q, "CREATE ROLE ");
    sql_ident(&q, role->name);
    SQL(&q, " NOLOGIN");
    if (role->ours_to_be)
        SQL(&q, " NOINHERIT ROLE CURRENT_USER");
    TRY(exec(control, &q, err));
    SQL(&comment, "COMMENT ON ROLE ");
    sql_ident(&comment, role->name);
    SQL(&comment, " IS ");
    sql_literal_text(&comment, role->comment);
    return exec(control, &comment, err);
}

static void object(ds_relation relation, ds_sql *q)
{
    SQL(q, " ON ");
    if (relation.name[0]) {
        sql_relation(q, relation);
        return;
    }
    SQL(q, "SCHEMA ");
    sql_ident(q, relation.schema);
}

static ds_rc grant(ds_control *control, const plan_role *role, ds_relation relation, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    if (relation.name[0])
        SQL(&q, "GRANT SELECT");
    else
        SQL(&q, "GRANT USAGE");
    object(relation, &q);
    SQL(&q, " TO ");
    sql_ident(&q, role->name);
    return exec(control, &q, err);
}

static ds_rc revoke(ds_control *control, const plan_role *role, ds_relation relation, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "REVOKE ALL");
    object(relation, &q);
    SQL(&q, " FROM ");
    sql_ident(&q, role->name);
    return exec(control, &q, err);
}

static ds_rc drop(ds_control *control, const plan_role *role, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "DROP ROLE ");
    sql_ident(&q, role->name);
    return exec(control, &q, err);
}

static ds_rc change(ds_control *control, const plan_role *role, ds_error *err)
{
    if (role->create)
        TRY(create(control, role, err));
    for (size_t i = 0; i < role->revoke.n; i++)
        TRY(revoke(control, role, role->revoke.v[i], err));
    for (size_t i = 0; i < role->grant.n; i++)
        TRY(grant(control, role, role->grant.v[i], err));
    return role->drop ? drop(control, role, err) : DS_DONE;
}

ds_rc role_change(ds_control *control, const plan_role *role, ds_error *err)
{
    return ds_context(change(control, role, err), err, "role %s", role->name);
}
