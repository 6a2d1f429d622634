#include "yellow/plan/plan.h"

#include <stdarg.h>
#include <stdlib.h>
#include <xxhash.h>

#include "runtime/runtime.h"
#include "yellow/def/def_json.h"
#include "yellow/plan/plan_int.h"

// --- what the files of plan share

plan_step *plan_add_step(ds_planner *p, plan_stream *stream, step_kind kind, const ds_dataset_def *dataset)
{
    plan_step *step = VEC_PUSH(p->arena, &stream->steps);
    *step = (plan_step){.kind = kind, .def = stream->def ? stream->def : stream->old->def, .dataset = dataset};
    return step;
}

// Details may quote what a driver said; a text that was cut within a character would be no JSON.
static const char *whole_characters(ds_arena *arena, const char *text)
{
    size_t n = strlen(text);
    while (n && str_utf8_length((ds_str){text, n}) < 0)
        n--;
    return arena_str(arena, (ds_str){text, n});
}

static void add_change(ds_planner *p, const char *object, const char *action, const char *detail)
{
    *VEC_PUSH(p->arena, &p->changes) = (ds_plan_change){
        .container = p->deployment->merge.name,
        .object = object,
        .action = action,
        .detail = whole_characters(p->arena, detail),
        .destructive = strcmp(action, "drop") == 0,
    };
}

void plan_change(ds_planner *p, const char *object, const char *action, const char *format, ...)
{
    char detail[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    add_change(p, object, action, detail);
}

void plan_refuse(ds_planner *p, const char *object, const char *detail)
{
    add_change(p, object, "refuse", detail);
    p->refused = true;
}

const char *plan_object(ds_planner *p, const char *what, ds_relation relation)
{
    if (relation.schema && relation.schema[0])
        return arena_printf(p->arena, "%s %s.%s", what, relation.schema, relation.name);
    return arena_printf(p->arena, "%s %s", what, relation.name);
}

// --- streams of the model

static plan_stream *add_stream(ds_planner *p, const char *name, const ds_stream_def *def, const ds_stream_row *old)
{
    plan_stream *stream = ARENA_NEW(p->arena, plan_stream);
    stream->name = name;
    stream->def = def;
    stream->old = old;
    return stream;
}

static const char *stream_object(ds_planner *p, const char *name)
{
    return arena_printf(p->arena, "stream %s", name);
}

static bool has_work(const plan_stream *stream)
{
    return stream->put || stream->remove || stream->drop || stream->resnapshot || stream->retired || stream->gives ||
           stream->steps.n > 0;
}

static bool is_written(const ds_stream_row *old, const ds_stream_def *def)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    json_t *json = def_encode(def);
    bool same = strcmp(old->config, def_json_text(scratch, json)) == 0;
    json_decref(json);
    return same;
}

// "cron, datasets": the members in which two definitions differ.
static const char *what_differs(ds_planner *p, const ds_stream_def *old, const ds_stream_def *new)
{
    CLEANUP(buf_release) ds_buf out = BUF_INIT(1024);
    json_t *a = def_encode(old), *b = def_encode(new);
    const char *key;
    json_t *value;
    json_object_foreach(b, key, value)
    {
        if (json_equal(value, json_object_get(a, key)))
            continue;
        buf_puts(&out, out.n ? ", " : "");
        buf_puts(&out, key);
    }
    json_object_foreach(a, key, value)
    {
        if (json_object_get(b, key))
            continue;
        buf_puts(&out, out.n ? ", " : "");
        buf_puts(&out, key);
    }
    json_decref(a);
    json_decref(b);
    return arena_str(p->arena, buf_str(&out));
}

