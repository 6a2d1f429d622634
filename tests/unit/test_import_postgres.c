// store/postgres/postgres.h's URLs and survey, and what gate/import.h makes of it, on a server: every type is imported
// and then read as the model says.
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "gate/import.h"
#include "gate/lint.h"
#include "model/lookup.h"
#include "schema/value.h"
#include "store/store.h"
#include "support/pg_database.h"
#include "yellow/platform.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

// --- URLs

static void urls(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host;
        int port;
        const char *database, *user, *password, *mode, *ca;
    } CASES[] = {
        {"postgres://h/d", "h", 0, "d", NULL, NULL, NULL, NULL},
        {"postgresql://u:geheim@h:6432/d", "h", 6432, "d", "u", "geheim", NULL, NULL},
        {"postgres://u%40x:a%2Fb%3A%25@h/d%20e", "h", 0, "d e", "u@x", "a/b:%", NULL, NULL},
        {"postgres://u@[2001:db8::1]:5433/d?sslmode=verify-full&sslrootcert=ca.pem", "2001:db8::1", 5433, "d", "u",
         NULL, "verify-full", "ca.pem"},
        {"postgres:///d?host=/run/pg&port=5444", "/run/pg", 5444, "d", NULL, NULL, NULL, NULL},
        {"postgres://%2Frun%2Fpg/d", "/run/pg", 0, "d", NULL, NULL, NULL, NULL},
        {"postgres://", NULL, 0, NULL, NULL, NULL, NULL, NULL},
        {"postgres://h/d?user=u&password=geheim", "h", 0, "d", "u", "geheim", NULL, NULL},
        {"postgres://h/d?connect_timeout=3&application_name=x&keepalives=1", "h", 0, "d", NULL, NULL, NULL, NULL},
        {"postgres://h/d?ssl=true", "h", 0, "d", NULL, NULL, "require", NULL},
    };
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    for (size_t i = 0; i < COUNT(CASES); i++) {
        ds_target target;
        CLEANUP(secret_release) ds_secret secret = {0};
        ds_error err = {0};
        OK(postgres_url_parse(arena, CASES[i].url, &target, &secret, &err));
        const char *const pairs[][2] = {{target.host, CASES[i].host},
                                        {target.database, CASES[i].database},
                                        {secret.parts[SECRET_USER], CASES[i].user},
                                        {secret.parts[SECRET_PASSWORD], CASES[i].password},
                                        {target.tls_mode, CASES[i].mode},
                                        {target.tls_ca, CASES[i].ca}};
        for (size_t p = 0; p < COUNT(pairs); p++)
            if (!str_eq(str_of(pairs[p][0]), str_of(pairs[p][1])))
                fail_msg("%s: part %zu is \"%s\"", CASES[i].url, p, pairs[p][0] ? pairs[p][0] : "");
        assert_int_equal(target.port, CASES[i].port);
        assert_string_equal(target.type, "postgres");
    }
}

// Whatever is wrong with them, no message holds what stands in them.
static void bad_urls(void **state)
{
    (void)state;
    static const struct {
        const char *url, *message;
    } CASES[] = {
        {"postgres://u:geheim@[::1/d", "can't be read"},
        {"postgres://u:geh%zzeim@h/d", "can't be read"},
        {"postgres://u:geheim%00@h/d", "can't be read"},
        {"postgres://u:p@h/d?password=geheim=x", "can't be read"},
        {"postgres://u:p@h/d?geheim", "can't be read"},
        {"postgres://u:p@h/d?pasword=geheim", "can't be read"},
        {"postgres:password=geheim", "can't be read"},
        {"password=geheim", "can't be read"},
        {"", "can't be read"},
        {"postgres://u:geheim@a,b/d", "several hosts"},
        {"postgres://u:geheim@h:0/d", "no number from 1 to 65535"},
        {"postgres://u:geheim@h:65536/d", "no number from 1 to 65535"},
        {"postgres://u:p@h:geheim/d", "no number from 1 to 65535"},
        {"postgres://u:p@h/d?sslmode=geheim", "sslmode"},
        {"postgres://u:geheim@h/d?sslmode=allow", "sslmode"},
        {"postgres://u:geheim@h/d?hostaddr=1.2.3.4", "says hostaddr, which a model has no place for"},
        {"postgres://u:p@h/d?options=-cgeheim", "says options, which a model has no place for"},
    };
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    for (size_t i = 0; i < COUNT(CASES); i++) {
        ds_target target = {.port = 7};
        ds_secret secret = {0};
        ds_error err = {0};
        FAILS(postgres_url_parse(arena, CASES[i].url, &target, &secret, &err), DS_USAGE, CASES[i].message);
        assert_null(strstr(err.text, "geheim"));
        assert_null(strstr(err.hint, "geheim"));
        assert_int_equal(target.port, 7);
        assert_null(secret.parts[SECRET_PASSWORD]);
    }
}

