// What others have made on our views and tables. Such a thing is never dropped: a plan that would have to says so
// before anything is changed.
#include "yellow/plan/plan_int.h"
#include "yellow/tables/table_parts.h"

enum { ASK_MAX = 500 }; // relations of one question

typedef VEC(ds_relation) relation_list;

static bool changes_type(const plan_stream *stream, const ds_dataset_def *dataset)
{
    for (size_t i = 0; i < stream->steps.n; i++)
        if (stream->steps.v[i].kind == STEP_CONVERT_COLUMN && stream->steps.v[i].dataset == dataset)
            return true;
    return false;
}

// A view stays where it is when columns only come behind those that it has; of a history view ours are the last.
static bool stays(const ds_planner *p, const plan_step *step)
{
    enum { OURS = 4 };
    const ds_catalog_table *found = plan_catalog(p, step->view->relation);
    const ds_shape *shape = step->dataset->shape;
    if (!found)
        return true;
    if (step->view->history ? found->n != shape->n + OURS : found->n > shape->n)
        return false;
    for (size_t i = 0; i < found->n && i < shape->n; i++)
        if (strcmp(found->columns[i].name, shape->columns[i].name) != 0)
            return false;
    return true;
}

// What a stream's steps drop, for good or to make it anew.
static void find_dropped(ds_planner *p, const plan_stream *stream, relation_list *out)
{
    for (size_t i = 0; i < stream->steps.n; i++) {
        const plan_step *step = &stream->steps.v[i];
        bool anew = step->kind == STEP_REPLACE_VIEW && (!stays(p, step) || changes_type(stream, step->dataset));
        if (anew || step->kind == STEP_DROP_VIEW)
            *VEC_PUSH(p->arena, out) = step->view->relation;
        else if (step->kind == STEP_DROP_TABLE)
            *VEC_PUSH(p->arena, out) = table_relation_of(step->dataset, step->table);
    }
}

static void ask(const ds_relation *dropped, size_t n, ds_sql *q)
{
    SQL(q, "SELECT DISTINCT n.nspname, c.relname, m.nspname, v.relname FROM pg_catalog.pg_class AS c "
           "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
           "JOIN pg_catalog.pg_depend AS d ON d.refobjid = c.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass "
           "AND d.classid = 'pg_catalog.pg_rewrite'::regclass "
           "JOIN pg_catalog.pg_rewrite AS r ON r.oid = d.objid AND r.ev_class <> c.oid "
           "JOIN pg_catalog.pg_class AS v ON v.oid = r.ev_class "
           "JOIN pg_catalog.pg_namespace AS m ON m.oid = v.relnamespace WHERE (n.nspname, c.relname) IN (");
    for (size_t i = 0; i < n; i++) {
        if (i)
            SQL(q, ", ");
        SQL(q, "(");
        sql_literal_text(q, dropped[i].schema);
        SQL(q, ", ");
        sql_literal_text(q, dropped[i].name);
        SQL(q, ")");
    }
    SQL(q, ") ORDER BY 1, 2, 3, 4");
}

// Ours are dropped or made anew before what they stand on, those of a transformer's run among them.
static bool is_ours(const ds_planner *p, ds_relation view)
{
    static const char RUNS[] = "dt_";
    return strncmp(view.schema, RUNS, sizeof RUNS - 1) == 0 ||
           map_get(p->view_by_name, plan_relation_key(p->arena, view)) != NULL;
}

static ds_rc refuse_some(ds_planner *p, const ds_relation *dropped, size_t n, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(p->control->db->dialect);
    ds_result r;
    ask(dropped, n, &q);
    TRY(store_query(p->control->db, &q, p->arena, &r, err));
    for (size_t i = 0; i < r.rows; i++) {
        ds_relation on = {result_text(&r, i, 0), result_text(&r, i, 1)};
        ds_relation view = {result_text(&r, i, 2), result_text(&r, i, 3)};
        const char *what = plan_catalog(p, on) && plan_catalog(p, on)->is_view ? "view" : "table";
        if (!is_ours(p, view))
            plan_refuse(p, plan_object(p, what, on),
                        arena_printf(p->arena,
                                     "it must be dropped, and view %s.%s stands on it; drop or change that one "
                                     "first: nothing of others is ever dropped",
                                     view.schema, view.name));
    }
    return DS_DONE;
}

ds_rc plan_standing(ds_planner *p, ds_error *err)
{
    relation_list dropped = {0};
    if (!p->has_control || !p->control->db->dialect->views_hold)
        return DS_DONE;
    for (size_t i = 0; i < p->steps->streams.n; i++)
        find_dropped(p, p->steps->streams.v[i], &dropped);
    find_dropped(p, &(plan_stream){.steps = p->steps->moves}, &dropped);
    for (size_t i = 0; i < dropped.n; i += ASK_MAX)
        TRY(refuse_some(p, dropped.v + i, dropped.n - i < ASK_MAX ? dropped.n - i : ASK_MAX, err));
    return DS_DONE;
}
