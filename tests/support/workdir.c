#include "support/workdir.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

// Databases sync at every commit: where there is a disk of memory, tests take that unless they are told otherwise.
static const char *parent(void)
{
    static const char MEMORY[] = "/dev/shm";
    const char *wanted = getenv("TMPDIR");
    if (wanted && *wanted)
        return wanted;
    return access(MEMORY, W_OK | X_OK) == 0 ? MEMORY : "/tmp";
}

workdir workdir_new(void)
{
    workdir dir;
    snprintf(dir.path, sizeof dir.path, "%s/datasurface-XXXXXX", parent());
    if (!mkdtemp(dir.path))
        BUG("mkdtemp %s: %s", dir.path, strerror(errno));
    return dir;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

void workdir_remove(const workdir *dir)
{
    nftw(dir->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void workdir_file(const workdir *dir, const char *name, char out[WORKDIR_PATH])
{
    if (snprintf(out, WORKDIR_PATH, "%s/%s", dir->path, name) >= WORKDIR_PATH)
        BUG("path too long: %s/%s", dir->path, name);
}
