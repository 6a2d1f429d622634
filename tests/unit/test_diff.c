// The edge diff alone against a naive comparison in memory: every small table against every other, in every
// interleaving of their chunks, in memory and by disk.
#include <stdio.h>
#include <stdlib.h>

#include "support/check.h"
#include "yellow/diff/diff.h"

enum { SEED = 77, KEYS_MAX = 6000, NONE = 0, DAMAGED = 99 };

// What a side holds: for every key the number of its content (NONE: absent); a multiset: how many copies of content k.
typedef struct side {
    int content[KEYS_MAX];
    size_t n;
} side;

// What the diff told, by key (or by content in a multiset).
typedef struct told {
    int inserted[KEYS_MAX], updated[KEYS_MAX], same[KEYS_MAX], gone[KEYS_MAX];
    int keep[KEYS_MAX];
    const ds_shape *shape;
    long fail_after; // >= 0: the sink fails after so many calls
} told;

typedef struct fixture {
    ds_arena *arena;
    const ds_shape *keyed, *multiset;
} fixture;

// --- rows

static void put_row(ds_rows *rows, const ds_shape *shape, int64_t id, int content)
{
    char text[24];
    snprintf(text, sizeof text, "content %d", content);
    rows_begin(rows);
    for (size_t i = 0; i < shape->n; i++) {
        const ds_shape_column *column = &shape->columns[shape->hash_order[i]];
        if (strcmp(column->name, "id") == 0)
            rows_put_i64(rows, column->name_hash, id);
        else
            rows_put(rows, column->name_hash, text, strlen(text));
    }
    ds_error err;
    OK(rows_end(rows, shape, SEED, &err));
}

static ds_rows *rows_new(void)
{
    ds_rows *rows = malloc(sizeof *rows);
    assert_non_null(rows);
    rows_init(rows);
    return rows;
}

static void rows_free(ds_rows *rows)
{
    rows_release(rows);
    free(rows);
}

// The hash of a whole row, as the merge table stores it.
static ds_hash stored_hash(const ds_shape *shape, int64_t id, int content)
{
    ds_rows *rows = rows_new();
    put_row(rows, shape, id, content);
    ds_hash hash = rows->row_hash[0];
    rows_free(rows);
    return hash;
}

// --- the sink

static int number_in(ds_str row, const ds_shape *shape)
{
    ds_cell cells[2];
    row_cells(shape, row, cells);
    if (shape->key_count)
        return (int)cell_i64(cells[0]);
    char text[24] = "";
    memcpy(text, cells[0].p, cells[0].n < sizeof text ? cells[0].n : sizeof text - 1);
    return (int)strtol(text + strlen("content "), NULL, 10);
}

static ds_rc on_call(told *t, ds_error *err)
{
    if (t->fail_after < 0 || t->fail_after-- > 0)
        return DS_DONE;
    return ds_fail(err, DS_ENV, "the sink is full");
}

static ds_rc on_row(void *context, ds_op op, ds_str row, ds_hash hash, int64_t copy, ds_error *err)
{
    told *t = context;
    TRY(on_call(t, err));
    int number = number_in(row, t->shape);
    assert_true(hash_eq(hash, row_hash(row)));
    assert_true(copy >= 1);
    if (op == OP_INSERT)
        t->inserted[number]++;
    else if (op == OP_UPDATE)
        t->updated[number]++;
    else
        t->same[number]++;
    return DS_DONE;
}

static ds_rc on_gone(void *context, ds_hash key, int64_t locator, ds_error *err)
{
    (void)key;
    told *t = context;
    TRY(on_call(t, err));
    t->gone[locator]++;
    return DS_DONE;
}

static ds_rc on_gone_copies(void *context, ds_hash hash, int64_t keep, int64_t live, ds_error *err)
{
    told *t = context;
    TRY(on_call(t, err));
    assert_true(keep < live);
    for (int k = 0; k < KEYS_MAX; k++)
        if (hash_eq(hash, stored_hash(t->shape, 0, k))) {
            t->gone[k] += (int)(live - keep);
            t->keep[k] = (int)keep;
            return DS_DONE;
        }
    fail_msg("unknown row hash");
    return DS_DONE;
}

