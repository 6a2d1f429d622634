#include "yellow/schedule.h"

#include <stdlib.h>

#include "yellow/control/control_tables.h"
#include "yellow/control/lock.h"
#include "yellow/job/job.h"
#include "yellow/streams.h"

// A job's connections to the merge database: its own, one that reads live rows, one that renews its lease; and slots.
enum { MERGE_CONNECTIONS = 4, NAME_MAX_BYTES = 512 };
enum { REPLICA_TOLD_EVERY = 60 }; // polls that fail

// A merge database as the control thread sees it.
typedef struct polled {
    ds_control *control;     // NULL: not open
    int failures;            // of a replica's polls, in a row
    bool waits;              // for its first apply, which was told
    _Atomic int64_t skew_us; // its clock minus ours
} polled;

typedef struct stream_schedule {
    ds_schedule_options options;
    size_t first_group;
    ds_def_cache *defs;
    ds_runtime runtime; // of the poll
    polled *merges;
    ds_control **slot_controls; // of each worker and merge database, when it was needed
} stream_schedule;

static void schedule_free(void *context)
{
    stream_schedule *s = context;
    for (size_t i = 0; i < s->options.merge_count; i++)
        control_close(s->merges[i].control);
    for (size_t i = 0; i < s->options.merge_count * s->options.workers; i++)
        control_close(s->slot_controls[i]);
    def_cache_freep(&s->defs);
    free(s->merges);
    free(s->slot_controls);
    free(s);
}

static void tell(stream_schedule *s, ds_schedule_event event)
{
    s->options.tell(s->options.context, &event);
}

// --- poll: definitions

typedef struct lane_names {
    char connections[NAME_MAX_BYTES], writers[NAME_MAX_BYTES], rows[NAME_MAX_BYTES];
} lane_names;

static lane_names lanes_of(const char *container)
{
    lane_names names;
    snprintf(names.connections, sizeof names.connections, "connections %s", container);
    snprintf(names.writers, sizeof names.writers, "writers %s", container);
    snprintf(names.rows, sizeof names.rows, "rows %s", container);
    return names;
}

// Two needs of one lane are one.
static void need(ds_task_def *task, const char *lane, int64_t amount)
{
    for (size_t i = 0; i < task->need_count; i++)
        if (strcmp(task->needs[i].lane, lane) == 0) {
            task->needs[i].amount += amount;
            return;
        }
    task->needs[task->need_count++] = (ds_lane_need){lane, amount};
}

// A stream that nobody wants here is never due, nor is one whose definition can't be read.
static ds_rc define_idle(ds_sched *sched, const char *name, ds_error *err)
{
    ds_task_def idle = {.cron = "", .timezone = ""};
    return sched_define(sched, name, &idle, err);
}

static ds_rc define_stream(stream_schedule *s, ds_sched *sched, const char *merge, const ds_stream_def *def,
                           ds_arena *arena, ds_error *err)
{
    ds_stream_info info = streams_info(arena, def);
    if (!s->options.wanted(s->options.context, &info))
        return define_idle(sched, def->name, err);
    ds_task_def task = {
        .priority = (int)info.priority,
        .cron = info.cron,
        .timezone = info.timezone,
        .external = info.external,
        .inputs = info.inputs,
        .input_count = info.input_count,
    };
    lane_names source = lanes_of(def->source.name), into = lanes_of(merge);
    if (def->source.name[0]) {
        need(&task, source.connections, def->workers ? def->workers : 1);
        need(&task, source.rows, 1);
    }
    need(&task, into.connections, MERGE_CONNECTIONS);
    need(&task, into.writers, 1);
    return sched_define(sched, def->name, &task, err);
}

