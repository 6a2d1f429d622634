// Applied streams as tasks of a scheduler: what is due is read from the control tables, work is a job.
//
// Several processes may do this on one merge database: a job takes the stream's lease, and looks whether another one
// has done the work since it was due. Where a container has caps, a job takes as many slots of it as it needs: slots
// are names that are owned like streams (lock.h), so that those of a process that dies come free.
//
// Thread rule: poll on one thread, run on the scheduler's workers.
#pragma once
#include "platform/schedule.h"

// platform/platform.h says what is expected.
void schedule_streams(const ds_schedule_options *options, size_t first_group, ds_type_schedule *out);
