// The simulator's side of the database.
#include "base/file.h"
#include "base/vec.h"
#include "schema/value.h"
#include "sim/simulate_int.h"

// --- tables

// A declared type for people to read, where SQLite's reading of it harms no value; else what the dialect says.
static void declared_type(const sim *s, const ds_type *type, ds_buf *out)
{
    static const bool PLAIN[TYPE_KIND_COUNT] = {
        [TYPE_TINYINT] = true, [TYPE_SMALLINT] = true, [TYPE_INTEGER] = true,   [TYPE_BIGINT] = true,
        [TYPE_REAL] = true,    [TYPE_DOUBLE] = true,   [TYPE_BOOLEAN] = true,   [TYPE_CHAR] = true,
        [TYPE_VARCHAR] = true, [TYPE_TEXT] = true,     [TYPE_NCHAR] = true,     [TYPE_NVARCHAR] = true,
        [TYPE_DATE] = true,    [TYPE_TIME] = true,     [TYPE_TIMESTAMP] = true,
    };
    if (!s->db->dialect->names.has_schemas && PLAIN[type->kind])
        type_print(type, out);
    else
        s->db->dialect->column_type(type, out);
}

static ds_rc create_table(sim *s, const sim_table *table, ds_error *err)
{
    const ds_shape *shape = table->shape;
    CLEANUP(sql_release) ds_sql q = sql_new(s->db->dialect);
    SQL(&q, "CREATE TABLE ");
    sql_relation(&q, table->relation);
    for (size_t i = 0; i < shape->n; i++) {
        if (i)
            SQL(&q, ", ");
        else
            SQL(&q, " (");
        sql_ident(&q, shape->columns[i].source);
        SQL(&q, " ");
        declared_type(s, shape->columns[i].type, &q.text);
        if (shape->columns[i].not_null)
            SQL(&q, " NOT NULL");
    }
    for (size_t k = 0; k < shape->key_count; k++) {
        if (k)
            SQL(&q, ", ");
        else
            SQL(&q, ", PRIMARY KEY (");
        sql_ident(&q, shape->columns[shape->key[k]].source);
    }
    if (shape->key_count)
        SQL(&q, ")");
    SQL(&q, ")");
    s->result->tables_created++;
    return store_exec(s->db, &q, NULL, err);
}

static ds_rc make_missing(sim *s, ds_error *err)
{
    for (size_t i = 0; i < s->n; i++) {
        const ds_catalog_table *found;
        TRY(store_describe(s->db, s->arena, s->tables[i].relation, &found, err));
        if (found)
            continue;
        if (!s->options->create)
            return ds_hint(ds_fail(err, DS_FINDING, "the source has no table \"%s\"", s->tables[i].relation.name), err,
                           "leave out --no-create to have it made");
        TRY(create_table(s, &s->tables[i], err));
    }
    return DS_DONE;
}

typedef struct reading {
    sim *s;
    sim_table *table;
} reading;

static ds_rc add_rows(void *context, const ds_rows *chunk, ds_error *err)
{
    (void)err;
    const reading *r = context;
    for (size_t i = 0; i < chunk->n; i++)
        sim_table_add(r->s, r->table, rows_row(chunk, i));
    return DS_DONE;
}

static ds_rc read_rows(sim *s, sim_table *table, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(s->db->dialect);
    SQL(&q, "SELECT ");
    sql_columns_to_read(&q, table->shape, true);
    SQL(&q, " FROM ");
    sql_relation(&q, table->relation);
    ds_read read = {.select = &q, .shape = table->shape};
    return store_read(s->db, &read, add_rows, &(reading){s, table}, err);
}

ds_rc sim_read_all(sim *s, ds_error *err)
{
    TRY(store_begin(s->db, BEGIN_READ, err));
    ds_rc rc = DS_DONE;
    for (size_t i = 0; i < s->n && rc.code == DS_OK; i++) {
        sim_table_clear(s, &s->tables[i]);
        rc = read_rows(s, &s->tables[i], err);
    }
    store_rollback(s->db);
    return rc;
}

// Writers switch an SQLite database to WAL for good: its owner should know. Byte 18 of the header tells.
static bool has_rollback_journal(const sim *s, const ds_container_def *source)
{
    enum { WRITE_VERSION = 18 };
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX);
    if (!source->path || !source->path[0])
        return false;
    file_join(&path, s->runtime->base_dir ? s->runtime->base_dir : ".", source->path);
    FILE *file = fopen(buf_text(&path), "re");
    if (!file)
        return false;
    bool rollback = fseek(file, WRITE_VERSION, SEEK_SET) == 0 && fgetc(file) == 1;
    fclose(file);
    return rollback;
}

