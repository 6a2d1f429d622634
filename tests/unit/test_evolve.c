// yellow/plan/plan.h: every change of a dataset's columns, applied to tables with rows; then a batch, and what is
// there.
#include "store/sqlite/sqlite.h"
#include "support/check.h"
#include "support/estate_model.h"

static const char *const MILESTONINGS[] = {"scd1", "scd2", "scd4"};
enum { MILESTONING_COUNT = 3 };

typedef struct evolution {
    const char *name;
    const char *before, *rows; // columns, and the source as it was
    const char *after, *now;   // columns, and what happens to the source meanwhile
    const char *changes;       // of the plan, for scd1; %v stands for the views' lines
    const char *versions;      // live rows after the next batch: columns of the view, and the batch they came in
    const char *extra;         // a query on the merge table, and what it must give; NULL: none
    const char *gives;
} evolution;

#define STREAM "update stream P/Store1\n"
#define TABLE "table ds_p__store1__people\n"
#define VIEW "replace view ws_consumer__live__store1__people\n"

static const evolution EVOLUTIONS[] = {
    {"a nullable column is added: no new version", "id: integer primary key, name: varchar(20)",
     "id INTEGER, name TEXT; (1, 'a')", "id: integer primary key, name: varchar(20), age: integer",
     "ALTER TABLE people ADD COLUMN age INTEGER", STREAM "add-column " TABLE VIEW, "1|a|~|1\n", NULL, NULL},
    {"and gets a value", "id: integer primary key, name: varchar(20)", "id INTEGER, name TEXT; (1, 'a')",
     "id: integer primary key, name: varchar(20), age: integer",
     "ALTER TABLE people ADD COLUMN age INTEGER; UPDATE people SET age = 7", STREAM "add-column " TABLE VIEW,
     "1|a|7|2\n", NULL, NULL},
    {"a text gets longer: the definition only", "id: integer primary key, name: varchar(3)",
     "id INTEGER, name TEXT; (1, 'abc')", "id: bigint primary key, name: text",
     "INSERT INTO people VALUES (2, 'abcdefgh')", STREAM "widen " TABLE "widen " TABLE, "1|abc|1\n2|abcdefgh|2\n", NULL,
     NULL},
    {"a date becomes a timestamp: stored text is rewritten, no new version", "id: integer primary key, born: date",
     "id INTEGER, born TEXT; (1, '2020-02-29'), (2, NULL)", "id: integer primary key, born: timestamp",
     "UPDATE people SET born = born || ' 00:00:00'", STREAM "widen " TABLE VIEW, "1|2020-02-29 00:00:00|1\n2|~|1\n",
     NULL, NULL},
    {"a date in the key becomes a timestamp", "born: date primary key, name: text",
     "born TEXT, name TEXT; ('2020-02-29', 'a')", "born: timestamp primary key, name: text",
     "UPDATE people SET born = born || ' 00:00:00', name = 'b'", STREAM "widen " TABLE VIEW,
     "2020-02-29 00:00:00|b|2\n", "SELECT count(*) FROM sqlite_schema WHERE name = 'ds_p__store1__people__k'", "1\n"},
    {"a decimal outgrows a number: the text of its digits, no new version",
     "id: integer primary key, d: \"decimal(12,5)\"",
     "id INTEGER, d NUMERIC; (1, 0.00001), (2, 1234567.5), (3, -12), (4, 'NaN'), (5, 100)",
     "id: integer primary key, d: \"decimal(30,5)\"", "DELETE FROM people WHERE id = 3", STREAM "widen " TABLE VIEW,
     "1|0.00001|1\n2|1234567.5|1\n4|NaN|1\n5|100|1\n",
     "SELECT group_concat(DISTINCT typeof(d)) FROM ds_p__store1__people WHERE id <> 3", "text\n"},
    {"an unsigned integer outgrows an integer", "id: integer primary key, n: uinteger",
     "id INTEGER, n; (1, 4000000000)", "id: integer primary key, n: ubigint",
     "INSERT INTO people VALUES (2, '18446744073709551615')", STREAM "widen " TABLE VIEW,
     "1|4000000000|1\n2|18446744073709551615|2\n", NULL, NULL},
    {"a column is removed: it stays, rows that had a value get a new version",
     "id: integer primary key, name: text, age: integer",
     "id INTEGER, name TEXT, age INTEGER; (1, 'a', 5), (2, 'b', NULL)", "id: integer primary key, name: text",
     "SELECT 1", STREAM "keep " TABLE VIEW, "1|a|2\n2|b|1\n",
     "SELECT id, age FROM ds_p__store1__people WHERE ds_batch_in = 2", "1|~\n"},
    {"a column is spelled another way", "id: integer primary key, Name: text", "id INTEGER, Name TEXT; (1, 'a')",
     "id: integer primary key, name: text", "SELECT 1", STREAM "update " TABLE VIEW, "1|a|1\n", NULL, NULL},
    {"columns change places: nothing but the view", "id: integer primary key, a: text, b: text",
     "id INTEGER, a TEXT, b TEXT; (1, 'x', 'y')", "b: text, id: integer primary key, a: text", "SELECT 1", STREAM VIEW,
     "y|1|x|1\n", NULL, NULL},
    {"the key changes: live rows are matched by the new one", "id: integer primary key, code: text",
     "id INTEGER, code TEXT; (1, 'x'), (2, 'y')", "id: integer, code: text primary key",
     "UPDATE people SET id = 9 WHERE code = 'x'", STREAM "widen " TABLE "rekey " TABLE VIEW, "9|x|2\n2|y|1\n", NULL,
     NULL},
    {"the column that was the key goes", "id: integer primary key, code: text",
     "id INTEGER, code TEXT; (1, 'x'), (2, 'y')", "code: text primary key",
     "DELETE FROM people WHERE code = 'y'; INSERT INTO people (code) VALUES ('z')",
     STREAM "keep " TABLE "rekey " TABLE VIEW, "x|2\nz|2\n", NULL, NULL},
};

