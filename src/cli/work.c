#include "cli/work.h"

#include <unistd.h>

#include "base/clock.h"
#include "cli/output.h"

// --- order

typedef struct orderer {
    const ds_applied_stream *streams;
    size_t n;
    bool *seen;
    work_list out;
} orderer;

static const ds_applied_stream *find_stream(const orderer *o, const char *name, size_t *at)
{
    for (size_t i = 0; i < o->n; i++)
        if (strcmp(o->streams[i].row.name, name) == 0) {
            *at = i;
            return &o->streams[i];
        }
    return NULL;
}

// Depth first: inputs before what reads them. A circle is cut where it is met again.
static void put_after_inputs(orderer *o, size_t i)
{
    if (o->seen[i])
        return;
    o->seen[i] = true;
    const ds_stream_def *def = o->streams[i].row.def;
    for (size_t k = 0; k < def->input_count; k++) {
        size_t at;
        if (find_stream(o, def->inputs[k].stream, &at))
            put_after_inputs(o, at);
    }
    o->out.v[o->out.n++].stream = &o->streams[i];
}

work_list work_order(ds_arena *arena, const ds_applied_stream *streams, size_t n)
{
    orderer o = {.streams = streams, .n = n, .seen = ARENA_ARRAY(arena, bool, n)};
    o.out.v = ARENA_ARRAY(arena, work_item, n);
    for (int priority = PRIORITY_CRITICAL; priority >= PRIORITY_LOW; priority--)
        for (size_t i = 0; i < n; i++)
            if ((int)streams[i].row.def->priority == priority)
                put_after_inputs(&o, i);
    return o.out;
}

// --- progress: one line on stderr that is written over

typedef struct progress_line {
    double next_s;
    bool shown;
} progress_line;

static void show_rows(void *context, const char *stream, const char *dataset, int64_t rows_read, int64_t total)
{
    progress_line *line = context;
    double now_s = clock_elapsed_s();
    if (now_s < line->next_s)
        return;
    line->next_s = now_s + 0.2;
    line->shown = true;
    if (total > 0)
        fprintf(stderr, "\r\033[K%s %s: %lld of about %lld rows", stream, dataset, (long long)rows_read,
                (long long)total);
    else
        fprintf(stderr, "\r\033[K%s %s: %lld rows", stream, dataset, (long long)rows_read);
}

static void clear_line(const progress_line *line)
{
    if (line->shown)
        fputs("\r\033[K", stderr);
}

// --- work

static ds_rc run_cycle(const ds_runtime *runtime, ds_arena *arena, work_item *item, const ds_job_options *options,
                       ds_error *err)
{
    const char *name = item->stream->row.name;
    ds_rc rc = job_run(runtime, item->stream->merge, name, options, arena, &item->result, err);
    return rc.code != DS_OK && !strstr(err->text, name) ? ds_context(rc, err, "stream %s", name) : rc;
}

// A failure stands on the batch that it left open. Where that can't be read, the failure itself says enough.
static void look_at_batch(const ds_session *session, work_item *item)
{
    CLEANUP(control_closep) ds_control *control = NULL;
    ds_batch_row *last = NULL;
    ds_error ignored = {0};
    ds_rc rc = control_open(&session->runtime, item->stream->merge, CONTROL_READ, &control, &ignored);
    if (rc.code == DS_OK)
        rc = control_last_batch(control, item->stream->row.name, false, session->cli->arena, &last, &ignored);
    if (rc.code != DS_OK || !last || last->committed_at)
        return;
    item->open = last->id;
    item->guarded = last->guarded;
}

ds_rc work_run_one(ds_session *session, work_item *item, const ds_job_options *options, ds_error *err)
{
    ds_runtime runtime = session->runtime;
    progress_line line = {.next_s = clock_elapsed_s() + 0.5};
    ds_progress progress = {.context = &line, .rows = show_rows};
    if (isatty(STDERR_FILENO))
        runtime.progress = &progress;
    ds_rc rc = run_cycle(&runtime, session->cli->arena, item, options, err);
    clear_line(&line);
    item->error = *err;
    item->error.code = rc.code;
    if (rc.code == DS_FINDING || rc.code == DS_ENV)
        look_at_batch(session, item);
    return rc;
}

void work_run(ds_session *session, work_list *list, const ds_job_options *options)
{
    for (size_t i = 0; i < list->n; i++) {
        work_item *item = &list->v[i];
        item->skipped = item->stream->row.paused && !options->verify;
        if (item->skipped)
            continue;
        if (runtime_cancelled(&session->runtime)) {
            list->worst = DS_CANCELLED;
            list->n = i;
            return;
        }
        ds_error err = {0};
        ds_rc rc;
        do
            rc = work_run_one(session, item, options, &err);
        while (rc.code == DS_OK && item->result.keep_working && !runtime_cancelled(&session->runtime));
        if (rc.code == DS_OK)
            continue;
        if (rc.code != DS_CANCELLED) {
            error_report(session->cli, &err);
            diagnostic_add(session->cli, item->stream->row.name, &err);
        }
        list->worst = list->worst == DS_OK ? rc.code : error_worse(list->worst, rc.code);
    }
}

const char *work_item_status(const work_item *item)
{
    if (item->skipped)
        return "paused";
    if (item->error.code != DS_OK)
        return item->guarded ? "guarded" : "failed";
    return item->result.batch ? "committed" : "none";
}

json_t *work_item_json(const work_item *item)
{
    const ds_job_result *r = &item->result;
    int64_t batch = item->error.code == DS_OK ? r->batch : item->open;
    return json_pack("{s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:f, s:o}", "stream", item->stream->row.name,
                     "batch", batch ? json_int64(batch) : json_null(), "note",
                     item->skipped ? "paused"
                     : r->note     ? r->note
                                   : "",
                     "status", work_item_status(item), "read", json_int64(r->counts.read), "inserted",
                     json_int64(r->counts.inserted), "updated", json_int64(r->counts.updated), "deleted",
                     json_int64(r->counts.deleted), "unchanged", json_int64(r->counts.unchanged), "seconds", r->seconds,
                     "error", json_text(item->error.code == DS_OK ? NULL : item->error.text));
}

ds_rc work_finish(ds_cli *cli, const work_list *list, ds_error *err)
{
    if (list->worst == DS_CANCELLED)
        return ds_hint(ds_fail(err, DS_CANCELLED, "interrupted before all streams were done"), err,
                       "run it again: it goes on where it stopped");
    if (list->worst != DS_OK)
        cli->exit = error_exit_code(list->worst);
    return DS_DONE;
}