// Some of those that asked for their definitions.
static ds_rc define_some(stream_schedule *s, ds_sched *sched, size_t merge, const char *const *names, size_t n,
                         ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_stream_row *rows;
    size_t found;
    TRY(control_streams_named(s->merges[merge].control, names, n, arena, &rows, &found, err));
    for (size_t i = 0; i < found; i++) {
        bool damaged;
        ds_error failure = {0};
        if (control_decode_def(arena, &rows[i], &damaged, &failure).code == DS_OK)
            failure.code = define_stream(s, sched, s->options.merges[merge].name, rows[i].def, arena, &failure).code;
        if (failure.code == DS_OK)
            continue;
        tell(s, (ds_schedule_event){.stream = rows[i].name, .error = &failure});
        TRY(define_idle(sched, rows[i].name, err));
    }
    return DS_DONE;
}

// A definition may be large, and there may be thousands: not all at once.
static ds_rc define_streams(stream_schedule *s, ds_sched *sched, size_t merge, const char *const *asked, size_t n,
                            ds_error *err)
{
    enum { AT_ONCE = 64 };
    for (size_t i = 0; i < n; i += AT_ONCE)
        TRY(define_some(s, sched, merge, asked + i, n - i < AT_ONCE ? n - i : AT_ONCE, err));
    return DS_DONE;
}

// --- poll: where the streams stand

static ds_rc put_lanes(stream_schedule *s, ds_sched *sched, size_t merge, ds_arena *arena, ds_error *err)
{
    ds_container_caps *caps;
    size_t n;
    TRY(control_containers(s->merges[merge].control, arena, &caps, &n, err));
    for (size_t i = 0; i < n; i++) {
        lane_names names = lanes_of(caps[i].name);
        sched_set_lane(sched, names.connections, caps[i].connections);
        sched_set_lane(sched, names.writers, caps[i].writers);
        // A job reads at the full pace that is allowed: so one at a time does.
        sched_set_lane(sched, names.rows, caps[i].rows_per_second ? 1 : 0);
    }
    return DS_DONE;
}

static int64_t ours(int64_t instant_us, int64_t skew_us)
{
    return instant_us ? instant_us - skew_us : 0;
}

// A stream that another process works on is left alone until it is free.
static ds_task_state state_of(const ds_stream_standing *row, int64_t skew_us)
{
    return (ds_task_state){
        .begun_us = ours(row->begun_at, skew_us),
        .done_us = ours(row->committed_at, skew_us),
        .wanted_us = ours(row->wanted_at, skew_us),
        .retry_us = ours(row->retry_at, skew_us),
        .open = row->open,
        .paused = row->paused || row->held,
    };
}

static ds_rc put_standings(stream_schedule *s, ds_sched *sched, size_t merge, ds_arena *arena, ds_error *err)
{
    polled *p = &s->merges[merge];
    int64_t asked_us = clock_now_us(s->runtime.clock), now_us;
    ds_stream_standing *rows;
    size_t n;
    TRY(control_standings(p->control, arena, &rows, &n, &now_us, err));
    int64_t skew_us = now_us - asked_us;
    p->skew_us = skew_us;
    const char **asked = ARENA_ARRAY(arena, const char *, n);
    size_t asked_count = 0;
    sched_put_begin(sched, s->first_group + merge, asked_us);
    for (size_t i = 0; i < n; i++) {
        ds_task_state state = state_of(&rows[i], skew_us);
        if (sched_put(sched, rows[i].name, rows[i].version, &state))
            asked[asked_count++] = rows[i].name;
    }
    ds_rc rc = define_streams(s, sched, merge, asked, asked_count, err);
    sched_put_end(sched);
    return rc;
}

static ds_rc poll_merge(stream_schedule *s, ds_sched *sched, size_t merge, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    polled *p = &s->merges[merge];
    if (!p->control)
        TRY(control_open(&s->runtime, &s->options.merges[merge], CONTROL_READ, &p->control, err));
    TRY(put_lanes(s, sched, merge, arena, err));
    return put_standings(s, sched, merge, arena, err);
}

static bool is_replica(const stream_schedule *s, size_t merge)
{
    return merge >= s->options.merge_count - s->options.replica_count;
}

