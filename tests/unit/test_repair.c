// What somebody did to the merge tables by hand, and what a diff does when memory is short or the user stops it.
#include <stdlib.h>

#include "store/sqlite/sqlite.h"
#include "support/check.h"
#include "support/fault.h"
#include "support/world.h"

static void setup_world(world *w, ds_milestoning milestoning)
{
    world_open(w, &SQLITE_DRIVER, milestoning);
    world_dataset(w, "t", "id integer primary key; n integer; d date");
    world_source(w,
                 "WITH RECURSIVE i(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM i WHERE x < 100) INSERT INTO t SELECT "
                 "x, x * 2, '2024-01-01' FROM i");
}

static void run(world *w, ds_job_result *result)
{
    ds_error err;
    OK(world_job(w, result, &err));
}

static void resnapshot(world *w)
{
    world_merge(w, "UPDATE datasurface__stream SET resnapshot = 1");
}

static void expect_equal(world *w, bool equal)
{
    ds_job_result result;
    w->options.verify = true;
    run(w, &result);
    assert_int_equal(result.equal, equal);
    if (!equal)
        assert_true(result.datasets[0].key_count > 0);
    w->options.verify = false;
}

// Values that were changed behind the hash, also to what their type can't hold: verify names the key, resnapshot heals.
static void values_changed_by_hand(void **state)
{
    (void)state;
    static const char *const DAMAGE[] = {
        "UPDATE ds_p__s__t SET n = 5 WHERE id = 7",
        "UPDATE ds_p__s__t SET n = 'abc' WHERE id = 7",
        "UPDATE ds_p__s__t SET d = 'no date' WHERE id = 7",
    };
    for (int m = MILESTONING_SCD1; m <= MILESTONING_SCD4; m++) {
        world w;
        ds_job_result result;
        setup_world(&w, (ds_milestoning)m);
        world_apply(&w);
        run(&w, &result);
        for (size_t i = 0; i < sizeof DAMAGE / sizeof DAMAGE[0]; i++) {
            world_merge(&w, DAMAGE[i]);
            expect_equal(&w, false);
            resnapshot(&w);
            run(&w, &result);
            expect_equal(&w, true);
        }
        world_merge(&w, "DELETE FROM ds_p__s__t WHERE id = 7"); // a batch that looks at the live rows heals this, too
        resnapshot(&w);
        run(&w, &result);
        expect_equal(&w, true);
        world_close(&w);
    }
}

// A stored hash that is none: the next batch that compares the row replaces it.
static void hashes_changed_by_hand(void **state)
{
    (void)state;
    world w;
    ds_job_result result;
    setup_world(&w, MILESTONING_SCD2);
    world_apply(&w);
    run(&w, &result);
    world_merge(&w, "UPDATE ds_p__s__t SET ds_row_hash = x'00' WHERE id = 7");
    world_source(&w, "UPDATE t SET n = 0 WHERE id = 8");
    run(&w, &result);
    assert_int_equal(result.counts.updated, 2);
    expect_equal(&w, true);
    assert_string_equal(world_query(&w, true, "SELECT count(*) FROM datasurface__event WHERE kind = 'repaired'"),
                        "1\n");
    world_close(&w);
}

// More keys than were expected: most of them wait on disk, and each row is counted and staged once.
static void more_rows_than_memory(void **state)
{
    (void)state;
    world w;
    ds_job_result result;
    setup_world(&w, MILESTONING_SCD2);
    w.def.staging_batches = STAGING_BATCHES_ALL;
    w.def.memory_bytes = 1000;
    w.def.chunk_rows = 10;
    world_apply(&w);
    world_source(&w, "WITH RECURSIVE i(x) AS (SELECT 101 UNION ALL SELECT x + 1 FROM i WHERE x < 3000) INSERT INTO t "
                     "SELECT x, x, NULL FROM i");
    run(&w, &result);
    assert_int_equal(result.counts.inserted, 3000);
    assert_string_equal(world_query(&w, true, "SELECT count(*), count(DISTINCT id) FROM ds_p__s__t__s"), "3000|3000\n");
    int64_t bytes = result.counts.bytes;
    world_source(&w, "UPDATE t SET d = '2024-02-02' WHERE id = 3000");
    run(&w, &result);
    assert_int_equal(result.counts.updated, 1);
    assert_in_range(result.counts.bytes, bytes, bytes + 20);
    expect_equal(&w, true);
    world_close(&w);
}

// A refresh of a table that comes in another order; the driver counts the reads that it opens.
static long reads_of_a_refresh(ds_fault *fault, int64_t memory_bytes)
{
    world w;
    ds_job_result result;
    world_open(&w, fault_driver(fault), MILESTONING_SCD2);
    world_dataset(&w, "t", "id bigint primary key; n integer");
    w.def.memory_bytes = memory_bytes;
    w.def.chunk_rows = 50;
    world_apply(&w);
    world_source(&w, "WITH RECURSIVE i(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM i WHERE x < 2000) INSERT INTO t "
                     "SELECT x, x FROM i");
    run(&w, &result);
    world_source(&w, "CREATE TABLE o AS SELECT id, n FROM t; DELETE FROM t; INSERT INTO t SELECT id, n / 3 * 3 FROM o "
                     "ORDER BY id DESC; DROP TABLE o");
    fault_arm_call(fault, FAULT_READ_OPEN, 1, FAULT_OFF, DS_OK);
    run(&w, &result);
    long reads = fault_calls(fault);
    assert_int_equal(result.counts.read, 2000);
    assert_int_equal(result.counts.updated, 1334); // of all that are no multiples of 3
    expect_equal(&w, true);
    world_close(&w);
    return reads;
}

