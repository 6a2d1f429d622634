// A dataset goes from one stream of its store to the other, since the store's consistency has changed. Its rows stay
// where they are, and so does the record of their batches: views and history read it in both streams (the definition's
// `former`). The stream that takes it over begins with a batch of its own, in which nothing has changed, and which says
// what the next one has to know.
#include <inttypes.h>

#include "yellow/control/control_tables.h"
#include "yellow/def/def_json.h"

// --- into a stream

static int64_t max_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// How far a mirror is with a dataset: as its last batch says, or as that in which it came there says of each.
static void add_position(ds_arena *arena, const ds_batch_row *last, const char *dataset, json_t *datasets)
{
    json_t *position = json_loads(last->position, 0, NULL);
    json_t *at = json_object_get(json_object_get(position, "datasets"), dataset);
    at = at ? json_incref(at) : json_string(arena_printf(arena, "%" PRId64, last->id));
    ds_assert(json_object_set_new(datasets, dataset, at) == 0);
    json_decref(position);
}

// The number of the batch, 0 when nothing has been committed yet. A mirror's are its primary's: it makes none up.
static ds_rc number_of(ds_control *control, const ds_stream_def *to, const ds_moving *moving, size_t n, ds_arena *arena,
                       json_t *datasets, int64_t *out, ds_error *err)
{
    ds_batch_row *last;
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        if (to->primary && !moving[i].state.batch)
            continue;
        TRY(control_last_batch(control, moving[i].from, true, arena, &last, err));
        *out = last ? max_of(*out, last->id) : *out;
        if (last && moving[i].state.batch)
            add_position(arena, last, moving[i].dataset, datasets);
    }
    if (!*out || to->primary)
        return DS_DONE;
    TRY(control_last_batch(control, to->name, false, arena, &last, err));
    *out = max_of(*out, last ? last->id : 0) + 1;
    return DS_DONE;
}

static ds_fingerprint sum_of(const ds_moving *moving, size_t n)
{
    ds_fingerprint sum = {0};
    for (size_t i = 0; i < n; i++)
        fingerprint_merge(&sum, moving[i].state.fingerprint);
    return sum;
}

// A mirror that comes back before its primary has gone on has the row already.
static ds_rc put_batch(ds_control *control, const char *stream, int64_t batch, ds_fingerprint after,
                       const char *position, ds_error *err)
{
    int64_t now;
    TRY(store_now(control->db, &now, err));
    char sum[FINGERPRINT_TEXT];
    fingerprint_print(after, sum);
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, control->names.batch);
    SQL(&q, " (stream, batch_id, status, started_at, committed_at, fingerprint_rows, fingerprint, position, tree_id) "
            "VALUES (");
    sql_text(&q, stream);
    SQL(&q, ", ");
    sql_int(&q, batch);
    SQL(&q, ", 'committed', ");
    control_sql_time(&q, now);
    SQL(&q, ", ");
    control_sql_time(&q, now);
    SQL(&q, ", ");
    sql_int(&q, after.rows);
    SQL(&q, ", ");
    sql_text(&q, sum);
    SQL(&q, ", ");
    sql_text(&q, position);
    SQL(&q, ", ");
    sql_text(&q, control->runtime->tree_id);
    SQL(&q, ") ON CONFLICT (stream, batch_id) DO UPDATE SET position = excluded.position, "
            "fingerprint_rows = excluded.fingerprint_rows, fingerprint = excluded.fingerprint");
    return store_exec(control->db, &q, NULL, err);
}

static ds_rc put_dataset(ds_control *control, const char *stream, int64_t batch, const ds_moving *moving, ds_error *err)
{
    const ds_dataset_state *state = &moving->state;
    char sum[FINGERPRINT_TEXT];
    fingerprint_print(state->fingerprint, sum);
    const char *const TEXTS[] = {sum, state->key, state->checks, state->position[0] ? state->position : NULL};
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, control->names.dataset_batch);
    SQL(&q, " (stream, batch_id, dataset, fingerprint_rows, fingerprint, key_columns, checks, position) VALUES (");
    sql_text(&q, stream);
    SQL(&q, ", ");
    sql_int(&q, batch);
    SQL(&q, ", ");
    sql_text(&q, moving->dataset);
    SQL(&q, ", ");
    sql_int(&q, state->fingerprint.rows);
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        SQL(&q, ", ");
        sql_text(&q, TEXTS[i]);
    }
    SQL(&q, ") ON CONFLICT (stream, batch_id, dataset) DO NOTHING");
    return store_exec(control->db, &q, NULL, err);
}

