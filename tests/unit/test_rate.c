// yellow/control/rate.h: the bucket under a clock that only waiting moves, and a job that keeps to it.
#include <pthread.h>

#include "store/sqlite/sqlite.h"
#include "support/check.h"
#include "support/world.h"
#include "yellow/control/rate.h"

// Time that passes by sleeping. Its owner may have the work cancelled while somebody sleeps.
typedef struct fake_time {
    pthread_mutex_t lock; // guards what follows: pumps sleep on their own threads
    double now_s, slept_s, longest_s;
    double cancel_at_s; // 0: never
    volatile int cancelled;
} fake_time;

static double elapsed_s(void *context)
{
    fake_time *time = context;
    pthread_mutex_lock(&time->lock);
    double now_s = time->now_s;
    pthread_mutex_unlock(&time->lock);
    return now_s;
}

static void sleep_s(void *context, double seconds)
{
    fake_time *time = context;
    pthread_mutex_lock(&time->lock);
    time->now_s += seconds;
    time->slept_s += seconds;
    time->longest_s = seconds > time->longest_s ? seconds : time->longest_s;
    if (time->cancel_at_s > 0 && time->slept_s >= time->cancel_at_s)
        time->cancelled = 1;
    pthread_mutex_unlock(&time->lock);
}

static fake_time time_new(void)
{
    return (fake_time){.lock = PTHREAD_MUTEX_INITIALIZER, .now_s = 1000};
}

static ds_rate_clock clock_of(fake_time *time)
{
    return (ds_rate_clock){time, elapsed_s, sleep_s};
}

static void near(double value, double expected)
{
    if (value < expected - 1e-6 || value > expected + 1e-6)
        fail_msg("%.9f, expected %.9f", value, expected);
}

static void rows_are_paid_for_before_the_next(void **state)
{
    (void)state;
    // What happens one after another at 100 rows a second: time that passes, rows taken, rows given back, the wait.
    static const struct {
        double passes_s;
        int64_t take, give_back;
        double wait_s;
    } STEPS[] = {
        {0, 50, 0, 0},      // nothing is owed yet
        {0, 50, 0, 0.5},    // the first 50 take half a second
        {0.5, 100, 0, 0.5}, // and so do these
        {1, 0, 0, 0.5},     // asking costs nothing
        {0.5, 80, 70, 0},   // a chunk that had 10 rows of 80
        {0, 20, 0, 0.1},    // costs those 10
        {60, 100, 0, 0},    // a long pause earns
        {0, 100, 0, 0.9},   // a tenth of a second, no more
        {0, 10, 0, 1.9},    // several readers wait in turn
        {0, 10, 0, 2},
    };
    fake_time time = time_new();
    ds_rate_clock clock = clock_of(&time);
    ds_rate *rate = rate_new(100, &clock, NULL);
    for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0]; i++) {
        time.now_s += STEPS[i].passes_s;
        near(rate_take(rate, STEPS[i].take), STEPS[i].wait_s);
        rate_give_back(rate, STEPS[i].give_back);
    }
    rate_free(rate);
    rate_free(NULL);
}

static void a_chunk_is_a_second_at_most(void **state)
{
    (void)state;
    ds_rate *rate = rate_new(100, NULL, NULL);
    assert_int_equal(rate_chunk_rows(rate, 2048), 100);
    assert_int_equal(rate_chunk_rows(rate, 100), 100);
    assert_int_equal(rate_chunk_rows(rate, 7), 7);
    rate_free(rate);
}

static void waiting_in_slices(void **state)
{
    (void)state;
    fake_time time = time_new();
    ds_rate_clock clock = clock_of(&time);
    atomic_bool stop = false;
    ds_rate *rate = rate_new(1, &clock, &time.cancelled);
    assert_true(rate_wait(rate, 1.23, &stop));
    near(time.slept_s, 1.23);
    assert_true(time.longest_s <= RATE_SLICE_MS / 1e3);
    assert_true(rate_wait(rate, 0, NULL));
    near(time.slept_s, 1.23);
    time.cancel_at_s = 2;
    assert_false(rate_wait(rate, 3600, NULL));
    assert_true(time.slept_s < 2.1);
    time.cancelled = 0;
    atomic_store(&stop, true);
    assert_false(rate_wait(rate, 3600, &stop));
    rate_free(rate);
}

