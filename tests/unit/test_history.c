// yellow/history.h: every strategy, every batch and instant, and what is refused.
#include "schema/value.h"
#include "store/sqlite/sqlite.h"
#include "support/check.h"
#include "support/estate_model.h"
#include "yellow/history.h"

#define PATH "Consumer/live/Store1/people"

static const char *const STEPS[] = {
    "CREATE TABLE people (id INTEGER, name TEXT); INSERT INTO people VALUES (1, 'a'), (2, 'b')", // 1
    "UPDATE people SET name = 'A' WHERE id = 1",                                                 // 2
    "SELECT 1",                                                                                  // 3: no change
    "DELETE FROM people WHERE id = 2; INSERT INTO people VALUES (3, NULL)",                      // 4
    "INSERT INTO people VALUES (2, 'b')",                                                        // 5: the same again
};
static const char *const AS_OF[] = {"1|a\n2|b\n", "1|A\n2|b\n", "1|A\n2|b\n", "1|A\n3|~\n", "1|A\n2|b\n3|~\n"};
enum { STEP_COUNT = 5 };

static ds_rc print_row(void *context, const ds_shape *shape, const ds_cell *cells, ds_error *err)
{
    (void)err;
    ds_buf *out = context;
    for (size_t i = 0; i < shape->n; i++) {
        if (i)
            buf_putc(out, '|');
        if (cells[i].p)
            value_print(shape->columns[i].type, cells[i], out);
        else
            buf_putc(out, '~');
    }
    buf_putc(out, '\n');
    return DS_DONE;
}

static ds_rc read_as_of(estate *e, const char *path, ds_as_of as_of, const char **out, ds_error *err)
{
    CLEANUP(control_closep) ds_control *control = NULL;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
    TRY(control_open(&e->runtime, &e->deployment->merge, CONTROL_READ, &control, err));
    TRY(history_read(control, path, as_of, &(ds_row_sink){&text, NULL, print_row}, err));
    *out = arena_strdup(e->arena, buf_text(&text));
    return DS_DONE;
}

static ds_as_of batch(int64_t id)
{
    return (ds_as_of){.batch = id, .is_batch = true};
}

static void apply(estate *e, const char *columns, const char *milestoning)
{
    estate_use(e, &(estate_model){.people = columns, .milestoning = milestoning, .live = "Store1/people"});
    estate_apply(e);
}

// committed[b] is when batch b was committed.
static void run_steps(estate *e, const char *milestoning, int64_t committed[STEP_COUNT + 1])
{
    estate_open(e, &SQLITE_DRIVER);
    apply(e, "id: integer primary key, name: text", milestoning);
    for (int i = 0; i < STEP_COUNT; i++) {
        estate_sql(e, "source.db", STEPS[i]);
        estate_job(e, "P/Store1");
        committed[i + 1] = e->clock.fixed_us;
    }
}

static void every_batch(void **state)
{
    (void)state;
    static const char *const MILESTONINGS[] = {"scd2", "scd4"};
    for (size_t m = 0; m < 2; m++) {
        estate e;
        ds_error err;
        const char *rows;
        int64_t committed[STEP_COUNT + 1];
        run_steps(&e, MILESTONINGS[m], committed);
        for (int b = 1; b <= STEP_COUNT; b++) {
            OK(read_as_of(&e, PATH, batch(b), &rows, &err));
            assert_string_equal(rows, AS_OF[b - 1]);
            OK(read_as_of(&e, PATH, (ds_as_of){.instant = committed[b]}, &rows, &err));
            assert_string_equal(rows, AS_OF[b - 1]);
            OK(read_as_of(&e, PATH, (ds_as_of){.instant = committed[b] + 999999}, &rows, &err));
            assert_string_equal(rows, AS_OF[b - 1]);
        }
        FAILS(read_as_of(&e, PATH, (ds_as_of){.instant = committed[1] - 1}, &rows, &err), DS_FINDING,
              "before its kept history");
        HINTS("batch 1");
        FAILS(read_as_of(&e, PATH, batch(0), &rows, &err), DS_FINDING, "before its kept history");
        FAILS(read_as_of(&e, PATH, batch(STEP_COUNT + 1), &rows, &err), DS_FINDING, "no batch 6 yet");
        estate_close(&e);
    }
}

