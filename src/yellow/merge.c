// From staged deltas to the merge tables: one transaction for the whole stream. SQL is set-based, touches only changed
// keys, and its affected-row counts must be the counts that the diff found.
#include <inttypes.h>
#include <strings.h>

#include "yellow/control_int.h"
#include "yellow/job_int.h"
#include "yellow/tables.h"
#include "yellow/views.h"

static ds_rc in_transaction(ds_job *job, ds_rc (*work)(ds_job *job, ds_error *err), ds_error *err)
{
    TRY(lease_begin(job, err));
    return lease_end(job, work(job, err), err);
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
    SQL(&q, " (stream, batch_id, dataset, rows_read, rows_inserted, rows_updated, rows_deleted, rows_unchanged, bytes, "
            "first_load, staged_rows, staged_sum, fingerprint_rows, fingerprint, key_columns) VALUES (");
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

static ds_rc record_batch(ds_job *job, ds_error *err)
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
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "UPDATE ");
    sql_relation(&q, job->names.batch);
    SQL(&q, " SET fingerprint_rows = ");
    sql_int(&q, after.rows);
    SQL(&q, ", fingerprint = ");
    sql_text(&q, text);
    SQL(&q, ", position = ");
    sql_text(&q, job->inputs);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        SQL(&q, ", ");
        sql_ident(&q, COLUMNS[i]);
        SQL(&q, " = ");
        sql_int(&q, values[i]);
    }
    SQL(&q, " WHERE stream = ");
    sql_text(&q, job->def->name);
    SQL(&q, " AND batch_id = ");
    sql_int(&q, job->batch);
    return store_exec(job->control->db, &q, NULL, err);
}

static ds_rc enter(ds_job *job, ds_error *err)
{
    if (job->status == BATCH_STARTED)
        TRY(batch_move(job, BATCH_INGESTING, err));
    TRY(staging_flush(job, err));
    for (size_t i = 0; i < job->work_count; i++)
        if (job->work[i].changed)
            TRY(record_dataset(job, &job->work[i], err));
    TRY(record_batch(job, err));
    return batch_move(job, BATCH_MERGING, err);
}

ds_rc merge_enter(ds_job *job, ds_error *err)
{
    TRY(in_transaction(job, enter, err));
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
    if (!work->changed)
        return DS_DONE;
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
    return DS_DONE;
}

ds_rc merge_resume(ds_job *job, ds_error *err)
{
    for (size_t i = 0; i < job->work_count; i++)
        TRY(read_recorded(job, &job->work[i], err));
    return DS_DONE;
}

// --- applying deltas

static ds_rc run(ds_job *job, const ds_work *work, const ds_sql *q, int64_t expected, const char *what, ds_error *err)
{
    int64_t affected = 0;
    TRY(store_exec(job->control->db, q, &affected, err));
    if (expected >= 0 && affected != expected)
        return ds_fail(err, DS_INTERNAL, "%s: %s %" PRId64 " rows where %" PRId64 " were staged", work->def->name, what,
                       affected, expected);
    return DS_DONE;
}

// s."ds_batch_id" = b AND s."ds_op" …
static void staged(const ds_job *job, ds_sql *q)
{
    SQL(q, "s.ds_batch_id = ");
    sql_int(q, job->batch);
    SQL(q, " AND s.ds_op ");
}

static void match_live(const ds_job *job, const ds_work *work, ds_sql *q)
{
    SQL(q, " AND ");
    sql_key_match(q, "m", "s", work->def->shape);
    if (def_has_out(job->def)) {
        SQL(q, " AND m.ds_batch_out = ");
        sql_literal_int(q, BATCH_LIVE);
    }
}

static bool keyless(const ds_work *work)
{
    return work->def->shape->key_count == 0;
}

