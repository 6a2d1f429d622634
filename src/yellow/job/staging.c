// Staging: the deltas of a batch, first in memory, then in the dataset's staging table, where they stay as evidence.
#include <stdlib.h>

#include "yellow/job/job_int.h"
#include "yellow/tables/tables.h"

enum {
    PENDING_MAX = 4 << 20, // bytes of deltas held in memory, over all datasets
    PENDING_ROW_MAX = 1 << 30,
    GONE_PER_STATEMENT = 500,
};

void deltas_release(ds_deltas *d)
{
    buf_release(&d->bytes);
    free(d->rows);
    free(d->gone);
    free(d->copies);
    *d = (ds_deltas){0};
}

static void *grown(void *items, size_t n, size_t *cap, size_t item_bytes)
{
    if (n < *cap)
        return items;
    *cap = *cap ? *cap * 2 : 64;
    items = realloc(items, *cap * item_bytes);
    if (!items)
        BUG("out of memory");
    return items;
}

static void deltas_clear(ds_job *job, ds_deltas *d)
{
    job->pending_bytes -= d->bytes.n + d->n * sizeof *d->rows + d->gone_n * sizeof *d->gone;
    job->pending_bytes -= d->copies_n * sizeof *d->copies;
    buf_clear(&d->bytes);
    d->n = d->gone_n = d->copies_n = 0;
}

// --- writing

// Which datasets have a staging table: one look for all of them, once in a job.
static ds_rc look(ds_job *job, ds_error *err)
{
    if (job->staging_known)
        return DS_DONE;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_relation *tables = ARENA_ARRAY(arena, ds_relation, job->work_count);
    const ds_catalog_table **found = ARENA_ARRAY(arena, const ds_catalog_table *, job->work_count);
    for (size_t i = 0; i < job->work_count; i++)
        tables[i] = job->work[i].def->staging;
    TRY(store_describe_all(job->control->db, arena, tables, job->work_count, found, err));
    for (size_t i = 0; i < job->work_count; i++)
        job->work[i].staging_exists = found[i] != NULL;
    job->staging_known = true;
    return DS_DONE;
}

static ds_rc ensure_table(ds_job *job, ds_work *work, ds_error *err)
{
    TRY(look(job, err));
    if (work->staging_exists)
        return DS_DONE;
    ds_db *db = job->control->db;
    CLEANUP(sql_release) ds_sql create = sql_new(db->dialect);
    table_create_staging_sql(job->def, work->def, &create);
    TRY(store_exec(db, &create, NULL, err));
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql index = sql_new(db->dialect);
    SQL(&index, "CREATE INDEX IF NOT EXISTS ");
    sql_ident(&index, naming_index(arena, db->dialect->names, work->def->staging, "b"));
    SQL(&index, " ON ");
    sql_relation(&index, work->def->staging);
    SQL(&index, " (ds_batch_id)");
    TRY(store_exec(db, &index, NULL, err));
    work->staging_exists = true;
    return DS_DONE;
}

static bool keyless(const ds_work *work)
{
    return work->def->shape->key_count == 0;
}

static ds_rc write_rows(ds_job *job, ds_work *work, ds_error *err)
{
    const ds_deltas *d = &work->pending;
    if (d->n == 0)
        return DS_DONE;
    ds_system_column system[] = {{"ds_batch_id", SYSTEM_INT},
                                 {"ds_op", SYSTEM_TEXT},
                                 {"ds_row_hash", SYSTEM_HASH},
                                 {"ds_copy", SYSTEM_INT}};
    ds_write write = {.table = work->def->staging,
                      .system = system,
                      .system_count = keyless(work) ? 4 : 3,
                      .shape = work->versions ? work->versions : work->def->shape};
    ds_db *db = job->control->db;
    ds_writer *writer = NULL;
    TRY(db->driver->write_open(db, &write, &writer, err));
    size_t start = 0;
    for (size_t i = 0; i < d->n; i++) {
        char op[2] = {d->rows[i].op, '\0'};
        ds_system_value values[] = {{.i = job->batch}, {.text = op}, {.hash = d->rows[i].hash}, {.i = d->rows[i].copy}};
        ds_str row = {d->bytes.p + start, d->rows[i].end - start};
        start = d->rows[i].end;
        ds_rc rc = db->driver->write_row(writer, values, row, err);
        if (rc.code != DS_OK) {
            db->driver->write_abort(writer);
            return rc;
        }
        ds_fingerprint sum = {.sum = work->staged_sum};
        fingerprint_add(&sum, d->rows[i].hash);
        work->staged_sum = sum.sum;
    }
    int64_t written = 0;
    TRY(db->driver->write_close(writer, &written, err));
    work->staged_rows += written;
    return DS_DONE;
}

