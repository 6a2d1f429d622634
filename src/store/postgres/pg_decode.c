// Fields into rows. This runs for every value of every row: what is usual is put at once; all else goes by its text
// through value.h, which takes or refuses it, and says so the way it does for every engine.
#include "base/error.h"
#include "store/postgres/pg_codec_int.h"

static ds_rc refuse_damaged(size_t n, ds_error *err)
{
    return ds_fail(err, DS_INTERNAL, "damaged field of %zu bytes", n);
}

// The way by text.
static ds_rc put_printed(const pg_column *c, const unsigned char *p, size_t n, ds_rows *rows, ds_error *err)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(ROWS_BYTES_MAX);
    if (!pg_print_field(c, p, n, &text))
        return refuse_damaged(n, err);
    if (!buf_ok(&text))
        return ds_fail(err, DS_FINDING, "a value of %zu bytes is too large as text", n);
    return value_put_text(rows, c->column, (ds_str){buf_text(&text), text.n}, err);
}

// --- numbers

static inline ds_rc put_int(const pg_column *c, int64_t value, ds_rows *rows, ds_error *err)
{
    if (value < c->low || value > c->high) // also when the column is no integer
        return value_put_int(rows, c->column, value, err);
    rows_put_i64(rows, c->name_hash, value);
    return DS_DONE;
}