static void plan_definition(ds_planner *p, plan_stream *stream)
{
    const ds_stream_row *old = stream->old;
    const char *object = stream_object(p, stream->name);
    stream->put = !old || old->removed || !is_written(old, stream->def);
    if (!old)
        plan_change(p, object, "create", "%zu dataset%s, %s", stream->def->dataset_count,
                    stream->def->dataset_count == 1 ? "" : "s", milestoning_name(stream->def->milestoning));
    else if (map_get(p->damaged, stream->name)) {
        stream->resnapshot = true;
        plan_change(p, object, "update", "its stored definition is damaged: the next batch reads everything again");
    } else if (old->removed)
        plan_change(p, object, "update", "is back in the model");
    else if (stream->put)
        plan_change(p, object, "update", "changes: %s", what_differs(p, old->def, stream->def));
}

static const ds_dataset_def *find_dataset(const ds_stream_def *def, const char *name)
{
    for (size_t i = 0; def && i < def->dataset_count; i++)
        if (strcmp(def->datasets[i].name, name) == 0)
            return &def->datasets[i];
    return NULL;
}

int64_t plan_required_until(const ds_dataset_def *dataset, int64_t given_up_us)
{
    if (dataset->kept_until)
        return dataset->kept_until;
    return dataset->retention_days ? given_up_us + dataset->retention_days * INT64_C(86400000000) : 0;
}

static const char *day_text(ds_planner *p, int64_t instant_us)
{
    char text[CLOCK_TEXT];
    clock_format_iso(instant_us, text);
    return arena_printf(p->arena, "%.10s", text);
}

// What a group required to be kept is kept, also by --prune.
static void tell_required(ds_planner *p, const char *object, int64_t until)
{
    plan_change(p, object, PLAN_KEEP, "a group required its retention: --prune leaves it until %s", day_text(p, until));
}

static const char *required_for(ds_planner *p, int64_t until)
{
    int64_t days = (until - p->now_us) / INT64_C(86400000000);
    return until > p->now_us
               ? arena_printf(p->arena, ", which leaves it for %lld days: a group required that", (long long)days)
               : "";
}

static void keep_or_drop(ds_planner *p, plan_stream *stream, const ds_dataset_def *dataset, json_t *kept, bool is_new)
{
    ds_dataset_def given_up = *dataset;
    if (is_new)
        given_up.kept_until = plan_required_until(dataset, p->now_us);
    bool required = given_up.kept_until > p->now_us;
    if (p->steps->prune && !required) {
        plan_drop_tables(p, stream, dataset);
        plan_add_step(p, stream, STEP_FORGET_DATASET, dataset);
        return;
    }
    ds_assert(json_array_append_new(kept, def_encode_dataset(&given_up)) == 0);
    const char *object = plan_object(p, "table", dataset->merge);
    if (is_new)
        plan_change(p, object, PLAN_KEEP, "no longer used; its rows stay as they are until apply --prune%s",
                    required_for(p, given_up.kept_until));
    else if (p->steps->prune)
        tell_required(p, object, given_up.kept_until);
}

// What becomes of the datasets that the stream no longer has.
static void plan_unused_datasets(ds_planner *p, plan_stream *stream)
{
    const plan_retired *retired = &p->retired[stream->old - p->rows];
    json_t *kept = json_array();
    for (size_t i = 0; i < retired->n; i++)
        if (!find_dataset(stream->def, retired->datasets[i].name))
            keep_or_drop(p, stream, &retired->datasets[i], kept, false);
    const ds_stream_def *old = stream->old->def;
    for (size_t i = 0; i < old->dataset_count; i++)
        if (!find_dataset(stream->def, old->datasets[i].name))
            keep_or_drop(p, stream, &old->datasets[i], kept, true);
    const char *text = def_json_text(p->arena, kept);
    json_decref(kept);
    if (strcmp(text, retired->text) != 0)
        stream->retired = text;
}

