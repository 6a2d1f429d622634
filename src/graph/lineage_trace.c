#include "graph/lineage_trace.h"

#include "base/vec.h"
#include "graph/lineage.h"
#include "model/lookup.h"

// A dataset, or one of its columns, that is still to be followed. column NULL: the dataset, or its rows.
typedef struct item {
    const ds_datastore *store;
    const ds_dataset *dataset;
    const ds_column *column;
} item;

typedef struct use {
    const ds_workspace *workspace;
    const ds_group *group;
} use;
typedef VEC(use) use_list;
typedef VEC(const ds_node *) stream_list;

typedef struct tracer {
    const ds_model *model;
    ds_arena *arena;
    bool by_column; // columns were asked for: transformers stand on edges, streams are left out
    ds_map *nodes, *edges;
    ds_map *streams;  // of each store: stream_list
    ds_map *uses;     // of "STORE/DATASET": use_list
    ds_map *lineages; // of "STORE/DATASET": ds_lineage, as far as they were needed
    ds_map *seen;     // names of items, in the direction that is followed
    VEC(item) open;
    VEC(const ds_trace_node *) found;
    VEC(ds_trace_edge) list;
    VEC(const char *) notes;
} tracer;

// --- what the model has, by name

static const char *dataset_path(const tracer *t, const ds_datastore *store, const ds_dataset *dataset)
{
    return arena_path(t->arena, store->name.s, dataset->name, NULL);
}

static void index_uses(tracer *t)
{
    for (size_t i = 0; i < t->model->workspaces.n; i++) {
        const ds_workspace *workspace = t->model->workspaces.v[i];
        for (size_t g = 0; g < workspace->groups.n; g++)
            for (size_t s = 0; s < workspace->groups.v[g].sinks.n; s++) {
                const ds_sink *sink = &workspace->groups.v[g].sinks.v[s];
                if (!sink->store || !sink->dataset)
                    continue;
                const char *path = arena_path(t->arena, sink->store, sink->dataset, NULL);
                use_list *list = map_get(t->uses, path);
                if (!list)
                    map_set(t->uses, path, list = ARENA_NEW(t->arena, use_list));
                *VEC_PUSH(t->arena, list) = (use){workspace, &workspace->groups.v[g]};
            }
    }
}

static void index_streams(tracer *t, const ds_graph *graph)
{
    for (size_t i = 0; i < graph->nodes.n; i++) {
        const ds_node *node = graph->nodes.v[i];
        if (node->kind != NODE_INGEST)
            continue;
        stream_list *list = map_get(t->streams, node->store->name.s);
        if (!list)
            map_set(t->streams, node->store->name.s, list = ARENA_NEW(t->arena, stream_list));
        *VEC_PUSH(t->arena, list) = node;
    }
}

static bool ingests(const ds_node *stream, const ds_dataset *dataset)
{
    for (size_t i = 0; i < stream->dataset_count; i++)
        if (stream->datasets[i] == dataset)
            return true;
    return false;
}

// Of an output of the workspace's transformer.
static const ds_lineage *lineage_of(tracer *t, const ds_workspace *workspace, const ds_dataset *output)
{
    const char *path = dataset_path(t, workspace->transformer.output, output);
    ds_lineage *lineage = map_get(t->lineages, path);
    if (lineage)
        return lineage;
    lineage = ARENA_NEW(t->arena, ds_lineage);
    lineage_of_output(t->model, workspace, output, t->arena, lineage);
    map_set(t->lineages, path, lineage);
    if (lineage->note && t->by_column)
        *VEC_PUSH(t->arena, &t->notes) = arena_printf(t->arena, "%s: columns are unknown (workspace %s): %s", path,
                                                      workspace->name.s, lineage->note);
    return lineage;
}

// --- nodes and edges

