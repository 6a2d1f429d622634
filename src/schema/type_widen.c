// "The new type can hold everything that the old one could": the table of docs on schema compatibility. Same
// signedness for integers, same family for text; nothing crosses between integers, floats, decimals, booleans, text.
#include "schema/type_int.h"

typedef bool widen_fn(const ds_type *from, const ds_type *to, ds_buf *why);

static void print_pair(const ds_type *from, const char *between, const ds_type *to, ds_buf *why)
{
    type_print(to, why);
    buf_puts(why, between);
    type_print(from, why);
}

static bool refuse(const ds_type *from, const ds_type *to, ds_buf *why)
{
    print_pair(from, " can't hold every value of ", to, why);
    return false;
}

// Lengths and dimensions.
static bool widen_size(const ds_type *from, const ds_type *to, ds_buf *why)
{
    if (to->size == TYPE_UNLIMITED || (from->size != TYPE_UNLIMITED && to->size >= from->size))
        return true;
    print_pair(from, " is shorter than ", to, why);
    return false;
}

static bool widen_same(const ds_type *from, const ds_type *to, ds_buf *why)
{
    return from->kind == to->kind || refuse(from, to, why);
}

// Within one signedness the kinds stand in order of their sizes.
static bool widen_integer(const ds_type *from, const ds_type *to, ds_buf *why)
{
    bool is_signed = from->kind <= TYPE_BIGINT;
    if (is_signed != (to->kind <= TYPE_BIGINT)) {
        print_pair(from, " and ", to, why);
        buf_puts(why, " differ in their sign");
        return false;
    }
    return to->kind >= from->kind || refuse(from, to, why);
}

static bool widen_decimal(const ds_type *from, const ds_type *to, ds_buf *why)
{
    if (to->scale < from->scale) {
        print_pair(from, " has fewer digits after the point than ", to, why);
        return false;
    }
    if (to->size - to->scale < from->size - from->scale) {
        print_pair(from, " has fewer digits before the point than ", to, why);
        return false;
    }
    return true;
}

// IEEE 754 and OCP 8-bit/micro-scaling formats: largest exponent, exponent of the smallest normal number, digits of
// the significand with the hidden one.
typedef struct float_format {
    const char *name;
    int exponent_max, exponent_min, digits;
} float_format;
static const float_format FLOATS[] = {
    {"ieee16", 15, -14, 11},
    {"real", 127, -126, 24},
    {"double", 1023, -1022, 53},
    {"ieee128", 16383, -16382, 113},
    {"ieee256", 262143, -262142, 237},
    {"fp8_e4m3", 8, -6, 4},
    {"fp8_e5m2", 15, -14, 3},
    {"fp8_e5m2fnuz", 15, -15, 3},
    {"fp8_e4m3fnuz", 7, -7, 4},
    {"fp8_e8m0", 127, -127, 1},
    {"fp6_e2m3", 2, 0, 4},
    {"fp6_e3m2", 4, -2, 3},
    {"fp4_e2m1", 2, 0, 2},
};

// NULL for the micro-scaling blocks, which share a scale.
static const float_format *format_of(const ds_type *type)
{
    const char *name = type->kind == TYPE_MLFLOAT ? type->subtype : type_kind_name(type->kind);
    for (size_t i = 0; i < sizeof FLOATS / sizeof FLOATS[0]; i++)
        if (strcmp(FLOATS[i].name, name) == 0)
            return &FLOATS[i];
    return NULL;
}

static bool widen_float(const ds_type *from, const ds_type *to, ds_buf *why)
{
    const float_format *f = format_of(from), *t = format_of(to);
    if (!f || !t)
        return type_equal(from, to) || refuse(from, to, why);
    // The last bit of the smallest subnormal number decides, not the smallest normal one.
    bool holds = t->exponent_max >= f->exponent_max && t->digits >= f->digits &&
                 t->exponent_min - t->digits <= f->exponent_min - f->digits;
    return holds || refuse(from, to, why);
}

static bool widen_moment(const ds_type *from, const ds_type *to, ds_buf *why)
{
    return from->kind == to->kind || (from->kind == TYPE_DATE && to->kind == TYPE_TIMESTAMP) || refuse(from, to, why);
}

static bool widen_geography(const ds_type *from, const ds_type *to, ds_buf *why)
{
    if (from->scale != to->scale) {
        print_pair(from, " has another SRID than ", to, why);
        return false;
    }
    bool same = to->subtype && from->subtype && strcmp(to->subtype, from->subtype) == 0;
    return !to->subtype || same || refuse(from, to, why);
}

static bool widen_array(const ds_type *from, const ds_type *to, ds_buf *why)
{
    return type_widens(from->element, to->element, why);
}

