// The PostgreSQL driver with a tap: a test acts before each call that a job makes on the connections of one container,
// and has timeouts of its own. Otherwise it is the driver itself, not a wrapper around it.
//
//     pg_tap tap;
//     pg_tap_init(&tap);
//     pair.drivers[PAIR_SOURCE] = pair.drivers[PAIR_MERGE] = &tap.driver;
//     pg_tap_arm(&tap, "Source", on_call, context);
//     ... a job: on_call(context, "open", 1), on_call(context, "begin_snapshot", 2), ...
//
// Thread rule: arm while no job runs; on_call comes from whatever thread makes the call, two at a time perhaps.
#pragma once
#include <stdatomic.h>

#include "store/driver.h"

typedef void (*pg_tap_call)(void *context, const char *call, long n);

typedef struct pg_tap {
    ds_driver driver; // first: a connection leads to its tap
    const char *container;
    pg_tap_call on_call;
    void *context;
    atomic_long calls;                     // since it was armed
    int busy_timeout_ms, stall_timeout_ms; // 0: as the program has them
} pg_tap;

void pg_tap_init(pg_tap *tap);
// container: the name of the one whose connections are tapped; NULL: none. on_call may be NULL: calls are counted.
void pg_tap_arm(pg_tap *tap, const char *container, pg_tap_call on_call, void *context);