ds_rc sim_open(sim *s, const ds_container_def *source, ds_error *err)
{
    bool rollback = has_rollback_journal(s, source);
    TRY(runtime_open(s->runtime, source, (ds_access){.create = s->options->create}, &s->db, err));
    s->result->made_wal = rollback;
    TRY(store_begin(s->db, BEGIN_WRITE, err));
    ds_rc rc = make_missing(s, err);
    if (rc.code != DS_OK)
        store_rollback(s->db);
    TRY(rc);
    TRY(store_commit(s->db, err));
    return sim_read_all(s, err);
}

// --- rows

enum { VALUE_TEXT_MAX = 64 << 20 };

static void add_value(ds_sql *q, const ds_type *type, ds_cell cell)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(VALUE_TEXT_MAX);
    if (!cell.p)
        sql_text(q, NULL);
    else if (type_class(type) == VALUE_BOOL) { // a condition is a boolean where there are booleans, else 0 or 1
        SQL(q, "(");
        sql_int(q, cell.p[0]);
        SQL(q, " = 1)");
    } else if (type_class(type) == VALUE_INT && type->kind != TYPE_UBIGINT)
        sql_int(q, cell_i64(cell));
    else if (type_class(type) == VALUE_BINARY)
        sql_blob(q, cell.p, cell.n);
    else {
        value_print(type, cell, &text);
        sql_text(q, buf_text(&text));
    }
}

ds_rc sim_insert_row(sim *s, const sim_table *table, ds_str row, ds_error *err)
{
    row_cells(table->shape, row, table->cells);
    CLEANUP(sql_release) ds_sql q = sql_new(s->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, table->relation);
    for (size_t i = 0; i < table->shape->n; i++) {
        if (i)
            SQL(&q, ", ");
        else
            SQL(&q, " (");
        sql_ident(&q, table->shape->columns[i].source);
    }
    SQL(&q, ") VALUES (");
    for (size_t i = 0; i < table->shape->n; i++) {
        if (i)
            SQL(&q, ", ");
        add_value(&q, table->shape->columns[i].type, table->cells[i]);
    }
    SQL(&q, ")");
    return store_exec(s->db, &q, NULL, err);
}

static void match_columns(ds_sql *q, const sim_table *table, const uint16_t *columns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t c = columns ? columns[i] : i;
        if (i)
            SQL(q, " AND ");
        sql_ident(q, table->shape->columns[c].source);
        if (columns)
            SQL(q, " = ");
        else
            SQL(q, " IS NOT DISTINCT FROM ");
        add_value(q, table->shape->columns[c].type, table->cells[c]);
    }
}

// WHERE that finds the row: by its key; without one, a single copy of it by its physical place.
static void where_row(ds_sql *q, const sim_table *table, ds_str row)
{
    row_cells(table->shape, row, table->cells);
    SQL(q, " WHERE ");
    if (table->shape->key_count) {
        match_columns(q, table, table->shape->key, table->shape->key_count);
        return;
    }
    const char *locator = q->dialect->locator;
    sql_add_fixed(q, locator, strlen(locator));
    SQL(q, " IN (SELECT ");
    sql_add_fixed(q, locator, strlen(locator));
    SQL(q, " FROM ");
    sql_relation(q, table->relation);
    SQL(q, " WHERE ");
    match_columns(q, table, NULL, table->shape->n);
    SQL(q, " LIMIT 1)");
}

ds_rc sim_update_row(sim *s, const sim_table *table, ds_str before, ds_str after, bool *found, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(s->db->dialect);
    SQL(&q, "UPDATE ");
    sql_relation(&q, table->relation);
    row_cells(table->shape, after, table->cells);
    for (size_t i = 0; i < table->shape->n; i++) {
        if (i)
            SQL(&q, ", ");
        else
            SQL(&q, " SET ");
        sql_ident(&q, table->shape->columns[i].source);
        SQL(&q, " = ");
        add_value(&q, table->shape->columns[i].type, table->cells[i]);
    }
    where_row(&q, table, before);
    int64_t affected = 0;
    TRY(store_exec(s->db, &q, &affected, err));
    *found = affected == 1;
    return DS_DONE;
}

ds_rc sim_delete_row(sim *s, const sim_table *table, ds_str row, bool *found, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(s->db->dialect);
    SQL(&q, "DELETE FROM ");
    sql_relation(&q, table->relation);
    where_row(&q, table, row);
    int64_t affected = 0;
    TRY(store_exec(s->db, &q, &affected, err));
    *found = affected == 1;
    return DS_DONE;
}
