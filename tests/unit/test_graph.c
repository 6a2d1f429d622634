// graph/ and platform/assign.h: what the assignments of a model come down to.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "graph/lineage_trace.h"
#include "graph/placeholder.h"
#include "graph/render.h"
#include "model/load.h"
#include "model/lookup.h"
#include "platform/assign.h"
#include "yellow/platform.h"

// Workspaces and stores in few words. No Ecosystem: the graph doesn't ask for one.
#define STORE_OF(name, consistency, datasets)                                                                          \
    "---\nkind: Datastore\nteam: Z/t\nname: " name                                                                     \
    "\ncapture: {type: sql_snapshot, container: C, consistency: " consistency                                          \
    ", trigger: {cron: \"* * * * *\"}}\ndatasets: {" datasets "}\n"
#define TABLE(name) name ": {columns: {id: integer primary key}}"
#define STORE(name, datasets) STORE_OF(name, "multi_dataset", datasets)
#define WORKSPACE_WITH(name, rest, groups)                                                                             \
    "---\nkind: Workspace\nteam: Z/t\nname: " name "\n" rest "dataset_groups: {" groups "}\n"
#define WORKSPACE(name, groups) WORKSPACE_WITH(name, "", groups)
#define GROUP(name, sinks) name ": {sinks: [" sinks "]}"
#define HISTORY(name, sinks) name ": {requires: {history: full}, sinks: [" sinks "]}"
#define TRANSFORMS(output)                                                                                             \
    "transformer: {name: t, run: {command: {exec: [x]}}, output: {datastore: " output                                  \
    ", datasets: {" TABLE("out") "}}}\n"
#define SERVICE_WITH(name, merge, platforms, rest)                                                                     \
    "---\nkind: PlatformService\nname: " name "\nmerge: {container: M_" name "}\ncontainers: {M_" name                 \
    ": {type: sqlite, path: " merge "}}\nplatforms: {" platforms "}\n" rest
#define LIVE "Live: {type: yellow, milestoning: scd1}"
#define FULL "Full: {type: yellow, milestoning: scd2}"
#define SERVICE(rest) SERVICE_WITH("Y", "m.db", LIVE ", " FULL, rest)
#define ASSIGN(group, platform, status)                                                                                \
    "  - {group: " group ", platforms: [{platform: " platform ", status: " status "}]}\n"
#define ON(group, platform) ASSIGN(group, platform, "provisioned")

typedef struct world {
    ds_model *model;
    ds_diags *diags;
    ds_arena *arena;
    ds_roots roots;
    ds_graph *graph;
} world;

static world world_new(const char *text)
{
    world w = {.arena = arena_new()};
    ds_error err;
    const char *path = "m.yaml";
    ds_str whole = str_of(text);
    assert_int_equal(model_load_texts(&path, &whole, 1, NULL, &w.model, &w.diags, &err).code, DS_OK);
    for (size_t i = 0; i < diags_count(w.diags); i++)
        fail_msg("%s", diags_at(w.diags, i)->message);
    const ds_platform_type *const types[] = {yellow_platform_type()};
    w.roots = assign_roots(w.model, (ds_platform_types){types, 1}, w.arena);
    w.graph = graph_build(w.model, w.roots, w.arena);
    return w;
}

static void world_free(world *w)
{
    diags_free(w->diags);
    model_free(w->model);
    arena_free(w->arena);
}

// The text rendering says everything: names, priorities, edges.
static void assert_graph(world *w, const char *platform, const char *expected)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
    graph_render_text(w->graph, platform ? model_platform(w->model, platform) : NULL, &text);
    assert_string_equal(buf_text(&text), expected);
}

static void assert_streams(world *w, const char *expected)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
    ds_nodes streams = graph_streams(w->graph, NULL, w->arena);
    for (size_t i = 0; i < streams.n; i++)
        buf_printf(&text, "%s%s", i ? " " : "", node_stream_name(streams.v[i]));
    assert_string_equal(buf_text(&text), expected);
}

