// Who uses what is removed or deprecated, and views that go away.
#include "base/vec.h"
#include "gate/compat_int.h"
#include "model/lookup.h"

// --- all uses of the head

typedef struct user {
    const char *object; // "Consumer1/live"
    const char *owner;
    const ds_sink *sink; // how a dataset is used; NULL in other cases
} user;
typedef VEC(user) user_list;

// Users by "store Store1", "dataset Store1/customers" and so on.
typedef struct uses {
    gate *g;
    ds_map *by_thing;
} uses;

static void add_user(uses *u, const char *kind, const char *name, user who)
{
    if (!name || !name[0])
        return;
    const char *key = arena_printf(u->g->arena, "%s %s", kind, name);
    user_list *list = map_get(u->by_thing, key);
    if (!list) {
        list = ARENA_NEW(u->g->arena, user_list);
        (void)map_add(u->by_thing, key, list);
    }
    if (list->n == 0 || strcmp(list->v[list->n - 1].object, who.object) != 0 || who.sink)
        *VEC_PUSH(u->g->arena, list) = who;
}

// The team's repository, by the base when it is the team that goes.
static const char *team_owner(const uses *u, ds_text team)
{
    const char *name = gate_text(team.s);
    return owners_of_team(owners_has_team(u->g->head_owners, name) ? u->g->head_owners : u->g->base_owners, name);
}

static void use_team(uses *u, const char *team, user who)
{
    ds_str rest = str_of(team);
    add_user(u, "team", team, who);
    add_user(u, "zone", arena_str(u->g->arena, str_split(&rest, '/')), who);
}

static void use_places(uses *u, const ds_container *container, user who)
{
    for (size_t i = 0; i < container->locations.n; i++) {
        ds_str rest = str_of(container->locations.v[i].s);
        add_user(u, "location", container->locations.v[i].s, who);
        add_user(u, "vendor", arena_str(u->g->arena, str_split(&rest, ':')), who);
    }
}

static void use_workspace(uses *u, const ds_workspace *workspace)
{
    const char *owner = team_owner(u, workspace->team);
    user whole = {gate_text(workspace->name.s), owner, NULL};
    use_team(u, gate_text(workspace->team.s), whole);
    add_user(u, "container", workspace->container.s, whole);
    for (size_t i = 0; i < workspace->groups.n; i++) {
        const ds_group *group = &workspace->groups.v[i];
        user who = {arena_path(u->g->arena, whole.object, group->name, NULL), owner, NULL};
        for (size_t k = 0; k < group->sinks.n; k++) {
            who.sink = &group->sinks.v[k];
            add_user(u, "dataset", who.sink->text.s, who);
            add_user(u, "store", who.sink->store, who);
        }
    }
}

static void use_service(uses *u, const ds_platform_service *service)
{
    user who = {gate_text(service->name.s), owners_of_service(u->g->head_owners, gate_text(service->name.s)), NULL};
    add_user(u, "service", service->name.s, who);
    add_user(u, "container", service->merge_container.s, who);
    for (size_t i = 0; i < service->containers.n; i++)
        use_places(u, &service->containers.v[i], who);
    for (size_t i = 0; i < service->limits.n; i++)
        add_user(u, "container", service->limits.v[i].container, who);
    for (size_t i = 0; i < service->stream_hints.n; i++) {
        const char *name = service->stream_hints.v[i].name;
        ds_str rest = str_of(name);
        add_user(u, "store", arena_str(u->g->arena, str_split(&rest, '/')), who);
        add_user(u, "dataset", name, who);
    }
    for (size_t i = 0; i < service->primary_ingestion.n; i++) {
        add_user(u, "store", service->primary_ingestion.v[i].store, who);
        add_user(u, "platform", service->primary_ingestion.v[i].platform.s, who);
    }
    for (size_t i = 0; i < service->assignments.n; i++) {
        const ds_assignment *assignment = &service->assignments.v[i];
        ds_str rest = str_of(assignment->group.s);
        add_user(u, "group", assignment->group.s, who);
        add_user(u, "workspace", arena_str(u->g->arena, str_split(&rest, '/')), who);
        for (size_t k = 0; k < assignment->platforms.n; k++)
            if (assignment->platforms.v[k].status != ASSIGNMENT_DECOMMISSIONED)
                add_user(u, "platform", assignment->platforms.v[k].platform.s,
                         (user){gate_text(assignment->group.s), who.owner, NULL});
    }
}

static void use_stores(uses *u)
{
    const ds_model *head = u->g->head;
    for (size_t i = 0; i < head->datastores.n; i++) {
        const ds_datastore *store = head->datastores.v[i];
        user who = {gate_text(store->name.s), team_owner(u, store->team), NULL};
        use_team(u, gate_text(store->team.s), who);
        add_user(u, "container", store->capture.container.s, who);
    }
    for (size_t i = 0; i < head->containers.n; i++) {
        const ds_container *container = head->containers.v[i];
        user who = {gate_text(container->name.s), team_owner(u, container->team), NULL};
        use_team(u, gate_text(container->team.s), who);
        use_places(u, container, who);
    }
}

