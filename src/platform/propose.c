#include "platform/propose.h"

#include "base/vec.h"
#include "base/yaml_out.h"
#include "model/lookup.h"
#include "platform/assign.h"

typedef struct proposer {
    const ds_model *model;
    ds_platform_types types;
    ds_arena *arena;
    const ds_platform_service **services; // to choose from, by name
    size_t service_count;
    ds_map *served;    // "WORKSPACE/GROUP" -> ds_root that stays, or is automatic
    ds_map *mentioned; // "WORKSPACE/GROUP" -> ds_assignment
} proposer;

static char *group_path(const proposer *p, const ds_workspace *workspace, const ds_group *group)
{
    return arena_path(p->arena, workspace->name.s, group->name, NULL);
}

static void index_roots(proposer *p, ds_roots roots)
{
    for (size_t i = 0; i < roots.n; i++)
        if (roots.v[i].status != ASSIGNMENT_DECOMMISSIONING)
            map_set(p->served, group_path(p, roots.v[i].workspace, roots.v[i].group), (void *)(uintptr_t)&roots.v[i]);
    for (size_t i = 0; i < p->model->services.n; i++)
        for (size_t k = 0; k < p->model->services.v[i]->assignments.n; k++) {
            const ds_assignment *assignment = &p->model->services.v[i]->assignments.v[k];
            if (assignment->group.s)
                (void)map_add(p->mentioned, assignment->group.s, (void *)(uintptr_t)assignment);
        }
}

static const char *reason(const proposer *p, const ds_platform *platform, const ds_requires *requires_)
{
    const ds_platform_type *type = platform_type(p->types, platform->type.s);
    CLEANUP(buf_release) ds_buf why = BUF_INIT(DS_ERROR_TEXT);
    if (!type)
        return "its type is unknown";
    return type->serves(platform, requires_, &why) ? NULL : arena_strdup(p->arena, buf_text(&why));
}

static ds_proposal propose(const proposer *p, const ds_workspace *workspace, const ds_group *group)
{
    const char *path = group_path(p, workspace, group);
    const ds_root *root = map_get(p->served, path);
    VEC(ds_candidate) list = {0};
    for (size_t i = 0; i < p->service_count; i++)
        for (size_t k = 0; k < p->services[i]->platforms.n; k++) {
            const ds_platform *platform = &p->services[i]->platforms.v[k];
            *VEC_PUSH(p->arena, &list) =
                (ds_candidate){p->services[i], platform, reason(p, platform, &group->requires_)};
        }
    size_t first = 0;
    while (first < list.n && list.v[first].why_not)
        first++;
    return (ds_proposal){.workspace = workspace,
                         .group = group,
                         .candidates = list.v,
                         .n = list.n,
                         .chosen = first < list.n ? &list.v[first] : NULL,
                         .automatic = root,
                         .mentioned = map_get(p->mentioned, path)};
}

// Does a platform serve it that somebody wrote down?
static bool is_assigned(const proposer *p, const char *path)
{
    const ds_root *root = map_get(p->served, path);
    return root && !root->automatic;
}

ds_proposals assign_propose(const ds_model *model, ds_platform_types types, ds_roots roots,
                            const ds_platform_service *service, ds_arena *arena)
{
    proposer p = {.model = model,
                  .types = types,
                  .arena = arena,
                  .services = service ? &service : assign_services(model, arena),
                  .service_count = service ? 1 : model->services.n,
                  .served = map_new(arena),
                  .mentioned = map_new(arena)};
    index_roots(&p, roots);
    VEC(ds_proposal) list = {0};
    for (size_t i = 0; i < model->workspaces.n; i++) {
        const ds_workspace *workspace = model->workspaces.v[i];
        if (workspace->transformer.pos.file || !workspace->name.s)
            continue;
        for (size_t k = 0; k < workspace->groups.n; k++)
            if (!is_assigned(&p, group_path(&p, workspace, &workspace->groups.v[k])))
                *VEC_PUSH(arena, &list) = propose(&p, workspace, &workspace->groups.v[k]);
    }
    return (ds_proposals){list.v, list.n};
}

// --- as YAML

bool propose_is_new(const ds_proposal *proposal)
{
    return proposal->chosen && !proposal->automatic && !proposal->mentioned;
}

static void put_entry(yaml_out *y, const ds_proposal *proposal, ds_arena *arena)
{
    yaml_flow_map_begin(y);
    yaml_word(y, "group", arena_path(arena, proposal->workspace->name.s, proposal->group->name, NULL));
    yaml_list_begin(y, "platforms");
    yaml_map_begin(y, NULL);
    yaml_word(y, "platform", proposal->chosen->platform->name);
    yaml_word(y, "status", "provisioned");
    yaml_map_end(y);
    yaml_list_end(y);
    yaml_map_end(y);
}

enum { INDENT_USUAL = 2 };

// Spaces before the dash of the service's assignments, as far as their places tell: in block style an entry begins
// below the list's key, two columns behind its dash.
static size_t indent_of(const ds_platform_service *service)
{
    const ds_pos first = service->assignments.n ? service->assignments.v[0].pos : NO_POS;
    bool is_block = first.line > service->assignments.pos.line && first.column > INDENT_USUAL;
    return is_block ? first.column - 1u - INDENT_USUAL : INDENT_USUAL;
}

void propose_put_yaml(ds_proposals proposals, const ds_platform_service *service, ds_buf *out)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(buf_release) ds_buf document = BUF_INIT(out->max);
    yaml_out y;
    size_t n = 0;
    yaml_out_begin(&y, &document);
    yaml_list_begin(&y, "assignments");
    for (size_t i = 0; i < proposals.n; i++)
        if (propose_is_new(&proposals.v[i]) && proposals.v[i].chosen->service == service) {
            put_entry(&y, &proposals.v[i], arena);
            n++;
        }
    yaml_list_end(&y);
    if (!yaml_out_end(&y))
        BUG("a name of the model is not UTF-8");
    ds_str rest = buf_str(&document);
    ds_str heading = str_split(&rest, '\n');
    if (n && service->assignments.n == 0)
        buf_printf(out, "%.*s\n", STR_ARGS(heading));
    size_t indent = indent_of(service);
    for (size_t i = 0; i < n; i++) { // an entry is a line
        ds_str line = str_split(&rest, '\n');
        buf_printf(out, "%*s%.*s\n", (int)indent, "", STR_ARGS(line));
    }
}
