// gate/import.h: a catalogue becomes a model that lints clean, whatever its names and types.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gate/import.h"
#include "gate/lint.h"
#include "model/lookup.h"
#include "yellow/platform.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const ds_target TARGET = {.type = "sqlite", .path = "data/shop.db"};

static void types(void **state)
{
    (void)state;
    const struct {
        const char *declared, *type;
        bool guessed;
    } CASES[] = {
        {"INT", "bigint", false},
        {"INTEGER", "bigint", false},
        {"int(11)", "bigint", false},
        {"UNSIGNED BIG INT", "bigint", false},
        {"INT8", "bigint", false},
        {"MEDIUMINT", "integer", false},
        {"SMALLINT", "smallint", false},
        {"TINYINT(1)", "smallint", false},
        {"NVARCHAR(120)", "nvarchar(120)", false},
        {"nvarchar ( 120 )", "nvarchar(120)", false},
        {"VARCHAR(20)", "varchar(20)", false},
        {"VARCHAR", "text", false},
        {"character  varying(8)", "varchar(8)", false},
        {"CHARACTER(20)", "char(20)", false},
        {"CHAR", "varchar", false},
        {"NCHAR(3)", "nchar(3)", false},
        {"VARCHAR(0)", "text", false},
        {"VARCHAR(99999999999999)", "text", false},
        {"VARCHAR(x)", "text", false},
        {"TEXT", "text", false},
        {"CLOB", "text", false},
        {"DATETIME", "timestamp", false},
        {"TIMESTAMP", "timestamp", false},
        {"DATE", "date", false},
        {"TIME", "time", false},
        {"NUMERIC(10,2)", "decimal(10,2)", false},
        {"DECIMAL(10, 5)", "decimal(10,5)", false},
        {"NUMBER(8)", "decimal(8,0)", false},
        {"NUMERIC", "double", false},
        {"DECIMAL", "double", false},
        {"DECIMAL(2,10)", "double", false},
        {"MONEY", "decimal(19,4)", false},
        {"REAL", "double", false},
        {"DOUBLE PRECISION", "double", false},
        {"FLOAT", "double", false},
        {"FLOAT(24)", "double", false},
        {"BLOB", "binary", false},
        {"BOOLEAN", "boolean", false},
        {"UUID", "uuid", false},
        {"JSON", "json", false},
        {"uinteger", "uinteger", false},
        {"vector(3)", "vector(3)", false},
        {"array(integer)", "array(integer)", false},
        {"", "text", true},
        {"POINT", "bigint", true}, // sic: "the type contains INT"
        {"LONGVARCHAR", "text", true},
        {"FOO", "double", true},
        {"ANY", "text", true},
        {"FOO BLOB", "binary", true},
        {"STRINGLY(", "double", true},
        {"((((", "text", true},
    };
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    for (size_t i = 0; i < COUNT(CASES); i++) {
        bool guessed;
        const char *type = import_type(arena, CASES[i].declared, &guessed);
        if (strcmp(type, CASES[i].type) != 0 || guessed != CASES[i].guessed)
            fail_msg("\"%s\": %s%s", CASES[i].declared, type, guessed ? ", guessed" : "");
    }
}

static void names(void **state)
{
    (void)state;
    char long_name[200], cut[129];
    memset(long_name, 'x', sizeof long_name);
    long_name[sizeof long_name - 1] = '\0';
    memset(cut, 'x', sizeof cut);
    cut[sizeof cut - 1] = '\0';
    const struct {
        const char *text, *name;
    } CASES[] = {
        {"orders", "orders"},
        {"Order Details", "Order_Details"},
        {"a__b", "a__b"},
        {"a - b", "a_b"},
        {"_x_", "x"},
        {"2020", "table_2020"},
        {"", "table"},
        {"\xE8\xA1\xA8", "table"},
        {"Gr\xC3\xB6\xC3\x9F"
         "e",
         "Gr_e"},
        {"a\"b'c", "a_b_c"},
        {"drop table x; --", "drop_table_x"},
        {long_name, cut},
    };
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_string_equal(import_legal_name(arena, CASES[i].text, "table"), CASES[i].name);
}

