// yellow/plan/plan.h: from an empty database on, what plan finds, and that a plan after apply is empty (estate_apply
// checks it every time).
#include "store/sqlite/sqlite.h"
#include "support/check.h"
#include "support/estate_model.h"
#include "support/fault.h"
#include "yellow/def/def.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEOPLE "id: integer primary key, name: text"
#define ORDERS "id: integer primary key, person: integer"
#define SOURCE                                                                                                         \
    "CREATE TABLE people (id INTEGER, name TEXT, born TEXT);"                                                          \
    "INSERT INTO people VALUES (1, 'a', '2020-02-29'), (2, 'b', NULL);"                                                \
    "CREATE TABLE orders (id INTEGER, person INTEGER); INSERT INTO orders VALUES (7, 1)"
#define LIVE_VIEW "SELECT * FROM ws_consumer__live__store1__people ORDER BY 1"

static const estate_model BOTH = {.people = PEOPLE, .orders = ORDERS, .live = "Store1/people, Store1/orders"};
static const estate_model ONE = {.people = PEOPLE, .live = "Store1/people"};

static void begin(estate *e, const estate_model *model)
{
    estate_open(e, &SQLITE_DRIVER);
    estate_sql(e, "source.db", SOURCE);
    estate_use(e, model);
}

static void expect_changes(estate *e, bool prune, const char *expected)
{
    assert_string_equal(estate_changes(e, estate_plan(e, prune)), expected);
}

// --- the first apply

static void from_nothing(void **state)
{
    (void)state;
    estate e;
    estate_model model = {.people = PEOPLE, .milestoning = "scd4", .full = "Store1/people"};
    begin(&e, &model);
    expect_changes(&e, false,
                   "create control tables\ncreate stream P/Store1\ncreate table ds_p__store1__people\n"
                   "create table ds_p__store1__people__h\ncreate view ws_consumer__full__store1__people\n"
                   "create view ws_consumer__full__store1__people__history\n");
    bool exists = true;
    ds_error err;
    OK(control_exists(&e.runtime, &e.deployment->merge, &exists, &err));
    assert_false(exists); // plan made no file
    estate_apply(&e);
    OK(control_exists(&e.runtime, &e.deployment->merge, &exists, &err));
    assert_true(exists);
    assert_string_equal(estate_query(&e, "merge.db", "SELECT * FROM ws_consumer__full__store1__people__history"), "");
    assert_string_equal(
        estate_query(&e, "merge.db",
                     "SELECT name FROM pragma_table_info('ws_consumer__full__store1__people__history')"),
        "id\nname\nds_batch_in\nds_batch_out\nds_valid_from\nds_valid_to\n");
    estate_job(&e, "P/Store1");
    assert_string_equal(
        estate_query(
            &e, "merge.db",
            "SELECT id, ds_batch_in, ds_batch_out, ds_valid_to FROM ws_consumer__full__store1__people__history"),
        "1|1|9223372036854775807|~\n2|1|9223372036854775807|~\n");
    estate_close(&e);
}

static void ids(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    begin(&e, &ONE);
    const ds_plan *first = estate_plan(&e, false), *again = estate_plan(&e, false);
    assert_string_equal(first->id, again->id);
    assert_int_equal(strlen(first->id), 32);
    assert_string_not_equal(first->id, estate_plan(&e, true)->id);
    FAILS(plan_apply(&e.runtime, first, "0123456789abcdef0123456789abcdef", &err), DS_FINDING, "moved since plan");
    OK(plan_apply(&e.runtime, first, again->id, &err));
    // What was shown is no longer what would be done.
    FAILS(plan_apply(&e.runtime, first, first->id, &err), DS_FINDING, "moved since plan");
    assert_string_equal(estate_query(&e, "merge.db", "SELECT id, plan_id FROM datasurface__applied"),
                        arena_printf(e.arena, "1|%s\n", first->id));
    estate_close(&e);
}

static void newer_database(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    begin(&e, &ONE);
    estate_apply(&e);
    const ds_plan *plan = estate_plan(&e, false);
    estate_sql(&e, "merge.db", "UPDATE datasurface__meta SET value = '999' WHERE key = 'schema_version'");
    FAILS(plan_make(&e.runtime, e.deployment, false, e.arena, &plan, &err), DS_FINDING, "newer datasurface");
    FAILS(plan_apply(&e.runtime, plan, NULL, &err), DS_FINDING, "newer datasurface");
    ds_control *control = NULL;
    FAILS(control_open(&e.runtime, &e.deployment->merge, CONTROL_READ, &control, &err), DS_FINDING,
          "newer datasurface");
    estate_close(&e);
}

