#include "image/stat_index.h"

#include <xxhash.h>

#include "base/file.h"
#include "image/cache.h"

enum { INDEX_VERSION = 1, INDEX_MAX = 1 << 30 };
// Times may be as coarse as this, and clocks of file servers as wrong.
static const int64_t RACY_NS = INT64_C(2000000000);

// Entries follow each other: this, the path, NUL. The file ends with the hash of all before it.
typedef struct entry {
    ds_tree_stat stat;
    ds_blob_id id;
    uint32_t path_bytes; // without NUL
} entry;

static uint64_t hash_of(const char *bytes, size_t n)
{
    return XXH3_64bits_withSeed(bytes, n, INDEX_VERSION);
}

static bool is_whole(const ds_buf *bytes)
{
    uint64_t hash;
    if (bytes->n < sizeof hash)
        return false;
    memcpy(&hash, bytes->p + bytes->n - sizeof hash, sizeof hash);
    return hash == hash_of(bytes->p, bytes->n - sizeof hash);
}

// The next entry; its path is NULL at the end.
static const char *next_entry(ds_str *rest, entry *e)
{
    if (rest->n < sizeof *e)
        return NULL;
    memcpy(e, rest->p, sizeof *e);
    const char *path = rest->p + sizeof *e;
    size_t whole = sizeof *e + (size_t)e->path_bytes + 1;
    if (rest->n < whole || path[e->path_bytes] != '\0')
        return NULL;
    rest->p += whole;
    rest->n -= whole;
    return path;
}

static bool same_stat(const ds_tree_stat *a, const ds_tree_stat *b)
{
    return a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns && a->size_bytes == b->size_bytes &&
           a->inode == b->inode;
}

// Both are in byte order of their paths.
void stat_index_apply(const char *path, ds_tree *tree, size_t *missed)
{
    CLEANUP(buf_release) ds_buf bytes = BUF_INIT(INDEX_MAX);
    ds_error err;
    entry e;
    *missed = tree_count(tree);
    if (file_read(path, &bytes, &err).code != DS_OK || !is_whole(&bytes))
        return;
    ds_str rest = {bytes.p, bytes.n - sizeof(uint64_t)};
    const char *known = next_entry(&rest, &e);
    for (size_t i = 0; i < tree_count(tree); i++) {
        const ds_tree_file *file = tree_file(tree, i);
        while (known && strcmp(known, file->path) < 0)
            known = next_entry(&rest, &e);
        if (!known || strcmp(known, file->path) != 0 || !same_stat(&e.stat, &file->stat))
            continue;
        tree_set_id(tree, i, &e.id);
        --*missed;
    }
}

void stat_index_write(const char *path, const ds_tree *tree, int64_t opened_ns)
{
    CLEANUP(buf_release) ds_buf bytes = BUF_INIT(INDEX_MAX);
    for (size_t i = 0; i < tree_count(tree); i++) {
        const ds_tree_file *file = tree_file(tree, i);
        bool racy = file->stat.mtime_ns > opened_ns - RACY_NS || file->stat.ctime_ns > opened_ns - RACY_NS;
        if (racy || file->is_link || !file->has_id)
            continue;
        entry e = {0};
        e.stat = file->stat;
        e.id = file->id;
        e.path_bytes = (uint32_t)strlen(file->path);
        buf_put(&bytes, &e, sizeof e);
        buf_put(&bytes, file->path, (size_t)e.path_bytes + 1);
    }
    uint64_t hash = hash_of(bytes.p, bytes.n);
    buf_put(&bytes, &hash, sizeof hash);
    if (buf_ok(&bytes))
        cache_write(path, buf_str(&bytes));
}