// Has nothing been applied there, or does it want an apply that brings its control tables up to date?
static bool waits_for_apply(stream_schedule *s, size_t merge, ds_rc rc)
{
    polled *p = &s->merges[merge];
    ds_error ignored;
    bool wants = false;
    if (rc.code != DS_FINDING || is_replica(s, merge) || p->waits)
        return rc.code == DS_FINDING && p->waits;
    return control_wants_apply(&s->runtime, &s->options.merges[merge], &wants, &ignored).code == DS_OK && wants;
}

// Those that wait are told when others have something to do; else it is the run that can't begin.
static ds_rc tell_waiting(stream_schedule *s, size_t merge, bool others, ds_rc rc, ds_error *failure)
{
    polled *p = &s->merges[merge];
    if (!others)
        return rc;
    if (!p->waits)
        tell(s, (ds_schedule_event){.error = failure});
    p->waits = true;
    return DS_DONE;
}

static ds_rc poll_failed(stream_schedule *s, size_t merge, bool others, ds_rc rc, ds_error *failure)
{
    polled *p = &s->merges[merge];
    control_closep(&p->control);
    if (waits_for_apply(s, merge, rc))
        return tell_waiting(s, merge, others, rc, failure);
    if (!is_replica(s, merge))
        return rc;
    if (p->failures++ % REPLICA_TOLD_EVERY == 0)
        tell(s, (ds_schedule_event){.error = failure});
    return DS_DONE;
}

// What one merge database can't tell doesn't keep the others waiting.
static ds_rc poll_merges(void *context, ds_sched *sched, ds_error *err)
{
    stream_schedule *s = context;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_error *failures = ARENA_ARRAY(arena, ds_error, s->options.merge_count);
    bool others = false;
    ds_rc worst = DS_DONE;
    for (size_t i = 0; i < s->options.merge_count; i++) {
        ds_rc rc = poll_merge(s, sched, i, &failures[i]);
        failures[i].code = rc.code;
        others |= rc.code == DS_OK && !is_replica(s, i);
        if (rc.code == DS_OK) {
            s->merges[i].failures = 0;
            s->merges[i].waits = false;
        }
    }
    for (size_t i = 0; i < s->options.merge_count; i++) {
        if (failures[i].code == DS_OK)
            continue;
        ds_rc rc = poll_failed(s, i, others, (ds_rc){failures[i].code}, &failures[i]);
        if (rc.code == DS_OK)
            continue;
        *err = failures[i];
        worst = rc;
    }
    return worst;
}

// --- run

static size_t merge_of(const stream_schedule *s, const ds_task_run *run)
{
    return run->group - s->first_group;
}

static ds_control **slot_control_of(stream_schedule *s, const ds_task_run *run)
{
    return &s->slot_controls[run->worker * s->options.merge_count + merge_of(s, run)];
}

// Opened by the worker that needs it, and kept.
static ds_rc slot_control(stream_schedule *s, const ds_task_run *run, ds_control **out, ds_error *err)
{
    ds_control **control = slot_control_of(s, run);
    if (!*control)
        TRY(control_open(&s->runtime, &s->options.merges[merge_of(s, run)], CONTROL_WRITE, control, err));
    *out = *control;
    return DS_DONE;
}

static ds_rc take_lane(ds_lock *lock, const ds_lane_take *take, size_t first, bool *all, ds_error *err)
{
    int64_t taken = 0;
    for (int64_t i = 0; i < take->limit && taken < take->amount; i++) {
        char name[NAME_MAX_BYTES + 32];
        bool held;
        int64_t slot = ((int64_t)first + i) % take->limit;
        snprintf(name, sizeof name, "slot %s %lld", take->lane, (long long)slot);
        TRY(lock_take(lock, name, 0, &held, err));
        taken += held;
    }
    *all = taken == take->amount;
    return DS_DONE;
}

