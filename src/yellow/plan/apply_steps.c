// The steps of a plan: tables are made, changed and dropped, and the views on them.
#include "yellow/plan/apply_int.h"
#include "yellow/tables/table_parts.h"
#include "yellow/tables/views.h"

// Each schema is looked for once.
static ds_rc ensure_schema(applier *a, ds_relation relation, ds_error *err)
{
    if (!relation.schema || map_get(a->schemas, relation.schema))
        return DS_DONE;
    TRY(store_schema_put(a->control->db, relation, err));
    (void)map_add(a->schemas, relation.schema, a);
    return DS_DONE;
}

static ds_rc create_table(applier *a, const plan_step *step, ds_error *err)
{
    TRY(ensure_schema(a, table_relation_of(step->dataset, step->table), err));
    CLEANUP(sql_release) ds_sql q = sql_new(a->control->db->dialect);
    if (step->table == TABLE_MERGE)
        table_create_merge_sql(step->def, step->dataset, &q);
    else if (step->table == TABLE_HISTORY)
        table_create_history_sql(step->def, step->dataset, &q);
    else
        table_create_staging_sql(step->def, step->dataset, &q);
    return store_exec(a->control->db, &q, NULL, err);
}

static ds_rc drop_table(applier *a, ds_relation table, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(a->control->db->dialect);
    SQL(&q, "DROP TABLE IF EXISTS ");
    sql_relation(&q, table);
    return store_exec(a->control->db, &q, NULL, err);
}

static ds_rc add_column(applier *a, ds_relation table, const plan_step *step, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(a->control->db->dialect);
    SQL(&q, "ALTER TABLE ");
    sql_relation(&q, table);
    SQL(&q, " ADD COLUMN ");
    sql_ident(&q, step->column);
    SQL(&q, " ");
    table_type_sql(step->to, table_is_key(step->dataset->shape, step->column), &q);
    return store_exec(a->control->db, &q, NULL, err);
}

static ds_rc rename_column(applier *a, ds_relation table, const plan_step *step, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(a->control->db->dialect);
    SQL(&q, "ALTER TABLE ");
    sql_relation(&q, table);
    SQL(&q, " RENAME COLUMN ");
    sql_ident(&q, step->column);
    SQL(&q, " TO ");
    sql_ident(&q, step->name);
    return store_exec(a->control->db, &q, NULL, err);
}

// An index on the column would be in the way of its replacement; finish_indexes makes it again.
static ds_rc convert_column(applier *a, ds_relation table, const plan_step *step, ds_error *err)
{
    if (!a->control->db->dialect->has_alter_type)
        TRY(table_drop_indexes(a->control, step->def, step->dataset, err));
    return evolve_column(a->control, table, step, err);
}

static ds_rc run_table_step(applier *a, const plan_step *step, ds_error *err)
{
    ds_relation table = step->dataset ? table_relation_of(step->dataset, step->table) : (ds_relation){"", ""};
    switch (step->kind) {
    case STEP_CREATE_TABLE:
        return create_table(a, step, err);
    case STEP_DROP_TABLE:
        return drop_table(a, table, err);
    case STEP_ADD_COLUMN:
        return add_column(a, table, step, err);
    case STEP_RENAME_COLUMN:
        return rename_column(a, table, step, err);
    case STEP_CONVERT_COLUMN:
        return convert_column(a, table, step, err);
    case STEP_FORGET_DATASET:
        return control_delete_dataset(a->control, step->def->name, step->dataset->name, err);
    case STEP_UNSTAGE:
        return apply_unstage(a, step, err);
    case STEP_REPLACE_VIEW:
    case STEP_DROP_VIEW:
        return DS_DONE;
    }
    BUG("step %d", (int)step->kind);
}

static ds_rc make_view(applier *a, const plan_step *step, ds_error *err)
{
    ds_dataset_state state;
    TRY(control_dataset_state(a->control, step->def->name, step->dataset->name, a->scratch, &state, err));
    ds_view_form form = state.batch ? VIEW_REAL : VIEW_STUB;
    TRY(ensure_schema(a, step->view->relation, err));
    TRY(view_put(a->control, step->def, step->dataset, step->view, form, err));
    ds_view_row row = {
        .workspace = step->view->workspace,
        .group = step->view->group,
        .store = step->def->store,
        .dataset = step->dataset->name,
        .stream = step->def->name,
        .history = step->view->history,
        .relation = step->view->relation,
    };
    return control_put_view(a->control, &row, err);
}

// Views keep tables from changing. One that comes back becomes a stub meanwhile, so that it keeps what was granted on
// it and those that stand on it.
static ds_rc step_aside(applier *a, const plan_step *step, ds_error *err)
{
    if (step->kind == STEP_DROP_VIEW)
        return view_drop(a->control, step->view->relation, err);
    if (step->kind == STEP_REPLACE_VIEW && step->before)
        return view_put(a->control, step->def, step->before, step->view, VIEW_STUB, err);
    return DS_DONE;
}

static ds_rc finish_view(applier *a, const plan_step *step, ds_error *err)
{
    if (step->kind == STEP_REPLACE_VIEW)
        return make_view(a, step, err);
    return step->kind == STEP_DROP_VIEW ? control_delete_view(a->control, step->view->relation, err) : DS_DONE;
}

typedef ds_rc step_part(applier *a, const plan_step *step, ds_error *err);

// A failure names the view or table: somebody's lock on it, most often.
static ds_rc for_each(applier *a, const plan_step_list *steps, step_part *part, ds_error *err)
{
    for (size_t i = 0; i < steps->n; i++) {
        const plan_step *step = &steps->v[i];
        ds_rc rc = part(a, step, err);
        if (rc.code == DS_OK)
            continue;
        if (step->view)
            return ds_context(rc, err, "view %s", step->view->relation.name);
        return step->dataset ? ds_context(rc, err, "table %s", table_relation_of(step->dataset, step->table).name) : rc;
    }
    return DS_DONE;
}

ds_rc apply_steps(applier *a, const plan_step_list *steps, ds_error *err)
{
    TRY(for_each(a, steps, step_aside, err));
    TRY(for_each(a, steps, run_table_step, err));
    return for_each(a, steps, finish_view, err);
}
