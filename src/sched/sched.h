// The scheduler: tasks that come due, lanes that bound how many run side by side, threads that run them.
//
//     ds_sched *sched = sched_new(&options, &ops);
//     ds_rc rc = sched_run(sched, &err);      // until options.stop is set and what runs has ended
//     sched_free(sched);
//
// Once a second the control thread calls poll, which tells of every task what is known outside (other processes run
// tasks, too). A task never runs twice at a time here; that no other process runs it is the operations' business.
//
// When a task is due:
//  - its work is open (begun, not finished): at the instant that the last failure set for the retry, else at once;
//    who takes that instant away wants it tried at once;
//  - somebody wants it: at once;
//  - by its cron line: at the first firing after its work began last; so one that is late runs once, not once for each
//    firing that it missed. One that has never run is due at once;
//  - with neither cron line nor external trigger: when one of its inputs was done since its own work began.
// Of those that are due, the one goes first that was due first, where each higher priority counts as having waited
// longer by so much that it goes before everything but what has waited for very long: nothing starves.
//
// Thread rule: see README.md. Texts are copied.
#pragma once
#include "base/clock.h"
#include "base/error.h"

typedef struct ds_sched ds_sched;

enum { SCHED_PRIORITIES = 4, SCHED_NEEDS_MAX = 4, SCHED_POLL_MS = 1000 };

// So much of a lane is taken while the task runs. A lane is anything that bears only so much at a time.
typedef struct ds_lane_need {
    const char *lane;
    int64_t amount; // at least 1; more than the lane's limit counts as the limit: then the task has it alone
} ds_lane_need;

typedef struct ds_task_def {
    int priority;                // 0 is the least
    const char *cron, *timezone; // "" for none; they have been checked before
    bool external;               // due when wanted, and only then
    const char *const *inputs;   // names of tasks
    size_t input_count;
    ds_lane_need needs[SCHED_NEEDS_MAX];
    size_t need_count;
} ds_task_def;

// What is known of a task's work outside. Instants in microseconds since 1970, 0 for never.
typedef struct ds_task_state {
    int64_t begun_us;  // the last piece of work began
    int64_t done_us;   // the last one that ended well did
    int64_t wanted_us; // somebody asked for it
    int64_t retry_us;  // with open: not before
    bool open, paused;
} ds_task_state;

typedef enum ds_task_end {
    TASK_DONE,    // a piece of work ended well
    TASK_AGAIN,   // the same, and there is more: due at once
    TASK_NOTHING, // there was nothing to do
    TASK_SERVED,  // somebody else has done it since due_us; what was asked for since then may still be to be done
    TASK_BUSY,    // somebody else works on it, or there is no room: try a little later
    TASK_FAILED,
    TASK_STOPPED, // it was cancelled
} ds_task_end;

// What a running task has taken of a lane that has a limit.
typedef struct ds_lane_take {
    const char *lane; // lives as long as the scheduler
    int64_t limit, amount;
} ds_lane_take;

typedef struct ds_task_run {
    const char *name;
    size_t group;
    size_t worker;  // 0 … workers - 1: no two run at a time with the same
    int64_t due_us; // work that began since then has done it already
    ds_lane_take takes[SCHED_NEEDS_MAX];
    size_t take_count;
} ds_task_run;

typedef struct ds_sched_ops {
    void *context;
    // Brings the tasks up to date. A failure is told to trouble, once a minute while it goes on, and the tasks stay as
    // they are; the first poll of all must go well.
    ds_rc (*poll)(void *context, ds_sched *sched, ds_error *err);
    ds_task_end (*run)(void *context, const ds_task_run *run);
    void (*trouble)(void *context, const ds_error *err);
} ds_sched_ops;

typedef struct ds_sched_options {
    size_t workers;
    const ds_clock *clock;
    const volatile int *stop;  // once set nothing new is begun; what runs goes on to its end
    const volatile int *leave; // the same, for who has another reason; may be NULL
    int poll_ms;               // 0: SCHED_POLL_MS
    // Of tasks that may go first alike, in order of names and round: from the so-manieth on. Processes that share the
    // work and have different ones seldom choose the same.
    size_t first;
    // Called by the control thread when it has seen that, with how many tasks run still. May be NULL.
    void (*stopping)(void *context, size_t running);
    void *stopping_context;
} ds_sched_options;

ds_sched *sched_new(const ds_sched_options *options, const ds_sched_ops *ops); // both are copied
void sched_free(ds_sched *sched);                                              // takes NULL
ds_rc sched_run(ds_sched *sched, ds_error *err);

// --- for poll: all tasks of a group, of which there may be several that are polled apart
//
// read_us: when the facts were asked for; what has changed here since then is kept.
void sched_put_begin(ds_sched *sched, size_t group, int64_t read_us);
// true: the task is new, or another version than before: sched_define is wanted.
bool sched_put(ds_sched *sched, const char *name, int64_t version, const ds_task_state *state);
ds_rc sched_define(ds_sched *sched, const char *name, const ds_task_def *def, ds_error *err);
// Tasks of the group that were not put are gone.
void sched_put_end(ds_sched *sched);
// A lane holds so much at a time; 0: without limit, as a lane that nobody has set.
void sched_set_lane(ds_sched *sched, const char *name, int64_t limit);

// --- without threads
//
// The task that should run now, marked as running: *out is filled, and lives until its end. false: none; *wait_us then
// says how long there will be none, if nothing happens (at most a second).
bool sched_next(ds_sched *sched, ds_task_run *out, int64_t *wait_us);
void sched_end(ds_sched *sched, const char *name, ds_task_end end);
// When the task is due; INT64_MAX: not as things are. 0: no such task.
int64_t sched_due_us(ds_sched *sched, const char *name);