// I (and with milestones U) become new rows of the merge table.
static ds_rc insert_new(ds_job *job, const ds_work *work, bool updates, ds_error *err)
{
    bool out = def_has_out(job->def);
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, work->def->merge);
    SQL(&q, " (ds_row_hash, ds_batch_in");
    if (out)
        SQL(&q, ", ds_batch_out");
    if (keyless(work))
        SQL(&q, ", ds_copy");
    SQL(&q, ", ");
    sql_columns(&q, NULL, work->def->shape);
    SQL(&q, ") SELECT s.ds_row_hash, ");
    sql_int(&q, job->batch);
    if (out) {
        SQL(&q, ", ");
        sql_literal_int(&q, BATCH_LIVE);
    }
    if (keyless(work))
        SQL(&q, ", s.ds_copy");
    SQL(&q, ", ");
    sql_columns(&q, "s", work->def->shape);
    SQL(&q, " FROM ");
    sql_relation(&q, work->def->staging);
    SQL(&q, " AS s WHERE ");
    staged(job, &q);
    if (updates)
        SQL(&q, "IN ('I', 'U')");
    else
        SQL(&q, "= 'I'");
    return run(job, work, &q, work->counts.inserted + (updates ? work->counts.updated : 0), "inserted", err);
}

static bool in_shape(const ds_shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->n; i++)
        if (strcasecmp(shape->columns[i].name, name) == 0)
            return true;
    return false;
}

// The row hash no longer counts a column that the model gave up, so its value must go with the row's first change:
// otherwise it would come back, unnoticed, together with the column.
static ds_rc clear_given_up(ds_job *job, const ds_work *work, ds_sql *q, ds_error *err)
{
    const ds_catalog_table *table;
    TRY(store_describe(job->control->db, job->arena, work->def->merge, &table, err));
    for (size_t i = 0; table && i < table->n; i++) {
        const char *name = table->columns[i].name;
        if (str_starts(str_of(name), STR("ds_")) || in_shape(work->def->shape, name))
            continue;
        SQL(q, ", ");
        sql_ident(q, name);
        SQL(q, " = NULL");
    }
    return DS_DONE;
}

static ds_rc update_in_place(ds_job *job, const ds_work *work, ds_error *err)
{
    const ds_shape *shape = work->def->shape;
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "UPDATE ");
    sql_relation(&q, work->def->merge);
    SQL(&q, " AS m SET ds_row_hash = s.ds_row_hash, ds_batch_in = ");
    sql_int(&q, job->batch);
    for (size_t i = 0; i < shape->n; i++) {
        SQL(&q, ", ");
        sql_ident(&q, shape->columns[i].name);
        SQL(&q, " = ");
        sql_column(&q, "s", shape->columns[i].name);
    }
    TRY(clear_given_up(job, work, &q, err));
    SQL(&q, " FROM ");
    sql_relation(&q, work->def->staging);
    SQL(&q, " AS s WHERE ");
    staged(job, &q);
    SQL(&q, "= 'U'");
    match_live(job, work, &q);
    return run(job, work, &q, work->counts.updated, "updated", err);
}

static int64_t staged_deletes(const ds_work *work)
{
    return work->counts.deleted - work->closed_by_rekey;
}

static ds_rc delete_gone(ds_job *job, const ds_work *work, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "DELETE FROM ");
    sql_relation(&q, work->def->merge);
    SQL(&q, " WHERE ");
    sql_locator(&q, NULL);
    SQL(&q, " IN (SELECT ");
    sql_locator(&q, "m");
    SQL(&q, " FROM ");
    sql_relation(&q, work->def->staging);
    SQL(&q, " AS s JOIN ");
    sql_relation(&q, work->def->merge);
    SQL(&q, " AS m ON ");
    sql_key_match(&q, "m", "s", work->def->shape);
    SQL(&q, " WHERE ");
    staged(job, &q);
    SQL(&q, "= 'D')");
    return run(job, work, &q, staged_deletes(work), "deleted", err);
}

