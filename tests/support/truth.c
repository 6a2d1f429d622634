#include "support/truth.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yellow/control/lock.h"

typedef struct truth {
    ds_control *control;
    ds_db *db;
    const ds_stream_def *def;
    ds_arena *arena;
    ds_buf broken;
} truth;

__attribute__((format(printf, 2, 3))) static void say(truth *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char line[500];
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    buf_printf(&t->broken, "%s\n", line);
}

static ds_result query(truth *t, const ds_sql *q)
{
    ds_result r;
    ds_error err;
    if (store_query(t->db, q, t->arena, &r, &err).code != DS_OK)
        BUG("%s: %s", buf_text(&q->text), err.text);
    return r;
}

static int64_t number(truth *t, ds_sql *q)
{
    ds_result r = query(t, q);
    int64_t n = r.rows ? result_int(&r, 0, 0) : 0;
    sql_clear(q);
    return n;
}

static bool exists(truth *t, ds_relation relation)
{
    const ds_catalog_table *table;
    ds_error err;
    if (store_describe(t->db, t->arena, relation, &table, &err).code != DS_OK)
        BUG("describe: %s", err.text);
    return table != NULL;
}

// --- batches

static void check_sequence(truth *t, const ds_batch_row *batches, size_t n)
{
    for (size_t i = 0; i < n; i++) { // newest first
        bool committed = strcmp(batches[i].status, "committed") == 0;
        if (!t->def->primary && batches[i].id != (int64_t)(n - i))
            say(t, "batch %" PRId64 " stands where %zu should", batches[i].id, n - i);
        if (i > 0 && !committed)
            say(t, "batch %" PRId64 " is open, and not the newest", batches[i].id);
        if (committed != (batches[i].committed_at != 0))
            say(t, "batch %" PRId64 " is %s, committed_at says otherwise", batches[i].id, batches[i].status);
        if (committed && batches[i].error)
            say(t, "batch %" PRId64 " is committed and has the error \"%s\"", batches[i].id, batches[i].error);
        if (i > 0 && batches[i - 1].committed_at && batches[i - 1].committed_at <= batches[i].committed_at)
            say(t, "batch %" PRId64 " was not committed after %" PRId64, batches[i - 1].id, batches[i].id);
    }
}

// --- one dataset

static int64_t staged_rows(truth *t, const ds_dataset_def *d, int64_t batch)
{
    if (!exists(t, d->staging))
        return 0;
    CLEANUP(sql_release) ds_sql q = sql_new(t->db->dialect);
    SQL(&q, "SELECT count(*) FROM ");
    sql_relation(&q, d->staging);
    SQL(&q, " WHERE ds_batch_id = ");
    sql_int(&q, batch);
    return number(t, &q);
}

typedef struct recorded {
    bool any, first_load;
    int64_t staged_rows;
} recorded;

static recorded recorded_of(truth *t, const ds_dataset_def *d, int64_t batch)
{
    CLEANUP(sql_release) ds_sql q = sql_new(t->db->dialect);
    SQL(&q, "SELECT first_load, staged_rows FROM ");
    sql_relation(&q, t->control->names.dataset_batch);
    SQL(&q, " WHERE stream = ");
    sql_text(&q, t->def->name);
    SQL(&q, " AND batch_id = ");
    sql_int(&q, batch);
    SQL(&q, " AND dataset = ");
    sql_text(&q, d->name);
    ds_result r = query(t, &q);
    if (r.rows == 0)
        return (recorded){0};
    return (recorded){true, result_int(&r, 0, 0) != 0, result_int(&r, 0, 1)};
}

static int64_t versions_of_batch(truth *t, const ds_dataset_def *d, int64_t batch)
{
    CLEANUP(sql_release) ds_sql q = sql_new(t->db->dialect);
    SQL(&q, "SELECT count(*) FROM ");
    sql_relation(&q, d->merge);
    SQL(&q, " WHERE ds_batch_in >= ");
    sql_int(&q, batch);
    return number(t, &q);
}

static ds_fingerprint live_rows(truth *t, const ds_dataset_def *d)
{
    CLEANUP(sql_release) ds_sql q = sql_new(t->db->dialect);
    SQL(&q, "SELECT ds_row_hash FROM ");
    sql_relation(&q, d->merge);
    if (def_has_out(t->def)) {
        SQL(&q, " WHERE ds_batch_out = ");
        sql_literal_int(&q, BATCH_LIVE);
    }
    ds_result r = query(t, &q);
    ds_fingerprint sum = {0};
    for (size_t i = 0; i < r.rows; i++) {
        ds_fingerprint one;
        if (!fingerprint_parse(1, result_text(&r, i, 0), &one))
            say(t, "%s: a row hash is damaged", d->name);
        fingerprint_add(&sum, one.sum);
    }
    return sum;
}

static void check_live(truth *t, const ds_dataset_def *d)
{
    ds_dataset_state state;
    ds_error err;
    if (control_dataset_state(t->control, t->def->name, d->name, t->arena, &state, &err).code != DS_OK)
        BUG("%s", err.text);
    if (state.batch == 0)
        return; // its rows, if any, are of a first load that nobody sees
    ds_fingerprint live = live_rows(t, d);
    if (!fingerprint_eq(live, state.fingerprint))
        say(t, "%s: %" PRId64 " live rows, recorded %" PRId64 " (or another sum)", d->name, live.rows,
            state.fingerprint.rows);
}