static uses *uses_new(gate *g)
{
    uses *u = ARENA_NEW(g->arena, uses);
    *u = (uses){g, map_new(g->arena)};
    use_stores(u);
    for (size_t i = 0; i < g->head->workspaces.n; i++)
        use_workspace(u, g->head->workspaces.v[i]);
    for (size_t i = 0; i < g->head->services.n; i++)
        use_service(u, g->head->services.v[i]);
    for (size_t i = 0; i < g->head->zones.n; i++) {
        const char *name = gate_text(g->head->zones.v[i]->name.s);
        add_user(u, "declaration", name, (user){name, owners_of_zone(g->head_owners, name), NULL});
    }
    return u;
}

// --- removals

enum { USERS_SHOWN = 12 };

// `Consumer1/live (acme/model@analytics), ...`
static const char *tell_users(const gate *g, const user_list *list)
{
    CLEANUP(buf_release) ds_buf out = BUF_INIT(DS_ERROR_TEXT * 2);
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (i && strcmp(list->v[i].object, list->v[i - 1].object) == 0)
            continue; // a group with several sinks
        if (n++ < USERS_SHOWN)
            buf_printf(&out, "%s%s (%s)", i ? ", " : "", list->v[i].object, list->v[i].owner);
    }
    if (n > USERS_SHOWN)
        buf_printf(&out, " and %zu more", n - USERS_SHOWN);
    return arena_str(g->arena, buf_str(&out));
}

static void removed(uses *u, gate_change *change, const char *kind, const char *name)
{
    const user_list *list = map_get(u->by_thing, arena_printf(u->g->arena, "%s %s", kind, gate_text(name)));
    if (!list)
        return;
    change->breaking = true;
    gate_find(u->g, CHANGE_IN_USE, change->what, "%s \"%s\" is removed, and used by %s",
              strcmp(kind, "declaration") == 0 ? "zone" : kind, name, tell_users(u->g, list));
    diag_hint(u->g->diags, "those who use it give it up first");
}

static void removed_store(uses *u, gate_change *change, const ds_datastore *store)
{
    if (store)
        removed(u, change, "store", store->name.s);
}

static void removed_workspace(uses *u, gate_change *change, const ds_workspace *workspace)
{
    removed(u, change, "workspace", workspace->name.s);
    removed_store(u, change, workspace->transformer.output);
}

static void removed_service(uses *u, gate_change *change, const ds_platform_service *service)
{
    for (size_t i = 0; i < service->containers.n; i++)
        removed(u, change, "container", service->containers.v[i].name.s);
    for (size_t i = 0; i < service->platforms.n; i++)
        removed(u, change, "platform", service->platforms.v[i].name);
}

static void removed_document(uses *u, gate_change *change)
{
    ds_document document = change->what->before;
    const model_shape *shape = document.kind->shape;
    if (shape == &SHAPE_WORKSPACE)
        removed_workspace(u, change, document.object);
    else if (shape == &SHAPE_PLATFORM_SERVICE)
        removed_service(u, change, document.object);
    else if (shape == &SHAPE_DATASTORE)
        removed_store(u, change, document.object);
    else if (shape == &SHAPE_ZONE)
        removed(u, change, "zone", document_text(document, "name"));
    else if (shape == &SHAPE_DATA_CONTAINER)
        removed(u, change, "container", document_text(document, "name"));
}

static const char *path_in(const gate *g, ds_text parent, const char *child)
{
    return arena_path(g->arena, gate_text(parent.s), gate_text(child), NULL);
}

// A zone that nobody is in may still have its document.
static void removed_declaration(uses *u, gate_change *change, const char *kind, const ds_declaration *declaration)
{
    removed(u, change, kind, declaration->name.s);
    if (strcmp(kind, "zone") == 0 && !change->breaking)
        removed(u, change, "declaration", declaration->name.s);
}

// A part of a document: what it was, by its shape.
static void removed_part(uses *u, gate_change *change)
{
    const ds_change *c = change->what;
    const model_shape *shape = c->inner.shape;
    const void *was = c->inner.before;
    if (shape == &SHAPE_DATASET)
        removed(u, change, "dataset",
                path_in(u->g, ((const ds_datastore *)c->store.before)->name, ((const ds_dataset *)was)->name));
    else if (shape == &SHAPE_OUTPUT)
        removed_store(u, change, was);
    else if (shape == &SHAPE_GROUP)
        removed(u, change, "group",
                path_in(u->g, ((const ds_workspace *)c->before.object)->name, ((const ds_group *)was)->name));
    else if (shape == &SHAPE_PLATFORM)
        removed(u, change, "platform", ((const ds_platform *)was)->name);
    else if (shape == &SHAPE_CONTAINER && c->before.kind->shape == &SHAPE_PLATFORM_SERVICE)
        removed(u, change, "container", ((const ds_container *)was)->name.s);
    else if (shape == &SHAPE_ZONE_DECLARATION)
        removed_declaration(u, change, "zone", was);
    else if (shape == &SHAPE_SERVICE_DECLARATION)
        removed_declaration(u, change, "service", was);
    else if (shape == &SHAPE_TEAM)
        removed(u, change, "team",
                path_in(u->g, ((const ds_zone *)c->before.object)->name, ((const ds_declaration *)was)->name.s));
    else if (shape == &SHAPE_VENDOR)
        removed(u, change, "vendor", ((const ds_vendor *)was)->name.s);
    else if (c->row && c->row->kind == FIELD_STRUCT && c->part.shape == &SHAPE_WORKSPACE &&
             strcmp(c->row->key, "transformer") == 0)
        removed_store(u, change, ((const ds_workspace *)c->before.object)->transformer.output);
}

