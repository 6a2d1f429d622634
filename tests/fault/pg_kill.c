// kill -9 of the working processes and immediate shutdown of the PostgreSQL server, both at named points and after
// random times, while a source with inserts, updates, deletes and schema changes goes on. Source and merge database are
// on that server; three streams (scd1, scd2, scd4) share the source. After each blow, with the server up again:
//  - what must be true in each state of a batch is true, and staging has no row that it shouldn't have
//  - the next job of every stream gets its lease without waiting, and commits
//  - each committed batch shows, as of itself, what the source held at the change that it read; its counts are those of
//    the difference between the two states
//
// KILL_ROUNDS=n makes it longer (20), DS_SEED repeats it as far as chance allows.
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fault/pg_rig.h"
#include "support/chance.h"
#include "support/crash.h"

enum {
    ROUNDS = 20,
    ALIVE_S = 60,
    SPAN_US = 150000,
    RETRY_US = 10000,
    WAIT_MS = 10000,
    DIGITS_MAX = 30,
    NAME_MAX_LENGTH = 10000
};

static const ds_job_options AT_ONCE;

static bool worth_a_retry(ds_rc rc)
{
    return rc.code == DS_OK || rc.code == DS_ENV || rc.code == DS_BUSY;
}

// --- children

// A child's own end: what a test would fail for is its status.
static void end_child(const char *what, ds_rc rc, const ds_error *err)
{
    if (!worth_a_retry(rc))
        fprintf(stderr, "%s: code %d: %s\n", what, (int)rc.code, err->text);
    _exit(worth_a_retry(rc) ? 0 : 1);
}

static void work_for_ever(rig *r)
{
    for (;;) {
        for (int i = 0; i < RIG_STREAMS; i++) {
            ds_job_result result;
            ds_error err;
            ds_rc rc = rig_job(r, i, &AT_ONCE, &result, &err);
            if (!worth_a_retry(rc))
                end_child("the working process", rc, &err);
            if (rc.code != DS_OK)
                usleep(RETRY_US);
            arena_clear(r->scratch);
        }
    }
}

static void work_once(rig *r)
{
    for (int i = 0; i < RIG_STREAMS; i++) {
        ds_job_result result;
        ds_error err;
        ds_rc rc = rig_job(r, i, &AT_ONCE, &result, &err);
        if (rc.code != DS_OK)
            end_child("a job", rc, &err);
    }
    _exit(0);
}

static void apply_once(rig *r)
{
    ds_error err = {0};
    end_child("apply", rig_apply(r, &err), &err);
}

// As fork, of a child that doesn't outlive a test that fails.
static pid_t fork_child(void)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return child;
}

static pid_t start(rig *r, void (*work)(rig *r))
{
    pid_t child = fork_child();
    if (child == 0)
        work(r);
    return child;
}

// It was killed, or ended well by itself.
static void wait_for(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
        fail_msg("a process ended with status %#x", (unsigned)status);
}

static void kill_and_wait(pid_t child)
{
    kill(child, SIGKILL);
    wait_for(child);
}

// --- points

typedef enum blow { BLOW_KILL, BLOW_CRASH, BLOW_BOTH, BLOW_STOP } blow;

static struct trigger { // of this process
    rig *r;
    const char *point; // NULL: any
    int left;
    blow blow;
} trigger;

static void strike(void)
{
    if (trigger.blow == BLOW_CRASH || trigger.blow == BLOW_BOTH)
        pgserver_crash(trigger.r->server);
    if (trigger.blow == BLOW_KILL || trigger.blow == BLOW_BOTH)
        kill(getpid(), SIGKILL);
    if (trigger.blow == BLOW_STOP)
        kill(getpid(), SIGSTOP);
}

static void on_point(void *context, const char *point)
{
    (void)context;
    if ((!trigger.point || strcmp(point, trigger.point) == 0) && --trigger.left == 0)
        strike();
}

// What is started from now on does that to itself; point NULL: at the n-th point of whatever name.
static void arm(rig *r, blow how, const char *point, int n)
{
    trigger = (struct trigger){.r = r, .point = point, .left = n, .blow = how};
    r->e.runtime.checkpoint = on_point;
}

static void disarm(rig *r)
{
    r->e.runtime.checkpoint = NULL;
}

