// Lease and fence: who may work on a stream. The lease is the ownership of the stream's name (lock.h); the fence is a
// number that every new holder raises, so that a holder who lost the lease without noticing can't commit any more.
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "yellow/control/control_tables.h"
#include "yellow/job/job_int.h"

enum { POLL_MS = 50, MERGE_BUSY_S = 60 };

static void wait_a_little(void)
{
    struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    nanosleep(&pause, NULL);
}

static ds_rc busy(const ds_job *job, ds_error *err)
{
    CLEANUP(buf_release) ds_buf holder = BUF_INIT(512);
    lock_holder(job->lock, job->def->name, &holder);
    return ds_hint(ds_fail(err, DS_BUSY, "stream busy: %s%s%s", job->def->name, holder.n ? ": " : "",
                           buf_text(&holder)),
                   err, "another process works on it; wait longer with --lease-wait, or try again later");
}

static ds_rc take(ds_job *job, int wait_ms, ds_error *err)
{
    bool held;
    TRY(lock_take(job->lock, job->def->name, wait_ms, &held, err));
    return held ? DS_DONE : busy(job, err);
}

ds_rc lease_take(ds_job *job, int wait_ms, ds_error *err)
{
    job->lock = lock_new(job->control, arena_printf(job->arena, "stream %s", job->def->name));
    ds_rc rc = take(job, wait_ms, err);
    if (rc.code != DS_OK)
        lock_freep(&job->lock);
    return rc;
}

ds_rc lease_release(ds_job *job, ds_rc rc, ds_error *err)
{
    rc = lock_explain(job->lock, rc, err);
    lock_freep(&job->lock);
    return rc;
}

ds_rc lease_mark(const ds_job *job, ds_db *db, ds_error *err)
{
    return db->driver->claim ? db->driver->claim(db, job->def->name, err) : DS_DONE;
}

ds_rc lease_check(ds_job *job, ds_error *err)
{
    if (runtime_cancelled(job->runtime))
        return ds_fail(err, DS_CANCELLED, "interrupted");
    return lock_check(job->lock, err);
}

ds_rc lease_forget(ds_job *job, ds_error *err)
{
    return lock_notice_drop(job->control, job->def->name, err);
}

// --- transactions

static ds_rc read_fence(const ds_job *job, ds_arena *arena, ds_result *out, ds_error *err)
{
    ds_db *db = job->control->db;
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT fence FROM ");
    sql_relation(&q, job->names.stream);
    SQL(&q, " WHERE name = ");
    sql_text(&q, job->def->name);
    if (db->dialect->locks_rows)
        SQL(&q, " FOR SHARE");
    return store_query(db, &q, arena, out, err);
}

static ds_rc changed(const ds_job *job, ds_error *err)
{
    return ds_hint(ds_fail(err, DS_BUSY, "stream %s was changed by an apply just now", job->def->name), err,
                   "run it again");
}

// What was read of the stream before there was a lease may be out of date.
static ds_rc read_again(ds_job *job, ds_error *err)
{
    ds_stream_row *row;
    TRY(control_stream(job->control, job->def->name, job->arena, &row, err));
    if (!row || row->removed)
        return changed(job, err);
    job->row = row;
    job->def = row->def;
    return DS_DONE;
}

ds_rc lease_fence(ds_job *job, ds_error *err)
{
    ds_fence now;
    TRY(control_raise_fence(job->control, job->def->name, &now, err));
    if (now.removed)
        return changed(job, err);
    job->fence = now.fence;
    if (now.version != job->row->version)
        TRY(read_again(job, err));
    return lock_notice_put(job->control, job->def->name, err);
}

// A merge of another process may hold the write lock for as long as it takes: waiting is cheaper than to start over.
static ds_rc begin_patiently(ds_job *job, double wait_s, ds_error *err)
{
    double until = clock_elapsed_s() + wait_s;
    for (;;) {
        ds_rc rc = store_begin(job->control->db, BEGIN_WRITE, err);
        if (rc.code != DS_BUSY)
            return rc;
        if (runtime_cancelled(job->runtime))
            return ds_fail(err, DS_CANCELLED, "interrupted while waiting for the merge database");
        job->merge_busy = clock_elapsed_s() >= until;
        if (job->merge_busy)
            return ds_hint(ds_context(rc, err, "merge database busy"), err,
                           "another process writes to it; nothing was lost, run it again");
        wait_a_little(); // some locks are refused without waiting
    }
}

ds_rc lease_begin_write(ds_job *job, double wait_s, ds_error *err)
{
    TRY(lock_check(job->lock, err));
    TRY(begin_patiently(job, wait_s, err));
    ds_rc rc = lock_claim(job->lock, &job->def->name, 1, err);
    if (rc.code != DS_OK)
        store_rollback(job->control->db);
    return rc;
}

static ds_rc check_fence(ds_job *job, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_result r;
    TRY(read_fence(job, arena, &r, err));
    if (r.rows == 1 && result_int(&r, 0, 0) == job->fence)
        return DS_DONE;
    return ds_hint(ds_fail(err, DS_BUSY, "stream %s was taken over by another process", job->def->name), err,
                   "the other process goes on with the work; nothing of this one was committed since");
}

ds_rc lease_begin(ds_job *job, ds_error *err)
{
    job->status_before = job->status;
    TRY(lease_begin_write(job, MERGE_BUSY_S, err));
    ds_rc rc = check_fence(job, err);
    if (rc.code != DS_OK)
        store_rollback(job->control->db);
    return rc;
}

ds_rc lease_begin_long(ds_job *job, ds_error *err)
{
    job->status_before = job->status;
    return lease_begin_write(job, MERGE_BUSY_S, err);
}

ds_rc lease_end_long(ds_job *job, ds_rc rc, ds_error *err)
{
    return lease_end(job, rc.code == DS_OK ? check_fence(job, err) : rc, err);
}

ds_rc lease_end(ds_job *job, ds_rc rc, ds_error *err)
{
    if (rc.code == DS_OK)
        rc = store_commit(job->control->db, err);
    else
        store_rollback(job->control->db);
    if (rc.code != DS_OK)
        job->status = job->status_before;
    return rc;
}
