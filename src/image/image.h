// The compiled image of a model: one SQLite file with every document packed (model/pack.h), the files that they came
// from, what was found, and ordinary tables that anybody may query. An image never changes: it is written under a name
// of its own, then renamed, so that any number of processes may write and read the same one.
//
// An image is of one tree of files. One that is damaged, or was written by another version, is as good as none.
//
//     TRY(image_open(path, &image, err));                              // of another tree, or NULL
//     if (image_unknown(image, tree, &n, err) ... n > A_FEW)
//         image_begin(), image_put_tree()                              // each document that is not known is decoded
//     TRY(image_load(image_written(w), tree, &options, &diags, &model, err));
//     ... lint ...
//     image_put_objects(), image_put_findings(), image_finish()
//
// Ownership: whoever opens or begins one closes it; a model lives no longer than the image it was loaded from. One
// thread.
#pragma once
#include "image/tables.h"
#include "model/load.h"
#include "model/tree.h"

typedef struct ds_image ds_image;

// --- reading

// *out is NULL when there is none that can be used.
ds_rc image_open(const char *path, ds_image **out, ds_error *err);
void image_closep(ds_image **image);
// The files of which it is the image, which keeps the tree; their bytes can't be read.
ds_rc image_tree(ds_image *image, ds_tree **out, ds_error *err);
// How many files of the tree the image does not know by path and content; NULL knows none. Hashes what has no id yet.
ds_rc image_unknown(ds_image *image, ds_tree *tree, size_t *out, ds_error *err);
// The model of the tree: documents of files that the image knows come from there, others are decoded. Datasets that the
// image knows are read when they are asked for (model/lookup.h). The diags have what model_load would find. Free the
// diags, the model, then the image.
ds_rc image_load(ds_image *image, ds_tree *tree, const ds_load_options *options, ds_diags **diags, ds_model **out,
                 ds_error *err);
// The same for a tree that differs in the contents of some files from that of `like`, a model without an Environment,
// whose documents of all other files it shares: it goes before `like` does. diff is of both trees, in any direction;
// when it is not that small, this is image_load.
ds_rc image_load_like(ds_image *image, ds_tree *tree, const ds_model *like, const ds_tree_diff *diff,
                      const ds_load_options *options, ds_diags **diags, ds_model **out, ds_error *err);
// What was found when it was written. The files of `out` are those of the image.
ds_rc image_findings(ds_image *image, ds_diags *out, ds_error *err);
// Numbers that were put there by their names, to be filled in; DS_INTERNAL when one isn't there.
typedef struct ds_image_count {
    const char *name;
    size_t n;
} ds_image_count;
ds_rc image_get_counts(ds_image *image, ds_image_count *counts, size_t n, ds_error *err);
// DS_INTERNAL when something that was asked for could not be read: throw the image away.
ds_rc image_check(const ds_image *image, ds_error *err);

// --- writing

typedef struct ds_image_writer ds_image_writer;
// Until image_finish nobody sees it: it has a name of its own in the directory. NULL: an image in memory.
ds_rc image_begin(const char *dir, ds_image_writer **out, ds_error *err);
// Gives up what is not finished.
void image_writer_closep(ds_image_writer **writer);
// Adds what can be said of a datastore's datasets by itself; on any thread.
typedef void image_examine(const ds_datastore *store, ds_diags *remarks);
// The files of the tree and their documents: those that `known` (or NULL) has are copied, with what was said of them;
// the rest is decoded, and examined (or not: NULL). Whoever loads documents from here gets those findings with them.
ds_rc image_put_tree(ds_image_writer *w, ds_tree *tree, ds_image *known, image_examine *examine, ds_error *err);
// What has been put so far, to be read; closed before the writer.
ds_image *image_written(ds_image_writer *w);
// Rows of the tables that say what the documents say, of all objects of the model.
ds_rc image_put_objects(ds_image_writer *w, const ds_model *model, ds_error *err);
// All findings, of the whole.
ds_rc image_put_findings(ds_image_writer *w, const ds_diags *diags, ds_error *err);
// Rows of other tables, cell by cell in the order of their columns: image_row_begin, cells, image_row_end.
void image_row_begin(ds_image_writer *w, image_table_id table);
void image_cell_text(ds_image_writer *w, const char *text); // NULL is null
void image_cell_int(ds_image_writer *w, int64_t value);
ds_rc image_row_end(ds_image_writer *w, ds_error *err);
ds_rc image_put_counts(ds_image_writer *w, const ds_image_count *counts, size_t n, ds_error *err);
// The image is complete, and gets its name; what had that name is replaced. NULL: it stays in memory. It can be read
// further on.
ds_rc image_finish(ds_image_writer *w, const char *path, ds_error *err);
