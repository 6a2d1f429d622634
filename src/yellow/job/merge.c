// Entering `merging` and committing: what is staged is recorded, compared, applied and committed with the batch.
#include <inttypes.h>
#include <strings.h>

#include "yellow/control/control_tables.h"
#include "yellow/job/job_int.h"
#include "yellow/tables/tables.h"
#include "yellow/tables/views.h"

static ds_rc in_transaction(ds_job *job, ds_rc (*work)(ds_job *job, ds_error *err), ds_error *err)
{
    TRY(lease_begin(job, err));
    return lease_end(job, work(job, err), err);
}

static ds_rc in_long_transaction(ds_job *job, ds_rc (*work)(ds_job *job, ds_error *err), ds_error *err)
{
    TRY(lease_begin_long(job, err));
    return lease_end_long(job, work(job, err), err);
}

// --- entering merging

static void count_values(ds_sql *q, const ds_counts *counts)
{
    const int64_t values[] = {counts->read,    counts->inserted,  counts->updated,
                              counts->deleted, counts->unchanged, counts->bytes};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        SQL(q, ", ");
        sql_int(q, values[i]);
    }
}

static ds_rc record_dataset(ds_job *job, const ds_work *work, ds_error *err)
{
    char staged[FINGERPRINT_TEXT], after[FINGERPRINT_TEXT];
    fingerprint_print((ds_fingerprint){.sum = work->staged_sum}, staged);
    fingerprint_print(work->after, after);
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, job->names.dataset_batch);
    SQL(&q,
        " (stream, batch_id, dataset, rows_read, rows_inserted, rows_updated, rows_deleted, rows_unchanged, bytes, "
        "first_load, staged_rows, staged_sum, fingerprint_rows, fingerprint, key_columns, checks, position) VALUES (");
    sql_text(&q, job->def->name);
    SQL(&q, ", ");
    sql_int(&q, job->batch);
    SQL(&q, ", ");
    sql_text(&q, work->def->name);
    count_values(&q, &work->counts);
    SQL(&q, ", ");
    sql_int(&q, work->first_load);
    SQL(&q, ", ");
    sql_int(&q, work->staged_rows);
    SQL(&q, ", ");
    sql_text(&q, staged);
    SQL(&q, ", ");
    sql_int(&q, work->after.rows);
    SQL(&q, ", ");
    sql_text(&q, after);
    SQL(&q, ", ");
    sql_text(&q, table_key_text(job->arena, work->def->shape));
    SQL(&q, ", ");
    sql_text(&q, def_checks_id(job->arena, work->def));
    SQL(&q, ", ");
    sql_text(&q, watermark_position(job, work));
    SQL(&q, ")");
    return store_exec(job->control->db, &q, NULL, err);
}

static void add_counts(ds_counts *sum, const ds_counts *counts)
{
    sum->read += counts->read;
    sum->inserted += counts->inserted;
    sum->updated += counts->updated;
    sum->deleted += counts->deleted;
    sum->unchanged += counts->unchanged;
    sum->bytes += counts->bytes;
}

// ", column = value" of all datasets together.
static void put_sums(ds_job *job, ds_sql *q)
{
    static const char *const COLUMNS[] = {"rows_read",    "rows_inserted",  "rows_updated",
                                          "rows_deleted", "rows_unchanged", "bytes"};
    ds_counts sum = {0};
    ds_fingerprint after = {0};
    for (size_t i = 0; i < job->work_count; i++) {
        add_counts(&sum, &job->work[i].counts);
        fingerprint_merge(&after, job->work[i].after);
    }
    const int64_t values[] = {sum.read, sum.inserted, sum.updated, sum.deleted, sum.unchanged, sum.bytes};
    char text[FINGERPRINT_TEXT];
    fingerprint_print(after, text);
    SQL(q, ", fingerprint_rows = ");
    sql_int(q, after.rows);
    SQL(q, ", fingerprint = ");
    sql_text(q, text);
    SQL(q, ", position = ");
    sql_text(q, job->inputs);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        SQL(q, ", ");
        sql_ident(q, COLUMNS[i]);
        SQL(q, " = ");
        sql_int(q, values[i]);
    }
}

