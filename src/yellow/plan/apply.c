// Runs a plan: the control tables, then every stream in a transaction of its own (new ones, which nobody uses yet, many
// in one), then the views that move, then what is dropped, at last the record. The leases of all streams that change
// are held from before the plan is made (for the last time) until their transaction is done, so that no batch makes the
// plan wrong. Each transaction leaves a state from which the next apply finds the rest by comparing again.
#include <stdlib.h>

#include "runtime/runtime.h"
#include "yellow/job/exchange.h"
#include "yellow/job/lane.h"
#include "yellow/plan/apply_int.h"
#include "yellow/tables/tables.h"

enum { LOCK_WAIT_MS = 10000, PLANS_MAX = 5, NEW_STREAMS_MAX = 100, NEW_DATASETS_MAX = 200 };
static const char APPLY_LOCK[] = "apply"; // streams' names contain a slash

// --- locks

static ds_rc busy(const char *name, ds_error *err)
{
    if (strcmp(name, APPLY_LOCK) == 0)
        return ds_hint(ds_fail(err, DS_BUSY, "another apply is at work on this merge database"), err,
                       "wait until it is done and run it again");
    return ds_hint(ds_fail(err, DS_BUSY, "stream %s is busy: a batch is running", name), err,
                   "run apply again when it is done; what was applied so far stays");
}

static ds_rc take(applier *a, const char *name, ds_error *err)
{
    bool held;
    TRY(lock_take(a->lock, name, LOCK_WAIT_MS, &held, err));
    return held ? DS_DONE : busy(name, err);
}

// --- transactions

// Those of one transaction, in the plan's order.
typedef struct stream_slice {
    plan_stream *const *v;
    size_t n;
} stream_slice;
static const stream_slice NO_STREAMS;

// New streams need no claim: nobody else works on what isn't there, but another apply.
static ds_rc claim(applier *a, stream_slice streams, ds_error *err)
{
    const char **givers = NULL;
    size_t giver_count = streams.n ? apply_givers(a, streams.v[0], &givers) : 0, n = 0;
    const char **names = ARENA_ARRAY(a->scratch, const char *, 2 + giver_count);
    names[n++] = APPLY_LOCK;
    if (streams.n && streams.v[0]->old)
        names[n++] = streams.v[0]->name;
    for (size_t i = 0; i < giver_count; i++)
        names[n++] = givers[i];
    return lock_claim(a->lock, names, n, err);
}

typedef ds_rc transaction_body(applier *a, stream_slice streams, ds_error *err);

static ds_rc in_transaction(applier *a, transaction_body *body, stream_slice streams, const char *point, ds_error *err)
{
    ds_db *db = a->control->db;
    if (runtime_cancelled(a->runtime))
        return ds_hint(ds_fail(err, DS_CANCELLED, "apply was interrupted"), err, "the next apply does the rest");
    arena_clear(a->scratch);
    TRY(store_begin(db, BEGIN_WRITE, err));
    ds_rc rc = claim(a, streams, err);
    if (rc.code == DS_OK)
        rc = body(a, streams, err);
    if (rc.code != DS_OK) {
        store_rollback(db);
        return rc;
    }
    runtime_checkpoint(a->runtime, "apply:commit");
    TRY(store_commit(db, err));
    runtime_checkpoint(a->runtime, point);
    return DS_DONE;
}

// --- one stream

// Indexes come with a dataset's first commit. A table that lost them, here or to a key change that was taken back,
// gets them again, unless its key changes: then the next batch makes them.
static ds_rc finish_indexes(applier *a, const plan_stream *stream, ds_error *err)
{
    if (!stream->def || (!stream->old && !stream->from))
        return DS_DONE;
    ds_dataset_state *states;
    TRY(control_dataset_states(a->control, stream->def, a->scratch, &states, err));
    for (size_t i = 0; i < stream->def->dataset_count; i++) {
        const ds_dataset_def *dataset = &stream->def->datasets[i];
        if (states[i].batch && strcmp(states[i].key, table_key_text(a->scratch, dataset->shape)) == 0)
            TRY(table_create_indexes(a->control, stream->def, dataset, err));
    }
    return DS_DONE;
}

