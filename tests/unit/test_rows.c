// schema/shape.h, schema/rows.h, schema/fingerprint.h
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <xxhash.h>

#include "schema/fingerprint.h"

static const ds_type INTEGER = {.kind = TYPE_INTEGER, .size = TYPE_UNLIMITED};
static const ds_type TEXT = {.kind = TYPE_TEXT, .size = TYPE_UNLIMITED};
static const ds_type DOUBLE = {.kind = TYPE_DOUBLE, .size = TYPE_UNLIMITED};
enum { SEED = 77 };

// Columns "b" text, "A" integer (key), "c" double, "Order No" integer (second key).
static const ds_shape *sample(ds_arena *arena, size_t key_count)
{
    const ds_shape_column COLUMNS[] = {
        {.name = "b", .type = &TEXT},
        {.name = "A", .type = &INTEGER},
        {.name = "c", .type = &DOUBLE},
        {.name = "Order No", .type = &INTEGER, .source = "order_no"},
    };
    const uint16_t KEY[] = {3, 1};
    const ds_shape *shape = NULL;
    ds_error err;
    assert_int_equal(shape_new(arena, COLUMNS, 4, key_count == 1 ? KEY + 1 : KEY, key_count, &shape, &err).code, DS_OK);
    return shape;
}

static uint64_t name(const ds_shape *shape, const char *column)
{
    return shape->columns[shape_find(shape, column)].name_hash;
}

// Puts {A: a, b: b, Order No: order}; b NULL is null.
static void put(ds_rows *rows, const ds_shape *shape, int64_t a, const char *b, int64_t order)
{
    ds_error err;
    rows_begin(rows);
    rows_put_i64(rows, name(shape, "A"), a);
    if (b)
        rows_put(rows, name(shape, "b"), b, strlen(b));
    rows_put_i64(rows, name(shape, "Order No"), order);
    assert_int_equal(rows_end(rows, shape, SEED, &err).code, DS_OK);
}

static void shape_order_and_key(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const ds_shape *shape = sample(arena, 2);
    const uint16_t ORDER[] = {1, 0, 2, 3}; // a b c order no
    assert_memory_equal(shape->hash_order, ORDER, sizeof ORDER);
    assert_true(name(shape, "A") == XXH3_64bits("a", 1));
    assert_int_equal(shape->key_place[0], 3);
    assert_int_equal(shape->key_place[1], 0);
    assert_true(shape->columns[1].not_null && !shape->columns[0].not_null);
    assert_string_equal(shape->columns[0].source, "b");
    assert_string_equal(shape->columns[3].source, "order_no");
    assert_int_equal(shape_find(shape, "a"), -1);
    const ds_shape *key = shape_of_key(arena, shape);
    assert_int_equal(key->n, 2);
    assert_string_equal(key->columns[0].name, "Order No");
    assert_int_equal(key->key[1], 1);
}

static void shape_refusals(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const ds_shape *shape = NULL;
    ds_error err;
    assert_int_equal(shape_new(arena, NULL, 0, NULL, 0, &shape, &err).code, DS_FINDING);
    const ds_shape_column TWICE[] = {{.name = "id", .type = &TEXT}, {.name = "ID", .type = &TEXT}};
    assert_int_equal(shape_new(arena, TWICE, 2, NULL, 0, &shape, &err).code, DS_FINDING);
    assert_non_null(strstr(err.text, "same hash"));
    ds_shape_column *many = ARENA_ARRAY(arena, ds_shape_column, SHAPE_COLUMNS_MAX + 1);
    for (int i = 0; i <= SHAPE_COLUMNS_MAX; i++)
        many[i] = (ds_shape_column){.name = arena_printf(arena, "c%d", i), .type = &TEXT};
    assert_int_equal(shape_new(arena, many, SHAPE_COLUMNS_MAX, NULL, 0, &shape, &err).code, DS_OK);
    assert_int_equal(shape_new(arena, many, SHAPE_COLUMNS_MAX + 1, NULL, 0, &shape, &err).code, DS_FINDING);
    assert_string_equal(err.text, "4097 columns: the limit is 4096");
}

