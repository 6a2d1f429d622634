#include "yellow/diff.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "base/error.h"

// An entry's state is in the top bits of `place`; the rest is the live row's locator or the waiting source row, or, in
// a multiset, the number of source copies.
#define PLACE_USED (UINT64_C(1) << 63)
#define PLACE_LIVE (UINT64_C(1) << 62) // the live side has been seen
#define PLACE_SEEN (UINT64_C(1) << 61) // the source side has been seen
#define PLACE_MASK (PLACE_SEEN - 1)
#define PLACE_DAMAGED PLACE_LIVE // a multiset: a live copy isn't what its row hash says, or has no number of its own
enum { WAIT_ROW_BITS = 20 };     // a waiting row is (chunk index << 20) | row

typedef struct entry {
    ds_hash key;
    uint64_t row; // low half of the row hash; a multiset: number of live copies | highest copy number << 32
    uint64_t place;
} entry;
_Static_assert(sizeof(entry) == 32, "an entry is 32 bytes");

typedef struct waiting_chunk {
    ds_rows *rows; // NULL once nothing of it waits
    size_t waiting;
} waiting_chunk;

struct ds_diff {
    ds_diff_options options;
    bool multiset;
    bool live_ended;
    entry *table;
    size_t slots, used;
    size_t expected_slots; // what all live rows would need
    waiting_chunk *chunks;
    size_t chunk_count, chunk_cap;
    size_t waiting_bytes;
    ds_diff_totals totals;
};

// Keys that have met their partner leave the table. Two sides that come in about the same order keep it small enough
// for the processor's caches, whatever the number of rows; only disorder makes it grow.
#ifdef DS_STRESS
enum { FIRST_SLOTS = 4 };
#else
enum { FIRST_SLOTS = 128 * 1024 };
#endif

static size_t slots_for(int64_t rows)
{
    enum { SMALLEST = 64 };
    size_t wanted = rows > 0 ? (size_t)rows : 0;
    return wanted + wanted / 6 + SMALLEST; // load factor below 0.86
}

size_t diff_table_bytes(int64_t rows)
{
    return slots_for(rows) * sizeof(entry);
}

// Zeroed, by huge pages where there are some: the table is read and written at random, and misses of the page table
// were the larger part of its cost.
static entry *table_new(size_t slots)
{
    size_t bytes = slots * sizeof(entry);
    void *table = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (table == MAP_FAILED)
        BUG("out of memory: a diff of %zu entries", slots);
    (void)madvise(table, bytes, MADV_HUGEPAGE);
    return table;
}

static void table_free(entry *table, size_t slots)
{
    if (table)
        munmap(table, slots * sizeof(entry));
}

ds_diff *diff_new(const ds_diff_options *options)
{
    ds_diff *diff = calloc(1, sizeof *diff);
    if (!diff)
        BUG("out of memory");
    diff->options = *options;
    if (diff->options.ranges == 0)
        diff->options.ranges = 1;
    diff->multiset = options->shape->key_count == 0;
    diff->expected_slots = slots_for(options->expected_rows / diff->options.ranges);
    diff->slots = diff->expected_slots < FIRST_SLOTS ? diff->expected_slots : FIRST_SLOTS;
    diff->table = table_new(diff->slots);
    return diff;
}

static void chunk_free(ds_diff *diff, size_t i)
{
    ds_rows *rows = diff->chunks[i].rows;
    if (!rows)
        return;
    diff->waiting_bytes -= rows->bytes.n;
    rows_release(rows);
    free(rows);
    diff->chunks[i].rows = NULL;
}

void diff_free(ds_diff *diff)
{
    if (!diff)
        return;
    for (size_t i = 0; i < diff->chunk_count; i++)
        chunk_free(diff, i);
    free(diff->chunks);
    table_free(diff->table, diff->slots);
    free(diff);
}

void diff_freep(ds_diff **diff)
{
    diff_free(*diff);
    *diff = NULL;
}

size_t diff_waiting_bytes(const ds_diff *diff)
{
    return diff->waiting_bytes;
}

bool diff_crowded(const ds_diff *diff)
{
    size_t limit = diff->options.table_bytes_max;
    return limit && diff->slots > diff->expected_slots && diff->slots * sizeof(entry) > limit;
}

const ds_diff_totals *diff_totals(const ds_diff *diff)
{
    return &diff->totals;
}

// Maps a hash onto [0, n) by its high bits (Lemire's fast range).
static size_t range_of(uint64_t hash, size_t n)
{
    return (size_t)(((unsigned __int128)hash * n) >> 64);
}

