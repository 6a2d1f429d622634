#include "cli/check_models.h"

#include "base/vec.h"
#include "model/lookup.h"

void check_models_init(check_models *m, ds_cli *cli)
{
    *m = (check_models){0};
    compiled_init(&m->base, cli, args_text(&cli->args, "dir"));
    m->base.environment = NULL;
}

void check_models_release(check_models *m)
{
    diags_free(m->head_diags);
    model_free(m->head);
    compiled_release(&m->base);
    tree_close(m->head_tree);
}

ds_rc check_models_find(check_models *m, const char *base, const char *head, const char *folder, ds_error *err)
{
    ds_tree *tree = NULL;
    TRY(tree_open_git(m->base.dir, base, folder, &tree, err));
    compiled_take(&m->base, tree);
    TRY(tree_open_merge(tree, head, &m->head_tree, err));
    if (tree_count(tree) + tree_count(m->head_tree) > 0)
        return DS_DONE;
    const char *slash = folder ? "/" : "";
    return ds_hint(ds_fail(err, DS_FINDING,
                           "there is no model in \"%s%s%s\": no *.yaml file in the base, nor in the head", m->base.dir,
                           slash, folder ? folder : ""),
                   err, "-C DIR and --folder PATH name the model's place in the repository");
}

// --- what differs

static void open_document(const ds_document *document, ds_arena *arena)
{
    if (document->kind->shape == &SHAPE_DATASTORE)
        datastore_open((ds_datastore *)(uintptr_t)document->object, arena);
}

// The model's documents in files that are marked, by their place in the tree; with their datasets.
static ds_documents documents_of(const ds_model *model, const bool *marked, ds_arena *arena)
{
    ds_documents all = model_documents(model, arena);
    VEC(ds_document) some = {0};
    for (size_t i = 0; i < all.n; i++) {
        if (!marked[document_pos(all.v[i]).file - 1])
            continue;
        open_document(&all.v[i], model->arena);
        *VEC_PUSH(arena, &some) = all.v[i];
    }
    return (ds_documents){some.v, some.n};
}

static void find_documents(check_models *m)
{
    ds_arena *arena = m->base.arena;
    ds_tree *base_tree = m->base.tree;
    bool *base = ARENA_ARRAY(arena, bool, tree_count(base_tree));
    bool *head = ARENA_ARRAY(arena, bool, tree_count(m->head_tree));
    for (size_t i = 0; i < m->diff.n; i++) {
        if (m->diff.v[i].old_i != TREE_NONE)
            base[m->diff.v[i].old_i] = true;
        if (m->diff.v[i].new_i != TREE_NONE)
            head[m->diff.v[i].new_i] = true;
    }
    m->base_documents = documents_of(m->base.model, base, arena);
    m->head_documents = documents_of(m->head, head, arena);
}

ds_rc check_models_load(check_models *m, ds_error *err)
{
    TRY(compiled_model(&m->base, err));
    TRY(tree_diff(m->base.tree, m->head_tree, m->base.arena, &m->diff, err));
    TRY(compiled_beside(&m->base, m->head_tree, &m->diff, &m->head, &m->head_diags, err));
    find_documents(m);
    return DS_DONE;
}