static void somewhere_in_a_job(rig *r, blow how)
{
    int points = 0;
    while (CRASH_POINTS[points])
        points++;
    arm(r, how, CRASH_POINTS[rig_below(r, points)], 1 + rig_below(r, 4));
}

// --- what must go on by itself

static void jobs(rig *r, bool verify)
{
    for (int i = 0; i < RIG_STREAMS; i++) {
        ds_job_options options = {.verify = verify};
        ds_job_result result;
        ds_error err;
        OK(rig_job(r, i, &options, &result, &err));
        if (verify && !result.equal)
            fail_msg("%s differs from its source", r->streams[i].def->name);
    }
    rig_check_truth(r, "after a whole run");
    rig_check_batches(r, false);
    if (verify)
        rig_check_views(r);
}

static void after_the_blow(rig *r)
{
    rig_recover(r);
    rig_note_versions(r);
    rig_check_truth(r, "after the blow");
    rig_check_batches(r, false);
}

// --- rounds

static void worker_killed(rig *r)
{
    pid_t child = start(r, work_for_ever);
    rig_change_for(r, 1 + rig_below(r, 8), 30000);
    kill_and_wait(child);
}

static void worker_killed_at_a_point(rig *r)
{
    rig_change_for(r, 2, 0);
    somewhere_in_a_job(r, BLOW_KILL);
    wait_for(start(r, work_once));
}

static pid_t crash_soon(rig *r)
{
    int delay_us = rig_below(r, SPAN_US);
    pid_t child = fork_child();
    if (child == 0) {
        usleep((useconds_t)delay_us);
        pgserver_crash(r->server);
        _exit(0);
    }
    return child;
}

static void until_all_went_on(rig *r, const int64_t *before)
{
    time_t until = time(NULL) + ALIVE_S;
    for (int i = 0; i < RIG_STREAMS; i++) {
        while (rig_committed(r, i) == before[i]) {
            if (time(NULL) > until)
                fail_msg("%s: nothing was committed since the server is back", r->streams[i].def->name);
            usleep(10000);
        }
    }
}

// The worker lives on, and finds the server again by itself.
static void server_crashed(rig *r)
{
    pid_t worker = start(r, work_for_ever);
    pid_t crash = crash_soon(r);
    rig_change_for(r, 1000, 5000);
    wait_for(crash);
    rig_recover(r);
    int64_t before[RIG_STREAMS];
    for (int i = 0; i < RIG_STREAMS; i++)
        before[i] = rig_committed(r, i);
    until_all_went_on(r, before);
    kill_and_wait(worker);
}

static void server_crashed_at_a_point(rig *r)
{
    rig_change_for(r, 2, 0);
    somewhere_in_a_job(r, BLOW_CRASH);
    wait_for(start(r, work_once));
}

static void both_at_once(rig *r)
{
    pid_t worker = start(r, work_for_ever);
    pid_t crash = crash_soon(r);
    usleep((useconds_t)rig_below(r, SPAN_US));
    kill_and_wait(worker);
    rig_change_for(r, 1000, 5000);
    wait_for(crash);
}

// One works and stands still, the other waits for it; then one of them, or the server, goes.
static void two_at_once(rig *r)
{
    static const char *const POINTS[] = {"begun", "ingest:dataset", "merging"};
    rig_change_for(r, 2, 0);
    arm(r, BLOW_STOP, POINTS[rig_below(r, 3)], 1);
    pid_t holder = start(r, work_once);
    int status = 0;
    assert_int_equal(waitpid(holder, &status, WUNTRACED), holder);
    if (!WIFSTOPPED(status))
        fail_msg("the first process ended with status %#x", (unsigned)status);
    disarm(r);
    pid_t other = fork_child();
    if (other == 0) {
        ds_job_options options = {.lease_wait_ms = WAIT_MS};
        ds_job_result result;
        ds_error err;
        end_child("the second process", rig_job(r, 0, &options, &result, &err), &err);
    }
    usleep((useconds_t)rig_below(r, SPAN_US));
    int what = rig_below(r, 3);
    if (what == 2)
        pgserver_crash(r->server);
    if (what == 1)
        kill(other, SIGKILL);
    kill(holder, what == 0 ? SIGKILL : SIGCONT);
    wait_for(holder);
    wait_for(other);
}

