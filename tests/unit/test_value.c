// schema/value.h
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "schema/value.h"

// One column "v" of a type, and a row to put it into.
typedef struct ds_bench {
    ds_arena *arena;
    const ds_shape *shape;
    ds_rows rows;
    ds_buf text;
    ds_error err;
} ds_bench;

static void bench_type(ds_bench *bench, const char *type)
{
    ds_shape_column column = {.name = "v"};
    size_t at;
    ds_rc rc = type_parse(bench->arena, str_of(type), &column.type, &at, &bench->err);
    if (rc.code != DS_OK)
        fail_msg("%s: %s", type, bench->err.text);
    assert_int_equal(shape_new(bench->arena, &column, 1, NULL, 0, &bench->shape, &bench->err).code, DS_OK);
}

static void bench_init(ds_bench *bench)
{
    *bench = (ds_bench){.arena = arena_new(), .text = BUF_INIT(1 << 20)};
    rows_init(&bench->rows);
}

static void bench_release(ds_bench *bench)
{
    rows_release(&bench->rows);
    buf_release(&bench->text);
    arena_free(bench->arena);
}

static void begin(ds_bench *bench)
{
    rows_clear(&bench->rows);
    rows_begin(&bench->rows);
}

// Ends the row; its only cell, empty when nothing was put.
static ds_cell finish(ds_bench *bench)
{
    ds_cell cell;
    assert_int_equal(rows_end(&bench->rows, bench->shape, 0, &bench->err).code, DS_OK);
    row_cells(bench->shape, rows_row(&bench->rows, 0), &cell);
    return cell;
}

// The value as printed, or "error: " and the message.
static const char *outcome(ds_bench *bench, ds_rc rc)
{
    buf_clear(&bench->text);
    if (rc.code != DS_OK) {
        assert_int_equal(rc.code, DS_FINDING);
        assert_int_equal(bench->rows.bytes.n, 0); // nothing was put
        buf_printf(&bench->text, "error: %s", bench->err.text);
        return buf_text(&bench->text);
    }
    ds_cell cell = finish(bench);
    assert_non_null(cell.p);
    value_print(bench->shape->columns[0].type, cell, &bench->text);
    return buf_text(&bench->text);
}

static const char *from_text(ds_bench *bench, ds_str text)
{
    begin(bench);
    return outcome(bench, value_put_text(&bench->rows, bench->shape->columns, text, &bench->err));
}

typedef struct ds_text_case {
    const char *type, *text;
    const char *expected; // printed; or "error: " and the message's end; NULL: the text itself
} ds_text_case;

static void check_cases(const ds_text_case *cases, size_t n)
{
    ds_bench bench;
    bench_init(&bench);
    for (size_t i = 0; i < n; i++) {
        bench_type(&bench, cases[i].type);
        const char *got = from_text(&bench, str_of(cases[i].text));
        const char *expected = cases[i].expected ? cases[i].expected : cases[i].text;
        if (strcmp(got, expected) != 0)
            fail_msg("%s from '%s': got '%s', expected '%s'", cases[i].type, cases[i].text, got, expected);
    }
    bench_release(&bench);
}
#define CHECK_CASES(cases) check_cases(cases, sizeof(cases) / sizeof(cases)[0])

static void integers(void **state)
{
    (void)state;
    static const ds_text_case CASES[] = {
        {"tinyint", "-128", NULL},
        {"tinyint", "127", NULL},
        {"tinyint", "128", "error: '128' does not fit tinyint"},
        {"tinyint", "-129", "error: '-129' does not fit tinyint"},
        {"smallint", "-32768", NULL},
        {"smallint", "32768", "error: '32768' does not fit smallint"},
        {"integer", "2147483647", NULL},
        {"integer", "-2147483649", "error: '-2147483649' does not fit integer"},
        {"bigint", "9223372036854775807", NULL},
        {"bigint", "-9223372036854775808", NULL},
        {"bigint", "9223372036854775808", "error: '9223372036854775808' does not fit bigint"},
        {"bigint", "-9223372036854775809", "error: '-9223372036854775809' does not fit bigint"},
        {"utinyint", "255", NULL},
        {"utinyint", "256", "error: '256' does not fit utinyint"},
        {"utinyint", "-1", "error: '-1' does not fit utinyint"},
        {"usmallint", "65535", NULL},
        {"uinteger", "4294967295", NULL},
        {"uinteger", "4294967296", "error: '4294967296' does not fit uinteger"},
        {"ubigint", "18446744073709551615", NULL},
        {"ubigint", "18446744073709551616", "error: '18446744073709551616' does not fit ubigint"},
        {"ubigint", "99999999999999999999999", "error: '99999999999999999999999' does not fit ubigint"},
        {"integer", "+5", "5"},
        {"integer", "-0", "0"},
        {"integer", "007", "7"},
        {"integer", "", "error: '' is not a valid integer"},
        {"integer", "-", "error: '-' is not a valid integer"},
        {"integer", " 5", "error: ' 5' is not a valid integer"},
        {"integer", "5.0", "error: '5.0' is not a valid integer"},
        {"integer", "1e3", "error: '1e3' is not a valid integer"},
        {"integer", "0x10", "error: '0x10' is not a valid integer"},
        {"boolean", "t", "true"},
        {"boolean", "FALSE", "false"},
        {"boolean", "1", "true"},
        {"boolean", "0", "false"},
        {"boolean", "yes", "error: 'yes' is not a valid boolean"},
        {"boolean", "", "error: '' is not a valid boolean"},
        {"boolean", "2", "error: '2' is not a valid boolean"},
    };
    CHECK_CASES(CASES);
}

