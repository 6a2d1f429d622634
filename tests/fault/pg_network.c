// A network that stalls, resets, ends on one side or is slow, between a job and its source, and between it and its
// merge database, from chosen bytes on. Each ends in a success or in a failure that says what, where and what to do,
// and never in a wait without end. A run over a good network then leaves what the source has, and every change is
// counted once. A server that only works for long is no such network.
//
// pg_network TEST: one; without: all.
#include <poll.h>
#include <pthread.h>
#include <stdio.h>

#include "fault/pg_stage.h"
#include "support/check.h"

enum { PATIENT_MS = 3000 };

// --- a network that breaks

typedef struct planned {
    stage *s;
    int side;
    netproxy_plan plan;
} planned;

static void at_merging(void *context, const char *point)
{
    const planned *p = context;
    if (strcmp(point, "merging") == 0)
        netproxy_set(p->s->proxies[p->side], p->plan);
}

static ds_rc run_planned(planned *p, scenario what, ds_error *err)
{
    stage *s = p->s;
    if (what == MERGE) {
        s->w.runtime.checkpoint = at_merging;
        s->w.runtime.checkpoint_context = p;
    } else {
        netproxy_set(s->proxies[p->side], p->plan);
    }
    ds_rc rc = stage_job(s, err);
    s->w.runtime.checkpoint = NULL;
    return rc;
}

// --- the sweep

typedef struct tally {
    long cases, tripped, failed;
    double slowest_s;
} tally;

static void run_case(planned *p, scenario what, bool around, tally *t)
{
    static const char *const FAULTS[] = {"pass", "stall", "reset", "half open", "slow", "refuse"};
    stage *s = p->s;
    ds_error err;
    stage_begin_case(arena_printf(s->w.arena, "%s, %s: %s at byte %d to %s", SCENARIOS[what], STAGE_SIDES[p->side],
                                  FAULTS[p->plan.fault], (int)p->plan.after_bytes,
                                  p->plan.way == NETPROXY_TO_SERVER ? "the server" : "us"));
    stage_prepare(s, what);
    double start_s = clock_elapsed_s();
    ds_rc rc = run_planned(p, what, &err);
    double took_s = clock_elapsed_s() - start_s;
    stage_check_outcome(rc, &err);
    t->cases++;
    t->tripped += netproxy_tripped(s->proxies[p->side]);
    t->failed += rc.code != DS_OK;
    t->slowest_s = took_s > t->slowest_s ? took_s : t->slowest_s;
    // Around the stalled network, while the server still has the session that was given up.
    ds_container_def usual = s->w.merge;
    if (around)
        s->w.merge = stage_direct(s, PAIR_MERGE);
    if (!around || p->side != PAIR_MERGE)
        stage_heal(s);
    stage_finish(s);
    s->w.merge = usual;
    stage_heal(s);
    stage_end_case();
}

static void measure(stage *s, scenario what, int64_t bytes[PAIR_SIDES][2])
{
    ds_error err;
    stage_prepare(s, what);
    planned p = {s, PAIR_MERGE, {.fault = NETPROXY_PASS}};
    netproxy_set(s->proxies[PAIR_SOURCE], p.plan);
    OK(run_planned(&p, what, &err));
    for (int side = 0; side < PAIR_SIDES; side++) {
        bytes[side][0] = netproxy_bytes(s->proxies[side], NETPROXY_TO_SERVER);
        bytes[side][1] = netproxy_bytes(s->proxies[side], NETPROXY_TO_CLIENT);
    }
}

enum { POINTS = 2 }; // for each fault, side and way

static void sweep_fault(stage *s, scenario what, netproxy_fault fault, int64_t bytes[PAIR_SIDES][2], tally *t)
{
    int turn = (int)fault;
    for (int side = what == MERGE ? PAIR_MERGE : PAIR_SOURCE; side < PAIR_SIDES; side++)
        for (int way = 0; way < 2; way++)
            for (int i = 0; i < POINTS; i++, turn++) {
                int64_t at = bytes[side][way] * (1 + 3 * i + turn % 3) / (3 * POINTS + 1);
                planned p = {s, side, {fault, way ? NETPROXY_TO_CLIENT : NETPROXY_TO_SERVER, at, 0}};
                run_case(&p, what, turn % 2, t);
            }
}

