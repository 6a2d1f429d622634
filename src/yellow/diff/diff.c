#include <stdlib.h>

#include "base/arena.h"
#include "base/error.h"
#include "yellow/diff/diff_int.h"

ds_diff *diff_new_at_level(const ds_diff_options *options, unsigned level)
{
    ds_diff *diff = calloc(1, sizeof *diff);
    if (!diff)
        BUG("out of memory");
    diff->options = *options;
    diff->level = level;
    diff->multiset = options->shape->key_count == 0;
    diff_table_init(diff);
    return diff;
}

ds_diff *diff_new(const ds_diff_options *options)
{
    return diff_new_at_level(options, 0);
}

void diff_free(ds_diff *diff)
{
    if (!diff)
        return;
    diff_waiting_release(diff);
    diff_table_release(diff);
    spill_close(diff->spill);
    free(diff);
}

void diff_freep(ds_diff **diff)
{
    diff_free(*diff);
    *diff = NULL;
}

// A full table takes no key whose row would wait.
bool diff_wants_source(const ds_diff *diff)
{
    return diff->live_ended || (!diff->multiset && (diff->full || diff->waiting_bytes < diff->waiting_max));
}

const ds_diff_totals *diff_totals(const ds_diff *diff)
{
    return &diff->totals;
}

// A key's slot is a cache miss: the misses of the rows to come are started early.
static void prefetch(const ds_diff *diff, const ds_rows *chunk, size_t i)
{
    enum { AHEAD = 8 };
    if (!diff->multiset && i + AHEAD < chunk->n)
        __builtin_prefetch(&diff->table[diff_range_of(chunk->key_hash[i + AHEAD].low, diff->slots)], 1);
}

// Frees the slot; those behind it that would no longer be found move up (Knuth, TAOCP 3, 6.4, algorithm R).
static void forget(ds_diff *diff, ds_diff_entry *e)
{
    size_t hole = (size_t)(e - diff->table), i = hole;
    for (;;) {
        i = i + 1 == diff->slots ? 0 : i + 1;
        const ds_diff_entry *next = &diff->table[i];
        if (!(next->place & PLACE_USED))
            break;
        size_t home = diff_range_of(next->key.low, diff->slots);
        bool stays = hole < i ? home > hole && home <= i : home > hole || home <= i;
        if (stays)
            continue;
        diff->table[hole] = *next;
        hole = i;
    }
    diff->table[hole].place = 0;
    diff->used--;
}

