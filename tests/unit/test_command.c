// yellow/job/command.c: a transformer's program on either engine. What it is given, what it may do, how it ends, and
// that nothing of it stays.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "support/check.h"
#include "support/estate_model.h"
#include "support/fault.h"

#define PEOPLE "id: integer primary key, name: text"
static test_pair pair;
static workdir temporary;

static bool on_server(void)
{
    return strcmp(pair.drivers[PAIR_MERGE]->name, "postgres") == 0;
}

// Statements in the exchange, whichever engine it is on.
static const char *prelude(void)
{
    return on_server()
               ? "#!/bin/sh\nexport PGOPTIONS='-c search_path=dt_p__masker'\n"
                 "sql() { psql -X -q -At -v ON_ERROR_STOP=1 -c \"$1\"; }\n"
               : "#!/bin/sh\nsql() { sqlite3 -bail \"$(dirname \"$DATASURFACE_CONTEXT\")/exchange.db\" \"$1\"; }\n";
}

static void write_program(const estate *e, const char *body)
{
    char path[WORKDIR_PATH];
    ds_error err;
    workdir_file(&e->dir, "mask", path);
    const char *text = arena_printf(e->arena, "%s%s\n", prelude(), body);
    OK(file_write_atomic(path, str_of(text), false, &err));
    assert_int_equal(chmod(path, 0755), 0);
}

#define MASK "sql \"INSERT INTO out__masked__people SELECT id, '***' FROM in__store1__people\""

static estate_model open_masker(estate *e, const char *milestoning, const char *command)
{
    estate_model model = {.people = PEOPLE,
                          .live = "Store1/people, Masked/people",
                          .milestoning = milestoning,
                          .command = command ? command : "{exec: [./mask, one]}",
                          .masked = PEOPLE};
    pair_clear(&pair);
    estate_open_on(e, &pair);
    if (on_server())
        pg_exec_super(&pair.postgres, arena_printf(e->arena, "ALTER ROLE %s CREATEROLE", pair.postgres.role));
    estate_sql(e, "source.db",
               "CREATE TABLE people (id integer, name text);"
               "INSERT INTO people VALUES (1, 'Ann'), (2, 'Bob'), (3, 'Cyd')");
    write_program(e, MASK);
    estate_use(e, &model);
    estate_apply(e);
    return model;
}

// The rows that consumers see, by id.
static const char *seen(const estate *e)
{
    return estate_query(e, "merge.db",
                        on_server() ? "SELECT id, name FROM ws_consumer.live__masked__people ORDER BY id"
                                    : "SELECT id, name FROM ws_consumer__live__masked__people ORDER BY id");
}

static int directories(void)
{
    DIR *d = opendir(temporary.path);
    int n = 0;
    for (const struct dirent *entry; d && (entry = readdir(d));)
        n += strncmp(entry->d_name, "datasurface-run.", 16) == 0;
    closedir(d);
    return n;
}

static void nothing_on_server(const estate *e)
{
    assert_string_equal(estate_query(e, "merge.db", "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'dt\\_%'"),
                        "0\n");
    assert_string_equal(estate_query(e, "merge.db", "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'dt\\_%'"),
                        "0\n");
}

static void nothing_stays(const estate *e)
{
    assert_int_equal(directories(), 0);
    if (on_server())
        nothing_on_server(e);
}

static void close_masker(estate *e)
{
    nothing_stays(e);
    estate_close(e);
}

static void its_rows_are_merged_like_a_source(void **state)
{
    (void)state;
    estate e;
    (void)open_masker(&e, "scd2", NULL);
    estate_job(&e, "P/Masked"); // no input yet: no batch
    estate_job(&e, "P/Store1");
    estate_job(&e, "P/Masked");
    assert_string_equal(seen(&e), "1|***\n2|***\n3|***\n");
    nothing_stays(&e);
    estate_sql(&e, "source.db", "DELETE FROM people WHERE id = 1; INSERT INTO people VALUES (4, 'Dan')");
    write_program(&e, "exit 9");
    estate_job(&e, "P/Masked"); // inputs unchanged: it isn't even run
    write_program(&e, MASK);
    estate_job(&e, "P/Store1");
    estate_job(&e, "P/Masked");
    assert_string_equal(seen(&e), "2|***\n3|***\n4|***\n");
    close_masker(&e);
}

// Its role may, for as long as it runs.
static void not_everybody_may_connect(void **state)
{
    (void)state;
    estate e;
    if (!on_server())
        return;
    (void)open_masker(&e, "scd1", NULL);
    estate_job(&e, "P/Store1");
    pg_exec_super(&pair.postgres, arena_printf(e.arena, "REVOKE ALL ON DATABASE %s FROM PUBLIC", pair.postgres.name));
    estate_job(&e, "P/Masked");
    pg_exec_super(&pair.postgres,
                  arena_printf(e.arena, "GRANT CONNECT, TEMP ON DATABASE %s TO PUBLIC", pair.postgres.name));
    assert_string_equal(seen(&e), "1|***\n2|***\n3|***\n");
    close_masker(&e);
}