// --- feeding

// Rows of a side in an order, cut into chunks of `per_chunk`.
typedef struct feed {
    ds_rows *chunks[KEYS_MAX];
    size_t n;
} feed;

static ds_rows *next_chunk(feed *f, size_t per_chunk)
{
    if (f->n == 0 || f->chunks[f->n - 1]->n >= per_chunk)
        f->chunks[f->n++] = rows_new();
    return f->chunks[f->n - 1];
}

typedef struct plan {
    const ds_shape *shape;
    bool rehash, want_same;
    size_t memory; // 0: enough
    size_t per_chunk;
    int64_t expected_rows;
    int damaged; // a key whose live row has other values than when its hash was stored; -1: none
    int hole;    // a multiset: the row whose live copies aren't numbered from 1; -1: none
    // Live rows stand in falling order of keys, source rows in rising: they meet in the middle. Or both in rising
    // order, but for every `stray`-th live key (1: all of them), which stand behind the others.
    size_t stray; // 0: falling
} plan;

// The keys of the live rows, in their order.
static void live_order(const plan *p, size_t n, size_t *out)
{
    size_t at = 0;
    for (size_t k = 0; k < n && !p->stray; k++)
        out[at++] = n - 1 - k;
    for (size_t k = 0; k < n && p->stray; k++)
        if (k % p->stray)
            out[at++] = k;
    for (size_t k = 0; k < n && p->stray; k += p->stray)
        out[at++] = k;
}

static void make_live(const plan *p, ds_arena *arena, const side *live, feed *out)
{
    *out = (feed){0};
    const ds_shape *columns = p->rehash ? p->shape : shape_of_key(arena, p->shape);
    static size_t order[KEYS_MAX];
    live_order(p, live->n, order);
    for (size_t i = 0; i < live->n; i++) {
        size_t k = order[i];
        int copies = p->shape->key_count ? live->content[k] != NONE : live->content[k];
        for (int c = 0; c < copies; c++) {
            ds_rows *chunk = next_chunk(out, p->per_chunk);
            int content = p->shape->key_count ? live->content[k] : (int)k;
            put_row(chunk, columns, (int64_t)k, (int)k == p->damaged && c == 0 ? DAMAGED : content);
            chunk->row_hash[chunk->n - 1] = stored_hash(p->shape, (int64_t)k, content);
            chunk->locator[chunk->n - 1] =
                p->shape->key_count ? (int64_t)k : c + 1 + ((int)k == p->hole); // as small as a waiting row's place
        }
    }
}

static void make_source(const plan *p, const side *source, feed *out)
{
    *out = (feed){0};
    for (size_t k = 0; k < source->n; k++) {
        int copies = p->shape->key_count ? source->content[k] != NONE : source->content[k];
        for (int c = 0; c < copies; c++)
            put_row(next_chunk(out, p->per_chunk), p->shape, (int64_t)k,
                    p->shape->key_count ? source->content[k] : (int)k);
    }
}

#define TOGETHER "both sides at once"

// As a job does it: while there is a chunk of each side, both go on together.
static ds_rc feed_together(ds_diff *diff, feed *source, feed *live, ds_error *err)
{
    size_t s = 0, l = 0, s_at = 0, l_at = 0;
    while (s < source->n && l < live->n) {
        TRY(diff_both(diff, live->chunks[l], &l_at, source->chunks[s], &s_at, err));
        if (l_at == live->chunks[l]->n)
            l++, l_at = 0;
        if (s_at == source->chunks[s]->n)
            s++, s_at = 0;
    }
    for (; l < live->n; l++, l_at = 0)
        TRY(diff_live(diff, live->chunks[l], l_at, err));
    TRY(diff_live_end(diff, err));
    for (; s < source->n; s++, s_at = 0)
        TRY(diff_source(diff, source->chunks[s], s_at, err));
    return diff_finish(diff, err);
}

