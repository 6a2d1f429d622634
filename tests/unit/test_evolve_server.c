// yellow/plan/plan.h on an engine that has schemas, grants and ALTER COLUMN TYPE: what becomes of tables with rows, of
// those who were granted something on a view, and of those who built on it.
#include "support/check.h"
#include "support/estate_model.h"

static test_pair pair;
static const char *const MILESTONINGS[] = {"scd1", "scd2", "scd4"};
enum { MILESTONING_COUNT = 3 };

#define STREAM "update stream P/Store1\n"
#define TABLE "table ds_p.store1__people\n"
#define VIEW "replace view ws_consumer.live__store1__people\n"

typedef struct evolution {
    const char *name;
    const char *before, *rows; // columns, and the values of the source's rows
    const char *after, *now;   // columns, and what happens to the source meanwhile
    const char *changes;       // of the plan, for scd1
    const char *view;          // rows after the next batch, ordered by the first column
    const char *kept;          // live rows of batch 1 that are still of batch 1
    const char *declared;      // the last column's type and collation afterwards
} evolution;

static const evolution EVOLUTIONS[] = {
    {"a column is added", "id: integer primary key, v: varchar(20)", "(1, 'a')",
     "id: integer primary key, v: varchar(20), age: integer", "ALTER TABLE people ADD COLUMN age INTEGER",
     STREAM "add-column " TABLE VIEW, "1|a|~\n", "1", "integer|~"},
    {"a text gets longer", "id: integer primary key, v: varchar(3)", "(1, 'abc'), (2, NULL)",
     "id: integer primary key, v: varchar(30)", "UPDATE people SET v = 'abcdefgh' WHERE id = 2",
     STREAM "widen " TABLE VIEW, "1|abc\n2|abcdefgh\n", "1", "character varying(30)|~"},
    {"and has no length any more", "id: integer primary key, v: varchar(3)", "(1, 'abc')",
     "id: bigint primary key, v: text", "SELECT 1", STREAM "widen " TABLE "widen " TABLE VIEW, "1|abc\n", "1",
     "text|~"},
    {"an integer grows", "id: integer primary key, v: smallint", "(1, 7), (2, -7)",
     "id: integer primary key, v: bigint", "UPDATE people SET v = 9223372036854775807 WHERE id = 2",
     STREAM "widen " TABLE VIEW, "1|7\n2|9223372036854775807\n", "1", "bigint|~"},
    {"an unsigned one does", "id: integer primary key, v: uinteger", "(1, 4000000000)",
     "id: integer primary key, v: ubigint", "INSERT INTO people VALUES (2, '18446744073709551615')",
     STREAM "widen " TABLE VIEW, "1|4000000000\n2|18446744073709551615\n", "1", "numeric(20,0)|~"},
    {"a decimal does", "id: integer primary key, v: \"decimal(7,2)\"", "(1, 0.1), (2, -12345.67)",
     "id: integer primary key, v: \"decimal(30,5)\"", "SELECT 1", STREAM "widen " TABLE VIEW,
     "1|0.10000\n2|-12345.67000\n", "2", "numeric(30,5)|~"},
    {"a real does", "id: integer primary key, v: real", "(1, 0.1), (2, 1e30)", "id: integer primary key, v: double",
     "UPDATE people SET v = 0.10000000149011612 WHERE id = 1; UPDATE people SET v = 1.0000000150474662e+30 WHERE id = 2",
     STREAM "widen " TABLE VIEW, "1|0.10000000149011612\n2|1.0000000150474662e+30\n", "2", "double precision|~"},
    {"a date becomes a timestamp", "id: integer primary key, v: date", "(1, '2020-02-29'), (2, NULL), (3, 'infinity')",
     "id: integer primary key, v: timestamp", "UPDATE people SET v = '2020-02-29 00:00:00' WHERE id = 1",
     STREAM "widen " TABLE VIEW, "1|2020-02-29 00:00:00\n2|~\n3|infinity\n", "3", "timestamp without time zone|~"},
    {"a key does", "v: date primary key", "('2020-02-29')", "v: timestamp primary key",
     "UPDATE people SET v = '2020-02-29 00:00:00'", STREAM "widen " TABLE VIEW, "2020-02-29 00:00:00\n", "1",
     "timestamp without time zone|~"},
    {"a text in the key gets longer", "v: varchar(3) primary key", "('abc'), ('Abc')", "v: varchar(5) primary key",
     "INSERT INTO people VALUES ('abcde')", STREAM "widen " TABLE VIEW, "Abc\nabc\nabcde\n", "2",
     "character varying(5)|C"},
    {"a column is spelled another way", "id: integer primary key, V: text", "(1, 'a')",
     "id: integer primary key, v: text", "SELECT 1", STREAM "update " TABLE VIEW, "1|a\n", "1", "text|~"},
    {"columns change places", "v: text, id: integer primary key", "('a', 1)", "id: integer primary key, v: text",
     "SELECT 1", STREAM VIEW, "1|a\n", "1", "text|~"},
    {"a text becomes the key", "id: integer primary key, v: text", "(1, 'x'), (2, 'y')",
     "id: integer, v: text primary key", "UPDATE people SET id = 9 WHERE v = 'x'",
     STREAM "widen " TABLE "rekey " TABLE VIEW, "2|y\n9|x\n", "1", "text|C"},
    {"a text is the key no longer", "id: integer, v: text primary key", "(1, 'x'), (2, 'y')",
     "id: integer primary key, v: text", "UPDATE people SET v = NULL WHERE id = 1",
     STREAM "widen " TABLE "rekey " TABLE VIEW, "1|~\n2|y\n", "1", "text|~"},
};

