// A tree from the objects of a repository.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "model/tree_repo_int.h"

// --- failures

static ds_rc hint_missing(const repo_source *source, ds_rc rc, ds_error *err)
{
    if (source->repository && git_repository_is_shallow(source->repository) == 1)
        return ds_hint(rc, err, "this clone is shallow: git fetch --unshallow gets the rest");
    return ds_hint(rc, err, "git fsck tells more; a partial clone lacks objects, a whole one has them");
}

ds_rc repo_fail(const ds_tree *tree, int code, const char *doing, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    const git_error *last = git_error_last();
    const char *said = last ? tree_path_shown(scratch, last->message) : "unknown error"; // it may quote a name
    ds_rc rc = ds_fail(err, DS_ENV, "%s: %s: %s", tree->name, doing, said);
    if (code == GIT_EOWNER)
        return ds_hint(rc, err, "it belongs to another user: git config --global --add safe.directory DIR trusts it");
    bool missing = code == GIT_ENOTFOUND || (last && last->klass == GIT_ERROR_ODB);
    return missing ? hint_missing(tree->handle, rc, err) : rc;
}

// --- the repository

static void close_source(ds_tree *tree)
{
    repo_source *source = tree->handle;
    git_odb_free(source->odb);
    git_repository_free(source->repository);
    git_libgit2_shutdown();
}

static ds_rc read_blob(const ds_tree *tree, size_t i, ds_buf *out, ds_error *err)
{
    const repo_source *source = tree->handle;
    git_oid id;
    memcpy(id.id, tree->files.v[i].id.bytes, sizeof id.id);
    size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    int code = git_odb_read_header(&size, &type, source->odb, &id);
    if (code == 0 && type == GIT_OBJECT_BLOB && size > out->max - out->n) {
        out->overflow = true;
        return DS_DONE;
    }
    git_odb_object *blob = NULL;
    code = code ? code : git_odb_read(&blob, source->odb, &id);
    if (code == 0 && git_odb_object_type(blob) == GIT_OBJECT_BLOB) {
        buf_put(out, git_odb_object_data(blob), git_odb_object_size(blob));
        git_odb_object_free(blob);
        return DS_DONE;
    }
    git_odb_object_free(blob);
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    const char *shown = tree_path_shown(scratch, tree->files.v[i].path);
    return code ? repo_fail(tree, code, shown, err)
                : ds_fail(err, DS_ENV, "%s is damaged: %s is no file", tree->name, shown);
}

static const tree_source REPOSITORY = {.read = read_blob, .close = close_source};

static void free_textp(char **text)
{
    free(*text);
}

// Adds the parts of path to root, "." and empty ones left out.
static ds_rc add_parts(ds_buf *root, const char *path, ds_error *err)
{
    for (ds_str rest = str_of(path); rest.n;) {
        ds_str part = str_split(&rest, '/');
        if (str_eq(part, STR("..")))
            return ds_fail(err, DS_USAGE, "\"%s\" leads out of the repository", path);
        if (part.n == 0 || str_eq(part, STR(".")))
            continue;
        buf_puts(root, root->n ? "/" : "");
        buf_put_str(root, part);
    }
    return buf_ok(root) ? DS_DONE : ds_fail(err, DS_USAGE, "the path is too long: %s", path);
}

// Where dir is below the repository's work tree, "" at its root, in a bare repository, and in .git itself.
static const char *place_in(const repo_source *source, const char *dir)
{
    const char *top = git_repository_workdir(source->repository); // with a slash at its end, without links
    if (!top || !str_starts(str_of(dir), str_of(top)))
        return "";
    const char *own = git_repository_path(source->repository);
    size_t n = strlen(own) - 1;
    bool in_git = strncmp(dir, own, n) == 0 && (dir[n] == '/' || dir[n] == '\0');
    return in_git ? "" : dir + strlen(top);
}

static ds_rc open_source(ds_tree *tree, const char *repository, const char *subdir, ds_error *err)
{
    repo_source *source = tree->handle;
    CLEANUP(free_textp) char *real = realpath(repository, NULL);
    if (!real)
        return ds_fail_errno(err, errno, "can't open repository", repository);
    int code = git_repository_open_ext(&source->repository, real, 0, NULL);
    if (code == GIT_ENOTFOUND)
        return ds_hint(ds_fail(err, DS_ENV, "%s is not in a git repository", repository), err,
                       "-C DIR names the model's directory in a clone, or a bare repository");
    if (code != 0 || (code = git_repository_odb(&source->odb, source->repository)) != 0)
        return repo_fail(tree, code, "can't open the repository", err);
    CLEANUP(buf_release) ds_buf root = BUF_INIT(FILE_PATH_MAX);
    TRY(add_parts(&root, place_in(source, real), err));
    TRY(add_parts(&root, subdir ? subdir : "", err));
    tree->place = source->root = arena_str(tree->arena, buf_str(&root));
    return DS_DONE;
}