static void hidden_urls(void **state)
{
    (void)state;
    char url[] = "postgres://u:geheim@h/d?password=geheim";
    postgres_url_hide(url);
    assert_string_equal(url, "postgres://*:********/*****************");
    char none[] = "plain";
    postgres_url_hide(none);
    assert_string_equal(none, "plain");
}

// --- a database, and what is imported of it

typedef struct world {
    pg_database postgres;
    ds_arena *arena;
    ds_db *db;
    ds_buf yaml;
    ds_import_summary summary;
    ds_model *model;
    ds_diags *diags;
} world;

static const ds_target TARGET = {.type = "postgres", .host = "db.internal", .database = "shop"};
static const ds_import_options WHOLE = {.datastore = "Shop", .target = &TARGET, .whole_model = true};

static int setup(void **state)
{
    world *w = calloc(1, sizeof *w);
    ds_assert(w);
    w->arena = arena_new();
    w->yaml = BUF_INIT(IMPORT_TEXT_MAX);
    pg_database_new(pgserver_shared(), &w->postgres);
    *state = w;
    return 0;
}

static void forget(world *w)
{
    diags_free(w->diags);
    model_free(w->model);
    buf_clear(&w->yaml);
    w->diags = NULL;
    w->model = NULL;
}

static int teardown(void **state)
{
    world *w = *state;
    forget(w);
    store_close(w->db);
    pg_database_drop(&w->postgres);
    buf_release(&w->yaml);
    arena_free(w->arena);
    free(w);
    return 0;
}

static void connect_as(world *w, char *user)
{
    static char password[] = PG_PASSWORD;
    ds_error err = {0};
    const ds_target target = {.type = "postgres",
                              .host = w->postgres.host,
                              .port = w->postgres.port,
                              .database = w->postgres.name};
    const ds_secret secret = {.parts = {[SECRET_USER] = user, [SECRET_PASSWORD] = password}};
    const ds_open_options options = {.read_only = true, .secret = &secret};
    store_close(w->db);
    w->db = NULL;
    OK(POSTGRES_DRIVER.open(&POSTGRES_DRIVER, &target, &options, &w->db, &err));
}

static void load(world *w)
{
    ds_error err = {0};
    const char *path = "shop.yaml";
    ds_str text = buf_str(&w->yaml);
    OK(model_load_texts(&path, &text, 1, NULL, &w->model, &w->diags, &err));
    const ds_platform_type *const known[] = {yellow_platform_type()};
    lint_model(w->model, (ds_platform_types){known, 1}, w->diags);
    for (size_t i = 0; i < diags_count(w->diags); i++)
        if (diags_at(w->diags, i)->severity != DIAG_INFO &&
            strcmp(diags_at(w->diags, i)->rule, "L021") != 0) // nobody has classified anything
            fail_msg("%s %s\n%s", diags_at(w->diags, i)->rule, diags_at(w->diags, i)->message, buf_text(&w->yaml));
}

// Of what the database's role sees.
static void import(world *w, const ds_import_options *options)
{
    ds_error err = {0};
    postgres_survey survey;
    forget(w);
    connect_as(w, w->postgres.role);
    OK(postgres_survey_read(w->db, w->arena, &survey, &err));
    OK(import_postgres(options, &survey, w->arena, &w->yaml, &w->summary, &err));
    load(w);
}

static const ds_dataset *dataset(const world *w, const char *name)
{
    const ds_dataset *found = datastore_dataset(model_datastore(w->model, "Shop"), name);
    if (!found)
        fail_msg("no dataset %s in\n%s", name, buf_text(&w->yaml));
    return found;
}

static void assert_says(const world *w, const char *line)
{
    if (!strstr(buf_text(&w->yaml), line))
        fail_msg("nothing says \"%s\" in\n%s", line, buf_text(&w->yaml));
}

static void assert_text(const char *found, const char *expected)
{
    if (!str_eq(str_of(found), str_of(expected)))
        fail_msg("\"%s\" instead of \"%s\"", found ? found : "", expected ? expected : "");
}

