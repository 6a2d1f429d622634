// Who is reached by a dataset, whatever the assignments say.
#include <stdlib.h>

#include "base/vec.h"
#include "graph/graph.h"

typedef VEC(const ds_workspace *) workspace_list;

// Workspaces by the store that they read.
static ds_map *readers_by_store(const ds_model *model, ds_arena *arena)
{
    ds_map *readers = map_new(arena);
    for (size_t i = 0; i < model->workspaces.n; i++) {
        const ds_workspace *workspace = model->workspaces.v[i];
        for (size_t g = 0; g < workspace->groups.n; g++)
            for (size_t s = 0; s < workspace->groups.v[g].sinks.n; s++) {
                const char *store = workspace->groups.v[g].sinks.v[s].store;
                workspace_list *list = store ? map_get(readers, store) : NULL;
                if (store && !list) {
                    list = ARENA_NEW(arena, workspace_list);
                    (void)map_add(readers, store, list);
                }
                if (list && (list->n == 0 || list->v[list->n - 1] != workspace))
                    *VEC_PUSH(arena, list) = workspace;
            }
    }
    return readers;
}

static bool workspace_reads(const ds_workspace *workspace, const char *store, const char *dataset)
{
    for (size_t g = 0; g < workspace->groups.n; g++)
        for (size_t s = 0; s < workspace->groups.v[g].sinks.n; s++) {
            const ds_sink *sink = &workspace->groups.v[g].sinks.v[s];
            if (sink->store && strcmp(sink->store, store) == 0 && sink->dataset && strcmp(sink->dataset, dataset) == 0)
                return true;
        }
    return false;
}

static int by_workspace_name(const void *a, const void *b)
{
    return strcmp((*(const ds_workspace *const *)a)->name.s, (*(const ds_workspace *const *)b)->name.s);
}

// Adds those readers of the store that are new; dataset NULL stands for all of them.
static void add_readers(ds_map *readers, const char *store, const char *dataset, ds_map *found, ds_arena *arena,
                        workspace_list *out)
{
    const workspace_list *list = map_get(readers, store);
    for (size_t i = 0; list && i < list->n; i++) {
        const ds_workspace *workspace = list->v[i];
        if (!workspace->name.s || (dataset && !workspace_reads(workspace, store, dataset)))
            continue;
        if (!map_add(found, workspace->name.s, (void *)(uintptr_t)workspace))
            *VEC_PUSH(arena, out) = workspace;
    }
}

size_t graph_dependents(const ds_model *model, const ds_datastore *store, const char *dataset_or_null,
                        const ds_workspace ***out, ds_arena *arena)
{
    ds_map *readers = readers_by_store(model, arena), *found = map_new(arena);
    workspace_list list = {0};
    if (store->name.s)
        add_readers(readers, store->name.s, dataset_or_null, found, arena, &list);
    for (size_t i = 0; i < list.n; i++) { // the list grows: what a transformer writes reaches further
        const ds_datastore *output = list.v[i]->transformer.output;
        if (output && output->name.s)
            add_readers(readers, output->name.s, NULL, found, arena, &list);
    }
    if (list.n > 1)
        qsort(list.v, list.n, sizeof list.v[0], by_workspace_name);
    *out = list.v;
    return list.n;
}
