// Reading a batch: one snapshot of the source, and for every dataset the cheapest way to what changed: a small table
// whose fingerprint is the recorded one costs one read; a table that was never loaded is loaded; everything else goes
// through the edge diff.
#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>

#include "yellow/job/job_int.h"
#include "yellow/job/pump.h"
#include "yellow/tables/tables.h"

enum { QUIET_BATCHES = 5 };

// --- the live side

ds_rc ingest_open_live(ds_job *job, ds_error *err)
{
    if (job->live)
        return DS_DONE;
    return runtime_open(job->runtime, job->control->merge, (ds_access){.read_only = true}, &job->live, err);
}

// A live row is named by its place from the diff until it is staged as gone. Where a writer is not alone, somebody
// could move the rows meanwhile (VACUUM FULL, CLUSTER): one transaction holds all tables from the first look on.
ds_rc ingest_hold_live(ds_job *job, ds_error *err)
{
    TRY(ingest_open_live(job, err));
    if (job->live_held || !job->live->dialect->locks_rows)
        return DS_DONE;
    ds_relation *tables = ARENA_ARRAY(job->arena, ds_relation, job->work_count);
    ds_snapshot all = {.tables = tables};
    for (size_t i = 0; i < job->work_count; i++)
        if (!job->work[i].first_load) // the load empties its table, which nobody may hold then
            tables[all.n++] = job->work[i].def->merge;
    ds_rc rc = store_begin_snapshot(job->live, &all, err);
    job->live_held = rc.code == DS_OK;
    if (rc.code == DS_OK)
        rc = lease_mark(job, job->live, err);
    return ds_context(rc, err, "live rows of stream %s", job->def->name);
}

void ingest_close_live(ds_job *job)
{
    store_close(job->live);
    job->live = NULL;
    job->live_held = false;
}

// Live rows whose new key is null or shared take no part: the merge closes them (a key change).
static void where_new_key_is_good(const ds_work *work, bool out_column, ds_sql *out)
{
    const ds_shape *shape = work->def->shape;
    for (size_t i = 0; i < shape->key_count; i++) {
        SQL(out, " AND ");
        sql_ident(out, shape->columns[shape->key[i]].name);
        SQL(out, " IS NOT NULL");
    }
    SQL(out, " AND ");
    sql_locator(out, NULL);
    SQL(out, " IN (SELECT min(");
    sql_locator(out, NULL);
    SQL(out, ") FROM ");
    sql_relation(out, work->def->merge);
    if (out_column) {
        SQL(out, " WHERE ds_batch_out = ");
        sql_literal_int(out, BATCH_LIVE);
    }
    SQL(out, " GROUP BY ");
    for (size_t i = 0; i < shape->key_count; i++) {
        if (i)
            SQL(out, ", ");
        sql_ident(out, shape->columns[shape->key[i]].name);
    }
    SQL(out, " HAVING count(*) = 1)");
}

void ingest_live_select(const ds_job *job, const ds_work *work, const ds_shape *columns, bool hash, bool locator,
                        ds_sql *out)
{
    bool out_column = def_has_out(job->def);
    SQL(out, "SELECT ");
    sql_columns_to_read(out, columns, false);
    const char *comma = columns->n ? ", " : "";
    if (hash) {
        sql_add_fixed(out, comma, strlen(comma));
        SQL(out, "ds_row_hash");
        comma = ", ";
    }
    if (locator) {
        sql_add_fixed(out, comma, strlen(comma));
        if (work->def->shape->key_count)
            sql_locator(out, NULL);
        else
            SQL(out, "ds_copy");
    }
    SQL(out, " FROM ");
    sql_relation(out, work->def->merge);
    SQL(out, " WHERE ");
    if (out_column) {
        if (!work->mostly_closed)
            SQL(out, "+"); // no index: a scan of the table is the shorter way to most of its rows
        SQL(out, "ds_batch_out = ");
        sql_literal_int(out, BATCH_LIVE);
    } else {
        SQL(out, "1 = 1");
    }
    if (work->rekey && work->def->shape->key_count)
        where_new_key_is_good(work, out_column, out);
}