static bool lists(const ds_texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->n; i++)
        if (strcmp(texts->v[i].s, text) == 0)
            return true;
    return false;
}

// Places that a vendor no longer lists.
static void removed_locations(uses *u, gate_change *change)
{
    const ds_vendor *before = change->what->inner.before, *after = change->what->inner.after;
    for (size_t i = 0; i < before->locations.n; i++)
        if (!lists(&after->locations, before->locations.v[i].s))
            removed(u, change, "location",
                    arena_printf(u->g->arena, "%s:%s", gate_text(before->name.s), before->locations.v[i].s));
}

static void judge_removal(uses *u, gate_change *change)
{
    const ds_change *c = change->what;
    if (!c->after.object)
        removed_document(u, change);
    else if (c->inner.before && !c->inner.after)
        removed_part(u, change);
    else if (change_is_of(c, &SHAPE_VENDOR, "locations"))
        removed_locations(u, change);
    else if (change_is_of(c, &SHAPE_OUTPUT, "datastore"))
        removed_store(u, change, c->inner.before);
}

// --- deprecations

// A producer can't deprecate what a consumer uses until that sink allows it.
static void judge_deprecation(uses *u, gate_change *change)
{
    const ds_change *c = change->what;
    const bool store = change_is_of(c, &SHAPE_DATASTORE, "deprecated") || change_is_of(c, &SHAPE_OUTPUT, "deprecated");
    if (!store && !change_is_of(c, &SHAPE_DATASET, "deprecated"))
        return;
    const ds_datastore *its = c->store.after;
    const ds_deprecation *now = (const void *)((const char *)c->inner.after + c->row->offset);
    const ds_deprecation *was = (const void *)((const char *)c->inner.before + c->row->offset);
    const char *name =
        store ? gate_text(its->name.s) : path_in(u->g, its->name, ((const ds_dataset *)c->dataset.after)->name);
    const user_list *all = map_get(u->by_thing, arena_printf(u->g->arena, "%s %s", store ? "store" : "dataset", name));
    user_list against = {0};
    for (size_t i = 0; now->v && !was->v && all && i < all->n; i++)
        if (all->v[i].sink && !all->v[i].sink->allow_deprecated.v)
            *VEC_PUSH(u->g->arena, &against) = all->v[i];
    if (!against.n)
        return;
    change->breaking = true;
    gate_find(u->g, CHANGE_DEPRECATED, c, "\"%s\" can't be deprecated yet: used by %s", name,
              tell_users(u->g, &against));
    diag_hint(u->g->diags, "each of them moves away, or says allow_deprecated first");
}

// --- views

static bool has_views(const ds_change *c)
{
    const ds_workspace *before = c->before.object;
    return c->after.object && c->before.kind->shape == &SHAPE_WORKSPACE && before && !before->transformer.pos.file;
}

static void judge_view(gate *g, const ds_change *c)
{
    if (!c->before.object || !has_views(c))
        return;
    if (change_is_whole(c, &SHAPE_SINK) && !c->inner.after)
        gate_find(g, CHANGE_VIEW_GONE, c, "the views of \"%s\" for \"%s\" go away",
                  gate_text(((const ds_sink *)c->inner.before)->text.s), strchr(c->object, ' ') + 1);
    else if (change_is_whole(c, &SHAPE_GROUP) && !c->inner.after)
        gate_find(g, CHANGE_VIEW_GONE, c, "the views of \"%s\" go away", strchr(c->object, ' ') + 1);
    else if (c->part.shape == &SHAPE_GROUP && c->row && strcmp(gate_text(c->row->key), "history") == 0 &&
             ((const ds_group *)c->part.after)->requires_.history == HISTORY_LIVE)
        gate_find(g, CHANGE_VIEW_GONE, c, "the history views of \"%s\" go away", strchr(c->object, ' ') + 1);
}

void compat_uses(gate *g)
{
    if (g->n == 0)
        return;
    uses *u = uses_new(g);
    for (size_t i = 0; i < g->n; i++) {
        judge_removal(u, &g->changes[i]);
        judge_deprecation(u, &g->changes[i]);
        judge_view(g, g->changes[i].what);
    }
}
