// store/sql.h: no value and no name breaks out of its place.
#include "support/check.h"

#include <stdio.h>

#include "store/sql.h"

static const ds_dialect QUESTION = {.name = "q"};
static const ds_dialect NUMBERED = {.name = "n", .numbered_params = true, .names = {63, true}};

// Names and values as an enemy would choose them, with what stands in the text.
static const struct {
    const char *text, *as_ident, *as_literal;
} HOSTILE[] = {
    {"plain", "\"plain\"", "'plain'"},
    {"Order No", "\"Order No\"", "'Order No'"},
    {"a\"b", "\"a\"\"b\"", "'a\"b'"},
    {"\"", "\"\"\"\"", "'\"'"},
    {"\"\"", "\"\"\"\"\"\"", "'\"\"'"},
    {"a'b", "\"a'b\"", "'a''b'"},
    {"'; DROP TABLE t; --", "\"'; DROP TABLE t; --\"", "'''; DROP TABLE t; --'"},
    {"\"; DROP TABLE t; --", "\"\"\"; DROP TABLE t; --\"", "'\"; DROP TABLE t; --'"},
    {"back\\slash", "\"back\\slash\"", "'back\\slash'"},
    {"line\nbreak", "\"line\nbreak\"", "'line\nbreak'"},
    {"select", "\"select\"", "'select'"},
    {"\xc3\xa4\xe2\x82\xac", "\"\xc3\xa4\xe2\x82\xac\"", "'\xc3\xa4\xe2\x82\xac'"},
    {"%s%n", "\"%s%n\"", "'%s%n'"},
    {"?", "\"?\"", "'?'"},
};

static void quoting(void **state)
{
    (void)state;
    CLEANUP(sql_release) ds_sql q = sql_new(&QUESTION);
    for (size_t i = 0; i < sizeof HOSTILE / sizeof HOSTILE[0]; i++) {
        sql_clear(&q);
        sql_ident(&q, HOSTILE[i].text);
        assert_string_equal(buf_text(&q.text), HOSTILE[i].as_ident);
        sql_clear(&q);
        sql_literal_text(&q, HOSTILE[i].text);
        assert_string_equal(buf_text(&q.text), HOSTILE[i].as_literal);
        sql_clear(&q);
        sql_text(&q, HOSTILE[i].text);
        assert_string_equal(buf_text(&q.text), "?");
        assert_int_equal(q.params[0].kind, PARAM_TEXT);
        assert_string_equal(buf_text(&q.values) + q.params[0].offset, HOSTILE[i].text);
    }
    assert_int_equal(q.param_count, 1);
}

static void names_with_a_place(void **state)
{
    (void)state;
    CLEANUP(sql_release) ds_sql none = sql_new(&QUESTION);
    sql_relation(&none, (ds_relation){"my schema", "t"}); // a dialect without schemas leaves them out
    assert_string_equal(buf_text(&none.text), "\"t\"");
    CLEANUP(sql_release) ds_sql q = sql_new(&NUMBERED);
    sql_relation(&q, (ds_relation){"my schema", "t"});
    SQL(&q, " ");
    sql_relation(&q, (ds_relation){"", "t"});
    SQL(&q, " ");
    sql_relation(&q, (ds_relation){NULL, "t"});
    SQL(&q, " ");
    sql_column(&q, "a", "x");
    SQL(&q, " ");
    sql_column(&q, NULL, "x");
    assert_string_equal(buf_text(&q.text), "\"my schema\".\"t\" \"t\" \"t\" \"a\".\"x\" \"x\"");
}

static void parameters(void **state)
{
    (void)state;
    static const char BLOB[] = {0, 'x', 0};
    for (int numbered = 0; numbered < 2; numbered++) {
        CLEANUP(sql_release) ds_sql q = sql_new(numbered ? &NUMBERED : &QUESTION);
        SQL(&q, "f(");
        sql_int(&q, INT64_MIN);
        SQL(&q, ",");
        sql_text(&q, "first");
        SQL(&q, ",");
        sql_text(&q, NULL);
        SQL(&q, ",");
        sql_blob(&q, BLOB, sizeof BLOB);
        SQL(&q, ",");
        sql_text(&q, "");
        SQL(&q, ")");
        assert_string_equal(buf_text(&q.text), numbered ? "f($1,$2,$3,$4,$5)" : "f(?,?,?,?,?)");
        static const ds_param_kind KINDS[] = {PARAM_INT, PARAM_TEXT, PARAM_NULL, PARAM_BLOB, PARAM_TEXT};
        assert_int_equal(q.param_count, 5);
        for (size_t i = 0; i < 5; i++)
            assert_int_equal(q.params[i].kind, KINDS[i]);
        assert_true(q.params[0].i == INT64_MIN);
        assert_int_equal(q.params[1].n, 5);
        assert_int_equal(q.params[3].n, 3);
        assert_memory_equal(buf_text(&q.values) + q.params[3].offset, BLOB, 3);
        assert_int_equal(q.params[4].n, 0);
        sql_clear(&q);
        sql_int(&q, 1);
        assert_string_equal(buf_text(&q.text), numbered ? "$1" : "?");
    }
}

