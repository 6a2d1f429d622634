// The exchange where databases have no roles: a file with copies of the inputs, as one transaction saw them.
#include "yellow/job/exchange.h"

typedef struct copier {
    ds_job *job;
    ds_db *from, *to;
    ds_writer *writer;
} copier;

static ds_rc write_chunk(void *context, const ds_rows *rows, ds_error *err)
{
    const copier *c = context;
    for (size_t i = 0; i < rows->n; i++)
        TRY(c->to->driver->write_row(c->writer, NULL, rows_row(rows, i), err));
    return lease_check(c->job, err);
}

// The select's columns are the shape's, in its order.
static ds_rc copy(copier *c, const ds_sql *select, const ds_shape *shape, ds_relation table, ds_error *err)
{
    CLEANUP(sql_release) ds_sql create = sql_new(c->to->dialect);
    CLEANUP(sql_release) ds_sql q = sql_new(c->from->dialect);
    exchange_table_sql(table, shape, false, &create);
    TRY(store_exec(c->to, &create, NULL, err));
    SQL(&q, "SELECT ");
    sql_columns_to_read(&q, shape, false);
    SQL(&q, " FROM (");
    sql_append(&q, select);
    SQL(&q, ") AS ds_input");
    TRY(c->to->driver->write_open(c->to, &(ds_write){.table = table, .shape = shape}, &c->writer, err));
    ds_rc rc = store_read(c->from, &(ds_read){.select = &q, .shape = shape}, write_chunk, c, err);
    if (rc.code == DS_OK)
        return c->to->driver->write_close(c->writer, NULL, err);
    c->to->driver->write_abort(c->writer);
    return rc;
}

static ds_rc copy_changes(copier *c, const ds_exchange_input *input, ds_error *err)
{
    const ds_shape *keys;
    CLEANUP(sql_release) ds_sql q = sql_new(c->from->dialect);
    TRY(exchange_key_shape(c->job, input->def->dataset->shape, &keys, err));
    TRY(exchange_changes_sql(c->job, c->from, input, &q, err));
    return copy(c, &q, keys, input->changes, err);
}

// A dataset that several groups name is there once.
static bool is_copied(const ds_exchange *x, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(x->inputs[i].rows.name, x->inputs[at].rows.name) == 0)
            return true;
    return false;
}

static ds_rc copy_input(copier *c, const ds_exchange_input *input, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(c->from->dialect);
    exchange_rows_sql(c->job, input, &q);
    TRY(copy(c, &q, input->def->dataset->shape, input->rows, err));
    return input->changes.name ? copy_changes(c, input, err) : DS_DONE;
}

static ds_rc fill(copier *c, ds_error *err)
{
    ds_job *job = c->job;
    const ds_exchange *x = job->exchange;
    TRY(store_begin(c->from, BEGIN_READ, err));
    TRY(exchange_look(job, c->from, err));
    for (size_t i = 0; i < x->n; i++)
        if (!is_copied(x, i))
            TRY(ds_context(copy_input(c, &x->inputs[i], err), err, "input %s/%s", x->inputs[i].def->store,
                           x->inputs[i].def->dataset->name));
    for (size_t i = 0; i < job->work_count; i++) {
        CLEANUP(sql_release) ds_sql create = sql_new(c->to->dialect);
        exchange_table_sql(exchange_output(job->work[i].def), job->work[i].def->shape, true, &create);
        TRY(store_exec(c->to, &create, NULL, err));
    }
    return DS_DONE;
}

ds_rc exchange_file_make(ds_job *job, ds_error *err)
{
    ds_exchange *x = job->exchange;
    x->container = (ds_container_def){.name = "the exchange",
                                      .type = job->control->merge->type,
                                      .path = arena_printf(job->arena, "%s/exchange.db", x->dir.path),
                                      .host = "",
                                      .database = "",
                                      .schema = "",
                                      .credential = ""};
    CLEANUP(store_closep) ds_db *from = NULL;
    CLEANUP(store_closep) ds_db *to = NULL;
    TRY(runtime_open(job->runtime, job->control->merge, (ds_access){.read_only = true}, &from, err));
    TRY(runtime_open(job->runtime, &x->container, (ds_access){.create = true}, &to, err));
    copier c = {.job = job, .from = from, .to = to};
    TRY(store_begin(to, BEGIN_WRITE, err));
    TRY(fill(&c, err));
    return store_commit(to, err);
}
