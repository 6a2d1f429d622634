#include "graph/graph.h"

#include <stdlib.h>

#include "base/vec.h"
#include "model/lookup.h"

// A node and what only this file needs to know of it. Nodes are handed out as pointers to the first member.
typedef struct item {
    ds_node node;
    size_t index; // in graph.nodes
    bool prioritised;
    VEC(const ds_dataset *) needed; // stream: with repetitions, in order of arrival
} item;

typedef struct builder {
    const ds_model *model;
    ds_arena *arena;
    ds_graph *graph;
    ds_nodes open; // trigger nodes whose inputs are still to be added
} builder;

// Where a node belongs: every node has these, exports of assigned groups a root as well.
typedef struct place {
    const ds_platform *platform;
    const ds_platform_service *service;
    const ds_root *root;
} place;

static void link_nodes(builder *b, ds_node *left, ds_node *right)
{
    *VEC_PUSH(b->arena, &left->right) = right;
    *VEC_PUSH(b->arena, &right->left) = left;
}

// Finds or makes the node of that name; *made says which.
static ds_node *node_get(builder *b, const place *at, ds_node_kind kind, const char *name, bool *made)
{
    ds_node *old = map_get(b->graph->by_name, name);
    *made = old == NULL;
    if (old)
        return old;
    item *it = ARENA_NEW(b->arena, item);
    it->node.kind = kind;
    it->node.name = name;
    it->node.platform = at->platform;
    it->node.service = at->service;
    *VEC_PUSH(b->arena, &b->graph->nodes) = &it->node;
    (void)map_add(b->graph->by_name, name, &it->node);
    return &it->node;
}

// The transformer that fills the stream, with its trigger, which waits in `open` for its inputs.
static void add_transformer(builder *b, const place *at, ds_node *ingest, const ds_workspace *workspace)
{
    const char *platform = at->platform->name, *name = workspace->name.s;
    bool made;
    ds_node *transformer =
        node_get(b, at, NODE_TRANSFORMER, arena_path(b->arena, "Transformer", platform, name, NULL), &made);
    link_nodes(b, transformer, ingest);
    if (!made)
        return;
    transformer->workspace = workspace;
    ds_node *trigger = node_get(b, at, NODE_TRIGGER, arena_path(b->arena, "Trigger", platform, name, NULL), &made);
    trigger->workspace = workspace;
    link_nodes(b, trigger, transformer);
    *VEC_PUSH(b->arena, &b->open) = trigger;
}

static ds_node *add_ingest(builder *b, const place *at, const ds_datastore *store, const ds_dataset *dataset)
{
    bool single = store->capture.consistency == CONSISTENCY_SINGLE_DATASET;
    const char *platform = at->platform->name;
    const char *name = single ? arena_path(b->arena, "Ingest", platform, store->name.s, dataset->name, NULL)
                              : arena_path(b->arena, "Ingest", platform, store->name.s, NULL);
    bool made;
    ds_node *ingest = node_get(b, at, NODE_INGEST, name, &made);
    if (!made)
        return ingest;
    ingest->store = store;
    ingest->dataset = single ? dataset : NULL;
    if (store->producer && store->producer->name.s)
        add_transformer(b, at, ingest, store->producer);
    return ingest;
}

// The copy of a stream in a consumer's database. One container's is shared by all that have their views there.
static ds_node *add_replica(builder *b, const place *at, ds_node *ingest)
{
    const ds_container *container = at->root->replica;
    bool made;
    ds_node *replica =
        node_get(b, at, NODE_REPLICA,
                 arena_printf(b->arena, "Replica/%s@%s", node_stream_name(ingest), container->name.s), &made);
    if (!made)
        return replica;
    replica->store = ingest->store;
    replica->dataset = ingest->dataset;
    replica->container = container;
    link_nodes(b, ingest, replica);
    return replica;
}

// The export of one sink with the stream that feeds it; NULL when the sink names nothing that exists.
static ds_node *add_export(builder *b, const place *at, const ds_workspace *workspace, const ds_group *group,
                           const ds_sink *sink)
{
    const ds_datastore *store = sink->store ? model_datastore(b->model, sink->store) : NULL;
    const ds_dataset *dataset = store && sink->dataset ? datastore_dataset(store, sink->dataset) : NULL;
    if (!dataset)
        return NULL;
    bool made;
    ds_node *export = node_get(b, at, NODE_EXPORT,
                               arena_path(b->arena, "Export", at->platform->name, workspace->name.s, group->name,
                                          store->name.s, dataset->name, NULL),
                               &made);
    if (!made)
        return export;
    export->store = store;
    export->dataset = dataset;
    export->workspace = workspace;
    export->group = group;
    export->root = at->root;
    ds_node *stream = add_ingest(b, at, store, dataset);
    *VEC_PUSH(b->arena, &((item *)stream)->needed) = dataset;
    if (at->root && at->root->replica) {
        stream = add_replica(b, at, stream);
        *VEC_PUSH(b->arena, &((item *)stream)->needed) = dataset;
    }
    link_nodes(b, stream, export);
    return export;
}

