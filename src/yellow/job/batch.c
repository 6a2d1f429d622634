// The states of a batch.
//
//  (none) ──▶ started ──▶ ingesting ──▶ merging ──▶ committed
//                ▲            │            │
//                └── retry ───┘◀───────────┘
//
// and from started or ingesting to committed at once when nothing has changed.
//
// What is true in each state:
//   started    the batch has its row; no staging row carries its id; no dataset_batch row
//   ingesting  staging may hold rows of the batch; merge tables of datasets in their first load may hold rows; no
//              dataset_batch row; all that consumers can see is as of the batch before
//   merging    every delta is in staging; dataset_batch says how many and their hash sum; the rows that consumers will
//              see have passed the datasets' checks; consumers see the batch before
//   committed  the merge tables are as of the batch; its counts and fingerprints are recorded; it never changes again
#include "sched/backoff.h"
#include "yellow/control/control_tables.h"
#include "yellow/job/job_int.h"

enum { EMPTY_BATCH_DAYS = 7, EVENT_DAYS = 90, PRUNE_EVERY = 16 };

static const char *const STATUS_NAMES[] = {"none", "started", "ingesting", "merging", "committed"};

typedef struct transition {
    ds_batch_status from, to;
    const char *why;
} transition;

static const transition TRANSITIONS[] = {
    {BATCH_NONE, BATCH_STARTED, "begin: a run finds no open batch"},
    {BATCH_STARTED, BATCH_STARTED, "retry: nothing was staged"},
    {BATCH_STARTED, BATCH_INGESTING, "the first rows are written"},
    {BATCH_INGESTING, BATCH_STARTED, "retry: its staging rows are dropped, the source is read anew"},
    {BATCH_INGESTING, BATCH_MERGING, "all datasets are staged; counts and hash sums are recorded"},
    {BATCH_MERGING, BATCH_STARTED, "the staged rows are not those recorded or don't fit, or the definition changed"},
    {BATCH_MERGING, BATCH_COMMITTED, "deltas, fingerprints, counts and status commit together"},
    {BATCH_STARTED, BATCH_COMMITTED, "nothing has changed: there is nothing to stage or merge"},
    {BATCH_INGESTING, BATCH_COMMITTED, "the same"},
};
enum { TRANSITION_COUNT = sizeof TRANSITIONS / sizeof TRANSITIONS[0] };

const char *batch_status_name(ds_batch_status status)
{
    return STATUS_NAMES[status];
}

bool batch_status_parse(const char *text, ds_batch_status *out)
{
    for (int i = BATCH_STARTED; i <= BATCH_COMMITTED; i++) {
        if (strcmp(STATUS_NAMES[i], text) == 0) {
            *out = (ds_batch_status)i;
            return true;
        }
    }
    return false;
}

void batch_print_transitions(ds_buf *out)
{
    for (int i = 0; i < TRANSITION_COUNT; i++)
        buf_printf(out, "%-9s -> %-9s  %s\n", STATUS_NAMES[TRANSITIONS[i].from], STATUS_NAMES[TRANSITIONS[i].to],
                   TRANSITIONS[i].why);
}

static bool allowed(ds_batch_status from, ds_batch_status to)
{
    for (int i = 0; i < TRANSITION_COUNT; i++)
        if (TRANSITIONS[i].from == from && TRANSITIONS[i].to == to)
            return true;
    return false;
}

static void where_batch(ds_sql *q, const ds_job *job)
{
    SQL(q, " WHERE stream = ");
    sql_text(q, job->def->name);
    SQL(q, " AND batch_id = ");
    sql_int(q, job->batch);
}

void batch_move_start(const ds_job *job, ds_batch_status to, ds_sql *q)
{
    SQL(q, "UPDATE ");
    sql_relation(q, job->names.batch);
    SQL(q, " SET status = ");
    sql_text(q, STATUS_NAMES[to]);
}

ds_rc batch_move_end(ds_job *job, ds_batch_status to, ds_sql *q, ds_error *err)
{
    if (!allowed(job->status, to))
        BUG("batch %s: no transition from %s to %s", job->def->name, STATUS_NAMES[job->status], STATUS_NAMES[to]);
    where_batch(q, job);
    SQL(q, " AND status = ");
    sql_text(q, STATUS_NAMES[job->status]);
    int64_t affected = 0;
    TRY(store_exec(job->control->db, q, &affected, err));
    if (affected != 1)
        return ds_fail(err, DS_INTERNAL, "batch %lld of %s is not in state %s", (long long)job->batch, job->def->name,
                       STATUS_NAMES[job->status]);
    job->status = to;
    return DS_DONE;
}

