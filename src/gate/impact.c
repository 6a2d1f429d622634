#include "gate/impact.h"

#include <stdlib.h>

#include "gate/impact_int.h"

static const struct {
    const char *name, *about;
} EFFECTS[EFFECT_COUNT] = {
    [EFFECT_NOTHING] = {"nothing", "its data comes through here; nothing is changed"},
    [EFFECT_PRIORITY] = {"priority", "is scheduled by the new priority"},
    [EFFECT_SETTINGS] = {"settings", "the next batch uses the new settings; an open one starts over"},
    [EFFECT_DATASET_KEPT] = {"dataset_kept", "gives up a dataset; its table is kept until apply --prune"},
    [EFFECT_DATASET_ADDED] = {"dataset_added", "gets a dataset: the next batch loads it"},
    [EFFECT_COLUMN_KEPT] = {"column_kept", "the column stays in the tables, without new values"},
    [EFFECT_COLUMN_ADDED] = {"column_added", "the tables get the column, null in old rows"},
    [EFFECT_WIDENED] = {"widened", "the column is widened; its values are rewritten where the engine needs it"},
    [EFFECT_REKEYED] = {"rekeyed", "the next batch matches rows by the new key"},
    [EFFECT_VIEW_REPLACED] = {"view_replaced", "views come, go or are made anew"},
    [EFFECT_MOVED] = {"moved", "begins anew in another database; tables and history stay behind"},
    [EFFECT_CREATED] = {"created", "comes into being"},
    [EFFECT_ENDED] = {"ended", "ends: views are dropped, tables are kept until apply --prune"},
    [EFFECT_RECUT] = {"recut", "its datasets go to another stream, with tables, views and batches"},
    [EFFECT_REFUSED] = {"refused", "apply refuses it for what has been loaded"},
};

const char *gate_effect_name(gate_effect effect)
{
    return EFFECTS[effect].name;
}

const char *gate_effect_about(gate_effect effect)
{
    return EFFECTS[effect].about;
}

const char *gate_thing_name(gate_thing thing)
{
    static const char *const NAMES[] = {"platform", "stream", "group", "transformer"};
    return NAMES[thing];
}

// --- what is affected

static void affect(trace *t, gate_thing kind, const char *name, const char *owner, gate_effect effect)
{
    const char *key = arena_printf(t->scratch, "%s %s", gate_thing_name(kind), name);
    uintptr_t at = (uintptr_t)map_get(t->index, key);
    if (at) {
        gate_affected *old = &t->found.v[at - 1];
        old->effect = effect > old->effect ? effect : old->effect;
        return;
    }
    *VEC_PUSH(t->scratch, &t->found) = (gate_affected){kind, name, owner, effect};
    (void)map_add(t->index, key, (void *)t->found.n);
}

static const ds_owners *owners_for(const trace *t, const ds_node *node)
{
    return trace_has(t, 1, node) ? t->g->head_owners : t->g->base_owners;
}

// A group as a whole: one that is served before and after stays, whichever of its views come and go.
static void affect_group(trace *t, const ds_node *export, const char *owner, gate_effect effect)
{
    const char *path = arena_path(t->scratch, export->workspace->name.s, export->group->name, NULL);
    const char *before = map_get(t->groups[0], path), *after = map_get(t->groups[1], path);
    if (before && after && (effect == EFFECT_CREATED || effect == EFFECT_ENDED))
        effect = EFFECT_VIEW_REPLACED;
    affect(t, THING_GROUP, after ? after : before, owner, effect);
}

static void affect_node(trace *t, const ds_node *node, gate_effect effect)
{
    const ds_owners *owners = owners_for(t, node);
    const char *service = owners_of_service(owners, gate_text(node->service->name.s));
    const char *team = node->workspace ? owners_of_team(owners, gate_text(node->workspace->team.s)) : "";
    affect(t, THING_PLATFORM, node->platform->name, service, EFFECT_NOTHING);
    switch (node->kind) {
    case NODE_INGEST:
    case NODE_REPLICA:
        affect(t, THING_STREAM, node_stream_name(node), service, effect);
        break;
    case NODE_EXPORT:
        if (node->root)
            affect_group(t, node, team, effect);
        break;
    case NODE_TRIGGER:
    case NODE_TRANSFORMER:
        affect(t, THING_TRANSFORMER, node->workspace->name.s, team, effect);
        break;
    }
}

