// Consumer views: made, replaced, moved from one stream to another, dropped. A view belongs to the stream that the
// control table `view` names.
#include "yellow/plan/plan_int.h"
#include "yellow/tables/views.h"

void plan_views_wanted(ds_planner *p)
{
    for (size_t i = 0; i < p->def_count; i++) {
        const ds_stream_def *def = p->defs[i];
        for (size_t k = 0; k < def->dataset_count; k++)
            for (size_t v = 0; v < def->datasets[k].view_count; v++) {
                plan_view_owner *owner = ARENA_NEW(p->arena, plan_view_owner);
                *owner = (plan_view_owner){def, &def->datasets[k], &def->datasets[k].views[v]};
                map_set(p->view_wanted, plan_relation_key(p->arena, owner->view->relation), owner);
            }
    }
}

static const ds_view_row *applied(const ds_planner *p, ds_relation relation)
{
    return map_get(p->view_by_name, plan_relation_key(p->arena, relation));
}

static plan_step *replace_view(ds_planner *p, plan_stream *stream, const ds_dataset_def *dataset,
                               const ds_view_def *view)
{
    plan_step *step = plan_add_step(p, stream, STEP_REPLACE_VIEW, dataset);
    step->view = view;
    return step;
}

static bool same_text(const ds_planner *p, const plan_stream *stream, const ds_dataset_def *dataset,
                      const ds_dataset_def *old, const ds_view_def *view)
{
    ds_control_names names = control_names(p->arena, p->deployment->dialect);
    CLEANUP(sql_release) ds_sql a = sql_new(p->deployment->dialect);
    CLEANUP(sql_release) ds_sql b = sql_new(p->deployment->dialect);
    view_select_sql(plan_def_before(stream, dataset), old, view, &names, VIEW_REAL, &a);
    view_select_sql(stream->def, dataset, view, &names, VIEW_REAL, &b);
    return str_eq(buf_str(&a.text), buf_str(&b.text));
}

// The columns that the catalogue shows begin with the dataset's.
static bool same_columns(const ds_catalog_table *found, const ds_shape *shape)
{
    if (found->n < shape->n)
        return false;
    for (size_t i = 0; i < shape->n; i++)
        if (strcmp(found->columns[i].name, shape->columns[i].name) != 0)
            return false;
    return true;
}

static const char *platform_of(ds_planner *p, const char *stream)
{
    const char *slash = strchr(stream, '/');
    return slash ? arena_str(p->arena, (ds_str){stream, (size_t)(slash - stream)}) : stream;
}

// Consumers lose no rows over a move: the stream that takes over must have loaded, unless there was nothing to see.
static ds_rc check_loaded(ds_planner *p, const plan_stream *stream, const ds_dataset_def *dataset,
                          const ds_view_row *row, bool *out, ds_error *err)
{
    ds_dataset_state from, to;
    TRY(control_dataset_state(p->control, row->stream, row->dataset, p->arena, &from, err));
    TRY(control_dataset_state(p->control, stream->name, dataset->name, p->arena, &to, err));
    *out = to.batch > 0 || from.fingerprint.rows == 0;
    if (*out)
        return DS_DONE;
    plan_refuse(p, plan_object(p, "view", row->relation),
                arena_printf(p->arena,
                             "it shows %lld rows of stream %s, and stream %s has loaded none yet; assign the group to "
                             "platform %s with `status: provisioning` beside %s first, run a batch, then make it "
                             "`provisioned`",
                             (long long)from.fingerprint.rows, row->stream, stream->name, stream->def->platform,
                             platform_of(p, row->stream)));
    return DS_DONE;
}

// The last transaction moves it, together with all others that move.
static void move_view(ds_planner *p, plan_stream *stream, const ds_dataset_def *dataset, const ds_view_def *view,
                      const char *from)
{
    *VEC_PUSH(p->arena, &p->steps->moves) =
        (plan_step){.kind = STEP_REPLACE_VIEW, .def = stream->def, .dataset = dataset, .view = view};
    plan_change(p, plan_object(p, "view", view->relation), "replace", "moves from stream %s to stream %s", from,
                stream->name);
}

static ds_rc check_move(ds_planner *p, plan_stream *stream, const ds_dataset_def *dataset, const ds_view_def *view,
                        const ds_view_row *row, ds_error *err)
{
    bool loaded = false;
    TRY(check_loaded(p, stream, dataset, row, &loaded, err));
    if (loaded)
        move_view(p, stream, dataset, view, row->stream);
    return DS_DONE;
}

