// sched/sched.h without threads, with a clock that stands still until it is moved.
#include <stdio.h>

#include "sched/backoff.h"
#include "sched/sched.h"
#include "support/check.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
enum { SECOND = 1000000, MINUTE = 60 * SECOND };
static const int64_t NOON = INT64_C(1767268800000000); // 2026-01-01 12:00

typedef struct rig {
    ds_clock clock;
    ds_sched *sched;
} rig;

static ds_rc no_poll(void *context, ds_sched *sched, ds_error *err)
{
    (void)context;
    (void)sched;
    (void)err;
    return DS_DONE;
}

static int open_rig(void **state)
{
    static rig r;
    r.clock = clock_manual(NOON);
    const ds_sched_options options = {.workers = 1, .clock = &r.clock};
    const ds_sched_ops ops = {.poll = no_poll};
    r.sched = sched_new(&options, &ops);
    *state = &r;
    return 0;
}

static int close_rig(void **state)
{
    sched_free(((rig *)*state)->sched);
    return 0;
}

static void define(rig *r, const char *name, ds_task_def def)
{
    ds_error err = {0};
    def.cron = def.cron ? def.cron : "";
    def.timezone = "";
    OK(sched_define(r->sched, name, &def, &err));
}

// Puts one task more; those that are there stay.
static void put(rig *r, const char *name, ds_task_state task)
{
    sched_put_begin(r->sched, 0, r->clock.fixed_us);
    sched_put(r->sched, name, 1, &task);
}

static void add(rig *r, const char *name, ds_task_def def, ds_task_state task)
{
    put(r, name, task);
    define(r, name, def);
}

// The name of what is next, "" when nothing is due.
static const char *next(rig *r)
{
    int64_t wait_us;
    ds_task_run run;
    return sched_next(r->sched, &run, &wait_us) ? run.name : "";
}

// Runs what is next, which must be this.
static void runs(rig *r, const char *name, ds_task_end end)
{
    assert_string_equal(next(r), name);
    sched_end(r->sched, name, end);
}

static void is_due_when(void **state)
{
    rig *r = *state;
    const struct {
        const char *what;
        ds_task_def def;
        ds_task_state state;
        int64_t due_us; // from noon; INT64_MAX: never
    } CASES[] = {
        {"new, by cron", {.cron = "*/5 * * * *"}, {0}, 0},
        {"new, external", {.external = true}, {0}, INT64_MAX},
        {"new, without inputs", {0}, {0}, INT64_MAX},
        {"after its last beginning", {.cron = "*/5 * * * *"}, {.begun_us = NOON - MINUTE}, 0},
        {"in a while", {.cron = "*/5 * * * *"}, {.begun_us = NOON}, 5 * (int64_t)MINUTE},
        {"late: since the first that was missed",
         {.cron = "*/5 * * * *"},
         {.begun_us = NOON - 61 * (int64_t)MINUTE},
         -60 * (int64_t)MINUTE},
        {"paused", {.cron = "*/5 * * * *"}, {.paused = true}, INT64_MAX},
        {"wanted", {.external = true}, {.begun_us = NOON - 9, .wanted_us = NOON - 5}, -5},
        {"wanted beside its schedule", {.cron = "0 0 * * *"}, {.begun_us = NOON - 9, .wanted_us = NOON - 5}, -5},
        {"wanted and served", {.external = true}, {.begun_us = NOON - 5, .wanted_us = NOON - 9}, INT64_MAX},
        {"wanted while paused", {.external = true}, {.paused = true, .wanted_us = NOON}, INT64_MAX},
        {"open", {.cron = "0 0 * * *"}, {.begun_us = NOON - 5, .open = true}, -5},
        {"open, external", {.external = true}, {.begun_us = NOON - 5, .open = true}, -5},
        {"open and failed: not by its schedule",
         {.cron = "* * * * *"},
         {.begun_us = NOON - 9 * (int64_t)MINUTE, .open = true, .retry_us = NOON + 7},
         7},
        {"open, failed and wanted before",
         {.cron = "* * * * *"},
         {.begun_us = NOON - 9, .wanted_us = NOON - 5, .open = true, .retry_us = NOON + 7},
         7},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char name[16];
        snprintf(name, sizeof name, "P/S%zu", i);
        add(r, name, CASES[i].def, CASES[i].state);
        int64_t due = sched_due_us(r->sched, name);
        int64_t wanted = CASES[i].due_us == INT64_MAX ? INT64_MAX : NOON + CASES[i].due_us;
        if (due != wanted)
            fail_msg("%s: %ld, wanted %ld", CASES[i].what, (long)(due - NOON), (long)(wanted - NOON));
    }
}