static const ds_trace_node *node_get(tracer *t, ds_trace_kind kind, const char *name)
{
    ds_trace_node *node = map_get(t->nodes, name);
    if (node)
        return node;
    node = ARENA_NEW(t->arena, ds_trace_node);
    *node = (ds_trace_node){kind, name, t->found.n};
    map_set(t->nodes, name, node);
    *VEC_PUSH(t->arena, &t->found) = node;
    return node;
}

static void link_nodes(tracer *t, const ds_trace_node *from, const ds_trace_node *to, ds_trace_how how,
                       const ds_workspace *through)
{
    const char *name = through ? through->name.s : NULL;
    const char *key = arena_printf(t->arena, "%zu %zu %d", from->index, to->index, (int)how);
    if (!map_add(t->edges, key, t))
        *VEC_PUSH(t->arena, &t->list) = (ds_trace_edge){from, to, how, name};
}

static const ds_trace_node *item_node(tracer *t, item it)
{
    const char *store = it.store->name.s, *dataset = it.dataset->name;
    if (it.column)
        return node_get(t, TRACE_COLUMN, arena_path(t->arena, "Column", store, dataset, it.column->name, NULL));
    return node_get(t, TRACE_DATASET, arena_path(t->arena, "Dataset", store, dataset, NULL));
}

// Its node, which is followed later unless it has been already.
static const ds_trace_node *visit(tracer *t, item it)
{
    const ds_trace_node *node = item_node(t, it);
    if (!map_add(t->seen, node->name, t))
        *VEC_PUSH(t->arena, &t->open) = it;
    return node;
}

static const ds_trace_node *source_node(tracer *t, item it)
{
    const ds_source_table *source = &it.dataset->rest->source;
    const char *table = source->table.s ? source->table.s : it.dataset->name;
    if (source->schema.s)
        table = arena_printf(t->arena, "%s.%s", source->schema.s, table);
    const char *column = !it.column ? NULL : it.column->rest->source ? it.column->rest->source : it.column->name;
    return node_get(t, TRACE_SOURCE,
                    arena_path(t->arena, "Source", str_of(it.store->capture.container.s).p, table, column, NULL));
}

// from -> the streams that bring the dataset -> the dataset; without a stream at once.
static void link_through_streams(tracer *t, const ds_trace_node *from, item it, const ds_trace_node *to)
{
    const stream_list *list = map_get(t->streams, it.store->name.s);
    size_t streams = 0;
    for (size_t i = 0; list && i < list->n; i++) {
        if (!ingests(list->v[i], it.dataset))
            continue;
        const ds_trace_node *stream = node_get(t, TRACE_STREAM, list->v[i]->name);
        link_nodes(t, from, stream, TRACE_FLOWS, NULL);
        link_nodes(t, stream, to, TRACE_FLOWS, NULL);
        streams++;
    }
    if (streams == 0)
        link_nodes(t, from, to, TRACE_FLOWS, NULL);
}

static const ds_trace_node *transformer_node(tracer *t, const ds_workspace *workspace)
{
    return node_get(t, TRACE_TRANSFORMER, arena_path(t->arena, "Transformer", workspace->name.s, NULL));
}

// --- where it comes from

static void column_from(tracer *t, item it, const ds_lineage *lineage, const ds_trace_node *to)
{
    const ds_workspace *through = it.store->producer;
    for (size_t i = 0; lineage->note && i < lineage->input_count; i++) {
        const item input = {lineage->inputs[i].store, lineage->inputs[i].dataset, NULL};
        link_nodes(t, visit(t, input), to, TRACE_UNKNOWN, through);
    }
    bool rows = false;
    for (size_t i = 0; i < lineage->edge_count; i++) {
        const ds_lineage_edge *edge = &lineage->edges[i];
        rows |= edge->to == NULL;
        if (edge->to != it.column)
            continue;
        const item input = {lineage->inputs[edge->input].store, lineage->inputs[edge->input].dataset, edge->from};
        link_nodes(t, visit(t, input), to, edge->influence == INFLUENCE_VALUE ? TRACE_FLOWS : TRACE_INDIRECT, through);
    }
    if (rows && it.column)
        link_nodes(t, visit(t, (item){it.store, it.dataset, NULL}), to, TRACE_INDIRECT, NULL);
}

