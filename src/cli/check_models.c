#include "cli/check_models.h"

#include "base/vec.h"

void check_models_release(check_models *m)
{
    diags_free(m->base_diags);
    diags_free(m->head_diags);
    model_free(m->base);
    model_free(m->head);
    tree_close(m->base_tree);
    tree_close(m->head_tree);
    arena_free(m->arena);
}

ds_rc check_models_find(check_models *m, const char *dir, const char *base, const char *head, ds_error *err)
{
    m->arena = arena_new();
    TRY(ds_context(tree_open_git(dir, base, NULL, &m->base_tree, err), err, "--base"));
    TRY(tree_open_merge(dir, base, head, NULL, &m->head_tree, err));
    if (tree_count(m->base_tree) + tree_count(m->head_tree) > 0)
        return DS_DONE;
    return ds_hint(ds_fail(err, DS_FINDING, "there is no model in \"%s\": no *.yaml file in the base, nor in the head",
                           dir),
                   err, "-C DIR names the model's place in the repository");
}

// The model's documents in files that are marked, by their place in the tree.
static ds_documents documents_of(const ds_model *model, const bool *marked, ds_arena *arena)
{
    ds_documents all = model_documents(model, arena);
    VEC(ds_document) some = {0};
    for (size_t i = 0; i < all.n; i++)
        if (marked[document_pos(all.v[i]).file - 1])
            *VEC_PUSH(arena, &some) = all.v[i];
    return (ds_documents){some.v, some.n};
}

static ds_rc find_documents(check_models *m, ds_error *err)
{
    ds_tree_diff diff;
    TRY(tree_diff(m->base_tree, m->head_tree, m->arena, &diff, err));
    bool *base = ARENA_ARRAY(m->arena, bool, tree_count(m->base_tree));
    bool *head = ARENA_ARRAY(m->arena, bool, tree_count(m->head_tree));
    for (size_t i = 0; i < diff.n; i++) {
        if (diff.v[i].old_i != TREE_NONE)
            base[diff.v[i].old_i] = true;
        if (diff.v[i].new_i != TREE_NONE)
            head[diff.v[i].new_i] = true;
    }
    m->base_documents = documents_of(m->base, base, m->arena);
    m->head_documents = documents_of(m->head, head, m->arena);
    return DS_DONE;
}

ds_rc check_models_load(check_models *m, ds_error *err)
{
    ds_load_options options = {.dir = "."};
    TRY(model_load_tree(m->base_tree, &options, &m->base, &m->base_diags, err));
    TRY(model_load_tree(m->head_tree, &options, &m->head, &m->head_diags, err));
    return find_documents(m, err);
}
