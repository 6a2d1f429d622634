// Which part of the pipelines the changes can reach: building all of them would take longer than all else.
#include "gate/impact_int.h"
#include "model/lookup.h"

const char *trace_entry(ds_arena *arena, const char *field, const char *start)
{
    if (!str_starts(str_of(field), str_of(start)))
        return NULL;
    ds_str rest = str_of(field + strlen(start));
    return arena_str(arena, str_split(&rest, '.'));
}

// --- stores whose streams may change, or be looked at

// A change of a service's field. False: it may be about all of its streams.
static bool touch_service(const gate *g, ds_map *stores, const ds_change *c)
{
    const char *group = trace_entry(g->arena, c->field, "assignments.");
    const char *store = trace_entry(g->arena, c->field, "hints.streams.");
    const ds_model *models[] = {g->base, g->head};
    const ds_workspace *workspace;
    const ds_group *its;
    for (size_t i = 0; group && i < 2; i++)
        if (model_resolve_group(models[i], group, &workspace, &its))
            reach_group(stores, its);
    if (!store)
        store = trace_entry(g->arena, c->field, "primary_ingestion.");
    if (store)
        reach_store(stores, arena_printf(g->arena, "%.*s", (int)strcspn(store, "/"), store));
    return group || store || strcmp(c->field, "description") == 0;
}

static bool touch_change(const gate *g, ds_map *stores, const ds_change *c)
{
    const ds_document documents[] = {c->before, c->after};
    const ds_datastore *changed[] = {c->store.before, c->store.after};
    const model_shape *kind = (c->after.object ? c->after : c->before).kind->shape;
    for (size_t i = 0; i < 2; i++) {
        if (changed[i])
            reach_store(stores, changed[i]->name.s);
        else if (documents[i].object && kind == &SHAPE_WORKSPACE)
            reach_document(stores, documents[i]);
    }
    if (kind == &SHAPE_PLATFORM_SERVICE)
        return touch_service(g, stores, c);
    return kind != &SHAPE_DATA_CONTAINER;
}

// NULL: all of them.
static const ds_map *touched(const gate *g)
{
    ds_map *stores = map_new(g->arena);
    bool all = false;
    for (size_t i = 0; i < g->n; i++)
        all |= !touch_change(g, stores, g->changes[i].what);
    if (all)
        return NULL;
    reach_spread(stores, (const ds_model *[]){g->base, g->head}, 2);
    return stores;
}

// --- nodes by what they hang on

bool trace_has(const trace *t, size_t side, const ds_node *node)
{
    return graph_node(t->graphs[side], node->name) != NULL;
}

static void add_key(trace *t, const char *kind, const char *name, const ds_node *node)
{
    if (!name)
        return;
    const char *key = arena_printf(t->g->arena, "%s %s", kind, name);
    node_list *list = map_get(t->by_key, key);
    if (!list) {
        list = ARENA_NEW(t->g->arena, node_list);
        (void)map_add(t->by_key, key, list);
    }
    *VEC_PUSH(t->g->arena, list) = node;
}

static void add_keys(trace *t, const ds_node *node)
{
    add_key(t, "service", node->service->name.s, node);
    add_key(t, "platform", node->platform->name, node);
    if (node->kind == NODE_INGEST) {
        add_key(t, "store", node->store->name.s, node);
        add_key(t, "container", node->store->capture.container.s, node);
        add_key(t, "container", node->service->merge_container.s, node);
    }
    if (node->kind == NODE_REPLICA)
        add_key(t, "container", node->container->name.s, node);
    if (node->workspace)
        add_key(t, "workspace", node->workspace->name.s, node);
    if (node->kind == NODE_EXPORT)
        add_key(t, "group", arena_path(t->g->arena, node->workspace->name.s, node->group->name, NULL), node);
}

const node_list *trace_nodes(const trace *t, const char *kind, const char *name)
{
    static const node_list NONE;
    const node_list *list = map_get(t->by_key, arena_printf(t->scratch, "%s %s", kind, gate_text(name)));
    return list ? list : &NONE;
}

const ds_graph *gate_graph(const ds_model *model, ds_platform_types types, const ds_map *stores, ds_map *groups,
                           ds_arena *arena)
{
    ds_roots all = assign_roots(model, types, arena);
    ds_root *some = ARENA_ARRAY(arena, ds_root, all.n);
    size_t n = 0;
    for (size_t i = 0; i < all.n; i++) {
        const ds_root *root = &all.v[i];
        if (stores && !reach_group_reads(stores, root->group))
            continue;
        some[n++] = *root;
        char *path = arena_path(arena, root->workspace->name.s, root->group->name, NULL);
        (void)map_add(groups, path, path);
    }
    return graph_build(model, (ds_roots){some, n}, arena);
}

void trace_init(trace *t, gate *g, ds_arena *scratch)
{
    *t = (trace){.g = g, .scratch = scratch, .by_key = map_new(g->arena)};
    const ds_map *stores = touched(g);
    const ds_model *models[] = {g->base, g->head};
    for (size_t side = 0; side < 2; side++) {
        t->groups[side] = map_new(g->arena);
        t->graphs[side] = gate_graph(models[side], g->types, stores, t->groups[side], g->arena);
    }
    for (size_t i = 0; i < t->graphs[1]->nodes.n; i++)
        add_keys(t, t->graphs[1]->nodes.v[i]);
    for (size_t i = 0; i < t->graphs[0]->nodes.n; i++)
        if (!trace_has(t, 1, t->graphs[0]->nodes.v[i]))
            add_keys(t, t->graphs[0]->nodes.v[i]);
}
