// The thread that renews an owner's rows. It opens its connection when the first renewal is due: a short job has none.
#include <signal.h>
#include <time.h>

#include "yellow/control/lock_int.h"

enum { RENEWALS = 4, RETRIES = 20 }; // in the time that a row is valid

void keep_lost(ds_lock *lock, const ds_error *why)
{
    pthread_mutex_lock(&lock->mutex);
    ds_error *reason = &lock->reason;
    if (!why)
        ds_ignore(ds_hint(ds_fail(reason, DS_BUSY, "%s was taken over by another process", lock->what), reason,
                          "the other process goes on with the work; nothing of this one was committed since"));
    else if (!atomic_load(&lock->lost))
        ds_ignore(ds_fail(reason, DS_ENV, "%s: the lease could not be renewed for %d ms: %s", lock->what,
                          lock->valid_ms, why->text));
    atomic_store(&lock->lost, true);
    pthread_mutex_unlock(&lock->mutex);
}

static ds_rc try_renew(ds_lock *lock, int64_t *renewed, ds_error *err)
{
    if (!lock->db)
        TRY(lock_open(lock, &lock->db, err));
    ds_rc rc = lock_rows_renew(lock, lock->db, renewed, err);
    if (rc.code != DS_OK) {
        store_close(lock->db);
        lock->db = NULL;
    }
    return rc;
}

// After a stand-still the connection may be one that was lost long ago: that says nothing before a new one was tried.
static ds_rc renew(ds_lock *lock, int64_t *renewed, ds_error *err)
{
    ds_rc rc = try_renew(lock, renewed, err);
    return rc.code == DS_OK || lock->closing ? rc : try_renew(lock, renewed, err);
}

// False: it is time to end.
static bool wait_ms(ds_lock *lock, int ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&lock->mutex);
    int rc = 0;
    while (!lock->closing && rc == 0)
        rc = pthread_cond_timedwait(&lock->changed, &lock->mutex, &until);
    bool go_on = !lock->closing;
    pthread_mutex_unlock(&lock->mutex);
    return go_on;
}

// Renews all rows. False: it failed, to be tried again soon, unless the rows have expired by now.
static bool renew_rows(ds_lock *lock, double *renewed_at)
{
    pthread_mutex_lock(&lock->mutex);
    int64_t expected = (int64_t)lock->held, renewed = 0;
    uint64_t changes = lock->changes;
    pthread_mutex_unlock(&lock->mutex);
    double began_at = clock_elapsed_s();
    ds_error err;
    if (renew(lock, &renewed, &err).code != DS_OK) {
        if ((clock_elapsed_s() - *renewed_at) * 1000 >= lock->valid_ms && !lock->closing)
            keep_lost(lock, &err);
        return false;
    }
    *renewed_at = began_at;
    pthread_mutex_lock(&lock->mutex);
    bool taken = renewed < expected && changes == lock->changes;
    pthread_mutex_unlock(&lock->mutex);
    if (taken)
        keep_lost(lock, NULL);
    return true;
}

static void *keep(void *argument)
{
    ds_lock *lock = argument;
    double renewed_at = clock_elapsed_s();
    int pause_ms = lock->valid_ms / RENEWALS;
    while (!atomic_load(&lock->lost) && wait_ms(lock, pause_ms))
        pause_ms = lock->valid_ms / (renew_rows(lock, &renewed_at) ? RENEWALS : RETRIES);
    return NULL;
}

// Signals are for the threads that were there before.
ds_rc keep_start(ds_lock *lock, ds_error *err)
{
    if (lock->running)
        return DS_DONE;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&lock->thread, NULL, keep, lock);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return ds_fail(err, DS_ENV, "can't start a thread");
    lock->running = true;
    return DS_DONE;
}

void keep_stop(ds_lock *lock)
{
    if (!lock->running)
        return;
    pthread_mutex_lock(&lock->mutex);
    lock->closing = 1;
    pthread_cond_signal(&lock->changed);
    pthread_mutex_unlock(&lock->mutex);
    pthread_join(lock->thread, NULL);
    lock->running = false;
    lock->closing = 0;
    store_close(lock->db);
    lock->db = NULL;
}
