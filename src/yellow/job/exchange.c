#include "yellow/job/exchange.h"
#include "yellow/job/transform.h"
#include "yellow/tables/table_parts.h"

// --- the state of the inputs

static int64_t batch_in(const json_t *position, const ds_exchange_input *input, ds_arena *arena)
{
    const char *key = arena_printf(arena, "%s/%s", input->def->stream, input->def->dataset->name);
    int64_t batch = 0;
    (void)str_int64(str_of(json_string_value(json_object_get(position, key))), &batch);
    return batch;
}

// Where closed versions are not kept only staging knows what went, for a while.
static ds_rc knows_what_went(ds_job *job, const ds_exchange_input *input, bool *out, ds_error *err)
{
    *out = job->def->milestoning != MILESTONING_SCD1 || job->def->staging_batches == STAGING_BATCHES_ALL;
    if (*out)
        return DS_DONE;
    ds_batch_row *newest;
    TRY(control_last_batch(job->control, input->def->stream, false, job->arena, &newest, err));
    *out = newest && newest->id - input->since <= job->def->staging_batches;
    return DS_DONE;
}

static ds_rc look_at_input(ds_job *job, const json_t *now, const json_t *before, ds_exchange_input *input,
                           ds_error *err)
{
    const ds_shape *shape = input->def->dataset->shape;
    input->batch = batch_in(now, input, job->arena);
    input->since = shape->key_count ? batch_in(before, input, job->arena) : 0;
    bool complete = true;
    if (input->since)
        TRY(knows_what_went(job, input, &complete, err));
    if (!complete)
        input->since = 0;
    return DS_DONE;
}

// What was read last: nothing, as far as it matters, when the transformer is another one since.
static ds_rc position_before(ds_job *job, json_t **out, ds_error *err)
{
    ds_batch_row *done;
    TRY(control_last_batch(job->control, job->def->name, true, job->arena, &done, err));
    bool same = done && done->stream_version == job->row->version && !job->resnapshot;
    *out = same ? json_loads(done->position, 0, NULL) : NULL;
    return DS_DONE;
}

ds_rc exchange_look(ds_job *job, ds_db *db, ds_error *err)
{
    const char *missing;
    json_t *before;
    TRY(transform_inputs(db, &job->names, job->def, job->arena, &job->inputs, &missing, err));
    if (missing)
        return ds_fail(err, DS_BUSY, "input %s has no first batch yet", missing);
    TRY(position_before(job, &before, err));
    json_t *now = json_loads(job->inputs, 0, NULL);
    ds_rc rc = DS_DONE;
    for (size_t i = 0; i < job->exchange->n && rc.code == DS_OK; i++)
        rc = look_at_input(job, now, before, &job->exchange->inputs[i], err);
    json_decref(now);
    json_decref(before);
    return rc;
}

// --- statements

void exchange_rows_sql(const ds_job *job, const ds_exchange_input *input, ds_sql *out)
{
    SQL(out, "SELECT ");
    sql_columns(out, NULL, input->def->dataset->shape);
    SQL(out, " FROM ");
    sql_relation(out, input->def->dataset->merge);
    if (!def_has_out(job->def))
        return;
    SQL(out, " WHERE ds_batch_out = ");
    sql_literal_int(out, BATCH_LIVE);
}

static void select_keys(const ds_shape *shape, ds_relation table, ds_sql *out)
{
    SQL(out, "SELECT ");
    for (size_t i = 0; i < shape->key_count; i++) {
        if (i)
            SQL(out, ", ");
        sql_ident(out, shape->columns[shape->key[i]].name);
    }
    SQL(out, " FROM ");
    sql_relation(out, table);
}

// A version that a later batch closed went, or changed, in the batch after its last one.
static void select_closed(const ds_exchange_input *input, ds_relation table, ds_sql *out)
{
    SQL(out, " UNION ");
    select_keys(input->def->dataset->shape, table, out);
    SQL(out, " WHERE ds_batch_out < ");
    sql_literal_int(out, BATCH_LIVE);
    SQL(out, " AND ds_batch_out >= ");
    sql_literal_int(out, input->since);
}

static ds_rc select_staged(ds_job *job, ds_db *db, const ds_exchange_input *input, ds_sql *out, ds_error *err)
{
    const ds_dataset_def *dataset = input->def->dataset;
    const ds_catalog_table *staging;
    TRY(store_describe(db, job->arena, dataset->staging, &staging, err));
    if (!staging) // nothing has changed since the first load
        return DS_DONE;
    SQL(out, " UNION ");
    select_keys(dataset->shape, dataset->staging, out);
    SQL(out, " WHERE ds_op = 'D' AND ds_batch_id > ");
    sql_literal_int(out, input->since);
    return DS_DONE;
}

ds_rc exchange_changes_sql(ds_job *job, ds_db *db, const ds_exchange_input *input, ds_sql *out, ds_error *err)
{
    const ds_dataset_def *dataset = input->def->dataset;
    select_keys(dataset->shape, dataset->merge, out);
    SQL(out, " WHERE ds_batch_in > ");
    sql_literal_int(out, input->since);
    if (!input->since)
        return DS_DONE;
    if (job->def->milestoning == MILESTONING_SCD1)
        return select_staged(job, db, input, out, err);
    select_closed(input, job->def->milestoning == MILESTONING_SCD2 ? dataset->merge : dataset->history, out);
    return DS_DONE;
}

ds_rc exchange_key_shape(ds_job *job, const ds_shape *shape, const ds_shape **out, ds_error *err)
{
    ds_shape_column *columns = ARENA_ARRAY(job->arena, ds_shape_column, shape->key_count);
    uint16_t *key = ARENA_ARRAY(job->arena, uint16_t, shape->key_count);
    for (size_t i = 0; i < shape->key_count; i++) {
        columns[i] = shape->columns[shape->key[i]];
        key[i] = (uint16_t)i;
    }
    return shape_new(job->arena, columns, shape->key_count, key, shape->key_count, out, err);
}

void exchange_table_sql(ds_relation table, const ds_shape *shape, bool source_names, ds_sql *out)
{
    SQL(out, "CREATE TABLE ");
    sql_relation(out, table);
    for (size_t i = 0; i < shape->n; i++) {
        const ds_shape_column *column = &shape->columns[i];
        if (i)
            SQL(out, ", ");
        else
            SQL(out, " (");
        sql_ident(out, source_names ? column->source : column->name);
        SQL(out, " ");
        table_type_sql(column->type, table_is_key(shape, column->name), out);
    }
    SQL(out, ")");
}

ds_relation exchange_output(const ds_dataset_def *dataset)
{
    return (ds_relation){dataset->source_schema, dataset->source_table};
}
