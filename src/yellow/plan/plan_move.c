// A store's consistency changes: its datasets go from one stream to another, with their tables, views and the record of
// their batches. The stream that takes one over does so in its own transaction; the one that gave it away stays, as the
// record of those batches, until the other goes.
#include "yellow/plan/plan_int.h"

// --- who has a dataset now

const ds_stream_row *plan_holder(const ds_planner *p, const ds_stream_def *def, const char *dataset)
{
    const ds_stream_row *own = map_get(p->row_by_name, def->name);
    if (plan_old_dataset(p, own, dataset))
        return own;
    const ds_stream_row *other = map_get(p->row_by_name, def_other_stream(p->arena, def->name, dataset));
    bool ours = other && strcmp(other->def->service, def->service) == 0 && plan_old_dataset(p, other, dataset);
    return ours ? other : NULL;
}

const ds_stream_row *plan_taken_from(const plan_stream *stream, const ds_dataset_def *dataset)
{
    return stream->from ? stream->from[dataset - stream->def->datasets] : NULL;
}

const ds_stream_def *plan_def_before(const plan_stream *stream, const ds_dataset_def *dataset)
{
    const ds_stream_row *from = plan_taken_from(stream, dataset);
    return from ? from->def : stream->old ? stream->old->def : NULL;
}

static const ds_dataset_def *dataset_named(const ds_stream_def *def, const char *name)
{
    for (size_t i = 0; def && i < def->dataset_count; i++)
        if (strcmp(def->datasets[i].name, name) == 0)
            return &def->datasets[i];
    return NULL;
}

bool plan_has_view(const plan_stream *stream, const ds_view_row *row)
{
    if (strcmp(row->stream, stream->name) == 0)
        return true;
    const ds_dataset_def *dataset = stream->from ? dataset_named(stream->def, row->dataset) : NULL;
    const ds_stream_row *from = dataset ? plan_taken_from(stream, dataset) : NULL;
    return from && strcmp(from->name, row->stream) == 0;
}

static void add_views(const ds_planner *p, const plan_stream *stream, const char *holder, plan_view_rows *out)
{
    const plan_view_rows *held = map_get(p->views_of, holder);
    for (size_t i = 0; held && i < held->n; i++)
        if (plan_has_view(stream, held->v[i]))
            *VEC_PUSH(p->arena, out) = held->v[i];
}

static bool is_repeated(const ds_stream_row *const *from, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (from[i] == from[at])
            return true;
    return false;
}

plan_view_rows plan_views_held(const ds_planner *p, const plan_stream *stream)
{
    plan_view_rows out = {0};
    add_views(p, stream, stream->name, &out);
    for (size_t i = 0; stream->from && i < stream->def->dataset_count; i++)
        if (stream->from[i] && !is_repeated(stream->from, i))
            add_views(p, stream, stream->from[i]->name, &out);
    return out;
}

// --- a stream that takes datasets over

static const char *moved_key(const ds_planner *p, const char *stream, const char *dataset)
{
    return arena_printf(p->arena, "%s\n%s", stream, dataset);
}

bool plan_is_moved(const ds_planner *p, const char *stream, const char *dataset)
{
    return map_get(p->moved, moved_key(p, stream, dataset)) != NULL;
}

static ds_rc take(ds_planner *p, plan_stream *stream, size_t i, const ds_stream_row *from, ds_error *err)
{
    const ds_dataset_def *dataset = &stream->def->datasets[i];
    ds_dataset_state *state = &stream->states[i];
    stream->from[i] = from;
    (void)map_add(p->moved, moved_key(p, from->name, dataset->name), stream);
    TRY(control_dataset_state(p->control, from->name, dataset->name, p->arena, state, err));
    stream->resnapshot |= from->resnapshot;
    stream->pause |= from->paused && !(stream->old && stream->old->paused);
    plan_change(p, plan_object(p, "table", dataset->merge), "move",
                state->batch ? "from stream %s, with its rows and the record of its batches" : "from stream %s",
                from->name);
    if (plan_catalog(p, dataset->staging)) {
        plan_step *step = plan_add_step(p, stream, STEP_UNSTAGE, dataset);
        step->name = from->name;
    }
    return DS_DONE;
}

