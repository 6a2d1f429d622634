// A tree from a directory.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

// --- walking

typedef struct walk {
    ds_tree *tree;
    char *real_root; // without links
} walk;

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
static ds_rc add_link(walk *w, const char *path, const char *full, ds_error *err)
{
    char leads_to[FILE_PATH_MAX];
    ssize_t n = readlink(full, leads_to, sizeof leads_to);
    if (n < 0)
        return ds_fail_errno(err, errno, "can't read the link", full);
    ds_tree_file *file = NULL;
    TRY(tree_add(w->tree, path, &file, err));
    file->is_link = true;
    file->id = blob_id_of((ds_str){leads_to, (size_t)n});
    file->has_id = true;
    return DS_DONE;
}

static ds_rc add_file(walk *w, const char *path, const char *full, const struct stat *st, ds_error *err)
{
    struct stat target = *st;
    if (S_ISLNK(st->st_mode) && !leads_inside(w, full, &target))
        return add_link(w, path, full, err);
    if (!S_ISREG(target.st_mode))
        return DS_DONE;
    ds_tree_file *file = NULL;
    TRY(tree_add(w->tree, path, &file, err));
    file->stat = stat_of(&target);
    return DS_DONE;
}

static ds_rc walk_directory(walk *w, const char *path, int depth, ds_error *err);

// fd: of the directory, which is shorter to go from than the root.
static ds_rc walk_entry(walk *w, int fd, const char *directory, const char *name, int depth, ds_error *err)
{
    TRY(tree_see(w->tree, err));
    if (name[0] == '.')
        return DS_DONE;
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX), full_text;
    buf_puts(&path, directory);
    if (directory[0])
        buf_putc(&path, '/');
    buf_puts(&path, name);
    if (!buf_ok(&path))
        return ds_fail(err, DS_ENV, "path is too long below %s", w->tree->name);
    const char *full = full_path(w->tree, buf_text(&path), &full_text);
    struct stat st;
    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return ds_fail_errno(err, errno, "can't read", full);
    if (S_ISDIR(st.st_mode))
        return walk_directory(w, buf_text(&path), depth + 1, err);
    return tree_is_yaml(name) ? add_file(w, buf_text(&path), full, &st, err) : DS_DONE;
}

static ds_rc walk_directory(walk *w, const char *path, int depth, ds_error *err)
{
    TRY(tree_check_depth(w->tree, depth, path, err));
    CLEANUP(buf_release) ds_buf full_text;
    const char *full = full_path(w->tree, path, &full_text);
    CLEANUP(dir_closep) DIR *dir = opendir(full);
    if (!dir)
        return ds_fail_errno(err, errno, "can't read directory", full);
    if (depth > 0 && faccessat(dirfd(dir), ".git", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        tree_add_inner(w->tree, path);
        return DS_DONE;
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry)
            return errno ? ds_fail_errno(err, errno, "can't read directory", full) : DS_DONE;
        TRY(walk_entry(w, dirfd(dir), path, entry->d_name, depth, err));
    }
}

ds_rc tree_open_dir(const char *dir, ds_tree **out, ds_error *err)
{
    if (!file_is_dir(dir))
        return ds_hint(ds_fail(err, DS_ENV, "%s is not a directory", dir), err,
                       "name the model's directory with -C DIR");
    CLEANUP(free_textp) char *real_root = realpath(dir, NULL);
    if (!real_root)
        return ds_fail_errno(err, errno, "can't read directory", dir);
    CLEANUP(tree_closep) ds_tree *tree = tree_new(dir, &DIRECTORY);
    walk w = {tree, real_root};
    TRY(walk_directory(&w, "", 0, err));
    TRY(tree_finish(tree, err));
    *out = tree;
    tree = NULL;
    return DS_DONE;
}
