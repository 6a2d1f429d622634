#include "platform/assign.h"

#include <stdlib.h>

#include "base/vec.h"
#include "model/lookup.h"

typedef VEC(ds_root) root_list;

typedef struct collector {
    const ds_model *model;
    ds_platform_types types;
    ds_arena *arena;
    const ds_map *only; // workspaces by name; NULL: all
    ds_map *mentioned;  // "WORKSPACE/GROUP" of every assignment, also those that lead nowhere
    ds_map *taken;      // "PLATFORM/WORKSPACE/GROUP": the first assignment wins
    root_list roots;
} collector;

// The group of an assignment's "WORKSPACE/GROUP"; false when it does not exist or feeds a transformer.
static bool resolve(const ds_model *model, const char *path, const ds_workspace **workspace, const ds_group **group)
{
    return path && model_resolve_group(model, path, workspace, group) && !(*workspace)->transformer.pos.file;
}

const ds_platform *assign_platform(const ds_platform_service *service, const char *name)
{
    for (size_t i = 0; name && i < service->platforms.n; i++)
        if (strcmp(service->platforms.v[i].name, name) == 0)
            return &service->platforms.v[i];
    return NULL;
}

static int64_t port_of(const ds_container *c)
{
    static const int64_t USUAL[CONTAINER_KAFKA + 1] = {
        [CONTAINER_POSTGRES] = 5432, [CONTAINER_MARIADB] = 3306, [CONTAINER_SQLSERVER] = 1433,
        [CONTAINER_ORACLE] = 1521,   [CONTAINER_DB2] = 50000,    [CONTAINER_SNOWFLAKE] = 443,
    };
    return c->port.set ? c->port.v : USUAL[c->type];
}

const char *assign_database(const ds_container *c, ds_arena *arena)
{
    if (c->path.s)
        return arena_printf(arena, "%s:%s", container_type_name(c->type), c->path.s);
    return arena_printf(arena, "%s:%s:%d/%s", container_type_name(c->type), str_of(c->host.s).p, (int)port_of(c),
                        str_of(c->database.s).p);
}

const char *assign_merge_database(const ds_model *model, const ds_platform_service *service, ds_arena *arena)
{
    const ds_container *c = service->merge_container.s ? service_container(model, service) : NULL;
    return c ? assign_database(c, arena) : arena_printf(arena, "container:%s", str_of(service->merge_container.s).p);
}

// The workspace's own database, which gets copies of what the service's platforms serve to it. NULL: its views are in
// the merge database; so they are when that is the container.
static const ds_container *replica_of(const ds_model *model, const ds_workspace *workspace,
                                      const ds_platform_service *service, ds_arena *arena)
{
    const ds_container *own = workspace->container.s ? model_container(model, workspace->container.s) : NULL;
    if (!own)
        return NULL;
    return strcmp(assign_database(own, arena), assign_merge_database(model, service, arena)) == 0 ? NULL : own;
}

const char *assign_views_database(const ds_model *model, const ds_workspace *workspace,
                                  const ds_platform_service *service, ds_arena *arena)
{
    const ds_container *replica = replica_of(model, workspace, service, arena);
    return replica ? assign_database(replica, arena) : assign_merge_database(model, service, arena);
}

static void add_root(collector *c, ds_root root)
{
    char *key = arena_path(c->arena, root.platform->name, root.workspace->name.s, root.group->name, NULL);
    root.replica = replica_of(c->model, root.workspace, root.service, c->arena);
    if (!map_add(c->taken, key, key))
        *VEC_PUSH(c->arena, &c->roots) = root;
}

static bool is_wanted(const collector *c, const ds_workspace *workspace)
{
    return !c->only || map_get(c->only, workspace->name.s);
}

static void collect_assignment(collector *c, const ds_platform_service *service, const ds_assignment *assignment)
{
    const ds_workspace *workspace;
    const ds_group *group;
    if (assignment->group.s)
        (void)map_add(c->mentioned, assignment->group.s, (void *)(uintptr_t)assignment);
    if (!resolve(c->model, assignment->group.s, &workspace, &group) || !is_wanted(c, workspace))
        return;
    for (size_t i = 0; i < assignment->platforms.n; i++) {
        const ds_assigned_platform *at = &assignment->platforms.v[i];
        const ds_platform *platform = assign_platform(service, at->platform.s);
        if (platform && at->status != ASSIGNMENT_DECOMMISSIONED)
            add_root(c, (ds_root){workspace, group, platform, service, at->status, NULL, false, false});
    }
}

// The service's first platform in written order that serves the requirements, or NULL.
static const ds_platform *fitting(const ds_platform_service *service, ds_platform_types types,
                                  const ds_requires *requires_)
{
    for (size_t i = 0; i < service->platforms.n; i++) {
        const ds_platform *platform = &service->platforms.v[i];
        const ds_platform_type *type = platform_type(types, platform->type.s);
        if (type && type->serves(platform, requires_, NULL))
            return platform;
    }
    return NULL;
}

