#include "cli/commands.h"
#include "cli/output.h"
#include "cli/session.h"
#include "graph/render.h"

static const ds_option OPTIONS[] = {
    {"platform", 0, OPTION_TEXT, "NAME", .help = "only this platform"},
    {"lineage", 0, OPTION_TEXT, "DATASET", .help = "who depends on STORE/DATASET"},
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

static ds_rc print_lineage(const ds_session *session, const char *path, ds_error *err)
{
    ds_cli *cli = session->cli;
    ds_str rest = str_of(path);
    const char *store_name = arena_str(cli->arena, str_split(&rest, '/'));
    const char *dataset = rest.n ? arena_str(cli->arena, rest) : NULL;
    const ds_datastore *store = model_datastore(session->model, store_name);
    if (!store || (dataset && !datastore_dataset(store, dataset)))
        return ds_hint(ds_fail(err, DS_USAGE, "no dataset \"%s\" in the model", path), err,
                       "write STORE or STORE/DATASET");
    const ds_workspace **list;
    size_t n = graph_dependents(session->model, store, dataset, &list, cli->arena);
    json_t *json = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(json, json_pack("{s:s, s:o, s:o}", "workspace", list[i]->name.s, "team",
                                              json_text(list[i]->team.s), "priority",
                                              json_string(priority_name(list[i]->priority))));
        if (!cli->json)
            fprintf(cli->out, "%s (%s)%s\n", list[i]->name.s, list[i]->team.s ? list[i]->team.s : "",
                    list[i]->transformer.pos.file ? " transforms it" : "");
    }
    if (!cli->json && n == 0)
        fprintf(cli->out, "nobody consumes %s\n", path);
    cli->result = json_pack("{s:s, s:o}", "dataset", path, "workspaces", json);
    return DS_DONE;
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    TRY(session_need_graph(&session, err));
    const char *lineage = args_text(&cli->args, "lineage");
    if (lineage)
        return print_lineage(&session, lineage, err);
    const ds_platform *platform;
    TRY(find_platform(&session, &platform, err));
    if (cli->json) {
        cli->result = graph_render_json(session.graph, platform);
        return DS_DONE;
    }
    static const struct {
        const char *format;
        void (*render)(const ds_graph *graph, const ds_platform *platform, ds_buf *out);
    } RENDERERS[] = {{"text", graph_render_text}, {"mermaid", graph_render_mermaid}, {"dot", graph_render_dot}};
    CLEANUP(buf_release) ds_buf text = BUF_INIT(GRAPH_TEXT_MAX);
    for (size_t i = 0; i < sizeof RENDERERS / sizeof RENDERERS[0]; i++)
        if (strcmp(RENDERERS[i].format, args_text(&cli->args, "format")) == 0)
            RENDERERS[i].render(session.graph, platform, &text);
    fwrite(text.p, 1, text.n, cli->out);
    return DS_DONE;
}

const ds_cli_command COMMAND_GRAPH = {
    .name = "graph",
    .summary = "the pipelines that follow from the model",
    .group = "The model",
    .options = OPTIONS,
    .help =
        "Prints every platform's pipelines: what is ingested, exported to consumers and transformed, and how urgent "
        "each is. With --lineage it lists the workspaces that a dataset reaches, directly or through transformers.",
    .examples = {"datasurface graph", "datasurface graph --format mermaid",
                 "datasurface graph --lineage Store1/customers"},
    .run = run,
};
