// Positions, when whole tables are read, and what windows cost.
#include <stdio.h>
#include <stdlib.h>

#include "support/check.h"
#include "support/fault.h"
#include "support/truth.h"
#include "support/world.h"
#include "yellow/job/watermark.h"

static test_pair pair;

#define PEOPLE "id integer primary key; name varchar(20); w integer not null"

static void people_on(world *w, const test_pair *on)
{
    pair_clear(&pair);
    world_open_on(w, on, MILESTONING_SCD2);
    world_dataset(w, "people", PEOPLE);
    w->def.watermark = "w";
    world_apply(w);
    world_source(w, "INSERT INTO people VALUES (1, 'ann', 1), (2, 'bob', 2), (3, 'cyd', 3)");
}

static void people_world(world *w)
{
    people_on(w, &pair);
}

static const ds_counts *runs(world *w)
{
    static ds_job_result result;
    ds_error err;
    OK(world_job(w, &result, &err));
    assert_string_equal(truth_broken(&w->runtime, &w->merge, &w->def, w->arena), "");
    return &result.counts;
}

static const char *merged(world *w, const char *select)
{
    return world_query(w, true, select);
}

#define LIVE "SELECT id, name FROM ws_w__g__s__people ORDER BY id"

// --- positions

static const ds_shape_column *column_of(ds_arena *arena, const char *type)
{
    ds_shape_column *column = ARENA_NEW(arena, ds_shape_column);
    size_t at;
    ds_error err;
    *column = (ds_shape_column){.name = "w"};
    OK(type_parse(arena, str_of(type), &column->type, &at, &err));
    return column;
}

static void positions_come_back(void **state)
{
    (void)state;
    static const struct {
        const char *type, *text;
        int64_t watermark;
    } CASES[] = {
        {"bigint", "-9223372036854775808", INT64_MIN},
        {"bigint", "9223372036854775807", INT64_MAX},
        {"smallint", "0", 0},
        {"date", "1970-01-02", INT64_C(86400000000)},
        {"timestamp", "1969-12-31 23:59:59.999999", -1},
        {"timestamptz", "1970-01-01 00:00:01+00:00", 1000000},
    };
    ds_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const ds_shape_column *column = column_of(arena, CASES[i].type);
        ds_position in = {.definition = "x",
                          .known = true,
                          .watermark = CASES[i].watermark,
                          .again = {.rows = 3, .sum = {.low = 1, .high = UINT64_MAX}},
                          .swept_at = 1700000000000000};
        ds_position out = position_decode(arena, position_encode(arena, &in, column));
        assert_string_equal(out.definition, "x");
        assert_true(out.known && out.watermark == in.watermark && out.swept_at == in.swept_at);
        assert_true(fingerprint_eq(out.again, in.again));
        assert_string_equal(position_watermark(arena, &out, column), CASES[i].text);
        in.known = false;
        out = position_decode(arena, position_encode(arena, &in, column));
        assert_false(out.known);
        assert_null(position_watermark(arena, &out, column));
    }
    arena_free(arena);
}

static void a_damaged_position_is_none(void **state)
{
    (void)state;
    static const char *const DAMAGED[] = {"",
                                          "{",
                                          "null",
                                          "[]",
                                          "{\"definition\":\"x\"}",
                                          "{\"definition\":\"x\",\"again_sum\":\"zz\"}",
                                          "{\"definition\":7,\"again_sum\":\"00000000000000000000000000000000\"}"};
    ds_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof DAMAGED / sizeof DAMAGED[0]; i++) {
        ds_position out = position_decode(arena, DAMAGED[i]);
        assert_string_equal(out.definition, "");
        assert_false(out.known);
    }
    arena_free(arena);
}

// Then the whole table is read, which can't be wrong.
static void a_position_that_is_lost_is_found_again(void **state)
{
    (void)state;
    world w;
    people_world(&w);
    (void)runs(&w);
    world_merge(&w, "UPDATE datasurface__dataset_batch SET position = 'x'");
    world_source(&w, "DELETE FROM people WHERE id = 1; INSERT INTO people VALUES (4, 'dan', 0)");
    assert_int_equal(runs(&w)->read, 3);
    assert_string_equal(merged(&w, LIVE), "2|bob\n3|cyd\n4|dan\n");
    assert_int_equal(runs(&w)->read, 1);
    world_close(&w);
}

