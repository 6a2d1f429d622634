// schema/type.h: the grammar of types and columns, and widening (cases S01-S09 of the acceptance list).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "schema/type.h"

static void print_is(ds_arena *arena, const char *text, const char *printed)
{
    ds_error err;
    size_t at = 99;
    const ds_type *type = NULL;
    if (type_parse(arena, str_of(text), &type, &at, &err).code != DS_OK)
        fail_msg("%s: %s", text, err.text);
    CLEANUP(buf_release) ds_buf out = BUF_INIT(2 * TYPE_TEXT_MAX);
    type_print(type, &out);
    assert_string_equal(buf_text(&out), printed);
    const ds_type *again = NULL;
    assert_int_equal(type_parse(arena, buf_str(&out), &again, &at, &err).code, DS_OK);
    assert_true(type_equal(type, again) && type_equal(again, type));
}

static void canonical_print(void **state)
{
    (void)state;
    const char *const CASES[][2] = {
        {"tinyint", "tinyint"},
        {"SMALLINT", "smallint"},
        {"int2", "smallint"},
        {"int", "integer"},
        {"Int4", "integer"},
        {"int8", "bigint"},
        {"utinyint", "utinyint"},
        {"usmallint", "usmallint"},
        {"uinteger", "uinteger"},
        {"ubigint", "ubigint"},
        {"float4", "real"},
        {"ieee32", "real"},
        {"double", "double"},
        {"double  precision", "double"},
        {"DOUBLE\tPRECISION", "double"},
        {"float8", "double"},
        {"ieee64", "double"},
        {"decimal(12)", "decimal(12,0)"},
        {"numeric( 12 , 2 )", "decimal(12,2)"},
        {"decimal(10,10)", "decimal(10,10)"},
        {"decimal(10,0)", "decimal(10,0)"},
        {"decimal(1000,2)", "decimal(1000,2)"},
        {"bool", "boolean"},
        {"char(3)", "char(3)"},
        {"varchar", "varchar"},
        {"varchar (20)", "varchar(20)"},
        {"text", "text"},
        {"nchar(1)", "nchar(1)"},
        {"nvarchar", "nvarchar"},
        {"nvarchar(5)", "nvarchar(5)"},
        {"string", "string"},
        {"string(7)", "string(7)"},
        {"date", "date"},
        {"time", "time"},
        {"timetz", "timetz"},
        {"timestamp", "timestamp"},
        {"timestamptz", "timestamptz"},
        {"interval", "interval"},
        {"uuid", "uuid"},
        {"json", "json"},
        {"binary", "binary"},
        {"bytea", "binary"},
        {"blob(16)", "binary(16)"},
        {"variant", "variant"},
        {"geography", "geography"},
        {"geography(Point)", "geography(point)"},
        {"geography(POINT, 4326)", "geography(point,4326)"},
        {"geography(geometry)", "geography"},
        {"geography(geometry,4326)", "geography(geometry,4326)"},
        {"vector(10)", "vector(10)"},
        {"array( int )", "array(integer)"},
        {"map(text,array(decimal(3)))", "map(text, array(decimal(3,0)))"},
        {"struct(Street text,number int4)", "struct(Street text, number integer)"},
        {"struct(a struct(b text))", "struct(a struct(b text))"},
        {"IEEE16", "ieee16"},
        {"fp8_e5m2fnuz", "fp8_e5m2fnuz"},
        {"MXFP4_E2M1", "mxfp4_e2m1"},
        {"varchar(2147483647)", "varchar(2147483647)"},
    };
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        print_is(arena, CASES[i][0], CASES[i][1]);
}

typedef struct bad {
    const char *text;
    size_t at;
    const char *message;
    const char *hint;
} bad;