static void decimals(void **state)
{
    (void)state;
    static const ds_text_case CASES[] = {
        {"decimal(4,2)", "12.34", NULL},
        {"decimal(4,2)", "-12.30", "-12.3"},
        {"decimal(4,2)", "99.99", NULL},
        {"decimal(4,2)", "0012.3400000", "12.34"},
        {"decimal(4,2)", "+1.", "1"},
        {"decimal(4,2)", ".5", "0.5"},
        {"decimal(4,2)", "-.05", "-0.05"},
        {"decimal(4,2)", "-0.00", "0"},
        {"decimal(4,2)", "0e99999999999999999999", "0"},
        {"decimal(4,2)", "1.5e1", "15"},
        {"decimal(4,2)", "1234e-2", "12.34"},
        {"decimal(4,2)", "0.0012e+4", "12"},
        {"decimal(4,2)", "12.345", "error: '12.345' does not fit decimal(4,2)"},
        {"decimal(4,2)", "123.4", "error: '123.4' does not fit decimal(4,2)"},
        {"decimal(4,2)", "1e2", "error: '1e2' does not fit decimal(4,2)"},
        {"decimal(4,2)", "1e-3", "error: '1e-3' does not fit decimal(4,2)"},
        {"decimal(4,2)", "NaN", NULL},
        {"decimal(4,2)", "Infinity", "error: 'Infinity' does not fit decimal(4,2)"},
        {"decimal(4,2)", "", "error: '' is not a valid decimal(4,2)"},
        {"decimal(4,2)", ".", "error: '.' is not a valid decimal(4,2)"},
        {"decimal(4,2)", "1,5", "error: '1,5' is not a valid decimal(4,2)"},
        {"decimal(4,2)", "1e", "error: '1e' is not a valid decimal(4,2)"},
        {"decimal(4,2)", "--1", "error: '--1' is not a valid decimal(4,2)"},
        {"decimal(38,0)", "1e+20", "100000000000000000000"},
        {"decimal(38,10)", "9999999999999999999999999999.0123456789", NULL},
        {"decimal(38,10)", "10000000000000000000000000000",
         "error: '10000000000000000000000000000' does not fit decimal(38,10)"},
    };
    CHECK_CASES(CASES);
}

// Without limits: what PostgreSQL's numeric can hold.
static void decimals_unlimited(void **state)
{
    (void)state;
    ds_type type = {.kind = TYPE_DECIMAL, .size = TYPE_UNLIMITED};
    const ds_shape_column column = {.name = "v", .type = &type};
    ds_bench bench;
    bench_init(&bench);
    assert_int_equal(shape_new(bench.arena, &column, 1, NULL, 0, &bench.shape, &bench.err).code, DS_OK);
    assert_string_equal(from_text(&bench, STR("-inf")), "-Infinity");
    assert_string_equal(from_text(&bench, STR("1e-20")), "0.00000000000000000001");
    assert_int_equal(strlen(from_text(&bench, STR("1e131071"))), 131072);
    assert_int_equal(strlen(from_text(&bench, STR("1e-16383"))), 16385);
    assert_non_null(strstr(from_text(&bench, STR("1e131072")), "does not fit"));
    assert_non_null(strstr(from_text(&bench, STR("1e-16384")), "does not fit"));
    assert_non_null(strstr(from_text(&bench, STR("1e999999999999999999999999")), "does not fit"));
    begin(&bench);
    assert_string_equal(outcome(&bench, value_put_real(&bench.rows, bench.shape->columns, 0.1, &bench.err)), "0.1");
    begin(&bench);
    assert_string_equal(outcome(&bench, value_put_real(&bench.rows, bench.shape->columns, -1e20, &bench.err)),
                        "-100000000000000000000");
    begin(&bench);
    assert_string_equal(outcome(&bench, value_put_real(&bench.rows, bench.shape->columns, HUGE_VAL, &bench.err)),
                        "Infinity");
    bench_release(&bench);
}