static void late_runs_once(void **state)
{
    rig *r = *state;
    add(r, "P/A", (ds_task_def){.cron = "* * * * *"}, (ds_task_state){.begun_us = NOON - 60 * (int64_t)MINUTE});
    runs(r, "P/A", TASK_DONE);
    assert_string_equal(next(r), "");
    assert_int_equal(sched_due_us(r->sched, "P/A"), NOON + MINUTE);
}

static void never_twice_at_once(void **state)
{
    rig *r = *state;
    add(r, "P/A", (ds_task_def){.cron = "* * * * *"}, (ds_task_state){0});
    assert_string_equal(next(r), "P/A");
    assert_string_equal(next(r), "");
    put(r, "P/A", (ds_task_state){.wanted_us = NOON});
    assert_string_equal(next(r), "");
    sched_end(r->sched, "P/A", TASK_DONE);
    assert_string_equal(next(r), "");
}

// What was read before a task ended here doesn't count.
static void older_news_are_ignored(void **state)
{
    rig *r = *state;
    add(r, "P/A", (ds_task_def){.cron = "* * * * *"}, (ds_task_state){0});
    assert_string_equal(next(r), "P/A");
    sched_put_begin(r->sched, 0, NOON);
    r->clock.fixed_us += SECOND;
    sched_end(r->sched, "P/A", TASK_DONE);
    sched_put(r->sched, "P/A", 1, &(ds_task_state){0});
    assert_string_equal(next(r), "");
}

static void after_inputs(void **state)
{
    rig *r = *state;
    const char *const INPUTS[] = {"P/A", "P/B"};
    add(r, "P/A", (ds_task_def){.external = true}, (ds_task_state){0});
    add(r, "P/B", (ds_task_def){.cron = "*/10 * * * *"}, (ds_task_state){0});
    add(r, "P/T", (ds_task_def){.inputs = INPUTS, .input_count = 2}, (ds_task_state){0});
    runs(r, "P/B", TASK_DONE);
    r->clock.fixed_us += SECOND;
    runs(r, "P/T", TASK_NOTHING); // one of its inputs isn't there yet, it says
    assert_string_equal(next(r), "");
    put(r, "P/A", (ds_task_state){.begun_us = NOON, .done_us = NOON + 2 * SECOND}); // by another process
    r->clock.fixed_us += 2 * SECOND;
    runs(r, "P/T", TASK_DONE);
    r->clock.fixed_us += SECOND;
    assert_string_equal(next(r), "");
}

static void goes_on_at_once(void **state)
{
    rig *r = *state;
    add(r, "P/A", (ds_task_def){.cron = "*/10 * * * *"}, (ds_task_state){0});
    runs(r, "P/A", TASK_AGAIN);
    runs(r, "P/A", TASK_AGAIN);
    runs(r, "P/A", TASK_DONE);
    assert_string_equal(next(r), "");
}

// A high one goes before a thousand low ones; a low one that has waited for long goes before fresh high ones.
static void ages(void **state)
{
    rig *r = *state;
    for (int i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "Low/%03d", i);
        add(r, name, (ds_task_def){.cron = "* * * * *"}, (ds_task_state){.begun_us = NOON - 5 * (int64_t)MINUTE});
    }
    runs(r, "Low/000", TASK_DONE);
    add(r, "P/High", (ds_task_def){.priority = 2, .cron = "* * * * *"}, (ds_task_state){.begun_us = NOON - MINUTE});
    runs(r, "P/High", TASK_DONE);
    runs(r, "Low/001", TASK_DONE);
    int low = 0;
    for (int minute = 0; minute < 120 && !low; minute++) { // there is time for one task a minute
        r->clock.fixed_us += MINUTE;
        put(r, "P/High", (ds_task_state){.begun_us = r->clock.fixed_us - MINUTE});
        const char *name = next(r);
        low = strcmp(name, "P/High") != 0 ? minute : 0;
        sched_end(r->sched, name, TASK_DONE);
    }
    assert_in_range(low, 50, 70);
}

// Those that are due alike: each process has its own first one.
static void equals_go_round(void **state)
{
    (void)state;
    static const char *const ORDER[][3] = {{"a", "b", "c"}, {"b", "c", "a"}, {"c", "a", "b"}, {"a", "b", "c"}};
    for (size_t first = 0; first < COUNT(ORDER); first++) {
        rig r = {.clock = clock_manual(NOON)};
        const ds_sched_options options = {.workers = 1, .clock = &r.clock, .first = first};
        const ds_sched_ops ops = {.poll = no_poll};
        r.sched = sched_new(&options, &ops);
        assert_string_equal(next(&r), "");
        for (char name[] = "a"; name[0] <= 'c'; name[0]++)
            add(&r, name, (ds_task_def){.cron = "* * * * *"}, (ds_task_state){0});
        for (size_t i = 0; i < COUNT(ORDER[first]); i++)
            runs(&r, ORDER[first][i], TASK_DONE);
        sched_free(r.sched);
    }
}

