// Proof that the merge tables hold what the source held in the batch's snapshot: hashes are recomputed from the stored
// values, so that damage that left the stored hash alone is found too.
#include <stdlib.h>

#include "yellow/job/job_int.h"
#include "yellow/job/pump.h"

static ds_rc open_merge(ds_job *job, const ds_work *work, bool stored_hash, ds_pump **out, ds_error *err)
{
    TRY(ingest_open_live(job, err));
    CLEANUP(sql_release) ds_sql q = sql_new(job->live->dialect);
    ingest_live_select(job, work, work->def->shape, stored_hash, stored_hash, &q);
    ds_read read = {.select = &q,
                    .shape = work->def->shape,
                    .has_hash = stored_hash,
                    .has_locator = stored_hash,
                    .salvage = true,
                    .key_seed = job->key_seed};
    return pump_open(job->live, &read, 0, out, err);
}

// Sums a pump's rows.
static ds_rc sum(ds_pump *pump, ds_fingerprint *out, ds_error *err)
{
    for (;;) {
        ds_rows *chunk;
        TRY(pump_next(pump, &chunk, err));
        if (!chunk)
            return DS_DONE;
        for (size_t i = 0; i < chunk->n; i++)
            fingerprint_add(out, chunk->row_hash[i]);
        pump_recycle(pump, chunk);
    }
}

// --- naming the keys that differ

typedef struct finder {
    ds_job *job;
    const ds_work *work;
    ds_dataset_result *result;
} finder;

static void note(finder *f, const char *key, const char *what)
{
    if (f->result->key_count < VERIFY_KEYS_MAX)
        f->result->keys[f->result->key_count++] = (ds_key_difference){arena_strdup(f->job->arena, key), what};
}

static ds_rc on_row(void *context, ds_op op, ds_str row, ds_hash hash, int64_t copy, ds_error *err)
{
    (void)hash, (void)copy, (void)err;
    finder *f = context;
    CLEANUP(buf_release) ds_buf key = BUF_INIT(400);
    row_print_key(f->work->def->shape, row, &key);
    note(f, buf_text(&key), op == OP_UPDATE ? "differs" : "missing in merge");
    return DS_DONE;
}

static ds_rc on_gone(void *context, ds_hash hash, int64_t locator, ds_error *err)
{
    (void)hash;
    finder *f = context;
    if (f->result->key_count >= VERIFY_KEYS_MAX)
        return DS_DONE;
    ds_db *db = f->job->control->db;
    const ds_shape *shape = shape_of_key(f->job->arena, f->work->def->shape);
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    ingest_live_select(f->job, f->work, shape, false, false, &q);
    SQL(&q, " AND ");
    sql_locator(&q, NULL);
    SQL(&q, " = ");
    sql_locator_value(&q, locator);
    ds_read read = {.select = &q, .shape = shape};
    CLEANUP(pump_closep) ds_pump *pump = NULL;
    TRY(pump_open(db, &read, 0, &pump, err));
    const ds_rows *rows = pump_peek(pump);
    CLEANUP(buf_release) ds_buf key = BUF_INIT(400);
    if (rows->n)
        row_print_key(shape, rows_row(rows, 0), &key);
    note(f, buf_text(&key), "not in source");
    return DS_DONE;
}

static ds_rc on_gone_copies(void *context, ds_hash hash, int64_t keep, int64_t live, ds_error *err)
{
    (void)keep, (void)live, (void)err;
    unsigned char bytes[16];
    hash_store(hash, bytes);
    CLEANUP(buf_release) ds_buf text = BUF_INIT(100);
    buf_puts(&text, "row hash ");
    buf_put_hex(&text, bytes, sizeof bytes);
    note(context, buf_text(&text), "not in source");
    return DS_DONE;
}

static ds_rc on_chunk(void *context, ds_error *err)
{
    finder *f = context;
    return lease_check(f->job, err);
}

static ds_rc feed(ds_diff *diff, ds_pump *live, ds_pump *source, ds_error *err)
{
    ds_rows *chunk;
    for (;;) {
        TRY(pump_next(live, &chunk, err));
        if (!chunk)
            break;
        ds_rc rc = diff_live(diff, chunk, 0, err);
        pump_recycle(live, chunk);
        TRY(rc);
    }
    TRY(diff_live_end(diff, err));
    for (;;) {
        TRY(pump_next(source, &chunk, err));
        if (!chunk)
            break;
        ds_rc rc = diff_source(diff, chunk, 0, err);
        pump_recycle(source, chunk);
        TRY(rc);
    }
    return diff_finish(diff, err);
}

static ds_rc find_keys(ds_job *job, const ds_work *work, ds_dataset_result *result, ds_error *err)
{
    finder f = {job, work, result};
    int64_t rows = result->merge.rows > result->source.rows ? result->merge.rows : result->source.rows;
    ds_diff_options options = {.shape = work->def->shape,
                               .expected_rows = rows,
                               .memory_bytes = (size_t)job->def->memory_bytes,
                               .rehash = true,
                               .sink = {&f, on_row, on_gone, on_gone_copies, on_chunk}};
    CLEANUP(pump_closep) ds_pump *live = NULL;
    CLEANUP(pump_closep) ds_pump *source = NULL;
    CLEANUP(diff_freep) ds_diff *diff = diff_new(&options);
    TRY(open_merge(job, work, true, &live, err));
    TRY(source_pump(job, work, &source, err));
    return feed(diff, live, source, err);
}

// A mirror takes its primary's word for most rows: now all are read.
static ds_rc sum_primary(ds_job *job, ds_work *work, ds_fingerprint *out, ds_error *err)
{
    CLEANUP(pump_closep) ds_pump *pump = NULL;
    work->versions = NULL;
    *out = (ds_fingerprint){0};
    TRY(source_pump(job, work, &pump, err));
    return sum(pump, out, err);
}

static ds_rc verify_dataset(ds_job *job, ds_work *work, ds_dataset_result *result, ds_error *err)
{
    work->rekey = false; // the batch has done it
    result->source = work->after;
    if (job->def->primary) {
        if (!work->state.batch && !work->changed) // its primary has not loaded it yet
            return DS_DONE;
        TRY(sum_primary(job, work, &result->source, err));
    }
    CLEANUP(pump_closep) ds_pump *pump = NULL;
    TRY(open_merge(job, work, false, &pump, err));
    TRY(sum(pump, &result->merge, err));
    pump_close(pump);
    pump = NULL;
    if (fingerprint_eq(result->source, result->merge))
        return DS_DONE;
    return find_keys(job, work, result, err);
}

ds_rc verify_datasets(ds_job *job, ds_job_result *result, ds_error *err)
{
    result->equal = true;
    for (size_t i = 0; i < job->work_count; i++) {
        ds_rc rc = verify_dataset(job, &job->work[i], &result->datasets[i], err);
        TRY(ds_context(rc, err, "verify of %s", job->work[i].def->name));
        if (!fingerprint_eq(result->datasets[i].source, result->datasets[i].merge))
            result->equal = false;
    }
    return DS_DONE;
}