static void floats(void **state)
{
    (void)state;
    static const ds_text_case CASES[] = {
        {"double", "0.1", NULL},
        {"double", "-0", "0"},
        {"double", "1e20", "1e+20"},
        {"double", "1.7976931348623157e+308", NULL},
        {"double", "5e-324", "4.94065645841247e-324"},
        {"double", "0.30000000000000004", NULL},
        {"double", "nan", "NaN"},
        {"double", "-inf", "-Infinity"},
        {"double", "+Infinity", "Infinity"},
        {"double", "0e-9999", "0"},
        {"double", "1e309", "error: '1e309' does not fit double"},
        {"double", "-1e-400", "error: '-1e-400' does not fit double"},
        {"double", "-nan", "error: '-nan' is not a valid double"},
        {"double", "0x1p3", "error: '0x1p3' is not a valid double"},
        {"double", "1.5 ", "error: '1.5 ' is not a valid double"},
        {"double", "", "error: '' is not a valid double"},
        {"real", "0.1", NULL},
        {"real", "0.30000000000000004", "0.3"},
        {"real", "16777217", "16777216"},
        {"real", "3.4028235e+38", NULL},
        {"real", "1e39", "error: '1e39' does not fit real"},
        {"real", "1e-50", "error: '1e-50' does not fit real"},
    };
    CHECK_CASES(CASES);
}

static void texts(void **state)
{
    (void)state;
    static const ds_text_case CASES[] = {
        {"varchar(3)", "äöü", NULL},
        {"varchar(3)", "", NULL},
        {"varchar(3)", "abc ", "error: 'abc ' does not fit varchar(3)"},
        {"varchar(3)", "日本語文", "error: '日本語文' does not fit varchar(3)"},
        {"char(3)", "ab   ", "ab"},
        {"char(3)", "   ", ""},
        {"nchar(3)", " ab     ", " ab"},
        {"char(3)", "abcd", "error: 'abcd' does not fit char(3)"},
        {"text", "a\nb\t\x01", NULL},
        {"text", "\xff", "error: '\\xff' is not valid UTF-8"},
        {"varchar(2)", "a\x1b\x7f", "error: 'a\\x1b\\x7f' does not fit varchar(2)"},
        {"string", "😀", NULL},
        {"json", "{\"a\": [1, 2.50, null], \"a\": 1}", NULL},
        {"json", "12345678901234567890", NULL},
        {"json", "\"\\u0000\"", NULL},
        {"json", " true ", NULL},
        {"json", "", "error: '' is not valid JSON"},
        {"json", "{a: 1}", "error: '{a: 1}' is not valid JSON"},
        {"json", "1 2", "error: '1 2' is not valid JSON"},
        {"uuid", "12345678-9abc-def0-1234-56789abcdef0", NULL},
        {"uuid", "123456789ABCDEF0123456789ABCDEF0", "12345678-9abc-def0-1234-56789abcdef0"},
        {"uuid", "{12345678-9ABC-def0-1234-56789abcdef0}", "12345678-9abc-def0-1234-56789abcdef0"},
        {"uuid", "{}", "error: '{}' is not a valid uuid"},
        {"uuid", "12345678-9abc-def0-1234-56789abcdefg",
         "error: '12345678-9abc-def0-1234-56789abcdefg' is not a valid uuid"},
        {"uuid", "1234567-89abc-def0-1234-56789abcdef0",
         "error: '1234567-89abc-def0-1234-56789abcdef0' is not a valid uuid"},
        {"binary(2)", "\\x00fF", "00ff"},
        {"binary", "", NULL},
        {"binary(2)", "000102", "error: '000102' does not fit binary(2)"},
        {"binary", "0", "error: '0' is not a valid binary"},
        {"binary", "0g", "error: '0g' is not a valid binary"},
        {"array(integer)", "{1,2}", NULL},
        {"vector(3)", "[1,2,3]", NULL},
        {"geography", "SRID=4326;POINT(1 2)", NULL},
        {"variant", "anything", NULL},
        {"struct(a integer)", "\xff", "error: '\\xff' is not valid UTF-8"},
    };
    CHECK_CASES(CASES);
    ds_bench bench;
    bench_init(&bench);
    bench_type(&bench, "text");
    assert_string_equal(from_text(&bench, STR("a\0b")), "error: 'a\\x00b' contains U+0000");
    char longer[300];
    memset(longer, 'x', sizeof longer);
    memcpy(longer + 58, "😀", 4);
    longer[299] = '\xff';
    assert_string_equal(from_text(&bench, (ds_str){longer, sizeof longer}),
                        "error: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' is not valid UTF-8");
    bench_type(&bench, "varchar(2)");
    from_text(&bench, STR("日本語"));
    assert_string_equal(bench.err.hint, "it has 3 characters");
    bench_release(&bench);
}

