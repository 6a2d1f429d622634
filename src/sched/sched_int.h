// What the files of this room share. All of it is guarded by the mutex in ds_sched.
#pragma once
#include <pthread.h>

#include "base/arena.h"
#include "base/cron.h"
#include "base/flag.h"
#include "base/vec.h"
#include "sched/sched.h"

#define SCHED_NEVER INT64_MAX

typedef struct ds_lane {
    const char *name;
    int64_t limit; // 0: none
    int64_t used;
} ds_lane;

typedef struct sched_need {
    ds_lane *lane;
    int64_t amount, taken;
} sched_need;

typedef struct sched_zone {
    const char *name;
    const ds_zone *zone;
} sched_zone;

typedef struct ds_task {
    char *name;
    size_t group;
    int64_t version;
    bool defined, seen, running;
    // the definition
    int priority;
    bool has_cron, external;
    ds_cron cron;
    const ds_zone *zone;
    char **inputs;
    size_t input_count;
    sched_need needs[SCHED_NEEDS_MAX];
    size_t need_count;
    // where it stands
    ds_task_state state;
    int64_t known_us;      // since when we know it
    int64_t started_us;    // we ran it last
    int64_t ended_us;      // and that was over
    int64_t taken_us;      // what it was asked for then: asked_us
    int64_t checked_us;    // there was nothing to do then
    int64_t not_before_us; // after a failure, or when it was busy
    int64_t failures;      // in a row, here
    bool again;
    // kept up to date by task_touch
    int64_t asked_us; // since when there is something to do
    int64_t due_us;   // from when on it may run
} ds_task;

struct ds_sched {
    ds_sched_options options;
    ds_sched_ops ops;
    pthread_mutex_t mutex;  // guards everything below
    pthread_cond_t changed; // a task or a lane did
    ds_arena *arena;        // lanes and zones
    ds_task **tasks;        // by name
    size_t n, cap;
    VEC(ds_lane *) lanes;
    VEC(sched_zone) zones;
    bool inputs_moved; // a task was done: those that wait for inputs must be looked at
    size_t put_group;
    int64_t put_read_us;
    bool closing;
};

static inline int64_t sched_now(const ds_sched *sched)
{
    return clock_now_us(sched->options.clock);
}

// --- sched.c
ds_task *sched_find(const ds_sched *sched, const char *name); // NULL when absent
// --- task.c
void task_free(ds_task *task);
void task_touch(const ds_sched *sched, ds_task *task); // something about it has changed
void task_start(ds_sched *sched, ds_task *task);
void task_end(ds_sched *sched, ds_task *task, ds_task_end end);
// --- choose.c: under the mutex
ds_task *sched_choose(ds_sched *sched, int64_t now_us, int64_t *wait_us);
void sched_fill_run(const ds_task *task, size_t worker, ds_task_run *out);
