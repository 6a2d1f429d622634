// Lease and fence: who may work on a stream. The lock is the driver's (the kernel's for SQLite), so that it is freed
// with the process; the fence is a number that every new holder raises, so that a holder who lost the lease without
// noticing can't commit any more.
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "yellow/control_int.h"
#include "yellow/job_int.h"

enum { POLL_MS = 50, LEASE_SECONDS = 20, MERGE_BUSY_S = 60 };

// "held by HOST pid N since …", from the lease row; empty when nobody wrote one.
static void print_holder(ds_job *job, ds_buf *out)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "SELECT owner_host, owner_pid, owner_start FROM ");
    sql_relation(&q, job->names.lease);
    SQL(&q, " WHERE stream = ");
    sql_text(&q, job->def->name);
    ds_result r;
    ds_error ignored;
    if (store_query(job->control->db, &q, arena, &r, &ignored).code != DS_OK || r.rows == 0)
        return;
    buf_printf(out, ": held by %s pid %s since %s", result_text(&r, 0, 0), result_text(&r, 0, 1),
               result_text(&r, 0, 2));
}

static void wait_a_little(void)
{
    struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    nanosleep(&pause, NULL);
}

ds_rc lease_take(ds_job *job, int wait_ms, ds_error *err)
{
    ds_db *db = job->control->db;
    double until = clock_elapsed_s() + wait_ms / 1000.0;
    for (;;) {
        bool held = false;
        TRY(db->driver->lock_try(db, job->def->name, &held, err));
        if (held)
            return DS_DONE;
        if (runtime_cancelled(job->runtime))
            return ds_fail(err, DS_CANCELLED, "interrupted while waiting for stream %s", job->def->name);
        if (clock_elapsed_s() >= until)
            break;
        wait_a_little();
    }
    CLEANUP(buf_release) ds_buf holder = BUF_INIT(512);
    print_holder(job, &holder);
    return ds_hint(ds_fail(err, DS_BUSY, "stream busy: %s%s", job->def->name, buf_text(&holder)), err,
                   "another process works on it; wait longer with --lease-wait, or try again later");
}

void lease_release(ds_job *job)
{
    job->control->db->driver->lock_release(job->control->db, job->def->name);
}

static ds_rc write_lease_row(ds_job *job, int64_t now, ds_error *err)
{
    char host[256] = "";
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, job->names.lease);
    SQL(&q, " (stream, owner_host, owner_pid, owner_start, expires_at) VALUES (");
    sql_text(&q, job->def->name);
    SQL(&q, ", ");
    sql_text(&q, host);
    SQL(&q, ", ");
    sql_int(&q, getpid());
    SQL(&q, ", ");
    control_sql_time(&q, now);
    SQL(&q, ", ");
    control_sql_time(&q, now + LEASE_SECONDS * INT64_C(1000000));
    SQL(&q, ") ON CONFLICT (stream) DO UPDATE SET owner_host = excluded.owner_host, owner_pid = excluded.owner_pid, "
            "owner_start = excluded.owner_start, expires_at = excluded.expires_at");
    return store_exec(job->control->db, &q, NULL, err);
}

ds_rc lease_forget(ds_job *job, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "DELETE FROM ");
    sql_relation(&q, job->names.lease);
    SQL(&q, " WHERE stream = ");
    sql_text(&q, job->def->name);
    return store_exec(job->control->db, &q, NULL, err);
}

ds_rc lease_fence(ds_job *job, ds_error *err)
{
    ds_db *db = job->control->db;
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "UPDATE ");
    sql_relation(&q, job->names.stream);
    SQL(&q, " SET fence = fence + 1 WHERE name = ");
    sql_text(&q, job->def->name);
    TRY(store_exec(db, &q, NULL, err));
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_stream_row *row;
    TRY(control_stream(job->control, job->def->name, arena, &row, err));
    if (!row || row->removed || row->version != job->row->version)
        return ds_hint(ds_fail(err, DS_BUSY, "stream %s was changed by an apply just now", job->def->name), err,
                       "run it again");
    job->fence = row->fence;
    int64_t now;
    TRY(store_now(db, &now, err));
    return write_lease_row(job, now, err);
}

// A merge of another process may hold the write lock for as long as it takes: waiting is cheaper than to start over.
ds_rc lease_begin_write(ds_job *job, double wait_s, ds_error *err)
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

ds_rc lease_begin(ds_job *job, ds_error *err)
{
    ds_db *db = job->control->db;
    job->status_before = job->status;
    TRY(lease_begin_write(job, MERGE_BUSY_S, err));
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT fence FROM ");
    sql_relation(&q, job->names.stream);
    SQL(&q, " WHERE name = ");
    sql_text(&q, job->def->name);
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_result r;
    ds_rc rc = store_query(db, &q, arena, &r, err);
    if (rc.code == DS_OK && (r.rows != 1 || result_int(&r, 0, 0) != job->fence))
        rc = ds_hint(ds_fail(err, DS_BUSY, "stream %s was taken over by another process", job->def->name), err,
                     "the other process goes on with the work; nothing of this one was committed");
    if (rc.code != DS_OK)
        store_rollback(db);
    return rc;
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