ds_rc repo_tree_begin(const char *name, const char *repository, const char *subdir, ds_tree **out, ds_error *err)
{
    if (git_libgit2_init() < 0)
        BUG("libgit2 doesn't start");
    CLEANUP(tree_closep) ds_tree *tree = tree_new(name, &REPOSITORY);
    tree->handle = ARENA_NEW(tree->arena, repo_source);
    TRY(open_source(tree, repository, subdir, err));
    *out = tree;
    tree = NULL;
    return DS_DONE;
}

// "main" may be a tag and a branch at once. git takes the tag; whoever may push tags must not choose what is judged.
static ds_rc refuse_ambiguous(const ds_tree *tree, const char *ref, ds_error *err)
{
    static const char *const PLACES[] = {"refs/", "refs/tags/", "refs/heads/", "refs/remotes/"};
    const repo_source *source = tree->handle;
    const char *at = strstr(ref, "@{");
    size_t n = strcspn(ref, "~^:");
    n = at && (size_t)(at - ref) < n ? (size_t)(at - ref) : n;
    char found[sizeof PLACES / sizeof PLACES[0]][FILE_PATH_MAX];
    git_oid ids[sizeof PLACES / sizeof PLACES[0]];
    size_t k = 0;
    for (size_t i = 0; i < sizeof PLACES / sizeof PLACES[0]; i++) {
        int length = snprintf(found[k], sizeof found[k], "%s%.*s", PLACES[i], (int)n, ref);
        if (length > 0 && (size_t)length < sizeof found[k] &&
            git_reference_name_to_id(&ids[k], source->repository, found[k]) == 0)
            k++;
    }
    for (size_t i = 1; i < k; i++)
        if (!git_oid_equal(&ids[0], &ids[i]))
            return ds_hint(ds_fail(err, DS_USAGE, "\"%s\" may be %s and %s, which differ", ref, found[0], found[i]),
                           err, "say which, by its whole name");
    return DS_DONE;
}

static ds_rc hint_unknown(const repo_source *source, ds_rc rc, ds_error *err)
{
    if (git_repository_is_shallow(source->repository) == 1)
        return hint_missing(source, rc, err);
    return ds_hint(rc, err,
                   "git branch --all lists the branches, git fsck what is damaged; a partial clone lacks objects");
}

static ds_rc find_ref(const ds_tree *tree, const char *ref, git_object **out, ds_error *err)
{
    const repo_source *source = tree->handle;
    TRY(refuse_ambiguous(tree, ref, err));
    int code = git_revparse_single(out, source->repository, ref);
    if (code == GIT_ENOTFOUND || code == GIT_EAMBIGUOUS || code == GIT_EINVALIDSPEC)
        return hint_unknown(source,
                            ds_fail(err, DS_USAGE, "\"%s\" %s", ref,
                                    code == GIT_EAMBIGUOUS ? "fits more than one object" : "names nothing here"),
                            err);
    return code ? repo_fail(tree, code, "can't read the commit", err) : DS_DONE;
}

static ds_rc peel(const ds_tree *tree, const char *ref, const git_object *named, git_object_t type, git_object **out,
                  ds_error *err)
{
    int code = git_object_peel(out, named, type);
    if (code == 0)
        return DS_DONE;
    if (code != GIT_EPEEL && code != GIT_EINVALIDSPEC)
        return repo_fail(tree, code, "can't read the commit", err);
    ds_rc rc = ds_fail(err, DS_USAGE, "\"%s\" is not a commit", ref);
    return strchr(ref, ':') ? ds_hint(rc, err, "name the commit alone, and the model's place in it with --folder") : rc;
}

static void note_commit(ds_tree *tree, const git_object *commit)
{
    git_oid_tostr(tree->commit, sizeof tree->commit, git_object_id(commit));
}

ds_rc repo_commit_find(ds_tree *tree, const char *ref, git_object **out, ds_error *err)
{
    CLEANUP(git_object_freep) git_object *named = NULL;
    TRY(find_ref(tree, ref, &named, err));
    TRY(peel(tree, ref, named, GIT_OBJECT_COMMIT, out, err));
    note_commit(tree, *out);
    return DS_DONE;
}

// --- walking

static ds_rc fail_damaged(const ds_tree *tree, const char *directory, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    return ds_fail(err, DS_FINDING, "%s is damaged: a file's name below \"%s\" is not one", tree->name,
                   tree_path_shown(scratch, directory));
}

// Visits the entries of a directory. all: those whose names begin with '.', too, and nothing is added.
typedef struct walk {
    ds_tree *tree;
    bool all;
} walk;

static ds_rc walk_directory(const walk *w, const git_tree *from, const char *path, int depth, ds_error *err);

