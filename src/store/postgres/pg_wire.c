// Which PostgreSQL types reach us how, and which columns they may feed.
#include "base/error.h"
#include "store/postgres/pg_codec_int.h"

pg_wire pg_wire_of(uint32_t oid)
{
    static const struct {
        uint32_t oid;
        pg_wire wire;
    } WIRES[] = {
        {16, PG_BOOL},        {17, PG_BYTEA},         {19, PG_TEXT},       {20, PG_INT8},      {21, PG_INT2},
        {23, PG_INT4},        {25, PG_TEXT},          {27, PG_TID},        {114, PG_JSON},     {700, PG_FLOAT4},
        {701, PG_FLOAT8},     {1042, PG_BPCHAR},      {1043, PG_TEXT},     {1082, PG_DATE},    {1083, PG_TIME},
        {1114, PG_TIMESTAMP}, {1184, PG_TIMESTAMPTZ}, {1186, PG_INTERVAL}, {1700, PG_NUMERIC}, {2950, PG_UUID},
    };
    for (size_t i = 0; i < sizeof WIRES / sizeof WIRES[0]; i++)
        if (WIRES[i].oid == oid)
            return WIRES[i].wire;
    return PG_CAST;
}

static pg_wire held_int(ds_type_kind kind)
{
    switch (kind) {
    case TYPE_TINYINT:
    case TYPE_UTINYINT:
    case TYPE_SMALLINT:
        return PG_INT2;
    case TYPE_USMALLINT:
    case TYPE_INTEGER:
        return PG_INT4;
    case TYPE_UBIGINT:
        return PG_NUMERIC;
    default:
        return PG_INT8;
    }
}

static pg_wire held_micros(ds_type_kind kind)
{
    return kind == TYPE_DATE ? PG_DATE : kind == TYPE_TIMESTAMP ? PG_TIMESTAMP : PG_TIMESTAMPTZ;
}

pg_wire pg_wire_held(const ds_type *type)
{
    switch (type_class(type)) {
    case VALUE_INT:
        return held_int(type->kind);
    case VALUE_BOOL:
        return PG_BOOL;
    case VALUE_FLOAT:
        return type->kind == TYPE_REAL ? PG_FLOAT4 : PG_FLOAT8;
    case VALUE_DECIMAL:
        return PG_NUMERIC;
    case VALUE_TEXT:
        return type->kind == TYPE_JSON ? PG_JSON : PG_TEXT;
    case VALUE_MICROS:
        return held_micros(type->kind);
    case VALUE_TIME:
        return PG_TIME;
    case VALUE_INTERVAL:
        return PG_INTERVAL;
    case VALUE_UUID:
        return PG_UUID;
    case VALUE_BINARY:
        return PG_BYTEA;
    case VALUE_OTHER:
        return PG_TEXT;
    }
    BUG("unknown value class");
}

bool pg_wire_fits(pg_wire wire, const ds_type *type)
{
    ds_value_class class = type_class(type);
    if (wire != PG_WIRE_NONE && (type_is_text(type) || type->kind == TYPE_VARIANT))
        return true;
    switch (wire) {
    case PG_INT2:
    case PG_INT4:
    case PG_INT8:
        return class == VALUE_INT || class == VALUE_DECIMAL || class == VALUE_FLOAT;
    case PG_FLOAT4:
    case PG_FLOAT8:
        return class == VALUE_FLOAT;
    case PG_NUMERIC:
        return class == VALUE_DECIMAL || class == VALUE_INT;
    case PG_TEXT:
    case PG_JSON:
    case PG_BPCHAR:
    case PG_CAST:
        return class == VALUE_TEXT || class == VALUE_OTHER;
    case PG_DATE:
    case PG_TIMESTAMP:
        return type->kind == TYPE_DATE || type->kind == TYPE_TIMESTAMP;
    case PG_TIMESTAMPTZ:
        return type->kind == TYPE_TIMESTAMPTZ;
    case PG_BOOL:
        return class == VALUE_BOOL;
    case PG_BYTEA:
        return class == VALUE_BINARY;
    case PG_TIME:
        return class == VALUE_TIME;
    case PG_INTERVAL:
        return class == VALUE_INTERVAL;
    case PG_UUID:
        return class == VALUE_UUID;
    case PG_WIRE_NONE:
    case PG_TID:
        return false;
    }
    BUG("unknown wire type");
}

