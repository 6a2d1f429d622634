// Platform services: where they merge, whom they serve, and what they were told about streams.
#include "gate/lint_int.h"

// --- assignments

typedef struct assignments {
    ds_map *pairs;                 // "WORKSPACE/GROUP PLATFORM": ds_assigned_platform
    ds_map *provisioned;           // "WORKSPACE/GROUP DATABASE": the same, of those that own views
    const ds_workspace *workspace; // of the assignment in hand
} assignments;

static void unknown_group(lint *l, const ds_platform_service *service, const ds_assignment *assignment)
{
    ds_str rest = str_of(assignment->group.s);
    const char *workspace_name = arena_str(l->arena, str_split(&rest, '/'));
    const ds_workspace *workspace = model_workspace(l->model, workspace_name);
    if (!workspace) {
        lint_add(l, LINT_UNKNOWN_GROUP, assignment->group.pos, lint_text(service->name.s),
                 "no workspace \"%s\" in the model", workspace_name);
        lint_did_you_mean(l, l->model->workspace_by_name, workspace_name);
        return;
    }
    lint_add(l, LINT_UNKNOWN_GROUP, assignment->group.pos, lint_text(service->name.s),
             "workspace \"%s\" has no dataset group \"%s\"", workspace_name, lint_text(rest.p));
    const char **names = ARENA_ARRAY(l->arena, const char *, workspace->groups.n);
    for (size_t i = 0; i < workspace->groups.n; i++)
        names[i] = workspace->groups.v[i].name;
    const char *nearest = str_nearest(lint_text(rest.p), names, workspace->groups.n);
    if (nearest)
        diag_hint(l->diags, "did you mean \"%s/%s\"?", workspace_name, nearest);
}

static void unknown_platform(lint *l, lint_rule_id rule, const ds_platform_service *service, ds_text name)
{
    const ds_platform *elsewhere = model_platform(l->model, name.s);
    const ds_platform_service *other = elsewhere ? platform_service(l->model, elsewhere) : NULL;
    lint_add(l, rule, name.pos, lint_text(service->name.s), "service \"%s\" has no platform \"%s\"",
             lint_text(service->name.s), name.s);
    if (other) {
        diag_hint(l->diags, "it belongs to service \"%s\"", lint_text(other->name.s));
        return;
    }
    const char **names = ARENA_ARRAY(l->arena, const char *, service->platforms.n);
    for (size_t i = 0; i < service->platforms.n; i++)
        names[i] = service->platforms.v[i].name;
    const char *nearest = str_nearest(name.s, names, service->platforms.n);
    if (nearest)
        diag_hint(l->diags, "did you mean \"%s\"?", nearest);
}

static void check_fit(lint *l, const ds_platform *platform, const ds_group *group, const char *path,
                      const ds_assigned_platform *at)
{
    const ds_platform_type *type = platform_type(l->types, platform->type.s);
    CLEANUP(buf_release) ds_buf why = BUF_INIT(DS_ERROR_TEXT);
    if (!type || at->status == ASSIGNMENT_DECOMMISSIONED || type->serves(platform, &group->requires_, &why))
        return;
    lint_add(l, LINT_PLATFORM_UNFIT, at->platform.pos, path, "platform \"%s\" can't serve \"%s\": %s", platform->name,
             path, buf_text(&why));
    lint_hint_at(l, "what it requires stands", group->requires_.pos);
}

// The first one of a key; NULL, and then this one is kept.
static const ds_assigned_platform *first_of(ds_map *map, const char *key, const ds_assigned_platform *at)
{
    return map_add(map, key, (void *)(uintptr_t)at);
}

static void check_assigned(lint *l, const ds_platform_service *service, const ds_group *group, const char *path,
                           const ds_assigned_platform *at, assignments *seen)
{
    const ds_platform *platform = assign_platform(service, at->platform.s);
    if (!platform) {
        if (at->platform.s)
            unknown_platform(l, LINT_UNKNOWN_PLATFORM, service, at->platform);
        return;
    }
    const ds_assigned_platform *first =
        first_of(seen->pairs, arena_printf(l->arena, "%s %s", path, platform->name), at);
    if (first) {
        lint_add(l, LINT_ASSIGNED_TWICE, at->platform.pos, path, "\"%s\" is assigned to \"%s\" twice", path,
                 platform->name);
        lint_hint_at(l, "the first time is", first->platform.pos);
        return;
    }
    check_fit(l, platform, group, path, at);
    if (at->status != ASSIGNMENT_PROVISIONED)
        return;
    const char *database = assign_views_database(l->model, seen->workspace, service, l->arena);
    first = first_of(seen->provisioned, arena_printf(l->arena, "%s %s", path, database), at);
    if (!first)
        return;
    lint_add(l, LINT_TWO_PROVISIONED, at->platform.pos, path, "\"%s\" is provisioned on \"%s\" and \"%s\", which %s",
             path, first->platform.s, at->platform.s,
             seen->workspace->container.s ? "show it in one database" : "share a merge database");
    diag_hint(l->diags, "one of them owns the views; the other is provisioning or decommissioning");
}

