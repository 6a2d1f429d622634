// What plan says about a model and an empty database, and what apply makes: tables, indexes and views, which stand
// there as they are after the first commit, with the stubs before them.
#include <stdlib.h>

#include "golden.h"
#include "model/load.h"
#include "platform/assign.h"
#include "store/sqlite/sqlite.h"
#include "support/workdir.h"
#include "yellow/plan/plan.h"
#include "yellow/platform.h"
#include "yellow/tables/tables.h"
#include "yellow/tables/views.h"

typedef struct ddl_case {
    ds_arena *arena;
    ds_runtime runtime;
    const ds_deployment *deployment;
    ds_control *control;
    FILE *out;
} ddl_case;

static ds_rc compile(ddl_case *c, const ds_model *model, ds_error *err)
{
    const ds_platform_type *types[] = {yellow_platform_type()};
    ds_roots roots = assign_roots(model, (ds_platform_types){types, 1}, c->arena);
    ds_graph *graph = graph_build(model, roots, c->arena);
    return compile_service(model, graph, model->services.v[0], c->runtime.store, c->arena, &c->deployment, err);
}

static ds_rc plan_and_apply(ddl_case *c, ds_error *err)
{
    const ds_plan *plan;
    TRY(plan_make(&c->runtime, c->deployment, false, c->arena, &plan, err));
    for (size_t i = 0; i < plan->n; i++)
        fprintf(c->out, "%-8s %s: %s\n", plan->changes[i].action, plan->changes[i].object, plan->changes[i].detail);
    return plan_apply(&c->runtime, plan, NULL, err);
}

static void print_stubs(ddl_case *c, const ds_stream_def *def, const ds_dataset_def *dataset)
{
    for (size_t i = 0; i < dataset->view_count; i++) {
        CLEANUP(sql_release) ds_sql q = sql_new(c->control->db->dialect);
        SQL(&q, "CREATE VIEW ");
        sql_relation(&q, dataset->views[i].relation);
        SQL(&q, " AS ");
        view_select_sql(def, dataset, &dataset->views[i], &c->control->names, VIEW_STUB, &q);
        fprintf(c->out, "%s\n", buf_text(&q.text));
    }
}

static ds_rc finish_dataset(ddl_case *c, const ds_stream_def *def, const ds_dataset_def *dataset, ds_error *err)
{
    print_stubs(c, def, dataset);
    CLEANUP(sql_release) ds_sql staging = sql_new(c->control->db->dialect);
    table_create_staging_sql(def, dataset, &staging);
    TRY(store_exec(c->control->db, &staging, NULL, err));
    TRY(table_create_indexes(c->control, def, dataset, err));
    return views_replace(c->control, def, dataset, VIEW_REAL, err);
}

static ds_rc print_catalog(ddl_case *c, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(c->control->db->dialect);
    SQL(&q, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name");
    ds_result r;
    TRY(store_query(c->control->db, &q, c->arena, &r, err));
    for (size_t i = 0; i < r.rows; i++)
        fprintf(c->out, "%s\n", result_text(&r, i, 0));
    return DS_DONE;
}

static ds_rc run(ddl_case *c, const ds_model *model, ds_error *err)
{
    TRY(compile(c, model, err));
    TRY(plan_and_apply(c, err));
    fputs("\n", c->out);
    TRY(control_open(&c->runtime, &c->deployment->merge, CONTROL_WRITE, &c->control, err));
    for (size_t i = 0; i < c->deployment->n; i++)
        for (size_t k = 0; k < c->deployment->streams[i]->dataset_count; k++)
            TRY(finish_dataset(c, c->deployment->streams[i], &c->deployment->streams[i]->datasets[k], err));
    fputs("\n", c->out);
    return print_catalog(c, err);
}

void golden_ddl(const char *dir, FILE *out)
{
    static const ds_driver *const DRIVERS[] = {&SQLITE_DRIVER};
    const ds_store store = {DRIVERS, 1};
    workdir work = workdir_new();
    ddl_case c = {.arena = arena_new(), .out = out};
    c.runtime = (ds_runtime){.store = &store, .clock = clock_system(), .base_dir = work.path, .tree_id = ""};
    ds_model *model = NULL;
    ds_diags *diags = NULL;
    ds_error err;
    ds_rc rc = model_load(&(ds_load_options){.dir = dir}, &model, &diags, &err);
    for (size_t i = 0; rc.code == DS_OK && i < diags_count(diags); i++)
        diag_print(out, diags, diags_at(diags, i), false);
    if (rc.code == DS_OK)
        rc = run(&c, model, &err);
    if (rc.code != DS_OK)
        fprintf(out, "failed: %s\n", err.text);
    control_close(c.control);
    diags_free(diags);
    model_free(model);
    arena_free(c.arena);
    workdir_remove(&work);
}