// The slot of the key, or the free slot where it belongs. Linear probing.
static entry *slot_of(const ds_diff *diff, ds_hash key)
{
    size_t i = range_of(key.low, diff->slots);
    for (;;) {
        entry *e = &diff->table[i];
        if (!(e->place & PLACE_USED) || hash_eq(e->key, key))
            return e;
        if (++i == diff->slots)
            i = 0;
    }
}

// A key's slot is a cache miss: the misses of the rows to come are started early.
static void prefetch(const ds_diff *diff, const ds_rows *chunk, size_t i)
{
    enum { AHEAD = 8 };
    if (!diff->multiset && i + AHEAD < chunk->n)
        __builtin_prefetch(&diff->table[range_of(chunk->key_hash[i + AHEAD].low, diff->slots)], 1);
}

// Frees the slot; those behind it that would no longer be found move up (Knuth, TAOCP 3, 6.4, algorithm R).
static void forget(ds_diff *diff, entry *e)
{
    size_t hole = (size_t)(e - diff->table), i = hole;
    for (;;) {
        i = i + 1 == diff->slots ? 0 : i + 1;
        const entry *next = &diff->table[i];
        if (!(next->place & PLACE_USED))
            break;
        size_t home = range_of(next->key.low, diff->slots);
        bool stays = hole < i ? home > hole && home <= i : home > hole || home <= i;
        if (stays)
            continue;
        diff->table[hole] = *next;
        hole = i;
    }
    diff->table[hole].place = 0;
    diff->used--;
}

// Doubled, but not beyond what all live rows need before that is reached.
static void grow(ds_diff *diff)
{
    entry *old = diff->table;
    size_t n = diff->slots;
    diff->slots = n * 2 > diff->expected_slots && n < diff->expected_slots ? diff->expected_slots : n * 2;
    diff->table = table_new(diff->slots);
    for (size_t i = 0; i < n; i++)
        if (old[i].place & PLACE_USED)
            *slot_of(diff, old[i].key) = old[i];
    table_free(old, n);
}

// The key's entry; a new one is marked used and otherwise zero.
static entry *entry_of(ds_diff *diff, ds_hash key)
{
    entry *e = slot_of(diff, key);
    if (e->place & PLACE_USED)
        return e;
    if (diff->used >= diff->slots - diff->slots / 8 - 1) {
        grow(diff);
        e = slot_of(diff, key);
    }
    diff->used++;
    *e = (entry){.key = key, .place = PLACE_USED};
    return e;
}

static bool in_range(const ds_diff *diff, ds_hash key)
{
    return diff->options.ranges == 1 || range_of(key.high, diff->options.ranges) == diff->options.range;
}

static ds_hash identity(const ds_diff *diff, const ds_rows *chunk, size_t i, ds_hash row_hash)
{
    return diff->multiset ? row_hash : chunk->key_hash[i];
}

static ds_rc tell_same(ds_diff *diff, ds_str row, ds_hash hash, int64_t copy, ds_error *err)
{
    if (!diff->options.want_same)
        return DS_DONE;
    return diff->options.sink.row(diff->options.sink.context, OP_SAME, row, hash, copy, err);
}

static ds_rc tell_insert(ds_diff *diff, ds_str row, ds_hash hash, int64_t copy, ds_error *err)
{
    diff->totals.inserted++;
    diff->totals.check += hash.low;
    return diff->options.sink.row(diff->options.sink.context, OP_INSERT, row, hash, copy, err);
}

// --- copies

static uint64_t live_copies(const entry *e)
{
    return e->row & UINT32_MAX;
}

// Copies are numbered from 1 without gaps; where they aren't, or where one is damaged, all are replaced.
static bool copies_damaged(const entry *e)
{
    return (e->place & PLACE_DAMAGED) || live_copies(e) != e->row >> 32;
}

static void live_copy(ds_diff *diff, const ds_rows *chunk, size_t i)
{
    entry *e = entry_of(diff, chunk->row_hash[i]);
    int64_t number = chunk->locator[i];
    diff->totals.check += chunk->row_hash[i].low;
    uint64_t highest = e->row >> 32;
    if (number < 1 || number > UINT32_MAX)
        e->place |= PLACE_DAMAGED;
    else if ((uint64_t)number > highest)
        highest = (uint64_t)number;
    e->row = (live_copies(e) + 1) | highest << 32;
    if (diff->options.rehash && !hash_eq(row_hash(rows_row(chunk, i)), chunk->row_hash[i]))
        e->place |= PLACE_DAMAGED;
}

