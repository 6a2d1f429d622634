// Live rows that the source no longer has, on their way from the diff to staging. Where the diff has read hashes from
// an index alone it knows such a row by its key's hash: its place is looked up, reading the live rows' keys once more.
#include <stdlib.h>

#include "yellow/job/job_int.h"
#include "yellow/job/pump.h"

enum { GONE_KEYS_MAX = 1 << 20 }; // that wait for one look

void gone_choose(ds_job *job, ds_work *work)
{
    const ds_shape *shape = work->def->shape;
    bool keyed = !work->rekey && shape->key_count > 0;
    work->gone_by = GONE_BY_PLACE;
    if (keyed && shape->key_is_number)
        work->gone_by = GONE_BY_NUMBER;
    else if (keyed && work->mostly_closed && job->control->db->dialect->include)
        work->gone_by = GONE_BY_HASH;
}

static int by_hash(const void *x, const void *y)
{
    const ds_hash *a = x, *b = y;
    if (a->low != b->low)
        return a->low < b->low ? -1 : 1;
    return (a->high > b->high) - (a->high < b->high);
}

static ds_rc stage_those(ds_gone *gone, const ds_rows *chunk, size_t *found, ds_error *err)
{
    for (size_t i = 0; i < chunk->n; i++) {
        if (!bsearch(&chunk->key_hash[i], gone->keys, gone->n, sizeof *gone->keys, by_hash))
            continue;
        ++*found;
        TRY(staging_add_gone(gone->job, gone->work, chunk->locator[i], err));
    }
    return DS_DONE;
}

static ds_rc stage_all(ds_gone *gone, ds_pump *live, size_t *found, ds_error *err)
{
    for (;;) {
        ds_rows *chunk;
        TRY(pump_next(live, &chunk, err));
        if (!chunk)
            return DS_DONE;
        ds_rc rc = stage_those(gone, chunk, found, err);
        pump_recycle(live, chunk);
        TRY(rc);
        TRY(lease_check(gone->job, err));
    }
}

static ds_rc look(ds_gone *gone, ds_error *err)
{
    ds_job *job = gone->job;
    const ds_shape *key = shape_of_key(job->arena, gone->work->def->shape);
    qsort(gone->keys, gone->n, sizeof *gone->keys, by_hash);
    CLEANUP(sql_release) ds_sql q = sql_new(job->live->dialect);
    ingest_live_select(job, gone->work, key, false, true, &q);
    ds_read read = {.select = &q, .shape = key, .has_locator = true, .salvage = true, .key_seed = job->key_seed};
    CLEANUP(pump_closep) ds_pump *live = NULL;
    TRY(pump_open(job->live, &read, 0, &live, err));
    size_t found = 0;
    TRY(stage_all(gone, live, &found, err));
    if (found != gone->n)
        return ds_fail(err, DS_INTERNAL, "%s: %zu live rows to delete, but %zu found", gone->work->def->name, gone->n,
                       found);
    gone->n = 0;
    return DS_DONE;
}

static ds_rc add_key(ds_gone *gone, ds_hash key, ds_error *err)
{
    if (gone->n == gone->cap) {
        gone->cap = gone->cap ? gone->cap * 2 : 1024;
        gone->keys = realloc(gone->keys, gone->cap * sizeof *gone->keys);
        if (!gone->keys)
            BUG("out of memory");
    }
    gone->keys[gone->n++] = key;
    return gone->n == GONE_KEYS_MAX ? look(gone, err) : DS_DONE;
}

ds_rc gone_add(ds_gone *gone, ds_hash key, int64_t locator, ds_error *err)
{
    switch (gone->work->gone_by) {
    case GONE_BY_PLACE:
        return staging_add_gone(gone->job, gone->work, locator, err);
    case GONE_BY_NUMBER:
        return staging_add_gone(gone->job, gone->work, (int64_t)key.high, err);
    case GONE_BY_HASH:
        return add_key(gone, key, err);
    }
    BUG("gone by %d", (int)gone->work->gone_by);
}

ds_rc gone_end(ds_gone *gone, ds_error *err)
{
    return gone->n ? look(gone, err) : DS_DONE;
}

void gone_release(ds_gone *gone)
{
    free(gone->keys);
    *gone = (ds_gone){0};
}
