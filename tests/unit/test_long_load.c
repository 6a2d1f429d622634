// First loads of tables that are too large for a batch: in ranges, over many cycles, while the source changes and the
// job is killed. What is there afterwards must be what the source holds, and history begins with the batch that shows
// it.
#include <stdio.h>
#include <stdlib.h>

#include "store/sqlite/sqlite.h"
#include "support/check.h"
#include "support/crash.h"
#include "support/estate_model.h"
#include "support/fault.h"
#include "support/truth.h"

enum { FIRST_ROWS = 30, CYCLES_MAX = 60 };

// --- keys of many kinds: the k-th in the source's order, more or less

typedef const char *key_of(ds_arena *arena, int k);

static const char *integer_key(ds_arena *arena, int k)
{
    return arena_printf(arena, "%d", k);
}

static const char *composite_key(ds_arena *arena, int k)
{
    return arena_printf(arena, "'o''%c', %d", 'a' + k / 100, k % 100);
}

static const char *text_key(ds_arena *arena, int k)
{
    return arena_printf(arena, "'%s%d'", k % 3 ? "x ''\"" : "\303\244", k);
}

static const char *decimal_key(ds_arena *arena, int k)
{
    return arena_printf(arena, "%d.%d", k - 100, k % 10);
}

static const char *float_key(ds_arena *arena, int k)
{
    return arena_printf(arena, "%d.1e%d", k - 100, k % 7);
}

static const char *instant_key(ds_arena *arena, int k)
{
    return arena_printf(arena, "'2026-01-%02d %02d:00:00', %d", 1 + k / 24, k % 24, -k);
}

static const char *uuid_key(ds_arena *arena, int k)
{
    return arena_printf(arena, "'%08x-0000-4000-8000-000000000000'", (unsigned)k * 2654435761u);
}

typedef struct shape_case {
    const char *name, *columns; // the key's first, then name and n
    key_of *key;
} shape_case;

#define REST "; name varchar(20); n integer"
static const shape_case CASES[] = {
    {"integer", "id integer primary key" REST, integer_key},
    {"composite", "a varchar(10) primary key; b integer primary key" REST, composite_key},
    {"text", "id varchar(40) primary key" REST, text_key},
    {"decimal", "id decimal(9,2) primary key" REST, decimal_key},
    {"float", "id double primary key" REST, float_key},
    {"instant", "at timestamp primary key; b smallint primary key" REST, instant_key},
    {"uuid", "id uuid primary key" REST, uuid_key},
};
enum { CASE_COUNT = sizeof CASES / sizeof CASES[0] };

// --- a world of a large table and a small one

typedef struct large {
    world w;
    const shape_case *shape;
    bool alone; // the large table is all that the stream has
    ds_job_result result;
} large;

static void put(large *l, int k, const char *name)
{
    ds_arena *arena = l->w.arena;
    world_source(&l->w,
                 arena_printf(arena, "INSERT INTO people VALUES (%s, '%s', %d)", l->shape->key(arena, k), name, k));
}

static void fill(large *l)
{
    CLEANUP(buf_release) ds_buf rows = BUF_INIT(1 << 16);
    buf_puts(&rows, "INSERT INTO people VALUES ");
    for (int k = 10; k <= 10 * FIRST_ROWS; k += 10)
        buf_printf(&rows, "%s(%s, 'n%d', %d)", k > 10 ? ", " : "", l->shape->key(l->w.arena, k), k, k);
    world_source(&l->w, buf_text(&rows));
}

static void set_up(large *l)
{
    world *w = &l->w;
    w->options.long_loads = (ds_long_load_options){.restart_rows = 10, .range_rows = 4, .cycle_units = 1};
    w->def.chunk_rows = 3;
    world_dataset(w, "people", l->shape->columns);
    if (!l->alone)
        world_dataset(w, "towns", "id integer primary key; name text");
    world_apply(w);
    fill(l);
    if (!l->alone)
        world_source(w, "INSERT INTO towns VALUES (1, 'Aa'), (2, 'Bb')");
    world_source(w, l->alone ? "ANALYZE people" : "ANALYZE people; ANALYZE towns"); // PostgreSQL's estimate
}

static void open_large(large *l, const ds_driver *driver, ds_milestoning milestoning)
{
    world_open(&l->w, driver, milestoning);
    set_up(l);
}