static const char *type_of(const world *w, const ds_dataset *from, const char *column)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(TYPE_TEXT_MAX);
    type_print(dataset_column(from, column)->type, &text);
    return arena_str(w->arena, buf_str(&text));
}

// --- types

// Adding a type to import: its row here. The value is SQL; `read` is what the model's type makes of it.
static const struct {
    const char *declared, *value, *type, *read, *note;
} TYPES[] = {
    {"bool", "true", "boolean", "true", NULL},
    {"int2", "-32768", "smallint", "-32768", NULL},
    {"int4", "2147483647", "integer", "2147483647", NULL},
    {"int8", "-9223372036854775808", "bigint", "-9223372036854775808", NULL},
    {"serial", "7", "integer", "7", NULL},
    {"bigserial", "8", "bigint", "8", NULL},
    {"int4 GENERATED BY DEFAULT AS IDENTITY", "9", "integer", "9", NULL},
    {"float4", "0.1", "real", "0.1", NULL},
    {"float8", "'NaN'", "double", "NaN", NULL},
    {"numeric(12,2)", "1234567890.12", "decimal(12,2)", "1234567890.12", NULL},
    {"numeric(7)", "1234567", "decimal(7,0)", "1234567", NULL},
    {"numeric(3,-2)", "12345", "decimal(5,0)", "12300", NULL},
    {"numeric(2,5)", "0.00012", "decimal(5,5)", "0.00012", NULL},
    {"numeric(1000,1000)", "0.5", "decimal(1000,1000)", "0.5", NULL},
    {"numeric", "1/3::numeric", "decimal(76,38)", "0.33333333333333333333", "numeric at the source, of any number of"},
    {"numeric(1000,-1000)", "0", "decimal(76,38)", "0", "numeric(1000,-1000) at the source, of any"},
    {"money", "12.5", "text", "$12.50", "money at the source"},
    {"char(5)", "'ab'", "char(5)", "ab", NULL},
    {"char", "'x'", "char(1)", "x", NULL},
    {"bpchar", "'ab  '", "text", "ab", NULL},
    {"varchar(20)", "'Zoë'", "varchar(20)", "Zoë", NULL},
    {"varchar", "'a '", "text", "a ", NULL},
    {"text", "''", "text", "", NULL},
    {"name", "'n'", "text", "n", NULL},
    {"\"char\"", "'c'", "text", "c", "\"char\" at the source"},
    {"date", "'2024-02-29'", "date", "2024-02-29", NULL},
    {"time", "'12:34:56.5'", "time", "12:34:56.500000", NULL},
    {"time(0)", "'12:34:56'", "time", "12:34:56", NULL},
    {"timetz", "'12:34:56+02'", "timetz", "12:34:56+02:00", NULL},
    {"timestamp", "'infinity'", "timestamp", "infinity", NULL},
    {"timestamp(3)", "'2024-02-29 01:02:03'", "timestamp", "2024-02-29 01:02:03", NULL},
    {"timestamptz", "'2024-02-29 01:02:03+02'", "timestamptz", "2024-02-28 23:02:03+00:00", NULL},
    {"timestamptz(0)", "'2024-02-29 01:02:03Z'", "timestamptz", "2024-02-29 01:02:03+00:00", NULL},
    {"interval", "'1 year 2 days 3 s'", "interval", "P1Y2DT3S", NULL},
    {"interval year to month", "'1 year'", "interval", "P1Y", NULL},
    {"interval day to second(3)", "'2 days'", "interval", "P2D", NULL},
    {"uuid", "'123e4567-e89b-12d3-a456-426614174000'", "uuid", "123e4567-e89b-12d3-a456-426614174000", NULL},
    {"json", "'{\"b\":1, \"a\":[]}'", "json", "{\"b\":1, \"a\":[]}", NULL},
    {"jsonb", "'{\"b\":1,\"a\":[]}'", "json", "{\"a\": [], \"b\": 1}", NULL},
    {"bytea", "'\\x00ff'", "binary", "00ff", NULL},
    {"int4[]", "'{1,NULL,3}'", "array(integer)", "{1,NULL,3}", NULL},
    {"int4[][]", "'{{1,2},{3,4}}'", "array(integer)", "{{1,2},{3,4}}", NULL},
    {"varchar(3)[]", "'{a,b}'", "array(varchar(3))", "{a,b}", NULL},
    {"numeric(10,2)[]", "'{1.5}'", "array(decimal(10,2))", "{1.50}", NULL},
    {"timestamp(3)[]", "'{2024-02-29 01:02:03}'", "array(timestamp)", "{\"2024-02-29 01:02:03\"}", NULL},
    {"inet[]", "'{10.0.0.1}'", "array(text)", "{10.0.0.1}", "inet[] at the source"},
    {"xml", "'<a/>'", "text", "<a/>", "xml at the source"},
    {"inet", "'10.0.0.1/8'", "text", "10.0.0.1/8", "inet at the source"},
    {"cidr", "'10.0.0.0/8'", "text", "10.0.0.0/8", "cidr at the source"},
    {"macaddr", "'08:00:2b:01:02:03'", "text", "08:00:2b:01:02:03", "macaddr at the source"},
    {"macaddr8", "'08:00:2b:01:02:03:04:05'", "text", "08:00:2b:01:02:03:04:05", "macaddr8 at the source"},
    {"bit(3)", "B'101'", "text", "101", "bit(3) at the source"},
    {"varbit", "B'1'", "text", "1", "bit varying at the source"},
    {"int4range", "'[1,5)'", "text", "[1,5)", "int4range at the source"},
    {"nummultirange", "'{[1,2]}'", "text", "{[1,2]}", "nummultirange at the source"},
    {"tsvector", "'a b'", "text", "'a' 'b'", "tsvector at the source"},
    {"tsquery", "'a & b'", "text", "'a' & 'b'", "tsquery at the source"},
    {"oid", "4294967295", "text", "4294967295", "oid at the source"},
    {"regclass", "'pg_class'", "text", "pg_class", "regclass at the source"},
    {"tid", "'(1,2)'", "text", "(1,2)", "tid at the source"},
    {"int2vector", "'1 2'", "text", "1 2", "int2vector at the source"},
    {"pg_lsn", "'0/10'", "text", "0/10", "pg_lsn at the source"},
    {"point", "'(1,2)'", "text", "(1,2)", "point at the source"},
    {"mood", "'so, so'", "text", "so, so", "enum mood at the source: sad, so, so, happy"},
    {"mood[]", "'{sad}'", "array(text)", "{sad}", "mood[] at the source"},
    {"other.\"Odd Mood\"", "'x'", "text", "x", "enum other.\"Odd Mood\" at the source: x"},
    {"positive", "12.5", "decimal(10,2)", "12.5", "domain positive at the source: CHECK ((VALUE > (0)::numeric))"},
    {"small", "3.25", "decimal(10,2)", "3.25",
     "domain small at the source: CHECK (((VALUE)::numeric < (100)::numeric)); domain positive at "},
    {"address", "'10.0.0.1'", "text", "10.0.0.1/32", "domain address at the source; inet at the source"},
    {"numbers", "'{1}'", "array(integer)", "{1}", "domain numbers at the source"},
    {"positive[]", "'{1}'", "array(decimal(10,2))", "{1.00}", "positive[] at the source"},
    {"pair", "ROW(1, 'b')", "text", "(1,b)", "pair at the source"},
    {"floats", "'[1,2)'", "text", "[1,2)", "floats at the source"},
    {"hstore", "'a=>1'", "text", "\"a\"=>\"1\"", "hstore at the source"},
    {"citext", "'Ab'", "text", "Ab", "citext at the source"},
};