static float load_float(const unsigned char *p)
{
    uint32_t bits = pg_load_u32(p);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double load_double(const unsigned char *p)
{
    uint64_t bits = pg_load_u64(p);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static ds_rc put_decimal(const pg_column *c, const unsigned char *p, size_t n, ds_rows *rows, ds_error *err)
{
    pg_numeric number;
    if (!pg_numeric_parse(p, n, &number))
        return refuse_damaged(n, err);
    if (number.word || pg_numeric_whole(&number) > c->low || pg_numeric_fraction(&number) > c->high)
        return put_printed(c, p, n, rows, err);
    unsigned char *at = rows_put_raw(rows, c->name_hash, pg_numeric_size(&number));
    if (at)
        pg_numeric_write(&number, at);
    return DS_DONE;
}

static ds_rc put_whole(const pg_column *c, const unsigned char *p, size_t n, ds_rows *rows, ds_error *err)
{
    pg_numeric number;
    uint64_t magnitude;
    if (!pg_numeric_parse(p, n, &number))
        return refuse_damaged(n, err);
    bool fits = pg_numeric_magnitude(&number, &magnitude);
    if (fits && number.negative)
        fits = magnitude <= -(uint64_t)c->low;
    else if (fits && c->column->type->kind != TYPE_UBIGINT)
        fits = magnitude <= (uint64_t)c->high;
    if (!fits)
        return put_printed(c, p, n, rows, err);
    rows_put_i64(rows, c->name_hash, (int64_t)(number.negative ? -magnitude : magnitude));
    return DS_DONE;
}

// --- text

// Only bytes from 1 to 0x7F: looked at eight at a time, the last eight once more when they don't come out even.
static inline bool is_plain_ascii(const unsigned char *p, size_t n)
{
    const uint64_t high = 0x8080808080808080u, ones = 0x0101010101010101u;
    uint64_t seen = 0, v;
    size_t i = 0;
    if (n < sizeof v) {
        bool plain = true;
        for (; i < n; i++)
            plain = plain && (unsigned char)(p[i] - 1) < 0x7F;
        return plain;
    }
    for (; i + sizeof v <= n; i += sizeof v) {
        memcpy(&v, p + i, sizeof v);
        seen |= v | (v - ones);
    }
    memcpy(&v, p + n - sizeof v, sizeof v);
    seen |= v | (v - ones);
    return (seen & high) == 0;
}

static size_t without_spaces(const unsigned char *p, size_t n)
{
    while (n > 0 && p[n - 1] == ' ')
        n--;
    return n;
}

static inline ds_rc put_text(const pg_column *c, const unsigned char *p, size_t n, ds_rows *rows, ds_error *err)
{
    if ((int64_t)n > c->length_max || !is_plain_ascii(p, n))
        return value_put_text(rows, c->column, (ds_str){(const char *)p, n}, err);
    rows_put(rows, c->name_hash, p, n);
    return DS_DONE;
}

static ds_rc put_json(const pg_column *c, const unsigned char *p, size_t n, ds_rows *rows, ds_error *err)
{
    if (!pg_json_is_plain(p, n))
        return value_put_text(rows, c->column, (ds_str){(const char *)p, n}, err);
    rows_put(rows, c->name_hash, p, n);
    return DS_DONE;
}

static ds_rc put_bytes(const pg_column *c, const unsigned char *p, size_t n, ds_rows *rows, ds_error *err)
{
    if ((int64_t)n > c->length_max)
        return value_put_blob(rows, c->column, p, n, err);
    rows_put(rows, c->name_hash, p, n);
    return DS_DONE;
}

// --- dates and times

// The years 0001 to 9999, as days since 2000-01-01.
enum { FIRST_DAY = -730119, LAST_DAY = 2921939 };

static ds_rc put_date(const pg_column *c, const unsigned char *p, size_t n, ds_rows *rows, ds_error *err)
{
    int32_t days = (int32_t)pg_load_u32(p);
    if (days >= FIRST_DAY && days <= LAST_DAY)
        rows_put_i64(rows, c->name_hash, (days + PG_EPOCH_DAYS) * PG_DAY_MICROS);
    else if (days == INT32_MAX || days == INT32_MIN)
        rows_put_i64(rows, c->name_hash, days == INT32_MAX ? INT64_MAX : INT64_MIN);
    else
        return put_printed(c, p, n, rows, err);
    return DS_DONE;
}

static inline ds_rc put_moment(const pg_column *c, const unsigned char *p, size_t n, ds_rows *rows, ds_error *err)
{
    int64_t micros = (int64_t)pg_load_u64(p);
    bool infinite = micros == INT64_MAX || micros == INT64_MIN;
    bool inside = micros >= FIRST_DAY * PG_DAY_MICROS && micros < (LAST_DAY + 1) * PG_DAY_MICROS;
    if (!infinite && (!inside || (c->way == WAY_MIDNIGHT && micros % PG_DAY_MICROS != 0)))
        return put_printed(c, p, n, rows, err);
    rows_put_i64(rows, c->name_hash, infinite ? micros : micros + PG_EPOCH_MICROS);
    return DS_DONE;
}

static ds_rc put_time(const pg_column *c, const unsigned char *p, size_t n, ds_rows *rows, ds_error *err)
{
    int64_t micros = (int64_t)pg_load_u64(p);
    if (micros < 0 || micros >= PG_DAY_MICROS)
        return put_printed(c, p, n, rows, err);
    rows_put_i64(rows, c->name_hash, micros);
    return DS_DONE;
}

static ds_rc put_interval(const pg_column *c, const unsigned char *p, size_t n, ds_rows *rows, ds_error *err)
{
    unsigned char cell[24];
    if (!pg_interval_cell(p, cell))
        return put_printed(c, p, n, rows, err);
    rows_put(rows, c->name_hash, cell, sizeof cell);
    return DS_DONE;
}

// --- all

bool pg_take_tid(const unsigned char *p, size_t n, int64_t *out)
{
    if (n != 6)
        return false;
    *out = (int64_t)pg_load_u32(p) << 16 | pg_load_u16(p + 4);
    return true;
}

ds_rc pg_put_field(const pg_column *c, const unsigned char *p, size_t n, ds_rows *rows, ds_error *err)
{
    if (c->width && n != c->width)
        return refuse_damaged(n, err);
    if (c->trim)
        n = without_spaces(p, n);
    switch ((pg_way)c->way) {
    case WAY_INT2:
        return put_int(c, (int16_t)pg_load_u16(p), rows, err);
    case WAY_INT4:
        return put_int(c, (int32_t)pg_load_u32(p), rows, err);
    case WAY_INT8:
        return put_int(c, (int64_t)pg_load_u64(p), rows, err);
    case WAY_FLOAT4:
        rows_put_double(rows, c->name_hash, (double)load_float(p));
        return DS_DONE;
    case WAY_FLOAT8:
        rows_put_double(rows, c->name_hash, load_double(p));
        return DS_DONE;
    case WAY_ROUND:
        return value_put_real(rows, c->column, load_double(p), err);
    case WAY_DECIMAL:
        return put_decimal(c, p, n, rows, err);
    case WAY_WHOLE:
        return put_whole(c, p, n, rows, err);
    case WAY_BOOL:
        if (p[0] > 1)
            return refuse_damaged(n, err);
        rows_put_bool(rows, c->name_hash, p[0] == 1);
        return DS_DONE;
    case WAY_TEXT:
        return put_text(c, p, n, rows, err);
    case WAY_JSON:
        return put_json(c, p, n, rows, err);
    case WAY_BYTES:
        return put_bytes(c, p, n, rows, err);
    case WAY_DATE:
        return put_date(c, p, n, rows, err);
    case WAY_MOMENT:
    case WAY_MIDNIGHT:
        return put_moment(c, p, n, rows, err);
    case WAY_TIME:
        return put_time(c, p, n, rows, err);
    case WAY_INTERVAL:
        return put_interval(c, p, n, rows, err);
    case WAY_UUID:
        rows_put(rows, c->name_hash, p, n);
        return DS_DONE;
    case WAY_PARSE:
        return value_put_text(rows, c->column, (ds_str){(const char *)p, n}, err);
    case WAY_PRINT:
        return put_printed(c, p, n, rows, err);
    }
    BUG("unknown way");
}
