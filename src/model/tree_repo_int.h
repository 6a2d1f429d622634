// Trees from a repository's objects: what a ref's tree and a merge share. Private to model/.
#pragma once
#include <git2.h>

#include "model/tree_int.h"

typedef struct repo_source {
    git_repository *repository;
    git_odb *odb;
    const char *root; // the model's place in the repository, "" or "a/b"
} repo_source;

// The tree for `name` with a repo_source as its handle, no entries yet. subdir as for tree_open_git.
ds_rc repo_tree_begin(const char *name, const char *repository, const char *subdir, ds_tree **out, ds_error *err);
// Adds the files below the model's root in one of the repository's trees.
ds_rc repo_tree_walk(ds_tree *tree, const git_tree *from, ds_error *err);
// Adds an entry if it is a file of a model, a link or a repository. path is relative to the model.
ds_rc repo_tree_take(ds_tree *tree, const char *path, git_filemode_t mode, const git_oid *id, ds_error *err);
// Does a tree, models or not, stay within the limits? Before libgit2 reads it as a whole.
ds_rc repo_tree_check(ds_tree *tree, const git_tree *whole, ds_error *err);

// The commit that ref names, which becomes the tree's. git_object_free it.
ds_rc repo_commit_find(ds_tree *tree, const char *ref, git_object **out, ds_error *err);

// A failed call of libgit2: `code` is its result, `doing` what it was to do.
ds_rc repo_fail(const ds_tree *tree, int code, const char *doing, ds_error *err);

static inline void git_object_freep(git_object **object)
{
    git_object_free(*object);
}
static inline void git_tree_freep(git_tree **tree)
{
    git_tree_free(*tree);
}
