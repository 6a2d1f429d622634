// Opens databases by container type, and thin wrappers over a driver's table. A ds_store is a list of drivers, made
// once in program/main.c (tests put a fault-injecting wrapper in it); immutable, any thread.
#pragma once
#include "store/driver.h"

typedef struct ds_store {
    const ds_driver *const *drivers;
    size_t n;
} ds_store;

// NULL when no driver serves the type.
const ds_driver *store_driver(const ds_store *store, const char *type);
// DS_FINDING "container type "oracle" is not supported yet" when there is none.
ds_rc store_open(const ds_store *store, const ds_target *target, const ds_open_options *options, ds_db **out,
                 ds_error *err);
void store_close(ds_db *db); // or gives it back (keeper.h); takes NULL
void store_closep(ds_db **db);

ds_rc store_begin(ds_db *db, ds_begin kind, ds_error *err);
ds_rc store_commit(ds_db *db, ds_error *err);
void store_rollback(ds_db *db);
ds_rc store_exec(ds_db *db, const ds_sql *sql, int64_t *affected, ds_error *err);
ds_rc store_query(ds_db *db, const ds_sql *sql, ds_arena *arena, ds_result *out, ds_error *err);
// Reads all of it, by chunks: visit is given each, and may end it by failing.
typedef ds_rc store_visit(void *context, const ds_rows *chunk, ds_error *err);
ds_rc store_read(ds_db *db, const ds_read *read, store_visit *visit, void *context, ds_error *err);
ds_rc store_describe(ds_db *db, ds_arena *arena, ds_relation relation, const ds_catalog_table **out, ds_error *err);
ds_rc store_describe_all(ds_db *db, ds_arena *arena, const ds_relation *relations, size_t n,
                         const ds_catalog_table **out, ds_error *err);
ds_rc store_begin_snapshot(ds_db *db, const ds_snapshot *snapshot, ds_error *err);
ds_rc store_view_put(ds_db *db, ds_relation view, const ds_sql *select, ds_error *err);
// Makes the relation's schema when it is missing, where the engine has schemas.
ds_rc store_schema_put(ds_db *db, ds_relation relation, ds_error *err);
// How joins go until the transaction ends, where the engine takes advice: by looking rows up one by one, or as it
// likes.
ds_rc store_join_by_lookup(ds_db *db, bool lookup, ds_error *err);
// Deletes all rows; inside a transaction.
ds_rc store_empty(ds_db *db, ds_relation table, ds_error *err);
// A first, coarse look at what plans depend on, where the engine has such a thing: enough for joins by key. Inside a
// transaction. columns of the shape's key only, and of ours when given; the engine's own visits refine it.
ds_rc store_analyze(ds_db *db, ds_relation table, const ds_shape *key, const char *const *ours, size_t ours_count,
                    ds_error *err);
ds_rc store_now(ds_db *db, int64_t *now_us, ds_error *err);

// A read's time is over (ds_read.timeout_ms).
ds_rc store_fail_overdue(const char *label, int64_t timeout_ms, ds_error *err);

// A cell of a small result. Out of range is a bug; a null cell is NULL, or 0 as an integer, as is what is no integer.
const char *result_text(const ds_result *result, size_t row, size_t column);
int64_t result_int(const ds_result *result, size_t row, size_t column);
