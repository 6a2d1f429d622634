// The streams that were applied to a merge database, as their platform type tells of them: which there are, how they
// stand, what people tell them. Everything lives in the arena that the call was given.
#pragma once
#include "graph/graph.h"
#include "runtime/record.h"

typedef struct ds_stream_info {
    const char *name, *service, *platform, *store;
    ds_priority priority;
    const char *cron, *timezone; // "" when external, or after inputs
    bool external;
    const char *const *inputs; // streams that go first
    size_t input_count;
    const char *const *datasets;
    size_t dataset_count;
    const char *failure;   // of its last cycle, where no batch has it; NULL: none
    const char *primary;   // the stream that it mirrors; NULL: none
    const char *watermark; // the column that rows are read by; NULL: whole tables are
    bool paused;
    bool removed; // the model no longer has it, and what it made is kept; without datasets: these are in others now
} ds_stream_info;

typedef struct ds_streams {
    ds_stream_info *v; // by name, removed ones last
    size_t n;
    const char *tree_id; // of the model that was applied last; "" when unknown
    bool nothing;        // the type has never been there, or wants an apply first; why says so to people
    ds_error why;
} ds_streams;

// What people tell a stream from outside.
typedef enum ds_stream_order {
    STREAM_PAUSE,      // it is left out by who runs what is due
    STREAM_RESUME,     // no longer so; what has failed is tried again at once
    STREAM_TRIGGER,    // it is due now
    STREAM_RESNAPSHOT, // its next cycle reads everything again, and repairs differences
} ds_stream_order;

// A dataset that is being loaded outside any batch.
typedef struct ds_load_status {
    const char *dataset;
    int64_t rows_loaded, rows_estimate;
    const char *text; // for people
} ds_load_status;

// How far a dataset has been read by a column that grows, and when all of its rows were.
typedef struct ds_watermark_status {
    const char *dataset, *column;
    const char *value; // NULL: not read yet
    int64_t swept_at;  // microseconds; 0: never
} ds_watermark_status;

typedef struct ds_stream_status {
    ds_batch_row *last;      // NULL: no batch yet
    ds_batch_row *committed; // the newest of these; NULL: none yet
    ds_load_status *loads;
    size_t load_count;
    ds_watermark_status *watermarks;
    size_t watermark_count;
} ds_stream_status;
