// What is true in each state of a batch (the list at the head of yellow/job/batch.c), checked against the tables of a
// merge database while no job runs:
//   always     ids without gaps (but for a mirror's), one open batch at most and it is the newest, commits in time's
//   order, intervals of a
//              key disjoint
//   started    no staging row of the batch, no dataset_batch row
//   ingesting  no dataset_batch row; versions of the batch only in datasets that were never committed
//   merging    staging holds as many rows as are recorded; versions of the batch only in first loads
//   restart    a dataset with a restart point was never committed, and holds as many rows as the point says
//   committed  live rows and the sum of their hashes are the recorded fingerprint; where the kernel has the lease, its
//              row is gone (unless a load outside any batch went on behind the commit)
#pragma once
#include "yellow/control/control.h"

// "" when all is true, else what isn't. The text lives in arena. Aborts when the tables can't be read.
const char *truth_broken(const ds_runtime *runtime, const ds_container_def *merge, const ds_stream_def *def,
                         ds_arena *arena);
