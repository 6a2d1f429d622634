// What is read of `batch` and `dataset_batch`; jobs write them.
#include "base/map.h"
#include "yellow/control/control_tables.h"

// Of a ds_batch_row, in the order of decode_batch. No other table that is read with them has columns of these names.
#define BATCH_COLUMNS                                                                                                  \
    "batch_id, status, started_at, committed_at, rows_read, rows_inserted, rows_updated, rows_deleted, "               \
    "rows_unchanged, bytes, position, fingerprint_rows, fingerprint, error, guarded, attempts, retry_at, "             \
    "stream_version"
enum { AFTER_BATCH_COLUMNS = 18 };

static void select_batches(const ds_control *control, const char *stream, ds_sql *q)
{
    SQL(q, "SELECT " BATCH_COLUMNS " FROM ");
    sql_relation(q, control->names.batch);
    SQL(q, " WHERE stream = ");
    sql_text(q, stream);
}

static ds_rc decode_fingerprint(const ds_result *r, size_t row, size_t column, ds_fingerprint *out, ds_error *err)
{
    const char *sum = result_text(r, row, column + 1);
    *out = (ds_fingerprint){0};
    if (sum && !fingerprint_parse(result_int(r, row, column), sum, out))
        return ds_fail(err, DS_FINDING, "the control tables hold a damaged fingerprint \"%s\"", sum);
    return DS_DONE;
}

static ds_rc decode_batch(const ds_result *r, size_t i, ds_batch_row *out, ds_error *err)
{
    *out = (ds_batch_row){
        .id = result_int(r, i, 0),
        .status = result_text(r, i, 1),
        .started_at = control_time_parse(result_text(r, i, 2)),
        .committed_at = control_time_parse(result_text(r, i, 3)),
        .counts = {.read = result_int(r, i, 4),
                   .inserted = result_int(r, i, 5),
                   .updated = result_int(r, i, 6),
                   .deleted = result_int(r, i, 7),
                   .unchanged = result_int(r, i, 8),
                   .bytes = result_int(r, i, 9)},
        .position = result_text(r, i, 10) ? result_text(r, i, 10) : "",
        .error = result_text(r, i, 13),
        .guarded = result_int(r, i, 14) != 0,
        .attempts = result_int(r, i, 15),
        .retry_at = control_time_parse(result_text(r, i, 16)),
        .stream_version = result_int(r, i, 17),
    };
    if (out->id < 1)
        return ds_hint(ds_fail(err, DS_FINDING, "damaged control table: \"%s\" is no batch id",
                               result_text(r, i, 0) ? result_text(r, i, 0) : ""),
                       err, "correct or delete that row of the merge database's table of batches");
    return decode_fingerprint(r, i, 11, &out->fingerprint, err);
}

ds_rc control_batches(ds_control *control, const char *stream, int64_t limit, ds_arena *arena, ds_batch_row **out,
                      size_t *n, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    select_batches(control, stream, &q);
    SQL(&q, " ORDER BY batch_id DESC LIMIT ");
    sql_int(&q, limit);
    ds_result r;
    TRY(store_query(control->db, &q, arena, &r, err));
    ds_batch_row *rows = ARENA_ARRAY(arena, ds_batch_row, r.rows);
    for (size_t i = 0; i < r.rows; i++)
        TRY(decode_batch(&r, i, &rows[i], err));
    *out = rows;
    *n = r.rows;
    return DS_DONE;
}

ds_rc control_last_batch(ds_control *control, const char *stream, bool committed, ds_arena *arena, ds_batch_row **out,
                         ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    select_batches(control, stream, &q);
    if (committed)
        SQL(&q, " AND status = 'committed'");
    SQL(&q, " ORDER BY batch_id DESC LIMIT 1");
    ds_result r;
    TRY(store_query(control->db, &q, arena, &r, err));
    ds_batch_row *row = NULL;
    if (r.rows) {
        row = ARENA_NEW(arena, ds_batch_row);
        TRY(decode_batch(&r, 0, row, err));
    }
    *out = row;
    return DS_DONE;
}

static void only_committed(bool committed, ds_sql *q)
{
    if (committed)
        SQL(q, " AND x.status = 'committed'");
}

// By the primary key, stream by stream, however many batches there are.
static void select_newest_batches(const ds_control *control, bool committed, ds_sql *q)
{
    SQL(q, "SELECT " BATCH_COLUMNS ", s.name FROM ");
    sql_relation(q, control->names.stream);
    if (control->db->dialect->has_lateral) {
        SQL(q, " s CROSS JOIN LATERAL (SELECT " BATCH_COLUMNS " FROM ");
        sql_relation(q, control->names.batch);
        SQL(q, " x WHERE x.stream = s.name");
        only_committed(committed, q);
        SQL(q, " ORDER BY x.batch_id DESC LIMIT 1) b");
        return;
    }
    SQL(q, " s JOIN ");
    sql_relation(q, control->names.batch);
    SQL(q, " b ON b.stream = s.name AND b.batch_id = (SELECT max(x.batch_id) FROM ");
    sql_relation(q, control->names.batch);
    SQL(q, " x WHERE x.stream = s.name");
    only_committed(committed, q);
    SQL(q, ")");
}

