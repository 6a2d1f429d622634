// The files of a model as git sees them: every *.yaml and *.yml below a root, with the blob id that git gives its
// bytes, from a directory, from the objects of a repository (bare or not, without a checkout), or from a merge that is
// made in memory. Names that begin with '.' are left out, with all below them. Nothing is executed, written to the
// repository or fetched.
//
// What a repository contains may be hostile. A symbolic link is never followed out of a directory's tree, and never in
// git's objects: it is an entry of its own kind. A repository within (a submodule) is never entered, in git's objects
// nor on disk, so that both see the same files. What goes over a limit below is refused with DS_FINDING.
//
//     CLEANUP(tree_closep) ds_tree *head = NULL;
//     TRY(tree_open_git("/srv/model.git", "refs/heads/main", "ecosystem", &head, err));
//     for (size_t i = 0; i < tree_count(head); i++)
//         TRY(tree_read(head, i, &text, err));
//
// Ownership: a tree owns its entries, and keeps its repository open. Thread rule: tree_count, tree_file and tree_read
// from any thread; tree_hash and tree_set_id too, as long as no two are at the same entry; the rest by one at a time.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

enum {
    MODEL_FILES_MAX = 1000000,
    TREE_ENTRIES_MAX = 4000000, // files and directories looked at, whatever their names
    TREE_ID_BYTES = 20,         // SHA-1
    TREE_ID_TEXT = 2 * TREE_ID_BYTES + 1,
};

typedef struct ds_blob_id {
    uint8_t bytes[TREE_ID_BYTES];
} ds_blob_id;
// The id that git gives a file with these bytes.
ds_blob_id blob_id_of(ds_str text);
void blob_id_text(const ds_blob_id *id, char out[TREE_ID_TEXT]); // lower-case hex

// What a directory says of a file; all 0 when it comes from git or from memory.
typedef struct ds_tree_stat {
    int64_t mtime_ns, ctime_ns; // since 1970
    uint64_t size_bytes, inode;
} ds_tree_stat;

typedef struct ds_tree_file {
    const char *path; // relative to the root, any bytes but NUL; see tree_path_shown
    ds_tree_stat stat;
    ds_blob_id id; // known when has_id; always so from git
    bool has_id;
    bool is_link; // a symbolic link that is not followed; it can't be read, its id is that of where it leads
} ds_tree_file;

typedef struct ds_tree ds_tree;

// The files below dir. A link to a file that lies below dir, too, is that file. DS_ENV when dir can't be read.
ds_rc tree_open_dir(const char *dir, ds_tree **out, ds_error *err);

// The files of ref (whatever git rev-parse takes) below subdir of the repository. repository is a bare one, or any
// directory in a work tree; subdir counts from there, NULL is that place itself. A ref without such a directory has no
// files. DS_USAGE: no such ref, or more than one (a tag and a
// branch of one name that differ, too); DS_ENV: not a repository, somebody else's, objects that are missing
// or damaged.
ds_rc tree_open_git(const char *repository, const char *ref, const char *subdir, ds_tree **out, ds_error *err);

// The files as they will be when head, a ref of the same repository, is merged into base, a tree from a commit: head's
// own when base is one of its ancestors, else both merged in memory. base stays the commit that it was opened as,
// wherever its ref has moved since. DS_FINDING names the files that are in conflict.
ds_rc tree_open_merge(const ds_tree *base, const char *head, ds_tree **out, ds_error *err);

// Texts in memory, which are copied. paths[i] names texts[i].
ds_tree *tree_open_texts(const char *const *paths, const ds_str *texts, size_t n);

// Entries of which path and id are known and nothing else, in byte order of their paths: they can be compared, not
// read.
ds_tree *tree_open_ids(const char *const *paths, const ds_blob_id *ids, size_t n);

// Where the root is in the repository: "", or "a/b". "" for what is in none.
const char *tree_place(const ds_tree *tree);
// The commit that it was opened as, that of head for a merge: its id in hex. "" for what comes from none.
const char *tree_commit(const ds_tree *tree);

void tree_close(ds_tree *tree); // takes NULL
void tree_closep(ds_tree **tree);

// Entries in byte order of their paths.
size_t tree_count(const ds_tree *tree);
const ds_tree_file *tree_file(const ds_tree *tree, size_t i);
// Repositories within, which were not entered: their paths.
size_t tree_inner_count(const ds_tree *tree);
const char *tree_inner(const ds_tree *tree, size_t i);

// Appends the bytes of entry i, no link. A larger file than out->max leaves !buf_ok(out) and is no failure; it is not
// read. DS_ENV: gone, changed into something else, damaged.
ds_rc tree_read(const ds_tree *tree, size_t i, ds_buf *out, ds_error *err);

// For callers who know an id otherwise: from the text they have just read, or from an earlier look at the same stat.
void tree_set_id(ds_tree *tree, size_t i, const ds_blob_id *id);
// Makes the id of entry i known: reads and hashes it where need be.
ds_rc tree_hash(ds_tree *tree, size_t i, ds_error *err);

// The id that git gives a tree of these files alone, as if none were executable: the same for a directory and for a ref
// with the same files, and that of `git rev-parse REF:DIR` where DIR has nothing else. Hashes what isn't known yet.
ds_rc tree_id(ds_tree *tree, char out[TREE_ID_TEXT], ds_error *err);

typedef struct ds_tree_change {
    const char *path;    // of the tree that has it
    size_t old_i, new_i; // TREE_NONE: added, removed
} ds_tree_change;
#define TREE_NONE SIZE_MAX
typedef struct ds_tree_diff {
    ds_tree_change *v; // in byte order of the paths
    size_t n;
} ds_tree_diff;
// What is added, removed or has another content; in arena. Hashes what isn't known yet.
ds_rc tree_diff(ds_tree *old, ds_tree *new, ds_arena *arena, ds_tree_diff *out, ds_error *err);
// The files of one side that are not on the other as they are here, marked by their number in a model (from 1) of so
// many files; in arena.
const bool *tree_diff_files(const ds_tree_diff *diff, bool old, size_t n, ds_arena *arena);

// The path as it can be shown: itself, or in quotes with \n, \", \303 … where it has control characters, quotes,
// backslashes or bytes that are not UTF-8, as git shows it. In arena. No two paths are shown alike.
const char *tree_path_shown(ds_arena *arena, const char *path);