typedef struct imported {
    ds_arena *arena;
    ds_buf yaml;
    ds_import_summary summary;
    ds_model *model;
    ds_diags *diags;
} imported;

static imported import(const ds_import_options *options, const ds_catalog_table *tables, size_t n)
{
    imported r = {.arena = arena_new(), .yaml = BUF_INIT(IMPORT_TEXT_MAX)};
    ds_error err = {0};
    if (import_catalog(options, tables, n, r.arena, &r.yaml, &r.summary, &err).code != DS_OK)
        fail_msg("%s", err.text);
    const char *path = "shop.yaml";
    ds_str text = buf_str(&r.yaml);
    assert_int_equal(model_load_texts(&path, &text, 1, NULL, &r.model, &r.diags, &err).code, DS_OK);
    return r;
}

// Only that nobody has classified anything yet.
static void assert_clean(imported *r)
{
    const ds_platform_type *const types_known[] = {yellow_platform_type()};
    lint_model(r->model, (ds_platform_types){types_known, 1}, r->diags);
    for (size_t i = 0; i < diags_count(r->diags); i++)
        if (strcmp(diags_at(r->diags, i)->rule, "L021") != 0)
            fail_msg("%s %s\n%s", diags_at(r->diags, i)->rule, diags_at(r->diags, i)->message, buf_text(&r->yaml));
}

static void imported_free(imported *r)
{
    diags_free(r->diags);
    model_free(r->model);
    buf_release(&r->yaml);
    arena_free(r->arena);
}

#define COLUMN(name_, type_, not_null_, key_)                                                                          \
    {                                                                                                                  \
        .name = (name_), .declared = (type_), .not_null = (not_null_), .key = (key_)                                   \
    }
static const ds_catalog_column ORDERS[] = {COLUMN("id", "INTEGER", true, 1), COLUMN("total", "NUMERIC(10,2)", true, 0),
                                           COLUMN("note", "TEXT", false, 0)};
static const ds_catalog_column LOG[] = {COLUMN("at", "DATETIME", false, 0), COLUMN("what", "", false, 0)};
static const ds_catalog_column LINES[] = {COLUMN("line", "INT", true, 2), COLUMN("order", "INT", true, 1),
                                          COLUMN("qty", "INT", false, 0)};
// Every name that could go wrong.
static const ds_catalog_column ODD[] = {
    COLUMN("no", "INT", true, 1),         COLUMN("On", "INT", false, 0),         COLUMN("ON", "INT", false, 0),
    COLUMN("ds_hash", "BLOB", false, 0),  COLUMN("Town Name", "TEXT", false, 0), COLUMN("Town:Name", "TEXT", false, 0),
    COLUMN("a: b # c", "TEXT", false, 0), COLUMN("null", "TEXT", false, 0),      COLUMN("1st", "POINT", false, 0),
    COLUMN("\n", "TEXT", false, 0),       COLUMN("*x", "VARCHAR(3) ", false, 0), COLUMN("Ds_Op", "TEXT", false, 0),
    COLUMN("", "TEXT", false, 0),         COLUMN("dS_x", "TEXT", false, 0),
};
#define TABLE(name_, columns_)                                                                                         \
    {                                                                                                                  \
        .relation = {"", name_}, .columns = columns_, .n = COUNT(columns_)                                             \
    }
static const ds_catalog_table SHOP[] = {
    TABLE("orders", ORDERS),    TABLE("Order Lines", LINES),
    TABLE("order_lines", ODD),  TABLE("log", LOG),
    TABLE("sqlite_stat1", LOG), {.relation = {"", "v"}, .is_view = true, .columns = LOG, .n = 2},
};

