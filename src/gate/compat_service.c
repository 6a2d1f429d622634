// Platforms, merge databases, and groups that nobody serves any more.
#include "gate/compat_int.h"
#include "model/lookup.h"

static bool is_service_change(const ds_change *c)
{
    return (c->before.object ? c->before : c->after).kind->shape == &SHAPE_PLATFORM_SERVICE;
}

// --- platforms, which are known by their names in whatever service

// Is the change about the platform, by itself or with all of its service?
static bool is_of_platform(const ds_change *c, const char *name)
{
    const ds_platform *its = c->part.before ? c->part.before : c->part.after;
    if (c->part.shape == &SHAPE_PLATFORM)
        return strcmp(its->name, name) == 0 && (!c->field[0] || strcmp(c->field, "milestoning") == 0);
    const ds_platform_service *service = c->before.object ? c->before.object : c->after.object;
    bool found = false;
    for (size_t i = 0; i < service->platforms.n && !(c->before.object && c->after.object); i++)
        found |= strcmp(service->platforms.v[i].name, name) == 0;
    return found;
}

static void judge_milestoning(gate *g, const ds_platform *before, const ds_platform *after)
{
    bool told = false;
    for (size_t i = 0; i < g->n; i++) {
        if (!is_service_change(g->changes[i].what) || !is_of_platform(g->changes[i].what, before->name))
            continue;
        if (!told)
            gate_break(g, CHANGE_MILESTONING, &g->changes[i],
                       "platform \"%s\" keeps its tables another way: %s, before %s", before->name,
                       milestoning_name(after->milestoning), milestoning_name(before->milestoning));
        told = g->changes[i].breaking = true;
    }
}

static void judge_platforms(gate *g)
{
    for (size_t i = 0; i < g->base->services.n; i++) {
        const ds_platform_service *service = g->base->services.v[i];
        for (size_t k = 0; k < service->platforms.n; k++) {
            const ds_platform *before = &service->platforms.v[k], *after = model_platform(g->head, before->name);
            if (after && after->milestoning != before->milestoning)
                judge_milestoning(g, before, after);
        }
    }
}

// --- groups

// Could the change take a platform from a group?
static bool is_assignment(const ds_change *c)
{
    static const char *const FIELDS[] = {"assignments", "auto_assign", "platforms"};
    bool may = !c->before.object || !c->after.object || (c->part.shape == &SHAPE_PLATFORM && !c->part.after);
    for (size_t i = 0; i < sizeof FIELDS / sizeof FIELDS[0]; i++)
        may |= str_starts(str_of(c->field), str_of(FIELDS[i]));
    return may;
}

// Is the field this entry, or within it?
static bool is_entry(const char *field, const char *entry)
{
    size_t n = strlen(entry);
    return strncmp(field, entry, n) == 0 && (field[n] == '\0' || field[n] == '.');
}

// The first change of the services, in the base and in the head (NULL: of none), that could have done it to the group;
// NULL: none, it was somebody else's.
static gate_change *culprit(gate *g, const ds_root *was, const ds_root *is, const char *group)
{
    gate_change *first = NULL;
    const char *entry = arena_printf(g->arena, "assignments.%s", group);
    for (size_t i = g->n; i-- > 0;) {
        const ds_change *c = g->changes[i].what;
        if ((c->before.object != was->service && !(is && c->after.object == is->service)) || !is_assignment(c))
            continue;
        if (is_entry(c->field, entry))
            return &g->changes[i];
        first = &g->changes[i];
    }
    return first;
}

// Of the roots those whose views somebody owns, by "WORKSPACE/GROUP"; and all by "WORKSPACE/GROUP PLATFORM".
typedef struct served {
    ds_map *groups, *roots;
} served;

static const char *group_path(const gate *g, const ds_root *root)
{
    return arena_path(g->arena, root->workspace->name.s, root->group->name, NULL);
}

static const char *root_key(const gate *g, const ds_root *root)
{
    return arena_printf(g->arena, "%s %s", group_path(g, root), root->platform->name);
}

static served served_by(const gate *g, const ds_roots *roots)
{
    served s = {map_new(g->arena), map_new(g->arena)};
    for (size_t i = 0; i < roots->n; i++) {
        void *root = (void *)(uintptr_t)&roots->v[i];
        (void)map_add(s.roots, root_key(g, root), root);
        if (roots->v[i].owns_views)
            (void)map_add(s.groups, group_path(g, root), root);
    }
    return s;
}

static const char *group_owner(const gate *g, const ds_workspace *workspace)
{
    return owners_of_team(g->head_owners, gate_text(workspace->team.s));
}

static void judge_unserved(gate *g, const served *before, const served *after)
{
    for (size_t i = 0; i < map_count(before->groups); i++) {
        const char *name = map_key(before->groups, i);
        const ds_root *root = map_value(before->groups, i);
        const ds_workspace *workspace;
        const ds_group *group;
        if (map_get(after->groups, name) || !model_resolve_group(g->head, name, &workspace, &group))
            continue;
        gate_change *change = culprit(g, root, NULL, name);
        if (change)
            gate_break(g, CHANGE_UNSERVED, change, "group \"%s\" (%s) is served no longer: its views go away", name,
                       group_owner(g, workspace));
    }
}

// Groups whose views belong to platforms that had nothing to do with them before, and to no other.
static void judge_moved(gate *g, const served *before, const served *after, const ds_roots *roots)
{
    ds_map *kept = map_new(g->arena);
    for (size_t i = 0; i < roots->n; i++)
        if (roots->v[i].owns_views && map_get(before->roots, root_key(g, &roots->v[i])))
            (void)map_add(kept, group_path(g, &roots->v[i]), kept);
    for (size_t i = 0; i < map_count(after->groups); i++) {
        const char *name = map_key(after->groups, i);
        const ds_root *was = map_get(before->groups, name), *is = map_value(after->groups, i);
        gate_change *change = was && !map_get(kept, name) ? culprit(g, was, is, name) : NULL;
        if (!change)
            continue;
        gate_break(g, CHANGE_MOVED_AT_ONCE, change,
                   "group \"%s\" (%s) moves at once from platform \"%s\" to \"%s\", which has loaded nothing for it",
                   name, group_owner(g, is->workspace), was->platform->name, is->platform->name);
    }
}

static void judge_groups(gate *g)
{
    const ds_roots roots[] = {assign_roots(g->base, g->types, g->arena), assign_roots(g->head, g->types, g->arena)};
    const served before = served_by(g, &roots[0]), after = served_by(g, &roots[1]);
    judge_unserved(g, &before, &after);
    judge_moved(g, &before, &after, &roots[1]);
}

void compat_services(gate *g)
{
    bool any = false, groups = false;
    for (size_t i = 0; i < g->n; i++) {
        any |= is_service_change(g->changes[i].what);
        groups |= is_service_change(g->changes[i].what) && is_assignment(g->changes[i].what);
    }
    if (any)
        judge_platforms(g);
    if (groups)
        judge_groups(g);
}
