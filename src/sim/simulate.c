#include "sim/simulate.h"

#include <time.h>

#include "base/clock.h"
#include "model/lookup.h"
#include "sim/simulate_int.h"
#include "platform/database.h"

enum {
    ROWS_KEPT_MIN = 5, // a table is not emptied below that
    CHILDREN_DELETED_MAX = 8,
    OFTEN_CHANGED = 4,
    SEED_ROWS_PER_TX = 500,
    CONFLICTS_MAX = 20, // in a row
};
#define START_US INT64_C(1767225600000000) // 2026-01-01T00:00:00Z
#define TX_US INT64_C(1000000)

// --- a transaction: changes of the database, then of the picture, then of the ledger

static ds_rc begin(sim *s, ds_error *err)
{
    TRY(store_begin(s->db, BEGIN_WRITE, err));
    s->changes = json_array();
    s->inserted = s->updated = s->deleted = 0;
    return DS_DONE;
}

static int64_t pending(const sim *s)
{
    return s->inserted + s->updated + s->deleted;
}

// In real time it is now. Otherwise a second passes with every transaction, so that the same seed gives the same
// ledger.
static int64_t ledger_at(const sim *s)
{
    if (s->options->rate > 0 || s->options->seconds > 0)
        return clock_now_us(s->runtime->clock);
    return START_US + s->ledger.tx * TX_US;
}

static ds_rc finish(sim *s, ds_rc rc, ds_error *err)
{
    if (rc.code != DS_OK || pending(s) == 0)
        store_rollback(s->db);
    else
        rc = store_commit(s->db, err);
    if (rc.code == DS_OK && pending(s))
        rc = ledger_write(&s->ledger, ledger_at(s), s->changes, err);
    json_decref(s->changes);
    s->changes = NULL;
    return rc;
}

static void note_change(sim *s, const sim_table *table, const char *op, ds_str row)
{
    row_cells(table->shape, row, table->cells);
    json_array_append_new(s->changes, ledger_change(table->name, op, table->shape, table->cells, op[0] == 'd'));
}

// --- single changes

static ds_rc insert(sim *s, sim_table *table, const sim_table *parent, ds_str parent_row, bool *done, ds_error *err)
{
    TRY(sim_make_row(s, table, parent, parent_row, done, err));
    if (!*done)
        return DS_DONE;
    ds_str row = rows_row(&s->work, 0);
    TRY(ds_context(sim_insert_row(s, table, row, err), err, "table %s", table->relation.name));
    note_change(s, table, "insert", row);
    sim_table_add(s, table, row);
    s->inserted++;
    return DS_DONE;
}

static ds_rc delete_at(sim *s, sim_table *table, size_t i, ds_error *err)
{
    bool found;
    ds_str row = sim_table_row(table, i);
    TRY(ds_context(sim_delete_row(s, table, row, &found, err), err, "table %s", table->relation.name));
    if (found) {
        note_change(s, table, "delete", row);
        s->deleted++;
    }
    sim_table_remove(s, table, i);
    return DS_DONE;
}

static ds_rc update_at(sim *s, sim_table *table, size_t i, bool *done, ds_error *err)
{
    TRY(sim_change_row(s, table, sim_table_row(table, i), done, err));
    if (!*done)
        return DS_DONE;
    ds_str before = sim_table_row(table, i), after = rows_row(&s->work, 0);
    bool found;
    TRY(ds_context(sim_update_row(s, table, before, after, &found, err), err, "table %s", table->relation.name));
    if (!found) {
        sim_table_remove(s, table, i);
        return DS_DONE;
    }
    if (table->shape->key_count)
        note_change(s, table, "update", after);
    else { // without a key one row goes and another comes
        note_change(s, table, "delete", before);
        note_change(s, table, "insert", after);
    }
    sim_table_replace(table, i, after);
    s->updated++;
    return DS_DONE;
}

// --- groups of changes, as a business makes them

static sim_table *any_child(sim *s, const sim_table *parent)
{
    sim_table *found = NULL;
    uint64_t seen = 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t c = 0; c < s->tables[i].shape->n && &s->tables[i] != parent; c++)
            if (s->tables[i].parents[c] == parent && rng_once_in(&s->rng, ++seen))
                found = &s->tables[i];
    return found;
}