static void failures_leave_the_output(void **state)
{
    (void)state;
    static const struct {
        const char *body, *command;
        ds_code code;
        const char *part;
    } CASES[] = {
        {MASK "; echo out of luck >&2; exit 3", NULL, DS_FINDING, "exit code 3: out of luck"},
        {MASK "; echo try later; exit 75", NULL, DS_ENV, "exit code 75: try later"},
        {MASK "; kill -9 $$", NULL, DS_ENV, "killed by signal 9"},
        {"sleep 600", "{exec: [./mask], timeout: 1s}", DS_ENV, "ended after 1 s"},
        {"trap '' TERM; echo stubborn; while :; do sleep 1; done", "{exec: [./mask], timeout: 1s}", DS_ENV,
         "ended after 1 s: stubborn"},
        {"", "{exec: [./missing]}", DS_ENV, "can't start ./missing"},
        {"sql \"INSERT INTO out__masked__people VALUES (1, 'a'), (1, 'b')\"", NULL, DS_FINDING, "duplicate key"},
        {"sql \"INSERT INTO out__masked__people VALUES (NULL, 'a')\"", NULL, DS_FINDING,
         "which the model says it can't be"},
        {"sql \"DROP TABLE out__masked__people\"; exit $?", NULL, DS_FINDING, ""},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        estate e;
        ds_error err;
        estate_model model = open_masker(&e, "scd1", NULL);
        estate_job(&e, "P/Store1");
        estate_job(&e, "P/Masked");
        estate_sql(&e, "source.db", "UPDATE people SET name = 'x'; DELETE FROM people WHERE id = 1");
        estate_job(&e, "P/Store1");
        model.command = CASES[i].command ? CASES[i].command : model.command;
        estate_use(&e, &model);
        estate_apply(&e);
        write_program(&e, CASES[i].body);
        FAILS(estate_try_job(&e, "P/Masked", &err), CASES[i].code, CASES[i].part);
        assert_string_equal(seen(&e), "1|***\n2|***\n3|***\n");
        nothing_stays(&e);
        model.command = "{exec: [./mask]}"; // and once it is mended it goes on
        estate_use(&e, &model);
        estate_apply(&e);
        write_program(&e, MASK);
        estate_job(&e, "P/Masked");
        assert_string_equal(seen(&e), "2|***\n3|***\n");
        close_masker(&e);
    }
}

// A SELECT that doesn't end is ended, and its output stays; once it does it goes on.
static void selects_have_a_time_limit(void **state)
{
    (void)state;
    static const char GOOD[] = "SELECT id, '***' AS name FROM {input.Store1.people}";
    static const char *const ENDLESS[] = {
        "SELECT id, name FROM {input.Store1.people} WHERE id < (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT 1 FROM "
        "n) SELECT count(*) FROM n)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS id, 'x' AS name FROM n",
    };
    for (size_t i = 0; i < sizeof ENDLESS / sizeof ENDLESS[0]; i++) {
        estate e;
        ds_error err;
        estate_model model = open_masker(&e, "scd2", NULL);
        model.command = NULL;
        model.sql = GOOD;
        model.timeout = "1s";
        estate_use(&e, &model);
        estate_apply(&e);
        estate_job(&e, "P/Store1");
        estate_job(&e, "P/Masked");
        model.sql = ENDLESS[i];
        estate_use(&e, &model);
        estate_apply(&e);
        estate_sql(&e, "source.db", "DELETE FROM people WHERE id = 1");
        estate_job(&e, "P/Store1");
        FAILS(estate_try_job(&e, "P/Masked", &err), DS_ENV, "the query was ended after 1 s");
        assert_string_equal(seen(&e), "1|***\n2|***\n3|***\n");
        model.sql = GOOD;
        model.timeout = "1h";
        estate_use(&e, &model);
        estate_apply(&e);
        estate_job(&e, "P/Masked");
        assert_string_equal(seen(&e), "2|***\n3|***\n");
        close_masker(&e);
    }
}