static ds_rc source_copy(ds_diff *diff, ds_str row, ds_hash hash, ds_error *err)
{
    entry *e = entry_of(diff, hash);
    uint64_t number = (++e->place) & PLACE_MASK;
    if (number <= live_copies(e) && !copies_damaged(e))
        return tell_same(diff, row, hash, (int64_t)number, err);
    return tell_insert(diff, row, hash, (int64_t)number, err);
}

static ds_rc finish_copies(ds_diff *diff, const entry *e, ds_error *err)
{
    uint64_t live = live_copies(e), keep = copies_damaged(e) ? 0 : e->place & PLACE_MASK;
    if (keep >= live)
        return DS_DONE;
    diff->totals.deleted += (int64_t)(live - keep);
    diff->totals.check -= (live - keep) * e->key.low;
    return diff->options.sink.gone_copies(diff->options.sink.context, e->key, (int64_t)keep, (int64_t)live, err);
}

// --- rows with a key

// Both sides of a key are known: old is what the table holds of the live row's hash.
static ds_rc settle(ds_diff *diff, uint64_t old, ds_str row, ds_hash hash, ds_error *err)
{
    if (old == hash.low)
        return tell_same(diff, row, hash, 1, err);
    diff->totals.updated++;
    diff->totals.check += hash.low - old;
    return diff->options.sink.row(diff->options.sink.context, OP_UPDATE, row, hash, 1, err);
}

// The live row's hash as the diff compares it: a row whose stored values no longer give its stored hash is made to
// differ from every source row.
static uint64_t live_hash(const ds_diff *diff, const ds_rows *chunk, size_t i)
{
    uint64_t stored = chunk->row_hash[i].low;
    if (!diff->options.rehash || hash_eq(row_hash(rows_row(chunk, i)), chunk->row_hash[i]))
        return stored;
    return ~stored;
}

// The live partner of a source row that waits.
static ds_rc settle_waiting(ds_diff *diff, entry *e, uint64_t live, ds_error *err)
{
    uint64_t at = e->place & PLACE_MASK;
    forget(diff, e);
    waiting_chunk *chunk = &diff->chunks[at >> WAIT_ROW_BITS];
    size_t i = at & ((1u << WAIT_ROW_BITS) - 1);
    TRY(settle(diff, live, rows_row(chunk->rows, i), chunk->rows->row_hash[i], err));
    if (--chunk->waiting == 0)
        chunk_free(diff, at >> WAIT_ROW_BITS);
    return DS_DONE;
}

static ds_rc damaged(const ds_diff *diff, const ds_rows *chunk, size_t i, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const ds_shape *shape = diff->options.shape;
    CLEANUP(buf_release) ds_buf key = BUF_INIT(400);
    row_print_key(diff->options.rehash ? shape : shape_of_key(arena, shape), rows_row(chunk, i), &key);
    return ds_hint(ds_fail(err, DS_FINDING, "the merge table is damaged: two live rows have the key %s",
                           buf_text(&key)),
                   err, "delete one of them from the merge table, then run the stream again");
}

ds_rc diff_live(ds_diff *diff, const ds_rows *chunk, ds_error *err)
{
    ds_assert(!diff->live_ended);
    for (size_t i = 0; i < chunk->n; i++) {
        prefetch(diff, chunk, i);
        ds_hash stored = chunk->row_hash[i];
        ds_hash key = identity(diff, chunk, i, stored);
        fingerprint_add(&diff->totals.live, stored);
        if (!in_range(diff, key))
            continue;
        if (diff->multiset) {
            live_copy(diff, chunk, i);
            continue;
        }
        entry *e = entry_of(diff, key);
        uint64_t live = live_hash(diff, chunk, i);
        uint64_t locator = (uint64_t)chunk->locator[i] & PLACE_MASK;
        diff->totals.check += live;
        if (e->place & PLACE_LIVE)
            return damaged(diff, chunk, i, err);
        if (e->place & PLACE_SEEN) {
            TRY(settle_waiting(diff, e, live, err));
        } else {
            e->row = live;
            e->place = PLACE_USED | PLACE_LIVE | locator;
        }
    }
    return DS_DONE;
}

static ds_rc duplicate(const ds_diff *diff, ds_str row, ds_error *err)
{
    CLEANUP(buf_release) ds_buf key = BUF_INIT(400);
    row_print_key(diff->options.shape, row, &key);
    return ds_hint(ds_fail(err, DS_FINDING, "duplicate key in the source: %s", buf_text(&key)), err,
                   "correct the source, or the dataset's primary key in the model");
}

