// The first load of a dataset: straight into its merge table, indexes last. Reading with hashing and writing run on two
// threads. Where a table can be emptied and filled in one transaction that costs others nothing, it is; elsewhere in
// committed chunks. Until the dataset's first commit its views are stubs, so nobody sees a part; a retry starts over.
#include <inttypes.h>

#include "yellow/job/job_int.h"
#include "yellow/job/pump.h"
#include "yellow/tables/tables.h"

enum { LOAD_CHUNKS = 64 }; // chunks of a pump that one transaction writes

ds_rc load_empty(ds_job *job, const ds_work *work, ds_error *err)
{
    TRY(table_drop_indexes(job->control, job->def, work->def, err)); // even an empty table may have them
    return store_empty(job->control->db, work->def->merge, err);
}

static ds_rc clear(ds_job *job, const ds_work *work, ds_error *err)
{
    TRY(batch_enter_ingesting(job, err));
    return load_empty(job, work, err);
}

ds_rc load_clear(ds_job *job, ds_work *work, ds_error *err)
{
    TRY(lease_begin(job, err));
    return lease_end(job, clear(job, work, err), err);
}

// Copies of equal rows are numbered from 1 by the database once all are in (loading counts none).
static ds_rc number_copies(ds_job *job, ds_work *work, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "UPDATE ");
    sql_relation(&q, work->def->merge);
    SQL(&q, " SET ds_copy = c.n FROM (SELECT ");
    sql_locator(&q, NULL);
    SQL(&q, " AS place, row_number() OVER (PARTITION BY ds_row_hash ORDER BY ");
    sql_locator(&q, NULL);
    SQL(&q, ") AS n FROM ");
    sql_relation(&q, work->def->merge);
    SQL(&q, ") AS c WHERE c.n > 1 AND c.place = ");
    sql_relation(&q, work->def->merge);
    SQL(&q, ".");
    sql_locator(&q, NULL);
    return store_exec(job->control->db, &q, NULL, err);
}

static ds_rc write_chunk(ds_job *job, ds_work *work, int64_t batch_in, ds_writer *writer, const ds_rows *chunk,
                         ds_error *err)
{
    bool has_out = def_has_out(job->def);
    watermark_see(work, chunk);
    for (size_t i = 0; i < chunk->n; i++) {
        ds_system_value values[4] = {{.hash = chunk->row_hash[i]}, {.i = batch_in}, {.i = has_out ? BATCH_LIVE : 1}};
        TRY(job->control->db->driver->write_row(writer, values, rows_row(chunk, i), err));
        fingerprint_add(&work->after, chunk->row_hash[i]);
    }
    return DS_DONE;
}

static ds_rc open_writer(ds_job *job, ds_work *work, bool fresh, ds_writer **out, ds_error *err)
{
    ds_db *db = job->control->db;
    bool keyless = work->def->shape->key_count == 0;
    ds_system_column system[] = {{"ds_row_hash", SYSTEM_HASH},
                                 {"ds_batch_in", SYSTEM_INT},
                                 {keyless ? "ds_copy" : "ds_batch_out", SYSTEM_INT}};
    ds_write write = {.table = work->def->merge,
                      .system = system,
                      .system_count = keyless || def_has_out(job->def) ? 3 : 2,
                      .shape = work->def->shape,
                      .fresh = fresh};
    return db->driver->write_open(db, &write, out, err);
}

static ds_rc close_writer(ds_job *job, ds_writer *writer, ds_rc rc, ds_error *err)
{
    const ds_driver *driver = job->control->db->driver;
    int64_t written;
    if (rc.code == DS_OK)
        return driver->write_close(writer, &written, err);
    driver->write_abort(writer);
    return rc;
}

// --- in committed chunks

ds_rc load_write(ds_job *job, ds_work *work, int64_t batch_in, ds_rows *const *chunks, size_t n, ds_error *err)
{
    ds_writer *writer = NULL;
    TRY(open_writer(job, work, false, &writer, err));
    ds_rc rc = DS_DONE;
    for (size_t i = 0; i < n && rc.code == DS_OK; i++)
        rc = write_chunk(job, work, batch_in, writer, chunks[i], err);
    return close_writer(job, writer, rc, err);
}

static ds_rc write_group(ds_job *job, ds_work *work, ds_rows **chunks, size_t n, ds_error *err)
{
    TRY(lease_begin(job, err));
    ds_rc rc = batch_enter_ingesting(job, err);
    if (rc.code == DS_OK)
        rc = load_write(job, work, job->batch, chunks, n, err);
    rc = lease_end(job, rc, err);
    job_checkpoint(job, "load:chunk");
    return rc;
}

