// Rows of a consumer's dataset as of a batch or an instant.
#pragma once
#include "yellow/control/control.h"

typedef struct ds_as_of {
    int64_t batch;   // > 0, or
    int64_t instant; // microseconds; the last batch committed at or before it
    bool is_batch;
} ds_as_of;

// Calls row for each, cells in the order of shape->columns. DS_USAGE: unknown path; DS_FINDING: as-of before the kept
// history, after the last batch, or a dataset without history (scd1) at another batch than its last.
typedef ds_rc history_row(void *context, const ds_shape *shape, const ds_cell *cells, ds_error *err);
ds_rc history_read(ds_control *control, const char *path, ds_as_of as_of, history_row *row, void *context,
                   ds_error *err);
