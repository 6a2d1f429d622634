// A directory of the test's own, removed with all its contents: in TMPDIR, else in memory (/dev/shm), else in /tmp.
#pragma once

enum { WORKDIR_PATH = 256 };
typedef struct workdir {
    char path[WORKDIR_PATH];
} workdir;

workdir workdir_new(void);
void workdir_remove(const workdir *dir);
// dir/name; aborts when it doesn't fit.
void workdir_file(const workdir *dir, const char *name, char out[WORKDIR_PATH]);
