// Workspaces: what they use, and whether they may.
#include <stdlib.h>

#include "gate/lint_int.h"

typedef struct use {
    const ds_workspace *workspace;
    const ds_group *group;
    const ds_sink *sink;
    const ds_datastore *store;
    const ds_dataset *dataset;
    const char *object;     // WORKSPACE/GROUP
    ds_map *not_production; // stores that were reported for this group; NULL: none yet
} use;

static void unknown_dataset(lint *l, const use *u)
{
    lint_add(l, LINT_UNKNOWN_DATASET, u->sink->pos, u->object, "datastore \"%s\" has no dataset \"%s\"", u->sink->store,
             u->sink->dataset);
    const char *nearest = datastore_nearest(u->store, u->sink->dataset, l->arena);
    if (nearest)
        diag_hint(l->diags, "did you mean \"%s/%s\"?", u->sink->store, nearest);
}

// False when the sink leads nowhere.
static bool resolve(lint *l, use *u)
{
    if (!u->sink->store || !u->sink->dataset)
        return false;
    u->store = model_datastore(l->model, u->sink->store);
    if (!u->store) {
        lint_add(l, LINT_UNKNOWN_STORE, u->sink->pos, u->object, "no datastore \"%s\" in the model", u->sink->store);
        lint_did_you_mean(l, l->model->datastore_by_name, u->sink->store);
        return false;
    }
    u->dataset = lint_dataset(l, u->sink->store, u->sink->dataset);
    if (!u->dataset)
        unknown_dataset(l, u);
    return u->dataset != NULL;
}

static void check_deprecated(lint *l, const use *u)
{
    const ds_deprecation *by = u->dataset->rest->deprecated.v ? &u->dataset->rest->deprecated : &u->store->deprecated;
    if (!by->v)
        return;
    const char *what = by == &u->store->deprecated ? u->store->name.s : lint_path(l, u->sink->store, u->dataset->name);
    const char *reason = by->reason ? arena_printf(l->arena, ": %s", by->reason) : "";
    if (u->sink->allow_deprecated.v) {
        lint_add(l, LINT_DEPRECATED_ALLOWED, u->sink->pos, u->object, "\"%s\" is deprecated%s", what, reason);
        return;
    }
    lint_add(l, LINT_DEPRECATED, u->sink->pos, u->object, "\"%s\" is deprecated, and \"%s\" does not allow that%s",
             what, u->object, reason);
    diag_hint(l->diags, "move away from it, or write {dataset: %s, allow_deprecated: true}", u->sink->text.s);
}

static void check_approved(lint *l, const use *u)
{
    if (!u->store->consumers.pos.file)
        return;
    const char *group = arena_printf(l->arena, "%s %s", u->store->name.s, u->object);
    if (map_get(l->approvals, group) || map_get(l->approvals, lint_path(l, group, u->dataset->name)))
        return;
    lint_add(l, LINT_NOT_APPROVED, u->sink->pos, u->object, "\"%s\" is not a consumer of \"%s/%s\"", u->object,
             u->store->name.s, u->dataset->name);
    lint_hint_at(l, "its team lists them", u->store->consumers.pos);
}

// Once for each store of a group.
static void check_production(lint *l, use *u)
{
    if (!u->workspace->production.v || u->store->production.v)
        return;
    if (!u->not_production)
        u->not_production = map_new(l->arena);
    if (!map_add(u->not_production, u->store->name.s, u->not_production))
        lint_add(l, LINT_NOT_PRODUCTION, u->sink->pos, u->object,
                 "workspace \"%s\" is production, and datastore \"%s\" is not", u->workspace->name.s, u->store->name.s);
}

static void check_sink(lint *l, use *u)
{
    check_deprecated(l, u);
    check_approved(l, u);
    check_production(l, u);
    if (u->group->requires_.history == HISTORY_FULL && dataset_is_keyless(u->dataset)) {
        lint_add(l, LINT_HISTORY_WITHOUT_KEY, u->sink->pos, u->object,
                 "group \"%s\" requires full history, and \"%s/%s\" has no key", u->object, u->store->name.s,
                 u->dataset->name);
        diag_hint(l->diags, "use it in a group that requires live rows");
    }
}

// A dataset and the sink that names it; the first sink of a dataset sorts before its repetitions.
typedef struct used {
    const ds_dataset *dataset;
    const ds_sink *sink;
} used;

static int by_dataset(const void *a, const void *b)
{
    const used *x = a, *y = b;
    int order = (x->dataset > y->dataset) - (x->dataset < y->dataset);
    return order ? order : (x->sink > y->sink) - (x->sink < y->sink);
}

static void check_twice(lint *l, const char *object, used *all, size_t n)
{
    if (n > 1)
        qsort(all, n, sizeof *all, by_dataset);
    for (size_t i = 1; i < n; i++)
        if (all[i].dataset == all[i - 1].dataset)
            lint_add(l, LINT_SINK_TWICE, all[i].sink->pos, object, "group \"%s\" uses \"%s/%s\" twice", object,
                     all[i].sink->store, all[i].sink->dataset);
}

static void check_retention(lint *l, const ds_group *group, const char *object)
{
    const ds_requires *requires_ = &group->requires_;
    if (!requires_->retention.s || requires_->history == HISTORY_FULL)
        return;
    lint_add(l, LINT_RETENTION, requires_->retention.pos, object,
             "group \"%s\" asks for history of %s, and requires live rows only", object, requires_->retention.s);
    diag_hint(l->diags, "write history: full, or leave retention out");
}

static void check_group(lint *l, const ds_workspace *workspace, const ds_group *group)
{
    use u = {.workspace = workspace, .group = group, .object = lint_path(l, workspace->name.s, group->name)};
    check_retention(l, group, u.object);
    used *all = ARENA_ARRAY(l->arena, used, group->sinks.n);
    size_t n = 0;
    for (size_t i = 0; i < group->sinks.n; i++) {
        u.sink = &group->sinks.v[i];
        if (!resolve(l, &u))
            continue;
        all[n++] = (used){u.dataset, u.sink};
        check_sink(l, &u);
    }
    check_twice(l, u.object, all, n);
}

void lint_workspaces(lint *l)
{
    for (size_t i = 0; i < l->model->workspaces.n; i++) {
        const ds_workspace *workspace = l->model->workspaces.v[i];
        if (!workspace->name.s)
            continue;
        (void)lint_container(l, workspace->container, workspace->name.s);
        for (size_t k = 0; k < workspace->groups.n; k++)
            check_group(l, workspace, &workspace->groups.v[k]);
    }
}
