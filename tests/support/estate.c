#include "support/estate.h"

#include <stdio.h>
#include <stdlib.h>

#include "platform/assign.h"
#include "yellow/platform.h"

static void must(ds_rc rc, const ds_error *err, const char *what)
{
    if (rc.code == DS_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, err->text);
    abort();
}

void estate_open(estate *e, const ds_driver *driver)
{
    estate_open_on(e, &(test_pair){.name = driver->name, .drivers = {driver, driver}});
}

void estate_open_on(estate *e, const test_pair *pair)
{
    *e = (estate){.dir = workdir_new(), .arena = arena_new(), .pair = *pair};
    for (int side = 0; side < PAIR_SIDES; side++)
        e->drivers[side] = pair->drivers[side];
    e->store = (ds_store){e->drivers, PAIR_SIDES};
    e->clock = clock_manual(INT64_C(1700000000000000));
    pair_write_secrets(pair, e->dir.path);
    e->runtime = (ds_runtime){
        .store = &e->store, .clock = &e->clock, .base_dir = e->dir.path, .secrets_dir = e->dir.path, .tree_id = ""};
}

void estate_close(estate *e)
{
    for (size_t i = 0; i < e->model_count; i++)
        model_free(e->models[i]);
    workdir_remove(&e->dir);
    arena_free(e->arena);
}

static ds_model *load(const char *yaml)
{
    const char *path = "model.yaml";
    ds_str text = str_of(yaml);
    ds_model *model = NULL;
    ds_diags *diags = NULL;
    ds_error err;
    must(model_load_texts(&path, &text, 1, NULL, &model, &diags, &err), &err, "load");
    for (size_t i = 0; i < diags_count(diags); i++)
        if (diags_at(diags, i)->severity == DIAG_ERROR) {
            diag_print(stderr, diags, diags_at(diags, i), false);
            abort();
        }
    diags_free(diags);
    return model;
}

ds_rc estate_compile(estate *e, const char *yaml, ds_error *err)
{
    static const ds_platform_type *types[1];
    types[0] = yellow_platform_type();
    if (e->model_count == ESTATE_MODELS_MAX)
        abort();
    ds_model *model = e->models[e->model_count++] = load(yaml);
    ds_roots roots = assign_roots(model, (ds_platform_types){types, 1}, e->arena);
    e->graph = graph_build(model, roots, e->arena);
    e->runtime.tree_id = model->tree_id;
    TRY(compile_service(model, e->graph, model->services.v[0], &e->store, e->arena, &e->merged, err));
    e->deployment = e->merged;
    return DS_DONE;
}

static bool turn_to_replica(estate *e, const char *container)
{
    ds_error err;
    for (size_t i = 0; i < e->merged->replica_count; i++) {
        if (strcmp(e->merged->replica_defs[i].name, container) != 0)
            continue;
        must(compile_replica(e->models[e->model_count - 1], e->graph, e->merged, i, &e->store, e->arena, &e->deployment,
                             &err),
             &err, container);
        return true;
    }
    return false;
}

void estate_turn_to(estate *e, const char *place)
{
    const ds_model *model = e->models[e->model_count - 1];
    ds_error err;
    for (size_t i = 0; i < model->services.n; i++) {
        const ds_platform_service *service = model->services.v[i];
        must(compile_service(model, e->graph, service, &e->store, e->arena, &e->merged, &err), &err, service->name.s);
        e->deployment = e->merged;
        if (!place || strcmp(service->name.s, place) == 0 || turn_to_replica(e, place))
            return;
    }
    abort();
}

const ds_plan *estate_plan(estate *e, bool prune)
{
    const ds_plan *plan;
    ds_error err;
    must(plan_make(&e->runtime, e->deployment, prune, e->arena, &plan, &err), &err, "plan");
    return plan;
}

const char *estate_changes(estate *e, const ds_plan *plan)
{
    CLEANUP(buf_release) ds_buf out = BUF_INIT(1 << 20);
    for (size_t i = 0; i < plan->n; i++)
        buf_printf(&out, "%s%s %s\n", plan->changes[i].destructive ? "!" : "", plan->changes[i].action,
                   plan->changes[i].object);
    return arena_strdup(e->arena, buf_text(&out));
}

static void apply(estate *e, bool prune)
{
    ds_error err;
    e->clock.fixed_us += 1000000;
    must(plan_apply(&e->runtime, estate_plan(e, prune), NULL, &err), &err, "apply");
    const ds_plan *again = estate_plan(e, prune);
    if (!again->n)
        return;
    fprintf(stderr, "the plan after apply is not empty:\n%s", estate_changes(e, again));
    abort();
}

void estate_apply(estate *e)
{
    apply(e, false);
}

void estate_prune(estate *e)
{
    apply(e, true);
}

ds_rc estate_try_job(estate *e, const char *stream, ds_error *err)
{
    ds_job_options options = {0};
    ds_job_result result;
    e->clock.fixed_us += 1000000;
    return job_run(&e->runtime, &e->deployment->merge, stream, &options, e->arena, &result, err);
}

void estate_job(estate *e, const char *stream)
{
    ds_error err;
    must(estate_try_job(e, stream, &err), &err, stream);
}

static ds_db *open_container(const estate *e, const ds_container_def *container)
{
    ds_db *db = NULL;
    ds_error err;
    must(runtime_open(&e->runtime, container, (ds_access){.create = true}, &db, &err), &err, container->name);
    return db;
}

ds_db *estate_database(const estate *e, int side)
{
    ds_container_def container = pair_container(&e->pair, side);
    return open_container(e, &container);
}

const char *estate_credential(const estate *e, int side, const char *separator)
{
    ds_container_def container = pair_container(&e->pair, side);
    return container.credential[0] ? arena_printf(e->arena, "%scredential: %s", separator, container.credential) : "";
}

static ds_db *open_file(const estate *e, const char *file)
{
    if (strcmp(file, "source.db") == 0 || strcmp(file, "merge.db") == 0)
        return estate_database(e, strcmp(file, "source.db") == 0 ? PAIR_SOURCE : PAIR_MERGE);
    return open_container(e, &(ds_container_def){.name = file,
                                                 .type = "sqlite",
                                                 .path = file,
                                                 .host = "",
                                                 .database = "",
                                                 .schema = "",
                                                 .credential = ""});
}

void estate_sql(const estate *e, const char *file, const char *statements)
{
    ds_db *db = open_file(e, file);
    ds_error err;
    ds_str rest = str_of(statements);
    while (rest.n) {
        ds_str one = str_trim(str_split(&rest, ';'));
        if (!one.n)
            continue;
        CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
        sql_user_text(&q, arena_str(e->arena, one));
        must(store_exec(db, &q, NULL, &err), &err, statements);
    }
    store_close(db);
}

const char *estate_query(const estate *e, const char *file, const char *select)
{
    ds_db *db = open_file(e, file);
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    sql_user_text(&q, select);
    ds_error err;
    ds_result r;
    must(store_query(db, &q, e->arena, &r, &err), &err, select);
    CLEANUP(buf_release) ds_buf out = BUF_INIT(64 << 20);
    for (size_t i = 0; i < r.rows; i++) {
        for (size_t c = 0; c < r.columns; c++)
            buf_printf(&out, "%s%s", c ? "|" : "", result_text(&r, i, c) ? result_text(&r, i, c) : "~");
        buf_putc(&out, '\n');
    }
    store_close(db);
    return arena_strdup(e->arena, buf_text(&out));
}