static void assign_automatically(collector *c, const ds_platform_service *service)
{
    for (size_t i = 0; i < c->model->workspaces.n; i++) {
        const ds_workspace *workspace = c->model->workspaces.v[i];
        if (workspace->transformer.pos.file || !workspace->name.s || !is_wanted(c, workspace))
            continue;
        for (size_t k = 0; k < workspace->groups.n; k++) {
            const ds_group *group = &workspace->groups.v[k];
            char *path = arena_path(c->arena, workspace->name.s, group->name, NULL);
            const ds_platform *platform =
                map_get(c->mentioned, path) ? NULL : fitting(service, c->types, &group->requires_);
            if (!platform)
                continue;
            (void)map_add(c->mentioned, path, path); // another service with auto_assign leaves it alone
            add_root(c, (ds_root){workspace, group, platform, service, ASSIGNMENT_PROVISIONED, NULL, true, true});
        }
    }
}

static int by_service_name(const void *a, const void *b)
{
    const ds_platform_service *x = *(const ds_platform_service *const *)a;
    const ds_platform_service *y = *(const ds_platform_service *const *)b;
    return strcmp(str_of(x->name.s).p, str_of(y->name.s).p);
}

const ds_platform_service **assign_services(const ds_model *model, ds_arena *arena)
{
    const ds_platform_service **v = ARENA_ARRAY(arena, const ds_platform_service *, model->services.n);
    for (size_t i = 0; i < model->services.n; i++)
        v[i] = model->services.v[i];
    if (model->services.n > 1)
        qsort(v, model->services.n, sizeof *v, by_service_name);
    return v;
}

static int views_rank(ds_assignment_status status)
{
    switch (status) {
    case ASSIGNMENT_PROVISIONED:
        return 2;
    case ASSIGNMENT_DECOMMISSIONING:
        return 1;
    case ASSIGNMENT_PROVISIONING:
    case ASSIGNMENT_DECOMMISSIONED:
        break;
    }
    return 0;
}

// Of a group's platforms with their views in one database the one with the highest rank owns the views, the first by
// name of equal ones (lint rejects two that are provisioned).
static void elect_view_owners(collector *c)
{
    ds_map *owners = map_new(c->arena);
    for (size_t i = 0; i < c->roots.n; i++) {
        ds_root *root = &c->roots.v[i];
        root->owns_views = false;
        if (views_rank(root->status) == 0)
            continue;
        char *key = arena_printf(c->arena, "%s/%s %s", root->workspace->name.s, root->group->name,
                                 assign_views_database(c->model, root->workspace, root->service, c->arena));
        ds_root *owner = map_get(owners, key);
        if (owner && views_rank(owner->status) >= views_rank(root->status))
            continue;
        if (owner)
            owner->owns_views = false;
        root->owns_views = true;
        map_set(owners, key, root);
    }
}

static int by_place(const void *a, const void *b)
{
    const ds_root *x = a, *y = b;
    int order = strcmp(x->platform->name, y->platform->name);
    if (order == 0)
        order = strcmp(x->workspace->name.s, y->workspace->name.s);
    return order ? order : strcmp(x->group->name, y->group->name);
}

ds_roots assign_roots(const ds_model *model, ds_platform_types types, ds_arena *arena)
{
    return assign_roots_of_workspaces(model, types, NULL, arena);
}

ds_roots assign_roots_of_workspaces(const ds_model *model, ds_platform_types types, const ds_map *workspaces,
                                    ds_arena *arena)
{
    collector c = {model, types, arena, workspaces, map_new(arena), map_new(arena), {0}};
    const ds_platform_service **services = assign_services(model, arena);
    for (size_t i = 0; i < model->services.n; i++)
        for (size_t k = 0; k < services[i]->assignments.n; k++)
            collect_assignment(&c, services[i], &services[i]->assignments.v[k]);
    for (size_t i = 0; i < model->services.n; i++)
        if (services[i]->auto_assign.v)
            assign_automatically(&c, services[i]);
    if (c.roots.n > 1)
        qsort(c.roots.v, c.roots.n, sizeof c.roots.v[0], by_place);
    elect_view_owners(&c);
    return (ds_roots){c.roots.v, c.roots.n};
}

ds_roots assign_roots_of_service(ds_roots roots, const ds_platform_service *service, ds_arena *arena)
{
    if (!service)
        return roots;
    ds_root *v = ARENA_ARRAY(arena, ds_root, roots.n);
    size_t n = 0;
    for (size_t i = 0; i < roots.n; i++)
        if (roots.v[i].service == service)
            v[n++] = roots.v[i];
    return (ds_roots){v, n};
}
