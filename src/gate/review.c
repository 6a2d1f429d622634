#include "gate/review.h"

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

void gate_lint_environments(const ds_model *head, ds_platform_types types, ds_diags *diags)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const ds_map *known = head->environments.n ? known_findings(diags, arena) : NULL;
    for (size_t i = 0; i < head->environments.n; i++) {
        const ds_environment *environment = head->environments.v[i];
        CLEANUP(diags_freep) ds_diags *found = diags_new(head->files);
        lint_objects(model_in_environment(head, environment, arena), types, found); // datasets are the same
        add_new(found, known, environment->name.s ? environment->name.s : "", diags);
    }
    diags_sort(diags);
}
