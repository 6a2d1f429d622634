#include "graph/lineage_trace.h"
#include "graph/render_int.h"

static const struct {
    const char *name, *dot_shape;
    const char *open, *close; // Mermaid's shape
} KINDS[] = {
    [TRACE_SOURCE] = {"source", "folder", "[/", "/]"},
    [TRACE_STREAM] = {"stream", "cylinder", "[(", ")]"},
    [TRACE_DATASET] = {"dataset", "box", "[", "]"},
    [TRACE_COLUMN] = {"column", "box", "[", "]"},
    [TRACE_TRANSFORMER] = {"transformer", "component", "[[", "]]"},
    [TRACE_GROUP] = {"group", "ellipse", "([", "])"},
};
static const struct {
    const char *name, *mermaid, *dot;
} HOWS[] = {
    [TRACE_FLOWS] = {"value", "-->", ""},
    [TRACE_INDIRECT] = {"indirect", "-.->", " [style=dashed]"},
    [TRACE_UNKNOWN] = {"unknown", "-.->", " [style=dotted]"},
};

static void text_edge(const ds_trace_edge *edge, ds_buf *out)
{
    buf_printf(out, "  %s -> %s", edge->from->name, edge->to->name);
    if (edge->how != TRACE_FLOWS || edge->through)
        buf_printf(out, " (%s%s%s)", HOWS[edge->how].name, edge->through ? ", by " : "",
                   edge->through ? edge->through : "");
    buf_putc(out, '\n');
}

static void text_edges(const char *heading, const ds_trace_edge *edges, size_t n, ds_buf *out)
{
    buf_printf(out, "%s%s\n", heading, n ? "" : ": nothing");
    for (size_t i = 0; i < n; i++)
        text_edge(&edges[i], out);
}

void trace_render_text(const ds_trace *trace, ds_buf *out)
{
    text_edges("comes from", trace->edges, trace->upstream_count, out);
    text_edges("goes to", trace->edges + trace->upstream_count, trace->edge_count - trace->upstream_count, out);
    for (size_t i = 0; i < trace->note_count; i++)
        buf_printf(out, "note: %s\n", trace->notes[i]);
}

void trace_render_mermaid(const ds_trace *trace, ds_buf *out)
{
    buf_puts(out, "flowchart LR\n");
    for (size_t i = 0; i < trace->node_count; i++) {
        const ds_trace_node *node = trace->nodes[i];
        buf_printf(out, "    n%zu%s", i, KINDS[node->kind].open);
        render_mermaid_text(out, node->name);
        buf_printf(out, "%s\n", KINDS[node->kind].close);
    }
    for (size_t i = 0; i < trace->edge_count; i++)
        buf_printf(out, "    n%zu %s n%zu\n", trace->edges[i].from->index, HOWS[trace->edges[i].how].mermaid,
                   trace->edges[i].to->index);
}

void trace_render_dot(const ds_trace *trace, ds_buf *out)
{
    buf_puts(out, "digraph lineage {\n    rankdir=LR;\n");
    for (size_t i = 0; i < trace->node_count; i++) {
        buf_puts(out, "    ");
        render_dot_text(out, trace->nodes[i]->name);
        buf_printf(out, " [shape=%s];\n", KINDS[trace->nodes[i]->kind].dot_shape);
    }
    for (size_t i = 0; i < trace->edge_count; i++) {
        buf_puts(out, "    ");
        render_dot_text(out, trace->edges[i].from->name);
        buf_puts(out, " -> ");
        render_dot_text(out, trace->edges[i].to->name);
        buf_printf(out, "%s;\n", HOWS[trace->edges[i].how].dot);
    }
    buf_puts(out, "}\n");
}

json_t *trace_render_json(const ds_trace *trace)
{
    json_t *nodes = json_array(), *edges = json_array(), *notes = json_array();
    for (size_t i = 0; i < trace->node_count; i++)
        json_array_append_new(nodes, json_pack("{ss,ss}", "name", trace->nodes[i]->name, "kind",
                                               KINDS[trace->nodes[i]->kind].name));
    for (size_t i = 0; i < trace->edge_count; i++) {
        const ds_trace_edge *edge = &trace->edges[i];
        json_array_append_new(edges, json_pack("{ss,ss,ss,ss*}", "from", edge->from->name, "to", edge->to->name, "how",
                                               HOWS[edge->how].name, "through", edge->through));
    }
    for (size_t i = 0; i < trace->note_count; i++)
        json_array_append_new(notes, json_string(trace->notes[i]));
    return json_pack("{so,so,so}", "nodes", nodes, "edges", edges, "notes", notes);
}