static const char *first(estate *e, const char *columns, char end)
{
    ds_str rest = str_of(columns);
    return arena_str(e->arena, str_split(&rest, end));
}

// "id: integer primary key, v: text" -> "id, v"
static const char *names_of(estate *e, const char *columns)
{
    CLEANUP(buf_release) ds_buf out = BUF_INIT(1000);
    for (ds_str rest = str_of(columns); rest.n;) {
        ds_str one = str_trim(str_split(&rest, ','));
        if (memchr(one.p, ':', one.n)) // not the inside of decimal(7,2)
            buf_printf(&out, "%s%s", out.n ? ", " : "", first(e, arena_str(e->arena, one), ':'));
    }
    return arena_strdup(e->arena, buf_text(&out));
}

static void open_estate(estate *e)
{
    pair_clear(&pair);
    estate_open_on(e, &pair);
}

static const char *declared(estate *e)
{
    return estate_query(e, "merge.db",
                        "SELECT format_type(atttypid, atttypmod), CASE WHEN collname = 'C' THEN 'C' END FROM "
                        "pg_attribute LEFT JOIN pg_collation c ON c.oid = attcollation WHERE attrelid = "
                        "'ds_p.store1__people'::regclass AND attname IN ('v', 'age') ORDER BY attname LIMIT 1");
}

static const char *live_of_first_batch(estate *e, const char *milestoning)
{
    const char *live = strcmp(milestoning, "scd2") == 0 ? " AND ds_batch_out = 9223372036854775807" : "";
    return estate_query(e, "merge.db",
                        arena_printf(e->arena, "SELECT count(*) FROM ds_p.store1__people WHERE ds_batch_in = 1%s",
                                     live));
}

static void one_evolution(const evolution *c, const char *milestoning)
{
    estate e;
    open_estate(&e);
    estate_model model = {.people = c->before, .milestoning = milestoning, .live = "Store1/people"};
    estate_sql(&e, "source.db", arena_printf(e.arena, "CREATE TABLE people (%s)", names_of(&e, c->before)));
    estate_sql(&e, "source.db", arena_printf(e.arena, "INSERT INTO people VALUES %s", c->rows));
    estate_use(&e, &model);
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    estate_sql(&e, "source.db", c->now);
    model.people = c->after;
    estate_use(&e, &model);
    if (strcmp(milestoning, "scd1") == 0)
        assert_string_equal(estate_changes(&e, estate_plan(&e, false)), c->changes);
    estate_apply(&e);
    for (int batch = 2; batch <= 3; batch++) { // the second one has nothing to do
        estate_job(&e, "P/Store1");
        assert_string_equal(estate_query(&e, "merge.db", "SELECT * FROM ws_consumer.live__store1__people ORDER BY 1"),
                            c->view);
        assert_string_equal(live_of_first_batch(&e, milestoning), arena_printf(e.arena, "%s\n", c->kept));
    }
    assert_string_equal(declared(&e), arena_printf(e.arena, "%s\n", c->declared));
    estate_close(&e);
}

