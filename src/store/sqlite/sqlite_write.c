// Rows into a table: one prepared INSERT. Texts are bound where they lie, they need to live for one step only.
#include <math.h>

#include "schema/value.h"
#include "store/sqlite/sqlite_int.h"

typedef struct sqlite_writer {
    ds_arena *arena; // of the writer itself
    ds_sqlite *db;
    sqlite3_stmt *stmt;
    const ds_shape *shape;
    ds_system_kind system[SYSTEM_COLUMNS_MAX];
    size_t system_count;
    ds_cell *cells;      // of the row being written
    size_t *printed_end; // where each column's printed text ends in printed
    ds_buf printed;      // values that are held as text but encoded otherwise
    int64_t rows;
} sqlite_writer;

static void build_insert(ds_sql *q, const ds_write *write)
{
    SQL(q, "INSERT INTO ");
    sql_relation(q, write->table);
    SQL(q, " (");
    for (size_t i = 0; i < write->system_count; i++) {
        sql_ident(q, write->system[i].name);
        SQL(q, ", ");
    }
    sql_columns(q, NULL, write->shape);
    SQL(q, ") VALUES (?");
    for (size_t i = 1; i < write->system_count + write->shape->n; i++)
        SQL(q, ",?");
    SQL(q, ")");
}

ds_rc sqlite_write_open(ds_db *base, const ds_write *write, ds_writer **out, ds_error *err)
{
    ds_assert(write->system_count <= SYSTEM_COLUMNS_MAX);
    ds_sqlite *db = (ds_sqlite *)base;
    CLEANUP(sql_release) ds_sql insert = sql_new(base->dialect);
    build_insert(&insert, write);
    sqlite3_stmt *stmt;
    TRY(sqlite_compile(db, &insert, NULL, &stmt, err));
    ds_arena *arena = arena_new();
    sqlite_writer *writer = ARENA_NEW(arena, sqlite_writer);
    *writer = (sqlite_writer){.arena = arena,
                              .db = db,
                              .stmt = stmt,
                              .shape = write->shape,
                              .system_count = write->system_count,
                              .cells = ARENA_ARRAY(arena, ds_cell, write->shape->n),
                              .printed_end = ARENA_ARRAY(arena, size_t, write->shape->n),
                              .printed = BUF_INIT(2 * (size_t)ROWS_BYTES_MAX)};
    for (size_t i = 0; i < write->system_count; i++)
        writer->system[i] = write->system[i].kind;
    *out = (ds_writer *)writer;
    return DS_DONE;
}

void sqlite_write_abort(ds_writer *opaque)
{
    sqlite_writer *writer = (sqlite_writer *)opaque;
    if (!writer)
        return;
    sqlite3_finalize(writer->stmt);
    buf_release(&writer->printed);
    arena_free(writer->arena);
}

ds_rc sqlite_write_close(ds_writer *opaque, int64_t *rows_written, ds_error *err)
{
    (void)err; // nothing is left to be flushed
    if (rows_written)
        *rows_written = ((sqlite_writer *)opaque)->rows;
    sqlite_write_abort(opaque);
    return DS_DONE;
}

// --- binding

// In the form in which the row encodes it, and in none that SQLite knows.
static bool is_printed(const ds_type *type)
{
    switch (type_class(type)) {
    case VALUE_MICROS:
    case VALUE_TIME:
    case VALUE_INTERVAL:
    case VALUE_UUID:
        return true;
    case VALUE_INT:
        return type->kind == TYPE_UBIGINT;
    default:
        return false;
    }
}

// First all that must be printed, because the buffer moves as it grows.
static void print_cells(sqlite_writer *writer)
{
    buf_clear(&writer->printed);
    for (size_t i = 0; i < writer->shape->n; i++) {
        const ds_type *type = writer->shape->columns[i].type;
        if (writer->cells[i].p && is_printed(type))
            value_print(type, writer->cells[i], &writer->printed);
        writer->printed_end[i] = writer->printed.n;
    }
}

static int bind_text(sqlite3_stmt *stmt, int at, const void *p, size_t n)
{
    return sqlite3_bind_text64(stmt, at, p, n, SQLITE_STATIC, SQLITE_UTF8);
}

static int bind_double(sqlite3_stmt *stmt, int at, double value)
{
    return isnan(value) ? bind_text(stmt, at, "NaN", 3) : sqlite3_bind_double(stmt, at, value);
}

static int bind_cell(sqlite_writer *writer, int at, size_t i)
{
    const ds_type *type = writer->shape->columns[i].type;
    ds_cell cell = writer->cells[i];
    if (!cell.p)
        return sqlite3_bind_null(writer->stmt, at);
    if (is_printed(type)) {
        size_t start = i ? writer->printed_end[i - 1] : 0;
        return bind_text(writer->stmt, at, writer->printed.p + start, writer->printed_end[i] - start);
    }
    switch (type_class(type)) {
    case VALUE_INT:
        return sqlite3_bind_int64(writer->stmt, at, cell_i64(cell));
    case VALUE_BOOL:
        return sqlite3_bind_int(writer->stmt, at, cell.p[0]);
    case VALUE_FLOAT:
        return bind_double(writer->stmt, at, cell_double(cell));
    case VALUE_BINARY:
        return sqlite3_bind_blob64(writer->stmt, at, cell.p, cell.n, SQLITE_STATIC);
    default: // decimals, too: the column's affinity makes numbers of them where they fit
        return bind_text(writer->stmt, at, cell.p, cell.n);
    }
}

static int bind_system(sqlite3_stmt *stmt, int at, ds_system_kind kind, const ds_system_value *value)
{
    unsigned char hash[16];
    switch (kind) {
    case SYSTEM_INT:
        return sqlite3_bind_int64(stmt, at, value->i);
    case SYSTEM_TEXT:
        return sqlite3_bind_text(stmt, at, value->text, -1, SQLITE_STATIC);
    case SYSTEM_HASH:
        hash_store(value->hash, hash);
        return sqlite3_bind_blob(stmt, at, hash, sizeof hash, SQLITE_TRANSIENT);
    }
    BUG("unknown kind of system column");
}

static int bind_row(sqlite_writer *writer, const ds_system_value *system, ds_str row)
{
    row_cells(writer->shape, row, writer->cells);
    print_cells(writer);
    int at = 1, code = SQLITE_OK;
    for (size_t i = 0; i < writer->system_count && code == SQLITE_OK; i++)
        code = bind_system(writer->stmt, at++, writer->system[i], &system[i]);
    for (size_t i = 0; i < writer->shape->n && code == SQLITE_OK; i++)
        code = bind_cell(writer, at++, i);
    return code;
}

ds_rc sqlite_write_row(ds_writer *opaque, const ds_system_value *system, ds_str row, ds_error *err)
{
    sqlite_writer *writer = (sqlite_writer *)opaque;
    int code = bind_row(writer, system, row);
    if (code == SQLITE_OK)
        code = sqlite3_step(writer->stmt);
    ds_rc rc = DS_DONE;
    if (code == SQLITE_DONE) {
        writer->rows++;
    } else {
        CLEANUP(buf_release) ds_buf key = BUF_INIT(DS_ERROR_TEXT);
        row_print_key(writer->shape, row, &key);
        rc = ds_context(sqlite_fail(writer->db, code, err), err, "row %s", buf_text(&key));
    }
    sqlite3_reset(writer->stmt);
    return rc;
}
