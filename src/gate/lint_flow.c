// What is made from what: datastores as numbers, with an edge from each input of a transformer to its output. All walks
// are linear, however long a chain is and however it is knotted.
#include <stdlib.h>

#include "gate/lint_int.h"

typedef struct edge {
    uint32_t from, to;
} edge;
typedef VEC(edge) edge_list;

static int by_name(const void *a, const void *b)
{
    const ds_datastore *x = *(const ds_datastore *const *)a, *y = *(const ds_datastore *const *)b;
    return strcmp(x->name.s, y->name.s);
}

static void number_stores(lint *l, lint_flow *flow)
{
    flow->n = map_count(l->model->datastore_by_name);
    flow->stores = ARENA_ARRAY(l->arena, const ds_datastore *, flow->n);
    for (size_t i = 0; i < flow->n; i++)
        flow->stores[i] = map_value(l->model->datastore_by_name, i);
    if (flow->n > 1)
        qsort(flow->stores, flow->n, sizeof *flow->stores, by_name);
    flow->numbers = map_new(l->arena);
    for (size_t i = 0; i < flow->n; i++)
        (void)map_add(flow->numbers, flow->stores[i]->name.s, &flow->stores[i]);
}

uint32_t lint_store_number(const lint *l, const ds_datastore *store)
{
    const ds_datastore **at = map_get(l->flow.numbers, store->name.s);
    ds_assert(at);
    return (uint32_t)(at - l->flow.stores);
}

static void add_edges(lint *l, uint32_t output, edge_list *edges)
{
    const ds_workspace *reader = l->flow.stores[output]->producer;
    for (size_t i = 0; reader && i < reader->groups.n; i++)
        for (size_t k = 0; k < reader->groups.v[i].sinks.n; k++) {
            const char *name = reader->groups.v[i].sinks.v[k].store;
            const ds_datastore *input = name ? model_datastore(l->model, name) : NULL;
            if (input)
                *VEC_PUSH(l->arena, edges) = (edge){lint_store_number(l, input), output};
        }
}

void lint_flow_init(lint *l)
{
    lint_flow *flow = &l->flow;
    edge_list edges = {0};
    number_stores(l, flow);
    for (size_t i = 0; i < flow->n; i++)
        add_edges(l, (uint32_t)i, &edges);
    flow->first = ARENA_ARRAY(l->arena, size_t, flow->n + 1);
    flow->to = ARENA_ARRAY(l->arena, uint32_t, edges.n);
    for (size_t i = 0; i < edges.n; i++)
        flow->first[edges.v[i].from + 1]++;
    for (size_t i = 0; i < flow->n; i++)
        flow->first[i + 1] += flow->first[i];
    size_t *next = ARENA_ARRAY(l->arena, size_t, flow->n);
    for (size_t i = 0; i < edges.n; i++)
        flow->to[flow->first[edges.v[i].from] + next[edges.v[i].from]++] = edges.v[i].to;
    flow->open = ARENA_ARRAY(l->arena, uint32_t, flow->n + 1);
}

void lint_flow_spread(lint *l, uint32_t from, lint_enter *enter, void *context)
{
    const lint_flow *flow = &l->flow;
    size_t n = 0;
    flow->open[n++] = from;
    while (n) {
        const uint32_t at = flow->open[--n];
        for (size_t i = flow->first[at]; i < flow->first[at + 1]; i++)
            if (enter(l, flow->to[i], context))
                flow->open[n++] = flow->to[i];
    }
}

bool lint_store_waits(const ds_datastore *store)
{
    return store->producer && !store->capture.trigger.pos.file;
}

// --- circles: R. Tarjan, Depth-first search and linear graph algorithms (1972), without recursion

typedef struct frame {
    uint32_t store;
    size_t next; // edge
} frame;

typedef struct search {
    const lint_flow *flow;
    uint32_t *order, *low; // from 1; 0: not seen yet
    bool *open, *circle;
    uint32_t *stack;
    size_t stacked, count;
    frame *frames;
    size_t depth;
} search;

static void enter(search *s, uint32_t store)
{
    s->order[store] = s->low[store] = (uint32_t)++s->count;
    s->open[store] = true;
    s->stack[s->stacked++] = store;
    s->frames[s->depth++] = (frame){store, s->flow->first[store]};
}

// A component is complete: several stores that wait for each other are a circle.
static void leave(search *s, uint32_t store)
{
    const bool several = s->stack[s->stacked - 1] != store;
    uint32_t at;
    do {
        at = s->stack[--s->stacked];
        s->open[at] = false;
        s->circle[at] = several;
    } while (at != store);
}

static void step(search *s)
{
    frame *top = &s->frames[s->depth - 1];
    const uint32_t store = top->store;
    if (top->next < s->flow->first[store + 1]) {
        const uint32_t to = s->flow->to[top->next++];
        if (!lint_store_waits(s->flow->stores[to]))
            return; // a clock of its own breaks the circle
        if (!s->order[to])
            enter(s, to);
        else if (s->open[to] && s->order[to] < s->low[store])
            s->low[store] = s->order[to];
        return;
    }
    s->depth--;
    if (s->low[store] == s->order[store])
        leave(s, store);
    if (s->depth && s->low[store] < s->low[s->frames[s->depth - 1].store])
        s->low[s->frames[s->depth - 1].store] = s->low[store];
}

const bool *lint_flow_circles(lint *l)
{
    const size_t n = l->flow.n;
    search s = {.flow = &l->flow,
                .order = ARENA_ARRAY(l->arena, uint32_t, n),
                .low = ARENA_ARRAY(l->arena, uint32_t, n),
                .open = ARENA_ARRAY(l->arena, bool, n),
                .circle = ARENA_ARRAY(l->arena, bool, n),
                .stack = ARENA_ARRAY(l->arena, uint32_t, n),
                .frames = ARENA_ARRAY(l->arena, frame, n)};
    for (size_t i = 0; i < n; i++)
        if (!s.order[i])
            for (enter(&s, (uint32_t)i); s.depth;)
                step(&s);
    return s.circle;
}
