// Which key is there twice? Asked after the unique index has refused rows, or a deletion has met more than one: the
// diff forgets keys that are settled, and a first load keeps none.
#include "yellow/job/job_int.h"
#include "yellow/job/pump.h"

static void where_live(const ds_job *job, const char *alias, ds_sql *q)
{
    if (!def_has_out(job->def))
        return;
    SQL(q, " AND ");
    sql_column(q, alias, "ds_batch_out");
    SQL(q, " = ");
    sql_literal_int(q, BATCH_LIVE);
}

// A key of more than one live row of the merge table.
static void select_twice(const ds_job *job, const ds_work *work, const ds_shape *key, ds_sql *q)
{
    SQL(q, "SELECT ");
    sql_columns_to_read(q, key, false);
    SQL(q, " FROM ");
    sql_relation(q, work->def->merge);
    SQL(q, " AS m WHERE 1 = 1");
    where_live(job, "m", q);
    SQL(q, " GROUP BY ");
    sql_columns_to_read(q, key, false);
    SQL(q, " HAVING count(*) > 1 LIMIT 1");
}

// A staged row, new as it seemed, whose key is live already.
static void select_staged(const ds_job *job, const ds_work *work, const ds_shape *key, ds_sql *q)
{
    SQL(q, "SELECT ");
    sql_columns_to_read(q, key, false);
    SQL(q, " FROM ");
    sql_relation(q, work->def->staging);
    SQL(q, " AS s WHERE s.ds_op = 'I' AND s.ds_batch_id = ");
    sql_int(q, job->batch);
    SQL(q, " AND EXISTS (SELECT 1 FROM ");
    sql_relation(q, work->def->merge);
    SQL(q, " AS m WHERE ");
    sql_key_match(q, "m", "s", work->def->shape);
    where_live(job, "m", q);
    SQL(q, ") LIMIT 1");
}

typedef void select_key(const ds_job *job, const ds_work *work, const ds_shape *key, ds_sql *q);

// False when there is none, or nobody can tell.
static bool find(ds_job *job, const ds_work *work, select_key *select, ds_buf *key)
{
    if (work->def->shape->key_count == 0)
        return false;
    ds_error ignored;
    const ds_shape *shape = shape_of_key(job->arena, work->def->shape);
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    select(job, work, shape, &q);
    ds_read read = {.select = &q, .shape = shape};
    CLEANUP(pump_closep) ds_pump *pump = NULL;
    if (pump_open(job->control->db, &read, 1, &pump, &ignored).code != DS_OK || pump_peek(pump)->n == 0)
        return false;
    row_print_key(shape, rows_row(pump_peek(pump), 0), key);
    return true;
}

static ds_rc in_source(const ds_buf *key, ds_error *err)
{
    ds_rc rc = ds_fail(err, DS_FINDING, "duplicate key in the source: %s", buf_text(key));
    return ds_hint(rc, err, "correct the source, or the dataset's primary key in the model");
}

static ds_rc in_merge_table(const ds_buf *key, ds_error *err)
{
    ds_rc rc = ds_fail(err, DS_FINDING, "the merge table is damaged: two live rows have the key %s", buf_text(key));
    return ds_hint(rc, err, "delete one of them from the merge table, then run the stream again");
}

ds_rc duplicate_loaded(ds_job *job, const ds_work *work, ds_rc rc, ds_error *err)
{
    CLEANUP(buf_release) ds_buf key = BUF_INIT(400);
    return find(job, work, select_twice, &key) ? in_source(&key, err) : rc;
}

bool duplicate_staged(ds_job *job, ds_error *err)
{
    CLEANUP(buf_release) ds_buf key = BUF_INIT(400);
    for (size_t i = 0; i < job->work_count; i++) {
        const ds_work *work = &job->work[i];
        ds_rc rc = DS_DONE;
        if (!work->changed || work->staged_rows == 0)
            continue;
        if (find(job, work, select_twice, &key))
            rc = in_merge_table(&key, err);
        else if (find(job, work, select_staged, &key))
            rc = in_source(&key, err);
        if (ds_context(rc, err, "dataset %s", work->def->name).code != DS_OK)
            return true;
    }
    return false;
}
