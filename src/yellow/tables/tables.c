#include "yellow/tables/tables.h"

#include <strings.h>

#include "schema/value.h"
#include "yellow/control/control_tables.h"
#include "yellow/tables/table_parts.h"

// The columns that we add, in their order, for each kind of table.
typedef enum system_type { SYSTEM_BIGINT, SYSTEM_HASH16, SYSTEM_OP } system_type;
// Only with closed versions; only without a key; may be null; only of a mirror, whose tables may get it later.
enum { FOR_OUT = 1, FOR_COPY = 2, NULLABLE = 4, FOR_MIRROR = 8 };

typedef struct system_column {
    const char *name;
    system_type type;
    int flags;
} system_column;

static const system_column MERGE_COLUMNS[] = {
    {"ds_row_hash", SYSTEM_HASH16, 0},
    {"ds_batch_in", SYSTEM_BIGINT, 0},
    {"ds_batch_out", SYSTEM_BIGINT, FOR_OUT},
    {"ds_copy", SYSTEM_BIGINT, FOR_COPY},
};
static const system_column STAGING_COLUMNS[] = {
    {"ds_batch_id", SYSTEM_BIGINT, 0},
    {"ds_op", SYSTEM_OP, 0},
    {"ds_row_hash", SYSTEM_HASH16, NULLABLE}, // a deletion has none
    {"ds_copy", SYSTEM_BIGINT, FOR_COPY},
    {"ds_batch_in", SYSTEM_BIGINT, FOR_MIRROR | NULLABLE},
    {"ds_batch_out", SYSTEM_BIGINT, FOR_MIRROR | NULLABLE},
};

typedef struct system_columns {
    const system_column *v;
    size_t n;
} system_columns;

static system_columns columns_of(ds_table_kind kind)
{
    if (kind == TABLE_STAGING)
        return (system_columns){STAGING_COLUMNS, sizeof STAGING_COLUMNS / sizeof STAGING_COLUMNS[0]};
    return (system_columns){MERGE_COLUMNS, sizeof MERGE_COLUMNS / sizeof MERGE_COLUMNS[0]};
}

static bool has_out(const ds_stream_def *def, ds_table_kind kind)
{
    return kind == TABLE_HISTORY || (kind == TABLE_MERGE && def_has_out(def));
}

static bool is_wanted(const system_column *column, const ds_stream_def *def, const ds_shape *shape, ds_table_kind kind)
{
    if (column->flags & FOR_OUT)
        return has_out(def, kind);
    if (column->flags & FOR_MIRROR)
        return def->primary != NULL;
    return !(column->flags & FOR_COPY) || shape->key_count == 0;
}

static void system_column_sql(const system_column *column, ds_sql *out)
{
    static const ds_type TYPES[] = {
        [SYSTEM_BIGINT] = {.kind = TYPE_BIGINT},
        [SYSTEM_HASH16] = {.kind = TYPE_BINARY, .size = TYPE_UNLIMITED},
        [SYSTEM_OP] = {.kind = TYPE_TEXT, .size = TYPE_UNLIMITED},
    };
    sql_ident(out, column->name);
    SQL(out, " ");
    control_sql_type(out, &TYPES[column->type]);
    if (!(column->flags & NULLABLE))
        SQL(out, " NOT NULL");
}

size_t table_system_names(const ds_stream_def *def, const ds_shape *shape, ds_table_kind kind,
                          const char *out[TABLE_SYSTEM_MAX])
{
    system_columns columns = columns_of(kind);
    size_t n = 0;
    for (size_t i = 0; i < columns.n; i++)
        if (is_wanted(&columns.v[i], def, shape, kind))
            out[n++] = columns.v[i].name;
    return n;
}

ds_relation table_relation_of(const ds_dataset_def *dataset, ds_table_kind kind)
{
    switch (kind) {
    case TABLE_MERGE:
        return dataset->merge;
    case TABLE_STAGING:
        return dataset->staging;
    case TABLE_HISTORY:
        return dataset->history;
    case TABLE_REJECTS:
        return dataset->rejects;
    }
    BUG("table kind %d", (int)kind);
}