static void row_bytes(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const ds_shape *shape = sample(arena, 1);
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    put(&rows, shape, -2, "hé", 7);
    put(&rows, shape, 5, NULL, 7);
    assert_int_equal(rows.n, 2);
    ds_str row = rows_row(&rows, 0);
    unsigned char expected[20 + 15 + 20] = {0};
    const struct {
        size_t at;
        uint64_t hash;
        unsigned char n;
    } HEADS[] = {{0, name(shape, "A"), 8}, {20, name(shape, "b"), 3}, {35, name(shape, "Order No"), 8}};
    for (size_t i = 0; i < 3; i++) {
        uint64_t hash = __builtin_bswap64(HEADS[i].hash);
        memcpy(expected + HEADS[i].at, &hash, 8);
        expected[HEADS[i].at + 11] = HEADS[i].n;
    }
    memcpy(expected + 12, "\xff\xff\xff\xff\xff\xff\xff\xfe", 8);
    memcpy(expected + 32, "h\xc3\xa9", 3);
    expected[54] = 7;
    assert_int_equal(row.n, sizeof expected);
    assert_memory_equal(row.p, expected, sizeof expected);
    XXH128_hash_t hash = XXH3_128bits(expected, sizeof expected);
    assert_true(hash_eq(rows.row_hash[0], (ds_hash){hash.low64, hash.high64}));
    uint64_t key = XXH3_64bits_withSeed(expected + 12, 8, SEED);
    assert_true(hash_eq(rows.key_hash[0], (ds_hash){key, (uint64_t)-2}));
    XXH128_canonical_t canonical;
    unsigned char stored[16];
    XXH128_canonicalFromHash(&canonical, hash);
    hash_store(rows.row_hash[0], stored);
    assert_memory_equal(stored, canonical.digest, 16);
    assert_true(hash_eq(hash_load(stored), rows.row_hash[0]));
    assert_int_equal(rows_row(&rows, 1).n, 40);
}

// Each column subset: key hash while writing = key hash of the encoded row, and cells come back.
static void nulls_and_keys(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    for (size_t key_count = 0; key_count <= 2; key_count++) {
        const ds_shape *shape = sample(arena, key_count);
        for (unsigned present = 0; present < 16; present++) {
            rows_clear(&rows);
            rows_begin(&rows);
            for (size_t i = 0; i < shape->n; i++)
                if (present >> shape->hash_order[i] & 1)
                    rows_put_i64(&rows, shape->columns[shape->hash_order[i]].name_hash, shape->hash_order[i]);
            unsigned needed = key_count == 0 ? 0 : key_count == 1 ? 2 : 10;
            ds_error err;
            ds_rc rc = rows_end(&rows, shape, SEED, &err);
            if ((present & needed) != needed) {
                assert_int_equal(rc.code, DS_FINDING);
                assert_string_equal(err.text, key_count == 2 && !(present & 8) ? "null in key column \"Order No\""
                                                                               : "null in key column \"A\"");
                rows_drop(&rows);
                assert_int_equal(rows.bytes.n, 0);
                continue;
            }
            assert_int_equal(rc.code, DS_OK);
            assert_true(hash_eq(rows.key_hash[0], row_key_hash(shape, rows_row(&rows, 0), SEED)));
            assert_false(hash_eq(rows.key_hash[0], row_key_hash(shape, rows_row(&rows, 0), SEED + 1)));
            assert_true(hash_eq(rows.row_hash[0], row_hash(rows_row(&rows, 0))));
            ds_cell cells[4];
            row_cells(shape, rows_row(&rows, 0), cells);
            for (size_t i = 0; i < 4; i++) {
                assert_int_equal(cells[i].p != NULL, present >> i & 1);
                if (cells[i].p)
                    assert_int_equal(cell_i64(cells[i]), i);
            }
        }
    }
}

