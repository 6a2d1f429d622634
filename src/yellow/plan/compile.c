#include "yellow/plan/compile.h"

#include "base/vec.h"
#include "model/lookup.h"
#include "platform/platform.h"
#include "yellow/plan/compile_int.h"

static const char *text_or_empty(ds_text text)
{
    return text.s ? text.s : "";
}

// --- a dataset

// A server would cut the name without a word, and what is compared with its catalogue later would never be equal.
static ds_rc check_name(const ds_compiler *c, const ds_datastore *store, const ds_dataset *dataset, const char *column,
                        ds_error *err)
{
    size_t limit = c->dialect->names.limit;
    if (strlen(column) <= limit)
        return DS_DONE;
    return ds_hint(ds_fail(err, DS_FINDING,
                           "%s/%s: the name of column \"%s\" is too long for %s, which takes %zu bytes", store->name.s,
                           dataset->name, column, c->container->name.s, limit),
                   err, "give it a shorter name in the model, and its own as `source:`");
}

static ds_rc fill_columns(const ds_compiler *c, const ds_datastore *store, const ds_dataset *dataset,
                          ds_shape_column *columns, ds_error *err)
{
    for (size_t i = 0; i < dataset->columns.n; i++) {
        const ds_column *column = &dataset->columns.v[i];
        TRY(check_name(c, store, dataset, column->name, err));
        if (!column->type)
            return ds_hint(ds_fail(err, DS_FINDING, "%s/%s: column \"%s\" has no valid type", store->name.s,
                                   dataset->name, column->name),
                           err, "run datasurface lint");
        columns[i] = (ds_shape_column){
            .name = column->name,
            .source = column->rest->source ? column->rest->source : column->name,
            .type = column->type,
            .not_null = column->not_null || column->primary_key,
        };
    }
    return DS_DONE;
}

// dataset_key gives columns of this dataset, so their places are differences.
static uint16_t *key_indexes(const ds_compiler *c, const ds_dataset *dataset, size_t *n)
{
    const ds_column **key = ARENA_ARRAY(c->arena, const ds_column *, dataset->columns.n);
    *n = dataset_key(dataset, key);
    uint16_t *out = ARENA_ARRAY(c->arena, uint16_t, *n);
    for (size_t i = 0; i < *n; i++)
        out[i] = (uint16_t)(key[i] - dataset->columns.v);
    return out;
}

ds_rc compile_shape(const ds_compiler *c, const ds_datastore *store, const ds_dataset *dataset, const ds_shape **out,
                    ds_error *err)
{
    if (dataset->columns.n > SHAPE_COLUMNS_MAX)
        return ds_fail(err, DS_FINDING, "%s/%s: more than %d columns", store->name.s, dataset->name, SHAPE_COLUMNS_MAX);
    ds_shape_column *columns = ARENA_ARRAY(c->arena, ds_shape_column, dataset->columns.n);
    TRY(fill_columns(c, store, dataset, columns, err));
    size_t key_count = 0;
    const uint16_t *key = key_indexes(c, dataset, &key_count);
    for (size_t i = 0; i < key_count; i++)
        columns[key[i]].not_null = true;
    return ds_context(shape_new(c->arena, columns, dataset->columns.n, key, key_count, out, err), err, "%s/%s",
                      store->name.s, dataset->name);
}

static ds_relation table(const ds_compiler *c, const ds_node *ingest, const ds_dataset *dataset, ds_table_kind kind)
{
    return naming_table(c->arena, c->dialect->names, ingest->platform->name, ingest->store->name.s, dataset->name,
                        kind);
}

typedef VEC(ds_view_def) view_list;

static void add_views(const ds_compiler *c, const ds_node *export, view_list *views)
{
    const ds_platform *platform = export->platform;
    bool full = export->group->requires_.history == HISTORY_FULL && platform->milestoning != MILESTONING_SCD1;
    for (int history = 0; history <= (full ? 1 : 0); history++)
        *VEC_PUSH(c->arena, views) = (ds_view_def){
            .workspace = export->workspace->name.s,
            .group = export->group->name,
            .history = history == 1,
            .relation = naming_view(c->arena, c->dialect->names, export->workspace->name.s, export->group->name,
                                    export->store->name.s, export->dataset->name, history == 1),
        };
}

