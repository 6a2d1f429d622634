// exec, query, prepare, the catalogue.
#include "contract/contract.h"

static int64_t affected(ds_db *db, ds_sql *q)
{
    ds_error err;
    int64_t n = -1;
    OK(store_exec(db, q, &n, &err));
    sql_clear(q);
    return n;
}

static void exec_counts_rows(void **state)
{
    ds_db *db = contract_open(*state);
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "CREATE TABLE t (a INTEGER)");
    assert_int_equal(affected(db, &q), 0);
    SQL(&q, "INSERT INTO t VALUES (1), (2), (3)");
    assert_int_equal(affected(db, &q), 3);
    SQL(&q, "CREATE TABLE u (a INTEGER)"); // not the count of the statement before
    assert_int_equal(affected(db, &q), 0);
    SQL(&q, "UPDATE t SET a = a + 10 WHERE a > 1");
    assert_int_equal(affected(db, &q), 2);
    SQL(&q, "DELETE FROM t WHERE a > 100");
    assert_int_equal(affected(db, &q), 0);
    SQL(&q, "INSERT INTO u SELECT a FROM t");
    assert_int_equal(affected(db, &q), 3);
    SQL(&q, "DELETE FROM t");
    assert_int_equal(affected(db, &q), 3);
    store_close(db);
}

static void statements_that_are_refused(void **state)
{
    ds_error err;
    ds_db *db = contract_open(*state);
    RUN(db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL)");
    RUN(db, "INSERT INTO t VALUES (1, 'x')");
    RUN_FAILS(db, "INSERT INTO missing VALUES (1)", DS_FINDING, "missing");
    RUN_FAILS(db, "UPDATE t SET missing = 1", DS_FINDING, "missing");
    // What is quoted is a name, never a text.
    RUN_FAILS(db, "UPDATE t SET b = \"missing\"", DS_FINDING, "missing");
    RUN_FAILS(db, "SELEC 1", DS_FINDING, "SELEC");
    RUN_FAILS(db, "INSERT INTO t VALUES (1, 'y')", DS_FINDING, "t");
    RUN_FAILS(db, "INSERT INTO t VALUES (2, NULL)", DS_FINDING, "b");
    RUN_FAILS(db, "DELETE FROM t; DELETE FROM t", DS_FINDING, "");
    RUN_FAILS(db, "", DS_FINDING, "empty");
    assert_int_equal(count_rows(db, "t"), 1);
    RUN(db, "DELETE FROM t; ");
    store_close(db);
}

static void too_large_a_statement(void **state)
{
    ds_error err;
    ds_db *db = contract_open(*state);
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    contract *w = *state;
    char *spaces = arena_alloc(w->arena, SQL_TEXT_MAX + 1);
    memset(spaces, ' ', SQL_TEXT_MAX);
    SQL(&q, "SELECT 1");
    sql_user_text(&q, spaces);
    FAILS(store_exec(db, &q, NULL, &err), DS_FINDING, "too large");
    sql_clear(&q);
    SQL(&q, "SELECT ");
    for (size_t i = 0; i <= SQL_PARAMS_MAX; i++) {
        sql_int(&q, 1);
        SQL(&q, "+");
    }
    SQL(&q, "0");
    FAILS(store_exec(db, &q, NULL, &err), DS_FINDING, "too large");
    store_close(db);
}

