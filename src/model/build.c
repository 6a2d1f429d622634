#include "model/build.h"

#include <stdlib.h>

#include "model/index_int.h"
#include "model/load.h"

typedef LIST_OF(void *) pointer_list;

struct ds_builder {
    ds_model *model;
    ds_tree *tree;
    ds_arena *scratch;
    decoder documents; // only its lists are used
    size_t like[16];   // by kind: documents of the other model that have been passed
};

// --- files

// For findings that show a line.
static void read_again(void *context, uint32_t file, ds_buf *out)
{
    const ds_tree *tree = context;
    ds_error err;
    if (file <= tree_count(tree) && !tree_file(tree, file - 1)->is_link)
        ds_ignore(tree_read(tree, file - 1, out, &err));
}

ds_files *files_of_tree(ds_tree *tree, ds_arena *arena)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    ds_files *files = files_new(arena);
    for (size_t i = 0; i < tree_count(tree); i++)
        files_add(files, tree_path_shown(scratch, tree_file(tree, i)->path), (ds_str){0});
    for (size_t i = 0; i < tree_inner_count(tree); i++)
        files_add(files, tree_path_shown(scratch, tree_inner(tree, i)), (ds_str){0});
    files_set_reader(files, read_again, tree);
    return files;
}

static void report_inner(const ds_tree *tree, ds_diags *diags)
{
    for (size_t i = 0; i < tree_inner_count(tree); i++) {
        ds_pos pos = {.file = (uint32_t)(tree_count(tree) + i + 1)};
        MODEL_FIND(diags, RULE_INNER, pos, "", "a repository within the model is left out");
        diag_hint(diags, "a model is of one repository: put the files themselves here");
    }
}

// --- the model

ds_builder *builder_new(const char *dir, ds_tree *tree)
{
    ds_builder *b = calloc(1, sizeof *b);
    if (!b)
        BUG("out of memory");
    ds_arena *arena = arena_new();
    b->model = ARENA_NEW(arena, ds_model);
    b->model->arena = arena;
    b->model->files = files_of_tree(tree, arena);
    b->tree = tree;
    b->model->dir = arena_strdup(arena, dir);
    b->scratch = arena_new();
    b->documents = (decoder){.arena = arena, .scratch = b->scratch};
    return b;
}

void builder_freep(ds_builder **builder)
{
    ds_builder *b = *builder;
    *builder = NULL;
    if (!b)
        return;
    model_free(b->model);
    arena_free(b->scratch);
    free(b);
}

ds_arena *builder_arena(ds_builder *b)
{
    return b->model->arena;
}

ds_files *builder_files(ds_builder *b)
{
    return b->model->files;
}

void builder_add(ds_builder *b, size_t kind, void *object)
{
    *VEC_PUSH(b->model->arena, &b->documents.objects[kind]) = object;
}

void builder_add_like(ds_builder *b, const ds_model *like, uint32_t file)
{
    for (size_t k = 0; k < MODEL_KIND_COUNT; k++) {
        const model_shape *shape = MODEL_KINDS[k].shape;
        const pointer_list *list = (const void *)((const char *)like + MODEL_KINDS[k].list_offset);
        for (; b->like[k] < list->n; b->like[k]++) {
            void *object = list->v[b->like[k]];
            const uint32_t its = struct_pos(shape, object).file;
            if (its > file || (shape == &SHAPE_DATASTORE && ((const ds_datastore *)object)->producer))
                break;
            if (its == file)
                builder_add(b, k, object);
        }
    }
}

ds_rc builder_finish(ds_builder *b, const char *environment, ds_diags *diags, ds_model **out, ds_error *err)
{
    b->documents.diags = diags;
    report_inner(b->tree, diags);
    TRY(tree_id(b->tree, b->model->tree_id, err));
    TRY(index_build(b->model, &b->documents, environment, err));
    diags_sort(diags);
    *out = b->model;
    b->model = NULL;
    return DS_DONE;
}
