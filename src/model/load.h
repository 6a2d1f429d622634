// Directory or tree of YAML -> model. Reads every file of the tree (tree.h says which those are), decodes each document
// by its kind's table and indexes the objects by name. Findings about the text go to diags (rules M001-) and never stop
// the load: what could be understood is in the model. Files are read, nothing is executed; many are read by as many
// threads as there are processors, and what comes out is always the same. Files are UTF-8 with LF or CRLF line ends; a
// byte order mark at the beginning is skipped, UTF-16 is a finding. A syntax error costs the document that it is in,
// reading goes on at the next "---".
#pragma once
#include "model/model.h"
#include "model/tree.h"

typedef struct ds_load_options {
    const char *dir;         // relative paths of file containers count from there
    const char *environment; // NULL: none; otherwise the Environment whose containers replace the named ones
} ds_load_options;

// On DS_OK *out and *diags are the caller's (model_free, diags_free); the diags refer to the model's files, free them
// first. Fails with DS_ENV when dir can't be read, DS_USAGE when the environment is unknown.
ds_rc model_load(const ds_load_options *options, ds_model **out, ds_diags **diags, ds_error *err);
// The same from a tree, whose ids are all known then. It must outlive the model and the diags, which read it again to
// show a line. Fails, too, when an entry can't be read.
ds_rc model_load_tree(ds_tree *tree, const ds_load_options *options, ds_model **out, ds_diags **diags, ds_error *err);
void model_free(ds_model *model);
void model_freep(ds_model **model);

// The same from texts in memory (tests, fuzzers). paths[i] names texts[i].
ds_rc model_load_texts(const char *const *paths, const ds_str *texts, size_t n, const char *environment, ds_model **out,
                       ds_diags **diags, ds_error *err);

// Limits; each has a test at the limit and an exact message.
enum {
    MODEL_FILE_MAX = 16 << 20,
    MODEL_DEPTH_MAX = 32,
    MODEL_SCALAR_MAX = 1 << 20,
    MODEL_ALIAS_NODES_MAX = 10000, // nodes that aliases may expand to in one file
};