static const bad BAD_TYPES[] = {
    {"", 0, "expected a type, but the type ends here", ""},
    {"varchr", 0, "unknown type \"varchr\"", "did you mean \"varchar\"?"},
    {"integr", 0, "unknown type \"integr\"", "did you mean \"integer\"?"},
    {"frobnicate", 0, "unknown type \"frobnicate\"",
     "for example integer, varchar(100), decimal(12,2), date, timestamp"},
    {"datetime", 0, "unknown type \"datetime\"", "write timestamp"},
    {"jsonb", 0, "unknown type \"jsonb\"", "write json"},
    {"float", 0, "unknown type \"float\"", "write real (4 bytes) or double (8 bytes)"},
    {"12", 0, "expected a type, found \"12\"", ""},
    {"varchar(0)", 8, "varchar(0): the length must be at least 1", ""},
    {"string(0)", 7, "string(0): the length must be at least 1", ""},
    {"char(-3)", 5, "char(-3): the length must be at least 1", ""},
    {"varchar(20", 10, "expected \")\", but the type ends here", ""},
    {"varchar(20,2)", 10, "expected \")\", found \",\"", ""},
    {"varchar()", 8, "expected the length as a number, found \")\"", ""},
    {"varchar(x)", 8, "expected the length as a number, found \"x\"", ""},
    {"varchar(-)", 8, "expected the length as a number, found \"-\"", ""},
    {"varchar(2147483648)", 8, "the length 2147483648 is larger than 2147483647", ""},
    {"char", 4, "char needs a length in parentheses", "for example char(3)"},
    {"text(20)", 4, "text takes nothing in parentheses", "write text"},
    {"timestamp(6)", 9, "timestamp takes nothing in parentheses", "write timestamp"},
    {"decimal", 7, "decimal needs its number of digits in parentheses",
     "for example decimal(12,2): 12 digits, 2 of them after the point"},
    {"decimal(0)", 8, "decimal(0,0): the number of digits must be at least 1", ""},
    {"decimal(10,-1)", 8, "decimal(10,-1): the number of digits after the point must not be negative", ""},
    {"decimal(10,11)", 8, "decimal(10,11): 11 digits after the point are more than its 10 digits in all", ""},
    {"decimal(1001,0)", 8, "decimal(1001,0): more than 1000 digits", ""},
    {"decimal(12", 10, "expected \")\", but the type ends here", ""},
    {"vector", 6, "vector needs its number of dimensions in parentheses", "for example vector(16)"},
    {"vector(0)", 7, "vector(0): the number of dimensions must be at least 1", ""},
    {"geography(pint)", 10, "unknown kind of geometry \"pint\"", "did you mean \"point\"?"},
    {"geography(4326)", 10,
     "expected a kind of geometry (point, linestring, polygon, ..., or geometry for any), found \"4326\"", ""},
    {"geography(point,0)", 16, "the SRID 0 is not between 1 and 998999", ""},
    {"geography(point,-1)", 16, "the SRID -1 is not between 1 and 998999", ""},
    {"array", 5, "expected the type of its items in parentheses, but the type ends here", "for example array(integer)"},
    {"array(varchr)", 6, "unknown type \"varchr\"", "did you mean \"varchar\"?"},
    {"map(text)", 8, "expected \",\", found \")\"", ""},
    {"map(array(text),text)", 4, "the key of a map can't be of type array", ""},
    {"struct()", 7, "expected the name of a field, found \")\"", ""},
    {"struct(a text, A text)", 15, "struct has the field \"A\" twice", ""},
    {"struct(a)", 8, "expected a type, found \")\"", ""},
    {"integer integer", 8, "expected the end of the type, found \"integer\"", ""},
    {"\xC3\xA9t\xC3\xA9", 0, "expected a type, found \"\xC3\xA9\"", ""},
};

static void bad_types(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof BAD_TYPES / sizeof BAD_TYPES[0]; i++) {
        const bad *b = &BAD_TYPES[i];
        ds_error err = {0};
        size_t at = 99;
        const ds_type *type = NULL;
        assert_int_equal(type_parse(arena, str_of(b->text), &type, &at, &err).code, DS_FINDING);
        assert_null(type);
        assert_string_equal(err.text, b->message);
        assert_string_equal(err.hint, b->hint);
        assert_int_equal(at, b->at);
    }
}

// n times "array(" around integer.
static ds_str nested(ds_buf *out, int n)
{
    for (int i = 0; i < n; i++)
        buf_puts(out, "array(");
    buf_puts(out, "integer");
    for (int i = 0; i < n; i++)
        buf_putc(out, ')');
    return buf_str(out);
}

