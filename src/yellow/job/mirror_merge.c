// Staged versions of a mirror's primary into the mirror's tables. Live rows are found by their keys: a mirror that has
// compared rows once knows some of them from a later batch on than its primary.
#include "yellow/job/job_int.h"

ds_rc mirror_has_versions(ds_job *job, const ds_work *work, bool *out, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "SELECT 1 FROM ");
    sql_relation(&q, work->def->staging);
    SQL(&q, " WHERE ds_batch_id = ");
    sql_int(&q, job->batch);
    SQL(&q, " AND ds_op IN ('V', 'C') LIMIT 1");
    ds_result r;
    TRY(store_query(job->control->db, &q, arena, &r, err));
    *out = r.rows > 0;
    return DS_DONE;
}

static const char CLOSE[] = {OP_CLOSE, '\0'}, VERSION[] = {OP_VERSION, '\0'};

static int64_t closed(const ds_work *work)
{
    return work->counts.updated + work->counts.deleted;
}

static int64_t live(const ds_work *work)
{
    return work->counts.inserted + work->counts.updated;
}

static int64_t versions(const ds_work *work)
{
    return work->staged_rows - closed(work);
}

static ds_rc close_versions(ds_job *job, const ds_work *work, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "UPDATE ");
    sql_relation(&q, work->def->merge);
    SQL(&q, " AS m SET ds_batch_out = s.ds_batch_out FROM ");
    sql_relation(&q, work->def->staging);
    SQL(&q, " AS s WHERE ");
    merge_staged(job, CLOSE, &q);
    SQL(&q, " AND ");
    sql_key_match(&q, "m", "s", work->def->shape);
    SQL(&q, " AND m.ds_batch_out = ");
    sql_literal_int(&q, BATCH_LIVE);
    return merge_run(job, work, &q, closed(work), "closed", err);
}

static ds_rc move_to_history(ds_job *job, const ds_work *work, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, work->def->history);
    SQL(&q, " (ds_row_hash, ds_batch_in, ds_batch_out");
    TRY(merge_kept_columns(job, work, NULL, &q, err));
    SQL(&q, ") SELECT m.ds_row_hash, m.ds_batch_in, s.ds_batch_out");
    TRY(merge_kept_columns(job, work, "m", &q, err));
    SQL(&q, " FROM ");
    sql_relation(&q, work->def->staging);
    SQL(&q, " AS s JOIN ");
    sql_relation(&q, work->def->merge);
    SQL(&q, " AS m ON ");
    sql_key_match(&q, "m", "s", work->def->shape);
    SQL(&q, " WHERE ");
    merge_staged(job, CLOSE, &q);
    return merge_run(job, work, &q, closed(work), "moved to history", err);
}

typedef enum which { ALL_VERSIONS, LIVE_VERSIONS, CLOSED_VERSIONS } which;

// INSERT INTO table (…) SELECT … FROM staging
static ds_rc insert(ds_job *job, const ds_work *work, ds_relation table, bool out, which part, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, table);
    SQL(&q, " (ds_row_hash, ds_batch_in, ");
    if (out)
        SQL(&q, "ds_batch_out, ");
    sql_columns(&q, NULL, work->def->shape);
    SQL(&q, ") SELECT s.ds_row_hash, s.ds_batch_in, ");
    if (out)
        SQL(&q, "s.ds_batch_out, ");
    sql_columns(&q, "s", work->def->shape);
    SQL(&q, " FROM ");
    sql_relation(&q, work->def->staging);
    SQL(&q, " AS s WHERE ");
    merge_staged(job, VERSION, &q);
    if (part == LIVE_VERSIONS)
        SQL(&q, " AND s.ds_batch_out = ");
    else if (part == CLOSED_VERSIONS)
        SQL(&q, " AND s.ds_batch_out < ");
    if (part != ALL_VERSIONS)
        sql_literal_int(&q, BATCH_LIVE);
    const int64_t expected[] = {versions(work), live(work), versions(work) - live(work)};
    return merge_run(job, work, &q, expected[part], "inserted", err);
}

ds_rc mirror_merge(ds_job *job, const ds_work *work, ds_error *err)
{
    const ds_dataset_def *dataset = work->def;
    if (job->def->milestoning == MILESTONING_SCD2) {
        TRY(close_versions(job, work, err));
        return insert(job, work, dataset->merge, true, ALL_VERSIONS, err);
    }
    bool keeps = job->def->milestoning == MILESTONING_SCD4;
    if (keeps)
        TRY(move_to_history(job, work, err));
    TRY(merge_delete(job, work, CLOSE, closed(work), err));
    TRY(insert(job, work, dataset->merge, false, LIVE_VERSIONS, err));
    return keeps ? insert(job, work, dataset->history, true, CLOSED_VERSIONS, err) : DS_DONE;
}