static bool is_key(const ds_shape *shape, size_t column)
{
    for (size_t i = 0; i < shape->key_count; i++)
        if (shape->key[i] == column)
            return true;
    return false;
}

bool table_collates(const ds_dialect *dialect, const ds_type *type)
{
    ds_value_class class = type_class(type);
    bool is_text = (class == VALUE_TEXT && type->kind != TYPE_JSON) || class == VALUE_OTHER;
    return is_text && dialect->key_collation[0];
}

void table_type_sql(const ds_type *type, bool in_key, ds_sql *out)
{
    control_sql_type(out, type);
    if (in_key && table_collates(out->dialect, type))
        buf_puts(&out->text, out->dialect->key_collation);
}

bool table_is_key(const ds_shape *shape, const char *column)
{
    for (size_t i = 0; i < shape->key_count; i++)
        if (strcasecmp(shape->columns[shape->key[i]].name, column) == 0)
            return true;
    return false;
}

static void bare_column_sql(const ds_shape *shape, size_t column, ds_sql *out)
{
    sql_ident(out, shape->columns[column].name);
    SQL(out, " ");
    table_type_sql(shape->columns[column].type, is_key(shape, column), out);
}

static void key_column_sql(const ds_shape *shape, size_t column, ds_sql *out)
{
    bare_column_sql(shape, column, out);
    if (is_key(shape, column))
        SQL(out, " NOT NULL");
}

// Only live rows must have their key: closed versions and staged rows may be older than a key change.
static void create_table_sql(const ds_stream_def *def, const ds_dataset_def *dataset, ds_table_kind kind, ds_sql *out)
{
    const ds_shape *shape = dataset->shape;
    system_columns columns = columns_of(kind);
    SQL(out, "CREATE TABLE IF NOT EXISTS ");
    sql_relation(out, table_relation_of(dataset, kind));
    SQL(out, " (");
    for (size_t i = 0; i < columns.n; i++) {
        if (!is_wanted(&columns.v[i], def, shape, kind))
            continue;
        system_column_sql(&columns.v[i], out);
        SQL(out, ", ");
    }
    for (size_t i = 0; i < shape->n; i++) {
        if (i)
            SQL(out, ", ");
        if (kind == TABLE_MERGE)
            key_column_sql(shape, i, out);
        else
            bare_column_sql(shape, i, out);
    }
    SQL(out, ")");
    if (kind == TABLE_MERGE && !has_out(def, kind)) // its rows are updated in place
        buf_puts(&out->text, out->dialect->spare_room);
}

void table_create_merge_sql(const ds_stream_def *def, const ds_dataset_def *dataset, ds_sql *out)
{
    create_table_sql(def, dataset, TABLE_MERGE, out);
}

void table_create_history_sql(const ds_stream_def *def, const ds_dataset_def *dataset, ds_sql *out)
{
    create_table_sql(def, dataset, TABLE_HISTORY, out);
}

void table_create_staging_sql(const ds_stream_def *def, const ds_dataset_def *dataset, ds_sql *out)
{
    create_table_sql(def, dataset, TABLE_STAGING, out);
}

const char *table_key_text(ds_arena *arena, const ds_shape *shape)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
    for (size_t i = 0; i < shape->key_count; i++) {
        if (i)
            buf_putc(&text, ',');
        buf_puts(&text, shape->columns[shape->key[i]].name);
    }
    return arena_str(arena, buf_str(&text));
}

// --- indexes

// The indexes of a dataset: on the key of live rows, and of closed versions.
typedef struct index_spec {
    ds_table_kind table;
    const char *suffix;
    bool unique;
    bool live, closed; // which rows of a table that holds both
} index_spec;
enum { INDEXES_MAX = 2 };

