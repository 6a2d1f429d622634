#include "model/commits.h"

#include <stdio.h>

#include "base/file.h"
#include "model/tree_repo_int.h"

static git_repository *repository_of(const ds_tree *tree)
{
    const repo_source *source = tree->handle;
    return source->repository;
}

ds_rc commit_find(const char *repository, const char *ref, char out[TREE_ID_TEXT], ds_error *err)
{
    CLEANUP(tree_closep) ds_tree *tree = NULL;
    TRY(repo_tree_begin(repository, repository, NULL, &tree, err));
    CLEANUP(git_object_freep) git_object *commit = NULL;
    TRY(repo_commit_find(tree, ref, &commit, err));
    memcpy(out, tree_commit(tree), TREE_ID_TEXT);
    return DS_DONE;
}

static ds_rc fail_shallow(const char *repository, ds_error *err)
{
    return ds_hint(ds_fail(err, DS_ENV, "%s is a shallow clone: what its commits come from can't be told", repository),
                   err, "git fetch --unshallow gets the rest");
}

ds_rc commit_descends(const char *repository, const char *commit, const char *ancestor, bool *out, ds_error *err)
{
    CLEANUP(tree_closep) ds_tree *tree = NULL;
    TRY(repo_tree_begin(repository, repository, NULL, &tree, err));
    git_oid new, old;
    if (git_oid_fromstr(&new, commit) != 0 || git_oid_fromstr(&old, ancestor) != 0)
        return ds_fail(err, DS_FINDING, "\"%s\" or \"%s\" is no commit's id", commit, ancestor);
    const repo_source *source = tree->handle;
    bool known = git_odb_exists(source->odb, &old) == 1;
    int code = known && !git_oid_equal(&new, &old) ? git_graph_descendant_of(source->repository, &new, &old) : 0;
    if (code < 0)
        return repo_fail(tree, code, "can't follow the commits", err);
    bool descends = code == 1 || git_oid_equal(&new, &old);
    if (!descends && git_repository_is_shallow(source->repository) == 1)
        return fail_shallow(repository, err);
    *out = descends;
    return DS_DONE;
}

static bool has_own(git_repository *repository, const char *ref)
{
    static const char *const PLACES[] = {"", "refs/", "refs/tags/", "refs/heads/"};
    for (size_t i = 0; i < sizeof PLACES / sizeof PLACES[0]; i++) {
        char name[FILE_PATH_MAX];
        git_oid id;
        int n = snprintf(name, sizeof name, "%s%s", PLACES[i], ref);
        if (n > 0 && (size_t)n < sizeof name && !str_starts(str_of(name), STR("refs/remotes/")) &&
            git_reference_name_to_id(&id, repository, name) == 0)
            return true;
    }
    return false;
}

// The longest name that fits: remotes may be "a" and "a/b".
static const char *find_remote(const git_strarray *remotes, ds_str ref)
{
    const char *best = NULL;
    for (size_t i = 0; i < remotes->count; i++) {
        ds_str name = str_of(remotes->strings[i]);
        bool fits = str_starts(ref, name) && ref.n > name.n + 1 && ref.p[name.n] == '/';
        if (fits && (!best || name.n > strlen(best)))
            best = remotes->strings[i];
    }
    return best;
}

ds_rc commit_remote(const char *repository, const char *ref, ds_arena *arena, const char **out, ds_error *err)
{
    CLEANUP(tree_closep) ds_tree *tree = NULL;
    TRY(repo_tree_begin(repository, repository, NULL, &tree, err));
    *out = NULL;
    if (has_own(repository_of(tree), ref))
        return DS_DONE;
    git_strarray remotes = {0};
    int code = git_remote_list(&remotes, repository_of(tree));
    if (code != 0)
        return repo_fail(tree, code, "can't list the remotes", err);
    ds_str rest = str_of(ref), place = STR("refs/remotes/");
    if (str_starts(rest, place))
        rest = (ds_str){rest.p + place.n, rest.n - place.n};
    const char *found = find_remote(&remotes, rest);
    *out = found ? arena_strdup(arena, found) : NULL;
    git_strarray_dispose(&remotes);
    return DS_DONE;
}