// order: TOGETHER, or one letter per step, 'S' the next source chunk, 'L' the next live chunk (or, behind the last, its
// end).
static ds_rc feed_in_order(ds_diff *diff, feed *source, feed *live, const char *order, ds_error *err)
{
    if (strcmp(order, TOGETHER) == 0)
        return feed_together(diff, source, live, err);
    size_t s = 0, l = 0;
    for (const char *step = order; *step; step++) {
        if (*step == 'S')
            TRY(diff_source(diff, source->chunks[s++], 0, err));
        else if (l < live->n)
            TRY(diff_live(diff, live->chunks[l++], 0, err));
        else
            TRY(diff_live_end(diff, err));
    }
    return diff_finish(diff, err);
}

static void feed_release(feed *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->chunks[i])
            rows_free(f->chunks[i]);
}

static ds_rc one_pass(const plan *p, ds_arena *arena, const side *live, const side *source, const char *order, told *t,
                      ds_diff_totals *totals, ds_error *err)
{
    feed l, s;
    make_live(p, arena, live, &l);
    make_source(p, source, &s);
    ds_diff_options options = {.shape = p->shape,
                               .expected_rows = p->expected_rows,
                               .memory_bytes = p->memory,
                               .want_same = p->want_same,
                               .rehash = p->rehash,
                               .sink = {t, on_row, on_gone, on_gone_copies, NULL}};
    ds_diff *diff = diff_new(&options);
    ds_rc rc = feed_in_order(diff, &s, &l, order, err);
    *totals = *diff_totals(diff);
    diff_free(diff);
    feed_release(&l);
    feed_release(&s);
    return rc;
}

// --- the oracle

static void expect_copies(const plan *p, const told *t, int k, int live, int source)
{
    bool replaced = k == p->hole || (p->rehash && k == p->damaged);
    int same = replaced ? 0 : source < live ? source : live;
    assert_int_equal(t->inserted[k], source - same);
    assert_int_equal(t->gone[k], live - same);
    assert_int_equal(t->same[k], p->want_same ? same : 0);
    assert_true(t->gone[k] == 0 || t->keep[k] == same);
}

static void expect(const plan *p, const side *live, const side *source, const told *t)
{
    for (size_t k = 0; k < live->n; k++) {
        int l = live->content[k], s = source->content[k];
        bool damaged = p->rehash && (int)k == p->damaged && l != NONE;
        if (p->shape->key_count == 0) {
            expect_copies(p, t, (int)k, l, s);
            continue;
        }
        assert_int_equal(t->inserted[k], l == NONE && s != NONE);
        assert_int_equal(t->updated[k], l != NONE && s != NONE && (l != s || damaged));
        assert_int_equal(t->gone[k], l != NONE && s == NONE);
        assert_int_equal(t->same[k], p->want_same && l != NONE && l == s && !damaged);
    }
}

static int sum(const int *numbers, size_t n)
{
    int total = 0;
    for (size_t i = 0; i < n; i++)
        total += numbers[i];
    return total;
}

static int rows_in(const plan *p, const side *s)
{
    int total = 0;
    for (size_t k = 0; k < s->n; k++)
        total += p->shape->key_count ? s->content[k] != NONE : s->content[k];
    return total;
}

static told *told_new(const plan *p)
{
    told *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->shape = p->shape;
    t->fail_after = -1;
    return t;
}

static void compare(const plan *p, ds_arena *arena, const side *live, const side *source, const char *order)
{
    told *t = told_new(p);
    ds_error err;
    ds_diff_totals totals;
    OK(one_pass(p, arena, live, source, order, t, &totals, &err));
    expect(p, live, source, t);
    assert_int_equal(totals.check, 0);
    assert_int_equal(totals.live.rows, rows_in(p, live));
    assert_int_equal(totals.source.rows, rows_in(p, source));
    assert_int_equal(totals.inserted, sum(t->inserted, live->n));
    assert_int_equal(totals.updated, sum(t->updated, live->n));
    assert_int_equal(totals.deleted, sum(t->gone, live->n));
    free(t);
}