static void moments(void **state)
{
    (void)state;
    static const ds_text_case CASES[] = {
        {"date", "1970-01-01", NULL},
        {"date", "0001-01-01", NULL},
        {"date", "9999-12-31", NULL},
        {"date", "2024-02-29 00:00:00.000", "2024-02-29"},
        {"date", "2000-02-29T00:00", "2000-02-29"},
        {"date", "Infinity", "infinity"},
        {"date", "-infinity", NULL},
        {"date", "1900-02-29", "error: '1900-02-29' is not a valid date"},
        {"date", "2023-00-10", "error: '2023-00-10' is not a valid date"},
        {"date", "2023-13-10", "error: '2023-13-10' is not a valid date"},
        {"date", "2023-04-31", "error: '2023-04-31' is not a valid date"},
        {"date", "2023-04-00", "error: '2023-04-00' is not a valid date"},
        {"date", "2023-4-1", "error: '2023-4-1' is not a valid date"},
        {"date", "20230401", "error: '20230401' is not a valid date"},
        {"date", "2024-01-01 12:00", "error: '2024-01-01 12:00' has a time of day"},
        {"date", "2024-01-01 00:00:00Z", "error: '2024-01-01 00:00:00Z' has a time zone"},
        {"date", "0000-01-01", "error: '0000-01-01' is outside of the years 0001 to 9999"},
        {"date", "10000-01-01", "error: '10000-01-01' is outside of the years 0001 to 9999"},
        {"date", "0044-03-15 BC", "error: '0044-03-15 BC' is outside of the years 0001 to 9999"},
        {"timestamp", "2024-02-29 12:34:56.7", "2024-02-29 12:34:56.700000"},
        {"timestamp", "2024-02-29T12:34:56.789012", "2024-02-29 12:34:56.789012"},
        {"timestamp", "2024-02-29 12:34:56.7890120", "2024-02-29 12:34:56.789012"},
        {"timestamp", "2024-02-29 12:34", "2024-02-29 12:34:00"},
        {"timestamp", "2024-02-29", "2024-02-29 00:00:00"},
        {"timestamp", "0001-01-01 00:00:00", NULL},
        {"timestamp", "9999-12-31 23:59:59.999999", NULL},
        {"timestamp", "1969-12-31 23:59:59.999999", NULL},
        {"timestamp", "infinity", NULL},
        {"timestamp", "2024-01-01 24:00:00", "error: '2024-01-01 24:00:00' is not a valid timestamp"},
        {"timestamp", "2024-01-01 23:59:60", "error: '2024-01-01 23:59:60' is not a valid timestamp"},
        {"timestamp", "2024-01-01 12:60:00", "error: '2024-01-01 12:60:00' is not a valid timestamp"},
        {"timestamp", "2024-01-01 12:00:00.1234567", "error: '2024-01-01 12:00:00.1234567' is not a valid timestamp"},
        {"timestamp", "2024-01-01 12:00:00.", "error: '2024-01-01 12:00:00.' is not a valid timestamp"},
        {"timestamp", "2024-01-01 ", "error: '2024-01-01 ' is not a valid timestamp"},
        {"timestamp", "2024-01-01 12:00:00x", "error: '2024-01-01 12:00:00x' is not a valid timestamp"},
        {"timestamp", "2024-01-01 12:00:00+01", "error: '2024-01-01 12:00:00+01' has a time zone"},
        {"timestamp", "", "error: '' is not a valid timestamp"},
        {"timestamptz", "2024-01-01 12:00:00Z", "2024-01-01 12:00:00+00:00"},
        {"timestamptz", "2024-01-01 12:00:00+02", "2024-01-01 10:00:00+00:00"},
        {"timestamptz", "2024-01-01 00:30:00.5+0530", "2023-12-31 19:00:00.500000+00:00"},
        {"timestamptz", "2024-01-01T23:00-03:30", "2024-01-02 02:30:00+00:00"},
        {"timestamptz", "1891-03-14 23:50:39+00:09:21", "1891-03-14 23:41:18+00:00"},
        {"timestamptz", "infinity", NULL},
        {"timestamptz", "2024-01-01 12:00:00", "error: '2024-01-01 12:00:00' has no time zone"},
        {"timestamptz", "2024-01-01", "error: '2024-01-01' has no time zone"},
        {"timestamptz", "2024-01-01 12:00:00+16", "error: '2024-01-01 12:00:00+16' is not a valid timestamptz"},
        {"timestamptz", "2024-01-01 12:00:00+1", "error: '2024-01-01 12:00:00+1' is not a valid timestamptz"},
        {"timestamptz", "2024-01-01 12:00:00+01:", "error: '2024-01-01 12:00:00+01:' is not a valid timestamptz"},
        {"timestamptz", "0001-01-01 00:00:00+01",
         "error: '0001-01-01 00:00:00+01' is outside of the years 0001 to 9999"},
        {"timestamptz", "9999-12-31 23:30:00-01",
         "error: '9999-12-31 23:30:00-01' is outside of the years 0001 to 9999"},
        {"time", "00:00:00", NULL},
        {"time", "23:59:59.999999", NULL},
        {"time", "12:34", "12:34:00"},
        {"time", "24:00:00", "error: '24:00:00' is not a valid time"},
        {"time", "12", "error: '12' is not a valid time"},
        {"time", "12:00:00Z", "error: '12:00:00Z' is not a valid time"},
        {"timetz", "12:34:56.5+02", "12:34:56.500000+02:00"},
        {"timetz", "12:34Z", "12:34:00+00:00"},
        {"timetz", "12:34-00", "12:34:00+00:00"},
        {"timetz", "12:34:00-03:30:15", NULL},
        {"timetz", "12:34", "error: '12:34' has no time zone"},
        {"timetz", "noon", "error: 'noon' is not a valid timetz"},
    };
    CHECK_CASES(CASES);
}