static void older_database(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    begin(&e, &ONE);
    estate_apply(&e);
    const char *facts = estate_query(&e, "merge.db", "SELECT name, facts FROM datasurface__stream ORDER BY 1");
    assert_non_null(strstr(facts, "\"people\""));
    estate_sql(&e, "merge.db",
               "ALTER TABLE datasurface__dataset_batch DROP COLUMN position; DROP TABLE datasurface__trigger;"
               "ALTER TABLE datasurface__stream DROP COLUMN facts;"
               "UPDATE datasurface__meta SET value = '1' WHERE key = 'schema_version'");
    ds_control *control = NULL;
    FAILS(control_open(&e.runtime, &e.deployment->merge, CONTROL_READ, &control, &err), DS_FINDING,
          "made by an older datasurface");
    assert_non_null(strstr(err.hint, "run datasurface apply"));
    const ds_plan *plan = estate_plan(&e, false);
    assert_int_equal(plan->n, 1);
    assert_string_equal(plan->changes[0].object, "control tables");
    assert_string_equal(plan->changes[0].action, "update");
    const ds_plan *done;
    OK(plan_carry_out(&e.runtime, plan, NULL, e.arena, &done, &err));
    assert_string_equal(estate_changes(&e, done), "update control tables\n"); // it says what it did
    assert_int_equal(estate_plan(&e, false)->n, 0);
    assert_string_equal(estate_query(&e, "merge.db", "SELECT name, facts FROM datasurface__stream ORDER BY 1"), facts);
    OK(control_open(&e.runtime, &e.deployment->merge, CONTROL_READ, &control, &err));
    control_closep(&control);
    estate_close(&e);
}

// The upgrade and what the model wants are one apply, and one row of its history.
static void older_database_and_another_model(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    begin(&e, &ONE);
    estate_apply(&e);
    estate_sql(&e, "merge.db",
               "ALTER TABLE datasurface__applied DROP COLUMN commit_id; DROP TABLE datasurface__follow;"
               "UPDATE datasurface__meta SET value = '2' WHERE key = 'schema_version'");
    estate_model more = ONE;
    more.people = "id: integer primary key, name: text, note: text";
    estate_use(&e, &more);
    const ds_plan *done;
    OK(plan_carry_out(&e.runtime, estate_plan(&e, false), NULL, e.arena, &done, &err));
    assert_string_equal(done->changes[0].object, "control tables");
    assert_true(done->n > 2);
    assert_string_equal(estate_query(&e, "merge.db",
                                     "SELECT count(*), max(changes) LIKE '%control tables%people%' FROM "
                                     "datasurface__applied WHERE id > 1"),
                        "1|1\n");
    estate_close(&e);
}

// A model that may not take the place of the last one isn't taken for it because the tables are older.
static ds_rc never(void *context, const ds_applied_model *last, ds_error *err)
{
    *(bool *)context = last->commit[0] == '\0';
    return ds_fail(err, DS_FINDING, "no");
}

static void who_may_not_replace_changes_nothing(void **state)
{
    (void)state;
    static const bool OLDER[] = {false, true};
    for (size_t i = 0; i < 2; i++) {
        estate e;
        ds_error err;
        bool asked = false; // about a model without a commit
        begin(&e, &ONE);
        estate_apply(&e);
        if (OLDER[i])
            estate_sql(&e, "merge.db", "UPDATE datasurface__meta SET value = '2' WHERE key = 'schema_version'");
        estate_model more = ONE;
        more.people = "id: integer primary key, name: text, note: text";
        estate_use(&e, &more);
        e.runtime.commit = "c0ffee";
        e.runtime.may_replace = never;
        e.runtime.may_replace_context = &asked;
        FAILS(plan_apply(&e.runtime, estate_plan(&e, false), NULL, &err), DS_FINDING, "no");
        assert_true(asked);
        assert_string_equal(estate_query(&e, "merge.db", "SELECT count(*) FROM datasurface__applied"), "1\n");
        estate_close(&e);
    }
}

// Another text of the model with the same meaning changes no stream, but the record says which was applied.
static void model_without_effect(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    begin(&e, &ONE);
    estate_apply(&e);
    const char *yaml = arena_printf(e.arena, "# only a remark\n%s", estate_yaml(&e, &ONE));
    OK(estate_compile(&e, yaml, &err));
    estate_apply(&e);
    assert_string_equal(estate_query(&e, "merge.db", "SELECT tree_id FROM datasurface__applied WHERE id = 2"),
                        arena_printf(e.arena, "%s\n", e.runtime.tree_id));
    assert_string_equal(estate_query(&e, "merge.db", "SELECT version FROM datasurface__stream"), "1\n");
    estate_close(&e);
}

// Who held the stream's lease before can't write any more.
static void fence_rises(void **state)
{
    (void)state;
    estate e;
    begin(&e, &ONE);
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    assert_string_equal(estate_query(&e, "merge.db", "SELECT fence, version FROM datasurface__stream"), "1|1\n");
    estate_use(&e, &BOTH);
    estate_apply(&e);
    assert_string_equal(estate_query(&e, "merge.db", "SELECT fence, version FROM datasurface__stream"), "2|2\n");
    estate_close(&e);
}

// --- datasets and streams come and go

