#include "cli/commands.h"
#include "cli/plans.h"

static const ds_option OPTIONS[] = {
    {"exit-code", 0, OPTION_FLAG, .help = "exit 10 when there are changes"},
    {"prune", 0, OPTION_FLAG, .help = "plan to drop what the model no longer mentions"},
    SESSION_REF_OPTIONS,
    {0},
};

enum { EXIT_CHANGES = 10 };

static void print_next(const ds_cli *cli, const ds_plans *plans)
{
    if (!cli->json && plans->changes)
        fprintf(cli->out, "\ndatasurface apply%s does this; --plan %s makes sure that it is this and nothing else.\n",
                args_flag(&cli->args, "prune") ? " --prune" : "", plans->id);
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    session_use_ref_option(&session);
    TRY(session_deploy(&session, err));
    ds_plans plans;
    TRY(plans_make(&session, args_flag(&cli->args, "prune"), &plans, err));
    plans_print(cli, &plans);
    cli->result = plans_json(&plans);
    if (plans.refused)
        return plans_refused(cli, &plans, err);
    print_next(cli, &plans);
    if (!args_flag(&cli->args, "prune")) {
        session.quiet = plans.missing > 0;
        TRY(session_read_kept(&session, err));
        session_note_kept(&session);
        session_note_strays(&session);
    }
    json_object_set_new(cli->result, "kept", session_kept_json(&session));
    if (args_flag(&cli->args, "exit-code") && plans.changes)
        cli->exit = EXIT_CHANGES;
    return plans_missing(cli, &plans, false, err);
}

const ds_cli_command COMMAND_PLAN = {
    .name = "plan",
    .summary = "what apply would change in the merge databases",
    .group = "The work",
    .options = OPTIONS,
    .help =
        "Compares the model with what was applied and with the merge databases' catalogues, and lists what apply would "
        "do, destructive changes marked. Nothing is changed. The id names exactly these changes. Of a consumer's database "
        "that can't be reached it says that its plan is missing.",
    .exits = {{1, "a change is refused, or the model has errors"},
              {3, "worth a retry: a database can't be reached; the plans of the others are shown"},
              {10, "with --exit-code: there are changes"}},
    .examples = {"datasurface plan", "datasurface plan --exit-code"},
    .run = run,
};