// --- when whole tables are read

// The clock moves by a second at each job.
static void sweeps_come_as_often_as_they_should(void **state)
{
    (void)state;
    world w;
    people_world(&w);
    w.def.sweep_us = 3000000;
    world_apply(&w);
    (void)runs(&w);
    world_source(&w, "DELETE FROM people WHERE id = 1");
    assert_int_equal(runs(&w)->deleted, 0);
    assert_int_equal(runs(&w)->deleted, 0);
    assert_int_equal(runs(&w)->deleted, 1);
    world_source(&w, "INSERT INTO people VALUES (1, 'late', 1)");
    assert_int_equal(runs(&w)->inserted, 0);
    assert_int_equal(runs(&w)->inserted, 0);
    assert_int_equal(runs(&w)->inserted, 1);
    assert_int_equal(runs(&w)->read, 1);
    world_close(&w);
}

// An unchanged table was swept all the same: the next sweep is due from there on.
static void a_sweep_that_finds_nothing_is_remembered(void **state)
{
    (void)state;
    world w;
    people_world(&w);
    w.def.sweep_us = 2000000;
    world_apply(&w);
    static const int READ[] = {3, 1, 3, 1, 3, 1};
    for (size_t i = 0; i < sizeof READ / sizeof READ[0]; i++)
        assert_int_equal(runs(&w)->read, READ[i]);
    world_close(&w);
}

// It is read whole each time, which is no news.
static void an_empty_table_leaves_no_record(void **state)
{
    (void)state;
    world w;
    people_world(&w);
    world_source(&w, "DELETE FROM people");
    for (int i = 0; i < 3; i++)
        assert_int_equal(runs(&w)->read, 0);
    assert_string_equal(merged(&w, "SELECT batch_id FROM datasurface__dataset_batch"), "1\n");
    world_source(&w, "INSERT INTO people VALUES (1, 'ann', 1)");
    assert_int_equal(runs(&w)->inserted, 1);
    world_source(&w, "INSERT INTO people VALUES (2, 'bob', 0)");
    assert_int_equal(runs(&w)->inserted, 0);
    assert_string_equal(merged(&w, "SELECT batch_id FROM datasurface__dataset_batch ORDER BY batch_id"), "1\n4\n");
    world_close(&w);
}

static void a_sweep_is_guarded(void **state)
{
    (void)state;
    world w;
    people_world(&w);
    w.def.max_delete_ratio = 0.5;
    w.def.sweep_us = 2000000;
    world_apply(&w);
    (void)runs(&w);
    world_source(&w, "DELETE FROM people");
    assert_int_equal(runs(&w)->deleted, 0);
    ds_job_result result;
    ds_error err;
    FAILS(world_job(&w, &result, &err), DS_FINDING, "guarded");
    FAILS(world_job(&w, &result, &err), DS_FINDING, "guarded");
    assert_string_equal(merged(&w, LIVE), "1|ann\n2|bob\n3|cyd\n");
    world_source(&w, "INSERT INTO people VALUES (1, 'ann', 1), (2, 'bob', 2)");
    assert_int_equal(runs(&w)->deleted, 1);
    world_close(&w);
}

// What else reads everything: another definition of rows, not of who sees them.
static void other_rows_are_all_read(void **state)
{
    (void)state;
    world w;
    people_world(&w);
    (void)runs(&w);
    w.def.cron = "* * * * *";
    w.def.overlap = 1;
    world_apply(&w);
    assert_int_equal(runs(&w)->read, 2);
    w.datasets[0].source_table = "folk";
    world_source(&w, "CREATE TABLE folk AS SELECT id, name, w FROM people WHERE id < 3");
    world_apply(&w);
    assert_int_equal(runs(&w)->read, 2);
    assert_string_equal(merged(&w, LIVE), "1|ann\n2|bob\n");
    world_close(&w);
}

// --- what it costs