static void evolutions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof EVOLUTIONS / sizeof EVOLUTIONS[0]; i++) {
        print_message("%s, %s\n", EVOLUTIONS[i].name, MILESTONINGS[i % MILESTONING_COUNT]);
        one_evolution(&EVOLUTIONS[i], "scd1");
        if (i % MILESTONING_COUNT)
            one_evolution(&EVOLUTIONS[i], MILESTONINGS[i % MILESTONING_COUNT]);
    }
}

// --- those who use a view

static const char *grants(estate *e, const char *view)
{
    return estate_query(e, "merge.db",
                        arena_printf(e->arena,
                                     "SELECT COALESCE(grantee::regrole::text, ''), privilege_type FROM pg_class, "
                                     "aclexplode(relacl) WHERE oid = '%s'::regclass AND grantee <> relowner",
                                     view));
}

#define LIVE "ws_consumer.live__store1__people"
#define HISTORY "ws_consumer.full__store1__people__history"

static void start(estate *e, estate_model *model)
{
    open_estate(e);
    *model = (estate_model){.people = "id: integer primary key, v: varchar(5)",
                            .milestoning = "scd4",
                            .live = "Store1/people",
                            .full = "Store1/people"};
    estate_sql(e, "source.db", "CREATE TABLE people (id, v); INSERT INTO people VALUES (1, 'a')");
    estate_use(e, model);
    estate_apply(e);
}

// From the stub on, over the first commit and every change of the table.
static void grants_stay(void **state)
{
    (void)state;
    static const char *const PEOPLE[] = {"id: integer primary key, v: varchar(5)",
                                         "id: integer primary key, v: varchar(50)",
                                         "id: bigint primary key, v: varchar(50), w: text", "id: bigint primary key"};
    estate e;
    estate_model model;
    start(&e, &model);
    estate_sql(&e, "merge.db", "GRANT SELECT ON " LIVE " TO PUBLIC; GRANT SELECT ON " HISTORY " TO PUBLIC");
    estate_sql(&e, "source.db", "ALTER TABLE people ADD COLUMN w TEXT");
    for (size_t i = 0; i < sizeof PEOPLE / sizeof PEOPLE[0]; i++) {
        model.people = PEOPLE[i];
        estate_use(&e, &model);
        estate_apply(&e);
        assert_string_equal(grants(&e, LIVE), "-|SELECT\n");
        estate_job(&e, "P/Store1");
        assert_string_equal(grants(&e, LIVE), "-|SELECT\n");
        assert_string_equal(grants(&e, HISTORY), "-|SELECT\n");
    }
    estate_close(&e);
}

// Somebody's view on ours: what goes in place leaves it alone; a change that would break it is refused with its name,
// and nothing has happened.
static void built_on_a_view(void **state)
{
    (void)state;
    estate e;
    estate_model model;
    ds_error err;
    start(&e, &model);
    estate_sql(&e, "merge.db", "CREATE VIEW public.theirs AS SELECT id, v FROM " LIVE);
    estate_job(&e, "P/Store1");
    assert_string_equal(estate_query(&e, "merge.db", "SELECT * FROM public.theirs"), "1|a\n");
    estate_sql(&e, "source.db", "ALTER TABLE people ADD COLUMN w TEXT");
    model.people = "id: integer primary key, v: varchar(5), w: text";
    estate_use(&e, &model);
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    model.people = "id: integer primary key, v: varchar(50), w: text";
    estate_use(&e, &model);
    assert_string_equal(estate_changes(&e, estate_plan(&e, false)),
                        STREAM "widen " TABLE "replace view ws_consumer.full__store1__people\n"
                               "replace view " HISTORY "\n" VIEW "refuse view " LIVE "\n");
    FAILS(plan_apply(&e.runtime, estate_plan(&e, false), NULL, &err), DS_FINDING,
          "it must be dropped, and view public.theirs stands on it");
    assert_string_equal(estate_query(&e, "merge.db", "SELECT * FROM public.theirs"), "1|a\n");
    estate_job(&e, "P/Store1");
    estate_sql(&e, "merge.db", "DROP VIEW public.theirs");
    estate_sql(&e, "merge.db", "CREATE FUNCTION public.those(" LIVE ") RETURNS integer LANGUAGE sql AS 'SELECT 1'");
    FAILS(plan_apply(&e.runtime, estate_plan(&e, false), NULL, &err), DS_FINDING,
          "stream P/Store1: view live__store1__people: "); // seen by the server only
    estate_sql(&e, "merge.db", "DROP FUNCTION public.those");
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    estate_close(&e);
}

