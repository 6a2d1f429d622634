// What a diff's full table has no room for: it waits on disk until both sides have ended, and each range of it is then
// a diff of its own.
#include <xxhash.h>

#include "yellow/diff/diff_int.h"

ds_rc diff_set_aside(ds_diff *diff, ds_spill_side side, const ds_rows *chunk, size_t i, ds_error *err)
{
    ds_assert(diff->full && diff->level < DIFF_LEVELS);
    if (!diff->spill)
        TRY(spill_open(diff->options.directory, diff->buffer_bytes, &diff->spill, err));
    ds_hash identity = diff_identity(diff, chunk, i);
    uint64_t bits = XXH3_64bits_withSeed(&identity, sizeof identity, diff->level); // other ones on each level
    return spill_add(diff->spill, side, (uint32_t)diff_range_of(bits, SPILL_RANGES), chunk, i, err);
}

static ds_rc feed_back(ds_diff *diff, ds_diff *part, ds_spill_side side, uint32_t range, ds_error *err)
{
    const ds_diff_sink *sink = &diff->options.sink;
    CLEANUP(rows_release) ds_rows chunk;
    rows_init(&chunk);
    for (;;) {
        TRY(spill_read(diff->spill, side, range, &chunk, err));
        if (chunk.n == 0)
            return DS_DONE;
        TRY(side == SPILL_LIVE ? diff_live(part, &chunk, 0, err) : diff_source(part, &chunk, 0, err));
        if (sink->go_on)
            TRY(sink->go_on(sink->context, err));
    }
}

static void add_part(ds_diff_totals *all, const ds_diff_totals *part)
{
    all->inserted += part->inserted;
    all->updated += part->updated;
    all->deleted += part->deleted;
    all->check += part->check;
}

static ds_rc settle_range(ds_diff *diff, uint32_t range, ds_error *err)
{
    ds_fingerprint live = spill_rows(diff->spill, SPILL_LIVE, range);
    ds_fingerprint source = spill_rows(diff->spill, SPILL_SOURCE, range);
    if (live.rows == 0 && source.rows == 0)
        return DS_DONE;
    ds_diff_options options = diff->options;
    options.expected_rows = live.rows > source.rows ? live.rows : source.rows;
    CLEANUP(diff_freep) ds_diff *part = diff_new_at_level(&options, diff->level + 1);
    TRY(feed_back(diff, part, SPILL_LIVE, range, err));
    TRY(diff_live_end(part, err));
    TRY(feed_back(diff, part, SPILL_SOURCE, range, err));
    TRY(diff_finish(part, err));
    add_part(&diff->totals, &part->totals);
    if (!fingerprint_eq(part->totals.live, live) || !fingerprint_eq(part->totals.source, source))
        return ds_fail(err, DS_INTERNAL, "the rows that waited on disk are not those that were written");
    return DS_DONE;
}

ds_rc diff_settle_aside(ds_diff *diff, ds_error *err)
{
    TRY(spill_end(diff->spill, err));
    for (uint32_t range = 0; range < SPILL_RANGES; range++)
        TRY(settle_range(diff, range, err));
    return DS_DONE;
}