ds_rc batch_move(ds_job *job, ds_batch_status to, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    batch_move_start(job, to, &q);
    return batch_move_end(job, to, &q, err);
}

ds_rc batch_enter_ingesting(ds_job *job, ds_error *err)
{
    return job->status == BATCH_STARTED ? batch_move(job, BATCH_INGESTING, err) : DS_DONE;
}

static ds_rc insert_batch(ds_job *job, int64_t now, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, job->names.batch);
    SQL(&q, " (stream, batch_id, status, started_at, stream_version, tree_id, attempts) VALUES (");
    sql_text(&q, job->def->name);
    SQL(&q, ", ");
    sql_int(&q, job->batch);
    SQL(&q, ", ");
    sql_text(&q, STATUS_NAMES[BATCH_STARTED]);
    SQL(&q, ", ");
    control_sql_time(&q, now);
    SQL(&q, ", ");
    sql_int(&q, job->row->version);
    SQL(&q, ", ");
    sql_text(&q, job->row->tree_id);
    SQL(&q, ", 0)");
    job->started_at = now;
    job->status = BATCH_STARTED;
    return store_exec(job->control->db, &q, NULL, err);
}

static ds_rc prune_events(ds_job *job, int64_t now, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "DELETE FROM ");
    sql_relation(&q, job->names.event);
    SQL(&q, " WHERE stream = ");
    sql_text(&q, job->def->name);
    SQL(&q, " AND at < ");
    control_sql_time(&q, now - EVENT_DAYS * INT64_C(86400000000));
    return store_exec(job->control->db, &q, NULL, err);
}

// Batches without any change are only worth a week.
static ds_rc prune_empty_batches(ds_job *job, int64_t now, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "DELETE FROM ");
    sql_relation(&q, job->names.batch);
    SQL(&q, " WHERE stream = ");
    sql_text(&q, job->def->name);
    SQL(&q, " AND batch_id < ");
    sql_int(&q, job->batch - 1);
    SQL(&q, " AND status = 'committed' AND committed_at < ");
    control_sql_time(&q, now - EMPTY_BATCH_DAYS * INT64_C(86400000000));
    SQL(&q, " AND NOT EXISTS (SELECT 1 FROM ");
    sql_relation(&q, job->names.dataset_batch);
    SQL(&q, " d WHERE d.stream = ");
    sql_text(&q, job->def->name);
    SQL(&q, " AND d.batch_id = ");
    sql_relation(&q, job->names.batch);
    SQL(&q, ".batch_id)");
    return store_exec(job->control->db, &q, NULL, err);
}

// A mirror takes its primary's number, and may leave some out.
static ds_rc begin_next(ds_job *job, int64_t last, ds_error *err)
{
    int64_t now;
    TRY(store_now(job->control->db, &now, err));
    job->batch = job->def->primary ? job->mirror.at : last + 1;
    TRY(insert_batch(job, now, err));
    TRY(staging_prune(job, err));
    if (job->batch / PRUNE_EVERY == last / PRUNE_EVERY)
        return DS_DONE;
    TRY(prune_empty_batches(job, now, err));
    return prune_events(job, now, err);
}

static ds_rc delete_dataset_batches(ds_job *job, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "DELETE FROM ");
    sql_relation(&q, job->names.dataset_batch);
    where_batch(&q, job);
    return store_exec(job->control->db, &q, NULL, err);
}

static ds_rc start_over(ds_job *job, ds_error *err)
{
    int64_t dropped;
    TRY(staging_drop_batch(job, &dropped, err));
    TRY(delete_dataset_batches(job, err));
    TRY(batch_move(job, BATCH_STARTED, err));
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "UPDATE ");
    sql_relation(&q, job->names.batch);
    SQL(&q, " SET stream_version = ");
    sql_int(&q, job->row->version);
    SQL(&q, ", tree_id = ");
    sql_text(&q, job->row->tree_id);
    where_batch(&q, job);
    return store_exec(job->control->db, &q, NULL, err);
}

// An open batch: what is staged whole is merged, everything else starts over.
static ds_rc resume(ds_job *job, const ds_batch_row *open, ds_error *err)
{
    job->batch = open->id;
    job->started_at = open->started_at;
    if (!batch_status_parse(open->status, &job->status))
        return ds_fail(err, DS_INTERNAL, "batch %lld of %s has the unknown status \"%s\"", (long long)open->id,
                       job->def->name, open->status);
    if (job->status != BATCH_MERGING || open->stream_version != job->row->version)
        return start_over(job, err);
    job->resnapshot = false; // asked for after this batch was read, or known to be wanted still: the next one does it
    return merge_resume(job, err);
}

