#include "support/mirror.h"

#include <stdlib.h>

static void copy_dataset(world *m, const world *primary, size_t i, ds_milestoning milestoning)
{
    const ds_dataset_def *from = &primary->datasets[i];
    const ds_name_rules rules = m->drivers[PAIR_MERGE]->dialect->names;
    const char *platform = m->def.platform, *consumer = strchr(m->def.name, '@') ? "R" : "W";
    ds_view_def *views = ARENA_ARRAY(m->arena, ds_view_def, 2);
    for (int history = 0; history < 2; history++)
        views[history] = (ds_view_def){consumer, "H", history == 1,
                                       naming_view(m->arena, rules, consumer, "H", "S", from->name, history == 1)};
    m->datasets[i] =
        (ds_dataset_def){.name = from->name,
                         .shape = from->shape,
                         .source_schema = from->merge.schema,
                         .source_table = from->merge.name,
                         .merge = naming_table(m->arena, rules, platform, "S", from->name, TABLE_MERGE),
                         .staging = naming_table(m->arena, rules, platform, "S", from->name, TABLE_STAGING),
                         .history = naming_table(m->arena, rules, platform, "S", from->name, TABLE_HISTORY),
                         .rejects = naming_table(m->arena, rules, platform, "S", from->name, TABLE_REJECTS),
                         .views = views,
                         .view_count = milestoning == MILESTONING_SCD1 ? 1 : 2};
    if (primary->def.milestoning == MILESTONING_SCD4)
        m->datasets[i].source_history = from->history;
}

// Of a pair on one server both sides are.
static bool is_one_database(const world *w)
{
    return strcmp(w->source.type, w->merge.type) == 0 && strcmp(w->source.path, w->merge.path) == 0;
}

void mirror_open(world *m, const world *primary, ds_milestoning milestoning, mirror_place place)
{
    *m = *primary;
    m->store = (ds_store){m->drivers, PAIR_SIDES};
    if (place != MIRROR_SAME)
        m->merge = primary->source;
    for (size_t i = 0; i < PAIR_SIDES; i++)
        if (strcmp(primary->drivers[i]->name, m->merge.type) == 0)
            m->drivers[PAIR_MERGE] = primary->drivers[i];
    m->drivers[PAIR_SOURCE] = primary->drivers[PAIR_MERGE];
    m->runtime.store = &m->store;
    m->runtime.clock = &m->clock;
    m->source = m->def.source = primary->merge;
    bool replica = place == MIRROR_REPLICA;
    m->def.name = replica ? arena_printf(m->arena, "%s@R", primary->def.name) : "Q/S";
    m->def.platform = !replica ? "Q" : is_one_database(primary) ? "R" : primary->def.platform;
    m->def.milestoning = milestoning;
    m->def.primary = primary->def.name;
    m->def.primary_versions = primary->def.milestoning != MILESTONING_SCD1;
    m->def.datasets = m->datasets;
    for (size_t i = 0; i < primary->def.dataset_count; i++)
        copy_dataset(m, primary, i, milestoning);
}

static const ds_shape *version_shape(const world *w, const ds_shape *shape)
{
    static const ds_type BATCH = {.kind = TYPE_BIGINT};
    ds_shape_column *columns = ARENA_ARRAY(w->arena, ds_shape_column, shape->n + 2);
    for (size_t i = 0; i < shape->n; i++)
        columns[i] = shape->columns[i];
    columns[shape->n] = (ds_shape_column){.name = "ds_batch_in", .type = &BATCH};
    columns[shape->n + 1] = (ds_shape_column){.name = "ds_batch_out", .type = &BATCH};
    const ds_shape *out;
    ds_error err;
    if (shape_new(w->arena, columns, shape->n + 2, NULL, 0, &out, &err).code != DS_OK)
        BUG("%s", err.text);
    return out;
}

// (SELECT columns, ds_batch_in, ds_batch_out FROM table) with live rows' end where there is no such column
static void select_from(const ds_dataset_def *d, ds_relation table, bool has_out, ds_sql *q)
{
    SQL(q, "SELECT ");
    sql_columns(q, NULL, d->shape);
    SQL(q, ", ds_batch_in, ");
    if (!has_out) {
        sql_literal_int(q, BATCH_LIVE);
        SQL(q, " AS ");
    }
    SQL(q, "ds_batch_out FROM ");
    sql_relation(q, table);
}

const char *mirror_versions(const world *w, size_t dataset, bool live)
{
    const ds_dataset_def *d = &w->datasets[dataset];
    const ds_shape *shape = version_shape(w, d->shape);
    CLEANUP(sql_release) ds_sql q = sql_new(w->drivers[PAIR_MERGE]->dialect);
    SQL(&q, "SELECT ");
    sql_columns_to_read(&q, shape, false);
    SQL(&q, " FROM (");
    select_from(d, d->merge, def_has_out(&w->def), &q);
    if (w->def.milestoning == MILESTONING_SCD4) {
        SQL(&q, " UNION ALL ");
        select_from(d, d->history, true, &q);
    }
    SQL(&q, ") AS v");
    if (live) {
        SQL(&q, " WHERE ds_batch_out = ");
        sql_literal_int(&q, BATCH_LIVE);
    }
    return world_rows(w, PAIR_MERGE, shape, &q);
}
