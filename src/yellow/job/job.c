// A stream's cycle. The order of things is in batch.c's header; this file is the path through it.
#include "yellow/control/control_tables.h"
#include "yellow/job/job_int.h"
#include "yellow/job/transform.h"
#include "yellow/tables/tables.h"

// Of one run at a batch. The last one of a mirror compares all rows, which keeps less of its primary's versions.
enum { ATTEMPTS = 2, MIRROR_ATTEMPTS = 3 };

static ds_rc unknown_stream(ds_job *job, const char *stream, ds_error *err)
{
    ds_rc rc = ds_fail(err, DS_USAGE, "unknown stream \"%s\"", stream);
    ds_stream_row *all;
    size_t n;
    ds_error ignored;
    if (control_streams(job->control, job->arena, &all, &n, &ignored).code != DS_OK)
        return rc;
    ds_map *names = map_new(job->arena);
    for (size_t i = 0; i < n; i++)
        if (!all[i].removed)
            map_set(names, all[i].name, &all[i]);
    const char *nearest = map_nearest(names, stream);
    return nearest ? ds_hint(rc, err, "did you mean \"%s\"?", nearest)
                   : ds_hint(rc, err, "datasurface status lists the streams that have been applied");
}

// row NULL: there is none.
static ds_rc take_stream(ds_job *job, const char *stream, const ds_stream_row *row, ds_error *err)
{
    if (!row || row->removed)
        return unknown_stream(job, stream, err);
    job->row = row;
    job->def = row->def;
    return DS_DONE;
}

static ds_rc find_stream(ds_job *job, const char *stream, ds_error *err)
{
    ds_stream_row *row;
    TRY(control_stream(job->control, stream, job->arena, &row, err));
    return take_stream(job, stream, row, err);
}

static const ds_restart *restart_of(const ds_restart *restarts, size_t n, const char *dataset)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(restarts[i].dataset, dataset) == 0)
            return &restarts[i];
    return NULL;
}

// Into a batch, or among those that are being loaded outside any.
static void put_work(ds_job *job, const ds_dataset_def *dataset, ds_dataset_state state, const ds_restart *restart)
{
    ds_work work = {.def = dataset, .state = state, .first_load = state.batch == 0};
    work.rekey = !work.first_load && dataset->shape->key_count > 0 &&
                 strcmp(state.key, table_key_text(job->arena, dataset->shape)) != 0;
    work.check_all = dataset->check_count > 0 && strcmp(state.checks, def_checks_id(job->arena, dataset)) != 0;
    work.changed = work.check_all; // so that it is recorded which checks its rows have passed
    if (!work.first_load || !restart || job->def->primary) {
        job->work[job->work_count++] = work;
        return;
    }
    work.joins = restart->phase == RESTART_JOIN;
    work.state.fingerprint.rows = work.joins ? restart->rows_loaded : restart->rows_estimate; // about so many
    if (work.joins)
        job->work[job->work_count++] = work;
    else
        job->loads[job->load_count++] = (ds_long_load){work, *restart};
}

static bool any_first_load(const ds_dataset_state *states, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (states[i].batch == 0)
            return true;
    return false;
}

ds_rc job_prepare_work(ds_job *job, ds_error *err)
{
    size_t n = job->def->dataset_count, restart_count = 0;
    ds_restart *restarts = NULL;
    ds_dataset_state *states;
    TRY(control_dataset_states(job->control, job->def, job->arena, &states, err));
    if (any_first_load(states, n))
        TRY(control_restarts(job->control, job->def->name, job->arena, &restarts, &restart_count, err));
    job->work = ARENA_ARRAY(job->arena, ds_work, n);
    job->loads = ARENA_ARRAY(job->arena, ds_long_load, n);
    job->work_count = job->load_count = 0;
    job->staging_known = false;
    for (size_t i = 0; i < n; i++)
        put_work(job, &job->def->datasets[i], states[i],
                 restart_of(restarts, restart_count, job->def->datasets[i].name));
    return DS_DONE;
}

