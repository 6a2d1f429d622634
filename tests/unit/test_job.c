// A stream's cycle where something came between: each case is named after the symptom that it would show.
#include <stdio.h>
#include <stdlib.h>

#include "store/sqlite/sqlite.h"
#include "support/check.h"
#include "support/crash.h"
#include "support/fault.h"
#include "support/truth.h"

#define PEOPLE "id integer primary key; name varchar(20); code varchar(10)"

static test_pair pair;

static void people_world(world *w, ds_milestoning milestoning)
{
    pair_clear(&pair);
    world_open_on(w, &pair, milestoning);
    world_dataset(w, "people", PEOPLE);
    world_apply(w);
    world_source(w, "INSERT INTO people VALUES (1, 'ann', 'a'), (2, 'bob', 'b'), (3, 'cyd', 'c'), (4, 'dan', 'c')");
}

static void runs(world *w)
{
    ds_job_result result;
    ds_error err;
    OK(world_job(w, &result, &err));
    assert_string_equal(truth_broken(&w->runtime, &w->merge, &w->def, w->arena), "");
}

static const char *merged(world *w, const char *select)
{
    return world_query(w, true, select);
}

static const char *last_batch(world *w)
{
    return merged(w, "SELECT batch_id, status FROM datasurface__batch ORDER BY batch_id DESC LIMIT 1");
}

// The key in force becomes another one; the definition is applied again.
static void change_key(world *w, const char *columns)
{
    w->def.dataset_count = 0;
    world_dataset(w, "people", columns);
    world_apply(w);
}

static void a_key_change_killed_in_merging_is_finished(void **state)
{
    (void)state;
    for (int m = MILESTONING_SCD1; m <= MILESTONING_SCD4; m++) {
        world w;
        people_world(&w, (ds_milestoning)m);
        runs(&w);
        change_key(&w, "id integer; name varchar(20); code varchar(10) primary key");
        world_source(&w, "DELETE FROM people WHERE id IN (1, 4)"); // 3 and 4 shared their new key
        assert_int_equal(crash_job(&w, "merging", 1), CRASH_KILLED);
        runs(&w);
        assert_string_equal(last_batch(&w), "2|committed\n");
        assert_string_equal(merged(&w, "SELECT code, id FROM ws_w__g__s__people ORDER BY code"), "b|2\nc|3\n");
        world_close(&w);
    }
}

// Somebody wrote to the merge table between staging and merging: the staged deltas don't fit any more.
static void deltas_that_do_not_fit_are_read_anew(void **state)
{
    (void)state;
    static const char *const DAMAGE[] = {
        "DELETE FROM ds_p__s__people WHERE id = 2",                                                    // to be updated
        "DELETE FROM ds_p__s__people WHERE id = 3",                                                    // to be deleted
        "INSERT INTO ds_p__s__people SELECT ds_row_hash, 1, 9, 'x', 'x' FROM ds_p__s__people LIMIT 1", // to be inserted
    };
    for (size_t i = 0; i < sizeof DAMAGE / sizeof DAMAGE[0]; i++) {
        world w;
        people_world(&w, MILESTONING_SCD1);
        runs(&w);
        world_source(&w, "UPDATE people SET name = 'new' WHERE id = 2; DELETE FROM people WHERE id = 3; "
                         "INSERT INTO people VALUES (9, 'eve', 'e')");
        assert_int_equal(crash_job(&w, "merging", 1), CRASH_KILLED);
        world_merge(&w, DAMAGE[i]);
        runs(&w);
        assert_string_equal(last_batch(&w), "2|committed\n");
        assert_string_equal(merged(&w, "SELECT id, name FROM ws_w__g__s__people ORDER BY id"),
                            "1|ann\n2|new\n4|dan\n9|eve\n");
        world_close(&w);
    }
}

static void want_resnapshot(world *w)
{
    ds_error err;
    ds_control *control;
    OK(control_open(&w->runtime, &w->merge, CONTROL_WRITE, &control, &err));
    OK(control_set_resnapshot(control, w->def.name, true, &err));
    control_close(control);
}

