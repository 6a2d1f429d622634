// Platforms, merge databases, and groups that nobody serves any more.
#include "gate/compat_int.h"
#include "model/lookup.h"

static void judge_platform(gate *g, gate_change *change)
{
    const ds_change *c = change->what;
    if (change_is_of(c, &SHAPE_PLATFORM, "milestoning"))
        gate_break(g, CHANGE_MILESTONING, change, "platform \"%s\" keeps its tables another way: %s, before %s",
                   ((const ds_platform *)c->part.after)->name, gate_text(c->new_text), gate_text(c->old_text));
    if (strcmp(c->field, "merge.container") == 0)
        gate_break(g, CHANGE_MERGE_DATABASE, change, "all tables and views move from container \"%s\" to \"%s\"",
                   gate_text(c->old_text), gate_text(c->new_text));
}

static bool is_service_change(const ds_change *c)
{
    return (c->before.object ? c->before : c->after).kind->shape == &SHAPE_PLATFORM_SERVICE;
}

// Could the change take a platform from a group?
static bool is_assignment(const ds_change *c)
{
    static const char *const FIELDS[] = {"assignments", "auto_assign", "platforms"};
    bool may = !c->after.object || (c->part.shape == &SHAPE_PLATFORM && !c->part.after);
    for (size_t i = 0; i < sizeof FIELDS / sizeof FIELDS[0]; i++)
        may |= str_starts(str_of(c->field), str_of(FIELDS[i]));
    return may;
}

// The first change of the service that could have done it; NULL: none, it was somebody else's.
static gate_change *culprit(gate *g, const ds_platform_service *service, const char *group)
{
    gate_change *first = NULL;
    const char *field = arena_printf(g->arena, "assignments.%s", group);
    for (size_t i = g->n; i-- > 0;) {
        const ds_change *c = g->changes[i].what;
        if (c->before.object != service || !is_assignment(c))
            continue;
        if (str_starts(str_of(c->field), str_of(field)))
            return &g->changes[i];
        first = &g->changes[i];
    }
    return first;
}

// "WORKSPACE/GROUP" of the roots whose views somebody owns.
static ds_map *served(const gate *g, ds_roots roots)
{
    ds_map *groups = map_new(g->arena);
    for (size_t i = 0; i < roots.n; i++)
        if (roots.v[i].owns_views)
            (void)map_add(groups, arena_path(g->arena, roots.v[i].workspace->name.s, roots.v[i].group->name, NULL),
                          (void *)(uintptr_t)&roots.v[i]);
    return groups;
}

static void judge_groups(gate *g)
{
    const ds_map *before = served(g, assign_roots(g->base, g->types, g->arena));
    const ds_map *after = served(g, assign_roots(g->head, g->types, g->arena));
    for (size_t i = 0; i < map_count(before); i++) {
        const char *name = map_key(before, i);
        const ds_root *root = map_value(before, i);
        const ds_workspace *workspace;
        const ds_group *group;
        if (map_get(after, name) || !model_resolve_group(g->head, name, &workspace, &group))
            continue;
        gate_change *change = culprit(g, root->service, name);
        if (change)
            gate_break(g, CHANGE_UNSERVED, change, "group \"%s\" (%s) is served no longer: its views go away", name,
                       owners_of_team(g->head_owners, gate_text(workspace->team.s)));
    }
}

void compat_services(gate *g)
{
    bool any = false;
    for (size_t i = 0; i < g->n; i++) {
        if (!is_service_change(g->changes[i].what))
            continue;
        judge_platform(g, &g->changes[i]);
        any |= is_assignment(g->changes[i].what);
    }
    if (any)
        judge_groups(g);
}
