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

// Of the model, in files of its side of the diff; with their datasets.
static ds_documents find_documents(const check_models *m, const ds_model *model, bool old)
{
    ds_arena *arena = m->base.arena;
    const bool *differs = tree_diff_files(&m->diff, old, files_count(model->files), arena);
    ds_documents documents = model_documents_in(model, differs, arena);
    for (size_t i = 0; i < documents.n; i++)
        if (documents.v[i].kind->shape == &SHAPE_DATASTORE)
            datastore_open((ds_datastore *)(uintptr_t)documents.v[i].object, model->arena);
    return documents;
}

ds_rc check_models_load(check_models *m, ds_error *err)
{
    TRY(compiled_model(&m->base, err));
    TRY(tree_diff(m->base.tree, m->head_tree, m->base.arena, &m->diff, err));
    TRY(compiled_beside(&m->base, m->head_tree, &m->diff, &m->head, &m->head_diags, err));
    m->base_documents = find_documents(m, m->base.model, true);
    m->head_documents = find_documents(m, m->head, false);
    return DS_DONE;
}
