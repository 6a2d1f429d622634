#include "cli/commands.h"
#include "cli/results.h"

static const ds_option OPTIONS[] = {
    {"accept-deletes", 0, OPTION_FLAG, .help = "let one guarded batch pass"},
    {0},
};

static void print_result(const ds_cli *cli, const ds_job_result *r)
{
    FILE *out = cli->out;
    if (r->batch) {
        fprintf(out, "%s batch %lld: %lld read, %lld inserted, %lld updated, %lld deleted, %lld unchanged, %.2f s\n",
                r->stream, (long long)r->batch, (long long)r->counts.read, (long long)r->counts.inserted,
                (long long)r->counts.updated, (long long)r->counts.deleted, (long long)r->counts.unchanged, r->seconds);
        results_print_datasets(cli, r);
        if (r->note[0])
            fprintf(out, "%s\n", r->note);
    } else
        fprintf(out, "%s: %s\n", r->stream, r->note && r->note[0] ? r->note : "nothing to do");
    fputs(r->keep_working ? "KEEP_WORKING\n" : "DONE\n", out);
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    work_item item = {0};
    ds_applied_stream *stream;
    const char *name = args_word(&cli->args, 0);
    TRY(session_stream_unseen(&session, name, &stream, err));
    bool unseen = stream != NULL;
    if (!unseen)
        TRY(session_stream(&session, name, &stream, err));
    item.stream = stream;
    ds_job_options options = {
        .lease_wait_ms = (int)args_duration_ms(&cli->args, "lease-wait", 10000),
        .accept_deletes = args_flag(&cli->args, "accept-deletes"),
    };
    cli->object = stream->info.name;
    ds_rc rc = work_run_one(&session, &item, &options, err);
    bool came_to_it = !unseen || item.result.tree_id;
    if (!came_to_it && (rc.code == DS_USAGE || rc.code == DS_FINDING)) { // no such stream; which are there?
        cli->object = NULL;
        return session_stream(&session, name, &stream, err);
    }
    if (!came_to_it)
        return rc;
    if (unseen)
        session_warn_when_moved(&session, item.result.tree_id);
    cli->result = work_item_json(&item);
    json_object_set_new(cli->result, "streams", json_pack("[o]", work_item_json(&item)));
    TRY(rc);
    json_object_set_new(cli->result, "next", json_string(item.result.keep_working ? "KEEP_WORKING" : "DONE"));
    if (!cli->json)
        print_result(cli, &item.result);
    return DS_DONE;
}

const ds_cli_command COMMAND_JOB = {
    .name = "job",
    .summary = "one cycle of one stream, for an outer scheduler",
    .group = "The work",
    .arguments = {{.name = "STREAM", .help = "PLATFORM/STORE, or PLATFORM/STORE/DATASET"}},
    .options = OPTIONS,
    .help =
        "Finishes the stream's open batch, or makes the next one. The last line on standard output is DONE, or "
        "KEEP_WORKING when the stream should be called again at once. Needs only the merge database and credentials: "
        "with --merge no model.",
    .exits = {{1, "the batch failed or is guarded"}, {3, "worth a retry; also when the stream is busy"}},
    .examples = {"datasurface job YellowLive/Store1",
                 "datasurface --merge sqlite:/data/merge.db job YellowLive/Store1 --lease-wait 60s"},
    .run = run,
};
