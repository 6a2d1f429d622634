// The tree of a merge that nobody has made yet.
#include <git2/sys/mempack.h>
#include <git2/sys/odb_backend.h>

#include "base/file.h"
#include "model/tree_repo_int.h"

static void index_freep(git_index **index)
{
    git_index_free(*index);
}

// Merged texts are kept in memory: the repository is read, never written to.
static ds_rc keep_in_memory(const ds_tree *tree, ds_error *err)
{
    enum { BEFORE_ALL_OTHERS = 1000 };
    const repo_source *source = tree->handle;
    git_odb_backend *memory = NULL;
    int code = git_mempack_new(&memory);
    if (code == 0 && (code = git_odb_add_backend(source->odb, memory, BEFORE_ALL_OTHERS)) != 0)
        memory->free(memory);
    return code ? repo_fail(tree, code, "can't merge in memory", err) : DS_DONE;
}

// --- conflicts

enum { CONFLICTS_NAMED = 10 };

static ds_rc refuse_conflicts(const ds_tree *tree, git_index *index, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    CLEANUP(buf_release) ds_buf names = BUF_INIT(DS_ERROR_TEXT);
    git_index_conflict_iterator *conflicts = NULL;
    int code = git_index_conflict_iterator_new(&conflicts, index);
    if (code != 0)
        return repo_fail(tree, code, "can't list the conflicts", err);
    const git_index_entry *ancestor, *ours, *theirs;
    size_t n = 0;
    for (; git_index_conflict_next(&ancestor, &ours, &theirs, conflicts) == 0; n++) {
        const git_index_entry *any = ours ? ours : theirs ? theirs : ancestor;
        if (n < CONFLICTS_NAMED)
            buf_printf(&names, "%s%s", n ? ", " : "", tree_path_shown(scratch, any->path));
    }
    git_index_conflict_iterator_free(conflicts);
    if (n > CONFLICTS_NAMED)
        buf_printf(&names, " and %zu more", n - CONFLICTS_NAMED);
    return ds_hint(ds_fail(err, DS_FINDING, "%s is in conflict: %s", tree->name, buf_text(&names)), err,
                   "merge or rebase in a clone, solve the conflicts, and push again");
}

// --- the merge

// The part of a path that is below the model's directory, NULL when it isn't, or has a name that begins with '.'.
static const char *place_in_model(const repo_source *source, const char *path)
{
    size_t n = strlen(source->root);
    if (n && (strncmp(path, source->root, n) != 0 || path[n] != '/'))
        return NULL;
    const char *place = path + n + (n > 0);
    return place[0] == '.' || strstr(place, "/.") ? NULL : place;
}

static ds_rc take_merged(ds_tree *tree, git_index *index, ds_error *err)
{
    for (size_t i = 0; i < git_index_entrycount(index); i++) {
        const git_index_entry *entry = git_index_get_byindex(index, i);
        const char *place = place_in_model(tree->handle, entry->path);
        if (place)
            TRY(repo_tree_take(tree, place, (git_filemode_t)entry->mode, &entry->id, err));
    }
    return DS_DONE;
}

// libgit2 reads both trees as a whole, so they are looked at first.
static ds_rc check_whole(ds_tree *tree, const git_object *commit, ds_error *err)
{
    CLEANUP(git_tree_freep) git_tree *whole = NULL;
    int code = git_commit_tree(&whole, (const git_commit *)commit);
    return code ? repo_fail(tree, code, "can't read a commit's tree", err) : repo_tree_check(tree, whole, err);
}

static ds_rc merge(ds_tree *tree, const git_object *base, const git_object *head, ds_error *err)
{
    const repo_source *source = tree->handle;
    TRY(check_whole(tree, base, err));
    TRY(check_whole(tree, head, err));
    TRY(keep_in_memory(tree, err));
    CLEANUP(index_freep) git_index *index = NULL;
    int code = git_merge_commits(&index, source->repository, (const git_commit *)base, (const git_commit *)head, NULL);
    if (code != 0)
        return repo_fail(tree, code, "can't merge", err);
    return git_index_has_conflicts(index) ? refuse_conflicts(tree, index, err) : take_merged(tree, index, err);
}

static ds_rc take_head(ds_tree *tree, const git_object *head, ds_error *err)
{
    CLEANUP(git_tree_freep) git_tree *whole = NULL;
    int code = git_commit_tree(&whole, (const git_commit *)head);
    return code ? repo_fail(tree, code, "can't read a commit's tree", err) : repo_tree_walk(tree, whole, err);
}

// Does head contain base? Their history must be there for that.
static ds_rc contains(const ds_tree *tree, const git_object *head, const git_object *base, bool *out, ds_error *err)
{
    const repo_source *source = tree->handle;
    size_t head_only = 0, base_only = 0;
    int code =
        git_graph_ahead_behind(&head_only, &base_only, source->repository, git_object_id(head), git_object_id(base));
    if (code != 0)
        return repo_fail(tree, code, "can't read the history", err);
    *out = base_only == 0;
    return DS_DONE;
}

// base_id is what base's ref was when its tree was read.
static ds_rc open_merge(ds_tree *tree, const char *base_id, const char *head_ref, ds_error *err)
{
    CLEANUP(git_object_freep) git_object *base = NULL, *head = NULL;
    TRY(repo_commit_find(tree, base_id, &base, err));
    TRY(repo_commit_find(tree, head_ref, &head, err));
    bool is_ahead = false;
    TRY(contains(tree, head, base, &is_ahead, err));
    TRY(is_ahead ? take_head(tree, head, err) : merge(tree, base, head, err));
    return tree_finish(tree, err);
}

ds_rc tree_open_merge(const ds_tree *base, const char *head, ds_tree **out, ds_error *err)
{
    const repo_source *source = base->handle;
    CLEANUP(tree_closep) ds_tree *tree = NULL;
    CLEANUP(buf_release) ds_buf name = BUF_INIT(DS_ERROR_TEXT);
    buf_printf(&name, "the merge of %.200s into %.200s", head, base->name);
    TRY(repo_tree_begin(buf_text(&name), git_repository_path(source->repository), source->root, &tree, err));
    TRY(open_merge(tree, base->commit[0] ? base->commit : base->name, head, err));
    *out = tree;
    tree = NULL;
    return DS_DONE;
}
