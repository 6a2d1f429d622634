#include "schema/type.h"

#include "schema/type_int.h"

// Adding a type: its ds_type_kind in type.h, a row here, its widening in type_widen.c, its class in value.h, its SQL
// name in each dialect of store/, and rows in tests/unit/test_type.c. The canonical name of a kind stands before its
// aliases.
const type_name TYPE_NAMES[] = {
    {"tinyint", TYPE_TINYINT, PARAMS_NONE, false, "tinyint", NULL},
    {"smallint", TYPE_SMALLINT, PARAMS_NONE, false, "smallint", NULL},
    {"int2", TYPE_SMALLINT, PARAMS_NONE, true, "int2", NULL},
    {"integer", TYPE_INTEGER, PARAMS_NONE, false, "integer", NULL},
    {"int", TYPE_INTEGER, PARAMS_NONE, true, "int", NULL},
    {"int4", TYPE_INTEGER, PARAMS_NONE, true, "int4", NULL},
    {"bigint", TYPE_BIGINT, PARAMS_NONE, false, "bigint", NULL},
    {"int8", TYPE_BIGINT, PARAMS_NONE, true, "int8", NULL},
    {"utinyint", TYPE_UTINYINT, PARAMS_NONE, false, "utinyint", NULL},
    {"usmallint", TYPE_USMALLINT, PARAMS_NONE, false, "usmallint", NULL},
    {"uinteger", TYPE_UINTEGER, PARAMS_NONE, false, "uinteger", NULL},
    {"ubigint", TYPE_UBIGINT, PARAMS_NONE, false, "ubigint", NULL},
    {"real", TYPE_REAL, PARAMS_NONE, false, "real", NULL},
    {"float4", TYPE_REAL, PARAMS_NONE, true, "float4", NULL},
    {"ieee32", TYPE_REAL, PARAMS_NONE, true, "ieee32", NULL},
    {"double", TYPE_DOUBLE, PARAMS_NONE, false, "double", NULL},
    {"double precision", TYPE_DOUBLE, PARAMS_NONE, true, "double precision", NULL},
    {"float8", TYPE_DOUBLE, PARAMS_NONE, true, "float8", NULL},
    {"ieee64", TYPE_DOUBLE, PARAMS_NONE, true, "ieee64", NULL},
    {"decimal", TYPE_DECIMAL, PARAMS_DECIMAL, false, "decimal(12,2)", NULL},
    {"numeric", TYPE_DECIMAL, PARAMS_DECIMAL, true, "numeric(12,2)", NULL},
    {"boolean", TYPE_BOOLEAN, PARAMS_NONE, false, "boolean", NULL},
    {"bool", TYPE_BOOLEAN, PARAMS_NONE, true, "bool", NULL},
    {"char", TYPE_CHAR, PARAMS_LENGTH, false, "char(3)", NULL},
    {"varchar", TYPE_VARCHAR, PARAMS_LENGTH_OPTIONAL, false, "varchar(100)", NULL},
    {"text", TYPE_TEXT, PARAMS_NONE, false, "text", NULL},
    {"nchar", TYPE_NCHAR, PARAMS_LENGTH, false, "nchar(3)", NULL},
    {"nvarchar", TYPE_NVARCHAR, PARAMS_LENGTH_OPTIONAL, false, "nvarchar(100)", NULL},
    {"string", TYPE_STRING, PARAMS_LENGTH_OPTIONAL, false, "string(100)", NULL},
    {"date", TYPE_DATE, PARAMS_NONE, false, "date", NULL},
    {"time", TYPE_TIME, PARAMS_NONE, false, "time", NULL},
    {"timetz", TYPE_TIMETZ, PARAMS_NONE, false, "timetz", NULL},
    {"timestamp", TYPE_TIMESTAMP, PARAMS_NONE, false, "timestamp", NULL},
    {"timestamptz", TYPE_TIMESTAMPTZ, PARAMS_NONE, false, "timestamptz", NULL},
    {"interval", TYPE_INTERVAL, PARAMS_NONE, false, "interval", NULL},
    {"uuid", TYPE_UUID, PARAMS_NONE, false, "uuid", NULL},
    {"json", TYPE_JSON, PARAMS_NONE, false, "json", NULL},
    {"binary", TYPE_BINARY, PARAMS_LENGTH_OPTIONAL, false, "binary(16)", NULL},
    {"bytea", TYPE_BINARY, PARAMS_LENGTH_OPTIONAL, true, "bytea", NULL},
    {"blob", TYPE_BINARY, PARAMS_LENGTH_OPTIONAL, true, "blob", NULL},
    {"variant", TYPE_VARIANT, PARAMS_NONE, false, "variant", NULL},
    {"geography", TYPE_GEOGRAPHY, PARAMS_GEOGRAPHY, false, "geography(point,4326)", NULL},
    {"vector", TYPE_VECTOR, PARAMS_LENGTH, false, "vector(16)", NULL},
    {"array", TYPE_ARRAY, PARAMS_ARRAY, false, "array(integer)", NULL},
    {"map", TYPE_MAP, PARAMS_MAP, false, "map(text, integer)", NULL},
    {"struct", TYPE_STRUCT, PARAMS_STRUCT, false, "struct(street text, number integer)", NULL},
#define ML(n)                                                                                                          \
    {                                                                                                                  \
        n, TYPE_MLFLOAT, PARAMS_NONE, false, n, n                                                                      \
    }
    ML("ieee16"),
    ML("ieee128"),
    ML("ieee256"),
    ML("fp8_e4m3"),
    ML("fp8_e5m2"),
    ML("fp8_e5m2fnuz"),
    ML("fp8_e4m3fnuz"),
    ML("fp8_e8m0"),
    ML("fp6_e2m3"),
    ML("fp6_e3m2"),
    ML("fp4_e2m1"),
    ML("mxfp8_e4m3"),
    ML("mxfp8_e5m2"),
    ML("mxfp6_e2m3"),
    ML("mxfp6_e3m2"),
    ML("mxfp4_e2m1"),
#undef ML
};
const size_t TYPE_NAME_COUNT = sizeof TYPE_NAMES / sizeof TYPE_NAMES[0];

