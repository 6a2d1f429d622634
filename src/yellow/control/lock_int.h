// Shared by the files of the lock: lock.c (the owner), lock_rows.c (statements on the rows), lock_keep.c (the thread
// that renews them). Nothing else includes it.
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "yellow/control/control_tables.h"
#include "yellow/control/lock.h"
#include "yellow/control/process.h"

enum { LOCK_TOKEN = 33, LOCK_VALID_MS = 20000, LOCK_POLL_MS = 50 };

struct ds_lock {
    ds_control *control; // its connection is the owner's, the rest of it never changes
    bool rows;
    bool dirty; // there may be rows of ours
    char *what;
    char token[LOCK_TOKEN];
    ds_process self;
    int valid_ms;
    ds_lock *next; // in the list of this process's owners

    // --- renewing
    ds_runtime runtime;     // the control's; what interrupts its connection is `closing`
    volatile int closing;   // written under the mutex
    ds_db *db;              // a connection of the thread's; NULL: not yet, or it broke
    pthread_t thread;       // with `running`
    bool running;           // the owner's
    pthread_mutex_t mutex;  // guards held, changes, reason
    pthread_cond_t changed; // `closing` is set
    size_t held;            // names
    uint64_t changes;       // of held: a renewal that was under way meanwhile proves nothing
    atomic_bool lost;       // never taken back
    ds_error reason;
};

// --- lock_rows.c: each is a short transaction, on a connection without one
typedef enum rows_taken {
    ROWS_BUSY, // somebody else's
    ROWS_OURS, // since before
    ROWS_NEW,  // ours now
} rows_taken;
ds_rc lock_rows_take(const ds_lock *lock, const char *name, rows_taken *out, ds_error *err);
ds_rc lock_rows_renew(const ds_lock *lock, ds_db *db, int64_t *renewed, ds_error *err);
ds_rc lock_rows_release(const ds_lock *lock, ds_db *db, const char *name, ds_error *err); // name NULL: all
// How many of the names are ours; inside the caller's transaction.
ds_rc lock_rows_count(const ds_lock *lock, const char *const *names, size_t n, int64_t *out, ds_error *err);

// --- lock.c
bool lock_is_here(const char *token); // does an owner of this process have the token?
ds_rc lock_open(ds_lock *lock, ds_db **out, ds_error *err);

// --- lock_keep.c
ds_rc keep_start(ds_lock *lock, ds_error *err); // does nothing when it runs
void keep_stop(ds_lock *lock);                  // waits for its end; closes its connection
// Something was lost. why: it could not be renewed, as far as we know; NULL: taken over for certain.
void keep_lost(ds_lock *lock, const ds_error *why);
