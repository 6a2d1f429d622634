#include "graph/render.h"

#include "graph/render_int.h"

static const char *const KIND_NAMES[] = {
    [NODE_INGEST] = "ingest",           [NODE_EXPORT] = "export",   [NODE_TRIGGER] = "trigger",
    [NODE_TRANSFORMER] = "transformer", [NODE_REPLICA] = "replica",
};

static bool is_shown(const ds_node *node, const ds_platform *platform)
{
    return !platform || node->platform == platform;
}

static void text_node(const ds_node *node, ds_buf *out)
{
    buf_printf(out, "%s (%s)", node->name, priority_name(node->priority));
    for (size_t i = 0; i < node->right.n; i++)
        buf_printf(out, "%s%s", i ? ", " : " -> ", node->right.v[i]->name);
    buf_putc(out, '\n');
}

void graph_render_text(const ds_graph *graph, const ds_platform *platform, ds_buf *out)
{
    for (size_t i = 0; i < graph->nodes.n; i++)
        if (is_shown(graph->nodes.v[i], platform))
            text_node(graph->nodes.v[i], out);
}

// Text between double quotes; `replacements` gives what stands for a character that would end or change it.
typedef struct replacement {
    char c;
    const char *by;
} replacement;

static void put_quoted(ds_buf *out, const char *text, const replacement *replacements)
{
    buf_putc(out, '"');
    for (; *text; text++) {
        const replacement *r = replacements;
        while (r->c && r->c != *text)
            r++;
        if (r->c)
            buf_puts(out, r->by);
        else
            buf_putc(out, *text);
    }
    buf_putc(out, '"');
}

static const replacement MERMAID[] = {
    {'"', "#quot;"}, {'#', "#35;"}, {'<', "#lt;"}, {'>', "#gt;"}, {'\n', " "}, {'\r', " "}, {0, NULL},
};
static const replacement DOT[] = {
    {'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}, {'\r', "\\r"}, {0, NULL},
};

void render_mermaid_text(ds_buf *out, const char *text)
{
    put_quoted(out, text, MERMAID);
}

void render_dot_text(ds_buf *out, const char *text)
{
    put_quoted(out, text, DOT);
}

// Mermaid has no quoting for ids, so nodes are numbered in order of their names.
static void mermaid_edges(const ds_graph *graph, const ds_platform *platform, ds_map *numbers, ds_buf *out)
{
    for (size_t i = 0; i < graph->nodes.n; i++) {
        const ds_node *node = graph->nodes.v[i];
        for (size_t k = 0; is_shown(node, platform) && k < node->right.n; k++)
            buf_printf(out, "    %s --> %s\n", (char *)map_get(numbers, node->name),
                       (char *)map_get(numbers, node->right.v[k]->name));
    }
}

void graph_render_mermaid(const ds_graph *graph, const ds_platform *platform, ds_buf *out)
{
    // Shapes by kind: a database, a box with round ends, a diamond, a plain box.
    static const char *const OPEN[] = {[NODE_INGEST] = "[(",
                                       [NODE_EXPORT] = "([",
                                       [NODE_TRIGGER] = "{",
                                       [NODE_TRANSFORMER] = "[",
                                       [NODE_REPLICA] = "[("};
    static const char *const CLOSE[] = {[NODE_INGEST] = ")]",
                                        [NODE_EXPORT] = "])",
                                        [NODE_TRIGGER] = "}",
                                        [NODE_TRANSFORMER] = "]",
                                        [NODE_REPLICA] = ")]"};
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_map *numbers = map_new(arena);
    buf_puts(out, "flowchart LR\n");
    for (size_t i = 0; i < graph->nodes.n; i++) {
        const ds_node *node = graph->nodes.v[i];
        if (!is_shown(node, platform))
            continue;
        char *number = arena_printf(arena, "n%zu", map_count(numbers));
        (void)map_add(numbers, node->name, number);
        buf_printf(out, "    %s%s", number, OPEN[node->kind]);
        render_mermaid_text(out, node->name);
        buf_printf(out, "%s\n", CLOSE[node->kind]);
    }
    mermaid_edges(graph, platform, numbers, out);
}

void graph_render_dot(const ds_graph *graph, const ds_platform *platform, ds_buf *out)
{
    static const char *const SHAPES[] = {[NODE_INGEST] = "cylinder",
                                         [NODE_EXPORT] = "box",
                                         [NODE_TRIGGER] = "diamond",
                                         [NODE_TRANSFORMER] = "component",
                                         [NODE_REPLICA] = "cylinder"};
    buf_puts(out, "digraph datasurface {\n    rankdir=LR;\n");
    for (size_t i = 0; i < graph->nodes.n; i++) {
        const ds_node *node = graph->nodes.v[i];
        if (!is_shown(node, platform))
            continue;
        buf_puts(out, "    ");
        render_dot_text(out, node->name);
        buf_printf(out, " [shape=%s];\n", SHAPES[node->kind]);
        for (size_t k = 0; k < node->right.n; k++) {
            buf_puts(out, "    ");
            render_dot_text(out, node->name);
            buf_puts(out, " -> ");
            render_dot_text(out, node->right.v[k]->name);
            buf_puts(out, ";\n");
        }
    }
    buf_puts(out, "}\n");
}

static void set_text(json_t *object, const char *key, const char *value)
{
    if (value)
        json_object_set_new(object, key, json_string(value));
}

static json_t *node_json(const ds_node *node)
{
    json_t *object = json_object();
    set_text(object, "name", node->name);
    set_text(object, "kind", KIND_NAMES[node->kind]);
    set_text(object, "platform", node->platform->name);
    set_text(object, "service", node->service->name.s);
    set_text(object, "priority", priority_name(node->priority));
    set_text(object, "store", node->store ? node->store->name.s : NULL);
    set_text(object, "dataset", node->dataset ? node->dataset->name : NULL);
    set_text(object, "workspace", node->workspace ? node->workspace->name.s : NULL);
    set_text(object, "group", node->group ? node->group->name : NULL);
    set_text(object, "container", node->container ? node->container->name.s : NULL);
    if (!node_is_stream(node))
        return object;
    json_t *datasets = json_array();
    for (size_t i = 0; i < node->dataset_count; i++)
        json_array_append_new(datasets, json_string(node->datasets[i]->name));
    json_object_set_new(object, "datasets", datasets);
    return object;
}

json_t *graph_render_json(const ds_graph *graph, const ds_platform *platform)
{
    json_t *nodes = json_array(), *edges = json_array();
    for (size_t i = 0; i < graph->nodes.n; i++) {
        const ds_node *node = graph->nodes.v[i];
        if (!is_shown(node, platform))
            continue;
        json_array_append_new(nodes, node_json(node));
        for (size_t k = 0; k < node->right.n; k++)
            json_array_append_new(edges, json_pack("{ss,ss}", "from", node->name, "to", node->right.v[k]->name));
    }
    return json_pack("{so,so}", "nodes", nodes, "edges", edges);
}
