// What a dataset or a column is made of, and what is made of it: sources, streams, transformers, their outputs, and
// the groups that consume them, across all platforms.
// Pure: reads a model and its graph, fills an arena; any thread.
#pragma once
#include "graph/graph.h"

typedef enum ds_trace_kind {
    TRACE_SOURCE,      // Source/CONTAINER/TABLE[/COLUMN], as it is called there
    TRACE_STREAM,      // Ingest/PLATFORM/STORE[/DATASET]
    TRACE_DATASET,     // Dataset/STORE/DATASET; between columns: which rows it has
    TRACE_COLUMN,      // Column/STORE/DATASET/COLUMN
    TRACE_TRANSFORMER, // Transformer/WORKSPACE
    TRACE_GROUP,       // Group/WORKSPACE/GROUP
} ds_trace_kind;

typedef struct ds_trace_node {
    ds_trace_kind kind;
    const char *name;
    size_t index; // in ds_trace.nodes
} ds_trace_node;

typedef enum ds_trace_how {
    TRACE_FLOWS,    // rows or values
    TRACE_INDIRECT, // decides about values or rows
    TRACE_UNKNOWN,  // perhaps: the transformer's SQL can't be followed column by column
} ds_trace_how;

typedef struct ds_trace_edge {
    const ds_trace_node *from, *to;
    ds_trace_how how;
    const char *through; // between columns the workspace whose transformer it is; else NULL
} ds_trace_edge;

typedef struct ds_trace {
    const ds_trace_node **nodes; // in the order in which they were met
    size_t node_count;
    const ds_trace_edge *edges; // what leads to what was asked for, then what comes of it
    size_t edge_count;
    size_t upstream_count; // of edges: the first ones
    const char **notes;    // why columns of an output are unknown
    size_t note_count;
} ds_trace;

// path: STORE (all of its datasets), STORE/DATASET or STORE/DATASET/COLUMN. DS_USAGE with "did you mean" when there is
// no such thing.
ds_rc graph_trace(const ds_model *model, const ds_graph *graph, const char *path, ds_arena *arena, ds_trace *out,
                  ds_error *err);

// The same for people and tools (lineage_render.c).
void trace_render_text(const ds_trace *trace, ds_buf *out);
void trace_render_mermaid(const ds_trace *trace, ds_buf *out);
void trace_render_dot(const ds_trace *trace, ds_buf *out);
// {"nodes":[{"name","kind"}],"edges":[{"from","to","how","through"}],"notes":[…]}; a new reference.
json_t *trace_render_json(const ds_trace *trace);