// It runs when it is told to, whatever its inputs do.
static bool has_trigger(const ds_stream_def *def)
{
    return def->cron[0] || def->external;
}

// A transformer whose inputs are not there yet, or have not changed, has nothing to do; *note says why.
static ds_rc transformer_due(ds_job *job, const char **note, ds_error *err)
{
    *note = "";
    if (!job->def->workspace)
        return DS_DONE;
    ds_batch_row *newest, *done;
    TRY(control_last_batch(job->control, job->def->name, false, job->arena, &newest, err));
    TRY(control_last_batch(job->control, job->def->name, true, job->arena, &done, err));
    if (newest && (!done || newest->id != done->id))
        return DS_DONE; // an open batch is finished first
    const char *now, *missing;
    TRY(transform_inputs(job->control->db, &job->names, job->def, job->arena, &now, &missing, err));
    if (missing)
        *note = arena_printf(job->arena, "input %s has no first batch yet", missing);
    else if (done && done->stream_version == job->row->version && strcmp(done->position, now) == 0 &&
             !job->row->resnapshot && !job->options->verify && !has_trigger(job->def))
        *note = "inputs unchanged";
    return DS_DONE;
}

static ds_rc record_inputs(ds_job *job, ds_error *err)
{
    if (job->def->command) // recorded when it was given them
        return DS_DONE;
    job->inputs = job->def->primary ? mirror_position(job) : "";
    if (!job->def->workspace)
        return DS_DONE;
    const char *missing;
    TRY(transform_inputs(source_leader(job), &job->names, job->def, job->arena, &job->inputs, &missing, err));
    if (missing)
        return ds_fail(err, DS_BUSY, "input %s has no first batch yet", missing);
    return DS_DONE;
}

static bool anything_changed(const ds_job *job)
{
    for (size_t i = 0; i < job->work_count; i++)
        if (job->work[i].changed || job->work[i].rekey)
            return true;
    return false;
}

static ds_rc ingest(ds_job *job, ds_error *err)
{
    TRY(ingest_all(job, err));
    TRY(record_inputs(job, err));
    if (!job->options->verify)
        source_close(job); // reading is over: nothing holds the source while we merge
    ds_rc rc = anything_changed(job) ? merge_enter(job, err) : merge_commit_unchanged(job, err);
    ingest_close_live(job); // what is gone is staged
    return rc;
}

static void release_work(ds_job *job)
{
    source_close(job);
    job->mirror.def = NULL;
    command_release(job);
    ingest_close_live(job);
    for (size_t i = 0; i < job->work_count; i++)
        deltas_release(&job->work[i].pending);
    job->pending_bytes = 0;
}

static ds_rc read_and_merge(ds_job *job, bool *again, ds_error *err)
{
    *again = false;
    if (job->status != BATCH_MERGING) {
        ds_rc rc = ingest(job, err);
        *again = job->mirror.differs;
        TRY(rc);
    }
    return job->status == BATCH_COMMITTED ? DS_DONE : merge_commit(job, again, err);
}

// From the batch's state to its commit. Deltas that don't fit send it back to the start, for which it has one try now.
static ds_rc finish_batch(ds_job *job, ds_error *err)
{
    const int attempts = job->def->primary ? MIRROR_ATTEMPTS : ATTEMPTS;
    for (int attempt = 1;; attempt++) {
        bool again, read_now = job->status != BATCH_MERGING;
        ds_rc rc = read_and_merge(job, &again, err);
        if (!again)
            return rc;
        ds_error failure = *err;
        release_work(job);
        TRY(batch_restart(job, failure.text, err));
        *err = failure;
        if (attempt == attempts || (read_now && job->duplicate))
            return rc;
        job->mirror.distrust |= job->mirror.differs || attempt == ATTEMPTS;
        job->mirror.differs = false;
        TRY(job_prepare_work(job, err));
    }
}

