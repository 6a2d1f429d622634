// Bare repositories made object by object, well-formed or not: what git itself refuses to write can be written here.
//
//     repo r = repo_new(dir.path);
//     git_oid tree = repo_tree(&r, (const repo_entry[]){{"100644", "a.yaml", repo_blob(&r, STR("kind: X\n"))}}, 1);
//     git_oid commit = repo_commit(&r, &tree, NULL, 0);
//     repo_ref(&r, "main", &commit);
#pragma once
#include <git2.h>

#include "base/str.h"

typedef struct repo {
    git_repository *git;
    git_odb *odb;
} repo;
typedef struct repo_entry {
    const char *mode; // "100644", "40000", "120000", "160000"
    const char *name;
    git_oid id;
} repo_entry;

repo repo_new(const char *path); // aborts on any failure, as all below
void repo_release(repo *r);
git_oid repo_blob(repo *r, ds_str text);
// Entries as they are given, in that order, unchecked.
git_oid repo_tree(repo *r, const repo_entry *entries, size_t n);
// The well-formed tree of files by path, nested as the paths are.
typedef struct repo_file {
    const char *path, *text;
} repo_file;
git_oid repo_files(repo *r, const repo_file *files, size_t n);
git_oid repo_commit(repo *r, const git_oid *tree, const git_oid *parents, size_t n);
void repo_ref(repo *r, const char *branch, const git_oid *commit);
