// Rows into a table, by COPY in binary, in large buffers.
#include <string.h>

#include "store/postgres/pg_codec.h"
#include "store/postgres/pg_int.h"

enum { SEND_BYTES = 256 * 1024, BUFFER_MAX = 4 * ROWS_BYTES_MAX, TEXT_MAX = SQL_TEXT_MAX };

static const unsigned char HEADER[] = {'P', 'G', 'C', 'O', 'P', 'Y', '\n', 0xff, '\r', '\n', 0, 0, 0, 0, 0, 0, 0, 0, 0};
static const unsigned char TRAILER[] = {0xff, 0xff};

typedef struct pg_writer {
    ds_arena *arena; // of the writer itself
    ds_pg *db;
    const ds_shape *shape;
    ds_system_kind system[SYSTEM_COLUMNS_MAX];
    size_t system_count;
    ds_cell *cells; // of the row being written
    ds_buf bytes;   // not sent yet
    int64_t rows;
} pg_writer;

static void copy_sql(const ds_write *write, ds_sql *q)
{
    SQL(q, "COPY ");
    sql_relation(q, write->table);
    SQL(q, " (");
    for (size_t i = 0; i < write->system_count; i++) {
        sql_ident(q, write->system[i].name);
        if (i + 1 < write->system_count || write->shape->n)
            SQL(q, ", ");
    }
    sql_columns(q, NULL, write->shape);
    SQL(q, ") FROM STDIN (FORMAT binary");
    if (write->fresh) // no hint bits to be set by the first reader, no freezing later
        SQL(q, ", FREEZE");
    SQL(q, ")");
}

static ds_rc start_copy(ds_pg *db, const ds_write *write, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->db.dialect);
    copy_sql(write, &q);
    if (!sql_ok(&q))
        return ds_fail(err, DS_FINDING, "%s: the statement is too large", db->label);
    return pg_copy_start(db, buf_text(&q.text), PGRES_COPY_IN, err);
}

ds_rc pg_write_open(ds_db *base, const ds_write *write, ds_writer **out, ds_error *err)
{
    ds_assert(write->system_count <= SYSTEM_COLUMNS_MAX);
    ds_pg *db = (ds_pg *)base;
    TRY(pg_own_begin(db, BEGIN_WRITE, err));
    ds_rc rc = start_copy(db, write, err);
    if (rc.code != DS_OK)
        return pg_own_end(db, rc, err);
    ds_arena *arena = arena_new();
    pg_writer *writer = ARENA_NEW(arena, pg_writer);
    *writer = (pg_writer){.arena = arena,
                          .db = db,
                          .shape = write->shape,
                          .system_count = write->system_count,
                          .cells = ARENA_ARRAY(arena, ds_cell, write->shape->n),
                          .bytes = BUF_INIT(BUFFER_MAX)};
    for (size_t i = 0; i < write->system_count; i++)
        writer->system[i] = write->system[i].kind;
    buf_put(&writer->bytes, HEADER, sizeof HEADER);
    *out = (ds_writer *)writer;
    return DS_DONE;
}

static void writer_free(pg_writer *writer)
{
    buf_release(&writer->bytes);
    arena_free(writer->arena);
}

// --- a row

static void put_u16(ds_buf *out, size_t value)
{
    unsigned char bytes[] = {(unsigned char)(value >> 8), (unsigned char)value};
    buf_put(out, bytes, sizeof bytes);
}

static void put_field(ds_buf *out, const void *bytes, size_t n)
{
    uint32_t length = htobe32((uint32_t)n);
    buf_put(out, &length, sizeof length);
    buf_put(out, bytes, n);
}

static void put_null(ds_buf *out)
{
    static const unsigned char NONE[] = {0xff, 0xff, 0xff, 0xff};
    buf_put(out, NONE, sizeof NONE);
}

static void put_system(ds_system_kind kind, const ds_system_value *value, ds_buf *out)
{
    unsigned char hash[16];
    uint64_t integer = htobe64((uint64_t)value->i);
    switch (kind) {
    case SYSTEM_INT:
        put_field(out, &integer, sizeof integer);
        break;
    case SYSTEM_TEXT:
        if (value->text)
            put_field(out, value->text, strlen(value->text));
        else
            put_null(out);
        break;
    case SYSTEM_HASH:
        hash_store(value->hash, hash);
        put_field(out, hash, sizeof hash);
        break;
    }
}

static ds_rc send(pg_writer *writer, ds_error *err)
{
    ds_pg *db = writer->db;
    if (!buf_ok(&writer->bytes))
        return ds_fail(err, DS_FINDING, "%s: a row is too large", db->label);
    if (PQputCopyData(db->conn, writer->bytes.p, (int)writer->bytes.n) < 0)
        return pg_fail_connection(db, err);
    buf_clear(&writer->bytes);
    return pg_flush(db, err);
}

ds_rc pg_write_row(ds_writer *opaque, const ds_system_value *system, ds_str row, ds_error *err)
{
    pg_writer *writer = (pg_writer *)opaque;
    row_cells(writer->shape, row, writer->cells);
    put_u16(&writer->bytes, writer->system_count + writer->shape->n);
    for (size_t i = 0; i < writer->system_count; i++)
        put_system(writer->system[i], &system[i], &writer->bytes);
    for (size_t i = 0; i < writer->shape->n; i++) {
        if (writer->cells[i].p)
            pg_encode_cell(writer->shape->columns[i].type, writer->cells[i], &writer->bytes);
        else
            put_null(&writer->bytes);
    }
    writer->rows++;
    return writer->bytes.n >= SEND_BYTES ? send(writer, err) : DS_DONE;
}

// --- the end

static ds_rc end_copy(pg_writer *writer, ds_error *err)
{
    ds_pg *db = writer->db;
    buf_put(&writer->bytes, TRAILER, sizeof TRAILER);
    TRY(send(writer, err));
    if (PQputCopyEnd(db->conn, NULL) < 0)
        return pg_fail_connection(db, err);
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    TRY(pg_finish(db, &result, err));
    int64_t rows = -1;
    if (!str_int64(str_of(PQcmdTuples(result)), &rows) || rows != writer->rows)
        return ds_fail(err, DS_INTERNAL, "%s: the server has %s rows of %lld", db->label, PQcmdTuples(result),
                       (long long)writer->rows);
    return DS_DONE;
}

ds_rc pg_write_close(ds_writer *opaque, int64_t *rows_written, ds_error *err)
{
    pg_writer *writer = (pg_writer *)opaque;
    ds_rc rc = pg_own_end(writer->db, end_copy(writer, err), err);
    if (rc.code == DS_OK && rows_written)
        *rows_written = writer->rows;
    writer_free(writer);
    return rc;
}

// Also after a failure of the COPY itself: then the server's error is what there is to take.
void pg_write_abort(ds_writer *opaque)
{
    pg_writer *writer = (pg_writer *)opaque;
    ds_error ignored;
    if (!writer)
        return;
    ds_pg *db = writer->db;
    if (!db->broken) {
        PQputCopyEnd(db->conn, "given up");
        ds_ignore(pg_finish(db, NULL, &ignored));
    }
    if (db->own_transaction)
        pg_rollback(&db->db);
    writer_free(writer);
}
