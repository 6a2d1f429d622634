// One stream, one cycle: take the lease, finish the open batch or begin one, ingest, merge, commit. All that a job
// needs is in the control tables.
#pragma once
#include "runtime/job.h"
#include "yellow/control/control.h"

// The result lives in arena. DS_USAGE unknown stream; DS_BUSY "stream busy" with the holder; DS_FINDING guarded or
// bad data; DS_ENV worth a retry. A failure is recorded on the batch first.
ds_rc job_run(const ds_runtime *runtime, const ds_container_def *merge, const char *stream,
              const ds_job_options *options, ds_arena *arena, ds_job_result *out, ds_error *err);

// Abandons the open batch: deletes only that batch's staging rows; it starts over at the next run. *batch is the batch
// (0: none is open, nothing to do), *rows how many staging rows (would) go. dry_run changes nothing.
ds_rc job_reset(const ds_runtime *runtime, const ds_container_def *merge, const char *stream, bool dry_run,
                int64_t *batch, int64_t *rows, ds_error *err);
