// What has changed at a mirror's primary, from the versions that came or were closed since: they are staged as they
// are, with the batches in which they are valid.
#include "yellow/job/job_int.h"

static const ds_type BATCH_TYPE = {.kind = TYPE_BIGINT};

// The dataset's columns, and behind them the batches of a version.
static ds_rc version_shape(ds_arena *arena, const ds_shape *shape, const ds_shape **out, ds_error *err)
{
    ds_shape_column *columns = ARENA_ARRAY(arena, ds_shape_column, shape->n + 2);
    for (size_t i = 0; i < shape->n; i++)
        columns[i] = shape->columns[i];
    columns[shape->n] = (ds_shape_column){.name = "ds_batch_in", .type = &BATCH_TYPE, .not_null = true};
    columns[shape->n + 1] = (ds_shape_column){.name = "ds_batch_out", .type = &BATCH_TYPE, .not_null = true};
    return shape_new(arena, columns, shape->n + 2, shape->key, shape->key_count, out, err);
}

// --- the primary's tables

static ds_relation live_of(const ds_dataset_def *dataset)
{
    return (ds_relation){dataset->source_schema, dataset->source_table};
}

static bool has_out(const ds_job *job, const ds_dataset_def *dataset)
{
    return job->def->primary_versions && !dataset->source_history.name;
}

static void select_rows(const ds_job *job, const ds_dataset_def *dataset, ds_sql *q)
{
    SQL(q, "SELECT ");
    sql_columns_to_read(q, dataset->shape, false);
    SQL(q, " FROM ");
    sql_relation(q, live_of(dataset));
    if (!has_out(job, dataset))
        return;
    SQL(q, " WHERE ds_batch_out = ");
    sql_literal_int(q, BATCH_LIVE);
}

// (SELECT …, ds_row_hash, ds_batch_in, ds_batch_out FROM live UNION ALL SELECT … FROM history) AS v
static void both_tables(const ds_dataset_def *dataset, ds_sql *q)
{
    SQL(q, "(SELECT ");
    sql_columns(q, NULL, dataset->shape);
    SQL(q, ", ds_row_hash, ds_batch_in, ");
    sql_literal_int(q, BATCH_LIVE);
    SQL(q, " AS ds_batch_out FROM ");
    sql_relation(q, live_of(dataset));
    SQL(q, " UNION ALL SELECT ");
    sql_columns(q, NULL, dataset->shape);
    SQL(q, ", ds_row_hash, ds_batch_in, ds_batch_out FROM ");
    sql_relation(q, dataset->source_history);
    SQL(q, ") AS v");
}

static void where_changed(const ds_job *job, int64_t since, ds_sql *q)
{
    SQL(q, " WHERE (ds_batch_in > ");
    sql_int(q, since);
    SQL(q, " AND ds_batch_in <= ");
    sql_int(q, job->mirror.at);
    if (!def_keeps_versions(job->def)) { // versions that have come and gone are nobody's
        SQL(q, " AND ds_batch_out = ");
        sql_literal_int(q, BATCH_LIVE);
    }
    SQL(q, ") OR (ds_batch_in <= ");
    sql_int(q, since);
    SQL(q, " AND ds_batch_out BETWEEN ");
    sql_int(q, since);
    SQL(q, " AND ");
    sql_int(q, job->mirror.at);
    SQL(q, ")");
}

static void select_versions(const ds_job *job, const ds_work *work, ds_sql *q)
{
    SQL(q, "SELECT ");
    sql_columns_to_read(q, work->versions, false);
    SQL(q, ", ds_row_hash FROM ");
    if (has_out(job, work->def))
        sql_relation(q, live_of(work->def));
    else
        both_tables(work->def, q);
    where_changed(job, work->since, q);
    if (work->since) // versions of one key stand together, whatever the order of keys is
        sql_order_by_key(q, work->def->shape);
}

ds_read mirror_read(const ds_job *job, const ds_work *work, ds_sql *select)
{
    ds_read read = {.select = select, .key_seed = job->key_seed};
    read.shape = work->versions ? work->versions : work->def->shape;
    read.has_hash = work->versions;
    if (work->versions)
        select_versions(job, work, select);
    else
        select_rows(job, work->def, select);
    return read;
}

ds_rc mirror_refuse_rows(const ds_job *job, ds_error *err)
{
    const char *primary = job->def->primary;
    return ds_hint(ds_fail(err, DS_BUSY, "rows of primary %s have other columns, or are not what it has recorded",
                           primary),
                   err, "after a change of columns: apply both, and run %s once; else: datasurface verify %s", primary,
                   primary);
}