// --- what is known of a column

static const unsigned char WIDTHS[PG_WIRE_COUNT] = {
    [PG_INT2] = 2,      [PG_INT4] = 4,  [PG_INT8] = 8, [PG_FLOAT4] = 4,    [PG_FLOAT8] = 8,
    [PG_BOOL] = 1,      [PG_DATE] = 4,  [PG_TIME] = 8, [PG_TIMESTAMP] = 8, [PG_TIMESTAMPTZ] = 8,
    [PG_INTERVAL] = 16, [PG_UUID] = 16, [PG_TID] = 6,
};

static bool is_textual(pg_wire wire)
{
    return wire == PG_TEXT || wire == PG_JSON || wire == PG_BPCHAR || wire == PG_CAST;
}

static pg_way way_of(pg_wire wire, const ds_type *type)
{
    static const unsigned char WAYS[PG_WIRE_COUNT] = {
        [PG_INT2] = WAY_INT2,         [PG_INT4] = WAY_INT4,        [PG_INT8] = WAY_INT8,
        [PG_FLOAT4] = WAY_FLOAT4,     [PG_FLOAT8] = WAY_FLOAT8,    [PG_NUMERIC] = WAY_DECIMAL,
        [PG_BOOL] = WAY_BOOL,         [PG_BYTEA] = WAY_BYTES,      [PG_DATE] = WAY_DATE,
        [PG_TIME] = WAY_TIME,         [PG_TIMESTAMP] = WAY_MOMENT, [PG_TIMESTAMPTZ] = WAY_MOMENT,
        [PG_INTERVAL] = WAY_INTERVAL, [PG_UUID] = WAY_UUID,
    };
    if (is_textual(wire))
        return type_is_text(type) ? WAY_TEXT : wire == PG_JSON && type->kind == TYPE_JSON ? WAY_JSON : WAY_PARSE;
    if (type_is_text(type) || type->kind == TYPE_VARIANT)
        return WAY_PRINT;
    if (wire == PG_FLOAT8 && type->kind == TYPE_REAL)
        return WAY_ROUND;
    if (wire == PG_NUMERIC && type_is_integer(type))
        return WAY_WHOLE;
    if (wire == PG_TIMESTAMP && type->kind == TYPE_DATE)
        return WAY_MIDNIGHT;
    return (pg_way)WAYS[wire];
}

// What decimals without limits can hold: digits before and after the point.
enum { WHOLE_MAX = 131072, FRACTION_MAX = 16383 };

static void set_range(pg_column *c, const ds_type *type)
{
    if (type_is_integer(type)) {
        type_int64_range(type, &c->low, &c->high);
    } else if (type->kind == TYPE_DECIMAL && c->way == WAY_DECIMAL) {
        bool limited = type->size != TYPE_UNLIMITED;
        c->low = limited ? type->size - type->scale : WHOLE_MAX;
        c->high = limited ? type->scale : FRACTION_MAX;
    }
}

pg_column pg_column_of(const ds_shape_column *column, pg_wire wire)
{
    const ds_type *type = column->type;
    ds_assert(pg_wire_fits(wire, type));
    bool padded = wire == PG_BPCHAR || type->kind == TYPE_CHAR || type->kind == TYPE_NCHAR;
    pg_column out = {.column = column,
                     .name_hash = column->name_hash,
                     .wire = wire,
                     .way = (unsigned char)way_of(wire, type),
                     .width = WIDTHS[wire],
                     .trim = padded && is_textual(wire),
                     .low = 1, // an empty range
                     .length_max = type->size == TYPE_UNLIMITED ? INT64_MAX : type->size};
    set_range(&out, type);
    return out;
}
