#include "yellow/job/transform.h"

#include <stdlib.h>

// The last committed batch in which the input dataset changed; NULL: never committed. A dataset that has changed its
// stream, there and back perhaps, may have changed last in the other one.
static ds_rc last_change(ds_db *db, const ds_control_names *names, const ds_input_def *input, ds_arena *arena,
                         const char **out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT d.batch_id FROM ");
    sql_relation(&q, names->dataset_batch);
    SQL(&q, " AS d JOIN ");
    sql_relation(&q, names->batch);
    SQL(&q, " AS b ON b.stream = d.stream AND b.batch_id = d.batch_id WHERE d.stream IN (");
    sql_text(&q, input->stream);
    SQL(&q, ", ");
    sql_text(&q, def_other_stream(arena, input->stream, input->dataset));
    SQL(&q, ") AND d.dataset = ");
    sql_text(&q, input->dataset);
    control_sql_changed(&q);
    SQL(&q, " AND b.status = 'committed' ORDER BY d.batch_id DESC LIMIT 1");
    ds_result r;
    TRY(store_query(db, &q, arena, &r, err));
    *out = r.rows ? result_text(&r, 0, 0) : NULL;
    return DS_DONE;
}

ds_rc transform_inputs(ds_db *db, const ds_control_names *names, const ds_stream_def *def, ds_arena *arena,
                       const char **out, const char **missing, ds_error *err)
{
    json_t *inputs = json_object();
    ds_rc rc = DS_DONE;
    *out = "";
    *missing = NULL;
    for (size_t i = 0; i < def->input_count && rc.code == DS_OK && !*missing; i++) {
        const ds_input_def *input = &def->inputs[i];
        if (strcmp(input->stream, def->name) == 0) // its own output never makes it due
            continue;
        const char *batch = NULL;
        rc = last_change(db, names, input, arena, &batch, err);
        if (rc.code == DS_OK && !batch)
            *missing = arena_printf(arena, "%s/%s", input->stream, input->dataset);
        else if (rc.code == DS_OK)
            json_object_set_new(inputs, arena_printf(arena, "%s/%s", input->stream, input->dataset),
                                json_string(batch));
    }
    if (rc.code == DS_OK && !*missing) {
        char *text = json_dumps(inputs, JSON_COMPACT | JSON_SORT_KEYS);
        *out = arena_strdup(arena, text);
        free(text);
    }
    json_decref(inputs);
    return rc;
}

void transform_select(const ds_dataset_def *dataset, ds_sql *out)
{
    SQL(out, "SELECT ");
    sql_columns_to_read(out, dataset->shape, false);
    SQL(out, " FROM (");
    sql_user_text(out, dataset->sql);
    SQL(out, "\n) AS ds_output");
}

ds_read transform_read(const ds_stream_def *def, const ds_dataset_def *dataset, const ds_sql *select, ds_arena *arena)
{
    ds_relation *allowed = ARENA_ARRAY(arena, ds_relation, def->input_count);
    for (size_t i = 0; i < def->input_count; i++)
        allowed[i] = def->inputs[i].relation;
    return (ds_read){.select = select,
                     .shape = dataset->shape,
                     .untrusted = true,
                     .timeout_ms = def->sql_timeout_ms,
                     .allowed = allowed,
                     .allowed_count = def->input_count};
}
