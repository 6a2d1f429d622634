// Ownership of names in a merge database: a stream's name (its lease: one job at a time, and no apply beside it), or
// "apply". A ds_lock is one owner, a job or an apply, with the names that it has taken.
//
// Where the driver has lock_try, that is all: the kernel frees the name with the process, and nobody else can have it.
// Where it has none (a server, behind a pooler perhaps), names are owned by rows of the control table `lease`:
//
//  - A row is one name: the owner's token (random, per owner), who it is, and until when, by the database's clock. It
//    is valid for 20 s; a thread of the owner renews all its rows every 5 s on a connection of its own.
//  - Every change of a row is one statement in a short transaction, and says what it expects: insert if absent, take
//    over if the token is still the one that was seen (and has still expired), renew and delete if it is ours. So of
//    two takers one gets it. The transaction claims the owner's token first; who takes over breaks that claim, so that
//    a renewal that stands still keeps no row locked.
//  - A name is free when it has no row, when its row has expired, or when its owner is gone for certain (process.h).
//  - Who has taken a name calls the driver's claim_break before it does anything else: whatever transaction still works
//    on the name is ended on the server.
//  - Every transaction that writes under a name begins with lock_claim: it (1) claims the name, then (2) looks whether
//    the row is still ours. Both go to the server in one round trip, in this order.
//
// Why a zombie (an owner that stood still, or was cut off, and lost the name) commits nothing: the taker's row was
// committed before claim_break looked for claims. A transaction of the zombie had its claim by then, and was ended; or
// it got it later, and then step (2) finds the taker's row and stops. After claim_break no transaction of the zombie is
// open under the name, and none gets past lock_claim. The fence (lease.c) says the same once more, also where claims
// can't be broken: it is read FOR SHARE, so that raising it waits for every transaction that has read it.
//
// Order of locks, always the same: claim (shared, nobody waits for it), the stream's row, then anything. Rows of
// `lease` are locked by no transaction that locks anything else. An apply claims "apply" and the stream that it
// changes, whose lease it owns: it meets no transaction of a job there.
//
// Thread rule: the owner's thread; the renewing thread is our own affair. The control's connection is used between
// transactions, but for lock_claim.
#pragma once
#include "yellow/control/control.h"
#include "yellow/control/process.h"

typedef struct ds_lock ds_lock;

// Are names rows here?
static inline bool lock_by_rows(const ds_db *db)
{
    return !db->driver->lock_try;
}

// An owner that has nothing yet. what: "stream Live/Store1", for messages; control is borrowed.
ds_lock *lock_new(ds_control *control, const char *what);
// Gives back all rows; what the kernel holds goes with the connection. Takes NULL.
void lock_free(ds_lock *lock);
void lock_freep(ds_lock **lock);

// Makes the table of the rows when it is missing: an apply needs it before there is anything else.
ds_rc lock_prepare(ds_lock *lock, ds_error *err);

// Tries for wait_ms, at least once. *held is false when somebody else has the name until then; true again when it is
// ours already. DS_CANCELLED when interrupted meanwhile.
ds_rc lock_take(ds_lock *lock, const char *name, int wait_ms, bool *held, ds_error *err);
void lock_release(ds_lock *lock, const char *name); // best effort: what stays expires
// "held by HOST pid N since …" of a name that somebody has; appends nothing when that isn't known.
void lock_holder(ds_lock *lock, const char *name, ds_buf *out);

// For certain: that process has ended, or it is this one and no owner here has the token any more: what it could not
// give back when the database was out of reach. Any thread.
bool lock_owner_is_gone(const char *token, const ds_process *process);

// First thing in a write transaction: it works on these names, all of ours. DS_BUSY "… was taken over by another
// process" when one is no longer ours.
ds_rc lock_claim(ds_lock *lock, const char *const *names, size_t n, ds_error *err);
// Has it been noticed by now that we lost something? The same failure as above. Cheap: reads a flag.
ds_rc lock_check(ds_lock *lock, ds_error *err);
// Work has failed with rc: perhaps because a taker ended our transaction. Then that is the failure.
ds_rc lock_explain(ds_lock *lock, ds_rc rc, ds_error *err);

// Where the kernel has the lock, a row of `lease` tells others who owns the name. Inside the caller's transaction;
// where rows are the lock they do nothing.
ds_rc lock_notice_put(ds_control *control, const char *name, ds_error *err);
ds_rc lock_notice_drop(ds_control *control, const char *name, ds_error *err);