// --- interleavings

typedef struct orders {
    const plan *p;
    ds_arena *arena;
    const side *live, *source;
    char text[32];
} orders;

static void every_order(orders *o, size_t at, size_t sources, size_t lives)
{
    if (sources + lives == 0) {
        o->text[at] = '\0';
        compare(o->p, o->arena, o->live, o->source, o->text);
        return;
    }
    bool live_first = o->p->shape->key_count == 0;
    if (sources && !(live_first && lives)) {
        o->text[at] = 'S';
        every_order(o, at + 1, sources - 1, lives);
    }
    if (lives) {
        o->text[at] = 'L';
        every_order(o, at + 1, sources, lives - 1);
    }
}

static size_t chunks_of(const plan *p, const side *s)
{
    return ((size_t)rows_in(p, s) + p->per_chunk - 1) / p->per_chunk;
}

static void in_every_order(const plan *p, ds_arena *arena, const side *live, const side *source)
{
    orders o = {.p = p, .arena = arena, .live = live, .source = source};
    if (p->shape->key_count)
        compare(p, arena, live, source, TOGETHER);
    every_order(&o, 0, chunks_of(p, source), chunks_of(p, live) + 1);
}

// All contents of n keys, each 0 .. values - 1, by a number.
static void nth_side(side *out, size_t n, int values, int number)
{
    out->n = n;
    for (size_t k = 0; k < n; k++, number /= values)
        out->content[k] = number % values;
}

static int power(int base, size_t exponent)
{
    int out = 1;
    while (exponent--)
        out *= base;
    return out;
}

static void every_pair(const plan *p, ds_arena *arena, size_t keys, int values)
{
    static side live, source;
    int all = power(values, keys);
    for (int l = 0; l < all; l++)
        for (int s = 0; s < all; s++) {
            nth_side(&live, keys, values, l);
            nth_side(&source, keys, values, s);
            in_every_order(p, arena, &live, &source);
        }
}

// --- tests

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    if (!f)
        return 1;
    f->arena = arena_new();
    ds_error err;
    size_t at;
    const ds_type *bigint, *text;
    if (type_parse(f->arena, STR("bigint"), &bigint, &at, &err).code != DS_OK ||
        type_parse(f->arena, STR("text"), &text, &at, &err).code != DS_OK)
        return 1;
    ds_shape_column columns[] = {{"id", NULL, bigint, true, 0}, {"v", NULL, text, false, 0}};
    const uint16_t key[] = {0};
    if (shape_new(f->arena, columns, 2, key, 1, &f->keyed, &err).code != DS_OK ||
        shape_new(f->arena, columns + 1, 1, NULL, 0, &f->multiset, &err).code != DS_OK)
        return 1;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    arena_free(f->arena);
    free(f);
    return 0;
}

static void keyed_tables_in_every_order(void **state)
{
    fixture *f = *state;
    plan p = {.shape = f->keyed, .per_chunk = 1, .damaged = -1, .hole = -1};
    every_pair(&p, f->arena, 3, 3);
    for (p.stray = 1; p.stray <= 3; p.stray++)
        every_pair(&p, f->arena, 3, 3);
    p = (plan){.shape = f->keyed, .memory = 1, .per_chunk = 2, .damaged = -1, .hole = -1, .want_same = true};
    every_pair(&p, f->arena, 3, 3);
}

static void rehashed_tables_in_every_order(void **state)
{
    fixture *f = *state;
    for (int damaged = -1; damaged < 2; damaged++)
        for (size_t tiny = 0; tiny < 2; tiny++) {
            plan p = {.shape = f->keyed,
                      .memory = tiny,
                      .per_chunk = 1,
                      .rehash = true,
                      .want_same = true,
                      .damaged = damaged,
                      .hole = -1};
            every_pair(&p, f->arena, 2, 3);
        }
}