// --- a job

static size_t largest_chunk; // that a driver was asked for

static ds_rc spying_read_next(ds_reader *reader, ds_rows *rows, size_t max_rows, size_t max_bytes, bool *more,
                              ds_error *err)
{
    largest_chunk = max_rows > largest_chunk ? max_rows : largest_chunk;
    return SQLITE_DRIVER.read_next(reader, rows, max_rows, max_bytes, more, err);
}

static void limited_world(world *w, const ds_driver *driver, fake_time *time, ds_rate_clock *clock)
{
    *time = time_new();
    *clock = clock_of(time);
    world_open(w, driver, MILESTONING_SCD2);
    world_dataset(w, "people", "id integer primary key; name varchar(20)");
    world_dataset(w, "pets", "id integer primary key; name varchar(20)");
    w->runtime.rate_clock = clock;
    w->runtime.cancelled = &time->cancelled;
    w->def.source_rows_per_second = 10;
    world_source(w, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 35) INSERT INTO people "
                    "SELECT i, 'name ' || i FROM n; INSERT INTO pets VALUES (1, 'x'), (2, 'y'), (3, 'z')");
}

// 38 rows at 10 a second: the last chunk is read when those before it are paid for. A load, then a comparison.
static void a_job_keeps_to_the_limit(void **state)
{
    (void)state;
    world w;
    fake_time time;
    ds_rate_clock clock;
    limited_world(&w, &SQLITE_DRIVER, &time, &clock);
    world_apply(&w);
    for (int batch = 1; batch <= 3; batch++) {
        ds_job_result result;
        ds_error err;
        time.slept_s = 0;
        OK(world_job(&w, &result, &err));
        assert_int_equal(result.counts.read, 38);
        assert_int_equal(result.counts.inserted, batch == 1 ? 38 : 0);
        assert_int_equal(result.counts.updated, batch == 2 ? 1 : 0);
        assert_true(time.slept_s > 3.3 && time.slept_s < 3.8);
        if (batch == 1)
            world_source(&w, "UPDATE people SET name = 'new' WHERE id = 30");
    }
    assert_string_equal(world_query(&w, true, "SELECT name FROM ws_w__g__s__people WHERE id = 30"), "new\n");
    world_close(&w);
}

static void a_job_that_waits_can_be_interrupted(void **state)
{
    (void)state;
    world w;
    fake_time time;
    ds_rate_clock clock;
    limited_world(&w, &SQLITE_DRIVER, &time, &clock);
    world_apply(&w);
    ds_job_result result;
    ds_error err;
    time.cancel_at_s = 1.5;
    FAILS(world_job(&w, &result, &err), DS_CANCELLED, "interrupted");
    assert_true(time.slept_s < 1.6);
    time.cancelled = 0;
    time.cancel_at_s = 0;
    OK(world_job(&w, &result, &err));
    assert_int_equal(result.counts.inserted, 38);
    world_close(&w);
}

static void chunk_rows_is_what_a_driver_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        int64_t chunk_rows, rows_per_second;
        size_t expected;
    } CASES[] = {{7, 0, 7}, {50000, 0, 50000}, {7, 10, 7}, {50000, 10, 10}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        world w;
        fake_time time;
        ds_rate_clock clock;
        ds_driver spy = SQLITE_DRIVER;
        spy.read_next = spying_read_next;
        limited_world(&w, &spy, &time, &clock);
        w.def.chunk_rows = CASES[i].chunk_rows;
        w.def.source_rows_per_second = CASES[i].rows_per_second;
        world_apply(&w);
        largest_chunk = 0;
        ds_job_result result;
        ds_error err;
        OK(world_job(&w, &result, &err)); // a first load reads nothing but the source
        assert_int_equal(largest_chunk, CASES[i].expected);
        assert_int_equal(result.counts.inserted, 38);
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_paid_for_before_the_next),
        cmocka_unit_test(a_chunk_is_a_second_at_most),
        cmocka_unit_test(waiting_in_slices),
        cmocka_unit_test(a_job_keeps_to_the_limit),
        cmocka_unit_test(a_job_that_waits_can_be_interrupted),
        cmocka_unit_test(chunk_rows_is_what_a_driver_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