static ds_rc put_batches(ds_control *control, const ds_stream_def *to, const ds_moving *moving, size_t n,
                         ds_arena *arena, json_t *position, ds_error *err)
{
    int64_t batch;
    json_t *datasets = json_object();
    ds_assert(json_object_set_new(position, "datasets", datasets) == 0);
    TRY(number_of(control, to, moving, n, arena, datasets, &batch, err));
    if (!batch)
        return DS_DONE;
    const char *text = to->primary ? def_json_text(arena, position) : "";
    TRY(put_batch(control, to->name, batch, sum_of(moving, n), text, err));
    for (size_t i = 0; i < n; i++)
        if (moving[i].state.batch)
            TRY(put_dataset(control, to->name, batch, &moving[i], err));
    return DS_DONE;
}

ds_rc control_move_in(ds_control *control, const ds_stream_def *to, const ds_moving *moving, size_t n, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    json_t *position = json_object();
    ds_rc rc = put_batches(control, to, moving, n, arena, position, err);
    json_decref(position);
    return rc;
}

// --- out of a stream

static bool is_named(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static const ds_stream_def *without(ds_arena *arena, const ds_stream_def *def, const char *const *names, size_t n)
{
    ds_stream_def *out = ARENA_NEW(arena, ds_stream_def);
    ds_dataset_def *left = ARENA_ARRAY(arena, ds_dataset_def, def->dataset_count);
    *out = *def;
    out->datasets = left;
    out->dataset_count = 0;
    for (size_t i = 0; i < def->dataset_count; i++)
        if (!is_named(names, n, def->datasets[i].name))
            left[out->dataset_count++] = def->datasets[i];
    return out;
}

static ds_rc retired_without(ds_control *control, const char *stream, const char *const *names, size_t n,
                             ds_arena *arena, const char **out, ds_error *err)
{
    TRY(control_retired(control, stream, arena, out, err));
    json_t *list = json_loads(*out, 0, NULL);
    if (!list)
        return ds_fail(err, DS_FINDING, "stream %s: its retired datasets are no JSON", stream);
    for (size_t i = json_array_size(list); i-- > 0;) {
        const char *name = json_string_value(json_object_get(json_array_get(list, i), "name"));
        if (name && is_named(names, n, name))
            ds_assert(json_array_remove(list, i) == 0);
    }
    *out = def_json_text(arena, list);
    json_decref(list);
    return DS_DONE;
}

// Nothing of what it had read is left: its datasets are read anew elsewhere.
static ds_rc withdraw_open(ds_control *control, const char *stream, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "DELETE FROM ");
    sql_relation(&q, control->names.dataset_batch);
    SQL(&q, " WHERE stream = ");
    sql_text(&q, stream);
    SQL(&q, " AND batch_id IN (SELECT batch_id FROM ");
    sql_relation(&q, control->names.batch);
    SQL(&q, " WHERE status <> 'committed' AND stream = ");
    sql_text(&q, stream);
    SQL(&q, ")");
    TRY(store_exec(control->db, &q, NULL, err));
    sql_clear(&q);
    SQL(&q, "DELETE FROM ");
    sql_relation(&q, control->names.batch);
    SQL(&q, " WHERE status <> 'committed' AND stream = ");
    sql_text(&q, stream);
    return store_exec(control->db, &q, NULL, err);
}

ds_rc control_move_out(ds_control *control, const char *stream, const char *const *names, size_t n, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_stream_row *row;
    const char *retired;
    TRY(control_stream(control, stream, arena, &row, err));
    if (!row)
        return ds_fail(err, DS_USAGE, "no stream \"%s\"", stream);
    const ds_stream_def *left = without(arena, row->def, names, n);
    TRY(retired_without(control, stream, names, n, arena, &retired, err));
    TRY(control_put_stream(control, left, err));
    TRY(control_put_retired(control, stream, retired, err));
    TRY(control_mark_removed(control, stream, true, err));
    for (size_t i = 0; i < n; i++)
        TRY(control_delete_restart(control, stream, names[i], err));
    return left->dataset_count ? DS_DONE : withdraw_open(control, stream, err);
}
