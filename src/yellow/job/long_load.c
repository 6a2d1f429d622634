// First loads of very large tables: outside any batch, in ranges of the source's key, each read in a snapshot of its
// own and committed together with a restart point. Meanwhile the stream makes its batches without the dataset. When the
// last range is in and indexed, the next batch compares the dataset with its source, which mends whatever changed since
// its ranges were read; that batch shows it to consumers.
//
//  (no row) ──choose──▶ ranges ──the last one──▶ indexes ──▶ join ──that batch commits──▶ (no row)
//
// What is true in each phase of the row in `restart`:
//   ranges   the merge table holds rows_loaded rows: what the source held up to the point, range by range, at different
//            times; it has no indexes
//   indexes  the same, up to the last row that there was
//   join     the merge table has its indexes, so its keys are unique; the dataset takes part in batches, and no batch
//            with it has committed
// In all of them the dataset's views are stubs. Staging is kept small that way, so a stream that keeps its inputs loads
// within a batch.
//
// Rows of two ranges never have the same key as long as the source's order stays what it is: a row whose key changes in
// between is in both, under two keys, or in none. Should that order change all the same (a collation of the system's
// does, with its library), one row of each key stays, and the comparison finds out whether it was the right one.
#include "base/vec.h"
#include "yellow/job/job_int.h"
#include "yellow/job/key_range.h"
#include "yellow/tables/tables.h"

enum {
    RESTART_ROWS = 20000000,
    RANGE_ROWS = 1000000,
    FIRST_RANGE_ROWS = 50000,   // nothing is known of a row's size yet
    RANGE_BYTES_MAX = 64 << 20, // of a range in memory
    ROW_BYTES = 48,             // of a row in a chunk, besides its own
    CYCLE_MS = 60000,
};

static int64_t or_else(int64_t wanted, int64_t usual)
{
    return wanted > 0 ? wanted : usual;
}

// --- choosing

typedef VEC(ds_restart) restart_list;

static bool may_choose(const ds_job *job, const ds_work *work)
{
    return work->first_load && !work->joins && !job->def->primary && work->def->shape->key_count > 0 &&
           !job->def->workspace && !ingest_keeps_inputs(job);
}

static bool any_may_be_chosen(const ds_job *job)
{
    for (size_t i = 0; i < job->work_count; i++)
        if (may_choose(job, &job->work[i]))
            return true;
    return false;
}

// Is the source large, and has its key an order there?
static ds_rc look_at(ds_job *job, ds_db *db, const ds_dataset_def *dataset, int64_t *estimate, bool *large,
                     ds_error *err)
{
    *large = false;
    TRY(db->driver->rows_estimate(db, (ds_relation){dataset->source_schema, dataset->source_table}, estimate, err));
    if (*estimate <= or_else(job->options->long_loads.restart_rows, RESTART_ROWS))
        return DS_DONE;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_key_range range = {.dataset = dataset};
    ds_rc rc = key_range_find_end(db, &range, 1, arena, err);
    *large = rc.code == DS_OK;
    return rc.code == DS_FINDING ? DS_DONE : rc; // the batch says what is wrong, if anything is
}

static ds_rc find_large(ds_job *job, ds_db *db, restart_list *out, ds_error *err)
{
    for (size_t i = 0; db->driver->rows_estimate && i < job->work_count; i++) {
        const ds_work *work = &job->work[i];
        if (!may_choose(job, work))
            continue;
        int64_t estimate;
        bool large;
        TRY(look_at(job, db, work->def, &estimate, &large, err));
        if (large)
            *VEC_PUSH(job->arena, out) =
                (ds_restart){.dataset = work->def->name, .batch_in = job->batch, .rows_estimate = estimate};
    }
    return DS_DONE;
}

static ds_work *work_named(ds_job *job, const char *dataset)
{
    for (size_t i = 0; i < job->work_count; i++)
        if (strcmp(job->work[i].def->name, dataset) == 0)
            return &job->work[i];
    BUG("no dataset %s in the batch", dataset);
}

static ds_rc write_chosen(ds_job *job, const restart_list *chosen, ds_error *err)
{
    for (size_t i = 0; i < chosen->n; i++) {
        TRY(load_empty(job, work_named(job, chosen->v[i].dataset), err)); // what a load in a batch may have left
        TRY(control_put_restart(job->control, job->def, &chosen->v[i], err));
    }
    TRY(job_prepare_work(job, err));
    return job->work_count ? DS_DONE : batch_withdraw(job, err);
}