static void key_columns(ds_sql *q, const ds_work *work)
{
    if (keyless(work))
        SQL(q, ", ds_copy");
    const ds_shape *shape = work->def->shape;
    for (size_t i = 0; i < shape->key_count; i++) {
        SQL(q, ", ");
        sql_ident(q, shape->columns[shape->key[i]].name);
    }
}

// INSERT INTO staging (…) SELECT batch, 'D', ds_row_hash, key … FROM merge WHERE
static void copy_gone_start(ds_sql *q, const ds_job *job, const ds_work *work)
{
    SQL(q, "INSERT INTO ");
    sql_relation(q, work->def->staging);
    SQL(q, " (ds_batch_id, ds_op, ds_row_hash");
    key_columns(q, work);
    SQL(q, ") SELECT ");
    sql_int(q, job->batch);
    SQL(q, ", 'D', ds_row_hash");
    key_columns(q, work);
    SQL(q, " FROM ");
    sql_relation(q, work->def->merge);
    SQL(q, " WHERE ");
}

// Stages live rows to delete; exactly as many must be there as the diff has seen.
static ds_rc copy_gone(ds_job *job, ds_work *work, const ds_sql *q, int64_t expected, ds_error *err)
{
    int64_t affected = 0;
    TRY(store_exec(job->control->db, q, &affected, err));
    if (affected != expected)
        return ds_fail(err, DS_INTERNAL, "%s: %lld live rows to delete, but %lld found", work->def->name,
                       (long long)expected, (long long)affected);
    work->staged_rows += affected;
    return DS_DONE;
}

static ds_rc copy_gone_rows(ds_job *job, ds_work *work, const int64_t *gone, size_t n, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    const ds_shape *shape = work->def->shape;
    bool by_number = work->gone_by == GONE_BY_NUMBER;
    copy_gone_start(&q, job, work);
    if (by_number)
        sql_ident(&q, shape->columns[shape->key[0]].name);
    else
        sql_locator(&q, NULL);
    SQL(&q, " IN (");
    for (size_t i = 0; i < n; i++) {
        if (i)
            SQL(&q, ", ");
        if (by_number)
            sql_literal_int(&q, gone[i]);
        else
            sql_locator_value(&q, gone[i]);
    }
    SQL(&q, ")");
    if (by_number && def_has_out(job->def)) {
        SQL(&q, " AND ds_batch_out = ");
        sql_literal_int(&q, BATCH_LIVE);
    }
    return copy_gone(job, work, &q, (int64_t)n, err);
}

static ds_rc copy_gone_copies(ds_job *job, ds_work *work, const ds_gone_copies *gone, ds_error *err)
{
    unsigned char hash[16];
    hash_store(gone->hash, hash);
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    copy_gone_start(&q, job, work);
    SQL(&q, "ds_row_hash = ");
    sql_blob(&q, hash, sizeof hash);
    if (gone->keep) {
        SQL(&q, " AND ds_copy > ");
        sql_int(&q, gone->keep);
    }
    return copy_gone(job, work, &q, gone->live - gone->keep, err);
}

