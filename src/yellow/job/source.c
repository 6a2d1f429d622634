// The source of a batch: one snapshot over all its tables, held against TRUNCATE and ALTER, read on one connection or
// on several that share it.
//
// With several readers, tables of ordinary size are read ahead: reader r opens every r-th of them and fetches its first
// chunk, which for most is all there is, while the batch works on the table before. Large ones come last, one at a
// time, each in as many ranges of pages as there are readers.
#include <pthread.h>
#include <stdlib.h>

#include "yellow/job/job_int.h"
#include "yellow/job/key_range.h"
#include "yellow/job/pump.h"
#include "yellow/job/transform.h"
#include "yellow/tables/roles.h"

enum {
    READERS_MAX = PUMP_PARTS_MAX,
    SPLIT_PAGES = 4096,    // a table of fewer is not worth splitting
    SPLIT_ROWS = 200000,   // nor is one that had fewer rows the last time
    SPLIT_END = INT32_MAX, // pages beyond the last one when it was measured
    EXPECT_ROWS = 1000,    // so few the last time: it may be asked for together with others
    EXPECT_MAX = 64,
};

// What reading ahead has for a dataset. Guarded by ds_source.lock.
typedef struct ahead {
    bool ready;    // opened, or it could not be
    bool taken;    // the batch works on it; only the batch's thread looks at this
    bool released; // and is done with it: the reader may go on
    ds_pump *pump;
    ds_rc rc;
    ds_error err;
} ahead;

typedef struct reader {
    ds_source *source;
    ds_db *db;
    size_t place; // it reads ahead every so-manieth dataset, from this one on
    pthread_t thread;
    bool started;
} reader;

struct ds_source {
    ds_job *job;
    const ds_stream_def *def; // that it was made for
    reader readers[READERS_MAX];
    size_t n;
    const char *role;                // as which a transformer's SQL runs; NULL: as who we are
    const ds_catalog_table **tables; // of each dataset; NULL for a transformer's
    size_t *order;                   // datasets in the order in which they are read: first those that are read ahead
    size_t *place;                   // of each dataset in that order
    size_t ahead_count;
    size_t expected; // place of the first that was not considered for being asked for beforehand
    int64_t *pages;  // of each dataset that is read in ranges, else 0
    ds_rate *rate;   // NULL: as fast as it goes
    pthread_mutex_t lock;
    pthread_cond_t changed;
    ahead *ahead; // by place in the order
    bool stop;    // guarded by lock
};

// --- opening

static const ds_container_def *container_of_source(const ds_job *job)
{
    if (job->exchange)
        return command_container(job);
    return job->def->workspace ? job->control->merge : &job->def->source;
}

// It connects in the background: the first use is a while away, or several are opened.
static ds_rc open_reader(ds_source *source, ds_error *err)
{
    ds_job *job = source->job;
    reader *r = &source->readers[source->n];
    ds_access access = {.read_only = true, .later = true};
    *r = (reader){.source = source, .place = source->n};
    TRY(runtime_open(job->runtime, container_of_source(job), access, &r->db, err));
    source->n++;
    return DS_DONE;
}

static ds_relation relation_of(const ds_dataset_def *dataset)
{
    return (ds_relation){dataset->source_schema, dataset->source_table};
}

// The datasets' own tables, in their order, then a primary's histories; none for a transformer.
static ds_relation *relations(const ds_job *job, size_t *n)
{
    ds_relation *out = ARENA_ARRAY(job->arena, ds_relation, 2 * job->work_count);
    *n = job->def->workspace ? 0 : job->work_count;
    for (size_t i = 0; i < *n; i++)
        out[i] = relation_of(job->work[i].def);
    for (size_t i = 0, count = *n; i < count; i++)
        if (job->work[i].def->source_history.name)
            out[(*n)++] = job->work[i].def->source_history;
    return out;
}

static ds_rc missing(const ds_job *job, const ds_dataset_def *dataset, ds_error *err)
{
    ds_rc rc = ds_fail(err, DS_FINDING, "dataset %s: source table \"%s\" is missing in %s", dataset->name,
                       dataset->source_table, job->def->source.name);
    if (job->def->primary)
        return ds_hint(rc, err, "apply the platform service of its primary, stream %s", job->def->primary);
    return ds_hint(rc, err, "create it, or correct `source:` of dataset %s", dataset->name);
}

