// A dataset through the edge diff: both sides are read at the same time, what differs goes to staging, and the guard
// looks at the outcome before anything can be merged.
#include <inttypes.h>

#include "yellow/job_int.h"

enum {
    WAITING_MAX = 16 << 20,     // bytes of source rows that may wait for their live partner
    MEMORY_DEFAULT = 256 << 20, // of one diff's table
    LEAD_MAX = 64 * 1024,       // rows that one side of a diff may be ahead of the other
    GUARD_MIN_ROWS = 20,        // below, only emptying counts
    RANGES_MAX = 4096,
    RANGES_MORE = 4, // when a pass was crowded
};

// --- guard

static ds_rc guard(ds_job *job, const ds_work *work, int64_t before, int64_t after, ds_error *err)
{
    double ratio = job->def->max_delete_ratio;
    if (job->options->accept_deletes || ratio >= 1 || before == 0)
        return DS_DONE;
    bool stops = before < GUARD_MIN_ROWS ? after == 0 : (double)after < (1 - ratio) * (double)before;
    if (!stops)
        return DS_DONE;
    job->guarded = true;
    return ds_hint(ds_fail(err, DS_FINDING,
                           "guarded: dataset %s would go from %" PRId64 " to %" PRId64
                           " rows, more than max_delete_ratio %g allows",
                           work->def->name, before, after, ratio),
                   err, "nothing was changed; if the source is right, run: datasurface job %s --accept-deletes",
                   job->def->name);
}

// --- the edge diff

typedef struct side {
    ds_job *job;
    ds_work *work;
} side;

static ds_rc on_row(void *context, ds_op op, ds_str row, ds_hash hash, int64_t copy, ds_error *err)
{
    side *s = context;
    return staging_add_row(s->job, s->work, op, row, hash, copy, err);
}

static ds_rc on_gone(void *context, int64_t locator, ds_error *err)
{
    side *s = context;
    return staging_add_gone(s->job, s->work, locator, err);
}

static ds_rc on_gone_copies(void *context, ds_hash hash, int64_t keep, int64_t live, ds_error *err)
{
    side *s = context;
    return staging_add_gone_copies(s->job, s->work, hash, keep, live, err);
}

// One side of the diff, fed chunk by chunk.
typedef struct feed {
    ds_pump *pump;
    bool ended;
    int64_t rows;
} feed;

// The side's next chunk; NULL when it has ended, or, without wait, when none is ready.
static ds_rc next_chunk(feed *f, bool wait, ds_rows **out, ds_error *err)
{
    if (wait) {
        TRY(pump_next(f->pump, out, err));
        f->ended = *out == NULL;
    } else {
        TRY(pump_try(f->pump, out, &f->ended, err));
    }
    if (*out)
        f->rows += (int64_t)(*out)->n;
    return DS_DONE;
}

typedef struct both {
    ds_job *job;
    ds_work *work;
    ds_diff *diff;
    feed source, live;
} both;

static ds_rc feed_live(both *b, bool wait, ds_error *err)
{
    ds_rows *chunk = NULL;
    TRY(next_chunk(&b->live, wait, &chunk, err));
    if (b->live.ended)
        return diff_live_end(b->diff, err);
    if (!chunk)
        return DS_DONE;
    ds_rc rc = diff_live(b->diff, chunk, err);
    pump_recycle(b->live.pump, chunk);
    return rc;
}

static ds_rc feed_source(both *b, bool wait, ds_error *err)
{
    ds_rows *chunk = NULL;
    TRY(next_chunk(&b->source, wait, &chunk, err));
    if (!chunk)
        return DS_DONE;
    bool kept = false;
    int64_t bytes = (int64_t)chunk->bytes.n;
    ds_rc rc = diff_source(b->diff, chunk, &kept, err);
    if (!kept)
        pump_recycle(b->source.pump, chunk);
    b->work->counts.bytes += bytes;
    job_report(b->job, b->work, diff_totals(b->diff)->source.rows, false);
    return rc;
}

