// A stream whose source is what another platform has merged: its primary. It has the primary's batch ids. In one
// snapshot of the primary's merge database it reads which batch is the last one committed there and what that batch
// left; the primary commits both together, so they agree. A dataset that has not changed since our last batch costs
// nothing; of one that has, the versions that came or were closed since are enough, as long as what we hold is what the
// primary held then and the outcome is what it holds now; else all live rows are compared.
//
// reset and verify never come here with a batch of their own: `reset` begins one without looking, and leaves its number
// to the next run.
#include <inttypes.h>
#include <stdlib.h>

#include "yellow/control/control_tables.h"
#include "yellow/job/job_int.h"
#include "yellow/tables/views.h"

// --- is there anything to do?

static ds_rc refuse(const ds_job *job, ds_error *err)
{
    return ds_hint(ds_fail(err, DS_FINDING,
                           "stream %s has batch %" PRId64 ", and its primary %s is at batch %" PRId64
                           ": the primary was built anew, or is a new one",
                           job->def->name, job->mirror.last, job->def->primary, job->mirror.at),
                   err, "to begin anew from it, and give up the history of %s: datasurface resnapshot %s",
                   job->def->name, job->def->name);
}

static bool any_loaded(const ds_job *job)
{
    for (size_t i = 0; i < job->def->dataset_count; i++)
        if (job->mirror.primary[i].now.batch)
            return true;
    return false;
}

// What the primary says it had after our last batch is not what we hold.
static bool has_parted(const ds_job *job, const ds_work *work)
{
    const ds_dataset_state *then = &job->mirror.primary[work->def - job->def->datasets].then;
    return then->batch && work->state.batch && !fingerprint_eq(then->fingerprint, work->state.fingerprint);
}

// Is our last batch one of this primary's, by its name?
static bool was_followed(const ds_job *job)
{
    json_t *json = json_loads(job->mirror.position, 0, NULL);
    bool followed = json_object_get(json, job->def->primary) != NULL;
    json_decref(json);
    return followed;
}

// Built anew, or restored from a backup, and now as far as the one we know, or further. A new one that is further is
// no such thing: what we have from before it is our own.
static bool is_another(const ds_job *job)
{
    bool parted = false;
    for (size_t i = 0; i < job->work_count; i++)
        parted |= has_parted(job, &job->work[i]);
    return parted && (job->mirror.at == job->mirror.last || was_followed(job));
}

static ds_rc decide(ds_job *job, bool open, bool *due, ds_error *err)
{
    ds_mirror *mirror = &job->mirror;
    if (mirror->gone) {
        *due = false;
        job->note = arena_printf(job->arena, "primary %s is not applied yet, or no longer", job->def->primary);
        return DS_DONE;
    }
    mirror->anew = mirror->at && job->resnapshot && (mirror->at < mirror->last || is_another(job));
    if (mirror->at < mirror->last && !mirror->anew)
        return refuse(job, err);
    *due = open || mirror->anew || (mirror->at > mirror->last && any_loaded(job));
    if (*due || (mirror->last && job->options->verify)) // there is enough to prove
        return DS_DONE;
    job->note = mirror->at == 0 || mirror->at > mirror->last
                    ? arena_printf(job->arena, "primary %s has no first batch yet", job->def->primary)
                    : arena_printf(job->arena, "at batch %" PRId64 " of primary %s", mirror->at, job->def->primary);
    return DS_DONE;
}

ds_rc mirror_look(ds_job *job, bool *due, ds_error *err)
{
    ds_batch_row *newest, *done;
    TRY(control_last_batch(job->control, job->def->name, false, job->arena, &newest, err));
    TRY(control_last_batch(job->control, job->def->name, true, job->arena, &done, err));
    bool open = newest && (!done || newest->id != done->id);
    job->note = NULL;
    job->mirror.last = done ? done->id : 0;
    job->mirror.position = done ? done->position : "";
    *due = true;
    if (open && strcmp(newest->status, batch_status_name(BATCH_MERGING)) == 0 &&
        newest->stream_version == job->row->version)
        return DS_DONE; // it was read
    TRY(job_prepare_work(job, err));
    TRY(mirror_open_primary(job, err));
    return decide(job, open, due, err);
}

