// A check of one dataset in one batch, and its statement. One thread; borrows all that it names.
#pragma once
#include "yellow/job/job_int.h"

typedef struct checker {
    ds_job *job;
    const ds_work *work;
    const ds_check_def *check;
    const ds_shape *key; // what names a row: its key, or all of it
} checker;

// The statement that gives the keys of the rows that break the check, in the key's order. The text of a user's
// condition stands in it as it is: the driver reads it as untrusted.
void checks_select(const checker *c, ds_sql *out);