// Effects on a stream that stays, and on the groups that see the dataset.
typedef struct effects {
    gate_effect on_stream, on_view;
} effects;

// A node that is only on one side has come or gone, whatever else there is to say.
static gate_effect effect_on(const trace *t, const ds_node *node, gate_effect otherwise)
{
    if (otherwise == EFFECT_RECUT)
        return otherwise;
    return !trace_has(t, 0, node) ? EFFECT_CREATED : !trace_has(t, 1, node) ? EFFECT_ENDED : otherwise;
}

// All that lies behind the node, which it reaches with nothing to do.
static void reach(trace *t, const ds_node *start)
{
    VEC(const ds_node *) open = {0};
    *VEC_PUSH(t->scratch, &open) = start;
    while (open.n) {
        const ds_node *node = open.v[--open.n];
        for (size_t i = 0; i < node->right.n; i++) {
            const ds_node *next = node->right.v[i];
            if (map_add(t->seen, next->name, t))
                continue;
            affect_node(t, next, EFFECT_NOTHING);
            *VEC_PUSH(t->scratch, &open) = next;
        }
    }
}

// --- datasets

static bool needs(const ds_node *stream, const char *dataset)
{
    for (size_t i = 0; i < stream->dataset_count; i++)
        if (strcmp(stream->datasets[i]->name, dataset) == 0)
            return true;
    return false;
}

static void trace_exported(trace *t, const ds_node *stream, const char *dataset, effects e)
{
    if (dataset && !needs(stream, dataset))
        return;
    affect_node(t, stream, effect_on(t, stream, e.on_stream));
    for (size_t k = 0; k < stream->right.n; k++) {
        const ds_node *export = stream->right.v[k];
        if (export->kind != NODE_EXPORT || (dataset && strcmp(export->dataset->name, dataset) != 0))
            continue;
        affect_node(t, export, effect_on(t, export, e.on_view));
        reach(t, export);
    }
}

// A stream that needs the dataset (NULL: any), its replicas, and whom they feed.
static void trace_stream(trace *t, const ds_node *ingest, const char *dataset, effects e)
{
    trace_exported(t, ingest, dataset, e);
    for (size_t k = 0; k < ingest->right.n; k++)
        if (ingest->right.v[k]->kind == NODE_REPLICA)
            trace_exported(t, ingest->right.v[k], dataset, e);
}

// The store's streams, as they were and as they will be.
static void trace_store(trace *t, const char *store, const char *dataset, effects e)
{
    const node_list *streams = trace_nodes(t, "store", store);
    for (size_t i = 0; i < streams->n; i++)
        for (size_t side = 0; side < 2; side++) {
            const ds_node *ingest = graph_node(t->graphs[side], streams->v[i]->name);
            if (ingest)
                trace_stream(t, ingest, dataset, e);
        }
}

static effects effects_of_type(const ds_column *old, const ds_column *new)
{
    if (old->primary_key != new->primary_key)
        return (effects){EFFECT_REKEYED, EFFECT_NOTHING};
    if (!old->type || !new->type || type_equal(old->type, new->type))
        return (effects){EFFECT_SETTINGS, EFFECT_NOTHING};
    CLEANUP(buf_release) ds_buf why = BUF_INIT(TYPE_TEXT_MAX);
    if (type_widens(old->type, new->type, &why))
        return (effects){EFFECT_WIDENED, EFFECT_VIEW_REPLACED};
    return (effects){EFFECT_REFUSED, EFFECT_NOTHING};
}

