// When a stream should run next, from its cron line and its last commit.
#pragma once
#include "platform/streams.h"

// The first firing after an instant; 0 when it can't be told: no cron, or a time zone that the system lacks.
int64_t due_after(const ds_stream_info *stream, int64_t instant_us);
// Nothing has committed for twice the longest time between two firings.
bool due_late(const ds_stream_info *stream, int64_t committed_us, int64_t now_us);
