// The consumers' views, as the table of platforms wants them, and the rows of one as they were. platform/platform.h
// says what is expected.
#pragma once
#include "platform/platform.h"

ds_rc artifacts_read(const ds_runtime *runtime, const ds_container_def *merge, ds_arena *arena, ds_artifacts *out,
                     ds_error *err);
ds_rc artifacts_history(const ds_runtime *runtime, const ds_container_def *merge, const ds_artifact *artifact,
                        ds_as_of as_of, const ds_row_sink *sink, ds_error *err);
