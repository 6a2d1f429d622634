// What is stored is what is hashed: every value of every type comes back with the same canonical bytes.
#include <stdio.h>

#include "contract/contract.h"
#include "schema/value.h"
#include "support/chance.h"

enum { VALUES_MAX = 24 };
static const struct {
    const char *type;
    const char *values[VALUES_MAX];
} TYPES[] = {
    {"tinyint", {"-128", "127", "0"}},
    {"smallint", {"-32768", "32767"}},
    {"integer", {"-2147483648", "2147483647", "0", "-1"}},
    {"bigint", {"-9223372036854775808", "9223372036854775807", "-1", "9007199254740993"}},
    {"utinyint", {"0", "255"}},
    {"usmallint", {"0", "65535"}},
    {"uinteger", {"0", "4294967295"}},
    {"ubigint", {"0", "1", "9223372036854775807", "9223372036854775808", "18446744073709551615"}},
    {"real", {"0", "1.5", "-3.4028235e38", "1e-45", "0.1", "NaN", "Infinity", "-Infinity", "16777217", "-0"}},
    {"double",
     {"0", "0.1", "1.7976931348623157e308", "5e-324", "2.2250738585072011e-308", "NaN", "Infinity", "-Infinity",
      "123456789012345678", "9007199254740993", "-0", "1e22", "1e23", "0.30000000000000004", "9223372036854775808"}},
    {"decimal(5)", {"0", "99999", "-99999"}},
    {"decimal(10,2)", {"0", "12345678.91", "-0.01", "0.1", "100", "99999999.99", "NaN"}},
    {"decimal(15)", {"999999999999999", "-999999999999999", "100000000000000"}},
    {"decimal(15,2)", {"9999999999999.99", "-9999999999999.99", "0.07", "1234567890123.45"}},
    {"decimal(15,15)", {"0.999999999999999", "-0.000000000000001", "0.123456789012345"}},
    {"decimal(16,2)", {"99999999999999.99", "0.07", "10000000000000"}},
    {"decimal(17)", {"99999999999999999", "12345678901234567"}},
    {"decimal(38,10)", {"9999999999999999999999999999.9999999999", "-0.0000000001", "NaN", "0", "10"}},
    {"boolean", {"true", "false"}},
    {"char(5)", {"", "ab", "ab  ", "  ab", "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", "1.0"}},
    {"varchar(20)", {"",    " ",    "a ",   "1",    "01",  "1.0",     "1e5",    "0x10",     " 1", "1 ", "-0", "NaN",
                     "inf", "null", "NULL", "true", "\\N", "'\"`;--", "\t\r\n", "\x01\x7f", "+5", ".5", "5.", "1_000"}},
    {"text",
     {"9223372036854775808", "99999999999999999999", "1e400", "\xf0\x9f\x98\x80 \xc3\xa4", "\\", "\\x00", "{}"}},
    {"nchar(3)", {"abc", "a  "}},
    {"nvarchar(3)", {"abc", "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"}},
    {"string", {"", "2020-01-01", "12:00", "1e5"}},
    {"date", {"1970-01-01", "0001-01-01", "9999-12-31", "2024-02-29", "infinity", "-infinity", "1582-10-10"}},
    {"time", {"00:00:00", "23:59:59.999999", "12:34:56.1"}},
    {"timetz", {"12:34:56+02:00", "00:00:00Z"}},
    {"timestamp",
     {"1970-01-01 00:00:00", "1969-12-31 23:59:59.999999", "2024-02-29 12:34:56.5", "9999-12-31 23:59:59.999999",
      "0001-01-01 00:00:00", "infinity", "-infinity", "2000-01-01 00:00:00.000001"}},
    {"timestamptz", {"2024-06-01 12:00:00+02:00", "1969-12-31 23:59:59.999999Z", "infinity", "-infinity"}},
    {"interval", {"P1Y2M3DT4H5M6.7S", "PT0S", "P-1M", "PT-0.000001S", "P1M-1D", "1 year 2 mons 3 days 04:05:06.7"}},
    {"uuid", {"00000000-0000-0000-0000-000000000000", "123e4567-e89b-12d3-a456-426614174000"}},
    {"json", {"1", "1.0", "\"x\"", "null", "{\"b\":1, \"a\":[1,2]}", " [ ] ", "1e5", "true"}},
    {"binary", {"", "00", "00ff", "6162"}},
    {"binary(4)", {"00000000", "31"}},
    {"variant", {"1", "x", "1.0"}},
    {"geography(point,4326)", {"POINT(1 2)"}},
    {"vector(3)", {"[1,2,3]"}},
    {"array(integer)", {"[1, 2, null]", "[]"}},
    {"map(text,integer)", {"{\"a\":1}"}},
    {"struct(a integer,b text)", {"{\"a\":1,\"b\":\"x\"}"}},
    {"fp8_e5m2fnuz", {"1.5"}},
};
enum { TYPES_COUNT = sizeof TYPES / sizeof TYPES[0] };

