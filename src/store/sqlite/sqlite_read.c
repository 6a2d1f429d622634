// Typed rows out of a select. This is the product's hottest loop: no allocation per row, one look at each value.
// A connection without mutexes may use the "unprotected" values of sqlite3_column_value directly.
#include <string.h>

#include "schema/value.h"
#include "store/sqlite/sqlite_int.h"
#include "store/store.h"

enum { HASH_BYTES = 16 };
#ifdef DS_STRESS
enum { STRESS_ROWS = 2 };
#endif

// What can be put without asking value.h: integers in [low, high], valid text of up to text_max code points.
typedef struct read_column {
    const ds_shape_column *column;
    uint64_t name_hash;
    int64_t low, high; // empty range: not an integer type
    int64_t text_max;  // -1: not a plain text type
} read_column;

typedef struct sqlite_reader {
    ds_arena *arena; // of the reader itself
    ds_sqlite *db;
    sqlite3_stmt *stmt;
    const ds_shape *shape;
    sqlite_policy *policy;
    uint64_t key_seed;
    bool has_hash, has_locator, salvage;
    bool done, failed;
    int64_t timeout_ms;
    double deadline_s; // 0: none
    size_t n;
    read_column columns[]; // in hash order, as selected
} sqlite_reader;

static read_column column_of(const ds_shape_column *column)
{
    const ds_type *type = column->type;
    read_column out = {.column = column, .name_hash = column->name_hash, .low = 1, .high = 0, .text_max = -1};
    if (type_is_integer(type))
        type_int64_range(type, &out.low, &out.high);
    // char and nchar lose their trailing spaces on the way
    if (type_is_text(type) && type->kind != TYPE_CHAR && type->kind != TYPE_NCHAR)
        out.text_max = type->size == TYPE_UNLIMITED ? INT64_MAX : type->size;
    return out;
}

static ds_rc check_columns(const sqlite_reader *reader, ds_error *err)
{
    size_t expected = reader->n + reader->has_hash + reader->has_locator;
    size_t found = (size_t)sqlite3_column_count(reader->stmt);
    if (found == expected)
        return DS_DONE;
    return ds_fail(err, DS_FINDING, "%s: the query gives %zu columns instead of %zu", reader->db->label, found,
                   expected);
}

ds_rc sqlite_read_open(ds_db *base, const ds_read *read, ds_reader **out, ds_error *err)
{
    ds_sqlite *db = (ds_sqlite *)base;
    ds_arena *arena = arena_new();
    sqlite_reader *reader = arena_alloc(arena, sizeof *reader + read->shape->n * sizeof(read_column));
    *reader = (sqlite_reader){.arena = arena,
                              .db = db,
                              .shape = read->shape,
                              .key_seed = read->key_seed,
                              .has_hash = read->has_hash,
                              .has_locator = read->has_locator,
                              .salvage = read->salvage,
                              .timeout_ms = read->timeout_ms,
                              .deadline_s = read->timeout_ms ? clock_elapsed_s() + (double)read->timeout_ms / 1000 : 0,
                              .n = read->shape->n};
    for (size_t i = 0; i < reader->n; i++)
        reader->columns[i] = column_of(&read->shape->columns[read->shape->hash_order[i]]);
    ds_rc rc = DS_DONE;
    if (read->untrusted) {
        reader->policy = sqlite_policy_new(db, arena, read->allowed, read->allowed_count);
        rc = sqlite_policy_check_text(reader->policy, buf_text(&read->select->text), err);
    }
    if (rc.code == DS_OK)
        rc = sqlite_compile(db, read->select, reader->policy, &reader->stmt, err);
    if (rc.code == DS_OK && reader->policy)
        rc = sqlite_policy_seal(db, reader->policy, err);
    if (rc.code == DS_OK)
        rc = check_columns(reader, err);
    if (rc.code != DS_OK)
        sqlite_read_close((ds_reader *)reader);
    else
        *out = (ds_reader *)reader;
    return rc;
}

void sqlite_read_close(ds_reader *opaque)
{
    sqlite_reader *reader = (sqlite_reader *)opaque;
    if (!reader)
        return;
    sqlite3_finalize(reader->stmt);
    arena_free(reader->arena);
}

// --- a value

static ds_rc put_text(const read_column *c, sqlite3_value *value, ds_rows *rows, ds_error *err)
{
    const char *p = (const char *)sqlite3_value_text(value);
    if (!p)
        BUG("out of memory in SQLite");
    ds_str text = {p, (size_t)sqlite3_value_bytes(value)};
    if (c->text_max >= 0) {
        int64_t points = str_utf8_length(text);
        if (points >= 0 && points <= c->text_max) {
            rows_put(rows, c->name_hash, text.p, text.n);
            return DS_DONE;
        }
    }
    return value_put_text(rows, c->column, text, err);
}

static inline ds_rc put_value(const read_column *c, sqlite3_value *value, ds_rows *rows, ds_error *err)
{
    switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: {
        int64_t i = sqlite3_value_int64(value);
        if (i < c->low || i > c->high)
            return value_put_int(rows, c->column, i, err);
        rows_put_i64(rows, c->name_hash, i);
        return DS_DONE;
    }
    case SQLITE_TEXT:
        return put_text(c, value, rows, err);
    case SQLITE_FLOAT:
        return value_put_real(rows, c->column, sqlite3_value_double(value), err);
    case SQLITE_BLOB: {
        const void *p = sqlite3_value_blob(value);
        return value_put_blob(rows, c->column, p ? p : "", (size_t)sqlite3_value_bytes(value), err);
    }
    default:
        return c->column->not_null ? ds_fail(err, DS_FINDING, "null, which the model says it can't be") : DS_DONE;
    }
}