static void check_assignment(lint *l, const ds_platform_service *service, const ds_assignment *assignment,
                             assignments *seen)
{
    const ds_workspace *workspace;
    const ds_group *group;
    if (!assignment->group.s)
        return;
    if (!model_resolve_group(l->model, assignment->group.s, &workspace, &group)) {
        unknown_group(l, service, assignment);
        return;
    }
    if (!lint_looks_at_workspace(l, workspace))
        return;
    if (workspace->transformer.pos.file) {
        lint_add(l, LINT_TRANSFORMER_ASSIGNED, assignment->group.pos, assignment->group.s,
                 "\"%s\" feeds a transformer and can't be assigned", assignment->group.s);
        diag_hint(l->diags, "the transformer runs on each platform where its output is needed");
        return;
    }
    seen->workspace = workspace;
    for (size_t i = 0; i < assignment->platforms.n; i++)
        check_assigned(l, service, group, assignment->group.s, &assignment->platforms.v[i], seen);
}

// --- hints, limits, primary ingestion

static void check_hint(lint *l, const ds_platform_service *service, const ds_stream_hint *hint)
{
    const char *object = lint_text(service->name.s);
    ds_str rest = str_of(hint->name);
    const char *store_name = arena_str(l->arena, str_split(&rest, '/'));
    const ds_datastore *store = model_datastore(l->model, store_name);
    if (!store) {
        lint_add(l, LINT_HINT, hint->pos, object, "hint for a stream of datastore \"%s\", which is not in the model",
                 store_name);
        lint_did_you_mean(l, l->model->datastore_by_name, store_name);
    } else if (rest.n && store->capture.consistency == CONSISTENCY_MULTI_DATASET) {
        lint_add(l, LINT_HINT, hint->pos, object, "hint for \"%s\", and all datasets of \"%s\" are one stream",
                 hint->name, store_name);
        diag_hint(l->diags, "write it for \"%s\"", store_name);
    } else if (rest.n && !lint_dataset(l, store_name, rest.p)) {
        lint_add(l, LINT_HINT, hint->pos, object, "hint for \"%s\": datastore \"%s\" has no dataset \"%s\"", hint->name,
                 store_name, rest.p);
    } else {
        lint_hint_load(l, service, hint, store);
    }
}

// Does the platform have a stream of the store? Those of a store's datasets stand together among the nodes.
static bool has_stream(lint *l, const ds_platform *platform, const ds_datastore *store)
{
    const char *name = arena_path(l->arena, "Ingest", platform->name, store->name.s, NULL);
    if (store->capture.consistency == CONSISTENCY_MULTI_DATASET)
        return graph_node(l->graph, name) != NULL;
    const char *first = lint_path(l, name, "");
    size_t low = 0, high = l->graph->nodes.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(l->graph->nodes.v[middle]->name, first) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < l->graph->nodes.n && str_starts(str_of(l->graph->nodes.v[low]->name), str_of(first));
}

// The others read what the primary has merged.
static void check_primary_fit(lint *l, const ds_platform_service *service, const ds_primary *primary,
                              const ds_platform *platform, const ds_datastore *store)
{
    const bool reads = has_stream(l, platform, store);
    for (size_t i = 0; i < service->platforms.n; i++) {
        const ds_platform *other = &service->platforms.v[i];
        if (other == platform || !has_stream(l, other, store))
            continue;
        if (!reads) {
            lint_add(l, LINT_PRIMARY_UNFIT, primary->platform.pos, lint_text(service->name.s),
                     "no group on \"%s\" uses \"%s\", so \"%s\" would have nothing to read", platform->name,
                     primary->store, other->name);
        } else if (platform->milestoning == MILESTONING_SCD1 && other->milestoning != MILESTONING_SCD1) {
            lint_add(l, LINT_PRIMARY_UNFIT, primary->platform.pos, lint_text(service->name.s),
                     "\"%s\" keeps live rows only (scd1), and \"%s\" keeps the history of \"%s\" (%s)", platform->name,
                     other->name, primary->store, milestoning_name(other->milestoning));
        }
    }
}