static ds_rc write_failure(ds_job *job, const ds_error *failure, ds_error *err)
{
    return control_fail_between(job->control, job->def->name, failure->text, err);
}

void mirror_fail(ds_job *job, const ds_error *failure)
{
    ds_error ignored;
    if (failure->code == DS_CANCELLED || lease_begin_write(job, 0, &ignored).code != DS_OK)
        return;
    ds_ignore(lease_end(job, write_failure(job, failure, &ignored), &ignored));
}

// --- the batch

static ds_rc delete_batches(ds_job *job, ds_relation table, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "DELETE FROM ");
    sql_relation(&q, table);
    SQL(&q, " WHERE stream = ");
    sql_text(&q, job->def->name);
    return store_exec(job->control->db, &q, NULL, err);
}

static ds_rc give_up_dataset(ds_job *job, const ds_work *work, ds_error *err)
{
    TRY(views_replace(job->control, job->def, work->def, VIEW_STUB, err));
    TRY(load_empty(job, work, err));
    if (job->def->milestoning == MILESTONING_SCD4)
        TRY(store_empty(job->control->db, work->def->history, err));
    return DS_DONE;
}

// All of ours goes. Consumers see no rows until the batch that follows commits.
static ds_rc give_up(ds_job *job, ds_error *err)
{
    for (size_t i = 0; i < job->work_count; i++)
        TRY(give_up_dataset(job, &job->work[i], err));
    TRY(staging_give_up(job, err));
    TRY(delete_batches(job, job->names.dataset_batch, err));
    TRY(delete_batches(job, job->names.batch, err));
    TRY(control_event(job->control, job->def->name, "restarted", "the primary was built anew", err));
    job->mirror.last = 0;
    job->mirror.anew = false;
    return job_prepare_work(job, err);
}

ds_rc mirror_begin(ds_job *job, ds_error *err)
{
    if (job->mirror.def && job->mirror.def != job->def)
        return ds_hint(ds_fail(err, DS_BUSY, "stream %s was changed by an apply just now", job->def->name), err,
                       "run it again");
    return job->mirror.anew ? give_up(job, err) : DS_DONE;
}

static ds_rc set_number(ds_job *job, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "UPDATE ");
    sql_relation(&q, job->names.batch);
    SQL(&q, " SET batch_id = ");
    sql_int(&q, job->mirror.at);
    SQL(&q, " WHERE stream = ");
    sql_text(&q, job->def->name);
    SQL(&q, " AND batch_id = ");
    sql_int(&q, job->batch);
    job->batch = job->mirror.at;
    return store_exec(job->control->db, &q, NULL, err);
}

ds_rc mirror_renumber(ds_job *job, ds_error *err)
{
    if (!job->mirror.def || job->mirror.at == job->batch) // reset looks at no primary
        return DS_DONE;
    return job->mirror.at > job->mirror.last ? set_number(job, err) : batch_withdraw(job, err);
}

ds_rc mirror_reopen(ds_job *job, ds_error *err)
{
    TRY(mirror_open_primary(job, err));
    if (job->mirror.gone)
        return ds_fail(err, DS_BUSY, "primary %s was changed by an apply just now", job->def->primary);
    if (job->mirror.at == job->batch)
        return DS_DONE;
    if (job->mirror.at <= job->mirror.last)
        return refuse(job, err);
    TRY(lease_begin(job, err));
    return lease_end(job, set_number(job, err), err);
}