// The open batch was read before anybody asked for a resnapshot: it can't count as one.
static void a_resnapshot_wanted_while_merging_is_not_forgotten(void **state)
{
    (void)state;
    world w;
    people_world(&w, MILESTONING_SCD1);
    runs(&w);
    world_source(&w, "UPDATE people SET name = 'new' WHERE id = 2");
    assert_int_equal(crash_job(&w, "merging", 1), CRASH_KILLED);
    world_merge(&w, "UPDATE ds_p__s__people SET name = 'damaged' WHERE id = 4");
    want_resnapshot(&w);
    runs(&w);
    runs(&w);
    assert_string_equal(last_batch(&w), "3|committed\n");
    assert_string_equal(merged(&w, "SELECT name FROM ws_w__g__s__people WHERE id = 4"), "dan\n");
    assert_string_equal(merged(&w, "SELECT resnapshot FROM datasurface__stream"), "0\n");
    world_close(&w);
}

static void a_failure_behind_a_guard_is_no_guard(void **state)
{
    (void)state;
    world w;
    people_world(&w, MILESTONING_SCD1);
    w.def.max_delete_ratio = 0.2;
    world_apply(&w);
    runs(&w);
    ds_job_result result;
    ds_error err;
    world_source(&w, "DELETE FROM people");
    FAILS(world_job(&w, &result, &err), DS_FINDING, "guarded");
    assert_string_equal(merged(&w, "SELECT guarded FROM datasurface__batch WHERE batch_id = 2"), "1\n");
    world_source(&w, "ALTER TABLE people RENAME TO folk");
    FAILS(world_job(&w, &result, &err), DS_FINDING, "is missing");
    assert_string_equal(merged(&w, "SELECT guarded FROM datasurface__batch WHERE batch_id = 2"), "0\n");
    assert_string_equal(merged(&w, "SELECT kind FROM datasurface__event ORDER BY id"), "guarded\nfailed\n");
    world_close(&w);
}

// The database committed, but we were told that it failed: the batch is committed and stays as it is.
static void a_committed_batch_gets_no_failure(void **state)
{
    (void)state;
    ds_fault *fault = fault_new(&SQLITE_DRIVER);
    for (int changed = 0; changed < 2; changed++) {
        world w;
        world_open(&w, fault_driver(fault), MILESTONING_SCD1);
        world_dataset(&w, "people", PEOPLE);
        world_apply(&w);
        runs(&w);
        if (changed)
            world_source(&w, "INSERT INTO people VALUES (1, 'ann', 'a')");
        ds_job_result result;
        ds_error err;
#ifdef DS_STRESS
        long merge = 4; // after the fence, each staged row by itself, and entering merging
#else
        long merge = 3;
#endif
        fault_arm_call(fault, FAULT_COMMIT, changed ? merge : 2, FAULT_ONCE | FAULT_AFTER, DS_ENV);
        FAILS(world_job(&w, &result, &err), DS_ENV, "injected failure of commit");
        fault_arm(fault, 1, FAULT_OFF, DS_OK);
        assert_string_equal(truth_broken(&w.runtime, &w.merge, &w.def, w.arena), "");
        assert_string_equal(last_batch(&w), "2|committed\n");
        world_close(&w);
    }
    fault_free(fault);
}

// A first load of nothing made the indexes; the next attempt meets them.
static void duplicates_behind_an_empty_first_load_are_named(void **state)
{
    (void)state;
    world w;
    pair_clear(&pair);
    world_open_on(&w, &pair, MILESTONING_SCD2);
    world_dataset(&w, "people", PEOPLE);
    world_apply(&w);
    assert_int_equal(crash_job(&w, "merging", 1), CRASH_KILLED);
    world_merge(&w, "UPDATE datasurface__batch SET status = 'ingesting'; DELETE FROM datasurface__dataset_batch");
    world_source(&w, "INSERT INTO people VALUES (1, 'ann', 'a'), (7, 'bob', 'b'), (7, 'bob', 'b')");
    ds_job_result result;
    ds_error err;
    FAILS(world_job(&w, &result, &err), DS_FINDING, "duplicate key in the source: id=7");
    HINTS("primary key");
    world_close(&w);
}

// --- a multiset whose table was damaged by hand

