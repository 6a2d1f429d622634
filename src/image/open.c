// Image files: opened for reading, closed.
#include <stdlib.h>
#include <sys/stat.h>

#include "image/image_int.h"

static ds_rc read_format(sqlite3 *db, uint64_t *format, ds_error *err)
{
    CLEANUP(image_finalizep) sqlite3_stmt *q = NULL;
    TRY(image_prepare(db, "SELECT value FROM meta WHERE name = 'format'", &q, err));
    if (sqlite3_step(q) != SQLITE_ROW)
        return image_fail(db, "read", err);
    *format = (uint64_t)sqlite3_column_int64(q, 0);
    return DS_DONE;
}

// A path as SQLite's URIs have it. Immutable: no locks, no look for journals.
static void put_uri(ds_buf *out, const char *path)
{
    buf_puts(out, "file:");
    for (const char *p = path; *p; p++)
        if (*p == '?' || *p == '#' || *p == '%')
            buf_printf(out, "%%%02x", (unsigned)(unsigned char)*p);
        else
            buf_putc(out, *p);
    buf_puts(out, "?immutable=1&mode=ro");
}

static ds_rc open_file(const char *path, sqlite3 **db, ds_error *err)
{
    enum { URI_MAX = 3 * 4096 + 64 };
    CLEANUP(buf_release) ds_buf uri = BUF_INIT(URI_MAX);
    put_uri(&uri, path);
    if (sqlite3_open_v2(buf_text(&uri), db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(*db, "PRAGMA mmap_size=134217728; PRAGMA cache_size=-65536; PRAGMA cell_size_check=ON", NULL, NULL,
                     NULL) != SQLITE_OK)
        return image_fail(*db, "open", err);
    uint64_t format = 0;
    TRY(read_format(*db, &format, err));
    return format == image_format() ? DS_DONE : ds_fail(err, DS_INTERNAL, "an image of another version");
}

ds_image *image_new(sqlite3 *db)
{
    ds_image *image = calloc(1, sizeof *image);
    if (!image)
        BUG("out of memory");
    image->db = db;
    return image;
}

ds_rc image_open(const char *path, ds_image **out, ds_error *err)
{
    struct stat st;
    *out = NULL;
    if (stat(path, &st) != 0)
        return DS_DONE;
    sqlite3 *db = NULL;
    if (open_file(path, &db, err).code != DS_OK) {
        sqlite3_close(db);
        return DS_DONE;
    }
    *out = image_new(db);
    (*out)->owned = true;
    return DS_DONE;
}

void image_closep(ds_image **image)
{
    ds_image *i = *image;
    *image = NULL;
    if (!i)
        return;
    image_finalizep(&i->one);
    image_finalizep(&i->all);
    image_finalizep(&i->documents);
    image_finalizep(&i->remarks);
    image_finalizep(&i->datasets);
    tree_close(i->tree);
    if (i->owned)
        sqlite3_close(i->db);
    free(i);
}

ds_rc image_check(const ds_image *image, ds_error *err)
{
    return image->damaged ? image_damaged(err) : DS_DONE;
}
