#include "cli/commands.h"
#include "cli/output.h"
#include "cli/results.h"
#include "cli/run_follow.h"
#include "cli/run_on.h"

static const ds_option OPTIONS[] = {
    {"once", 0, OPTION_FLAG, .help = "one batch for every chosen stream, then exit"},
    {"stream", 0, OPTION_TEXT, "GLOB", .help = "only streams whose names match"},
    {"workers", 0, OPTION_INT, "N", .least = 1, .most = 256, .help = "streams that run side by side; 4"},
    {"follow", 0, OPTION_TEXT, "REF",
     .help = "keep the merge databases true to this branch: fetch, check, apply when it moves"},
    {"follow-every", 0, OPTION_DURATION, "TIME", .help = "how often to look; 15s with a fetch, 1s without"},
    {"folder", 0, OPTION_TEXT, "PATH", .help = "with --follow: the model's folder in a bare repository"},
    {"accept-deletes", 0, OPTION_FLAG, .help = "with --stream: let one guarded batch pass"},
    {0},
};

static ds_rc check_follow(const ds_args *args, bool once, ds_error *err)
{
    bool follow = args_given(args, "follow");
    if (follow && once)
        return ds_hint(ds_fail(err, DS_USAGE, "--follow has no use with --once"), err,
                       "datasurface apply --ref REF applies a branch once");
    if (follow && args_text(args, "merge"))
        return ds_fail(err, DS_USAGE, "--merge has no use with --follow: the model names the merge databases");
    if (!follow && (args_given(args, "follow-every") || args_given(args, "folder")))
        return ds_fail(err, DS_USAGE, "--follow-every and --folder want --follow");
    return DS_DONE;
}

static ds_rc check_options(const ds_args *args, ds_error *err)
{
    bool once = args_flag(args, "once");
    TRY(check_follow(args, once, err));
    if (once && args_given(args, "workers"))
        return ds_fail(err, DS_USAGE, "--workers has no use with --once: streams run one after another");
    if (!once && args_flag(args, "accept-deletes"))
        return ds_fail(err, DS_USAGE, "--accept-deletes wants --once");
    if (args_flag(args, "accept-deletes") && !args_given(args, "stream"))
        return ds_hint(ds_fail(err, DS_USAGE, "--accept-deletes wants --stream"), err,
                       "name the stream whose deletes you have looked at");
    return DS_DONE;
}

static ds_rc run_once(ds_session *session, ds_error *err)
{
    ds_cli *cli = session->cli;
    const char *glob = args_text(&cli->args, "stream");
    ds_applied_stream *streams;
    size_t n;
    session->some = true;
    TRY(session_streams(session, glob, &streams, &n, err));
    if (glob && n == 0)
        return ds_hint(ds_fail(err, DS_USAGE, "no stream matches \"%s\"", glob), err, "datasurface status lists them");
    work_list list = work_order(cli->arena, streams, n);
    ds_job_options options = {
        .lease_wait_ms = (int)args_duration_ms(&cli->args, "lease-wait", 10000),
        .accept_deletes = args_flag(&cli->args, "accept-deletes"),
    };
    work_run(session, &list, &options);
    json_t *json = json_array();
    for (size_t i = 0; i < list.n; i++)
        json_array_append_new(json, work_item_json(&list.v[i]));
    cli->result = json_pack("{s:o}", "streams", json);
    if (!cli->json && list.n)
        results_print_streams(cli, &list);
    if (n == 0)
        note(cli, "no streams: no group is assigned to a platform");
    TRY(work_finish(cli, &list, err));
    if (cli->exit > error_exit_code(session->missing.code)) // it was told
        return DS_DONE;
    *err = session->missing;
    return (ds_rc){err->code};
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    TRY(check_options(&cli->args, err));
    CLEANUP(keeper_freep) ds_keeper *keeper = keeper_new(NULL, NULL);
    if (args_given(&cli->args, "follow"))
        return run_follow(cli, keeper, err);
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    session.runtime.keeper = keeper;
    return args_flag(&cli->args, "once") ? run_once(&session, err) : run_on(&session, err);
}

const ds_cli_command COMMAND_RUN = {
    .name = "run",
    .summary = "bring the data over, when it is due or at once",
    .group = "The work",
    .options = OPTIONS,
    .help =
        "Runs streams when they are due: by their cron lines, when somebody triggers them, transformers after their "
        "inputs; urgent ones first. It goes on until SIGTERM or Ctrl-C, then lets what runs come to its end and exits "
        "0; a second signal interrupts that. What apply changes is seen within a second. Any number of processes may do "
        "this side by side, on one machine or several. docs/runtime.md says when a stream is due, and how failures are "
        "retried. A merge database to which nothing has been applied yet waits for that, and keeps no other one waiting.\n\n"
        "With --follow REF it also keeps the merge databases true to a branch of the git repository around -C (or a "
        "bare one): it fetches when REF is remote-tracking, such as origin/main, reads the model from git's objects, and "
        "applies it when REF moves. Errors, refused plans, and commits that don't come from the one applied last change "
        "nothing: the streams go on as before, and status says why.\n\n"
        "With --once: one batch for every stream, in order, transformers after their inputs, and at the end a table of "
        "what was read and what changed. "
        "A stream that fails stops no other. What is needed is read from the merge database, not from the model. Where "
        "standard error is a terminal, it shows how far the reading is.\n\n"
        "A batch that would delete more than the store's max_delete_ratio stops and asks; --accept-deletes lets one "
        "pass.",
    .exits = {{1, "a batch failed or is guarded, or nothing has been applied yet"},
              {3, "worth a retry: a source or the merge database can't be reached, or a stream is busy"}},
    .examples = {"datasurface run", "datasurface run --follow origin/main", "datasurface run --once",
                 "datasurface run --once --stream 'YellowLive/*'"},
    .run = run,
};