static void limits(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
    ds_error err;
    size_t at = 0;
    const ds_type *type = NULL;
    assert_int_equal(type_parse(arena, nested(&text, TYPE_DEPTH_MAX - 1), &type, &at, &err).code, DS_OK);
    buf_clear(&text);
    assert_int_equal(type_parse(arena, nested(&text, TYPE_DEPTH_MAX), &type, &at, &err).code, DS_FINDING);
    assert_string_equal(err.text, "types are nested more than 16 deep");
    buf_clear(&text);
    buf_puts(&text, "struct(");
    for (int i = 0; i < TYPE_FIELDS_MAX; i++) // short names, so that the text's own limit is not met: "z9 1"
        buf_printf(&text, "%s%c%c real", i ? "," : "", 'a' + i % 26, 'a' + i / 26 % 26);
    ds_column_spec spec;
    assert_int_equal(column_spec_parse(arena, buf_str(&text), &spec, &at, &err).code, DS_FINDING);
    assert_string_equal(err.text, "the type is longer than 4096 characters");
    assert_int_equal(at, 0);
    // What we have printed ourselves may be longer.
    buf_clear(&text);
    for (int i = 0; i < TYPE_PRINT_MAX - 4; i++)
        buf_putc(&text, ' ');
    buf_puts(&text, "real");
    assert_int_equal(type_parse(arena, buf_str(&text), &type, &at, &err).code, DS_OK);
    buf_putc(&text, ' ');
    assert_int_equal(type_parse(arena, buf_str(&text), &type, &at, &err).code, DS_FINDING);
    assert_string_equal(err.text, "the type is longer than 16384 characters");
}

typedef struct column {
    const char *text;
    const char *type;
    bool primary_key, not_null, null_given, partition;
} column;

static void columns(void **state)
{
    (void)state;
    const column CASES[] = {
        {"varchar(20) primary key", "varchar(20)", true, true, false, false},
        {"date", "date", false, false, false, false},
        {"DATE NOT NULL", "date", false, true, false, false},
        {"date null", "date", false, false, true, false},
        {"int not null primary key", "integer", true, true, false, false},
        {"int partition primary key not null", "integer", true, true, false, true},
        {"date partition", "date", false, true, false, true},
        {" double precision  not\tnull ", "double", false, true, false, false},
        {"varchar(20)not null", "varchar(20)", false, true, false, false},
    };
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        ds_column_spec spec;
        ds_error err;
        size_t at = 0;
        if (column_spec_parse(arena, str_of(CASES[i].text), &spec, &at, &err).code != DS_OK)
            fail_msg("%s: %s", CASES[i].text, err.text);
        CLEANUP(buf_release) ds_buf out = BUF_INIT(1000);
        type_print(spec.type, &out);
        assert_string_equal(buf_text(&out), CASES[i].type);
        assert_int_equal(spec.primary_key, CASES[i].primary_key);
        assert_int_equal(spec.not_null, CASES[i].not_null);
        assert_int_equal(spec.null_given, CASES[i].null_given);
        assert_int_equal(spec.partition, CASES[i].partition);
    }
}

static void bad_columns(void **state)
{
    (void)state;
    const bad CASES[] = {
        {"varchr primary key", 0, "unknown type \"varchr\"", "did you mean \"varchar\"?"},
        {"primary key", 0, "unknown type \"primary\"", "the type comes first, for example varchar(20) primary key"},
        {"date primry key", 5, "unknown modifier \"primry\"", "did you mean \"primary key\"?"},
        {"date primary", 5, "unknown modifier \"primary\"", "did you mean \"primary key\"?"},
        {"date key", 5, "unknown modifier \"key\"", "did you mean \"primary key\"?"},
        {"date not nul", 5, "unknown modifier \"not\"", "did you mean \"not null\"?"},
        {"int unique", 4, "unknown modifier \"unique\"", "after the type: primary key, not null, null, partition"},
        {"timestamp with time zone", 10, "unknown modifier \"with\"",
         "timestamp and time are without a time zone, timestamptz and timetz with one"},
        {"date not null not  null", 14, "\"not  null\" is written twice", ""},
        {"date null not null", 10, "a column can't be both \"null\" and \"not null\"", ""},
        {"date null primary key", 10, "a column can't be both \"null\" and \"primary key\"", ""},
        {"date partition null", 15, "a column can't be both \"null\" and \"partition\"", ""},
        {"date, not null", 4, "unknown modifier \",\"", "after the type: primary key, not null, null, partition"},
    };
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        ds_column_spec spec = {0};
        ds_error err = {0};
        size_t at = 0;
        assert_int_equal(column_spec_parse(arena, str_of(CASES[i].text), &spec, &at, &err).code, DS_FINDING);
        assert_string_equal(err.text, CASES[i].message);
        assert_string_equal(err.hint, CASES[i].hint);
        assert_int_equal(at, CASES[i].at);
    }
}