// A table that can't be held may not be there at all, which is the better message.
static ds_rc find_missing(ds_source *source, const ds_relation *tables, size_t n, ds_rc rc, ds_error *err)
{
    ds_error ignored;
    const ds_catalog_table **found = ARENA_ARRAY(source->job->arena, const ds_catalog_table *, n);
    if (rc.code != DS_FINDING ||
        store_describe_all(source->readers[0].db, source->job->arena, tables, n, found, &ignored).code != DS_OK)
        return rc;
    for (size_t i = 0; i < source->job->work_count && i < n; i++)
        if (!found[i])
            return missing(source->job, source->job->work[i].def, err);
    return rc;
}

static ds_rc check_columns(const ds_job *job, const ds_dataset_def *dataset, const ds_catalog_table *table,
                           ds_error *err)
{
    for (size_t i = 0; i < dataset->shape->n; i++) {
        const ds_shape_column *column = &dataset->shape->columns[i];
        const char *wanted = job->def->primary ? column->name : column->source;
        bool found = false;
        for (size_t k = 0; k < table->n && !found; k++)
            found = str_eq_nocase(str_of(table->columns[k].name), str_of(wanted));
        if (found)
            continue;
        ds_rc rc = ds_fail(err, DS_FINDING, "dataset %s: source column changed: table \"%s\" has no column \"%s\"",
                           dataset->name, dataset->source_table, wanted);
        if (job->def->primary)
            return ds_hint(rc, err, "apply the platform service of its primary, stream %s", job->def->primary);
        return ds_hint(rc, err, "bring the source back, or change dataset %s in the model and apply", dataset->name);
    }
    return DS_DONE;
}

// Is the source what apply recorded? One look at the catalogue for all datasets, in the snapshot's transaction.
static ds_rc check_tables(ds_source *source, const ds_relation *tables, ds_error *err)
{
    const ds_job *job = source->job;
    size_t n = job->def->workspace ? 0 : job->work_count;
    TRY(store_describe_all(source->readers[0].db, job->arena, tables, n, source->tables, err));
    for (size_t i = 0; i < n; i++) {
        if (!source->tables[i])
            return missing(job, job->work[i].def, err);
        TRY(check_columns(job, job->work[i].def, source->tables[i], err));
    }
    return DS_DONE;
}

static ds_rc begin_transformer(ds_source *source, ds_error *err)
{
    ds_job *job = source->job;
    ds_db *db = source->readers[0].db;
    TRY(lease_mark(job, db, err));
    return role_transformer_find(db, job->def, job->arena, &source->role, err);
}

static ds_rc begin_leader(ds_source *source, ds_error *err)
{
    size_t n;
    const ds_relation *tables = relations(source->job, &n);
    ds_rc rc = store_begin_snapshot(source->readers[0].db, &(ds_snapshot){.tables = tables, .n = n}, err);
    if (rc.code != DS_OK)
        return find_missing(source, tables, n, rc, err);
    if (source->job->def->workspace) // it reads the merge database
        TRY(begin_transformer(source, err));
    return check_tables(source, tables, err);
}

static size_t readers_wanted(const ds_job *job)
{
    int64_t wanted = job->def->workers;
    bool several = wanted > 1 && !job->def->workspace && !job->def->primary;
    return !several ? 1 : wanted < READERS_MAX ? (size_t)wanted : READERS_MAX;
}

static ds_rc begin_others(ds_source *source, ds_error *err)
{
    ds_db *leader = source->readers[0].db;
    size_t wanted = readers_wanted(source->job);
    if (wanted == 1 || !leader->driver->snapshot_share)
        return DS_DONE;
    ds_snapshot snapshot = {0}; // held by each: a lock may be waited for
    snapshot.tables = relations(source->job, &snapshot.n);
    while (source->n < wanted)
        TRY(open_reader(source, err));
    TRY(leader->driver->snapshot_share(leader, source->job->arena, &snapshot.shared, err));
    for (size_t i = 1; i < wanted; i++)
        TRY(store_begin_snapshot(source->readers[i].db, &snapshot, err));
    return DS_DONE;
}

// --- which way each dataset is read

static ds_rc measure(ds_source *source, size_t i, ds_error *err)
{
    const ds_work *work = &source->job->work[i];
    ds_db *db = source->readers[0].db;
    const ds_catalog_table *table = source->tables[i];
    bool may_be_large = !work->window && (work->first_load || work->state.fingerprint.rows >= SPLIT_ROWS);
    if (source->n == 1 || !db->driver->pages || !table || table->is_split || !may_be_large)
        return DS_DONE;
    int64_t pages;
    TRY(db->driver->pages(db, relation_of(work->def), &pages, err));
    source->pages[i] = pages >= SPLIT_PAGES ? pages : 0;
    return DS_DONE;
}

