#include "cli/commands.h"
#include "cli/output.h"
#include "cli/view_list.h"

static ds_rc unknown_workspace(ds_session *session, const char *name, ds_error *err)
{
    view_list all;
    TRY(view_list_read(session, NULL, &all, err));
    const char **names = ARENA_ARRAY(session->cli->arena, const char *, all.n);
    for (size_t i = 0; i < all.n; i++)
        names[i] = all.v[i].is.workspace;
    const char *nearest = str_nearest(name, names, all.n);
    ds_rc rc = ds_fail(err, DS_USAGE, "workspace \"%s\" has no views", name);
    if (nearest)
        return ds_hint(rc, err, "did you mean \"%s\"?", nearest);
    return ds_hint(rc, err, "a group gets views when a platform is assigned to it and apply has run");
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    session.some = true;
    const char *workspace = args_word(&cli->args, 0);
    view_list views;
    TRY(view_list_read(&session, workspace, &views, err));
    if (workspace && views.n == 0)
        return unknown_workspace(&session, workspace, err);
    cli->result = json_pack("{s:o}", "views", view_list_json(&views));
    if (!cli->json)
        view_list_print(cli, &views);
    *err = session.missing;
    return (ds_rc){err->code};
}

const ds_cli_command COMMAND_VIEWS = {
    .name = "views",
    .summary = "the consumers' views, each with a ready SELECT",
    .group = "The results",
    .arguments = {{.name = "WORKSPACE", .help = "only of this workspace", .optional = true}},
    .help =
        "Lists the views that consumers query: live rows, and where the group requires full history the same name with "
        "__history, which holds every version with the batches and times in which it was valid.",
    .exits = {{1, "nothing has been applied yet"},
              {3, "worth a retry: the merge database, or that of a replica can't be reached; the others' are shown"}},
    .examples = {"datasurface views", "datasurface views Consumer1 --format json"},
    .run = run,
};