static void put_source(estate *e, const char *rows)
{
    ds_str rest = str_of(rows);
    const char *columns = arena_str(e->arena, str_split(&rest, ';'));
    estate_sql(e, "source.db", arena_printf(e->arena, "CREATE TABLE people (%s)", columns));
    estate_sql(e, "source.db", arena_printf(e->arena, "INSERT INTO people VALUES %s", arena_str(e->arena, rest)));
}

// The view's columns and ds_batch_in, in order of the table's first key of today.
static const char *live_rows(estate *e, const evolution *c, const char *milestoning)
{
    const char *key = strncmp(c->after, "code", 4) == 0 || strstr(c->after, "code: text primary") ? "code" : "1";
    const char *where = strcmp(milestoning, "scd2") == 0 ? "WHERE m.ds_batch_out = 9223372036854775807" : "";
    const ds_shape *shape = e->deployment->streams[0]->datasets[0].shape;
    CLEANUP(buf_release) ds_buf q = BUF_INIT(4096);
    buf_puts(&q, "SELECT ");
    for (size_t i = 0; i < shape->n; i++)
        buf_printf(&q, "m.\"%s\", ", shape->columns[i].name);
    buf_printf(&q, "m.ds_batch_in FROM ds_p__store1__people m %s ORDER BY %s", where, key);
    return estate_query(e, "merge.db", buf_text(&q));
}

static void check_view(estate *e, const evolution *c)
{
    const char *from = strstr(c->after, "code: text primary") ? "code" : "1";
    const char *view =
        estate_query(e, "merge.db",
                     arena_printf(e->arena, "SELECT * FROM ws_consumer__live__store1__people ORDER BY %s", from));
    // The versions without their last column.
    CLEANUP(buf_release) ds_buf expected = BUF_INIT(4096);
    for (ds_str rest = str_of(c->versions); rest.n;) {
        ds_str line = str_split(&rest, '\n');
        while (line.n && line.p[line.n - 1] != '|')
            line.n--;
        buf_put(&expected, line.p, line.n - 1);
        buf_putc(&expected, '\n');
    }
    assert_string_equal(view, buf_text(&expected));
}

