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

// Asked for in the configuration: libgit2's own functions for remotes lose memory.
static bool is_remote(git_repository *repository, ds_str name, ds_arena *arena)
{
    git_config *config = NULL;
    const char *url = NULL;
    const char *key = arena_printf(arena, "remote.%.*s.url", (int)name.n, name.p);
    bool found = git_repository_config_snapshot(&config, repository) == 0 &&
                 git_config_get_string(&url, config, key) == 0 && url[0];
    git_config_free(config);
    return found;
}

// The longest name that fits: remotes may be "a" and "a/b". NULL: none.
static const char *find_remote(git_repository *repository, ds_str ref, ds_arena *arena)
{
    for (size_t n = ref.n; n-- > 1;)
        if (ref.p[n] == '/' && n + 1 < ref.n && is_remote(repository, (ds_str){ref.p, n}, arena))
            return arena_str(arena, (ds_str){ref.p, n});
    return NULL;
}

// By which of a remote's "fetch" a branch of ours comes from which of its.
typedef struct branch_source {
    const char *ours; // "refs/remotes/origin/main"
    ds_arena *arena;
    const char *found;
} branch_source;

static int try_refspec(const git_config_entry *entry, void *context)
{
    branch_source *s = context;
    git_refspec *spec = NULL;
    git_buf name = GIT_BUF_INIT;
    if (git_refspec_parse(&spec, entry->value, 1) == 0 && git_refspec_dst_matches(spec, s->ours) &&
        git_refspec_rtransform(&name, spec, s->ours) == 0)
        s->found = arena_strdup(s->arena, name.ptr);
    git_buf_dispose(&name);
    git_refspec_free(spec);
    return s->found ? GIT_ITEROVER : 0;
}

static const char *name_there(git_repository *repository, const char *remote, const char *ours, ds_arena *arena)
{
    git_config *config = NULL;
    branch_source s = {.ours = ours, .arena = arena};
    if (git_repository_config_snapshot(&config, repository) == 0)
        git_config_get_multivar_foreach(config, arena_printf(arena, "remote.%s.fetch", remote), NULL, try_refspec, &s);
    git_config_free(config);
    return s.found;
}

// "origin/HEAD" stands for another one.
static const char *whole_name(git_repository *repository, ds_str ref, ds_arena *arena)
{
    const char *name = arena_printf(arena, "refs/remotes/%.*s", STR_ARGS(ref));
    git_reference *found = NULL, *last = NULL;
    if (git_reference_lookup(&found, repository, name) == 0 && git_reference_resolve(&last, found) == 0)
        name = arena_strdup(arena, git_reference_name(last));
    git_reference_free(last);
    git_reference_free(found);
    return name;
}

ds_rc commit_remote(const char *repository, const char *ref, ds_arena *arena, ds_remote_branch *out, ds_error *err)
{
    CLEANUP(tree_closep) ds_tree *tree = NULL;
    TRY(repo_tree_begin(repository, repository, NULL, &tree, err));
    *out = (ds_remote_branch){0};
    if (has_own(repository_of(tree), ref))
        return DS_DONE;
    ds_str rest = str_of(ref), place = STR("refs/remotes/");
    if (str_starts(rest, place))
        rest = (ds_str){rest.p + place.n, rest.n - place.n};
    out->remote = find_remote(repository_of(tree), rest, arena);
    if (out->remote)
        out->name = name_there(repository_of(tree), out->remote, whole_name(repository_of(tree), rest, arena), arena);
    return DS_DONE;
}