static void dataset_comes_and_goes(void **state)
{
    (void)state;
    estate e;
    begin(&e, &ONE);
    estate_apply(&e);
    estate_job(&e, "P/Store1");

    estate_use(&e, &BOTH);
    expect_changes(&e, false,
                   "update stream P/Store1\ncreate table ds_p__store1__orders\n"
                   "create view ws_consumer__live__store1__orders\n");
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    assert_string_equal(estate_query(&e, "merge.db", "SELECT * FROM ws_consumer__live__store1__orders"), "7|1\n");

    estate_use(&e, &ONE); // its rows stay, the view goes
    expect_changes(&e, false,
                   "update stream P/Store1\n!drop view ws_consumer__live__store1__orders\n"
                   "keep table ds_p__store1__orders\n");
    estate_apply(&e);
    estate_sql(&e, "source.db", "INSERT INTO orders VALUES (8, 2)");
    estate_job(&e, "P/Store1");

    estate_model wider = BOTH; // it comes back with another type, and with what it missed
    wider.orders = "id: bigint primary key, person: bigint";
    estate_use(&e, &wider);
    expect_changes(&e, false,
                   "update stream P/Store1\nwiden table ds_p__store1__orders\nwiden table ds_p__store1__orders\n"
                   "create view ws_consumer__live__store1__orders\n");
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    assert_string_equal(estate_query(&e, "merge.db", "SELECT * FROM ws_consumer__live__store1__orders"), "7|1\n8|2\n");
    assert_string_equal(estate_query(&e, "merge.db", "SELECT ds_batch_in FROM ds_p__store1__orders ORDER BY 1"),
                        "2\n4\n");
    estate_close(&e);
}

static void dataset_pruned(void **state)
{
    (void)state;
    estate e;
    begin(&e, &BOTH);
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    estate_use(&e, &ONE);
    estate_apply(&e);
    expect_changes(&e, true, "!drop table ds_p__store1__orders\n");
    estate_prune(&e);
    assert_string_equal(estate_query(&e, "merge.db", "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%orders%'"),
                        "0\n");
    assert_string_equal(estate_query(&e, "merge.db",
                                     "SELECT count(*) FROM datasurface__dataset_batch WHERE dataset = 'orders'"),
                        "0\n");
    estate_use(&e, &BOTH);
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    assert_string_equal(estate_query(&e, "merge.db", "SELECT * FROM ws_consumer__live__store1__orders"), "7|1\n");
    estate_close(&e);
}

// A week passes at the clock of the estate.
static void weeks_pass(estate *e, int64_t n)
{
    e->clock = clock_manual(clock_now_us(&e->clock) + n * 7 * INT64_C(86400000000));
}

static void what_a_group_required_is_kept(void **state)
{
    (void)state;
    static const bool WHOLE[] = {false, true}; // the stream goes, or one dataset of it
    for (size_t i = 0; i < 2; i++) {
        estate e;
        ds_error err;
        estate_model model = {.people = PEOPLE,
                              .orders = ORDERS,
                              .full = "Store1/people, Store1/orders",
                              .milestoning = "scd2",
                              .retention = "2w"};
        begin(&e, &model);
        estate_apply(&e);
        estate_job(&e, "P/Store1");
        model.full = WHOLE[i] ? NULL : "Store1/people";
        estate_use(&e, &model);
        OK(plan_apply(&e.runtime, estate_plan(&e, true), NULL, &err)); // at once: nothing but the views goes
        assert_string_equal(estate_query(&e, "merge.db", "SELECT count(*) FROM ds_p__store1__orders"), "1\n");
        weeks_pass(&e, 1);
        const ds_plan *plan = estate_plan(&e, true);
        assert_int_equal(plan->n, 1);
        assert_string_equal(plan->changes[0].action, "keep");
        assert_non_null(strstr(plan->changes[0].detail, "--prune leaves it until 2023-11-28"));
        assert_int_equal(estate_plan(&e, false)->n, 0);
        weeks_pass(&e, 1);
        plan = estate_plan(&e, true);
        assert_non_null(strstr(estate_changes(&e, plan), "drop table ds_p__store1__orders"));
        estate_prune(&e);
        estate_close(&e);
    }
}

// Whoever may say so takes the requirement back while the dataset is in use.
static void a_requirement_that_is_taken_back(void **state)
{
    (void)state;
    estate e;
    estate_model model = {.people = PEOPLE, .full = "Store1/people", .milestoning = "scd2", .retention = "7y"};
    begin(&e, &model);
    estate_apply(&e);
    model.retention = NULL;
    estate_use(&e, &model);
    estate_apply(&e);
    model.full = NULL;
    estate_use(&e, &model);
    assert_non_null(strstr(estate_changes(&e, estate_plan(&e, true)), "drop stream P/Store1"));
    estate_close(&e);
}

