// The threads: workers take what is next and run it, the control thread polls and listens for the end.
#include <stdlib.h>
#include <time.h>

#include "sched/sched_int.h"

enum { LISTEN_MS = 50, TOLD_EVERY = 60 };

typedef struct worker {
    ds_sched *sched;
    size_t index;
    pthread_t thread;
} worker;

// Waits for a change, and no longer than so many microseconds.
static void wait_changed(ds_sched *sched, int64_t wait_us)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + wait_us * 1000;
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    pthread_cond_timedwait(&sched->changed, &sched->mutex, &until);
}

static void run_task(worker *w, ds_task *task)
{
    ds_sched *sched = w->sched;
    ds_task_run run;
    task_start(sched, task);
    sched_fill_run(task, w->index, &run);
    pthread_mutex_unlock(&sched->mutex);
    ds_task_end end = sched->ops.run(sched->ops.context, &run);
    pthread_mutex_lock(&sched->mutex);
    task_end(sched, task, end);
    pthread_cond_broadcast(&sched->changed); // lanes are free, inputs have moved
}

static void *work(void *argument)
{
    worker *w = argument;
    ds_sched *sched = w->sched;
    pthread_mutex_lock(&sched->mutex);
    while (!sched->closing) {
        int64_t wait_us;
        ds_task *task = sched_choose(sched, sched_now(sched), &wait_us);
        if (task)
            run_task(w, task);
        else
            wait_changed(sched, wait_us);
    }
    pthread_mutex_unlock(&sched->mutex);
    return NULL;
}

static bool stopping(const ds_sched *sched)
{
    return flag_is_set(sched->options.stop) || flag_is_set(sched->options.leave);
}

// What goes on for long is told once a minute. *failures: polls in a row.
static void poll_once(ds_sched *sched, int *failures)
{
    ds_error failure = {0};
    if (sched->ops.poll(sched->ops.context, sched, &failure).code == DS_OK)
        *failures = 0;
    else if ((*failures)++ % TOLD_EVERY == 0 && sched->ops.trouble)
        sched->ops.trouble(sched->ops.context, &failure);
}

// Until the next poll, or the end.
static void listen_to_end(const ds_sched *sched)
{
    int poll_ms = sched->options.poll_ms ? sched->options.poll_ms : SCHED_POLL_MS;
    for (int waited = 0; waited < poll_ms && !stopping(sched); waited += LISTEN_MS)
        nanosleep(&(struct timespec){.tv_nsec = LISTEN_MS * 1000000L}, NULL);
}

static void start_workers(ds_sched *sched, worker *workers)
{
    for (size_t i = 0; i < sched->options.workers; i++) {
        workers[i] = (worker){.sched = sched, .index = i};
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            BUG("can't start a thread");
    }
}

static void end_workers(ds_sched *sched, worker *workers)
{
    size_t running = 0;
    pthread_mutex_lock(&sched->mutex);
    sched->closing = true;
    for (size_t i = 0; i < sched->n; i++)
        running += sched->tasks[i]->running;
    pthread_cond_broadcast(&sched->changed);
    pthread_mutex_unlock(&sched->mutex);
    if (sched->options.stopping)
        sched->options.stopping(sched->options.stopping_context, running);
    for (size_t i = 0; i < sched->options.workers; i++)
        pthread_join(workers[i].thread, NULL);
}

ds_rc sched_run(ds_sched *sched, ds_error *err)
{
    TRY(sched->ops.poll(sched->ops.context, sched, err));
    worker *workers = calloc(sched->options.workers, sizeof *workers);
    ds_assert(workers);
    start_workers(sched, workers);
    for (int failures = 0;;) {
        listen_to_end(sched);
        if (stopping(sched))
            break;
        poll_once(sched, &failures);
    }
    end_workers(sched, workers);
    free(workers);
    return DS_DONE;
}
