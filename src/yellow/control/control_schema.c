// The control tables as data. A new column: one row below; a new table: its columns, a row in CONTROL_TABLES and a
// member of ds_control_names; both raise CONTROL_SCHEMA_VERSION. apply adds to older tables what they lack: so a new
// column of an old table may be null, or has a default.
#include "yellow/control/control_tables.h"

// COLUMN_SERIAL: numbers its rows by itself, in the order in which they are written; two writers never get the same.
typedef enum column_kind { COLUMN_TEXT, COLUMN_INT, COLUMN_TIME, COLUMN_SERIAL } column_kind;
enum { IS_KEY = 1, IS_REQUIRED = 2, IS_ZERO = 4 /* not null default 0 */ };

typedef struct control_column {
    const char *name;
    column_kind kind;
    int flags;
} control_column;

typedef struct control_table {
    const char *name;
    size_t relation; // offset in ds_control_names
    const control_column *columns;
    size_t n;
} control_table;

static const control_column META[] = {
    {"key", COLUMN_TEXT, IS_KEY},
    {"value", COLUMN_TEXT, IS_REQUIRED},
};

static const control_column STREAM[] = {
    {"name", COLUMN_TEXT, IS_KEY},
    {"service", COLUMN_TEXT, IS_REQUIRED},
    {"platform", COLUMN_TEXT, IS_REQUIRED},
    {"store", COLUMN_TEXT, IS_REQUIRED},
    {"dataset", COLUMN_TEXT, 0}, // null: all of the store's in one stream
    {"version", COLUMN_INT, IS_REQUIRED},
    {"config", COLUMN_TEXT, IS_REQUIRED},  // the definition as JSON
    {"retired", COLUMN_TEXT, IS_REQUIRED}, // JSON array of the datasets that it gave up
    {"tree_id", COLUMN_TEXT, IS_REQUIRED},
    {"schedule", COLUMN_TEXT, IS_REQUIRED}, // cron; "" when after inputs or external
    {"priority", COLUMN_TEXT, IS_REQUIRED},
    {"fence", COLUMN_INT, IS_ZERO},
    {"paused", COLUMN_INT, IS_ZERO},
    {"removed", COLUMN_INT, IS_ZERO},
    {"resnapshot", COLUMN_INT, IS_ZERO},
    {"applied_at", COLUMN_TIME, IS_REQUIRED},
    {"removed_at", COLUMN_TIME, 0}, // when the model lost it
    {"failure", COLUMN_TEXT, 0},    // of a cycle that had no batch to write it on; null: the last one went well
    {"facts", COLUMN_TEXT, 0},      // JSON: of the definition what those want who only look (def_facts.c)
};

static const control_column BATCH[] = {
    {"stream", COLUMN_TEXT, IS_KEY},
    {"batch_id", COLUMN_INT, IS_KEY},
    {"status", COLUMN_TEXT, IS_REQUIRED},
    {"started_at", COLUMN_TIME, IS_REQUIRED},
    {"committed_at", COLUMN_TIME, 0},
    {"rows_read", COLUMN_INT, IS_ZERO},
    {"rows_inserted", COLUMN_INT, IS_ZERO},
    {"rows_updated", COLUMN_INT, IS_ZERO},
    {"rows_deleted", COLUMN_INT, IS_ZERO},
    {"rows_unchanged", COLUMN_INT, IS_ZERO},
    {"bytes", COLUMN_INT, IS_ZERO},
    {"position", COLUMN_TEXT, 0}, // JSON
    {"source_time", COLUMN_TIME, 0},
    {"fingerprint_rows", COLUMN_INT, IS_ZERO},
    {"fingerprint", COLUMN_TEXT, 0}, // 32 hex digits
    {"error", COLUMN_TEXT, 0},
    {"guarded", COLUMN_INT, IS_ZERO},
    {"attempts", COLUMN_INT, IS_ZERO},
    {"retry_at", COLUMN_TIME, 0},
    {"stream_version", COLUMN_INT, IS_ZERO},
    {"tree_id", COLUMN_TEXT, 0},
    {"worker", COLUMN_TEXT, 0},
};