static void stream_comes_and_goes(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    begin(&e, &ONE);
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    estate_use(&e, &(estate_model){.people = PEOPLE});
    expect_changes(&e, false, "!drop view ws_consumer__live__store1__people\nkeep stream P/Store1\n");
    estate_apply(&e);
    assert_int_not_equal(estate_try_job(&e, "P/Store1", &err).code, DS_OK);
    assert_string_equal(estate_query(&e, "merge.db", "SELECT count(*) FROM ds_p__store1__people"), "2\n");

    estate_use(&e, &ONE);
    expect_changes(&e, false, "update stream P/Store1\ncreate view ws_consumer__live__store1__people\n");
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    assert_string_equal(estate_query(&e, "merge.db", LIVE_VIEW), "1|a\n2|b\n");

    estate_use(&e, &(estate_model){.people = PEOPLE});
    expect_changes(&e, true,
                   "!drop view ws_consumer__live__store1__people\n!drop table ds_p__store1__people\n"
                   "!drop stream P/Store1\n");
    estate_prune(&e);
    assert_string_equal(estate_query(&e, "merge.db",
                                     "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'datasurface%' AND name NOT "
                                     "LIKE 'sqlite%'"),
                        "");
    assert_string_equal(estate_query(&e, "merge.db", "SELECT count(*) FROM datasurface__batch"), "0\n");
    estate_close(&e);
}

static void another_service_is_left_alone(void **state)
{
    (void)state;
    estate e;
    begin(&e, &ONE);
    estate_apply(&e);
    const char *before = estate_query(&e, "merge.db", "SELECT * FROM datasurface__stream");
    estate_use(&e, &(estate_model){.people = PEOPLE, .service = "Other"});
    expect_changes(&e, true, "");
    estate_prune(&e);
    assert_string_equal(estate_query(&e, "merge.db", "SELECT * FROM datasurface__stream"), before);
    estate_close(&e);
}

// A platform that moved to another service, or a service with a new name: the stream goes on.
static void another_service_takes_over(void **state)
{
    (void)state;
    estate e;
    begin(&e, &ONE);
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    estate_model renamed = ONE;
    renamed.service = "Other";
    estate_use(&e, &renamed);
    expect_changes(&e, false, "update stream P/Store1\n");
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    assert_string_equal(estate_query(&e, "merge.db",
                                     "SELECT service, max(batch_id) FROM datasurface__stream, "
                                     "datasurface__batch"),
                        "Other|2\n");
    estate_close(&e);
}

// property_move has what becomes of rows and history.
static void consistency_changes(void **state)
{
    (void)state;
    estate e;
    estate_model single = BOTH;
    single.consistency = "single_dataset";
    begin(&e, &BOTH);
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    estate_sql(&e, "merge.db", "UPDATE datasurface__stream SET paused = 1");
    estate_use(&e, &single);
    expect_changes(&e, false,
                   "create stream P/Store1/orders\nmove table ds_p__store1__orders\n"
                   "replace view ws_consumer__live__store1__orders\ncreate stream P/Store1/people\n"
                   "move table ds_p__store1__people\nreplace view ws_consumer__live__store1__people\n"
                   "keep stream P/Store1\n");
    estate_apply(&e);
    assert_string_equal(estate_query(&e, "merge.db", "SELECT name, paused FROM datasurface__stream WHERE removed = 0"),
                        "P/Store1/orders|1\nP/Store1/people|1\n");
    estate_sql(&e, "merge.db", "UPDATE datasurface__stream SET paused = 0");
    estate_job(&e, "P/Store1/people");
    assert_string_equal(estate_query(&e, "merge.db", LIVE_VIEW), "1|a\n2|b\n");
    expect_changes(&e, true, ""); // the record of the batches before stays
    estate_use(&e, &BOTH);
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    assert_string_equal(estate_query(&e, "merge.db", LIVE_VIEW), "1|a\n2|b\n");
    estate_close(&e);
}

// With the change one dataset is no longer used; the record goes when the last table goes that it is about.
static void records_end(void **state)
{
    (void)state;
    estate e;
    begin(&e, &BOTH);
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    estate_model single = ONE;
    single.consistency = "single_dataset";
    single.orders = ORDERS;
    estate_use(&e, &single);
    estate_apply(&e);
    estate_job(&e, "P/Store1/people");
    expect_changes(&e, true, "!drop table ds_p__store1__orders\n");
    estate_prune(&e);
    assert_string_equal(estate_query(&e, "merge.db",
                                     "SELECT max(batch_id) FROM datasurface__batch WHERE stream = "
                                     "'P/Store1'"),
                        "1\n");
    estate_use(&e, &(estate_model){.people = PEOPLE});
    estate_prune(&e);
    assert_string_equal(estate_query(&e, "merge.db", "SELECT count(*) FROM datasurface__stream"), "0\n");
    assert_string_equal(estate_query(&e, "merge.db", "SELECT count(*) FROM datasurface__batch"), "0\n");
    estate_close(&e);
}

// One prune is enough.
static void record_goes_with_its_table(void **state)
{
    (void)state;
    estate e;
    estate_model single = BOTH;
    single.consistency = "single_dataset";
    begin(&e, &single);
    estate_apply(&e);
    estate_job(&e, "P/Store1/people");
    estate_job(&e, "P/Store1/orders");
    estate_use(&e, &BOTH);
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    estate_use(&e, &ONE);
    estate_apply(&e);
    expect_changes(&e, true, "!drop table ds_p__store1__orders\n!drop stream P/Store1/orders\n");
    estate_prune(&e);
    expect_changes(&e, true, "");
    assert_string_equal(estate_query(&e, "merge.db", "SELECT name FROM datasurface__stream ORDER BY name"),
                        "P/Store1\nP/Store1/people\n");
    estate_close(&e);
}