// Writes the rows into a new table `t`, reads them in order of their id and compares bytes and hashes.
static void compare(ds_db *db, const ds_shape *shape, const ds_rows *rows)
{
    ds_error err;
    create_table(db, "t", NULL, 0, shape);
    ds_writer *writer = NULL;
    int64_t written = 0;
    OK(store_begin(db, BEGIN_WRITE, &err));
    OK(db->driver->write_open(db, &(ds_write){.table = {"", "t"}, .shape = shape}, &writer, &err));
    for (size_t i = 0; i < rows->n; i++)
        OK(db->driver->write_row(writer, NULL, rows_row(rows, i), &err));
    OK(db->driver->write_close(writer, &written, &err));
    OK(store_commit(db, &err));
    assert_int_equal(written, rows->n);

    CLEANUP(rows_release) ds_rows found;
    rows_init(&found);
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    select_rows(&q, shape, "t", true);
    read_all(db, &(ds_read){.select = &q, .shape = shape}, &found);
    assert_int_equal(found.n, rows->n);
    for (size_t i = 0; i < rows->n; i++) {
        if (str_eq(rows_row(&found, i), rows_row(rows, i)) && hash_eq(found.row_hash[i], rows->row_hash[i]))
            continue;
        CLEANUP(buf_release) ds_buf text = BUF_INIT(1000);
        ds_cell cells[2];
        row_cells(shape, rows_row(rows, i), cells);
        value_print(shape->columns[1].type, cells[1], &text);
        fail_msg("%s: %s comes back as something else", type_kind_name(shape->columns[1].type->kind), buf_text(&text));
    }
    RUN(db, "DROP TABLE t");
}

static void all_values_come_back(void **state)
{
    contract *w = *state;
    ds_db *db = contract_open(w);
    bool seen[TYPE_KIND_COUNT] = {0};
    for (size_t t = 0; t < TYPES_COUNT; t++) {
        const column_text COLUMNS[] = {{"id", "integer"}, {"Value X", TYPES[t].type}};
        const ds_shape *shape = shape_of(w->arena, COLUMNS, 2, 1);
        const char *how;
        if (!db->dialect->supports(shape->columns[1].type, &how))
            continue;
        seen[shape->columns[1].type->kind] = true;
        CLEANUP(rows_release) ds_rows rows;
        rows_init(&rows);
        put_row(&rows, shape, (const char *const[]){"0", NULL});
        for (size_t v = 0; v < VALUES_MAX && TYPES[t].values[v]; v++) {
            char id[12];
            snprintf(id, sizeof id, "%zu", v + 1);
            put_row(&rows, shape, (const char *const[]){id, TYPES[t].values[v]});
        }
        compare(db, shape, &rows);
    }
    for (int kind = 0; kind < TYPE_KIND_COUNT; kind++)
        if (!seen[kind])
            fail_msg("no values for %s", type_kind_name((ds_type_kind)kind));
    store_close(db);
}

