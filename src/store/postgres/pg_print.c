// Fields as text: for refusals, and for text columns that are fed by other types.
#include <inttypes.h>

#include "base/error.h"
#include "store/postgres/pg_codec_int.h"

// The type whose text a value of the wire type has.
static ds_type nearest(pg_wire wire)
{
    static const unsigned char KINDS[PG_WIRE_COUNT] = {
        [PG_FLOAT4] = TYPE_REAL,
        [PG_FLOAT8] = TYPE_DOUBLE,
        [PG_BOOL] = TYPE_BOOLEAN,
        [PG_BYTEA] = TYPE_BINARY,
        [PG_DATE] = TYPE_DATE,
        [PG_TIMESTAMP] = TYPE_TIMESTAMP,
        [PG_TIMESTAMPTZ] = TYPE_TIMESTAMPTZ,
        [PG_TIME] = TYPE_TIME,
        [PG_INTERVAL] = TYPE_INTERVAL,
        [PG_UUID] = TYPE_UUID,
    };
    return (ds_type){.kind = (ds_type_kind)KINDS[wire], .size = TYPE_UNLIMITED};
}

static void print_bytes(pg_wire wire, const unsigned char *p, size_t n, ds_buf *out)
{
    ds_type type = nearest(wire);
    value_print(&type, (ds_cell){p, (uint32_t)n}, out);
}

static void print_i64(pg_wire wire, int64_t value, ds_buf *out)
{
    unsigned char cell[8];
    pg_store_u64(cell, (uint64_t)value);
    print_bytes(wire, cell, sizeof cell, out);
}

static void print_float(const unsigned char *p, ds_buf *out)
{
    uint32_t bits = pg_load_u32(p);
    float value;
    double wide;
    memcpy(&value, &bits, sizeof value);
    wide = (double)value;
    int64_t cell;
    memcpy(&cell, &wide, sizeof cell);
    print_i64(PG_FLOAT4, cell, out);
}

static bool print_numeric(const unsigned char *p, size_t n, ds_buf *out)
{
    pg_numeric number;
    if (!pg_numeric_parse(p, n, &number))
        return false;
    if (number.word) {
        buf_puts(out, number.word);
        return true;
    }
    unsigned char *at = buf_extend(out, pg_numeric_size(&number));
    if (at)
        pg_numeric_write(&number, at);
    return true;
}

// Quotient and rest, which is never negative.
static int64_t floor_div(int64_t value, int64_t by, int64_t *rest)
{
    int64_t quotient = value / by;
    *rest = value % by;
    if (*rest >= 0)
        return quotient;
    *rest += by;
    return quotient - 1;
}

// The calendar repeats every 400 years: printed in the years 2000 to 2399, then the year is put right.
static void print_moment(pg_wire wire, int64_t days, int64_t micros, ds_buf *out)
{
    enum { CYCLE_DAYS = 146097, CYCLE_YEARS = 400, YEAR_DIGITS = 4 };
    CLEANUP(buf_release) ds_buf text = BUF_INIT(64);
    int64_t rest, year = 0, cycles = floor_div(days, CYCLE_DAYS, &rest);
    print_i64(wire, (rest + PG_EPOCH_DAYS) * PG_DAY_MICROS + micros, &text);
    for (size_t i = 0; i < YEAR_DIGITS; i++)
        year = year * 10 + (text.p[i] - '0');
    year += cycles * CYCLE_YEARS;
    buf_printf(out, "%04" PRId64 "%s%s", year > 0 ? year : 1 - year, text.p + YEAR_DIGITS, year > 0 ? "" : " BC");
}

static void print_date(const unsigned char *p, ds_buf *out)
{
    int32_t days = (int32_t)pg_load_u32(p);
    if (days == INT32_MAX || days == INT32_MIN)
        buf_puts(out, days == INT32_MAX ? "infinity" : "-infinity");
    else
        print_moment(PG_DATE, days, 0, out);
}

static void print_timestamp(pg_wire wire, const unsigned char *p, ds_buf *out)
{
    int64_t micros = (int64_t)pg_load_u64(p), rest;
    if (micros == INT64_MAX || micros == INT64_MIN) {
        buf_puts(out, micros == INT64_MAX ? "infinity" : "-infinity");
        return;
    }
    int64_t days = floor_div(micros, PG_DAY_MICROS, &rest);
    print_moment(wire, days, rest, out);
}

static bool print_time(const unsigned char *p, ds_buf *out)
{
    int64_t micros = (int64_t)pg_load_u64(p);
    if (micros < 0 || micros > PG_DAY_MICROS) // 24:00:00 is a time of PostgreSQL
        return false;
    print_i64(PG_TIME, micros, out);
    return true;
}

bool pg_interval_cell(const unsigned char *p, unsigned char out[24])
{
    int64_t micros = (int64_t)pg_load_u64(p);
    int32_t days = (int32_t)pg_load_u32(p + 8), months = (int32_t)pg_load_u32(p + 12);
    pg_store_u64(out, (uint64_t)(int64_t)months);
    pg_store_u64(out + 8, (uint64_t)(int64_t)days);
    pg_store_u64(out + 16, (uint64_t)micros);
    bool most = micros == INT64_MAX && days == INT32_MAX && months == INT32_MAX;
    bool least = micros == INT64_MIN && days == INT32_MIN && months == INT32_MIN;
    return !most && !least;
}

static void print_interval(const unsigned char *p, ds_buf *out)
{
    unsigned char cell[24];
    if (pg_interval_cell(p, cell))
        print_bytes(PG_INTERVAL, cell, sizeof cell, out);
    else
        buf_puts(out, cell[0] ? "-infinity" : "infinity");
}

static bool print_tid(const unsigned char *p, size_t n, ds_buf *out)
{
    int64_t place;
    if (!pg_take_tid(p, n, &place))
        return false;
    buf_printf(out, "(%" PRId64 ",%" PRId64 ")", place >> 16, place & 0xFFFF);
    return true;
}

bool pg_print_field(const pg_column *c, const unsigned char *p, size_t n, ds_buf *out)
{
    switch (c->wire) {
    case PG_INT2:
        buf_printf(out, "%d", (int16_t)pg_load_u16(p));
        return true;
    case PG_INT4:
        buf_printf(out, "%" PRId32, (int32_t)pg_load_u32(p));
        return true;
    case PG_INT8:
        buf_printf(out, "%" PRId64, (int64_t)pg_load_u64(p));
        return true;
    case PG_FLOAT4:
        print_float(p, out);
        return true;
    case PG_NUMERIC:
        return print_numeric(p, n, out);
    case PG_BOOL:
        print_bytes(PG_BOOL, p, n, out);
        return p[0] <= 1;
    case PG_FLOAT8:
    case PG_BYTEA:
    case PG_UUID:
        print_bytes(c->wire, p, n, out);
        return true;
    case PG_DATE:
        print_date(p, out);
        return true;
    case PG_TIMESTAMP:
    case PG_TIMESTAMPTZ:
        print_timestamp(c->wire, p, out);
        return true;
    case PG_TIME:
        return print_time(p, out);
    case PG_INTERVAL:
        print_interval(p, out);
        return true;
    case PG_TID:
        return print_tid(p, n, out);
    case PG_WIRE_NONE:
    case PG_TEXT:
    case PG_JSON:
    case PG_BPCHAR:
    case PG_CAST:
        break;
    }
    BUG("text is not printed");
}