// --- views

static void view_moves(void **state)
{
    (void)state;
    estate e;
    begin(&e, &ONE);
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    estate_model moved = ONE;
    moved.live_on = "Q";
    moved.live_status = "provisioning"; // loads without views; P is no longer assigned, so its views go
    estate_use(&e, &moved);
    expect_changes(&e, false,
                   "create stream Q/Store1\ncreate table ds_q__store1__people\n"
                   "!drop view ws_consumer__live__store1__people\nkeep stream P/Store1\n");

    moved.live_status = NULL; // consumers would find the view empty
    estate_use(&e, &moved);
    const ds_plan *plan = estate_plan(&e, false);
    assert_string_equal(estate_changes(&e, plan),
                        "create stream Q/Store1\ncreate table ds_q__store1__people\n"
                        "refuse view ws_consumer__live__store1__people\nkeep stream P/Store1\n");
    ds_error err;
    FAILS(plan_apply(&e.runtime, plan, NULL, &err), DS_FINDING,
          "it shows 2 rows of stream P/Store1, and stream Q/Store1 has loaded none yet; assign the group to platform Q "
          "with `status: provisioning` beside P first");

    estate_model beside = ONE; // the advice works
    beside.live_next = "Q";
    estate_use(&e, &beside);
    expect_changes(&e, false, "create stream Q/Store1\ncreate table ds_q__store1__people\n");
    estate_apply(&e);
    estate_job(&e, "Q/Store1");
    assert_string_equal(estate_query(&e, "merge.db", "SELECT stream FROM datasurface__view"), "P/Store1\n");
    estate_use(&e, &moved);
    expect_changes(&e, false,
                   "update stream Q/Store1\nreplace view ws_consumer__live__store1__people\nkeep stream P/Store1\n");
    estate_apply(&e);
    assert_string_equal(estate_query(&e, "merge.db", LIVE_VIEW), "1|a\n2|b\n");
    assert_string_equal(estate_query(&e, "merge.db", "SELECT stream FROM datasurface__view"), "Q/Store1\n");

    estate_use(&e, &ONE); // and back: P has rows, so there is no gap
    estate_apply(&e);
    assert_string_equal(estate_query(&e, "merge.db", LIVE_VIEW), "1|a\n2|b\n");
    assert_string_equal(estate_query(&e, "merge.db", "SELECT stream FROM datasurface__view"), "P/Store1\n");
    estate_use(&e, &moved); // with prune the old tables go after the views
    estate_prune(&e);
    assert_string_equal(estate_query(&e, "merge.db", LIVE_VIEW), "1|a\n2|b\n");
    estate_close(&e);
}

// What shows no rows loses none: its table was never loaded, or the source is empty.
static void empty_view_moves(void **state)
{
    (void)state;
    for (int loaded = 0; loaded < 2; loaded++) {
        estate e;
        begin(&e, &ONE);
        estate_sql(&e, "source.db", "DELETE FROM people");
        estate_apply(&e);
        if (loaded)
            estate_job(&e, "P/Store1");
        estate_model moved = ONE;
        moved.live_on = "Q";
        estate_use(&e, &moved);
        estate_apply(&e);
        assert_string_equal(estate_query(&e, "merge.db", "SELECT stream FROM datasurface__view"), "Q/Store1\n");
        estate_sql(&e, "source.db", "INSERT INTO people VALUES (1, 'a', NULL)");
        estate_job(&e, "Q/Store1");
        assert_string_equal(estate_query(&e, "merge.db", LIVE_VIEW), "1|a\n");
        estate_close(&e);
    }
}

static void names_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *made, *part;
    } CASES[] = {
        {"CREATE TABLE ws_consumer__live__store1__people (x)", "view ws_consumer__live__store1__people: the name is "
                                                               "taken by a table"},
        {"CREATE VIEW ws_consumer__live__store1__people AS SELECT 1 AS x", "taken by a view"},
        {"CREATE TABLE ds_p__store1__people (x)", "table ds_p__store1__people: the name is taken by a table"},
        {"CREATE VIEW DS_P__STORE1__PEOPLE AS SELECT 1 AS x", "taken by a view"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        estate e;
        ds_error err;
        begin(&e, &ONE);
        estate_sql(&e, "merge.db", CASES[i].made);
        const ds_plan *plan = estate_plan(&e, false);
        assert_true(plan->refused);
        FAILS(plan_apply(&e.runtime, plan, NULL, &err), DS_FINDING, CASES[i].part);
        assert_string_equal(estate_query(&e, "merge.db", "SELECT count(*) FROM sqlite_schema"), "1\n");
        estate_close(&e);
    }
}

// --- drift

