#include "store/store.h"

#include <string.h>

#include "store/keeper.h"

enum { CHUNK_ROWS = 4096, CHUNK_BYTES = 1 << 20 };

const ds_driver *store_driver(const ds_store *store, const char *type)
{
    for (size_t i = 0; i < store->n; i++)
        if (strcmp(store->drivers[i]->name, type) == 0)
            return store->drivers[i];
    return NULL;
}

ds_rc store_open(const ds_store *store, const ds_target *target, const ds_open_options *options, ds_db **out,
                 ds_error *err)
{
    const ds_driver *driver = store_driver(store, target->type);
    if (!driver)
        return ds_fail(err, DS_FINDING, "container type \"%s\" is not supported yet", target->type);
    return driver->open(driver, target, options, out, err);
}

void store_close(ds_db *db)
{
    if (db && db->kept)
        keeper_give_back(db);
    else if (db)
        db->driver->close(db);
}

void store_closep(ds_db **db)
{
    store_close(*db);
    *db = NULL;
}

ds_rc store_begin(ds_db *db, ds_begin kind, ds_error *err)
{
    return db->driver->begin(db, kind, err);
}

ds_rc store_commit(ds_db *db, ds_error *err)
{
    return db->driver->commit(db, err);
}

void store_rollback(ds_db *db)
{
    db->driver->rollback(db);
}

ds_rc store_exec(ds_db *db, const ds_sql *sql, int64_t *affected, ds_error *err)
{
    return db->driver->exec(db, sql, affected, err);
}

ds_rc store_query(ds_db *db, const ds_sql *sql, ds_arena *arena, ds_result *out, ds_error *err)
{
    return db->driver->query(db, sql, arena, out, err);
}

static ds_rc visit_chunks(const ds_driver *driver, ds_reader *reader, store_visit *visit, void *context, ds_error *err)
{
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    for (bool more = true; more;) {
        rows_clear(&rows);
        TRY(driver->read_next(reader, &rows, CHUNK_ROWS, CHUNK_BYTES, &more, err));
        TRY(visit(context, &rows, err));
    }
    return DS_DONE;
}

ds_rc store_read(ds_db *db, const ds_read *read, store_visit *visit, void *context, ds_error *err)
{
    ds_reader *reader = NULL;
    TRY(db->driver->read_open(db, read, &reader, err));
    ds_rc rc = visit_chunks(db->driver, reader, visit, context, err);
    db->driver->read_close(reader);
    return rc;
}

ds_rc store_describe(ds_db *db, ds_arena *arena, ds_relation relation, const ds_catalog_table **out, ds_error *err)
{
    return db->driver->describe(db, arena, &relation, 1, out, err);
}

ds_rc store_describe_all(ds_db *db, ds_arena *arena, const ds_relation *relations, size_t n,
                         const ds_catalog_table **out, ds_error *err)
{
    return db->driver->describe(db, arena, relations, n, out, err);
}

ds_rc store_begin_snapshot(ds_db *db, const ds_snapshot *snapshot, ds_error *err)
{
    return db->driver->begin_snapshot(db, snapshot, err);
}

ds_rc store_view_put(ds_db *db, ds_relation view, const ds_sql *select, ds_error *err)
{
    return db->driver->view_put(db, view, select, err);
}

ds_rc store_schema_put(ds_db *db, ds_relation relation, ds_error *err)
{
    bool has_schema = db->driver->schema_put && relation.schema && relation.schema[0];
    return has_schema ? db->driver->schema_put(db, relation.schema, err) : DS_DONE;
}

ds_rc store_join_by_lookup(ds_db *db, bool lookup, ds_error *err)
{
    const char *advice = lookup ? db->dialect->join_by_lookup : db->dialect->join_as_you_like;
    if (!advice)
        return DS_DONE;
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    sql_add_fixed(&q, advice, strlen(advice));
    return store_exec(db, &q, NULL, err);
}

ds_rc store_empty(ds_db *db, ds_relation table, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    if (db->dialect->has_truncate)
        SQL(&q, "TRUNCATE ");
    else
        SQL(&q, "DELETE FROM ");
    sql_relation(&q, table);
    return store_exec(db, &q, NULL, err);
}

// "a", "b" of our columns and the key's; at least one.
static void analyzed_columns(const ds_shape *key, const char *const *ours, size_t ours_count, ds_sql *q)
{
    for (size_t i = 0; i < ours_count; i++) {
        if (i)
            SQL(q, ", ");
        sql_ident(q, ours[i]);
    }
    for (size_t i = 0; i < key->key_count; i++) {
        if (i + ours_count)
            SQL(q, ", ");
        sql_ident(q, key->columns[key->key[i]].name);
    }
}

ds_rc store_analyze(ds_db *db, ds_relation table, const ds_shape *key, const char *const *ours, size_t ours_count,
                    ds_error *err)
{
    if (!db->dialect->has_analyze)
        return DS_DONE;
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SET LOCAL default_statistics_target = 10"); // a sample of 3,000 rows
    TRY(store_exec(db, &q, NULL, err));
    sql_clear(&q);
    SQL(&q, "ANALYZE ");
    sql_relation(&q, table);
    if (key->key_count + ours_count) {
        SQL(&q, " (");
        analyzed_columns(key, ours, ours_count, &q);
        SQL(&q, ")");
    }
    return store_exec(db, &q, NULL, err);
}

ds_rc store_now(ds_db *db, int64_t *now_us, ds_error *err)
{
    return db->driver->now(db, now_us, err);
}

ds_rc store_fail_overdue(const char *label, int64_t timeout_ms, ds_error *err)
{
    return ds_hint(ds_fail(err, DS_ENV, "%s: the query was ended after %g s", label, (double)timeout_ms / 1000), err,
                   "give it less to do, or more time with its `timeout`");
}

const char *result_text(const ds_result *result, size_t row, size_t column)
{
    ds_assert(row < result->rows && column < result->columns);
    return result->cells[row * result->columns + column];
}

int64_t result_int(const ds_result *result, size_t row, size_t column)
{
    const char *text = result_text(result, row, column);
    int64_t value = 0;
    return text && str_int64(str_of(text), &value) ? value : 0; // somebody else may have written it
}
