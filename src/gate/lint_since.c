// What changes of a few files change in what lint finds. Everything that they can reach is judged in both models, as it
// was and as it is; all other findings are as they were.
//
// It is right as long as two things are: what the focus gets is what it would get from a look at the whole, and nothing
// outside of it gets anything else than before. The first is held against what was found of the whole before. For the
// second, changes of which it is not certain are left to lint_objects: other kinds of documents, physical names that
// another one may have taken, and, where documents come or go, hints with names like theirs.
#include "gate/lint_int.h"
#include "gate/reach.h"
#include "model/diff.h"

typedef struct side {
    const ds_model *model;
    const bool *differs;    // by file, from 1
    ds_documents documents; // of these files
    const ds_map *names;    // of these documents
    ds_diags *found;        // in the focus
    uint64_t at_stake;
} side;

// --- what is to be looked at

// NULL: a document of a kind that reaches everything, or without a name.
static const char *name_of(ds_document document, ds_arena *arena)
{
    const model_shape *shape = document.kind->shape;
    const char *name = document_text(document, "name");
    if ((shape != &SHAPE_DATASTORE && shape != &SHAPE_WORKSPACE) || !name[0])
        return NULL;
    const ds_datastore *output =
        shape == &SHAPE_WORKSPACE ? ((const ds_workspace *)document.object)->transformer.output : NULL;
    return arena_printf(arena, "%s %s %s", document.kind->name, name, output ? lint_text(output->name.s) : "");
}

// NULL: see name_of, or two of one name.
static const ds_map *names_of(const ds_documents *documents, ds_arena *arena)
{
    ds_map *names = map_new(arena);
    for (size_t i = 0; i < documents->n; i++) {
        const char *name = name_of(documents->v[i], arena);
        if (!name || map_add(names, name, names))
            return NULL;
    }
    return names;
}

static bool same_names(const ds_map *before, const ds_map *after)
{
    bool same = map_count(before) == map_count(after);
    for (size_t i = 0; same && i < map_count(before); i++)
        same = map_get(after, map_key(before, i)) != NULL;
    return same;
}

static void look_at_readers(lint_focus *focus, const ds_model *model)
{
    for (size_t i = 0; i < model->workspaces.n; i++) {
        const ds_workspace *workspace = model->workspaces.v[i];
        if (workspace->name.s && reach_workspace_reads(focus->stores, workspace))
            (void)map_add(focus->workspaces, workspace->name.s, focus);
    }
}

static lint_focus focus_on(const side *before, const side *after, ds_arena *arena)
{
    const side *const both[] = {before, after};
    lint_focus focus = {map_new(arena), map_new(arena)};
    for (size_t s = 0; s < 2; s++)
        for (size_t i = 0; i < both[s]->documents.n; i++) {
            const ds_document document = both[s]->documents.v[i];
            reach_document(focus.stores, document);
            if (document.kind->shape == &SHAPE_WORKSPACE)
                (void)map_add(focus.workspaces, document_text(document, "name"), focus.workspaces);
        }
    reach_spread(focus.stores, (const ds_model *[]){before->model, after->model}, 2);
    look_at_readers(&focus, after->model);
    return focus;
}

// A look at nearly everything, twice, is no shortcut.
static bool is_small(const lint_focus *focus, const ds_model *model)
{
    enum { FEW = 32 };
    return map_count(focus->workspaces) <= model->workspaces.n / 3 + FEW;
}

// --- findings

static const char *text_of(const ds_diags *diags, const ds_diag *d, ds_arena *arena)
{
    return arena_printf(arena, "%d %s %s:%u:%u %s\n%s\n%s", d->severity, d->rule,
                        files_path(diags_files(diags), d->pos.file), (unsigned)d->pos.line, (unsigned)d->pos.column,
                        d->object, d->message, d->hint);
}

static ds_map *texts_of(const ds_diags *diags, ds_arena *arena)
{
    ds_map *texts = map_new(arena);
    for (size_t i = 0; i < diags_count(diags); i++)
        (void)map_add(texts, text_of(diags, diags_at(diags, i), arena), texts);
    return texts;
}