// --- one dataset

// May a dataset's fingerprint alone say that nothing has changed?
static bool fingerprint_tells(const ds_job *job, const ds_work *work)
{
    return work->state.batch != 0 && !work->rekey && !job->resnapshot && !job->def->staging_full;
}

static void take_unchanged(ds_work *work, int64_t rows, int64_t bytes)
{
    work->after = work->state.fingerprint;
    work->counts = (ds_counts){.read = rows, .unchanged = rows, .bytes = bytes};
}

static void add_rows(const ds_work *work, const ds_rows *chunk, ds_fingerprint *fp)
{
    for (size_t i = 0; i < chunk->n; i++)
        if (!work->window || watermark_wants(work, rows_row(chunk, i)))
            fingerprint_add(fp, chunk->row_hash[i]);
}

// What reading gives as long as nothing happens.
static ds_fingerprint usual(const ds_work *work)
{
    return work->window ? work->again : work->state.fingerprint;
}

// Adds up the only chunk without taking it away from the pump's owner.
static bool small_and_unchanged(const ds_job *job, ds_work *work, const ds_rows *chunk)
{
    ds_fingerprint fp = {0};
    add_rows(work, chunk, &fp);
    if (!fingerprint_tells(job, work) || !fingerprint_eq(fp, usual(work)))
        return false;
    watermark_see(work, chunk);
    take_unchanged(work, fp.rows, (int64_t)chunk->bytes.n);
    return true;
}

// A table that has been as it is for some batches will most likely be so again: then its source alone is read. When
// that is wrong, it is read once more, for the diff, which is dearer than to have begun with it; with QUIET_BATCHES
// batches without a change and Laplace's rule of succession that happens once in QUIET_BATCHES + 2.
static bool is_quiet(const ds_job *job, const ds_work *work)
{
    return fingerprint_tells(job, work) && !work->first_load && job->batch - 1 - work->state.batch >= QUIET_BATCHES;
}

static ds_rc read_quiet(ds_job *job, ds_work *work, ds_pump *pump, bool *unchanged, ds_error *err)
{
    ds_fingerprint fp = {0};
    int64_t bytes = 0;
    for (;;) {
        ds_rows *chunk;
        TRY(lease_check(job, err));
        TRY(pump_next(pump, &chunk, err));
        if (!chunk)
            break;
        add_rows(work, chunk, &fp);
        watermark_see(work, chunk);
        bytes += (int64_t)chunk->bytes.n;
        pump_recycle(pump, chunk);
        job_report(job, work, fp.rows, false);
    }
    *unchanged = fingerprint_eq(fp, usual(work));
    if (*unchanged)
        take_unchanged(work, fp.rows, bytes);
    else
        watermark_forget(work);
    return DS_DONE;
}

