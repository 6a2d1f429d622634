// What work with databases needs from outside, made once by the command line (or a test). Immutable, borrowed.
#pragma once
#include "runtime/container.h"
#include "store/keeper.h"

// How far a job's reading is: first of the stream as a whole, then of each dataset when it begins, goes on, is done.
typedef struct ds_progress_event {
    const char *stream;
    const char *dataset; // NULL: the stream begins to read so many datasets, or begins anew
    size_t datasets;
    int64_t rows, bytes; // of the dataset, read so far; less than before when it is read once more
    int64_t total;       // rows at the last count, of the dataset or of all; 0 when unknown
    bool done;
} ds_progress_event;

// Told about it, from whatever thread reads. The event is the job's, for the call. Any member may be NULL.
typedef struct ds_progress {
    void *context;
    void (*read)(void *context, const ds_progress_event *event);
} ds_progress;

// The model that was applied last; "" when there is none, or it is not known.
typedef struct ds_applied_model {
    const char *tree_id, *commit;
} ds_applied_model;

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
    const struct ds_rate_clock *rate_clock; // for tests: the time that rate limits wait by. NULL: real time
    const char *purpose;                    // shown by servers beside a connection: "job Live/Store1"; may be NULL
    int lease_ms;                           // for tests: how long a lease's row is valid. 0: 20 s (lock.h)
    bool wait_closed;                       // see ds_open_options: connections are counted
    ds_keeper *keeper;                      // of connections, where several jobs are run; NULL: each opens its own
    struct ds_def_cache *defs; // of streams' definitions, where jobs come back to them; NULL: each reads its own
    const char *tree_id;       // of the model that is being applied, "" for jobs
    const char *commit;        // that this model is of; NULL or "": not known
    // Asked by apply under its lock, before it changes anything but older control tables: may the model take the place
    // of the one that was applied last? NULL: it may. Failures are apply's.
    ds_rc (*may_replace)(void *context, const ds_applied_model *last, ds_error *err);
    void *may_replace_context;
} ds_runtime;

// Opens the database of a container with the credential's parts and base_dir applied.
typedef struct ds_access {
    bool read_only, create, later; // see ds_open_options
} ds_access;
ds_rc runtime_open(const ds_runtime *runtime, const ds_container_def *container, ds_access access, ds_db **out,
                   ds_error *err);
bool runtime_cancelled(const ds_runtime *runtime);

// The container is a file that does not exist. An unreadable one is not absent: opening it says why.
bool runtime_absent(const ds_runtime *runtime, const ds_container_def *container);
// Calls the test's checkpoint, if there is one.
void runtime_checkpoint(const ds_runtime *runtime, const char *point);