static const char TYPES_MADE[] =
    "CREATE SCHEMA other; CREATE TYPE mood AS ENUM ('sad', 'so, so', 'happy'); "
    "CREATE TYPE other.\"Odd Mood\" AS ENUM ('x'); CREATE DOMAIN positive AS numeric(10,2) CHECK (VALUE > 0); "
    "CREATE DOMAIN small AS positive CHECK (VALUE < 100); CREATE DOMAIN address AS inet; "
    "CREATE DOMAIN numbers AS int[]; CREATE TYPE pair AS (a int, b text); CREATE TYPE floats AS RANGE (subtype = float8)";

// The shape of a dataset as the model says it, every column read under its name.
static const ds_shape *shape_of(const world *w, const ds_dataset *from)
{
    ds_error err = {0};
    const ds_shape *shape;
    ds_shape_column *columns = ARENA_ARRAY(w->arena, ds_shape_column, from->columns.n);
    for (size_t i = 0; i < from->columns.n; i++)
        columns[i] = (ds_shape_column){.name = from->columns.v[i].name,
                                       .source = from->columns.v[i].rest->source,
                                       .type = from->columns.v[i].type};
    OK(shape_new(w->arena, columns, from->columns.n, NULL, 0, &shape, &err));
    return shape;
}

// All rows of the dataset's table.
static void read_rows(world *w, const ds_dataset *from, const ds_shape *shape, ds_rows *rows)
{
    ds_error err = {0};
    CLEANUP(sql_release) ds_sql select = sql_new(w->db->dialect);
    SQL(&select, "SELECT ");
    sql_columns_to_read(&select, shape, true);
    SQL(&select, " FROM ");
    sql_relation(&select,
                 (ds_relation){"public", from->rest->source.table.s ? from->rest->source.table.s : from->name});
    ds_reader *reader = NULL;
    bool more = true;
    OK(w->db->driver->read_open(w->db, &(ds_read){.select = &select, .shape = shape}, &reader, &err));
    while (more)
        OK(w->db->driver->read_next(reader, rows, 1000, 1 << 20, &more, &err));
    w->db->driver->read_close(reader);
}

