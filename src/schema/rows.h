// A chunk of rows on their way. Each row is its own canonical encoding, which is also what is hashed:
// for every non-null column in byte order of the lower-case names: 8 bytes XXH3-64 of the name, 4 bytes length of the
// value, the value; all integers big-endian. Values by type (cell = the value's bytes):
//   integers            8 bytes two's complement (ubigint above 2^63-1: the same 64 bits)
//   boolean             1 byte, 0 or 1
//   real, double        8 bytes IEEE-754 (real rounded to 32 bits and widened; one NaN 0x7ff8000000000000; no -0)
//   decimal             digits as text without leading or trailing zeros: "-12.5" "0" "NaN" "Infinity" "-Infinity"
//   date, timestamp(tz) 8 bytes microseconds since 1970-01-01 (tz: in UTC); infinity INT64_MAX, -infinity INT64_MIN
//   time                8 bytes microseconds since midnight
//   interval            3 x 8 bytes: months, days, microseconds
//   uuid                16 bytes; binary: raw
//   text kinds          UTF-8 (char and nchar without trailing spaces); json as delivered; all others canonical text
// So column order and null columns change no hash, nor does widening (int -> bigint, date -> timestamp, ...).
// A ds_rows owns its buffers and is reused chunk after chunk. Thread rule: one thread at a time.
#pragma once
#include "base/buf.h"
#include "schema/shape.h"

typedef struct ds_hash {
    uint64_t low, high;
} ds_hash;
static inline bool hash_eq(ds_hash a, ds_hash b)
{
    return a.low == b.low && a.high == b.high;
}
// 16 bytes as stored in ds_row_hash: XXH3's canonical representation (high then low, big-endian).
void hash_store(ds_hash hash, unsigned char out[16]);
ds_hash hash_load(const unsigned char in[16]);

typedef struct ds_cell {
    const unsigned char *p; // NULL: null
    uint32_t n;
} ds_cell;

typedef struct ds_rows {
    ds_buf bytes;      // the encoded rows, one after another
    size_t n;          // rows
    size_t cap;        // rows that the arrays below have room for
    uint32_t *end;     // where row i ends in bytes
    ds_hash *row_hash; // XXH3-128 of the row's bytes; or, with has_hash, as stored in the table
    ds_hash *key_hash; // of the key cells, seeded per run: XXH3-128, or XXH3-64 and the number that the key is
    int64_t *locator;  // physical place of the row, when the read asked for it
    size_t row_start;  // of the row being written
    bool open;         // a row is being written
    uint32_t *mark;    // where the cells of the row being written begin, counted from row_start
    size_t marks, mark_cap;
} ds_rows;

enum { ROWS_BYTES_MAX = 64 << 20 }; // of the largest row; no row is begun in a chunk that has reached it

void rows_init(ds_rows *rows);
void rows_release(ds_rows *rows);
void rows_clear(ds_rows *rows);
static inline ds_str rows_row(const ds_rows *rows, size_t i)
{
    size_t start = i ? rows->end[i - 1] : 0;
    return (ds_str){rows->bytes.p + start, rows->end[i] - start};
}

// --- writing a row: begin, one put per column in hash order (a null column is simply not put), end.
void rows_begin(ds_rows *rows);
void rows_put(ds_rows *rows, uint64_t name_hash, const void *value, size_t n);
// Room for a value whose length is known: the caller fills the returned n bytes. NULL past the limit.
unsigned char *rows_put_raw(ds_rows *rows, uint64_t name_hash, size_t n);
void rows_put_i64(ds_rows *rows, uint64_t name_hash, int64_t value);
void rows_put_bool(ds_rows *rows, uint64_t name_hash, bool value);
void rows_put_double(ds_rows *rows, uint64_t name_hash, double value); // normalises NaN and -0
// Finishes the row: computes both hashes; fails when the row is too large. The key columns must not be null
// (DS_FINDING "null in key column "id""). After a failure the row is still being written: drop it.
ds_rc rows_end(ds_rows *rows, const ds_shape *shape, uint64_t key_seed, ds_error *err);
// Takes back the row being written, or the last one ended.
void rows_drop(ds_rows *rows);
// Adds a row that was encoded and hashed before.
void rows_append(ds_rows *rows, ds_str row, ds_hash hash, ds_hash key_hash, int64_t locator);

// --- reading a row
// Cells in the order of shape->columns; out has room for shape->n. Cells of columns that the shape lacks are skipped.
void row_cells(const ds_shape *shape, ds_str row, ds_cell *out);
// The row's cell of that name, p NULL when it has none.
ds_cell row_find_cell(ds_str row, uint64_t name_hash);
int64_t cell_i64(ds_cell cell);
double cell_double(ds_cell cell);
// The key of a row for people: `id='5', "Order No"=7`; without a key its first columns. Long values are cut.
void row_print_key(const ds_shape *shape, ds_str row, ds_buf *out);

// Hash of a row already encoded.
ds_hash row_hash(ds_str row);
// Hash of the key columns' cells in key order, seeded: what the edge diff looks up. Where shape->key_is_number, its
// high half is the key.
ds_hash row_key_hash(const ds_shape *shape, ds_str row, uint64_t seed);
