// store/postgres/pg_codec.h. The vectors are what a server sent.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "schema/value.h"
#include "sim/rng.h"
#include "store/postgres/pg_codec.h"

// One column "v" of a type, and rows to put it into.
typedef struct ds_bench {
    ds_arena *arena;
    const ds_shape *shape;
    const ds_type *type;
    ds_rows rows;
    ds_buf text, wire;
    ds_error err;
} ds_bench;

static void bench_type(ds_bench *bench, const char *type)
{
    ds_shape_column column = {.name = "v"};
    size_t at;
    if (strcmp(type, "numeric") == 0) { // a decimal without limits has no text in the model's language
        ds_type *unlimited = arena_alloc(bench->arena, sizeof *unlimited);
        *unlimited = (ds_type){.kind = TYPE_DECIMAL, .size = TYPE_UNLIMITED};
        column.type = unlimited;
    } else if (type_parse(bench->arena, str_of(type), &column.type, &at, &bench->err).code != DS_OK) {
        fail_msg("%s: %s", type, bench->err.text);
    }
    bench->type = column.type;
    assert_int_equal(shape_new(bench->arena, &column, 1, NULL, 0, &bench->shape, &bench->err).code, DS_OK);
}

static void bench_init(ds_bench *bench)
{
    *bench = (ds_bench){.arena = arena_new(), .text = BUF_INIT(1 << 20), .wire = BUF_INIT(1 << 20)};
    rows_init(&bench->rows);
}

static void bench_release(ds_bench *bench)
{
    rows_release(&bench->rows);
    buf_release(&bench->text);
    buf_release(&bench->wire);
    arena_free(bench->arena);
}

static void unhex(const char *hex, ds_buf *out)
{
    buf_clear(out);
    for (unsigned byte; *hex; hex += 2) {
        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        buf_putc(out, (char)byte);
    }
}

// The field at the end of a copy of exact size, so that a sanitizer sees a read past it.
static ds_rc put_exact(ds_bench *bench, pg_wire wire, const void *p, size_t n)
{
    unsigned char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    if (n)
        memcpy(exact, p, n);
    pg_column c = pg_column_of(bench->shape->columns, wire);
    ds_rc rc = pg_put_field(&c, exact, n, &bench->rows, &bench->err);
    free(exact);
    return rc;
}

static ds_cell last_cell(ds_bench *bench)
{
    ds_cell cell;
    assert_int_equal(rows_end(&bench->rows, bench->shape, 0, &bench->err).code, DS_OK);
    row_cells(bench->shape, rows_row(&bench->rows, bench->rows.n - 1), &cell);
    assert_non_null(cell.p);
    return cell;
}

// Appends a row; the value as printed, or "error: " and the message, and then there is no row.
static const char *outcome(ds_bench *bench, ds_rc rc)
{
    buf_clear(&bench->text);
    if (rc.code == DS_OK) {
        value_print(bench->type, last_cell(bench), &bench->text);
        return buf_text(&bench->text);
    }
    assert_int_equal(bench->rows.marks, 0); // nothing was put
    rows_drop(&bench->rows);
    buf_printf(&bench->text, "%s%s", rc.code == DS_FINDING ? "error: " : "internal: ", bench->err.text);
    return buf_text(&bench->text);
}

static const char *from_wire(ds_bench *bench, pg_wire wire, ds_str bytes)
{
    rows_begin(&bench->rows);
    return outcome(bench, put_exact(bench, wire, bytes.p, bytes.n));
}

static const char *from_text(ds_bench *bench, ds_str text)
{
    rows_begin(&bench->rows);
    return outcome(bench, value_put_text(&bench->rows, bench->shape->columns, text, &bench->err));
}

static void last_two_are_equal(ds_bench *bench, const char *what)
{
    size_t n = bench->rows.n;
    assert_true(n >= 2);
    if (!str_eq(rows_row(&bench->rows, n - 1), rows_row(&bench->rows, n - 2)))
        fail_msg("%s: two different rows", what);
}

// The last row's value, encoded and read again, is the same row.
static void round_trip(ds_bench *bench, const char *what)
{
    ds_cell cell;
    row_cells(bench->shape, rows_row(&bench->rows, bench->rows.n - 1), &cell);
    buf_clear(&bench->wire);
    pg_encode_cell(bench->type, cell, &bench->wire);
    assert_true(bench->wire.n >= 4 && pg_load_u32((unsigned char *)bench->wire.p) == bench->wire.n - 4);
    const char *got = from_wire(bench, pg_wire_held(bench->type), (ds_str){bench->wire.p + 4, bench->wire.n - 4});
    if (strstr(got, "error: ") == got || strstr(got, "internal: ") == got)
        fail_msg("%s: %s", what, got);
    last_two_are_equal(bench, what);
}

// --- out of the wire

typedef struct ds_wire_case {
    pg_wire wire;
    const char *type, *hex;
    const char *expected; // printed; or "error: " or "internal: " and the message
} ds_wire_case;

static void check_wires(const ds_wire_case *cases, size_t n)
{
    ds_bench bench;
    bench_init(&bench);
    for (size_t i = 0; i < n; i++) {
        const ds_wire_case *c = &cases[i];
        bench_type(&bench, c->type);
        rows_clear(&bench.rows);
        unhex(c->hex, &bench.wire);
        const char *got = from_wire(&bench, c->wire, buf_str(&bench.wire));
        if (strcmp(got, c->expected) != 0)
            fail_msg("%s from %s: got '%s', expected '%s'", c->type, c->hex, got, c->expected);
        if (bench.rows.n == 0)
            continue;
        from_text(&bench, str_of(c->expected));
        last_two_are_equal(&bench, c->expected);
        round_trip(&bench, c->expected);
    }
    bench_release(&bench);
}
#define CHECK_WIRES(cases) check_wires(cases, sizeof(cases) / sizeof(cases)[0])