// People are large; the other way round it would be no test.
static const char *source_rows(large *l)
{
    return world_query(&l->w, false, "SELECT n, name FROM people ORDER BY n");
}

static const char *live_rows(large *l)
{
    const char *view = world_name(&l->w, l->w.datasets[0].views[0].relation);
    return world_query(&l->w, true, arena_printf(l->w.arena, "SELECT n, name FROM %s ORDER BY n", view));
}

static void check_truth(large *l)
{
    assert_string_equal(truth_broken(&l->w.runtime, &l->w.merge, &l->w.def, l->w.arena), "");
}

static int64_t number(large *l, const char *select)
{
    return strtoll(world_query(&l->w, true, select), NULL, 10);
}

static int64_t count(large *l, const char *control_table, const char *where)
{
    return number(l, arena_printf(l->w.arena, "SELECT count(*) FROM %s WHERE %s", world_control(&l->w, control_table),
                                  where));
}

static void run_once(large *l)
{
    ds_error err;
    OK(world_job(&l->w, &l->result, &err));
    check_truth(l);
}

static void run_to_end(large *l)
{
    for (int i = 0; i < CYCLES_MAX; i++) {
        run_once(l);
        if (!l->result.keep_working)
            return;
    }
    fail_msg("the load has no end: %s", l->result.note);
}

static int64_t first_batch(large *l)
{
    return number(l, arena_printf(l->w.arena, "SELECT COALESCE(min(batch_id), 0) FROM %s WHERE dataset = 'people'",
                                  world_control(&l->w, "dataset_batch")));
}

static const char *as_of(large *l, int64_t batch)
{
    world *w = &l->w;
    long long b = (long long)batch;
    const char *sql = arena_printf(w->arena, "SELECT n, name FROM %s WHERE ds_batch_in <= %lld",
                                   world_name(w, w->datasets[0].merge), b);
    if (w->def.milestoning == MILESTONING_SCD2)
        sql = arena_printf(w->arena, "%s AND ds_batch_out >= %lld", sql, b);
    if (w->def.milestoning == MILESTONING_SCD4)
        sql = arena_printf(w->arena,
                           "%s UNION ALL SELECT n, name FROM %s WHERE ds_batch_in <= %lld AND ds_batch_out >= %lld",
                           sql, world_name(w, w->datasets[0].history), b, b);
    return world_query(w, true, arena_printf(w->arena, "SELECT * FROM (%s) AS v ORDER BY 1", sql));
}

// --- the source changes between ranges

static void move(large *l, int from, int to)
{
    world_source(&l->w, arena_printf(l->w.arena, "DELETE FROM people WHERE n = %d", from));
    put(l, to, "moved");
}

static void change(large *l, int cycle)
{
    world *w = &l->w;
    switch (cycle) {
    case 2:
        world_source(w, "DELETE FROM people WHERE n IN (10, 290); UPDATE people SET name = 'new' WHERE n IN (20, 200)");
        put(l, 5, "before");
        put(l, 305, "after");
        move(l, 30, 325);
        move(l, 280, 6);
        break;
    case 4:
        world_source(w, "DELETE FROM people WHERE n IN (20, 40, 250)");
        put(l, 40, "again");
        put(l, 7, "before");
        break;
    default:
        world_source(w, arena_printf(w->arena, "UPDATE people SET name = 'c%d' WHERE n %% 70 = %d", cycle,
                                     cycle % 7 * 10));
    }
    if (!l->alone)
        world_source(w, arena_printf(w->arena, "INSERT INTO towns VALUES (%d, 'T')", 10 + cycle));
}

// While it loads nothing of it is seen, and the rest of the stream goes on.
static void check_meanwhile(large *l, int cycle)
{
    assert_true(l->result.keep_working);
    assert_string_equal(live_rows(l), "");
    assert_int_equal(count(l, "dataset_batch", "dataset = 'people'"), 0);
    assert_int_equal(l->result.batch, l->alone ? 0 : cycle);
    assert_non_null(strstr(l->result.note, "people: "));
    if (!l->alone)
        assert_int_equal(number(l, arena_printf(l->w.arena, "SELECT count(*) FROM %s",
                                                world_name(&l->w, l->w.datasets[1].views[0].relation))),
                         cycle + 1);
}