static void whole_model(void **state)
{
    (void)state;
    imported r =
        import(&(ds_import_options){.datastore = "Shop", .target = &TARGET, .whole_model = true}, SHOP, COUNT(SHOP));
    assert_clean(&r);
    assert_true(str_starts(buf_str(&r.yaml), STR("# yaml-language-server: $schema=datasurface.schema.json\n")));
    assert_int_equal(r.summary.tables, 4);
    assert_int_equal(r.summary.views, 1);
    assert_int_equal(r.summary.keyless, 1);
    assert_int_equal(r.summary.guessed, 2);
    const ds_datastore *store = model_datastore(r.model, "Shop");
    assert_string_equal(store->team.s, "Main/data");
    assert_int_equal(store->datasets.n, 4);
    const ds_group *live = workspace_group(model_workspace(r.model, "Explore"), "live");
    const ds_group *history = workspace_group(model_workspace(r.model, "Explore"), "history");
    assert_int_equal(live->sinks.n, 4);
    assert_int_equal(history->sinks.n, 3); // rows of log have no key
    assert_true(dataset_is_keyless(datastore_dataset(store, "log")));
    const ds_container *db = model_container(r.model, "ShopDB");
    assert_string_equal(db->path.s, "data/shop.db");
    imported_free(&r);
}

static void keys_and_names(void **state)
{
    (void)state;
    imported r =
        import(&(ds_import_options){.datastore = "Shop", .target = &TARGET, .team = "USA/shop"}, SHOP, COUNT(SHOP));
    assert_int_equal(r.model->ecosystems.n + r.model->workspaces.n + r.model->services.n, 0);
    assert_int_equal(diags_count(r.diags), 0);
    const ds_datastore *store = model_datastore(r.model, "Shop");
    const ds_dataset *lines = datastore_dataset(store, "Order_Lines");
    const ds_column *key[8];
    assert_int_equal(dataset_key(lines, key), 2);
    assert_string_equal(key[0]->name, "order");
    assert_string_equal(lines->rest->source.table.s, "Order Lines");
    const ds_dataset *odd = datastore_dataset(store, "order_lines_2"); // order_lines but for its case
    assert_string_equal(odd->rest->source.table.s, "order_lines");
    const struct {
        const char *name, *source;
    } COLUMNS[] = {{"no", NULL},
                   {"On", NULL},
                   {"ON_2", "ON"},
                   {"source_ds_hash", "ds_hash"},
                   {"Town_Name", "Town Name"},
                   {"Town_Name_2", "Town:Name"},
                   {"a_b_c", "a: b # c"},
                   {"null", NULL},
                   {"column_1st", "1st"},
                   {"column", "\n"},
                   {"x", "*x"},
                   {"source_Ds_Op", "Ds_Op"},
                   {"source_dS_x", "dS_x"}};
    assert_int_equal(odd->columns.n, COUNT(COLUMNS));
    for (size_t i = 0; i < COUNT(COLUMNS); i++) {
        assert_string_equal(odd->columns.v[i].name, COLUMNS[i].name);
        if (COLUMNS[i].source)
            assert_string_equal(odd->columns.v[i].rest->source, COLUMNS[i].source);
        else
            assert_null(odd->columns.v[i].rest->source);
    }
    assert_string_equal(dataset_column(odd, "column_1st")->rest->description,
                        "declared as \"POINT\", which SQLite's affinity makes bigint");
    assert_int_equal(r.summary.skipped, 1);
    assert_non_null(strstr(buf_text(&r.yaml), "\n# order_lines_2: 1 column is left out, because"));
    imported_free(&r);
}