static void make_types(const world *w)
{
    pg_exec_super(&w->postgres, "CREATE EXTENSION hstore; CREATE EXTENSION citext");
    pg_exec_text(&w->postgres, TYPES_MADE);
    CLEANUP(buf_release) ds_buf sql = BUF_INIT(1 << 20);
    buf_puts(&sql, "CREATE TABLE t (id int PRIMARY KEY");
    for (size_t i = 0; i < COUNT(TYPES); i++)
        buf_printf(&sql, ", c%zu %s", i, TYPES[i].declared);
    buf_puts(&sql, "); INSERT INTO t VALUES (1");
    for (size_t i = 0; i < COUNT(TYPES); i++)
        buf_printf(&sql, ", %s", TYPES[i].value);
    buf_puts(&sql, ")");
    pg_exec_text(&w->postgres, buf_text(&sql));
}

static void types(void **state)
{
    world *w = *state;
    make_types(w);
    import(w, &WHOLE);
    const ds_dataset *t = dataset(w, "t");
    const ds_shape *shape = shape_of(w, t);
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    read_rows(w, t, shape, &rows);
    assert_int_equal(rows.n, 1);
    ds_cell *cells = ARENA_ARRAY(w->arena, ds_cell, shape->n);
    row_cells(shape, rows_row(&rows, 0), cells);
    for (size_t i = 0; i < COUNT(TYPES); i++) {
        char name[16];
        snprintf(name, sizeof name, "c%zu", i);
        const ds_column *column = dataset_column(t, name);
        CLEANUP(buf_release) ds_buf read = BUF_INIT(1 << 20);
        value_print(column->type, cells[shape_find(shape, name)], &read);
        const char *type = type_of(w, t, name), *note = column->rest->description ? column->rest->description : "";
        if (strcmp(type, TYPES[i].type) != 0 || strcmp(buf_text(&read), TYPES[i].read) != 0 ||
            (TYPES[i].note ? strncmp(note, TYPES[i].note, strlen(TYPES[i].note)) != 0 : note[0] != '\0'))
            fail_msg("%s: %s, read as \"%s\", note \"%s\"", TYPES[i].declared, type, buf_text(&read), note);
    }
}

// Whatever the server has: each of its types that a column can have, and their arrays.
static void all_builtin_types(void **state)
{
    world *w = *state;
    pg_exec_super(&w->postgres,
                  "CREATE TABLE every (); INSERT INTO every DEFAULT VALUES; DO $$ DECLARE t record; BEGIN "
                  "FOR t IN SELECT oid, row_number() OVER () AS n, format_type(oid, NULL) AS name FROM pg_type "
                  "WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm') AND typrelid = 0 "
                  "LOOP BEGIN EXECUTE format('ALTER TABLE every ADD c%s %s', t.n, t.name); "
                  "EXCEPTION WHEN invalid_table_definition THEN NULL; END; END LOOP; END $$; "
                  "GRANT SELECT ON every TO PUBLIC");
    import(w, &WHOLE);
    const ds_dataset *every = dataset(w, "every");
    assert_true(every->columns.n > 100);
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    read_rows(w, every, shape_of(w, every), &rows);
    assert_int_equal(rows.n, 1);
}

// --- keys and tables