// Transformers and groups around it, whatever the assignments say.
static void assert_traced(world *w, const char *path, const char *expected)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
    ds_trace trace;
    ds_error err;
    assert_int_equal(graph_trace(w->model, w->graph, path, w->arena, &trace, &err).code, DS_OK);
    for (size_t i = 0; i < trace.node_count; i++)
        if (trace.nodes[i]->kind == TRACE_TRANSFORMER || trace.nodes[i]->kind == TRACE_GROUP)
            buf_printf(&text, "%s%s", text.n ? " " : "", trace.nodes[i]->name);
    assert_string_equal(buf_text(&text), expected);
}

static void starter_has_eight_nodes(void **state)
{
    (void)state;
    world w = world_new(STORE("Store1", TABLE("customers") ", " TABLE("addresses"))                        //
                        WORKSPACE("Consumer1",                                                             //
                                  GROUP("live", "Store1/customers, Store1/addresses, Masked/out") ", "     //
                                  HISTORY("audit", "Store1/customers, Store1/addresses, Masked/out"))      //
                        WORKSPACE_WITH("Masker", TRANSFORMS("Masked"), GROUP("input", "Store1/customers")) //
                        SERVICE("assignments:\n" ON("Consumer1/live", "Live") ON("Consumer1/audit", "Full")));
    assert_int_equal(w.graph->nodes.n, 16);
    assert_graph(&w, "Live",
                 "Export/Live/Consumer1/live/Masked/out (medium)\n"
                 "Export/Live/Consumer1/live/Store1/addresses (medium)\n"
                 "Export/Live/Consumer1/live/Store1/customers (medium)\n"
                 "Export/Live/Masker/input/Store1/customers (medium) -> Trigger/Live/Masker\n"
                 "Ingest/Live/Masked (medium) -> Export/Live/Consumer1/live/Masked/out\n"
                 "Ingest/Live/Store1 (medium) -> Export/Live/Consumer1/live/Store1/addresses, "
                 "Export/Live/Consumer1/live/Store1/customers, Export/Live/Masker/input/Store1/customers\n"
                 "Transformer/Live/Masker (medium) -> Ingest/Live/Masked\n"
                 "Trigger/Live/Masker (medium) -> Transformer/Live/Masker\n");
    assert_streams(&w, "Full/Store1 Full/Masked Live/Store1 Live/Masked");
    const ds_node *ingest = graph_node(w.graph, "Ingest/Full/Store1");
    assert_int_equal(ingest->dataset_count, 2);
    assert_string_equal(ingest->datasets[0]->name, "customers"); // the store's order
    assert_non_null(graph_node(w.graph, "Export/Full/Consumer1/audit/Masked/out")->root);
    assert_null(graph_node(w.graph, "Export/Full/Masker/input/Store1/customers")->root);
    world_free(&w);
}

// Northwind in small: A and C consume, B transforms; C uses what B makes.
#define THREE(a, b, c)                                                                                                 \
    STORE("NW", TABLE("products") ", " TABLE("customers"))                                                             \
    WORKSPACE_WITH("A", "priority: " a "\n", GROUP("live", "NW/products, NW/customers"))                               \
    WORKSPACE_WITH("B", "priority: " b "\n" TRANSFORMS("Masked"), GROUP("input", "NW/customers"))                      \
    WORKSPACE_WITH("C", "priority: " c "\n", GROUP("live", "Masked/out"))                                              \
    SERVICE("assignments:\n" ON("A/live", "Live") ON("C/live", "Live"))