// The key's entry; a new one is marked used and otherwise zero. NULL: the table doesn't have the key and never will.
static ds_diff_entry *entry_of(ds_diff *diff, ds_hash key)
{
    ds_diff_entry *e = diff_slot_of(diff, key);
    if (e->place & PLACE_USED)
        return e;
    if (!diff->full && diff->used >= diff->slots - diff->slots / 8 - 1) {
        diff->full = !diff_table_grow(diff);
        e = diff_slot_of(diff, key);
    }
    if (diff->full)
        return NULL;
    diff->used++;
    *e = (ds_diff_entry){.key = key, .place = PLACE_USED};
    return e;
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

static uint64_t live_copies(const ds_diff_entry *e)
{
    return e->row & UINT32_MAX;
}

// Copies are numbered from 1 without gaps; where they aren't, or where one is damaged, all are replaced.
static bool copies_damaged(const ds_diff_entry *e)
{
    return (e->place & PLACE_DAMAGED) || live_copies(e) != e->row >> 32;
}

static void live_copy(ds_diff *diff, ds_diff_entry *e, const ds_rows *chunk, size_t i)
{
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

static ds_rc source_copy(ds_diff *diff, ds_diff_entry *e, ds_str row, ds_hash hash, ds_error *err)
{
    uint64_t number = (++e->place) & PLACE_MASK;
    if (number <= live_copies(e) && !copies_damaged(e))
        return tell_same(diff, row, hash, (int64_t)number, err);
    return tell_insert(diff, row, hash, (int64_t)number, err);
}

static ds_rc finish_copies(ds_diff *diff, const ds_diff_entry *e, ds_error *err)
{
    uint64_t live = live_copies(e), keep = copies_damaged(e) ? 0 : e->place & PLACE_MASK;
    if (keep >= live)
        return DS_DONE;
    diff->totals.deleted += (int64_t)(live - keep);
    diff->totals.check -= (live - keep) * e->key.low;
    return diff->options.sink.gone_copies(diff->options.sink.context, e->key, (int64_t)keep, (int64_t)live, err);
}

// --- rows with a key

ds_rc diff_settle(ds_diff *diff, uint64_t old, ds_str row, ds_hash hash, ds_error *err)
{
    if (old == hash.low)
        return tell_same(diff, row, hash, 1, err);
    diff->totals.updated++;
    diff->totals.check += hash.low - old;
    return diff->options.sink.row(diff->options.sink.context, OP_UPDATE, row, hash, 1, err);
}

uint64_t diff_live_hash(const ds_diff *diff, const ds_rows *chunk, size_t i)
{
    uint64_t stored = chunk->row_hash[i].low;
    if (!diff->options.rehash || hash_eq(row_hash(rows_row(chunk, i)), chunk->row_hash[i]))
        return stored;
    return ~stored;
}

// The live partner of a source row that waits.
static ds_rc settle_waiting(ds_diff *diff, ds_diff_entry *e, uint64_t live, ds_error *err)
{
    uint64_t place = e->place & PLACE_MASK;
    forget(diff, e);
    ds_hash hash;
    ds_str row = diff_waiting_row(diff, place, &hash);
    TRY(diff_settle(diff, live, row, hash, err));
    diff_waited(diff, place);
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

ds_rc diff_live_row(ds_diff *diff, const ds_rows *chunk, size_t i, ds_error *err)
{
    ds_hash stored = chunk->row_hash[i];
    fingerprint_add(&diff->totals.live, stored);
    ds_diff_entry *e = entry_of(diff, diff_identity(diff, chunk, i));
    if (!e)
        return diff_set_aside(diff, SPILL_LIVE, chunk, i, err);
    if (diff->multiset) {
        live_copy(diff, e, chunk, i);
        return DS_DONE;
    }
    uint64_t live = diff_live_hash(diff, chunk, i);
    uint64_t locator = (uint64_t)chunk->locator[i] & PLACE_MASK;
    diff->totals.check += live;
    if (e->place & PLACE_LIVE)
        return damaged(diff, chunk, i, err);
    if (e->place & PLACE_SEEN)
        return settle_waiting(diff, e, live, err);
    e->row = live;
    e->place = PLACE_USED | PLACE_LIVE | locator;
    return DS_DONE;
}

ds_rc diff_live(ds_diff *diff, const ds_rows *chunk, size_t from, ds_error *err)
{
    ds_assert(!diff->live_ended);
    for (size_t i = from; i < chunk->n; i++) {
        prefetch(diff, chunk, i);
        TRY(diff_live_row(diff, chunk, i, err));
    }
    return DS_DONE;
}

// A source row that the full table has no room for. When all live rows were in the table, none of them is its partner.
static ds_rc source_row_without_room(ds_diff *diff, const ds_rows *chunk, size_t i, ds_error *err)
{
    if (diff->multiset || !diff->live_ended || diff->spill)
        return diff_set_aside(diff, SPILL_SOURCE, chunk, i, err);
    diff->totals.check -= chunk->row_hash[i].low;
    return tell_insert(diff, rows_row(chunk, i), chunk->row_hash[i], 1, err);
}

static ds_rc duplicate(const ds_diff *diff, ds_str row, ds_error *err)
{
    CLEANUP(buf_release) ds_buf key = BUF_INIT(400);
    row_print_key(diff->options.shape, row, &key);
    return ds_hint(ds_fail(err, DS_FINDING, "duplicate key in the source: %s", buf_text(&key)), err,
                   "correct the source, or the dataset's primary key in the model");
}

ds_rc diff_source_row(ds_diff *diff, const ds_rows *chunk, size_t i, ds_error *err)
{
    ds_str row = rows_row(chunk, i);
    ds_hash hash = chunk->row_hash[i];
    fingerprint_add(&diff->totals.source, hash);
    ds_diff_entry *e = entry_of(diff, diff_identity(diff, chunk, i));
    if (!e)
        return source_row_without_room(diff, chunk, i, err);
    diff->totals.check -= hash.low;
    if (diff->multiset)
        return source_copy(diff, e, row, hash, err);
    if (e->place & PLACE_SEEN)
        return duplicate(diff, row, err);
    if (e->place & PLACE_LIVE) {
        uint64_t live = e->row;
        forget(diff, e);
        return diff_settle(diff, live, row, hash, err);
    }
    e->place = PLACE_USED | PLACE_SEEN;
    if (diff->live_ended)
        return tell_insert(diff, row, hash, 1, err);
    e->place |= diff_wait(diff, chunk, i); // its partner may still come
    return DS_DONE;
}

ds_rc diff_source(ds_diff *diff, const ds_rows *chunk, size_t from, ds_error *err)
{
    ds_assert(!diff->multiset || diff->live_ended);
    for (size_t i = from; i < chunk->n; i++) {
        prefetch(diff, chunk, i);
        TRY(diff_source_row(diff, chunk, i, err));
    }
    return DS_DONE;
}

ds_rc diff_live_end(ds_diff *diff, ds_error *err)
{
    ds_assert(!diff->live_ended);
    diff->live_ended = true;
    return diff_waiting_end(diff, tell_insert, err);
}

static ds_rc finish_entry(ds_diff *diff, const ds_diff_entry *e, ds_error *err)
{
    const ds_diff_sink *sink = &diff->options.sink;
    if (diff->multiset)
        return finish_copies(diff, e, err);
    if (e->place & PLACE_SEEN)
        return DS_DONE;
    diff->totals.deleted++;
    diff->totals.check -= e->row;
    return sink->gone(sink->context, e->key, (int64_t)(e->place & PLACE_MASK), err);
}

static ds_rc finish_table(ds_diff *diff, ds_error *err)
{
    for (size_t i = 0; i < diff->slots; i++)
        if (diff->table[i].place & PLACE_USED)
            TRY(finish_entry(diff, &diff->table[i], err));
    diff_table_release(diff);
    return DS_DONE;
}

ds_rc diff_finish(ds_diff *diff, ds_error *err)
{
    ds_assert(diff->live_ended);
    TRY(finish_table(diff, err));
    return diff->spill ? diff_settle_aside(diff, err) : DS_DONE;
}