static void sweep(stage *s, scenario what)
{
    static const netproxy_fault FAULTS[] = {NETPROXY_RESET, NETPROXY_STALL, NETPROXY_HALF_OPEN};
    tally t = {0};
    int64_t bytes[PAIR_SIDES][2];
    stage_open_world(s);
    measure(s, what, bytes);
    for (size_t i = 0; i < sizeof FAULTS / sizeof FAULTS[0]; i++)
        sweep_fault(s, what, FAULTS[i], bytes, &t);
    for (int side = 0; side < PAIR_SIDES; side++) {
        int64_t rate = (bytes[side][0] + bytes[side][1]) * 2 + 1;
        planned p = {s, side, {.fault = NETPROXY_SLOW, .bytes_per_second = rate}};
        run_case(&p, what, false, &t);
    }
    print_message("%s: %ld cases, %ld met the fault, %ld failed; the slowest took %.1f s\n", SCENARIOS[what], t.cases,
                  t.tripped, t.failed, t.slowest_s);
    assert_true(t.tripped > t.cases / 2);
    stage_close_world(s);
}

static void first_load(void **state)
{
    sweep(*state, FIRST_LOAD);
}

static void changes(void **state)
{
    sweep(*state, CHANGES);
}

static void merge(void **state)
{
    sweep(*state, MERGE);
}

static void idle(void **state)
{
    sweep(*state, IDLE);
}

// --- the answer to COMMIT is lost

typedef struct lost_answer {
    stage *s;
    netproxy_fault fault;
    long commit, commits; // the one that loses its answer, those so far
} lost_answer;

// The server has the COMMIT, and does it; one byte of what it says to that still arrives.
static void lose_answer(void *context, const char *call, long n)
{
    (void)n;
    lost_answer *l = context;
    if (strcmp(call, "commit") == 0 && ++l->commits == l->commit)
        netproxy_set(l->s->proxies[PAIR_MERGE], (netproxy_plan){l->fault, NETPROXY_TO_CLIENT, 1, 0});
}

// False when the job makes fewer commits.
static bool commit_without_answer(stage *s, scenario what, netproxy_fault fault, long n)
{
    ds_error err;
    lost_answer l = {s, fault, n, 0};
    stage_begin_case(arena_printf(s->w.arena, "%s: no answer to commit %ld", SCENARIOS[what], n));
    stage_prepare(s, what);
    int64_t batches = stage_committed(s);
    pg_tap_arm(&s->tap, "Merge", lose_answer, &l);
    ds_rc rc = stage_job(s, &err);
    pg_tap_arm(&s->tap, NULL, NULL, NULL);
    stage_check_outcome(rc, &err);
    stage_heal(s);
    bool last = stage_committed(s) == batches + 1;
    if (rc.code == DS_OK && !last) // what is best effort may be lost behind the batch's own commit
        fail_msg("%s, and the job says it went well", stage_case());
    stage_finish(s);
    assert_int_equal(stage_committed(s), batches + 1 + last); // what was committed is not done again
    stage_end_case();
    return l.commits >= n;
}

static void commits_whose_answer_is_lost(void **state)
{
    stage *s = *state;
    static const netproxy_fault FAULTS[] = {NETPROXY_RESET, NETPROXY_STALL};
    stage_open_world(s);
    for (scenario what = FIRST_LOAD; what <= IDLE; what++)
        for (size_t i = 0; i < sizeof FAULTS / sizeof FAULTS[0] && what != MERGE; i++) {
            long n = 1;
            while (commit_without_answer(s, what, FAULTS[i], n))
                n++;
            assert_true(n > 2); // the last one was the batch's
        }
    stage_close_world(s);
}

// --- servers that work for long

static void a_slow_merge(void **state)
{
    stage *s = *state;
    ds_error err;
    stage_begin_case("a slow merge");
    stage_open_world(s);
    stage_make_slow(s, "BEFORE UPDATE");
    stage_change(s);
    OK(stage_job(s, &err));
    stage_make_fast(s);
    stage_finish(s);
    stage_close_world(s);
    stage_end_case();
}

