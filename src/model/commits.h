// Where the branches of a repository are, and which commits come from which: from git's objects, without a look at any
// file. Nothing is fetched or written. repository and ref are those of tree_open_git (model/tree.h), and so are
// failures. Any thread.
#pragma once
#include "model/tree.h"

// The commit that ref names now, its id in hex.
ds_rc commit_find(const char *repository, const char *ref, char out[TREE_ID_TEXT], ds_error *err);
// Is ancestor the commit itself, or one that it comes from? Not when the repository doesn't know it (any more). DS_ENV
// when a shallow clone can't tell.
ds_rc commit_descends(const char *repository, const char *commit, const char *ancestor, bool *out, ds_error *err);
typedef struct ds_remote_branch {
    const char *remote; // "origin" of "origin/main", fetched yet or not; NULL: it is one of the repository's own
    const char *name;   // that it has there: "refs/heads/main"; NULL when no fetch that is configured brings it
} ds_remote_branch;
// Where the branch comes from. Texts are in arena.
ds_rc commit_remote(const char *repository, const char *ref, ds_arena *arena, ds_remote_branch *out, ds_error *err);