ds_rc control_newest_batches(ds_control *control, bool committed, ds_arena *arena, ds_map **out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    select_newest_batches(control, committed, &q);
    ds_result r;
    TRY(store_query(control->db, &q, arena, &r, err));
    *out = map_new(arena);
    ds_batch_row *rows = ARENA_ARRAY(arena, ds_batch_row, r.rows);
    for (size_t i = 0; i < r.rows; i++) {
        TRY(decode_batch(&r, i, &rows[i], err));
        map_set(*out, result_text(&r, i, AFTER_BATCH_COLUMNS), &rows[i]);
    }
    return DS_DONE;
}

// From batch_id, fingerprint_rows, fingerprint, key_columns, checks and position.
static ds_rc decode_state(const ds_result *r, size_t row, size_t column, ds_dataset_state *out, ds_error *err)
{
    const char *key = result_text(r, row, column + 3), *checks = result_text(r, row, column + 4);
    const char *position = result_text(r, row, column + 5);
    ds_dataset_state state = {.batch = result_int(r, row, column),
                              .key = key ? key : "",
                              .checks = checks ? checks : "",
                              .position = position ? position : ""};
    TRY(decode_fingerprint(r, row, column + 1, &state.fingerprint, err));
    *out = state;
    return DS_DONE;
}

ds_rc control_dataset_state(ds_control *control, const char *stream, const char *dataset, ds_arena *arena,
                            ds_dataset_state *out, ds_error *err)
{
    return control_dataset_state_at(control, stream, dataset, INT64_MAX, arena, out, err);
}

ds_rc control_dataset_state_at(ds_control *control, const char *stream, const char *dataset, int64_t batch,
                               ds_arena *arena, ds_dataset_state *out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "SELECT d.batch_id, d.fingerprint_rows, d.fingerprint, d.key_columns, d.checks, d.position FROM ");
    sql_relation(&q, control->names.dataset_batch);
    SQL(&q, " AS d JOIN ");
    sql_relation(&q, control->names.batch);
    SQL(&q, " AS b ON b.stream = d.stream AND b.batch_id = d.batch_id WHERE b.status = 'committed' AND d.stream = ");
    sql_text(&q, stream);
    SQL(&q, " AND d.dataset = ");
    sql_text(&q, dataset);
    SQL(&q, " AND d.batch_id <= ");
    sql_int(&q, batch);
    SQL(&q, " ORDER BY d.batch_id DESC LIMIT 1");
    ds_result r;
    TRY(store_query(control->db, &q, arena, &r, err));
    if (!r.rows) {
        *out = (ds_dataset_state){.key = "", .checks = "", .position = ""};
        return DS_DONE;
    }
    return decode_state(&r, 0, 0, out, err);
}

void control_sql_changed(ds_sql *sql)
{
    SQL(sql, " AND (d.first_load = 1 OR d.rows_inserted + d.rows_updated + d.rows_deleted > 0)");
}

// (VALUES ('people'), ('towns')) AS names
static void names_of(const ds_stream_def *def, ds_sql *q)
{
    SQL(q, "(VALUES ");
    for (size_t i = 0; i < def->dataset_count; i++) {
        if (i)
            SQL(q, ", ");
        SQL(q, "(");
        sql_literal_text(q, def->datasets[i].name);
        SQL(q, ")");
    }
    SQL(q, ") AS names");
}

// One look for all of them: a stream may have a thousand.
static ds_rc query_states(ds_control *control, const ds_stream_def *def, int64_t batch, ds_arena *arena, ds_result *out,
                          ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "SELECT d.dataset, d.batch_id, d.fingerprint_rows, d.fingerprint, d.key_columns, d.checks, d.position "
            "FROM ");
    names_of(def, &q);
    SQL(&q, " JOIN ");
    sql_relation(&q, control->names.dataset_batch);
    SQL(&q, " AS d ON d.dataset = names.column1 AND d.batch_id = (SELECT e.batch_id FROM ");
    sql_relation(&q, control->names.dataset_batch);
    SQL(&q, " AS e JOIN ");
    sql_relation(&q, control->names.batch);
    SQL(&q, " AS b ON b.stream = e.stream AND b.batch_id = e.batch_id WHERE b.status = 'committed' AND e.stream = ");
    sql_text(&q, def->name);
    SQL(&q, " AND e.dataset = names.column1 AND e.batch_id <= ");
    sql_int(&q, batch);
    SQL(&q, " ORDER BY e.batch_id DESC LIMIT 1) WHERE d.stream = ");
    sql_text(&q, def->name);
    return store_query(control->db, &q, arena, out, err);
}

ds_rc control_dataset_states(ds_control *control, const ds_stream_def *def, ds_arena *arena, ds_dataset_state **out,
                             ds_error *err)
{
    return control_dataset_states_at(control, def, INT64_MAX, arena, out, err);
}

ds_rc control_dataset_states_at(ds_control *control, const ds_stream_def *def, int64_t batch, ds_arena *arena,
                                ds_dataset_state **out, ds_error *err)
{
    ds_dataset_state *states = ARENA_ARRAY(arena, ds_dataset_state, def->dataset_count);
    ds_map *by_name = map_new(arena);
    for (size_t i = 0; i < def->dataset_count; i++) {
        states[i].key = states[i].checks = states[i].position = "";
        (void)map_add(by_name, def->datasets[i].name, &states[i]);
    }
    ds_result r;
    TRY(query_states(control, def, batch, arena, &r, err));
    for (size_t i = 0; i < r.rows; i++) {
        ds_dataset_state *state = map_get(by_name, result_text(&r, i, 0));
        ds_assert(state);
        TRY(decode_state(&r, i, 1, state, err));
    }
    *out = states;
    return DS_DONE;
}
