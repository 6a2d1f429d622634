// Source rows that wait for their live partner. They are copied into chunks of their own, so that what waits is paid
// for and nothing else; a chunk is given back when the last of its rows has been settled.
#include <stdlib.h>

#include "base/error.h"
#include "yellow/diff/diff_int.h"

enum { CHUNK_ROWS = 1024, CHUNK_BYTES = 256 * 1024, ROW_BITS = 20 }; // a place is (chunk << ROW_BITS) | row
_Static_assert(CHUNK_ROWS < 1 << ROW_BITS, "a row's number fits");

static ds_rows *rows_of(const ds_diff *diff, uint64_t place, size_t *row)
{
    *row = place & ((1u << ROW_BITS) - 1);
    return diff->chunks[place >> ROW_BITS].rows;
}

static void chunk_free(ds_diff *diff, size_t i)
{
    ds_rows *rows = diff->chunks[i].rows;
    if (!rows)
        return;
    diff->waiting_bytes -= diff->chunks[i].bytes;
    rows_release(rows);
    free(rows);
    diff->chunks[i].rows = NULL;
}

void diff_waiting_release(ds_diff *diff)
{
    for (size_t i = 0; i < diff->chunk_count; i++)
        chunk_free(diff, i);
    free(diff->chunks);
}

static ds_waiting_chunk *chunk_new(ds_diff *diff)
{
    if (diff->chunk_count == diff->chunk_cap) {
        diff->chunk_cap = diff->chunk_cap ? diff->chunk_cap * 2 : 16;
        diff->chunks = realloc(diff->chunks, diff->chunk_cap * sizeof *diff->chunks);
        if (!diff->chunks)
            BUG("out of memory");
    }
    ds_rows *rows = malloc(sizeof *rows);
    if (!rows)
        BUG("out of memory");
    rows_init(rows);
    diff->chunks[diff->chunk_count] = (ds_waiting_chunk){.rows = rows};
    return &diff->chunks[diff->chunk_count++];
}

// The one that takes rows.
static ds_waiting_chunk *last_chunk(ds_diff *diff)
{
    ds_waiting_chunk *last = diff->chunk_count ? &diff->chunks[diff->chunk_count - 1] : NULL;
    bool has_room = last && last->rows && last->rows->n < CHUNK_ROWS && last->rows->bytes.n < CHUNK_BYTES;
    return has_room ? last : chunk_new(diff);
}

static size_t bytes_of(const ds_rows *rows)
{
    size_t row = sizeof *rows->end + sizeof *rows->row_hash + sizeof *rows->key_hash + sizeof *rows->locator;
    return rows->bytes.cap + rows->cap * row;
}

uint64_t diff_wait(ds_diff *diff, const ds_rows *chunk, size_t i)
{
    ds_waiting_chunk *last = last_chunk(diff);
    rows_append(last->rows, rows_row(chunk, i), chunk->row_hash[i], chunk->key_hash[i], 0);
    last->waiting++;
    diff->waiting_bytes -= last->bytes;
    last->bytes = bytes_of(last->rows);
    diff->waiting_bytes += last->bytes;
    return (diff->chunk_count - 1) << ROW_BITS | (last->rows->n - 1);
}

ds_str diff_waiting_row(const ds_diff *diff, uint64_t place, ds_hash *hash)
{
    size_t i;
    const ds_rows *rows = rows_of(diff, place, &i);
    *hash = rows->row_hash[i];
    return rows_row(rows, i);
}

void diff_waited(ds_diff *diff, uint64_t place)
{
    size_t c = place >> ROW_BITS;
    if (--diff->chunks[c].waiting == 0)
        chunk_free(diff, c);
}

// A row whose entry still points at it has no live partner.
static ds_rc end_waiting(ds_diff *diff, size_t c, ds_rc (*insert)(ds_diff *, ds_str, ds_hash, int64_t, ds_error *),
                         ds_error *err)
{
    const ds_rows *rows = diff->chunks[c].rows;
    for (size_t i = 0; i < rows->n && diff->chunks[c].waiting; i++) {
        const ds_diff_entry *e = diff_slot_of(diff, rows->key_hash[i]);
        if (e->place != (PLACE_USED | PLACE_SEEN | (uint64_t)c << ROW_BITS | i))
            continue; // settled, or on disk
        TRY(insert(diff, rows_row(rows, i), rows->row_hash[i], 1, err));
        diff->chunks[c].waiting--;
    }
    return DS_DONE;
}

ds_rc diff_waiting_end(ds_diff *diff, ds_rc (*insert)(ds_diff *, ds_str, ds_hash, int64_t, ds_error *), ds_error *err)
{
    for (size_t c = 0; c < diff->chunk_count; c++) {
        if (!diff->chunks[c].rows)
            continue;
        TRY(end_waiting(diff, c, insert, err));
        chunk_free(diff, c);
    }
    return DS_DONE;
}