static const control_column DATASET_BATCH[] = {
    {"stream", COLUMN_TEXT, IS_KEY},
    {"batch_id", COLUMN_INT, IS_KEY},
    {"dataset", COLUMN_TEXT, IS_KEY},
    {"rows_read", COLUMN_INT, IS_ZERO},
    {"rows_inserted", COLUMN_INT, IS_ZERO},
    {"rows_updated", COLUMN_INT, IS_ZERO},
    {"rows_deleted", COLUMN_INT, IS_ZERO},
    {"rows_unchanged", COLUMN_INT, IS_ZERO},
    {"bytes", COLUMN_INT, IS_ZERO},
    {"first_load", COLUMN_INT, IS_ZERO},
    {"staged_rows", COLUMN_INT, IS_ZERO},
    {"staged_sum", COLUMN_TEXT, 0},
    {"fingerprint_rows", COLUMN_INT, IS_ZERO},
    {"fingerprint", COLUMN_TEXT, 0},
    {"key_columns", COLUMN_TEXT, 0}, // "id,line": the key of the index in force
    {"checks", COLUMN_TEXT, 0},      // def_checks_id of those that the rows have passed
    {"position", COLUMN_TEXT, 0},    // JSON: how far a watermark has been read (watermark.h)
};

static const control_column LEASE[] = {
    {"stream", COLUMN_TEXT, IS_KEY},   // or "apply"
    {"owner", COLUMN_TEXT, 0},         // a random token; null where the kernel has the lock
    {"owner_host", COLUMN_TEXT, 0},    // for people
    {"owner_machine", COLUMN_TEXT, 0}, // where owner_pid and owner_birth mean something
    {"owner_pid", COLUMN_INT, 0},      {"owner_birth", COLUMN_INT, 0},
    {"owner_start", COLUMN_TIME, 0},   {"expires_at", COLUMN_TIME, 0},
};

static const control_column CONTAINER[] = {
    {"name", COLUMN_TEXT, IS_KEY},
    {"connections", COLUMN_INT, 0},
    {"writers", COLUMN_INT, 0},
    {"rows_per_second", COLUMN_INT, 0},
};

static const control_column RESTART[] = {
    {"stream", COLUMN_TEXT, IS_KEY},      {"dataset", COLUMN_TEXT, IS_KEY},       {"point", COLUMN_TEXT, IS_REQUIRED},
    {"rows_loaded", COLUMN_INT, IS_ZERO}, {"saved_at", COLUMN_TIME, IS_REQUIRED},
};

static const control_column APPLIED[] = {
    {"id", COLUMN_SERIAL, IS_KEY},
    {"plan_id", COLUMN_TEXT, IS_REQUIRED},
    {"applied_at", COLUMN_TIME, IS_REQUIRED},
    {"tree_id", COLUMN_TEXT, IS_REQUIRED},
    {"changes", COLUMN_TEXT, IS_REQUIRED}, // JSON
    {"commit_id", COLUMN_TEXT, 0},         // that the model is of
};

static const control_column EVENT[] = {
    {"id", COLUMN_SERIAL, IS_KEY},      {"at", COLUMN_TIME, IS_REQUIRED},     {"stream", COLUMN_TEXT, 0},
    {"kind", COLUMN_TEXT, IS_REQUIRED}, {"detail", COLUMN_TEXT, IS_REQUIRED},
};

static const control_column VIEW[] = {
    {"relation_schema", COLUMN_TEXT, IS_KEY}, {"relation_name", COLUMN_TEXT, IS_KEY},
    {"workspace", COLUMN_TEXT, IS_REQUIRED},  {"group_name", COLUMN_TEXT, IS_REQUIRED},
    {"store", COLUMN_TEXT, IS_REQUIRED},      {"dataset", COLUMN_TEXT, IS_REQUIRED},
    {"stream", COLUMN_TEXT, IS_REQUIRED},     {"history", COLUMN_INT, IS_ZERO},
};

static const control_column TRIGGER[] = {
    {"stream", COLUMN_TEXT, IS_KEY},
    {"wanted_at", COLUMN_TIME, IS_REQUIRED},
};

