// What stays on record in a merge database.
#pragma once
#include "schema/fingerprint.h"

// Of source rows; bytes as they were read.
typedef struct ds_counts {
    int64_t read, inserted, updated, deleted, unchanged, bytes;
} ds_counts;

// Instants in microseconds since 1970, UTC; 0: not yet.
typedef struct ds_batch_row {
    int64_t id;
    const char *status; // "started" "ingesting" "merging" "committed"
    int64_t started_at, committed_at;
    ds_counts counts;
    const char *position;       // JSON: input batches of a transformer, "" else
    ds_fingerprint fingerprint; // of all datasets of the stream after the batch
    const char *error;          // NULL: none
    bool guarded;               // parked by a guard
    int64_t attempts, retry_at, stream_version;
} ds_batch_row;

// A branch that a merge database is kept true to, and how that goes.
typedef struct ds_follow_row {
    const char *ref, *service; // service "": all
    const char *commit;        // that ref was at, "" when it could not be found
    const char *state;         // "applied", "waiting", "refused": what was applied before goes on, "failed"
    const char *detail;        // for people
    int64_t since;             // read only
} ds_follow_row;