static void intervals(void **state)
{
    (void)state;
    static const ds_text_case CASES[] = {
        {"interval", "P1Y2M3DT4H5M6.7S", NULL},
        {"interval", "1 year 2 mons 3 days 04:05:06.7", "P1Y2M3DT4H5M6.7S"},
        {"interval", "-1 years -2 mons +3 days -04:05:06.7", "P-1Y-2M3DT-4H-5M-6.7S"},
        {"interval", "P14M", "P1Y2M"},
        {"interval", "P1Y-14M", "P-2M"},
        {"interval", "P2W", "P14D"},
        {"interval", "PT0S", NULL},
        {"interval", "PT-0.5S", NULL},
        {"interval", "00:00:00", "PT0S"},
        {"interval", "PT3661S", "PT1H1M1S"},
        {"interval", "1000:00:00", "PT1000H"},
        {"interval", "2 weeks 5 hours 1 min 2.25 secs", "P14DT5H1M2.25S"},
        {"interval", "1 day", "P1D"},
        {"interval", "P178956970Y7M", NULL},
        {"interval", "P178956970Y8M", "error: 'P178956970Y8M' does not fit interval"},
        {"interval", "P2147483648D", "error: 'P2147483648D' does not fit interval"},
        {"interval", "PT2562047788H54.775807S", NULL},
        {"interval", "PT2562047788H1M", "error: 'PT2562047788H1M' does not fit interval"},
        {"interval", "PT2562047789H", "error: 'PT2562047789H' does not fit interval"},
        {"interval", "P", "error: 'P' is not a valid interval"},
        {"interval", "PT", "error: 'PT' is not a valid interval"},
        {"interval", "P1", "error: 'P1' is not a valid interval"},
        {"interval", "P1D1Y", "error: 'P1D1Y' is not a valid interval"},
        {"interval", "P1H", "error: 'P1H' is not a valid interval"},
        {"interval", "PT1H1D", "error: 'PT1H1D' is not a valid interval"},
        {"interval", "P1.5D", "error: 'P1.5D' is not a valid interval"},
        {"interval", "1 fortnight", "error: '1 fortnight' is not a valid interval"},
        {"interval", "1 day ", "error: '1 day ' is not a valid interval"},
        {"interval", "04:65:00", "error: '04:65:00' is not a valid interval"},
        {"interval", "04:05:-6", "error: '04:05:-6' is not a valid interval"},
        {"interval", "04:05:06 1 day", "error: '04:05:06 1 day' is not a valid interval"},
        {"interval", "", "error: '' is not a valid interval"},
    };
    CHECK_CASES(CASES);
}

static void from_integers(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        int64_t value;
        const char *expected;
    } CASES[] = {
        {"tinyint", -128, "-128"},
        {"tinyint", 128, "error: '128' does not fit tinyint"},
        {"utinyint", -1, "error: '-1' does not fit utinyint"},
        {"ubigint", INT64_MAX, "9223372036854775807"},
        {"ubigint", -1, "error: '-1' does not fit ubigint"},
        {"bigint", INT64_MIN, "-9223372036854775808"},
        {"decimal(19,0)", INT64_MIN, "-9223372036854775808"},
        {"decimal(18,2)", -1200, "-1200"},
        {"decimal(4,2)", 100, "error: '100' does not fit decimal(4,2)"},
        {"decimal(4,2)", 0, "0"},
        {"boolean", 1, "true"},
        {"boolean", 2, "error: '2' is not a valid boolean"},
        {"double", (INT64_C(1) << 53) - 1, "9007199254740991"},
        {"double", (INT64_C(1) << 53) + 1, "error: '9007199254740993' does not fit double"},
        {"real", 16777215, "16777215"},
        {"real", 16777217, "error: '16777217' does not fit real"},
        {"date", 20240101, "error: an integer (20240101) is not a valid date"},
        {"varchar(20)", 5, "error: an integer (5) is not a valid varchar(20)"},
    };
    ds_bench bench;
    bench_init(&bench);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        bench_type(&bench, CASES[i].type);
        begin(&bench);
        ds_rc rc = value_put_int(&bench.rows, bench.shape->columns, CASES[i].value, &bench.err);
        assert_string_equal(outcome(&bench, rc), CASES[i].expected);
    }
    bench_release(&bench);
}

