// Staged deltas into the merge tables. SQL is set-based, touches only changed keys, and its affected-row counts must be
// the counts that the diff found.
#include <inttypes.h>

#include "yellow/job/job_int.h"
#include "yellow/tables/tables.h"

// Deltas of fewer rows are joined well whatever the engine knows of them.
enum {
    ANALYZE_ROWS = 1000, // staged
    FEW_OF = 25,         // changes are few below this part of the live rows
};

ds_rc merge_run(ds_job *job, const ds_work *work, const ds_sql *q, int64_t expected, const char *what, ds_error *err)
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

void merge_staged(const ds_job *job, const char *op, ds_sql *q)
{
    staged(job, q);
    SQL(q, "= ");
    sql_literal_text(q, op);
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
    return merge_run(job, work, &q, work->counts.inserted + (updates ? work->counts.updated : 0), "inserted", err);
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
    return merge_run(job, work, &q, work->counts.updated, "updated", err);
}

static int64_t staged_deletes(const ds_work *work)
{
    return work->counts.deleted - work->closed_by_rekey;
}

// DELETE FROM merge AS m USING staging AS s WHERE …
static void delete_by_join(const ds_job *job, const ds_work *work, const char *op, ds_sql *q)
{
    SQL(q, "DELETE FROM ");
    sql_relation(q, work->def->merge);
    SQL(q, " AS m ");
    buf_puts(&q->text, q->dialect->delete_join);
    SQL(q, " ");
    sql_relation(q, work->def->staging);
    SQL(q, " AS s WHERE ");
    merge_staged(job, op, q);
    SQL(q, " AND ");
    sql_key_match(q, "m", "s", work->def->shape);
}

static void delete_by_place(const ds_job *job, const ds_work *work, const char *op, ds_sql *q)
{
    SQL(q, "DELETE FROM ");
    sql_relation(q, work->def->merge);
    SQL(q, " WHERE ");
    sql_locator(q, NULL);
    SQL(q, " IN (SELECT ");
    sql_locator(q, "m");
    SQL(q, " FROM ");
    sql_relation(q, work->def->staging);
    SQL(q, " AS s JOIN ");
    sql_relation(q, work->def->merge);
    SQL(q, " AS m ON ");
    sql_key_match(q, "m", "s", work->def->shape);
    SQL(q, " WHERE ");
    merge_staged(job, op, q);
    SQL(q, ")");
}

ds_rc merge_delete(ds_job *job, const ds_work *work, const char *op, int64_t expected, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    if (q.dialect->delete_join)
        delete_by_join(job, work, op, &q);
    else
        delete_by_place(job, work, op, &q);
    return merge_run(job, work, &q, expected, "deleted", err);
}

static ds_rc delete_gone(ds_job *job, const ds_work *work, ds_error *err)
{
    return merge_delete(job, work, "D", staged_deletes(work), err);
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
    return merge_run(job, work, &q, work->counts.updated + staged_deletes(work), "closed", err);
}

static bool has_column(const ds_catalog_table *table, const char *name)
{
    for (size_t i = 0; i < table->n; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return true;
    return false;
}

// The data columns that both tables really have: also those that the model gave up, whose old values history keeps.
ds_rc merge_kept_columns(ds_job *job, const ds_work *work, const char *alias, ds_sql *q, ds_error *err)
{
    const ds_catalog_table *table, *history;
    TRY(store_describe(job->control->db, job->arena, work->def->merge, &table, err));
    TRY(store_describe(job->control->db, job->arena, work->def->history, &history, err));
    if (!table || !history)
        return ds_hint(ds_fail(err, DS_FINDING, "merge table or history table of %s is missing", work->def->name), err,
                       "run datasurface apply");
    for (size_t i = 0; i < table->n; i++) {
        if (str_starts(str_of(table->columns[i].name), STR("ds_")) || !has_column(history, table->columns[i].name))
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
    TRY(merge_kept_columns(job, work, NULL, q, err));
    SQL(q, ") SELECT m.ds_row_hash, m.ds_batch_in, ");
    sql_int(q, job->batch - 1);
    TRY(merge_kept_columns(job, work, "m", q, err));
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
    return merge_run(job, work, &q, work->counts.updated + staged_deletes(work), "moved to history", err);
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

ds_rc merge_refresh_statistics(ds_job *job, const ds_work *work, bool few, ds_error *err)
{
    static const char *const OURS[] = {"ds_batch_id", "ds_op", "ds_row_hash"};
    if (work->staged_rows < ANALYZE_ROWS || (few && job->control->db->dialect->join_by_lookup))
        return DS_DONE;
    return store_analyze(job->control->db, work->def->staging, work->def->shape, OURS, keyless(work) ? 3 : 2, err);
}

// A planner that counts on a slow disk scans a whole table to change a few of its rows. It is only asked when there are
// many: then a scan is right.
static bool few_changes(const ds_work *work)
{
    return work->staged_rows < work->state.fingerprint.rows / FEW_OF;
}

ds_rc merge_apply(ds_job *job, const ds_work *work, ds_error *err)
{
    bool few = few_changes(work), versions = false;
    TRY(merge_refresh_statistics(job, work, few, err));
    TRY(store_join_by_lookup(job->control->db, few, err));
    if (job->def->primary)
        TRY(mirror_has_versions(job, work, &versions, err));
    if (versions)
        return mirror_merge(job, work, err);
    if (work->joins) // nobody has seen what it replaces: history begins with this batch
        return apply_scd1(job, work, err);
    return STRATEGIES[job->def->milestoning](job, work, err);
}

// --- a key change

static void key_list(const ds_shape *shape, ds_sql *q)
{
    for (size_t i = 0; i < shape->key_count; i++) {
        if (i)
            SQL(q, ", ");
        sql_ident(q, shape->columns[shape->key[i]].name);
    }
}

// WHERE place IN (…): live rows that the new key can't tell apart. They are named, not left over: an engine that holds
// what a NOT IN leaves out against every row has work for days.
static void where_bad_key(const ds_job *job, const ds_work *work, ds_sql *q)
{
    const ds_shape *shape = work->def->shape;
    SQL(q, " WHERE ");
    sql_locator(q, NULL);
    SQL(q, " IN (SELECT c.ds_place FROM (SELECT ");
    sql_locator(q, NULL);
    SQL(q, " AS ds_place, count(*) OVER (PARTITION BY ");
    key_list(shape, q);
    SQL(q, ") AS ds_copies, ");
    key_list(shape, q);
    SQL(q, " FROM ");
    sql_relation(q, work->def->merge);
    if (def_has_out(job->def)) {
        SQL(q, " WHERE ds_batch_out = ");
        sql_literal_int(q, BATCH_LIVE);
    }
    SQL(q, ") AS c WHERE c.ds_copies > 1");
    for (size_t i = 0; i < shape->key_count; i++) {
        SQL(q, " OR ");
        sql_column(q, "c", shape->columns[shape->key[i]].name);
        SQL(q, " IS NULL");
    }
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
        TRY(merge_run(job, work, &history, work->closed_by_rekey, "moved to history", err));
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
    return merge_run(job, work, &q, work->closed_by_rekey, "closed", err);
}

// Bad rows first, then the index of the new key, so that the deltas find their rows by it.
ds_rc merge_swap_key(ds_job *job, ds_work *work, ds_error *err)
{
    TRY(table_drop_indexes(job->control, job->def, work->def, err));
    TRY(close_bad_keys(job, work, err));
    return table_create_indexes(job->control, job->def, work->def, err);
}