// The model loses or gets a column, or wider types. What the producer does comes before a column's first use, and
// after its last.
static void change_model(rig *r)
{
    rig_shape *m = &r->model;
    if (rig_below(r, 2)) {
        m->note = !m->note;
    } else {
        m->name_length += m->name_length < NAME_MAX_LENGTH;
        m->digits += m->digits < DIGITS_MAX;
        m->level += m->level < 2 && rig_below(r, 2);
    }
    rig_shape wanted = *m;
    if (m->note && !r->there.note) {
        *m = r->there;
        m->note = true;
        rig_alter_source(r);
        *m = wanted;
    }
    rig_compile(r);
}

static void blow_at_apply(rig *r)
{
    static const blow BLOWS[] = {BLOW_KILL, BLOW_KILL, BLOW_CRASH, BLOW_BOTH};
    blow how = BLOWS[rig_below(r, 4)];
    if (rig_below(r, 3)) {
        arm(r, how, NULL, 1 + rig_below(r, 9));
        wait_for(start(r, apply_once));
        disarm(r);
        return;
    }
    pid_t child = start(r, apply_once);
    usleep((useconds_t)rig_below(r, SPAN_US));
    if (how != BLOW_KILL)
        pgserver_crash(r->server);
    if (how != BLOW_CRASH)
        kill(child, SIGKILL);
    wait_for(child);
}

// A batch that has staged everything, or a part, and whose definition changes then: it starts over.
static void leave_a_batch_open(rig *r)
{
    rig_change_for(r, 2, 0);
    arm(r, BLOW_KILL, rig_below(r, 2) ? "merging" : "staged", 1 + rig_below(r, RIG_STREAMS));
    wait_for(start(r, work_once));
    disarm(r);
    after_the_blow(r);
}

static void apply_broken_off(rig *r)
{
    leave_a_batch_open(r);
    change_model(r);
    for (int attempts = 1 + rig_below(r, 2); attempts > 0; attempts--) {
        blow_at_apply(r);
        after_the_blow(r);
        if (rig_below(r, 2)) // some streams have the new definition by now, others the old one
            worker_killed(r);
    }
    ds_error err;
    OK(rig_apply(r, &err));
    rig_note_versions(r);
    rig_alter_source(r);
}

static const struct {
    const char *name;
    void (*run)(rig *r);
} KINDS[] = {
    {"a worker is killed", worker_killed},
    {"apply is broken off", apply_broken_off},
    {"the server crashes at a point", server_crashed_at_a_point},
    {"the server crashes", server_crashed},
    {"a worker is killed at a point", worker_killed_at_a_point},
    {"both at once", both_at_once},
    {"two processes", two_at_once},
};
enum { KIND_COUNT = sizeof KINDS / sizeof KINDS[0] };

static void one_round(rig *r, int round)
{
    print_message("%d: %s\n", round, KINDS[round % KIND_COUNT].name);
    KINDS[round % KIND_COUNT].run(r);
    disarm(r);
    after_the_blow(r);
    jobs(r, rig_below(r, 3) == 0);
}

static int rounds(void)
{
    const char *wanted = getenv("KILL_ROUNDS");
    return wanted ? (int)strtol(wanted, NULL, 10) : ROUNDS;
}

// The very first apply, and the first loads, are broken off, too.
static void begin(rig *r)
{
    blow_at_apply(r);
    after_the_blow(r);
    ds_error err;
    OK(rig_apply(r, &err));
    rig_note_versions(r);
    arm(r, BLOW_CRASH, "load:chunk", 1 + rig_below(r, 5));
    wait_for(start(r, work_once));
    disarm(r);
    after_the_blow(r);
}

static void kills(void **state)
{
    (void)state;
    static rig r;
    rig_open(&r, chance_begin());
    begin(&r);
    for (int round = 0; round < rounds(); round++)
        one_round(&r, round);
    jobs(&r, true);
    rig_check_batches(&r, true);
    int64_t batches = 0;
    for (int i = 0; i < RIG_STREAMS; i++)
        batches += rig_committed(&r, i);
    print_message("%d rounds, %" PRId64 " batches, %" PRId64 " changes\n", rounds(), batches, r.count);
    assert_true(batches >= RIG_STREAMS * rounds());
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kills)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
