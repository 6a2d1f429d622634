// What is read and written of `restart`. A point is JSON: {"format": 1, "phase": "ranges", "batch_in": 7,
// "rows_estimate": 50000000, "definition": "…", "last": ["12", "'x'"]}.
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "yellow/control/control_tables.h"

enum { POINT_FORMAT = 1, DEFINITION_MAX = 16 << 20 };
static const char *const PHASES[] = {"ranges", "indexes", "join"};
enum { PHASE_COUNT = sizeof PHASES / sizeof PHASES[0] };

const char *control_table_id(ds_arena *arena, const ds_stream_def *def, const ds_dataset_def *dataset)
{
    const ds_shape *shape = dataset->shape;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(DEFINITION_MAX);
    buf_printf(&text, "%d", (int)def->milestoning);
    for (size_t i = 0; i < shape->n; i++) {
        buf_printf(&text, "\n%s\n%s\n%d", shape->columns[i].name, shape->columns[i].source, shape->columns[i].not_null);
        type_print(shape->columns[i].type, &text);
    }
    for (size_t i = 0; i < shape->key_count; i++)
        buf_printf(&text, "\n%d", (int)shape->key[i]);
    unsigned char hash[16];
    hash_store(row_hash(buf_str(&text)), hash);
    CLEANUP(buf_release) ds_buf hex = BUF_INIT(2 * sizeof hash + 1);
    buf_put_hex(&hex, hash, sizeof hash);
    return arena_strdup(arena, buf_text(&hex));
}

// --- reading

static bool take_phase(const json_t *point, ds_restart_phase *out)
{
    const char *text = json_string_value(json_object_get(point, "phase"));
    for (int i = 0; text && i < PHASE_COUNT; i++) {
        if (strcmp(PHASES[i], text) != 0)
            continue;
        *out = (ds_restart_phase)i;
        return true;
    }
    return false;
}

static bool take_last(const json_t *list, ds_arena *arena, ds_restart *out)
{
    out->last_count = json_array_size(list);
    if (out->last_count == 0)
        return true;
    const char **last = ARENA_ARRAY(arena, const char *, out->last_count);
    for (size_t i = 0; i < out->last_count; i++) {
        const char *value = json_string_value(json_array_get(list, i));
        if (!value)
            return false;
        last[i] = arena_strdup(arena, value);
    }
    out->last = last;
    return true;
}

// *definition is the id of the definition that the load began with.
static bool take_point(const char *text, ds_arena *arena, ds_restart *out, const char **definition)
{
    json_t *point = json_loads(text, 0, NULL);
    const char *id = json_string_value(json_object_get(point, "definition"));
    bool good = json_integer_value(json_object_get(point, "format")) == POINT_FORMAT && id &&
                take_phase(point, &out->phase) && take_last(json_object_get(point, "last"), arena, out);
    out->batch_in = json_integer_value(json_object_get(point, "batch_in"));
    out->rows_estimate = json_integer_value(json_object_get(point, "rows_estimate"));
    *definition = arena_strdup(arena, id ? id : "");
    json_decref(point);
    return good && out->batch_in > 0;
}

static ds_rc damaged(const ds_control *control, const char *stream, const char *dataset, ds_error *err)
{
    return ds_hint(ds_fail(err, DS_FINDING, "damaged control table: the restart point of %s/%s can't be read", stream,
                           dataset),
                   err, "delete that row of %s: the load of the dataset begins anew", control->names.restart.name);
}

static ds_rc read_restarts(ds_control *control, const char *stream, ds_arena *arena, ds_result *out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "SELECT dataset, point, rows_loaded FROM ");
    sql_relation(&q, control->names.restart);
    SQL(&q, " WHERE stream = ");
    sql_text(&q, stream);
    SQL(&q, " ORDER BY dataset");
    return store_query(control->db, &q, arena, out, err);
}

ds_rc control_restarts(ds_control *control, const char *stream, ds_arena *arena, ds_restart **out, size_t *n,
                       ds_error *err)
{
    ds_result r;
    TRY(read_restarts(control, stream, arena, &r, err));
    ds_restart *rows = ARENA_ARRAY(arena, ds_restart, r.rows);
    for (size_t i = 0; i < r.rows; i++) {
        const char *definition;
        rows[i].dataset = result_text(&r, i, 0);
        rows[i].rows_loaded = result_int(&r, i, 2);
        if (!take_point(result_text(&r, i, 1), arena, &rows[i], &definition))
            return damaged(control, stream, rows[i].dataset, err);
    }
    *out = rows;
    *n = r.rows;
    return DS_DONE;
}