static ds_rc plan_one(ds_planner *p, const ds_stream_def *def, ds_error *err)
{
    const ds_stream_row *old = map_get(p->row_by_name, def->name);
    plan_stream *stream = add_stream(p, def->name, def, old);
    plan_definition(p, stream);
    if (old)
        TRY(control_dataset_states(p->control, def, p->arena, &stream->states, err));
    TRY(plan_takes(p, stream, err));
    for (size_t i = 0; i < def->dataset_count; i++) {
        const ds_dataset_def *before =
            plan_old_dataset(p, plan_holder(p, def, def->datasets[i].name), def->datasets[i].name);
        bool moves_views;
        plan_tables(p, stream, &def->datasets[i], before, &moves_views);
        TRY(plan_views(p, stream, &def->datasets[i], before, moves_views, err));
    }
    plan_drop_views(p, stream);
    if (old)
        plan_unused_datasets(p, stream);
    if (has_work(stream))
        *VEC_PUSH(p->arena, &p->steps->streams) = stream;
    return DS_DONE;
}

// --- streams that the model no longer has

int64_t plan_kept_until(const ds_planner *p, const ds_stream_row *row)
{
    const ds_dataset_def **left = ARENA_ARRAY(p->arena, const ds_dataset_def *, plan_had(p, row));
    size_t n = plan_left(p, row, left);
    int64_t given_up_us = row->removed ? row->removed_at : p->now_us, last = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t until = plan_required_until(left[i], given_up_us);
        last = until > last ? until : last;
    }
    return last;
}

static void drop_record(ds_planner *p, plan_stream *stream)
{
    stream->drop = true;
    plan_change(p, stream_object(p, stream->name), "drop", "its definition and the record of its batches");
}

// Its last datasets go; while it is a record of others, it stays.
static void drop_gone(ds_planner *p, plan_stream *stream, const ds_dataset_def *const *left, size_t n)
{
    for (size_t i = 0; i < n; i++)
        plan_drop_tables(p, stream, left[i]);
    if (!stream->gives && !plan_is_record(p, stream->old)) {
        drop_record(p, stream);
        return;
    }
    stream->leaves = ARENA_ARRAY(p->arena, const char *, n);
    for (size_t i = 0; i < n; i++) {
        stream->leaves[stream->leave_count++] = left[i]->name;
        plan_add_step(p, stream, STEP_FORGET_DATASET, left[i]);
    }
}

// All of its datasets are in other streams.
static void plan_given_away(ds_planner *p, plan_stream *stream)
{
    if (stream->gives)
        plan_change(p, stream_object(p, stream->name), PLAN_KEEP,
                    "its datasets are in other streams now: it stops, and stays as the record of their batches");
    else if (p->steps->prune && !plan_is_record(p, stream->old))
        drop_record(p, stream);
}

static void plan_left_behind(ds_planner *p, plan_stream *stream, const ds_dataset_def *const *left, size_t n)
{
    const ds_stream_row *row = stream->old;
    int64_t until = plan_kept_until(p, row);
    bool required = until > p->now_us, dropped = p->steps->prune && !required;
    if (dropped)
        drop_gone(p, stream, left, n);
    else if (!row->removed)
        plan_change(p, stream_object(p, row->name), PLAN_KEEP,
                    "no longer in the model: it stops, its tables stay as they are until apply --prune%s",
                    required_for(p, until));
    else if (p->steps->prune)
        tell_required(p, stream_object(p, row->name), until);
}

static void plan_gone(ds_planner *p, const ds_stream_row *row)
{
    plan_stream *stream = add_stream(p, row->name, NULL, row);
    const ds_dataset_def **left = ARENA_ARRAY(p->arena, const ds_dataset_def *, plan_had(p, row));
    size_t n = plan_left(p, row, left);
    stream->gives = n < plan_had(p, row);
    plan_drop_views(p, stream);
    if (n)
        plan_left_behind(p, stream, left, n);
    else
        plan_given_away(p, stream);
    stream->remove = !row->removed && !stream->drop;
    if (has_work(stream))
        *VEC_PUSH(p->arena, &p->steps->streams) = stream;
}

