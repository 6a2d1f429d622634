// What a mirror's primary has recorded, read in the snapshot in which its rows are read, too.
#include "yellow/control/control_tables.h"
#include "yellow/job/job_int.h"

// The primary's control tables, read through the source's snapshot. Borrows all that it names.
static ds_control primary_control(const ds_job *job)
{
    ds_db *db = source_leader(job);
    return (ds_control){.db = db,
                        .runtime = job->runtime,
                        .arena = job->arena,
                        .merge = &job->def->source,
                        .names = control_names(job->arena, db->dialect)};
}

// --- since a batch

// SELECT dataset, was it loaded, how many keys had it … of the batches of a stream after that one
static void since_sql(const ds_control *primary, int64_t since, ds_sql *q)
{
    SQL(q, "SELECT d.dataset, max(d.first_load), count(DISTINCT d.key_columns) FROM ");
    sql_relation(q, primary->names.dataset_batch);
    SQL(q, " AS d JOIN ");
    sql_relation(q, primary->names.batch);
    SQL(q, " AS b ON b.stream = d.stream AND b.batch_id = d.batch_id WHERE b.status = 'committed' AND d.batch_id > ");
    sql_int(q, since);
}

static void take_since(const ds_result *r, size_t row, ds_primary_state *state)
{
    state->loaded_since = result_int(r, row, 1) != 0;
    state->key_changed_since =
        result_int(r, row, 2) > 1 || (state->then.batch && strcmp(state->then.key, state->now.key) != 0);
}

static ds_primary_state *state_named(const ds_job *job, const char *dataset)
{
    for (size_t i = 0; i < job->def->dataset_count; i++)
        if (strcmp(job->def->datasets[i].name, dataset) == 0)
            return &job->mirror.primary[i];
    return NULL;
}

static ds_rc read_since(const ds_job *job, ds_control *primary, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(primary->db->dialect);
    since_sql(primary, job->mirror.last, &q);
    SQL(&q, " AND d.stream = ");
    sql_text(&q, job->def->primary);
    SQL(&q, " GROUP BY d.dataset");
    ds_result r;
    TRY(store_query(primary->db, &q, job->arena, &r, err));
    for (size_t i = 0; i < r.rows; i++) {
        ds_primary_state *state = state_named(job, result_text(&r, i, 0));
        if (state)
            take_since(&r, i, state);
    }
    return DS_DONE;
}

static ds_rc read_states(ds_job *job, ds_control *primary, ds_error *err)
{
    ds_stream_def def = *job->def;
    def.name = def.primary;
    ds_dataset_state *then;
    TRY(control_dataset_states_at(primary, &def, job->mirror.last, job->arena, &then, err));
    for (size_t i = 0; i < def.dataset_count; i++) {
        job->mirror.primary[i].then = then[i];
        job->mirror.primary[i].since = job->mirror.last;
    }
    return read_since(job, primary, err);
}

// --- the same, after the consistency of the store has changed: a dataset's batches are in two streams, and we may have
// come to another one of each dataset

static ds_rc read_moved_since(const ds_job *job, ds_control *primary, const ds_dataset_def *dataset, const char *other,
                              ds_primary_state *state, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(primary->db->dialect);
    since_sql(primary, state->since, &q);
    SQL(&q, " AND d.stream IN (");
    sql_text(&q, job->def->primary);
    SQL(&q, ", ");
    sql_text(&q, other);
    SQL(&q, ") AND d.dataset = ");
    sql_text(&q, dataset->name);
    SQL(&q, " GROUP BY d.dataset");
    ds_result r;
    TRY(store_query(primary->db, &q, job->arena, &r, err));
    if (r.rows)
        take_since(&r, 0, state);
    return DS_DONE;
}

static ds_rc read_moved(const ds_job *job, ds_control *primary, const json_t *datasets, size_t i, ds_error *err)
{
    const ds_dataset_def *dataset = &job->def->datasets[i];
    ds_primary_state *state = &job->mirror.primary[i];
    const char *other = def_other_stream(job->arena, job->def->primary, dataset->name);
    if (!str_int64(str_of(json_string_value(json_object_get(datasets, dataset->name))), &state->since))
        state->since = 0; // it has come with none
    ds_dataset_state before;
    TRY(control_dataset_state_at(primary, job->def->primary, dataset->name, state->since, job->arena, &state->then,
                                 err));
    TRY(control_dataset_state_at(primary, other, dataset->name, state->since, job->arena, &before, err));
    if (before.batch > state->then.batch)
        state->then = before;
    return read_moved_since(job, primary, dataset, other, state, err);
}

static ds_rc read_all_moved(const ds_job *job, ds_control *primary, const json_t *datasets, ds_error *err)
{
    for (size_t i = 0; i < job->def->dataset_count; i++)
        TRY(read_moved(job, primary, datasets, i, err));
    return DS_DONE;
}

// --- the whole

static bool has_all(const ds_stream_def *primary, const ds_stream_def *ours)
{
    for (size_t i = 0; i < ours->dataset_count; i++) {
        bool found = false;
        for (size_t k = 0; k < primary->dataset_count && !found; k++)
            found = strcmp(primary->datasets[k].name, ours->datasets[i].name) == 0;
        if (!found)
            return false;
    }
    return true;
}

// Its datasets may be in another stream by now, which changes their tables: its own batches say nothing of that.
static ds_rc read_gone(ds_job *job, ds_control *primary, ds_error *err)
{
    ds_stream_row *row;
    size_t n;
    job->mirror.gone = false;
    if (job->mirror.at == job->mirror.last)
        return DS_DONE;
    TRY(control_streams_named(primary, &job->def->primary, 1, job->arena, &row, &n, err));
    if (n)
        return DS_DONE;
    TRY(control_stream(primary, job->def->primary, job->arena, &row, err));
    job->mirror.gone = !row || !has_all(row->def, job->def);
    return DS_DONE;
}

static ds_rc read_primary(ds_job *job, ds_error *err)
{
    ds_control primary = primary_control(job);
    ds_stream_def def = *job->def;
    def.name = def.primary;
    ds_batch_row *last;
    ds_dataset_state *now;
    TRY(control_last_batch(&primary, def.primary, true, job->arena, &last, err));
    job->mirror.at = last ? last->id : 0;
    TRY(read_gone(job, &primary, err));
    TRY(control_dataset_states(&primary, &def, job->arena, &now, err));
    job->mirror.primary = ARENA_ARRAY(job->arena, ds_primary_state, def.dataset_count);
    for (size_t i = 0; i < def.dataset_count; i++)
        job->mirror.primary[i].now = now[i];
    json_t *position = json_loads(job->mirror.position, 0, NULL);
    const json_t *datasets = json_object_get(position, "datasets"); // our last batch is that in which they came
    ds_rc rc = datasets ? read_all_moved(job, &primary, datasets, err) : read_states(job, &primary, err);
    json_decref(position);
    job->mirror.def = job->def;
    return rc;
}

ds_rc mirror_open_primary(ds_job *job, ds_error *err)
{
    TRY(source_open(job, err));
    return ds_context(read_primary(job, err), err, "primary of stream %s", job->def->name);
}
