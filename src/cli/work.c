#include "cli/work.h"

#include "cli/output.h"
#include "cli/progress_terminal.h"

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
        if (strcmp(o->streams[i].info.name, name) == 0) {
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
    const ds_stream_info *info = &o->streams[i].info;
    for (size_t k = 0; k < info->input_count; k++) {
        size_t at;
        if (find_stream(o, info->inputs[k], &at))
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
            if ((int)streams[i].info.priority == priority)
                put_after_inputs(&o, i);
    return o.out;
}

// --- work

static ds_rc run_shown(const ds_session *session, work_item *item, const ds_job_options *options, ds_error *err)
{
    const ds_applied_stream *stream = item->stream;
    ds_runtime runtime = session->runtime;
    ds_progress_terminal terminal;
    progress_terminal_open(&terminal);
    if (progress_terminal_is_there())
        runtime.progress = &terminal.progress;
    ds_rc rc =
        stream->type->run(&runtime, stream->merge, stream->info.name, options, session->cli->arena, &item->result, err);
    progress_terminal_close(&terminal);
    return rc;
}

static ds_rc run_cycle(const ds_session *session, work_item *item, const ds_job_options *options, ds_error *err)
{
    const char *name = item->stream->info.name;
    ds_rc rc = run_shown(session, item, options, err);
    return rc.code != DS_OK && !strstr(err->text, name) ? ds_context(rc, err, "stream %s", name) : rc;
}

// A failure stands on the batch that it left open. Where that can't be read, the failure itself says enough.
static void look_at_batch(const ds_session *session, work_item *item)
{
    const ds_applied_stream *stream = item->stream;
    ds_batch_row *last;
    size_t n = 0;
    ds_error ignored = {0};
    if (!stream->type->batches || stream->type
                                          ->batches(&session->runtime, stream->merge, stream->info.name, 1,
                                                    session->cli->arena, &last, &n, &ignored)
                                          .code != DS_OK)
        return;
    if (n == 0 || last->committed_at)
        return;
    item->open = last->id;
    item->guarded = last->guarded;
}

ds_rc work_run_one(ds_session *session, work_item *item, const ds_job_options *options, ds_error *err)
{
    ds_rc rc = run_cycle(session, item, options, err);
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
        item->skipped = item->stream->info.paused && !options->verify;
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
            diagnostic_add(session->cli, item->stream->info.name, &err);
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

void work_put_counts(json_t *to, const ds_counts *counts, double seconds)
{
    json_object_set_new(to, "read", json_int64(counts->read));
    json_object_set_new(to, "inserted", json_int64(counts->inserted));
    json_object_set_new(to, "updated", json_int64(counts->updated));
    json_object_set_new(to, "deleted", json_int64(counts->deleted));
    json_object_set_new(to, "unchanged", json_int64(counts->unchanged));
    json_object_set_new(to, "bytes", json_int64(counts->bytes));
    json_object_set_new(to, "seconds", json_real(seconds));
}

static json_t *datasets_json(const ds_job_result *result)
{
    json_t *list = json_array();
    for (size_t i = 0; i < result->n; i++) {
        const ds_dataset_result *d = &result->datasets[i];
        json_t *dataset = json_pack("{s:o, s:b}", "dataset", json_text(d->dataset), "first_load", (int)d->first_load);
        work_put_counts(dataset, &d->counts, d->seconds);
        json_array_append_new(list, dataset);
    }
    return list;
}

json_t *work_item_json(const work_item *item)
{
    const ds_job_result *r = &item->result;
    bool went_well = item->error.code == DS_OK;
    int64_t batch = went_well ? r->batch : item->open;
    const char *note = item->skipped ? "paused" : r->note ? r->note : "";
    json_t *json =
        json_pack("{s:o, s:o, s:o, s:s}", "stream", json_text(item->stream->info.name), "batch",
                  batch ? json_int64(batch) : json_null(), "note", json_text(note), "status", work_item_status(item));
    work_put_counts(json, &r->counts, r->seconds);
    json_object_set_new(json, "datasets", datasets_json(r));
    json_object_set_new(json, "error", json_text(went_well ? NULL : item->error.text));
    return json;
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
