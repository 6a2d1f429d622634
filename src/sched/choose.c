// Which of the tasks that are due is next. A look at all of them: a few microseconds for thousands, once for each piece
// of work, and no order to be kept while caps, pauses and priorities change under it.
#include "sched/sched_int.h"

static const int64_t MINUTE_US = 60 * INT64_C(1000000);
// How much longer each priority counts as having waited.
static const int64_t HEAD_START_MINUTES[SCHED_PRIORITIES] = {0, 10, 60, 6 * 60};

static int64_t rank_of(const ds_task *task)
{
    return task->asked_us - HEAD_START_MINUTES[task->priority] * MINUTE_US;
}

static bool has_room(const ds_task *task)
{
    for (size_t i = 0; i < task->need_count; i++) {
        const ds_lane *lane = task->needs[i].lane;
        int64_t amount = task->needs[i].amount;
        if (lane->limit && lane->used > 0 && lane->used + amount > lane->limit)
            return false;
    }
    return true;
}

static void touch_waiting(ds_sched *sched)
{
    if (!sched->inputs_moved)
        return;
    sched->inputs_moved = false;
    for (size_t i = 0; i < sched->n; i++)
        if (sched->tasks[i]->input_count)
            task_touch(sched, sched->tasks[i]);
}

ds_task *sched_choose(ds_sched *sched, int64_t now_us, int64_t *wait_us)
{
    touch_waiting(sched);
    ds_task *best = NULL;
    *wait_us = SCHED_POLL_MS * INT64_C(1000);
    for (size_t i = 0; i < sched->n; i++) {
        ds_task *task = sched->tasks[(i + sched->options.first % sched->n) % sched->n];
        if (task->running || task->due_us == SCHED_NEVER)
            continue;
        if (task->due_us > now_us && task->due_us - now_us < *wait_us)
            *wait_us = task->due_us - now_us;
        if (task->due_us <= now_us && (!best || rank_of(task) < rank_of(best)) && has_room(task))
            best = task;
    }
    return best;
}

void sched_fill_run(const ds_task *task, size_t worker, ds_task_run *out)
{
    *out = (ds_task_run){.name = task->name, .group = task->group, .worker = worker, .due_us = task->asked_us};
    for (size_t i = 0; i < task->need_count; i++) {
        const sched_need *need = &task->needs[i];
        if (need->lane->limit)
            out->takes[out->take_count++] = (ds_lane_take){need->lane->name, need->lane->limit, need->taken};
    }
}

bool sched_next(ds_sched *sched, ds_task_run *out, int64_t *wait_us)
{
    pthread_mutex_lock(&sched->mutex);
    ds_task *task = sched_choose(sched, sched_now(sched), wait_us);
    if (task) {
        task_start(sched, task);
        sched_fill_run(task, 0, out);
    }
    pthread_mutex_unlock(&sched->mutex);
    return task != NULL;
}
