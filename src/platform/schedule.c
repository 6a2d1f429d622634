#include "platform/schedule.h"

#include <pthread.h>
#include <stdlib.h>

#include "platform/platform.h"

typedef struct part {
    ds_type_schedule of;
    bool told; // that it can't say what is due
} part;

struct ds_schedule {
    ds_schedule_options options;
    pthread_mutex_t mutex; // guards calls of options.tell
    size_t n;
    part parts[]; // one of each type
};

static void tell(void *context, const ds_schedule_event *event)
{
    ds_schedule *s = context;
    pthread_mutex_lock(&s->mutex);
    if (s->options.tell)
        s->options.tell(s->options.context, event);
    pthread_mutex_unlock(&s->mutex);
}

static bool wanted(void *context, const ds_stream_info *stream)
{
    const ds_schedule *s = context;
    return !s->options.wanted || s->options.wanted(s->options.context, stream);
}

ds_schedule *schedule_new(ds_platform_types types, const ds_schedule_options *options)
{
    ds_schedule *s = calloc(1, sizeof *s + types.n * sizeof s->parts[0]);
    if (!s)
        BUG("out of memory");
    s->options = *options;
    s->n = types.n;
    pthread_mutex_init(&s->mutex, NULL);
    ds_schedule_options of_type = *options;
    of_type.context = s;
    of_type.wanted = wanted;
    of_type.tell = tell;
    for (size_t i = 0; i < types.n; i++)
        types.v[i]->schedule(&of_type, i * options->merge_count, &s->parts[i].of);
    return s;
}

void schedule_freep(ds_schedule **schedule)
{
    ds_schedule *s = *schedule;
    *schedule = NULL;
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        s->parts[i].of.free(s->parts[i].of.ops.context);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

// Once, until it goes well again.
static void tell_failed(ds_schedule *s, part *p, const ds_error *failure)
{
    bool failed = failure->code != DS_OK;
    if (failed && !p->told)
        tell(s, &(ds_schedule_event){.error = failure});
    p->told = failed;
}

// A type that can't say what is due keeps no other one waiting.
static ds_rc poll_types(void *context, ds_sched *sched, ds_error *err)
{
    ds_schedule *s = context;
    keeper_sweep(s->options.runtime->keeper);
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_error *failures = ARENA_ARRAY(arena, ds_error, s->n);
    size_t well = 0;
    for (size_t i = 0; i < s->n; i++) {
        const ds_sched_ops *ops = &s->parts[i].of.ops;
        failures[i].code = ops->poll(ops->context, sched, &failures[i]).code;
        well += failures[i].code == DS_OK;
    }
    if (well == 0) {
        *err = failures[0];
        return (ds_rc){err->code};
    }
    for (size_t i = 0; i < s->n; i++)
        tell_failed(s, &s->parts[i], &failures[i]);
    return DS_DONE;
}

static ds_task_end run_task(void *context, const ds_task_run *run)
{
    const ds_schedule *s = context;
    const ds_sched_ops *ops = &s->parts[run->group / s->options.merge_count].of.ops;
    return ops->run(ops->context, run);
}

static void trouble(void *context, const ds_error *err)
{
    tell(context, &(ds_schedule_event){.error = err});
}

ds_sched_ops schedule_ops(ds_schedule *schedule)
{
    return (ds_sched_ops){.context = schedule, .poll = poll_types, .run = run_task, .trouble = trouble};
}