static void live_only(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    const char *rows;
    int64_t committed[STEP_COUNT + 1];
    run_steps(&e, "scd1", committed);
    estate_job(&e, "P/Store1"); // 6: no change, so it is the same as 5
    for (int b = 5; b <= 6; b++) {
        OK(read_as_of(&e, PATH, batch(b), &rows, &err));
        assert_string_equal(rows, AS_OF[4]);
    }
    FAILS(read_as_of(&e, PATH, batch(4), &rows, &err), DS_FINDING, "no history before batch 5");
    FAILS(read_as_of(&e, PATH, (ds_as_of){.instant = committed[4]}, &rows, &err), DS_FINDING, "no history");
    estate_close(&e);
}

static void unknown_and_empty(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    const char *rows;
    estate_open(&e, &SQLITE_DRIVER);
    apply(&e, "id: integer primary key, name: text", "scd2");
    FAILS(read_as_of(&e, "Consumer/live/Store1/peple", batch(1), &rows, &err), DS_USAGE, "peple");
    HINTS("did you mean \"" PATH "\"?");
    FAILS(read_as_of(&e, "x", batch(1), &rows, &err), DS_USAGE, "no dataset \"x\"");
    FAILS(read_as_of(&e, PATH, batch(1), &rows, &err), DS_FINDING, "nothing has been committed yet");
    estate_close(&e);
}

// Empty batches are forgotten after a week; their ids stay valid.
static void pruned_batches(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    const char *rows;
    int64_t committed[STEP_COUNT + 1];
    run_steps(&e, "scd2", committed);
    estate_sql(&e, "merge.db", "DELETE FROM datasurface__batch WHERE batch_id = 3");
    OK(read_as_of(&e, PATH, batch(3), &rows, &err));
    assert_string_equal(rows, AS_OF[2]);
    OK(read_as_of(&e, PATH, (ds_as_of){.instant = committed[3]}, &rows, &err));
    assert_string_equal(rows, AS_OF[2]);
    estate_close(&e);
}

// Versions that were closed before the key changed may have no value in the key of today.
static void after_a_key_change(void **state)
{
    (void)state;
    static const char *const MILESTONINGS[] = {"scd2", "scd4"};
    for (size_t m = 0; m < 2; m++) {
        estate e;
        ds_error err;
        const char *rows;
        int64_t committed[STEP_COUNT + 1];
        run_steps(&e, MILESTONINGS[m], committed);
        estate_sql(&e, "source.db", "ALTER TABLE people ADD COLUMN code TEXT; UPDATE people SET code = 'c' || id");
        apply(&e, "id: integer, name: text, code: text primary key", MILESTONINGS[m]);
        estate_job(&e, "P/Store1");
        OK(read_as_of(&e, PATH, batch(1), &rows, &err));
        assert_string_equal(rows, "1|a|~\n2|b|~\n");
        OK(read_as_of(&e, PATH, batch(6), &rows, &err));
        assert_string_equal(rows, "1|A|c1\n2|b|c2\n3|~|c3\n");
        estate_close(&e);
    }
}

static ds_rc stop(void *context, const ds_shape *shape, const ds_cell *cells, ds_error *err)
{
    (void)shape;
    (void)cells;
    ++*(int *)context;
    return ds_fail(err, DS_ENV, "the pipe is closed");
}

static void the_caller_stops(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    int64_t committed[STEP_COUNT + 1];
    run_steps(&e, "scd2", committed);
    ds_control *control = NULL;
    OK(control_open(&e.runtime, &e.deployment->merge, CONTROL_READ, &control, &err));
    int calls = 0;
    FAILS(history_read(control, PATH, batch(1), &(ds_row_sink){&calls, NULL, stop}, &err), DS_ENV, "pipe");
    assert_int_equal(calls, 1);
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1000); // the connection is as good as before
    OK(history_read(control, PATH, batch(1), &(ds_row_sink){&text, NULL, print_row}, &err));
    assert_string_equal(buf_text(&text), AS_OF[0]);
    control_close(control);
    estate_close(&e);
}

int main(void)
{
    const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(every_batch),    cmocka_unit_test(live_only),          cmocka_unit_test(unknown_and_empty),
        cmocka_unit_test(pruned_batches), cmocka_unit_test(after_a_key_change), cmocka_unit_test(the_caller_stops),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
