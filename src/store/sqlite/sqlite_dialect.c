// How SQLite holds values. A column's affinity must never change one: NUMERIC would make 1 of the text '1.0', so only
// numbers stand in columns with a numeric affinity, and everything else in TEXT or BLOB.
#include <inttypes.h>

#include "schema/value.h"
#include "store/sqlite/sqlite_int.h"

enum { NUMERIC_DIGITS_MAX = 15 }; // what a double holds of any decimal

static bool is_number(const ds_type *type)
{
    return type->size > 0 && type->size <= NUMERIC_DIGITS_MAX && type->scale <= NUMERIC_DIGITS_MAX;
}

static const char *affinity(const ds_type *type)
{
    switch (type_class(type)) {
    case VALUE_INT:
        return type->kind == TYPE_UBIGINT ? "TEXT" : "INTEGER";
    case VALUE_BOOL:
        return "INTEGER";
    case VALUE_FLOAT:
        return "REAL";
    case VALUE_DECIMAL:
        return is_number(type) ? "NUMERIC" : "TEXT";
    case VALUE_BINARY:
        return "BLOB";
    case VALUE_TEXT:
    case VALUE_MICROS:
    case VALUE_TIME:
    case VALUE_INTERVAL:
    case VALUE_UUID:
    case VALUE_OTHER:
        return "TEXT";
    }
    BUG("unknown value class");
}

static void column_type(const ds_type *type, ds_buf *out)
{
    buf_puts(out, affinity(type));
}

static bool supports(const ds_type *type, const char **how)
{
    ds_value_class class = type_class(type);
    *how = NULL;
    if (class == VALUE_OTHER || class == VALUE_INTERVAL)
        *how = "canonical text";
    else if (type->kind == TYPE_UBIGINT || (class == VALUE_DECIMAL && !is_number(type)))
        *how = "text of its digits";
    return true;
}

static void locator_value(int64_t locator, ds_buf *out)
{
    buf_printf(out, "%" PRId64, locator);
}

// --- a value as quote() prints it: 12, 1.5, 'a''b', X'00FF'. It comes back as a parameter of the same storage
// class, which no affinity changes: the column held it as that already.

static void text_value(const char *quoted, ds_sql *out)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(SQL_TEXT_MAX);
    for (const char *p = quoted + 1; p[0] && (p[0] != '\'' || p[1] == '\''); p++) {
        p += p[0] == '\'';
        buf_putc(&text, p[0]);
    }
    sql_text(out, buf_text(&text));
}

static int hex_digit(char c)
{
    static const char DIGITS[] = "0123456789ABCDEF";
    const char *at = c ? strchr(DIGITS, c) : NULL;
    return at ? (int)(at - DIGITS) : -1;
}

static void blob_value(const char *quoted, ds_sql *out)
{
    CLEANUP(buf_release) ds_buf bytes = BUF_INIT(SQL_TEXT_MAX);
    for (const char *p = quoted + 2; hex_digit(p[0]) >= 0 && hex_digit(p[1]) >= 0; p += 2)
        buf_putc(&bytes, (char)(hex_digit(p[0]) << 4 | hex_digit(p[1])));
    sql_blob(out, buf_text(&bytes), bytes.n);
}

static void point_value(const char *point, ds_sql *out)
{
    int64_t integer;
    if (point[0] == '\'') {
        text_value(point, out);
    } else if (point[0] == 'X') {
        blob_value(point, out);
    } else if (str_int64(str_of(point), &integer)) {
        sql_int(out, integer);
    } else {
        SQL(out, "+CAST("); // the sign takes the affinity of REAL away
        sql_text(out, point);
        SQL(out, " AS REAL)");
    }
}

const ds_dialect SQLITE_DIALECT = {
    .name = "sqlite",
    .names = {.limit = 200, .has_schemas = false},
    .numbered_params = false,
    .locator = "_rowid_", // a table's column may be called rowid or oid; names of a model begin with a letter
    .locator_value = locator_value,
    .point_begin = "NULLIF(quote(",
    .point_end = "), 'NULL')",
    .point_value = point_value,
    .serial = "INTEGER",
    .key_collation = "",
    .number_order = " COLLATE " SQLITE_NUMBERS,
    .spare_room = "",
    .looks_up_not_in = true,
    .times_are_text = true,
    .column_type = column_type,
    .supports = supports,
};