// Its numbers must be higher than those of the stream in which it would have been before: it may come there one day.
static void note_above(ds_planner *p, plan_stream *stream, size_t i)
{
    const char *name = def_other_stream(p->arena, stream->name, stream->def->datasets[i].name);
    const ds_stream_row *other = map_get(p->row_by_name, name);
    if (!other || (stream->old && !stream->old->removed))
        return;
    if (!stream->above)
        stream->above = ARENA_ARRAY(p->arena, const ds_stream_row *, stream->def->dataset_count);
    stream->above[i] = other;
}

ds_rc plan_takes(ds_planner *p, plan_stream *stream, ds_error *err)
{
    const ds_stream_def *def = stream->def;
    for (size_t i = 0; p->row_count && i < def->dataset_count; i++) {
        const ds_stream_row *holder = plan_holder(p, def, def->datasets[i].name);
        if (!holder)
            note_above(p, stream, i);
        if (!holder || holder == stream->old)
            continue;
        if (!stream->from)
            stream->from = ARENA_ARRAY(p->arena, const ds_stream_row *, def->dataset_count);
        if (!stream->states)
            stream->states = ARENA_ARRAY(p->arena, ds_dataset_state, def->dataset_count);
        TRY(take(p, stream, i, holder, err));
    }
    return DS_DONE;
}

// --- a stream that has given datasets away

static bool is_left(const ds_planner *p, const ds_stream_row *row, const ds_dataset_def *dataset)
{
    return !plan_is_moved(p, row->name, dataset->name);
}

size_t plan_left(const ds_planner *p, const ds_stream_row *row, const ds_dataset_def **out)
{
    const plan_retired *retired = &p->retired[row - p->rows];
    size_t n = 0;
    for (size_t i = 0; i < row->def->dataset_count; i++)
        if (is_left(p, row, &row->def->datasets[i]))
            out[n++] = &row->def->datasets[i];
    for (size_t i = 0; i < retired->n; i++)
        if (is_left(p, row, &retired->datasets[i]))
            out[n++] = &retired->datasets[i];
    return n;
}

size_t plan_had(const ds_planner *p, const ds_stream_row *row)
{
    return row->def->dataset_count + p->retired[row - p->rows].n;
}

// Of a stream's dataset that is not the model's, at least not there: do its tables stay?
static bool is_kept(const ds_planner *p, const ds_stream_row *row, const ds_dataset_def *dataset)
{
    if (!p->steps->prune)
        return true;
    bool in_model = map_get(p->in_model, row->name);
    return (in_model ? plan_required_until(dataset, p->now_us) : plan_kept_until(p, row)) > p->now_us;
}

// row: the stream as applied, NULL when these are the model's.
static void add_formers(const ds_planner *p, const ds_stream_row *row, const ds_dataset_def *datasets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (datasets[i].former && (!row || (is_left(p, row, &datasets[i]) && is_kept(p, row, &datasets[i]))))
            (void)map_add(p->records, datasets[i].former, p->steps);
}

static void find_records(ds_planner *p)
{
    p->records = map_new(p->arena);
    for (size_t i = 0; i < p->def_count; i++)
        add_formers(p, NULL, p->defs[i]->datasets, p->defs[i]->dataset_count);
    for (size_t i = 0; i < p->row_count; i++) {
        const ds_stream_row *row = &p->rows[i];
        add_formers(p, row, row->def->datasets, row->def->dataset_count);
        add_formers(p, row, p->retired[i].datasets, p->retired[i].n);
    }
}

bool plan_is_record(ds_planner *p, const ds_stream_row *row)
{
    if (!p->records)
        find_records(p);
    return map_get(p->records, row->name) != NULL;
}