static void keys(void **state)
{
    world *w = *state;
    pg_exec_text(
        &w->postgres,
        "CREATE TABLE plain (b int, a int, c text, PRIMARY KEY (a, b) INCLUDE (c)); "
        "CREATE TABLE by_index (x int, y int NOT NULL, z int NOT NULL, UNIQUE (x), UNIQUE (y, z)); "
        "CREATE UNIQUE INDEX best ON by_index (z) INCLUDE (x); "
        "COMMENT ON TABLE by_index IS 'What\nit is'; COMMENT ON COLUMN by_index.z IS 'the last'; "
        "CREATE TABLE weak (x int NOT NULL, y int, UNIQUE (y)); "
        "CREATE UNIQUE INDEX partial ON weak (x) WHERE x > 0; CREATE UNIQUE INDEX expression ON weak ((x + 1)); "
        "CREATE TABLE parts (id int, at date, PRIMARY KEY (at, id)) PARTITION BY RANGE (at); "
        "CREATE TABLE parts_2024 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); "
        "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (extra int) INHERITS (parent); "
        "CREATE TABLE made (a int PRIMARY KEY, twice int GENERATED ALWAYS AS (a * 2) STORED, dropped int); "
        "ALTER TABLE made DROP dropped; COMMENT ON TABLE made IS '  '");
    import(w, &WHOLE);
    const struct {
        const char *table;
        const char *key[2];
        const char *description;
    } CASES[] = {
        {"plain", {"a", "b"}, NULL},
        {"by_index", {"z"}, "What\nit is (its key is that of the unique index \"best\")"},
        {"weak", {NULL}, NULL},
        {"parts", {"at", "id"}, NULL},
        {"parent", {NULL}, "shows the rows of tables that inherit from it as well, which its key says nothing of"},
        {"child", {NULL}, NULL},
        {"made", {"a"}, NULL},
    };
    assert_int_equal(w->summary.tables, COUNT(CASES));
    assert_int_equal(w->summary.keyless, 3);
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const ds_dataset *found = dataset(w, CASES[i].table);
        const ds_column *key[8];
        size_t n = dataset_is_keyless(found) ? 0 : dataset_key(found, key);
        for (size_t k = 0; k < COUNT(CASES[i].key); k++)
            assert_text(k < n ? key[k]->name : NULL, CASES[i].key[k]);
        assert_text(found->description.s, CASES[i].description);
    }
    assert_text(dataset_column(dataset(w, "by_index"), "z")->rest->description, "the last");
    assert_true(dataset_column(dataset(w, "by_index"), "y")->not_null);
    assert_false(dataset_column(dataset(w, "by_index"), "x")->not_null);
    assert_int_equal(dataset(w, "made")->columns.n, 2);
    assert_text(model_container(w->model, "ShopDB")->schema.s, "public");
    assert_null(dataset(w, "plain")->rest->source.schema.s);
}

// The driver's own catalogue: what an index includes beside its key is no part of the key.
static void included_columns(void **state)
{
    world *w = *state;
    ds_error err = {0};
    pg_exec_text(&w->postgres, "CREATE TABLE plain (b int, a int, c text, PRIMARY KEY (a, b) INCLUDE (c))");
    connect_as(w, w->postgres.role);
    const ds_catalog_table *found;
    OK(store_describe(w->db, w->arena, (ds_relation){"public", "plain"}, &found, &err));
    assert_int_equal(found->n, 3);
    assert_int_equal(found->columns[0].key, 2);
    assert_int_equal(found->columns[1].key, 1);
    assert_int_equal(found->columns[2].key, 0);
}

static void views(void **state)
{
    world *w = *state;
    pg_exec_super(&w->postgres, "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; "
                                "CREATE FOREIGN TABLE f (a int) SERVER files OPTIONS (filename '/dev/null'); "
                                "GRANT SELECT ON f TO PUBLIC");
    pg_exec_text(&w->postgres, "CREATE TABLE t (id int PRIMARY KEY); CREATE VIEW v AS SELECT id, id::text AS b FROM t; "
                               "COMMENT ON VIEW v IS 'Seen'; CREATE MATERIALIZED VIEW m AS SELECT id FROM t; "
                               "CREATE UNIQUE INDEX ON m (id)");
    import(w, &WHOLE);
    assert_int_equal(w->summary.tables, 1);
    assert_int_equal(w->summary.views, 3);
    assert_int_equal(w->summary.left_out, 0);
    assert_says(w, "\n# not imported: public.f: a foreign table, which --views imports\n");
    assert_says(w, "\n# not imported: public.m: a materialized view, which --views imports\n");
    assert_says(w, "\n# not imported: public.v: a view, which --views imports\n");
    ds_import_options all = WHOLE;
    all.views = true;
    import(w, &all);
    assert_int_equal(w->summary.tables, 4);
    assert_int_equal(w->summary.views, 0);
    assert_int_equal(w->summary.keyless, 3);
    assert_text(dataset(w, "v")->description.s, "Seen (a view at the source)");
    assert_text(dataset(w, "m")->description.s, "a materialized view at the source");
    assert_text(dataset(w, "f")->description.s, "a foreign table at the source");
}

