// The parts of a diff: its table (diff_table.c), rows that wait in memory (diff_waiting.c) and on disk (diff_disk.c),
// both sides at once (diff_order.c), and the rules (diff.c).
#pragma once
#include "yellow/diff/diff.h"
#include "yellow/diff/spill.h"

// An entry's state is in the top bits of `place`; the rest is the live row's locator or the waiting source row, or, in
// a multiset, the number of source copies.
#define PLACE_USED (UINT64_C(1) << 63)
#define PLACE_LIVE (UINT64_C(1) << 62) // the live side has been seen
#define PLACE_SEEN (UINT64_C(1) << 61) // the source side has been seen
#define PLACE_MASK (PLACE_SEEN - 1)
#define PLACE_DAMAGED PLACE_LIVE // a multiset: a live copy isn't what its row hash says, or has no number of its own

typedef struct ds_diff_entry {
    ds_hash key;
    uint64_t row; // low half of the row hash; a multiset: number of live copies | highest copy number << 32
    uint64_t place;
} ds_diff_entry;
_Static_assert(sizeof(ds_diff_entry) == 32, "an entry is 32 bytes");

typedef struct ds_waiting_chunk {
    ds_rows *rows; // NULL once nothing of it waits
    size_t waiting, bytes;
} ds_waiting_chunk;

struct ds_diff {
    ds_diff_options options;
    unsigned level; // 0, or one more than that of the diff whose rows on disk this one settles
    bool multiset;
    bool live_ended;
    bool full; // for good: rows of keys that the table doesn't have go to disk
    ds_diff_entry *table;
    size_t slots, slots_max, used;
    size_t expected_slots; // what all live rows would need
    ds_waiting_chunk *chunks;
    size_t chunk_count, chunk_cap;
    size_t waiting_bytes, waiting_max;
    size_t buffer_bytes; // for the file
    ds_spill *spill;     // NULL until the first row goes there
    ds_diff_totals totals;
};

// The last one has no limit.
enum { DIFF_LEVELS = 4 };

ds_diff *diff_new_at_level(const ds_diff_options *options, unsigned level);

// Shares the memory out and makes the table.
void diff_table_init(ds_diff *diff);
void diff_table_release(ds_diff *diff);
// False when it may grow no more.
bool diff_table_grow(ds_diff *diff);

// One row of either side, whose partner may be in the table.
ds_rc diff_live_row(ds_diff *diff, const ds_rows *chunk, size_t i, ds_error *err);
ds_rc diff_source_row(ds_diff *diff, const ds_rows *chunk, size_t i, ds_error *err);
// The live row's hash as the diff compares it: that of a row whose stored values no longer give its stored hash is made
// to differ from every source row's.
uint64_t diff_live_hash(const ds_diff *diff, const ds_rows *chunk, size_t i);
// Both sides of a key are known: old is what there is of the live row's hash.
ds_rc diff_settle(ds_diff *diff, uint64_t old, ds_str row, ds_hash hash, ds_error *err);

// Keeps a copy of a source row until its live partner comes; the result is for its entry's place.
uint64_t diff_wait(ds_diff *diff, const ds_rows *chunk, size_t i);
ds_str diff_waiting_row(const ds_diff *diff, uint64_t place, ds_hash *hash); // until diff_waited
void diff_waited(ds_diff *diff, uint64_t place);
// No live row comes any more: what waits is inserted.
ds_rc diff_waiting_end(ds_diff *diff, ds_rc (*insert)(ds_diff *, ds_str, ds_hash, int64_t, ds_error *), ds_error *err);
void diff_waiting_release(ds_diff *diff);

// A row whose key is not in the full table goes to disk, and so will every other row of that key.
ds_rc diff_set_aside(ds_diff *diff, ds_spill_side side, const ds_rows *chunk, size_t i, ds_error *err);
// Settles what is there, range by range.
ds_rc diff_settle_aside(ds_diff *diff, ds_error *err);

static inline ds_hash diff_identity(const ds_diff *diff, const ds_rows *chunk, size_t i)
{
    return diff->multiset ? chunk->row_hash[i] : chunk->key_hash[i];
}

// Maps a hash onto [0, n) by its high bits (Lemire's fast range).
static inline size_t diff_range_of(uint64_t hash, size_t n)
{
    return (size_t)(((unsigned __int128)hash * n) >> 64);
}

// The slot of the key, or the free slot where it belongs. Linear probing.
static inline ds_diff_entry *diff_slot_of(const ds_diff *diff, ds_hash key)
{
    size_t i = diff_range_of(key.low, diff->slots);
    for (;;) {
        ds_diff_entry *e = &diff->table[i];
        if (!(e->place & PLACE_USED) || hash_eq(e->key, key))
            return e;
        if (++i == diff->slots)
            i = 0;
    }
}
