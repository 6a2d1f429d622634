#include "model/load.h"

#include "model/index_int.h"
#include "model/parse_int.h"

// --- where texts come from

// For findings that show a line.
static void read_again(void *context, uint32_t file, ds_buf *out)
{
    const ds_tree *tree = context;
    ds_error err;
    if (file <= tree_count(tree) && !tree_file(tree, file - 1)->is_link)
        ds_ignore(tree_read(tree, file - 1, out, &err));
}

// File i + 1 is entry i of the tree; those behind are repositories within.
static void add_files(ds_model *model, ds_tree *tree)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    for (size_t i = 0; i < tree_count(tree); i++)
        files_add(model->files, tree_path_shown(scratch, tree_file(tree, i)->path), (ds_str){0});
    for (size_t i = 0; i < tree_inner_count(tree); i++)
        files_add(model->files, tree_path_shown(scratch, tree_inner(tree, i)), (ds_str){0});
    files_set_reader(model->files, read_again, tree);
}

static void report_inner(const ds_tree *tree, ds_diags *diags)
{
    for (size_t i = 0; i < tree_inner_count(tree); i++) {
        ds_pos pos = {.file = (uint32_t)(tree_count(tree) + i + 1)};
        MODEL_FIND(diags, RULE_INNER, pos, "", "a repository within the model is left out");
        diag_hint(diags, "a model is of one repository: put the files themselves here");
    }
}

// --- a model

static ds_model *model_new(const char *dir)
{
    ds_arena *arena = arena_new();
    ds_model *model = ARENA_NEW(arena, ds_model);
    model->arena = arena;
    model->files = files_new(arena);
    model->dir = arena_strdup(arena, dir);
    return model;
}

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

static ds_rc build(ds_model *model, ds_tree *tree, const char *environment, ds_diags *diags, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    decoder whole = {.arena = model->arena, .scratch = scratch, .diags = diags};
    TRY(parse_tree(tree, &whole, err));
    TRY(tree_id(tree, model->tree_id, err));
    report_inner(tree, diags);
    TRY(index_build(model, &whole, environment, err));
    diags_sort(diags);
    return DS_DONE;
}

ds_rc model_load_tree(ds_tree *tree, const ds_load_options *options, ds_model **out, ds_diags **diags, ds_error *err)
{
    CLEANUP(model_freep) ds_model *model = model_new(options->dir);
    add_files(model, tree);
    CLEANUP(diags_freep) ds_diags *found = diags_new(model->files);
    TRY(build(model, tree, options->environment, found, err));
    *out = model;
    *diags = found;
    model = NULL;
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