const char *const TYPE_GEOGRAPHY_KINDS[] = {
    "point",        "linestring",         "polygon", "multipoint", "multilinestring",
    "multipolygon", "geometrycollection", "geometry"};
_Static_assert(sizeof TYPE_GEOGRAPHY_KINDS / sizeof TYPE_GEOGRAPHY_KINDS[0] == TYPE_GEOGRAPHY_KIND_COUNT,
               "one name per kind");

const char *type_kind_name(ds_type_kind kind)
{
    if (kind == TYPE_MLFLOAT)
        return "machine-learning float";
    for (size_t i = 0; i < TYPE_NAME_COUNT; i++)
        if (TYPE_NAMES[i].kind == kind)
            return TYPE_NAMES[i].name;
    BUG("type kind %d has no name", (int)kind);
}

static void print_geography(const ds_type *type, ds_buf *out)
{
    if (!type->subtype && type->scale == 0)
        return;
    buf_printf(out, "(%s", type->subtype ? type->subtype : "geometry");
    if (type->scale)
        buf_printf(out, ",%d", type->scale);
    buf_putc(out, ')');
}

static void print_struct(const ds_type *type, ds_buf *out)
{
    for (size_t i = 0; i < type->field_count; i++) {
        buf_printf(out, "%s%s ", i ? ", " : "(", type->fields[i].name);
        type_print(type->fields[i].type, out);
    }
    buf_putc(out, ')');
}

void type_print(const ds_type *type, ds_buf *out)
{
    buf_puts(out, type->kind == TYPE_MLFLOAT ? type->subtype : type_kind_name(type->kind));
    switch (type->kind) {
    case TYPE_DECIMAL:
        buf_printf(out, "(%d,%d)", type->size, type->scale);
        break;
    case TYPE_GEOGRAPHY:
        print_geography(type, out);
        break;
    case TYPE_ARRAY:
        buf_putc(out, '(');
        type_print(type->element, out);
        buf_putc(out, ')');
        break;
    case TYPE_MAP:
        buf_putc(out, '(');
        type_print(type->key, out);
        buf_puts(out, ", ");
        type_print(type->element, out);
        buf_putc(out, ')');
        break;
    case TYPE_STRUCT:
        print_struct(type, out);
        break;
    default:
        if (type->size != TYPE_UNLIMITED)
            buf_printf(out, "(%d)", type->size);
    }
}

static bool maybe_equal(const ds_type *a, const ds_type *b)
{
    return a == b || (a && b && type_equal(a, b));
}

bool type_equal(const ds_type *a, const ds_type *b)
{
    if (a->kind != b->kind || a->size != b->size || a->scale != b->scale || a->field_count != b->field_count)
        return false;
    if (!a->subtype != !b->subtype || (a->subtype && strcmp(a->subtype, b->subtype) != 0))
        return false;
    if (!maybe_equal(a->element, b->element) || !maybe_equal(a->key, b->key))
        return false;
    for (size_t i = 0; i < a->field_count; i++)
        if (strcmp(a->fields[i].name, b->fields[i].name) != 0 || !type_equal(a->fields[i].type, b->fields[i].type))
            return false;
    return true;
}

bool type_is_text(const ds_type *type)
{
    return type->kind >= TYPE_CHAR && type->kind <= TYPE_STRING;
}

bool type_is_integer(const ds_type *type)
{
    return type->kind <= TYPE_UBIGINT;
}

void type_int64_range(const ds_type *type, int64_t *low, int64_t *high)
{
    static const struct {
        int64_t low, high;
    } RANGES[] = {
        [TYPE_TINYINT] = {INT8_MIN, INT8_MAX},   [TYPE_SMALLINT] = {INT16_MIN, INT16_MAX},
        [TYPE_INTEGER] = {INT32_MIN, INT32_MAX}, [TYPE_BIGINT] = {INT64_MIN, INT64_MAX},
        [TYPE_UTINYINT] = {0, UINT8_MAX},        [TYPE_USMALLINT] = {0, UINT16_MAX},
        [TYPE_UINTEGER] = {0, UINT32_MAX},       [TYPE_UBIGINT] = {0, INT64_MAX},
    };
    ds_assert(type_is_integer(type));
    *low = RANGES[type->kind].low;
    *high = RANGES[type->kind].high;
}