static bool all_in(const ds_map *some, const ds_map *all)
{
    bool in = true;
    for (size_t i = 0; in && i < map_count(some); i++)
        in = map_get(all, map_key(some, i)) != NULL;
    return in;
}

// The same finding in the files of today. False: it may be another one, with other names to look for.
static bool carry_one(const ds_diags *from, const ds_diag *d, const ds_map *files, bool same, ds_diags *carried)
{
    ds_pos pos = d->pos;
    pos.file = (uint32_t)(uintptr_t)map_get(files, files_path(diags_files(from), pos.file));
    if (!same && strstr(d->hint, "did you mean"))
        return false;
    diag_add(carried, d->severity, d->rule, pos, d->object, "%s", d->message);
    if (d->hint[0])
        diag_hint(carried, "%s", d->hint);
    return true;
}

// The findings of `before` that stand as they are: outside of the focus, in files that have not changed. False when one
// of the others may still stand, though nothing in the focus gives it any more.
static bool carry(const lint_past *past, const side *before, const side *after, ds_diags *carried, ds_arena *arena)
{
    const ds_map *loaded = texts_of(past->loaded, arena), *old = texts_of(before->found, arena);
    const ds_map *new = texts_of(after->found, arena);
    if (!all_in(old, texts_of(past->diags, arena)))
        return false;
    const bool same = same_names(before->names, after->names);
    ds_map *files = map_new(arena); // a file's number now, by its path
    for (uint32_t i = 1; i <= files_count(after->model->files); i++)
        (void)map_add(files, files_path(after->model->files, i), (void *)(uintptr_t)i);
    for (size_t i = 0; i < diags_count(past->diags); i++) {
        const ds_diag *d = diags_at(past->diags, i);
        if (d->pos.file > files_count(before->model->files))
            return false; // a place that is no file of the model
        const char *text = text_of(past->diags, d, arena);
        const bool by_loader = map_get(loaded, text), in_focus = map_get(old, text);
        if (before->differs[d->pos.file] ? !by_loader && !in_focus : !by_loader && in_focus && !map_get(new, text))
            return false;
        if (before->differs[d->pos.file] || by_loader || in_focus)
            continue;
        if (!carry_one(past->diags, d, files, same, carried))
            return false;
    }
    return true;
}

static void look(side *s, const lint_focus *focus, ds_platform_types types)
{
    s->found = diags_new(s->model->files);
    s->at_stake = lint_run(s->model, focus, types, s->found);
    diags_sort(s->found);
}

static bool compare(const lint_past *past, side *before, side *after, ds_diags *diags, ds_arena *arena)
{
    CLEANUP(diags_freep) ds_diags *carried = diags_new(after->model->files);
    if (before->at_stake != after->at_stake || !diags_all_kept(past->diags) || !diags_all_kept(after->found) ||
        !carry(past, before, after, carried, arena))
        return false;
    diags_append(diags, carried);
    diags_append(diags, after->found);
    return true;
}

bool lint_objects_since(const lint_past *past, const ds_model *model, const ds_tree_diff *diff, ds_platform_types types,
                        ds_diags *diags)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const bool *old = tree_diff_files(diff, true, files_count(past->model->files), arena);
    const bool *new = tree_diff_files(diff, false, files_count(model->files), arena);
    side before = {.model = past->model, .differs = old, .documents = model_documents_in(past->model, old, arena)};
    side after = {.model = model, .differs = new, .documents = model_documents_in(model, new, arena)};
    before.names = names_of(&before.documents, arena);
    after.names = names_of(&after.documents, arena);
    if (!before.names || !after.names)
        return false;
    lint_focus focus = focus_on(&before, &after, arena);
    if (!is_small(&focus, model))
        return false;
    look(&before, &focus, types);
    look(&after, &focus, types);
    bool done = compare(past, &before, &after, diags, arena);
    diags_free(before.found);
    diags_free(after.found);
    return done;
}
