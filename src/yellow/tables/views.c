#include "yellow/tables/views.h"

#include "yellow/control/control_tables.h"
#include "yellow/tables/table_parts.h"

// What a history view has besides the dataset's columns.
static const struct {
    const char *name;
    ds_type type;
} MILESTONES[] = {
    {"ds_batch_in", {.kind = TYPE_BIGINT}},
    {"ds_batch_out", {.kind = TYPE_BIGINT}},
    {"ds_valid_from", {.kind = TYPE_TIMESTAMPTZ}},
    {"ds_valid_to", {.kind = TYPE_TIMESTAMPTZ}},
};
enum { MILESTONE_COUNT = sizeof MILESTONES / sizeof MILESTONES[0] };

static void null_column(const char *name, const ds_type *type, ds_sql *out)
{
    SQL(out, "CAST(NULL AS ");
    control_sql_type(out, type);
    SQL(out, ") AS ");
    sql_ident(out, name);
}

// As null_column, with the collation of the table's column: a view can't change it later.
static void stub_column(const ds_shape *shape, size_t column, ds_sql *out)
{
    const ds_shape_column *c = &shape->columns[column];
    SQL(out, "CAST(NULL AS ");
    control_sql_type(out, c->type);
    SQL(out, ")");
    if (table_is_key(shape, c->name) && table_collates(out->dialect, c->type))
        buf_puts(&out->text, out->dialect->key_collation);
    SQL(out, " AS ");
    sql_ident(out, c->name);
}

static void stub_select(const ds_shape *shape, bool history, ds_sql *out)
{
    SQL(out, "SELECT ");
    for (size_t i = 0; i < shape->n; i++) {
        if (i)
            SQL(out, ", ");
        stub_column(shape, i, out);
    }
    for (size_t i = 0; history && i < MILESTONE_COUNT; i++) {
        SQL(out, ", ");
        null_column(MILESTONES[i].name, &MILESTONES[i].type, out);
    }
    SQL(out, " WHERE 0 = 1");
}

typedef struct history_of {
    const ds_stream_def *def;
    const ds_dataset_def *dataset;
    const ds_control_names *control;
} history_of;

// "(SELECT b.committed_at FROM batch AS b WHERE …", of the batches that the dataset has been in.
static void commits_of(const history_of *h, ds_sql *out)
{
    SQL(out, "(SELECT b.committed_at FROM ");
    sql_relation(out, h->control->batch);
    SQL(out, " AS b WHERE b.stream ");
    if (h->dataset->former) {
        SQL(out, "IN (");
        sql_literal_text(out, h->def->name);
        SQL(out, ", ");
        sql_literal_text(out, h->dataset->former);
        SQL(out, ")");
    } else {
        SQL(out, "= ");
        sql_literal_text(out, h->def->name);
    }
}

// The batch with which a mirror's datasets have moved may have the number of one before: that of a dataset's own stream
// says when.
static void first_of(const history_of *h, ds_sql *out)
{
    SQL(out, " AND b.status = 'committed' ORDER BY b.batch_id");
    if (h->dataset->former)
        SQL(out, ", b.stream DESC");
    SQL(out, " LIMIT 1)");
}

// The commit of the batch that a version came in (or, of a long first load, the first one that was made since), and of
// the first one after it went out.
static void valid_columns(const history_of *h, bool closed, ds_sql *out)
{
    commits_of(h, out);
    SQL(out, " AND b.batch_id >= m.ds_batch_in");
    first_of(h, out);
    SQL(out, " AS ds_valid_from, ");
    if (!closed) {
        null_column("ds_valid_to", &(ds_type){.kind = TYPE_TIMESTAMPTZ}, out);
        return;
    }
    commits_of(h, out);
    SQL(out, " AND b.batch_id > m.ds_batch_out");
    first_of(h, out);
    SQL(out, " AS ds_valid_to");
}

// All versions that one table holds; without ds_batch_out of its own they are all live.
static void versions_select(const history_of *h, bool history_table, ds_sql *out)
{
    bool closed = history_table || def_has_out(h->def);
    SQL(out, "SELECT ");
    sql_columns(out, "m", h->dataset->shape);
    SQL(out, ", m.ds_batch_in AS ds_batch_in, ");
    if (closed)
        SQL(out, "m.ds_batch_out");
    else
        sql_literal_int(out, BATCH_LIVE);
    SQL(out, " AS ds_batch_out, ");
    valid_columns(h, closed, out);
    SQL(out, " FROM ");
    sql_relation(out, history_table ? h->dataset->history : h->dataset->merge);
    SQL(out, " AS m");
}

static void history_select(const history_of *h, ds_sql *out)
{
    versions_select(h, false, out);
    if (h->def->milestoning != MILESTONING_SCD4)
        return;
    SQL(out, " UNION ALL ");
    versions_select(h, true, out);
}

static void live_select(const ds_stream_def *def, const ds_dataset_def *dataset, ds_sql *out)
{
    SQL(out, "SELECT ");
    sql_columns(out, "m", dataset->shape);
    SQL(out, " FROM ");
    sql_relation(out, dataset->merge);
    SQL(out, " AS m");
    if (!def_has_out(def))
        return;
    SQL(out, " WHERE m.ds_batch_out = ");
    sql_literal_int(out, BATCH_LIVE);
}

void view_select_sql(const ds_stream_def *def, const ds_dataset_def *dataset, const ds_view_def *view,
                     const ds_control_names *control, ds_view_form form, ds_sql *out)
{
    if (form == VIEW_STUB)
        stub_select(dataset->shape, view->history, out);
    else if (view->history)
        history_select(&(history_of){def, dataset, control}, out);
    else
        live_select(def, dataset, out);
}

ds_rc view_drop(ds_control *control, ds_relation relation, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "DROP VIEW IF EXISTS ");
    sql_relation(&q, relation);
    return store_exec(control->db, &q, NULL, err);
}

ds_rc view_put(ds_control *control, const ds_stream_def *def, const ds_dataset_def *dataset, const ds_view_def *view,
               ds_view_form form, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    view_select_sql(def, dataset, view, &control->names, form, &q);
    return store_view_put(control->db, view->relation, &q, err);
}

ds_rc views_replace(ds_control *control, const ds_stream_def *def, const ds_dataset_def *dataset, ds_view_form form,
                    ds_error *err)
{
    for (size_t i = 0; i < dataset->view_count; i++)
        TRY(view_put(control, def, dataset, &dataset->views[i], form, err));
    return DS_DONE;
}
