// Both sides of a diff at once. Most rows come in about the same order on both sides: such pairs are settled where they
// stand, and the table is left to the rows that are out of order.
#include "yellow/diff/diff_int.h"

enum {
    NEAR = 12,       // rows that a side may have more than the other without the order being lost
    SEARCH_FROM = 32 // unlike pairs in a row, from which on a partner is looked for in the whole chunk
};

// Where the key stands in [from, end); end when it doesn't.
static size_t find(const ds_rows *rows, size_t from, size_t end, ds_hash key)
{
    for (size_t i = from; i < end; i++)
        if (hash_eq(rows->key_hash[i], key))
            return i;
    return end;
}

// How far to look for a partner after so many unlike pairs in a row: close by, and now and then, ever more rarely,
// through the whole chunk.
static size_t look_until(const ds_rows *rows, size_t from, size_t unlike)
{
    bool far = unlike >= SEARCH_FROM && (unlike & (unlike - 1)) == 0;
    size_t left = rows->n - from;
    return from + (far || left < NEAR ? left : NEAR);
}

static ds_rc take_live(ds_diff *diff, const ds_rows *live, size_t *at, size_t until, ds_error *err)
{
    for (; *at < until; ++*at)
        TRY(diff_live_row(diff, live, *at, err));
    return DS_DONE;
}

static ds_rc take_source(ds_diff *diff, const ds_rows *source, size_t *at, size_t until, ds_error *err)
{
    for (; *at < until; ++*at)
        TRY(diff_source_row(diff, source, *at, err));
    return DS_DONE;
}

// The rows before the next pair that is found, else one of each side, go to the table.
static ds_rc out_of_order(ds_diff *diff, const ds_rows *live, size_t *l, const ds_rows *source, size_t *s,
                          size_t unlike, ds_error *err)
{
    size_t end = look_until(live, *l, unlike);
    size_t partner = find(live, *l + 1, end, source->key_hash[*s]);
    if (partner < end)
        return take_live(diff, live, l, partner, err);
    end = look_until(source, *s, unlike);
    partner = find(source, *s + 1, end, live->key_hash[*l]);
    if (partner < end)
        return take_source(diff, source, s, partner, err);
    TRY(take_live(diff, live, l, *l + 1, err));
    return take_source(diff, source, s, *s + 1, err);
}

static ds_rc settle_pair(ds_diff *diff, const ds_rows *live, size_t l, const ds_rows *source, size_t s, ds_error *err)
{
    uint64_t old = diff_live_hash(diff, live, l);
    ds_hash hash = source->row_hash[s];
    fingerprint_add(&diff->totals.live, live->row_hash[l]);
    fingerprint_add(&diff->totals.source, hash);
    diff->totals.check += old - hash.low;
    return diff_settle(diff, old, rows_row(source, s), hash, err);
}

ds_rc diff_both(ds_diff *diff, const ds_rows *live, size_t *l, const ds_rows *source, size_t *s, ds_error *err)
{
    ds_assert(!diff->live_ended && !diff->multiset);
    size_t unlike = 0;
    while (*l < live->n && *s < source->n) {
        if (hash_eq(live->key_hash[*l], source->key_hash[*s])) {
            TRY(settle_pair(diff, live, (*l)++, source, (*s)++, err));
            unlike = 0;
        } else {
            TRY(out_of_order(diff, live, l, source, s, unlike++, err));
        }
    }
    return DS_DONE;
}
