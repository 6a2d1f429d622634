#include "yellow/record.h"

#include "yellow/control/control.h"
#include "yellow/job/watermark.h"

// --- how streams stand

static ds_rc read_loads(ds_control *control, const char *stream, ds_arena *arena, ds_stream_status *out, ds_error *err)
{
    ds_restart *restarts;
    TRY(control_restarts(control, stream, arena, &restarts, &out->load_count, err));
    out->loads = ARENA_ARRAY(arena, ds_load_status, out->load_count);
    for (size_t i = 0; i < out->load_count; i++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(1024);
        control_restart_text(&restarts[i], &text);
        out->loads[i] = (ds_load_status){
            .dataset = restarts[i].dataset,
            .rows_loaded = restarts[i].rows_loaded,
            .rows_estimate = restarts[i].rows_estimate,
            .text = arena_strdup(arena, buf_text(&text)),
        };
    }
    return DS_DONE;
}

static ds_rc read_watermarks(ds_control *control, const char *stream, ds_arena *arena, ds_stream_status *out,
                             ds_error *err)
{
    ds_stream_row *row;
    TRY(control_stream(control, stream, arena, &row, err));
    const ds_stream_def *def = row ? row->def : NULL;
    if (!def || !def->watermark) // it was, a moment ago
        return DS_DONE;
    ds_dataset_state *states;
    TRY(control_dataset_states(control, def, arena, &states, err));
    out->watermark_count = def->dataset_count;
    out->watermarks = ARENA_ARRAY(arena, ds_watermark_status, def->dataset_count);
    for (size_t i = 0; i < def->dataset_count; i++) {
        ds_position position = position_decode(arena, states[i].position);
        out->watermarks[i] = (ds_watermark_status){
            .dataset = def->datasets[i].name,
            .column = def->watermark,
            .value = position_watermark(arena, &position, watermark_column(def, &def->datasets[i])),
            .swept_at = position.swept_at,
        };
    }
    return DS_DONE;
}

// What is asked once, of all streams.
typedef struct standing {
    ds_map *last, *committed; // name -> ds_batch_row
    ds_map *restarting;
} standing;

static ds_rc read_standing(ds_control *control, ds_arena *arena, standing *out, ds_error *err)
{
    TRY(control_newest_batches(control, false, arena, &out->last, err));
    TRY(control_newest_batches(control, true, arena, &out->committed, err));
    return control_restarting(control, arena, &out->restarting, err);
}

static ds_rc read_status(ds_control *control, const standing *all, const ds_stream_info *stream, ds_arena *arena,
                         ds_stream_status *out, ds_error *err)
{
    *out = (ds_stream_status){.last = map_get(all->last, stream->name),
                              .committed = map_get(all->committed, stream->name)};
    if (map_get(all->restarting, stream->name))
        TRY(read_loads(control, stream->name, arena, out, err));
    return stream->watermark ? read_watermarks(control, stream->name, arena, out, err) : DS_DONE;
}

ds_rc record_status(const ds_runtime *runtime, const ds_container_def *merge, const ds_stream_info *const *streams,
                    size_t n, ds_arena *arena, ds_stream_status *out, ds_error *err)
{
    CLEANUP(control_closep) ds_control *control = NULL;
    standing all;
    TRY(control_open(runtime, merge, CONTROL_READ, &control, err));
    TRY(read_standing(control, arena, &all, err));
    for (size_t i = 0; i < n; i++)
        TRY(read_status(control, &all, streams[i], arena, &out[i], err));
    return DS_DONE;
}

ds_rc record_batches(const ds_runtime *runtime, const ds_container_def *merge, const char *stream, int64_t limit,
                     ds_arena *arena, ds_batch_row **out, size_t *n, ds_error *err)
{
    CLEANUP(control_closep) ds_control *control = NULL;
    TRY(control_open(runtime, merge, CONTROL_READ, &control, err));
    return control_batches(control, stream, limit, arena, out, n, err);
}

// --- models and branches

ds_rc record_applied(const ds_runtime *runtime, const ds_container_def *merge, ds_arena *arena, ds_applied_model *out,
                     ds_error *err)
{
    CLEANUP(control_closep) ds_control *control = NULL;
    ds_error why;
    *out = (ds_applied_model){"", ""};
    TRY(control_open_applied(runtime, merge, &control, &why, err));
    return control ? control_applied_last(control, arena, out, err) : DS_DONE;
}

ds_rc record_follows(const ds_runtime *runtime, const ds_container_def *merge, ds_arena *arena, ds_follow_row **out,
                     size_t *n, ds_error *err)
{
    CLEANUP(control_closep) ds_control *control = NULL;
    ds_error why;
    *n = 0;
    TRY(control_open_applied(runtime, merge, &control, &why, err));
    return control ? control_follows(control, arena, out, n, err) : DS_DONE;
}

ds_rc record_note_follow(const ds_runtime *runtime, const ds_container_def *merge, const ds_follow_row *row,
                         ds_error *err)
{
    CLEANUP(control_closep) ds_control *control = NULL;
    bool news;
    TRY(control_open(runtime, merge, CONTROL_WRITE, &control, err));
    return control_put_follow(control, row, &news, err);
}