static ds_rc write_gone(ds_job *job, ds_work *work, ds_error *err)
{
    const ds_deltas *d = &work->pending;
    for (size_t i = 0; i < d->gone_n; i += GONE_PER_STATEMENT) {
        size_t n = d->gone_n - i < GONE_PER_STATEMENT ? d->gone_n - i : GONE_PER_STATEMENT;
        TRY(copy_gone_rows(job, work, d->gone + i, n, err));
    }
    for (size_t i = 0; i < d->copies_n; i++)
        TRY(copy_gone_copies(job, work, &d->copies[i], err));
    return DS_DONE;
}

ds_rc staging_flush(ds_job *job, ds_error *err)
{
    for (size_t i = 0; i < job->work_count; i++) {
        ds_work *work = &job->work[i];
        if (work->pending.n + work->pending.gone_n + work->pending.copies_n == 0)
            continue;
        TRY(ensure_table(job, work, err));
        TRY(write_rows(job, work, err));
        TRY(write_gone(job, work, err));
        deltas_clear(job, &work->pending);
    }
    return DS_DONE;
}

// --- adding

// The deltas that wait are written in a transaction of their own, when they are more than the budget.
static ds_rc relieve(ds_job *job, ds_error *err)
{
#ifndef DS_STRESS
    if (job->pending_bytes < PENDING_MAX)
        return DS_DONE;
#endif
    TRY(lease_begin(job, err));
    ds_rc rc = batch_enter_ingesting(job, err);
    if (rc.code == DS_OK)
        rc = staging_flush(job, err);
    rc = lease_end(job, rc, err);
    job_checkpoint(job, "staged");
    return rc;
}

ds_rc staging_add_row(ds_job *job, ds_work *work, ds_op op, ds_str row, ds_hash hash, int64_t copy, ds_error *err)
{
    ds_deltas *d = &work->pending;
    d->bytes.max = PENDING_ROW_MAX;
    buf_put_str(&d->bytes, row);
    d->rows = grown(d->rows, d->n, &d->cap, sizeof *d->rows);
    d->rows[d->n++] = (ds_delta){.end = d->bytes.n, .hash = hash, .copy = copy, .op = (char)op};
    job->pending_bytes += row.n + sizeof *d->rows;
    work->changed = true;
    return relieve(job, err);
}

ds_rc staging_add_gone(ds_job *job, ds_work *work, int64_t gone, ds_error *err)
{
    ds_deltas *d = &work->pending;
    d->gone = grown(d->gone, d->gone_n, &d->gone_cap, sizeof *d->gone);
    d->gone[d->gone_n++] = gone;
    job->pending_bytes += sizeof *d->gone;
    work->changed = true;
    return relieve(job, err);
}

ds_rc staging_add_gone_copies(ds_job *job, ds_work *work, ds_hash hash, int64_t keep, int64_t live, ds_error *err)
{
    ds_deltas *d = &work->pending;
    d->copies = grown(d->copies, d->copies_n, &d->copies_cap, sizeof *d->copies);
    d->copies[d->copies_n++] = (ds_gone_copies){hash, keep, live};
    job->pending_bytes += sizeof *d->copies;
    work->changed = true;
    return relieve(job, err);
}

// --- clearing and checking

// Deletes the rows of the batches first..last.
static ds_rc delete_batches(ds_job *job, const ds_work *work, int64_t first, int64_t last, int64_t *rows, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "DELETE FROM ");
    sql_relation(&q, work->def->staging);
    SQL(&q, " WHERE ds_batch_id BETWEEN ");
    sql_int(&q, first);
    SQL(&q, " AND ");
    sql_int(&q, last);
    int64_t affected = 0;
    TRY(store_exec(job->control->db, &q, &affected, err));
    *rows += affected;
    return DS_DONE;
}

ds_rc staging_drop_batch(ds_job *job, int64_t *rows, ds_error *err)
{
    *rows = 0;
    TRY(look(job, err));
    for (size_t i = 0; i < job->work_count; i++) {
        ds_work *work = &job->work[i];
        if (work->staging_exists)
            TRY(delete_batches(job, work, job->batch, job->batch, rows, err));
        work->staged_rows = 0;
        work->staged_sum = (ds_hash){0};
    }
    return DS_DONE;
}