// --- numbers by chance

enum { RANDOM_ROWS = 500 };

static void random_doubles_come_back(void **state)
{
    contract *w = *state;
    ds_error err;
    ds_db *db = contract_open(w);
    static const column_text COLUMNS[] = {{"id", "integer"}, {"x", "double"}};
    const ds_shape *shape = shape_of(w->arena, COLUMNS, 2, 1);
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    ds_rng chance = chance_begin();
    for (int i = 0; i < RANDOM_ROWS; i++) {
        uint64_t bits = rng_next(&chance);
        double value;
        memcpy(&value, &bits, sizeof value);
        rows_begin(&rows);
        for (size_t c = 0; c < 2; c++)
            if (shape->hash_order[c] == 0)
                rows_put_i64(&rows, shape->columns[0].name_hash, i);
            else
                rows_put_double(&rows, shape->columns[1].name_hash, value);
        OK(rows_end(&rows, shape, 0, &err));
    }
    compare(db, shape, &rows);
    store_close(db);
}

static void random_decimals_come_back(void **state)
{
    contract *w = *state;
    ds_db *db = contract_open(w);
    ds_rng chance = chance_begin();
    for (int digits = 1; digits <= 20; digits++) {
        char type[32], id[12], value[48];
        int scale = (int)(rng_below(&chance, (uint64_t)digits + 1));
        snprintf(type, sizeof type, "decimal(%d,%d)", digits, scale);
        const column_text COLUMNS[] = {{"id", "integer"}, {"x", type}};
        const ds_shape *shape = shape_of(w->arena, COLUMNS, 2, 1);
        CLEANUP(rows_release) ds_rows rows;
        rows_init(&rows);
        for (int i = 0; i < RANDOM_ROWS / 10; i++) {
            char *p = value;
            if (rng_below(&chance, 2))
                *p++ = '-';
            for (int d = 0; d < digits; d++) {
                if (d == digits - scale)
                    *p++ = '.';
                *p++ = (char)('0' + rng_below(&chance, 10));
            }
            *p = '\0';
            snprintf(id, sizeof id, "%d", i);
            put_row(&rows, shape, (const char *const[]){id, value});
        }
        compare(db, shape, &rows);
    }
    store_close(db);
}

static void large_values_come_back(void **state)
{
    contract *w = *state;
    ds_db *db = contract_open(w);
    static const column_text COLUMNS[] = {{"id", "integer"}, {"x", "text"}};
    const ds_shape *shape = shape_of(w->arena, COLUMNS, 2, 1);
    enum { LARGE = 5 << 20 };
    char *large = arena_alloc(w->arena, LARGE + 1);
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (char)('a' + i % 26);
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    put_row(&rows, shape, (const char *const[]){"1", large});
    put_row(&rows, shape, (const char *const[]){"2", ""});
    compare(db, shape, &rows);
    store_close(db);
}

// A table with as many columns as anybody has, in an order that is not the hash order.
static void wide_rows_come_back(void **state)
{
    contract *w = *state;
    ds_db *db = contract_open(w);
    enum { WIDE = 500 };
    column_text columns[WIDE];
    const char *values[WIDE];
    for (size_t i = 0; i < WIDE; i++) {
        columns[i] = (column_text){arena_printf(w->arena, "c%zu", (i * 7919) % WIDE), i % 2 ? "integer" : "date"};
        values[i] = i % 5 == 4 ? NULL : i % 2 ? arena_printf(w->arena, "%zu", i) : "2020-02-02";
    }
    const ds_shape *shape = shape_of(w->arena, columns, WIDE, 1);
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    put_row(&rows, shape, values);
    compare(db, shape, &rows);
    store_close(db);
}

TEST_TABLE(TYPE, CONTRACT(all_values_come_back), CONTRACT(random_doubles_come_back),
           CONTRACT(random_decimals_come_back), CONTRACT(large_values_come_back), CONTRACT(wide_rows_come_back), );
