// What every yellow operation needs from outside, made once by the command line (or a test). Immutable, borrowed.
#pragma once
#include "store/store.h"
#include "yellow/def.h"
#include "yellow/rate.h"

// Told about the progress of a job, from the job's thread. Any member may be NULL.
typedef struct ds_progress {
    void *context;
    // rows read so far of a dataset; total is the last known count, 0 when unknown
    void (*rows)(void *context, const char *stream, const char *dataset, int64_t rows_read, int64_t total);
} ds_progress;

typedef struct ds_runtime {
    const ds_store *store;
    const ds_clock *clock;
    const char *secrets_dir;     // may be NULL
    const char *base_dir;        // what relative paths of file containers are relative to: the model's directory
    const ds_progress *progress; // may be NULL
    // Set by a signal handler: work stops at the next chunk with DS_CANCELLED.
    const volatile int *cancelled; // may be NULL
    // Called at named points between two statements, for tests that kill or fail a job there. May be NULL.
    void (*checkpoint)(void *context, const char *point);
    void *checkpoint_context;
    const ds_rate_clock *rate_clock; // for tests: the time that rate limits wait by. NULL: real time
    const char *tree_id;             // of the model that is being applied, "" for jobs
} ds_runtime;

// Opens the database of a container with the credential's parts and base_dir applied.
typedef struct ds_access {
    bool read_only, create;
} ds_access;
ds_rc runtime_open(const ds_runtime *runtime, const ds_container_def *container, ds_access access, ds_db **out,
                   ds_error *err);
bool runtime_cancelled(const ds_runtime *runtime);
