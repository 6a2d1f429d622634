#include "yellow/roles_int.h"

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
