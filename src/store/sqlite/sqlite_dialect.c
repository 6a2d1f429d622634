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

const ds_dialect SQLITE_DIALECT = {
    .name = "sqlite",
    .names = {.limit = 200, .has_schemas = false},
    .numbered_params = false,
    .locator = "_rowid_", // a table's column may be called rowid or oid; names of a model begin with a letter
    .locator_value = locator_value,
    .serial = "INTEGER",
    .key_collation = "",
    .spare_room = "",
    .column_type = column_type,
    .supports = supports,
};
