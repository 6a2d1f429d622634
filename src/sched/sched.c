// The tasks and lanes.
#include "sched/sched_int.h"

#include <stdlib.h>
#include <string.h>

static void *checked(void *memory)
{
    if (!memory)
        BUG("out of memory");
    return memory;
}

ds_sched *sched_new(const ds_sched_options *options, const ds_sched_ops *ops)
{
    ds_sched *sched = checked(calloc(1, sizeof *sched));
    sched->options = *options;
    sched->ops = *ops;
    sched->arena = arena_new();
    pthread_mutex_init(&sched->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&sched->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return sched;
}

void sched_free(ds_sched *sched)
{
    if (!sched)
        return;
    for (size_t i = 0; i < sched->n; i++)
        task_free(sched->tasks[i]);
    free(sched->tasks);
    pthread_cond_destroy(&sched->changed);
    pthread_mutex_destroy(&sched->mutex);
    arena_free(sched->arena);
    free(sched);
}

// --- tasks, in order of their names

// Where the name is, or belongs.
static size_t place_of(const ds_sched *sched, const char *name)
{
    size_t low = 0, high = sched->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(sched->tasks[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

ds_task *sched_find(const ds_sched *sched, const char *name)
{
    size_t at = place_of(sched, name);
    return at < sched->n && strcmp(sched->tasks[at]->name, name) == 0 ? sched->tasks[at] : NULL;
}

static ds_task *add_task(ds_sched *sched, const char *name)
{
    if (sched->n == sched->cap) {
        sched->cap = sched->cap ? sched->cap * 2 : 64;
        sched->tasks = checked(realloc(sched->tasks, sched->cap * sizeof *sched->tasks));
    }
    size_t at = place_of(sched, name);
    ds_task *task = checked(calloc(1, sizeof *task));
    *task = (ds_task){.name = checked(strdup(name)),
                      .group = sched->put_group,
                      .known_us = sched_now(sched),
                      .due_us = SCHED_NEVER};
    memmove(&sched->tasks[at + 1], &sched->tasks[at], (sched->n - at) * sizeof *sched->tasks);
    sched->tasks[at] = task;
    sched->n++;
    return task;
}

void sched_put_begin(ds_sched *sched, size_t group, int64_t read_us)
{
    pthread_mutex_lock(&sched->mutex);
    sched->put_group = group;
    sched->put_read_us = read_us;
    for (size_t i = 0; i < sched->n; i++)
        if (sched->tasks[i]->group == group)
            sched->tasks[i]->seen = false;
    pthread_mutex_unlock(&sched->mutex);
}

static void put_state(ds_sched *sched, ds_task *task, const ds_task_state *state)
{
    if (state->done_us != task->state.done_us)
        sched->inputs_moved = true;
    bool pardoned = task->state.retry_us && !state->retry_us, freed = task->state.paused && !state->paused;
    if (pardoned || freed)
        task->failures = task->not_before_us = 0;
    task->state = *state;
    task_touch(sched, task);
}

bool sched_put(ds_sched *sched, const char *name, int64_t version, const ds_task_state *state)
{
    pthread_mutex_lock(&sched->mutex);
    ds_task *task = sched_find(sched, name);
    if (!task)
        task = add_task(sched, name);
    task->seen = true;
    bool wanted = !task->defined || task->version != version;
    task->version = version;
    bool newer_here = task->running || (task->ended_us && task->ended_us >= sched->put_read_us);
    if (!newer_here)
        put_state(sched, task, state);
    pthread_mutex_unlock(&sched->mutex);
    return wanted;
}

// What runs stays for now: the next one finds it again.
void sched_put_end(ds_sched *sched)
{
    pthread_mutex_lock(&sched->mutex);
    size_t kept = 0;
    for (size_t i = 0; i < sched->n; i++) {
        ds_task *task = sched->tasks[i];
        if (task->seen || task->running || task->group != sched->put_group)
            sched->tasks[kept++] = task;
        else
            task_free(task);
    }
    sched->n = kept;
    pthread_cond_broadcast(&sched->changed);
    pthread_mutex_unlock(&sched->mutex);
}

// --- lanes

static ds_lane *lane_of(ds_sched *sched, const char *name)
{
    for (size_t i = 0; i < sched->lanes.n; i++)
        if (strcmp(sched->lanes.v[i]->name, name) == 0)
            return sched->lanes.v[i];
    ds_lane *lane = ARENA_NEW(sched->arena, ds_lane);
    lane->name = arena_strdup(sched->arena, name);
    return *VEC_PUSH(sched->arena, &sched->lanes) = lane;
}

void sched_set_lane(ds_sched *sched, const char *name, int64_t limit)
{
    pthread_mutex_lock(&sched->mutex);
    lane_of(sched, name)->limit = limit;
    pthread_mutex_unlock(&sched->mutex);
}

// --- definitions

static ds_rc zone_of(ds_sched *sched, const char *name, const ds_zone **out, ds_error *err)
{
    for (size_t i = 0; i < sched->zones.n; i++)
        if (strcmp(sched->zones.v[i].name, name) == 0) {
            *out = sched->zones.v[i].zone;
            return DS_DONE;
        }
    TRY(zone_load(name, sched->arena, out, err));
    *VEC_PUSH(sched->arena, &sched->zones) = (sched_zone){arena_strdup(sched->arena, name), *out};
    return DS_DONE;
}

static void set_inputs(ds_task *task, const ds_task_def *def)
{
    for (size_t i = 0; i < task->input_count; i++)
        free(task->inputs[i]);
    free(task->inputs);
    task->inputs = NULL;
    task->input_count = def->input_count;
    if (def->input_count)
        task->inputs = checked(calloc(def->input_count, sizeof *task->inputs));
    for (size_t i = 0; i < def->input_count; i++)
        task->inputs[i] = checked(strdup(def->inputs[i]));
}

// What a running task has taken is given back by the needs that it was started with.
static void set_needs(ds_sched *sched, ds_task *task, const ds_task_def *def)
{
    ds_assert(!task->running && def->need_count <= SCHED_NEEDS_MAX);
    task->need_count = def->need_count;
    for (size_t i = 0; i < def->need_count; i++)
        task->needs[i] = (sched_need){lane_of(sched, def->needs[i].lane), def->needs[i].amount, 0};
}

static ds_rc define(ds_sched *sched, ds_task *task, const ds_task_def *def, ds_error *err)
{
    ds_cron cron = {0};
    const ds_zone *zone = NULL;
    if (def->cron[0]) {
        TRY(cron_parse(str_of(def->cron), &cron, err));
        TRY(zone_of(sched, def->timezone, &zone, err));
    }
    ds_assert(def->priority >= 0 && def->priority < SCHED_PRIORITIES);
    task->priority = def->priority;
    task->has_cron = def->cron[0] != '\0';
    task->external = def->external;
    task->cron = cron;
    task->zone = zone;
    set_inputs(task, def);
    set_needs(sched, task, def);
    task->defined = true;
    task_touch(sched, task);
    return DS_DONE;
}

ds_rc sched_define(ds_sched *sched, const char *name, const ds_task_def *def, ds_error *err)
{
    pthread_mutex_lock(&sched->mutex);
    ds_task *task = sched_find(sched, name);
    ds_rc rc = DS_DONE;
    if (task && task->running)
        task->version = 0; // asked for again by the next put
    else if (task)
        rc = define(sched, task, def, err);
    pthread_mutex_unlock(&sched->mutex);
    return ds_context(rc, err, "task %s", name);
}

// --- without threads

void sched_end(ds_sched *sched, const char *name, ds_task_end end)
{
    pthread_mutex_lock(&sched->mutex);
    ds_task *task = sched_find(sched, name);
    ds_assert(task && task->running);
    task_end(sched, task, end);
    pthread_mutex_unlock(&sched->mutex);
}

int64_t sched_due_us(ds_sched *sched, const char *name)
{
    pthread_mutex_lock(&sched->mutex);
    ds_task *task = sched_find(sched, name);
    if (task)
        task_touch(sched, task);
    int64_t due = task ? task->due_us : 0;
    pthread_mutex_unlock(&sched->mutex);
    return due;
}