static void from_reals(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        double value;
        const char *expected;
    } CASES[] = {
        {"decimal(10,2)", 12.34, "12.34"},
        {"decimal(10,2)", -12.340000000001, "-12.34"},
        {"decimal(10,2)", 0.125, "0.12"}, // ties to even, on the exact binary value
        {"decimal(10,2)", 0.375, "0.38"},
        {"decimal(10,2)", 1.005, "1"}, // is 1.00499999999999989...
        {"decimal(10,2)", -0.001, "0"},
        {"decimal(10,2)", 99999999.994, "99999999.99"},
        {"decimal(10,2)", 99999999.995, "error: '99999999.995' does not fit decimal(10,2)"},
        {"decimal(10,0)", 0.5, "0"},
        {"decimal(10,0)", 1.5, "2"},
        {"decimal(38,0)", 1e30, "1000000000000000019884624838656"},
        {"decimal(38,30)", 0.1, "0.100000000000000005551115123126"},
        {"decimal(38,2)", 1e300, "error: '1e+300' does not fit decimal(38,2)"},
        {"decimal(4,2)", HUGE_VAL, "error: 'Infinity' does not fit decimal(4,2)"},
        {"real", 0.1, "0.1"},
        {"real", 1e300, "error: '1e+300' does not fit real"},
        {"real", 1e-300, "error: '1e-300' does not fit real"},
        {"real", -HUGE_VAL, "-Infinity"},
        {"double", -0.0, "0"},
        {"double", 1e300, "1e+300"},
        {"integer", 5.0, "error: a floating point number (5) is not a valid integer"},
        {"boolean", 1.0, "error: a floating point number (1) is not a valid boolean"},
        {"timestamp", 2460000.5, "error: a floating point number (2460000.5) is not a valid timestamp"},
    };
    ds_bench bench;
    bench_init(&bench);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        bench_type(&bench, CASES[i].type);
        begin(&bench);
        assert_string_equal(outcome(&bench,
                                    value_put_real(&bench.rows, bench.shape->columns, CASES[i].value, &bench.err)),
                            CASES[i].expected);
    }
    assert_non_null(strstr(bench.err.hint, "nothing is coerced"));
    bench_release(&bench);
}

static void from_blobs(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        size_t n;
        const char *expected;
    } CASES[] = {
        {"binary", 3, "001122"},
        {"binary(2)", 2, "0011"},
        {"binary(2)", 3, "error: '001122' does not fit binary(2)"},
        {"binary", 0, ""},
        {"uuid", 16, "00112233-4455-6677-8899-aabbccddeeff"},
        {"uuid", 15, "error: a blob of 15 bytes is not a valid uuid"},
        {"text", 2, "error: a blob of 2 bytes is not a valid text"},
    };
    static const unsigned char BYTES[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                          0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    ds_bench bench;
    bench_init(&bench);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        bench_type(&bench, CASES[i].type);
        begin(&bench);
        assert_string_equal(outcome(&bench,
                                    value_put_blob(&bench.rows, bench.shape->columns, BYTES, CASES[i].n, &bench.err)),
                            CASES[i].expected);
    }
    bench_release(&bench);
}

// --- properties, over random values; a failure prints the seed and the value

typedef struct ds_random {
    uint64_t state;
} ds_random;

static uint64_t next(ds_random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u; // splitmix64
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t below(ds_random *random, uint64_t n)
{
    return next(random) % n;
}

static uint64_t random_size(ds_random *random)
{
    return next(random) >> below(random, 64);
}

static void random_bytes(ds_random *random, ds_rows *rows, uint64_t name, size_t n)
{
    unsigned char *p = rows_put_raw(rows, name, n);
    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)next(random);
}

static void random_text(ds_random *random, ds_rows *rows, uint64_t name)
{
    static const char *const PIECES[] = {"a", " ", "é", "語", "😀", "'", "\\", "\n", "\"", "0"};
    char text[200];
    size_t n = 0;
    for (uint64_t i = below(random, 20); i > 0; i--) {
        const char *piece = PIECES[below(random, sizeof PIECES / sizeof PIECES[0])];
        memcpy(text + n, piece, strlen(piece));
        n += strlen(piece);
    }
    rows_put(rows, name, text, n);
}

static void random_decimal(ds_random *random, ds_rows *rows, uint64_t name)
{
    char text[64];
    int n = snprintf(text, sizeof text, "%s%llu", below(random, 2) ? "-" : "",
                     (unsigned long long)(random_size(random) % 1000000000000 / 10 * 10 + 1 + below(random, 9)));
    uint64_t fraction = below(random, (uint64_t)n);
    if (fraction > 0)
        snprintf(text + n, sizeof text - (size_t)n, ".%0*d", (int)(fraction < 9 ? fraction : 9), 7);
    rows_put(rows, name, text, strlen(text));
}

static int64_t random_micros(ds_random *random, ds_type_kind kind)
{
    const int64_t first = INT64_C(-62135596800), seconds = INT64_C(253402300800) - first, day = 86400;
    int64_t at = first + (int64_t)below(random, (uint64_t)seconds);
    if (below(random, 50) == 0)
        return below(random, 2) ? INT64_MAX : INT64_MIN;
    if (kind == TYPE_DATE)
        return (at - ((at % day) + day) % day) * 1000000;
    return at * 1000000 + (below(random, 2) ? (int64_t)below(random, 1000000) : 0);
}

static double random_double(ds_random *random, ds_type_kind kind)
{
    double value;
    uint64_t bits = next(random);
    memcpy(&value, &bits, sizeof value);
    if (below(random, 2))
        value = (double)(int64_t)random_size(random) / (double)(1 + below(random, 1000));
    if (kind == TYPE_REAL) {
        uint32_t small = (uint32_t)bits;
        float rounded;
        memcpy(&rounded, &small, sizeof rounded);
        value = below(random, 2) ? (double)rounded : (double)(float)below(random, 100000) / 64;
    }
    return value;
}