static void upstream(tracer *t, item it)
{
    const ds_trace_node *to = item_node(t, it);
    const ds_workspace *producer = it.store->producer;
    if (!producer && t->by_column)
        link_nodes(t, source_node(t, it), to, TRACE_FLOWS, NULL);
    else if (!producer)
        link_through_streams(t, source_node(t, it), it, to);
    if (!producer)
        return;
    const ds_lineage *lineage = lineage_of(t, producer, it.dataset);
    if (t->by_column) {
        column_from(t, it, lineage, to);
        return;
    }
    const ds_trace_node *transformer = transformer_node(t, producer);
    link_through_streams(t, transformer, it, to);
    for (size_t i = 0; i < lineage->input_count; i++)
        link_nodes(t, visit(t, (item){lineage->inputs[i].store, lineage->inputs[i].dataset, NULL}), transformer,
                   TRACE_FLOWS, NULL);
}

// --- where it goes to

// What one output has of it.
static void column_to(tracer *t, item it, const ds_workspace *through, const ds_dataset *output)
{
    const ds_lineage *lineage = lineage_of(t, through, output);
    const ds_datastore *store = through->transformer.output;
    const ds_trace_node *from = item_node(t, it);
    for (size_t i = 0; (lineage->note || !it.column) && i < lineage->input_count; i++)
        if (lineage->inputs[i].dataset == it.dataset)
            link_nodes(t, from, visit(t, (item){store, output, NULL}), lineage->note ? TRACE_UNKNOWN : TRACE_INDIRECT,
                       through);
    for (size_t i = 0; it.column && i < lineage->edge_count; i++) {
        const ds_lineage_edge *edge = &lineage->edges[i];
        if (edge->from == it.column)
            link_nodes(t, from, visit(t, (item){store, output, edge->to}),
                       edge->influence == INFLUENCE_VALUE ? TRACE_FLOWS : TRACE_INDIRECT, through);
    }
}

static void dataset_to(tracer *t, item it, const ds_workspace *workspace, const ds_dataset *output)
{
    const ds_lineage *lineage = lineage_of(t, workspace, output);
    const ds_trace_node *transformer = transformer_node(t, workspace);
    for (size_t i = 0; i < lineage->input_count; i++) {
        if (lineage->inputs[i].dataset != it.dataset)
            continue;
        const item result = {workspace->transformer.output, output, NULL};
        link_nodes(t, item_node(t, it), transformer, TRACE_FLOWS, NULL);
        link_through_streams(t, transformer, result, visit(t, result));
    }
}

static void through_transformer(tracer *t, item it, const ds_workspace *workspace)
{
    const ds_datastore *output = workspace->transformer.output;
    for (size_t i = 0; output && output->name.s && i < output->datasets.n; i++) {
        if (t->by_column)
            column_to(t, it, workspace, &output->datasets.v[i]);
        else
            dataset_to(t, it, workspace, &output->datasets.v[i]);
    }
}

static void downstream(tracer *t, item it)
{
    const use_list *uses = map_get(t->uses, dataset_path(t, it.store, it.dataset));
    for (size_t i = 0; uses && i < uses->n; i++) {
        const ds_workspace *workspace = uses->v[i].workspace;
        if (!workspace->name.s)
            continue;
        if (workspace->transformer.pos.file)
            through_transformer(t, it, workspace);
        else
            link_nodes(t, item_node(t, it),
                       node_get(t, TRACE_GROUP,
                                arena_path(t->arena, "Group", workspace->name.s, uses->v[i].group->name, NULL)),
                       TRACE_FLOWS, NULL);
    }
}

// --- what was asked for

static ds_rc unknown(const char *what, const char *name, const char *nearest, ds_error *err)
{
    ds_rc rc = ds_fail(err, DS_USAGE, "no %s \"%s\" in the model", what, name);
    if (nearest)
        return ds_hint(rc, err, "did you mean \"%s\"?", nearest);
    return ds_hint(rc, err, "write STORE, STORE/DATASET or STORE/DATASET/COLUMN");
}