static ds_rc write_definition(applier *a, const plan_stream *stream, ds_error *err)
{
    if (stream->put)
        TRY(control_put_stream(a->control, stream->def, err));
    if (stream->remove)
        TRY(control_mark_removed(a->control, stream->name, true, err));
    if (stream->retired)
        TRY(control_put_retired(a->control, stream->name, stream->retired, err));
    if (stream->resnapshot)
        TRY(control_set_resnapshot(a->control, stream->name, true, err));
    if (stream->pause)
        TRY(control_set_paused(a->control, stream->name, true, err));
    if (stream->leave_count)
        TRY(control_move_out(a->control, stream->name, stream->leaves, stream->leave_count, err));
    return DS_DONE;
}

// First loads that went on outside any batch, and can't any more: a table that is made has no rows up to any point.
static ds_rc forget_loads(applier *a, const plan_stream *stream, ds_error *err)
{
    for (size_t i = 0; i < stream->steps.n; i++) {
        const plan_step *step = &stream->steps.v[i];
        if (step->kind == STEP_CREATE_TABLE && step->table == TABLE_MERGE)
            TRY(control_delete_restart(a->control, stream->name, step->dataset->name, err));
    }
    return stream->put ? control_prune_restarts(a->control, stream->def, err) : DS_DONE;
}

static ds_rc change_stream(applier *a, const plan_stream *stream, ds_error *err)
{
    if (stream->old)
        TRY(control_raise_fence(a->control, stream->name, NULL, err));
    TRY(apply_move_in(a, stream, err));
    TRY(apply_steps(a, &stream->steps, err));
    TRY(apply_move_out(a, stream, err));
    TRY(finish_indexes(a, stream, err));
    TRY(write_definition(a, stream, err));
    if (stream->old)
        TRY(forget_loads(a, stream, err));
    if (stream->put && stream->def->workspace)
        TRY(plan_check_sql(a->control, stream->def, err));
    return control_event(a->control, stream->name, "applied", a->plan->id, err);
}

static ds_rc drop_stream(applier *a, const plan_stream *stream, ds_error *err)
{
    TRY(apply_steps(a, &stream->steps, err));
    TRY(control_delete_stream(a->control, stream->name, err));
    TRY(lock_notice_drop(a->control, stream->name, err));
    return control_event(a->control, stream->name, "dropped", a->plan->id, err);
}

static ds_rc change_or_drop(applier *a, stream_slice streams, ds_error *err)
{
    for (size_t i = 0; i < streams.n; i++) {
        const plan_stream *stream = streams.v[i];
        ds_rc rc = stream->drop ? drop_stream(a, stream, err) : change_stream(a, stream, err);
        TRY(ds_context(rc, err, "stream %s", stream->name));
    }
    return DS_DONE;
}

// The first of the streams alone, or with the new ones that follow it: a synced commit costs more than a small stream.
// A server holds a lock on whatever a transaction makes, some ten for each dataset, and has room for 6,400 of them
// unless it was told otherwise.
static size_t streams_together(stream_slice rest)
{
    size_t n = 0, datasets = 0;
    while (n < rest.n && n < NEW_STREAMS_MAX && !rest.v[n]->old && !rest.v[n]->from && rest.v[n]->def) {
        datasets += rest.v[n]->def->dataset_count;
        if (datasets > NEW_DATASETS_MAX)
            break;
        n++;
    }
    return n ? n : 1;
}

static ds_rc apply_streams(applier *a, bool drop, ds_error *err)
{
    const plan_stream_list *streams = &a->plan->steps->streams;
    size_t n = 0;
    for (size_t i = 0; i < streams->n; i += n) {
        stream_slice together = {&streams->v[i], streams->n - i};
        together.n = n = streams_together(together);
        if (together.v[0]->drop != drop)
            continue;
        TRY(in_transaction(a, change_or_drop, together, "apply:stream", err));
        for (size_t k = 0; k < n; k++)
            lock_release(a->lock, together.v[k]->name);
    }
    return DS_DONE;
}

// --- the whole

static ds_rc create_control(applier *a, stream_slice none, ds_error *err)
{
    (void)none;
    return control_create_tables(a->control, err);
}

// Of a transformer's killed run views may stand on tables that change: their exchanges go first.
static bool has_exchange(const applier *a, const plan_stream *stream)
{
    return stream->old && stream->old->def->command && a->control->db->dialect->has_roles;
}

static ds_rc drop_exchanges(applier *a, stream_slice none, ds_error *err)
{
    (void)none;
    const plan_stream_list *streams = &a->plan->steps->streams;
    for (size_t i = 0; i < streams->n; i++)
        if (has_exchange(a, streams->v[i]))
            TRY(exchange_role_drop_left(a->control, streams->v[i]->old->def, a->scratch, err));
    return DS_DONE;
}