// The inputs of a transformer: all sinks of all its workspace's groups.
static void add_inputs(builder *b, ds_node *trigger)
{
    const place at = {trigger->platform, trigger->service, NULL};
    const ds_workspace *workspace = trigger->workspace;
    for (size_t i = 0; i < workspace->groups.n; i++) {
        const ds_group *group = &workspace->groups.v[i];
        for (size_t k = 0; k < group->sinks.n; k++) {
            ds_node *export = add_export(b, &at, workspace, group, &group->sinks.v[k]);
            if (export && export->right.n == 0) // a sink that is written twice is one export
                link_nodes(b, export, trigger);
        }
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(ds_node *const *)a)->name, (*(ds_node *const *)b)->name);
}

static void nodes_sort(ds_nodes *nodes)
{
    if (nodes->n > 1)
        qsort(nodes->v, nodes->n, sizeof nodes->v[0], by_name);
}

static int by_place(const void *a, const void *b, void *store)
{
    size_t x = datastore_place(store, *(const ds_dataset *const *)a);
    size_t y = datastore_place(store, *(const ds_dataset *const *)b);
    return (x > y) - (x < y);
}

static void finish_datasets(item *it)
{
    size_t kept = 0;
    if (it->needed.n > 1)
        qsort_r(it->needed.v, it->needed.n, sizeof it->needed.v[0], by_place, (void *)(uintptr_t)it->node.store);
    for (size_t i = 0; i < it->needed.n; i++)
        if (i == 0 || it->needed.v[i] != it->needed.v[kept - 1])
            it->needed.v[kept++] = it->needed.v[i];
    it->node.datasets = it->needed.v;
    it->node.dataset_count = kept;
}

// Gives the priority to the export and all that feeds it. Higher ones come first: who has one keeps it.
static void prioritise(ds_node *export, ds_priority priority, ds_nodes *stack, ds_arena *arena)
{
    stack->n = 0;
    *VEC_PUSH(arena, stack) = export;
    while (stack->n) {
        item *it = (item *)stack->v[--stack->n];
        if (it->prioritised)
            continue;
        it->prioritised = true;
        it->node.priority = priority;
        for (size_t i = 0; i < it->node.left.n; i++)
            *VEC_PUSH(arena, stack) = it->node.left.v[i];
    }
}

static void flow_priorities(ds_graph *graph, ds_arena *arena)
{
    ds_nodes stack = {0};
    for (int p = PRIORITY_CRITICAL; p >= PRIORITY_LOW; p--)
        for (size_t i = 0; i < graph->nodes.n; i++) {
            ds_node *node = graph->nodes.v[i];
            if (node->kind == NODE_EXPORT && (int)node->workspace->priority == p)
                prioritise(node, (ds_priority)p, &stack, arena);
        }
}

static void finish(builder *b)
{
    ds_nodes *nodes = &b->graph->nodes;
    nodes_sort(nodes);
    for (size_t i = 0; i < nodes->n; i++) {
        item *it = (item *)nodes->v[i];
        it->index = i;
        nodes_sort(&it->node.left);
        nodes_sort(&it->node.right);
        if (node_is_stream(&it->node))
            finish_datasets(it);
    }
    flow_priorities(b->graph, b->arena);
}

ds_graph *graph_build(const ds_model *model, ds_roots roots, ds_arena *arena)
{
    builder b = {model, arena, ARENA_NEW(arena, ds_graph), {0}};
    b.graph->by_name = map_new(arena);
    b.graph->roots = roots;
    for (size_t i = 0; i < roots.n; i++) {
        const ds_root *root = &roots.v[i];
        const place at = {root->platform, root->service, root};
        for (size_t k = 0; k < root->group->sinks.n; k++)
            (void)add_export(&b, &at, root->workspace, root->group, &root->group->sinks.v[k]);
    }
    while (b.open.n) // adding inputs may open further transformers
        add_inputs(&b, b.open.v[--b.open.n]);
    finish(&b);
    return b.graph;
}

const ds_node *graph_node(const ds_graph *graph, const char *name)
{
    return map_get(graph->by_name, name);
}

// One step of a depth-first walk: the node and how many of its predecessors have been seen.
typedef struct frame {
    ds_node *node;
    size_t next;
} frame;

// Appends the streams on which `start` depends, then itself. seen marks nodes that were entered: meeting one again that
// has not been left yet is a cycle, which is cut there.
static void walk_left(ds_node *start, bool *seen, ds_nodes *out, ds_arena *arena)
{
    VEC(frame) stack = {0};
    seen[((item *)start)->index] = true;
    *VEC_PUSH(arena, &stack) = (frame){start, 0};
    while (stack.n) {
        frame *top = &stack.v[stack.n - 1];
        if (top->next == top->node->left.n) {
            if (node_is_stream(top->node))
                *VEC_PUSH(arena, out) = top->node;
            stack.n--;
            continue;
        }
        ds_node *left = top->node->left.v[top->next++];
        bool *mark = &seen[((item *)left)->index];
        if (!*mark)
            *VEC_PUSH(arena, &stack) = (frame){left, 0};
        *mark = true;
    }
}

ds_nodes graph_streams(const ds_graph *graph, const ds_platform *platform, ds_arena *arena)
{
    ds_nodes out = {0};
    bool *seen = ARENA_ARRAY(arena, bool, graph->nodes.n);
    for (size_t i = 0; i < graph->nodes.n; i++) {
        ds_node *node = graph->nodes.v[i];
        if (node_is_stream(node) && (!platform || node->platform == platform) && !seen[i])
            walk_left(node, seen, &out, arena);
    }
    return out;
}

const char *node_stream_name(const ds_node *stream)
{
    ds_assert(node_is_stream(stream));
    return strchr(stream->name, '/') + 1;
}
