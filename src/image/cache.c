#include "image/cache.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/file.h"
#include "base/vec.h"
#include "image/image_int.h"

static unsigned long long hash_text(const char *text)
{
    return (unsigned long long)XXH3_64bits(text, strlen(text));
}

static const char *usual_root(ds_arena *arena)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (xdg && xdg[0] == '/')
        return arena_path(arena, xdg, "datasurface", NULL);
    return home && home[0] == '/' ? arena_path(arena, home, ".cache/datasurface", NULL) : NULL;
}

const char *cache_dir(const char *root, const char *what, ds_arena *arena)
{
    ds_error err;
    const char *base = root ? root : usual_root(arena);
    if (!base)
        return NULL;
    const char *dir = arena_printf(arena, "%s/%016llx", base, hash_text(what));
    return file_make_dirs(dir, &err).code == DS_OK ? dir : NULL;
}

// What all images of this format end with.
static const char *ending(ds_arena *arena)
{
    return arena_printf(arena, "-%016llx.image", (unsigned long long)image_format());
}

// What follows the tree's id in the name of an image.
static const char *rest_of_name(const char *environment, ds_arena *arena)
{
    const char *place = environment ? arena_printf(arena, "-%016llx", hash_text(environment)) : "";
    return arena_printf(arena, "%s%s", place, ending(arena));
}

const char *cache_image_path(const char *dir, const char *tree_id, const char *environment, ds_arena *arena)
{
    return arena_printf(arena, "%s/%s%s", dir, tree_id, rest_of_name(environment, arena));
}

bool cache_has_environment(const char *path, const char *environment)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return strcmp(name + strcspn(name, "-"), rest_of_name(environment, arena)) == 0;
}

// --- what is there

typedef struct cached_file {
    const char *path;
    struct timespec written;
    bool image; // else a writer's
} cached_file;
typedef VEC(cached_file) cached_files;

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n > m && strcmp(name + n - m, end) == 0;
}

static int newest_first(const void *x, const void *y)
{
    const struct timespec *a = &((const cached_file *)x)->written, *b = &((const cached_file *)y)->written;
    if (a->tv_sec != b->tv_sec)
        return a->tv_sec > b->tv_sec ? -1 : 1;
    return (a->tv_nsec < b->tv_nsec) - (a->tv_nsec > b->tv_nsec);
}

static cached_files list(const char *dir, const char *end, ds_arena *arena)
{
    cached_files files = {0};
    DIR *open = opendir(dir);
    for (struct dirent *e; open && (e = readdir(open));) {
        struct stat st;
        bool image = ends_with(e->d_name, end);
        const char *path = arena_path(arena, dir, e->d_name, NULL);
        if ((image || ends_with(e->d_name, ".part")) && stat(path, &st) == 0)
            *VEC_PUSH(arena, &files) = (cached_file){path, st.st_mtim, image};
    }
    if (open)
        closedir(open);
    if (files.n > 1)
        qsort(files.v, files.n, sizeof files.v[0], newest_first);
    return files;
}

const char *cache_nearest(const char *dir, ds_arena *arena)
{
    cached_files files = list(dir, ending(arena), arena);
    for (size_t i = 0; i < files.n; i++)
        if (files.v[i].image)
            return files.v[i].path;
    return NULL;
}

void cache_prune(const char *dir, size_t keep)
{
    enum { ABANDONED_S = 24 * 3600 };
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    cached_files files = list(dir, ".image", arena);
    size_t kept = 0;
    for (size_t i = 0; i < files.n; i++) {
        const cached_file *f = &files.v[i];
        bool old = f->image ? ++kept > keep : time(NULL) - f->written.tv_sec > ABANDONED_S;
        if (old)
            (void)unlink(f->path);
    }
}

void cache_write(const char *path, ds_str bytes)
{
    CLEANUP(buf_release) ds_buf part = BUF_INIT(FILE_PATH_MAX);
    buf_printf(&part, "%s.%ld.part", path, (long)getpid());
    FILE *out = fopen(buf_text(&part), "we");
    if (!out)
        return;
    bool written = fwrite(bytes.p, 1, bytes.n, out) == bytes.n;
    written &= fclose(out) == 0;
    if (!written || rename(buf_text(&part), path) != 0)
        (void)unlink(buf_text(&part));
}