static ds_rc enter(ds_job *job, ds_error *err)
{
    TRY(batch_enter_ingesting(job, err));
    TRY(staging_flush(job, err));
    TRY(checks_run(job, err));
    for (size_t i = 0; i < job->work_count; i++)
        if (job->work[i].changed)
            TRY(record_dataset(job, &job->work[i], err));
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    batch_move_start(job, BATCH_MERGING, &q);
    put_sums(job, &q);
    return batch_move_end(job, BATCH_MERGING, &q, err);
}

ds_rc merge_enter(ds_job *job, ds_error *err)
{
    TRY(checks_wanted(job) ? in_long_transaction(job, enter, err) : in_transaction(job, enter, err));
    job_checkpoint(job, "merging");
    return DS_DONE;
}

// --- a batch that another process left in merging

static ds_rc read_recorded(ds_job *job, ds_work *work, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "SELECT rows_read, rows_inserted, rows_updated, rows_deleted, rows_unchanged, bytes, first_load, "
            "staged_rows, staged_sum, fingerprint_rows, fingerprint FROM ");
    sql_relation(&q, job->names.dataset_batch);
    SQL(&q, " WHERE stream = ");
    sql_text(&q, job->def->name);
    SQL(&q, " AND batch_id = ");
    sql_int(&q, job->batch);
    SQL(&q, " AND dataset = ");
    sql_text(&q, work->def->name);
    ds_result r;
    TRY(store_query(job->control->db, &q, job->arena, &r, err));
    work->after = work->state.fingerprint;
    work->changed = r.rows == 1;
    if (!work->changed) { // its source had the rows that are live; how many bytes they were is not recorded
        int64_t rows = job->def->watermark ? 0 : work->state.fingerprint.rows; // how many a window had isn't, either
        work->counts = (ds_counts){.read = rows, .unchanged = rows};
        return DS_DONE;
    }
    work->counts = (ds_counts){.read = result_int(&r, 0, 0),
                               .inserted = result_int(&r, 0, 1),
                               .updated = result_int(&r, 0, 2),
                               .deleted = result_int(&r, 0, 3),
                               .unchanged = result_int(&r, 0, 4),
                               .bytes = result_int(&r, 0, 5)};
    work->first_load = result_int(&r, 0, 6) != 0;
    work->staged_rows = result_int(&r, 0, 7);
    ds_fingerprint staged = {0};
    if (!fingerprint_parse(0, result_text(&r, 0, 8), &staged) ||
        !fingerprint_parse(result_int(&r, 0, 9), result_text(&r, 0, 10), &work->after))
        return ds_fail(err, DS_INTERNAL, "%s: damaged fingerprint in dataset_batch", work->def->name);
    work->staged_sum = staged.sum;
    return work->rekey ? ingest_count_closed_by_rekey(job, work, err) : DS_DONE;
}

ds_rc merge_resume(ds_job *job, ds_error *err)
{
    for (size_t i = 0; i < job->work_count; i++)
        TRY(read_recorded(job, &job->work[i], err));
    return DS_DONE;
}

// --- committing

static ds_rc check_loaded(ds_job *job, const ds_work *work, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "SELECT count(*) FROM ");
    sql_relation(&q, work->def->merge);
    if (def_has_out(job->def)) { // a mirror's first load brings closed versions, too
        SQL(&q, " WHERE ds_batch_out = ");
        sql_literal_int(&q, BATCH_LIVE);
    }
    ds_result r;
    TRY(store_query(job->control->db, &q, arena, &r, err));
    if (result_int(&r, 0, 0) != work->after.rows)
        return ds_fail(err, DS_INTERNAL, "%s: %lld rows were loaded where %lld were read", work->def->name,
                       (long long)result_int(&r, 0, 0), (long long)work->after.rows);
    return DS_DONE;
}