static void kinds_of_edges(void **state)
{
    (void)state;
    static const ds_node_kind AFTER[] = {[NODE_INGEST] = NODE_EXPORT,
                                         [NODE_EXPORT] = NODE_TRIGGER,
                                         [NODE_TRIGGER] = NODE_TRANSFORMER,
                                         [NODE_TRANSFORMER] = NODE_INGEST};
    world w = world_new(THREE("medium", "medium", "low"));
    for (size_t i = 0; i < w.graph->nodes.n; i++) {
        const ds_node *node = w.graph->nodes.v[i];
        assert_true(node->left.n || node->kind == NODE_INGEST);
        assert_true(node->right.n || node->kind == NODE_EXPORT);
        for (size_t k = 0; k < node->right.n; k++)
            assert_int_equal(node->right.v[k]->kind, AFTER[node->kind]);
    }
    world_free(&w);
}

static void assert_priority(world *w, const char *node, ds_priority priority)
{
    assert_string_equal(priority_name(graph_node(w->graph, node)->priority), priority_name(priority));
}

static void priorities_flow_left(void **state)
{
    (void)state;
    world w = world_new(THREE("medium", "medium", "low"));
    assert_priority(&w, "Export/Live/A/live/NW/products", PRIORITY_MEDIUM);
    assert_priority(&w, "Export/Live/B/input/NW/customers", PRIORITY_MEDIUM);
    assert_priority(&w, "Export/Live/C/live/Masked/out", PRIORITY_LOW);
    assert_priority(&w, "Transformer/Live/B", PRIORITY_LOW);
    world_free(&w);
    w = world_new(THREE("medium", "medium", "critical"));
    const char *const CRITICAL[] = {"Export/Live/C/live/Masked/out",    "Ingest/Live/Masked", "Transformer/Live/B",
                                    "Export/Live/B/input/NW/customers", "Trigger/Live/B",     "Ingest/Live/NW"};
    for (size_t i = 0; i < sizeof CRITICAL / sizeof CRITICAL[0]; i++)
        assert_priority(&w, CRITICAL[i], PRIORITY_CRITICAL);
    assert_priority(&w, "Export/Live/A/live/NW/products", PRIORITY_MEDIUM);
    world_free(&w);
}

static void own_output_and_circles_end(void **state)
{
    (void)state;
    world w = world_new(STORE("S", TABLE("t"))                                                       //
                        WORKSPACE_WITH("Sum", TRANSFORMS("Total"), GROUP("input", "S/t, Total/out")) //
                        WORKSPACE("C", GROUP("live", "Total/out")) SERVICE("assignments:\n" ON("C/live", "Live")));
    assert_graph(&w, NULL,
                 "Export/Live/C/live/Total/out (medium)\n"
                 "Export/Live/Sum/input/S/t (medium) -> Trigger/Live/Sum\n"
                 "Export/Live/Sum/input/Total/out (medium) -> Trigger/Live/Sum\n"
                 "Ingest/Live/S (medium) -> Export/Live/Sum/input/S/t\n"
                 "Ingest/Live/Total (medium) -> Export/Live/C/live/Total/out, Export/Live/Sum/input/Total/out\n"
                 "Transformer/Live/Sum (medium) -> Ingest/Live/Total\n"
                 "Trigger/Live/Sum (medium) -> Transformer/Live/Sum\n");
    assert_streams(&w, "Live/S Live/Total");
    assert_traced(&w, "S/t", "Transformer/Sum Group/C/live");
    world_free(&w);
    w = world_new(WORKSPACE_WITH("A", TRANSFORMS("X"), GROUP("input", "Y/out")) //
                  WORKSPACE_WITH("B", TRANSFORMS("Y"), GROUP("input", "X/out")) //
                  WORKSPACE("C", GROUP("live", "X/out")) SERVICE("assignments:\n" ON("C/live", "Live")));
    assert_int_equal(w.graph->nodes.n, 9);
    assert_streams(&w, "Live/Y Live/X");
    assert_traced(&w, "X", "Transformer/A Transformer/B Group/C/live");
    world_free(&w);
}

