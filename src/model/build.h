// A model put together from documents, wherever they come from: text that is decoded here, or an image that has kept
// them packed. model_load is the usual way; this is for who keeps documents apart.
#pragma once
#include "model/model.h"
#include "model/tree.h"

typedef struct ds_document {
    size_t kind; // index in MODEL_KINDS
    void *object;
} ds_document;
typedef struct ds_decoded {
    size_t entry; // of the tree; positions say entry + 1
    const ds_document *documents;
    size_t n;
    ds_diags *remarks; // what was found in its text
    void *made;        // by prepare
} ds_decoded;
typedef ds_rc decoded_visit(void *context, const ds_decoded *file, ds_error *err);
typedef void decoded_prepare(void *context, ds_decoded *file, ds_arena *arena);
typedef struct decode_request {
    const uint32_t *known;    // by entry; those that are not 0 are left out; NULL: none is
    const ds_files *files;    // names the tree's files by their place, from 1
    ds_arena *keep;           // where documents go; NULL: they live until visit returns
    decoded_prepare *prepare; // before that, on several threads at a time: fills in `made`, in arena; NULL: nothing
    decoded_visit *visit; // file by file in order, one at a time, on whatever thread; what it fails with ends it all
    void *context;
} decode_request;
// Decodes the files of the tree on as many threads as there are processors, and makes the ids of these known. Fails
// with the failure of the first file that can't be read.
ds_rc tree_decode(ds_tree *tree, const decode_request *request, ds_error *err);

// The files of a tree by their place, from 1, then the repositories within, which were not entered. Texts are read from
// the tree again when they are asked for: it is to outlive them. In arena; files_release ends it.
ds_files *files_of_tree(ds_tree *tree, ds_arena *arena);

typedef struct ds_builder ds_builder;
// Its files are those of the tree.
ds_builder *builder_new(const char *dir, ds_tree *tree);
void builder_freep(ds_builder **builder);
ds_arena *builder_arena(ds_builder *builder); // the model's
ds_files *builder_files(ds_builder *builder);
// Documents come in the order of their files, and of their places in these.
void builder_add(ds_builder *builder, size_t kind, void *object);
// The documents that another model has of the file; files in ascending order. They become this one's as well, so it
// must not outlive the other, and both have the same environment, none.
void builder_add_like(ds_builder *builder, const ds_model *like, uint32_t file);
// The model, which is the caller's (model_free). Findings about what documents are to each other go to diags. DS_USAGE
// when there is no such environment; NULL is none.
ds_rc builder_finish(ds_builder *builder, const char *environment, ds_diags *diags, ds_model **out, ds_error *err);
