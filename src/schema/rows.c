#include "schema/rows_int.h"

#include <math.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

void hash_store(ds_hash hash, unsigned char out[16])
{
    store_u64(out, hash.high);
    store_u64(out + 8, hash.low);
}

ds_hash hash_load(const unsigned char in[16])
{
    return (ds_hash){.low = load_u64(in + 8), .high = load_u64(in)};
}

static ds_hash hash_of(XXH128_hash_t hash)
{
    return (ds_hash){.low = hash.low64, .high = hash.high64};
}

// --- the chunk

void rows_init(ds_rows *rows)
{
    // Room for a chunk that is nearly full and the largest row after it.
    *rows = (ds_rows){.bytes = BUF_INIT(2 * (size_t)ROWS_BYTES_MAX)};
}

void rows_release(ds_rows *rows)
{
    buf_release(&rows->bytes);
    free(rows->end);
    free(rows->row_hash);
    free(rows->key_hash);
    free(rows->locator);
    free(rows->mark);
    rows_init(rows);
}

static void rows_cut(ds_rows *rows, size_t n)
{
    rows->bytes.n = n;
    rows->bytes.overflow = false;
    rows->row_start = n;
    rows->marks = 0;
    rows->open = false;
}

void rows_clear(ds_rows *rows)
{
    rows->n = 0;
    rows_cut(rows, 0);
}

static void *grow(void *p, size_t n, size_t size)
{
    p = reallocarray(p, n, size);
    if (!p)
        BUG("out of memory: %zu rows", n);
    return p;
}

static size_t grown(size_t cap, size_t first)
{
#ifdef DS_STRESS
    (void)first;
    return cap + 1;
#else
    return cap ? cap * 2 : first;
#endif
}

static void rows_grow(ds_rows *rows)
{
    size_t cap = grown(rows->cap, 64);
    rows->end = grow(rows->end, cap, sizeof *rows->end);
    rows->row_hash = grow(rows->row_hash, cap, sizeof *rows->row_hash);
    rows->key_hash = grow(rows->key_hash, cap, sizeof *rows->key_hash);
    rows->locator = grow(rows->locator, cap, sizeof *rows->locator);
    rows->cap = cap;
}

// --- writing

void rows_begin(ds_rows *rows)
{
    size_t n = rows->n ? rows->end[rows->n - 1] : 0;
    ds_assert(n < ROWS_BYTES_MAX);
    if (!rows->bytes.p)
        buf_extend(&rows->bytes, 0); // so that a row of nulls has an address, too
    rows_cut(rows, n);
    rows->open = true;
}

void rows_drop(ds_rows *rows)
{
    if (!rows->open && rows->n > 0)
        rows->n--;
    rows_cut(rows, rows->n ? rows->end[rows->n - 1] : 0);
}

static void marks_grow(ds_rows *rows)
{
    rows->mark_cap = grown(rows->mark_cap, 32);
    rows->mark = grow(rows->mark, rows->mark_cap, sizeof *rows->mark);
}

static inline unsigned char *put_head(ds_rows *rows, uint64_t name_hash, size_t n)
{
    ds_buf *bytes = &rows->bytes;
    if (n > ROWS_BYTES_MAX) {
        bytes->overflow = true;
        return NULL;
    }
    size_t size = CELL_HEAD + n;
    if (rows->marks == rows->mark_cap)
        marks_grow(rows);
    rows->mark[rows->marks++] = (uint32_t)(bytes->n - rows->row_start);
    unsigned char *p = (unsigned char *)bytes->p + bytes->n;
    if (size < bytes->cap - bytes->n) // one byte stays for the buffer's NUL
        bytes->n += size;
    else if (!(p = buf_extend(bytes, size)))
        return NULL;
    store_u64(p, name_hash);
    store_u32(p + CELL_NAME, (uint32_t)n);
    return p + CELL_HEAD;
}

unsigned char *rows_put_raw(ds_rows *rows, uint64_t name_hash, size_t n)
{
    return put_head(rows, name_hash, n);
}