// What a field of a store means to streams and views; other fields are for people.
static const struct {
    const model_shape *shape;
    const char *key;
    effects effects;
} FIELD_EFFECTS[] = {
    {&SHAPE_COLUMN, "source", {EFFECT_SETTINGS, EFFECT_NOTHING}},
    {&SHAPE_DATASET, "key", {EFFECT_REFUSED, EFFECT_NOTHING}},
    {&SHAPE_DATASET, "primary_key", {EFFECT_REKEYED, EFFECT_NOTHING}},
    {&SHAPE_DATASET, "columns", {EFFECT_SETTINGS, EFFECT_VIEW_REPLACED}},
    {&SHAPE_CAPTURE, "consistency", {EFFECT_RECUT, EFFECT_NOTHING}},
};

static effects effects_in_store(const ds_change *c)
{
    const bool whole = !(c->part.before && c->part.after);
    if (c->part.shape == &SHAPE_COLUMN && whole)
        return c->part.after ? (effects){EFFECT_COLUMN_ADDED, EFFECT_VIEW_REPLACED}
                             : (effects){EFFECT_COLUMN_KEPT, EFFECT_VIEW_REPLACED};
    if (c->part.shape == &SHAPE_DATASET && whole)
        return c->part.after ? (effects){EFFECT_DATASET_ADDED, EFFECT_NOTHING}
                             : (effects){EFFECT_DATASET_KEPT, EFFECT_NOTHING};
    if (change_is_of(c, &SHAPE_COLUMN, "type"))
        return effects_of_type(c->part.before, c->part.after);
    for (size_t i = 0; i < sizeof FIELD_EFFECTS / sizeof FIELD_EFFECTS[0]; i++)
        if (change_is_of(c, FIELD_EFFECTS[i].shape, FIELD_EFFECTS[i].key))
            return FIELD_EFFECTS[i].effects;
    static const char *const SETTINGS[] = {"capture.", "source.", "checks.", "max_delete_ratio"};
    for (size_t i = 0; i < sizeof SETTINGS / sizeof SETTINGS[0]; i++)
        if (str_starts(str_of(c->field), str_of(SETTINGS[i])))
            return (effects){EFFECT_SETTINGS, EFFECT_NOTHING};
    return (effects){EFFECT_NOTHING, EFFECT_NOTHING};
}

static void trace_in_store(trace *t, const ds_change *c)
{
    const ds_datastore *stores[] = {c->store.before, c->store.after};
    const ds_dataset *dataset = c->dataset.after ? c->dataset.after : c->dataset.before;
    const char *seen = NULL;
    for (size_t i = 0; i < 2; i++) {
        const char *name = stores[i] ? stores[i]->name.s : NULL;
        if (name && !(seen && strcmp(seen, name) == 0)) // a renamed output is two stores
            trace_store(t, name, dataset ? dataset->name : NULL, effects_in_store(c));
        seen = name;
    }
}

// --- workspaces

// What its sinks mean to the streams that feed them: a dataset more, or less.
static void trace_input(trace *t, const ds_node *stream, const char *dataset, gate_effect otherwise)
{
    const ds_node *was = graph_node(t->graphs[0], stream->name), *is = graph_node(t->graphs[1], stream->name);
    gate_effect effect = effect_on(t, stream, otherwise);
    if (was && is && needs(is, dataset) != needs(was, dataset))
        effect = needs(is, dataset) ? EFFECT_DATASET_ADDED : EFFECT_DATASET_KEPT;
    if (effect != EFFECT_NOTHING)
        affect_node(t, stream, effect);
}

static void trace_inputs(trace *t, const ds_node *export, gate_effect otherwise)
{
    for (size_t i = 0; i < export->left.n; i++) {
        const ds_node *stream = export->left.v[i];
        trace_input(t, stream, export->dataset->name, otherwise);
        if (stream->kind == NODE_REPLICA)
            trace_input(t, stream->left.v[0], export->dataset->name, otherwise);
    }
}

// Everything that feeds the node, by the new priority.
static void trace_priority(trace *t, const ds_node *start)
{
    VEC(const ds_node *) open = {0};
    *VEC_PUSH(t->scratch, &open) = start;
    while (open.n) {
        const ds_node *node = open.v[--open.n];
        const ds_node *was = graph_node(t->graphs[0], node->name);
        if (map_add(t->seen, node->name, t))
            continue;
        if (was && was->priority != node->priority)
            affect_node(t, node, EFFECT_PRIORITY);
        for (size_t i = 0; i < node->left.n; i++)
            *VEC_PUSH(t->scratch, &open) = node->left.v[i];
    }
}

