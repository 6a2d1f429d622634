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

typedef enum use_of {
    USE_DATASET, // STORE/DATASET
    USE_STORE,
    USE_CONTAINER,
    USE_GROUP, // WORKSPACE/GROUP
    USE_WORKSPACE,
    USE_PLATFORM,
    USE_SERVICE,
    USE_TEAM, // ZONE/TEAM
    USE_ZONE,
    USE_DECLARATION, // of a zone: by its document
    USE_VENDOR,
    USE_LOCATION, // VENDOR:PLACE
    USE_COUNT,
} use_of;
static const char *const USED[USE_COUNT] = {"dataset",          "store", "container", "group", "workspace", "platform",
                                            "platform service", "team",  "zone",      "zone",  "vendor",    "location"};

// Users of everything in the head, looked for when something goes.
typedef struct uses {
    gate *g;
    ds_map *by_name[USE_COUNT]; // user_list; NULL: not looked for yet
} uses;

static void add_user(uses *u, use_of kind, const char *name, user who)
{
    if (!name || !name[0])
        return;
    user_list *list = map_get(u->by_name[kind], name);
    if (!list) {
        list = ARENA_NEW(u->g->arena, user_list);
        (void)map_add(u->by_name[kind], name, list);
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
    add_user(u, USE_TEAM, team, who);
    add_user(u, USE_ZONE, arena_str(u->g->arena, str_split(&rest, '/')), who);
}

static void use_places(uses *u, const ds_container *container, user who)
{
    for (size_t i = 0; i < container->locations.n; i++) {
        ds_str rest = str_of(container->locations.v[i].s);
        add_user(u, USE_LOCATION, container->locations.v[i].s, who);
        add_user(u, USE_VENDOR, arena_str(u->g->arena, str_split(&rest, ':')), who);
    }
}

static void use_workspace(uses *u, const ds_workspace *workspace)
{
    const char *owner = team_owner(u, workspace->team);
    user whole = {gate_text(workspace->name.s), owner, NULL};
    use_team(u, gate_text(workspace->team.s), whole);
    add_user(u, USE_CONTAINER, workspace->container.s, whole);
    for (size_t i = 0; i < workspace->groups.n; i++) {
        const ds_group *group = &workspace->groups.v[i];
        user who = {arena_path(u->g->arena, whole.object, group->name, NULL), owner, NULL};
        for (size_t k = 0; k < group->sinks.n; k++) {
            who.sink = &group->sinks.v[k];
            add_user(u, USE_DATASET, who.sink->text.s, who);
            add_user(u, USE_STORE, who.sink->store, who);
        }
    }
}

static void use_service(uses *u, const ds_platform_service *service)
{
    user who = {gate_text(service->name.s), owners_of_service(u->g->head_owners, gate_text(service->name.s)), NULL};
    add_user(u, USE_SERVICE, service->name.s, who);
    add_user(u, USE_CONTAINER, service->merge_container.s, who);
    for (size_t i = 0; i < service->containers.n; i++)
        use_places(u, &service->containers.v[i], who);
    for (size_t i = 0; i < service->limits.n; i++)
        add_user(u, USE_CONTAINER, service->limits.v[i].container, who);
    for (size_t i = 0; i < service->stream_hints.n; i++) {
        const char *name = service->stream_hints.v[i].name;
        ds_str rest = str_of(name);
        add_user(u, USE_STORE, arena_str(u->g->arena, str_split(&rest, '/')), who);
        add_user(u, USE_DATASET, name, who);
    }
    for (size_t i = 0; i < service->primary_ingestion.n; i++) {
        add_user(u, USE_STORE, service->primary_ingestion.v[i].store, who);
        add_user(u, USE_PLATFORM, service->primary_ingestion.v[i].platform.s, who);
    }
    for (size_t i = 0; i < service->assignments.n; i++) {
        const ds_assignment *assignment = &service->assignments.v[i];
        ds_str rest = str_of(assignment->group.s);
        add_user(u, USE_GROUP, assignment->group.s, who);
        add_user(u, USE_WORKSPACE, arena_str(u->g->arena, str_split(&rest, '/')), who);
        for (size_t k = 0; k < assignment->platforms.n; k++)
            if (assignment->platforms.v[k].status != ASSIGNMENT_DECOMMISSIONED)
                add_user(u, USE_PLATFORM, assignment->platforms.v[k].platform.s,
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
        add_user(u, USE_CONTAINER, store->capture.container.s, who);
    }
    for (size_t i = 0; i < head->containers.n; i++) {
        const ds_container *container = head->containers.v[i];
        user who = {gate_text(container->name.s), team_owner(u, container->team), NULL};
        use_team(u, gate_text(container->team.s), who);
        use_places(u, container, who);
    }
}

static void look_around(uses *u)
{
    const gate *g = u->g;
    for (size_t i = 0; i < USE_COUNT; i++)
        u->by_name[i] = map_new(g->arena);
    use_stores(u);
    for (size_t i = 0; i < g->head->workspaces.n; i++)
        use_workspace(u, g->head->workspaces.v[i]);
    for (size_t i = 0; i < g->head->services.n; i++)
        use_service(u, g->head->services.v[i]);
    for (size_t i = 0; i < g->head->zones.n; i++) {
        const char *name = gate_text(g->head->zones.v[i]->name.s);
        add_user(u, USE_DECLARATION, name, (user){name, owners_of_zone(g->head_owners, name), NULL});
    }
}

// NULL: nobody.
static const user_list *users_of(uses *u, use_of kind, const char *name)
{
    if (!u->by_name[0])
        look_around(u);
    return map_get(u->by_name[kind], gate_text(name));
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

static void removed(uses *u, gate_change *change, use_of kind, const char *name)
{
    const user_list *list = users_of(u, kind, name);
    if (!list)
        return;
    change->breaking = true;
    gate_find(u->g, CHANGE_IN_USE, change->what, "%s \"%s\" is removed, and used by %s", USED[kind], name,
              tell_users(u->g, list));
    diag_hint(u->g->diags, "those who use it give it up first");
}

static void removed_store(uses *u, gate_change *change, const ds_datastore *store)
{
    if (store)
        removed(u, change, USE_STORE, store->name.s);
}

static void removed_workspace(uses *u, gate_change *change, const ds_workspace *workspace)
{
    removed(u, change, USE_WORKSPACE, workspace->name.s);
    removed_store(u, change, workspace->transformer.output);
}

// Containers and platforms may have moved to another document.
static void removed_container(uses *u, gate_change *change, const char *name)
{
    if (name && !model_container(u->g->head, name))
        removed(u, change, USE_CONTAINER, name);
}

static void removed_platform(uses *u, gate_change *change, const char *name)
{
    if (!model_platform(u->g->head, name))
        removed(u, change, USE_PLATFORM, name);
}

static void removed_service(uses *u, gate_change *change, const ds_platform_service *service)
{
    for (size_t i = 0; i < service->containers.n; i++)
        removed_container(u, change, service->containers.v[i].name.s);
    for (size_t i = 0; i < service->platforms.n; i++)
        removed_platform(u, change, service->platforms.v[i].name);
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
        removed(u, change, USE_ZONE, document_text(document, "name"));
    else if (shape == &SHAPE_DATA_CONTAINER)
        removed_container(u, change, document_text(document, "name"));
}

static const char *path_in(const gate *g, ds_text parent, const char *child)
{
    return arena_path(g->arena, gate_text(parent.s), gate_text(child), NULL);
}

// A zone that nobody is in may still have its document.
static void removed_zone(uses *u, gate_change *change, const ds_declaration *declaration)
{
    removed(u, change, USE_ZONE, declaration->name.s);
    if (!change->breaking)
        removed(u, change, USE_DECLARATION, declaration->name.s);
}

// A part of a document: what it was, by its shape.
static void removed_part(uses *u, gate_change *change)
{
    const ds_change *c = change->what;
    const model_shape *shape = c->inner.shape;
    const void *was = c->inner.before;
    if (shape == &SHAPE_DATASET)
        removed(u, change, USE_DATASET,
                path_in(u->g, ((const ds_datastore *)c->store.before)->name, ((const ds_dataset *)was)->name));
    else if (shape == &SHAPE_OUTPUT)
        removed_store(u, change, was);
    else if (shape == &SHAPE_GROUP)
        removed(u, change, USE_GROUP,
                path_in(u->g, ((const ds_workspace *)c->before.object)->name, ((const ds_group *)was)->name));
    else if (shape == &SHAPE_PLATFORM)
        removed_platform(u, change, ((const ds_platform *)was)->name);
    else if (shape == &SHAPE_CONTAINER && c->before.kind->shape == &SHAPE_PLATFORM_SERVICE)
        removed_container(u, change, ((const ds_container *)was)->name.s);
    else if (shape == &SHAPE_ZONE_DECLARATION)
        removed_zone(u, change, was);
    else if (shape == &SHAPE_SERVICE_DECLARATION)
        removed(u, change, USE_SERVICE, ((const ds_declaration *)was)->name.s);
    else if (shape == &SHAPE_TEAM)
        removed(u, change, USE_TEAM,
                path_in(u->g, ((const ds_zone *)c->before.object)->name, ((const ds_declaration *)was)->name.s));
    else if (shape == &SHAPE_VENDOR)
        removed(u, change, USE_VENDOR, ((const ds_vendor *)was)->name.s);
    else if (c->row && c->row->kind == FIELD_STRUCT && c->part.shape == &SHAPE_WORKSPACE &&
             strcmp(c->row->key, "transformer") == 0)
        removed_store(u, change, ((const ds_workspace *)c->before.object)->transformer.output);
}

// USA/NY_1 declares USA, too.
static bool declares(const ds_texts *places, const char *place)
{
    size_t n = strlen(place);
    for (size_t i = 0; i < places->n; i++) {
        const char *its = places->v[i].s;
        if (strncmp(its, place, n) == 0 && (its[n] == '\0' || its[n] == '/'))
            return true;
    }
    return false;
}

// Places that a vendor no longer declares.
static void removed_locations(uses *u, gate_change *change)
{
    const ds_vendor *before = change->what->inner.before, *after = change->what->inner.after;
    for (size_t i = 0; i < before->locations.n; i++)
        if (!declares(&after->locations, before->locations.v[i].s))
            removed(u, change, USE_LOCATION,
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

static const ds_deprecation *deprecation_of(const void *store, const void *dataset)
{
    return dataset ? &((const ds_dataset *)dataset)->rest->deprecated : &((const ds_datastore *)store)->deprecated;
}

// A producer can't deprecate what a consumer uses until that sink allows it.
static void judge_deprecation(uses *u, gate_change *change)
{
    const ds_change *c = change->what;
    const bool store = change_is_of(c, &SHAPE_DATASTORE, "deprecated") || change_is_of(c, &SHAPE_OUTPUT, "deprecated");
    if (!store && !change_is_of(c, &SHAPE_DATASET, "deprecated"))
        return;
    const ds_datastore *its = c->store.after;
    const ds_deprecation *now = deprecation_of(c->store.after, c->dataset.after);
    const ds_deprecation *was = deprecation_of(c->store.before, c->dataset.before);
    const char *name =
        store ? gate_text(its->name.s) : path_in(u->g, its->name, ((const ds_dataset *)c->dataset.after)->name);
    const user_list *all = now->v && !was->v ? users_of(u, store ? USE_STORE : USE_DATASET, name) : NULL;
    user_list against = {0};
    for (size_t i = 0; all && i < all->n; i++)
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

static void judge_view(gate *g, const ds_change *c)
{
    const ds_workspace *before = c->before.object;
    if (!before || c->before.kind->shape != &SHAPE_WORKSPACE || before->transformer.pos.file)
        return;
    const char *name = strchr(c->object, ' ') + 1;
    if (!c->after.object || (change_is_whole(c, &SHAPE_GROUP) && !c->inner.after))
        gate_find(g, CHANGE_VIEW_GONE, c, "the views of \"%s\" go away", name);
    else if (change_is_whole(c, &SHAPE_SINK) && !c->inner.after)
        gate_find(g, CHANGE_VIEW_GONE, c, "the views of \"%s\" for \"%s\" go away",
                  gate_text(((const ds_sink *)c->inner.before)->text.s), name);
    else if (c->part.shape == &SHAPE_GROUP && c->row && strcmp(gate_text(c->row->key), "history") == 0 &&
             ((const ds_group *)c->part.after)->requires_.history == HISTORY_LIVE)
        gate_find(g, CHANGE_VIEW_GONE, c, "the history views of \"%s\" go away", name);
}

void compat_uses(gate *g)
{
    uses u = {.g = g};
    for (size_t i = 0; i < g->n; i++) {
        judge_removal(&u, &g->changes[i]);
        judge_deprecation(&u, &g->changes[i]);
        judge_view(g, g->changes[i].what);
    }
}