ds_rc control_restarting(ds_control *control, ds_arena *arena, ds_map **out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "SELECT DISTINCT stream FROM ");
    sql_relation(&q, control->names.restart);
    ds_result r;
    TRY(store_query(control->db, &q, arena, &r, err));
    *out = map_new(arena);
    for (size_t i = 0; i < r.rows; i++)
        map_set(*out, result_text(&r, i, 0), control);
    return DS_DONE;
}

void control_restart_text(const ds_restart *restart, ds_buf *out)
{
    buf_printf(out, "%s: %" PRId64, restart->dataset, restart->rows_loaded);
    switch (restart->phase) {
    case RESTART_RANGES:
        buf_printf(out, " of about %" PRId64 " rows are loaded", restart->rows_estimate);
        return;
    case RESTART_INDEXES:
        buf_puts(out, " rows are loaded, indexes are next");
        return;
    case RESTART_JOIN:
        buf_puts(out, " rows are loaded, the next batch compares them");
        return;
    }
    BUG("phase %d", (int)restart->phase);
}

// --- writing

static const ds_dataset_def *dataset_named(const ds_stream_def *def, const char *name)
{
    for (size_t i = 0; i < def->dataset_count; i++)
        if (strcmp(def->datasets[i].name, name) == 0)
            return &def->datasets[i];
    return NULL;
}

// In arena; NULL when a key value is no text that JSON can hold.
static const char *point_text(ds_arena *arena, const ds_restart *restart, const char *definition)
{
    json_t *last = json_array();
    for (size_t i = 0; i < restart->last_count; i++)
        json_array_append_new(last, json_string(restart->last[i]));
    bool whole = json_array_size(last) == restart->last_count;
    json_t *point = json_pack("{s:i, s:s, s:I, s:I, s:s, s:o}", "format", POINT_FORMAT, "phase", PHASES[restart->phase],
                              "batch_in", (json_int_t)restart->batch_in, "rows_estimate",
                              (json_int_t)restart->rows_estimate, "definition", definition, "last", last);
    char *text = json_dumps(point, JSON_COMPACT);
    const char *out = whole && text ? arena_strdup(arena, text) : NULL;
    free(text);
    json_decref(point);
    return out;
}

static ds_rc write_row(ds_control *control, const char *stream, const ds_restart *restart, const char *point,
                       ds_error *err)
{
    int64_t now;
    TRY(store_now(control->db, &now, err));
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, control->names.restart);
    SQL(&q, " (stream, dataset, point, rows_loaded, saved_at) VALUES (");
    sql_text(&q, stream);
    SQL(&q, ", ");
    sql_text(&q, restart->dataset);
    SQL(&q, ", ");
    sql_text(&q, point);
    SQL(&q, ", ");
    sql_int(&q, restart->rows_loaded);
    SQL(&q, ", ");
    control_sql_time(&q, now);
    SQL(&q, ") ON CONFLICT (stream, dataset) DO UPDATE SET point = excluded.point, rows_loaded = excluded.rows_loaded, "
            "saved_at = excluded.saved_at");
    return store_exec(control->db, &q, NULL, err);
}

ds_rc control_put_restart(ds_control *control, const ds_stream_def *def, const ds_restart *restart, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const ds_dataset_def *dataset = dataset_named(def, restart->dataset);
    ds_assert(dataset);
    const char *point = point_text(arena, restart, control_table_id(arena, def, dataset));
    if (!point)
        return ds_fail(err, DS_FINDING, "%s: a key value is not valid UTF-8", restart->dataset);
    return write_row(control, def->name, restart, point, err);
}

ds_rc control_delete_restart(ds_control *control, const char *stream, const char *dataset, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "DELETE FROM ");
    sql_relation(&q, control->names.restart);
    SQL(&q, " WHERE stream = ");
    sql_text(&q, stream);
    SQL(&q, " AND dataset = ");
    sql_text(&q, dataset);
    return store_exec(control->db, &q, NULL, err);
}

ds_rc control_prune_restarts(ds_control *control, const ds_stream_def *def, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_result r;
    TRY(read_restarts(control, def->name, arena, &r, err));
    for (size_t i = 0; i < r.rows; i++) {
        const ds_dataset_def *dataset = dataset_named(def, result_text(&r, i, 0));
        ds_restart restart;
        const char *id;
        if (!dataset || def->primary || !take_point(result_text(&r, i, 1), arena, &restart, &id) ||
            strcmp(id, control_table_id(arena, def, dataset)) != 0)
            TRY(control_delete_restart(control, def->name, result_text(&r, i, 0), err));
    }
    return DS_DONE;
}