ds_rc long_load_choose(ds_job *job, ds_error *err)
{
    if (!any_may_be_chosen(job))
        return DS_DONE;
    CLEANUP(store_closep) ds_db *db = NULL;
    restart_list chosen = {0};
    source_close(job); // one connection at a time: the container may have a cap
    ds_rc rc = runtime_open(job->runtime, &job->def->source, (ds_access){.read_only = true}, &db, err);
    if (rc.code == DS_OK)
        rc = find_large(job, db, &chosen, err);
    TRY(ds_context(rc, err, "source of stream %s", job->def->name));
    store_closep(&db);
    source_expect(job);
    if (chosen.n == 0)
        return DS_DONE;
    int64_t batch = job->batch;
    TRY(lease_begin(job, err));
    rc = lease_end(job, write_chosen(job, &chosen, err), err);
    if (rc.code != DS_OK)
        job->batch = batch;
    job_checkpoint(job, "long:chosen");
    return rc;
}

// --- one range

// The work on one dataset in this cycle.
typedef struct loader {
    ds_job *job;
    ds_long_load *load;
    ds_stream_def def; // the stream with one reader
    ds_job reading;    // the job with this dataset alone, for its source
    ds_arena *arena;   // of one range
    ds_key_range range;
    int64_t rows_wanted; // in the next range
    VEC(ds_rows *) chunks;
    int64_t rows, bytes; // in chunks
    int64_t rows_before; // loaded before this cycle
} loader;

static void loader_init(loader *l, ds_job *job, ds_long_load *load)
{
    *l = (loader){.job = job, .load = load, .def = *job->def, .reading = *job, .arena = arena_new()};
    l->def.workers = 1;
    l->reading.def = &l->def;
    l->reading.work = &load->work;
    l->reading.work_count = 1;
    l->reading.arena = l->arena;
    l->rows_before = load->restart.rows_loaded;
    int64_t most = or_else(job->options->long_loads.range_rows, RANGE_ROWS);
    l->rows_wanted = most < FIRST_RANGE_ROWS ? most : FIRST_RANGE_ROWS;
    load->work.range = &l->range;
    load->work.state.fingerprint.rows -= l->rows_before; // what is left, for the progress
}

static void drop_chunks(loader *l)
{
    for (size_t i = 0; i < l->chunks.n; i++)
        pump_chunk_free(l->chunks.v[i]);
    l->chunks.n = 0;
    l->rows = l->bytes = 0;
}

static void loader_release(loader *l)
{
    source_close(&l->reading);
    drop_chunks(l);
    arena_free(l->arena);
}

// Ready for the next range.
static void loader_clear(loader *l)
{
    source_close(&l->reading);
    drop_chunks(l);
    l->chunks.v = NULL;
    l->chunks.cap = 0;
    arena_clear(l->arena);
}

// All rows of the range; *fits is false when they are too many bytes, and some are missing.
static ds_rc collect(loader *l, bool *fits, ds_error *err)
{
    CLEANUP(pump_closep) ds_pump *pump = NULL;
    TRY(source_pump(&l->reading, &l->load->work, &pump, err));
    for (*fits = true; *fits;) {
        TRY(lease_check(l->job, err));
        ds_rows *chunk;
        TRY(pump_next(pump, &chunk, err));
        if (!chunk)
            return DS_DONE;
        *VEC_PUSH(l->arena, &l->chunks) = chunk;
        l->rows += (int64_t)chunk->n;
        l->bytes += (int64_t)(chunk->bytes.n + chunk->n * ROW_BYTES);
        job_report(l->job, &l->load->work, l->load->restart.rows_loaded + l->rows - l->rows_before, false);
        *fits = l->bytes <= RANGE_BYTES_MAX || l->rows_wanted == 1;
    }
    return DS_DONE;
}

// In one snapshot: where the range ends, so that its rows have room in memory, and its rows.
static ds_rc read_range(loader *l, ds_error *err)
{
    TRY(source_open(&l->reading, err));
    l->range = (ds_key_range){.dataset = l->load->work.def, .after = l->load->restart.last};
    for (bool fits = false; !fits;) {
        drop_chunks(l);
        TRY(key_range_find_end(source_leader(&l->reading), &l->range, l->rows_wanted, l->arena, err));
        TRY(collect(l, &fits, err));
        if (!fits)
            l->rows_wanted = (l->rows + 1) / 2;
    }
    source_close(&l->reading);
    return DS_DONE;
}

