// tests/support/fault.h: the wrapper fails what it should, when it should, and tells the truth about what was done.
#include "support/fault.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/sqlite/sqlite.h"
#include "support/check.h"
#include "support/workdir.h"

typedef struct fixture {
    workdir dir;
    char path[WORKDIR_PATH];
    ds_fault *fault;
    const ds_driver *drivers[1];
    ds_store store;
} fixture;

static void setup(fixture *f)
{
    f->dir = workdir_new();
    workdir_file(&f->dir, "a.db", f->path);
    f->fault = fault_new(&SQLITE_DRIVER);
    f->drivers[0] = fault_driver(f->fault);
    f->store = (ds_store){f->drivers, 1};
}

static void teardown(fixture *f)
{
    fault_free(f->fault);
    workdir_remove(&f->dir);
}

static ds_rc open_db(fixture *f, ds_db **out, ds_error *err)
{
    ds_target target = {.type = "sqlite", .path = f->path};
    return store_open(&f->store, &target, &(ds_open_options){.create = true, .busy_timeout_ms = 50}, out, err);
}

static ds_rc exec(ds_db *db, const char *text, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    sql_user_text(&q, text);
    return store_exec(db, &q, NULL, err);
}

// Six calls that count: open, create, begin, insert, insert, commit.
enum { STEPS = 6 };
static ds_rc work(fixture *f, ds_error *err)
{
    CLEANUP(store_closep) ds_db *db = NULL;
    TRY(open_db(f, &db, err));
    TRY(exec(db, "CREATE TABLE IF NOT EXISTS t (a)", err));
    TRY(store_begin(db, BEGIN_WRITE, err));
    TRY(exec(db, "INSERT INTO t VALUES (1)", err));
    TRY(exec(db, "INSERT INTO t VALUES (2)", err));
    return store_commit(db, err);
}

// -1: there is no table.
static int64_t rows_in(fixture *f)
{
    ds_error err;
    CLEANUP(store_closep) ds_db *db = NULL;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    fault_arm(f->fault, 0, FAULT_OFF, DS_OK);
    OK(open_db(f, &db, &err));
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT count(*) FROM t");
    ds_result found;
    return store_query(db, &q, arena, &found, &err).code == DS_OK ? result_int(&found, 0, 0) : -1;
}

static void nothing_armed_nothing_fails(void **state)
{
    (void)state;
    ds_error err;
    fixture f;
    setup(&f);
    OK(work(&f, &err));
    assert_int_equal(fault_calls(f.fault), STEPS);
    assert_int_equal(fault_hits(f.fault), 0);
    assert_int_equal(rows_in(&f), 2);
    teardown(&f);
}

// What the database holds when call n fails; "after" differs where the work was done on its own.
static void each_call_fails_in_turn(void **state)
{
    (void)state;
    static const struct {
        int mode;
        int64_t rows[STEPS];
    } CASES[] = {
        {FAULT_ONCE, {-1, -1, 0, 0, 0, 0}},
        {FAULT_ONCE | FAULT_AFTER, {-1, 0, 0, 0, 0, 2}},
        {FAULT_FROM, {-1, -1, 0, 0, 0, 0}},
    };
    static const char *const CALLS[] = {"open", "exec", "begin", "exec", "exec", "commit"};
    ds_error err;
    for (size_t c = 0; c < sizeof CASES / sizeof CASES[0]; c++)
        for (long n = 1; n <= STEPS; n++) {
            fixture f;
            setup(&f);
            fault_arm(f.fault, n, CASES[c].mode, DS_ENV);
            FAILS(work(&f, &err), DS_ENV, "injected failure of");
            assert_non_null(strstr(err.text, CALLS[n - 1]));
            assert_int_equal(fault_calls(f.fault), n);
            assert_int_equal(fault_hits(f.fault), 1);
            assert_int_equal(rows_in(&f), CASES[c].rows[n - 1]);
            OK(work(&f, &err)); // and it is over
            teardown(&f);
        }
}

static void one_kind_of_call(void **state)
{
    (void)state;
    ds_error err;
    fixture f;
    setup(&f);
    fault_arm_call(f.fault, FAULT_EXEC, 3, FAULT_ONCE, DS_BUSY);
    FAILS(work(&f, &err), DS_BUSY, "injected failure of exec, call 3");
    assert_int_equal(rows_in(&f), 0);
    fault_arm_call(f.fault, FAULT_COMMIT, 2, FAULT_FROM, DS_CANCELLED);
    OK(work(&f, &err));
    FAILS(work(&f, &err), DS_CANCELLED, "commit");
    FAILS(work(&f, &err), DS_CANCELLED, "commit");
    assert_int_equal(fault_hits(f.fault), 2);
    assert_int_equal(rows_in(&f), 2);
    teardown(&f);
}

// What a call would have handed out is taken back.
static void nothing_is_left_open(void **state)
{
    (void)state;
    ds_error err;
    fixture f;
    setup(&f);
    ds_db *db = NULL, *other = NULL;
    bool held = false;
    OK(open_db(&f, &db, &err));
    OK(open_db(&f, &other, &err));
    fault_arm_call(f.fault, FAULT_LOCK_TRY, 1, FAULT_ONCE | FAULT_AFTER, DS_ENV);
    FAILS(db->driver->lock_try(db, "x", &held, &err), DS_ENV, "lock_try");
    OK(other->driver->lock_try(other, "x", &held, &err));
    assert_true(held);
    fault_arm_call(f.fault, FAULT_BEGIN, 1, FAULT_ONCE | FAULT_AFTER, DS_ENV);
    FAILS(store_begin(db, BEGIN_WRITE, &err), DS_ENV, "begin");
    OK(store_begin(other, BEGIN_WRITE, &err));
    store_close(other);
    OK(store_begin(db, BEGIN_WRITE, &err));
    store_close(db);
    teardown(&f);
}

static void death_before_and_after_the_commit(void **state)
{
    (void)state;
    for (int after = 0; after < 2; after++) {
        fixture f;
        setup(&f);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            ds_error err;
            fault_arm_call(f.fault, FAULT_COMMIT, 1, FAULT_ONCE | FAULT_KILL | (after ? FAULT_AFTER : 0), DS_ENV);
            ds_ignore(work(&f, &err));
            _exit(0);
        }
        int status = 0;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_int_equal(rows_in(&f), after ? 2 : 0);
        teardown(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_armed_nothing_fails),
        cmocka_unit_test(each_call_fails_in_turn),
        cmocka_unit_test(one_kind_of_call),
        cmocka_unit_test(nothing_is_left_open),
        cmocka_unit_test(death_before_and_after_the_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