static void random_interval(ds_random *random, ds_rows *rows, uint64_t name)
{
    unsigned char *p = rows_put_raw(rows, name, 24);
    for (int i = 0; i < 3; i++) {
        int64_t value = (int64_t)random_size(random);
        if (i < 2)
            value = (int32_t)value;
        if (below(random, 4) == 0)
            value = 0;
        if (value == INT64_MIN)
            value++;
        uint64_t big = __builtin_bswap64((uint64_t)(below(random, 2) && i == 2 ? -value : value));
        memcpy(p + 8 * i, &big, 8);
    }
}

static int64_t random_int(ds_random *random, ds_type_kind kind)
{
    static const int BITS[] = {8, 16, 32, 64};
    bool is_signed = kind <= TYPE_BIGINT;
    int bits = BITS[is_signed ? kind - TYPE_TINYINT : kind - TYPE_UTINYINT];
    uint64_t value = random_size(random) << (64 - bits);
    return is_signed ? (int64_t)value >> (64 - bits) : (int64_t)(value >> (64 - bits));
}

// Puts a value in canonical form.
static void put_random(ds_random *random, ds_rows *rows, const ds_shape_column *column)
{
    ds_type_kind kind = column->type->kind;
    uint64_t name = column->name_hash;
    switch (type_class(column->type)) {
    case VALUE_INT:
        rows_put_i64(rows, name, random_int(random, kind));
        break;
    case VALUE_BOOL:
        rows_put_bool(rows, name, below(random, 2));
        break;
    case VALUE_FLOAT:
        rows_put_double(rows, name, random_double(random, kind));
        break;
    case VALUE_DECIMAL:
        random_decimal(random, rows, name);
        break;
    case VALUE_MICROS:
        rows_put_i64(rows, name, random_micros(random, kind));
        break;
    case VALUE_TIME:
        rows_put_i64(rows, name, (int64_t)below(random, 86400000000) / (below(random, 2) ? 1 : 1000000));
        break;
    case VALUE_INTERVAL:
        random_interval(random, rows, name);
        break;
    case VALUE_UUID:
        random_bytes(random, rows, name, 16);
        break;
    case VALUE_BINARY:
        random_bytes(random, rows, name, below(random, 40));
        break;
    case VALUE_TEXT:
    case VALUE_OTHER:
        random_text(random, rows, name);
        break;
    }
}

static uint64_t test_seed(void)
{
    const char *given = getenv("TEST_SEED");
    return given ? strtoull(given, NULL, 10) : 20240229;
}

// value_put_text(value_print(x)) is x, byte for byte.
static void print_and_parse_agree(void **state)
{
    (void)state;
    static const char *const TYPES[] = {
        "tinyint",   "smallint",    "integer",        "bigint",  "utinyint", "usmallint",    "uinteger", "ubigint",
        "real",      "double",      "decimal(38,15)", "boolean", "text",     "varchar(100)", "date",     "time",
        "timestamp", "timestamptz", "interval",       "uuid",    "binary",   "array(text)",  "variant",
    };
    ds_random random = {test_seed()};
    ds_bench bench;
    bench_init(&bench);
    for (size_t t = 0; t < sizeof TYPES / sizeof TYPES[0]; t++) {
        bench_type(&bench, TYPES[t]);
        for (int i = 0; i < 5000; i++) {
            rows_clear(&bench.rows);
            rows_begin(&bench.rows);
            put_random(&random, &bench.rows, bench.shape->columns);
            ds_cell cell = finish(&bench);
            buf_clear(&bench.text);
            value_print(bench.shape->columns[0].type, cell, &bench.text);
            rows_begin(&bench.rows);
            ds_rc rc = value_put_text(&bench.rows, bench.shape->columns, buf_str(&bench.text), &bench.err);
            if (rc.code != DS_OK)
                fail_msg("seed %llu, %s: %s", (unsigned long long)test_seed(), TYPES[t], bench.err.text);
            assert_int_equal(rows_end(&bench.rows, bench.shape, 0, &bench.err).code, DS_OK);
            if (!str_eq(rows_row(&bench.rows, 0), rows_row(&bench.rows, 1)))
                fail_msg("seed %llu, %s: '%s' reads back as another value", (unsigned long long)test_seed(), TYPES[t],
                         buf_text(&bench.text));
        }
    }
    bench_release(&bench);
}

// A real into a decimal is what printf makes of it, whichever path it takes.
static void reals_round_like_printf(void **state)
{
    (void)state;
    ds_random random = {test_seed()};
    ds_bench bench;
    bench_init(&bench);
    for (int scale = 0; scale <= 14; scale++) {
        char type[32], text[400];
        snprintf(type, sizeof type, "decimal(38,%d)", scale);
        bench_type(&bench, type);
        for (int i = 0; i < 5000; i++) {
            // Near a tie as often as not.
            double value = (double)(int64_t)(random_size(&random) >> 12) / (below(&random, 2) ? 1 << 12 : 2e3);
            if (below(&random, 2))
                value = -nextafter(value, below(&random, 2) ? 0 : HUGE_VAL);
            begin(&bench);
            outcome(&bench, value_put_real(&bench.rows, bench.shape->columns, value, &bench.err));
            char *got = arena_strdup(bench.arena, buf_text(&bench.text));
            snprintf(text, sizeof text, "%.*f", scale, value);
            const char *expected = from_text(&bench, str_of(text));
            if (strcmp(got, expected) != 0)
                fail_msg("%.17g into %s: got %s, expected %s", value, type, got, expected);
        }
        arena_clear(bench.arena);
    }
    bench_release(&bench);
}

