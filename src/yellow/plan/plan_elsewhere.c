// A workspace whose views belong in another database now keeps those that it has here until they have been made there.
// They are as much a part of the definitions as any other: their tables may change, and their streams go on.
#include "yellow/plan/plan_int.h"

const ds_elsewhere *plan_elsewhere(const ds_planner *p, const char *workspace)
{
    for (size_t i = 0; i < p->deployment->elsewhere_count; i++)
        if (strcmp(p->deployment->elsewhere[i].workspace, workspace) == 0)
            return &p->deployment->elsewhere[i];
    return NULL;
}

static size_t find_def(const ds_planner *p, const char *stream)
{
    size_t i = 0;
    while (i < p->def_count && strcmp(p->defs[i]->name, stream) != 0)
        i++;
    return i;
}

static bool has_dataset(const ds_stream_def *def, const char *name)
{
    for (size_t i = 0; i < def->dataset_count; i++)
        if (strcmp(def->datasets[i].name, name) == 0)
            return true;
    return false;
}

// The place of the stream that has the dataset: its own, or that which takes it over; def_count when the model has
// neither.
static size_t holding_def(const ds_planner *p, const ds_stream_row *row, const char *dataset)
{
    size_t own = find_def(p, row->name), other = find_def(p, def_other_stream(p->arena, row->name, dataset));
    return own == p->def_count && other < p->def_count && has_dataset(p->defs[other], dataset) ? other : own;
}

// A copy of the definition that may be added to. Of a stream that the model lacks it is the applied one, without its
// views.
static ds_stream_def *open_def(ds_planner *p, const ds_stream_row *row, const char *dataset)
{
    size_t i = holding_def(p, row, dataset);
    bool known = i < p->def_count;
    const ds_stream_def *from = known ? p->defs[i] : row->def;
    ds_stream_def *def = ARENA_NEW(p->arena, ds_stream_def);
    *def = *from;
    ds_dataset_def *datasets = ARENA_ARRAY(p->arena, ds_dataset_def, from->dataset_count + 1);
    for (size_t k = 0; k < from->dataset_count; k++) {
        datasets[k] = from->datasets[k];
        datasets[k].view_count = known ? datasets[k].view_count : 0;
    }
    def->datasets = datasets;
    p->defs[i] = def;
    p->def_count += !known;
    return def;
}

// The definition's own dataset of that name, or the applied one, added without views.
static ds_dataset_def *open_dataset(const ds_planner *p, const ds_stream_row *row, ds_stream_def *def, const char *name)
{
    ds_dataset_def *datasets = (ds_dataset_def *)(uintptr_t)def->datasets; // open_def's
    for (size_t i = 0; i < def->dataset_count; i++)
        if (strcmp(datasets[i].name, name) == 0)
            return &datasets[i];
    const ds_dataset_def *old = plan_old_dataset(p, row, name);
    if (!old)
        return NULL;
    ds_dataset_def *dataset = &datasets[def->dataset_count++];
    *dataset = *old;
    dataset->view_count = 0;
    return dataset;
}

static void keep_view(ds_planner *p, const ds_stream_row *row, const ds_view_row *view)
{
    ds_stream_def *def = open_def(p, row, view->dataset);
    ds_dataset_def *dataset = open_dataset(p, row, def, view->dataset);
    if (!dataset)
        return;
    ds_view_def *views = ARENA_ARRAY(p->arena, ds_view_def, dataset->view_count + 1);
    if (dataset->view_count)
        memcpy(views, dataset->views, dataset->view_count * sizeof *views);
    views[dataset->view_count++] = (ds_view_def){.workspace = view->workspace,
                                                 .group = view->group,
                                                 .history = view->history,
                                                 .relation = view->relation};
    dataset->views = views;
}

void plan_keep_waiting(ds_planner *p)
{
    for (size_t i = 0; i < p->view_count; i++) {
        const ds_view_row *view = &p->views[i];
        const ds_elsewhere *place = plan_elsewhere(p, view->workspace);
        const ds_stream_row *row = place && place->waits ? map_get(p->row_by_name, view->stream) : NULL;
        if (!row || row->removed || strcmp(row->def->service, p->deployment->service->name.s) != 0)
            continue;
        keep_view(p, row, view);
        plan_change(p, plan_object(p, "view", view->relation), PLAN_KEEP, "it stays until it is in %s",
                    place->container->name);
    }
}
