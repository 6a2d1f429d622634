// Typed rows out of a select, by COPY in binary. A column whose type has no stable binary form is cast to text; that
// is known from the select's description, made in the same transaction. This is the product's hottest loop: libpq hands
// out one message per row, nothing else is allocated.
#include <stdio.h>
#include <string.h>

#include "schema/value.h"
#include "store/postgres/pg_codec.h"
#include "store/postgres/pg_int.h"

enum { HASH_BYTES = 16, TEXT_MAX = 2 * SQL_TEXT_MAX, EXTRA_COLUMNS = 2 };
#ifdef DS_STRESS
enum { STRESS_ROWS = 2 };
#endif

// What stands before the first tuple, see "Binary Format" of COPY: signature, flags, length of an extension.
static const char SIGNATURE[] = "PGCOPY\n\377\r\n";
enum { SIGNATURE_BYTES = 11, HEADER_BYTES = SIGNATURE_BYTES + 8 };

typedef struct pg_reader {
    ds_arena *arena; // of the reader itself
    ds_pg *db;
    const ds_shape *shape;
    uint64_t key_seed;
    bool has_hash, has_locator, salvage;
    bool started, ended, failed;
    bool in_role;    // the select runs as another role
    pg_wire locator; // PG_TID or PG_INT8
    size_t n, width; // columns of the shape, of the select
    pg_column *columns;
    const char **wkt; // of a PostGIS column: the schema whose st_asewkt prints it; else NULL
    pg_field *fields;
} pg_reader;

// --- opening

static ds_rc changed(const pg_reader *reader, const ds_shape_column *column, ds_error *err)
{
    CLEANUP(buf_release) ds_buf type = BUF_INIT(TYPE_TEXT_MAX);
    type_print(column->type, &type);
    ds_rc rc =
        ds_fail(err, DS_FINDING, "%s: source column changed: the type of \"%s\" can't feed %s \"%s\" of the model",
                reader->db->label, column->source, buf_text(&type), column->name);
    return ds_hint(rc, err, "bring the source's type back, or change the column in the model and apply");
}

// PostGIS prints its types as hexadecimal; well-known text with the SRID comes from a function beside the type.
static ds_rc learn_geography(pg_reader *reader, size_t i, uint32_t type_id, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(reader->db->db.dialect);
    SQL(&q, "SELECT n.nspname FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace "
            "WHERE p.proname = 'st_asewkt' AND p.pronargs = 1 AND p.proargtypes[0]::bigint = ");
    sql_int(&q, type_id);
    ds_result found;
    TRY(pg_query(&reader->db->db, &q, reader->arena, &found, err));
    reader->wkt[i] = found.rows ? result_text(&found, 0, 0) : NULL;
    return DS_DONE;
}

static ds_rc learn_column(pg_reader *reader, size_t i, uint32_t type_id, ds_error *err)
{
    const ds_shape_column *column = &reader->shape->columns[reader->shape->hash_order[i]];
    pg_wire wire = pg_wire_of(type_id);
    if (!pg_wire_fits(wire, column->type))
        return changed(reader, column, err);
    reader->columns[i] = pg_column_of(column, wire);
    if (wire == PG_CAST && column->type->kind == TYPE_GEOGRAPHY)
        return learn_geography(reader, i, type_id, err);
    return DS_DONE;
}

static ds_rc learn_extra(pg_reader *reader, const PGresult *description, ds_error *err)
{
    int at = (int)reader->n;
    if (reader->has_hash && pg_wire_of(PQftype(description, at++)) != PG_BYTEA)
        return ds_fail(err, DS_FINDING, "%s: the row hash is no bytea", reader->db->label);
    if (!reader->has_locator)
        return DS_DONE;
    reader->locator = pg_wire_of(PQftype(description, at));
    if (reader->locator != PG_TID && reader->locator != PG_INT8)
        return ds_fail(err, DS_FINDING, "%s: the locator is neither tid nor bigint", reader->db->label);
    return DS_DONE;
}

static ds_rc ask_columns(pg_reader *reader, const char *select, ds_error *err)
{
    CLEANUP(pg_result_clearp) PGresult *description = NULL;
    TRY(pg_describe_select(reader->db, select, &description, err));
    if ((size_t)PQnfields(description) != reader->width)
        return ds_fail(err, DS_FINDING, "%s: the query gives %d columns instead of %zu", reader->db->label,
                       PQnfields(description), reader->width);
    for (size_t i = 0; i < reader->n; i++)
        TRY(learn_column(reader, i, PQftype(description, (int)i), err));
    return learn_extra(reader, description, err);
}