static void damaged_copies(const char *damage, bool resnapshot)
{
    world w;
    pair_clear(&pair);
    world_open_on(&w, &pair, MILESTONING_SCD1);
    world_dataset(&w, "people", "name varchar(20); code varchar(10)");
    world_apply(&w);
    world_source(&w, "INSERT INTO people VALUES ('x', 'a'), ('x', 'a'), ('x', 'a'), ('y', 'b')");
    runs(&w);
    world_merge(&w, damage);
    if (resnapshot)
        want_resnapshot(&w);
    else
        world_source(&w, "INSERT INTO people VALUES ('z', 'c')"); // the table is looked at again
    runs(&w);
    assert_string_equal(merged(&w, "SELECT name, code FROM ws_w__g__s__people ORDER BY 1, 2"),
                        world_query(&w, false, "SELECT name, code FROM people ORDER BY 1, 2"));
    world_close(&w);
}

static void damaged_multisets_are_repaired(void **state)
{
    (void)state;
    for (int resnapshot = 0; resnapshot < 2; resnapshot++) {
        damaged_copies("DELETE FROM ds_p__s__people WHERE name = 'x' AND ds_copy = 1", resnapshot);
        damaged_copies("DELETE FROM ds_p__s__people WHERE name = 'x' AND ds_copy = 3", resnapshot);
        damaged_copies("DELETE FROM ds_p__s__people WHERE name = 'x'", resnapshot);
    }
    damaged_copies("UPDATE ds_p__s__people SET name = 'X' WHERE ds_copy = 2", true);
    damaged_copies("UPDATE ds_p__s__people SET name = 'X'", true);
}

// --- names that the engine itself uses

static void columns_called_like_a_place(void **state)
{
    (void)state;
    for (int m = MILESTONING_SCD1; m <= MILESTONING_SCD4; m++) {
        world w;
        pair_clear(&pair);
        world_open_on(&w, &pair, (ds_milestoning)m);
        world_dataset(&w, "people", "id integer primary key; rowid integer; oid integer; m integer; s integer");
        world_apply(&w);
        world_source(&w, "INSERT INTO people VALUES (1, 5, 5, 1, 1), (2, 5, 5, 1, 1), (3, 6, 6, 1, 1)");
        runs(&w);
        world_source(&w, "DELETE FROM people WHERE id = 1; UPDATE people SET rowid = 9 WHERE id = 2");
        runs(&w);
        assert_string_equal(merged(&w, "SELECT id, rowid, oid FROM ws_w__g__s__people ORDER BY id"), "2|9|5\n3|6|6\n");
        world_close(&w);
    }
}

// --- what was known before the fence is not trusted behind it

static void commit_by_another(void *context, const char *point)
{
    world *w = context;
    if (strcmp(point, "leased") != 0)
        return;
    w->runtime.checkpoint = NULL;
    // As a holder would have that lost the lease while its last transaction was under way.
    bool server = strcmp(w->merge.type, "postgres") == 0;
    world_merge(w,
                arena_printf(w->arena, "INSERT INTO ds_p__s__people SELECT %s, 1, 9223372036854775807, 1, 'ann', 'a'",
                             server ? "decode(repeat('00', 16), 'hex')" : "zeroblob(16)"));
    world_merge(w, "INSERT INTO datasurface__batch (stream, batch_id, status, started_at, committed_at) VALUES "
                   "('P/S', 1, 'committed', '2026-01-01 00:00:00.000000+00:00', '2026-01-01 00:00:01.000000+00:00'); "
                   "INSERT INTO datasurface__dataset_batch (stream, batch_id, dataset, fingerprint_rows, fingerprint, "
                   "key_columns) VALUES ('P/S', 1, 'people', 1, '00000000000000000000000000000000', 'id')");
}

static void a_commit_before_the_fence_is_seen(void **state)
{
    (void)state;
    world w;
    people_world(&w, MILESTONING_SCD2);
    w.runtime.checkpoint = commit_by_another;
    w.runtime.checkpoint_context = &w;
    runs(&w);
    assert_string_equal(last_batch(&w), "2|committed\n");
    assert_string_equal(
        merged(&w,
               "SELECT id, ds_batch_in, CASE ds_batch_out WHEN 1 THEN 1 ELSE 0 END FROM ds_p__s__people ORDER BY 1, 2"),
        "1|1|1\n1|2|0\n2|2|0\n3|2|0\n4|2|0\n");
    world_close(&w);
}