// A name of `names` that is near, behind what is right of the path.
static const char *nearest_below(ds_arena *arena, const char *parent, const char *name, const char *const *names,
                                 size_t n)
{
    const char *nearest = str_nearest(name, names, n);
    return nearest ? arena_path(arena, parent, nearest, NULL) : NULL;
}

static ds_rc find_dataset(ds_arena *arena, const ds_datastore *store, const char *name, const char *path,
                          const ds_dataset **out, ds_error *err)
{
    *out = datastore_dataset(store, name);
    if (*out)
        return DS_DONE;
    const char *nearest = datastore_nearest(store, name, arena);
    return unknown("dataset", path, nearest ? arena_path(arena, store->name.s, nearest, NULL) : NULL, err);
}

static ds_rc find_column(ds_arena *arena, const char *parent, const ds_dataset *dataset, const char *name,
                         const ds_column **out, ds_error *err)
{
    *out = dataset_column(dataset, name);
    if (*out)
        return DS_DONE;
    const char **names = ARENA_ARRAY(arena, const char *, dataset->columns.n);
    for (size_t i = 0; i < dataset->columns.n; i++)
        names[i] = dataset->columns.v[i].name;
    return unknown("column", arena_path(arena, parent, name, NULL),
                   nearest_below(arena, parent, name, names, dataset->columns.n), err);
}

static ds_rc find_start(const ds_model *model, ds_arena *arena, const char *path, item *out, ds_error *err)
{
    ds_str rest = str_of(path);
    const char *store = arena_str(arena, str_split(&rest, '/')), *dataset = arena_str(arena, str_split(&rest, '/'));
    const char *column = arena_str(arena, rest);
    out->store = model_datastore(model, store);
    if (!out->store)
        return unknown("datastore", store, map_nearest(model->datastore_by_name, store), err);
    if (dataset[0] || column[0])
        TRY(find_dataset(arena, out->store, dataset, arena_path(arena, store, dataset, NULL), &out->dataset, err));
    if (column[0])
        TRY(find_column(arena, arena_path(arena, store, dataset, NULL), out->dataset, column, &out->column, err));
    return DS_DONE;
}

// All datasets of the store: those that graph and lineage know, too, which is why each is asked for.
static void visit_all(tracer *t, const ds_datastore *store)
{
    ds_datasets all = datastore_datasets(store, t->arena);
    for (size_t i = 0; i < all.n; i++) {
        const ds_dataset *dataset = datastore_dataset(store, all.v[i].name);
        if (dataset)
            (void)visit(t, (item){store, dataset, NULL});
    }
}

static void walk(tracer *t, item start, void (*follow)(tracer *t, item it))
{
    t->seen = map_new(t->arena);
    t->open.n = 0;
    if (start.dataset)
        (void)visit(t, start);
    else
        visit_all(t, start.store);
    for (size_t i = 0; i < t->open.n; i++) // grows meanwhile
        follow(t, t->open.v[i]);
}

ds_rc graph_trace(const ds_model *model, const ds_graph *graph, const char *path, ds_arena *arena, ds_trace *out,
                  ds_error *err)
{
    item start = {0};
    TRY(find_start(model, arena, path, &start, err));
    tracer t = {.model = model,
                .arena = arena,
                .by_column = start.column != NULL,
                .nodes = map_new(arena),
                .edges = map_new(arena),
                .streams = map_new(arena),
                .uses = map_new(arena),
                .lineages = map_new(arena)};
    index_uses(&t);
    index_streams(&t, graph);
    walk(&t, start, upstream);
    size_t upstream_count = t.list.n;
    walk(&t, start, downstream);
    *out = (ds_trace){t.found.v, t.found.n, t.list.v, t.list.n, upstream_count, t.notes.v, t.notes.n};
    return DS_DONE;
}