static ds_rc merge_dataset(ds_job *job, ds_work *work, ds_error *err)
{
    if (work->rekey)
        TRY(merge_swap_key(job, work, err));
    if (work->staged_rows > 0)
        TRY(merge_apply(job, work, err));
    if (!work->first_load)
        return DS_DONE;
    TRY(table_create_indexes(job->control, job->def, work->def, err));
    if (work->staged_rows > 0)
        TRY(store_analyze(job->control->db, work->def->merge, work->def->shape, NULL, 0, err));
    if (!work->loaded_now)
        TRY(check_loaded(job, work, err));
    if (work->joins)
        TRY(control_delete_restart(job->control, job->def->name, work->def->name, err));
    return views_replace(job->control, job->def, work->def, VIEW_REAL, err);
}

// The database's clock, always later than the commit before.
static ds_rc commit_time(ds_job *job, int64_t *out, ds_error *err)
{
    ds_batch_row *last;
    TRY(control_last_batch(job->control, job->def->name, true, job->arena, &last, err));
    TRY(store_now(job->control->db, out, err));
    if (last && *out <= last->committed_at)
        *out = last->committed_at + 1;
    return DS_DONE;
}

// sums: they are not recorded yet.
static ds_rc record_commit(ds_job *job, bool sums, ds_error *err)
{
    int64_t now;
    TRY(commit_time(job, &now, err));
    if (job->resnapshot)
        TRY(control_set_resnapshot(job->control, job->def->name, false, err));
    TRY(lease_forget(job, err));
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    batch_move_start(job, BATCH_COMMITTED, &q);
    SQL(&q, ", committed_at = ");
    control_sql_time(&q, now);
    SQL(&q, ", error = NULL, guarded = 0, retry_at = NULL");
    if (sums)
        put_sums(job, &q);
    return batch_move_end(job, BATCH_COMMITTED, &q, err);
}

static ds_rc staged_as_recorded(ds_job *job, bool *same, ds_error *err)
{
    *same = true;
    for (size_t i = 0; i < job->work_count && *same; i++)
        TRY(staging_check(job, &job->work[i], same, err));
    return DS_DONE;
}

static ds_rc apply_all(ds_job *job, ds_error *err)
{
    for (size_t i = 0; i < job->work_count; i++)
        if (job->work[i].changed)
            TRY(ds_context(merge_dataset(job, &job->work[i], err), err, "merge of %s", job->work[i].def->name));
    return record_commit(job, false, err);
}

static ds_rc check_and_apply(ds_job *job, ds_error *err)
{
    bool same = false;
    TRY(staged_as_recorded(job, &same, err));
    if (!same)
        return ds_fail(err, DS_INTERNAL, "the staged rows are not those that were recorded");
    return apply_all(job, err);
}

// Rows whose indexes are made in the commit.
static int64_t rows_to_index(const ds_job *job)
{
    int64_t most = 0;
    for (size_t i = 0; i < job->work_count; i++)
        if (job->work[i].rekey && job->work[i].state.fingerprint.rows > most)
            most = job->work[i].state.fingerprint.rows;
    return most;
}

ds_rc merge_commit(ds_job *job, bool *again, ds_error *err)
{
    *again = false;
    int64_t rows = rows_to_index(job);
    TRY(lane_enter(job, rows, err));
    ds_rc rc = lease_begin(job, err);
    if (rc.code != DS_OK) {
        lane_leave(job, rows);
        return rc;
    }
    rc = lease_end(job, check_and_apply(job, err), err);
    lane_leave(job, rows);
    // What the world refuses is tried again as it is; deltas that don't fit won't fit the next time either.
    *again = rc.code == DS_INTERNAL || rc.code == DS_FINDING;
    job->duplicate = *again && duplicate_staged(job, err);
    return job->duplicate ? (ds_rc){err->code} : rc;
}

static ds_rc commit_unchanged(ds_job *job, ds_error *err)
{
    return record_commit(job, true, err);
}

ds_rc merge_commit_unchanged(ds_job *job, ds_error *err)
{
    return in_transaction(job, commit_unchanged, err);
}