static void multisets_in_every_order(void **state)
{
    fixture *f = *state;
    for (size_t tiny = 0; tiny < 2; tiny++) {
        plan p = {
            .shape = f->multiset, .memory = tiny, .per_chunk = 2, .damaged = -1, .hole = -1, .want_same = tiny == 0};
        every_pair(&p, f->arena, 3, 4);
    }
}

static void damaged_multisets_in_every_order(void **state)
{
    fixture *f = *state;
    for (int row = 0; row < 2; row++) {
        plan p = {.shape = f->multiset, .per_chunk = 1, .rehash = true, .damaged = row, .hole = -1};
        every_pair(&p, f->arena, 2, 4);
        p = (plan){.shape = f->multiset, .memory = 1, .per_chunk = 3, .damaged = -1, .hole = row, .want_same = true};
        every_pair(&p, f->arena, 2, 4);
    }
}

// A table that outgrows its first guess, chunks of all sizes, both sides in turns and one before the other.
static void large_tables(void **state)
{
    fixture *f = *state;
    static side live, source;
    static char order[4 * KEYS_MAX];
    static const char *const PATTERNS[] = {"L", "S", "SL", "LLS", "SSL", "SSSSSSSL"};
    static const size_t MEMORY[] = {0, 100 << 10, 2000, 1}; // all of it, half, two levels of files, three
    live.n = source.n = KEYS_MAX;
    for (int k = 0; k < KEYS_MAX; k++) {
        live.content[k] = k % 3 == 0 ? NONE : k % 7 + 1;
        source.content[k] = k % 5 == 0 ? NONE : k % 11 == 0 ? 9 : k % 7 + 1;
    }
    for (size_t i = 0; i < sizeof PATTERNS / sizeof PATTERNS[0]; i++)
        for (size_t r = 0; r < sizeof MEMORY / sizeof MEMORY[0]; r++) {
            plan p = {.shape = f->keyed, .memory = MEMORY[r], .per_chunk = 37 + 100 * i, .damaged = -1, .hole = -1};
            size_t s = chunks_of(&p, &source), l = chunks_of(&p, &live) + 1, n = 0;
            for (size_t at = 0; s + l > 0; at++) {
                bool want_source = PATTERNS[i][at % strlen(PATTERNS[i])] == 'S';
                bool take_source = s && (want_source || !l);
                order[n++] = take_source ? 'S' : 'L';
                *(take_source ? &s : &l) -= 1;
            }
            order[n] = '\0';
            compare(&p, f->arena, &live, &source, order);
        }
}

// Both sides at once: in order, with strays, with runs that only one side has, in another order altogether; with little
// memory, too.
static void large_tables_together(void **state)
{
    fixture *f = *state;
    static side live, source;
    static const size_t STRAYS[] = {1, 2, 10, 97, KEYS_MAX, 0}, MEMORY[] = {0, 20 << 10}, CHUNKS[] = {1, 64, 900};
    static const int GAPS[] = {1, 11, 40, 3000}; // keys in a row that only one of both has
    live.n = source.n = KEYS_MAX;
    for (size_t g = 0; g < sizeof GAPS / sizeof GAPS[0]; g++) {
        for (int k = 0; k < KEYS_MAX; k++) {
            int place = k % 3500;
            live.content[k] = place > 100 && place <= 100 + GAPS[g] ? NONE : k % 7 + 1;
            source.content[k] = place > 300 && place <= 300 + GAPS[g] ? NONE : k % 50 == 0 ? 9 : k % 7 + 1;
        }
        for (size_t i = 0; i < sizeof STRAYS / sizeof STRAYS[0]; i++)
            for (size_t m = 0; m < sizeof MEMORY / sizeof MEMORY[0]; m++)
                for (size_t c = 0; c < sizeof CHUNKS / sizeof CHUNKS[0]; c++) {
                    plan p = {.shape = f->keyed, .memory = MEMORY[m], .per_chunk = CHUNKS[c], .stray = STRAYS[i]};
                    p.damaged = p.hole = -1;
                    compare(&p, f->arena, &live, &source, TOGETHER);
                }
    }
}