static void lanes_hold(void **state)
{
    rig *r = *state;
    const ds_task_def one = {.cron = "* * * * *", .needs = {{"connections S", 1}}, .need_count = 1};
    const ds_task_def much = {.cron = "* * * * *", .needs = {{"connections S", 9}}, .need_count = 1};
    add(r, "P/A", one, (ds_task_state){0});
    add(r, "P/B", one, (ds_task_state){0});
    add(r, "P/C", one, (ds_task_state){0});
    add(r, "P/Much", much, (ds_task_state){0});
    add(r, "P/Other", (ds_task_def){.cron = "* * * * *"}, (ds_task_state){0});
    sched_set_lane(r->sched, "connections S", 2);
    assert_string_equal(next(r), "P/A");
    assert_string_equal(next(r), "P/B");
    assert_string_equal(next(r), "P/Other");
    assert_string_equal(next(r), "");
    sched_end(r->sched, "P/A", TASK_DONE);
    assert_string_equal(next(r), "P/C");
    assert_string_equal(next(r), "");
    sched_end(r->sched, "P/B", TASK_DONE);
    assert_string_equal(next(r), ""); // what wants more than there is has it alone
    sched_end(r->sched, "P/C", TASK_DONE);
    assert_string_equal(next(r), "P/Much");
    sched_set_lane(r->sched, "connections S", 0);
    sched_end(r->sched, "P/Much", TASK_DONE);
}

static void failures_wait(void **state)
{
    rig *r = *state;
    add(r, "P/A", (ds_task_def){.cron = "* * * * *"}, (ds_task_state){0});
    int64_t before = 0;
    for (int failures = 1; failures <= 12; failures++) {
        runs(r, "P/A", TASK_FAILED);
        int64_t wait = sched_due_us(r->sched, "P/A") - r->clock.fixed_us;
        if (wait < before / 2 || wait < 5 * SECOND || wait > 75 * (int64_t)MINUTE)
            fail_msg("failure %d waits %ld s after %ld s", failures, (long)(wait / SECOND), (long)(before / SECOND));
        assert_string_equal(next(r), "");
        r->clock.fixed_us += wait;
        before = wait;
    }
    assert_true(before >= 60 * (int64_t)MINUTE); // parked
    put(r, "P/A", (ds_task_state){.wanted_us = r->clock.fixed_us});
    runs(r, "P/A", TASK_FAILED);
    assert_string_equal(next(r), "");
    r->clock.fixed_us += SECOND;
    put(r, "P/A", (ds_task_state){.wanted_us = r->clock.fixed_us}); // trigger doesn't wait
    runs(r, "P/A", TASK_DONE);
}

// Somebody takes the time of the retry away: it isn't waited for, nor is our own.
static void a_pardon(void **state)
{
    rig *r = *state;
    add(r, "P/A", (ds_task_def){.external = true}, (ds_task_state){.wanted_us = NOON});
    runs(r, "P/A", TASK_FAILED);
    r->clock.fixed_us += SECOND;
    put(r, "P/A", (ds_task_state){.begun_us = NOON, .open = true, .retry_us = NOON + MINUTE});
    assert_int_equal(sched_due_us(r->sched, "P/A"), NOON + MINUTE);
    put(r, "P/A", (ds_task_state){.begun_us = NOON, .open = true});
    runs(r, "P/A", TASK_DONE);
}

static void busy_waits_a_little(void **state)
{
    rig *r = *state;
    add(r, "P/A", (ds_task_def){.cron = "* * * * *"}, (ds_task_state){0});
    runs(r, "P/A", TASK_BUSY);
    assert_in_range(sched_due_us(r->sched, "P/A") - NOON, SECOND / 2, SECOND);
}

// Somebody asks again while we wait for room, and we don't know yet: that another process has done what was asked for
// before says nothing about it.
static void asked_again_before_it_was_looked(void **state)
{
    rig *r = *state;
    add(r, "P/A", (ds_task_def){.external = true}, (ds_task_state){.wanted_us = NOON - 7});
    r->clock.fixed_us += SECOND;
    runs(r, "P/A", TASK_SERVED);
    assert_string_equal(next(r), "");
    r->clock.fixed_us += SECOND;
    put(r, "P/A", (ds_task_state){.begun_us = NOON - 3, .done_us = NOON - 2, .wanted_us = NOON + SECOND / 2});
    runs(r, "P/A", TASK_DONE);
    put(r, "P/A",
        (ds_task_state){.begun_us = NOON + 2 * SECOND, .done_us = NOON + 2 * SECOND, .wanted_us = NOON + SECOND / 2});
    assert_string_equal(next(r), "");
}