// The key's hash is that of its columns alone: same for the shape of the key, other for ("a", "bc") and ("ab", "c").
static void key_of_texts(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    const ds_shape_column COLUMNS[] = {{.name = "z", .type = &TEXT},
                                       {.name = "k1", .type = &TEXT},
                                       {.name = "k2", .type = &TEXT}};
    const ds_shape *shape = NULL;
    ds_error err;
    assert_int_equal(shape_new(arena, COLUMNS, 3, (const uint16_t[]){2, 1}, 2, &shape, &err).code, DS_OK);
    static char big[1000];
    memset(big, 'x', sizeof big);
    const struct {
        const char *k1;
        size_t n1;
        const char *k2;
        size_t n2;
    } KEYS[] = {{"a", 1, "bc", 2},  {"ab", 2, "c", 1},    {big, 1000, "", 0},
                {"", 0, big, 1000}, {big, 100, big, 148}, {big, 100, big, 149}};
    enum { KEY_COUNT = sizeof KEYS / sizeof KEYS[0] };
    const ds_shape *key = shape_of_key(arena, shape);
    for (size_t i = 0; i < KEY_COUNT; i++)
        for (int with_z = 0; with_z < 2; with_z++) {
            rows_begin(&rows);
            rows_put(&rows, shape->columns[1].name_hash, KEYS[i].k1, KEYS[i].n1);
            rows_put(&rows, shape->columns[2].name_hash, KEYS[i].k2, KEYS[i].n2);
            if (with_z)
                rows_put(&rows, shape->columns[0].name_hash, "z", 1);
            assert_int_equal(rows_end(&rows, with_z ? shape : key, SEED, &err).code, DS_OK);
        }
    for (size_t i = 0; i < KEY_COUNT; i++) {
        assert_true(hash_eq(rows.key_hash[2 * i], rows.key_hash[2 * i + 1]));
        assert_true(hash_eq(rows.key_hash[2 * i], row_key_hash(key, rows_row(&rows, 2 * i + 1), SEED)));
        assert_true(hash_eq(rows.key_hash[2 * i], row_key_hash(shape, rows_row(&rows, 2 * i), SEED)));
        for (size_t j = 0; j < i; j++)
            assert_false(hash_eq(rows.key_hash[2 * i], rows.key_hash[2 * j]));
        unsigned char flat[2048] = {0};
        flat[2] = (unsigned char)(KEYS[i].n2 >> 8);
        flat[3] = (unsigned char)KEYS[i].n2;
        memcpy(flat + 4, KEYS[i].k2, KEYS[i].n2);
        flat[6 + KEYS[i].n2] = (unsigned char)(KEYS[i].n1 >> 8);
        flat[7 + KEYS[i].n2] = (unsigned char)KEYS[i].n1;
        memcpy(flat + 8 + KEYS[i].n2, KEYS[i].k1, KEYS[i].n1);
        XXH128_hash_t hash = XXH3_128bits_withSeed(flat, 8 + KEYS[i].n1 + KEYS[i].n2, SEED);
        assert_true(hash_eq(rows.key_hash[2 * i], (ds_hash){hash.low64, hash.high64}));
    }
}

static void alien_cells_are_skipped(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    const ds_shape *shape = sample(arena, 1);
    put(&rows, shape, 1, "text", 2);
    const ds_shape_column FEW[] = {{.name = "Order No", .type = &INTEGER},
                                   {.name = "d", .type = &TEXT},
                                   {.name = "B", .type = &TEXT}};
    const ds_shape *few = NULL;
    ds_error err;
    assert_int_equal(shape_new(arena, FEW, 3, NULL, 0, &few, &err).code, DS_OK);
    ds_cell cells[3];
    row_cells(few, rows_row(&rows, 0), cells);
    assert_int_equal(cell_i64(cells[0]), 2);
    assert_null(cells[1].p);
    assert_int_equal(cells[2].n, 4);
    assert_memory_equal(cells[2].p, "text", 4);
}

static void drop(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    const ds_shape *shape = sample(arena, 1);
    rows_drop(&rows);
    assert_int_equal(rows.n, 0);
    put(&rows, shape, 1, "one", 1);
    put(&rows, shape, 2, "two", 2);
    rows_drop(&rows); // the last one ended
    assert_int_equal(rows.n, 1);
    rows_begin(&rows);
    rows_drop(&rows); // the empty one being written
    assert_int_equal(rows.n, 1);
    rows_begin(&rows);
    rows_put_i64(&rows, name(shape, "A"), 9);
    rows_drop(&rows);
    assert_int_equal(rows.n, 1);
    assert_int_equal(rows.bytes.n, rows.end[0]);
    put(&rows, shape, 3, "three", 3);
    assert_int_equal(cell_i64((ds_cell){(const unsigned char *)rows_row(&rows, 1).p + 12, 8}), 3);
    assert_true(hash_eq(rows.row_hash[1], row_hash(rows_row(&rows, 1))));
}

static void numbers_are_normal(void **state)
{
    (void)state;
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    const double VALUES[] = {0.0, -0.0, (double)NAN, -(double)NAN, 1.5, HUGE_VAL};
    const unsigned char EXPECTED[][8] = {{0}, {0}, {0x7f, 0xf8}, {0x7f, 0xf8}, {0x3f, 0xf8}, {0x7f, 0xf0}};
    for (size_t i = 0; i < sizeof VALUES / sizeof VALUES[0]; i++) {
        rows_begin(&rows);
        rows_put_double(&rows, 1, VALUES[i]);
        rows_put_bool(&rows, 2, i & 1);
        assert_memory_equal(rows.bytes.p + 12, EXPECTED[i], 8);
        assert_int_equal(rows.bytes.p[32], i & 1);
        assert_int_equal(rows.bytes.n, 33);
        rows_drop(&rows);
    }
}