// Each statement must fail; the program then says so by its exit code.
static void it_may_do_nothing_else(void **state)
{
    (void)state;
    static const char *const SERVER[] = {
        "SELECT * FROM ds_p.store1__people",
        "SELECT * FROM ds_p.masked__people",
        "SELECT * FROM ws_consumer.live__store1__people",
        "SELECT * FROM datasurface.stream",
        "DELETE FROM in__store1__people",
        "DROP TABLE out__masked__people",
        "ALTER TABLE out__masked__people ADD extra integer",
        "CREATE TABLE dt_p__masker.mine (id integer)",
        "CREATE TABLE public.mine (id integer)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
    };
    static const char *const FILES[] = {
        "SELECT * FROM ds_p__store1__people",
        "SELECT * FROM ws_consumer__live__store1__people",
        "SELECT * FROM datasurface__stream",
    };
    const char *const *statements = on_server() ? SERVER : FILES;
    size_t n = on_server() ? sizeof SERVER / sizeof SERVER[0] : sizeof FILES / sizeof FILES[0];
    estate e;
    ds_error err;
    (void)open_masker(&e, "scd1", NULL);
    estate_job(&e, "P/Store1");
    for (size_t i = 0; i < n; i++) {
        write_program(&e, arena_printf(e.arena, "sql '%s' && exit 0 || exit 7", statements[i]));
        FAILS(estate_try_job(&e, "P/Masked", &err), DS_FINDING, "exit code 7");
    }
    close_masker(&e);
}

static void it_knows_no_secrets(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    (void)open_masker(&e, "scd1", NULL);
    estate_job(&e, "P/Store1");
    setenv("DATASURFACE_PAIR_EXTRA_PASSWORD", "hidden", 1);
    write_program(&e, "env | grep -q hidden && exit 8; [ -n \"$DATASURFACE_CONTEXT\" ] || exit 9\n"
                      "[ \"$(stat -c %a \"$DATASURFACE_CONTEXT\")\" = 600 ] || exit 10\n" MASK);
    estate_job(&e, "P/Masked");
    unsetenv("DATASURFACE_PAIR_EXTRA_PASSWORD");
    if (on_server()) { // what it was given itself is not repeated
        estate_sql(&e, "source.db", "DELETE FROM people WHERE id = 1");
        estate_job(&e, "P/Store1");
        write_program(&e, "cut -d: -f5 \"$PGPASSFILE\"; exit 1");
        FAILS(estate_try_job(&e, "P/Masked", &err), DS_FINDING, "exit code 1: ************************");
    }
    estate_close(&e);
}

// The keys that came, changed or went since it ran last, and all of them when it never did.
static void changed_keys(void **state)
{
    (void)state;
    static const char *const STRATEGIES[] = {"scd1", "scd2", "scd4"};
    const char *keys = "sql \"INSERT INTO out__masked__people SELECT id, 'k' FROM changes__store1__people\"";
    for (size_t i = 0; i < sizeof STRATEGIES / sizeof STRATEGIES[0]; i++) {
        estate e;
        (void)open_masker(&e, STRATEGIES[i], NULL);
        write_program(&e, keys);
        estate_job(&e, "P/Store1");
        estate_job(&e, "P/Masked");
        assert_string_equal(seen(&e), "1|k\n2|k\n3|k\n");
        estate_sql(&e, "source.db", "UPDATE people SET name = 'x' WHERE id = 2; INSERT INTO people VALUES (4, 'd')");
        estate_job(&e, "P/Store1");
        estate_sql(&e, "source.db", "DELETE FROM people WHERE id = 1");
        estate_job(&e, "P/Store1");
        estate_job(&e, "P/Masked");
        assert_string_equal(seen(&e), "1|k\n2|k\n4|k\n");
        estate_sql(&e, "source.db", "DELETE FROM people WHERE id = 4");
        estate_job(&e, "P/Store1");
        estate_job(&e, "P/Masked");
        assert_string_equal(seen(&e), "4|k\n");
        close_masker(&e);
    }
}

// What it leaves running is gone before its tables are read.
static void nothing_goes_on_behind_it(void **state)
{
    (void)state;
    estate e;
    (void)open_masker(&e, "scd1", NULL);
    estate_job(&e, "P/Store1");
    write_program(&e, MASK "\n(sleep 600) &\n(sleep 600) >/dev/null 2>&1 &\nexit 0");
    double start_s = clock_elapsed_s();
    estate_job(&e, "P/Masked");
    assert_true(clock_elapsed_s() - start_s < 300);
    assert_string_equal(seen(&e), "1|***\n2|***\n3|***\n");
    close_masker(&e);
}

