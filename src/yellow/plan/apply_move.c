// A stream takes datasets over from another one of its store: plan_move.c says which.
#include "yellow/plan/apply_int.h"

static size_t taken(applier *a, const plan_stream *stream, ds_moving **out)
{
    size_t n = 0, all = stream->from || stream->above ? stream->def->dataset_count : 0;
    *out = ARENA_ARRAY(a->scratch, ds_moving, all);
    for (size_t i = 0; i < all; i++) {
        const char *dataset = stream->def->datasets[i].name;
        if (stream->from && stream->from[i])
            (*out)[n++] = (ds_moving){stream->from[i]->name, dataset, true, stream->states[i]};
        else if (stream->above && stream->above[i])
            (*out)[n++] = (ds_moving){.from = stream->above[i]->name, .dataset = dataset};
    }
    return n;
}

// The first of the datasets that its stream gives away?
static bool is_first(const ds_moving *moving, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (moving[k].is_there && strcmp(moving[k].from, moving[i].from) == 0)
            return false;
    return moving[i].is_there;
}

size_t apply_givers(applier *a, const plan_stream *stream, const char ***out)
{
    ds_moving *moving;
    size_t n = taken(a, stream, &moving), givers = 0;
    *out = ARENA_ARRAY(a->scratch, const char *, n);
    for (size_t i = 0; i < n; i++)
        if (is_first(moving, i))
            (*out)[givers++] = moving[i].from;
    return givers;
}

ds_rc apply_move_in(applier *a, const plan_stream *stream, ds_error *err)
{
    ds_moving *moving;
    size_t n = taken(a, stream, &moving);
    for (size_t i = 0; i < n; i++)
        if (is_first(moving, i))
            TRY(control_raise_fence(a->control, moving[i].from, NULL, err));
    return n ? control_move_in(a->control, stream->def, moving, n, err) : DS_DONE;
}

static ds_rc move_out(applier *a, const char *from, const char *to, const ds_moving *moving, size_t n, ds_error *err)
{
    const char **names = ARENA_ARRAY(a->scratch, const char *, n);
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (moving[i].is_there && strcmp(moving[i].from, from) == 0)
            names[count++] = moving[i].dataset;
    TRY(control_move_out(a->control, from, names, count, err));
    return control_event(a->control, from, "moved", to, err);
}

ds_rc apply_move_out(applier *a, const plan_stream *stream, ds_error *err)
{
    ds_moving *moving;
    size_t n = taken(a, stream, &moving);
    for (size_t i = 0; i < n; i++)
        if (is_first(moving, i))
            TRY(move_out(a, moving[i].from, stream->name, moving, n, err));
    return DS_DONE;
}

ds_rc apply_unstage(applier *a, const plan_step *step, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(a->control->db->dialect);
    SQL(&q, "DELETE FROM ");
    sql_relation(&q, step->dataset->staging);
    SQL(&q, " WHERE ds_batch_id IN (SELECT batch_id FROM ");
    sql_relation(&q, a->control->names.batch);
    SQL(&q, " WHERE status <> 'committed' AND stream = ");
    sql_text(&q, step->name);
    SQL(&q, ")");
    return store_exec(a->control->db, &q, NULL, err);
}