void rows_put(ds_rows *rows, uint64_t name_hash, const void *value, size_t n)
{
    unsigned char *p = put_head(rows, name_hash, n);
    if (p && n)
        memcpy(p, value, n);
}

void rows_put_i64(ds_rows *rows, uint64_t name_hash, int64_t value)
{
    unsigned char *p = put_head(rows, name_hash, sizeof value);
    if (p)
        store_u64(p, (uint64_t)value);
}

void rows_put_bool(ds_rows *rows, uint64_t name_hash, bool value)
{
    unsigned char *p = put_head(rows, name_hash, 1);
    if (p)
        *p = value;
}

void rows_put_double(ds_rows *rows, uint64_t name_hash, double value)
{
    uint64_t bits = 0; // of 0 and -0
    if (isnan(value))
        bits = 0x7ff8000000000000u;
    else if (value != 0)
        memcpy(&bits, &value, sizeof bits);
    rows_put_i64(rows, name_hash, (int64_t)bits);
}

// --- hashes

// Hash of the key cells, one after another, each with its length. Small keys are gathered, large ones streamed: the
// result is the same.
typedef struct ds_key_hasher {
    uint64_t seed;
    size_t n;
    bool streaming;
    unsigned char small[256];
    XXH3_state_t state;
} ds_key_hasher;

static void key_hasher_add(ds_key_hasher *hasher, const unsigned char *p, size_t n)
{
    if (!hasher->streaming && n <= sizeof hasher->small - hasher->n) {
        memcpy(hasher->small + hasher->n, p, n);
        hasher->n += n;
        return;
    }
    if (!hasher->streaming) {
        XXH3_128bits_reset_withSeed(&hasher->state, hasher->seed);
        XXH3_128bits_update(&hasher->state, hasher->small, hasher->n);
        hasher->streaming = true;
    }
    XXH3_128bits_update(&hasher->state, p, n);
}

static ds_hash key_hasher_end(ds_key_hasher *hasher)
{
    return hash_of(hasher->streaming ? XXH3_128bits_digest(&hasher->state)
                                     : XXH3_128bits_withSeed(hasher->small, hasher->n, hasher->seed));
}

// Where to look for the key cells: `of` gives the k-th one as its length and value in the encoded row, or p NULL.
typedef struct ds_key_source {
    const ds_shape *shape;
    ds_str row;
    const ds_rows *rows;
    ds_str (*of)(const struct ds_key_source *source, size_t k);
} ds_key_source;

// The number says which row it is, the hash keeps tables of such keys level.
static ds_hash hash_number(ds_str cell, uint64_t seed)
{
    ds_assert(cell.n == CELL_LENGTH + sizeof(uint64_t));
    const unsigned char *number = (const unsigned char *)cell.p + CELL_LENGTH;
    return (ds_hash){.low = XXH3_64bits_withSeed(number, sizeof(uint64_t), seed), .high = load_u64(number)};
}

// NULL in *null_column when all key cells are there, else the name of the first that is not.
static ds_hash hash_key(const ds_key_source *source, uint64_t seed, const char **null_column)
{
    const ds_shape *shape = source->shape;
    ds_key_hasher hasher;
    hasher.seed = seed;
    hasher.n = 0;
    hasher.streaming = false;
    *null_column = NULL;
    for (size_t k = 0; k < shape->key_count; k++) {
        ds_str cell = source->of(source, k);
        if (!cell.p) {
            *null_column = shape->columns[shape->key[k]].name;
            return (ds_hash){0};
        }
        if (shape->key_is_number)
            return hash_number(cell, seed);
        if (shape->key_count == 1)
            return hash_of(XXH3_128bits_withSeed(cell.p, cell.n, seed));
        key_hasher_add(&hasher, (const unsigned char *)cell.p, cell.n);
    }
    return key_hasher_end(&hasher);
}

// Identity where there is no key.
static ds_hash hash_keyless(ds_hash row, uint64_t seed)
{
    unsigned char bytes[16];
    hash_store(row, bytes);
    return hash_of(XXH3_128bits_withSeed(bytes, sizeof bytes, seed));
}