static void parameters_of_all_kinds(void **state)
{
    static const char HOSTILE[] = "'); DROP TABLE t; -- \" ` \\ $1 ? :a \n\t \xe2\x82\xac";
    static const int64_t INTS[] = {0, -1, INT64_MIN, INT64_MAX};
    contract *w = *state;
    ds_error err;
    ds_db *db = contract_open(w);
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "CREATE TABLE t (i ");
    db->dialect->column_type(type_of(w->arena, "bigint"), &q.text);
    SQL(&q, ", s ");
    db->dialect->column_type(type_of(w->arena, "text"), &q.text);
    SQL(&q, ", b ");
    db->dialect->column_type(type_of(w->arena, "binary"), &q.text);
    SQL(&q, ")");
    assert_int_equal(affected(db, &q), 0);
    for (size_t i = 0; i < 4; i++) {
        SQL(&q, "INSERT INTO t VALUES (");
        sql_int(&q, INTS[i]);
        SQL(&q, ", ");
        sql_text(&q, i == 3 ? NULL : i == 2 ? "" : HOSTILE);
        SQL(&q, ", ");
        sql_blob(&q, "\x00\xff\x7f", i == 3 ? 0 : i);
        SQL(&q, ")");
        assert_int_equal(affected(db, &q), 1);
    }
    SQL(&q, "SELECT i, s, b FROM t WHERE i = ");
    sql_literal_int(&q, INT64_MIN);
    SQL(&q, " OR s = ");
    sql_literal_text(&q, HOSTILE);
    SQL(&q, " OR s IS NULL ORDER BY i");
    ds_result found;
    OK(store_query(db, &q, w->arena, &found, &err));
    assert_int_equal(found.rows, 4);
    assert_int_equal(found.columns, 3);
    static const struct {
        int64_t i;
        const char *s, *b;
    } EXPECTED[] = {{INT64_MIN, "", "00ff"}, {-1, HOSTILE, "00"}, {0, HOSTILE, ""}, {INT64_MAX, NULL, ""}};
    for (size_t r = 0; r < 4; r++) {
        assert_true(result_int(&found, r, 0) == EXPECTED[r].i);
        assert_string_equal(result_text(&found, r, 2), EXPECTED[r].b);
        if (EXPECTED[r].s)
            assert_string_equal(result_text(&found, r, 1), EXPECTED[r].s);
        else
            assert_null(result_text(&found, r, 1));
    }
    assert_int_equal(result_int(&found, 3, 1), 0); // a null is 0
    store_close(db);
}

static void query_without_rows(void **state)
{
    contract *w = *state;
    ds_error err;
    ds_db *db = contract_open(w);
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT 1 AS a, 2 AS b WHERE 1 = 0");
    ds_result found;
    OK(store_query(db, &q, w->arena, &found, &err));
    assert_int_equal(found.rows, 0);
    assert_int_equal(found.columns, 2);
    sql_clear(&q);
    SQL(&q, "SELECT * FROM missing");
    FAILS(store_query(db, &q, w->arena, &found, &err), DS_FINDING, "missing");
    store_close(db);
}

static void prepare_names_columns(void **state)
{
    contract *w = *state;
    ds_error err;
    ds_db *db = contract_open(w);
    RUN(db, "CREATE TABLE t (a INTEGER, \"Order No\" INTEGER)");
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT a, \"Order No\", a + 1 AS b FROM t");
    const char *const *names;
    size_t n = 0;
    OK(db->driver->prepare(db, &q, w->arena, &names, &n, &err));
    assert_int_equal(n, 3);
    assert_string_equal(names[0], "a");
    assert_string_equal(names[1], "Order No");
    assert_string_equal(names[2], "b");
    sql_clear(&q);
    sql_user_text(&q, "SELECT a, missing FROM t");
    FAILS(db->driver->prepare(db, &q, w->arena, &names, &n, &err), DS_FINDING, "missing");
    sql_clear(&q);
    sql_user_text(&q, "SELECT a FROM t; DELETE FROM t");
    FAILS(db->driver->prepare(db, &q, w->arena, &names, &n, &err), DS_FINDING, "");
    sql_clear(&q);
    sql_user_text(&q, "DELETE FROM t");
    FAILS(db->driver->prepare(db, &q, w->arena, &names, &n, &err), DS_FINDING, "");
    store_close(db);
}