static ds_rc plan_all(ds_planner *p, ds_error *err)
{
    TRY(plan_read(p, err));
    if (p->steps->create_control && !p->steps->older)
        plan_change(p, "control tables", "create", "what datasurface itself keeps in this database");
    p->defs = ARENA_ARRAY(p->arena, const ds_stream_def *, p->deployment->n + p->row_count);
    for (; p->def_count < p->deployment->n; p->def_count++)
        p->defs[p->def_count] = plan_applied_def(p, p->deployment->streams[p->def_count]);
    plan_keep_waiting(p);
    if (p->steps->older) {
        plan_change(p, "control tables", "update", "of an older version; the rest of the plan can be seen after that");
        return DS_DONE;
    }
    plan_views_wanted(p);
    for (size_t i = 0; i < p->def_count; i++)
        (void)map_add(p->in_model, p->defs[i]->name, p->steps);
    for (size_t i = 0; i < p->def_count; i++)
        TRY(plan_one(p, p->defs[i], err));
    for (size_t i = 0; i < p->row_count; i++)
        if (strcmp(p->rows[i].def->service, p->deployment->service->name.s) == 0 &&
            !map_get(p->in_model, p->rows[i].name))
            plan_gone(p, &p->rows[i]);
    TRY(plan_standing(p, err));
    return plan_roles(p, err);
}

// --- what users wrote in SQL

static bool reads_changed_table(const ds_planner *p, const plan_stream *stream)
{
    const ds_stream_def *def = stream->def;
    for (size_t i = 0; i < def->input_count; i++) {
        if (!plan_catalog(p, def->inputs[i].relation))
            return true;
        for (size_t k = 0; k < p->steps->streams.n; k++)
            if (p->steps->streams.v[k] != stream && strcmp(p->steps->streams.v[k]->name, def->inputs[i].stream) == 0)
                return true;
    }
    return false;
}

// In a transaction of its own: on some engines a statement that fails takes its transaction with it.
typedef ds_rc look_at_sql(ds_control *control, const ds_stream_def *def, ds_error *err);

static ds_rc plan_sql(ds_planner *p, const plan_stream *stream, look_at_sql *look, ds_error *err)
{
    ds_error problem;
    TRY(store_begin(p->control->db, BEGIN_READ, err));
    ds_rc rc = look(p->control, stream->def, &problem);
    store_rollback(p->control->db);
    if (rc.code == DS_FINDING)
        plan_refuse(p, stream_object(p, stream->name), arena_strdup(p->arena, problem.text));
    else if (rc.code != DS_OK)
        *err = problem;
    return rc.code == DS_FINDING ? DS_DONE : rc;
}

// Apply looks again at those whose inputs' tables it makes.
static ds_rc plan_users_sql(ds_planner *p, ds_error *err)
{
    for (size_t i = 0; i < p->steps->streams.n; i++) {
        const plan_stream *stream = p->steps->streams.v[i];
        if (stream->put && stream->def->workspace && !reads_changed_table(p, stream))
            TRY(plan_sql(p, stream, plan_check_sql, err));
        if (stream->put && plan_has_check_sql(stream->def))
            TRY(plan_sql(p, stream, plan_vet_checks, err));
    }
    return DS_DONE;
}

// --- the id

static json_t *found_json(const ds_planner *p)
{
    json_t *out = json_array();
    for (size_t i = 0; i < p->row_count; i++)
        ds_assert(json_array_append_new(out, json_pack("{s:s, s:I, s:b}", "name", p->rows[i].name, "version",
                                                       (json_int_t)p->rows[i].version, "removed",
                                                       (int)p->rows[i].removed)) == 0);
    return out;
}

json_t *plan_changes_json(const ds_plan_change *changes, size_t n)
{
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++)
        ds_assert(
            json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:s, s:b}", "container", changes[i].container,
                                                 "object", changes[i].object, "action", changes[i].action, "detail",
                                                 changes[i].detail, "destructive", (int)changes[i].destructive)) == 0);
    return out;
}

