// A driver that wraps another one, counts its calls and makes chosen ones fail, for the fault sweep: fail the 1st, the
// 2nd, the 3rd ... call, run again, compare with what should be there.
//
//     ds_fault *fault = fault_new(&SQLITE_DRIVER);
//     const ds_driver *drivers[] = {fault_driver(fault)};
//     for (long n = 1;; n++) {
//         fault_arm(fault, n, FAULT_ONCE | FAULT_AFTER, DS_ENV);
//         ... run ...
//         if (fault_calls(fault) < n)
//             break; // the run makes fewer calls: done
//     }
//
// Calls are counted over all connections, from any thread; arm only while none runs.
#pragma once
#include "store/store.h"

typedef enum fault_call {
    FAULT_ANY,
    FAULT_OPEN,
    FAULT_BEGIN,
    FAULT_COMMIT,
    FAULT_EXEC,
    FAULT_QUERY,
    FAULT_READ_OPEN,
    FAULT_READ_NEXT,
    FAULT_WRITE_OPEN,
    FAULT_WRITE_ROW,
    FAULT_WRITE_CLOSE,
    FAULT_DESCRIBE,
    FAULT_LIST,
    FAULT_PREPARE,
    FAULT_NOW,
    FAULT_LOCK_TRY,
} fault_call;

typedef enum fault_mode {
    FAULT_OFF = 0,
    FAULT_ONCE = 1, // the n-th call
    FAULT_FROM = 2, // the n-th call and all after it
    FAULT_AFTER =
        4, // with the above: the work is done, then the caller is told that it failed; without: nothing is done
    FAULT_KILL = 8, // with the above: the process kills itself there instead (SIGKILL)
} fault_mode;

typedef struct ds_fault ds_fault;

// inner is borrowed.
ds_fault *fault_new(const ds_driver *inner);
void fault_free(ds_fault *fault); // takes NULL; all connections must be closed
const ds_driver *fault_driver(const ds_fault *fault);

// Starts counting from 0. n counts from 1. A call that fails "after" has done its work as far as the world can see:
// a commit has committed; but what it would have handed out (a connection, a transaction, a reader, a lock) is taken
// back.
void fault_arm(ds_fault *fault, long n, int mode, ds_code code);
// The same, where only calls of one kind count.
void fault_arm_call(ds_fault *fault, fault_call call, long n, int mode, ds_code code);
// Calls that counted since the last fault_arm; without one, since fault_new.
long fault_calls(const ds_fault *fault);
// How many of them were made to fail.
long fault_hits(const ds_fault *fault);
const char *fault_call_name(fault_call call);
