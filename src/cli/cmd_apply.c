#include "cli/commands.h"
#include "cli/output.h"
#include "cli/plans.h"
#include "cli/view_list.h"

static const ds_option OPTIONS[] = {
    {"plan", 0, OPTION_TEXT, "ID", .help = "refuse when anything has moved since this plan"},
    {"prune", 0, OPTION_FLAG, .help = "drop what the model no longer mentions"},
    SESSION_REF_OPTIONS,
    {0},
};

static ds_rc check_id(const ds_plans *plans, const char *wanted, ds_error *err)
{
    if (!wanted || strcmp(wanted, plans->id) == 0)
        return DS_DONE;
    return ds_hint(ds_fail(err, DS_FINDING, "plan %s is out of date: it would now be %s", wanted, plans->id), err,
                   "look at datasurface plan again");
}

static ds_rc print_views(ds_session *session, ds_error *err)
{
    ds_cli *cli = session->cli;
    view_list views;
    TRY(view_list_read_applied(session, &views, err));
    json_object_set_new(cli->result, "views", view_list_json(&views));
    if (cli->json || views.n == 0)
        return DS_DONE;
    fprintf(cli->out, "\n%sThe consumers' views%s\n", style(cli, STYLE_BOLD), style_end(cli));
    view_list_print(cli, &views);
    return DS_DONE;
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    session_use_ref_option(&session);
    TRY(session_deploy(&session, err));
    session_note_commit(&session);
    ds_plans plans;
    TRY(plans_make(&session, args_flag(&cli->args, "prune"), &plans, err));
    TRY(check_id(&plans, args_text(&cli->args, "plan"), err));
    if (plans.refused) {
        cli->result = plans_json(&plans);
        return plans_refused(cli, &plans, err);
    }
    TRY(plans_carry_out(&session, &plans, args_text(&cli->args, "plan") != NULL, err));
    cli->result = plans_json(&plans);
    plans_print_short(cli, &plans);
    if (!cli->json && plans.changes)
        fprintf(cli->out, "%sapplied%s: %zu change%s\n", style(cli, STYLE_GREEN), style_end(cli), plans.changes,
                plural((int64_t)plans.changes));
    session.quiet = plans.missing > 0;
    TRY(print_views(&session, err));
    return plans_missing(cli, &plans, true, err);
}

const ds_cli_command COMMAND_APPLY = {
    .name = "apply",
    .summary = "make the merge databases what the model says",
    .group = "The work",
    .options = OPTIONS,
    .help =
        "Makes tables and views, and writes each stream's whole definition into the merge database, where jobs read it. "
        "Idempotent, and never asks; killed half-way, the next apply finishes. What the model no longer mentions is "
        "kept unless --prune says otherwise. A consumer's database that can't be reached is left out. Ends with "
        "the consumers' views, each with a SELECT to copy.",
    .exits = {{1, "a change is refused, the plan is out of date, or the model has errors"},
              {3, "worth a retry: a database can't be reached, or a stream is busy; consumers' databases that can't be "
                  "reached are left out, and the others are done"}},
    .examples = {"datasurface apply", "datasurface apply --plan 4f6c…"},
    .run = run,
};
