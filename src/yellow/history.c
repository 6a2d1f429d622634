// A consumer's dataset as it was: which batch that is, and the versions that were valid in it.
#include "yellow/history.h"

#include <inttypes.h>

#include "yellow/control/control_tables.h"

typedef struct reading {
    ds_control *control;
    ds_arena *arena;
    const char *path;
    const ds_stream_def *def;
    const ds_dataset_def *dataset;
    int64_t batch;
} reading;

// --- what is meant

static const char *view_path(ds_arena *arena, const ds_view_row *view)
{
    return arena_printf(arena, "%s/%s/%s/%s", view->workspace, view->group, view->store, view->dataset);
}

static ds_rc unknown_path(const reading *r, const ds_view_row *views, size_t n, ds_error *err)
{
    const char **names = ARENA_ARRAY(r->arena, const char *, n);
    for (size_t i = 0; i < n; i++)
        names[i] = view_path(r->arena, &views[i]);
    const char *nearest = str_nearest(r->path, names, n);
    ds_rc rc = ds_fail(err, DS_USAGE, "no dataset \"%s\" has been applied", r->path);
    if (nearest)
        return ds_hint(rc, err, "did you mean \"%s\"?", nearest);
    return ds_hint(rc, err, "name it as WORKSPACE/GROUP/STORE/DATASET; datasurface views lists them");
}

static ds_rc find_stream(reading *r, const char *stream, const char *dataset, ds_error *err)
{
    ds_stream_row *row;
    TRY(control_stream(r->control, stream, r->arena, &row, err));
    for (size_t i = 0; row && i < row->def->dataset_count; i++)
        if (strcmp(row->def->datasets[i].name, dataset) == 0) {
            r->def = row->def;
            r->dataset = &row->def->datasets[i];
            return DS_DONE;
        }
    return ds_hint(ds_fail(err, DS_FINDING, "stream %s has no dataset \"%s\" any more", stream, dataset), err,
                   "run datasurface apply");
}

static ds_rc find_dataset(reading *r, ds_error *err)
{
    ds_view_row *views;
    size_t n;
    TRY(control_views(r->control, r->arena, &views, &n, err));
    for (size_t i = 0; i < n; i++)
        if (strcmp(view_path(r->arena, &views[i]), r->path) == 0)
            return find_stream(r, views[i].stream, views[i].dataset, err);
    return unknown_path(r, views, n, err);
}

// --- which batch

// The streams that have batches of the dataset.
static void of_streams(const reading *r, ds_sql *q)
{
    SQL(q, " IN (");
    sql_text(q, r->def->name);
    if (r->dataset->former) {
        SQL(q, ", ");
        sql_text(q, r->dataset->former);
    }
    SQL(q, ")");
}

static ds_rc read_batch(const reading *r, const ds_sql *q, int64_t *out, ds_error *err)
{
    ds_result found;
    TRY(store_query(r->control->db, q, r->arena, &found, err));
    *out = found.rows ? result_int(&found, 0, 0) : 0;
    return DS_DONE;
}

// The last batch that was committed at or before the instant; 0 when there is none.
static ds_rc batch_at(const reading *r, int64_t instant, int64_t *out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(r->control->db->dialect);
    SQL(&q, "SELECT batch_id FROM ");
    sql_relation(&q, r->control->names.batch);
    SQL(&q, " WHERE status = 'committed' AND stream");
    of_streams(r, &q);
    SQL(&q, " AND committed_at <= ");
    control_sql_time(&q, instant);
    SQL(&q, " ORDER BY batch_id DESC LIMIT 1");
    return read_batch(r, &q, out, err);
}

// SELECT a batch of the dataset …
static void dataset_batch_sql(const reading *r, ds_sql *q)
{
    SQL(q, "SELECT d.batch_id FROM ");
    sql_relation(q, r->control->names.dataset_batch);
    SQL(q, " AS d JOIN ");
    sql_relation(q, r->control->names.batch);
    SQL(q, " AS b ON b.stream = d.stream AND b.batch_id = d.batch_id WHERE b.status = 'committed' AND d.stream");
    of_streams(r, q);
    SQL(q, " AND d.dataset = ");
    sql_text(q, r->dataset->name);
}

// The dataset's history begins with the batch that committed its first load.
static ds_rc first_batch(const reading *r, int64_t *out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(r->control->db->dialect);
    dataset_batch_sql(r, &q);
    SQL(&q, " ORDER BY d.batch_id LIMIT 1");
    return read_batch(r, &q, out, err);
}

// The last one that changed its rows.
static ds_rc last_change(const reading *r, int64_t *out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(r->control->db->dialect);
    dataset_batch_sql(r, &q);
    control_sql_changed(&q);
    SQL(&q, " ORDER BY d.batch_id DESC LIMIT 1");
    return read_batch(r, &q, out, err);
}

static ds_rc before_history(const reading *r, int64_t first, ds_error *err)
{
    return ds_hint(ds_fail(err, DS_FINDING, "%s: that is before its kept history", r->path), err,
                   "it begins with batch %" PRId64, first);
}