static void check_primary(lint *l, const ds_platform_service *service, const ds_primary *primary)
{
    const char *object = lint_text(service->name.s);
    const ds_datastore *store = model_datastore(l->model, primary->store);
    const ds_platform *platform = primary->platform.s ? model_platform(l->model, primary->platform.s) : NULL;
    if (!store) {
        lint_add(l, LINT_PRIMARY, primary->pos, object,
                 "primary ingestion of datastore \"%s\", which is not in the model", primary->store);
        lint_did_you_mean(l, l->model->datastore_by_name, primary->store);
    }
    if (primary->platform.s && !platform)
        unknown_platform(l, LINT_PRIMARY, service, primary->platform);
    if (store && platform && lint_looks_at(l, store))
        check_primary_fit(l, service, primary, platform, store);
}

void lint_services(lint *l)
{
    assignments seen = {map_new(l->arena), map_new(l->arena), NULL};
    for (size_t i = 0; i < l->model->services.n; i++) {
        const ds_platform_service *service = l->services_by_name[i];
        lint_locations(l, &service->locations, lint_text(service->name.s));
        (void)lint_container(l, service->merge_container, lint_text(service->name.s));
        for (size_t k = 0; k < service->limits.n; k++)
            lint_limit(l, &service->limits.v[k], lint_text(service->name.s));
        for (size_t k = 0; k < service->assignments.n; k++)
            check_assignment(l, service, &service->assignments.v[k], &seen);
        for (size_t k = 0; k < service->stream_hints.n; k++)
            check_hint(l, service, &service->stream_hints.v[k]);
        for (size_t k = 0; k < service->primary_ingestion.n; k++)
            check_primary(l, service, &service->primary_ingestion.v[k]);
    }
}

// --- groups that nobody serves

enum { CANDIDATES_SHOWN = 5 };

static void hint_candidates(lint *l, const ds_group *group)
{
    CLEANUP(buf_release) ds_buf names = BUF_INIT(DS_ERROR_TEXT);
    size_t n = 0;
    for (size_t i = 0; i < l->model->services.n; i++)
        for (size_t k = 0; k < l->services_by_name[i]->platforms.n && n < CANDIDATES_SHOWN; k++) {
            const ds_platform *platform = &l->services_by_name[i]->platforms.v[k];
            const ds_platform_type *type = platform_type(l->types, platform->type.s);
            if (type && type->serves(platform, &group->requires_, NULL))
                buf_printf(&names, "%s%s", n++ ? ", " : "", platform->name);
        }
    if (n)
        diag_hint(l->diags, "platforms that fit: %s", buf_text(&names));
    else
        diag_hint(l->diags, "no platform of the model fits what it requires");
}

void lint_groups(lint *l)
{
    ds_map *served = map_new(l->arena); // root of the group's best platform
    for (size_t i = 0; i < l->graph->roots.n; i++) {
        const ds_root *root = &l->graph->roots.v[i];
        const char *path = lint_path(l, root->workspace->name.s, root->group->name);
        if (root->status != ASSIGNMENT_DECOMMISSIONING || !map_get(served, path))
            map_set(served, path, (void *)(uintptr_t)root);
    }
    for (size_t i = 0; i < l->model->workspaces.n; i++) {
        const ds_workspace *workspace = l->model->workspaces.v[i];
        for (size_t k = 0; !workspace->transformer.pos.file && workspace->name.s && k < workspace->groups.n; k++) {
            const ds_group *group = &workspace->groups.v[k];
            const char *path = lint_path(l, workspace->name.s, group->name);
            const ds_root *root = map_get(served, path);
            if (root && root->status != ASSIGNMENT_DECOMMISSIONING)
                continue;
            lint_add(l, LINT_UNASSIGNED, group->pos, path,
                     root ? "\"%s\" is only on a platform that is being decommissioned"
                          : "no platform serves \"%s\" yet",
                     path);
            hint_candidates(l, group);
        }
    }
}
