// The lane for changing tables: of all that works on a server's database, over all processes, one job at a time builds
// indexes of a large table, and no apply changes tables meanwhile. Rows are merged beside it as ever. It is a name that
// is owned like a stream (lock.h), taken last and held for one transaction: who has it waits for nobody's lease.
#include "yellow/job/lane.h"

#include "yellow/job/job_int.h"

enum { LARGE_ROWS = 20000 }; // of smaller ones the indexes are there sooner than the lane
enum { LOOK_MS = 1000 };
static const char LANE[] = "ddl"; // streams' names contain a slash

// On a file a write transaction is alone anyway.
ds_rc lane_take(ds_lock *lock, const ds_control *control, int wait_ms, bool *held, ds_error *err)
{
    *held = true;
    return lock_by_rows(control->db) ? lock_take(lock, LANE, wait_ms, held, err) : DS_DONE;
}

ds_rc lane_enter(ds_job *job, int64_t rows, ds_error *err)
{
    bool held = rows < LARGE_ROWS;
    while (!held) {
        TRY(lease_check(job, err));
        TRY(lane_take(job->lock, job->control, LOOK_MS, &held, err));
        if (!held)
            job_checkpoint(job, "lane");
    }
    return DS_DONE;
}

void lane_leave(ds_job *job, int64_t rows)
{
    if (rows >= LARGE_ROWS && lock_by_rows(job->control->db))
        lock_release(job->lock, LANE);
}