static bool widen_map(const ds_type *from, const ds_type *to, ds_buf *why)
{
    return type_widens(from->key, to->key, why) && type_widens(from->element, to->element, why);
}

// Fields are all nullable, so new ones may follow the old ones.
static bool widen_struct(const ds_type *from, const ds_type *to, ds_buf *why)
{
    for (size_t i = 0; i < from->field_count; i++) {
        const ds_type_field *old = &from->fields[i];
        if (i >= to->field_count || strcmp(old->name, to->fields[i].name) != 0) {
            buf_printf(why, "the field \"%s\" is no longer at its place", old->name);
            return false;
        }
        if (!type_widens(old->type, to->fields[i].type, why)) {
            buf_printf(why, " (field \"%s\")", old->name);
            return false;
        }
    }
    return true;
}

// Types widen only within their family.
typedef enum family {
    FAMILY_INTEGER,
    FAMILY_FLOAT,
    FAMILY_DECIMAL,
    FAMILY_TEXT,    // char, varchar, text
    FAMILY_UNICODE, // nchar, nvarchar, string
    FAMILY_MOMENT,
    FAMILY_BINARY,
    FAMILY_VECTOR,
    FAMILY_GEOGRAPHY,
    FAMILY_ARRAY,
    FAMILY_MAP,
    FAMILY_STRUCT,
    FAMILY_ALONE, // only itself
} family;

static const struct {
    family family;
    widen_fn *widen;
} RULES[TYPE_KIND_COUNT] = {
    [TYPE_TINYINT] = {FAMILY_INTEGER, widen_integer},
    [TYPE_SMALLINT] = {FAMILY_INTEGER, widen_integer},
    [TYPE_INTEGER] = {FAMILY_INTEGER, widen_integer},
    [TYPE_BIGINT] = {FAMILY_INTEGER, widen_integer},
    [TYPE_UTINYINT] = {FAMILY_INTEGER, widen_integer},
    [TYPE_USMALLINT] = {FAMILY_INTEGER, widen_integer},
    [TYPE_UINTEGER] = {FAMILY_INTEGER, widen_integer},
    [TYPE_UBIGINT] = {FAMILY_INTEGER, widen_integer},
    [TYPE_REAL] = {FAMILY_FLOAT, widen_float},
    [TYPE_DOUBLE] = {FAMILY_FLOAT, widen_float},
    [TYPE_MLFLOAT] = {FAMILY_FLOAT, widen_float},
    [TYPE_DECIMAL] = {FAMILY_DECIMAL, widen_decimal},
    [TYPE_BOOLEAN] = {FAMILY_ALONE, widen_same},
    [TYPE_CHAR] = {FAMILY_TEXT, widen_size},
    [TYPE_VARCHAR] = {FAMILY_TEXT, widen_size},
    [TYPE_TEXT] = {FAMILY_TEXT, widen_size},
    [TYPE_NCHAR] = {FAMILY_UNICODE, widen_size},
    [TYPE_NVARCHAR] = {FAMILY_UNICODE, widen_size},
    [TYPE_STRING] = {FAMILY_UNICODE, widen_size},
    [TYPE_DATE] = {FAMILY_MOMENT, widen_moment},
    [TYPE_TIMESTAMP] = {FAMILY_MOMENT, widen_moment},
    [TYPE_TIMESTAMPTZ] = {FAMILY_MOMENT, widen_moment},
    [TYPE_TIME] = {FAMILY_ALONE, widen_same},
    [TYPE_TIMETZ] = {FAMILY_ALONE, widen_same},
    [TYPE_INTERVAL] = {FAMILY_ALONE, widen_same},
    [TYPE_UUID] = {FAMILY_ALONE, widen_same},
    [TYPE_JSON] = {FAMILY_ALONE, widen_same},
    [TYPE_VARIANT] = {FAMILY_ALONE, widen_same},
    [TYPE_BINARY] = {FAMILY_BINARY, widen_size},
    [TYPE_VECTOR] = {FAMILY_VECTOR, widen_size},
    [TYPE_GEOGRAPHY] = {FAMILY_GEOGRAPHY, widen_geography},
    [TYPE_ARRAY] = {FAMILY_ARRAY, widen_array},
    [TYPE_MAP] = {FAMILY_MAP, widen_map},
    [TYPE_STRUCT] = {FAMILY_STRUCT, widen_struct},
};

bool type_widens(const ds_type *from, const ds_type *to, ds_buf *why)
{
    if (RULES[from->kind].family != RULES[to->kind].family) {
        buf_puts(why, "the kind of value changes from ");
        type_print(from, why);
        buf_puts(why, " to ");
        type_print(to, why);
        return false;
    }
    return RULES[from->kind].widen(from, to, why);
}