static void hash_print(XXH128_hash_t hash, char out[33])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash);
    CLEANUP(buf_release) ds_buf hex = BUF_INIT(64);
    buf_put_hex(&hex, canonical.digest, sizeof canonical.digest);
    memcpy(out, buf_text(&hex), 33);
}

static void hash_text(const char *text, char out[33])
{
    hash_print(XXH3_128bits(text, strlen(text)), out);
}

static void hash_json_take(XXH3_state_t *state, json_t *json)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    ds_assert(json);
    const char *text = def_json_text(scratch, json);
    json_decref(json);
    ds_assert(XXH3_128bits_update(state, text, strlen(text) + 1) == XXH_OK); // with its end: ab c is not a bc
}

// One definition at a time: all of them as JSON take more memory than the rest of a plan.
static void make_id(const ds_planner *p, char out[33])
{
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        BUG("out of memory");
    XXH3_128bits_reset(state);
    hash_json_take(state, json_pack("{s:b, s:o, s:o}", "prune", (int)p->steps->prune, "found", found_json(p), "changes",
                                    plan_changes_json(p->changes.v, p->changes.n)));
    for (size_t i = 0; i < p->def_count; i++)
        hash_json_take(state, def_encode(p->defs[i]));
    hash_print(XXH3_128bits_digest(state), out);
    XXH3_freeState(state);
}

static ds_plan *new_plan(const ds_deployment *deployment, ds_arena *arena)
{
    ds_plan *plan = ARENA_NEW(arena, ds_plan);
    plan->service = deployment->service->name.s;
    plan->container = deployment->merge.name;
    plan->path = deployment->merge.path;
    plan->is_replica = deployment->home != NULL;
    plan->deployment = deployment;
    return plan;
}

const ds_plan *plan_missing(const ds_deployment *deployment, const ds_error *why, ds_arena *arena)
{
    ds_plan *plan = new_plan(deployment, arena);
    ds_error *missing = ARENA_NEW(arena, ds_error);
    *missing = *why;
    plan->missing = missing;
    hash_text(arena_printf(arena, "missing %s", plan->container), plan->id);
    return plan;
}

bool plan_has_changes(const ds_plan *plan)
{
    for (size_t i = 0; i < plan->n; i++)
        if (plan_changes_something(&plan->changes[i]))
            return true;
    return false;
}

static ds_rc plan_finish(ds_planner *p, const ds_plan **out)
{
    ds_plan *plan = new_plan(p->deployment, p->arena);
    plan->changes = p->changes.v;
    plan->n = p->changes.n;
    plan->refused = p->refused;
    plan->steps = p->steps;
    make_id(p, plan->id);
    *out = plan;
    return DS_DONE;
}

ds_rc plan_make_on(const ds_runtime *runtime, const ds_deployment *deployment, ds_control *control, bool prune,
                   ds_arena *arena, const ds_plan **out, ds_error *err)
{
    ds_planner p = {.runtime = runtime, .deployment = deployment, .control = control, .arena = arena};
    p.steps = ARENA_NEW(arena, ds_plan_steps);
    p.steps->prune = prune;
    if (!control) {
        TRY(plan_all(&p, err));
        return plan_finish(&p, out);
    }
    TRY(store_begin(control->db, BEGIN_READ, err));
    ds_rc rc = plan_all(&p, err);
    store_rollback(control->db);
    TRY(rc);
    if (!p.steps->older)
        TRY(plan_users_sql(&p, err));
    return plan_finish(&p, out);
}

ds_rc plan_make(const ds_runtime *runtime, const ds_deployment *deployment, bool prune, ds_arena *arena,
                const ds_plan **out, ds_error *err)
{
    CLEANUP(control_closep) ds_control *control = NULL;
    if (!runtime_absent(runtime, &deployment->merge))
        TRY(control_connect(runtime, &deployment->merge, CONTROL_READ, &control, err));
    return plan_make_on(runtime, deployment, control, prune, arena, out, err);
}