static ds_rc plan_order(ds_source *source, ds_error *err)
{
    size_t count = source->job->work_count;
    for (size_t i = 0; i < count; i++)
        TRY(measure(source, i, err));
    size_t n = 0;
    for (int large = 0; large < 2; large++) {
        for (size_t i = 0; i < count; i++) {
            if ((source->pages[i] > 0) != large)
                continue;
            source->place[i] = n;
            source->order[n++] = i;
        }
        if (!large && source->n > 1)
            source->ahead_count = n;
    }
    return DS_DONE;
}

// --- one dataset

static void source_select(const ds_dataset_def *dataset, ds_sql *out)
{
    if (dataset->sql) {
        transform_select(dataset, out);
        return;
    }
    SQL(out, "SELECT ");
    sql_columns_to_read(out, dataset->shape, true);
    SQL(out, " FROM ");
    sql_relation(out, relation_of(dataset));
}

static bool is_wanted_whole(const ds_source *source, size_t i)
{
    const ds_work *work = &source->job->work[i];
    const ds_catalog_table *table = source->tables[i];
    return table && table->is_plain && !work->range && !work->window && !work->waiting;
}

// The types of the columns as the catalogue has told them; NULL when it doesn't know them all.
static const uint32_t *type_ids(const ds_shape *shape, const ds_catalog_table *table, uint32_t *out)
{
    for (size_t i = 0; table && i < shape->n; i++) {
        const char *name = shape->columns[shape->hash_order[i]].source;
        out[i] = 0;
        for (size_t k = 0; k < table->n && !out[i]; k++)
            if (strcmp(table->columns[k].name, name) == 0)
                out[i] = table->columns[k].type_id;
        if (!out[i])
            return NULL;
    }
    return table ? out : NULL;
}

static bool never_null(const ds_shape_column *column, const ds_catalog_table *table)
{
    for (size_t i = 0; column && table && i < table->n; i++)
        if (strcmp(table->columns[i].name, column->source) == 0)
            return table->columns[i].not_null;
    return false;
}

// " AND …"
static void and_wanted(const ds_source *source, size_t i, ds_sql *q)
{
    const ds_work *work = &source->job->work[i];
    if (work->window || work->waiting)
        watermark_where(work, never_null(work->watermark, source->tables[i]), q);
}

static void where_wanted(const ds_source *source, size_t i, ds_sql *q)
{
    const ds_work *work = &source->job->work[i];
    if (work->range)
        key_range_where(work->range, q);
    else if (work->window || work->waiting)
        SQL(q, " WHERE 1 = 1");
    and_wanted(source, i, q);
}

static ds_read read_table(const ds_source *source, size_t i, ds_arena *arena)
{
    const ds_job *job = source->job;
    const ds_dataset_def *dataset = job->work[i].def;
    ds_read read = {.shape = dataset->shape, .key_seed = job->key_seed};
    read.type_ids = type_ids(dataset->shape, source->tables[i], ARENA_ARRAY(arena, uint32_t, dataset->shape->n));
    if (!is_wanted_whole(source, i))
        return read;
    ds_relation *plain = ARENA_NEW(arena, ds_relation);
    *plain = relation_of(dataset);
    read.plain = plain;
    return read;
}

static bool was_small(const ds_work *work)
{
    return !work->first_load && work->state.fingerprint.rows <= EXPECT_ROWS;
}

// The dataset at the place and those behind it, as long as they were small: what is large may take its time, and may
// be read twice.
static ds_rc expect(ds_source *source, size_t place, reader *r, ds_arena *arena, ds_error *err)
{
    ds_read reads[EXPECT_MAX];
    size_t n = 0, count = source->job->work_count;
    if (source->n > 1 || source->rate || !r->db->driver->read_expect || place < source->expected)
        return DS_DONE;
    for (; n < EXPECT_MAX && place + n < count; n++) {
        size_t i = source->order[place + n];
        reads[n] = read_table(source, i, arena);
        if (!reads[n].plain || !was_small(&source->job->work[i]))
            break;
    }
    source->expected = place + (n ? n : 1);
    return n ? r->db->driver->read_expect(r->db, reads, n, err) : DS_DONE;
}

