// The two models of a pull request, from git's objects: as it is at the base, and as it will be when the head is
// merged. What both have in common is decoded once, and not at all where a compiled image knows it (cli/compiled.h).
//
//     CLEANUP(check_models_release) check_models models;
//     check_models_init(&models, cli);
//     TRY(check_models_find(&models, "main", "HEAD", NULL, err)); // DS_FINDING: they can't be merged
//     TRY(check_models_load(&models, err));
//
// Refs are resolved once, at the start: tree_commit() of both trees says to what.
//
// Everything lives as long as the struct. One thread.
#pragma once
#include "cli/compiled.h"
#include "model/diff.h"

typedef struct check_models {
    ds_compiled base; // its findings are all that lint has
    ds_tree *head_tree;
    ds_model *head;
    ds_diags *head_diags;                        // of its text, and of its datasets by themselves (lint_datasets)
    ds_tree_diff diff;                           // of both trees
    ds_documents base_documents, head_documents; // all of the files that differ
} check_models;

// Below -C, a directory of a clone or a bare repository.
void check_models_init(check_models *models, ds_cli *cli);
void check_models_release(check_models *models);
// Opens both trees. base and head as git rev-parse takes them; folder: the model's, from the directory on, NULL for
// that itself.
ds_rc check_models_find(check_models *models, const char *base, const char *head, const char *folder, ds_error *err);
ds_rc check_models_load(check_models *models, ds_error *err);
