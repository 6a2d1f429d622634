#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void fd_closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

ds_rc file_read(const char *path, ds_buf *out, ds_error *err)
{
    CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ds_fail_errno(err, errno, "can't open", path);
    struct stat st;
    if (fstat(fd, &st) != 0)
        return ds_fail_errno(err, errno, "can't read", path);
    if (S_ISDIR(st.st_mode))
        return ds_fail(err, DS_ENV, "%s is a directory, not a file", path);
    for (;;) {
        char chunk[65536];
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ds_fail_errno(err, errno, "can't read", path);
        if (n == 0)
            return DS_DONE;
        buf_put(out, chunk, (size_t)n);
        if (!buf_ok(out))
            return ds_fail(err, DS_ENV, "%s is larger than the limit of %zu bytes", path, out->max);
    }
}

static ds_rc write_all(int fd, ds_str text, const char *path, ds_error *err)
{
    while (text.n) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ds_fail_errno(err, errno, "can't write", path);
        text = (ds_str){text.p + n, text.n - (size_t)n};
    }
    if (fsync(fd) != 0)
        return ds_fail_errno(err, errno, "can't sync", path);
    return DS_DONE;
}

static void sync_parent(const char *path)
{
    char dir[FILE_PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (n >= sizeof dir)
        return;
    memcpy(dir, path, n);
    dir[n] = '\0';
    CLEANUP(fd_closep) int fd = open(n ? dir : slash ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        (void)fsync(fd);
}

// Puts the finished temporary file in its place.
static ds_rc publish(const char *temporary, const char *path, bool exclusive, ds_error *err)
{
    if (!exclusive) {
        if (rename(temporary, path) != 0)
            return ds_fail_errno(err, errno, "can't write", path);
        return DS_DONE;
    }
    int failed = link(temporary, path) != 0 ? errno : 0;
    unlink(temporary);
    if (failed == EEXIST)
        return ds_fail(err, DS_USAGE, "%s exists already", path);
    return failed ? ds_fail_errno(err, failed, "can't write", path) : DS_DONE;
}

ds_rc file_write_atomic(const char *path, ds_str text, bool exclusive, ds_error *err)
{
    if (exclusive && file_exists(path))
        return ds_fail(err, DS_USAGE, "%s exists already", path);
    char temporary[FILE_PATH_MAX];
    int n = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (n < 0 || (size_t)n >= sizeof temporary)
        return ds_fail(err, DS_ENV, "path is too long: %s", path);
    ds_rc rc;
    {
        CLEANUP(fd_closep) int fd = mkostemp(temporary, O_CLOEXEC);
        if (fd < 0)
            return ds_fail_errno(err, errno, "can't write", path);
        mode_t mask = umask(0);
        umask(mask);
        rc = fchmod(fd, 0666 & ~mask) == 0 ? write_all(fd, text, path, err)
                                           : ds_fail_errno(err, errno, "can't write", path);
    }
    if (rc.code != DS_OK) {
        unlink(temporary);
        return rc;
    }
    rc = publish(temporary, path, exclusive, err);
    if (rc.code != DS_OK)
        unlink(temporary);
    else
        sync_parent(path);
    return rc;
}

bool file_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

bool file_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

ds_rc file_make_dirs(const char *path, ds_error *err)
{
    char part[FILE_PATH_MAX];
    size_t n = strlen(path);
    if (n >= sizeof part)
        return ds_fail(err, DS_ENV, "path is too long: %s", path);
    for (size_t i = 1; i <= n; i++) {
        if (i < n && path[i] != '/')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && !(errno == EEXIST && file_is_dir(part)))
            return ds_fail_errno(err, errno, "can't create directory", part);
    }
    return DS_DONE;
}

typedef struct walk {
    const char *root;
    file_visit *visit;
    void *context;
} walk;

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static ds_rc walk_dir(const walk *w, const char *below, int depth, ds_error *err);

static ds_rc walk_entry(const walk *w, const char *below, const char *name, int depth, ds_error *err)
{
    CLEANUP(buf_release) ds_buf relative = BUF_INIT(FILE_PATH_MAX);
    if (below[0])
        buf_printf(&relative, "%s/", below);
    buf_puts(&relative, name);
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX);
    file_join(&path, w->root, buf_text(&relative));
    if (!buf_ok(&relative) || !buf_ok(&path))
        return ds_fail(err, DS_ENV, "path is too long below %s", w->root);
    struct stat st, target;
    if (lstat(buf_text(&path), &st) != 0)
        return ds_fail_errno(err, errno, "can't read", buf_text(&path));
    if (S_ISDIR(st.st_mode))
        return walk_dir(w, buf_text(&relative), depth + 1, err);
    if (S_ISLNK(st.st_mode) && stat(buf_text(&path), &target) == 0)
        st = target;
    // A link that leads nowhere is visited, so that whoever wants the file learns that it can't be read.
    return S_ISREG(st.st_mode) || S_ISLNK(st.st_mode) ? w->visit(buf_text(&relative), w->context, err) : DS_DONE;
}

static ds_rc walk_dir(const walk *w, const char *below, int depth, ds_error *err)
{
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX);
    file_join(&path, w->root, below);
    if (depth > FILE_WALK_DEPTH_MAX)
        return ds_fail(err, DS_ENV, "%s: directories are nested too deep", buf_text(&path));
    struct dirent **entries = NULL;
    int n = scandir(buf_text(&path), &entries, visible, by_bytes);
    if (n < 0)
        return ds_fail_errno(err, errno, "can't read directory", buf_text(&path));
    ds_rc rc = DS_DONE;
    for (int i = 0; i < n; i++) {
        if (rc.code == DS_OK)
            rc = walk_entry(w, below, entries[i]->d_name, depth, err);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

ds_rc file_walk(const char *dir, file_visit *visit, void *context, ds_error *err)
{
    walk w = {dir, visit, context};
    return walk_dir(&w, "", 0, err);
}

void file_join(ds_buf *out, const char *dir, const char *path)
{
    if (path[0] == '/' || strcmp(dir, ".") == 0) {
        buf_puts(out, path[0] ? path : dir);
        return;
    }
    buf_puts(out, dir);
    if (path[0])
        buf_printf(out, "%s%s", dir[0] && dir[strlen(dir) - 1] == '/' ? "" : "/", path);
}