static void check_staging(truth *t, const ds_dataset_def *d, const ds_batch_row *newest, bool committed)
{
    recorded r = recorded_of(t, d, newest->id);
    int64_t rows = staged_rows(t, d, newest->id);
    if (staged_rows(t, d, newest->id + 1))
        say(t, "%s: staging holds rows of a batch that isn't there", d->name);
    if (strcmp(newest->status, "started") == 0 && rows)
        say(t, "%s: %" PRId64 " staging rows in started", d->name, rows);
    if (!committed && strcmp(newest->status, "merging") != 0 && r.any)
        say(t, "%s: dataset_batch is written in %s", d->name, newest->status);
    if ((committed || strcmp(newest->status, "merging") == 0) && rows != (r.any ? r.staged_rows : 0))
        say(t, "%s: %" PRId64 " staging rows in %s, recorded %" PRId64, d->name, rows, newest->status,
            r.any ? r.staged_rows : 0);
}

static void check_visible(truth *t, const ds_dataset_def *d, const ds_batch_row *newest)
{
    ds_dataset_state state;
    ds_error err;
    if (control_dataset_state(t->control, t->def->name, d->name, t->arena, &state, &err).code != DS_OK)
        BUG("%s", err.text);
    if (state.batch && versions_of_batch(t, d, newest->id))
        say(t, "%s: versions of batch %" PRId64 " are there while it is %s", d->name, newest->id, newest->status);
}

// Two versions of a key whose intervals meet, or one that ends before it begins.
static void check_intervals(truth *t, const ds_dataset_def *d)
{
    if (t->def->milestoning != MILESTONING_SCD2 || d->shape->key_count == 0)
        return;
    CLEANUP(sql_release) ds_sql q = sql_new(t->db->dialect);
    SQL(&q, "SELECT count(*) FROM ");
    sql_relation(&q, d->merge);
    SQL(&q, " AS a JOIN ");
    sql_relation(&q, d->merge);
    SQL(&q, " AS b ON ");
    sql_key_match(&q, "a", "b", d->shape);
    SQL(&q, " AND a.ds_batch_in < b.ds_batch_in AND a.ds_batch_out >= b.ds_batch_in");
    if (number(t, &q))
        say(t, "%s: intervals of a key overlap", d->name);
    SQL(&q, "SELECT count(*) FROM ");
    sql_relation(&q, d->merge);
    SQL(&q, " WHERE ds_batch_in > ds_batch_out");
    if (number(t, &q))
        say(t, "%s: a version ends before it begins", d->name);
}

// A load outside any batch: its rows are those that it counts, and its dataset was never committed.
static bool check_restart(truth *t, const ds_dataset_def *d)
{
    ds_restart *restarts;
    size_t n;
    ds_error err;
    ds_dataset_state state;
    if (control_restarts(t->control, t->def->name, t->arena, &restarts, &n, &err).code != DS_OK ||
        control_dataset_state(t->control, t->def->name, d->name, t->arena, &state, &err).code != DS_OK)
        BUG("%s", err.text);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(restarts[i].dataset, d->name) != 0)
            continue;
        if (state.batch)
            say(t, "%s: a restart point is left of a load that has committed", d->name);
        int64_t rows = versions_of_batch(t, d, 0);
        if (rows != restarts[i].rows_loaded)
            say(t, "%s: %" PRId64 " rows are there, the restart point says %" PRId64, d->name, rows,
                restarts[i].rows_loaded);
        return true;
    }
    return false;
}

// A row that is the lease itself may outlive its owner, who was killed behind the commit: the next one takes it over.
static void check_lease(truth *t)
{
    if (lock_by_rows(t->db))
        return;
    CLEANUP(sql_release) ds_sql q = sql_new(t->db->dialect);
    SQL(&q, "SELECT count(*) FROM ");
    sql_relation(&q, t->control->names.lease);
    SQL(&q, " WHERE stream = ");
    sql_text(&q, t->def->name);
    if (number(t, &q))
        say(t, "the lease row outlived the commit");
}

static void check_all(truth *t)
{
    ds_batch_row *batches;
    size_t n;
    ds_error err;
    if (control_batches(t->control, t->def->name, 1000000, t->arena, &batches, &n, &err).code != DS_OK)
        BUG("%s", err.text);
    check_sequence(t, batches, n);
    bool loading = false;
    for (size_t i = 0; i < t->def->dataset_count; i++)
        loading |= check_restart(t, &t->def->datasets[i]);
    if (n == 0)
        return;
    bool committed = strcmp(batches[0].status, "committed") == 0;
    if (committed && !loading)
        check_lease(t);
    for (size_t i = 0; i < t->def->dataset_count; i++) {
        const ds_dataset_def *d = &t->def->datasets[i];
        check_live(t, d);
        check_staging(t, d, &batches[0], committed);
        if (!committed)
            check_visible(t, d, &batches[0]);
        check_intervals(t, d);
    }
}

const char *truth_broken(const ds_runtime *runtime, const ds_container_def *merge, const ds_stream_def *def,
                         ds_arena *arena)
{
    CLEANUP(control_closep) ds_control *control = NULL;
    ds_error err;
    if (control_open(runtime, merge, CONTROL_READ, &control, &err).code != DS_OK)
        BUG("truth: %s", err.text);
    truth t = {.control = control, .db = control->db, .def = def, .arena = arena, .broken = BUF_INIT(1 << 16)};
    if (store_begin(t.db, BEGIN_READ, &err).code != DS_OK)
        BUG("truth: %s", err.text);
    check_all(&t);
    store_rollback(t.db);
    const char *text = arena_strdup(arena, buf_text(&t.broken));
    buf_release(&t.broken);
    return text;
}