static ds_rc close_versions(ds_job *job, const ds_work *work, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "UPDATE ");
    sql_relation(&q, work->def->merge);
    SQL(&q, " AS m SET ds_batch_out = ");
    sql_int(&q, job->batch - 1);
    SQL(&q, " FROM ");
    sql_relation(&q, work->def->staging);
    SQL(&q, " AS s WHERE ");
    staged(job, &q);
    SQL(&q, "IN ('U', 'D')");
    match_live(job, work, &q);
    return run(job, work, &q, work->counts.updated + staged_deletes(work), "closed", err);
}

// The data columns that the merge table really has: also those that the model gave up, whose old values history keeps.
static ds_rc kept_columns(ds_job *job, const ds_work *work, const char *alias, ds_sql *q, ds_error *err)
{
    const ds_catalog_table *table;
    TRY(store_describe(job->control->db, job->arena, work->def->merge, &table, err));
    if (!table)
        return ds_fail(err, DS_FINDING, "merge table of %s is missing; run datasurface apply", work->def->name);
    for (size_t i = 0; i < table->n; i++) {
        if (str_starts(str_of(table->columns[i].name), STR("ds_")))
            continue;
        SQL(q, ", ");
        if (alias)
            sql_column(q, alias, table->columns[i].name);
        else
            sql_ident(q, table->columns[i].name);
    }
    return DS_DONE;
}

// INSERT INTO history (…) SELECT …, b - 1, … FROM merge m
static ds_rc to_history(ds_job *job, const ds_work *work, ds_sql *q, ds_error *err)
{
    SQL(q, "INSERT INTO ");
    sql_relation(q, work->def->history);
    SQL(q, " (ds_row_hash, ds_batch_in, ds_batch_out");
    TRY(kept_columns(job, work, NULL, q, err));
    SQL(q, ") SELECT m.ds_row_hash, m.ds_batch_in, ");
    sql_int(q, job->batch - 1);
    TRY(kept_columns(job, work, "m", q, err));
    SQL(q, " FROM ");
    return DS_DONE;
}

static ds_rc move_to_history(ds_job *job, const ds_work *work, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    TRY(to_history(job, work, &q, err));
    sql_relation(&q, work->def->staging);
    SQL(&q, " AS s JOIN ");
    sql_relation(&q, work->def->merge);
    SQL(&q, " AS m ON ");
    sql_key_match(&q, "m", "s", work->def->shape);
    SQL(&q, " WHERE ");
    staged(job, &q);
    SQL(&q, "IN ('U', 'D')");
    return run(job, work, &q, work->counts.updated + staged_deletes(work), "moved to history", err);
}

static ds_rc apply_scd1(ds_job *job, const ds_work *work, ds_error *err)
{
    TRY(delete_gone(job, work, err));
    TRY(update_in_place(job, work, err));
    return insert_new(job, work, false, err);
}

static ds_rc apply_scd2(ds_job *job, const ds_work *work, ds_error *err)
{
    TRY(close_versions(job, work, err));
    return insert_new(job, work, true, err);
}

static ds_rc apply_scd4(ds_job *job, const ds_work *work, ds_error *err)
{
    TRY(move_to_history(job, work, err));
    return apply_scd1(job, work, err);
}

typedef ds_rc strategy(ds_job *job, const ds_work *work, ds_error *err);
static strategy *const STRATEGIES[] = {
    [MILESTONING_SCD1] = apply_scd1, [MILESTONING_SCD2] = apply_scd2, [MILESTONING_SCD4] = apply_scd4};

// --- a key change

// WHERE: live rows that the new key can't tell apart.
static void where_bad_key(ds_job *job, const ds_work *work, ds_sql *q)
{
    SQL(q, " WHERE ");
    if (def_has_out(job->def)) {
        SQL(q, "ds_batch_out = ");
        sql_literal_int(q, BATCH_LIVE);
        SQL(q, " AND ");
    }
    sql_locator(q, NULL);
    SQL(q, " NOT IN (");
    ingest_live_select(job, work, &(ds_shape){0}, false, true, q);
    SQL(q, ")");
}