static const control_column FOLLOW[] = {
    {"ref", COLUMN_TEXT, IS_KEY},
    {"service", COLUMN_TEXT, IS_KEY}, // "": all
    {"commit_id", COLUMN_TEXT, IS_REQUIRED},
    {"state", COLUMN_TEXT, IS_REQUIRED},
    {"detail", COLUMN_TEXT, IS_REQUIRED},
    {"since", COLUMN_TIME, IS_REQUIRED},
};

#define TABLE(member, columns)                                                                                         \
    {                                                                                                                  \
#member, offsetof(ds_control_names, member), columns, sizeof columns / sizeof columns[0]                       \
    }
static const control_table CONTROL_TABLES[CONTROL_TABLE_COUNT] = {
    TABLE(meta, META),   TABLE(stream, STREAM),       TABLE(batch, BATCH),     TABLE(dataset_batch, DATASET_BATCH),
    TABLE(lease, LEASE), TABLE(container, CONTAINER), TABLE(restart, RESTART), TABLE(applied, APPLIED),
    TABLE(event, EVENT), TABLE(view, VIEW),           TABLE(trigger, TRIGGER), TABLE(follow, FOLLOW),
};

ds_control_names control_names(ds_arena *arena, const ds_dialect *dialect)
{
    ds_control_names names;
    for (size_t i = 0; i < CONTROL_TABLE_COUNT; i++) {
        ds_relation relation = naming_control(arena, dialect->names, CONTROL_TABLES[i].name);
        memcpy((char *)&names + CONTROL_TABLES[i].relation, &relation, sizeof relation);
    }
    return names;
}

static ds_relation table_relation(const ds_control *control, const control_table *table)
{
    ds_relation relation;
    memcpy(&relation, (const char *)&control->names + table->relation, sizeof relation);
    return relation;
}

// Texts compare by their bytes, so that every engine lists them in the same order.
static void type_sql(column_kind kind, ds_sql *q)
{
    static const ds_type TYPES[] = {
        [COLUMN_TEXT] = {.kind = TYPE_TEXT, .size = TYPE_UNLIMITED},
        [COLUMN_INT] = {.kind = TYPE_BIGINT},
        [COLUMN_TIME] = {.kind = TYPE_TIMESTAMPTZ},
    };
    if (kind == COLUMN_SERIAL)
        buf_puts(&q->text, q->dialect->serial);
    else
        control_sql_type(q, &TYPES[kind]);
    if (kind == COLUMN_TEXT)
        buf_puts(&q->text, q->dialect->key_collation);
}

static void column_sql(const control_column *column, ds_sql *q)
{
    sql_ident(q, column->name);
    SQL(q, " ");
    type_sql(column->kind, q);
    if (column->flags & (IS_KEY | IS_REQUIRED | IS_ZERO))
        SQL(q, " NOT NULL");
    if (column->flags & IS_ZERO)
        SQL(q, " DEFAULT 0");
}

static void create_sql(const control_table *table, ds_relation relation, ds_sql *q)
{
    SQL(q, "CREATE TABLE IF NOT EXISTS ");
    sql_relation(q, relation);
    SQL(q, " (");
    for (size_t i = 0; i < table->n; i++) {
        column_sql(&table->columns[i], q);
        SQL(q, ", ");
    }
    SQL(q, "PRIMARY KEY (");
    bool first = true;
    for (size_t i = 0; i < table->n; i++) {
        if (!(table->columns[i].flags & IS_KEY))
            continue;
        if (!first)
            SQL(q, ", ");
        sql_ident(q, table->columns[i].name);
        first = false;
    }
    SQL(q, "))");
}

static ds_rc record_version(ds_control *control, ds_error *err)
{
    char version[16];
    snprintf(version, sizeof version, "%d", CONTROL_SCHEMA_VERSION);
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, control->names.meta);
    SQL(&q, " (key, value) VALUES ('schema_version', ");
    sql_text(&q, version);
    SQL(&q, ") ON CONFLICT (key) DO UPDATE SET value = excluded.value");
    return store_exec(control->db, &q, NULL, err);
}

static ds_rc create_table(ds_control *control, const control_table *table, ds_error *err)
{
    ds_relation relation = table_relation(control, table);
    TRY(store_schema_put(control->db, relation, err));
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    create_sql(table, relation, &q);
    return store_exec(control->db, &q, NULL, err);
}