// A new row and, in the same transaction, one or two rows that belong to it.
static ds_rc group_insert(sim *s, sim_table *table, int64_t room, ds_error *err)
{
    bool done;
    TRY(insert(s, table, NULL, (ds_str){0}, &done, err));
    if (!done || !table->is_parent || table->shape->key_count != 1)
        return DS_DONE;
    sim_table *child = any_child(s, table);
    size_t at = table->n - 1;
    int64_t more = rng_range(&s->rng, 0, 2);
    for (int64_t i = 0; child && i < more && pending(s) < room; i++)
        TRY(insert(s, child, table, sim_table_row(table, at), &done, err));
    return DS_DONE;
}

// Are there rows that refer to this one from tables whose rows others refer to? Then the row stays.
static bool deletable(const sim *s, const sim_table *table, ds_str row, int64_t room)
{
    size_t found[CHILDREN_DELETED_MAX + 1];
    size_t total = 0;
    for (size_t i = 0; table->is_parent && i < s->n; i++) {
        const sim_table *child = &s->tables[i];
        size_t n = sim_children(child, table, row, found, CHILDREN_DELETED_MAX + 1);
        if (n && (child->is_parent || child->n < n + ROWS_KEPT_MIN))
            return false;
        total += n;
    }
    return total <= CHILDREN_DELETED_MAX && (int64_t)total < room;
}

// A row and what belongs to it.
static ds_rc group_delete(sim *s, sim_table *table, int64_t room, ds_error *err)
{
    if (table->n <= ROWS_KEPT_MIN)
        return DS_DONE;
    size_t at = rng_below(&s->rng, table->n);
    if (!deletable(s, table, sim_table_row(table, at), room))
        return DS_DONE;
    for (size_t i = 0; table->is_parent && i < s->n; i++) {
        size_t child_row;
        while (sim_children(&s->tables[i], table, sim_table_row(table, at), &child_row, 1))
            TRY(delete_at(s, &s->tables[i], child_row, err));
    }
    return delete_at(s, table, at, err);
}

static ds_rc group_update(sim *s, sim_table *table, ds_error *err)
{
    bool done;
    // Some rows change more often than others.
    uint64_t among = rng_once_in(&s->rng, 2) && table->n > OFTEN_CHANGED ? OFTEN_CHANGED : table->n;
    return update_at(s, table, rng_below(&s->rng, among), &done, err);
}

// Rows that refer to others (orders, addresses) come and go more often than what they refer to.
static sim_table *choose_table(sim *s)
{
    uint64_t total = 0, pick;
    for (int pass = 0;; pass++) {
        pick = pass ? rng_below(&s->rng, total) : 0;
        for (size_t i = 0; i < s->n; i++) {
            bool child = false;
            for (size_t c = 0; c < s->tables[i].shape->n; c++)
                child |= s->tables[i].parents[c] != NULL;
            uint64_t weight = child ? 3 : s->tables[i].is_parent ? 2 : 1;
            if (pass && pick < weight)
                return &s->tables[i];
            total += pass ? 0 : weight;
            pick -= pass ? weight : 0;
        }
    }
}

static ds_rc one_group(sim *s, int64_t room, ds_error *err)
{
    sim_table *table = choose_table(s);
    uint64_t dice = rng_below(&s->rng, 100);
    TRY(begin(s, err));
    ds_rc rc;
    if (dice < 30 || table->n < ROWS_KEPT_MIN)
        rc = group_insert(s, table, room, err);
    else if (dice < 85)
        rc = group_update(s, table, err);
    else
        rc = group_delete(s, table, room, err);
    return finish(s, rc, err);
}

// --- seeding: parents before those that refer to them

static bool parents_seeded(const sim *s, const sim_table *table, const bool *seeded)
{
    for (size_t c = 0; c < table->shape->n; c++)
        if (table->parents[c] && table->parents[c] != table && !seeded[table->parents[c] - s->tables])
            return false;
    return true;
}

// Somebody else, another simulator perhaps, changes the same tables: a key that is taken, or a lock.
static bool is_conflict(ds_rc rc)
{
    return rc.code == DS_BUSY || rc.code == DS_FINDING;
}

static bool seeded_by_others(sim *s, const sim_table *table)
{
    ds_error ignored = {0};
    return sim_read_all(s, &ignored).code == DS_OK && table->n > 0;
}

static ds_rc seed_table(sim *s, sim_table *table, ds_error *err)
{
    int64_t left = table->n ? 0 : s->options->seed_rows;
    while (left > 0 && !runtime_cancelled(s->runtime)) {
        TRY(begin(s, err));
        ds_rc rc = DS_DONE;
        bool done = true;
        for (int i = 0; i < SEED_ROWS_PER_TX && left > 0 && rc.code == DS_OK; i++, left--)
            rc = insert(s, table, NULL, (ds_str){0}, &done, err);
        rc = finish(s, rc, err);
        s->result->seeded += rc.code == DS_OK ? s->inserted : 0;
        if (is_conflict(rc) && seeded_by_others(s, table))
            break;
        TRY(rc);
        if (!done) // no free keys left
            break;
    }
    return DS_DONE;
}

