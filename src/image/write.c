// Writing an image: bulk inserts without a journal into a file that nobody else knows yet.
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "image/image_int.h"

static void release_statements(ds_image_writer *w)
{
    for (size_t i = 0; i < IMAGE_TABLE_COUNT; i++)
        image_finalizep(&w->rows[i]);
    image_finalizep(&w->document);
    image_finalizep(&w->dataset);
    image_finalizep(&w->remark);
}

void image_writer_closep(ds_image_writer **writer)
{
    ds_image_writer *w = *writer;
    *writer = NULL;
    if (!w)
        return;
    release_statements(w);
    sqlite3_close(w->db);
    if (w->temporary)
        (void)unlink(w->temporary);
    free(w->temporary);
    free(w);
}

static ds_rc run(ds_image_writer *w, const char *sql, ds_error *err)
{
    return sqlite3_exec(w->db, sql, NULL, NULL, NULL) == SQLITE_OK ? DS_DONE : image_fail(w->db, "write", err);
}

static ds_rc create_tables(ds_image_writer *w, ds_error *err)
{
    CLEANUP(buf_release) ds_buf sql = BUF_INIT(64 << 10);
    buf_puts(&sql, IMAGE_INNER_TABLES);
    for (size_t i = 0; i < IMAGE_TABLE_COUNT; i++) {
        if (IMAGE_TABLES[i].packed || IMAGE_TABLES[i].late)
            continue;
        buf_puts(&sql, "CREATE TABLE ");
        image_table_shape(&IMAGE_TABLES[i], &sql);
        buf_putc(&sql, ';');
    }
    ds_assert(buf_ok(&sql));
    return run(w, buf_text(&sql), err);
}

// No journal and no fsync: until the rename nobody sees the file, and one that a power failure has cut is found and
// written again.
static ds_rc prepare(ds_image_writer *w, ds_error *err)
{
    TRY(run(w,
            "PRAGMA page_size=8192; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;"
            "PRAGMA cache_size=-16384; BEGIN",
            err));
    TRY(create_tables(w, err));
    TRY(image_prepare(w->db, "INSERT INTO document VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)", &w->document, err));
    TRY(image_prepare(w->db, "INSERT INTO remark VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", &w->remark, err));
    return image_prepare(w->db, "INSERT INTO dataset VALUES(?1, ?2, ?3, ?4, ?5)", &w->dataset, err);
}

// Of this writer alone, though there be several in a process.
static char *new_name(const char *dir)
{
    static atomic_uint writers;
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX);
    buf_printf(&path, "%s/%ld-%u.part", dir, (long)getpid(), atomic_fetch_add(&writers, 1));
    char *name = strdup(buf_text(&path));
    if (!name)
        BUG("out of memory");
    (void)unlink(name); // left over by a process of the same number
    return name;
}

ds_rc image_begin(const char *dir, ds_image_writer **out, ds_error *err)
{
    CLEANUP(image_writer_closep) ds_image_writer *w = calloc(1, sizeof *w);
    if (!w)
        BUG("out of memory");
    if (dir)
        w->temporary = new_name(dir);
    if (sqlite3_open_v2(w->temporary ? w->temporary : ":memory:", &w->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return image_fail(w->db, "create", err);
    TRY(prepare(w, err));
    *out = w;
    w = NULL;
    return DS_DONE;
}

ds_rc image_step(ds_image_writer *w, sqlite3_stmt *statement, ds_error *err)
{
    int code = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    return code == SQLITE_DONE ? DS_DONE : image_fail(w->db, "write", err);
}

// --- rows

static ds_rc prepare_row(ds_image_writer *w, image_table_id table, ds_error *err)
{
    CLEANUP(buf_release) ds_buf sql = BUF_INIT(4096);
    image_table_insert(&IMAGE_TABLES[table], &sql);
    return image_prepare(w->db, buf_text(&sql), &w->rows[table], err);
}

void image_row_begin(ds_image_writer *w, image_table_id table)
{
    ds_error err;
    ds_assert(!IMAGE_TABLES[table].packed && !IMAGE_TABLES[table].late);
    if (!w->rows[table] && prepare_row(w, table, &err).code != DS_OK)
        BUG("%s", err.text);
    w->table = table;
    w->cell = 0;
}

void image_cell_text(ds_image_writer *w, const char *text)
{
    (void)sqlite3_bind_text(w->rows[w->table], ++w->cell, text, -1, SQLITE_STATIC);
}

void image_cell_int(ds_image_writer *w, int64_t value)
{
    (void)sqlite3_bind_int64(w->rows[w->table], ++w->cell, value);
}

ds_rc image_row_end(ds_image_writer *w, ds_error *err)
{
    ds_assert((size_t)w->cell == image_table_width(&IMAGE_TABLES[w->table]));
    return image_step(w, w->rows[w->table], err);
}

// --- the end

ds_image *image_written(ds_image_writer *w)
{
    ds_image *image = image_new(w->db);
    image->writing = true;
    return image;
}

ds_rc image_put_counts(ds_image_writer *w, const ds_image_count *counts, size_t n, ds_error *err)
{
    CLEANUP(image_finalizep) sqlite3_stmt *meta = NULL;
    TRY(image_prepare(w->db, "INSERT INTO meta VALUES(?1, ?2)", &meta, err));
    for (size_t i = 0; i < n; i++) {
        (void)sqlite3_bind_text(meta, 1, counts[i].name, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(meta, 2, (int64_t)counts[i].n);
        TRY(image_step(w, meta, err));
    }
    return DS_DONE;
}

ds_rc image_finish(ds_image_writer *w, const char *path, ds_error *err)
{
    const ds_image_count facts[] = {{"format", image_format()}, {"partial", w->partial}};
    release_statements(w);
    TRY(image_put_counts(w, facts, sizeof facts / sizeof facts[0], err));
    TRY(run(w,
            "CREATE INDEX document_store ON document(store) WHERE store IS NOT NULL;"
            "CREATE INDEX document_file ON document(file); CREATE INDEX remark_file ON remark(file); COMMIT",
            err));
    if (w->temporary && rename(w->temporary, path) != 0)
        return ds_fail_errno(err, errno, "can't write", path);
    free(w->temporary);
    w->temporary = NULL;
    return DS_DONE;
}
