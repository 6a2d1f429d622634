#include "model/load.h"

#include "model/build.h"

void model_free(ds_model *model)
{
    if (!model)
        return;
    files_release(model->files);
    tree_close(model->own_tree);
    arena_free(model->arena);
}

void model_freep(ds_model **model)
{
    model_free(*model);
    *model = NULL;
}

typedef struct loading {
    ds_builder *builder;
    ds_diags *diags;
} loading;

static ds_rc add_file(void *context, const ds_decoded *file, ds_error *err)
{
    (void)err;
    loading *l = context;
    for (size_t i = 0; i < file->n; i++)
        builder_add(l->builder, file->documents[i].kind, file->documents[i].object);
    diags_append(l->diags, file->remarks);
    return DS_DONE;
}

ds_rc model_load_tree(ds_tree *tree, const ds_load_options *options, ds_model **out, ds_diags **diags, ds_error *err)
{
    CLEANUP(builder_freep) ds_builder *builder = builder_new(options->dir, tree);
    CLEANUP(diags_freep) ds_diags *found = diags_new(builder_files(builder));
    loading l = {builder, found};
    decode_request request = {.files = builder_files(builder),
                              .keep = builder_arena(builder),
                              .visit = add_file,
                              .context = &l};
    TRY(tree_decode(tree, &request, err));
    TRY(builder_finish(builder, options->environment, found, out, err));
    *diags = found;
    found = NULL;
    return DS_DONE;
}

// The model keeps the tree, for its texts.
static ds_rc load_take(ds_tree *tree, const ds_load_options *options, ds_model **out, ds_diags **diags, ds_error *err)
{
    ds_rc rc = model_load_tree(tree, options, out, diags, err);
    if (rc.code == DS_OK)
        (*out)->own_tree = tree;
    else
        tree_close(tree);
    return rc;
}

ds_rc model_load(const ds_load_options *options, ds_model **out, ds_diags **diags, ds_error *err)
{
    ds_tree *tree = NULL;
    TRY(tree_open_dir(options->dir, &tree, err));
    return load_take(tree, options, out, diags, err);
}

ds_rc model_load_texts(const char *const *paths, const ds_str *texts, size_t n, const char *environment, ds_model **out,
                       ds_diags **diags, ds_error *err)
{
    return load_take(tree_open_texts(paths, texts, n), &(ds_load_options){".", environment}, out, diags, err);
}