static ds_rc clear_the_way(applier *a, ds_error *err)
{
    const plan_stream_list *streams = &a->plan->steps->streams;
    for (size_t i = 0; i < streams->n; i++)
        if (has_exchange(a, streams->v[i]))
            return in_transaction(a, drop_exchanges, NO_STREAMS, "apply:exchanges", err);
    return DS_DONE;
}

static ds_rc move_views(applier *a, stream_slice none, ds_error *err)
{
    (void)none;
    return apply_steps(a, &a->plan->steps->moves, err);
}

static ds_rc put_caps(applier *a, ds_error *err)
{
    const ds_deployment *deployment = a->plan->deployment;
    for (size_t i = 0; i < deployment->cap_count; i++)
        TRY(control_put_container(a->control, &deployment->caps[i], err));
    for (size_t i = 0; i < deployment->replica_count; i++)
        TRY(control_put_replica(a->control, deployment->service->name.s, &deployment->replica_defs[i], err));
    return DS_DONE;
}

static ds_rc change_roles(applier *a, stream_slice none, ds_error *err)
{
    (void)none;
    for (size_t i = 0; i < a->plan->steps->roles.n; i++)
        TRY(role_change(a->control, a->plan->steps->roles.v[i], err));
    return DS_DONE;
}

static ds_rc record(applier *a, stream_slice none, ds_error *err)
{
    (void)none;
    TRY(put_caps(a, err));
    json_t *changes = plan_changes_json(a->plan->changes, a->plan->n);
    char *text = json_dumps(changes, JSON_COMPACT);
    ds_assert(text);
    ds_rc rc = control_applied(a->control, a->plan->id, text, err);
    free(text);
    json_decref(changes);
    return rc;
}

// Who applies by hand has settled what followers of branches could not.
static ds_rc forget_follows(applier *a, stream_slice none, ds_error *err)
{
    (void)none;
    return control_forget_follows(a->control, err);
}

static ds_rc settle_follows(applier *a, ds_error *err)
{
    ds_follow_row *rows;
    size_t n, bad = 0;
    if (a->runtime->may_replace)
        return DS_DONE;
    TRY(control_follows(a->control, a->arena, &rows, &n, err));
    for (size_t i = 0; i < n; i++)
        bad += strcmp(rows[i].state, "applied") != 0;
    return bad ? in_transaction(a, forget_follows, NO_STREAMS, "apply:follows", err) : DS_DONE;
}

static ds_rc run_plan(applier *a, const char *expected_id, ds_error *err)
{
    const ds_plan_steps *steps = a->plan->steps;
    if (steps->create_control)
        TRY(in_transaction(a, create_control, NO_STREAMS, "apply:control", err));
    TRY(clear_the_way(a, err));
    TRY(apply_streams(a, false, err));
    if (steps->moves.n)
        TRY(in_transaction(a, move_views, NO_STREAMS, "apply:views", err));
    TRY(apply_streams(a, true, err));
    if (steps->roles.n)
        TRY(in_transaction(a, change_roles, NO_STREAMS, "apply:roles", err));
    if (steps->older && !expected_id) // recorded with the plan that comes after it
        return DS_DONE;
    if (plan_has_changes(a->plan) || steps->new_tree)
        TRY(in_transaction(a, record, NO_STREAMS, "apply:record", err));
    return settle_follows(a, err);
}

static ds_rc check_refused(const ds_plan *plan, ds_error *err)
{
    for (size_t i = 0; i < plan->n; i++)
        if (strcmp(plan->changes[i].action, "refuse") == 0)
            return ds_hint(ds_fail(err, DS_FINDING, "apply refuses: %s: %s", plan->changes[i].object,
                                   plan->changes[i].detail),
                           err, "datasurface plan shows all changes; nothing was applied");
    return DS_DONE;
}

static ds_rc check_id(const ds_plan *plan, const char *expected_id, ds_error *err)
{
    if (!expected_id || strcmp(plan->id, expected_id) == 0)
        return DS_DONE;
    return ds_hint(ds_fail(err, DS_FINDING, "the model or the merge database moved since plan %s: it is %s now",
                           expected_id, plan->id),
                   err, "look at datasurface plan again; nothing was applied");
}