static bool is_taken(ds_planner *p, ds_relation view, const ds_catalog_table *found, const ds_view_row *row)
{
    if (!found || (found->is_view && row))
        return false;
    plan_refuse(p, plan_object(p, "view", view),
                found->is_view ? "the name is taken by a view that datasurface did not make; rename or drop that view"
                               : "the name is taken by a table; rename or drop that table");
    return true;
}

// Why a view that is there must be made anew; NULL: it is as it should be.
static const char *view_differs(const ds_planner *p, const plan_stream *stream, const ds_dataset_def *dataset,
                                const ds_dataset_def *old, const ds_view_def *view)
{
    if (!old || !plan_def_before(stream, dataset) || !same_text(p, stream, dataset, old, view))
        return "its columns or tables change";
    if (!same_columns(plan_catalog(p, view->relation), dataset->shape))
        return "it is not as it was made";
    return plan_taken_from(stream, dataset) ? "its dataset is in another stream" : NULL;
}

static ds_rc check_view(ds_planner *p, plan_stream *stream, const ds_dataset_def *dataset, const ds_dataset_def *old,
                        const ds_view_def *view, bool forced, ds_error *err)
{
    const ds_catalog_table *found = plan_catalog(p, view->relation);
    const ds_view_row *row = applied(p, view->relation);
    const char *object = plan_object(p, "view", view->relation);
    if (is_taken(p, view->relation, found, row))
        return DS_DONE;
    if (row && !plan_has_view(stream, row))
        return check_move(p, stream, dataset, view, row, err);
    const char *differs = found ? view_differs(p, stream, dataset, old, view) : NULL;
    if (found && !differs && !forced)
        return DS_DONE;
    if (!found)
        plan_change(p, object, "create", "%s of %s/%s for %s/%s", view->history ? "all versions" : "live rows",
                    stream->def->store, dataset->name, view->workspace, view->group);
    else
        plan_change(p, object, "replace", "%s", differs ? differs : "its table changes");
    plan_step *step = replace_view(p, stream, dataset, view);
    step->before = found && forced ? old : NULL;
    return DS_DONE;
}

// Another stream takes these over in the last transaction; until then they must stand on the changed tables.
static void keep_moving_views(ds_planner *p, plan_stream *stream, const ds_dataset_def *dataset,
                              const ds_dataset_def *old)
{
    const plan_view_rows held = plan_views_held(p, stream);
    for (size_t i = 0; i < held.n; i++) {
        const ds_view_row *row = held.v[i];
        const plan_view_owner *owner = map_get(p->view_wanted, plan_relation_key(p->arena, row->relation));
        if (strcmp(row->dataset, dataset->name) != 0 || !owner || owner->def == stream->def)
            continue;
        ds_view_def *view = ARENA_NEW(p->arena, ds_view_def);
        *view = (ds_view_def){row->workspace, row->group, row->history, row->relation};
        plan_step *step = replace_view(p, stream, dataset, view);
        step->before = plan_catalog(p, row->relation) ? old : NULL;
    }
}

ds_rc plan_views(ds_planner *p, plan_stream *stream, const ds_dataset_def *dataset, const ds_dataset_def *old,
                 bool forced, ds_error *err)
{
    for (size_t i = 0; i < dataset->view_count; i++)
        TRY(check_view(p, stream, dataset, old, &dataset->views[i], forced, err));
    if (forced)
        keep_moving_views(p, stream, dataset, old);
    return DS_DONE;
}

void plan_drop_views(ds_planner *p, plan_stream *stream)
{
    const plan_view_rows held = plan_views_held(p, stream);
    for (size_t i = 0; i < held.n; i++) {
        const ds_view_row *row = held.v[i];
        if (map_get(p->view_wanted, plan_relation_key(p->arena, row->relation)) ||
            plan_is_moved(p, stream->name, row->dataset))
            continue;
        ds_view_def *view = ARENA_NEW(p->arena, ds_view_def);
        *view = (ds_view_def){row->workspace, row->group, row->history, row->relation};
        plan_step *step = plan_add_step(p, stream, STEP_DROP_VIEW, NULL);
        step->view = view;
        const ds_elsewhere *place = plan_elsewhere(p, row->workspace);
        p->steps->leaving += place != NULL;
        if (place)
            plan_change(p, plan_object(p, "view", row->relation), "drop", "it is in %s now", place->container->name);
        else
            plan_change(p, plan_object(p, "view", row->relation), "drop", "nobody asks for it any more");
    }
}
