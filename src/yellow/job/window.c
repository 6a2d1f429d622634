// The rows of a window (watermark.c), compared with the live rows of the same keys: chunk by chunk, by looking these
// keys up. So a batch costs what the window holds, however large the table is.
#include <stdio.h>

#include "schema/value.h"
#include "yellow/job/job_int.h"
#include "yellow/job/key_set.h"
#include "yellow/job/pump.h"

enum {
    KEYS_MAX = 450,   // that one statement looks up
    PARAMS_MAX = 900, // below the limits of the builder and of the engines
    READ_ROWS = 4096,
};

typedef struct window {
    ds_job *job;
    ds_work *work;
    const ds_shape *key;
    ds_cell *cells; // of one row
    ds_rows wanted; // of a chunk that has other rows, too
    ds_rows live;   // what there is of a chunk's keys
    ds_key_set seen;
} window;

// --- live rows

// As a parameter without a type of its own, so that it becomes what the column is.
static void put_value(const ds_type *type, ds_cell cell, ds_sql *q)
{
    ds_value_class class = type_class(type);
    if (class == VALUE_BINARY) {
        sql_blob(q, cell.p, cell.n);
    } else if (class == VALUE_BOOL) {
        sql_text(q, cell.p[0] ? "1" : "0");
    } else {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(ROWS_BYTES_MAX);
        value_print(type, cell, &text);
        sql_text(q, buf_text(&text));
    }
}

// (CAST(… AS type), …), or without types: the first row says what the columns are, where nothing else does.
static void put_key(const window *w, ds_str row, bool typed, ds_sql *q)
{
    const ds_shape *shape = w->work->def->shape;
    row_cells(shape, row, w->cells);
    SQL(q, "(");
    for (size_t k = 0; k < shape->key_count; k++) {
        const ds_type *type = shape->columns[shape->key[k]].type;
        if (k)
            SQL(q, ", ");
        if (typed)
            SQL(q, "CAST(");
        put_value(type, w->cells[shape->key[k]], q);
        if (!typed)
            continue;
        SQL(q, " AS ");
        q->dialect->column_type(type, &q->text);
        SQL(q, ")");
    }
    SQL(q, ")");
}

// m."id" = k."column1" AND …
static void match_keys(const ds_shape *shape, ds_sql *q)
{
    for (size_t k = 0; k < shape->key_count; k++) {
        char name[32];
        snprintf(name, sizeof name, "column%zu", k + 1);
        if (k)
            SQL(q, " AND ");
        sql_column(q, "m", shape->columns[shape->key[k]].name);
        SQL(q, " = ");
        sql_column(q, "k", name);
    }
}

// The keys are a table, of which each row is looked up: engines plan long lists of conditions badly.
static void select_live(const window *w, const ds_rows *rows, size_t from, size_t to, ds_sql *q)
{
    SQL(q, "SELECT ");
    for (size_t i = 0; i < w->key->n; i++) {
        sql_column(q, "m", w->key->columns[w->key->hash_order[i]].name);
        SQL(q, ", ");
    }
    SQL(q, "m.ds_row_hash FROM (VALUES ");
    for (size_t i = from; i < to; i++) {
        if (i > from)
            SQL(q, ", ");
        put_key(w, rows_row(rows, i), i == from, q);
    }
    SQL(q, ") AS k CROSS JOIN ");
    sql_relation(q, w->work->def->merge);
    SQL(q, " AS m WHERE ");
    match_keys(w->work->def->shape, q);
    if (def_has_out(w->job->def)) {
        SQL(q, " AND m.ds_batch_out = ");
        sql_literal_int(q, BATCH_LIVE);
    }
}

static ds_rc read_all(const ds_driver *driver, ds_reader *reader, ds_rows *out, ds_error *err)
{
    for (bool more = true; more;)
        TRY(driver->read_next(reader, out, READ_ROWS, ROWS_BYTES_MAX, &more, err));
    return DS_DONE;
}

static ds_rc look_up_some(window *w, const ds_rows *rows, size_t from, size_t to, ds_error *err)
{
    ds_db *db = w->job->control->db;
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    select_live(w, rows, from, to, &q);
    ds_read read = {.select = &q, .shape = w->key, .has_hash = true, .salvage = true, .key_seed = w->job->key_seed};
    ds_reader *reader = NULL;
    TRY(db->driver->read_open(db, &read, &reader, err));
    ds_rc rc = read_all(db->driver, reader, &w->live, err);
    db->driver->read_close(reader);
    return rc;
}

