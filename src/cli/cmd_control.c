// Commands that set one thing about one stream: pause, resume, trigger, resnapshot, reset.
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/session.h"

// Tells the stream named by the first word, and says so.
static ds_rc tell(ds_cli *cli, ds_stream_order order, const char *said, ds_error *err)
{
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    ds_applied_stream *stream;
    TRY(session_stream(&session, args_word(&cli->args, 0), &stream, err));
    TRY(stream->type->tell(&session.runtime, stream->merge, stream->info.name, order, err));
    cli->result = json_pack("{s:s, s:s}", "stream", stream->info.name, "done", said);
    if (!cli->json)
        fprintf(cli->out, "%s: %s\n", stream->info.name, said);
    return DS_DONE;
}

static ds_rc run_pause(ds_cli *cli, ds_error *err)
{
    return tell(cli, STREAM_PAUSE, "paused", err);
}

static ds_rc run_resume(ds_cli *cli, ds_error *err)
{
    return tell(cli, STREAM_RESUME, "scheduled again", err);
}

static ds_rc run_trigger(ds_cli *cli, ds_error *err)
{
    return tell(cli, STREAM_TRIGGER, "due now", err);
}

static ds_rc run_resnapshot(ds_cli *cli, ds_error *err)
{
    return tell(cli, STREAM_RESNAPSHOT, "the next batch re-reads everything and repairs differences", err);
}

static const ds_option RESET_OPTIONS[] = {
    {"dry-run", 0, OPTION_FLAG, .help = "say what would go, and change nothing"},
    {0},
};

static ds_rc run_reset(ds_cli *cli, ds_error *err)
{
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    ds_applied_stream *stream;
    TRY(session_stream(&session, args_word(&cli->args, 0), &stream, err));
    bool dry = args_flag(&cli->args, "dry-run");
    int64_t batch, rows;
    const char *name = stream->info.name;
    TRY(stream->type->reset(&session.runtime, stream->merge, name, dry, &batch, &rows, err));
    cli->result = json_pack("{s:s, s:o, s:o, s:b}", "stream", name, "batch", json_int64(batch), "staging_rows",
                            json_int64(rows), "dry_run", dry);
    if (cli->json)
        return DS_DONE;
    if (batch == 0)
        fprintf(cli->out, "%s: no batch is open, nothing to do\n", name);
    else
        fprintf(cli->out, "%s: batch %lld %s over at the next run; %lld staging row%s %s\n", name, (long long)batch,
                dry ? "would start" : "starts", (long long)rows, plural(rows), dry ? "would go" : "deleted");
    return DS_DONE;
}

#define STREAM_ARGUMENT                                                                                                \
    {                                                                                                                  \
        {                                                                                                              \
            .name = "STREAM", .help = "PLATFORM/STORE, or PLATFORM/STORE/DATASET"                                      \
        }                                                                                                              \
    }

const ds_cli_command COMMAND_PAUSE = {
    .name = "pause",
    .summary = "leave a stream out of run",
    .group = "Repair and help",
    .arguments = STREAM_ARGUMENT,
    .help = "A paused stream is left out by run until resume. `job` still runs it: it was named on purpose.",
    .examples = {"datasurface pause YellowLive/Store1"},
    .run = run_pause,
};

const ds_cli_command COMMAND_RESUME = {
    .name = "resume",
    .summary = "take a paused stream in again",
    .group = "Repair and help",
    .arguments = STREAM_ARGUMENT,
    .help =
        "Ends a pause. What has failed and waits for its next attempt, or is parked after ten failures, is tried again "
        "at once.",
    .examples = {"datasurface resume YellowLive/Store1"},
    .run = run_resume,
};

const ds_cli_command COMMAND_TRIGGER = {
    .name = "trigger",
    .summary = "make a stream due now",
    .group = "The work",
    .arguments = STREAM_ARGUMENT,
    .help =
        "Whichever `run` works on the merge database makes a batch that begins after this. Streams with an external "
        "trigger run only so; others run beside their schedule. A paused stream waits for resume. A program does the "
        "same with a row in the control table `trigger`.",
    .examples = {"datasurface trigger YellowLive/Store1"},
    .run = run_trigger,
};

const ds_cli_command COMMAND_RESNAPSHOT = {
    .name = "resnapshot",
    .summary = "have the next batch re-read and repair everything",
    .group = "Repair and help",
    .arguments = STREAM_ARGUMENT,
    .help =
        "The next batch takes nothing for granted: it reads the whole source, compares it with the stored values and "
        "repairs what differs.",
    .examples = {"datasurface resnapshot YellowLive/Store1"},
    .run = run_resnapshot,
};

const ds_cli_command COMMAND_RESET = {
    .name = "reset",
    .summary = "abandon a stream's open batch",
    .group = "Repair and help",
    .arguments = STREAM_ARGUMENT,
    .options = RESET_OPTIONS,
    .help =
        "Deletes the staging rows of the batch that is open, and nothing else; it starts over at the next run. Never "
        "needed after a crash: every run finishes what was left.",
    .examples = {"datasurface reset YellowLive/Store1 --dry-run"},
    .run = run_reset,
};
