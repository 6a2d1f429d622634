// Directory of YAML -> model. Reads every *.yaml and *.yml below dir (names that begin with '.' are left out), decodes
// each document by its kind's table and indexes the objects by name. Findings about the text go to diags (rules M001-)
// and never stop the load: what could be understood is in the model. Files are read, nothing is executed.
// Files are UTF-8 with LF or CRLF line ends; a byte order mark at the beginning is skipped, UTF-16 is a finding. A
// syntax error costs the document that it is in, reading goes on at the next "---".
#pragma once
#include "model/model.h"

typedef struct ds_load_options {
    const char *dir;
    const char *environment; // NULL: none; otherwise the Environment whose containers replace the named ones
} ds_load_options;

// On DS_OK *out and *diags are the caller's (model_free, diags_free); the diags refer to the model's files, free them
// first. Fails with DS_ENV when dir can't be read, DS_USAGE when the environment is unknown.
ds_rc model_load(const ds_load_options *options, ds_model **out, ds_diags **diags, ds_error *err);
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