static ds_rc one_batch(ds_job *job, ds_error *err)
{
    job->resnapshot = job->row->resnapshot;
    source_expect(job);
    bool due = true;
    if (job->def->primary)
        TRY(mirror_look(job, &due, err));
    if (!due)
        return DS_DONE;
    TRY(batch_begin(job, err));
    job_checkpoint(job, "begun");
    if (job->status == BATCH_MERGING) // nothing is read
        source_close(job);
    ds_rc rc = job->status == BATCH_STARTED ? long_load_choose(job, err) : DS_DONE;
    if (rc.code == DS_OK && job->batch)
        rc = finish_batch(job, err);
    job_checkpoint(job, rc.code == DS_OK ? "committed" : "failed");
    return rc;
}

static void fill_result(const ds_job *job, double seconds, ds_job_result *out)
{
    out->batch = job->batch;
    out->seconds = seconds;
    out->n = job->work_count;
    out->datasets = ARENA_ARRAY(job->arena, ds_dataset_result, out->n);
    for (size_t i = 0; i < out->n; i++) {
        const ds_work *work = &job->work[i];
        out->datasets[i] = (ds_dataset_result){.dataset = arena_strdup(job->arena, work->def->name),
                                               .counts = work->counts,
                                               .fingerprint = work->after,
                                               .first_load = work->first_load,
                                               .seconds = work->seconds};
        out->counts.read += work->counts.read;
        out->counts.inserted += work->counts.inserted;
        out->counts.updated += work->counts.updated;
        out->counts.deleted += work->counts.deleted;
        out->counts.unchanged += work->counts.unchanged;
        out->counts.bytes += work->counts.bytes;
    }
}

static ds_rc run_batches(ds_job *job, ds_job_result *out, ds_error *err)
{
    double start = clock_elapsed_s();
    ds_rc rc = one_batch(job, err);
    if (rc.code == DS_OK && job->options->verify && job->batch && !job->source) {
        // A batch that was left in merging read nothing: proof needs one that did.
        release_work(job);
        rc = one_batch(job, err);
    }
    if (rc.code == DS_OK) {
        fill_result(job, clock_elapsed_s() - start, out);
        if (job->options->verify)
            rc = verify_datasets(job, out, err);
    } else if (job->batch && job->status != BATCH_COMMITTED) {
        release_work(job);
        batch_fail(job, err);
    } else if (!job->batch && job->def->primary) {
        mirror_fail(job, err);
    }
    release_work(job);
    return rc;
}

// A scheduler asked for a batch, and another one has made it since.
static ds_rc made_since(ds_job *job, ds_job_result *out, ds_error *err)
{
    if (!job->options->due_us)
        return DS_DONE;
    ds_batch_row *newest;
    TRY(control_last_batch(job->control, job->def->name, false, job->arena, &newest, err));
    out->made_since = newest && newest->committed_at && newest->started_at >= job->options->due_us;
    if (out->made_since)
        out->note = "done since it was due";
    return DS_DONE;
}

static ds_rc with_lease(ds_job *job, ds_job_result *out, ds_error *err)
{
    if (job->def->workspace ||
        job->def->primary) // whether it is due depends on its definition, which may have changed while we waited
        TRY(find_stream(job, out->stream, err));
    TRY(transformer_due(job, &out->note, err));
    if (!out->note[0])
        TRY(made_since(job, out, err));
    if (out->note[0])
        return DS_DONE;
    TRY(run_batches(job, out, err));
    if (job->note)
        out->note = job->note;
    return long_load_cycle(job, out, err);
}

// The same with connections that say what they are for. It outlives all that is opened by it.
static ds_runtime runtime_for(const ds_runtime *runtime, const char *what, const char *stream, ds_arena *arena)
{
    ds_runtime out = *runtime;
    out.purpose = arena_printf(arena, "%s %s", what, stream);
    return out;
}