static void schemas(void **state)
{
    world *w = *state;
    pg_exec_text(&w->postgres,
                 "CREATE SCHEMA \"Old Shop\"; CREATE SCHEMA new; CREATE TABLE public.orders (id int PRIMARY KEY); "
                 "CREATE TABLE \"Old Shop\".\"Orders\" (id int PRIMARY KEY); CREATE TABLE new.public_orders (id int); "
                 "CREATE TABLE new.lines (id int); CREATE TEMP TABLE gone (id int)");
    import(w, &WHOLE);
    const struct {
        const char *name, *schema, *table;
    } CASES[] = {{"Old_Shop_Orders", "Old Shop", "Orders"},
                 {"lines", "new", NULL},
                 {"public_orders", "new", NULL},
                 {"public_orders_2", "public", "orders"}};
    assert_int_equal(w->summary.tables, COUNT(CASES));
    for (size_t i = 0; i < COUNT(CASES); i++) {
        assert_text(dataset(w, CASES[i].name)->rest->source.schema.s, CASES[i].schema);
        assert_text(dataset(w, CASES[i].name)->rest->source.table.s, CASES[i].table);
    }
    assert_null(model_container(w->model, "ShopDB")->schema.s);
    ds_import_options one = WHOLE;
    one.schemas = "Old*";
    import(w, &one);
    assert_int_equal(w->summary.tables, 1);
    assert_text(dataset(w, "Orders")->rest->source.schema.s, NULL);
    assert_text(model_container(w->model, "ShopDB")->schema.s, "Old Shop");
    one.schemas = NULL;
    one.tables = "l*";
    import(w, &one);
    assert_int_equal(w->summary.tables, 1);
}

// --- what can't be imported

static void reasons(void **state)
{
    world *w = *state;
    pg_exec_super(&w->postgres, "CREATE TABLE hidden (id int); CREATE SCHEMA closed; CREATE TABLE closed.t (id int); "
                                "CREATE TABLE half (a int, b int); GRANT SELECT (a) ON half TO PUBLIC; "
                                "CREATE TABLE guarded (id int); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; "
                                "CREATE POLICY few ON guarded USING (id > 1); GRANT SELECT ON guarded TO PUBLIC; "
                                "CREATE TABLE \"evil\nkind: Ecosystem\r\xc2\x85\xe2\x80\xa8\xe2\x80\xae#\" (a int)");
    pg_exec_text(&w->postgres, "CREATE TABLE empty (); CREATE TABLE t (id int PRIMARY KEY, \"x\n# y: |\" int); "
                               "COMMENT ON TABLE t IS E'a\\n---\\nkind: \"Ecosystem\"\\t\\x01 \\u2028'; "
                               "COMMENT ON COLUMN t.id IS E'}\\n# \\''");
    import(w, &WHOLE);
    assert_int_equal(w->summary.tables, 1);
    assert_int_equal(w->summary.left_out, 6);
    const char *const REASONS[] = {
        "hidden: no SELECT right", "half: no SELECT right", "guarded: a policy hides rows from",
        "evil\\nkind: Ecosystem\\x0d\\xc2\\x85\\xe2\\x80\\xa8\\xe2\\x80\\xae#: no SELECT right for"};
    for (size_t i = 0; i < COUNT(REASONS); i++)
        assert_says(w, arena_printf(w->arena, "\n# not imported: public.%s", REASONS[i]));
    assert_says(w, "\n# not imported: public.empty: it has no columns\n");
    assert_says(w, arena_printf(w->arena, "\n# not imported: closed.t: no USAGE right on its schema for role %s\n",
                                w->postgres.role));
    assert_int_equal(w->model->ecosystems.n, 1);
    assert_text(dataset(w, "t")->description.s, "a\n---\nkind: \"Ecosystem\"\t\x01 \xe2\x80\xa8");
    assert_text(dataset(w, "t")->columns.v[1].rest->source, "x\n# y: |");
    assert_text(dataset_column(dataset(w, "t"), "id")->rest->description, "}\n# '");
}