// New over old, as the acceptance list writes it; NULL: it widens.
static const struct {
    const char *id, *to, *from, *why;
} WIDENING[] = {
    {"S01", "string(25)", "string(20)", NULL},
    {"S01", "string(15)", "string(20)", "string(15) is shorter than string(20)"},
    {"S01", "string", "string(10)", NULL},
    {"S01", "string(10)", "string", "string(10) is shorter than string"},
    {"S02", "double", "real", NULL},
    {"S02", "ieee128", "ieee16", NULL},
    {"S02", "real", "double", "real can't hold every value of double"},
    {"S02", "real", "ieee16", NULL},
    {"S02", "ieee16", "fp8_e5m2", NULL},
    {"S02", "ieee16", "fp8_e5m2fnuz", NULL},
    {"S02", "fp8_e4m3", "fp8_e5m2", "fp8_e4m3 can't hold every value of fp8_e5m2"},
    {"S02", "fp8_e5m2", "fp8_e4m3", "fp8_e5m2 can't hold every value of fp8_e4m3"},
    {"S02", "real", "fp8_e8m0", NULL},
    {"S02", "mxfp8_e4m3", "mxfp8_e4m3", NULL},
    {"S02", "mxfp8_e5m2", "mxfp8_e4m3", "mxfp8_e5m2 can't hold every value of mxfp8_e4m3"},
    {"S02", "real", "mxfp4_e2m1", "real can't hold every value of mxfp4_e2m1"},
    {"S03", "bigint", "smallint", NULL},
    {"S03", "smallint", "bigint", "smallint can't hold every value of bigint"},
    {"S03", "bigint", "ieee16", "the kind of value changes from ieee16 to bigint"},
    {"S03", "ubigint", "utinyint", NULL},
    {"S03", "bigint", "utinyint", "bigint and utinyint differ in their sign"},
    {"S03", "ubigint", "tinyint", "ubigint and tinyint differ in their sign"},
    {"S04", "decimal(12,2)", "decimal(10,2)", NULL},
    {"S04", "decimal(10,2)", "decimal(12,2)", "decimal(10,2) has fewer digits before the point than decimal(12,2)"},
    {"S04", "decimal(10,4)", "decimal(10,2)", "decimal(10,4) has fewer digits before the point than decimal(10,2)"},
    {"S04", "decimal(12,4)", "decimal(12,2)", "decimal(12,4) has fewer digits before the point than decimal(12,2)"},
    {"S04", "decimal(14,4)", "decimal(12,2)", NULL},
    {"S04", "decimal(10,2)", "decimal(10,4)", "decimal(10,2) has fewer digits after the point than decimal(10,4)"},
    {"S05", "timestamp", "date", NULL},
    {"S05", "date", "timestamp", "date can't hold every value of timestamp"},
    {"S05", "timestamptz", "timestamp", "timestamptz can't hold every value of timestamp"},
    {"S05", "timestamptz", "date", "timestamptz can't hold every value of date"},
    {"S05", "interval", "date", "the kind of value changes from date to interval"},
    {"S06", "vector(20)", "vector(10)", NULL},
    {"S06", "vector(10)", "vector(20)", "vector(10) is shorter than vector(20)"},
    {"S06", "binary(20)", "binary(10)", NULL},
    {"S06", "binary(10)", "binary(20)", "binary(10) is shorter than binary(20)"},
    {"S06", "binary", "binary(20)", NULL},
    {"S06", "variant", "variant", NULL},
    {"S06", "variant", "binary", "the kind of value changes from binary to variant"},
    {"S06", "vector(3)", "array(real)", "the kind of value changes from array(real) to vector(3)"},
    {"S07", "char(20)", "varchar(20)", NULL},
    {"S07", "varchar(20)", "char(20)", NULL},
    {"S07", "text", "varchar(20)", NULL},
    {"S07", "varchar(20)", "text", "varchar(20) is shorter than text"},
    {"S07", "varchar(20)", "nvarchar(20)", "the kind of value changes from nvarchar(20) to varchar(20)"},
    {"S07", "string", "varchar", "the kind of value changes from varchar to string"},
    {"S07", "nchar(5)", "string(5)", NULL},
    {"S08", "struct(a text)", "struct(a text)", NULL},
    {"S08", "struct(a text, b integer)", "struct(a varchar(5))", NULL},
    {"S08", "struct(b integer, a text)", "struct(a text)", "the field \"a\" is no longer at its place"},
    {"S08", "struct(a text)", "struct(a text, b text)", "the field \"b\" is no longer at its place"},
    {"S08", "struct(a varchar(4))", "struct(a text)", "varchar(4) is shorter than text (field \"a\")"},
    {"S09", "geography", "geography(point)", NULL},
    {"S09", "geography(point)", "geography", "geography(point) can't hold every value of geography"},
    {"S09", "geography(point,3857)", "geography(point,4326)",
     "geography(point,3857) has another SRID than geography(point,4326)"},
    {"S09", "geography(geometry,4326)", "geography(point,4326)", NULL},
    {"S09", "geography(polygon)", "geography(point)", "geography(polygon) can't hold every value of geography(point)"},
    {"", "array(bigint)", "array(integer)", NULL},
    {"", "array(integer)", "array(bigint)", "integer can't hold every value of bigint"},
    {"", "map(text, bigint)", "map(varchar(3), integer)", NULL},
    {"", "map(varchar(3), bigint)", "map(text, integer)", "varchar(3) is shorter than text"},
    {"", "time", "timetz", "time can't hold every value of timetz"},
    {"", "text", "integer", "the kind of value changes from integer to text"},
    {"", "boolean", "boolean", NULL},
    {"", "uuid", "json", "uuid can't hold every value of json"},
};