static void one_evolution(const evolution *c, const char *milestoning)
{
    estate e;
    estate_open(&e, &SQLITE_DRIVER);
    estate_model model = {.people = c->before, .milestoning = milestoning, .live = "Store1/people"};
    put_source(&e, c->rows);
    estate_use(&e, &model);
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    estate_sql(&e, "source.db", c->now);
    model.people = c->after;
    estate_use(&e, &model);
    if (strcmp(milestoning, "scd1") == 0)
        assert_string_equal(estate_changes(&e, estate_plan(&e, false)), c->changes);
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    assert_string_equal(live_rows(&e, c, milestoning), c->versions);
    check_view(&e, c);
    if (c->extra)
        assert_string_equal(estate_query(&e, "merge.db", c->extra), c->gives);
    estate_job(&e, "P/Store1"); // nothing is left to do
    assert_string_equal(live_rows(&e, c, milestoning), c->versions);
    estate_close(&e);
}

static void evolutions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof EVOLUTIONS / sizeof EVOLUTIONS[0]; i++)
        for (int m = 0; m < MILESTONING_COUNT; m++) {
            print_message("%s, %s\n", EVOLUTIONS[i].name, MILESTONINGS[m]);
            one_evolution(&EVOLUTIONS[i], MILESTONINGS[m]);
        }
}

// The row hash did not count it meanwhile: a value of then must not stand beside a hash of now.
static void column_comes_back(void **state)
{
    (void)state;
    for (int m = 0; m < MILESTONING_COUNT; m++) {
        estate e;
        estate_open(&e, &SQLITE_DRIVER);
        estate_sql(&e, "source.db", "CREATE TABLE people (id INTEGER, age INTEGER); INSERT INTO people VALUES (1, 5)");
        estate_model with = {.people = "id: integer primary key, age: integer",
                             .milestoning = MILESTONINGS[m],
                             .live = "Store1/people"};
        estate_model without = with;
        without.people = "id: integer primary key";
        const estate_model *steps[] = {&with, &without, &with};
        for (size_t i = 0; i < 3; i++) {
            estate_use(&e, steps[i]);
            estate_apply(&e);
            if (i == 2)
                estate_sql(&e, "source.db", "UPDATE people SET age = NULL");
            estate_job(&e, "P/Store1");
        }
        assert_string_equal(estate_query(&e, "merge.db", "SELECT * FROM ws_consumer__live__store1__people"), "1|~\n");
        estate_close(&e);
    }
}

// A column that was given up and comes back. Its closed versions still hold values of the type that it had.
typedef struct returning {
    const char *before, *after;
    const char *value;  // of the closed version, as stored before
    const char *closed; // and after; NULL: refused
} returning;

static const returning RETURNS[] = {
    {"text", "text", "'hello'", "hello\n"},
    {"varchar(5)", "text", "'hello'", "hello\n"},
    {"date", "timestamp", "'2020-02-29'", "2020-02-29 00:00:00\n"},
    {"text", "date", "'hello'", NULL},
    {"text", "varchar(5)", "'hello'", NULL},
    {"text", "json", "'hello'", NULL},
    {"timestamp", "date", "'2020-02-29 01:02:03'", NULL},
};

static void next_model(estate *e, estate_model *model, const char *people)
{
    model->people = people;
    estate_use(e, model);
    estate_apply(e);
    estate_job(e, "P/Store1");
}