static ds_rc learn_columns(pg_reader *reader, const ds_read *read, const char *select, ds_error *err)
{
    if (!read->type_ids || read->has_hash || read->has_locator || read->untrusted)
        return ask_columns(reader, select, err);
    for (size_t i = 0; i < reader->n; i++)
        TRY(learn_column(reader, i, read->type_ids[i], err));
    return DS_DONE;
}

// "q"."c3", "q"."c3"::text or "postgis"."st_asewkt"("q"."c3")
static void put_column(const pg_reader *reader, size_t i, ds_sql *q)
{
    bool cast = i < reader->n && reader->columns[i].wire == PG_CAST;
    const char *wkt = cast ? reader->wkt[i] : NULL;
    char name[24];
    snprintf(name, sizeof name, "c%zu", i);
    if (wkt) {
        sql_column(q, wkt, "st_asewkt");
        SQL(q, "(");
    }
    sql_column(q, "q", name);
    if (wkt)
        SQL(q, ")");
    else if (cast)
        SQL(q, "::text");
}

static void put_names(size_t n, ds_sql *q)
{
    char name[24];
    for (size_t i = 0; i < n; i++) {
        if (i)
            SQL(q, ", ");
        snprintf(name, sizeof name, "c%zu", i);
        sql_ident(q, name);
    }
}

// COPY (…) TO STDOUT; the select as a table expression only where something must be cast. Line feeds end a comment that
// a user's text may end with.
static void copy_sql(const pg_reader *reader, const char *select, ds_sql *q)
{
    bool casts = false;
    for (size_t i = 0; i < reader->n; i++)
        casts |= reader->columns[i].wire == PG_CAST;
    SQL(q, "COPY (");
    for (size_t i = 0; casts && i < reader->width; i++) {
        if (i == 0)
            SQL(q, "SELECT ");
        else
            SQL(q, ", ");
        put_column(reader, i, q);
    }
    if (casts)
        SQL(q, " FROM (");
    sql_user_text(q, select);
    SQL(q, "\n)");
    if (casts) {
        SQL(q, " AS q (");
        put_names(reader->width, q);
        SQL(q, "))");
    }
    SQL(q, " TO STDOUT (FORMAT binary)");
}

// Until the transaction ends, or the next call. What we ourselves do in the transaction is done as who we are.
static ds_rc act_as(ds_pg *db, const char *role, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->db.dialect);
    SQL(&q, "SET LOCAL ROLE ");
    if (role)
        sql_ident(&q, role);
    else
        SQL(&q, "NONE");
    return pg_run_text(db, buf_text(&q.text), NULL, err);
}

static ds_rc open_query(pg_reader *reader, const ds_read *read, ds_error *err)
{
    CLEANUP(buf_release) ds_buf select = BUF_INIT(TEXT_MAX);
    TRY(pg_inline(reader->db, read->select, &select, err));
    reader->db->spoilt |= read->untrusted;
    if (read->untrusted)
        TRY(pg_vet(reader->db, read, buf_text(&select), err));
    TRY(learn_columns(reader, read, buf_text(&select), err));
    reader->ended = read->only_checked;
    if (reader->ended)
        return DS_DONE;
    CLEANUP(sql_release) ds_sql copy = sql_new(reader->db->db.dialect);
    copy_sql(reader, buf_text(&select), &copy);
    if (!sql_ok(&copy))
        return ds_fail(err, DS_FINDING, "%s: the statement is too large", reader->db->label);
    reader->in_role = read->untrusted && read->role;
    if (reader->in_role)
        TRY(act_as(reader->db, read->role, err));
    return pg_copy_start(reader->db, buf_text(&copy.text), PGRES_COPY_OUT, err);
}

// A table that is expected has been asked for already.
static ds_rc open_copy(pg_reader *reader, const ds_read *read, ds_error *err)
{
    ds_pg *db = reader->db;
    CLEANUP(sql_release) ds_sql copy = sql_new(db->db.dialect);
    bool plain = pg_plain_copy(read, &copy);
    bool expected = plain && pg_expected_take(db, &copy);
    if (plain)
        TRY(learn_columns(reader, read, NULL, err));
    if (expected) {
        TRY(pg_call_again(db, err));
        return pg_copy_take(db, PGRES_COPY_OUT, err);
    }
    TRY(pg_own_begin(db, BEGIN_READ, err));
    return plain ? pg_copy_start(db, buf_text(&copy.text), PGRES_COPY_OUT, err) : open_query(reader, read, err);
}