static void row_too_large(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    const ds_shape *shape = sample(arena, 0);
    ds_error err;
    put(&rows, shape, 1, "one", 1);
    const size_t SIZES[] = {ROWS_BYTES_MAX - 12, ROWS_BYTES_MAX - 11, (size_t)ROWS_BYTES_MAX + 1, SIZE_MAX};
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        rows_begin(&rows);
        unsigned char *p = rows_put_raw(&rows, name(shape, "b"), SIZES[i]);
        assert_int_equal(p != NULL, SIZES[i] <= ROWS_BYTES_MAX);
        if (p)
            memset(p, 'x', SIZES[i]);
        assert_int_equal(rows_end(&rows, shape, SEED, &err).code, i == 0 ? DS_OK : DS_FINDING);
        if (i > 0)
            assert_string_equal(err.text, "row is larger than 64 MiB");
        rows_drop(&rows);
        put(&rows, shape, 1, "one", 1);
        assert_true(hash_eq(rows.row_hash[0], rows.row_hash[1]));
        rows_drop(&rows);
    }
}

static void keys_for_people(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    char longer[200];
    memset(longer, 'x', sizeof longer);
    longer[63] = '\xc3'; // the cut falls between the bytes of é
    longer[64] = '\xa9';
    longer[199] = '\0';
    put(&rows, sample(arena, 2), 5, "it's", 7);
    put(&rows, sample(arena, 0), 5, longer, 7);
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1000);
    row_print_key(sample(arena, 2), rows_row(&rows, 0), &text);
    assert_string_equal(buf_text(&text), "\"Order No\"=7, A=5");
    buf_clear(&text);
    row_print_key(sample(arena, 0), rows_row(&rows, 0), &text);
    assert_string_equal(buf_text(&text), "b='it''s', A=5, c=null, \"Order No\"=7");
    buf_clear(&text);
    row_print_key(sample(arena, 0), rows_row(&rows, 1), &text);
    longer[63] = '\0';
    assert_string_equal(buf_text(&text), arena_printf(arena, "b='%s...', A=5, c=null, \"Order No\"=7", longer));
}

static void fingerprints(void **state)
{
    (void)state;
    const ds_hash A = {.low = UINT64_MAX, .high = UINT64_MAX}, B = {.low = 3, .high = 1}, C = {.low = 9, .high = 8};
    ds_fingerprint fp = {0}, other = {0}, back;
    fingerprint_add(&fp, A);
    fingerprint_add(&fp, B);
    assert_true(fingerprint_eq(fp, (ds_fingerprint){2, {.low = 2, .high = 1}})); // carries, and wraps at 2^128
    fingerprint_add(&other, C);
    fingerprint_merge(&fp, other);
    fingerprint_remove(&fp, A);
    fingerprint_remove(&other, C);
    fingerprint_add(&other, C);
    fingerprint_add(&other, B);
    assert_true(fingerprint_eq(fp, other));
    char text[FINGERPRINT_TEXT];
    fingerprint_print(fp, text);
    assert_string_equal(text, "0000000000000009000000000000000c");
    assert_true(fingerprint_parse(2, text, &back) && fingerprint_eq(back, fp));
    assert_false(fingerprint_eq(back, (ds_fingerprint){3, back.sum}));
    const char *const BAD[] = {"", "0000000000000009000000000000000", "0000000000000009000000000000000c0",
                               "0000000000000009000000000000000C", "-000000000000009000000000000000c"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_false(fingerprint_parse(2, BAD[i], &back));
}

// More rows than any first allocation, in one chunk and again after clear.
static void many_rows(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    const ds_shape *shape = sample(arena, 1);
    for (int round = 0; round < 2; round++) {
        rows_clear(&rows);
        for (int i = 0; i < 500; i++)
            put(&rows, shape, i, i % 3 ? "text" : NULL, -i);
        assert_int_equal(rows.n, 500);
        for (size_t i = 0; i < rows.n; i++) {
            ds_cell cells[4];
            row_cells(shape, rows_row(&rows, i), cells);
            assert_int_equal(cell_i64(cells[1]), i);
            assert_true(hash_eq(rows.row_hash[i], row_hash(rows_row(&rows, i))));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape_order_and_key),
        cmocka_unit_test(shape_refusals),
        cmocka_unit_test(row_bytes),
        cmocka_unit_test(nulls_and_keys),
        cmocka_unit_test(key_of_texts),
        cmocka_unit_test(alien_cells_are_skipped),
        cmocka_unit_test(drop),
        cmocka_unit_test(numbers_are_normal),
        cmocka_unit_test(row_too_large),
        cmocka_unit_test(keys_for_people),
        cmocka_unit_test(fingerprints),
        cmocka_unit_test(many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
