// The model of a directory, or of another tree, by way of its compiled image (image/image.h): whatever an image knows
// is neither read nor decoded nor judged again. --cache says where images are, --no-cache that there are none.
//
//     CLEANUP(compiled_release) ds_compiled c;
//     compiled_init(&c, cli, dir);
//     TRY(compiled_lint(&c, err));      // c.diags
//
// Everything that is read from it lives as long as it does. One thread.
#pragma once
#include "cli/command.h"
#include "image/image.h"

typedef struct ds_compiled_counts {
    size_t of[DIAG_ERROR + 1]; // findings by severity, with those that diags no longer keeps
    size_t datasets, workspaces;
} ds_compiled_counts;

typedef struct ds_compiled {
    ds_cli *cli;
    const char *dir, *environment;
    const char *cache; // directory of this model's images; NULL: none
    ds_tree *tree;
    int64_t opened_ns;
    size_t missed;           // files that the index of the cache does not know
    ds_image *image;         // of this tree, or of one like it; NULL: none
    const char *image_path;  // where it was read from; NULL: nowhere
    ds_image_writer *writer; // of an image that has not been committed
    bool exact;              // image is of this very tree
    ds_arena *arena;         // of files
    ds_files *files;
    ds_model *model; // after compiled_model
    ds_diags
        *loaded; // of the findings those of the model's loader and of its datasets by themselves; NULL without model
    ds_diags *diags;
    ds_compiled_counts counts; // after compiled_lint
} ds_compiled;

void compiled_init(ds_compiled *c, ds_cli *cli, const char *dir);
void compiled_release(ds_compiled *c);
// Before all else: the files of another tree than that of the directory, whose ids are known. Whatever it holds is a
// model.
void compiled_take(ds_compiled *c, ds_tree *tree);
// The files, with their ids. DS_FINDING when there are none.
ds_rc compiled_open(ds_compiled *c, ds_error *err);
// All findings, in order, and the counts: kept ones where nothing has changed.
ds_rc compiled_lint(ds_compiled *c, ds_error *err);
// The same, and the model.
ds_rc compiled_model(ds_compiled *c, ds_error *err);
// After compiled_model: the model of a tree that is much like it (diff says what is not), by what the image knows, and
// what was found in its text and its datasets. They go before c. DS_ENV when the image turns out to be damaged, here or
// in compiled_whole.
ds_rc compiled_beside(const ds_compiled *c, ds_tree *tree, const ds_tree_diff *diff, ds_model **model, ds_diags **diags,
                      ds_error *err);
// Has all that was asked for been read? When not, the cache is emptied.
ds_rc compiled_whole(const ds_compiled *c, ds_error *err);
// The image of this very tree in c->image, to be queried.
ds_rc compiled_image(ds_compiled *c, ds_error *err);