static size_t indexes_of(const ds_stream_def *def, index_spec out[INDEXES_MAX])
{
    out[0] = (index_spec){.table = TABLE_MERGE, .suffix = "k", .unique = true, .live = def_has_out(def)};
    switch (def->milestoning) {
    case MILESTONING_SCD1:
        return 1;
    case MILESTONING_SCD2:
        out[1] = (index_spec){.table = TABLE_MERGE, .suffix = "v", .closed = true};
        return 2;
    case MILESTONING_SCD4:
        out[1] = (index_spec){.table = TABLE_HISTORY, .suffix = "v"};
        return 2;
    }
    BUG("milestoning %d", (int)def->milestoning);
}

static const char *index_name(ds_arena *arena, const ds_dialect *dialect, const ds_dataset_def *dataset,
                              const index_spec *index)
{
    return naming_index(arena, dialect->names, table_relation_of(dataset, index->table), index->suffix);
}

static void index_columns_sql(const ds_shape *shape, ds_sql *out)
{
    if (shape->key_count == 0)
        SQL(out, "ds_row_hash, ds_copy");
    for (size_t i = 0; i < shape->key_count; i++) {
        if (i)
            SQL(out, ", ");
        sql_ident(out, shape->columns[shape->key[i]].name);
    }
}

static void create_index_sql(const ds_dataset_def *dataset, const index_spec *index, const char *name, ds_sql *out)
{
    if (index->unique)
        SQL(out, "CREATE UNIQUE INDEX IF NOT EXISTS ");
    else
        SQL(out, "CREATE INDEX IF NOT EXISTS ");
    sql_ident(out, name);
    SQL(out, " ON ");
    sql_relation(out, table_relation_of(dataset, index->table));
    SQL(out, " (");
    index_columns_sql(dataset->shape, out);
    SQL(out, ")");
    if (index->live && dataset->shape->key_count && out->dialect->include) {
        buf_puts(&out->text, out->dialect->include); // the live rows' hashes can be read without the rows
        SQL(out, "ds_row_hash)");
    }
    if (!index->live && !index->closed)
        return;
    if (index->live)
        SQL(out, " WHERE ds_batch_out = ");
    else
        SQL(out, " WHERE ds_batch_out <> ");
    sql_literal_int(out, BATCH_LIVE);
}

static ds_rc create_index(ds_control *control, const ds_dataset_def *dataset, const index_spec *index, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    create_index_sql(dataset, index, index_name(scratch, control->db->dialect, dataset, index), &q);
    return store_exec(control->db, &q, NULL, err);
}

ds_rc table_create_indexes(ds_control *control, const ds_stream_def *def, const ds_dataset_def *dataset, ds_error *err)
{
    index_spec indexes[INDEXES_MAX];
    size_t n = indexes_of(def, indexes);
    for (size_t i = 0; i < n; i++)
        TRY(create_index(control, dataset, &indexes[i], err));
    return DS_DONE;
}

ds_rc table_create_closed_index(ds_control *control, const ds_stream_def *def, const ds_dataset_def *dataset,
                                ds_error *err)
{
    index_spec indexes[INDEXES_MAX];
    size_t n = indexes_of(def, indexes);
    for (size_t i = 0; i < n; i++)
        if (indexes[i].closed)
            TRY(create_index(control, dataset, &indexes[i], err));
    return DS_DONE;
}

ds_rc table_drop_indexes(ds_control *control, const ds_stream_def *def, const ds_dataset_def *dataset, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    index_spec indexes[INDEXES_MAX];
    size_t n = indexes_of(def, indexes);
    for (size_t i = 0; i < n; i++) {
        const char *name = index_name(scratch, control->db->dialect, dataset, &indexes[i]);
        ds_relation index = {.schema = table_relation_of(dataset, indexes[i].table).schema, .name = name};
        CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
        SQL(&q, "DROP INDEX IF EXISTS ");
        sql_relation(&q, index);
        TRY(store_exec(control->db, &q, NULL, err));
    }
    return DS_DONE;
}