// Nothing left is no model.
static void nothing(void **state)
{
    world *w = *state;
    ds_error err = {0};
    postgres_survey survey;
    CLEANUP(buf_release) ds_buf out = BUF_INIT(IMPORT_TEXT_MAX);
    connect_as(w, w->postgres.role);
    OK(postgres_survey_read(w->db, w->arena, &survey, &err));
    FAILS(import_postgres(&WHOLE, &survey, w->arena, &out, &w->summary, &err), DS_USAGE, "the database has no tables");
    pg_exec_text(&w->postgres, "CREATE VIEW v AS SELECT 1 AS a");
    OK(postgres_survey_read(w->db, w->arena, &survey, &err));
    FAILS(import_postgres(&WHOLE, &survey, w->arena, &out, &w->summary, &err), DS_FINDING,
          "nothing to import: 1 left out");
    HINTS("public.v: a view, which --views imports");
    ds_import_options other = WHOLE;
    other.schemas = "x*";
    FAILS(import_postgres(&other, &survey, w->arena, &out, &w->summary, &err), DS_USAGE, "matches \"x*\"");
}

// --- extensions that are seldom installed

static void types_of_extensions(void **state)
{
    world *w = *state;
    ds_error err = {0};
    const postgres_type known[] = {{.oid = 1, .name = "geometry", .shown = "geometry", .extension = "postgis"},
                                   {.oid = 2, .name = "geography", .shown = "geography", .extension = "postgis"},
                                   {.oid = 3, .name = "vector", .shown = "vector", .extension = "vector"},
                                   {.oid = 4, .name = "geometry", .shown = "geometry"}};
    const struct {
        uint32_t type;
        const char *declared, *expected;
    } CASES[] = {
        {1, "geometry(Point,4326)", "geography(point,4326)"},
        {1, "geometry(PointZ,4326)", "geography"},
        {1, "geometry", "geography"},
        {2, "geography(Polygon,4326)", "geography(polygon,4326)"},
        {3, "vector(3)", "vector(3)"},
        {3, "vector", "text"},
        {4, "geometry", "text"},
        {5, "unheard_of", "text"},
    };
    postgres_column columns[COUNT(CASES)];
    for (size_t i = 0; i < COUNT(CASES); i++)
        columns[i] = (postgres_column){.name = arena_printf(w->arena, "c%zu", i),
                                       .declared = CASES[i].declared,
                                       .type = CASES[i].type};
    const postgres_table table = {.relation = {"public", "t"},
                                  .kind = 'r',
                                  .may_use = true,
                                  .may_select = true,
                                  .columns = columns,
                                  .n = COUNT(CASES)};
    const postgres_survey survey = {.role = "me", .tables = &table, .n = 1, .types = known, .type_count = COUNT(known)};
    OK(import_postgres(&WHOLE, &survey, w->arena, &w->yaml, &w->summary, &err));
    load(w);
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_text(type_of(w, dataset(w, "t"), columns[i].name), CASES[i].expected);
}

// --- where it is

static void place(void **state)
{
    world *w = *state;
    connect_as(w, w->postgres.role);
    ds_target said = {.type = "postgres", .host = "alias", .port = 1234, .database = "d"},
              unsaid = {.type = "postgres"};
    postgres_where(w->db, w->arena, &said);
    assert_text(said.host, "alias");
    assert_text(said.database, "d");
    assert_int_equal(said.port, 1234);
    postgres_where(w->db, w->arena, &unsaid);
    assert_text(unsaid.host, w->postgres.host);
    assert_text(unsaid.database, w->postgres.name);
    assert_int_equal(unsaid.port, 0); // the usual one
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(bad_urls),
        cmocka_unit_test(hidden_urls),
        cmocka_unit_test_setup_teardown(types, setup, teardown),
        cmocka_unit_test_setup_teardown(all_builtin_types, setup, teardown),
        cmocka_unit_test_setup_teardown(keys, setup, teardown),
        cmocka_unit_test_setup_teardown(included_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(views, setup, teardown),
        cmocka_unit_test_setup_teardown(schemas, setup, teardown),
        cmocka_unit_test_setup_teardown(reasons, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(types_of_extensions, setup, teardown),
        cmocka_unit_test_setup_teardown(place, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