static void describe_finds_columns(void **state)
{
    contract *w = *state;
    ds_error err;
    ds_db *db = contract_open(w);
    RUN(db,
        "CREATE TABLE t (b TEXT, \"Order No\" INTEGER NOT NULL, a INTEGER NOT NULL, PRIMARY KEY (a, \"Order No\"))");
    RUN(db, "CREATE VIEW v AS SELECT b FROM t");
    const ds_catalog_table *table = NULL;
    OK(store_describe(db, w->arena, (ds_relation){"", "t"}, &table, &err));
    static const struct {
        const char *name;
        bool not_null;
        int key;
    } EXPECTED[] = {{"b", false, 0}, {"Order No", true, 2}, {"a", true, 1}};
    assert_non_null(table);
    assert_string_equal(table->relation.name, "t");
    assert_false(table->is_view);
    assert_int_equal(table->n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(table->columns[i].name, EXPECTED[i].name);
        assert_int_equal(table->columns[i].not_null, EXPECTED[i].not_null);
        assert_int_equal(table->columns[i].key, EXPECTED[i].key);
        assert_true(table->columns[i].declared[0] != '\0');
    }
    OK(store_describe(db, w->arena, (ds_relation){"", "v"}, &table, &err));
    assert_true(table->is_view);
    assert_int_equal(table->n, 1);
    OK(store_describe(db, w->arena, (ds_relation){"", "missing"}, &table, &err));
    assert_null(table);
    store_close(db);
}

// Several datasets may have one source table.
static void describe_twice(void **state)
{
    contract *w = *state;
    ds_error err;
    ds_db *db = contract_open(w);
    RUN(db, "CREATE TABLE t (a INTEGER NOT NULL, b TEXT)");
    RUN(db, "CREATE TABLE u (c TEXT)");
    static const ds_relation ASKED[] = {{"", "t"}, {"", "t"}, {"", "none"}, {"", "u"}, {"", "t"}, {"", "u"}};
    static const size_t COLUMNS[] = {2, 2, 0, 1, 2, 1};
    enum { N = sizeof ASKED / sizeof ASKED[0] };
    const ds_catalog_table *found[N];
    OK(store_describe_all(db, w->arena, ASKED, N, found, &err));
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(found[i] != NULL, COLUMNS[i] != 0);
        if (found[i]) {
            assert_string_equal(found[i]->relation.name, ASKED[i].name);
            assert_int_equal(found[i]->n, COLUMNS[i]);
        }
    }
    store_close(db);
}

static void list_is_by_name(void **state)
{
    contract *w = *state;
    ds_error err;
    ds_db *db = contract_open(w);
    const ds_catalog_table *tables = NULL;
    size_t n = 99;
    OK(db->driver->list(db, w->arena, &tables, &n, &err));
    assert_int_equal(n, 0);
    RUN(db, "CREATE TABLE b (a INTEGER PRIMARY KEY)");
    RUN(db, "CREATE TABLE a (x INTEGER, y TEXT)");
    RUN(db, "CREATE VIEW c AS SELECT x FROM a");
    OK(db->driver->list(db, w->arena, &tables, &n, &err));
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++) {
        const char name[] = {(char)('a' + i), '\0'};
        assert_string_equal(tables[i].relation.name, name);
        assert_int_equal(tables[i].is_view, i == 2);
        assert_int_equal(tables[i].n, i == 0 ? 2 : 1);
    }
    assert_int_equal(tables[1].columns[0].key, 1);
    assert_true(tables[1].columns[0].not_null);
    store_close(db);
}

// --- points

