// A graph for people and tools.
#pragma once
#include "graph/graph.h"

// platform NULL: all. Text: one line per node with its priority and what it feeds.
void graph_render_text(const ds_graph *graph, const ds_platform *platform, ds_buf *out);
void graph_render_mermaid(const ds_graph *graph, const ds_platform *platform, ds_buf *out);
void graph_render_dot(const ds_graph *graph, const ds_platform *platform, ds_buf *out);
// {"nodes":[{"name","kind","platform","priority",…}],"edges":[{"from","to"}]}; a new reference.
json_t *graph_render_json(const ds_graph *graph, const ds_platform *platform);