static ds_rc walk_below(const walk *w, const git_oid *id, const char *path, int depth, ds_error *err)
{
    const repo_source *source = w->tree->handle;
    CLEANUP(git_tree_freep) git_tree *below = NULL;
    int code = git_tree_lookup(&below, source->repository, id);
    if (code == 0)
        return walk_directory(w, below, path, depth, err);
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    return repo_fail(w->tree, code, tree_path_shown(scratch, path), err);
}

static ds_rc walk_entry(const walk *w, const git_tree_entry *entry, const char *directory, int depth, ds_error *err)
{
    TRY(tree_see(w->tree, err));
    const char *name = git_tree_entry_name(entry);
    if (!name[0] || strchr(name, '/'))
        return fail_damaged(w->tree, directory, err);
    if (name[0] == '.' && !w->all)
        return DS_DONE;
    git_filemode_t mode = git_tree_entry_filemode(entry);
    bool is_tree = mode == GIT_FILEMODE_TREE;
    if (!is_tree && (w->all || (mode != GIT_FILEMODE_COMMIT && !tree_is_yaml(name))))
        return DS_DONE;
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX);
    buf_printf(&path, "%s%s%s", directory, directory[0] ? "/" : "", name);
    if (!buf_ok(&path))
        return fail_damaged(w->tree, directory, err);
    return is_tree ? walk_below(w, git_tree_entry_id(entry), buf_text(&path), depth + 1, err)
                   : repo_tree_take(w->tree, buf_text(&path), mode, git_tree_entry_id(entry), err);
}

static ds_rc walk_directory(const walk *w, const git_tree *from, const char *path, int depth, ds_error *err)
{
    TRY(tree_check_depth(w->tree, depth, path, err));
    size_t n = git_tree_entrycount(from);
    for (size_t i = 0; i < n; i++)
        TRY(walk_entry(w, git_tree_entry_byindex(from, i), path, depth, err));
    return DS_DONE;
}

ds_rc repo_tree_take(ds_tree *tree, const char *path, git_filemode_t mode, const git_oid *id, ds_error *err)
{
    if (mode == GIT_FILEMODE_COMMIT) {
        tree_add_inner(tree, path);
        return DS_DONE;
    }
    if (!tree_is_yaml(path))
        return DS_DONE;
    ds_tree_file *file = NULL;
    TRY(tree_add(tree, path, &file, err));
    memcpy(file->id.bytes, id->id, sizeof file->id.bytes);
    file->has_id = true;
    file->is_link = mode == GIT_FILEMODE_LINK;
    return DS_DONE;
}

// The directory `name` of a tree; NULL when there is none, or something else.
static ds_rc step_down(const ds_tree *tree, const git_tree *from, ds_str name, git_tree **out, ds_error *err)
{
    const repo_source *source = tree->handle;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(FILE_PATH_MAX);
    buf_put_str(&text, name);
    const git_tree_entry *entry = git_tree_entry_byname(from, buf_text(&text));
    *out = NULL;
    if (!entry || git_tree_entry_filemode(entry) != GIT_FILEMODE_TREE)
        return DS_DONE;
    int code = git_tree_lookup(out, source->repository, git_tree_entry_id(entry));
    return code ? repo_fail(tree, code, "can't read the model's directory", err) : DS_DONE;
}

ds_rc repo_tree_walk(ds_tree *tree, const git_tree *from, ds_error *err)
{
    const repo_source *source = tree->handle;
    CLEANUP(git_tree_freep) git_tree *model = NULL;
    walk w = {tree, false};
    for (ds_str rest = str_of(source->root); rest.n;) {
        git_tree *next = NULL;
        TRY(step_down(tree, model ? model : from, str_split(&rest, '/'), &next, err));
        if (!next)
            return DS_DONE;
        git_tree_free(model);
        model = next;
    }
    return walk_directory(&w, model ? model : from, "", 0, err);
}

ds_rc repo_tree_check(ds_tree *tree, const git_tree *whole, ds_error *err)
{
    walk w = {tree, true};
    TRY(walk_directory(&w, whole, "", 0, err));
    tree->entries = 0;
    return DS_DONE;
}

ds_rc tree_open_git(const char *repository, const char *ref, const char *subdir, ds_tree **out, ds_error *err)
{
    CLEANUP(tree_closep) ds_tree *tree = NULL;
    TRY(repo_tree_begin(ref, repository, subdir, &tree, err));
    CLEANUP(git_object_freep) git_object *named = NULL, *commit = NULL, *root = NULL;
    TRY(find_ref(tree, ref, &named, err));
    if (git_object_peel(&commit, named, GIT_OBJECT_COMMIT) == 0) // else a tree, or nothing to be read
        note_commit(tree, commit);
    TRY(peel(tree, ref, commit ? commit : named, GIT_OBJECT_TREE, &root, err));
    TRY(repo_tree_walk(tree, (const git_tree *)root, err));
    TRY(tree_finish(tree, err));
    *out = tree;
    tree = NULL;
    return DS_DONE;
}