static void compile_views(const ds_compiler *c, const ds_node *ingest, const ds_dataset *dataset, ds_dataset_def *out)
{
    view_list views = {0};
    for (size_t i = 0; i < ingest->right.n; i++) {
        const ds_node *export = ingest->right.v[i];
        if (export->kind != NODE_EXPORT || export->dataset != dataset || !export->root || !export->root->owns_views)
            continue;
        add_views(c, export, &views);
    }
    out->views = views.v;
    out->view_count = views.n;
}

// What a transformer's batch reads: the rows of its SELECT, or what its program has put into a table.
static ds_rc compile_output(const ds_compiler *c, const ds_node *ingest, const ds_dataset *dataset, ds_dataset_def *out,
                            ds_error *err)
{
    const ds_workspace *producer = ingest->store->producer;
    if (!producer || c->is_replica)
        return DS_DONE;
    if (!producer->transformer.command.pos.file)
        return compile_sql(c, ingest, dataset, &out->sql, err);
    ds_relation table = naming_exchange(c->arena, c->dialect->names, ingest->platform->name, producer->name.s, "out",
                                        ingest->store->name.s, dataset->name);
    out->source_schema = table.schema;
    out->source_table = table.name;
    return DS_DONE;
}

static ds_rc compile_dataset(const ds_compiler *c, const ds_node *ingest, const ds_dataset *dataset,
                             const char *container_schema, ds_dataset_def *out, ds_error *err)
{
    const ds_source_table *source = &dataset->rest->source;
    out->name = dataset->name;
    out->source_schema = source->schema.s ? source->schema.s : container_schema;
    out->source_table = source->table.s ? source->table.s : dataset->name;
    out->merge = table(c, ingest, dataset, TABLE_MERGE);
    out->staging = table(c, ingest, dataset, TABLE_STAGING);
    out->history = table(c, ingest, dataset, TABLE_HISTORY);
    out->rejects = table(c, ingest, dataset, TABLE_REJECTS);
    TRY(compile_shape(c, ingest->store, dataset, &out->shape, err));
    if (out->shape->key_count == 0 && ingest->platform->milestoning != MILESTONING_SCD1)
        return ds_hint(ds_fail(err, DS_FINDING, "%s/%s has no key: platform \"%s\" can't keep its history",
                               ingest->store->name.s, dataset->name, ingest->platform->name),
                       err, "a dataset with `key: none` is held by an scd1 platform only");
    TRY(compile_checks(c, ingest->store, dataset, out, err));
    TRY(compile_output(c, ingest, dataset, out, err));
    compile_views(c, ingest, dataset, out);
    out->retention_days = compile_retention(ingest, dataset);
    return DS_DONE;
}

// --- a stream

const char *compile_stream_name(ds_arena *arena, const ds_platform *platform, const ds_datastore *store,
                                const char *dataset)
{
    if (store->capture.consistency == CONSISTENCY_SINGLE_DATASET)
        return arena_printf(arena, "%s/%s/%s", platform->name, store->name.s, dataset);
    return arena_printf(arena, "%s/%s", platform->name, store->name.s);
}

// What the model may say and yellow can't run yet.
static ds_rc check_runs(const ds_node *ingest, ds_error *err)
{
    const ds_datastore *store = ingest->store;
    const ds_capture *capture = &store->capture;
    if (capture->type != CAPTURE_SQL_SNAPSHOT && capture->type != CAPTURE_SQL_WATERMARK &&
        capture->type != CAPTURE_TRANSFORMER)
        return ds_fail(err, DS_FINDING, "datastore \"%s\": capture type \"%s\" can't be run yet", store->name.s,
                       text_or_empty(capture->type_text));
    if (store->producer && store->producer->transformer.command.image.s)
        return ds_fail(err, DS_FINDING, "transformer of workspace \"%s\": images can't be run yet",
                       store->producer->name.s);
    return DS_DONE;
}