static bool has_column(const ds_catalog_table *table, const char *name)
{
    for (size_t i = 0; i < table->n; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return true;
    return false;
}

static ds_rc add_columns(ds_control *control, const control_table *table, const ds_catalog_table *found, ds_error *err)
{
    for (size_t i = 0; i < table->n; i++) {
        if (has_column(found, table->columns[i].name))
            continue;
        CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
        SQL(&q, "ALTER TABLE ");
        sql_relation(&q, found->relation);
        SQL(&q, " ADD COLUMN ");
        column_sql(&table->columns[i], &q);
        TRY(store_exec(control->db, &q, NULL, err));
    }
    return DS_DONE;
}

// Looks before it creates: whoever finds all of them needs no right to make any.
ds_rc control_create_tables(ds_control *control, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    ds_relation relations[CONTROL_TABLE_COUNT];
    const ds_catalog_table *found[CONTROL_TABLE_COUNT];
    for (size_t i = 0; i < CONTROL_TABLE_COUNT; i++)
        relations[i] = table_relation(control, &CONTROL_TABLES[i]);
    TRY(store_describe_all(control->db, scratch, relations, CONTROL_TABLE_COUNT, found, err));
    for (size_t i = 0; i < CONTROL_TABLE_COUNT; i++)
        TRY(found[i] ? add_columns(control, &CONTROL_TABLES[i], found[i], err)
                     : create_table(control, &CONTROL_TABLES[i], err));
    TRY(control_fill_facts(control, err));
    return record_version(control, err);
}

static ds_rc create_lease(ds_control *control, ds_error *err)
{
    for (size_t i = 0; i < CONTROL_TABLE_COUNT; i++)
        if (CONTROL_TABLES[i].columns == LEASE)
            return create_table(control, &CONTROL_TABLES[i], err);
    BUG("no table for leases");
}

ds_rc control_create_lease(ds_control *control, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    const ds_catalog_table *table;
    TRY(store_describe(control->db, scratch, control->names.lease, &table, err));
    if (table)
        return DS_DONE;
    TRY(store_begin(control->db, BEGIN_WRITE, err));
    ds_rc rc = create_lease(control, err);
    if (rc.code == DS_OK)
        return store_commit(control->db, err);
    store_rollback(control->db);
    return rc;
}

static ds_rc decode_version(const ds_control *control, const char *text, int64_t *out, ds_error *err)
{
    int64_t version = 0;
    if (!text || !str_int64(str_of(text), &version) || version < 1)
        return ds_hint(ds_fail(err, DS_FINDING,
                               "damaged control table in merge database \"%s\": schema_version is \"%s\"",
                               control->merge->name, text ? text : ""),
                       err, "in %s, set the value of schema_version to %d again, or restore the database",
                       control->names.meta.name, CONTROL_SCHEMA_VERSION);
    if (version > CONTROL_SCHEMA_VERSION)
        return ds_hint(ds_fail(err, DS_FINDING, "this merge database was written by a newer datasurface"), err,
                       "use that version for merge database \"%s\"", control->merge->name);
    *out = version;
    return DS_DONE;
}

static ds_rc read_version(ds_control *control, int64_t *out, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "SELECT value FROM ");
    sql_relation(&q, control->names.meta);
    SQL(&q, " WHERE key = 'schema_version'");
    ds_result r;
    TRY(store_query(control->db, &q, scratch, &r, err));
    *out = 0;
    return r.rows == 1 ? decode_version(control, result_text(&r, 0, 0), out, err) : DS_DONE;
}

ds_rc control_version(ds_control *control, int64_t *out, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    const ds_catalog_table *meta = NULL;
    TRY(store_describe(control->db, scratch, control->names.meta, &meta, err));
    *out = 0;
    return meta ? read_version(control, out, err) : DS_DONE;
}

ds_rc control_version_at_once(ds_control *control, int64_t *out, ds_error *err)
{
    ds_rc rc = read_version(control, out, err);
    return rc.code == DS_FINDING ? control_version(control, out, err) : rc;
}