// A key that has lost a column is none; a table without a named column is left out.
static void nameless_columns(void **state)
{
    (void)state;
    const ds_catalog_column half[] = {COLUMN("", "INT", true, 1), COLUMN("b", "INT", true, 2),
                                      COLUMN("c", "INT", false, 0)};
    const ds_catalog_column none[] = {COLUMN("", "INT", true, 1)};
    const ds_catalog_table tables[] = {TABLE("none", none), TABLE("half", half)};
    imported r = import(&(ds_import_options){.datastore = "Shop", .target = &TARGET, .whole_model = true}, tables, 2);
    assert_clean(&r);
    assert_int_equal(r.summary.tables, 1);
    assert_int_equal(r.summary.keyless, 1);
    assert_true(dataset_is_keyless(datastore_dataset(model_datastore(r.model, "Shop"), "half")));
    imported_free(&r);
}

static void chosen_tables(void **state)
{
    (void)state;
    imported r =
        import(&(ds_import_options){.datastore = "Shop", .target = &TARGET, .team = "USA/shop", .tables = "ord*"}, SHOP,
               COUNT(SHOP));
    assert_int_equal(r.summary.tables, 2);
    imported_free(&r);
}

static void only_keyless(void **state)
{
    (void)state;
    imported r = import(&(ds_import_options){.datastore = "Shop", .target = &TARGET, .whole_model = true}, &SHOP[3], 1);
    assert_clean(&r);
    assert_null(workspace_group(model_workspace(r.model, "Explore"), "history"));
    imported_free(&r);
}

static void container_of_a_server(void **state)
{
    (void)state;
    const ds_target server = {.type = "postgres", .host = "db.internal", .port = 5433, .database = "shop"};
    imported r = import(&(ds_import_options){.datastore = "Shop",
                                             .target = &server,
                                             .whole_model = true,
                                             .container = "MergeDB",
                                             .credential = "shop_ro"},
                        SHOP, 1);
    assert_clean(&r);
    const ds_container *db = model_container(r.model, "MergeDB");
    assert_string_equal(db->host.s, "db.internal");
    assert_int_equal(db->port.v, 5433);
    assert_non_null(model_container(r.model, "MergeDB_2"));
    assert_string_equal(model_datastore(r.model, "Shop")->capture.credential.s, "shop_ro");
    imported_free(&r);
}

static void refusals(void **state)
{
    (void)state;
    const ds_catalog_column bad[] = {COLUMN("\xFF\xFE", "TEXT", true, 1)};
    const ds_catalog_table broken[] = {TABLE("t", bad)};
    const struct {
        ds_import_options options;
        const ds_catalog_table *tables;
        size_t n;
        const char *message;
    } CASES[] = {
        {{.datastore = "Shop", .target = &TARGET, .team = "USA/shop"}, SHOP, 0, "the database has no tables"},
        {{.datastore = "Shop", .target = &TARGET, .team = "USA/shop", .tables = "x*"},
         SHOP,
         3,
         "no table matches \"x*\""},
        {{.datastore = "Shop", .target = &TARGET}, SHOP, 1, "\"\" is not a team"},
        {{.datastore = "Shop", .target = &TARGET, .team = "shop"}, SHOP, 1, "\"shop\" is not a team"},
        {{.datastore = "my shop", .target = &TARGET, .team = "USA/shop"}, SHOP, 1, "\"my shop\" is not a legal name"},
        {{.datastore = "Shop", .target = &TARGET, .team = "USA/shop"},
         broken,
         1,
         "a name in the catalogue is not UTF-8, as a model must be"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        CLEANUP(arena_freep) ds_arena *arena = arena_new();
        CLEANUP(buf_release) ds_buf out = BUF_INIT(IMPORT_TEXT_MAX);
        ds_import_summary summary;
        ds_error err = {0};
        assert_int_not_equal(
            import_catalog(&CASES[i].options, CASES[i].tables, CASES[i].n, arena, &out, &summary, &err).code, DS_OK);
        assert_string_equal(err.text, CASES[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types),
        cmocka_unit_test(names),
        cmocka_unit_test(whole_model),
        cmocka_unit_test(keys_and_names),
        cmocka_unit_test(nameless_columns),
        cmocka_unit_test(chosen_tables),
        cmocka_unit_test(only_keyless),
        cmocka_unit_test(container_of_a_server),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