static void chain_and_diamond(void **state)
{
    (void)state;
    world w = world_new(STORE("S", TABLE("t") ", " TABLE("u"))                                             //
                        WORKSPACE_WITH("T1", TRANSFORMS("O1"), GROUP("input", "S/t"))                      //
                        WORKSPACE_WITH("T2", TRANSFORMS("O2"), GROUP("input", "O1/out"))                   //
                        WORKSPACE_WITH("T2b", TRANSFORMS("O2b"), GROUP("input", "O1/out"))                 //
                        WORKSPACE_WITH("T3", TRANSFORMS("O3"), GROUP("input", "O2/out, O2b/out"))          //
                        WORKSPACE("End", GROUP("live", "O3/out")) WORKSPACE("Other", GROUP("live", "S/u")) //
                        SERVICE("assignments:\n" ON("End/live", "Live")));
    assert_streams(&w, "Live/S Live/O1 Live/O2 Live/O2b Live/O3");
    assert_traced(&w, "S/t", "Transformer/T1 Transformer/T2 Transformer/T2b Transformer/T3 Group/End/live");
    assert_traced(&w, "S/u", "Group/Other/live");
    assert_traced(&w, "S",
                  "Transformer/T1 Group/Other/live Transformer/T2 Transformer/T2b Transformer/T3 Group/End/live");
    assert_traced(&w, "O3", "Transformer/T3 Transformer/T2 Transformer/T2b Transformer/T1 Group/End/live");
    assert_null(graph_node(w.graph, "Export/Live/Other/live/S/u"));
    world_free(&w);
}

static void single_dataset_streams(void **state)
{
    (void)state;
    world w = world_new(STORE_OF("S", "single_dataset", TABLE("a") ", " TABLE("b") ", " TABLE("unused")) //
                        WORKSPACE("C", GROUP("live", "S/b, S/a, S/b"))                                   //
                        SERVICE("assignments:\n" ON("C/live", "Live")));
    assert_graph(&w, NULL,
                 "Export/Live/C/live/S/a (medium)\nExport/Live/C/live/S/b (medium)\n"
                 "Ingest/Live/S/a (medium) -> Export/Live/C/live/S/a\n"
                 "Ingest/Live/S/b (medium) -> Export/Live/C/live/S/b\n");
    assert_int_equal(graph_node(w.graph, "Ingest/Live/S/a")->dataset_count, 1);
    world_free(&w);
}

// --- assignments

static void print_roots(const world *w, ds_buf *out)
{
    static const char *const STATUS[] = {"provisioning", "provisioned", "decommissioning", "decommissioned"};
    for (size_t i = 0; i < w->roots.n; i++) {
        const ds_root *r = &w->roots.v[i];
        buf_printf(out, "%s %s/%s %s%s%s\n", r->platform->name, r->workspace->name.s, r->group->name, STATUS[r->status],
                   r->owns_views ? " views" : "", r->automatic ? " automatic" : "");
    }
}