static void check_history(large *l, int64_t joined)
{
    world *w = &l->w;
    const char *before = source_rows(l);
    assert_string_equal(as_of(l, joined), before);
    world_source(w, "DELETE FROM people WHERE n = 60; UPDATE people SET name = 'later' WHERE n = 70");
    run_once(l);
    assert_false(l->result.keep_working);
    assert_string_equal(live_rows(l), source_rows(l));
    if (w->def.milestoning == MILESTONING_SCD1)
        return;
    assert_string_equal(as_of(l, joined), before);
    assert_string_equal(as_of(l, l->result.batch), source_rows(l));
    if (joined > 1) // as an empty batch is, after a week
        world_merge(w, arena_printf(w->arena, "DELETE FROM %s WHERE batch_id = 1", world_control(w, "batch")));
    const char *history = world_name(w, w->datasets[0].views[1].relation);
    assert_int_equal(number(l, arena_printf(w->arena,
                                            "SELECT count(*) FROM %s WHERE ds_valid_from IS NULL OR "
                                            "ds_batch_in > ds_batch_out",
                                            history)),
                     0);
    assert_int_equal(number(l, arena_printf(w->arena, "SELECT count(*) FROM %s WHERE ds_batch_out < 1000", history)),
                     2);
}

static void changing_source(large *l)
{
    int cycle = 1;
    for (; cycle < CYCLES_MAX; cycle++) {
        run_once(l);
        if (!l->result.keep_working)
            break;
        check_meanwhile(l, cycle);
        change(l, cycle + 1);
    }
    assert_in_range(cycle, FIRST_ROWS / 4, CYCLES_MAX - 1);
    int64_t joined = first_batch(l);
    assert_int_equal(joined, l->result.batch);
    assert_int_equal(joined, l->alone ? 1 : cycle);
    assert_string_equal(live_rows(l), source_rows(l));
    assert_int_equal(count(l, "restart", "1 = 1"), 0);
    assert_int_equal(count(l, "event", "kind = 'repaired'"), 0);
    l->w.options.verify = true;
    run_once(l);
    l->w.options.verify = false;
    assert_true(l->result.equal);
    check_history(l, first_batch(l));
}

// Servers take their time: each strategy meets some of the keys there.
static bool is_chosen(const char *engines, size_t strategy, size_t key)
{
    if (strcmp(engines, "sqlite") == 0)
        return true;
    return key % 3 == strategy && (key < 3 || strcmp(engines, "postgres") == 0);
}

static void changing_sources_on(const char *engines)
{
    test_pair pair;
    assert_true(pair_open(&pair, engines));
    for (int m = MILESTONING_SCD1; m <= MILESTONING_SCD4; m++)
        for (size_t i = 0; i < CASE_COUNT; i++) {
            if (!is_chosen(engines, (size_t)m, i))
                continue;
            large l = {.shape = &CASES[i], .alone = i == 1};
            world_open_on(&l.w, &pair, (ds_milestoning)m);
            set_up(&l);
            changing_source(&l);
            world_close(&l.w);
            pair_clear(&pair);
        }
    pair_close(&pair);
}

static void changing_sqlite(void **state)
{
    (void)state;
    changing_sources_on("sqlite");
}

static void changing_postgres(void **state)
{
    (void)state;
    changing_sources_on("postgres");
}

static void changing_mixed(void **state)
{
    (void)state;
    changing_sources_on("sqlite-postgres");
    changing_sources_on("postgres-sqlite");
}

// --- what SQLite lets stand in a column

static void keys_of_odd_storage(void **state)
{
    (void)state;
    large l = {.shape = &CASES[0], .alone = true};
    open_large(&l, &SQLITE_DRIVER, MILESTONING_SCD1);
    // Without an affinity a text stays one, and is larger than every number.
    world_source(&l.w, "DROP TABLE people; CREATE TABLE people (id, name TEXT, n INTEGER);"
                       "WITH RECURSIVE i(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM i WHERE k < 40) "
                       "INSERT INTO people SELECT CASE k % 2 WHEN 0 THEN k ELSE '' || k END, 'x', k FROM i");
    run_to_end(&l);
    assert_string_equal(live_rows(&l), source_rows(&l));
    world_close(&l.w);
}

// --- kills

static void check_finished(large *l)
{
    change(l, 3);
    run_to_end(l);
    run_once(l); // a batch that was killed in merging read nothing since
    assert_string_equal(live_rows(l), source_rows(l));
    assert_string_equal(as_of(l, l->result.batch), source_rows(l));
    assert_int_equal(count(l, "restart", "1 = 1"), 0);
    l->w.options.verify = true;
    run_once(l);
    assert_true(l->result.equal);
}