// Collects up to LOAD_CHUNKS chunks without holding a transaction, then writes them in one.
static ds_rc load_group(ds_job *job, ds_work *work, ds_pump *pump, bool *ended, ds_error *err)
{
    ds_rows *chunks[LOAD_CHUNKS];
    size_t n = 0;
    int64_t rows = work->after.rows;
    ds_rc rc = DS_DONE;
    *ended = false;
    while (n < LOAD_CHUNKS && rc.code == DS_OK) {
        rc = pump_next(pump, &chunks[n], err);
        *ended = rc.code == DS_OK && chunks[n] == NULL;
        if (rc.code != DS_OK || *ended)
            break;
        work->counts.bytes += (int64_t)chunks[n]->bytes.n;
        rows += (int64_t)chunks[n++]->n;
        job_report(job, work, rows, false);
    }
    if (rc.code == DS_OK && n)
        rc = write_group(job, work, chunks, n, err);
    for (size_t i = 0; i < n; i++)
        pump_recycle(pump, chunks[i]);
    return rc;
}

static ds_rc load_in_groups(ds_job *job, ds_work *work, ds_pump *pump, ds_error *err)
{
    for (bool ended = false; !ended;) {
        TRY(lease_check(job, err));
        TRY(load_group(job, work, pump, &ended, err));
    }
    return DS_DONE;
}

// --- in one transaction

static ds_rc write_all(ds_job *job, ds_work *work, ds_pump *pump, ds_writer *writer, ds_error *err)
{
    for (;;) {
        ds_rows *chunk;
        TRY(lease_check(job, err));
        TRY(pump_next(pump, &chunk, err));
        if (!chunk)
            return DS_DONE;
        work->counts.bytes += (int64_t)chunk->bytes.n;
        ds_rc rc = write_chunk(job, work, job->batch, writer, chunk, err);
        pump_recycle(pump, chunk);
        TRY(rc);
        job_report(job, work, work->after.rows, false);
    }
}

// The index of closed versions, of which there are none, costs least when it is made of an empty table.
static ds_rc fill(ds_job *job, ds_work *work, ds_pump *pump, ds_error *err)
{
    TRY(clear(job, work, err));
    TRY(table_create_closed_index(job->control, job->def, work->def, err));
    ds_writer *writer = NULL;
    TRY(open_writer(job, work, true, &writer, err));
    return close_writer(job, writer, write_all(job, work, pump, writer, err), err);
}

static ds_rc load_at_once(ds_job *job, ds_work *work, ds_pump *pump, ds_error *err)
{
    TRY(lease_begin_long(job, err));
    ds_rc rc = lease_end_long(job, fill(job, work, pump, err), err);
    job_checkpoint(job, "load:chunk");
    return rc;
}

// --- indexes

static ds_rc index_loaded(ds_job *job, ds_work *work, ds_error *err)
{
    ds_rc rc = batch_enter_ingesting(job, err);
    if (rc.code == DS_OK && work->def->shape->key_count == 0)
        rc = number_copies(job, work, err);
    if (rc.code == DS_OK)
        rc = table_create_indexes(job->control, job->def, work->def, err);
    if (rc.code == DS_OK)
        rc = store_analyze(job->control->db, work->def->merge, work->def->shape, NULL, 0, err);
    return rc;
}

static ds_rc build_indexes(ds_job *job, ds_work *work, ds_error *err)
{
    TRY(lane_enter(job, work->after.rows, err));
    ds_rc rc = lease_begin(job, err);
    if (rc.code == DS_OK)
        rc = lease_end(job, index_loaded(job, work, err), err);
    lane_leave(job, work->after.rows);
    return rc.code == DS_FINDING ? duplicate_loaded(job, work, rc, err) : rc;
}

ds_rc load_dataset(ds_job *job, ds_work *work, ds_pump *pump, ds_error *err)
{
    work->after = (ds_fingerprint){0};
    // A transformer may be reading its own output: its table can't be emptied now, and it was before.
    if (job->control->db->dialect->has_truncate && !job->def->workspace)
        TRY(load_at_once(job, work, pump, err));
    else
        TRY(load_in_groups(job, work, pump, err));
    TRY(build_indexes(job, work, err));
    work->counts.read = work->counts.inserted = work->after.rows;
    work->loaded_now = true;
    return DS_DONE;
}