// What goes, and what others have on it: views, and with --prune tables. The other stream changes no more than this
// one.
static void built_on_what_goes(void **state)
{
    (void)state;
    estate e;
    estate_model model;
    ds_error err;
    start(&e, &model);
    estate_job(&e, "P/Store1");
    estate_sql(&e, "merge.db",
               "CREATE VIEW public.theirs AS SELECT id FROM " LIVE ";"
               "CREATE MATERIALIZED VIEW public.more AS SELECT id FROM ds_p.store1__people");
    model = (estate_model){.orders = "id: integer primary key", .milestoning = "scd4", .live = "Store1/orders"};
    estate_use(&e, &model);
    FAILS(plan_apply(&e.runtime, estate_plan(&e, false), NULL, &err), DS_FINDING, "public.theirs stands on it");
    assert_string_equal(estate_query(&e, "merge.db", "SELECT * FROM public.theirs"), "1\n");
    estate_sql(&e, "merge.db", "DROP VIEW public.theirs");
    FAILS(plan_apply(&e.runtime, estate_plan(&e, true), NULL, &err), DS_FINDING, "public.more stands on it");
    estate_apply(&e);
    FAILS(plan_apply(&e.runtime, estate_plan(&e, true), NULL, &err), DS_FINDING, "public.more stands on it");
    estate_sql(&e, "merge.db", "DROP MATERIALIZED VIEW public.more");
    estate_prune(&e);
    estate_close(&e);
}

// What applies and drops schemas, tables and views finds everything in place, however often it comes.
static void pruned(void **state)
{
    (void)state;
    estate e;
    estate_model model;
    start(&e, &model);
    estate_job(&e, "P/Store1");
    model = (estate_model){.orders = "id: integer primary key", .milestoning = "scd4", .live = "Store1/orders"};
    estate_sql(&e, "source.db", "CREATE TABLE orders (id)");
    estate_use(&e, &model);
    estate_prune(&e);
    assert_string_equal(estate_query(&e, "merge.db",
                                     "SELECT relname FROM pg_class WHERE relname LIKE '%people%' AND relkind <> 't'"),
                        "");
    estate_job(&e, "P/Store1");
    estate_close(&e);
}

// A transaction holds locks on all that it makes: new streams share one as long as they are not too many tables.
static void many_new_tables(void **state)
{
    (void)state;
    enum { STORES = 3, DATASETS = 90 };
    estate e;
    ds_error err;
    open_estate(&e);
    CLEANUP(buf_release) ds_buf sinks = BUF_INIT(1 << 16), yaml = BUF_INIT(1 << 20);
    buf_puts(&sinks, "Store1/people");
    for (int i = 0; i < STORES * DATASETS; i++)
        buf_printf(&sinks, ", Wide%d/t%d", i / DATASETS, i % DATASETS);
    buf_puts(&yaml, estate_yaml(&e, &(estate_model){.people = "id: integer primary key", .live = buf_text(&sinks)}));
    for (int i = 0; i < STORES * DATASETS; i++) {
        if (i % DATASETS == 0)
            buf_printf(
                &yaml,
                "---\nkind: Datastore\nteam: Z/T\nname: Wide%d\ncapture: {type: sql_snapshot, container: Source, "
                "trigger: {external: true}}\ndatasets:\n",
                i / DATASETS);
        buf_printf(&yaml, "  t%d: {columns: {id: integer primary key}}\n", i % DATASETS);
    }
    OK(estate_compile(&e, buf_text(&yaml), &err));
    estate_apply(&e);
    assert_string_equal(estate_query(&e, "merge.db",
                                     "SELECT string_agg(name, ' ' ORDER BY name) FROM datasurface.stream "
                                     "GROUP BY xmin::text ORDER BY 1"),
                        "P/Store1 P/Wide0 P/Wide1\nP/Wide2\n");
    estate_close(&e);
}

int main(void)
{
    const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(evolutions),         cmocka_unit_test(grants_stay), cmocka_unit_test(built_on_a_view),
        cmocka_unit_test(built_on_what_goes), cmocka_unit_test(pruned),      cmocka_unit_test(many_new_tables),
    };
    if (!pair_open(&pair, "sqlite-postgres"))
        return 2;
    int failed = cmocka_run_group_tests(TESTS, NULL, NULL);
    pair_close(&pair);
    return failed;
}