// Does a group that is not just being provisioned wait for this stream?
static bool feeds_provisioned(const ds_node *node, ds_map *seen)
{
    if (node->root && node->root->status != ASSIGNMENT_PROVISIONING)
        return true;
    for (size_t i = 0; i < node->right.n; i++) {
        ds_node *next = node->right.v[i];
        if (!map_add(seen, next->name, next) && feeds_provisioned(next, seen))
            return true;
    }
    return false;
}

// The container's own limit and the service's for it: the smaller one holds.
static int64_t rows_per_second(const ds_platform_service *service, const ds_container *container)
{
    ds_int own = container->limits.rows_per_second;
    int64_t limit = own.set ? own.v : 0;
    for (size_t i = 0; i < service->limits.n; i++) {
        const ds_limit *other = &service->limits.v[i];
        ds_int given = other->caps.rows_per_second;
        if (given.set && strcmp(other->container, container->name.s) == 0 && (limit == 0 || given.v < limit))
            limit = given.v;
    }
    return limit;
}

static ds_rc compile_source(const ds_compiler *c, const ds_node *ingest, ds_stream_def *out, ds_error *err)
{
    const ds_capture *capture = &ingest->store->capture;
    out->source = (ds_container_def){
        .name = "", .type = "", .path = "", .host = "", .database = "", .schema = "", .credential = ""};
    const ds_workspace *producer = ingest->store->producer;
    if (producer) {
        compile_inputs(c, ingest, out);
        return producer->transformer.command.pos.file ? compile_command(c, ingest, &out->command, err) : DS_DONE;
    }
    const ds_container *container = capture->container.s ? model_container(c->model, capture->container.s) : NULL;
    if (!container)
        return ds_hint(ds_fail(err, DS_FINDING, "datastore \"%s\": no container \"%s\"", ingest->store->name.s,
                               text_or_empty(capture->container)),
                       err, "run datasurface lint");
    out->source = database_of(container, capture->credential.s);
    out->source_rows_per_second = rows_per_second(c->service, container);
    return DS_DONE;
}

int64_t compile_units(ds_str text, const compile_unit *units, size_t unit_count, int64_t most)
{
    size_t digits = 0;
    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    int64_t n = 0;
    if (!str_int64((ds_str){text.p, digits}, &n))
        return 0;
    for (size_t i = 0; i < unit_count; i++)
        if (str_eq((ds_str){text.p + digits, text.n - digits}, str_of(units[i].name)))
            return n <= most / units[i].worth ? n * units[i].worth : most;
    return 0;
}

