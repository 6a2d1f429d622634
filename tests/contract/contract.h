// The world of one contract test: an engine, a directory of its own and an empty database in it.
#pragma once
#include "store/store.h"
#include "support/check.h"
#include "support/fault.h"
#include "support/pg_database.h"
#include "support/workdir.h"

typedef struct contract contract;

// Adding a driver: a row in engines.c.
typedef struct engine {
    const char *name;
    const ds_driver *driver;
    void (*target)(contract *w);  // fills w->target: where an empty database is, or will be with `create`
    void (*release)(contract *w); // may be NULL
    bool injected_clock;          // now() is options.clock
    bool one_writer;              // a second BEGIN_WRITE is refused while one is open
} engine;
const engine *engine_find(const char *name); // NULL: unknown

struct contract {
    const engine *engine;
    ds_fault *fault; // NULL: without the wrapper
    workdir dir;
    char path[WORKDIR_PATH];
    pg_database postgres;
    ds_secret secret;
    ds_target target;
    const ds_driver *drivers[1];
    ds_store store;
    ds_clock clock; // stands still
    ds_arena *arena;
};

enum { WAIT_MS = 50, CLOCK_START = 1700000000 };
ds_db *contract_open(contract *w); // creates the database
ds_db *contract_open_with(contract *w, ds_open_options options);

// One statement of fixed text.
#define RUN(db, text)                                                                                                  \
    do {                                                                                                               \
        CLEANUP(sql_release) ds_sql q_ = sql_new((db)->dialect);                                                       \
        SQL(&q_, text);                                                                                                \
        OK(store_exec(db, &q_, NULL, &err));                                                                           \
    } while (0)
#define RUN_FAILS(db, text, code, part)                                                                                \
    do {                                                                                                               \
        CLEANUP(sql_release) ds_sql q_ = sql_new((db)->dialect);                                                       \
        SQL(&q_, text);                                                                                                \
        FAILS(store_exec(db, &q_, NULL, &err), code, part);                                                            \
    } while (0)

// The number of rows of a table.
int64_t count_rows(ds_db *db, const char *table);
const ds_type *type_of(ds_arena *arena, const char *text);
// Columns "NAME TYPE", the first key_count are the key (and not null).
typedef struct column_text {
    const char *name, *type;
} column_text;
const ds_shape *shape_of(ds_arena *arena, const column_text *columns, size_t n, size_t key_count);
// CREATE TABLE with the dialect's types; the system columns first.
void create_table(ds_db *db, const char *name, const ds_system_column *system, size_t n, const ds_shape *shape);

// Puts a row of texts (NULL: null), in the shape's order.
void put_row(ds_rows *rows, const ds_shape *shape, const char *const *values);
// SELECT of the shape's columns from table, and ORDER BY its first column when `ordered`.
void select_rows(ds_sql *q, const ds_shape *shape, const char *table, bool ordered);
// Reads everything that `select` gives, by chunks.
void read_all(ds_db *db, const ds_read *read, ds_rows *rows);

// The tests of each file.
typedef struct CMUnitTest contract_test;
#define CONTRACT(test) cmocka_unit_test_setup_teardown(test, contract_setup, contract_teardown)
int contract_setup(void **state);
int contract_teardown(void **state);
extern const contract_test OPEN_TESTS[], STATEMENT_TESTS[], STREAM_TESTS[], TYPE_TESTS[], LOCK_TESTS[];
extern const size_t OPEN_TEST_COUNT, STATEMENT_TEST_COUNT, STREAM_TEST_COUNT, TYPE_TEST_COUNT, LOCK_TEST_COUNT;
#define TEST_TABLE(prefix, ...)                                                                                        \
    const contract_test prefix##_TESTS[] = {__VA_ARGS__};                                                              \
    const size_t prefix##_TEST_COUNT = sizeof prefix##_TESTS / sizeof prefix##_TESTS[0]
