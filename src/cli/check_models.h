// The two models of a pull request, from git's objects: as it is at the base, and as it will be when the head is
// merged.
//
//     CLEANUP(check_models_release) check_models models = {0};
//     TRY(check_models_find(&models, dir, base, head, err));      // DS_FINDING: they can't be merged
//     TRY(check_models_load(&models, err));
//
// Everything lives as long as the struct. One thread.
#pragma once
#include "model/diff.h"
#include "model/load.h"

typedef struct check_models {
    ds_tree *base_tree, *head_tree;
    ds_model *base, *head;
    ds_diags *base_diags, *head_diags;
    ds_documents base_documents, head_documents; // all of the files that differ
    ds_arena *arena;
} check_models;

void check_models_release(check_models *models);
// Opens both trees below dir, a directory of a clone or a bare repository.
ds_rc check_models_find(check_models *models, const char *dir, const char *base, const char *head, ds_error *err);
ds_rc check_models_load(check_models *models, ds_error *err);