int64_t compile_amount(ds_text text)
{
    static const compile_unit UNITS[] = {
        {"", 1},         {"s", 1000000},  {"m", 60000000}, {"h", INT64_C(3600000000)}, {"d", INT64_C(86400000000)},
        {"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}};
    return compile_units(str_of(text.s), UNITS, sizeof UNITS / sizeof UNITS[0], INT64_MAX);
}

// A hint for STORE/DATASET stands over one for STORE.
static void apply_hints(const ds_compiler *c, const ds_node *ingest, ds_stream_def *out)
{
    const char *store = ingest->store->name.s;
    const char *exact = ingest->dataset ? arena_printf(c->arena, "%s/%s", store, ingest->dataset->name) : store;
    const ds_stream_hint *found = NULL;
    for (size_t i = 0; i < c->service->stream_hints.n; i++) {
        const ds_stream_hint *hint = &c->service->stream_hints.v[i];
        if (strcmp(hint->name, exact) == 0 || (!found && strcmp(hint->name, store) == 0))
            found = hint;
    }
    if (!found)
        return;
    out->chunk_rows = found->chunk_rows.set ? found->chunk_rows.v : 0;
    out->memory_bytes = compile_amount(found->memory);
    out->workers = found->workers.set ? found->workers.v : 0;
}

static void apply_trigger(const ds_node *ingest, ds_stream_def *out)
{
    const ds_workspace *producer = ingest->store->producer;
    const ds_trigger *trigger = producer ? &producer->transformer.trigger : &ingest->store->capture.trigger;
    out->cron = text_or_empty(trigger->cron);
    out->timezone = text_or_empty(trigger->timezone);
    out->external = trigger->external.v;
}

// Where a dataset's table is when nothing says otherwise: on an engine with schemas always in one by name, so that no
// search path decides.
static const char *source_schema(const ds_compiler *c, const ds_container_def *source)
{
    const ds_driver *driver = store_driver(c->store, source->type);
    bool has_schemas = driver && driver->dialect->names.has_schemas;
    return source->schema[0] || !has_schemas ? source->schema : "public";
}

static ds_rc compile_datasets(const ds_compiler *c, const ds_node *ingest, const ds_node *primary, ds_stream_def *out,
                              ds_error *err)
{
    ds_dataset_def *datasets = ARENA_ARRAY(c->arena, ds_dataset_def, ingest->dataset_count);
    const char *schema = source_schema(c, &out->source);
    for (size_t i = 0; i < ingest->dataset_count; i++) {
        TRY(compile_dataset(c, ingest, ingest->datasets[i], schema, &datasets[i], err));
        if (primary)
            TRY(compile_mirror_dataset(c, primary, ingest->datasets[i], &datasets[i], err));
    }
    out->datasets = datasets;
    out->dataset_count = ingest->dataset_count;
    return DS_DONE;
}

static ds_rc compile_stream(const ds_compiler *c, const ds_node *ingest, const ds_stream_def **out, ds_error *err)
{
    const ds_platform *platform = ingest->platform;
    const ds_capture *capture = &ingest->store->capture;
    ds_stream_def *def = ARENA_NEW(c->arena, ds_stream_def);
    *def = (ds_stream_def){
        .name = node_stream_name(ingest),
        .service = c->service->name.s,
        .platform = platform->name,
        .store = ingest->store->name.s,
        .dataset = ingest->dataset ? ingest->dataset->name : NULL,
        .workspace = ingest->store->producer && !c->is_replica ? ingest->store->producer->name.s : NULL,
        .milestoning = platform->milestoning,
        .priority = ingest->priority,
        .max_delete_ratio = capture->max_delete_ratio.v,
        .staging_batches = platform->staging_batches,
        .staging_full = capture->staging.s && strcmp(capture->staging.s, "full") == 0,
    };
    apply_trigger(ingest, def);
    apply_hints(c, ingest, def);
    const ds_node *primary;
    TRY(compile_find_primary(c, ingest, &primary, err));
    TRY(primary ? compile_mirror(c, ingest, primary, def, err) : compile_source(c, ingest, def, err));
    TRY(compile_datasets(c, ingest, primary, def, err));
    if (!primary)
        TRY(compile_watermark(capture, def, err));
    *out = def;
    return DS_DONE;
}

// --- a service

static ds_rc compile_dialect(const ds_store *store, ds_deployment *out, ds_error *err)
{
    const ds_driver *driver = store_driver(store, out->merge.type);
    if (!driver)
        return ds_fail(err, DS_FINDING, "%s container \"%s\": type \"%s\" is not supported yet",
                       out->home ? "replica" : "merge", out->merge.name, out->merge.type);
    out->dialect = driver->dialect;
    return DS_DONE;
}

static ds_rc compile_merge(const ds_model *model, const ds_platform_service *service, const ds_store *store,
                           ds_deployment *out, ds_error *err)
{
    const ds_container *container = service_container(model, service);
    if (!container)
        return ds_hint(ds_fail(err, DS_FINDING, "platform service \"%s\": no merge container \"%s\"", service->name.s,
                               text_or_empty(service->merge_container)),
                       err, "run datasurface lint");
    out->merge = database_of(container, service->merge_credential.s);
    return compile_dialect(store, out, err);
}

bool compile_is_ours(const ds_platform *platform)
{
    return platform->type.s && strcmp(platform->type.s, COMPILE_PLATFORM_TYPE) == 0;
}

static bool reads_skipped(const ds_stream_def *def, const ds_map *skipped)
{
    for (size_t i = 0; i < def->input_count; i++)
        if (map_get(skipped, def->inputs[i].stream))
            return true;
    return false;
}

// A stream that can't be run yet, and those that read its output, are left out as long as only groups that are being
// provisioned need them.
static ds_rc add_stream(const ds_compiler *c, const ds_node *ingest, ds_map *skipped, ds_deployment *out, ds_error *err)
{
    ds_rc runs = check_runs(ingest, err);
    if (runs.code != DS_OK && feeds_provisioned(ingest, map_new(c->arena)))
        return runs;
    const ds_stream_def *def = NULL;
    if (runs.code == DS_OK)
        TRY(compile_stream(c, ingest, &def, err));
    if (!def || reads_skipped(def, skipped))
        (void)map_add(skipped, node_stream_name(ingest), out);
    else
        out->streams[out->n++] = def;
    return DS_DONE;
}

static bool is_here(const ds_compiler *c, const ds_node *node)
{
    if (node->service != c->service || !compile_is_ours(node->platform))
        return false;
    return c->is_replica ? node->container == c->container : node->kind == NODE_INGEST;
}

static ds_rc compile_streams(const ds_compiler *c, ds_deployment *out, ds_error *err)
{
    ds_nodes nodes = graph_streams(c->graph, NULL, c->arena);
    ds_map *skipped = map_new(c->arena); // by stream name
    out->streams = ARENA_ARRAY(c->arena, const ds_stream_def *, nodes.n);
    for (size_t i = 0; i < nodes.n; i++)
        if (is_here(c, nodes.v[i]))
            TRY(add_stream(c, nodes.v[i], skipped, out, err));
    compile_caps(c->model, c->container, c->arena, out);
    return DS_DONE;
}

ds_rc compile_service(const ds_model *model, const ds_graph *graph, const ds_platform_service *service,
                      const ds_store *store, ds_arena *arena, const ds_deployment **out, ds_error *err)
{
    ds_deployment *deployment = ARENA_NEW(arena, ds_deployment);
    deployment->service = service;
    TRY(compile_merge(model, service, store, deployment, err));
    ds_compiler c = {.model = model,
                     .graph = graph,
                     .service = service,
                     .container = service_container(model, service),
                     .store = store,
                     .dialect = deployment->dialect,
                     .arena = arena};
    TRY(compile_streams(&c, deployment, err));
    compile_replicas(&c, deployment);
    *out = deployment;
    return DS_DONE;
}

// --- what consumers have in databases of their own

static ds_rc replica_deployment(const ds_deployment *merge, const ds_container_def *container, const ds_store *store,
                                ds_deployment *out, ds_error *err)
{
    out->service = merge->service;
    out->merge = *container;
    out->home = &merge->merge;
    return compile_dialect(store, out, err);
}

ds_rc compile_replica(const ds_model *model, const ds_graph *graph, const ds_deployment *merge, size_t replica,
                      const ds_store *store, ds_arena *arena, const ds_deployment **out, ds_error *err)
{
    ds_deployment *deployment = ARENA_NEW(arena, ds_deployment);
    TRY(replica_deployment(merge, &merge->replica_defs[replica], store, deployment, err));
    ds_compiler c = {.model = model,
                     .graph = graph,
                     .service = merge->service,
                     .container = merge->replicas[replica],
                     .is_replica = true,
                     .store = store,
                     .dialect = deployment->dialect,
                     .arena = arena};
    TRY(compile_streams(&c, deployment, err));
    *out = deployment;
    return DS_DONE;
}

ds_rc compile_former_replica(const ds_deployment *merge, const ds_container_def *container, const ds_store *store,
                             ds_arena *arena, const ds_deployment **out, ds_error *err)
{
    ds_deployment *deployment = ARENA_NEW(arena, ds_deployment);
    TRY(replica_deployment(merge, container, store, deployment, err));
    *out = deployment;
    return DS_DONE;
}