static void assignments(void **state)
{
    (void)state;
    const struct {
        const char *services, *expected;
    } CASES[] = {
        {SERVICE(""), ""},
        {SERVICE("assignments:\n" ON("C/live", "Live")), "Live C/live provisioned views\n"},
        {SERVICE("assignments:\n" ASSIGN("C/live", "Live", "decommissioned")), ""},
        {SERVICE("assignments:\n" ASSIGN("C/live", "Live", "provisioning")), "Live C/live provisioning\n"},
        {SERVICE("assignments:\n" ASSIGN("C/live", "Live", "decommissioning") ON("C/live", "Full")),
         "Full C/live provisioned views\nLive C/live decommissioning\n"},
        {SERVICE("assignments:\n" ASSIGN("C/live", "Full", "provisioning") ASSIGN("C/live", "Live", "decommissioning")),
         "Full C/live provisioning\nLive C/live decommissioning views\n"},
        // each merge database has an owner; one database under two names is one
        {SERVICE_WITH("Y", "m.db", LIVE, "assignments:\n" ON("C/live", "Live"))
             SERVICE_WITH("X", "x.db", FULL, "assignments:\n" ON("C/live", "Full")),
         "Full C/live provisioned views\nLive C/live provisioned views\n"},
        {SERVICE_WITH("Y", "m.db", LIVE, "assignments:\n" ON("C/live", "Live"))
             SERVICE_WITH("X", "m.db", FULL, "assignments:\n" ON("C/live", "Full")),
         "Full C/live provisioned views\nLive C/live provisioned\n"},
        // what leads nowhere is left out, and so are the inputs of transformers
        {SERVICE("assignments:\n" ON("C/life", "Live") ON("D/live", "Live") ON("C/live", "Life") ON("T/input", "Live")),
         ""},
        {SERVICE("auto_assign: true\n"),
         "Full C/audit provisioned views automatic\nLive C/live provisioned views automatic\n"},
        {SERVICE("auto_assign: true\nassignments:\n" ASSIGN("C/live", "Live", "decommissioned")),
         "Full C/audit provisioned views automatic\n"},
        {SERVICE_WITH("Y", "m.db", LIVE, "auto_assign: true\n") SERVICE_WITH("X", "x.db", FULL, "auto_assign: true\n"),
         "Full C/audit provisioned views automatic\nFull C/live provisioned views automatic\n"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 16), roots = BUF_INIT(1 << 16);
        buf_puts(&text, STORE("S", TABLE("t")) WORKSPACE("C", GROUP("live", "S/t") ", " HISTORY("audit", "S/t"))
                            WORKSPACE_WITH("T", TRANSFORMS("O"), GROUP("input", "S/t")));
        buf_puts(&text, CASES[i].services);
        world w = world_new(buf_text(&text));
        print_roots(&w, &roots);
        assert_string_equal(buf_text(&roots), CASES[i].expected);
        world_free(&w);
    }
}

// G11: a workspace without a container of its own is not dropped. G12: a platform that nobody uses is empty.
static void services_apart(void **state)
{
    (void)state;
    world w = world_new(STORE("S", TABLE("t")) WORKSPACE("C", GROUP("live", "S/t"))
                            SERVICE("assignments:\n" ON("C/live", "Live"))
                                SERVICE_WITH("Idle", "i.db", "Rest: {type: yellow, milestoning: scd4}", ""));
    assert_int_equal(assign_roots_of_service(w.roots, model_service(w.model, "Y"), w.arena).n, 1);
    assert_int_equal(assign_roots_of_service(w.roots, model_service(w.model, "Idle"), w.arena).n, 0);
    assert_int_equal(assign_roots_of_service(w.roots, NULL, w.arena).n, 1);
    assert_int_equal(graph_streams(w.graph, model_platform(w.model, "Rest"), w.arena).n, 0);
    assert_int_equal(graph_streams(w.graph, model_platform(w.model, "Live"), w.arena).n, 1);
    assert_graph(&w, "Rest", "");
    world_free(&w);
}

#define CONTAINER(name, path) "---\nkind: DataContainer\nteam: Z/t\nname: " name "\ntype: sqlite\npath: " path "\n"
#define AT(name, container, sinks) WORKSPACE_WITH(name, "priority: high\ncontainer: " container "\n", GROUP("g", sinks))

