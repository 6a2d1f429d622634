// A role of the server for each workspace: it may read the workspace's views, and of what is ours nothing else. Who
// consumes is made a member of it. And one for each transformer in SQL, as which its SELECT runs: it may read the
// inputs. Roles are the server's, not the database's: their names end with the database.
//
// A role that is missing is made where the credential may make roles; else an administrator makes it, and gets its
// rights from the next apply. What a role was granted on somebody else's objects is somebody else's.
#include "base/vec.h"
#include "yellow/plan/plan_int.h"
#include "yellow/tables/roles.h"
#include "yellow/tables/table_parts.h"

enum { SHOWN_MAX = 600 }; // bytes of a list of views

typedef struct role_reader {
    ds_planner *p;
    const char *database;
    bool may_create;
    ds_map *roles; // plan_role by name
} role_reader;

// --- what is wanted

static const char *role_comment(ds_arena *arena, const char *workspace, const char *database)
{
    return arena_printf(arena, "consumers of workspace %s in database %s, made by datasurface", workspace, database);
}

static plan_role *add_role(role_reader *r, plan_role role)
{
    plan_role *known = map_get(r->roles, role.name);
    if (known)
        return known;
    known = ARENA_NEW(r->p->arena, plan_role);
    *known = role;
    known->wanted = map_new(r->p->arena);
    known->granted = map_new(r->p->arena);
    (void)map_add(r->roles, role.name, known);
    return known;
}

static void want_relation(role_reader *r, plan_role *role, ds_relation relation)
{
    ds_relation *copy = ARENA_NEW(r->p->arena, ds_relation);
    *copy = relation;
    map_set(role->wanted, plan_relation_key(r->p->arena, relation), copy);
}

static void want(role_reader *r, const char *workspace, ds_relation view)
{
    ds_arena *arena = r->p->arena;
    const char *parts[] = {arena_printf(arena, "ws_%s", workspace), r->database};
    plan_role role = {.name = naming_role(arena, r->p->deployment->dialect->names, parts, 2),
                      .comment = role_comment(arena, workspace, r->database),
                      .purpose = "for consumers"};
    want_relation(r, add_role(r, role), view);
}

static bool same_schema(ds_relation a, ds_relation b)
{
    return strcmp(a.schema ? a.schema : "", b.schema ? b.schema : "") == 0;
}

static bool has_step(const ds_planner *p, ds_relation table, step_kind kind)
{
    for (size_t i = 0; i < p->steps->streams.n; i++) {
        const plan_step_list *steps = &p->steps->streams.v[i]->steps;
        for (size_t k = 0; k < steps->n; k++) {
            if (steps->v[k].kind != kind)
                continue;
            ds_relation relation = table_relation_of(steps->v[k].dataset, steps->v[k].table);
            if (strcmp(relation.name, table.name) == 0 && same_schema(relation, table))
                return true;
        }
    }
    return false;
}

// Of a transformer's SQL. An input that nobody has applied yet can't be read by anybody.
static void want_inputs(role_reader *r, const ds_stream_def *def)
{
    ds_arena *arena = r->p->arena;
    if (!def->workspace || def->command)
        return;
    plan_role *role =
        add_role(r,
                 (plan_role){.name = role_transformer_name(arena, r->p->deployment->dialect->names, def, r->database),
                             .comment = arena_printf(arena,
                                                     "transformer of workspace %s on %s in database %s, made by "
                                                     "datasurface",
                                                     def->workspace, def->platform, r->database),
                             .purpose = "for a transformer's SQL",
                             .ours_to_be = true});
    for (size_t i = 0; i < def->input_count; i++) {
        ds_relation input = def->inputs[i].relation;
        if (plan_catalog(r->p, input) || has_step(r->p, input, STEP_CREATE_TABLE))
            want_relation(r, role, input);
    }
}

// Of the model, and of other services in this database.
static void want_all_inputs(role_reader *r)
{
    const ds_planner *p = r->p;
    for (size_t i = 0; i < p->def_count; i++)
        want_inputs(r, p->defs[i]);
    for (size_t i = 0; i < p->row_count; i++)
        if (!p->rows[i].removed && strcmp(p->rows[i].def->service, p->deployment->service->name.s) != 0)
            want_inputs(r, p->rows[i].def);
}

// Those of the model, and those of other services in this database.
static void want_views(role_reader *r)
{
    const ds_planner *p = r->p;
    for (size_t i = 0; i < p->def_count; i++)
        for (size_t k = 0; k < p->defs[i]->dataset_count; k++)
            for (size_t v = 0; v < p->defs[i]->datasets[k].view_count; v++) {
                const ds_view_def *view = &p->defs[i]->datasets[k].views[v];
                want(r, view->workspace, view->relation);
            }
    for (size_t i = 0; i < p->view_count; i++) {
        const ds_stream_row *row = map_get(p->row_by_name, p->views[i].stream);
        if (row && strcmp(row->def->service, p->deployment->service->name.s) != 0 &&
            plan_catalog(p, p->views[i].relation))
            want(r, p->views[i].workspace, p->views[i].relation);
    }
}

