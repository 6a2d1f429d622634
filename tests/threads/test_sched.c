// sched/sched.h with its threads: no task twice at a time, lanes hold, what is urgent comes next.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/flag.h"
#include "sched/sched.h"
#include "support/check.h"

enum { LOW = 1000, HALF = LOW / 2, WORKERS = 8, LIMIT = 2, LANES = 4, RUNS_EACH = 3 };

typedef struct rig {
    int stop;
    int polls;
    pthread_mutex_t mutex; // guards what follows
    pthread_cond_t polled;
    int started, late;
    bool high_began;
    atomic_int running[LOW], in_lane[LANES], ended, runs[LOW];
} rig;

static void put_task(ds_sched *sched, const char *name, int priority, const char *lane)
{
    ds_error err = {0};
    if (!sched_put(sched, name, 1, &(ds_task_state){0}))
        return;
    ds_task_def def = {.priority = priority, .cron = "* * * * *", .timezone = "", .needs = {{lane, 1}}};
    def.need_count = lane[0] ? 1 : 0;
    OK(sched_define(sched, name, &def, &err));
}

static void put_low(ds_sched *sched)
{
    for (int i = 0; i < LOW; i++) {
        char name[16], lane[16];
        snprintf(name, sizeof name, "low/%d", i);
        snprintf(lane, sizeof lane, "lane %d", i % LANES);
        put_task(sched, name, 0, i % 2 ? lane : "");
        sched_set_lane(sched, lane, LIMIT);
    }
}

// The first time a thousand low ones, the second time a high one more.
static ds_rc poll_tasks(void *context, ds_sched *sched, ds_error *err)
{
    (void)err;
    rig *r = context;
    sched_put_begin(sched, 0, 0);
    put_low(sched);
    if (r->polls > 0)
        put_task(sched, "high", 3, "");
    pthread_mutex_lock(&r->mutex);
    r->polls++;
    pthread_mutex_unlock(&r->mutex);
    sched_put_end(sched);
    pthread_mutex_lock(&r->mutex);
    pthread_cond_broadcast(&r->polled);
    pthread_mutex_unlock(&r->mutex);
    return DS_DONE;
}

// Half of the low ones run before the high one is there. Of those that come then, each worker may have chosen one
// before; the others were chosen when the high one must have been, and wait for it.
static void take_turn(rig *r, bool high)
{
    pthread_mutex_lock(&r->mutex);
    r->started++;
    r->high_began |= high;
    bool waits = !high && r->polls >= 2 && r->late++ >= WORKERS;
    while (r->started >= HALF && r->polls < 2)
        pthread_cond_wait(&r->polled, &r->mutex);
    while (waits && !r->high_began)
        pthread_cond_wait(&r->polled, &r->mutex);
    if (high)
        pthread_cond_broadcast(&r->polled);
    pthread_mutex_unlock(&r->mutex);
}

static void run_low(rig *r, int i)
{
    int lane = i % 2 ? i % LANES : -1;
    if (atomic_fetch_add(&r->running[i], 1) != 0)
        fail_msg("low/%d runs twice at a time", i);
    if (lane >= 0 && atomic_fetch_add(&r->in_lane[lane], 1) >= LIMIT)
        fail_msg("more than %d in lane %d", LIMIT, lane);
    take_turn(r, false);
    if (lane >= 0)
        atomic_fetch_sub(&r->in_lane[lane], 1);
    atomic_fetch_sub(&r->running[i], 1);
}

static ds_task_end run_task(void *context, const ds_task_run *run)
{
    rig *r = context;
    int i = -1;
    if (sscanf(run->name, "low/%d", &i) == 1)
        run_low(r, i);
    else
        take_turn(r, true);
    bool more = i >= 0 && atomic_fetch_add(&r->runs[i], 1) + 1 < RUNS_EACH;
    if (!more && atomic_fetch_add(&r->ended, 1) == LOW)
        flag_set(&r->stop, 1);
    return more ? TASK_AGAIN : TASK_DONE;
}

static void works(void **state)
{
    (void)state;
    static rig r = {.mutex = PTHREAD_MUTEX_INITIALIZER, .polled = PTHREAD_COND_INITIALIZER};
    ds_error err = {0};
    ds_clock clock = clock_manual(INT64_C(1767268800000000));
    const ds_sched_options options = {.workers = WORKERS, .clock = &clock, .stop = &r.stop, .poll_ms = 1};
    const ds_sched_ops ops = {.context = &r, .poll = poll_tasks, .run = run_task};
    ds_sched *sched = sched_new(&options, &ops);
    OK(sched_run(sched, &err));
    sched_free(sched);
    for (int i = 0; i < LOW; i++)
        assert_int_equal(r.runs[i], RUNS_EACH);
    assert_true(r.high_began);
}

// --- the end

static ds_rc fail_poll(void *context, ds_sched *sched, ds_error *err)
{
    (void)sched;
    rig *r = context;
    return ++r->polls == 1 ? DS_DONE : ds_fail(err, DS_ENV, "no database");
}

static void stop_at_trouble(void *context, const ds_error *err)
{
    assert_string_equal(err->text, "no database");
    flag_set(&((rig *)context)->stop, 1);
}

static void outlives_trouble(void **state)
{
    (void)state;
    static rig r;
    ds_error err = {0};
    const ds_sched_options options = {.workers = 2, .clock = clock_system(), .stop = &r.stop, .poll_ms = 1};
    const ds_sched_ops ops = {.context = &r, .poll = fail_poll, .run = run_task, .trouble = stop_at_trouble};
    ds_sched *sched = sched_new(&options, &ops);
    OK(sched_run(sched, &err));
    FAILS(sched_run(sched, &err), DS_ENV, "no database"); // the first one of a run ends it
    sched_free(sched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(works),
        cmocka_unit_test(outlives_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