// *added: some stream of the plan had no lease yet.
static ds_rc take_leases(applier *a, const ds_plan *plan, bool *added, ds_error *err)
{
    *added = false;
    for (size_t i = 0; i < plan->steps->streams.n; i++) {
        const char *name = plan->steps->streams.v[i]->name;
        if (map_get(a->leases, name))
            continue;
        TRY(take(a, name, err));
        (void)map_add(a->leases, arena_strdup(a->arena, name), a);
        *added = true;
    }
    return DS_DONE;
}

// Control tables of an older version tell when they have been brought up to date.
static ds_rc ask_to_replace(applier *a, ds_error *err)
{
    const ds_plan_steps *steps = a->plan->steps;
    if (!a->runtime->may_replace || steps->create_control)
        return DS_DONE;
    ds_applied_model last;
    TRY(control_applied_last(a->control, a->arena, &last, err));
    return a->runtime->may_replace(a->runtime->may_replace_context, &last, err);
}

// What was done to the control tables is part of what is told and recorded.
static void add_upgrade(applier *a)
{
    const ds_plan *before = a->upgrade, *after = a->plan;
    if (!before)
        return;
    ds_plan *both = ARENA_NEW(a->arena, ds_plan);
    *both = *after;
    both->n = before->n + after->n;
    both->changes = ARENA_ARRAY(a->arena, ds_plan_change, both->n);
    memcpy(both->changes, before->changes, before->n * sizeof *before->changes);
    if (after->n)
        memcpy(both->changes + before->n, after->changes, after->n * sizeof *after->changes);
    a->plan = both;
}

// Jobs that build indexes go first: what they do may take long.
static ds_rc take_lane(applier *a, ds_error *err)
{
    bool held;
    if (!a->plan->steps->streams.n && !a->plan->steps->moves.n)
        return DS_DONE;
    TRY(lane_take(a->lock, a->control, LOCK_WAIT_MS, &held, err));
    return held ? DS_DONE
                : ds_hint(ds_fail(err, DS_BUSY, "a job builds the indexes of a large table in this database"), err,
                          "run apply again when it is done; nothing was applied");
}

// What was planned without the leases may be out of date: the plan is made again under them.
static ds_rc apply_locked(applier *a, const ds_plan *shown, const char *expected_id, ds_error *err)
{
    for (int i = 0; i < PLANS_MAX; i++) {
        bool added;
        TRY(plan_make_on(a->runtime, shown->deployment, a->control, shown->steps->prune, a->arena, &a->plan, err));
        add_upgrade(a);
        TRY(check_id(a->plan, expected_id, err));
        TRY(check_refused(a->plan, err));
        TRY(take_leases(a, a->plan, &added, err));
        if (added)
            continue;
        TRY(take_lane(a, err));
        TRY(ask_to_replace(a, err));
        TRY(run_plan(a, expected_id, err));
        if (!a->plan->steps->older || expected_id)
            return DS_DONE;
        a->upgrade = a->plan;
    }
    return ds_fail(err, DS_BUSY, "the merge database keeps changing while the plan is made");
}

// A plan of an empty database needs no look under the lock: what can't be made leaves no file behind.
static ds_rc check_shown(const ds_runtime *runtime, const ds_plan *plan, const char *expected_id, ds_error *err)
{
    TRY(check_id(plan, expected_id, err));
    if (expected_id || runtime_absent(runtime, &plan->deployment->merge))
        return check_refused(plan, err);
    return DS_DONE;
}

ds_rc plan_carry_out(const ds_runtime *runtime, const ds_plan *plan, const char *expected_id, ds_arena *arena,
                     const ds_plan **done, ds_error *err)
{
    TRY(check_shown(runtime, plan, expected_id, err));
    CLEANUP(control_closep) ds_control *control = NULL;
    TRY(control_connect(runtime, &plan->deployment->merge, CONTROL_CREATE, &control, err));
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    CLEANUP(lock_freep) ds_lock *lock = lock_new(control, "apply");
    applier a = {.runtime = runtime,
                 .control = control,
                 .lock = lock,
                 .arena = arena,
                 .scratch = scratch,
                 .leases = map_new(arena),
                 .schemas = map_new(arena)};
    TRY(lock_prepare(lock, err));
    TRY(take(&a, APPLY_LOCK, err));
    ds_rc rc = apply_locked(&a, plan, expected_id, err); // closing the connection frees all locks
    TRY(lock_explain(lock, rc, err));
    *done = a.plan;
    return DS_DONE;
}

ds_rc plan_apply(const ds_runtime *runtime, const ds_plan *plan, const char *expected_id, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const ds_plan *done;
    return plan_carry_out(runtime, plan, expected_id, arena, &done, err);
}
