#include "base/private_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define PREFIX "datasurface-run."
enum { OPEN_AT_A_TIME = 8 };

static const char *parent(void)
{
    const char *directory = getenv("TMPDIR");
    return directory && directory[0] ? directory : "/tmp";
}

static bool join(char out[PRIVATE_DIR_PATH], const char *dir, const char *name)
{
    int n = snprintf(out, PRIVATE_DIR_PATH, "%s/%s", dir, name);
    return n > 0 && n < PRIVATE_DIR_PATH;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    (void)remove(path);
    return 0;
}

static void remove_all(const char *path)
{
    (void)nftw(path, remove_one, OPEN_AT_A_TIME, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

// The lock has its name only once it is held: who finds it free finds one whose holder is dead.
static int make_lock(const char *dir)
{
    char new_name[PRIVATE_DIR_PATH], name[PRIVATE_DIR_PATH];
    if (!join(new_name, dir, "lock.new") || !join(name, dir, "lock"))
        return -1;
    int fd = open(new_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && rename(new_name, name) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void remove_abandoned(const char *dir)
{
    char name[PRIVATE_DIR_PATH];
    struct stat st;
    if (!join(name, dir, "lock") || lstat(dir, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
        return;
    int fd = open(name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        remove_all(dir);
    close(fd);
}

static void clean_up(void)
{
    DIR *d = opendir(parent());
    const struct dirent *entry;
    char path[PRIVATE_DIR_PATH];
    while (d && (entry = readdir(d)))
        if (str_starts(str_of(entry->d_name), STR(PREFIX)) && join(path, parent(), entry->d_name))
            remove_abandoned(path);
    if (d)
        closedir(d);
}

ds_rc private_dir_make(ds_private_dir *out, ds_error *err)
{
    ds_private_dir made = {.lock = -1};
    clean_up();
    if (!join(made.path, parent(), PREFIX "XXXXXX"))
        return ds_fail_errno(err, ENAMETOOLONG, "can't make a directory in", parent());
    if (!mkdtemp(made.path))
        return ds_fail_errno(err, errno, "can't make a directory in", parent());
    made.lock = make_lock(made.path);
    if (made.lock < 0) {
        int error_number = errno;
        remove_all(made.path);
        return ds_fail_errno(err, error_number, "can't lock", made.path);
    }
    *out = made;
    return DS_DONE;
}

void private_dir_remove(ds_private_dir *dir)
{
    if (!dir->path[0])
        return;
    remove_all(dir->path);
    close(dir->lock);
    *dir = (ds_private_dir){.lock = -1};
}

ds_rc private_dir_write(const ds_private_dir *dir, const char *name, const char *text, ds_error *err)
{
    char path[PRIVATE_DIR_PATH];
    if (!join(path, dir->path, name))
        return ds_fail_errno(err, ENAMETOOLONG, "can't write in", dir->path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return ds_fail_errno(err, errno, "can't write", path);
    size_t n = strlen(text);
    ssize_t written = write(fd, text, n);
    int error_number = written < 0 ? errno : ENOSPC;
    close(fd);
    return written == (ssize_t)n ? DS_DONE : ds_fail_errno(err, error_number, "can't write", path);
}
