// Two processes at one stream: one works, the other is told who does; a holder that stands still, that is killed, that
// lost the stream without noticing.
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/sqlite/sqlite.h"
#include "support/check.h"
#include "support/dump.h"
#include "support/truth.h"
#include "support/world.h"

enum { DEADLINE_MS = 20000 };

static void people_world(world *w)
{
    world_open(w, &SQLITE_DRIVER, MILESTONING_SCD2);
    world_dataset(w, "people", "id integer primary key; name varchar(20)");
    world_apply(w);
    world_source(w, "INSERT INTO people VALUES (1, 'ann'), (2, 'bob')");
}

static void runs(world *w)
{
    ds_job_result result;
    ds_error err;
    OK(world_job(w, &result, &err));
    assert_string_equal(truth_broken(&w->runtime, &w->merge, &w->def, w->arena), "");
}

static int64_t committed(world *w)
{
    return dump_committed(&w->runtime, &w->merge, w->def.name);
}

// --- a child that works up to a point, says so, and waits there

typedef struct holder {
    pid_t pid;
    int said, go; // pipes: the child writes to the one and waits for the other
    const char *point;
} holder;

static void on_point(void *context, const char *point)
{
    holder *h = context;
    if (strcmp(point, h->point) != 0)
        return;
    char byte = 'x';
    if (write(h->said, &byte, 1) != 1 || read(h->go, &byte, 1) != 1)
        _exit(2);
}

static holder hold_at(world *w, const char *point)
{
    int said[2], go[2];
    assert_int_equal(pipe(said), 0);
    assert_int_equal(pipe(go), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        holder h = {.said = said[1], .go = go[0], .point = point};
        w->runtime.checkpoint = on_point;
        w->runtime.checkpoint_context = &h;
        ds_job_result result;
        ds_error err;
        ds_rc rc = world_job(w, &result, &err);
        _exit(rc.code == DS_OK ? 0 : rc.code == DS_BUSY && strstr(err.text, "taken over") ? 3 : 1);
    }
    close(said[1]);
    close(go[0]);
    struct pollfd ready = {.fd = said[0], .events = POLLIN};
    char byte;
    if (poll(&ready, 1, DEADLINE_MS) != 1 || read(said[0], &byte, 1) != 1)
        fail_msg("the child never came to %s", point);
    return (holder){.pid = child, .said = said[0], .go = go[1]};
}