// The second row of a key that waits for the live side, or is new, is found at once. One whose pair was settled looks
// like a new row: the merge table's unique index refuses that.
static void a_duplicate_is_named_or_told_as_new(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *order;
        int named; // keys of which the duplicate is found, as bits
    } CASES[] = {{"LLSSS", 4}, {"SSSLL", 7}, {"SLSLS", 4}, {"LSSSL", 4}, {"SSLSL", 4}};
    side live = {.content = {1, 1}, .n = 2};
    for (int twice = 0; twice < 3; twice++)
        for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
            plan p = {.shape = f->keyed, .per_chunk = 2, .damaged = -1, .hole = -1};
            feed l, s = {.n = 3};
            make_live(&p, f->arena, &live, &l);
            for (int k = 0; k < 3; k++) {
                s.chunks[k] = rows_new();
                put_row(s.chunks[k], p.shape, k, 1);
            }
            put_row(s.chunks[2], p.shape, twice, 5);
            told *t = told_new(&p);
            ds_diff_options options = {.shape = p.shape, .sink = {t, on_row, on_gone, on_gone_copies, NULL}};
            ds_diff *diff = diff_new(&options);
            char named[40];
            snprintf(named, sizeof named, "duplicate key in the source: id=%d", twice);
            ds_error err;
            if (CASES[i].named & 1 << twice) {
                FAILS(feed_in_order(diff, &s, &l, CASES[i].order, &err), DS_FINDING, named);
            } else {
                OK(feed_in_order(diff, &s, &l, CASES[i].order, &err));
                assert_int_equal(diff_totals(diff)->inserted, 2); // key 2, and the one that is there twice
            }
            diff_free(diff);
            feed_release(&l);
            feed_release(&s);
            free(t);
        }
}

static void two_live_rows_of_one_key_are_damage(void **state)
{
    fixture *f = *state;
    plan p = {.shape = f->keyed, .per_chunk = 9, .damaged = -1, .hole = -1};
    ds_rows *rows = rows_new();
    put_row(rows, p.shape, 1, 1);
    put_row(rows, p.shape, 1, 2);
    rows->locator[0] = rows->locator[1] = 7;
    told *t = told_new(&p);
    ds_diff_options options = {.shape = p.shape, .sink = {t, on_row, on_gone, on_gone_copies, NULL}};
    ds_diff *diff = diff_new(&options);
    ds_error err;
    FAILS(diff_live(diff, rows, 0, &err), DS_FINDING, "two live rows have the key");
    diff_free(diff);
    rows_free(rows);
    free(t);
}

static ds_rc stop(void *context, ds_error *err)
{
    (void)context;
    return ds_fail(err, DS_CANCELLED, "stopped");
}

// Rows that come back from disk are many: the caller is asked between two chunks of them.
static void a_diff_can_be_stopped_while_rows_come_back(void **state)
{
    fixture *f = *state;
    static side live = {.n = 100}, source = {.n = 100};
    plan p = {.shape = f->keyed, .memory = 1, .per_chunk = 200, .damaged = -1, .hole = -1};
    feed l, s;
    source.content[7] = 1;
    for (int k = 0; k < 100; k++)
        live.content[k] = 1;
    make_live(&p, f->arena, &live, &l);
    make_source(&p, &source, &s);
    told *t = told_new(&p);
    ds_diff_options options = {.shape = p.shape,
                               .memory_bytes = p.memory,
                               .sink = {t, on_row, on_gone, on_gone_copies, stop}};
    ds_diff *diff = diff_new(&options);
    ds_error err;
    FAILS(feed_in_order(diff, &s, &l, "LLS", &err), DS_CANCELLED, "stopped");
    diff_free(diff);
    feed_release(&l);
    feed_release(&s);
    free(t);
}

