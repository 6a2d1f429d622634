#include "yellow/streams.h"

#include "yellow/control/control.h"

// --- which there are

ds_stream_info streams_info(ds_arena *arena, const ds_stream_def *def)
{
    const char **inputs = ARENA_ARRAY(arena, const char *, def->input_count);
    const char **datasets = ARENA_ARRAY(arena, const char *, def->dataset_count);
    for (size_t i = 0; i < def->input_count; i++)
        inputs[i] = def->inputs[i].stream;
    for (size_t i = 0; i < def->dataset_count; i++)
        datasets[i] = def->datasets[i].name;
    return (ds_stream_info){.name = def->name,
                            .service = def->service,
                            .platform = def->platform,
                            .store = def->store,
                            .priority = def->priority,
                            .cron = def->cron ? def->cron : "",
                            .timezone = def->timezone ? def->timezone : "",
                            .external = def->external,
                            .inputs = inputs,
                            .input_count = def->input_count,
                            .datasets = datasets,
                            .dataset_count = def->dataset_count,
                            .primary = def->primary,
                            .watermark = def->watermark};
}

static ds_stream_info applied_info(const ds_stream_row *row, ds_arena *arena)
{
    ds_stream_info info = streams_info(arena, row->def);
    info.paused = row->paused;
    info.removed = row->removed;
    return info;
}

static ds_rc read_streams(ds_control *control, const char *only, ds_arena *arena, ds_streams *out, ds_error *err)
{
    ds_stream_row *rows;
    size_t n = 0;
    if (only) {
        TRY(control_stream(control, only, arena, &rows, err));
        n = rows != NULL;
    } else
        TRY(control_streams(control, arena, &rows, &n, err));
    ds_applied_model last;
    TRY(control_applied_last(control, arena, &last, err));
    out->tree_id = last.tree_id;
    out->v = ARENA_ARRAY(arena, ds_stream_info, n);
    for (size_t i = 0; i < n; i++)
        out->v[out->n++] = applied_info(&rows[i], arena);
    return DS_DONE;
}

ds_rc streams_applied(const ds_runtime *runtime, const ds_container_def *merge, const char *only, ds_arena *arena,
                      ds_streams *out, ds_error *err)
{
    *out = (ds_streams){.tree_id = ""};
    CLEANUP(control_closep) ds_control *control = NULL;
    TRY(control_open_applied(runtime, merge, &control, &out->why, err));
    out->nothing = !control;
    if (out->nothing)
        return DS_DONE;
    return read_streams(control, only, arena, out, err);
}

// --- what they are told

// What has failed is tried again at once.
static ds_rc resume(ds_control *control, const char *stream, ds_error *err)
{
    TRY(control_set_paused(control, stream, false, err));
    return control_retry_now(control, stream, err);
}

static ds_rc tell(ds_control *control, const char *stream, ds_stream_order order, ds_error *err)
{
    switch (order) {
    case STREAM_PAUSE:
        return control_set_paused(control, stream, true, err);
    case STREAM_RESUME:
        return resume(control, stream, err);
    case STREAM_TRIGGER:
        return control_trigger(control, stream, err);
    case STREAM_RESNAPSHOT:
        return control_set_resnapshot(control, stream, true, err);
    }
    BUG("order %d", (int)order);
}

ds_rc streams_tell(const ds_runtime *runtime, const ds_container_def *merge, const char *stream, ds_stream_order order,
                   ds_error *err)
{
    CLEANUP(control_closep) ds_control *control = NULL;
    TRY(control_open(runtime, merge, CONTROL_WRITE, &control, err));
    TRY(store_begin(control->db, BEGIN_WRITE, err));
    ds_rc rc = tell(control, stream, order, err);
    if (rc.code == DS_OK)
        return store_commit(control->db, err);
    store_rollback(control->db);
    return rc;
}