// *waits: the row's partner may still come.
static ds_rc source_row(ds_diff *diff, const ds_rows *chunk, size_t i, bool *waits, ds_error *err)
{
    ds_str row = rows_row(chunk, i);
    ds_hash hash = chunk->row_hash[i];
    ds_hash key = identity(diff, chunk, i, hash);
    *waits = false;
    fingerprint_add(&diff->totals.source, hash);
    if (!in_range(diff, key))
        return DS_DONE;
    diff->totals.check -= hash.low;
    if (diff->multiset)
        return source_copy(diff, row, hash, err);
    entry *e = entry_of(diff, key);
    if (e->place & PLACE_SEEN)
        return duplicate(diff, row, err);
    if (e->place & PLACE_LIVE) {
        uint64_t live = e->row;
        forget(diff, e);
        return settle(diff, live, row, hash, err);
    }
    *waits = !diff->live_ended;
    e->place = PLACE_USED | PLACE_SEEN | (diff->chunk_count << WAIT_ROW_BITS) | i;
    return *waits ? DS_DONE : tell_insert(diff, row, hash, 1, err);
}

static void keep_chunk(ds_diff *diff, ds_rows *chunk, size_t waiting)
{
    if (diff->chunk_count == diff->chunk_cap) {
        diff->chunk_cap = diff->chunk_cap ? diff->chunk_cap * 2 : 16;
        diff->chunks = realloc(diff->chunks, diff->chunk_cap * sizeof *diff->chunks);
        if (!diff->chunks)
            BUG("out of memory");
    }
    diff->chunks[diff->chunk_count++] = (waiting_chunk){chunk, waiting};
    diff->waiting_bytes += chunk->bytes.n;
}

ds_rc diff_source(ds_diff *diff, ds_rows *chunk, bool *kept, ds_error *err)
{
    ds_assert(!diff->multiset || diff->live_ended);
    ds_assert(chunk->n < (1u << WAIT_ROW_BITS));
    size_t waiting = 0;
    *kept = false;
    for (size_t i = 0; i < chunk->n; i++) {
        bool waits;
        prefetch(diff, chunk, i);
        TRY(source_row(diff, chunk, i, &waits, err));
        waiting += waits;
    }
    if (waiting == 0)
        return DS_DONE;
    keep_chunk(diff, chunk, waiting);
    *kept = true;
    return DS_DONE;
}

// A row of a kept chunk whose entry still points at it has no live partner.
static ds_rc insert_waiting(ds_diff *diff, size_t c, ds_error *err)
{
    const ds_rows *rows = diff->chunks[c].rows;
    for (size_t i = 0; i < rows->n && diff->chunks[c].waiting; i++) {
        if (!in_range(diff, rows->key_hash[i]))
            continue;
        const entry *e = slot_of(diff, rows->key_hash[i]);
        if (!(e->place & PLACE_SEEN) || (e->place & PLACE_MASK) != ((c << WAIT_ROW_BITS) | i))
            continue;
        TRY(tell_insert(diff, rows_row(rows, i), rows->row_hash[i], 1, err));
        diff->chunks[c].waiting--;
    }
    return DS_DONE;
}

ds_rc diff_live_end(ds_diff *diff, ds_error *err)
{
    ds_assert(!diff->live_ended);
    diff->live_ended = true;
    for (size_t c = 0; c < diff->chunk_count; c++) {
        if (!diff->chunks[c].rows)
            continue;
        TRY(insert_waiting(diff, c, err));
        chunk_free(diff, c);
    }
    return DS_DONE;
}

static ds_rc finish_entry(ds_diff *diff, const entry *e, ds_error *err)
{
    const ds_diff_sink *sink = &diff->options.sink;
    if (diff->multiset)
        return finish_copies(diff, e, err);
    if (e->place & PLACE_SEEN)
        return DS_DONE;
    diff->totals.deleted++;
    diff->totals.check -= e->row;
    return sink->gone(sink->context, (int64_t)(e->place & PLACE_MASK), err);
}

ds_rc diff_finish(ds_diff *diff, ds_error *err)
{
    ds_assert(diff->live_ended);
    for (size_t i = 0; i < diff->slots; i++)
        if (diff->table[i].place & PLACE_USED)
            TRY(finish_entry(diff, &diff->table[i], err));
    return DS_DONE;
}