// At every point that is passed, the first time and again, until one is passed no more.
static void killed_at_every_point(void **state)
{
    (void)state;
    static const char *const POINTS[] = {"begun",   "long:chosen",    "long:range", "long:indexed",
                                         "merging", "ingest:dataset", "committed"};
    int kills = 0;
    for (int m = MILESTONING_SCD1; m <= MILESTONING_SCD4; m++)
        for (size_t i = 0; i < sizeof POINTS / sizeof POINTS[0]; i++)
            for (int n = 1, alone = 0; alone < 2; n++) {
                large l = {.shape = &CASES[1], .alone = alone};
                open_large(&l, &SQLITE_DRIVER, (ds_milestoning)m);
                l.w.options.long_loads.cycle_units = 0;
                l.w.options.long_loads.cycle_ms = 600000;
                crash_end end = crash_job(&l.w, POINTS[i], n);
                if (end == CRASH_DONE) // and once more in the batch that it joins
                    end = crash_job(&l.w, POINTS[i], n);
                check_truth(&l);
                kills += end == CRASH_KILLED;
                check_finished(&l);
                world_close(&l.w);
                if (end != CRASH_KILLED || n == 12) {
                    alone++;
                    n = 0;
                }
            }
    assert_in_range(kills, 60, 1000);
}

// Every driver call fails once.
static void failing_at_every_call(void **state)
{
    (void)state;
    ds_fault *fault = fault_new(&SQLITE_DRIVER);
    static const int MODES[] = {FAULT_ONCE, FAULT_ONCE | FAULT_AFTER};
    long hits = 0, step = 3;
    for (int mode = 0; mode < 2; mode++)
        for (long n = 1, more = 1; more; n += step) {
            large l = {.shape = &CASES[0], .alone = n % 2 == 0};
            open_large(&l, fault_driver(fault), n % 3 ? MILESTONING_SCD2 : MILESTONING_SCD4);
            l.w.options.long_loads.cycle_units = 3;
            fault_arm(fault, n, MODES[mode], DS_ENV);
            more = 0;
            for (int i = 0; i < CYCLES_MAX; i++) {
                ds_error err;
                bool good = world_job(&l.w, &l.result, &err).code == DS_OK;
                if (good && !l.result.keep_working)
                    break;
            }
            more = fault_hits(fault);
            hits += more;
            fault_arm(fault, 1, FAULT_OFF, DS_OK);
            assert_string_equal(live_rows(&l), source_rows(&l));
            check_finished(&l);
            world_close(&l.w);
        }
    assert_in_range(hits, 50, 100000);
    fault_free(fault);
}

// --- what comes between

static void another_definition_begins_anew(void **state)
{
    (void)state;
    static const struct {
        const char *columns;
        bool anew;
    } DEFINITIONS[] = {
        {"id integer primary key; name varchar(20); n integer", false},
        {"id integer primary key; name varchar(30); n integer", true},
        {"id bigint primary key; name varchar(20); n integer", true},
        {"id integer; name varchar(20); n integer primary key", true},
        {"id integer primary key; name varchar(20); n integer primary key", true},
    };
    for (size_t i = 0; i < sizeof DEFINITIONS / sizeof DEFINITIONS[0]; i++) {
        large l = {.shape = &CASES[0], .alone = true};
        open_large(&l, &SQLITE_DRIVER, MILESTONING_SCD2);
        run_once(&l);
        run_once(&l);
        l.w.def.dataset_count = 0;
        world_dataset(&l.w, "people", DEFINITIONS[i].columns);
        l.w.def.max_delete_ratio = 0.5;
        world_apply(&l.w);
        assert_int_equal(count(&l, "restart", "rows_loaded = 8"), !DEFINITIONS[i].anew);
        run_to_end(&l);
        assert_string_equal(live_rows(&l), source_rows(&l));
        world_close(&l.w);
    }
}

static void a_dataset_that_goes_takes_its_point_with_it(void **state)
{
    (void)state;
    large l = {.shape = &CASES[0]};
    open_large(&l, &SQLITE_DRIVER, MILESTONING_SCD1);
    run_once(&l);
    assert_int_equal(count(&l, "restart", "dataset = 'people'"), 1);
    ds_dataset_def people = l.w.datasets[0];
    l.w.datasets[0] = l.w.datasets[1];
    l.w.def.dataset_count = 1;
    world_apply(&l.w);
    assert_int_equal(count(&l, "restart", "1 = 1"), 0);
    run_once(&l);
    assert_false(l.result.keep_working);
    l.w.datasets[0] = people;
    world_apply(&l.w);
    run_to_end(&l);
    assert_string_equal(live_rows(&l), source_rows(&l));
    world_close(&l.w);
}