// Whichever call of the driver fails: the run fails or not, the next one makes it good, and nothing stays.
static void any_call_may_fail(void **state)
{
    (void)state;
    static const int MODES[] = {FAULT_ONCE, FAULT_ONCE | FAULT_AFTER};
    if (on_server())
        return;
    ds_fault *fault = fault_new(pair.drivers[PAIR_MERGE]);
    const test_pair plain = pair;
    pair.drivers[PAIR_SOURCE] = pair.drivers[PAIR_MERGE] = fault_driver(fault);
    for (size_t m = 0; m < sizeof MODES / sizeof MODES[0]; m++) {
        estate e;
        ds_error err;
        (void)open_masker(&e, "scd1", NULL);
        estate_job(&e, "P/Store1");
        long n = 0, calls;
        do {
            estate_sql(&e, "source.db",
                       n % 2 ? "DELETE FROM people WHERE id = 1" : "INSERT INTO people VALUES (9, 'x')");
            estate_job(&e, "P/Store1");
            fault_arm(fault, ++n, MODES[m], DS_ENV);
            ds_rc rc = estate_try_job(&e, "P/Masked", &err);
            calls = fault_calls(fault);
            fault_arm(fault, 0, FAULT_OFF, DS_OK);
            assert_int_equal(directories(), 0);
            if (rc.code != DS_OK)
                estate_job(&e, "P/Masked");
            assert_string_equal(seen(&e), estate_query(&e, "source.db", "SELECT id, '***' FROM people ORDER BY id"));
            estate_sql(&e, "source.db",
                       n % 2 ? "DELETE FROM people WHERE id = 9" : "INSERT INTO people VALUES (1, 'y')");
        } while (calls >= n);
        assert_true(n > 30);
        close_masker(&e);
    }
    pair = plain;
    fault_free(fault);
}

static void die(void *context, const char *point)
{
    if (strcmp(point, context) == 0)
        _exit(42);
}

// Runs the transformer in a process that ends at that point; its exit code, 42.
static int killed_at(estate *e, const char *point)
{
    pid_t pid = fork();
    if (pid == 0) {
        ds_error err;
        e->runtime.checkpoint = die;
        e->runtime.checkpoint_context = (void *)(uintptr_t)point;
        ds_ignore(estate_try_job(e, "P/Masked", &err));
        _exit(1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

// Killed while the program runs, or just after: the next run starts with a clean exchange.
static void a_killed_job_leaves_nothing_in_the_way(void **state)
{
    (void)state;
    static const char *const POINTS[] = {"command:ready", "command:done", "merging"};
    for (size_t i = 0; i < sizeof POINTS / sizeof POINTS[0]; i++) {
        estate e;
        (void)open_masker(&e, "scd4", NULL);
        estate_job(&e, "P/Store1");
        assert_int_equal(killed_at(&e, POINTS[i]), 42);
        estate_job(&e, "P/Masked");
        estate_sql(&e, "source.db", "DELETE FROM people WHERE id = 1");
        estate_job(&e, "P/Store1");
        estate_job(&e, "P/Masked");
        assert_string_equal(seen(&e), "2|***\n3|***\n");
        close_masker(&e);
    }
}

// It never runs again, and its tables may change: what a killed run left goes with the next apply.
static void apply_drops_what_a_killed_run_left(void **state)
{
    (void)state;
    estate e;
    if (!on_server())
        return;
    estate_model model = open_masker(&e, "scd2", NULL);
    estate_job(&e, "P/Store1");
    assert_int_equal(killed_at(&e, "command:ready"), 42);
    model.people = "id: bigint primary key, name: text";
    estate_use(&e, &model);
    estate_apply(&e);
    nothing_on_server(&e);
    estate_close(&e);
}

// Its role could not be made.
static void a_command_without_rights_is_refused_by_plan(void **state)
{
    (void)state;
    estate e;
    if (!on_server())
        return;
    estate_model model = open_masker(&e, "scd1", NULL);
    pg_exec_super(&pair.postgres, arena_printf(e.arena, "ALTER ROLE %s NOCREATEROLE", pair.postgres.role));
    model.command = "{exec: [./other]}";
    estate_use(&e, &model);
    const ds_plan *plan = estate_plan(&e, false);
    assert_true(plan->refused);
    assert_non_null(strstr(plan->changes[plan->n - 1].detail, "CREATEROLE"));
    estate_close(&e);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(its_rows_are_merged_like_a_source),
        cmocka_unit_test(not_everybody_may_connect),
        cmocka_unit_test(failures_leave_the_output),
        cmocka_unit_test(selects_have_a_time_limit),
        cmocka_unit_test(it_may_do_nothing_else),
        cmocka_unit_test(it_knows_no_secrets),
        cmocka_unit_test(changed_keys),
        cmocka_unit_test(nothing_goes_on_behind_it),
        cmocka_unit_test(any_call_may_fail),
        cmocka_unit_test(a_killed_job_leaves_nothing_in_the_way),
        cmocka_unit_test(apply_drops_what_a_killed_run_left),
        cmocka_unit_test(a_command_without_rights_is_refused_by_plan),
    };
    if (argc != 2 || !pair_open(&pair, argv[1]))
        return 2;
    temporary = workdir_new();
    setenv("TMPDIR", temporary.path, 1);
    int failed = cmocka_run_group_tests(TESTS, NULL, NULL);
    unsetenv("TMPDIR");
    workdir_remove(&temporary);
    pair_close(&pair);
    return failed;
}
