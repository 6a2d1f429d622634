#include "cli/commands.h"
#include "cli/output.h"
#include "cli/session.h"
#include "graph/lineage_trace.h"
#include "graph/render.h"

static const ds_option OPTIONS[] = {
    {"platform", 0, OPTION_TEXT, "NAME", .help = "only this platform"},
    {"lineage", 0, OPTION_TEXT, "NAME", .help = "where STORE/DATASET[/COLUMN] comes from and goes to"},
    {"format", 0, OPTION_CHOICE, "FORMAT", .choices = "text|json|mermaid|dot", .fallback = "text",
     .help = "how the graph is printed"},
    {0},
};

enum { GRAPH_TEXT_MAX = 256 << 20 };

static ds_rc find_platform(const ds_session *session, const ds_platform **out, ds_error *err)
{
    const char *name = args_text(&session->cli->args, "platform");
    *out = name ? model_platform(session->model, name) : NULL;
    if (!name || *out)
        return DS_DONE;
    const char *nearest = map_nearest(session->model->platform_by_name, name);
    ds_rc rc = ds_fail(err, DS_USAGE, "no platform \"%s\" in the model", name);
    return nearest ? ds_hint(rc, err, "did you mean \"%s\"?", nearest) : rc;
}

// Prints the one that --format names.
static void print_text(const ds_session *session, const ds_platform *platform)
{
    static const struct {
        const char *format;
        void (*render)(const ds_graph *graph, const ds_platform *platform, ds_buf *out);
    } RENDERERS[] = {{"text", graph_render_text}, {"mermaid", graph_render_mermaid}, {"dot", graph_render_dot}};
    CLEANUP(buf_release) ds_buf text = BUF_INIT(GRAPH_TEXT_MAX);
    for (size_t i = 0; i < sizeof RENDERERS / sizeof RENDERERS[0]; i++)
        if (strcmp(RENDERERS[i].format, args_text(&session->cli->args, "format")) == 0)
            RENDERERS[i].render(session->graph, platform, &text);
    fwrite(text.p, 1, text.n, session->cli->out);
}

static void print_trace(const ds_cli *cli, const ds_trace *trace)
{
    static const struct {
        const char *format;
        void (*render)(const ds_trace *trace, ds_buf *out);
    } RENDERERS[] = {{"text", trace_render_text}, {"mermaid", trace_render_mermaid}, {"dot", trace_render_dot}};
    CLEANUP(buf_release) ds_buf text = BUF_INIT(GRAPH_TEXT_MAX);
    for (size_t i = 0; i < sizeof RENDERERS / sizeof RENDERERS[0]; i++)
        if (strcmp(RENDERERS[i].format, args_text(&cli->args, "format")) == 0)
            RENDERERS[i].render(trace, &text);
    fwrite(text.p, 1, text.n, cli->out);
}

static ds_rc run_lineage(const ds_session *session, const char *path, ds_error *err)
{
    ds_cli *cli = session->cli;
    ds_trace trace;
    ds_rc rc = graph_trace(session->model, session->graph, path, cli->arena, &trace, err);
    TRY(session_whole(session, err));
    TRY(rc);
    if (cli->json)
        cli->result = trace_render_json(&trace);
    else
        print_trace(cli, &trace);
    return DS_DONE;
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    TRY(session_need_graph(&session, err));
    const char *lineage = args_text(&cli->args, "lineage");
    if (lineage)
        return run_lineage(&session, lineage, err);
    const ds_platform *platform;
    TRY(find_platform(&session, &platform, err));
    if (cli->json)
        cli->result = graph_render_json(session.graph, platform);
    else
        print_text(&session, platform);
    return DS_DONE;
}

const ds_cli_command COMMAND_GRAPH = {
    .name = "graph",
    .summary = "the pipelines that follow from the model",
    .group = "The model",
    .options = OPTIONS,
    .help =
        "Prints every platform's pipelines: what is ingested, exported to consumers and transformed, and how urgent "
        "each is.\n\n"
        "With --lineage it prints what a dataset or a column comes from and what is made of it: sources, streams, "
        "transformers, their outputs and the groups that consume them. Columns are followed through the SQL of "
        "transformers as PostgreSQL parses it. One that only decides about values or rows (WHERE, JOIN, GROUP BY, CASE "
        "WHEN) is indirect; behind a command, or SQL that PostgreSQL can't parse, columns are unknown, and a note says "
        "why.",
    .examples = {"datasurface graph", "datasurface graph --format mermaid",
                 "datasurface graph --lineage Store1/customers", "datasurface graph --lineage Store1/customers/email"},
    .run = run,
};