static void integers(void **state)
{
    (void)state;
    static const ds_wire_case CASES[] = {
        {PG_INT2, "smallint", "8000", "-32768"},
        {PG_INT2, "smallint", "7fff", "32767"},
        {PG_INT2, "tinyint", "ff80", "-128"},
        {PG_INT2, "tinyint", "0080", "error: '128' does not fit tinyint"},
        {PG_INT2, "utinyint", "00ff", "255"},
        {PG_INT2, "utinyint", "ffff", "error: '-1' does not fit utinyint"},
        {PG_INT2, "bigint", "ffff", "-1"},
        {PG_INT4, "integer", "80000000", "-2147483648"},
        {PG_INT4, "smallint", "00008000", "error: '32768' does not fit smallint"},
        {PG_INT4, "usmallint", "0000ffff", "65535"},
        {PG_INT8, "bigint", "8000000000000000", "-9223372036854775808"},
        {PG_INT8, "bigint", "7fffffffffffffff", "9223372036854775807"},
        {PG_INT8, "ubigint", "7fffffffffffffff", "9223372036854775807"},
        {PG_INT8, "ubigint", "ffffffffffffffff", "error: '-1' does not fit ubigint"},
        {PG_INT8, "uinteger", "00000000ffffffff", "4294967295"},
        {PG_INT8, "uinteger", "0000000100000000", "error: '4294967296' does not fit uinteger"},
        {PG_INT8, "decimal(19,0)", "8000000000000000", "-9223372036854775808"},
        {PG_INT4, "decimal(4,2)", "00000063", "99"},
        {PG_INT4, "decimal(4,2)", "00000064", "error: '100' does not fit decimal(4,2)"},
        {PG_INT4, "double", "ffffffff", "-1"},
        {PG_INT8, "double", "001fffffffffffff", "9007199254740991"},
        {PG_INT8, "double", "0020000000000001", "error: '9007199254740993' does not fit double"},
        {PG_INT4, "real", "01000001", "error: '16777217' does not fit real"},
        {PG_NUMERIC, "ubigint", "000500040000000007341a5802e103bb064f", "18446744073709551615"},
        {PG_NUMERIC, "ubigint", "000500040000000007341a5802e103bb0650",
         "error: '18446744073709551616' does not fit ubigint"},
        {PG_NUMERIC, "ubigint", "00010005000000000001", "error: '100000000000000000000' does not fit ubigint"},
        {PG_NUMERIC, "ubigint", "00010001400000000001", "error: '-10000' does not fit ubigint"},
        {PG_NUMERIC, "ubigint", "0000000000000000", "0"},
        {PG_NUMERIC, "bigint", "0005000440000000039a0d2c0170156516b0", "-9223372036854775808"},
        {PG_NUMERIC, "bigint", "0005000400000000039a0d2c0170156516b0",
         "error: '9223372036854775808' does not fit bigint"},
        {PG_NUMERIC, "integer", "00010000000000020005", "5"},
        {PG_NUMERIC, "integer", "00010001000000000001", "10000"},
        {PG_NUMERIC, "integer", "0002000000000002000103e8", "error: '1.1' is not a valid integer"},
        {PG_NUMERIC, "integer", "00000000c0000000", "error: 'NaN' is not a valid integer"},
        {PG_BOOL, "boolean", "01", "true"},
        {PG_BOOL, "boolean", "00", "false"},
        {PG_BOOL, "boolean", "02", "internal: damaged field of 1 bytes"},
    };
    CHECK_WIRES(CASES);
}

static void numerics(void **state)
{
    (void)state;
    static const ds_wire_case CASES[] = {
        {PG_NUMERIC, "numeric", "0000000000000000", "0"},
        {PG_NUMERIC, "numeric", "0000000000000002", "0"},
        {PG_NUMERIC, "numeric", "00010000000000000001", "1"},
        {PG_NUMERIC, "numeric", "00010000400000000001", "-1"},
        {PG_NUMERIC, "numeric", "0002000000000002000103e8", "1.1"},
        {PG_NUMERIC, "numeric", "0002000040000002000c1388", "-12.5"},
        {PG_NUMERIC, "numeric", "0001000000000000270f", "9999"},
        {PG_NUMERIC, "numeric", "00010001000000000001", "10000"},
        {PG_NUMERIC, "numeric", "000200010000000000010001", "10001"},
        {PG_NUMERIC, "numeric", "00010002000000000001", "100000000"},
        {PG_NUMERIC, "numeric", "000300010000000104d2162e2328", "12345678.9"},
        {PG_NUMERIC, "numeric", "0001ffff000000040001", "0.0001"},
        {PG_NUMERIC, "numeric", "0001fffe0000000804d2", "0.00001234"},
        {PG_NUMERIC, "numeric", "0001fffd0000000903e8", "0.000000001"},
        {PG_NUMERIC, "numeric", "0001ffff400000011388", "-0.5"},
        {PG_NUMERIC, "numeric", "0001ffff0000000403e8", "0.1"},
        {PG_NUMERIC, "numeric", "000100000000000004b0", "1200"},
        {PG_NUMERIC, "numeric", "00010003000000040001", "1000000000000"},
        {PG_NUMERIC, "numeric", "000b00070000000a000c0d801ed204d2162e23340d801ed2007b11d722c4",
         "123456789012345678901234567890.0123456789"},
        {PG_NUMERIC, "numeric", "00000000c0000000", "NaN"},
        {PG_NUMERIC, "numeric", "00000000d0000020", "Infinity"}, // with what stands in the place of digits to show
        {PG_NUMERIC, "numeric", "00000000f0000020", "-Infinity"},
        // as no server sends it, but with one meaning: zero groups at the ends, a zero with a sign
        {PG_NUMERIC, "numeric", "00040002000000000000000100000000", "10000"},
        {PG_NUMERIC, "numeric",
         "00020000400000000000"
         "0000",
         "0"},
        {PG_NUMERIC, "decimal(10,2)", "0003000100000002270f270f26ac", "99999999.99"},
        {PG_NUMERIC, "decimal(9,2)", "0003000100000002270f270f26ac", "error: '99999999.99' does not fit decimal(9,2)"},
        {PG_NUMERIC, "decimal(10,1)", "0003000100000002270f270f26ac",
         "error: '99999999.99' does not fit decimal(10,1)"},
        {PG_NUMERIC, "decimal(12,0)", "00010000000000020005", "5"},
        {PG_NUMERIC, "decimal(4,4)", "0001ffff000000040001", "0.0001"},
        {PG_NUMERIC, "decimal(4,4)", "0001fffe0000000803e8", "error: '0.00001' does not fit decimal(4,4)"},
        {PG_NUMERIC, "decimal(4,4)", "00010000000000000001", "error: '1' does not fit decimal(4,4)"},
        {PG_NUMERIC, "decimal(4,2)", "00000000c0000000", "NaN"},
        {PG_NUMERIC, "decimal(4,2)", "00000000d0000020", "error: 'Infinity' does not fit decimal(4,2)"},
        {PG_NUMERIC, "numeric", "", "internal: damaged field of 0 bytes"},
        {PG_NUMERIC, "numeric", "00000000000000", "internal: damaged field of 7 bytes"},
        {PG_NUMERIC, "numeric", "0001000000000000", "internal: damaged field of 8 bytes"},
        {PG_NUMERIC, "numeric", "000000000000000000", "internal: damaged field of 9 bytes"},
        {PG_NUMERIC, "numeric", "00010000000000002710", "internal: damaged field of 10 bytes"},
        {PG_NUMERIC, "numeric", "00010000100000000001", "internal: damaged field of 10 bytes"},
        {PG_NUMERIC, "numeric", "00010000c00000000001", "internal: damaged field of 10 bytes"},
        {PG_NUMERIC, "bigint", "00010000000000002710", "internal: damaged field of 10 bytes"},
        {PG_NUMERIC, "text", "00010000000000002710", "internal: damaged field of 10 bytes"},
    };
    CHECK_WIRES(CASES);
}