// Kept for as long as the job.
static const char *const *copy_values(ds_arena *arena, const char *const *values, size_t n)
{
    const char **out = ARENA_ARRAY(arena, const char *, n);
    for (size_t i = 0; i < n; i++)
        out[i] = arena_strdup(arena, values[i]);
    return out;
}

static ds_restart restart_after(const loader *l)
{
    ds_restart out = l->load->restart;
    out.rows_loaded += l->rows;
    if (l->range.upto) {
        out.last_count = l->load->work.def->shape->key_count;
        out.last = copy_values(l->job->arena, l->range.upto, out.last_count);
    } else {
        out.phase = RESTART_INDEXES;
    }
    return out;
}

static ds_rc write_range(loader *l, const ds_restart *after, ds_error *err)
{
    const ds_restart *before = &l->load->restart;
    TRY(load_write(l->job, &l->load->work, before->batch_in, l->chunks.v, l->chunks.n, err));
    return control_put_restart(l->job->control, l->job->def, after, err);
}

// Larger ranges where rows turn out to be small.
static void want_more(loader *l)
{
    int64_t most = or_else(l->job->options->long_loads.range_rows, RANGE_ROWS);
    if (l->bytes < RANGE_BYTES_MAX / 3)
        l->rows_wanted = 2 * l->rows_wanted < most ? 2 * l->rows_wanted : most;
}

static ds_rc load_range(loader *l, ds_error *err)
{
    TRY(read_range(l, err));
    ds_restart after = restart_after(l);
    TRY(lease_begin(l->job, err));
    TRY(lease_end(l->job, write_range(l, &after, err), err));
    l->load->restart = after;
    want_more(l);
    loader_clear(l);
    job_checkpoint(l->job, "long:range");
    return DS_DONE;
}

// --- indexes

static ds_rc index_rows(loader *l, ds_restart *after, ds_error *err)
{
    ds_job *job = l->job;
    const ds_dataset_def *dataset = l->load->work.def;
    TRY(table_create_indexes(job->control, job->def, dataset, err));
    TRY(store_analyze(job->control->db, dataset->merge, dataset->shape, NULL, 0, err));
    after->phase = RESTART_JOIN;
    return control_put_restart(job->control, job->def, after, err);
}

// DELETE FROM merge WHERE place IN (…): all rows of a key but the one that came last.
static void delete_copies(const ds_dataset_def *dataset, ds_sql *q)
{
    const ds_shape *shape = dataset->shape;
    SQL(q, "DELETE FROM ");
    sql_relation(q, dataset->merge);
    SQL(q, " WHERE ");
    sql_locator(q, NULL);
    SQL(q, " IN (SELECT c.ds_place FROM (SELECT ");
    sql_locator(q, NULL);
    SQL(q, " AS ds_place, row_number() OVER (PARTITION BY ");
    for (size_t i = 0; i < shape->key_count; i++) {
        if (i)
            SQL(q, ", ");
        sql_ident(q, shape->columns[shape->key[i]].name);
    }
    SQL(q, " ORDER BY ");
    sql_locator(q, NULL);
    SQL(q, " DESC) AS ds_nth FROM ");
    sql_relation(q, dataset->merge);
    SQL(q, ") AS c WHERE c.ds_nth > 1)");
}

static ds_rc index_without_copies(loader *l, ds_restart *after, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(l->job->control->db->dialect);
    delete_copies(l->load->work.def, &q);
    int64_t deleted = 0;
    TRY(store_exec(l->job->control->db, &q, &deleted, err));
    after->rows_loaded -= deleted;
    return index_rows(l, after, err);
}

static ds_rc index_in_lane(loader *l, ds_restart *after, ds_error *err)
{
    TRY(lease_begin_long(l->job, err));
    ds_rc rc = lease_end_long(l->job, index_rows(l, after, err), err);
    if (rc.code != DS_FINDING)
        return rc;
    TRY(lease_begin_long(l->job, err)); // two rows have one key
    return lease_end_long(l->job, index_without_copies(l, after, err), err);
}