static int ended(holder *h)
{
    int status = 0;
    assert_int_equal(waitpid(h->pid, &status, 0), h->pid);
    close(h->said);
    close(h->go);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int let_go(holder *h)
{
    assert_int_equal(write(h->go, "x", 1), 1);
    return ended(h);
}

static void busy(world *w, const holder *h)
{
    ds_job_result result;
    ds_error err;
    FAILS(world_job(w, &result, &err), DS_BUSY, "stream busy: P/S: held by ");
    HINTS("--lease-wait");
    char pid[32];
    snprintf(pid, sizeof pid, " pid %d since ", (int)h->pid);
    assert_non_null(strstr(err.text, pid));
}

static void one_works_the_other_is_told_who(void **state)
{
    (void)state;
    static const char *const POINTS[] = {"begun", "load:chunk", "ingest:dataset", "merging"};
    for (size_t i = 0; i < sizeof POINTS / sizeof POINTS[0]; i++) {
        world w;
        people_world(&w);
        holder h = hold_at(&w, POINTS[i]);
        busy(&w, &h);
        int64_t batch, rows;
        ds_error err;
        FAILS(job_reset(&w.runtime, &w.merge, w.def.name, false, &batch, &rows, &err), DS_BUSY, "stream busy");
        assert_int_equal(committed(&w), 0);
        assert_int_equal(let_go(&h), 0);
        assert_int_equal(committed(&w), 1);
        runs(&w);
        assert_int_equal(committed(&w), 2);
        world_close(&w);
    }
}

static void waiting_for_the_other(void **state)
{
    (void)state;
    world w;
    people_world(&w);
    holder h = hold_at(&w, "begun");
    fflush(NULL);
    pid_t waiting = fork();
    if (waiting == 0) {
        w.options.lease_wait_ms = DEADLINE_MS;
        ds_job_result result;
        ds_error err;
        _exit(world_job(&w, &result, &err).code == DS_OK ? 0 : 1);
    }
    usleep(120 * 1000); // it has found the stream busy by now, or finds it free: both must end well
    assert_int_equal(let_go(&h), 0);
    int status = -1;
    assert_int_equal(waitpid(waiting, &status, 0), waiting);
    assert_int_equal(status, 0);
    assert_int_equal(committed(&w), 2);
    assert_string_equal(truth_broken(&w.runtime, &w.merge, &w.def, w.arena), "");
    world_close(&w);
}

static volatile int cancelled;

static void on_alarm(int signal)
{
    (void)signal;
    cancelled = 1;
}

static void an_interruption_while_waiting(void **state)
{
    (void)state;
    world w;
    people_world(&w);
    holder h = hold_at(&w, "begun");
    cancelled = 0;
    w.runtime.cancelled = &cancelled;
    w.options.lease_wait_ms = DEADLINE_MS;
    signal(SIGALRM, on_alarm);
    ualarm(50 * 1000, 0);
    ds_job_result result;
    ds_error err;
    FAILS(world_job(&w, &result, &err), DS_CANCELLED, "interrupted while waiting");
    assert_int_equal(let_go(&h), 0);
    world_close(&w);
}

// A process that stands still keeps the kernel's lock; killed, it loses it at once.
static void a_holder_that_stands_still(void **state)
{
    (void)state;
    world w;
    people_world(&w);
    holder h = hold_at(&w, "merging");
    kill(h.pid, SIGSTOP);
    busy(&w, &h);
    kill(h.pid, SIGCONT);
    assert_int_equal(let_go(&h), 0);
    assert_int_equal(committed(&w), 1);

    world_source(&w, "UPDATE people SET name = 'new'");
    h = hold_at(&w, "merging");
    kill(h.pid, SIGSTOP);
    busy(&w, &h);
    kill(h.pid, SIGKILL);
    assert_int_equal(ended(&h), -SIGKILL);
    runs(&w);
    assert_int_equal(committed(&w), 2);
    world_close(&w);
}

// As on an engine where a lease can be lost: the other holder has raised the fence, and finished the work.
static void a_holder_that_lost_the_stream_commits_nothing(void **state)
{
    (void)state;
    static const char *const POINTS[] = {"begun", "ingest:dataset", "merging"};
    for (size_t i = 0; i < sizeof POINTS / sizeof POINTS[0]; i++) {
        world w;
        people_world(&w);
        runs(&w);
        world_source(&w, "UPDATE people SET name = 'new'; DELETE FROM people WHERE id = 2");
        holder h = hold_at(&w, POINTS[i]);
        world_merge(&w, "UPDATE datasurface__stream SET fence = fence + 1");
        const char *before = dump_stream(&w.runtime, &w.merge, &w.def, DUMP_STAGING, w.arena);
        assert_int_equal(let_go(&h), 3);
        assert_string_equal(dump_stream(&w.runtime, &w.merge, &w.def, DUMP_STAGING, w.arena), before);
        assert_int_equal(committed(&w), 1);
        runs(&w);
        assert_int_equal(committed(&w), 2);
        world_close(&w);
    }
}

static void a_first_load_that_lost_the_stream(void **state)
{
    (void)state;
    world w;
    people_world(&w);
    holder h = hold_at(&w, "load:chunk");
    world_merge(&w, "UPDATE datasurface__stream SET fence = fence + 1");
    assert_int_equal(let_go(&h), 3);
    assert_int_equal(committed(&w), 0);
    assert_string_equal(world_query(&w, true, "SELECT * FROM ws_w__g__s__people"), ""); // still a stub
    runs(&w);
    assert_string_equal(world_query(&w, true, "SELECT * FROM ws_w__g__s__people ORDER BY 1"), "1|ann\n2|bob\n");
    world_close(&w);
}

// --- two streams of one merge database

static void other_world(world *w, const world *first)
{
    world_open(w, &SQLITE_DRIVER, MILESTONING_SCD4);
    w->merge.path = arena_printf(w->arena, "%s/merge.db", first->dir.path);
    w->def.name = "P/T";
    world_dataset(w, "towns", "id integer primary key; name varchar(20)");
    world_apply(w);
}

enum { TURNS = 15 };

static void work_in_turns(world *w, const char *change)
{
    for (int i = 0; i < TURNS; i++) {
        ds_job_result result;
        ds_error err;
        world_source(w, change);
        OK(world_job(w, &result, &err));
    }
}

static void two_streams_at_once(void **state)
{
    (void)state;
    world first, second;
    people_world(&first);
    other_world(&second, &first);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        work_in_turns(&second, "INSERT INTO towns SELECT COALESCE(max(id), 0) + 1, 'town' FROM towns");
        _exit(0);
    }
    work_in_turns(&first, "UPDATE people SET name = name || '.'");
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(committed(&first), TURNS);
    assert_int_equal(committed(&second), TURNS);
    assert_string_equal(truth_broken(&first.runtime, &first.merge, &first.def, first.arena), "");
    assert_string_equal(truth_broken(&second.runtime, &second.merge, &second.def, second.arena), "");
    assert_string_equal(world_query(&second, true, "SELECT count(*) FROM ws_w__g__s__towns"),
                        arena_printf(first.arena, "%d\n", TURNS));
    world_close(&second);
    world_close(&first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_works_the_other_is_told_who),
        cmocka_unit_test(waiting_for_the_other),
        cmocka_unit_test(an_interruption_while_waiting),
        cmocka_unit_test(a_holder_that_stands_still),
        cmocka_unit_test(a_holder_that_lost_the_stream_commits_nothing),
        cmocka_unit_test(a_first_load_that_lost_the_stream),
        cmocka_unit_test(two_streams_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
