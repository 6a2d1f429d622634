#include "yellow/streams.h"

#include "yellow/control/control.h"

// --- which there are

static ds_stream_info stream_info(const ds_stream_row *row, ds_arena *arena)
{
    const ds_stream_def *def = row->def;
    const char **inputs = ARENA_ARRAY(arena, const char *, def->input_count);
    for (size_t i = 0; i < def->input_count; i++)
        inputs[i] = def->inputs[i].stream;
    return (ds_stream_info){.name = row->name,
                            .service = def->service,
                            .platform = def->platform,
                            .priority = def->priority,
                            .inputs = inputs,
                            .input_count = def->input_count,
                            .paused = row->paused,
                            .removed = row->removed,
                            .own = row};
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
        if (!rows[i].removed || rows[i].def->dataset_count) // else it is the record of what is elsewhere now
            out->v[out->n++] = stream_info(&rows[i], arena);
    return DS_DONE;
}

ds_rc streams_applied(const ds_runtime *runtime, const ds_container_def *merge, const char *only, ds_arena *arena,
                      ds_streams *out, ds_error *err)
{
    *out = (ds_streams){.tree_id = ""};
    CLEANUP(control_closep) ds_control *control = NULL;
    ds_rc rc = control_open(runtime, merge, CONTROL_READ, &control, err);
    bool wants_apply = false;
    ds_error ignored = {0};
    if (rc.code == DS_FINDING && control_wants_apply(runtime, merge, &wants_apply, &ignored).code == DS_OK &&
        wants_apply) {
        out->nothing = true;
        out->why = *err;
        *err = (ds_error){0};
        return DS_DONE;
    }
    TRY(rc);
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
