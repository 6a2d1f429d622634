// Applied streams as tasks of a scheduler (sched/sched.h): what is due is read from the control tables, work is a job.
//
// Several processes may do this on one merge database: a job takes the stream's lease, and looks whether another one
// has done the work since it was due. Where a container has caps, a job takes as many slots of it as it needs: slots
// are names that are owned like streams (lock.h), so that those of a process that dies come free.
//
// Thread rule: poll on one thread, run on the scheduler's workers.
#pragma once
#include "sched/sched.h"
#include "yellow/job/job.h"

typedef struct ds_schedule ds_schedule;

// A job that has ended. result is NULL when it failed.
typedef struct ds_schedule_event {
    const char *stream;
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
    bool (*wanted)(void *context, const ds_stream_def *def); // NULL: all streams
    // Told of what jobs did and of what failed between them (stream NULL); one call at a time.
    void (*tell)(void *context, const ds_schedule_event *event);
} ds_schedule_options;

ds_schedule *schedule_new(const ds_schedule_options *options); // copied
void schedule_freep(ds_schedule **schedule);
ds_sched_ops schedule_ops(ds_schedule *schedule);