ds_rc ingest_count_closed_by_rekey(ds_job *job, ds_work *work, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_db *db = job->control->db;
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT (SELECT count(*) FROM ");
    sql_relation(&q, work->def->merge);
    if (def_has_out(job->def)) {
        SQL(&q, " WHERE ds_batch_out = ");
        sql_literal_int(&q, BATCH_LIVE);
    }
    SQL(&q, ") - (SELECT count(*) FROM (");
    ingest_live_select(job, work, &(ds_shape){0}, true, false, &q);
    SQL(&q, ") AS good)");
    ds_result r;
    TRY(store_query(db, &q, arena, &r, err));
    work->closed_by_rekey = result_int(&r, 0, 0);
    work->changed = true;
    return DS_DONE;
}

bool ingest_keeps_inputs(const ds_job *job)
{
    return job->def->staging_full || job->def->staging_batches == STAGING_BATCHES_ALL;
}

static ds_rc read_dataset(ds_job *job, ds_work *work, ds_error *err)
{
    if (job->def->primary)
        return mirror_dataset(job, work, err);
    if (work->rekey)
        TRY(ingest_count_closed_by_rekey(job, work, err));
    CLEANUP(pump_closep) ds_pump *pump = NULL;
    TRY(source_pump(job, work, &pump, err));
    if (pump_is_small(pump) && small_and_unchanged(job, work, pump_peek(pump)))
        return DS_DONE;
    if (!pump_is_small(pump) && is_quiet(job, work)) { // else all of it is here already
        bool unchanged;
        TRY(read_quiet(job, work, pump, &unchanged, err));
        if (unchanged)
            return DS_DONE;
        pump_closep(&pump);
        TRY(source_pump(job, work, &pump, err));
    }
    if (work->window)
        return window_dataset(job, work, pump, err);
    if (!work->first_load)
        return compare_dataset(job, work, &pump, err);
    work->changed = true;
    return work->joins || ingest_keeps_inputs(job) ? compare_dataset(job, work, &pump, err)
                                                   : load_dataset(job, work, pump, err);
}

static ds_rc new_seed(uint64_t *out, ds_error *err)
{
    if (getrandom(out, sizeof *out, 0) != (ssize_t)sizeof *out)
        return ds_fail(err, DS_ENV, "no entropy from the operating system");
    return DS_DONE;
}

// Bad data has a next step even where the finder doesn't know it.
static ds_rc advise(const ds_job *job, const ds_work *work, ds_rc rc, ds_error *err)
{
    rc = ds_context(rc, err, "dataset %s", work->def->name);
    if (rc.code != DS_FINDING || err->hint[0])
        return rc;
    return ds_hint(rc, err, "correct the %s, or the column in the model",
                   job->def->command ? "transformer's command"
                   : work->def->sql  ? "transformer's SELECT"
                                     : "source");
}

// One dataset of which nobody knows how large it is leaves the sum unknown.
static void report_begin(const ds_job *job)
{
    int64_t total = 0;
    bool known = true;
    for (size_t i = 0; i < job->work_count; i++) {
        known &= job->work[i].state.batch != 0 && !job->work[i].window;
        total += job->work[i].state.fingerprint.rows;
    }
    job_tell(job,
             &(ds_progress_event){.stream = job->def->name, .datasets = job->work_count, .total = known ? total : 0});
}

static ds_rc ingest_dataset(ds_job *job, ds_work *work, ds_error *err)
{
    double start_s = clock_elapsed_s();
    work->counts = (ds_counts){0};
    job_report(job, work, 0, false);
    TRY(advise(job, work, read_dataset(job, work, err), err));
    source_release(job, work);
    work->seconds = clock_elapsed_s() - start_s;
    job_report(job, work, work->counts.read, true);
    job_checkpoint(job, "ingest:dataset");
    return DS_DONE;
}

ds_rc ingest_all(ds_job *job, ds_error *err)
{
    TRY(new_seed(&job->key_seed, err));
    TRY(watermark_choose(job, err));
    // Before the snapshot: a transformer that reads its own output must not see what an earlier attempt left.
    bool clears =
        job->def->workspace || ingest_keeps_inputs(job) || !job->control->db->dialect->has_truncate; // else load does
    for (size_t i = 0; i < job->work_count; i++)
        if (clears && job->work[i].first_load && !job->work[i].joins && !job->def->primary)
            TRY(load_clear(job, &job->work[i], err));
    if (job->def->command)
        TRY(command_run(job, err));
    if (!job->def->primary)
        TRY(source_open(job, err));
    else if (!job->mirror.def) // a second attempt
        TRY(mirror_reopen(job, err));
    report_begin(job);
    for (size_t i = 0; i < job->work_count; i++)
        TRY(ingest_dataset(job, &job->work[source_order(job, i)], err));
    return source_check(job, err);
}