// What PostgreSQL's numeric can hold at most.
static void long_numerics(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        size_t length;
    } CASES[] = {{"00017fff000000000009", 131069}, {"00017fff00000000270f", 131072}, {"0001f00000003fff000a", 16385}};
    ds_bench bench;
    bench_init(&bench);
    bench_type(&bench, "numeric");
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        unhex(CASES[i].hex, &bench.wire);
        assert_int_equal(strlen(from_wire(&bench, PG_NUMERIC, buf_str(&bench.wire))), CASES[i].length);
        round_trip(&bench, CASES[i].hex);
        unhex(CASES[i].hex, &bench.text);
        assert_memory_equal(bench.wire.p + 4, bench.text.p, bench.text.n);
    }
    unhex("0001f00000003fff0001", &bench.wire); // 1e-16384
    assert_non_null(strstr(from_wire(&bench, PG_NUMERIC, buf_str(&bench.wire)), "does not fit"));
    bench_release(&bench);
}

static void floats(void **state)
{
    (void)state;
    static const ds_wire_case CASES[] = {
        {PG_FLOAT4, "real", "3dcccccd", "0.1"},
        {PG_FLOAT4, "real", "80000000", "0"},
        {PG_FLOAT4, "real", "7fc00000", "NaN"},
        {PG_FLOAT4, "real", "ffc00001", "NaN"},
        {PG_FLOAT4, "real", "7f800000", "Infinity"},
        {PG_FLOAT4, "real", "00000001", "1.4013e-45"},
        {PG_FLOAT4, "real", "7f7fffff", "3.4028235e+38"},
        {PG_FLOAT4, "double", "3dcccccd", "0.10000000149011612"},
        {PG_FLOAT8, "double", "3fb999999999999a", "0.1"},
        {PG_FLOAT8, "double", "8000000000000000", "0"},
        {PG_FLOAT8, "double", "7ff8000000000000", "NaN"},
        {PG_FLOAT8, "double", "fff0000000000000", "-Infinity"},
        {PG_FLOAT8, "double", "0000000000000001", "4.94065645841247e-324"},
        {PG_FLOAT8, "double", "7fefffffffffffff", "1.7976931348623157e+308"},
        {PG_FLOAT8, "real", "3fb999999999999a", "0.1"},
        {PG_FLOAT8, "real", "7fefffffffffffff", "error: '1.7976931348623157e+308' does not fit real"},
    };
    CHECK_WIRES(CASES);
}

static void texts(void **state)
{
    (void)state;
    static const ds_wire_case CASES[] = {
        {PG_TEXT, "text", "", ""},
        {PG_TEXT, "text", "c3a9", "é"},
        {PG_TEXT, "varchar(2)", "c3a9c3a9", "éé"},
        {PG_TEXT, "varchar(2)", "c3a9c3a9c3a9", "error: 'ééé' does not fit varchar(2)"},
        {PG_TEXT, "varchar(9)", "313233343536373839", "123456789"},
        {PG_TEXT, "varchar(8)", "313233343536373839", "error: '123456789' does not fit varchar(8)"},
        {PG_TEXT, "varchar(9)", "416e6e202020", "Ann   "},
        {PG_TEXT, "char(3)", "416e6e202020", "Ann"},
        {PG_TEXT, "string", "4f274e65696c", "O'Neil"},
        {PG_TEXT, "text", "4100", "error: 'A\\x00' contains U+0000"},
        {PG_TEXT, "text", "00", "error: '\\x00' contains U+0000"},
        {PG_TEXT, "text", "3132333435363738393a3b003d3e3f40", "error: '123456789:;\\x00=>?@' contains U+0000"},
        {PG_TEXT, "text", "313233343536373800", "error: '12345678\\x00' contains U+0000"},
        {PG_TEXT, "text", "ff", "error: '\\xff' is not valid UTF-8"},
        {PG_TEXT, "text", "3132333435363738c3", "error: '12345678\\xc3' is not valid UTF-8"},
        {PG_TEXT, "text", "7f", "\x7f"},
        {PG_BPCHAR, "char(6)", "416e6e202020", "Ann"},
        {PG_BPCHAR, "nchar(3)", "416e6e202020", "Ann"},
        {PG_BPCHAR, "varchar(3)", "416e6e202020", "Ann"},
        {PG_BPCHAR, "varchar(2)", "e697a5e69cac20202020", "日本"},
        {PG_BPCHAR, "text", "202020", ""},
        {PG_BPCHAR, "json", "5b5d2020", "[]"},
        {PG_JSON, "json", "7b2261223a20317d", "{\"a\": 1}"},
        {PG_JSON, "json", "2022c3a9205c6e5c5c22", " \"é \\n\\\\\""},
        {PG_JSON, "json", "5b2d312e35652b332c302c5b5d5d", "[-1.5e+3,0,[]]"},
        {PG_JSON, "json", "225c753030653922", "\"\\u00e9\""},
        {PG_JSON, "json", "225c756438303022", "error: '\"\\ud800\"' is not valid JSON"},
        {PG_JSON, "json", "3165393939", "error: '1e999' is not valid JSON"},
        {PG_JSON, "text", "3165393939", "1e999"},
        {PG_TEXT, "json", "7b", "error: '{' is not valid JSON"},
        {PG_CAST, "json", "7b2261223a20317d", "{\"a\": 1}"},
        {PG_CAST, "array(integer)", "7b312c327d", "{1,2}"},
        {PG_CAST, "varchar(3)", "726564", "red"},
        {PG_CAST, "timetz", "31323a33343a35362b3032", "12:34:56+02:00"},
        {PG_TEXT, "timetz", "31323a33343a35362b30323a3030", "12:34:56+02:00"},
        {PG_CAST, "timetz", "32343a30303a30302b3030", "error: '24:00:00+00' is not a valid timetz"},
        {PG_TEXT, "geography(point,4326)", "504f494e542831203229", "POINT(1 2)"},
        {PG_BYTEA, "binary", "00ff10", "00ff10"},
        {PG_BYTEA, "binary(3)", "00ff10", "00ff10"},
        {PG_BYTEA, "binary(2)", "00ff10", "error: '00ff10' does not fit binary(2)"},
        {PG_BYTEA, "binary", "", ""},
        {PG_UUID, "uuid", "123456789abcdef0123456789abcdef0", "12345678-9abc-def0-1234-56789abcdef0"},
    };
    CHECK_WIRES(CASES);
}

