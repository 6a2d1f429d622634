#include "cli/commands.h"
#include "cli/output.h"
#include "cli/session.h"

static const ds_option OPTIONS[] = {
    {"limit", 0, OPTION_INT, "N", .fallback = "20", .help = "how many, newest first", .least = 1, .most = 1000000},
    {0},
};

static const char *status_of(const ds_batch_row *batch)
{
    return batch->guarded ? "guarded" : batch->error ? "failed" : batch->status;
}

static json_t *batch_json(const ds_batch_row *b)
{
    char sum[FINGERPRINT_TEXT];
    fingerprint_print(b->fingerprint, sum);
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "batch", json_int64(b->id), "status",
                     status_of(b), "started_at", json_time(b->started_at), "ended_at", json_time(b->committed_at),
                     "read", json_int64(b->counts.read), "inserted", json_int64(b->counts.inserted), "updated",
                     json_int64(b->counts.updated), "deleted", json_int64(b->counts.deleted), "unchanged",
                     json_int64(b->counts.unchanged), "fingerprint", b->committed_at ? json_string(sum) : json_null(),
                     "error", json_text(b->error));
}

static void add_row(ds_cli *cli, ds_table *table, const ds_batch_row *b)
{
    char sum[FINGERPRINT_TEXT];
    fingerprint_print(b->fingerprint, sum);
    table_row(table);
    table_int(table, 0, b->id);
    table_cell(table, 1, "%s", status_of(b));
    table_cell(table, 2, "%s", time_text(cli->arena, b->committed_at ? b->committed_at : b->started_at));
    const int64_t counts[] = {b->counts.read, b->counts.inserted, b->counts.updated, b->counts.deleted,
                              b->counts.unchanged};
    for (size_t i = 0; i < 5 && b->committed_at; i++)
        table_int(table, 3 + i, counts[i]);
    if (b->committed_at)
        table_cell(table, 8, "%.12s…", sum);
    if (b->error)
        table_cell(table, 9, "%s", b->error);
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    static const char *const HEADINGS[] = {">batch",   "status",     "when",        ">read", ">inserted", ">updated",
                                           ">deleted", ">unchanged", "fingerprint", "error", NULL};
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    ds_applied_stream *stream;
    TRY(session_stream_ever(&session, args_word(&cli->args, 0), &stream, err));
    if (!stream->type->batches)
        return ds_fail(err, DS_USAGE, "%s is of a platform that keeps no record of batches", stream->info.name);
    ds_batch_row *batches;
    size_t n;
    TRY(stream->type->batches(&session.runtime, stream->merge, stream->info.name, args_int(&cli->args, "limit", 20),
                              cli->arena, &batches, &n, err));
    ds_table table = table_new(cli->arena, HEADINGS);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        add_row(cli, &table, &batches[i]);
        json_array_append_new(list, batch_json(&batches[i]));
    }
    cli->result = json_pack("{s:s, s:o}", "stream", stream->info.name, "batches", list);
    if (!cli->json && n)
        table_print(cli, &table, "");
    else if (!cli->json)
        fprintf(cli->out, "%s has no batches yet\n", stream->info.name);
    return DS_DONE;
}

const ds_cli_command COMMAND_BATCHES = {
    .name = "batches",
    .summary = "a stream's batches, newest first",
    .group = "The results",
    .arguments = {{.name = "STREAM", .help = "PLATFORM/STORE, or PLATFORM/STORE/DATASET"}},
    .options = OPTIONS,
    .help =
        "Lists batches with their counts of source rows and the fingerprint of all rows after the batch (shortened; "
        "whole with --format json).",
    .examples = {"datasurface batches YellowLive/Store1 --limit 5"},
    .run = run,
};