// Whatever the number of rows, an idle batch asks the merge database no more than one of a single row does.
static void idle_batches_look_nothing_up(void **state)
{
    (void)state;
    long calls[2];
    for (int many = 0; many < 2; many++) {
        world w;
        ds_fault *fault = fault_new(pair.drivers[PAIR_MERGE]);
        test_pair counted = pair;
        counted.drivers[PAIR_MERGE] = fault_driver(fault);
        people_on(&w, &counted);
        if (many)
            world_source(&w,
                         "INSERT INTO people WITH RECURSIVE n(i) AS (SELECT 4 UNION ALL SELECT i + 1 FROM n WHERE i "
                         "< 1500) SELECT i, 'n', 3 FROM n");
        (void)runs(&w);
        fault_arm(fault, 1000000, FAULT_ONCE, DS_ENV);
        (void)runs(&w);
        calls[many] = fault_calls(fault);
        world_close(&w);
        fault_free(fault);
    }
    assert_int_equal(calls[0], calls[1]);
}

// Infinite ones are always read; those before all times only by a sweep. Neither moves the watermark.
static void infinite_watermarks(void **state)
{
    (void)state;
    world w;
    pair_clear(&pair);
    world_open_on(&w, &pair, MILESTONING_SCD1);
    world_dataset(&w, "people", "id integer primary key; name varchar(20); at timestamp");
    w.def.watermark = "at";
    world_apply(&w);
    world_source(&w, "INSERT INTO people VALUES (1, 'ann', 'infinity'), (2, 'bob', '2024-01-01 00:00:00'), "
                     "(3, 'cyd', '-infinity'), (4, 'dan', NULL)");
    assert_int_equal(runs(&w)->inserted, 4);
    assert_int_equal(runs(&w)->read, 3);
    world_source(&w, "UPDATE people SET name = 'x'; INSERT INTO people VALUES (5, 'eve', '2024-01-01 00:00:01')");
    const ds_counts *counts = runs(&w);
    assert_int_equal(counts->updated, 3);
    assert_int_equal(counts->inserted, 1);
    assert_string_equal(merged(&w, LIVE), "1|x\n2|x\n3|cyd\n4|x\n5|eve\n");
    world_close(&w);
}

// More rows than a chunk has, more than one statement looks up, and read by several readers.
static void large_windows(void **state)
{
    (void)state;
    world w;
    pair_clear(&pair);
    world_open_on(&w, &pair, MILESTONING_SCD4);
    world_dataset(&w, "people",
                  "id integer primary key; code varchar(9) primary key; name varchar(20); w integer not null");
    w.def.watermark = "w";
    w.def.workers = 3;
    world_apply(&w);
    world_source(&w,
                 "INSERT INTO people WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 7000) "
                 "SELECT i, 'c', 'n', i FROM n");
    assert_int_equal(runs(&w)->inserted, 7000);
    world_source(
        &w,
        "UPDATE people SET name = 'm', w = w + 10000 WHERE id > 1000; INSERT INTO people VALUES (0, 'c', 'n', 9999)");
    const ds_counts *counts = runs(&w);
    assert_int_equal(counts->read, 6001);
    assert_int_equal(counts->updated, 6000);
    assert_int_equal(counts->inserted, 1);
    w.options.verify = true;
    ds_job_result result;
    ds_error err;
    OK(world_job(&w, &result, &err));
    assert_true(result.equal);
    assert_int_equal(result.counts.updated + result.counts.inserted + result.counts.deleted, 0);
    world_close(&w);
}

int main(int argc, char **argv)
{
    if (argc != 2 || !pair_open(&pair, argv[1])) {
        fprintf(stderr, "usage: test_watermark DATABASES\n");
        return 2;
    }
    const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(positions_come_back),
        cmocka_unit_test(a_damaged_position_is_none),
        cmocka_unit_test(a_position_that_is_lost_is_found_again),
        cmocka_unit_test(an_empty_table_leaves_no_record),
        cmocka_unit_test(other_rows_are_all_read),
        cmocka_unit_test(idle_batches_look_nothing_up),
        cmocka_unit_test(infinite_watermarks),
        cmocka_unit_test(large_windows),
    };
    // Nobody waits for the clock of a server.
    const struct CMUnitTest TIMED[] = {
        cmocka_unit_test(sweeps_come_as_often_as_they_should),
        cmocka_unit_test(a_sweep_that_finds_nothing_is_remembered),
        cmocka_unit_test(a_sweep_is_guarded),
    };
    int failed = cmocka_run_group_tests(TESTS, NULL, NULL);
    if (strcmp(argv[1], "sqlite") == 0)
        failed += cmocka_run_group_tests(TIMED, NULL, NULL);
    pair_close(&pair);
    return failed;
}