static void moments(void **state)
{
    (void)state;
    static const ds_wire_case CASES[] = {
        {PG_DATE, "date", "00000000", "2000-01-01"},
        {PG_DATE, "date", "ffffd533", "1970-01-01"},
        {PG_DATE, "date", "00002279", "2024-02-29"},
        {PG_DATE, "date", "fff4dbf9", "0001-01-01"},
        {PG_DATE, "date", "002c95d3", "9999-12-31"},
        {PG_DATE, "date", "7fffffff", "infinity"},
        {PG_DATE, "date", "80000000", "-infinity"},
        {PG_DATE, "date", "fff4dbf8", "error: '0001-12-31 BC' is outside of the years 0001 to 9999"},
        {PG_DATE, "date", "fff49d7b", "error: '0044-03-15 BC' is outside of the years 0001 to 9999"},
        {PG_DATE, "date", "ffda9915", "error: '4713-11-24 BC' is outside of the years 0001 to 9999"},
        {PG_DATE, "date", "002c95d4", "error: '10000-01-01' is outside of the years 0001 to 9999"},
        {PG_DATE, "date", "7fda970c", "error: '5874897-12-31' is outside of the years 0001 to 9999"},
        {PG_DATE, "timestamp", "00002279", "2024-02-29 00:00:00"},
        {PG_DATE, "timestamp", "80000000", "-infinity"},
        {PG_TIMESTAMP, "timestamp", "0000000000000000", "2000-01-01 00:00:00"},
        {PG_TIMESTAMP, "timestamp", "0002b58341728608", "2024-02-29 12:34:56.789000"},
        {PG_TIMESTAMP, "timestamp", "fffca2fec4c81fff", "1969-12-31 23:59:59.999999"},
        {PG_TIMESTAMP, "timestamp", "ff1fe2ffc59c6000", "0001-01-01 00:00:00"},
        {PG_TIMESTAMP, "timestamp", "0380e70b913b7fff", "9999-12-31 23:59:59.999999"},
        {PG_TIMESTAMP, "timestamp", "7fffffffffffffff", "infinity"},
        {PG_TIMESTAMP, "timestamp", "8000000000000000", "-infinity"},
        {PG_TIMESTAMP, "timestamp", "ff1fe2ffc59c5fff",
         "error: '0001-12-31 23:59:59.999999 BC' is outside of the years 0001 to 9999"},
        {PG_TIMESTAMP, "timestamp", "0380e70b913b8000",
         "error: '10000-01-01 00:00:00' is outside of the years 0001 to 9999"},
        {PG_TIMESTAMP, "timestamp", "7fffff5bb3b29fff",
         "error: '294276-12-31 23:59:59.999999' is outside of the years 0001 to 9999"},
        {PG_TIMESTAMP, "date", "ff1fe2ffc59c6000", "0001-01-01"},
        {PG_TIMESTAMP, "date", "7fffffffffffffff", "infinity"},
        {PG_TIMESTAMP, "date", "0002b58341728608", "error: '2024-02-29 12:34:56.789000' has a time of day"},
        {PG_TIMESTAMP, "date", "fffca2fec4c81fff", "error: '1969-12-31 23:59:59.999999' has a time of day"},
        {PG_TIMESTAMPTZ, "timestamptz", "0002b581943f3400", "2024-02-29 10:34:56+00:00"},
        {PG_TIMESTAMPTZ, "timestamptz", "ff1af9e8fb46d000",
         "error: '0044-03-15 12:00:00+00:00 BC' is outside of the years 0001 to 9999"},
        {PG_TIME, "time", "0000000000000000", "00:00:00"},
        {PG_TIME, "time", "000000141dd75fff", "23:59:59.999999"},
        {PG_TIME, "time", "0000000a8be1bd20", "12:34:56.500000"},
        {PG_TIME, "time", "000000141dd76000", "error: '24:00:00' is not a valid time"},
        {PG_TIME, "time", "000000141dd76001", "internal: damaged field of 8 bytes"},
        {PG_TIME, "time", "ffffffffffffffff", "internal: damaged field of 8 bytes"},
        {PG_INTERVAL, "interval", "00000000000000000000000000000000", "PT0S"},
        {PG_INTERVAL, "interval", "000000036c966ee0000000030000000e", "P1Y2M3DT4H5M6.7S"},
        {PG_INTERVAL, "interval", "fffffffffff85ee00000000000000000", "PT-0.5S"},
        {PG_INTERVAL, "interval", "0000000000000000ffffffff00000001", "P1M-1D"},
        {PG_INTERVAL, "interval", "00000000000000000000000080af3a00", "P-178000000Y"},
        {PG_INTERVAL, "interval", "00000000000000008000000000000000", "P-2147483648D"},
        {PG_INTERVAL, "interval", "7fffffffffffffff0000000000000000", "PT2562047788H54.775807S"},
        {PG_INTERVAL, "interval", "7fffffffffffffff7fffffff7fffffff", "error: 'infinity' is not a valid interval"},
        {PG_INTERVAL, "interval", "80000000000000008000000080000000", "error: '-infinity' is not a valid interval"},
    };
    CHECK_WIRES(CASES);
}