// By apply, since somebody dropped it, or since its type changed: the point was that of the old one.
static void a_table_made_anew_has_no_point(void **state)
{
    (void)state;
    static const estate_model MODELS[] = {{.people = "id: integer primary key, name: text", .live = "Store1/people"},
                                          {.people = "id: bigint primary key, name: text", .live = "Store1/people"}};
    for (int widen = 0; widen < 2; widen++) {
        estate e;
        estate_open(&e, &SQLITE_DRIVER);
        estate_sql(&e, "source.db", "CREATE TABLE people (id INTEGER, name TEXT)");
        estate_use(&e, &MODELS[0]);
        estate_apply(&e);
        estate_sql(
            &e, "merge.db",
            "INSERT INTO datasurface__restart VALUES ('P/Store1', 'people', '{}', 0, '2026-01-01 00:00:00+00:00')");
        if (!widen)
            estate_sql(&e, "merge.db", "DROP TABLE ds_p__store1__people");
        estate_use(&e, &MODELS[widen]);
        estate_apply(&e);
        assert_string_equal(estate_query(&e, "merge.db", "SELECT count(*) FROM datasurface__restart"), "0\n");
        estate_job(&e, "P/Store1");
        estate_close(&e);
    }
}

static void reset(large *l, int64_t batch)
{
    int64_t was = -1, rows;
    ds_error err;
    OK(job_reset(&l->w.runtime, &l->w.merge, l->w.def.name, false, &was, &rows, &err));
    assert_int_equal(was, batch);
    check_truth(l);
}

static void a_reset_leaves_a_load_alone(void **state)
{
    (void)state;
    large l = {.shape = &CASES[0]};
    open_large(&l, &SQLITE_DRIVER, MILESTONING_SCD2);
    run_once(&l);
    reset(&l, 0);
    assert_int_equal(count(&l, "restart", "rows_loaded = 4"), 1);
    world_source(&l.w, "DELETE FROM towns");
    assert_int_equal(crash_job(&l.w, "merging", 1), CRASH_KILLED);
    reset(&l, 2);
    assert_int_equal(count(&l, "restart", "rows_loaded = 4"), 1);
    run_to_end(&l);
    assert_string_equal(live_rows(&l), source_rows(&l));
    world_close(&l.w);
}

static void a_resnapshot_is_done_by_the_batch_that_joins(void **state)
{
    (void)state;
    large l = {.shape = &CASES[0], .alone = true};
    open_large(&l, &SQLITE_DRIVER, MILESTONING_SCD2);
    run_once(&l);
    ds_error err;
    ds_control *control;
    OK(control_open(&l.w.runtime, &l.w.merge, CONTROL_WRITE, &control, &err));
    OK(control_set_resnapshot(control, l.w.def.name, true, &err));
    control_close(control);
    world_merge(&l.w, "UPDATE ds_p__s__people SET name = 'damaged' WHERE n = 20");
    run_to_end(&l);
    assert_string_equal(live_rows(&l), source_rows(&l));
    assert_int_equal(count(&l, "stream", "resnapshot = 0"), 1);
    world_close(&l.w);
}

static void a_verify_loads_nothing(void **state)
{
    (void)state;
    for (int alone = 0; alone < 2; alone++) {
        large l = {.shape = &CASES[0], .alone = alone};
        open_large(&l, &SQLITE_DRIVER, MILESTONING_SCD1);
        l.w.options.verify = true;
        run_once(&l);
        run_once(&l);
        assert_false(l.result.keep_working);
        assert_int_equal(l.result.n, !alone);
        assert_non_null(strstr(l.result.note, "people: 0 of about 30 rows are loaded"));
        world_close(&l.w);
    }
}

// --- failures

