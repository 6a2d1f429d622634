#include "gate/review.h"

#include "gate/impact_int.h"
#include "model/lookup.h"

static const char *key_of(const ds_diag *diag, ds_arena *arena)
{
    return arena_printf(arena, "%s\n%s\n%s", diag->rule, diag->object, diag->message);
}

static ds_map *known_findings(const ds_diags *diags, ds_arena *arena)
{
    ds_map *known = map_new(arena);
    for (size_t i = 0; i < diags_count(diags); i++)
        (void)map_add(known, key_of(diags_at(diags, i), arena), known);
    return known;
}

// " (model.yaml:12:7 in the base)"
static const char *place_in_base(const ds_diags *base, ds_pos pos, ds_arena *arena)
{
    const char *path = files_path(diags_files(base), pos.file);
    if (!path[0])
        return " (in the base)";
    return pos.line ? arena_printf(arena, " (%s:%u:%u in the base)", path, (unsigned)pos.line, (unsigned)pos.column)
                    : arena_printf(arena, " (%s in the base)", path);
}

void gate_note_repaired(const ds_diags *base, ds_diags *diags)
{
    if (diags_severity_count(base, DIAG_ERROR) == 0)
        return;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const ds_map *known = known_findings(diags, arena);
    for (size_t i = 0; i < diags_count(base); i++) {
        const ds_diag *diag = diags_at(base, i);
        if (diag->severity == DIAG_ERROR && !map_get(known, key_of(diag, arena)))
            diag_add(diags, DIAG_INFO, diag->rule, NO_POS, diag->object, "repaired: %s%s", diag->message,
                     place_in_base(base, diag->pos, arena));
    }
}

static void add_new(const ds_diags *found, const ds_map *known, const char *environment, ds_diags *diags)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    for (size_t i = 0; i < diags_count(found); i++) {
        const ds_diag *diag = diags_at(found, i);
        if (diag->severity == DIAG_INFO || map_get(known, key_of(diag, arena)))
            continue;
        diag_add(diags, diag->severity, diag->rule, diag->pos, diag->object, "with --env %s: %s", environment,
                 diag->message);
        if (diag->hint[0])
            diag_hint(diags, "%s", diag->hint);
    }
}

// Stores whose streams are to be looked at; NULL: everything is.
static const ds_map *stores_of(const ds_documents *changed, ds_arena *arena)
{
    ds_map *stores = map_new(arena);
    for (size_t i = 0; changed && i < changed->n; i++) {
        const model_shape *shape = changed->v[i].kind->shape;
        if (shape == &SHAPE_ENVIRONMENT || shape == &SHAPE_DATA_CONTAINER || shape == &SHAPE_PLATFORM_SERVICE)
            return NULL;
        reach_document(stores, changed->v[i]);
    }
    return changed ? stores : NULL;
}

static void lint_streams(const ds_model *model, ds_platform_types types, const ds_map *stores, ds_diags *found)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const ds_graph *graph = gate_graph(model, types, stores, map_new(arena), arena);
    for (size_t i = 0; i < graph->nodes.n; i++) {
        const ds_node *node = graph->nodes.v[i];
        const ds_platform_type *type = node_is_stream(node) ? platform_type(types, node->platform->type.s) : NULL;
        if (type && map_get(stores, node->store->name.s))
            type->check_stream(model, node, found);
    }
}

void gate_lint_environments(const ds_model *head, ds_platform_types types, const ds_documents *changed, ds_diags *diags)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const ds_map *stores = stores_of(changed, arena);
    const ds_map *known = head->environments.n ? known_findings(diags, arena) : NULL;
    for (size_t i = 0; i < head->environments.n; i++) {
        const ds_environment *environment = head->environments.v[i];
        const ds_model *model = model_in_environment(head, environment, arena);
        CLEANUP(diags_freep) ds_diags *found = diags_new(head->files);
        if (stores && map_count(stores))
            lint_streams(model, types, stores, found);
        else if (!stores)
            lint_objects(model, types, found); // datasets by themselves are the same
        add_new(found, known, environment->name.s ? environment->name.s : "", diags);
    }
    diags_sort(diags);
}