static void drift(void **state)
{
    (void)state;
    static const struct {
        const char *damage, *changes;
    } CASES[] = {
        {"DROP VIEW ws_consumer__live__store1__people", "create view ws_consumer__live__store1__people\n"},
        {"DROP VIEW ws_consumer__live__store1__people; CREATE VIEW ws_consumer__live__store1__people AS SELECT 1 AS x",
         "replace view ws_consumer__live__store1__people\n"},
        {"DROP TABLE ds_p__store1__people", "create table ds_p__store1__people\n"
                                            "replace view ws_consumer__live__store1__people\n"},
        {"DROP VIEW ws_consumer__live__store1__people; ALTER TABLE ds_p__store1__people DROP COLUMN name",
         "add-column table ds_p__store1__people\ncreate view ws_consumer__live__store1__people\n"},
        {"DROP TABLE datasurface__event", "create control tables\n"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        estate e;
        begin(&e, &ONE);
        estate_apply(&e);
        estate_job(&e, "P/Store1");
        estate_sql(&e, "merge.db", CASES[i].damage);
        expect_changes(&e, false, CASES[i].changes);
        estate_apply(&e);
        estate_job(&e, "P/Store1");
        assert_string_equal(estate_query(&e, "merge.db", LIVE_VIEW), "1|a\n2|b\n");
        assert_string_equal(estate_query(&e, "merge.db",
                                         "SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE '%\\_k' "
                                         "ESCAPE '\\'"),
                            "ds_p__store1__people__k\n");
        estate_close(&e);
    }
}

// --- transformers

#define MASK "SELECT id, '***' AS name FROM {input.Store1.people}"

static void transformer(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    estate_model model = {.people = PEOPLE, .live = "Masked/people", .sql = MASK, .masked = PEOPLE};
    begin(&e, &model);
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    estate_job(&e, "P/Masked");
    assert_string_equal(estate_query(&e, "merge.db", "SELECT * FROM ws_consumer__live__masked__people ORDER BY 1"),
                        "1|***\n2|***\n");
    model.sql = "SELECT id FROM {input.Store1.people}";
    estate_use(&e, &model); // its inputs are there already: plan sees it
    FAILS(plan_apply(&e.runtime, estate_plan(&e, false), NULL, &err), DS_FINDING, "gives no column \"name\"");
    model.sql = "SELECT id, name, 1 AS more FROM {input.Store1.people}";
    estate_use(&e, &model);
    FAILS(plan_apply(&e.runtime, estate_plan(&e, false), NULL, &err), DS_FINDING, "column \"more\"");
    model.sql = "SELECT nonsense FROM {input.Store1.people}";
    estate_use(&e, &model);
    assert_true(estate_plan(&e, false)->refused);
    estate_close(&e);

    begin(&e, &model); // they are not there yet: apply sees it
    assert_false(estate_plan(&e, false)->refused);
    FAILS(plan_apply(&e.runtime, estate_plan(&e, false), NULL, &err), DS_FINDING, "nonsense");
    estate_close(&e);
}

// --- killed and failing anywhere

// Everything that apply makes, without what counts attempts.
static const char *picture(estate *e)
{
    return arena_printf(
        e->arena, "%s%s%s%s",
        estate_query(e, "merge.db", "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' ORDER BY name"),
        estate_query(e, "merge.db",
                     "SELECT name, config, retired, paused, removed FROM datasurface__stream ORDER BY 1"),
        estate_query(e, "merge.db", "SELECT * FROM datasurface__view ORDER BY relation_name"),
        estate_query(e, "merge.db", "SELECT * FROM ds_p__store1__people ORDER BY id"));
}

// What the sweeps apply: new tables and columns, a new stream, a moved view, a dropped one.
static const estate_model SWEEP_BEFORE = {.people = PEOPLE,
                                          .orders = ORDERS,
                                          .milestoning = "scd2",
                                          .live = "Store1/people, Store1/orders",
                                          .full = "Store1/people",
                                          .live_next = "Q"};
static const estate_model SWEEP_AFTER = {
    .people = "id: integer primary key, name: varchar(50), born: timestamp, age: integer",
    .milestoning = "scd2",
    .live = "Store1/people, Masked/people",
    .full = "Store1/people",
    .live_on = "Q",
    .sql = MASK,
    .masked = PEOPLE};

// Made once: each round of a sweep begins with copies of its files.
static void sweep_prepare(estate *e)
{
    estate_model before = SWEEP_BEFORE;
    before.people = "id: integer primary key, name: varchar(20), born: date";
    begin(e, &before);
    estate_apply(e);
    estate_job(e, "P/Store1");
    estate_job(e, "Q/Store1");
    estate_use(e, &SWEEP_AFTER);
}

static void copy_file(const estate *from, estate *to, const char *name)
{
    char a[WORKDIR_PATH], b[WORKDIR_PATH], bytes[4096];
    workdir_file(&from->dir, name, a);
    workdir_file(&to->dir, name, b);
    FILE *in = fopen(a, "rb"), *out = fopen(b, "wb");
    assert_true(in && out);
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, in)) > 0;)
        assert_int_equal(fwrite(bytes, 1, n, out), n);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

static void sweep_begin(estate *e, const estate *prepared, const ds_driver *driver)
{
    estate_open(e, driver);
    copy_file(prepared, e, "source.db");
    copy_file(prepared, e, "merge.db");
    e->deployment = prepared->deployment;
    e->runtime.tree_id = prepared->runtime.tree_id;
}