static ds_rc open_whole(ds_source *source, size_t i, reader *r, ds_pump **out, ds_error *err)
{
    const ds_job *job = source->job;
    const ds_dataset_def *dataset = job->work[i].def;
    CLEANUP(sql_release) ds_sql q = sql_new(r->db->dialect);
    CLEANUP(arena_freep) ds_arena *arena = arena_new(); // reading ahead is on a thread of its own
    if (job->def->primary) {
        ds_read versions = mirror_read(job, &job->work[i], &q);
        return pump_open_parts(&r->db, &versions, 1, (size_t)job->def->chunk_rows, source->rate, out, err);
    }
    source_select(dataset, &q);
    where_wanted(source, i, &q);
    TRY(expect(source, source->place[i], r, arena, err));
    ds_read read = dataset->sql ? transform_read(job->def, dataset, &q, arena) : read_table(source, i, arena);
    read.select = &q;
    read.role = source->role;
    read.key_seed = job->key_seed;
    return pump_open_parts(&r->db, &read, 1, (size_t)job->def->chunk_rows, source->rate, out, err);
}

static ds_rc open_ranges(ds_source *source, size_t i, ds_pump **out, ds_error *err)
{
    const ds_job *job = source->job;
    const ds_dataset_def *dataset = job->work[i].def;
    ds_sql selects[READERS_MAX];
    ds_read reads[READERS_MAX] = {0};
    ds_db *dbs[READERS_MAX] = {0};
    int64_t n = (int64_t)source->n, pages = source->pages[i];
    for (int64_t k = 0; k < n; k++) {
        dbs[k] = source->readers[k].db;
        selects[k] = sql_new(dbs[k]->dialect);
        source_select(dataset, &selects[k]);
        SQL(&selects[k], " WHERE ");
        sql_locator_range(&selects[k], pages * k / n, k + 1 < n ? pages * (k + 1) / n : SPLIT_END);
        and_wanted(source, i, &selects[k]);
        reads[k] = (ds_read){.select = &selects[k], .shape = dataset->shape, .key_seed = job->key_seed};
    }
    ds_rc rc = pump_open_parts(dbs, reads, (size_t)n, (size_t)job->def->chunk_rows, source->rate, out, err);
    for (int64_t k = 0; k < n; k++)
        sql_release(&selects[k]);
    return rc;
}

// --- reading ahead

// The place in the order of a dataset that is read ahead; ahead_count when it isn't.
static size_t ahead_place(const ds_source *source, size_t i)
{
    return source->place[i] < source->ahead_count ? source->place[i] : source->ahead_count;
}

static bool wait_until_released(ds_source *source, size_t place)
{
    pthread_mutex_lock(&source->lock);
    while (!source->stop && !source->ahead[place].released)
        pthread_cond_wait(&source->changed, &source->lock);
    bool go_on = !source->stop;
    pthread_mutex_unlock(&source->lock);
    return go_on;
}

static void *read_ahead(void *argument)
{
    reader *r = argument;
    ds_source *source = r->source;
    bool go_on = true;
    for (size_t place = r->place; go_on && place < source->ahead_count; place += source->n) {
        ahead *a = &source->ahead[place];
        ds_pump *pump = NULL;
        ds_error err;
        ds_rc rc = open_whole(source, source->order[place], r, &pump, &err);
        pthread_mutex_lock(&source->lock);
        a->rc = rc;
        if (rc.code != DS_OK)
            a->err = err;
        a->pump = pump;
        a->ready = true;
        pthread_cond_broadcast(&source->changed);
        pthread_mutex_unlock(&source->lock);
        go_on = wait_until_released(source, place);
    }
    return NULL;
}

static ds_rc start_ahead(ds_source *source, ds_error *err)
{
    source->ahead = ARENA_ARRAY(source->job->arena, ahead, source->ahead_count);
    for (size_t i = 0; i < source->n && i < source->ahead_count; i++) {
        if (pthread_create(&source->readers[i].thread, NULL, read_ahead, &source->readers[i]) != 0)
            return ds_fail(err, DS_ENV, "can't start a thread");
        source->readers[i].started = true;
    }
    return DS_DONE;
}

static ds_rc take_ahead(ds_source *source, size_t place, ds_pump **out, ds_error *err)
{
    ahead *a = &source->ahead[place];
    pthread_mutex_lock(&source->lock);
    while (!a->ready)
        pthread_cond_wait(&source->changed, &source->lock);
    *out = a->pump;
    a->pump = NULL;
    ds_rc rc = a->rc;
    if (rc.code != DS_OK)
        *err = a->err;
    pthread_mutex_unlock(&source->lock);
    return rc;
}

// --- for the batch