ds_rc batch_withdraw(ds_job *job, ds_error *err)
{
    ds_assert(job->status == BATCH_STARTED);
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "DELETE FROM ");
    sql_relation(&q, job->names.batch);
    where_batch(&q, job);
    TRY(store_exec(job->control->db, &q, NULL, err));
    job->batch = 0;
    job->status = BATCH_NONE;
    return DS_DONE;
}

static ds_rc begin_in_transaction(ds_job *job, ds_error *err)
{
    TRY(lease_fence(job, err));
    TRY(job_prepare_work(job, err));
    bool none = job->work_count == 0 && job->load_count > 0;
    if (job->def->primary)
        TRY(mirror_begin(job, err));
    ds_batch_row *last;
    TRY(control_last_batch(job->control, job->def->name, false, job->arena, &last, err));
    if (!last || strcmp(last->status, STATUS_NAMES[BATCH_COMMITTED]) == 0)
        return none ? DS_DONE : begin_next(job, last ? last->id : 0, err);
    TRY(resume(job, last, err));
    if (job->def->primary && job->status == BATCH_STARTED)
        return mirror_renumber(job, err);
    return none && job->status == BATCH_STARTED ? batch_withdraw(job, err) : DS_DONE;
}

ds_rc batch_begin(ds_job *job, ds_error *err)
{
    job->status_before = job->status = BATCH_NONE;
    job->batch = 0;
    TRY(lease_begin_write(job, job->options->lease_wait_ms / 1000.0, err));
    return lease_end(job, begin_in_transaction(job, err), err);
}

static ds_rc restart(ds_job *job, const char *why, ds_error *err)
{
    TRY(start_over(job, err));
    return control_event(job->control, job->def->name, "restarted", why, err);
}

ds_rc batch_restart(ds_job *job, const char *why, ds_error *err)
{
    TRY(lease_begin(job, err));
    return lease_end(job, restart(job, why, err), err);
}

static ds_rc clear_failure(ds_job *job, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "UPDATE ");
    sql_relation(&q, job->names.batch);
    SQL(&q, " SET error = NULL, guarded = 0, attempts = 0, retry_at = NULL");
    where_batch(&q, job);
    return store_exec(job->control->db, &q, NULL, err);
}

ds_rc batch_clear_failure(ds_job *job, ds_error *err)
{
    TRY(lease_begin(job, err));
    return lease_end(job, clear_failure(job, err), err);
}

static ds_rc write_failure(ds_job *job, const ds_error *failure, ds_error *err)
{
    TRY(lease_forget(job, err));
    if (failure->code == DS_CANCELLED) // nothing is wrong with the batch: the next run goes on with it
        return DS_DONE;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_batch_row *open;
    TRY(control_last_batch(job->control, job->def->name, false, arena, &open, err));
    int64_t attempts = open && open->id == job->batch ? open->attempts + 1 : 1;
    int64_t now;
    TRY(store_now(job->control->db, &now, err));
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "UPDATE ");
    sql_relation(&q, job->names.batch);
    SQL(&q, " SET error = ");
    sql_text(&q, failure->text);
    SQL(&q, ", attempts = ");
    sql_int(&q, attempts);
    SQL(&q, ", guarded = ");
    sql_int(&q, job->guarded);
    SQL(&q, ", retry_at = ");
    control_sql_time(&q, now + backoff_delay_us(attempts, job->def->name));
    where_batch(&q, job);
    SQL(&q, " AND status <> ");
    sql_text(&q, STATUS_NAMES[BATCH_COMMITTED]); // a commit that we were told had failed
    int64_t affected = 0;
    TRY(store_exec(job->control->db, &q, &affected, err));
    if (affected == 0)
        return DS_DONE;
    bool parked = attempts == BACKOFF_PARKED_AFTER;
    return control_event(job->control, job->def->name,
                         job->guarded ? "guarded"
                         : parked     ? "parked"
                                      : "failed",
                         failure->text, err);
}

void batch_fail(ds_job *job, const ds_error *failure)
{
    ds_error ignored;
    if (job->merge_busy || lease_begin(job, &ignored).code != DS_OK) // busy: nothing could be written either
        return;
    ds_ignore(lease_end(job, write_failure(job, failure, &ignored), &ignored));
}
