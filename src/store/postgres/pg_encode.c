// Cells into the binary forms that our tables' columns have.
#include "base/error.h"
#include "store/postgres/pg_codec_int.h"

// Room for the length, which is written, and n bytes, which it returns; NULL past the buffer's limit.
static unsigned char *extend(ds_buf *out, size_t n)
{
    unsigned char *p = buf_extend(out, 4 + n);
    if (!p)
        return NULL;
    pg_store_u32(p, (uint32_t)n);
    return p + 4;
}

static void encode_u16(unsigned value, ds_buf *out)
{
    unsigned char *p = extend(out, 2);
    if (p)
        pg_store_u16(p, value);
}

static void encode_u32(uint32_t value, ds_buf *out)
{
    unsigned char *p = extend(out, 4);
    if (p)
        pg_store_u32(p, value);
}

static void encode_i64(int64_t value, ds_buf *out)
{
    unsigned char *p = extend(out, 8);
    if (p)
        pg_store_u64(p, (uint64_t)value);
}

static void encode_bytes(ds_cell cell, ds_buf *out)
{
    unsigned char *p = extend(out, cell.n);
    if (p && cell.n)
        memcpy(p, cell.p, cell.n);
}

static void encode_float(ds_cell cell, ds_buf *out)
{
    float value = (float)cell_double(cell);
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    encode_u32(bits, out);
}

static void encode_numeric(const ds_type *type, ds_cell cell, ds_buf *out)
{
    if (type->kind == TYPE_DECIMAL) {
        pg_numeric_encode((ds_str){(const char *)cell.p, cell.n}, out);
        return;
    }
    char digits[20];
    size_t n = 0;
    for (uint64_t value = (uint64_t)cell_i64(cell); value > 0 || n == 0; value /= 10)
        digits[sizeof digits - ++n] = (char)('0' + value % 10);
    pg_numeric_encode((ds_str){digits + sizeof digits - n, n}, out);
}

static bool is_infinite(int64_t micros)
{
    return micros == INT64_MAX || micros == INT64_MIN;
}

static void encode_date(int64_t micros, ds_buf *out)
{
    if (is_infinite(micros)) {
        encode_u32(micros > 0 ? (uint32_t)INT32_MAX : (uint32_t)INT32_MIN, out);
        return;
    }
    ds_assert(micros % PG_DAY_MICROS == 0);
    encode_u32((uint32_t)(micros / PG_DAY_MICROS - PG_EPOCH_DAYS), out);
}

static void encode_interval(ds_cell cell, ds_buf *out)
{
    ds_assert(cell.n == 24);
    unsigned char *p = extend(out, 16);
    if (!p)
        return;
    memcpy(p, cell.p + 16, 8);
    memcpy(p + 8, cell.p + 12, 4); // the lower halves: days and months are int32 there
    memcpy(p + 12, cell.p + 4, 4);
}

void pg_encode_cell(const ds_type *type, ds_cell cell, ds_buf *out)
{
    switch (pg_wire_held(type)) {
    case PG_INT2:
        encode_u16((unsigned)cell_i64(cell), out);
        return;
    case PG_INT4:
        encode_u32((uint32_t)cell_i64(cell), out);
        return;
    case PG_INT8:
    case PG_TIME:
        encode_i64(cell_i64(cell), out);
        return;
    case PG_FLOAT4:
        encode_float(cell, out);
        return;
    case PG_NUMERIC:
        encode_numeric(type, cell, out);
        return;
    case PG_FLOAT8: // the rest is as the cell has it
    case PG_BOOL:
    case PG_TEXT:
    case PG_JSON:
    case PG_BYTEA:
    case PG_UUID:
        encode_bytes(cell, out);
        return;
    case PG_DATE:
        encode_date(cell_i64(cell), out);
        return;
    case PG_TIMESTAMP:
    case PG_TIMESTAMPTZ: {
        int64_t micros = cell_i64(cell);
        encode_i64(is_infinite(micros) ? micros : micros - PG_EPOCH_MICROS, out);
        return;
    }
    case PG_INTERVAL:
        encode_interval(cell, out);
        return;
    case PG_WIRE_NONE:
    case PG_BPCHAR:
    case PG_TID:
    case PG_CAST:
        break;
    }
    BUG("no table of ours holds such a column");
}
