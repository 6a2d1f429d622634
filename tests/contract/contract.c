// contract ENGINE [fault]
#include "contract/contract.h"

#include <stdio.h>
#include <stdlib.h>

#include "schema/value.h"

static const engine *ENGINE;
static bool WRAPPED;

// --- the world

int contract_setup(void **state)
{
    contract *w = calloc(1, sizeof *w);
    w->engine = ENGINE;
    w->fault = WRAPPED ? fault_new(ENGINE->driver) : NULL;
    w->dir = workdir_new();
    w->drivers[0] = WRAPPED ? fault_driver(w->fault) : ENGINE->driver;
    w->store = (ds_store){w->drivers, 1};
    w->clock = clock_manual(CLOCK_START);
    w->arena = arena_new();
    ENGINE->target(w);
    *state = w;
    return 0;
}

int contract_teardown(void **state)
{
    contract *w = *state;
    if (w->engine->release)
        w->engine->release(w);
    workdir_remove(&w->dir);
    fault_free(w->fault);
    arena_free(w->arena);
    free(w);
    return 0;
}

ds_db *contract_open_with(contract *w, ds_open_options options)
{
    ds_error err;
    ds_db *db = NULL;
    options.secret = &w->secret;
    OK(store_open(&w->store, &w->target, &options, &db, &err));
    return db;
}

ds_db *contract_open(contract *w)
{
    return contract_open_with(w, (ds_open_options){.create = true, .busy_timeout_ms = WAIT_MS, .clock = &w->clock});
}

// --- tables and rows

int64_t count_rows(ds_db *db, const char *table)
{
    ds_error err;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT count(*) FROM ");
    sql_ident(&q, table);
    ds_result found;
    OK(store_query(db, &q, arena, &found, &err));
    return result_int(&found, 0, 0);
}

const ds_type *type_of(ds_arena *arena, const char *text)
{
    ds_error err;
    const ds_type *type = NULL;
    size_t at;
    OK(type_parse(arena, str_of(text), &type, &at, &err));
    return type;
}

const ds_shape *shape_of(ds_arena *arena, const column_text *columns, size_t n, size_t key_count)
{
    ds_error err;
    ds_shape_column *list = ARENA_ARRAY(arena, ds_shape_column, n);
    uint16_t key[8];
    assert_true(key_count <= 8);
    for (size_t i = 0; i < n; i++) {
        list[i] = (ds_shape_column){.name = columns[i].name,
                                    .source = columns[i].name,
                                    .type = type_of(arena, columns[i].type),
                                    .not_null = i < key_count};
        if (i < key_count)
            key[i] = (uint16_t)i;
    }
    const ds_shape *shape = NULL;
    OK(shape_new(arena, list, n, key, key_count, &shape, &err));
    return shape;
}

void create_table(ds_db *db, const char *name, const ds_system_column *system, size_t n, const ds_shape *shape)
{
    static const char *const SYSTEM[] = {[SYSTEM_INT] = "bigint", [SYSTEM_TEXT] = "text", [SYSTEM_HASH] = "binary(16)"};
    ds_error err;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "CREATE TABLE ");
    sql_ident(&q, name);
    SQL(&q, " (");
    for (size_t i = 0; i < n + shape->n; i++) {
        if (i)
            SQL(&q, ", ");
        sql_ident(&q, i < n ? system[i].name : shape->columns[i - n].name);
        SQL(&q, " ");
        db->dialect->column_type(i < n ? type_of(arena, SYSTEM[system[i].kind]) : shape->columns[i - n].type, &q.text);
    }
    SQL(&q, ")");
    OK(store_exec(db, &q, NULL, &err));
}

void put_row(ds_rows *rows, const ds_shape *shape, const char *const *values)
{
    ds_error err;
    rows_begin(rows);
    for (size_t i = 0; i < shape->n; i++) {
        size_t at = shape->hash_order[i];
        if (values[at])
            OK(value_put_text(rows, &shape->columns[at], str_of(values[at]), &err));
    }
    OK(rows_end(rows, shape, 0, &err));
}

void select_rows(ds_sql *q, const ds_shape *shape, const char *table, bool ordered)
{
    SQL(q, "SELECT ");
    sql_columns_to_read(q, shape, false);
    SQL(q, " FROM ");
    sql_ident(q, table);
    if (ordered) {
        SQL(q, " ORDER BY ");
        sql_ident(q, shape->columns[0].name);
    }
}

void read_all(ds_db *db, const ds_read *read, ds_rows *rows)
{
    ds_error err;
    ds_reader *reader = NULL;
    OK(db->driver->read_open(db, read, &reader, &err));
    for (bool more = true; more;) {
        size_t before = rows->n;
        OK(db->driver->read_next(reader, rows, 100, 1 << 20, &more, &err));
        assert_true(!more || rows->n > before);
    }
    db->driver->read_close(reader);
}

// --- running

static int run(const char *name, const contract_test *tests, size_t n)
{
    return _cmocka_run_group_tests(name, tests, n, NULL, NULL);
}

int main(int argc, char **argv)
{
    ENGINE = argc > 1 ? engine_find(argv[1]) : NULL;
    WRAPPED = argc > 2 && strcmp(argv[2], "fault") == 0;
    if (!ENGINE) {
        fprintf(stderr, "usage: contract ENGINE [fault]\n");
        return 2;
    }
    return run("open", OPEN_TESTS, OPEN_TEST_COUNT) + run("statements", STATEMENT_TESTS, STATEMENT_TEST_COUNT) +
           run("streams", STREAM_TESTS, STREAM_TEST_COUNT) + run("types", TYPE_TESTS, TYPE_TEST_COUNT) +
           run("locks", LOCK_TESTS, LOCK_TEST_COUNT);
}
