// The states of a batch: every transition that the table allows happens and is stored, every other one aborts.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/sqlite/sqlite.h"
#include "support/check.h"
#include "support/world.h"
#include "yellow/job/job_int.h"

enum { N = BATCH_COMMITTED + 1, EXIT_MOVED = 10, EXIT_NO_ROW = 11 };

// Rows: from, columns: to, in the order of ds_batch_status. What the design's diagram shows.
static const char *const ALLOWED[N] = {
    // none started ingesting merging committed
    ".x...", // none
    ".xx.x", // started
    ".x.xx", // ingesting
    ".x..x", // merging
    ".....", // committed
};

typedef struct fixture {
    world w;
    ds_control *control;
    ds_job job;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    if (!f)
        return 1;
    world_open(&f->w, &SQLITE_DRIVER, MILESTONING_SCD1);
    world_dataset(&f->w, "t", "id integer primary key");
    world_apply(&f->w);
    ds_error err;
    if (control_open(&f->w.runtime, &f->w.merge, CONTROL_WRITE, &f->control, &err).code != DS_OK)
        return 1;
    f->job = (ds_job){.runtime = &f->w.runtime,
                      .options = &f->w.options,
                      .control = f->control,
                      .arena = f->w.arena,
                      .def = &f->w.def,
                      .batch = 1,
                      .names = f->control->names};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    control_close(f->control);
    world_close(&f->w);
    free(f);
    return 0;
}

// A batch in the state; none: no row.
static void stand_in(fixture *f, ds_batch_status status)
{
    world_merge(&f->w, "DELETE FROM datasurface__batch");
    if (status != BATCH_NONE)
        world_merge(&f->w, arena_printf(f->w.arena,
                                        "INSERT INTO datasurface__batch (stream, batch_id, status, started_at) "
                                        "VALUES ('P/S', 1, '%s', '2026-01-01 00:00:00.000000+00:00')",
                                        batch_status_name(status)));
    f->job.status = status;
}

static const char *stored_status(fixture *f)
{
    return world_query(&f->w, true, "SELECT status FROM datasurface__batch");
}

// In a child, because a move that isn't allowed aborts. Returns how it ended: an exit status, or minus a signal.
static int move_in_child(fixture *f, ds_batch_status to)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        freopen("/dev/null", "w", stderr);
        ds_control *control;
        ds_error err;
        if (control_open(&f->w.runtime, &f->w.merge, CONTROL_WRITE, &control, &err).code != DS_OK)
            _exit(1);
        f->job.control = control;
        ds_rc rc = batch_move(&f->job, to, &err);
        if (rc.code == DS_OK)
            _exit(f->job.status == to ? EXIT_MOVED : 1);
        _exit(rc.code == DS_INTERNAL && strstr(err.text, "is not in state") ? EXIT_NO_ROW : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void every_pair_of_states(void **state)
{
    fixture *f = *state;
    for (int from = 0; from < N; from++)
        for (int to = 0; to < N; to++) {
            stand_in(f, (ds_batch_status)from);
            int end = move_in_child(f, (ds_batch_status)to);
            bool allowed = ALLOWED[from][to] == 'x';
            int expected = !allowed ? -SIGABRT : from == BATCH_NONE ? EXIT_NO_ROW : EXIT_MOVED;
            if (end != expected)
                fail_msg("%s -> %s: ended with %d, expected %d", batch_status_name((ds_batch_status)from),
                         batch_status_name((ds_batch_status)to), end, expected);
            const char *now = from == BATCH_NONE ? "" : batch_status_name((ds_batch_status)(allowed ? to : from));
            const char *line = *now ? arena_printf(f->w.arena, "%s\n", now) : "";
            assert_string_equal(stored_status(f), line);
        }
}

// Somebody else has moved the batch meanwhile: nothing happens, and we are told.
static void a_batch_that_is_elsewhere_stays_there(void **state)
{
    fixture *f = *state;
    stand_in(f, BATCH_MERGING);
    f->job.status = BATCH_STARTED;
    ds_error err;
    FAILS(batch_move(&f->job, BATCH_INGESTING, &err), DS_INTERNAL, "batch 1 of P/S is not in state started");
    assert_int_equal(f->job.status, BATCH_STARTED);
    assert_string_equal(stored_status(f), "merging\n");
}

// Without its commit a move has not happened, neither in the table nor in the job.
static void a_rolled_back_move_has_not_happened(void **state)
{
    fixture *f = *state;
    stand_in(f, BATCH_STARTED);
    ds_error err;
    f->job.fence = 0;
    OK(lease_begin(&f->job, &err));
    OK(batch_move(&f->job, BATCH_INGESTING, &err));
    assert_int_equal(f->job.status, BATCH_INGESTING);
    FAILS(lease_end(&f->job, ds_fail(&err, DS_ENV, "the work failed"), &err), DS_ENV, "the work failed");
    assert_int_equal(f->job.status, BATCH_STARTED);
    assert_string_equal(stored_status(f), "started\n");
}

static void status_names_are_read_as_they_are_written(void **state)
{
    (void)state;
    for (int i = BATCH_STARTED; i < N; i++) {
        ds_batch_status parsed = BATCH_NONE;
        assert_true(batch_status_parse(batch_status_name((ds_batch_status)i), &parsed));
        assert_int_equal(parsed, i);
    }
    static const char *const UNKNOWN[] = {"", "none", "Started", "done", "merging "};
    for (size_t i = 0; i < sizeof UNKNOWN / sizeof UNKNOWN[0]; i++) {
        ds_batch_status parsed;
        assert_false(batch_status_parse(UNKNOWN[i], &parsed));
    }
}

static void the_diagram_prints_what_is_allowed(void **state)
{
    (void)state;
    CLEANUP(buf_release) ds_buf out = BUF_INIT(1 << 16);
    batch_print_transitions(&out);
    int printed = 0;
    for (int from = 0; from < N; from++)
        for (int to = 0; to < N; to++) {
            char line[64];
            snprintf(line, sizeof line, "%-9s -> %-9s  ", batch_status_name((ds_batch_status)from),
                     batch_status_name((ds_batch_status)to));
            bool found = strstr(buf_text(&out), line) != NULL;
            if (found != (ALLOWED[from][to] == 'x'))
                fail_msg("\"%s\" %s in:\n%s", line, found ? "stands" : "is missing", buf_text(&out));
            printed += found;
        }
    assert_int_equal(printed, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_pair_of_states, setup, teardown),
        cmocka_unit_test_setup_teardown(a_batch_that_is_elsewhere_stays_there, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rolled_back_move_has_not_happened, setup, teardown),
        cmocka_unit_test(status_names_are_read_as_they_are_written),
        cmocka_unit_test(the_diagram_prints_what_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