static void change_the_stream(void *context, const char *point)
{
    world *w = context;
    if (strcmp(point, "leased") == 0)
        world_merge(w, "UPDATE datasurface__stream SET version = 7");
}

static void remove_the_stream(void *context, const char *point)
{
    world *w = context;
    if (strcmp(point, "leased") == 0)
        world_merge(w, "UPDATE datasurface__stream SET removed = 1");
}

// An apply was at work between our first look at the stream and our lease.
static void an_apply_before_the_lease_is_seen(void **state)
{
    (void)state;
    world w;
    ds_job_result result;
    ds_error err;
    people_world(&w, MILESTONING_SCD2);
    w.runtime.checkpoint_context = &w;
    w.runtime.checkpoint = change_the_stream;
    runs(&w);
    assert_string_equal(merged(&w, "SELECT batch_id, stream_version FROM datasurface__batch"), "1|7\n");
    w.runtime.checkpoint = remove_the_stream;
    FAILS(world_job(&w, &result, &err), DS_BUSY, "was changed by an apply just now");
    world_close(&w);
}

static void commit_the_open_batch(void *context, const char *point)
{
    world *w = context;
    if (strcmp(point, "leased") == 0)
        world_merge(w, "UPDATE datasurface__batch SET status = 'committed', committed_at = started_at");
}

static void reset(world *w, bool dry_run, int64_t batch, int64_t rows)
{
    int64_t was = -1, staged = -1;
    ds_error err;
    OK(job_reset(&w->runtime, &w->merge, w->def.name, dry_run, &was, &staged, &err));
    assert_int_equal(was, batch);
    assert_int_equal(staged, rows);
}

static void a_reset_gives_up_the_open_batch_and_nothing_else(void **state)
{
    (void)state;
    world w;
    people_world(&w, MILESTONING_SCD2);
    reset(&w, false, 0, 0);
    runs(&w);
    world_source(&w, "UPDATE people SET name = 'new' WHERE id < 3");
    assert_int_equal(crash_job(&w, "merging", 1), CRASH_KILLED);
    reset(&w, true, 2, 2);
    assert_string_equal(last_batch(&w), "2|merging\n");
    reset(&w, false, 2, 2);
    assert_string_equal(last_batch(&w), "2|started\n");
    assert_string_equal(truth_broken(&w.runtime, &w.merge, &w.def, w.arena), "");
    reset(&w, false, 2, 0);
    runs(&w);
    reset(&w, false, 0, 0);
    assert_string_equal(last_batch(&w), "2|committed\n");
    assert_int_equal(crash_job(&w, "begun", 1), CRASH_KILLED);
    // The job that had it finishes before the reset has the lease.
    w.runtime.checkpoint = commit_the_open_batch;
    w.runtime.checkpoint_context = &w;
    reset(&w, false, 0, 0);
    assert_string_equal(last_batch(&w), "3|committed\n");
    world_close(&w);
}

// --- tables that outgrow what was expected

static void grows(world *w, const char *values, int rows)
{
    world_source(w, arena_printf(w->arena,
                                 "DELETE FROM people; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                                 "WHERE i < %d) INSERT INTO people SELECT %s FROM n",
                                 rows, values));
    w->options.verify = true;
    ds_job_result result;
    ds_error err;
    OK(world_job(w, &result, &err));
    assert_true(result.equal);
    assert_int_equal(result.counts.read, rows);
    assert_string_equal(truth_broken(&w->runtime, &w->merge, &w->def, w->arena), "");
}

