#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "yellow/control/lock_int.h"

// --- the owners of this process

static pthread_mutex_t owners_mutex = PTHREAD_MUTEX_INITIALIZER; // guards owners and every `next`
static ds_lock *owners;

bool lock_is_here(const char *token)
{
    pthread_mutex_lock(&owners_mutex);
    const ds_lock *lock = owners;
    while (lock && strcmp(lock->token, token) != 0)
        lock = lock->next;
    pthread_mutex_unlock(&owners_mutex);
    return lock != NULL;
}

static void enlist(ds_lock *lock)
{
    pthread_mutex_lock(&owners_mutex);
    lock->next = owners;
    owners = lock;
    pthread_mutex_unlock(&owners_mutex);
}

static void unlist(const ds_lock *lock)
{
    pthread_mutex_lock(&owners_mutex);
    ds_lock **at = &owners;
    while (*at != lock)
        at = &(*at)->next;
    *at = lock->next;
    pthread_mutex_unlock(&owners_mutex);
}

static void make_token(char out[LOCK_TOKEN])
{
    unsigned char bytes[LOCK_TOKEN / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        BUG("getrandom gave too little");
    CLEANUP(buf_release) ds_buf text = BUF_INIT(LOCK_TOKEN);
    buf_put_hex(&text, bytes, sizeof bytes);
    memcpy(out, buf_text(&text), LOCK_TOKEN);
}

// --- life

static void init_rows(ds_lock *lock)
{
    make_token(lock->token);
    lock->self = process_self();
    lock->valid_ms = lock->control->runtime->lease_ms ? lock->control->runtime->lease_ms : LOCK_VALID_MS;
    lock->runtime = *lock->control->runtime;
    lock->runtime.cancelled = &lock->closing;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&lock->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&lock->mutex, NULL);
    enlist(lock);
}

ds_lock *lock_new(ds_control *control, const char *what)
{
    ds_lock *lock = calloc(1, sizeof *lock);
    if (!lock || !(lock->what = strdup(what)))
        BUG("out of memory");
    lock->control = control;
    lock->rows = lock_by_rows(control->db);
    if (lock->rows)
        init_rows(lock);
    return lock;
}

ds_rc lock_open(ds_lock *lock, ds_db **out, ds_error *err)
{
    return runtime_open(&lock->runtime, lock->control->merge, (ds_access){0}, out, err);
}

// An interruption stops the owner's connection; giving back still works on another one.
static void release_all(ds_lock *lock)
{
    ds_error ignored;
    if (lock_rows_release(lock, lock->control->db, NULL, &ignored).code != DS_CANCELLED)
        return;
    ds_db *db;
    if (lock_open(lock, &db, &ignored).code != DS_OK)
        return;
    ds_ignore(lock_rows_release(lock, db, NULL, &ignored));
    store_close(db);
}

void lock_free(ds_lock *lock)
{
    if (!lock)
        return;
    if (lock->rows) {
        keep_stop(lock);
        if (lock->dirty)
            release_all(lock);
        unlist(lock);
        pthread_mutex_destroy(&lock->mutex);
        pthread_cond_destroy(&lock->changed);
    }
    free(lock->what);
    free(lock);
}

void lock_freep(ds_lock **lock)
{
    lock_free(*lock);
    *lock = NULL;
}

// Two may find it missing at the same time: the one that comes too late finds it there.
ds_rc lock_prepare(ds_lock *lock, ds_error *err)
{
    if (!lock->rows)
        return DS_DONE;
    ds_rc rc = control_create_lease(lock->control, err);
    return rc.code == DS_OK ? rc : control_create_lease(lock->control, err);
}

// --- taking and giving back

static void count(ds_lock *lock, bool more)
{
    pthread_mutex_lock(&lock->mutex);
    lock->held = more ? lock->held + 1 : lock->held - 1;
    lock->changes++;
    pthread_mutex_unlock(&lock->mutex);
}

// The row says that we own the name. Whoever still works on it is a zombie, or a transaction that outlived its owner.
static ds_rc enter(ds_lock *lock, const char *name, ds_error *err)
{
    ds_db *db = lock->control->db;
    count(lock, true);
    if (db->driver->claim_break)
        TRY(db->driver->claim_break(db, name, err));
    return keep_start(lock, err);
}