static void integer_literals(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *text;
    } CASES[] = {{0, "0"}, {-1, "-1"}, {INT64_MAX, "9223372036854775807"}, {INT64_MIN, "(-9223372036854775807 - 1)"}};
    CLEANUP(sql_release) ds_sql q = sql_new(&QUESTION);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        sql_clear(&q);
        sql_literal_int(&q, CASES[i].value);
        assert_string_equal(buf_text(&q.text), CASES[i].text);
    }
}

static void limits(void **state)
{
    (void)state;
    CLEANUP(sql_release) ds_sql q = sql_new(&QUESTION);
    for (size_t i = 0; i < SQL_PARAMS_MAX; i++)
        sql_int(&q, 1);
    assert_true(sql_ok(&q));
    assert_int_equal(q.param_count, SQL_PARAMS_MAX);
    sql_int(&q, 1);
    assert_false(sql_ok(&q));
    assert_int_equal(q.param_count, SQL_PARAMS_MAX);
    sql_clear(&q);
    assert_true(sql_ok(&q));
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    char *text = arena_alloc(arena, SQL_TEXT_MAX + 1);
    memset(text, 'x', SQL_TEXT_MAX);
    sql_user_text(&q, text);
    assert_true(sql_ok(&q));
    sql_ident(&q, "y");
    assert_false(sql_ok(&q));
}

// --- lists of columns

static const ds_type INTEGER = {.kind = TYPE_INTEGER, .size = TYPE_UNLIMITED};

static const ds_shape *sample(ds_arena *arena, size_t key_count)
{
    static const ds_shape_column COLUMNS[] = {
        {.name = "b", .source = "b", .type = &INTEGER},
        {.name = "A", .source = "Town \"Name\"", .type = &INTEGER},
        {.name = "c d", .source = "c d", .type = &INTEGER},
    };
    static const uint16_t KEY[] = {2, 0};
    const ds_shape *shape = NULL;
    ds_error err;
    OK(shape_new(arena, COLUMNS, 3, KEY, key_count, &shape, &err));
    return shape;
}

static void column_lists(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(&QUESTION);
    const ds_shape *shape = sample(arena, 2);
    sql_columns(&q, NULL, shape);
    assert_string_equal(buf_text(&q.text), "\"b\", \"A\", \"c d\"");
    sql_clear(&q);
    sql_columns(&q, "x", shape);
    assert_string_equal(buf_text(&q.text), "\"x\".\"b\", \"x\".\"A\", \"x\".\"c d\"");
    sql_clear(&q);
    sql_columns_to_read(&q, shape, false);
    assert_string_equal(buf_text(&q.text), "\"A\", \"b\", \"c d\"");
    sql_clear(&q);
    sql_columns_to_read(&q, shape, true);
    assert_string_equal(buf_text(&q.text), "\"Town \"\"Name\"\"\", \"b\", \"c d\"");
    sql_clear(&q);
    sql_key_match(&q, "m", "s", shape);
    assert_string_equal(buf_text(&q.text), "\"m\".\"c d\" = \"s\".\"c d\" AND \"m\".\"b\" = \"s\".\"b\"");
    sql_clear(&q);
    sql_key_match(&q, "m", "s", sample(arena, 0));
    assert_string_equal(buf_text(&q.text),
                        "\"m\".\"ds_row_hash\" = \"s\".\"ds_row_hash\" AND \"m\".\"ds_copy\" = \"s\".\"ds_copy\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quoting),    cmocka_unit_test(names_with_a_place),
        cmocka_unit_test(parameters), cmocka_unit_test(integer_literals),
        cmocka_unit_test(limits),     cmocka_unit_test(column_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