static void a_source_that_goes_is_no_empty_one(void **state)
{
    (void)state;
    large l = {.shape = &CASES[0], .alone = true};
    open_large(&l, &SQLITE_DRIVER, MILESTONING_SCD1);
    run_once(&l);
    world_source(&l.w, "ALTER TABLE people RENAME TO folk");
    ds_error err;
    FAILS(world_job(&l.w, &l.result, &err), DS_FINDING, "is missing");
    assert_int_equal(count(&l, "event", "kind = 'failed'"), 1);
    assert_int_equal(count(&l, "lease", "1 = 1"), 0);
    assert_int_equal(count(&l, "restart", "rows_loaded = 4"), 1);
    world_source(&l.w, "ALTER TABLE folk RENAME TO people; ALTER TABLE people RENAME COLUMN name TO title");
    FAILS(world_job(&l.w, &l.result, &err), DS_FINDING, "source column changed");
    world_source(&l.w, "ALTER TABLE people RENAME COLUMN title TO name; UPDATE people SET n = 'x' WHERE id = 60");
    FAILS(world_job(&l.w, &l.result, &err), DS_FINDING, "dataset people");
    world_source(&l.w, "UPDATE people SET n = 60 WHERE id = 60");
    run_to_end(&l);
    assert_string_equal(live_rows(&l), source_rows(&l));
    world_close(&l.w);
}

static void a_source_emptied_meanwhile_is_guarded(void **state)
{
    (void)state;
    large l = {.shape = &CASES[0], .alone = true};
    open_large(&l, &SQLITE_DRIVER, MILESTONING_SCD1);
    l.w.def.max_delete_ratio = 0.5;
    world_apply(&l.w);
    for (int i = 0; i < 6; i++)
        run_once(&l);
    world_source(&l.w, "DELETE FROM people");
    ds_error err;
    for (int i = 0; i < 2; i++)
        run_once(&l);
    FAILS(world_job(&l.w, &l.result, &err), DS_FINDING, "guarded: dataset people would go from 24 to 0 rows");
    l.w.options.accept_deletes = true;
    run_to_end(&l);
    assert_string_equal(live_rows(&l), "");
    world_close(&l.w);
}

static void duplicates_are_named_by_the_batch_that_joins(void **state)
{
    (void)state;
    large l = {.shape = &CASES[0], .alone = true};
    open_large(&l, &SQLITE_DRIVER, MILESTONING_SCD2);
    put(&l, 90, "twin");
    ds_error err;
    ds_rc rc;
    do {
        rc = world_job(&l.w, &l.result, &err);
        if (rc.code == DS_OK)
            check_truth(&l);
    } while (rc.code == DS_OK && l.result.keep_working);
    FAILS(rc, DS_FINDING, "duplicate key in the source: id=90");
    world_source(&l.w, "DELETE FROM people WHERE name = 'twin'");
    run_to_end(&l);
    assert_string_equal(live_rows(&l), source_rows(&l));
    world_close(&l.w);
}

// What was loaded is held against them when it joins, staged or not; the ranges are not read again for it.
static void checks_run_when_it_joins(void **state)
{
    (void)state;
    static const char *const N[] = {"n"};
    static const ds_check_def CHECK = {.kind = CHECK_RANGE, .columns = N, .column_count = 1, .max = "290"};
    for (int m = MILESTONING_SCD1; m <= MILESTONING_SCD4; m++) {
        large l = {.shape = &CASES[0], .alone = m == MILESTONING_SCD2};
        open_large(&l, &SQLITE_DRIVER, (ds_milestoning)m);
        l.w.datasets[0].checks = &CHECK;
        l.w.datasets[0].check_count = 1;
        world_apply(&l.w);
        ds_error err;
        ds_rc rc;
        do {
            rc = world_job(&l.w, &l.result, &err);
            check_truth(&l);
        } while (rc.code == DS_OK && l.result.keep_working);
        FAILS(rc, DS_FINDING, "check range(n ..290) of people failed for 1 row: id=300");
        world_source(&l.w, "UPDATE people SET n = 291 WHERE id IN (20, 300)"); // now one of them is staged
        FAILS(world_job(&l.w, &l.result, &err), DS_FINDING, "failed for 2 rows: id=20, id=300");
        world_source(&l.w, "UPDATE people SET n = 1 WHERE id IN (20, 300)");
        run_to_end(&l);
        assert_string_equal(live_rows(&l), source_rows(&l));
        check_finished(&l);
        world_close(&l.w);
    }
}