// Anything into text: as value_print shows it.
static void anything_into_text(void **state)
{
    (void)state;
    static const ds_wire_case CASES[] = {
        {PG_INT2, "text", "8000", "-32768"},
        {PG_INT4, "varchar(2)", "0000000c", "12"},
        {PG_INT4, "varchar(2)", "0000007b", "error: '123' does not fit varchar(2)"},
        {PG_INT8, "text", "8000000000000000", "-9223372036854775808"},
        {PG_FLOAT4, "text", "3dcccccd", "0.1"},
        {PG_FLOAT8, "text", "3fb999999999999a", "0.1"},
        {PG_NUMERIC, "text", "0002000000000002000103e8", "1.1"},
        {PG_NUMERIC, "text", "00000000f0000020", "-Infinity"},
        {PG_BOOL, "text", "01", "true"},
        {PG_BOOL, "text", "07", "internal: damaged field of 1 bytes"},
        {PG_BYTEA, "text", "00ff10", "00ff10"},
        {PG_BYTEA, "text", "", ""},
        {PG_DATE, "text", "fff49d7b", "0044-03-15 BC"},
        {PG_DATE, "text", "7fffffff", "infinity"},
        {PG_TIME, "text", "000000141dd76000", "24:00:00"},
        {PG_TIMESTAMP, "text", "fd0f7cc1411fa000", "4714-11-24 00:00:00 BC"}, // the first of PostgreSQL
        {PG_TIMESTAMP, "text", "8000000000000001", "290279-12-22 19:59:05.224193 BC"},
        {PG_TIMESTAMPTZ, "text", "0002b581943f3400", "2024-02-29 10:34:56+00:00"},
        {PG_TIMESTAMPTZ, "text", "8000000000000000", "-infinity"},
        {PG_INTERVAL, "text", "000000036c966ee0000000030000000e", "P1Y2M3DT4H5M6.7S"},
        {PG_INTERVAL, "text", "7fffffffffffffff7fffffff7fffffff", "infinity"},
        {PG_UUID, "char(36)", "123456789abcdef0123456789abcdef0", "12345678-9abc-def0-1234-56789abcdef0"},
        {PG_TID, "text", "000111700003", "(70000,3)"},
        {PG_INT4, "variant", "0000000c", "12"},
    };
    CHECK_WIRES(CASES);
}

// Fields of another width than their type's.
static void damaged_widths(void **state)
{
    (void)state;
    static const struct {
        pg_wire wire;
        const char *type;
        size_t width;
    } CASES[] = {
        {PG_INT2, "smallint", 2},      {PG_INT4, "integer", 4},
        {PG_INT8, "bigint", 8},        {PG_INT8, "decimal(9,2)", 8},
        {PG_INT4, "text", 4},          {PG_FLOAT4, "real", 4},
        {PG_FLOAT8, "double", 8},      {PG_FLOAT8, "real", 8},
        {PG_BOOL, "boolean", 1},       {PG_DATE, "date", 4},
        {PG_TIME, "time", 8},          {PG_TIMESTAMP, "timestamp", 8},
        {PG_TIMESTAMP, "date", 8},     {PG_TIMESTAMPTZ, "timestamptz", 8},
        {PG_INTERVAL, "interval", 16}, {PG_UUID, "uuid", 16},
        {PG_UUID, "text", 16},         {PG_TID, "text", 6},
    };
    static const char ZEROS[20];
    ds_bench bench;
    bench_init(&bench);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        bench_type(&bench, CASES[i].type);
        for (size_t n = 0; n < sizeof ZEROS; n++) {
            const char *got = from_wire(&bench, CASES[i].wire, (ds_str){ZEROS, n});
            bool damaged = strstr(got, "internal: damaged field of ") == got;
            if (damaged != (n != CASES[i].width))
                fail_msg("%s of %zu bytes: %s", CASES[i].type, n, got);
        }
    }
    bench_release(&bench);
}

// --- onto the wire

