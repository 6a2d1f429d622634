// Shared by the files of the codec. Nothing else includes it.
#pragma once
#include "schema/value.h"
#include "store/postgres/pg_codec.h"

// What pg_put_field does with the fields of a column.
typedef enum pg_way {
    WAY_INT2,
    WAY_INT4,
    WAY_INT8,
    WAY_FLOAT4,
    WAY_FLOAT8,
    WAY_ROUND,   // a double into a real, as value_put_real does it
    WAY_DECIMAL, // a numeric into a decimal
    WAY_WHOLE,   // a numeric into an integer
    WAY_BOOL,
    WAY_TEXT, // into a text kind
    WAY_JSON, // JSON into JSON
    WAY_BYTES,
    WAY_DATE,
    WAY_MOMENT,   // a timestamp or timestamptz
    WAY_MIDNIGHT, // a timestamp into a date
    WAY_TIME,
    WAY_INTERVAL,
    WAY_UUID,
    WAY_PARSE, // text into json and what is kept as canonical text
    WAY_PRINT, // anything else into text
} pg_way;

#define PG_DAY_MICROS INT64_C(86400000000)
// PostgreSQL counts from 2000-01-01, cells from 1970-01-01.
#define PG_EPOCH_DAYS INT64_C(10957)
#define PG_EPOCH_MICROS (PG_EPOCH_DAYS * PG_DAY_MICROS)

static inline uint64_t pg_load_u64(const unsigned char *p)
{
    uint64_t value;
    memcpy(&value, p, sizeof value);
    return be64toh(value);
}

static inline void pg_store_u16(unsigned char *p, unsigned value)
{
    uint16_t big = htobe16((uint16_t)value);
    memcpy(p, &big, sizeof big);
}

static inline void pg_store_u32(unsigned char *p, uint32_t value)
{
    value = htobe32(value);
    memcpy(p, &value, sizeof value);
}

static inline void pg_store_u64(unsigned char *p, uint64_t value)
{
    value = htobe64(value);
    memcpy(p, &value, sizeof value);
}

// --- pg_numeric.c

// A numeric without zeros at either end: `count` groups of four digits, the first of which counts 10000^weight.
// Zero has no groups, no sign and the weight -1.
typedef struct pg_numeric {
    const unsigned char *groups; // big-endian, two bytes each
    int count, weight;
    int lead;  // digits of the first group, 1 to 4
    int trail; // zeros at the end of the last group, 0 to 3
    bool negative;
    const char *word; // NaN, Infinity, -Infinity; else NULL, then all above is meaningless
} pg_numeric;

bool pg_numeric_parse(const unsigned char *p, size_t n, pg_numeric *out); // false: damaged
// Digits before the point, less the zeros after it when there are none before; and after the point, never below 0.
static inline int pg_numeric_whole(const pg_numeric *number)
{
    return 4 * number->weight + number->lead;
}
static inline int pg_numeric_fraction(const pg_numeric *number)
{
    int digits = 4 * (number->count - 1 - number->weight) - number->trail;
    return digits > 0 ? digits : 0;
}
size_t pg_numeric_size(const pg_numeric *number); // of the canonical digits
void pg_numeric_write(const pg_numeric *number, unsigned char *at);
// |number|, false when it is above 2^64-1 or has a fraction.
bool pg_numeric_magnitude(const pg_numeric *number, uint64_t *out);
// Appends length and numeric of canonical digits, or one of the words.
void pg_numeric_encode(ds_str digits, ds_buf *out);

// --- pg_print.c

// Appends a value's text: as value_print for the type that is nearest to the wire's; years before 0001 and after 9999
// as PostgreSQL writes them. Only for fields of the right width. False: damaged.
bool pg_print_field(const pg_column *c, const unsigned char *p, size_t n, ds_buf *out);

// The cell of an interval. False for the two that mean infinity since PostgreSQL 17; the cell is written all the same.
bool pg_interval_cell(const unsigned char *p, unsigned char out[24]);

// --- pg_json.c

// JSON that the server has checked: is it certain that value.h accepts it, too?
bool pg_json_is_plain(const unsigned char *p, size_t n);