static void trace_exports(trace *t, const node_list *nodes, const char *dataset, gate_effect otherwise)
{
    for (size_t i = 0; i < nodes->n; i++) {
        const ds_node *node = nodes->v[i];
        if (node->kind != NODE_EXPORT ||
            (dataset && strcmp(dataset, arena_path(t->scratch, node->store->name.s, node->dataset->name, NULL)) != 0))
            continue;
        affect_node(t, node, effect_on(t, node, otherwise));
        trace_inputs(t, node, EFFECT_NOTHING);
        reach(t, node);
    }
}

static void trace_transformer(trace *t, const char *workspace, gate_effect effect)
{
    const node_list *nodes = trace_nodes(t, "workspace", workspace);
    for (size_t i = 0; i < nodes->n; i++)
        if (nodes->v[i]->kind == NODE_TRANSFORMER) {
            affect_node(t, nodes->v[i], effect_on(t, nodes->v[i], effect));
            reach(t, nodes->v[i]);
        }
}

// Its views go to another database, with the replicas that feed them.
static void trace_views_place(trace *t, const char *workspace)
{
    const node_list *nodes = trace_nodes(t, "workspace", workspace);
    trace_exports(t, nodes, NULL, EFFECT_VIEW_REPLACED);
    for (size_t i = 0; i < nodes->n; i++) {
        const ds_node *was = nodes->v[i]->kind == NODE_EXPORT ? graph_node(t->graphs[0], nodes->v[i]->name) : NULL;
        if (was)
            trace_inputs(t, was, EFFECT_NOTHING);
    }
}

static void trace_in_workspace(trace *t, const ds_change *c)
{
    const ds_workspace *workspace = c->after.object ? c->after.object : c->before.object;
    const ds_group *group = c->part.shape != &SHAPE_GROUP ? NULL : c->part.after ? c->part.after : c->part.before;
    const char *name = gate_text(workspace->name.s);
    if (group) {
        const char *path = arena_path(t->scratch, name, group->name, NULL);
        const ds_sink *sink = !change_is_whole(c, &SHAPE_SINK) ? NULL
                              : c->inner.after                 ? c->inner.after
                                                               : c->inner.before;
        bool history = strcmp(c->field, "requires.history") == 0;
        trace_exports(t, trace_nodes(t, "group", path), sink ? sink->text.s : NULL,
                      history ? EFFECT_VIEW_REPLACED : EFFECT_NOTHING);
    } else if (str_starts(str_of(c->field), STR("transformer"))) {
        trace_transformer(t, name, EFFECT_SETTINGS);
    } else if (strcmp(c->field, "container") == 0) {
        trace_views_place(t, name);
    } else if (strcmp(c->field, "priority") == 0) {
        const node_list *nodes = trace_nodes(t, "workspace", name);
        for (size_t i = 0; i < nodes->n; i++)
            if (nodes->v[i]->kind == NODE_EXPORT)
                trace_priority(t, nodes->v[i]);
    } else if (!c->field[0]) {
        trace_exports(t, trace_nodes(t, "workspace", name), NULL, EFFECT_NOTHING);
        trace_transformer(t, name, EFFECT_NOTHING);
    }
}

// --- services and containers

static void mark_nodes(trace *t, const node_list *nodes, gate_effect on_stream)
{
    for (size_t i = 0; i < nodes->n; i++) {
        gate_effect otherwise = node_is_stream(nodes->v[i]) ? on_stream : EFFECT_NOTHING;
        affect_node(t, nodes->v[i], effect_on(t, nodes->v[i], otherwise));
    }
}

