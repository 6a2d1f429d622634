// A dataset through the edge diff: both sides are read at the same time, what differs goes to staging, and the guard
// looks at the outcome before anything can be merged.
#include <inttypes.h>

#include "yellow/job/job_int.h"

enum { GUARD_MIN_ROWS = 20 }; // below, only emptying counts

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
    ds_gone gone;
} side;

static ds_rc on_row(void *context, ds_op op, ds_str row, ds_hash hash, int64_t copy, ds_error *err)
{
    side *s = context;
    return staging_add_row(s->job, s->work, op, row, hash, copy, err);
}

static ds_rc on_gone(void *context, ds_hash key, int64_t locator, ds_error *err)
{
    side *s = context;
    return gone_add(&s->gone, key, locator, err);
}

static ds_rc on_gone_copies(void *context, ds_hash hash, int64_t keep, int64_t live, ds_error *err)
{
    side *s = context;
    return staging_add_gone_copies(s->job, s->work, hash, keep, live, err);
}

// Between two chunks that come back from disk.
static ds_rc on_chunk(void *context, ds_error *err)
{
    side *s = context;
    return lease_check(s->job, err);
}

// One side of the diff, chunk by chunk.
typedef struct feed {
    ds_pump *pump;
    ds_rows *chunk; // at hand, taken up to row `at`; NULL: none
    size_t at;
    bool ended;
} feed;

typedef struct both {
    ds_job *job;
    ds_work *work;
    ds_diff *diff;
    feed source, live;
} both;

static ds_rc have_chunk(feed *f, ds_error *err)
{
    if (f->chunk || f->ended)
        return DS_DONE;
    TRY(pump_next(f->pump, &f->chunk, err));
    f->at = 0;
    f->ended = f->chunk == NULL;
    return DS_DONE;
}

static void drop_chunk(feed *f)
{
    if (f->chunk)
        pump_recycle(f->pump, f->chunk);
    f->chunk = NULL;
}

static ds_rc finish_live(both *b, ds_error *err)
{
    TRY(diff_live(b->diff, b->live.chunk, b->live.at, err));
    drop_chunk(&b->live);
    return DS_DONE;
}

static ds_rc finish_source(both *b, ds_error *err)
{
    b->work->counts.bytes += (int64_t)b->source.chunk->bytes.n;
    watermark_see(b->work, b->source.chunk);
    TRY(diff_source(b->diff, b->source.chunk, b->source.at, err));
    drop_chunk(&b->source);
    job_report(b->job, b->work, diff_totals(b->diff)->source.rows, false);
    return DS_DONE;
}

static ds_rc feed_pair(both *b, ds_error *err)
{
    feed *live = &b->live, *source = &b->source;
    TRY(diff_both(b->diff, live->chunk, &live->at, source->chunk, &source->at, err));
    return live->at == live->chunk->n ? finish_live(b, err) : finish_source(b, err);
}

// Goes on with both sides where possible, so that rows that come in about the same order meet at once.
static ds_rc feed_some(both *b, ds_error *err)
{
    bool live_open = !b->live.ended;
    TRY(have_chunk(&b->live, err));
    if (live_open && b->live.ended)
        return diff_live_end(b->diff, err);
    if (!b->live.ended && !diff_wants_source(b->diff))
        return finish_live(b, err);
    TRY(have_chunk(&b->source, err));
    if (b->live.ended)
        return b->source.ended ? DS_DONE : finish_source(b, err);
    return b->source.ended ? finish_live(b, err) : feed_pair(b, err);
}

static ds_rc feed_both(both *b, ds_error *err)
{
    ds_rc rc = DS_DONE;
    while (rc.code == DS_OK && (!b->source.ended || !b->live.ended)) {
        rc = lease_check(b->job, err);
        if (rc.code == DS_OK)
            rc = feed_some(b, err);
    }
    drop_chunk(&b->source);
    drop_chunk(&b->live);
    return rc;
}

// After `resnapshot` stored hashes are not believed.
static bool compares_values(const ds_job *job, const ds_work *work)
{
    return job->resnapshot && !work->rekey;
}

static ds_rc open_live_pump(ds_job *job, ds_work *work, const ds_shape *columns, ds_pump **out, ds_error *err)
{
    TRY(ingest_hold_live(job, err));
    CLEANUP(sql_release) ds_sql q = sql_new(job->live->dialect);
    bool place = work->gone_by == GONE_BY_PLACE;
    ingest_live_select(job, work, columns, true, place, &q);
    ds_read read = {.select = &q,
                    .shape = columns,
                    .has_hash = true,
                    .has_locator = place,
                    .salvage = true,
                    .key_seed = job->key_seed};
    return pump_open(job->live, &read, 0, out, err);
}

static ds_rc feed_diff(ds_job *job, ds_work *work, ds_pump *source, ds_diff *diff, ds_error *err)
{
    CLEANUP(pump_closep) ds_pump *live = NULL;
    bool rehash = compares_values(job, work);
    const ds_shape *columns = rehash ? work->def->shape : shape_of_key(job->arena, work->def->shape);
    TRY(open_live_pump(job, work, columns, &live, err));
    work->counts.bytes = 0;
    return feed_both(&(both){.job = job, .work = work, .diff = diff, .source.pump = source, .live.pump = live}, err);
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

// What waits on disk is settled when neither database is read any more.
static ds_rc diff_dataset(ds_job *job, ds_work *work, ds_pump **source, ds_diff_totals *out, ds_error *err)
{
    side s = {job, work, {.job = job, .work = work}};
    ds_diff_options options = {
        .shape = work->def->shape,
        .expected_rows = work->state.fingerprint.rows,
        .memory_bytes = (size_t)job->def->memory_bytes,
        .want_same = job->def->staging_full,
        .rehash = compares_values(job, work),
        .sink = {&s, on_row, on_gone, on_gone_copies, on_chunk},
    };
    CLEANUP(diff_freep) ds_diff *diff = diff_new(&options);
    TRY(feed_diff(job, work, *source, diff, err));
    pump_closep(source);
    ds_rc rc = diff_finish(diff, err);
    if (rc.code == DS_OK)
        rc = gone_end(&s.gone, err);
    gone_release(&s.gone);
    TRY(rc);
    *out = *diff_totals(diff);
    if (out->check != 0)
        return ds_fail(err, DS_INTERNAL, "%s: the differences found do not add up to the source's fingerprint",
                       work->def->name);
    return DS_DONE;
}

ds_rc compare_dataset(ds_job *job, ds_work *work, ds_pump **source, ds_error *err)
{
    TRY(count_versions(job, work, err));
    gone_choose(job, work);
    ds_diff_totals all;
    TRY(diff_dataset(job, work, source, &all, err));
    TRY(compare_before(job, work, all.live, err));
    work->after = all.source;
    work->counts.read = all.source.rows;
    work->counts.inserted = all.inserted;
    work->counts.updated = all.updated;
    work->counts.deleted = all.deleted + work->closed_by_rekey;
    work->counts.unchanged = all.source.rows - all.inserted - all.updated;
    return guard(job, work, all.live.rows + work->closed_by_rekey, all.source.rows, err);
}
