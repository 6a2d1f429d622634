// What the kinds of trees share. Private to model/.
#pragma once
#include "base/vec.h"
#include "model/tree.h"

enum { TREE_DEPTH_MAX = 64 }; // directories in directories

typedef struct tree_source {
    ds_rc (*read)(const ds_tree *tree, size_t i, ds_buf *out, ds_error *err);
    ds_rc (*hash)(const ds_tree *tree, size_t i, ds_blob_id *out, ds_error *err); // NULL: every id is known
    void (*close)(ds_tree *tree);                                                 // NULL: nothing to do
} tree_source;

struct ds_tree {
    ds_arena *arena;
    const char *name;  // the directory or ref, for messages
    const char *place; // in its repository
    char commit[TREE_ID_TEXT];
    const tree_source *source;
    void *handle; // the source's own
    VEC(ds_tree_file) files;
    VEC(const char *) inner;
    size_t entries;        // looked at
    char id[TREE_ID_TEXT]; // "": not asked for yet
};

ds_tree *tree_new(const char *name, const tree_source *source);
// Before an entry of a directory is looked at: counts it, against the limit.
ds_rc tree_see(ds_tree *tree, ds_error *err);
// The limits of the whole, for what was put together from parts.
ds_rc tree_check_size(const ds_tree *tree, ds_error *err);
// Fails when directories are nested too deep for path.
ds_rc tree_check_depth(const ds_tree *tree, int depth, const char *path, ds_error *err);
// The new entry, which the caller fills; path is copied.
ds_rc tree_add(ds_tree *tree, const char *path, ds_tree_file **out, ds_error *err);
void tree_add_inner(ds_tree *tree, const char *path);
// Sorts the entries. A path that is there twice is refused.
ds_rc tree_finish(ds_tree *tree, ds_error *err);

bool tree_is_yaml(const char *name);

// tree_id.c: a hash as git makes it, of "TYPE SIZE\0" and SIZE bytes that follow in any number of parts.
typedef struct object_hash object_hash;
object_hash *object_hash_begin(const char *type, uint64_t size_bytes);
void object_hash_add(object_hash *hash, const void *bytes, size_t n);
ds_blob_id object_hash_end(object_hash *hash); // frees it