// All slots that the run needs; *lock owns them until it is freed. *all is false when there are too few now.
static ds_rc take_slots(stream_schedule *s, const ds_task_run *run, ds_lock **lock, bool *all, ds_error *err)
{
    *all = true;
    if (run->take_count == 0)
        return DS_DONE;
    ds_control *control;
    TRY(slot_control(s, run, &control, err));
    *lock = lock_new(control, run->name);
    for (size_t i = 0; i < run->take_count && *all; i++)
        TRY(take_lane(*lock, &run->takes[i], run->worker, all, err));
    return DS_DONE;
}

static void drop_slots(stream_schedule *s, const ds_task_run *run, ds_lock **lock, ds_rc rc)
{
    lock_freep(lock);
    ds_control **control = slot_control_of(s, run);
    bool kernel = *control && !lock_by_rows((*control)->db); // there they go with the connection
    if (kernel || rc.code != DS_OK)
        control_closep(control);
}

static ds_task_end end_of(ds_rc rc, const ds_job_result *result)
{
    if (rc.code == DS_BUSY)
        return TASK_BUSY;
    if (rc.code == DS_CANCELLED)
        return TASK_STOPPED;
    if (rc.code != DS_OK)
        return TASK_FAILED;
    if (result->keep_working)
        return TASK_AGAIN;
    if (result->made_since)
        return TASK_SERVED;
    return result->batch ? TASK_DONE : TASK_NOTHING;
}

static ds_task_end run_job(stream_schedule *s, const ds_task_run *run)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_error err = {0};
    ds_job_result result = {0};
    size_t merge = merge_of(s, run);
    ds_job_options options = {.due_us = run->due_us + s->merges[merge].skew_us};
    ds_runtime runtime = *s->options.runtime;
    runtime.defs = s->defs;
    runtime.wait_closed = run->take_count > 0; // a slot that is free stands for a connection that is gone
    ds_rc rc = job_run(&runtime, &s->options.merges[merge], run->name, &options, arena, &result, &err);
    if (rc.code == DS_OK)
        tell(s, (ds_schedule_event){.stream = run->name, .result = &result});
    else if (rc.code != DS_BUSY && rc.code != DS_CANCELLED)
        tell(s, (ds_schedule_event){.stream = run->name, .error = &err});
    return end_of(rc, &result);
}

static ds_task_end run_task(void *context, const ds_task_run *run)
{
    stream_schedule *s = context;
    ds_error err = {0};
    ds_lock *slots = NULL;
    bool all = false;
    ds_rc rc = take_slots(s, run, &slots, &all, &err);
    ds_task_end end = TASK_BUSY;
    if (rc.code == DS_OK && all)
        end = run_job(s, run);
    else if (rc.code != DS_OK && rc.code != DS_BUSY) {
        end = rc.code == DS_CANCELLED ? TASK_STOPPED : TASK_FAILED;
        tell(s, (ds_schedule_event){.stream = run->name, .error = &err});
    }
    drop_slots(s, run, &slots, rc);
    return end;
}

static void *zeroed(size_t n, size_t size)
{
    void *memory = calloc(n ? n : 1, size);
    if (!memory)
        BUG("out of memory");
    return memory;
}

void schedule_streams(const ds_schedule_options *options, size_t first_group, ds_type_schedule *out)
{
    stream_schedule *s = zeroed(1, sizeof *s);
    s->options = *options;
    s->first_group = first_group;
    s->defs = def_cache_new(0);
    s->runtime = *options->runtime;
    s->runtime.purpose = "run";
    s->runtime.keeper = NULL; // what is opened for it stays open
    s->merges = zeroed(options->merge_count, sizeof *s->merges);
    s->slot_controls = zeroed(options->merge_count * options->workers, sizeof(ds_control *));
    *out = (ds_type_schedule){
        .ops = {.context = s, .poll = poll_merges, .run = run_task},
        .free = schedule_free,
    };
}
