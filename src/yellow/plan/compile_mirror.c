// Streams whose source is what another one has merged: that of the store's primary platform, or, of a replica in a
// consumer's database, the platform's own.
#include "base/vec.h"
#include "model/lookup.h"
#include "platform/assign.h"
#include "yellow/plan/compile_int.h"

static const ds_primary *primary_of(const ds_node *ingest)
{
    const ds_platform_service *service = ingest->service;
    for (size_t i = 0; i < service->primary_ingestion.n; i++) {
        const ds_primary *primary = &service->primary_ingestion.v[i];
        if (primary->platform.s && strcmp(primary->store, ingest->store->name.s) == 0)
            return primary;
    }
    return NULL;
}

static bool has_dataset(const ds_node *ingest, const ds_dataset *dataset)
{
    for (size_t i = 0; i < ingest->dataset_count; i++)
        if (ingest->datasets[i] == dataset)
            return true;
    return false;
}

static ds_rc nothing_to_read(const ds_node *ingest, const char *platform, const char *dataset, ds_error *err)
{
    ds_rc rc = ds_fail(err, DS_FINDING, "no group on primary platform \"%s\" uses \"%s/%s\", which \"%s\" reads there",
                       platform, ingest->store->name.s, dataset, ingest->platform->name);
    return ds_hint(rc, err, "let a group on \"%s\" use it, or take the store out of primary_ingestion", platform);
}

// The primary's stream with the same datasets; it reads the source itself.
static ds_rc check_primary(const ds_node *ingest, const ds_node *primary, const char *platform, ds_error *err)
{
    for (size_t i = 0; i < ingest->dataset_count; i++)
        if (!primary || !has_dataset(primary, ingest->datasets[i]))
            return nothing_to_read(ingest, platform, ingest->datasets[i]->name, err);
    const ds_primary *further = primary_of(primary);
    if (!further || strcmp(further->platform.s, platform) == 0)
        return DS_DONE;
    return ds_hint(ds_fail(err, DS_FINDING,
                           "\"%s\" is the primary platform of \"%s\" for \"%s\", but reads \"%s\" itself", platform,
                           ingest->store->name.s, ingest->platform->name, further->platform.s),
                   err, "name the platform that reads the source");
}

ds_rc compile_find_primary(const ds_compiler *c, const ds_node *ingest, const ds_node **out, ds_error *err)
{
    *out = c->is_replica ? ingest->left.v[0] : NULL;
    if (*out)
        return DS_DONE;
    const ds_primary *primary = ingest->store->producer ? NULL : primary_of(ingest);
    const ds_platform *platform = primary ? model_platform(c->model, primary->platform.s) : NULL;
    if (!platform || platform == ingest->platform)
        return DS_DONE;
    const char *stream =
        compile_stream_name(c->arena, platform, ingest->store, ingest->dataset ? ingest->dataset->name : "");
    const ds_node *node = graph_node(c->graph, arena_path(c->arena, "Ingest", stream, NULL));
    TRY(check_primary(ingest, node, platform->name, err));
    *out = node;
    return DS_DONE;
}

// It runs after its primary. Whoever runs the one runs the other, when they are one service's or in one merge database;
// else the store's trigger says when to look.
static void run_after(const ds_compiler *c, const ds_node *ingest, const ds_node *primary, ds_stream_def *out)
{
    ds_input_def *inputs = ARENA_ARRAY(c->arena, ds_input_def, ingest->dataset_count);
    for (size_t i = 0; i < ingest->dataset_count; i++)
        inputs[i] = (ds_input_def){
            .stream = node_stream_name(primary),
            .dataset = ingest->datasets[i]->name,
            .relation = naming_table(c->arena, c->dialect->names, primary->platform->name, primary->store->name.s,
                                     ingest->datasets[i]->name, TABLE_MERGE),
        };
    out->inputs = inputs;
    out->input_count = ingest->dataset_count;
    const char *ours = assign_merge_database(c->model, ingest->service, c->arena);
    if (!c->is_replica && strcmp(ours, assign_merge_database(c->model, primary->service, c->arena)) != 0)
        return;
    out->cron = out->timezone = "";
    out->external = false;
}

// The merge tables have passed what guards a source; whatever the primary shows is ours.
ds_rc compile_mirror(const ds_compiler *c, const ds_node *ingest, const ds_node *primary, ds_stream_def *out,
                     ds_error *err)
{
    const ds_container *container = service_container(c->model, primary->service);
    if (!container)
        return ds_fail(err, DS_FINDING, "platform service \"%s\" has no merge container", primary->service->name.s);
    out->source = database_of(container, primary->service->merge_credential.s);
    out->primary = node_stream_name(primary);
    out->primary_versions = primary->platform->milestoning != MILESTONING_SCD1;
    out->max_delete_ratio = 1;
    out->staging_full = false;
    run_after(c, ingest, primary, out);
    return DS_DONE;
}

// The primary has checked its rows before it showed them.
ds_rc compile_mirror_dataset(const ds_compiler *c, const ds_node *primary, const ds_dataset *dataset,
                             ds_dataset_def *out, ds_error *err)
{
    const ds_container *container = service_container(c->model, primary->service);
    const char *type = container ? container_type_name(container->type) : "";
    const ds_driver *driver = store_driver(c->store, type);
    if (!driver)
        return ds_fail(err, DS_FINDING, "merge container of \"%s\": type \"%s\" is not supported yet",
                       primary->service->name.s, type);
    const char *platform = primary->platform->name, *store = primary->store->name.s;
    ds_relation merge = naming_table(c->arena, driver->dialect->names, platform, store, dataset->name, TABLE_MERGE);
    out->source_schema = merge.schema;
    out->source_table = merge.name;
    if (primary->platform->milestoning == MILESTONING_SCD4)
        out->source_history =
            naming_table(c->arena, driver->dialect->names, platform, store, dataset->name, TABLE_HISTORY);
    out->checks = NULL;
    out->check_count = 0;
    return DS_DONE;
}

void compile_replicas(const ds_compiler *c, ds_deployment *out)
{
    VEC(const ds_container *) found = {0};
    ds_map *seen = map_new(c->arena);
    for (size_t i = 0; i < c->graph->roots.n; i++) {
        const ds_root *root = &c->graph->roots.v[i];
        if (root->replica && root->service == c->service && compile_is_ours(root->platform) &&
            !map_add(seen, root->replica->name.s, out))
            *VEC_PUSH(c->arena, &found) = root->replica;
    }
    ds_container_def *defs = ARENA_ARRAY(c->arena, ds_container_def, found.n);
    for (size_t i = 0; i < found.n; i++)
        defs[i] = database_of(found.v[i], database_replica_credential(c->graph->roots, found.v[i]));
    out->replicas = found.v;
    out->replica_defs = defs;
    out->replica_count = found.n;
}