static void encoded(void **state)
{
    (void)state;
    static const struct {
        const char *type, *text, *hex;
    } CASES[] = {
        {"tinyint", "-128", "ff80"},
        {"utinyint", "255", "00ff"},
        {"smallint", "-2", "fffe"},
        {"usmallint", "65535", "0000ffff"},
        {"integer", "-2", "fffffffe"},
        {"uinteger", "4294967295", "00000000ffffffff"},
        {"bigint", "-2", "fffffffffffffffe"},
        {"ubigint", "18446744073709551615", "000500040000000007341a5802e103bb064f"},
        {"ubigint", "10000", "00010001000000000001"},
        {"ubigint", "0", "0000000000000000"},
        {"real", "0.1", "3dcccccd"},
        {"real", "NaN", "7fc00000"},
        {"double", "0.1", "3fb999999999999a"},
        {"double", "NaN", "7ff8000000000000"},
        {"numeric", "0", "0000000000000000"},
        {"numeric", "-1", "00010000400000000001"},
        {"numeric", "1.1", "0002000000000001000103e8"},
        {"numeric", "10001", "000200010000000000010001"},
        {"numeric", "100000000", "00010002000000000001"},
        {"numeric", "1200", "000100000000000004b0"},
        {"numeric", "12345678.9", "000300010000000104d2162e2328"},
        {"numeric", "0.0001", "0001ffff000000040001"},
        {"numeric", "0.00001234", "0001fffe0000000804d2"},
        {"numeric", "0.000000001", "0001fffd0000000903e8"},
        {"numeric", "-0.5", "0001ffff400000011388"},
        {"numeric", "123456789012345678901234567890.0123456789",
         "000b00070000000a000c0d801ed204d2162e23340d801ed2007b11d722c4"},
        {"numeric", "NaN", "00000000c0000000"},
        {"numeric", "Infinity", "00000000d0000000"},
        {"numeric", "-Infinity", "00000000f0000000"},
        {"boolean", "true", "01"},
        {"char(5)", "Ann  ", "416e6e"},
        {"text", "é", "c3a9"},
        {"text", "", ""},
        {"json", "{\"a\": 1}", "7b2261223a20317d"},
        {"binary", "00ff10", "00ff10"},
        {"date", "0001-01-01", "fff4dbf9"},
        {"date", "9999-12-31", "002c95d3"},
        {"date", "infinity", "7fffffff"},
        {"date", "-infinity", "80000000"},
        {"time", "23:59:59.999999", "000000141dd75fff"},
        {"timetz", "12:34:56+02", "31323a33343a35362b30323a3030"},
        {"timestamp", "2024-02-29 12:34:56.789", "0002b58341728608"},
        {"timestamp", "0001-01-01", "ff1fe2ffc59c6000"},
        {"timestamp", "infinity", "7fffffffffffffff"},
        {"timestamptz", "2024-02-29 12:34:56+02", "0002b581943f3400"},
        {"timestamptz", "-infinity", "8000000000000000"},
        {"interval", "P1Y2M3DT4H5M6.7S", "000000036c966ee0000000030000000e"},
        {"interval", "P1M-1D", "0000000000000000ffffffff00000001"},
        {"interval", "-178000000 years", "00000000000000000000000080af3a00"},
        {"uuid", "12345678-9abc-def0-1234-56789abcdef0", "123456789abcdef0123456789abcdef0"},
        {"vector(3)", "[1,2,3]", "5b312c322c335d"},
    };
    ds_bench bench;
    bench_init(&bench);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        bench_type(&bench, CASES[i].type);
        rows_clear(&bench.rows);
        from_text(&bench, str_of(CASES[i].text));
        round_trip(&bench, CASES[i].text);
        CLEANUP(buf_release) ds_buf hex = BUF_INIT(256);
        buf_put_hex(&hex, bench.wire.p + 4, bench.wire.n - 4);
        if (strcmp(buf_text(&hex), CASES[i].hex) != 0)
            fail_msg("%s %s: %s instead of %s", CASES[i].type, CASES[i].text, buf_text(&hex), CASES[i].hex);
    }
    bench_release(&bench);
}

// A buffer that is full stays full, and nothing is written behind it.
static void encode_past_the_limit(void **state)
{
    (void)state;
    static const struct {
        const char *type, *text;
    } CASES[] = {{"smallint", "1"},       {"integer", "1"},   {"bigint", "1"},    {"real", "1"},
                 {"decimal(9,2)", "1.5"}, {"numeric", "NaN"}, {"text", "abcdef"}, {"date", "infinity"},
                 {"time", "00:00"},       {"interval", "P1D"}};
    ds_bench bench;
    bench_init(&bench);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        bench_type(&bench, CASES[i].type);
        rows_clear(&bench.rows);
        from_text(&bench, str_of(CASES[i].text));
        ds_cell cell;
        row_cells(bench.shape, rows_row(&bench.rows, 0), &cell);
        CLEANUP(buf_release) ds_buf small = BUF_INIT(5);
        pg_encode_cell(bench.type, cell, &small);
        assert_false(buf_ok(&small));
        assert_int_equal(small.n, 0);
    }
    bench_release(&bench);
}

// --- made values: the seed is fixed, a failure shows the value

static ds_rng chance;

static size_t random_below(size_t n)
{
    return (size_t)rng_below(&chance, n);
}

// Digits with many zeros and nines among them.
static void random_digits(size_t n, ds_buf *out)
{
    static const char SOME[] = "000000991234567890";
    while (n-- > 0)
        buf_putc(out, SOME[random_below(sizeof SOME - 1)]);
}

static void random_decimal(const ds_type *type, ds_buf *out)
{
    bool limited = type->size != TYPE_UNLIMITED;
    size_t whole = limited ? (size_t)(type->size - type->scale) : 40, fraction = limited ? (size_t)type->scale : 40;
    buf_puts(out, random_below(2) ? "-" : "");
    random_digits(random_below(whole + 1), out);
    buf_puts(out, "0."); // which is one digit too many for some
    random_digits(random_below(fraction + 1), out);
}

static void random_text(const ds_type *type, ds_buf *out)
{
    static const char *const POINTS[] = {"a", "B", "7", " ", "é", "ß", "日", "😀", "\x01", "\x7f", "'", "\\"};
    size_t most = type->size == TYPE_UNLIMITED ? 40 : (size_t)type->size;
    bool ascii = random_below(2);
    for (size_t n = random_below(most + 1); n > 0; n--)
        buf_puts(out, ascii ? POINTS[random_below(4)] : POINTS[random_below(sizeof POINTS / sizeof POINTS[0])]);
}

static int64_t random_micros(ds_type_kind kind)
{
    static const int64_t FIRST_DAY = -719162, DAYS = 3652059, DAY = INT64_C(86400000000);
    int64_t day = (FIRST_DAY + (int64_t)random_below((size_t)DAYS)) * DAY;
    if (random_below(20) == 0)
        return random_below(2) ? INT64_MAX : INT64_MIN;
    return kind == TYPE_DATE ? day : day + (int64_t)random_below((size_t)DAY);
}

static void put_u64(ds_buf *out, uint64_t value)
{
    value = htobe64(value);
    buf_put(out, &value, sizeof value);
}

static void random_float(ds_type_kind kind, ds_rows *rows, uint64_t name)
{
    uint64_t bits = rng_next(&chance);
    double value;
    float narrow;
    memcpy(&value, &bits, sizeof value);
    memcpy(&narrow, &bits, sizeof narrow);
    rows_put_double(rows, name, kind == TYPE_REAL ? (double)narrow : value);
}