const char *mirror_position(const ds_job *job)
{
    CLEANUP(buf_release) ds_buf batch = BUF_INIT(32);
    buf_printf(&batch, "%" PRId64, job->mirror.at);
    json_t *json = json_pack("{s:s}", job->def->primary, buf_text(&batch));
    char *text = json_dumps(json, JSON_COMPACT);
    ds_assert(text);
    const char *out = arena_strdup(job->arena, text);
    free(text);
    json_decref(json);
    return out;
}

// --- one dataset

typedef enum mirror_way { WAY_NONE, WAY_SAME, WAY_VERSIONS, WAY_ROWS } mirror_way;

static mirror_way way_of_load(const ds_job *job, const ds_primary_state *primary)
{
    bool all = job->def->primary_versions && !primary->key_changed_since && !job->mirror.distrust;
    return all ? WAY_VERSIONS : WAY_ROWS; // versions from before a key change may lack our key
}

// Do we hold what the primary held after our last batch, under the same key?
static bool is_continued(const ds_job *job, const ds_work *work, const ds_primary_state *primary)
{
    return !work->rekey && !job->resnapshot && !job->mirror.distrust && !job->def->staging_full &&
           primary->then.batch && fingerprint_eq(primary->then.fingerprint, work->state.fingerprint) &&
           strcmp(primary->now.key, work->state.key) == 0 && !primary->key_changed_since;
}

static mirror_way way_of(const ds_job *job, const ds_work *work)
{
    const ds_primary_state *primary = &job->mirror.primary[work->def - job->def->datasets];
    if (!primary->now.batch)
        return WAY_NONE;
    if (work->first_load)
        return way_of_load(job, primary);
    if (!is_continued(job, work, primary))
        return WAY_ROWS;
    if (primary->now.batch <= primary->since)
        return WAY_SAME;
    if (job->def->primary_versions && !primary->loaded_since)
        return WAY_VERSIONS;
    bool same = fingerprint_eq(primary->now.fingerprint, work->state.fingerprint);
    return same && !def_keeps_versions(job->def) ? WAY_SAME : WAY_ROWS;
}

// From here on our history is not the primary's, and nothing else would tell.
static ds_rc tell_parting(ds_job *job, const ds_work *work, ds_error *err)
{
    if (!def_keeps_versions(job->def) || !has_parted(job, work) || !was_followed(job))
        return DS_DONE;
    const char *detail =
        arena_printf(job->arena,
                     "%s: primary %s had other rows in batch %" PRId64 " than we have of it: it was restored, or built "
                     "anew; our versions from before stay as they are",
                     work->def->name, job->def->primary, job->mirror.last);
    TRY(lease_begin(job, err));
    return lease_end(job, control_event(job->control, job->def->name, "parted", detail, err), err);
}

static ds_rc read_rows(ds_job *job, ds_work *work, ds_error *err)
{
    TRY(tell_parting(job, work, err));
    CLEANUP(pump_closep) ds_pump *pump = NULL;
    if (work->rekey)
        TRY(ingest_count_closed_by_rekey(job, work, err));
    TRY(source_pump(job, work, &pump, err));
    bool compares = !work->first_load || ingest_keeps_inputs(job);
    return compares ? compare_dataset(job, work, &pump, err) : load_dataset(job, work, pump, err);
}

ds_rc mirror_dataset(ds_job *job, ds_work *work, ds_error *err)
{
    mirror_way way = way_of(job, work);
    work->after = work->state.fingerprint;
    if (way == WAY_NONE || way == WAY_SAME)
        return DS_DONE;
    work->changed |= work->first_load;
    if (work->first_load)
        TRY(load_clear(job, work, err));
    const ds_primary_state *primary = &job->mirror.primary[work->def - job->def->datasets];
    if (way == WAY_VERSIONS)
        return mirror_changes(job, work, work->first_load ? 0 : primary->since, err);
    TRY(read_rows(job, work, err));
    return fingerprint_eq(work->after, primary->now.fingerprint) ? DS_DONE : mirror_refuse_rows(job, err);
}
