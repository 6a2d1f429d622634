// The pipelines before and after a change. Private to gate/.
#pragma once
#include "base/vec.h"
#include "gate/compat_int.h"
#include "gate/impact.h"

typedef struct node_list {
    const ds_node **v;
    size_t n, cap;
} node_list;

typedef struct trace {
    gate *g;
    const ds_graph *graphs[2]; // base, head: only what the changes can reach
    ds_map *groups[2];         // "WORKSPACE/GROUP" that somebody serves
    ds_map *by_key;            // node_list of either graph by "store Store1" and so on; head's where both have a node
    // of the change in hand
    VEC(gate_affected) found;
    ds_map *index; // position in found + 1, by "kind name"
    ds_map *seen;  // nodes on the way to the right
} trace;

void trace_init(trace *t, gate *g);
bool trace_has(const trace *t, size_t side, const ds_node *node);
// By "store", "container", "workspace", "group", "service" or "platform". Never NULL.
const node_list *trace_nodes(const trace *t, const char *kind, const char *name);
// The entry's name in "hints.streams.Store1.workers", for example, when the field begins with `start`; else NULL.
const char *trace_entry(const gate *g, const char *field, const char *start);
