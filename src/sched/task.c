// When a task is due, and what its beginning and end change about that.
#include <stdlib.h>
#include <string.h>

#include "sched/backoff.h"
#include "sched/sched_int.h"

enum { BUSY_US = 500000 };

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// Up to when what could be asked for has been done.
static int64_t served_us(const ds_task *task)
{
    return later(task->state.begun_us, task->checked_us);
}

static int64_t due_by_cron(const ds_task *task)
{
    if (served_us(task) == 0)
        return task->known_us;
    int64_t next = cron_next(&task->cron, task->zone, served_us(task));
    return next ? next : SCHED_NEVER;
}

static int64_t due_by_inputs(const ds_sched *sched, const ds_task *task)
{
    int64_t due = SCHED_NEVER;
    for (size_t i = 0; i < task->input_count; i++) {
        const ds_task *input = sched_find(sched, task->inputs[i]);
        if (input && input->state.done_us > served_us(task))
            due = earlier(due, input->state.done_us);
    }
    return due;
}

// By its trigger alone.
static int64_t due_by_trigger(const ds_sched *sched, const ds_task *task)
{
    if (task->has_cron)
        return due_by_cron(task);
    return task->external ? SCHED_NEVER : due_by_inputs(sched, task);
}

static bool is_wanted(const ds_task *task)
{
    return task->state.wanted_us > served_us(task);
}

// Since when there is something to do.
static int64_t asked_us(const ds_sched *sched, const ds_task *task)
{
    const ds_task_state *state = &task->state;
    if (state->paused || !task->defined)
        return SCHED_NEVER;
    int64_t asked = state->open ? later(state->retry_us, state->begun_us) : due_by_trigger(sched, task);
    if (is_wanted(task) && (!state->open || state->wanted_us >= state->retry_us))
        asked = earlier(asked, state->wanted_us);
    return task->again ? earlier(asked, task->ended_us) : asked;
}

void task_touch(const ds_sched *sched, ds_task *task)
{
    bool wanted_since = is_wanted(task) && task->state.wanted_us > task->ended_us; // since it failed
    task->asked_us = asked_us(sched, task);
    task->due_us = wanted_since ? task->asked_us : later(task->asked_us, task->not_before_us);
}

void task_start(ds_sched *sched, ds_task *task)
{
    for (size_t i = 0; i < task->need_count; i++) {
        sched_need *need = &task->needs[i];
        int64_t limit = need->lane->limit;
        need->taken = limit && need->amount > limit ? limit : need->amount;
        need->lane->used += need->taken;
    }
    task->running = true;
    task->started_us = sched_now(sched);
    task->taken_us = task->asked_us;
}

// Different for each task, so that those that met don't meet again.
static int64_t busy_wait_us(const ds_task *task)
{
    return BUSY_US + backoff_delay_us(1, task->name) % BUSY_US;
}

static void end_well(ds_sched *sched, ds_task *task)
{
    task->state.begun_us = later(task->state.begun_us, task->started_us);
    task->state.done_us = task->ended_us;
    task->state.open = false;
    sched->inputs_moved = true;
}

// When the other one did so, and what it knew then, the next poll tells.
static void end_served(ds_task *task)
{
    task->checked_us = later(task->checked_us, task->taken_us);
    task->not_before_us = task->ended_us + busy_wait_us(task);
}

static void end_failed(ds_task *task)
{
    task->failures++;
    task->not_before_us = task->ended_us + backoff_delay_us(task->failures, task->name);
}

void task_end(ds_sched *sched, ds_task *task, ds_task_end end)
{
    for (size_t i = 0; i < task->need_count; i++)
        task->needs[i].lane->used -= task->needs[i].taken;
    task->running = false;
    task->ended_us = sched_now(sched);
    task->again = end == TASK_AGAIN;
    if (end == TASK_DONE || end == TASK_AGAIN || end == TASK_NOTHING || end == TASK_SERVED)
        task->failures = task->not_before_us = 0;
    if (end == TASK_DONE || end == TASK_AGAIN)
        end_well(sched, task);
    else if (end == TASK_NOTHING)
        task->checked_us = task->started_us;
    else if (end == TASK_SERVED)
        end_served(task);
    else if (end == TASK_FAILED)
        end_failed(task);
    else
        task->not_before_us = task->ended_us + busy_wait_us(task);
    task_touch(sched, task);
}

void task_free(ds_task *task)
{
    for (size_t i = 0; i < task->input_count; i++)
        free(task->inputs[i]);
    free(task->inputs);
    free(task->name);
    free(task);
}
