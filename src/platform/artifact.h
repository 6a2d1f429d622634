// What a platform has made for consumers, and how they get at it; and their rows as they were.
#pragma once
#include "base/error.h"
#include "naming/naming.h"
#include "schema/rows.h"

typedef struct ds_artifact {
    const char *workspace, *group, *store, *dataset, *stream;
    const char *kind;     // "live", "history", or what the type has
    ds_relation relation; // of the database; its name is NULL where it is no table or view
    const char *name;     // for people, quoted where it must be
    const char *use;      // what gets its rows: a whole statement or command to copy
} ds_artifact;

typedef struct ds_artifacts {
    ds_artifact *v;
    size_t n;
    bool nothing; // as in ds_streams
    ds_error why;
} ds_artifacts;

// The state of a dataset that somebody asks for.
typedef struct ds_as_of {
    int64_t batch;   // > 0, or
    int64_t instant; // microseconds; the last batch committed at or before it
    bool is_batch;
} ds_as_of;

// Who gets its rows. shape is told once, when it is certain that there is an answer, be it without rows.
typedef struct ds_row_sink {
    void *context;
    void (*shape)(void *context, const ds_shape *shape); // may be NULL
    // Cells in the order of shape->columns.
    ds_rc (*row)(void *context, const ds_shape *shape, const ds_cell *cells, ds_error *err);
} ds_row_sink;
