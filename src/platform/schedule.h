// Applied streams as tasks of a scheduler (sched/sched.h), whatever types of platforms they are of: each type says what
// is due and does the work, the scheduler chooses.
//
// Thread rule: poll on one thread, run on the scheduler's workers.
#pragma once
#include "platform/streams.h"
#include "runtime/job.h"
#include "runtime/runtime.h"
#include "sched/sched.h"

// A job that has ended. result is NULL when it failed.
typedef struct ds_schedule_event {
    const char *stream; // NULL: it failed between jobs
    const ds_job_result *result;
    const ds_error *error; // NULL: it went well
} ds_schedule_event;

typedef struct ds_schedule_options {
    const ds_runtime *runtime;
    const ds_container_def *merges; // borrowed, as the runtime is
    size_t merge_count;
    size_t replica_count; // the last of them: without these the others go on, from the beginning
    size_t workers;
    void *context;
    bool (*wanted)(void *context, const ds_stream_info *stream); // NULL: all streams
    // Told of what jobs did, and of what failed between them; one call at a time.
    void (*tell)(void *context, const ds_schedule_event *event);
} ds_schedule_options;

// What a type makes of these. The i-th merge database's tasks are of group first_group + i.
typedef struct ds_type_schedule {
    ds_sched_ops ops;
    void (*free)(void *context); // of ops
} ds_type_schedule;

struct ds_platform_types;
typedef struct ds_schedule ds_schedule;
ds_schedule *schedule_new(struct ds_platform_types types, const ds_schedule_options *options); // options are copied
void schedule_freep(ds_schedule **schedule);
ds_sched_ops schedule_ops(ds_schedule *schedule);