ds_hash row_hash(ds_str row)
{
    return hash_of(XXH3_128bits(row.p, row.n));
}

// A key cell of the row being written. Cells come in hash order and nulls are absent, so that a cell is never after
// its column's place.
static ds_str marked_key_cell(const ds_key_source *source, size_t k)
{
    const ds_shape *shape = source->shape;
    const ds_rows *rows = source->rows;
    uint64_t name = htobe64(shape->columns[shape->key[k]].name_hash);
    size_t i = shape->key_place[k] < rows->marks ? (size_t)shape->key_place[k] + 1 : rows->marks;
    while (i-- > 0) {
        const char *cell = source->row.p + rows->mark[i];
        if (memcmp(cell, &name, CELL_NAME) == 0)
            return (ds_str){cell + CELL_NAME, CELL_LENGTH + load_u32((const unsigned char *)cell + CELL_NAME)};
    }
    return (ds_str){0};
}

#ifdef DS_STRESS
// Cells in another order than the shape's would give other hashes.
static void check_order(const ds_rows *rows, const ds_shape *shape, ds_str row)
{
    size_t place = 0;
    for (size_t i = 0; i < rows->marks; i++, place++) {
        uint64_t name = load_u64((const unsigned char *)row.p + rows->mark[i]);
        while (place < shape->n && shape->columns[shape->hash_order[place]].name_hash != name)
            place++;
        ds_assert(place < shape->n);
    }
}
#endif

// The row being written is complete.
static inline void rows_count(ds_rows *rows, ds_hash hash, ds_hash key, int64_t locator)
{
    if (rows->n == rows->cap)
        rows_grow(rows);
    rows->end[rows->n] = (uint32_t)rows->bytes.n;
    rows->row_hash[rows->n] = hash;
    rows->key_hash[rows->n] = key;
    rows->locator[rows->n] = locator;
    rows->n++;
    rows->open = false;
}

ds_rc rows_end(ds_rows *rows, const ds_shape *shape, uint64_t key_seed, ds_error *err)
{
    ds_assert(rows->open);
    ds_str row = {rows->bytes.p + rows->row_start, rows->bytes.n - rows->row_start};
    if (!buf_ok(&rows->bytes) || row.n > ROWS_BYTES_MAX)
        return ds_fail(err, DS_FINDING, "row is larger than %d MiB", ROWS_BYTES_MAX >> 20);
#ifdef DS_STRESS
    check_order(rows, shape, row);
#endif
    ds_hash hash = row_hash(row), key;
    if (shape->key_count > 0) {
        const char *null_column;
        key = hash_key(&(ds_key_source){shape, row, rows, marked_key_cell}, key_seed, &null_column);
        if (null_column)
            return ds_fail(err, DS_FINDING, "null in key column \"%s\"", null_column);
    } else {
        key = hash_keyless(hash, key_seed);
    }
    rows_count(rows, hash, key, 0);
    return DS_DONE;
}

void rows_append(ds_rows *rows, ds_str row, ds_hash hash, ds_hash key_hash, int64_t locator)
{
    rows_begin(rows);
    buf_put_str(&rows->bytes, row);
    ds_assert(buf_ok(&rows->bytes));
    rows_count(rows, hash, key_hash, locator);
}

// --- of an encoded row

static ds_str encoded_key_cell(const ds_key_source *source, size_t k)
{
    ds_cell cell = row_find_cell(source->row, source->shape->columns[source->shape->key[k]].name_hash);
    return cell.p ? (ds_str){(const char *)cell.p - CELL_LENGTH, CELL_LENGTH + cell.n} : (ds_str){0};
}

ds_hash row_key_hash(const ds_shape *shape, ds_str row, uint64_t seed)
{
    if (shape->key_count == 0)
        return hash_keyless(row_hash(row), seed);
    const char *null_column;
    ds_hash key = hash_key(&(ds_key_source){.shape = shape, .row = row, .of = encoded_key_cell}, seed, &null_column);
    ds_assert(!null_column);
    return key;
}
