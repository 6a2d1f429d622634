// The streams that were applied to a merge database, as the table of platforms wants them: which there are, and what
// people tell them. platform/platform.h says what is expected.
#pragma once
#include "platform/platform.h"
#include "yellow/def/def.h"

// What the definition says of it: neither paused nor removed.
ds_stream_info streams_info(ds_arena *arena, const ds_stream_def *def);

ds_rc streams_applied(const ds_runtime *runtime, const ds_container_def *merge, const char *only, ds_arena *arena,
                      ds_streams *out, ds_error *err);
ds_rc streams_tell(const ds_runtime *runtime, const ds_container_def *merge, const char *stream, ds_stream_order order,
                   ds_error *err);