static ds_rc build_indexes(loader *l, ds_error *err)
{
    ds_restart after = l->load->restart;
    TRY(lane_enter(l->job, INT64_MAX, err));
    ds_rc rc = index_in_lane(l, &after, err);
    lane_leave(l->job, INT64_MAX);
    TRY(rc);
    l->load->restart = after;
    job_report(l->job, &l->load->work, after.rows_loaded - l->rows_before, true);
    job_checkpoint(l->job, "long:indexed");
    return DS_DONE;
}

// --- a cycle

typedef struct budget {
    const ds_long_load_options *options;
    double until_s;
    int units;
} budget;

// One unit is done in any case: otherwise a load might never end.
static bool used_up(const budget *b)
{
    if (b->options->cycle_units)
        return b->units >= b->options->cycle_units;
    return b->units > 0 && clock_elapsed_s() >= b->until_s;
}

static ds_rc advise(const ds_work *work, ds_rc rc, ds_error *err)
{
    rc = ds_context(rc, err, "dataset %s", work->def->name);
    if (rc.code != DS_FINDING || err->hint[0])
        return rc;
    return ds_hint(rc, err, "correct the source, or the column in the model; the load goes on where it stopped");
}

static ds_rc load_dataset_ranges(ds_job *job, ds_long_load *load, budget *b, ds_error *err)
{
    loader l;
    loader_init(&l, job, load);
    ds_rc rc = DS_DONE;
    for (; rc.code == DS_OK && load->restart.phase != RESTART_JOIN && !used_up(b); b->units++)
        rc = load->restart.phase == RESTART_RANGES ? load_range(&l, err) : build_indexes(&l, err);
    loader_release(&l);
    return advise(&load->work, rc, err);
}

static void report_begin(const ds_job *job)
{
    int64_t total = 0;
    for (size_t i = 0; i < job->load_count; i++)
        total += job->loads[i].restart.rows_estimate - job->loads[i].restart.rows_loaded;
    job_tell(job, &(ds_progress_event){.stream = job->def->name,
                                       .datasets = job->load_count,
                                       .total = total > 0 ? total : 0});
}

static ds_rc load_all(ds_job *job, ds_error *err)
{
    const ds_long_load_options *options = &job->options->long_loads;
    budget b = {.options = options, .until_s = clock_elapsed_s() + (double)or_else(options->cycle_ms, CYCLE_MS) / 1e3};
    report_begin(job);
    for (size_t i = 0; i < job->load_count && !used_up(&b); i++)
        TRY(load_dataset_ranges(job, &job->loads[i], &b, err));
    return DS_DONE;
}

// The commit of the batch took away what tells others who holds the stream.
static ds_rc put_notice(ds_job *job, ds_error *err)
{
    if (lock_by_rows(job->control->db))
        return DS_DONE;
    TRY(lease_begin(job, err));
    return lease_end(job, lock_notice_put(job->control, job->def->name, err), err);
}

static ds_rc end_cycle(ds_job *job, const ds_error *failure, ds_error *err)
{
    TRY(lease_forget(job, err));
    if (!failure || failure->code == DS_CANCELLED)
        return DS_DONE;
    return control_fail_between(job->control, job->def->name, failure->text, err);
}

// No batch stands for this work: its failure is an event. Best effort, as for a batch.
static void record_failure(ds_job *job, const ds_error *failure)
{
    ds_error ignored;
    if (job->merge_busy || lease_begin(job, &ignored).code != DS_OK)
        return;
    ds_ignore(lease_end(job, end_cycle(job, failure, &ignored), &ignored));
}

static const char *loads_text(const ds_job *job)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(4096);
    for (size_t i = 0; i < job->load_count; i++) {
        if (i)
            buf_puts(&text, "; ");
        control_restart_text(&job->loads[i].restart, &text);
    }
    return arena_strdup(job->arena, buf_text(&text));
}

static ds_rc run_cycle(ds_job *job, ds_error *err)
{
    TRY(put_notice(job, err));
    TRY(load_all(job, err));
    TRY(lease_begin(job, err));
    return lease_end(job, end_cycle(job, NULL, err), err);
}

ds_rc long_load_cycle(ds_job *job, ds_job_result *out, ds_error *err)
{
    if (job->load_count == 0)
        return DS_DONE;
    if (!job->options->verify) {
        ds_rc rc = run_cycle(job, err);
        if (rc.code != DS_OK) {
            record_failure(job, err);
            return rc;
        }
        out->keep_working = true; // the batch that shows what is loaded comes last
    }
    out->note = loads_text(job);
    return DS_DONE;
}