static ds_rc check_batch(const reading *r, int64_t last, ds_error *err)
{
    int64_t first;
    TRY(first_batch(r, &first, err));
    if (first == 0)
        return ds_hint(ds_fail(err, DS_FINDING, "%s: nothing has been committed yet", r->path), err,
                       "run datasurface run --once");
    if (r->batch > last)
        return ds_fail(err, DS_FINDING, "%s: there is no batch %" PRId64 " yet, the last one is %" PRId64, r->path,
                       r->batch, last);
    if (r->batch < first)
        return before_history(r, first, err);
    if (r->def->milestoning != MILESTONING_SCD1)
        return DS_DONE;
    int64_t changed;
    TRY(last_change(r, &changed, err));
    if (r->batch < changed)
        return ds_hint(ds_fail(err, DS_FINDING,
                               "%s: platform \"%s\" keeps live rows only, there is no history before batch %" PRId64,
                               r->path, r->def->platform, changed),
                       err, "ask for a group that requires full history");
    return DS_DONE;
}

static ds_rc find_batch(reading *r, ds_as_of as_of, ds_error *err)
{
    ds_batch_row *last;
    TRY(control_last_batch(r->control, r->def->name, true, r->arena, &last, err));
    r->batch = as_of.batch;
    if (!as_of.is_batch)
        TRY(batch_at(r, as_of.instant, &r->batch, err));
    return check_batch(r, last ? last->id : 0, err);
}

// --- the rows

static void versions_sql(const reading *r, ds_relation table, bool has_out, ds_sql *q)
{
    SQL(q, "SELECT ");
    sql_columns_to_read(q, r->dataset->shape, false);
    SQL(q, " FROM ");
    sql_relation(q, table);
    SQL(q, " WHERE ds_batch_in <= ");
    sql_int(q, r->batch);
    if (!has_out)
        return;
    SQL(q, " AND ds_batch_out >= ");
    sql_int(q, r->batch);
}

static void select_sql(const reading *r, ds_sql *q)
{
    versions_sql(r, r->dataset->merge, def_has_out(r->def), q);
    if (r->def->milestoning == MILESTONING_SCD4) {
        SQL(q, " UNION ALL ");
        versions_sql(r, r->dataset->history, true, q);
    }
    if (r->dataset->shape->key_count == 0)
        SQL(q, " ORDER BY ds_row_hash, ds_copy");
    sql_order_by_key(q, r->dataset->shape);
}

// Versions that were closed before a key change may lack the key of today.
static ds_rc shape_without_key(const reading *r, const ds_shape **out, ds_error *err)
{
    const ds_shape *shape = r->dataset->shape;
    ds_shape_column *columns = ARENA_ARRAY(r->arena, ds_shape_column, shape->n);
    for (size_t i = 0; i < shape->n; i++) {
        columns[i] = shape->columns[i];
        columns[i].not_null = false;
    }
    return shape_new(r->arena, columns, shape->n, NULL, 0, out, err);
}

// Where the rows go.
typedef struct receiver {
    const reading *r;
    const ds_shape *shape; // as they are read
    ds_cell *cells;
    const ds_row_sink *sink;
} receiver;

static ds_rc pass_on(void *context, const ds_rows *chunk, ds_error *err)
{
    const receiver *to = context;
    if (runtime_cancelled(to->r->control->runtime))
        return ds_fail(err, DS_CANCELLED, "interrupted");
    for (size_t i = 0; i < chunk->n; i++) {
        row_cells(to->shape, rows_row(chunk, i), to->cells);
        TRY(to->sink->row(to->sink->context, to->r->dataset->shape, to->cells, err));
    }
    return DS_DONE;
}

static ds_rc read_rows(const reading *r, const ds_row_sink *sink, ds_error *err)
{
    const ds_shape *shape;
    TRY(shape_without_key(r, &shape, err));
    CLEANUP(sql_release) ds_sql q = sql_new(r->control->db->dialect);
    select_sql(r, &q);
    ds_read read = {.select = &q, .shape = shape};
    receiver to = {r, shape, ARENA_ARRAY(r->arena, ds_cell, shape->n), sink};
    return store_read(r->control->db, &read, pass_on, &to, err);
}

static ds_rc read_snapshot(reading *r, ds_as_of as_of, const ds_row_sink *sink, ds_error *err)
{
    TRY(find_dataset(r, err));
    TRY(find_batch(r, as_of, err));
    if (sink->shape)
        sink->shape(sink->context, r->dataset->shape);
    return read_rows(r, sink, err);
}

ds_rc history_read(ds_control *control, const char *path, ds_as_of as_of, const ds_row_sink *sink, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    reading r = {.control = control, .arena = arena, .path = path};
    TRY(store_begin(control->db, BEGIN_READ, err));
    ds_rc rc = read_snapshot(&r, as_of, sink, err);
    store_rollback(control->db);
    return rc;
}