ds_rc staging_give_up(ds_job *job, ds_error *err)
{
    int64_t rows = 0;
    TRY(look(job, err));
    for (size_t i = 0; i < job->work_count; i++)
        if (job->work[i].staging_exists)
            TRY(delete_batches(job, &job->work[i], 0, INT64_MAX, &rows, err));
    return DS_DONE;
}

static ds_work *work_named(ds_job *job, const char *dataset)
{
    for (size_t i = 0; i < job->work_count; i++)
        if (strcmp(job->work[i].def->name, dataset) == 0)
            return &job->work[i];
    return NULL;
}

// dataset_batch knows which datasets have rows of old batches in staging; a pruned one has no staged_sum any more.
static ds_rc find_prunable(ds_job *job, int64_t below, ds_arena *arena, ds_result *out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "SELECT DISTINCT dataset FROM ");
    sql_relation(&q, job->names.dataset_batch);
    SQL(&q, " WHERE stream = ");
    sql_text(&q, job->def->name);
    SQL(&q, " AND batch_id < ");
    sql_int(&q, below);
    SQL(&q, " AND staged_rows > 0 AND staged_sum IS NOT NULL");
    return store_query(job->control->db, &q, arena, out, err);
}

static ds_rc mark_pruned(ds_job *job, int64_t below, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "UPDATE ");
    sql_relation(&q, job->names.dataset_batch);
    SQL(&q, " SET staged_sum = NULL WHERE stream = ");
    sql_text(&q, job->def->name);
    SQL(&q, " AND batch_id < ");
    sql_int(&q, below);
    SQL(&q, " AND staged_sum IS NOT NULL");
    return store_exec(job->control->db, &q, NULL, err);
}

ds_rc staging_prune(ds_job *job, ds_error *err)
{
    if (job->def->staging_batches == STAGING_BATCHES_ALL)
        return DS_DONE;
    int64_t below = job->batch - job->def->staging_batches;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_result old;
    TRY(find_prunable(job, below, arena, &old, err));
    int64_t rows = 0;
    if (old.rows)
        TRY(look(job, err));
    for (size_t i = 0; i < old.rows; i++) {
        const ds_work *work = work_named(job, result_text(&old, i, 0));
        if (work && work->staging_exists)
            TRY(delete_batches(job, work, 0, below - 1, &rows, err));
    }
    return old.rows ? mark_pruned(job, below, err) : DS_DONE;
}

static ds_rc add_hashes(void *context, const ds_rows *chunk, ds_error *err)
{
    (void)err;
    for (size_t i = 0; i < chunk->n; i++)
        fingerprint_add(context, chunk->row_hash[i]);
    return DS_DONE;
}

// Reads the hashes of the staged rows with content, and counts all.
static ds_rc sum_staged(ds_job *job, const ds_work *work, ds_fingerprint *sum, ds_error *err)
{
    ds_db *db = job->control->db;
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT ds_row_hash FROM ");
    sql_relation(&q, work->def->staging);
    SQL(&q, " WHERE ds_batch_id = ");
    sql_int(&q, job->batch);
    SQL(&q, " AND ds_op <> 'D'");
    ds_shape none = {0};
    ds_read read = {.select = &q, .shape = &none, .has_hash = true};
    return store_read(db, &read, add_hashes, sum, err);
}

ds_rc staging_check(ds_job *job, const ds_work *work, bool *same, ds_error *err)
{
    *same = true;
    if (work->staged_rows == 0)
        return DS_DONE;
    TRY(look(job, err));
    *same = work->staging_exists;
    if (!*same)
        return DS_DONE;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "SELECT count(*) FROM ");
    sql_relation(&q, work->def->staging);
    SQL(&q, " WHERE ds_batch_id = ");
    sql_int(&q, job->batch);
    ds_result r;
    TRY(store_query(job->control->db, &q, arena, &r, err));
    ds_fingerprint sum = {0};
    TRY(sum_staged(job, work, &sum, err));
    *same = result_int(&r, 0, 0) == work->staged_rows && hash_eq(sum.sum, work->staged_sum);
    return DS_DONE;
}