// --- what is there

static ds_rc query(role_reader *r, ds_sql *q, ds_result *out, ds_error *err)
{
    return store_query(r->p->control->db, q, r->p->arena, out, err);
}

static ds_rc read_facts(role_reader *r, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(r->p->deployment->dialect);
    SQL(&q, "SELECT pg_catalog.current_database(), (rolcreaterole OR rolsuper)::int FROM pg_catalog.pg_roles "
            "WHERE rolname = CURRENT_USER");
    ds_result found;
    TRY(query(r, &q, &found, err));
    r->database = result_text(&found, 0, 0);
    r->may_create = result_int(&found, 0, 1) != 0;
    return DS_DONE;
}

// Ours that nobody wants any more say which database they are of.
static ds_rc read_roles(role_reader *r, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(r->p->deployment->dialect);
    SQL(&q, "SELECT rolname, COALESCE(pg_catalog.shobj_description(oid, 'pg_authid'), '') FROM pg_catalog.pg_roles "
            "WHERE rolname ~ '^(ws|dq)_' ORDER BY 1");
    ds_result found;
    TRY(query(r, &q, &found, err));
    const char *end = arena_printf(r->p->arena, " in database %s, made by datasurface", r->database);
    for (size_t i = 0; i < found.rows; i++) {
        const char *name = result_text(&found, i, 0), *comment = result_text(&found, i, 1);
        size_t n = strlen(comment), tail = strlen(end);
        bool ours = n > tail && strcmp(comment + n - tail, end) == 0;
        plan_role *role = map_get(r->roles, name);
        if (!role && ours)
            role = add_role(r, (plan_role){.name = name, .comment = comment, .purpose = ""});
        if (role) {
            role->exists = true;
            role->ours = ours;
        }
    }
    return DS_DONE;
}

// "" as a name: the schema itself.
static void put_grant(role_reader *r, const ds_result *found, size_t row)
{
    plan_role *role = map_get(r->roles, result_text(found, row, 0));
    if (!role)
        return;
    ds_relation relation = {result_text(found, row, 1), result_text(found, row, 2)};
    const char *key = plan_relation_key(r->p->arena, relation);
    plan_grant *grant = map_get(role->granted, key);
    if (!grant) {
        grant = ARENA_NEW(r->p->arena, plan_grant);
        grant->relation = relation;
        (void)map_add(role->granted, key, grant);
    }
    const char *wanted = relation.name[0] ? "SELECT" : "USAGE", *right = result_text(found, row, 3);
    if (strcmp(right, wanted) == 0)
        grant->as_wanted = true;
    else
        grant->too_much = true;
}

// On tables, columns and schemas that are ours to give.
static ds_rc read_grants(role_reader *r, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(r->p->deployment->dialect);
    SQL(&q,
        "WITH roles AS (SELECT oid, rolname FROM pg_catalog.pg_roles WHERE rolname ~ '^(ws|dq)_'), "
        "ours AS (SELECT c.oid, n.nspname, c.relname, c.relacl FROM pg_catalog.pg_class AS c "
        "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
        "WHERE pg_catalog.pg_has_role(c.relowner, 'USAGE') AND n.nspname !~ '^pg_') "
        "SELECT r.rolname, o.nspname, o.relname, g.privilege_type || CASE WHEN g.is_grantable THEN '*' ELSE '' END "
        "FROM ours AS o CROSS JOIN pg_catalog.aclexplode(o.relacl) AS g JOIN roles AS r ON r.oid = g.grantee "
        "UNION ALL "
        "SELECT r.rolname, o.nspname, o.relname, 'columns' FROM ours AS o "
        "JOIN pg_catalog.pg_attribute AS a ON a.attrelid = o.oid "
        "CROSS JOIN pg_catalog.aclexplode(a.attacl) AS g JOIN roles AS r ON r.oid = g.grantee "
        "UNION ALL "
        "SELECT r.rolname, n.nspname, '', g.privilege_type || CASE WHEN g.is_grantable THEN '*' ELSE '' END "
        "FROM pg_catalog.pg_namespace AS n CROSS JOIN pg_catalog.aclexplode(n.nspacl) AS g "
        "JOIN roles AS r ON r.oid = g.grantee WHERE pg_catalog.pg_has_role(n.nspowner, 'USAGE') ORDER BY 1, 2, 3, 4");
    ds_result found;
    TRY(query(r, &q, &found, err));
    for (size_t i = 0; i < found.rows; i++)
        put_grant(r, &found, i);
    return DS_DONE;
}