ds_rc pg_read_open(ds_db *base, const ds_read *read, ds_reader **out, ds_error *err)
{
    ds_pg *db = (ds_pg *)base;
    ds_arena *arena = arena_new();
    pg_reader *reader = ARENA_NEW(arena, pg_reader);
    size_t n = read->shape->n;
    *reader = (pg_reader){.arena = arena,
                          .db = db,
                          .shape = read->shape,
                          .key_seed = read->key_seed,
                          .has_hash = read->has_hash,
                          .has_locator = read->has_locator,
                          .salvage = read->salvage,
                          .n = n,
                          .width = n + read->has_hash + read->has_locator,
                          .columns = ARENA_ARRAY(arena, pg_column, n),
                          .wkt = ARENA_ARRAY(arena, const char *, n),
                          .fields = ARENA_ARRAY(arena, pg_field, n + EXTRA_COLUMNS)};
    db->timeout_ms = read->timeout_ms;
    db->deadline_s = read->timeout_ms ? clock_elapsed_s() + (double)read->timeout_ms / 1000 : 0;
    ds_rc rc = open_copy(reader, read, err);
    if (rc.code == DS_OK) {
        db->undrained = !reader->ended;
        *out = (ds_reader *)reader;
        return DS_DONE;
    }
    db->deadline_s = 0;
    arena_free(arena);
    return pg_own_end(db, rc, err);
}

void pg_read_close(ds_reader *opaque)
{
    pg_reader *reader = (pg_reader *)opaque;
    if (!reader)
        return;
    reader->db->deadline_s = 0;
    if (reader->db->own_transaction)
        pg_rollback(&reader->db->db);
    arena_free(reader->arena);
}

// --- a row

// "row id='7', line='2'" of the row at hand; a key value that is itself bad shows as null.
static ds_rc name_row(pg_reader *reader, ds_rc rc, ds_error *err)
{
    enum { KEY_TEXT_MAX = 300 };
    CLEANUP(rows_release) ds_rows rows;
    ds_error ignored;
    rows_init(&rows);
    rows_begin(&rows);
    for (size_t i = 0; i < reader->n; i++)
        if (reader->fields[i].n >= 0)
            ds_ignore(
                pg_put_field(&reader->columns[i], reader->fields[i].p, (size_t)reader->fields[i].n, &rows, &ignored));
    CLEANUP(buf_release) ds_buf key = BUF_INIT(KEY_TEXT_MAX);
    if (reader->shape->key_count)
        row_print_key(reader->shape, buf_str(&rows.bytes), &key);
    if (key.n)
        rc = ds_context(rc, err, "row %s", buf_text(&key));
    return ds_context(rc, err, "%s", reader->db->label);
}

static ds_rc damaged(const pg_reader *reader, const char *what, ds_error *err)
{
    return ds_fail(err, DS_INTERNAL, "%s: damaged %s in what the server sent", reader->db->label, what);
}

static ds_rc put_value(const pg_reader *reader, size_t i, ds_rows *rows, ds_error *err)
{
    const pg_column *c = &reader->columns[i];
    const pg_field *field = &reader->fields[i];
    ds_rc rc = DS_DONE;
    if (field->n >= 0)
        rc = pg_put_field(c, field->p, (size_t)field->n, rows, err);
    else if (c->column->not_null)
        rc = ds_fail(err, DS_FINDING, "null, which the model says it can't be");
    if (rc.code == DS_OK || reader->salvage)
        return DS_DONE;
    return ds_context(rc, err, "column \"%s\"", c->column->name);
}

static ds_rc take_hash(const pg_reader *reader, ds_hash *out, ds_error *err)
{
    const pg_field *field = &reader->fields[reader->n];
    *out = (ds_hash){0};
    if (field->n == HASH_BYTES)
        *out = hash_load(field->p);
    else if (!reader->salvage)
        return ds_fail(err, DS_FINDING, "damaged row hash");
    return DS_DONE;
}

static ds_rc take_locator(const pg_reader *reader, int64_t *out, ds_error *err)
{
    const pg_field *field = &reader->fields[reader->width - 1];
    if (reader->locator == PG_TID && field->n > 0 && pg_take_tid(field->p, (size_t)field->n, out))
        return DS_DONE;
    if (reader->locator != PG_INT8 || field->n != 8)
        return damaged(reader, "locator", err);
    *out = (int64_t)((uint64_t)pg_load_u32(field->p) << 32 | pg_load_u32(field->p + 4));
    return DS_DONE;
}

