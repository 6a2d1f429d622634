// The definitions that apply writes: the model's, and with each dataset the columns that it has given up. Closed
// versions and staged rows still hold values of their types, so that one that comes back is judged by them.
#include <strings.h>

#include "yellow/plan/plan_int.h"

const ds_dataset_def *plan_old_dataset(const ds_planner *p, const ds_stream_row *row, const char *name)
{
    for (size_t i = 0; row && i < row->def->dataset_count; i++)
        if (strcmp(row->def->datasets[i].name, name) == 0)
            return &row->def->datasets[i];
    const plan_retired *retired = row ? &p->retired[row - p->rows] : NULL;
    for (size_t i = 0; retired && i < retired->n; i++)
        if (strcmp(retired->datasets[i].name, name) == 0)
            return &retired->datasets[i];
    return NULL;
}

static bool has_column(const ds_shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->n; i++)
        if (strcasecmp(shape->columns[i].name, name) == 0)
            return true;
    return false;
}

// Those given up before, then those given up now, unless they are back. out has room for all.
static size_t retire_columns(const ds_dataset_def *old, const ds_shape *shape, ds_shape_column *out)
{
    size_t n = 0;
    for (size_t i = 0; i < old->retired_count; i++)
        if (!has_column(shape, old->retired[i].name))
            out[n++] = old->retired[i];
    for (size_t i = 0; i < old->shape->n; i++)
        if (!has_column(shape, old->shape->columns[i].name))
            out[n++] = old->shape->columns[i];
    return n;
}

const ds_stream_def *plan_applied_def(ds_planner *p, const ds_stream_def *def)
{
    ds_dataset_def *datasets = ARENA_ARRAY(p->arena, ds_dataset_def, def->dataset_count);
    for (size_t i = 0; i < def->dataset_count; i++) {
        datasets[i] = def->datasets[i];
        const ds_stream_row *holder = plan_holder(p, def, datasets[i].name);
        const ds_dataset_def *old = plan_old_dataset(p, holder, datasets[i].name);
        if (!old)
            continue;
        datasets[i].former = strcmp(holder->name, def->name) == 0 ? old->former : holder->name;
        ds_shape_column *retired = ARENA_ARRAY(p->arena, ds_shape_column, old->retired_count + old->shape->n);
        datasets[i].retired_count = retire_columns(old, datasets[i].shape, retired);
        datasets[i].retired = retired;
    }
    ds_stream_def *out = ARENA_NEW(p->arena, ds_stream_def);
    *out = *def;
    out->datasets = datasets;
    return out;
}