static void source_new(ds_job *job)
{
    ds_source *source = calloc(1, sizeof *source);
    if (!source)
        BUG("out of memory");
    job->source = source;
    source->job = job;
    source->def = job->def;
    pthread_mutex_init(&source->lock, NULL);
    pthread_cond_init(&source->changed, NULL);
}

void source_expect(ds_job *job)
{
    ds_error ignored;      // it is tried again
    if (job->def->command) // nothing is there yet
        return;
    source_new(job);
    ds_ignore(open_reader(job->source, &ignored));
}

static ds_rc find_waiting(ds_source *source, ds_error *err)
{
    ds_job *job = source->job;
    for (size_t i = 0; job->def->newest && i < job->work_count; i++)
        if (job->work[i].watermark)
            TRY(watermark_find_waiting(source->readers[0].db, &job->work[i], job->arena, err));
    return DS_DONE;
}

static ds_rc open_all(ds_source *source, ds_error *err)
{
    ds_job *job = source->job;
    size_t count = job->work_count;
    source->tables = ARENA_ARRAY(job->arena, const ds_catalog_table *, count);
    source->order = ARENA_ARRAY(job->arena, size_t, count);
    source->place = ARENA_ARRAY(job->arena, size_t, count);
    source->pages = ARENA_ARRAY(job->arena, int64_t, count);
    if (job->def->source_rows_per_second)
        source->rate = rate_new(job->def->source_rows_per_second, job->runtime->rate_clock, job->runtime->cancelled);
    if (source->n == 0)
        TRY(open_reader(source, err));
    TRY(begin_leader(source, err));
    TRY(begin_others(source, err));
    TRY(plan_order(source, err));
    TRY(find_waiting(source, err));
    return start_ahead(source, err);
}

ds_rc source_open(ds_job *job, ds_error *err)
{
    if (job->source && job->source->def != job->def) // an apply has changed it meanwhile
        source_close(job);
    if (!job->source)
        source_new(job);
    return ds_context(open_all(job->source, err), err, "source of stream %s", job->def->name);
}

ds_rc source_check(ds_job *job, ds_error *err)
{
    size_t n;
    ds_db *leader = source_leader(job);
    const ds_relation *tables = relations(job, &n);
    if (!leader->driver->snapshot_check || n == 0)
        return DS_DONE;
    return ds_context(leader->driver->snapshot_check(leader, &(ds_snapshot){.tables = tables, .n = n}, err), err,
                      "source of stream %s", job->def->name);
}

size_t source_order(const ds_job *job, size_t place)
{
    return job->source->order[place];
}

ds_db *source_leader(const ds_job *job)
{
    return job->source->readers[0].db;
}

ds_rc source_pump(ds_job *job, const ds_work *work, ds_pump **out, ds_error *err)
{
    ds_source *source = job->source;
    size_t i = (size_t)(work - job->work), place = ahead_place(source, i);
    if (place < source->ahead_count && !source->ahead[place].taken) {
        source->ahead[place].taken = true;
        return take_ahead(source, place, out, err);
    }
    if (source->pages[i])
        return open_ranges(source, i, out, err);
    return open_whole(source, i, &source->readers[place < source->ahead_count ? place % source->n : 0], out, err);
}

void source_release(ds_job *job, const ds_work *work)
{
    ds_source *source = job->source;
    size_t place = ahead_place(source, (size_t)(work - job->work));
    if (place == source->ahead_count)
        return;
    pthread_mutex_lock(&source->lock);
    source->ahead[place].released = true;
    pthread_cond_broadcast(&source->changed);
    pthread_mutex_unlock(&source->lock);
}

static void stop_ahead(ds_source *source)
{
    pthread_mutex_lock(&source->lock);
    source->stop = true;
    pthread_cond_broadcast(&source->changed);
    pthread_mutex_unlock(&source->lock);
    for (size_t i = 0; i < source->n; i++) {
        if (!source->readers[i].started)
            continue;
        source->readers[i].db->driver->cancel(source->readers[i].db);
        pthread_join(source->readers[i].thread, NULL);
    }
    for (size_t i = 0; source->ahead && i < source->ahead_count; i++)
        pump_close(source->ahead[i].pump);
}

void source_close(ds_job *job)
{
    ds_source *source = job->source;
    if (!source)
        return;
    job->source = NULL;
    stop_ahead(source);
    for (size_t i = source->n; i-- > 0;)
        store_close(source->readers[i].db);
    rate_free(source->rate);
    pthread_mutex_destroy(&source->lock);
    pthread_cond_destroy(&source->changed);
    free(source);
}