static void replicas(void **state)
{
    (void)state;
    world w = world_new(CONTAINER("R", "r.db") CONTAINER("Same", "m.db") STORE("S", TABLE("t") ", " TABLE("u")) //
                        STORE_OF("One", "single_dataset", TABLE("x"))                                           //
                        AT("A", "R", "S/t, One/x") AT("B", "R", "S/u") AT("C", "Same", "S/t")                   //
                        SERVICE("assignments:\n" ON("A/g", "Live") ON("B/g", "Live") ON("C/g", "Live")));
    assert_graph(&w, NULL,
                 "Export/Live/A/g/One/x (high)\n"
                 "Export/Live/A/g/S/t (high)\n"
                 "Export/Live/B/g/S/u (high)\n"
                 "Export/Live/C/g/S/t (high)\n"
                 "Ingest/Live/One/x (high) -> Replica/Live/One/x@R\n"
                 "Ingest/Live/S (high) -> Export/Live/C/g/S/t, Replica/Live/S@R\n"
                 "Replica/Live/One/x@R (high) -> Export/Live/A/g/One/x\n"
                 "Replica/Live/S@R (high) -> Export/Live/A/g/S/t, Export/Live/B/g/S/u\n");
    assert_streams(&w, "Live/One/x Live/S Live/One/x@R Live/S@R");
    assert_int_equal(graph_node(w.graph, "Replica/Live/S@R")->dataset_count, 2); // one copy for both
    assert_string_equal(graph_node(w.graph, "Replica/Live/One/x@R")->dataset->name, "x");
    world_free(&w);
}

// Of platforms that show a group in one database only one owns the views, wherever they merge.
static void views_of_replicas(void **state)
{
    (void)state;
#define TWO(container)                                                                                                 \
    CONTAINER("R", "r.db")                                                                                             \
    STORE("S", TABLE("t"))                                                                                             \
    WORKSPACE_WITH("A", container, GROUP("g", "S/t"))                                                                  \
    SERVICE("assignments:\n" ON("A/g", "Live"))                                                                        \
    SERVICE_WITH("Z", "z.db", "Other: {type: yellow, milestoning: scd1}",                                              \
                 "assignments:\n" ASSIGN("A/g", "Other", "decommissioning"))
    world apart = world_new(TWO("")), together = world_new(TWO("container: R\n"));
    assert_true(apart.roots.v[0].owns_views && apart.roots.v[1].owns_views);
    assert_true(together.roots.v[0].owns_views && !together.roots.v[1].owns_views);
    assert_string_equal(together.roots.v[1].replica->name.s, "R");
    world_free(&apart);
    world_free(&together);
}

static void dangling_sinks(void **state)
{
    (void)state;
    world w = world_new(STORE("S", TABLE("t")) WORKSPACE("C", GROUP("live", "S/t, S/u, T/t"))
                            SERVICE("assignments:\n" ON("C/live", "Live")));
    assert_graph(&w, NULL, "Export/Live/C/live/S/t (medium)\nIngest/Live/S (medium) -> Export/Live/C/live/S/t\n");
    world_free(&w);
}

// --- renderings

static void renderings(void **state)
{
    (void)state;
    world w = world_new(STORE("S", TABLE("t")) WORKSPACE("C", GROUP("live", "S/t"))
                            SERVICE("assignments:\n" ON("C/live", "Live")));
    CLEANUP(buf_release) ds_buf mermaid = BUF_INIT(1 << 16), dot = BUF_INIT(1 << 16);
    graph_render_mermaid(w.graph, NULL, &mermaid);
    assert_string_equal(buf_text(&mermaid), "flowchart LR\n"
                                            "    n0([\"Export/Live/C/live/S/t\"])\n"
                                            "    n1[(\"Ingest/Live/S\")]\n"
                                            "    n1 --> n0\n");
    graph_render_dot(w.graph, NULL, &dot);
    assert_string_equal(buf_text(&dot), "digraph datasurface {\n    rankdir=LR;\n"
                                        "    \"Export/Live/C/live/S/t\" [shape=box];\n"
                                        "    \"Ingest/Live/S\" [shape=cylinder];\n"
                                        "    \"Ingest/Live/S\" -> \"Export/Live/C/live/S/t\";\n}\n");
    json_t *json = graph_render_json(w.graph, NULL);
    char *text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(
        text,
        "{\"nodes\":[{\"name\":\"Export/Live/C/live/S/t\",\"kind\":\"export\",\"platform\":\"Live\",\"service\":\"Y\","
        "\"priority\":\"medium\",\"store\":\"S\",\"dataset\":\"t\",\"workspace\":\"C\",\"group\":\"live\"},"
        "{\"name\":\"Ingest/Live/S\",\"kind\":\"ingest\",\"platform\":\"Live\",\"service\":\"Y\",\"priority\":\"medium\","
        "\"store\":\"S\",\"datasets\":[\"t\"]}],"
        "\"edges\":[{\"from\":\"Ingest/Live/S\",\"to\":\"Export/Live/C/live/S/t\"}]}");
    free(text);
    json_decref(json);
    world_free(&w);
}