static const char *sweep_expected(const estate *prepared, ds_arena *arena)
{
    estate e;
    sweep_begin(&e, prepared, &SQLITE_DRIVER);
    assert_int_equal(estate_plan(&e, false)->n, 17); // some of every kind
    estate_apply(&e);
    const char *expected = arena_strdup(arena, picture(&e));
    estate_close(&e);
    return expected;
}

static void die(void *context, const char *point)
{
    (void)point;
    int *left = context;
    if (--*left == 0)
        _exit(7);
}

// True when the child was killed at its n-th checkpoint.
static bool apply_and_die(estate *e, int n)
{
    pid_t child = fork();
    if (child == 0) {
        ds_error err;
        e->runtime.checkpoint = die;
        e->runtime.checkpoint_context = &n;
        const ds_plan *plan;
        bool good = plan_make(&e->runtime, e->deployment, false, e->arena, &plan, &err).code == DS_OK &&
                    plan_apply(&e->runtime, plan, NULL, &err).code == DS_OK;
        _exit(good ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 1);
    return WEXITSTATUS(status) == 7;
}

static void killed_anywhere(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    estate prepared;
    sweep_prepare(&prepared);
    const char *expected = sweep_expected(&prepared, arena);
    int points = 0;
    for (bool died = true; died; points++) {
        estate e;
        sweep_begin(&e, &prepared, &SQLITE_DRIVER);
        died = apply_and_die(&e, points + 1);
        // Half-way, too, consumers can read: the old table, the evolved one, or the new platform's.
        const char *rows =
            estate_query(&e, "merge.db", "SELECT name FROM ws_consumer__live__store1__people ORDER BY id");
        assert_string_equal(rows, "a\nb\n");
        estate_apply(&e);
        assert_string_equal(picture(&e), expected);
        estate_close(&e);
    }
    assert_true(points > 6);
    estate_close(&prepared);
}

// Streams that are made first share a transaction: thousands of them cost no thousands of synced commits. Killed before
// or after it, all or none are there.
static void count_streams(void *context, const char *point)
{
    *(int *)context += strcmp(point, "apply:stream") == 0;
}

static void new_streams_share_a_transaction(void **state)
{
    (void)state;
    estate_model model = BOTH;
    model.consistency = "single_dataset";
    bool died = true;
    for (int point = 1; died; point++) {
        estate e;
        begin(&e, &model);
        died = apply_and_die(&e, point);
        const char *streams = "0\n";
        if (point > 2) // the control tables are there
            streams = estate_query(&e, "merge.db", "SELECT count(*) FROM datasurface__stream");
        assert_true(strcmp(streams, "0\n") == 0 || strcmp(streams, "2\n") == 0);
        estate_apply(&e);
        estate_job(&e, "P/Store1/people");
        estate_job(&e, "P/Store1/orders");
        assert_string_equal(estate_query(&e, "merge.db", LIVE_VIEW), "1|a\n2|b\n");
        estate_close(&e);
    }
    estate e;
    begin(&e, &model);
    int transactions = 0;
    e.runtime.checkpoint = count_streams;
    e.runtime.checkpoint_context = &transactions;
    estate_apply(&e);
    assert_int_equal(transactions, 1);
    estate_sql(&e, "merge.db",
               "DROP VIEW ws_consumer__live__store1__people; DROP VIEW ws_consumer__live__store1__orders");
    estate_apply(&e); // those that are there change one by one
    assert_int_equal(transactions, 3);
    estate_close(&e);
}

static void failing_anywhere(void **state)
{
    (void)state;
    static const int MODES[] = {FAULT_ONCE, FAULT_ONCE | FAULT_AFTER};
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    estate prepared;
    sweep_prepare(&prepared);
    const char *expected = sweep_expected(&prepared, arena);
    for (size_t m = 0; m < sizeof MODES / sizeof MODES[0]; m++) {
        bool done = false;
        for (long n = 1; !done; n++) {
            ds_fault *fault = fault_new(&SQLITE_DRIVER);
            estate e;
            sweep_begin(&e, &prepared, fault_driver(fault));
            fault_arm(fault, n, MODES[m], DS_ENV);
            const ds_plan *plan;
            ds_error err;
            ds_rc rc = plan_make(&e.runtime, e.deployment, false, e.arena, &plan, &err);
            if (rc.code == DS_OK)
                rc = plan_apply(&e.runtime, plan, NULL, &err);
            done = fault_calls(fault) < n;
            assert_int_equal(rc.code, done ? DS_OK : DS_ENV);
            e.drivers[0] = &SQLITE_DRIVER;
            estate_apply(&e);
            assert_string_equal(picture(&e), expected);
            estate_close(&e);
            fault_free(fault);
        }
    }
    estate_close(&prepared);
}

// --- locks

enum { APPLIES = 3, APPLY_FAILED = 255 };

// In a child: what was shown counts for nothing, only what is found under the lock. Exits with the number of changes.
// shown: NULL, it plans while others may be applying.
static void apply_in_child(estate *e, const ds_plan *shown)
{
    ds_error err;
    const ds_plan *done;
    bool good = shown || plan_make(&e->runtime, e->deployment, false, e->arena, &shown, &err).code == DS_OK;
    good = good && plan_carry_out(&e->runtime, shown, NULL, e->arena, &done, &err).code == DS_OK;
    if (!good)
        fprintf(stderr, "%s\n", err.text);
    _exit(good ? (int)done->n : APPLY_FAILED);
}

// All wait for each other's lock; one does all that was shown to each of them, the others find nothing left to do.
static void three_at_once(void **state)
{
    (void)state;
    estate prepared;
    sweep_prepare(&prepared);
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const char *expected = sweep_expected(&prepared, arena);
    for (int round = 0; round < 5; round++) {
        estate e;
        sweep_begin(&e, &prepared, &SQLITE_DRIVER);
        const ds_plan *shown = estate_plan(&e, false);
        pid_t children[APPLIES];
        for (int i = 0; i < APPLIES; i++)
            if ((children[i] = fork()) == 0)
                apply_in_child(&e, i ? shown : NULL);
        int found[APPLIES], sum = 0;
        for (int i = 0; i < APPLIES; i++) {
            int status = 0;
            assert_int_equal(waitpid(children[i], &status, 0), children[i]);
            assert_true(WIFEXITED(status));
            found[i] = WEXITSTATUS(status);
            assert_true(found[i] == 0 || found[i] == (int)shown->n);
            sum += found[i];
        }
        assert_int_equal(sum, shown->n);
        assert_string_equal(picture(&e), expected);
        assert_string_equal(estate_query(&e, "merge.db", "SELECT name, version FROM datasurface__stream ORDER BY 1"),
                            "P/Store1|2\nQ/Masked|1\nQ/Store1|2\n");
        assert_int_equal(estate_plan(&e, false)->n, 0);
        estate_close(&e);
    }
    estate_close(&prepared);
}

// A plan that was refused when it was shown is carried out once the reason is gone, unless just that one is asked for.
static void refused_before(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    begin(&e, &ONE);
    estate_sql(&e, "merge.db", "CREATE TABLE ds_p__store1__people (x)");
    const ds_plan *shown = estate_plan(&e, false), *done;
    assert_true(shown->refused);
    FAILS(plan_carry_out(&e.runtime, shown, NULL, e.arena, &done, &err), DS_FINDING, "the name is taken");
    estate_sql(&e, "merge.db", "DROP TABLE ds_p__store1__people");
    FAILS(plan_carry_out(&e.runtime, shown, shown->id, e.arena, &done, &err), DS_FINDING, "the name is taken");
    OK(plan_carry_out(&e.runtime, shown, NULL, e.arena, &done, &err));
    assert_false(done->refused);
    assert_int_equal(estate_plan(&e, false)->n, 0);
    estate_close(&e);
}

static void interrupted_while_busy(void **state)
{
    (void)state;
    static const char *const LOCKS[] = {"apply", "P/Store1"};
    for (size_t i = 0; i < 2; i++) {
        estate e;
        ds_error err;
        begin(&e, &ONE);
        estate_apply(&e);
        ds_db *other = NULL;
        bool held = false;
        OK(runtime_open(&e.runtime, &e.deployment->merge, (ds_access){0}, &other, &err));
        OK(other->driver->lock_try(other, LOCKS[i], &held, &err));
        assert_true(held);
        estate_use(&e, &BOTH);
        volatile int cancelled = 1;
        e.runtime.cancelled = &cancelled;
        FAILS(plan_apply(&e.runtime, estate_plan(&e, false), NULL, &err), DS_CANCELLED, "while waiting");
        e.runtime.cancelled = NULL;
        store_close(other);
        estate_apply(&e);
        estate_close(&e);
    }
}

int main(void)
{
    const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(from_nothing),
        cmocka_unit_test(ids),
        cmocka_unit_test(newer_database),
        cmocka_unit_test(older_database),
        cmocka_unit_test(older_database_and_another_model),
        cmocka_unit_test(who_may_not_replace_changes_nothing),
        cmocka_unit_test(model_without_effect),
        cmocka_unit_test(fence_rises),
        cmocka_unit_test(dataset_comes_and_goes),
        cmocka_unit_test(dataset_pruned),
        cmocka_unit_test(what_a_group_required_is_kept),
        cmocka_unit_test(a_requirement_that_is_taken_back),
        cmocka_unit_test(stream_comes_and_goes),
        cmocka_unit_test(another_service_is_left_alone),
        cmocka_unit_test(another_service_takes_over),
        cmocka_unit_test(consistency_changes),
        cmocka_unit_test(records_end),
        cmocka_unit_test(record_goes_with_its_table),
        cmocka_unit_test(view_moves),
        cmocka_unit_test(empty_view_moves),
        cmocka_unit_test(names_are_taken),
        cmocka_unit_test(drift),
        cmocka_unit_test(transformer),
        cmocka_unit_test(killed_anywhere),
        cmocka_unit_test(new_streams_share_a_transaction),
        cmocka_unit_test(failing_anywhere),
        cmocka_unit_test(three_at_once),
        cmocka_unit_test(refused_before),
        cmocka_unit_test(interrupted_while_busy),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
