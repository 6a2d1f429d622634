// Named locks: one byte of the file "<database>-lease" each, held through an open file description, so that the kernel
// frees it when the process dies, and so that two connections of one process exclude each other.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/file.h"
#include "store/sqlite/sqlite_int.h"

// Whoever may write to the database may lock: a new file gets its permissions, as SQLite's own files do.
static int open_or_make(const char *path, const char *database)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    struct stat st;
    mode_t mode = stat(database, &st) == 0 ? st.st_mode & 0666 : 0600;
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return errno == EEXIST ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fchmod(fd, mode) != 0) // past the umask; a file system without permissions refuses, and needs none
        errno = 0;
    return fd;
}

static ds_rc open_lock_file(ds_sqlite *db, ds_error *err)
{
    if (db->lock_fd >= 0)
        return DS_DONE;
    // SQLite's own idea of the path: absolute, symbolic links resolved, so that all openers meet at one file.
    const char *database = sqlite3_db_filename(db->handle, "main");
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX + 8);
    buf_puts(&path, database);
    buf_puts(&path, "-lease");
    int fd = open_or_make(buf_text(&path), database);
    if (fd < 0)
        return ds_fail_errno(err, errno, "can't open", buf_text(&path));
    db->lock_fd = fd;
    return DS_DONE;
}

static struct flock byte_of(const char *name, short type)
{
    uint64_t hash = XXH3_64bits(name, strlen(name));
    return (
        struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)(hash & (UINT64_MAX >> 2)), .l_len = 1};
}

ds_rc sqlite_lock_try(ds_db *base, const char *name, bool *held, ds_error *err)
{
    ds_sqlite *db = (ds_sqlite *)base;
    TRY(open_lock_file(db, err));
    struct flock byte = byte_of(name, F_WRLCK);
    if (fcntl(db->lock_fd, F_OFD_SETLK, &byte) == 0) {
        *held = true;
        return DS_DONE;
    }
    if (errno != EAGAIN && errno != EACCES)
        return ds_fail_errno(err, errno, "can't lock beside", db->label);
    *held = false;
    return DS_DONE;
}

void sqlite_lock_release(ds_db *base, const char *name)
{
    ds_sqlite *db = (ds_sqlite *)base;
    if (db->lock_fd < 0)
        return;
    struct flock byte = byte_of(name, F_UNLCK);
    if (fcntl(db->lock_fd, F_OFD_SETLK, &byte) != 0)
        BUG("can't unlock: %s", strerror(errno));
}

void sqlite_lock_close(ds_sqlite *db)
{
    if (db->lock_fd >= 0)
        close(db->lock_fd);
    db->lock_fd = -1;
}