// --- staging them

typedef struct changes {
    ds_job *job;
    ds_work *work;
    ds_cell *cells;
    ds_rows row; // one, made anew
    ds_fingerprint after;
    // The key whose versions are being read: was it live at `since`, is it now?
    ds_hash key;
    bool was, is;
} changes;

static void end_key(changes *c)
{
    ds_counts *counts = &c->work->counts;
    counts->inserted += c->is && !c->was;
    counts->updated += c->is && c->was;
    counts->deleted += c->was && !c->is;
    c->was = c->is = false;
}

// The primary's hashes are ours. So a row must have the values that its hash is of: it has more than we know of as long
// as an apply that adds or removes a column has come to one of the two only.
static ds_rc check_row(changes *c, ds_hash hash, ds_error *err)
{
    const ds_shape *shape = c->work->def->shape; // the first columns of a version
    rows_clear(&c->row);
    rows_begin(&c->row);
    for (size_t i = 0; i < shape->n; i++) {
        uint16_t column = shape->hash_order[i];
        if (c->cells[column].p)
            rows_put(&c->row, shape->columns[column].name_hash, c->cells[column].p, c->cells[column].n);
    }
    TRY(rows_end(&c->row, shape, 0, err));
    return hash_eq(c->row.row_hash[0], hash) ? DS_DONE : mirror_refuse_rows(c->job, err);
}

static ds_rc take_version(changes *c, const ds_rows *chunk, size_t i, ds_error *err)
{
    const ds_shape *shape = c->work->versions;
    ds_str row = rows_row(chunk, i);
    if (!hash_eq(chunk->key_hash[i], c->key))
        end_key(c);
    c->key = chunk->key_hash[i];
    row_cells(shape, row, c->cells);
    bool closed = cell_i64(c->cells[shape->n - 2]) <= c->work->since;
    bool live = !closed && cell_i64(c->cells[shape->n - 1]) == BATCH_LIVE;
    if (live)
        TRY(check_row(c, chunk->row_hash[i], err));
    c->was |= closed;
    c->is |= live;
    if (closed)
        fingerprint_remove(&c->after, chunk->row_hash[i]);
    else if (live)
        fingerprint_add(&c->after, chunk->row_hash[i]);
    c->work->counts.read++;
    return staging_add_row(c->job, c->work, (ds_op)(closed ? OP_CLOSE : OP_VERSION), row, chunk->row_hash[i], 1, err);
}

static ds_rc take_chunk(changes *c, const ds_rows *chunk, ds_error *err)
{
    for (size_t i = 0; i < chunk->n; i++)
        TRY(take_version(c, chunk, i, err));
    c->work->counts.bytes += (int64_t)chunk->bytes.n;
    job_report(c->job, c->work, c->work->counts.read, false);
    return DS_DONE;
}

static ds_rc take_all(changes *c, ds_error *err)
{
    CLEANUP(pump_closep) ds_pump *pump = NULL;
    TRY(source_pump(c->job, c->work, &pump, err));
    for (;;) {
        ds_rows *chunk;
        TRY(lease_check(c->job, err));
        TRY(pump_next(pump, &chunk, err));
        if (!chunk)
            break;
        ds_rc rc = take_chunk(c, chunk, err);
        pump_recycle(pump, chunk);
        TRY(rc);
    }
    end_key(c);
    return DS_DONE;
}

ds_rc mirror_changes(ds_job *job, ds_work *work, int64_t since, ds_error *err)
{
    const ds_fingerprint *primary = &job->mirror.primary[work->def - job->def->datasets].now.fingerprint;
    TRY(version_shape(job->arena, work->def->shape, &work->versions, err));
    work->since = since;
    work->changed = true;
    changes c = {.job = job, .work = work, .after = work->state.fingerprint};
    c.cells = ARENA_ARRAY(job->arena, ds_cell, work->versions->n);
    rows_init(&c.row);
    ds_rc rc = take_all(&c, err);
    rows_release(&c.row);
    TRY(rc);
    work->after = c.after;
    job->mirror.differs = !fingerprint_eq(c.after, *primary);
    if (job->mirror.differs)
        return ds_fail(err, DS_INTERNAL, "%s: what changed at the primary does not lead to the rows it has recorded",
                       work->def->name);
    return DS_DONE;
}