static void a_directory_that_is_not_there_is_named(void **state)
{
    fixture *f = *state;
    static side live = {.content = {1, 1, 1}, .n = 3};
    plan p = {.shape = f->keyed, .memory = 1, .per_chunk = 3, .damaged = -1, .hole = -1};
    feed l;
    make_live(&p, f->arena, &live, &l);
    told *t = told_new(&p);
    ds_diff_options options = {.shape = p.shape,
                               .memory_bytes = p.memory,
                               .directory = "/nowhere/at/all",
                               .sink = {t, on_row, on_gone, on_gone_copies, NULL}};
    ds_diff *diff = diff_new(&options);
    ds_error err;
    FAILS(diff_live(diff, l.chunks[0], 0, &err), DS_ENV, "can't make a temporary file in /nowhere/at/all");
    diff_free(diff);
    feed_release(&l);
    free(t);
}

// Source rows wait for the live side up to a limit; what goes to disk doesn't wait.
static void the_source_is_held_back_while_too_much_waits(void **state)
{
    fixture *f = *state;
    static side source = {.n = 40};
    plan p = {.shape = f->keyed, .memory = 8000, .per_chunk = 20, .damaged = -1, .hole = -1};
    for (int k = 0; k < 40; k++)
        source.content[k] = 1;
    feed s;
    make_source(&p, &source, &s);
    told *t = told_new(&p);
    ds_diff_options options = {.shape = p.shape,
                               .memory_bytes = p.memory,
                               .sink = {t, on_row, on_gone, on_gone_copies, NULL}};
    ds_diff *diff = diff_new(&options);
    ds_error err;
    assert_true(diff_wants_source(diff));
    OK(diff_source(diff, s.chunks[0], 0, &err));
    assert_false(diff_wants_source(diff));
    OK(diff_live_end(diff, &err));
    assert_true(diff_wants_source(diff));
    OK(diff_source(diff, s.chunks[1], 0, &err));
    OK(diff_finish(diff, &err));
    assert_int_equal(diff_totals(diff)->inserted, 40);
    diff_free(diff);
    feed_release(&s);
    free(t);
}

// A failure of the sink stops the diff, wherever it happens, and comes back as it was.
static void a_failing_sink_stops_the_diff(void **state)
{
    fixture *f = *state;
    static const char *const ORDERS[] = {"LLS", "SLL", "LSL"};
    side live = {.content = {1, 1, 1, NONE}, .n = 4}, source = {.content = {NONE, 2, 1, 1}, .n = 4};
    plan p = {.shape = f->keyed, .per_chunk = 3, .damaged = -1, .hole = -1, .want_same = true};
    for (size_t i = 0; i < 6; i++)
        for (int calls = 0; calls < 4; calls++) {
            p.memory = i / 3;
            told *t = told_new(&p);
            t->fail_after = calls;
            ds_diff_totals totals;
            ds_error err;
            FAILS(one_pass(&p, f->arena, &live, &source, ORDERS[i % 3], t, &totals, &err), DS_ENV, "the sink is full");
            free(t);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keyed_tables_in_every_order),
        cmocka_unit_test(rehashed_tables_in_every_order),
        cmocka_unit_test(multisets_in_every_order),
        cmocka_unit_test(damaged_multisets_in_every_order),
        cmocka_unit_test(large_tables),
        cmocka_unit_test(large_tables_together),
        cmocka_unit_test(a_duplicate_is_named_or_told_as_new),
        cmocka_unit_test(two_live_rows_of_one_key_are_damage),
        cmocka_unit_test(a_diff_can_be_stopped_while_rows_come_back),
        cmocka_unit_test(a_directory_that_is_not_there_is_named),
        cmocka_unit_test(the_source_is_held_back_while_too_much_waits),
        cmocka_unit_test(a_failing_sink_stops_the_diff),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