// What failed between batches the last time has gone well now.
static ds_rc forget_failure(ds_job *job, ds_error *err)
{
    TRY(store_begin(job->control->db, BEGIN_WRITE, err));
    ds_rc rc = control_fail_between(job->control, job->def->name, NULL, err);
    if (rc.code == DS_OK)
        return store_commit(job->control->db, err);
    store_rollback(job->control->db);
    return rc;
}

static ds_rc run_stream(ds_job *job, const ds_first_look *look, ds_job_result *out, ds_error *err)
{
    TRY(take_stream(job, out->stream, look->row, err));
    out->tree_id = look->tree_id;
    TRY(lease_take(job, job->options->lease_wait_ms, err));
    job_checkpoint(job, "leased");
    ds_rc rc = with_lease(job, out, err);
    if (rc.code == DS_OK && look->row->failed)
        rc = forget_failure(job, err);
    return lease_release(job, rc, err);
}

ds_rc job_run(const ds_runtime *runtime, const ds_container_def *merge, const char *stream,
              const ds_job_options *options, ds_arena *arena, ds_job_result *out, ds_error *err)
{
    ds_runtime named = runtime_for(runtime, "job", stream, arena);
    CLEANUP(control_closep) ds_control *control = NULL;
    TRY(control_connect_there(&named, merge, CONTROL_WRITE, &control, err));
    ds_job job = {.runtime = &named,
                  .options = options,
                  .control = control,
                  .arena = arena,
                  .inputs = "",
                  .names = control->names};
    *out = (ds_job_result){.stream = arena_strdup(arena, stream), .note = ""};
    ds_first_look look;
    TRY(control_first_look(control, stream, arena, &look, err));
    ds_rc rc = run_stream(&job, &look, out, err);
    def_cache_give_back(runtime->defs, look.kept);
    return rc;
}

// --- reset

static ds_rc count_staged(ds_job *job, int64_t *rows, ds_error *err)
{
    TRY(lease_begin_write(job, 0, err));
    ds_rc rc = staging_drop_batch(job, rows, err);
    store_rollback(job->control->db);
    return rc;
}

static ds_rc reset_open_batch(ds_job *job, ds_error *err)
{
    TRY(batch_begin(job, err)); // finds the open batch
    if (!job->batch)            // it was withdrawn
        return DS_DONE;
    if (job->status != BATCH_STARTED)
        TRY(batch_restart(job, "reset by hand", err));
    return batch_clear_failure(job, err);
}

static ds_rc reset_with_lease(ds_job *job, bool dry_run, int64_t *batch, int64_t *rows, ds_error *err)
{
    ds_batch_row *open;
    TRY(control_last_batch(job->control, job->def->name, false, job->arena, &open, err));
    if (!open || strcmp(open->status, batch_status_name(BATCH_COMMITTED)) == 0)
        return DS_DONE;
    job->batch = *batch = open->id;
    TRY(job_prepare_work(job, err));
    TRY(count_staged(job, rows, err));
    return dry_run ? DS_DONE : reset_open_batch(job, err);
}

ds_rc job_reset(const ds_runtime *runtime, const ds_container_def *merge, const char *stream, bool dry_run,
                int64_t *batch, int64_t *rows, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_runtime named = runtime_for(runtime, "reset", stream, arena);
    CLEANUP(control_closep) ds_control *control = NULL;
    TRY(control_open(&named, merge, CONTROL_WRITE, &control, err));
    ds_job_options options = {0};
    ds_job job = {.runtime = &named,
                  .options = &options,
                  .control = control,
                  .arena = arena,
                  .inputs = "",
                  .names = control->names};
    *batch = *rows = 0;
    TRY(find_stream(&job, stream, err));
    TRY(lease_take(&job, 0, err));
    job_checkpoint(&job, "leased");
    return lease_release(&job, reset_with_lease(&job, dry_run, batch, rows, err), err);
}