// Where tables refer to each other in a circle, the first of them begins.
static size_t next_to_seed(const sim *s, const bool *seeded)
{
    size_t first = s->n;
    for (size_t i = s->n; i-- > 0;) {
        if (!seeded[i] && parents_seeded(s, &s->tables[i], seeded))
            return i;
        first = seeded[i] ? first : i;
    }
    return first;
}

static ds_rc seed_all(sim *s, ds_error *err)
{
    bool *seeded = ARENA_ARRAY(s->arena, bool, s->n);
    for (size_t i; (i = next_to_seed(s, seeded)) < s->n; seeded[i] = true)
        TRY(seed_table(s, &s->tables[i], err));
    return DS_DONE;
}

// --- the run

static void pause_until(const sim *s, double at_s)
{
    double left_s;
    while ((left_s = at_s - clock_elapsed_s()) > 0 && !runtime_cancelled(s->runtime)) {
        double step_s = left_s < 0.2 ? left_s : 0.2;
        nanosleep(&(struct timespec){.tv_nsec = (long)(step_s * 1e9)}, NULL);
    }
}

// A group of changes; again, with a fresh picture, where others were in the way.
static ds_rc one_group_at_last(sim *s, int64_t room, ds_error *err)
{
    for (int conflicts = 0;; conflicts++) {
        ds_rc rc = one_group(s, room, err);
        if (!is_conflict(rc) || conflicts == CONFLICTS_MAX)
            return rc;
        *err = (ds_error){0};
        TRY(sim_read_all(s, err));
    }
}

static ds_rc change_on(sim *s, ds_error *err)
{
    const ds_simulate_options *o = s->options;
    ds_simulate_result *r = s->result;
    double start_s = clock_elapsed_s();
    int64_t idle = 0;
    for (;;) {
        int64_t done = r->inserted + r->updated + r->deleted;
        double now_s = clock_elapsed_s();
        r->interrupted = runtime_cancelled(s->runtime);
        if (r->interrupted || (o->changes >= 0 && done >= o->changes) ||
            (o->seconds > 0 && now_s - start_s >= o->seconds))
            return DS_DONE;
        if (o->rate > 0)
            pause_until(s, start_s + (double)done / o->rate);
        TRY(one_group_at_last(s, o->changes >= 0 ? o->changes - done : INT64_MAX, err));
        idle = pending(s) ? 0 : idle + 1;
        if (idle > 1000)
            return ds_fail(err, DS_FINDING,
                           "nothing can be changed: the tables have no free keys and no other columns");
        r->transactions += pending(s) > 0;
        r->inserted += s->inserted;
        r->updated += s->updated;
        r->deleted += s->deleted;
    }
}

static ds_rc run(sim *s, const ds_datastore *store, const ds_container_def *source, ds_error *err)
{
    TRY(sim_tables_new(s, store, err));
    TRY(sim_open(s, source, err));
    TRY(ledger_open(s->options->ledger, &s->ledger, err));
    TRY(seed_all(s, err));
    return change_on(s, err);
}

ds_rc simulate_run(const ds_runtime *runtime, const ds_model *model, const ds_datastore *store,
                   const ds_simulate_options *options, ds_simulate_result *out, ds_error *err)
{
    if (store->producer)
        return ds_hint(ds_fail(err, DS_USAGE, "%s is made by the transformer of workspace %s", store->name.s,
                               store->producer->name.s),
                       err, "simulate the stores that the workspace reads");
    const char *name = store->capture.container.s;
    const ds_container *container = name ? map_get(model->container_by_name, name) : NULL;
    if (!container || datastore_dataset_count(store) == 0)
        return ds_fail(err, DS_FINDING, "store %s has no %s", store->name.s, container ? "datasets" : "container");
    ds_container_def source = database_of(container, store->capture.credential.s);
    *out = (ds_simulate_result){0};
    sim s = {.runtime = runtime, .options = options, .result = out, .arena = arena_new(), .rng = {options->seed}};
    rows_init(&s.work);
    ds_rc rc = ds_context(run(&s, store, &source, err), err, "store %s", store->name.s);
    ledger_close(&s.ledger);
    sim_tables_release(&s);
    rows_release(&s.work);
    store_close(s.db);
    arena_free(s.arena);
    return rc;
}