static ds_rc take_row(pg_reader *reader, ds_rows *rows, ds_error *err)
{
    ds_hash stored = {0};
    int64_t locator = 0;
    rows_begin(rows);
    for (size_t i = 0; i < reader->n; i++)
        TRY(put_value(reader, i, rows, err));
    if (reader->has_hash)
        TRY(take_hash(reader, &stored, err));
    if (reader->has_locator)
        TRY(take_locator(reader, &locator, err));
    TRY(rows_end(rows, reader->shape, reader->key_seed, err));
    if (reader->has_hash)
        rows->row_hash[rows->n - 1] = stored;
    if (reader->has_locator)
        rows->locator[rows->n - 1] = locator;
    return DS_DONE;
}

// --- messages

static ds_rc finish_copy(pg_reader *reader, ds_error *err)
{
    reader->db->undrained = false;
    reader->db->deadline_s = 0;
    TRY(pg_copy_end(reader->db, err));
    if (reader->in_role)
        TRY(act_as(reader->db, NULL, err));
    reader->ended = true;
    return DS_DONE;
}

// The next message of the COPY; *n is 0 at the end.
static ds_rc next_message(pg_reader *reader, char **message, size_t *n, ds_error *err)
{
    for (;;) {
        int got = PQgetCopyData(reader->db->conn, message, 1);
        *n = got > 0 ? (size_t)got : 0;
        if (got > 0)
            return DS_DONE;
        if (got == -1)
            return finish_copy(reader, err);
        if (got < -1)
            return pg_fail_connection(reader->db, err);
        TRY(pg_wait_input(reader->db, err));
    }
}

// Passes over the header, which the server sends together with the first tuple.
static bool skip_header(pg_reader *reader, const unsigned char **p, size_t *n)
{
    if (reader->started)
        return true;
    reader->started = true;
    if (*n < HEADER_BYTES || memcmp(*p, SIGNATURE, SIGNATURE_BYTES) != 0)
        return false;
    size_t header = HEADER_BYTES + pg_load_u32(*p + HEADER_BYTES - 4);
    if (header > *n)
        return false;
    *p += header;
    *n -= header;
    return true;
}

static ds_rc take_message(pg_reader *reader, const unsigned char *p, size_t n, ds_rows *rows, ds_error *err)
{
    enum { TRAILER = 0xffff };
    if (!skip_header(reader, &p, &n))
        return damaged(reader, "header", err);
    if (n == 0 || (n == 2 && pg_load_u16(p) == TRAILER))
        return DS_DONE;
    if (!pg_split_tuple(p, n, reader->fields, reader->width))
        return damaged(reader, "row", err);
    ds_rc rc = take_row(reader, rows, err);
    if (rc.code == DS_OK)
        return rc;
    rows_drop(rows);
    return name_row(reader, rc, err);
}

static ds_rc take_chunk(pg_reader *reader, ds_rows *rows, size_t max_rows, size_t max_bytes, ds_error *err)
{
    size_t start = rows->bytes.n, end = rows->n + max_rows;
    while (rows->n < end && rows->bytes.n - start < max_bytes && rows->bytes.n < ROWS_BYTES_MAX) {
        char *message = NULL;
        size_t n;
        TRY(next_message(reader, &message, &n, err));
        if (n == 0)
            return DS_DONE;
        ds_rc rc = take_message(reader, (const unsigned char *)message, n, rows, err);
        PQfreemem(message);
        TRY(rc);
    }
    return DS_DONE;
}

ds_rc pg_read_next(ds_reader *opaque, ds_rows *rows, size_t max_rows, size_t max_bytes, bool *more, ds_error *err)
{
    pg_reader *reader = (pg_reader *)opaque;
    if (reader->failed) // never to be taken for the end
        return ds_fail(err, DS_INTERNAL, "%s: read on after a failure", reader->db->label);
#ifdef DS_STRESS
    max_rows = max_rows < STRESS_ROWS ? max_rows : STRESS_ROWS;
#endif
    ds_rc rc = reader->ended ? DS_DONE : take_chunk(reader, rows, max_rows, max_bytes, err);
    reader->failed = rc.code != DS_OK && rc.code != DS_FINDING; // a bad value is passed over by the next call
    if (rc.code == DS_OK)
        *more = !reader->ended;
    return rc;
}
