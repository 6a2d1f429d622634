// yellow/job/job.h on PostgreSQL: what others may do to our tables while a job is at work.
#include <stdio.h>

#include "support/check.h"
#include "support/world.h"
#include "yellow/job/lane.h"

static test_pair pair;

typedef struct meddler {
    const char *point; // of the job at which it tries
    const char *statements;
    int64_t tries;
} meddler;

static void on_point(void *context, const char *point)
{
    meddler *m = context;
    if (strcmp(point, m->point) != 0)
        return;
    m->tries++;
    pg_exec_text(&pair.postgres, m->statements);
}

// Takes the lock of VACUUM FULL, CLUSTER and the like, at once; *held by the job: it must not get it.
#define MUST_BE_HELD                                                                                                   \
    "DO $$ BEGIN LOCK TABLE ds_p.s__people IN ACCESS EXCLUSIVE MODE NOWAIT; RAISE 'it is not held'; "                  \
    "EXCEPTION WHEN lock_not_available THEN NULL; END $$"

static void run(world *w)
{
    ds_job_result result;
    ds_error err;
    OK(world_job(w, &result, &err));
}

static void start(world *w, ds_milestoning milestoning, const char *columns)
{
    pair_clear(&pair);
    world_open_on(w, &pair, milestoning);
    world_dataset(w, "people", columns);
    world_apply(w);
    world_source(w, "INSERT INTO people SELECT i, 'p' || i FROM generate_series(1, 50) AS g (i)");
    run(w);
}

// What is gone is known by its place until it is staged: nobody may move rows until then.
static void live_rows_keep_their_places(void **state)
{
    (void)state;
    for (int milestoning = MILESTONING_SCD1; milestoning <= MILESTONING_SCD4; milestoning++) {
        world w;
        start(&w, (ds_milestoning)milestoning, "id integer primary key; name varchar(20)");
        world_source(&w, "DELETE FROM people WHERE id > 40; UPDATE people SET name = 'x' WHERE id = 1");
        meddler m = {.point = "ingest:dataset", .statements = MUST_BE_HELD};
        w.runtime.checkpoint = on_point;
        w.runtime.checkpoint_context = &m;
        run(&w);
        assert_int_equal(m.tries, 1);
        assert_string_equal(world_query(&w, true, "SELECT count(*), min(name) FROM ws_w.g__s__people"), "40|p10\n");
        world_close(&w);
    }
}

// Merging holds nothing that it reads: rows that were moved between two batches are found at their new places.
static void rows_may_move_between_batches(void **state)
{
    (void)state;
    world w;
    start(&w, MILESTONING_SCD1, "id integer primary key; name varchar(20)");
    for (int i = 0; i < 3; i++) {
        char change[100];
        snprintf(change, sizeof change,
                 "UPDATE people SET name = name || 'x' WHERE id %% 3 = %d; "
                 "DELETE FROM people WHERE id = %d",
                 i, 10 + i);
        world_source(&w, change);
        run(&w);
        pg_exec_text(&pair.postgres, "CLUSTER ds_p.s__people USING s__people__k");
    }
    w.options.verify = true;
    ds_job_result result;
    ds_error err;
    OK(world_job(&w, &result, &err));
    assert_true(result.equal);
    assert_int_equal(result.counts.unchanged, 47);
    world_close(&w);
}

// Many deltas are merged with statistics of today, and none are left out of the counts.
static void many_deltas(void **state)
{
    (void)state;
    world w;
    start(&w, MILESTONING_SCD4, "id integer primary key; name varchar(20)");
    world_source(&w, "INSERT INTO people SELECT i, 'p' FROM generate_series(51, 15000) AS g (i)");
    run(&w);
    world_source(&w, "UPDATE people SET name = 'q' WHERE id % 2 = 0; DELETE FROM people WHERE id % 5 = 1");
    ds_job_result result;
    ds_error err;
    OK(world_job(&w, &result, &err));
    assert_int_equal(result.counts.deleted, 3000);
    assert_int_equal(result.counts.updated, 6000);
    assert_string_equal(world_query(&w, true, "SELECT count(*) FROM ds_p.s__people__h"), "9000\n");
    world_close(&w);
}