static int64_t count_beside(contract *w, ds_db *db, const char *column, const char *op, const char *point)
{
    ds_error err;
    ds_result found;
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT count(*) FROM t WHERE (");
    sql_ident(&q, column);
    SQL(&q, ")");
    sql_add_fixed(&q, op, strlen(op));
    SQL(&q, "(");
    sql_point_value(&q, point);
    SQL(&q, ")");
    OK(store_query(db, &q, w->arena, &found, &err));
    return result_int(&found, 0, 0);
}

// Every column is null in the last row, and in its order in those before.
enum { POINT_COLUMNS = 4, POINT_ROWS = 5 };
static void fill_points(contract *w, ds_db *db)
{
    static const char *const TYPES[POINT_COLUMNS] = {"bigint", "text", "double", "timestamp"};
    static const char *const VALUES[POINT_ROWS + 1] = {
        "-9223372036854775807, '', -0.1, '2026-01-01 00:00:00'",    "-1, '''', 0.1, '2026-01-01 00:00:00.000001'",
        "0, '''1''', 0.30000000000000004, '2026-01-01 00:00:00.5'", "9, '10', 1e100, '2026-01-02 00:00:00'",
        "10, '9', 1.7976931348623157e308, '2026-10-01 00:00:00'",   "NULL, NULL, NULL, NULL",
    };
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "CREATE TABLE t (");
    for (size_t i = 0; i < POINT_COLUMNS; i++) {
        if (i)
            SQL(&q, ", ");
        sql_ident(&q, arena_printf(w->arena, "c%zu", i));
        SQL(&q, " ");
        db->dialect->column_type(type_of(w->arena, TYPES[i]), &q.text);
    }
    SQL(&q, ")");
    assert_int_equal(affected(db, &q), 0);
    for (size_t i = 0; i <= POINT_ROWS; i++) {
        SQL(&q, "INSERT INTO t VALUES (");
        sql_user_text(&q, VALUES[i]);
        SQL(&q, ")");
        assert_int_equal(affected(db, &q), 1);
    }
}

static void points_compare_as_their_values(void **state)
{
    contract *w = *state;
    ds_error err;
    ds_result found;
    ds_db *db = contract_open(w);
    fill_points(w, db);
    for (size_t c = 0; c < POINT_COLUMNS; c++) {
        const char *column = arena_printf(w->arena, "c%zu", c);
        CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
        SQL(&q, "SELECT ");
        sql_point_column(&q, "s", column);
        SQL(&q, " FROM t AS s ORDER BY s.c0 IS NULL, s.c0");
        OK(store_query(db, &q, w->arena, &found, &err));
        for (size_t row = 0; row < POINT_ROWS; row++) {
            const char *point = result_text(&found, row, 0);
            assert_int_equal(count_beside(w, db, column, " = ", point), 1);
            assert_int_equal(count_beside(w, db, column, " > ", point), POINT_ROWS - 1 - row);
        }
        assert_null(result_text(&found, POINT_ROWS, 0));
    }
    store_close(db);
}

static int64_t estimate(ds_db *db, const char *table)
{
    ds_error err;
    int64_t rows = -1;
    OK(db->driver->rows_estimate(db, (ds_relation){"", table}, &rows, &err));
    return rows;
}

static void estimates_are_about_right(void **state)
{
    ds_error err;
    ds_db *db = contract_open(*state);
    assert_int_equal(estimate(db, "t"), 0);
    RUN(db, "CREATE TABLE t (id bigint)");
    RUN(db, "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
            "SELECT i FROM n");
    RUN(db, "CREATE VIEW v AS SELECT id FROM t");
    assert_in_range(estimate(db, "t"), 1000, 50000);
    assert_int_equal(estimate(db, "v"), 0);
    RUN(db, "ANALYZE t");
    assert_int_equal(estimate(db, "t"), 5000);
    store_close(db);
}

TEST_TABLE(STATEMENT, CONTRACT(exec_counts_rows), CONTRACT(statements_that_are_refused),
           CONTRACT(too_large_a_statement), CONTRACT(parameters_of_all_kinds), CONTRACT(query_without_rows),
           CONTRACT(prepare_names_columns), CONTRACT(describe_finds_columns), CONTRACT(describe_twice),
           CONTRACT(list_is_by_name), CONTRACT(points_compare_as_their_values), CONTRACT(estimates_are_about_right), );
