// Jobs in a child process that is killed at a named point of its work, as kill -9 would.
//
//     assert_int_equal(crash_job(&w, "merging", 1), CRASH_KILLED);
//     ... w has a batch in merging, as a dead process left it
#pragma once
#include "support/world.h"

typedef enum crash_end {
    CRASH_KILLED, // at the point
    CRASH_DONE,   // the job went well: it passed the point less than n times
    CRASH_FAILED, // the job failed
} crash_end;

// Names of all points that jobs pass, in the order in which they first come; NULL behind the last.
extern const char *const CRASH_POINTS[];

// Runs world_job in a child and waits for it. n counts from 1.
crash_end crash_job(world *w, const char *point, int n);