static void a_diff_that_outgrows_its_memory(void **state)
{
    (void)state;
    static const struct {
        const char *columns, *values;
        ds_milestoning milestoning;
    } CASES[] = {
        {PEOPLE, "i, 'name ' || i, 'c'", MILESTONING_SCD2},
        {PEOPLE, "i, 'name ' || i, 'c'", MILESTONING_SCD4},
        {"name varchar(20); code varchar(10)", "'name ' || (i / 2), 'c'", MILESTONING_SCD1},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        for (int staged = 0; staged < 2; staged++) {
            world w;
            pair_clear(&pair);
            world_open_on(&w, &pair, CASES[i].milestoning);
            world_dataset(&w, "people", CASES[i].columns);
            w.def.memory_bytes = 4096; // some hundred rows
            w.def.chunk_rows = 50;
            w.def.staging_batches = staged ? STAGING_BATCHES_ALL : DEFAULT_STAGING_BATCHES;
            world_apply(&w);
            grows(&w, CASES[i].values, staged ? 700 : 5);
            grows(&w, CASES[i].values, 1500);
            grows(&w, CASES[i].values, 10);
            world_close(&w);
        }
}

// test_job [DATABASES]
// A damaged definition isn't looked at while the one that was decoded is in force.
static void a_kept_definition_is_that_of_the_last_apply(void **state)
{
    (void)state;
    world w;
    ds_job_result result;
    ds_error err;
    people_world(&w, MILESTONING_SCD2);
    w.runtime.defs = def_cache_new(0);
    runs(&w);
    change_key(&w, "id integer; name varchar(20); code varchar(10) primary key");
    world_source(&w, "DELETE FROM people WHERE id IN (1, 4)");
    runs(&w);
    assert_string_equal(merged(&w, "SELECT max(stream_version) FROM datasurface__batch"), "2\n");
    world_merge(&w, "UPDATE datasurface__stream SET config = 'damaged'");
    OK(world_job(&w, &result, &err));
    // As of another merge database under the old name, with the same version.
    world_merge(&w, "UPDATE datasurface__stream SET applied_at = '2020-01-01 00:00:00.000000+00:00'");
    FAILS(world_job(&w, &result, &err), DS_FINDING, "its stored definition is no JSON");
    def_cache_freep(&w.runtime.defs);
    world_close(&w);
}

// Connections of jobs go on to the next ones; what a failed job used isn't among them.
static void jobs_share_connections_that_are_good(void **state)
{
    (void)state;
    world w;
    ds_job_result result;
    ds_error err;
    people_world(&w, MILESTONING_SCD2);
    w.runtime.keeper = keeper_new(NULL, NULL);
    runs(&w);
    world_source(&w, "UPDATE people SET name = 'eve' WHERE id = 1");
    runs(&w);
    size_t good = keeper_resting(w.runtime.keeper);
    world_source(&w, "ALTER TABLE people RENAME TO away");
    FAILS(world_job(&w, &result, &err), DS_FINDING, "people");
    assert_true(keeper_resting(w.runtime.keeper) < good || good == 0);
    world_source(&w, "ALTER TABLE away RENAME TO people");
    runs(&w);
    assert_int_equal(keeper_resting(w.runtime.keeper), good);
    keeper_freep(&w.runtime.keeper);
    world_close(&w);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_change_killed_in_merging_is_finished),
        cmocka_unit_test(deltas_that_do_not_fit_are_read_anew),
        cmocka_unit_test(a_resnapshot_wanted_while_merging_is_not_forgotten),
        cmocka_unit_test(a_failure_behind_a_guard_is_no_guard),
        cmocka_unit_test(a_committed_batch_gets_no_failure),
        cmocka_unit_test(duplicates_behind_an_empty_first_load_are_named),
        cmocka_unit_test(damaged_multisets_are_repaired),
        cmocka_unit_test(columns_called_like_a_place),
        cmocka_unit_test(a_commit_before_the_fence_is_seen),
        cmocka_unit_test(an_apply_before_the_lease_is_seen),
        cmocka_unit_test(a_reset_gives_up_the_open_batch_and_nothing_else),
        cmocka_unit_test(a_diff_that_outgrows_its_memory),
        cmocka_unit_test(a_kept_definition_is_that_of_the_last_apply),
        cmocka_unit_test(jobs_share_connections_that_are_good),
    };
    if (!pair_open(&pair, argc > 1 ? argv[1] : "sqlite"))
        return 2;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    pair_close(&pair);
    return failed;
}
