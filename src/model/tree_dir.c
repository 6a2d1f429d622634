// A tree from a directory.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "model/tree_int.h"

static void fd_closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static void dir_closep(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static void free_textp(char **text)
{
    free(*text);
}

// dir, or dir/path. Too long is no path: opening it fails.
static const char *full_path(const ds_tree *tree, const char *path, ds_buf *out)
{
    *out = BUF_INIT(2 * FILE_PATH_MAX);
    file_join(out, tree->name, path);
    return buf_text(out);
}

// --- reading

static ds_rc read_file(const ds_tree *tree, size_t i, ds_buf *out, ds_error *err)
{
    const ds_tree_file *file = &tree->files.v[i];
    if (file->stat.size_bytes > out->max - out->n) {
        out->overflow = true;
        return DS_DONE;
    }
    CLEANUP(buf_release) ds_buf path;
    ds_rc rc = file_read(full_path(tree, file->path, &path), out, err);
    return buf_ok(out) ? rc : DS_DONE; // it has grown meanwhile
}

static ds_rc hash_open_file(int fd, const char *path, ds_blob_id *out, ds_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return ds_fail_errno(err, errno, "can't read", path);
    object_hash *hash = object_hash_begin("blob", (uint64_t)st.st_size);
    char chunk[65536];
    off_t total = 0;
    ssize_t n = 0;
    do {
        n = read(fd, chunk, sizeof chunk);
        if (n > 0)
            object_hash_add(hash, chunk, (size_t)n);
        total += n > 0 ? n : 0;
    } while (n > 0 || (n < 0 && errno == EINTR));
    int failed = errno;
    ds_blob_id id = object_hash_end(hash);
    if (n < 0)
        return ds_fail_errno(err, failed, "can't read", path);
    if (total != st.st_size)
        return ds_fail(err, DS_ENV, "%s was written to while it was read", path);
    *out = id;
    return DS_DONE;
}

static ds_rc hash_file(const ds_tree *tree, size_t i, ds_blob_id *out, ds_error *err)
{
    CLEANUP(buf_release) ds_buf path;
    const char *full = full_path(tree, tree->files.v[i].path, &path);
    CLEANUP(fd_closep) int fd = open(full, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? ds_fail_errno(err, errno, "can't open", full) : hash_open_file(fd, full, out, err);
}

static const tree_source DIRECTORY = {.read = read_file, .hash = hash_file};

// --- walking: one thread begins; where there are many directories, a second one helps

typedef struct directory {
    const char *path; // below the root
    int depth;
} directory;
typedef VEC(directory) directory_list;

typedef struct walk {
    const char *real_root; // without links
    ds_arena *arena;
    pthread_mutex_t lock;
    pthread_cond_t change;
    // Guarded by lock:
    directory_list waiting;
    size_t busy; // directories that are being looked at
    bool failed; // no more are
} walk;

typedef struct walker {
    walk *walk;
    ds_tree *tree;        // what it has found
    directory_list found; // in the directory that it looks at
    ds_rc rc;
    ds_error err;
} walker;

static int64_t nanoseconds(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static ds_tree_stat stat_of(const struct stat *st)
{
    return (ds_tree_stat){nanoseconds(st->st_mtim), nanoseconds(st->st_ctim), (uint64_t)st->st_size, st->st_ino};
}

// Does the link lead to a file of this tree? A repository's own files may hold secrets, and are none.
static bool leads_inside(const walk *w, const char *link, struct stat *target)
{
    CLEANUP(free_textp) char *real = realpath(link, NULL);
    if (!real || stat(real, target) != 0 || !S_ISREG(target->st_mode))
        return false;
    size_t n = strlen(w->real_root);
    n -= w->real_root[n - 1] == '/'; // the root of all
    return strncmp(real, w->real_root, n) == 0 && real[n] == '/' && !strstr(real + n, "/.git/");
}

// A link's own text is what git hashes.
static ds_rc add_link(ds_tree *tree, const char *path, const char *full, ds_error *err)
{
    char leads_to[FILE_PATH_MAX];
    ssize_t n = readlink(full, leads_to, sizeof leads_to);
    if (n < 0)
        return ds_fail_errno(err, errno, "can't read the link", full);
    ds_tree_file *file = NULL;
    TRY(tree_add(tree, path, &file, err));
    file->is_link = true;
    file->id = blob_id_of((ds_str){leads_to, (size_t)n});
    file->has_id = true;
    return DS_DONE;
}

static ds_rc add_file(ds_tree *tree, const char *path, const struct stat *st, ds_error *err)
{
    if (!S_ISREG(st->st_mode))
        return DS_DONE;
    ds_tree_file *file = NULL;
    TRY(tree_add(tree, path, &file, err));
    file->stat = stat_of(st);
    return DS_DONE;
}

static ds_rc follow_link(const walker *r, const char *path, ds_error *err)
{
    CLEANUP(buf_release) ds_buf full_text;
    const char *full = full_path(r->tree, path, &full_text);
    struct stat target;
    return leads_inside(r->walk, full, &target) ? add_file(r->tree, path, &target, err)
                                                : add_link(r->tree, path, full, err);
}

// fd: of the directory, which is shorter to go from than the root.
static ds_rc look_at_entry(walker *r, int fd, const directory *in, const char *name, ds_error *err)
{
    TRY(tree_see(r->tree, err));
    if (name[0] == '.')
        return DS_DONE;
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX), full_text = BUF_INIT(0);
    buf_puts(&path, in->path);
    if (in->path[0])
        buf_putc(&path, '/');
    buf_puts(&path, name);
    if (!buf_ok(&path))
        return ds_fail(err, DS_ENV, "path is too long below %s", r->tree->name);
    struct stat st;
    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return ds_fail_errno(err, errno, "can't read", full_path(r->tree, buf_text(&path), &full_text));
    if (S_ISDIR(st.st_mode)) {
        *VEC_PUSH(r->tree->arena, &r->found) =
            (directory){arena_strdup(r->tree->arena, buf_text(&path)), in->depth + 1};
        return DS_DONE;
    }
    if (!tree_is_yaml(name))
        return DS_DONE;
    return S_ISLNK(st.st_mode) ? follow_link(r, buf_text(&path), err) : add_file(r->tree, buf_text(&path), &st, err);
}

static ds_rc look_at_directory(walker *r, const directory *d, ds_error *err)
{
    TRY(tree_check_depth(r->tree, d->depth, d->path, err));
    CLEANUP(buf_release) ds_buf full_text;
    const char *full = full_path(r->tree, d->path, &full_text);
    CLEANUP(dir_closep) DIR *dir = opendir(full);
    if (!dir)
        return ds_fail_errno(err, errno, "can't read directory", full);
    if (d->depth > 0 && faccessat(dirfd(dir), ".git", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        tree_add_inner(r->tree, d->path);
        return DS_DONE;
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry)
            return errno ? ds_fail_errno(err, errno, "can't read directory", full) : DS_DONE;
        TRY(look_at_entry(r, dirfd(dir), d, entry->d_name, err));
    }
}

// False when there is nothing left, and nobody who may find more.
static bool take(walk *w, directory *out)
{
    pthread_mutex_lock(&w->lock);
    while (w->waiting.n == 0 && w->busy && !w->failed)
        pthread_cond_wait(&w->change, &w->lock);
    bool any = w->waiting.n && !w->failed;
    if (any) {
        *out = w->waiting.v[--w->waiting.n];
        w->busy++;
    }
    pthread_mutex_unlock(&w->lock);
    return any;
}

static void look(walker *r, const directory *d)
{
    walk *w = r->walk;
    r->found.n = 0;
    r->rc = look_at_directory(r, d, &r->err);
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < r->found.n; i++)
        *VEC_PUSH(w->arena, &w->waiting) = r->found.v[i];
    w->busy--;
    w->failed |= r->rc.code != DS_OK;
    pthread_cond_broadcast(&w->change);
    pthread_mutex_unlock(&w->lock);
}

static void *look_at_all(void *context)
{
    directory d;
    while (take(((walker *)context)->walk, &d))
        look(context, &d);
    return NULL;
}

// What the helper has found, with its memory.
static ds_rc join(ds_tree *tree, walker *helper, ds_error *err)
{
    for (size_t i = 0; i < helper->tree->files.n; i++)
        *VEC_PUSH(tree->arena, &tree->files) = helper->tree->files.v[i];
    for (size_t i = 0; i < helper->tree->inner.n; i++)
        *VEC_PUSH(tree->arena, &tree->inner) = helper->tree->inner.v[i];
    tree->entries += helper->tree->entries;
    ds_arena *its = helper->tree->arena;
    arena_adopt(tree->arena, its);
    arena_free(its);
    return tree_check_size(tree, err);
}

static ds_rc walk_together(walker *self, ds_error *err)
{
    walker helper = {.walk = self->walk, .tree = tree_new(self->tree->name, &DIRECTORY), .rc = DS_DONE};
    pthread_t thread;
    bool helped = pthread_create(&thread, NULL, look_at_all, &helper) == 0;
    look_at_all(self);
    if (helped)
        pthread_join(thread, NULL);
    ds_rc rc = join(self->tree, &helper, err);
    if (helper.rc.code != DS_OK) {
        *err = helper.err;
        return helper.rc;
    }
    return rc;
}

static ds_rc walk_all(walker *self, ds_error *err)
{
    enum { DIRECTORIES_FEW = 8 };
    walk *w = self->walk;
    directory d = {"", 0};
    *VEC_PUSH(w->arena, &w->waiting) = d;
    while (w->waiting.n <= DIRECTORIES_FEW && take(w, &d))
        look(self, &d);
    ds_rc rc = w->waiting.n && !w->failed ? walk_together(self, err) : DS_DONE;
    if (self->rc.code != DS_OK) {
        *err = self->err;
        return self->rc;
    }
    return rc;
}

ds_rc tree_open_dir(const char *dir, ds_tree **out, ds_error *err)
{
    if (!file_is_dir(dir))
        return ds_hint(ds_fail(err, DS_ENV, "%s is not a directory", dir), err,
                       "name the model's directory with -C DIR");
    CLEANUP(free_textp) char *real_root = realpath(dir, NULL);
    if (!real_root)
        return ds_fail_errno(err, errno, "can't read directory", dir);
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(tree_closep) ds_tree *tree = tree_new(dir, &DIRECTORY);
    walk w = {.real_root = real_root,
              .arena = arena,
              .lock = PTHREAD_MUTEX_INITIALIZER,
              .change = PTHREAD_COND_INITIALIZER};
    walker self = {.walk = &w, .tree = tree, .rc = DS_DONE};
    TRY(walk_all(&self, err));
    TRY(tree_finish(tree, err));
    *out = tree;
    tree = NULL;
    return DS_DONE;
}