static int64_t random_int(ds_type_kind kind)
{
    static const unsigned char BITS[] = {
        [TYPE_TINYINT] = 8,  [TYPE_SMALLINT] = 16,  [TYPE_INTEGER] = 32,  [TYPE_BIGINT] = 64,
        [TYPE_UTINYINT] = 8, [TYPE_USMALLINT] = 16, [TYPE_UINTEGER] = 32, [TYPE_UBIGINT] = 64};
    unsigned spare = 64 - BITS[kind] + (unsigned)random_below(BITS[kind]);
    uint64_t bits = rng_next(&chance);
    return kind >= TYPE_UTINYINT ? (int64_t)(bits >> spare) : (int64_t)bits >> spare;
}

static ds_rc put_random(ds_bench *bench)
{
    const ds_shape_column *column = bench->shape->columns;
    const ds_type *type = bench->type;
    uint64_t name = column->name_hash;
    ds_buf *text = &bench->text;
    buf_clear(text);
    switch (type_class(type)) {
    case VALUE_INT:
        rows_put_i64(&bench->rows, name, random_int(type->kind));
        return DS_DONE;
    case VALUE_BOOL:
        rows_put_bool(&bench->rows, name, random_below(2));
        return DS_DONE;
    case VALUE_FLOAT:
        random_float(type->kind, &bench->rows, name);
        return DS_DONE;
    case VALUE_DECIMAL:
        random_decimal(type, text);
        break;
    case VALUE_MICROS:
        rows_put_i64(&bench->rows, name, random_micros(type->kind));
        return DS_DONE;
    case VALUE_TIME:
        rows_put_i64(&bench->rows, name, (int64_t)random_below(86400000000));
        return DS_DONE;
    case VALUE_INTERVAL:
        put_u64(text, (uint64_t)(int64_t)(int32_t)rng_next(&chance));
        put_u64(text, (uint64_t)(int64_t)(int32_t)rng_next(&chance));
        put_u64(text, rng_next(&chance));
        rows_put(&bench->rows, name, text->p, text->n);
        return DS_DONE;
    case VALUE_UUID:
    case VALUE_BINARY:
        put_u64(text, rng_next(&chance));
        put_u64(text, rng_next(&chance));
        rows_put(&bench->rows, name, text->p, text->n);
        return DS_DONE;
    case VALUE_TEXT:
    case VALUE_OTHER:
        if (type->kind == TYPE_JSON)
            buf_printf(text, "[%llu, \"x\"]", (unsigned long long)rng_next(&chance));
        else
            random_text(type, text);
        break;
    }
    return value_put_text(&bench->rows, column, (ds_str){buf_text(text), text->n}, &bench->err);
}

static void round_trips(void **state)
{
    (void)state;
    static const char *const TYPES[] = {
        "tinyint",       "smallint",       "integer",      "bigint",       "utinyint", "usmallint", "uinteger",
        "ubigint",       "real",           "double",       "numeric",      "boolean",  "char(9)",   "date",
        "varchar(12)",   "text",           "nchar(9)",     "nvarchar(20)", "string",   "time",      "timestamp",
        "timestamptz",   "interval",       "uuid",         "json",         "binary",   "variant",   "map(text,integer)",
        "decimal(12,2)", "decimal(38,10)", "decimal(7,7)", "decimal(5,0)",
    };
    enum { VALUES = 2000 };
    ds_bench bench;
    bench_init(&bench);
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        bench_type(&bench, TYPES[i]);
        size_t made = 0;
        for (size_t k = 0; k < VALUES; k++) {
            rows_clear(&bench.rows);
            rows_begin(&bench.rows);
            if (put_random(&bench).code != DS_OK) {
                rows_drop(&bench.rows);
                continue;
            }
            (void)last_cell(&bench);
            round_trip(&bench, TYPES[i]);
            made++;
        }
        assert_true(made > VALUES / 3);
    }
    bench_release(&bench);
}

// A numeric of any form, and its digits as plainly as can be.
static void make_numeric(ds_buf *wire, ds_buf *text)
{
    int count = (int)random_below(7), weight = (int)random_below(9) - 4;
    const unsigned head[] = {(unsigned)count, (unsigned)weight & 0xFFFF, random_below(2) ? 0x4000 : 0, 0};
    buf_clear(wire);
    buf_clear(text);
    buf_puts(text, head[2] ? "-0" : "0");
    for (size_t i = 0; i < 4; i++) {
        buf_putc(wire, (char)(head[i] >> 8));
        buf_putc(wire, (char)head[i]);
    }
    int last = count - 1 - weight > 0 ? count - 1 : weight;
    for (int i = weight < 0 ? weight + 1 : 0; i <= last; i++) {
        static const unsigned SOME[] = {0, 0, 1, 9, 10, 90, 100, 700, 1000, 1200, 5000, 9999};
        unsigned group = i < 0 || i >= count ? 0
                         : random_below(2)   ? SOME[random_below(sizeof SOME / sizeof SOME[0])]
                                             : (unsigned)random_below(10000);
        if (i == weight + 1)
            buf_putc(text, '.');
        buf_printf(text, "%04u", group);
        if (i >= 0 && i < count) {
            buf_putc(wire, (char)(group >> 8));
            buf_putc(wire, (char)group);
        }
    }
}

// The digits of a numeric give the same row, or the same refusal. Into integers, a fraction of zeros is none.
static void numerics_as_their_text(void **state)
{
    (void)state;
    static const char *const TYPES[] = {"numeric", "decimal(12,2)", "decimal(38,10)", "decimal(4,4)", "decimal(20,0)"};
    enum { VALUES = 20000 };
    ds_bench bench;
    bench_init(&bench);
    CLEANUP(buf_release) ds_buf digits = BUF_INIT(4096), wire = BUF_INIT(4096);
    size_t taken = 0;
    for (size_t k = 0; k < VALUES; k++) {
        bench_type(&bench, TYPES[k % (sizeof TYPES / sizeof TYPES[0])]);
        rows_clear(&bench.rows);
        make_numeric(&wire, &digits);
        bool right = strncmp(from_wire(&bench, PG_NUMERIC, buf_str(&wire)), "error: ", 7) != 0;
        const char *got = from_text(&bench, buf_str(&digits));
        if (right != (strncmp(got, "error: ", 7) != 0))
            fail_msg("%s: %s", buf_text(&digits), got);
        if (!right)
            continue;
        last_two_are_equal(&bench, buf_text(&digits));
        round_trip(&bench, buf_text(&digits));
        taken++;
        if (k % 100 == 0) { // not to fill the arena
            arena_free(bench.arena);
            bench.arena = arena_new();
        }
    }
    assert_true(taken > VALUES / 10);
    bench_release(&bench);
}