// Grows with every chunk and every end.
static int64_t steps(const both *b)
{
    return b->source.rows + b->live.rows + b->source.ended + b->live.ended;
}

// What is ready of either side. A side that is LEAD_MAX rows ahead waits for the other one: rows that come in about the
// same order on both sides then meet soon.
static ds_rc feed_some(both *b, ds_error *err)
{
    bool live_first = b->work->def->shape->key_count == 0; // copies are counted against all live copies
    bool room = !live_first && diff_waiting_bytes(b->diff) < WAITING_MAX;
    int64_t lead = b->source.rows - b->live.rows, before = steps(b);
    bool source_open = !b->source.ended && (b->live.ended || (room && lead < LEAD_MAX));
    bool live_open = !b->live.ended && (!room || b->source.ended || lead > -LEAD_MAX);
    if (live_open)
        TRY(feed_live(b, !source_open, err));
    if (source_open)
        TRY(feed_source(b, !live_open, err));
    if (!live_open || !source_open || steps(b) != before)
        return DS_DONE;
    return lead < 0 ? feed_source(b, true, err) : feed_live(b, true, err); // both are late
}

// Stops early when the diff is crowded.
static ds_rc feed_both(both *b, ds_error *err)
{
    while (!b->source.ended || !b->live.ended) {
        if (diff_crowded(b->diff))
            return DS_DONE;
        if (runtime_cancelled(b->job->runtime))
            return ds_fail(err, DS_CANCELLED, "interrupted");
        TRY(feed_some(b, err));
    }
    return diff_finish(b->diff, err);
}

static ds_rc open_live_pump(ds_job *job, ds_work *work, const ds_shape *columns, ds_pump **out, ds_error *err)
{
    TRY(ingest_hold_live(job, err));
    CLEANUP(sql_release) ds_sql q = sql_new(job->live->dialect);
    ingest_live_select(job, work, columns, true, true, &q);
    ds_read read = {.select = &q,
                    .shape = columns,
                    .has_hash = true,
                    .has_locator = true,
                    .salvage = true,
                    .key_seed = job->key_seed};
    return pump_open(job->live, &read, 0, out, err);
}

// One pass over both sides. *source: an open pump, or NULL; it is used up. *crowded: the pass was given up.
static ds_rc diff_pass(ds_job *job, ds_work *work, ds_pump **source, const ds_diff_options *options,
                       ds_diff_totals *totals, bool *crowded, ds_error *err)
{
    CLEANUP(pump_closep) ds_pump *pump = *source;
    CLEANUP(pump_closep) ds_pump *live = NULL;
    CLEANUP(diff_freep) ds_diff *diff = NULL;
    *source = NULL;
    if (!pump)
        TRY(source_pump(job, work, &pump, err));
    const ds_shape *columns = options->rehash ? work->def->shape : shape_of_key(job->arena, work->def->shape);
    TRY(open_live_pump(job, work, columns, &live, err));
    diff = diff_new(options);
    work->counts.bytes = 0;
    TRY(feed_both(&(both){.job = job, .work = work, .diff = diff, .source.pump = pump, .live.pump = live}, err));
    *crowded = diff_crowded(diff);
    *totals = *diff_totals(diff);
    if (!*crowded && totals->check != 0)
        return ds_fail(err, DS_INTERNAL, "%s: the differences found do not add up to the source's fingerprint",
                       work->def->name);
    return DS_DONE;
}

static size_t table_budget(const ds_job *job)
{
    return job->def->memory_bytes ? (size_t)job->def->memory_bytes : MEMORY_DEFAULT;
}

uint32_t compare_ranges(const ds_job *job, int64_t rows)
{
    size_t ranges = diff_table_bytes(rows) / table_budget(job) + 1;
    return (uint32_t)(ranges > RANGES_MAX ? RANGES_MAX : ranges);
}

