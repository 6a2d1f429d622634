// `run` without --once: streams run when they are due, until a signal comes.
#pragma once
#include "cli/session.h"

typedef struct running {
    ds_session *session;
    int64_t batches, failures; // so far
    ds_keeper *keeper;         // of sessions that are yet to come
} running;

// The first signal drains: what runs goes on to its end, and the command ends well. The second one cancels.
ds_rc run_on(ds_session *session, ds_error *err);
// The same without a word at its beginning and end; it also ends when leave, a flag or NULL, is set.
ds_rc run_until(running *r, const volatile int *leave, ds_error *err);
size_t run_workers(const ds_cli *cli);
// What is said, and failed, at the end of all.
ds_rc run_end(ds_cli *cli, const running *r, ds_error *err);