// --- what is to be done

static void grant_missing(ds_planner *p, plan_role *role, ds_relation relation)
{
    const plan_grant *grant = map_get(role->granted, plan_relation_key(p->arena, relation));
    bool made = relation.name[0] && has_step(p, relation, STEP_CREATE_TABLE); // rights go with the table before
    if (!grant || !grant->as_wanted || grant->too_much || made) // all that it has there is taken away first
        *VEC_PUSH(p->arena, &role->grant) = relation;
}

static void find_missing(ds_planner *p, plan_role *role)
{
    ds_map *schemas = map_new(p->arena);
    for (size_t i = 0; i < map_count(role->wanted); i++) {
        ds_relation view = *(const ds_relation *)map_value(role->wanted, i);
        if (!map_add(schemas, view.schema, role))
            grant_missing(p, role, (ds_relation){view.schema, ""});
        grant_missing(p, role, view);
    }
}

static bool is_wanted(const ds_planner *p, const plan_role *role, ds_relation relation)
{
    if (relation.name[0])
        return map_get(role->wanted, plan_relation_key(p->arena, relation)) != NULL;
    for (size_t i = 0; i < map_count(role->wanted); i++)
        if (strcmp(((const ds_relation *)map_value(role->wanted, i))->schema, relation.schema) == 0)
            return true;
    return false;
}

// What is dropped takes its grants along.
static bool goes_anyway(const ds_planner *p, ds_relation relation)
{
    const ds_catalog_table *found = relation.name[0] ? plan_catalog(p, relation) : NULL;
    if (relation.name[0] && has_step(p, relation, STEP_DROP_TABLE))
        return true;
    return found && map_get(p->view_by_name, plan_relation_key(p->arena, relation)) &&
           !map_get(p->view_wanted, plan_relation_key(p->arena, relation));
}

static void find_too_much(ds_planner *p, plan_role *role)
{
    for (size_t i = 0; i < map_count(role->granted); i++) {
        const plan_grant *grant = map_value(role->granted, i);
        bool unwanted = !is_wanted(p, role, grant->relation) && !goes_anyway(p, grant->relation);
        if (grant->too_much || unwanted)
            *VEC_PUSH(p->arena, &role->revoke) = grant->relation;
    }
}

// "a, b and 3 more": the relations by name; a schema's own rights go without saying when there are others.
static const char *names_of(ds_planner *p, const plan_relations *list)
{
    CLEANUP(buf_release) ds_buf out = BUF_INIT(2 * SHOWN_MAX);
    size_t shown = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (!list->v[i].name[0] && list->n > 1)
            continue;
        if (out.n > SHOWN_MAX) {
            buf_printf(&out, " and %zu more", list->n - i);
            break;
        }
        const char *name = list->v[i].name;
        buf_printf(&out, "%s%s%s%s", shown++ ? ", " : "", name[0] ? "" : "schema ", list->v[i].schema,
                   name[0] ? arena_printf(p->arena, ".%s", name) : "");
    }
    return arena_str(p->arena, buf_str(&out));
}

static void tell(ds_planner *p, const plan_role *role)
{
    const char *object = arena_printf(p->arena, "role %s", role->name);
    if (role->create)
        plan_change(p, object, "create", "%s; may read %s", role->purpose, names_of(p, &role->grant));
    if (role->revoke.n && !role->drop)
        plan_change(p, object, "revoke", "all rights on %s", names_of(p, &role->revoke));
    if (role->grant.n && !role->create)
        plan_change(p, object, "grant", "may read %s", names_of(p, &role->grant));
    if (role->drop)
        plan_change(p, object, "drop", "nothing is for it any more");
}

static void plan_one(role_reader *r, plan_role *role)
{
    ds_planner *p = r->p;
    bool wanted = map_count(role->wanted) > 0;
    if (!role->exists && !r->may_create)
        return;
    role->create = !role->exists;
    find_missing(p, role);
    find_too_much(p, role);
    role->drop = !wanted && role->ours && p->steps->prune && r->may_create;
    if (!role->create && !role->drop && !role->grant.n && !role->revoke.n)
        return;
    *VEC_PUSH(p->arena, &p->steps->roles) = role;
    tell(p, role);
}

ds_rc plan_roles(ds_planner *p, ds_error *err)
{
    role_reader r = {.p = p, .roles = map_new(p->arena)};
    if (!p->control || !p->deployment->dialect->has_roles)
        return DS_DONE;
    TRY(read_facts(&r, err));
    want_views(&r);
    want_all_inputs(&r);
    TRY(read_roles(&r, err));
    TRY(read_grants(&r, err));
    for (size_t i = 0; i < map_count(r.roles); i++)
        plan_one(&r, map_value(r.roles, i));
    return DS_DONE;
}