static void widening(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof WIDENING / sizeof WIDENING[0]; i++) {
        const ds_type *from = NULL, *to = NULL;
        ds_error err;
        size_t at = 0;
        assert_int_equal(type_parse(arena, str_of(WIDENING[i].from), &from, &at, &err).code, DS_OK);
        assert_int_equal(type_parse(arena, str_of(WIDENING[i].to), &to, &at, &err).code, DS_OK);
        CLEANUP(buf_release) ds_buf why = BUF_INIT(1000);
        bool widens = type_widens(from, to, &why);
        if (widens != !WIDENING[i].why)
            fail_msg("%s: %s over %s", WIDENING[i].id, WIDENING[i].to, WIDENING[i].from);
        assert_string_equal(buf_text(&why), WIDENING[i].why ? WIDENING[i].why : "");
    }
}

static void names_and_families(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    for (int kind = 0; kind < TYPE_KIND_COUNT; kind++)
        assert_non_null(type_kind_name((ds_type_kind)kind));
    const struct {
        const char *text;
        bool is_text, is_integer;
    } CASES[] = {
        {"tinyint", false, true}, {"ubigint", false, true}, {"real", false, false}, {"char(1)", true, false},
        {"text", true, false},    {"string", true, false},  {"date", false, false}, {"json", false, false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const ds_type *type = NULL;
        ds_error err;
        size_t at = 0;
        assert_int_equal(type_parse(arena, str_of(CASES[i].text), &type, &at, &err).code, DS_OK);
        assert_int_equal(type_is_text(type), CASES[i].is_text);
        assert_int_equal(type_is_integer(type), CASES[i].is_integer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_print),
        cmocka_unit_test(bad_types),
        cmocka_unit_test(limits),
        cmocka_unit_test(columns),
        cmocka_unit_test(bad_columns),
        cmocka_unit_test(widening),
        cmocka_unit_test(names_and_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