// The order of the source's text changed with a library: some keys come twice, some never.
static void an_order_that_changes_is_repaired(void **state)
{
    (void)state;
    for (int m = MILESTONING_SCD1; m <= MILESTONING_SCD4; m++) {
        large l = {.shape = &CASES[0], .alone = true};
        open_large(&l, &SQLITE_DRIVER, (ds_milestoning)m);
        for (int i = 0; i < 4; i++)
            run_once(&l);
        const char *restart = world_control(&l.w, "restart");
        world_merge(&l.w,
                    arena_printf(l.w.arena, "UPDATE %s SET point = replace(point, '\"160\"', '\"45\"')", restart));
        world_source(&l.w, "UPDATE people SET name = 'second' WHERE n = 70");
        run_to_end(&l);
        assert_string_equal(live_rows(&l), source_rows(&l));
        assert_int_equal(number(&l, "SELECT count(*) FROM ds_p__s__people"), FIRST_ROWS);
        world_close(&l.w);
    }
}

static void a_damaged_point_says_what_to_do(void **state)
{
    (void)state;
    static const char *const DAMAGES[] = {"''", "'[]'", "'{\"format\": 2}'", "replace(point, 'ranges', 'x')"};
    for (size_t i = 0; i < sizeof DAMAGES / sizeof DAMAGES[0]; i++) {
        large l = {.shape = &CASES[0], .alone = true};
        open_large(&l, &SQLITE_DRIVER, MILESTONING_SCD1);
        run_once(&l);
        world_merge(&l.w,
                    arena_printf(l.w.arena, "UPDATE %s SET point = %s", world_control(&l.w, "restart"), DAMAGES[i]));
        ds_error err;
        FAILS(world_job(&l.w, &l.result, &err), DS_FINDING, "the restart point of P/S/people can't be read");
        HINTS("delete that row");
        world_merge(&l.w, arena_printf(l.w.arena, "DELETE FROM %s", world_control(&l.w, "restart")));
        run_to_end(&l);
        assert_string_equal(live_rows(&l), source_rows(&l));
        world_close(&l.w);
    }
}

// --- what is loaded in a batch all the same

static void loads_that_stay_in_a_batch(void **state)
{
    (void)state;
    static const struct {
        const char *columns;
        int64_t staging_batches, restart_rows;
    } SETTINGS[] = {
        {"id integer; name varchar(20); n integer", DEFAULT_STAGING_BATCHES, 10},
        {"id integer primary key; name varchar(20); n integer", STAGING_BATCHES_ALL, 10},
        {"id integer primary key; name varchar(20); n integer", DEFAULT_STAGING_BATCHES, FIRST_ROWS},
        {"id integer primary key; name varchar(20); n integer", DEFAULT_STAGING_BATCHES, 0},
    };
    for (size_t i = 0; i < sizeof SETTINGS / sizeof SETTINGS[0]; i++) {
        shape_case shape = {"", SETTINGS[i].columns, integer_key};
        large l = {.shape = &shape, .alone = true};
        open_large(&l, &SQLITE_DRIVER, MILESTONING_SCD1);
        l.w.options.long_loads.restart_rows = SETTINGS[i].restart_rows;
        l.w.def.staging_batches = SETTINGS[i].staging_batches;
        world_apply(&l.w);
        run_once(&l);
        assert_false(l.result.keep_working);
        assert_int_equal(l.result.batch, 1);
        assert_string_equal(live_rows(&l), source_rows(&l));
        world_close(&l.w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changing_sqlite),
        cmocka_unit_test(changing_postgres),
        cmocka_unit_test(changing_mixed),
        cmocka_unit_test(keys_of_odd_storage),
        cmocka_unit_test(killed_at_every_point),
        cmocka_unit_test(failing_at_every_call),
        cmocka_unit_test(another_definition_begins_anew),
        cmocka_unit_test(a_dataset_that_goes_takes_its_point_with_it),
        cmocka_unit_test(a_table_made_anew_has_no_point),
        cmocka_unit_test(a_reset_leaves_a_load_alone),
        cmocka_unit_test(a_resnapshot_is_done_by_the_batch_that_joins),
        cmocka_unit_test(a_verify_loads_nothing),
        cmocka_unit_test(a_source_that_goes_is_no_empty_one),
        cmocka_unit_test(a_source_emptied_meanwhile_is_guarded),
        cmocka_unit_test(duplicates_are_named_by_the_batch_that_joins),
        cmocka_unit_test(checks_run_when_it_joins),
        cmocka_unit_test(an_order_that_changes_is_repaired),
        cmocka_unit_test(a_damaged_point_says_what_to_do),
        cmocka_unit_test(loads_that_stay_in_a_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
