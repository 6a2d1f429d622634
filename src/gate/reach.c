#include "gate/reach.h"

#include "model/lookup.h"

void reach_store(ds_map *stores, const char *name)
{
    if (name && name[0])
        (void)map_add(stores, name, stores);
}

void reach_group(ds_map *stores, const ds_group *group)
{
    for (size_t i = 0; i < group->sinks.n; i++)
        reach_store(stores, group->sinks.v[i].store);
}

static void reach_workspace(ds_map *stores, const ds_workspace *workspace)
{
    for (size_t i = 0; i < workspace->groups.n; i++)
        reach_group(stores, &workspace->groups.v[i]);
    if (workspace->transformer.output)
        reach_store(stores, workspace->transformer.output->name.s);
}

void reach_document(ds_map *stores, ds_document document)
{
    if (document.kind->shape == &SHAPE_WORKSPACE)
        reach_workspace(stores, document.object);
    else if (document.kind->shape == &SHAPE_DATASTORE)
        reach_store(stores, ((const ds_datastore *)document.object)->name.s);
}

bool reach_group_reads(const ds_map *stores, const ds_group *group)
{
    for (size_t i = 0; i < group->sinks.n; i++)
        if (group->sinks.v[i].store && map_get(stores, group->sinks.v[i].store))
            return true;
    return false;
}

bool reach_workspace_reads(const ds_map *stores, const ds_workspace *workspace)
{
    for (size_t i = 0; i < workspace->groups.n; i++)
        if (reach_group_reads(stores, &workspace->groups.v[i]))
            return true;
    return false;
}

// What transformers read to fill the stores.
static void spread_left(ds_map *stores, const ds_model *const *models, size_t n)
{
    for (size_t i = 0; i < map_count(stores); i++)
        for (size_t m = 0; m < n; m++) {
            const ds_datastore *store = model_datastore(models[m], map_key(stores, i));
            if (store && store->producer)
                reach_workspace(stores, store->producer);
        }
}

// What transformers make of them.
static void spread_right(ds_map *stores, const ds_model *model)
{
    for (size_t i = 0; i < model->workspaces.n; i++) {
        const ds_workspace *workspace = model->workspaces.v[i];
        const ds_datastore *output = workspace->transformer.output;
        if (output && output->name.s && !map_get(stores, output->name.s) && reach_workspace_reads(stores, workspace))
            reach_store(stores, output->name.s);
    }
}

void reach_spread(ds_map *stores, const ds_model *const *models, size_t n)
{
    spread_left(stores, models, n);
    for (size_t before = SIZE_MAX; before != map_count(stores);) {
        before = map_count(stores);
        for (size_t m = 0; m < n; m++)
            spread_right(stores, models[m]);
    }
}
