// yellow/job/checks.c: what a failed check says, however long, and a text that got into a definition past lint and
// plan.
#include <stdio.h>

#include "support/check.h"
#include "support/world.h"

static const char *const ID[] = {"id"}, *const NAME[] = {"name"};
static test_pair pair;

static void open_with(world *w, const ds_check_def *checks, size_t n)
{
    pair_clear(&pair);
    world_open_on(w, &pair, MILESTONING_SCD2);
    world_dataset(w, "people", "id varchar(300) primary key; name varchar(20); n integer");
    w->datasets[0].checks = checks;
    w->datasets[0].check_count = n;
    world_apply(w);
}

static void fill(world *w)
{
    for (int i = 0; i < 9; i++)
        world_source(w, arena_printf(w->arena, "INSERT INTO people VALUES ('%0*d', NULL, %d)", i < 2 ? 3 : 290, i, i));
}

static void messages_are_bounded(void **state)
{
    (void)state;
    static char sql[2000];
    snprintf(sql, sizeof sql, "n < 0 AND name <> '%01800d'", 7);
    const ds_check_def checks[] = {
        {.kind = CHECK_NOT_NULL, .columns = NAME, .column_count = 1},
        {.kind = CHECK_SQL, .sql = sql},
        {.kind = CHECK_SQL, .sql = "n\n<\n0"},
        {.kind = CHECK_SQL, .sql = "id = 'ä'"},
        {.kind = CHECK_SQL, .sql = "id = 'b'"},
    };
    world w;
    ds_job_result result;
    ds_error err;
    open_with(&w, checks, sizeof checks / sizeof checks[0]);
    fill(&w);
    FAILS(world_job(&w, &result, &err), DS_FINDING,
          "check not_null(name) of people failed for 9 rows: id='000', id='0000000000");
    assert_non_null(strstr(err.text, "000...) of people failed for 9 rows"));
    assert_non_null(strstr(err.text, "check sql(n < 0) of people failed for 9 rows"));
    assert_string_equal(err.text + strlen(err.text) - strlen("; and 1 more"), "; and 1 more");
    assert_true(strlen(err.text) < DS_ERROR_TEXT - 1);
    assert_string_equal(world_query(&w, true,
                                    arena_printf(w.arena, "SELECT status FROM %s WHERE error LIKE 'check not_null%%'",
                                                 world_control(&w, "batch"))),
                        "ingesting\n");
    world_close(&w);
}

// The text is vetted at every run, too: a definition may be older than the rules, or tampered with.
static void hostile_texts_do_nothing(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "n >= 0) OR (SELECT count(*) FROM secret) > 0 OR (1 = 0",
        "n >= 0); DROP TABLE secret; SELECT (1 = 1",
        "EXISTS (SELECT 1 FROM secret)",
        "n >= 0) UNION SELECT word FROM secret WHERE NOT (1 = 0",
        "n >= (SELECT count(*) FROM ds_nothing)",
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        const ds_check_def checks[] = {{.kind = CHECK_SQL, .sql = TEXTS[i]}};
        world w;
        ds_job_result result;
        ds_error err;
        open_with(&w, checks, 1);
        world_merge(&w, "CREATE TABLE secret (word varchar(20)); INSERT INTO secret VALUES ('hidden')");
        fill(&w);
        FAILS(world_job(&w, &result, &err), DS_FINDING, "check sql(");
        assert_null(strstr(err.text, "hidden"));
        assert_string_equal(world_query(&w, true, "SELECT word FROM secret"), "hidden\n");
        w.datasets[0].check_count = 0;
        world_apply(&w);
        OK(world_job(&w, &result, &err));
        assert_int_equal(result.counts.inserted, 9);
        world_close(&w);
    }
}

// A condition that the database can't compute fails the batch, too.
static void a_condition_that_fails_is_no_condition_that_holds(void **state)
{
    (void)state;
    const ds_check_def checks[] = {{.kind = CHECK_SQL, .sql = "abs(n - 9223372036854775807 - 1) > 0"},
                                   {.kind = CHECK_UNIQUE, .columns = ID, .column_count = 1}};
    world w;
    ds_job_result result;
    ds_error err;
    open_with(&w, checks, 2);
    world_source(&w, "INSERT INTO people VALUES ('a', 'x', 0)");
    FAILS(world_job(&w, &result, &err), DS_FINDING, "check sql(abs(");
    world_close(&w);
}

int main(int argc, char **argv)
{
    if (argc != 2 || !pair_open(&pair, argv[1])) {
        fprintf(stderr, "usage: test_checks DATABASES\n");
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_bounded),
        cmocka_unit_test(hostile_texts_do_nothing),
        cmocka_unit_test(a_condition_that_fails_is_no_condition_that_holds),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    pair_close(&pair);
    return failed;
}