// Days count up by one from date to date, over 10,000 years.
static void calendar(void **state)
{
    (void)state;
    ds_bench bench;
    bench_init(&bench);
    bench_type(&bench, "date");
    char last[16] = "0000-12-31";
    for (int64_t day = -719162; day <= 2932896; day += day < -718000 || day > 2932000 ? 1 : 97) {
        unsigned char cell[8];
        uint64_t micros = __builtin_bswap64((uint64_t)(day * INT64_C(86400000000)));
        memcpy(cell, &micros, 8);
        buf_clear(&bench.text);
        value_print(bench.shape->columns[0].type, (ds_cell){cell, 8}, &bench.text);
        assert_true(strcmp(last, buf_text(&bench.text)) < 0);
        snprintf(last, sizeof last, "%s", buf_text(&bench.text));
        assert_string_equal(from_text(&bench, str_of(last)), last);
        assert_memory_equal(rows_row(&bench.rows, 0).p + 12, cell, 8);
    }
    assert_string_equal(last, "9999-12-31");
    bench_release(&bench);
}

static void every_kind_has_a_class(void **state)
{
    (void)state;
    for (int kind = 0; kind < TYPE_KIND_COUNT; kind++) {
        const ds_type type = {.kind = (ds_type_kind)kind, .size = TYPE_UNLIMITED};
        assert_int_equal(type_class(&type) == VALUE_INT, type_is_integer(&type));
        if (type_is_text(&type))
            assert_int_equal(type_class(&type), VALUE_TEXT);
    }
}

static void number_texts_in_order(void **state)
{
    (void)state;
    static const char *const ORDER[] = {"-Infinity",
                                        "-100000000000000000000",
                                        "-99.99",
                                        "-99.9",
                                        "-2",
                                        "-1.5",
                                        "-1",
                                        "-0.25",
                                        "-0.2",
                                        "0",
                                        "0.05",
                                        "0.5",
                                        "1",
                                        "1.01",
                                        "9",
                                        "10",
                                        "10.5",
                                        "99999999999999999999",
                                        "100000000000000000000",
                                        "Infinity",
                                        "NaN"};
    enum { N = sizeof ORDER / sizeof ORDER[0] };
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            int order = number_text_compare(str_of(ORDER[i]), str_of(ORDER[k]));
            if ((order > 0) - (order < 0) != (i > k) - (i < k))
                fail_msg("%s and %s: %d", ORDER[i], ORDER[k], order);
        }
}

static void bounds(void **state)
{
    (void)state;
    static const struct {
        const char *type, *text, *canonical, *fails;
    } CASES[] = {
        {"integer", "007", "7", NULL},
        {"integer", "1.5", NULL, "not a valid integer"},
        {"tinyint", "300", NULL, "does not fit"},
        {"ubigint", "18446744073709551615", "18446744073709551615", NULL},
        {"decimal(5,2)", "1.50", "1.5", NULL},
        {"decimal(5,2)", "1.505", NULL, "does not fit"},
        {"decimal(5,2)", "NaN", NULL, "NaN"},
        {"real", "0.1", "0.1", NULL},
        {"double", "Infinity", NULL, "bounds nothing"},
        {"double", "-inf", NULL, "-inf"},
        {"date", "2024-02-30", NULL, "not a valid date"},
        {"date", "-infinity", "-infinity", NULL},
        {"timestamptz", "2024-01-01T10:00:00+02:00", "2024-01-01 08:00:00+00:00", NULL},
        {"time", "08:00:00", "08:00:00", NULL},
    };
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        ds_error err;
        const ds_type *type;
        const char *out = NULL;
        size_t at;
        assert_int_equal(type_parse(arena, str_of(CASES[i].type), &type, &at, &err).code, DS_OK);
        assert_true(type_has_order(type));
        ds_rc rc = value_bound(arena, type, str_of(CASES[i].text), &out, &err);
        bool right = CASES[i].fails ? rc.code == DS_FINDING && strstr(err.text, CASES[i].fails)
                                    : rc.code == DS_OK && strcmp(out, CASES[i].canonical) == 0;
        if (!right)
            fail_msg("%s %s: %s", CASES[i].type, CASES[i].text, rc.code == DS_OK ? out : err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(decimals),
        cmocka_unit_test(decimals_unlimited),
        cmocka_unit_test(floats),
        cmocka_unit_test(texts),
        cmocka_unit_test(moments),
        cmocka_unit_test(intervals),
        cmocka_unit_test(from_integers),
        cmocka_unit_test(from_reals),
        cmocka_unit_test(from_blobs),
        cmocka_unit_test(print_and_parse_agree),
        cmocka_unit_test(reals_round_like_printf),
        cmocka_unit_test(calendar),
        cmocka_unit_test(every_kind_has_a_class),
        cmocka_unit_test(number_texts_in_order),
        cmocka_unit_test(bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