// Names of a half-broken model may hold anything: no rendering lets them out of their quotes.
static void hostile_names(void **state)
{
    (void)state;
    ds_platform platform = {.name = "P"};
    ds_platform_service service = {.name = {.s = "Y"}};
    ds_node *nodes[] = {
        &(ds_node){.kind = NODE_INGEST, .name = "a\"; b\\\n#<", .platform = &platform, .service = &service}};
    ds_graph graph = {.nodes = {nodes, 1, 1}};
    CLEANUP(buf_release) ds_buf mermaid = BUF_INIT(1 << 16), dot = BUF_INIT(1 << 16);
    graph_render_mermaid(&graph, NULL, &mermaid);
    assert_string_equal(buf_text(&mermaid), "flowchart LR\n    n0[(\"a#quot;; b\\ #35;#lt;\")]\n");
    graph_render_dot(&graph, NULL, &dot);
    assert_string_equal(buf_text(&dot),
                        "digraph datasurface {\n    rankdir=LR;\n    \"a\\\"; b\\\\\\n#<\" [shape=cylinder];\n}\n");
}

static void placeholders(void **state)
{
    (void)state;
    const struct {
        const char *text, *expected;
    } CASES[] = {
        {"", ""},
        {"SELECT 1", "text:SELECT 1|"},
        {"x {a.B.c} y", "text:x |input:a,B,c|text: y|"},
        {"{ a.B.c }{d.E.f}", "input:a,B,c|input:d,E,f|"},
        {"'{{' || '}}'", "text:'|text:{|text:' || '|text:}|text:'|"},
        {"{{{a.B.c}}}", "text:{|input:a,B,c|text:}|"},
        {"x { y", "text:x |bad:{ y|"},
        {"x } y", "text:x |bad:} y|"},
        {"{a.{b", "bad:{a.{b|"},
        {"{}", "input:,,|"},
        {"{a.B.c.d}", "input:a,B,c.d|"},
        {"{", "bad:{|"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 16);
        const char *at = CASES[i].text;
        ds_piece piece;
        while (placeholder_next(&at, &piece)) {
            if (piece.kind == PIECE_INPUT)
                buf_printf(&text, "input:%.*s,%.*s,%.*s|", STR_ARGS(piece.group), STR_ARGS(piece.store),
                           STR_ARGS(piece.dataset));
            else
                buf_printf(&text, "%s:%.*s|", piece.kind == PIECE_BAD ? "bad" : "text", STR_ARGS(piece.text));
        }
        assert_string_equal(buf_text(&text), CASES[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starter_has_eight_nodes),
        cmocka_unit_test(kinds_of_edges),
        cmocka_unit_test(priorities_flow_left),
        cmocka_unit_test(own_output_and_circles_end),
        cmocka_unit_test(chain_and_diamond),
        cmocka_unit_test(single_dataset_streams),
        cmocka_unit_test(assignments),
        cmocka_unit_test(services_apart),
        cmocka_unit_test(replicas),
        cmocka_unit_test(views_of_replicas),
        cmocka_unit_test(dangling_sinks),
        cmocka_unit_test(renderings),
        cmocka_unit_test(hostile_names),
        cmocka_unit_test(placeholders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
