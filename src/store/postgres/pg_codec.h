// PostgreSQL's binary values (what COPY … (FORMAT binary) carries) to and from canonical cells. Pure functions: no
// connection, no allocation but by the buffers given. Thread rule: none is shared.
// The formats are those of the send and receive functions in PostgreSQL's src/backend/utils/adt.
#pragma once
#include <endian.h>
#include <string.h>

#include "schema/rows.h"

// How a result column of a PostgreSQL type reaches us.
typedef enum pg_wire {
    PG_WIRE_NONE,
    PG_INT2,
    PG_INT4,
    PG_INT8,
    PG_FLOAT4,
    PG_FLOAT8,
    PG_NUMERIC,
    PG_BOOL,
    PG_TEXT,   // its bytes; also varchar and name
    PG_JSON,   // the same, known to be JSON
    PG_BPCHAR, // the same; the spaces at its end mean nothing and go
    PG_BYTEA,
    PG_DATE,
    PG_TIME,
    PG_TIMESTAMP,
    PG_TIMESTAMPTZ,
    PG_INTERVAL,
    PG_UUID,
    PG_TID,
    PG_CAST, // read as ::text
} pg_wire;
enum { PG_WIRE_COUNT = PG_CAST + 1 };

// By the OID of a built-in type, which never changes; PG_CAST for all others (jsonb, arrays, enums, timetz, money …).
pg_wire pg_wire_of(uint32_t oid);
// That of the column that our tables have for the type: what pg_encode_cell writes.
pg_wire pg_wire_held(const ds_type *type);
// May a column of that wire type feed a column of the model's type? One of the same family, or anything into text and
// variant. Nothing is coerced: a double precision feeds no decimal, a timestamptz no timestamp.
bool pg_wire_fits(pg_wire wire, const ds_type *type);

// What is known of a column before its first row. Borrows the shape's column.
typedef struct pg_column {
    const ds_shape_column *column;
    uint64_t name_hash;
    pg_wire wire;
    unsigned char way;   // pg_way of pg_codec_int.h
    unsigned char width; // bytes of every value, 0 when they differ
    bool trim;           // spaces at the end go
    int64_t low, high;   // integers that fit for certain; of a decimal: digits before and after the point
    int64_t length_max;  // code points or bytes
} pg_column;
pg_column pg_column_of(const ds_shape_column *column, pg_wire wire); // they must fit

// Puts one non-null field, n bytes as the server sent them, into the row being written. As strict as value.h, and with
// the same result as value_put_text of the value's text; a text column gets from other types what value_print shows.
// DS_FINDING when the column can't hold the value, DS_INTERNAL "damaged field" when it is none of its wire type. On
// failure nothing was put.
ds_rc pg_put_field(const pg_column *c, const unsigned char *p, size_t n, ds_rows *rows, ds_error *err);

// A row's place (tid) as a locator: block * 65536 + line. False when damaged.
bool pg_take_tid(const unsigned char *p, size_t n, int64_t *out);

// Appends the length (int32) and the value of a cell that is not null, in the binary form of pg_wire_held(type).
void pg_encode_cell(const ds_type *type, ds_cell cell, ds_buf *out);

static inline uint16_t pg_load_u16(const unsigned char *p)
{
    uint16_t value;
    memcpy(&value, p, sizeof value);
    return be16toh(value);
}

static inline uint32_t pg_load_u32(const unsigned char *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return be32toh(value);
}

typedef struct pg_field {
    const unsigned char *p;
    int32_t n; // -1: null
} pg_field;

// A whole tuple of COPY (int16 number of fields, then int32 length and bytes of each) as its fields, which stay where
// they are. False when it doesn't have `count` fields, is cut off, has bytes left, or a negative length but -1. The
// file's header, which the server puts before the first tuple in the same message, and its trailer (a count of -1) are
// the caller's.
static inline bool pg_split_tuple(const unsigned char *p, size_t n, pg_field *out, size_t count)
{
    if (n < 2 || pg_load_u16(p) != count)
        return false;
    const unsigned char *end = p + n;
    p += 2;
    for (size_t i = 0; i < count; i++) {
        if (end - p < 4)
            return false;
        int32_t length = (int32_t)pg_load_u32(p);
        p += 4;
        if (length < -1 || length > end - p)
            return false;
        out[i] = (pg_field){p, length};
        p += length > 0 ? length : 0;
    }
    return p == end;
}