static void one_return(const returning *c, const char *milestoning, bool whole_dataset)
{
    estate e;
    ds_error err;
    estate_open(&e, &SQLITE_DRIVER);
    estate_sql(&e, "source.db", "CREATE TABLE people (id INTEGER, note TEXT); CREATE TABLE orders (id)");
    estate_sql(&e, "source.db", arena_printf(e.arena, "INSERT INTO people VALUES (1, %s)", c->value));
    estate_model model = {.orders = "id: integer primary key",
                          .milestoning = milestoning,
                          .live = "Store1/orders, Store1/people",
                          .full = "Store1/people"};
    estate_model without = {.orders = model.orders, .milestoning = milestoning, .live = "Store1/orders"};
    next_model(&e, &model, arena_printf(e.arena, "id: integer primary key, note: %s", c->before));
    next_model(&e, &model, "id: integer primary key");
    if (whole_dataset)
        next_model(&e, &without, NULL);
    estate_sql(&e, "source.db", "UPDATE people SET note = NULL");
    model.people = arena_printf(e.arena, "id: integer primary key, note: %s", c->after);
    if (c->closed) {
        next_model(&e, &model, model.people);
        assert_string_equal(
            estate_query(&e, "merge.db",
                         "SELECT note FROM ws_consumer__full__store1__people__history WHERE ds_batch_out = 1"),
            c->closed);
    } else {
        estate_use(&e, &model);
        FAILS(plan_apply(&e.runtime, estate_plan(&e, false), NULL, &err), DS_FINDING,
              arena_printf(e.arena, "column \"note\" can't become %s from %s", c->after, c->before));
    }
    estate_close(&e);
}

static void column_returns_as(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof RETURNS / sizeof RETURNS[0]; i++)
        for (int m = 1; m < MILESTONING_COUNT; m++) {
            one_return(&RETURNS[i], MILESTONINGS[m], false);
            one_return(&RETURNS[i], MILESTONINGS[m], true);
        }
}

// A history table that was dropped by hand: its versions are gone, but it has room again for what closes from now on.
static void history_is_made_again(void **state)
{
    (void)state;
    estate e;
    estate_open(&e, &SQLITE_DRIVER);
    estate_sql(&e, "source.db", "CREATE TABLE people (id INTEGER, note TEXT); INSERT INTO people VALUES (1, 'hello')");
    estate_model model = {.milestoning = "scd4", .live = "Store1/people", .full = "Store1/people"};
    next_model(&e, &model, "id: integer primary key, note: text");
    model.people = "id: integer primary key";
    estate_use(&e, &model);
    estate_apply(&e);
    estate_sql(&e, "merge.db",
               "DROP VIEW ws_consumer__full__store1__people__history; DROP TABLE ds_p__store1__people__h");
    const ds_plan *plan = estate_plan(&e, false);
    assert_string_equal(estate_changes(&e, plan), "create table ds_p__store1__people__h\n"
                                                  "create view ws_consumer__full__store1__people__history\n");
    assert_string_equal(plan->changes[0].detail, "it is missing, and all its closed versions are gone; it keeps those "
                                                 "that close from now on");
    estate_apply(&e);
    assert_string_equal(estate_query(&e, "merge.db", "SELECT resnapshot FROM datasurface__stream"), "0\n");
    estate_job(&e, "P/Store1"); // closes the version that had a note
    next_model(&e, &model, "id: integer primary key, note: text");
    assert_string_equal(
        estate_query(&e, "merge.db",
                     "SELECT note FROM ws_consumer__full__store1__people__history WHERE ds_batch_out = 1"),
        "hello\n");
    estate_close(&e);
}

// What plan says of a missing merge table: with scd2 it held the closed versions, too.
static void merge_is_made_again(void **state)
{
    (void)state;
    static const char *const DETAILS[] = {
        "it is missing: the next batch loads it again",
        "it is missing, and all its closed versions are gone; the next batch loads the live rows again",
        "it is missing: the next batch loads it again",
    };
    for (int m = 0; m < MILESTONING_COUNT; m++) {
        estate e;
        estate_open(&e, &SQLITE_DRIVER);
        estate_sql(&e, "source.db", "CREATE TABLE people (id INTEGER); INSERT INTO people VALUES (1)");
        estate_model model = {.milestoning = MILESTONINGS[m], .live = "Store1/people"};
        next_model(&e, &model, "id: integer primary key");
        estate_sql(&e, "merge.db", "DROP TABLE ds_p__store1__people");
        assert_string_equal(estate_plan(&e, false)->changes[0].detail, DETAILS[m]);
        estate_apply(&e);
        estate_job(&e, "P/Store1");
        assert_string_equal(estate_query(&e, "merge.db", "SELECT * FROM ws_consumer__live__store1__people"), "1\n");
        estate_close(&e);
    }
}