static ds_rc close_bad_keys(ds_job *job, const ds_work *work, ds_error *err)
{
    const ds_dialect *dialect = job->control->db->dialect;
    if (job->def->milestoning == MILESTONING_SCD4) {
        CLEANUP(sql_release) ds_sql history = sql_new(dialect);
        TRY(to_history(job, work, &history, err));
        sql_relation(&history, work->def->merge);
        SQL(&history, " AS m");
        where_bad_key(job, work, &history);
        TRY(run(job, work, &history, work->closed_by_rekey, "moved to history", err));
    }
    CLEANUP(sql_release) ds_sql q = sql_new(dialect);
    if (def_has_out(job->def)) {
        SQL(&q, "UPDATE ");
        sql_relation(&q, work->def->merge);
        SQL(&q, " SET ds_batch_out = ");
        sql_int(&q, job->batch - 1);
    } else {
        SQL(&q, "DELETE FROM ");
        sql_relation(&q, work->def->merge);
    }
    where_bad_key(job, work, &q);
    return run(job, work, &q, work->closed_by_rekey, "closed", err);
}

// Bad rows first, then the index of the new key, so that the deltas find their rows by it.
static ds_rc swap_key(ds_job *job, ds_work *work, ds_error *err)
{
    TRY(table_drop_indexes(job->control, job->def, work->def, err));
    TRY(close_bad_keys(job, work, err));
    return table_create_indexes(job->control, job->def, work->def, err);
}

// --- committing

static ds_rc check_loaded(ds_job *job, const ds_work *work, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "SELECT count(*) FROM ");
    sql_relation(&q, work->def->merge);
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
        TRY(swap_key(job, work, err));
    if (work->staged_rows > 0)
        TRY(STRATEGIES[job->def->milestoning](job, work, err));
    if (!work->first_load)
        return DS_DONE;
    TRY(table_create_indexes(job->control, job->def, work->def, err));
    TRY(check_loaded(job, work, err));
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

static ds_rc record_commit(ds_job *job, ds_error *err)
{
    int64_t now;
    TRY(commit_time(job, &now, err));
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "UPDATE ");
    sql_relation(&q, job->names.batch);
    SQL(&q, " SET committed_at = ");
    control_sql_time(&q, now);
    SQL(&q, ", error = NULL, guarded = 0, retry_at = NULL WHERE stream = ");
    sql_text(&q, job->def->name);
    SQL(&q, " AND batch_id = ");
    sql_int(&q, job->batch);
    TRY(store_exec(job->control->db, &q, NULL, err));
    if (job->resnapshot)
        TRY(control_set_resnapshot(job->control, job->def->name, false, err));
    CLEANUP(sql_release) ds_sql lease = sql_new(job->control->db->dialect);
    SQL(&lease, "DELETE FROM ");
    sql_relation(&lease, job->names.lease);
    SQL(&lease, " WHERE stream = ");
    sql_text(&lease, job->def->name);
    TRY(store_exec(job->control->db, &lease, NULL, err));
    return batch_move(job, BATCH_COMMITTED, err);
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
    return record_commit(job, err);
}

ds_rc merge_commit(ds_job *job, bool *again, ds_error *err)
{
    TRY(lease_begin(job, err));
    bool same = false;
    ds_rc rc = staged_as_recorded(job, &same, err);
    *again = rc.code == DS_OK && !same;
    if (rc.code == DS_OK && same)
        rc = apply_all(job, err);
    if (!*again)
        return lease_end(job, rc, err);
    store_rollback(job->control->db);
    return DS_DONE;
}

static ds_rc commit_unchanged(ds_job *job, ds_error *err)
{
    if (job->status == BATCH_STARTED)
        TRY(batch_move(job, BATCH_INGESTING, err));
    TRY(record_batch(job, err));
    TRY(batch_move(job, BATCH_MERGING, err));
    return record_commit(job, err);
}

ds_rc merge_commit_unchanged(ds_job *job, ds_error *err)
{
    return in_transaction(job, commit_unchanged, err);
}