// However little memory there is, a source is read once, and so is the merge table.
static void little_memory_is_no_reason_to_read_twice(void **state)
{
    (void)state;
    ds_fault *fault = fault_new(&SQLITE_DRIVER);
    long reads = reads_of_a_refresh(fault, 0); // the source, the live rows, what was staged
    assert_int_equal(reads, 3);
    assert_int_equal(reads_of_a_refresh(fault, 10000), reads);
    assert_int_equal(reads_of_a_refresh(fault, 1), reads);
    fault_free(fault);
}

// After some batches without a change only the source is read; a change is found all the same, at the price of one
// more read, and then both sides are read again.
static void a_quiet_table_is_read_on_one_side(void **state)
{
    (void)state;
    static const int READS[] = {2, 2, 2, 2, 2, 1, 1}; // of the batches after the load
    ds_fault *fault = fault_new(&SQLITE_DRIVER);
    world w;
    ds_job_result result;
    world_open(&w, fault_driver(fault), MILESTONING_SCD2);
    world_dataset(&w, "t", "id bigint primary key; n integer");
    w.def.chunk_rows = 50;
    world_apply(&w);
    world_source(&w, "WITH RECURSIVE i(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM i WHERE x < 500) INSERT INTO t "
                     "SELECT x, x FROM i");
    run(&w, &result);
    for (size_t i = 0; i < sizeof READS / sizeof READS[0]; i++) {
        fault_arm_call(fault, FAULT_READ_OPEN, 1, FAULT_OFF, DS_OK);
        run(&w, &result);
        assert_int_equal(fault_calls(fault), READS[i]);
        assert_int_equal(result.counts.unchanged, 500);
        assert_true(result.counts.bytes > 0);
    }
    world_source(&w, "UPDATE t SET n = -n WHERE id % 100 = 0; DELETE FROM t WHERE id = 7");
    fault_arm_call(fault, FAULT_READ_OPEN, 1, FAULT_OFF, DS_OK);
    run(&w, &result);
    assert_int_equal(fault_calls(fault), 4); // the source twice, the live rows, what was staged
    assert_int_equal(result.counts.read, 499);
    assert_int_equal(result.counts.updated, 5);
    assert_int_equal(result.counts.deleted, 1);
    expect_equal(&w, true);
    fault_arm_call(fault, FAULT_READ_OPEN, 1, FAULT_OFF, DS_OK);
    run(&w, &result);
    assert_int_equal(fault_calls(fault), 2);
    world_close(&w);
    fault_free(fault);
}

// The batch stays open, and goes on once there is room.
static void no_room_for_rows_that_wait(void **state)
{
    (void)state;
    world w;
    ds_job_result result;
    ds_error err;
    setup_world(&w, MILESTONING_SCD1);
    w.def.memory_bytes = 1;
    w.def.chunk_rows = 10;
    world_apply(&w);
    run(&w, &result);
    world_source(&w, "UPDATE t SET n = 0 WHERE id > 50");
    CLEANUP(buf_release) ds_buf before = BUF_INIT(4096);
    if (getenv("TMPDIR"))
        buf_puts(&before, getenv("TMPDIR"));
    setenv("TMPDIR", "/nowhere", 1);
    FAILS(world_job(&w, &result, &err), DS_ENV, "dataset t: can't make a temporary file in /nowhere");
    HINTS("`memory`");
    if (before.n)
        setenv("TMPDIR", buf_text(&before), 1);
    else
        unsetenv("TMPDIR");
    run(&w, &result);
    assert_int_equal(result.counts.updated, 50);
    expect_equal(&w, true);
    world_close(&w);
}

// Ctrl-C is no failure: no attempt is counted, no lease stays.
static void stopped_by_the_user(void **state)
{
    (void)state;
    world w;
    setup_world(&w, MILESTONING_SCD1);
    world_apply(&w);
    static const volatile int STOPPED = 1;
    w.runtime.cancelled = &STOPPED;
    ds_job_result result;
    ds_error err;
    FAILS(world_job(&w, &result, &err), DS_CANCELLED, "interrupted");
    assert_string_equal(world_query(&w, true, "SELECT error, attempts FROM datasurface__batch"), "~|0\n");
    assert_string_equal(world_query(&w, true, "SELECT count(*) FROM datasurface__lease"), "0\n");
    w.runtime.cancelled = NULL;
    run(&w, &result);
    assert_int_equal(result.batch, 1);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_changed_by_hand),
        cmocka_unit_test(hashes_changed_by_hand),
        cmocka_unit_test(more_rows_than_memory),
        cmocka_unit_test(little_memory_is_no_reason_to_read_twice),
        cmocka_unit_test(no_room_for_rows_that_wait),
        cmocka_unit_test(stopped_by_the_user),
        cmocka_unit_test(a_quiet_table_is_read_on_one_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