// The server takes no data for a while, and there is more than fits into the sockets.
static void a_slow_load(void **state)
{
    enum { MORE = 12000 };
    stage *s = *state;
    ds_error err;
    stage_begin_case("a slow load");
    stage_open_world(s);
    stage_prepare(s, FIRST_LOAD);
    pg_exec_text(
        &s->pair.postgres,
        arena_printf(s->w.arena,
                     "INSERT INTO people SELECT 1000 + i, repeat('x', 180), 'c' FROM generate_series(1, %d) AS i",
                     MORE));
    s->inserted += MORE;
    stage_make_slow(s, "BEFORE INSERT");
    ds_container_def usual = s->w.merge;
    s->w.merge = stage_direct(s, PAIR_MERGE); // a proxy's sockets would take megabytes
    OK(stage_job(s, &err));
    s->w.merge = usual;
    stage_make_fast(s);
    stage_finish(s);
    stage_close_world(s);
    stage_end_case();
}

// The next row is long in coming, in the middle of a COPY.
static void a_slow_view(void **state)
{
    stage *s = *state;
    ds_error err;
    stage_begin_case("a slow view");
    stage_open_world(s);
    stage_change(s);
    pg_exec_text(
        &s->pair.postgres,
        "ALTER TABLE people RENAME TO stock; CREATE VIEW people AS SELECT id, "
        "(name || CASE id WHEN 350 THEN pg_sleep(2)::text ELSE '' END)::varchar(200) AS name, code FROM stock");
    s->stall_ms = STAGE_SHORT_MS;
    OK(stage_job(s, &err));
    s->stall_ms = STAGE_STALL_MS;
    stage_check_equal(s);
    stage_close_world(s);
    stage_end_case();
}

// --- an interruption while the network stands still

static volatile int stop;

static void *stop_when_tripped(void *argument)
{
    netproxy *proxy = argument;
    for (int ms = 0; !netproxy_tripped(proxy); ms += STAGE_POLL_MS) {
        if (ms >= STAGE_DEADLINE_MS)
            BUG("nothing stalls");
        poll(NULL, 0, STAGE_POLL_MS);
    }
    stop = 1;
    return NULL;
}

static void stall_at_fifth(void *context, const char *call, long n)
{
    (void)call;
    netproxy *proxy = context;
    if (n == 5)
        netproxy_set(proxy, (netproxy_plan){.fault = NETPROXY_STALL});
}

static void an_interruption_while_it_stalls(void **state)
{
    stage *s = *state;
    ds_error err;
    stage_open_world(s);
    s->stall_ms = PATIENT_MS;
    for (int side = 0; side < PAIR_SIDES; side++) {
        stage_begin_case(arena_printf(s->w.arena, "interrupted while %s stalls", STAGE_SIDES[side]));
        pthread_t thread;
        stage_change(s);
        stop = 0;
        s->w.runtime.cancelled = &stop;
        pg_tap_arm(&s->tap, STAGE_SIDES[side], stall_at_fifth, s->proxies[side]);
        assert_int_equal(pthread_create(&thread, NULL, stop_when_tripped, s->proxies[side]), 0);
        FAILS(stage_job(s, &err), DS_CANCELLED, "interrupted");
        pthread_join(thread, NULL);
        pg_tap_arm(&s->tap, NULL, NULL, NULL);
        s->w.runtime.cancelled = NULL;
        stage_heal(s);
        stage_finish(s);
        stage_end_case();
    }
    s->stall_ms = STAGE_STALL_MS;
    stage_close_world(s);
}

// A second connection asks whether the server still works: it is in the same network, and may stall at any byte, too.
static void the_look_from_outside_stalls(void **state)
{
    enum { FIRST = 600, LAST = 660, STEP = 20 }; // about where a connection is ready
    stage *s = *state;
    tally t = {0};
    stage_open_world(s);
    for (int at = FIRST; at <= LAST; at += STEP) {
        planned p = {s, PAIR_MERGE, {NETPROXY_STALL, NETPROXY_TO_CLIENT, at, 0}};
        run_case(&p, MERGE, true, &t);
    }
    assert_int_equal(t.failed, t.cases);
    stage_close_world(s);
}

static int open_stage(void **state)
{
    static stage s;
    stage_open(&s, NULL);
    *state = &s;
    return 0;
}

static int close_stage(void **state)
{
    stage_close(*state);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_load),
        cmocka_unit_test(changes),
        cmocka_unit_test(merge),
        cmocka_unit_test(idle),
        cmocka_unit_test(commits_whose_answer_is_lost),
        cmocka_unit_test(a_slow_merge),
        cmocka_unit_test(a_slow_load),
        cmocka_unit_test(a_slow_view),
        cmocka_unit_test(an_interruption_while_it_stalls),
        cmocka_unit_test(the_look_from_outside_stalls),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, open_stage, close_stage);
}