// A cron line that fired often meanwhile, and another process that was faster: once is enough.
static void served_by_another_waits_for_news(void **state)
{
    rig *r = *state;
    add(r, "P/A", (ds_task_def){.cron = "* * * * *"}, (ds_task_state){.begun_us = NOON - 600 * SECOND});
    runs(r, "P/A", TASK_SERVED);
    assert_string_equal(next(r), "");
    r->clock.fixed_us += SECOND;
    put(r, "P/A", (ds_task_state){.begun_us = NOON, .done_us = NOON});
    assert_string_equal(next(r), "");
}

// What another process does meanwhile counts from when it was asked for, however long we waited.
static void asks_for_what_was_due(void **state)
{
    rig *r = *state;
    ds_task_run run;
    int64_t wait_us;
    add(r, "P/A", (ds_task_def){.external = true}, (ds_task_state){.wanted_us = NOON - 7});
    runs(r, "P/A", TASK_BUSY);
    r->clock.fixed_us += 2 * SECOND;
    assert_true(sched_next(r->sched, &run, &wait_us));
    assert_int_equal(run.due_us, NOON - 7);
    sched_end(r->sched, "P/A", TASK_NOTHING);
    assert_string_equal(next(r), "");
}

static void delays(void **state)
{
    (void)state;
    const struct {
        int64_t failures, least_s;
    } CASES[] = {{1, 5}, {2, 10}, {3, 20}, {8, 640}, {9, 900}, {10, 3600}, {1000000, 3600}};
    bool differ = false;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        int64_t least = CASES[i].least_s * SECOND, a = backoff_delay_us(CASES[i].failures, "P/A");
        assert_in_range(a, least, least + least / 4);
        assert_int_equal(a, backoff_delay_us(CASES[i].failures, "P/A"));
        differ |= a != backoff_delay_us(CASES[i].failures, "P/B");
    }
    assert_true(differ);
}

static void what_is_gone_is_forgotten(void **state)
{
    rig *r = *state;
    ds_task_state none = {0};
    const ds_task_def def = {.cron = "* * * * *"};
    sched_put_begin(r->sched, 0, NOON);
    sched_put(r->sched, "P/A", 1, &none);
    assert_true(sched_put(r->sched, "P/B", 1, &none));
    define(r, "P/A", def);
    define(r, "P/B", def);
    sched_put_end(r->sched);
    sched_put_begin(r->sched, 1, NOON); // another group
    sched_put(r->sched, "Q/A", 1, &none);
    sched_put_end(r->sched);
    sched_put_begin(r->sched, 0, NOON);
    assert_false(sched_put(r->sched, "P/B", 1, &none));
    sched_put_end(r->sched);
    assert_int_equal(sched_due_us(r->sched, "P/A"), 0);
    assert_int_equal(sched_due_us(r->sched, "P/B"), NOON);
    assert_int_not_equal(sched_due_us(r->sched, "Q/A"), 0);
    assert_string_equal(next(r), "P/B");
    sched_put_begin(r->sched, 0, NOON);
    sched_put_end(r->sched);
    sched_end(r->sched, "P/B", TASK_DONE); // it ran, and so was still there
    sched_put_begin(r->sched, 0, NOON);
    sched_put_end(r->sched);
    assert_int_equal(sched_due_us(r->sched, "P/B"), 0);
}

// A definition that changes while its task runs is asked for again.
static void new_definition(void **state)
{
    rig *r = *state;
    add(r, "P/A", (ds_task_def){.cron = "* * * * *"}, (ds_task_state){0});
    assert_string_equal(next(r), "P/A");
    assert_true(sched_put(r->sched, "P/A", 2, &(ds_task_state){0}));
    define(r, "P/A", (ds_task_def){.external = true});
    sched_end(r->sched, "P/A", TASK_DONE);
    assert_true(sched_put(r->sched, "P/A", 2, &(ds_task_state){.begun_us = NOON}));
    define(r, "P/A", (ds_task_def){.external = true});
    assert_false(sched_put(r->sched, "P/A", 2, &(ds_task_state){.begun_us = NOON}));
    assert_int_equal(sched_due_us(r->sched, "P/A"), INT64_MAX);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_rig, close_rig)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(is_due_when),
        TEST(late_runs_once),
        TEST(never_twice_at_once),
        TEST(older_news_are_ignored),
        TEST(after_inputs),
        TEST(goes_on_at_once),
        TEST(ages),
        TEST(equals_go_round),
        TEST(lanes_hold),
        TEST(failures_wait),
        TEST(a_pardon),
        TEST(busy_waits_a_little),
        TEST(asked_again_before_it_was_looked),
        TEST(served_by_another_waits_for_news),
        TEST(asks_for_what_was_due),
        TEST(what_is_gone_is_forgotten),
        TEST(new_definition),
        cmocka_unit_test(delays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