static ds_rc look_up(window *w, const ds_rows *rows, ds_error *err)
{
    size_t step = PARAMS_MAX / w->key->n < KEYS_MAX ? PARAMS_MAX / w->key->n : KEYS_MAX;
    if (step == 0)
        step = 1;
    rows_clear(&w->live);
    for (size_t from = 0; from < rows->n; from += step)
        TRY(look_up_some(w, rows, from, from + step < rows->n ? from + step : rows->n, err));
    return DS_DONE;
}

// --- a chunk

static ds_rc on_row(void *context, ds_op op, ds_str row, ds_hash hash, int64_t copy, ds_error *err)
{
    window *w = context;
    return staging_add_row(w->job, w->work, op, row, hash, copy, err);
}

// They were looked up because the source has them.
static ds_rc on_gone(void *context, ds_hash key, int64_t locator, ds_error *err)
{
    (void)key, (void)locator;
    const window *w = context;
    return ds_fail(err, DS_INTERNAL, "%s: a live row was found by a key that it doesn't have", w->work->def->name);
}

static void count(ds_work *work, const ds_diff_totals *totals)
{
    work->counts.read += totals->source.rows;
    work->counts.inserted += totals->inserted;
    work->counts.updated += totals->updated;
    work->counts.unchanged += totals->source.rows - totals->inserted - totals->updated;
    fingerprint_take_away(&work->after, totals->live);
    fingerprint_merge(&work->after, totals->source);
}

static ds_rc compare(window *w, const ds_rows *rows, ds_error *err)
{
    ds_diff_options options = {.shape = w->work->def->shape,
                               .expected_rows = (int64_t)w->live.n,
                               .want_same = w->job->def->staging_full,
                               .sink = {.context = w, .row = on_row, .gone = on_gone}};
    CLEANUP(diff_freep) ds_diff *diff = diff_new(&options);
    TRY(diff_live(diff, &w->live, 0, err));
    TRY(diff_live_end(diff, err));
    TRY(diff_source(diff, rows, 0, err));
    TRY(diff_finish(diff, err));
    count(w->work, diff_totals(diff));
    return DS_DONE;
}

// The chunk's rows that the window wants.
static const ds_rows *wanted(window *w, const ds_rows *chunk)
{
    rows_clear(&w->wanted);
    for (size_t i = 0; i < chunk->n; i++) {
        ds_str row = rows_row(chunk, i);
        if (watermark_wants(w->work, row))
            rows_append(&w->wanted, row, chunk->row_hash[i], chunk->key_hash[i], 0);
    }
    return &w->wanted;
}

// A key of two chunks would meet its live row twice.
static ds_rc check_keys(window *w, const ds_rows *rows, ds_error *err)
{
    for (size_t i = 0; i < rows->n; i++) {
        if (key_set_add(&w->seen, rows->key_hash[i]))
            continue;
        CLEANUP(buf_release) ds_buf key = BUF_INIT(400);
        row_print_key(w->work->def->shape, rows_row(rows, i), &key);
        return ds_hint(ds_fail(err, DS_FINDING, "duplicate key in the source: %s", buf_text(&key)), err,
                       "correct the source, or the dataset's primary key in the model");
    }
    return DS_DONE;
}

static ds_rc take_chunk(window *w, const ds_rows *chunk, ds_error *err)
{
    const ds_rows *rows = wanted(w, chunk);
    if (rows->n == 0)
        return DS_DONE;
    TRY(check_keys(w, rows, err));
    watermark_see(w->work, rows);
    w->work->counts.bytes += (int64_t)rows->bytes.n;
    TRY(look_up(w, rows, err));
    TRY(compare(w, rows, err));
    job_report(w->job, w->work, w->work->counts.read, false);
    return DS_DONE;
}

static ds_rc take_all(window *w, ds_pump *pump, ds_error *err)
{
    for (;;) {
        ds_rows *chunk;
        TRY(lease_check(w->job, err));
        TRY(pump_next(pump, &chunk, err));
        if (!chunk)
            return DS_DONE;
        ds_rc rc = take_chunk(w, chunk, err);
        pump_recycle(pump, chunk);
        TRY(rc);
    }
}

ds_rc window_dataset(ds_job *job, ds_work *work, ds_pump *pump, ds_error *err)
{
    const ds_shape *shape = work->def->shape;
    window w = {.job = job,
                .work = work,
                .key = shape_of_key(job->arena, shape),
                .cells = ARENA_ARRAY(job->arena, ds_cell, shape->n)};
    rows_init(&w.wanted);
    rows_init(&w.live);
    work->after = work->state.fingerprint;
    ds_rc rc = take_all(&w, pump, err);
    rows_release(&w.wanted);
    rows_release(&w.live);
    key_set_release(&w.seen);
    return rc;
}