// Fails when the live rows' hashes can't be read from the index alone. (Of so few short rows a scan is as cheap.)
#define MUST_NEED_NO_ROWS                                                                                              \
    "DO $$ DECLARE plan json; BEGIN SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; "               \
    "EXECUTE 'EXPLAIN (FORMAT json) SELECT name, ds_row_hash FROM ds_p.s__people "                                     \
    "WHERE ds_batch_out = 9223372036854775807' INTO plan; "                                                            \
    "IF plan->0->'Plan'->>'Node Type' <> 'Index Only Scan' THEN RAISE '%', plan; END IF; END $$"

// Once closed versions outnumber the live ones, hashes come from the index alone, and the places of what is gone from a
// second look.
static void gone_among_many_closed_versions(void **state)
{
    (void)state;
    static const char *const COLUMNS[] = {
        "id integer; name varchar(20) primary key", "id integer primary key; name varchar(20) primary key",
        "id bigint primary key; name varchar(20)", // named by its number
    };
    for (size_t i = 0; i < sizeof COLUMNS / sizeof COLUMNS[0]; i++) {
        world w;
        start(&w, MILESTONING_SCD2, COLUMNS[i]);
        world_source(&w, "INSERT INTO people SELECT i, 'p' || i FROM generate_series(51, 3000) AS g (i)");
        run(&w);
        for (int round = 1; round <= 4; round++) {
            world_source(&w, i == 0 ? "UPDATE people SET id = id + 10000" : "UPDATE people SET name = name || 'x'");
            run(&w);
        }
        pg_exec_text(&pair.postgres, "VACUUM ANALYZE ds_p.s__people");
        if (i == 0)
            pg_exec_text(&pair.postgres, MUST_NEED_NO_ROWS);
        world_source(&w, "DELETE FROM people WHERE id % 7 = 3; UPDATE people SET id = -id WHERE id % 7 = 4");
        ds_job_result result;
        ds_error err;
        w.options.verify = true;
        OK(world_job(&w, &result, &err));
        assert_true(result.equal);
        assert_int_equal(result.counts.deleted, i == 0 ? 429 : 429 + 429);
        assert_int_equal(result.counts.updated, i == 0 ? 429 : 0);
        assert_int_equal(result.counts.inserted, i == 0 ? 0 : 429);
        world_close(&w);
    }
}

// Somebody who changes tables, until a job waits for that.
typedef struct changer {
    ds_lock *lock;
    int waits;
} changer;

static void change_tables(changer *c, ds_control *control)
{
    bool held;
    ds_error err;
    *c = (changer){.lock = lock_new(control, "test")};
    OK(lane_take(c->lock, control, 0, &held, &err));
    assert_true(held);
}

static void let_it_in(void *context, const char *point)
{
    changer *c = context;
    if (strcmp(point, "lane") != 0)
        return;
    c->waits++;
    lock_freep(&c->lock);
}

static void large_tables_are_indexed_one_at_a_time(void **state)
{
    (void)state;
    static const struct {
        int rows, waits;
    } CASES[] = {{30000, 1}, {300, 0}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        world w;
        changer c;
        ds_control *control;
        ds_error err;
        pair_clear(&pair);
        world_open_on(&w, &pair, MILESTONING_SCD1);
        world_dataset(&w, "people", "id integer primary key; name varchar(20)");
        world_apply(&w);
        world_source(&w, arena_printf(w.arena, "INSERT INTO people SELECT i, 'p' FROM generate_series(1, %d) AS g (i)",
                                      CASES[i].rows));
        OK(control_open(&w.runtime, &w.merge, CONTROL_WRITE, &control, &err));
        change_tables(&c, control);
        w.runtime.checkpoint = let_it_in;
        w.runtime.checkpoint_context = &c;
        run(&w);
        assert_int_equal(c.waits, CASES[i].waits);
        assert_string_equal(world_query(&w, true, "SELECT count(*) FROM ws_w.g__s__people"),
                            arena_printf(w.arena, "%d\n", CASES[i].rows));
        lock_freep(&c.lock);
        control_close(control);
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(live_rows_keep_their_places),
        cmocka_unit_test(rows_may_move_between_batches),
        cmocka_unit_test(many_deltas),
        cmocka_unit_test(gone_among_many_closed_versions),
        cmocka_unit_test(large_tables_are_indexed_one_at_a_time),
    };
    if (!pair_open(&pair, "postgres"))
        return 2;
    int failed = cmocka_run_group_tests(TESTS, NULL, NULL);
    pair_close(&pair);
    return failed;
}
