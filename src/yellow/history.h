// Rows of a consumer's dataset as of a batch or an instant.
#pragma once
#include "platform/artifact.h"
#include "yellow/control/control.h"

// DS_USAGE: unknown path; DS_FINDING: as-of before the kept history, after the last batch, or a dataset without history
// (scd1) at another batch than its last.
ds_rc history_read(ds_control *control, const char *path, ds_as_of as_of, const ds_row_sink *sink, ds_error *err);