static ds_rc try_rows(ds_lock *lock, const char *name, bool *held, ds_error *err)
{
    rows_taken how = ROWS_BUSY;
    bool dirty = lock->dirty;
    lock->dirty = true; // until we are told that nothing was written
    ds_rc rc = lock_rows_take(lock, name, &how, err);
    if (rc.code == DS_OK && how == ROWS_BUSY)
        lock->dirty = dirty;
    if (rc.code == DS_BUSY) // somebody writes that very row, or the database
        return DS_DONE;
    TRY(rc);
    *held = how != ROWS_BUSY;
    return how == ROWS_NEW ? enter(lock, name, err) : DS_DONE;
}

static ds_rc try_name(ds_lock *lock, const char *name, bool *held, ds_error *err)
{
    *held = false;
    ds_db *db = lock->control->db;
    return lock->rows ? try_rows(lock, name, held, err) : db->driver->lock_try(db, name, held, err);
}

ds_rc lock_take(ds_lock *lock, const char *name, int wait_ms, bool *held, ds_error *err)
{
    double until = clock_elapsed_s() + wait_ms / 1000.0;
    for (;;) {
        TRY(try_name(lock, name, held, err));
        if (*held)
            return DS_DONE;
        if (runtime_cancelled(lock->control->runtime))
            return ds_fail(err, DS_CANCELLED, "interrupted while waiting for %s", name);
        if (clock_elapsed_s() >= until)
            return DS_DONE;
        nanosleep(&(struct timespec){.tv_nsec = LOCK_POLL_MS * 1000000L}, NULL);
    }
}

void lock_release(ds_lock *lock, const char *name)
{
    ds_db *db = lock->control->db;
    ds_error ignored;
    if (!lock->rows) {
        db->driver->lock_release(db, name);
        return;
    }
    count(lock, false); // before the row goes: a renewal that finds it gone already must not wonder
    ds_ignore(lock_rows_release(lock, db, name, &ignored));
}

void lock_holder(ds_lock *lock, const char *name, ds_buf *out)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(lock->control->db->dialect);
    SQL(&q, "SELECT owner_host, owner_pid, owner_start FROM ");
    sql_relation(&q, lock->control->names.lease);
    SQL(&q, " WHERE stream = ");
    sql_text(&q, name);
    ds_result r;
    ds_error ignored;
    if (store_query(lock->control->db, &q, arena, &r, &ignored).code != DS_OK || r.rows == 0)
        return;
    const char *host = result_text(&r, 0, 0), *pid = result_text(&r, 0, 1), *since = result_text(&r, 0, 2);
    if (host && pid && since)
        buf_printf(out, "held by %s pid %s since %s", host, pid, since);
}

// --- working under names

ds_rc lock_check(ds_lock *lock, ds_error *err)
{
    if (!lock || !lock->rows || !atomic_load(&lock->lost))
        return DS_DONE;
    pthread_mutex_lock(&lock->mutex);
    *err = lock->reason;
    pthread_mutex_unlock(&lock->mutex);
    return (ds_rc){err->code};
}

ds_rc lock_claim(ds_lock *lock, const char *const *names, size_t n, ds_error *err)
{
    if (!lock || !lock->rows)
        return DS_DONE;
    ds_db *db = lock->control->db;
    for (size_t i = 0; i < n && db->driver->claim; i++)
        TRY(db->driver->claim(db, names[i], err));
    int64_t ours = 0;
    TRY(lock_rows_count(lock, names, n, &ours, err));
    if (ours < (int64_t)n)
        keep_lost(lock, NULL);
    return lock_check(lock, err);
}

// Asked on another connection: ours is broken when a taker has ended its transaction.
ds_rc lock_explain(ds_lock *lock, ds_rc rc, ds_error *err)
{
    if (!lock || !lock->rows || (rc.code != DS_ENV && rc.code != DS_BUSY))
        return rc;
    ds_db *db;
    ds_error ignored;
    int64_t renewed = 0;
    if (lock_open(lock, &db, &ignored).code != DS_OK)
        return rc;
    if (lock_rows_renew(lock, db, &renewed, &ignored).code == DS_OK && renewed < (int64_t)lock->held)
        keep_lost(lock, NULL);
    store_close(db);
    ds_rc lost = lock_check(lock, err);
    return lost.code == DS_OK ? rc : lost;
}
