// All that a stream has in a merge database, as text to compare: its tables, views and control rows, sorted; without
// times, which differ from run to run.
#pragma once
#include "yellow/control/control.h"

enum { DUMP_STAGING = 1 }; // with the staging tables, too
// The text lives in arena. Aborts when the tables can't be read.
const char *dump_stream(const ds_runtime *runtime, const ds_container_def *merge, const ds_stream_def *def, int what,
                        ds_arena *arena);
// How many batches are committed.
int64_t dump_committed(const ds_runtime *runtime, const ds_container_def *merge, const char *stream);
