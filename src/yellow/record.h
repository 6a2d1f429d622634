// What is on record in a merge database, as the table of platforms wants it: how streams stand, their batches, which
// model was applied, which branches are followed. platform/platform.h says what is expected.
#pragma once
#include "platform/platform.h"

ds_rc record_status(const ds_runtime *runtime, const ds_container_def *merge, const ds_stream_info *const *streams,
                    size_t n, ds_arena *arena, ds_stream_status *out, ds_error *err);
ds_rc record_batches(const ds_runtime *runtime, const ds_container_def *merge, const char *stream, int64_t limit,
                     ds_arena *arena, ds_batch_row **out, size_t *n, ds_error *err);
ds_rc record_applied(const ds_runtime *runtime, const ds_container_def *merge, ds_arena *arena, ds_applied_model *out,
                     ds_error *err);
ds_rc record_follows(const ds_runtime *runtime, const ds_container_def *merge, ds_arena *arena, ds_follow_row **out,
                     size_t *n, ds_error *err);
ds_rc record_note_follow(const ds_runtime *runtime, const ds_container_def *merge, const ds_follow_row *row,
                         ds_error *err);