// Do closed versions outnumber live ones? Every version ever made was inserted once.
static ds_rc count_versions(ds_job *job, ds_work *work, ds_error *err)
{
    if (!def_has_out(job->def))
        return DS_DONE;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "SELECT sum(rows_inserted + rows_updated) FROM ");
    sql_relation(&q, job->names.dataset_batch);
    SQL(&q, " WHERE stream = ");
    sql_text(&q, job->def->name);
    SQL(&q, " AND dataset = ");
    sql_text(&q, work->def->name);
    ds_result r;
    TRY(store_query(job->control->db, &q, arena, &r, err));
    work->mostly_closed = result_int(&r, 0, 0) / 2 > work->state.fingerprint.rows;
    return DS_DONE;
}

static ds_rc compare_before(ds_job *job, ds_work *work, ds_fingerprint before, ds_error *err)
{
    if (work->first_load || work->rekey || fingerprint_eq(before, work->state.fingerprint))
        return DS_DONE;
    char detail[300], is[FINGERPRINT_TEXT], was[FINGERPRINT_TEXT];
    fingerprint_print(before, is);
    fingerprint_print(work->state.fingerprint, was);
    snprintf(detail, sizeof detail, "%s: live rows were %" PRId64 " %s, recorded %" PRId64 " %s", work->def->name,
             before.rows, is, work->state.fingerprint.rows, was);
    work->changed = true;
    TRY(lease_begin(job, err));
    return lease_end(job, control_event(job->control, job->def->name, "repaired", detail, err), err);
}

static void add_totals(ds_diff_totals *all, const ds_diff_totals *range)
{
    all->source = range->source; // every pass sees all rows
    all->live = range->live;
    all->inserted += range->inserted;
    all->updated += range->updated;
    all->deleted += range->deleted;
}

// All ranges; from the start with more of them when one is crowded.
static ds_rc diff_ranges(ds_job *job, ds_work *work, ds_pump **source, ds_diff_options *options, ds_diff_totals *all,
                         ds_error *err)
{
    *all = (ds_diff_totals){0};
    for (options->range = 0; options->range < options->ranges;) {
        ds_diff_totals totals;
        bool crowded;
        options->table_bytes_max = options->ranges < RANGES_MAX ? table_budget(job) : 0;
        TRY(diff_pass(job, work, source, options, &totals, &crowded, err));
        if (crowded) {
            TRY(staging_forget(job, work, err));
            *all = (ds_diff_totals){0};
            options->range = 0;
            options->ranges = options->ranges * RANGES_MORE < RANGES_MAX ? options->ranges * RANGES_MORE : RANGES_MAX;
            continue;
        }
        if (options->range++ > 0 && !fingerprint_eq(totals.source, all->source))
            return ds_fail(err, DS_ENV, "%s: the source changed between two reads of one snapshot", work->def->name);
        add_totals(all, &totals);
    }
    return DS_DONE;
}

ds_rc compare_dataset(ds_job *job, ds_work *work, ds_pump **source, ds_error *err)
{
    TRY(count_versions(job, work, err));
    int64_t expected = work->state.fingerprint.rows;
    side s = {job, work};
    ds_diff_options options = {
        .shape = work->def->shape,
        .expected_rows = expected,
        .ranges = compare_ranges(job, expected),
        .want_same = job->def->staging_full,
        .rehash = job->resnapshot && !work->rekey,
        .sink = {&s, on_row, on_gone, on_gone_copies},
    };
    ds_diff_totals all;
    TRY(diff_ranges(job, work, source, &options, &all, err));
    TRY(compare_before(job, work, all.live, err));
    work->after = all.source;
    work->counts.read = all.source.rows;
    work->counts.inserted = all.inserted;
    work->counts.updated = all.updated;
    work->counts.deleted = all.deleted + work->closed_by_rekey;
    work->counts.unchanged = all.source.rows - all.inserted - all.updated;
    return guard(job, work, all.live.rows + work->closed_by_rekey, all.source.rows, err);
}