// Nobody knows what a column holds that datasurface did not make.
static void column_of_unknown_type(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    estate_open(&e, &SQLITE_DRIVER);
    estate_sql(&e, "source.db", "CREATE TABLE people (id INTEGER, note TEXT)");
    estate_model model = {.people = "id: integer primary key", .live = "Store1/people"};
    estate_use(&e, &model);
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    estate_sql(&e, "merge.db", "ALTER TABLE ds_p__store1__people ADD COLUMN note TEXT");
    model.people = "id: integer primary key, note: text";
    estate_use(&e, &model);
    FAILS(plan_apply(&e.runtime, estate_plan(&e, false), NULL, &err), DS_FINDING,
          "column \"note\" can't become text: its table has it already, and of which type is not known; give the "
          "new column another name");
    estate_close(&e);
}

// The first of these is refused as long as rows are there; without them a fresh table is made.
static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after, *part;
    } CASES[] = {
        {"id: integer primary key, name: text", "id: integer primary key, name: integer", "column \"name\""},
        {"id: integer primary key, name: text", "id: integer primary key, name: varchar(10)", "is shorter than"},
        {"id: integer primary key, d: \"decimal(9,2)\"", "id: integer primary key, d: \"decimal(9,1)\"",
         "fewer digits"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        for (int rows = 0; rows < 2; rows++) {
            estate e;
            estate_open(&e, &SQLITE_DRIVER);
            estate_model model = {.people = CASES[i].before, .live = "Store1/people"};
            estate_sql(&e, "source.db", "CREATE TABLE people (id INTEGER, name, d)");
            estate_use(&e, &model);
            estate_apply(&e);
            if (rows)
                estate_job(&e, "P/Store1");
            model.people = CASES[i].after;
            estate_use(&e, &model);
            const ds_plan *plan = estate_plan(&e, false);
            assert_int_equal(plan->refused, rows);
            ds_error err;
            if (rows) {
                FAILS(plan_apply(&e.runtime, plan, NULL, &err), DS_FINDING, CASES[i].part);
            } else {
                assert_non_null(strstr(estate_changes(&e, plan), "replace table ds_p__store1__people\n"));
                estate_apply(&e);
                estate_job(&e, "P/Store1");
            }
            estate_close(&e);
        }
}

static void refused_milestoning(void **state)
{
    (void)state;
    for (int from = 0; from < MILESTONING_COUNT; from++)
        for (int to = 0; to < MILESTONING_COUNT; to++)
            for (int rows = 0; rows < 2; rows++) {
                estate e;
                estate_open(&e, &SQLITE_DRIVER);
                estate_model model = {.people = "id: integer primary key",
                                      .live = "Store1/people",
                                      .milestoning = MILESTONINGS[from]};
                estate_sql(&e, "source.db", "CREATE TABLE people (id INTEGER); INSERT INTO people VALUES (1)");
                estate_use(&e, &model);
                estate_apply(&e);
                if (rows)
                    estate_job(&e, "P/Store1");
                model.milestoning = MILESTONINGS[to];
                estate_use(&e, &model);
                assert_int_equal(estate_plan(&e, false)->refused, rows && from != to);
                if (!rows || from == to) {
                    estate_apply(&e);
                    estate_job(&e, "P/Store1");
                    assert_string_equal(estate_query(&e, "merge.db", "SELECT * FROM ws_consumer__live__store1__people"),
                                        "1\n");
                }
                estate_close(&e);
            }
}

// The key changed and changed back before a batch ran: the index of the key in force is there again, and plan says so.
static void key_change_undone(void **state)
{
    (void)state;
    static const char INDEXES[] = "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name LIKE '%people%' "
                                  "AND sql IS NOT NULL ORDER BY name";
    for (int m = 0; m < MILESTONING_COUNT; m++) {
        estate e;
        estate_open(&e, &SQLITE_DRIVER);
        estate_sql(&e, "source.db", "CREATE TABLE people (id INTEGER, code TEXT); INSERT INTO people VALUES (1, 'x')");
        estate_model model = {.milestoning = MILESTONINGS[m], .live = "Store1/people"};
        next_model(&e, &model, "id: integer primary key, code: text");
        const char *indexes = estate_query(&e, "merge.db", INDEXES);
        model.people = "id: integer, code: text primary key";
        estate_use(&e, &model);
        estate_apply(&e);
        assert_string_equal(estate_query(&e, "merge.db", INDEXES), ""); // in the way of the column that may be null

        model.people = "id: integer primary key, code: text";
        estate_use(&e, &model);
        const ds_plan *plan = estate_plan(&e, false);
        assert_string_equal(estate_changes(&e, plan), STREAM "update " TABLE);
        assert_string_equal(plan->changes[1].detail, "key id stays in force: no batch ran with key code");
        estate_apply(&e);
        assert_string_equal(estate_query(&e, "merge.db", INDEXES), indexes);
        estate_sql(&e, "source.db", "INSERT INTO people VALUES (2, 'x')");
        estate_job(&e, "P/Store1");
        assert_string_equal(estate_query(&e, "merge.db", "SELECT * FROM ws_consumer__live__store1__people ORDER BY 1"),
                            "1|x\n2|x\n");
        estate_close(&e);
    }
}

// Twice before a batch ran: what plan says is the way from the key in force.
static void key_changes_twice(void **state)
{
    (void)state;
    estate e;
    estate_open(&e, &SQLITE_DRIVER);
    estate_sql(&e, "source.db", "CREATE TABLE people (id INTEGER, code TEXT); INSERT INTO people VALUES (1, 'x')");
    estate_model model = {.live = "Store1/people"};
    next_model(&e, &model, "id: integer primary key, code: text");
    model.people = "id: integer, code: text primary key";
    estate_use(&e, &model);
    estate_apply(&e);
    model.people = "id: integer primary key, code: text primary key";
    estate_use(&e, &model);
    const ds_plan *plan = estate_plan(&e, false);
    assert_string_equal(estate_changes(&e, plan), STREAM "rekey " TABLE);
    assert_non_null(strstr(plan->changes[1].detail, "key id -> id,code in the next batch"));
    next_model(&e, &model, model.people);
    assert_string_equal(estate_query(&e, "merge.db",
                                     "SELECT sql LIKE '%(\"id\", \"code\")' FROM sqlite_schema "
                                     "WHERE name = 'ds_p__store1__people__k'"),
                        "1\n");
    estate_close(&e);
}

static void multiset_gets_a_key(void **state)
{
    (void)state;
    estate e;
    estate_open(&e, &SQLITE_DRIVER);
    estate_sql(&e, "source.db", "CREATE TABLE people (id INTEGER); INSERT INTO people VALUES (1)");
    estate_model model = {.people = "id: integer", .people_more = "key: none", .live = "Store1/people"};
    estate_use(&e, &model);
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    model = (estate_model){.people = "id: integer primary key", .live = "Store1/people"};
    estate_use(&e, &model);
    ds_error err;
    FAILS(plan_apply(&e.runtime, estate_plan(&e, false), NULL, &err), DS_FINDING, "ds_copy");
    estate_close(&e);
}

int main(void)
{
    const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(evolutions),
        cmocka_unit_test(column_comes_back),
        cmocka_unit_test(column_returns_as),
        cmocka_unit_test(history_is_made_again),
        cmocka_unit_test(merge_is_made_again),
        cmocka_unit_test(column_of_unknown_type),
        cmocka_unit_test(refused),
        cmocka_unit_test(refused_milestoning),
        cmocka_unit_test(key_change_undone),
        cmocka_unit_test(key_changes_twice),
        cmocka_unit_test(multiset_gets_a_key),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