// --- which wire

static void wires(void **state)
{
    (void)state;
    static const struct {
        uint32_t oid;
        pg_wire wire;
    } CASES[] = {
        {16, PG_BOOL},        {17, PG_BYTEA},         {19, PG_TEXT},       {20, PG_INT8},      {21, PG_INT2},
        {23, PG_INT4},        {25, PG_TEXT},          {27, PG_TID},        {114, PG_JSON},     {700, PG_FLOAT4},
        {701, PG_FLOAT8},     {1042, PG_BPCHAR},      {1043, PG_TEXT},     {1082, PG_DATE},    {1083, PG_TIME},
        {1114, PG_TIMESTAMP}, {1184, PG_TIMESTAMPTZ}, {1186, PG_INTERVAL}, {1700, PG_NUMERIC}, {2950, PG_UUID},
        {18, PG_CAST},        {26, PG_CAST},          {142, PG_CAST},      {790, PG_CAST},     {869, PG_CAST},
        {1007, PG_CAST},      {1266, PG_CAST},        {3802, PG_CAST},     {0, PG_CAST},       {100000, PG_CAST},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_int_equal(pg_wire_of(CASES[i].oid), CASES[i].wire);
}

static void fits(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        unsigned wires;
    } CASES[] = {
#define W(name) (1u << PG_##name)
#define INTS (W(INT2) | W(INT4) | W(INT8))
#define TEXTS (W(TEXT) | W(JSON) | W(BPCHAR) | W(CAST))
#define ANY (((1u << PG_WIRE_COUNT) - 1) & ~W(WIRE_NONE))
        {"tinyint", INTS | W(NUMERIC)},
        {"ubigint", INTS | W(NUMERIC)},
        {"decimal(9,2)", INTS | W(NUMERIC)},
        {"real", INTS | W(FLOAT4) | W(FLOAT8)},
        {"double", INTS | W(FLOAT4) | W(FLOAT8)},
        {"boolean", W(BOOL)},
        {"char(9)", ANY},
        {"text", ANY},
        {"variant", ANY},
        {"json", TEXTS},
        {"timetz", TEXTS},
        {"array(integer)", TEXTS},
        {"binary(9)", W(BYTEA)},
        {"date", W(DATE) | W(TIMESTAMP)},
        {"timestamp", W(DATE) | W(TIMESTAMP)},
        {"timestamptz", W(TIMESTAMPTZ)},
        {"time", W(TIME)},
        {"interval", W(INTERVAL)},
        {"uuid", W(UUID)},
#undef W
#undef INTS
#undef TEXTS
#undef ANY
    };
    ds_bench bench;
    bench_init(&bench);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        bench_type(&bench, CASES[i].type);
        assert_true(pg_wire_fits(pg_wire_held(bench.type), bench.type));
        for (int wire = 0; wire < PG_WIRE_COUNT; wire++)
            if (pg_wire_fits((pg_wire)wire, bench.type) != (CASES[i].wires >> wire & 1))
                fail_msg("%s and wire type %d", CASES[i].type, wire);
    }
    bench_release(&bench);
}

// --- tuples

static void tuples(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        size_t count;
        bool right;
    } CASES[] = {
        {"0002000000080000000000000005ffffffff", 2, true},
        {"0000", 0, true},
        {"000100000000", 1, true},
        {"0001ffffffff", 1, true},
        {"", 0, false},
        {"00", 0, false},
        {"ffff", 2, false}, // the trailer
        {"0002000000080000000000000005ffffffff", 1, false},
        {"0002000000080000000000000005ffffffff", 3, false},
        {"0002000000080000000000000005ffffff", 2, false},
        {"0002000000080000000000000005ffffffff00", 2, false},
        {"00020000000800000000000000", 2, false},
        {"0001fffffffe", 1, false},
        {"000180000000", 1, false},
        {"00017fffffff41", 1, false},
        {"0001000000", 1, false},
        {"0001", 1, false},
        {"0001000000024142", 1, true},
        {"000100000003414243", 1, true},
        {"0001000000034142", 1, false},
        {"00010000000141ff", 1, false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        pg_field fields[3];
        CLEANUP(buf_release) ds_buf wire = BUF_INIT(64);
        unhex(CASES[i].hex, &wire);
        unsigned char *exact = malloc(wire.n ? wire.n : 1);
        assert_non_null(exact);
        if (wire.n)
            memcpy(exact, wire.p, wire.n);
        if (pg_split_tuple(exact, wire.n, fields, CASES[i].count) != CASES[i].right)
            fail_msg("tuple %s of %zu", CASES[i].hex, CASES[i].count);
        if (i == 0) {
            assert_ptr_equal(fields[0].p, exact + 6);
            assert_int_equal(fields[0].n, 8);
            assert_int_equal(fields[1].n, -1);
        }
        free(exact);
    }
}

static void places(void **state)
{
    (void)state;
    int64_t place = -1;
    assert_true(pg_take_tid((const unsigned char *)"\x00\x01\x11\x70\x00\x03", 6, &place));
    assert_int_equal(place, (INT64_C(70000) << 16) + 3);
    assert_true(pg_take_tid((const unsigned char *)"\xff\xff\xff\xfe\xff\xff", 6, &place));
    assert_true(place > 0);
    assert_false(pg_take_tid((const unsigned char *)"\x00\x01\x11\x70\x00", 5, &place));
}

int main(void)
{
    chance = (ds_rng){20240229};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(numerics),
        cmocka_unit_test(long_numerics),
        cmocka_unit_test(floats),
        cmocka_unit_test(texts),
        cmocka_unit_test(moments),
        cmocka_unit_test(anything_into_text),
        cmocka_unit_test(damaged_widths),
        cmocka_unit_test(encoded),
        cmocka_unit_test(encode_past_the_limit),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(numerics_as_their_text),
        cmocka_unit_test(wires),
        cmocka_unit_test(fits),
        cmocka_unit_test(tuples),
        cmocka_unit_test(places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