// --- a row

// A value as found, for people: cut, and with nothing in it that a terminal would act on.
static void quote(const char *text, ds_buf *out)
{
    enum { QUOTED_MAX = 60 };
    size_t length = strlen(text), n = length;
    if (n > QUOTED_MAX)
        for (n = QUOTED_MAX; n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80;)
            n--;
    buf_putc(out, '\'');
    for (const unsigned char *p = (const unsigned char *)text; p < (const unsigned char *)text + n; p++)
        if (*p < 0x20 || *p == 0x7f)
            buf_printf(out, "\\x%02x", *p);
        else
            buf_putc(out, (char)*p);
    buf_puts(out, n < length ? "...'" : "'");
}

// "row id='7', line='2'" of the row that the statement stands on; also of keys that are no valid values.
static ds_rc name_row(sqlite_reader *reader, ds_rc rc, ds_error *err)
{
    enum { KEY_TEXT_MAX = 300 };
    CLEANUP(buf_release) ds_buf key = BUF_INIT(KEY_TEXT_MAX);
    const ds_shape *shape = reader->shape;
    for (size_t k = 0; k < shape->key_count; k++)
        for (size_t i = 0; i < reader->n; i++)
            if (reader->columns[i].column == &shape->columns[shape->key[k]]) {
                buf_puts(&key, k ? ", " : "row ");
                buf_puts(&key, reader->columns[i].column->name);
                buf_putc(&key, '=');
                const char *text = (const char *)sqlite3_column_text(reader->stmt, (int)i);
                if (text)
                    quote(text, &key);
                else
                    buf_puts(&key, "null");
            }
    if (key.n)
        rc = ds_context(rc, err, "%s", buf_text(&key));
    return ds_context(rc, err, "%s", reader->db->label);
}

static ds_rc take_hash(sqlite_reader *reader, int at, ds_hash *out, ds_error *err)
{
    sqlite3_stmt *stmt = reader->stmt;
    *out = (ds_hash){0};
    bool damaged = sqlite3_column_type(stmt, at) != SQLITE_BLOB || sqlite3_column_bytes(stmt, at) != HASH_BYTES;
    if (damaged)
        return reader->salvage ? DS_DONE : ds_fail(err, DS_FINDING, "damaged row hash");
    *out = hash_load(sqlite3_column_blob(stmt, at));
    return DS_DONE;
}

static ds_rc take_row(sqlite_reader *reader, ds_rows *rows, ds_error *err)
{
    sqlite3_stmt *stmt = reader->stmt;
    rows_begin(rows);
    for (size_t i = 0; i < reader->n; i++) {
        const read_column *c = &reader->columns[i];
        ds_rc rc = put_value(c, sqlite3_column_value(stmt, (int)i), rows, err);
        if (rc.code != DS_OK && !reader->salvage)
            return ds_context(rc, err, "column \"%s\"", c->column->name);
    }
    int at = (int)reader->n;
    ds_hash stored;
    if (reader->has_hash)
        TRY(take_hash(reader, at++, &stored, err));
    TRY(rows_end(rows, reader->shape, reader->key_seed, err));
    if (reader->has_hash)
        rows->row_hash[rows->n - 1] = stored;
    if (reader->has_locator)
        rows->locator[rows->n - 1] = sqlite3_column_int64(stmt, at);
    return DS_DONE;
}

// --- a chunk

static ds_rc overdue(sqlite_reader *reader, ds_error *err)
{
    reader->failed = true;
    return store_fail_overdue(reader->db->label, reader->timeout_ms, err);
}

static ds_rc take_chunk(sqlite_reader *reader, ds_rows *rows, size_t max_rows, size_t max_bytes, ds_error *err)
{
    size_t start = rows->bytes.n;
    for (size_t taken = 0; taken < max_rows && rows->bytes.n - start < max_bytes && rows->bytes.n < ROWS_BYTES_MAX;
         taken++) {
        int code = sqlite3_step(reader->stmt);
        if (code == SQLITE_DONE) {
            reader->done = true;
            return DS_DONE;
        }
        if (code == SQLITE_INTERRUPT && !sqlite_cancelled(reader->db))
            return overdue(reader, err);
        if (code != SQLITE_ROW) {
            reader->failed = true;
            return sqlite_fail(reader->db, code, err);
        }
        ds_rc rc = take_row(reader, rows, err);
        if (rc.code != DS_OK) {
            rows_drop(rows);
            return name_row(reader, rc, err);
        }
    }
    return DS_DONE;
}

ds_rc sqlite_read_next(ds_reader *opaque, ds_rows *rows, size_t max_rows, size_t max_bytes, bool *more, ds_error *err)
{
    sqlite_reader *reader = (sqlite_reader *)opaque;
    if (reader->failed) // never to be taken for the end
        return ds_fail(err, DS_INTERNAL, "%s: read on after a failure", reader->db->label);
#ifdef DS_STRESS
    max_rows = max_rows < STRESS_ROWS ? max_rows : STRESS_ROWS;
#endif
    reader->db->policy = reader->policy;
    reader->db->deadline_s = reader->deadline_s;
    ds_rc rc = DS_DONE;
    if (!reader->done)
        rc = sqlite_overdue(reader->db) ? overdue(reader, err) : take_chunk(reader, rows, max_rows, max_bytes, err);
    reader->db->policy = NULL;
    reader->db->deadline_s = 0;
    if (rc.code == DS_OK)
        *more = !reader->done;
    return rc;
}