// A container that is another place, or came or went: what is merged there begins anew. Whose it is, and where in the
// world, is for people.
static void trace_container(trace *t, const ds_change *c, const char *name)
{
    static const char *const FOR_PEOPLE[] = {"team", "offered_to", "locations"};
    const node_list *nodes = trace_nodes(t, "container", name);
    bool moves = change_is_address(c) || !c->part.before || !c->part.after;
    gate_effect effect = EFFECT_SETTINGS;
    for (size_t i = 0; i < sizeof FOR_PEOPLE / sizeof FOR_PEOPLE[0]; i++)
        effect = strcmp(c->field, FOR_PEOPLE[i]) == 0 ? EFFECT_NOTHING : effect;
    for (size_t i = 0; i < nodes->n; i++) {
        bool merged = nodes->v[i]->container || strcmp(gate_text(nodes->v[i]->service->merge_container.s), name) == 0;
        affect_node(t, nodes->v[i], effect_on(t, nodes->v[i], moves && merged ? EFFECT_MOVED : effect));
        if (moves)
            reach(t, nodes->v[i]);
    }
}

static void trace_in_service(trace *t, const ds_change *c)
{
    const ds_platform_service *service = c->after.object ? c->after.object : c->before.object;
    const ds_platform *platform = c->part.shape != &SHAPE_PLATFORM ? NULL
                                  : c->part.after                  ? c->part.after
                                                                   : c->part.before;
    const char *group = trace_entry(t->scratch, c->field, "assignments."),
               *store = trace_entry(t->scratch, c->field, "hints.streams.");
    const char *limit = trace_entry(t->scratch, c->field, "limits.");
    if (!store)
        store = trace_entry(t->scratch, c->field, "primary_ingestion.");
    if (platform)
        mark_nodes(t, trace_nodes(t, "platform", platform->name),
                   change_is_of(c, &SHAPE_PLATFORM, "milestoning") ? EFFECT_REFUSED : EFFECT_SETTINGS);
    else if (group)
        trace_exports(t, trace_nodes(t, "group", group), NULL, EFFECT_VIEW_REPLACED);
    else if (store)
        trace_store(t, arena_printf(t->scratch, "%.*s", (int)strcspn(store, "/"), store), NULL,
                    (effects){EFFECT_SETTINGS, EFFECT_NOTHING});
    else if (limit)
        mark_nodes(t, trace_nodes(t, "container", limit), EFFECT_SETTINGS);
    else if (c->part.shape == &SHAPE_CONTAINER)
        trace_container(t, c, strrchr(c->object, '/') + 1);
    else if (strcmp(c->field, "merge.container") == 0)
        mark_nodes(t, trace_nodes(t, "service", service->name.s), EFFECT_MOVED);
    else if (strcmp(c->field, "description") != 0 && strcmp(c->field, "locations") != 0)
        mark_nodes(t, trace_nodes(t, "service", service->name.s), EFFECT_SETTINGS);
}

static void trace_change(trace *t, const ds_change *c)
{
    ds_document document = c->after.object ? c->after : c->before;
    if (c->store.shape)
        trace_in_store(t, c);
    else if (document.kind->shape == &SHAPE_WORKSPACE)
        trace_in_workspace(t, c);
    else if (document.kind->shape == &SHAPE_PLATFORM_SERVICE)
        trace_in_service(t, c);
    else if (document.kind->shape == &SHAPE_DATA_CONTAINER)
        trace_container(t, c, document_text(document, "name"));
}

static int by_thing(const void *a, const void *b)
{
    const gate_affected *x = a, *y = b;
    return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

static void trace_one(trace *t, gate_change *change)
{
    arena_clear(t->scratch);
    memset(&t->found, 0, sizeof t->found);
    t->index = map_new(t->scratch);
    t->seen = map_new(t->scratch);
    trace_change(t, change->what);
    if (!t->found.n)
        return;
    gate_affected *kept = ARENA_ARRAY(t->g->arena, gate_affected, t->found.n);
    memcpy(kept, t->found.v, t->found.n * sizeof *kept);
    qsort(kept, t->found.n, sizeof *kept, by_thing);
    change->affects = kept;
    change->affects_n = t->found.n;
}

void gate_trace(gate *g)
{
    if (g->n == 0)
        return;
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    trace t;
    trace_init(&t, g, scratch);
    for (size_t i = 0; i < g->n; i++)
        trace_one(&t, &g->changes[i]);
}
