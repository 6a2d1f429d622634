// The pipelines before and after a change. Private to gate/.
#pragma once
#include "base/vec.h"
#include "gate/compat_int.h"
#include "gate/impact.h"
#include "gate/reach.h"

typedef struct node_list {
    const ds_node **v;
    size_t n, cap;
} node_list;

typedef struct trace {
    gate *g;
    ds_arena *scratch;         // of the change in hand
    const ds_graph *graphs[2]; // base, head: only what the changes can reach
    ds_map *groups[2];         // those that somebody serves: "WORKSPACE/GROUP" by itself
    ds_map *by_key;            // node_list of either graph by "store Store1" and so on; head's where both have a node
    // of the change in hand, in scratch
    VEC(gate_affected) found;
    ds_map *index; // position in found + 1, by "kind name"
    ds_map *seen;  // nodes on the way to the right
} trace;

// The pipelines of all groups that read one of the stores (NULL: of all groups), which are noted in `groups`.
const ds_graph *gate_graph(const ds_model *model, ds_platform_types types, const ds_map *stores, ds_map *groups,
                           ds_arena *arena);

// scratch is the caller's, and cleared from change to change.
void trace_init(trace *t, gate *g, ds_arena *scratch);
bool trace_has(const trace *t, size_t side, const ds_node *node);
// By "store", "container", "workspace", "group", "service" or "platform". Never NULL.
const node_list *trace_nodes(const trace *t, const char *kind, const char *name);
// The entry's name in "hints.streams.Store1.workers", for example, when the field begins with `start`; else NULL.
const char *trace_entry(ds_arena *arena, const char *field, const char *start);
