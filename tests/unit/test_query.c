// image/query.h: SQL that somebody else wrote reads the tables of tables.h, and does nothing else.
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "image/query.h"

enum { TEXT_MAX = 1 << 20 };

typedef struct world {
    ds_tree *tree;
    ds_image_writer *writer;
    ds_image *image;
} world;

static void world_release(world *w)
{
    image_closep(&w->image);
    image_writer_closep(&w->writer);
    tree_close(w->tree);
}

static void find(const char *path, ds_buf *out)
{
    file_join(out, getenv("DATASURFACE_ROOT"), path);
}

// The example of docs/model.md, in memory.
static world world_new(void)
{
    world w = {0};
    ds_error err;
    ds_model *model;
    ds_diags *diags;
    CLEANUP(buf_release) ds_buf dir = BUF_INIT(FILE_PATH_MAX);
    find("tests/data/example", &dir);
    OK(tree_open_dir(buf_text(&dir), &w.tree, &err));
    OK(image_begin(NULL, &w.writer, &err));
    OK(image_put_tree(w.writer, w.tree, NULL, NULL, &err));
    w.image = image_written(w.writer);
    OK(image_load(w.image, w.tree, &(ds_load_options){".", NULL}, &diags, &model, &err));
    OK(image_put_objects(w.writer, model, &err));
    OK(image_put_findings(w.writer, diags, &err));
    OK(image_finish(w.writer, NULL, &err));
    diags_free(diags);
    model_free(model);
    return w;
}

// Rows as "a|b;c|d;".
static ds_rc ask(const world *w, const char *sql, const volatile int *cancelled, ds_buf *out, ds_error *err)
{
    CLEANUP(query_closep) ds_query *q = NULL;
    TRY(query_open(w->image, sql, cancelled, &q, err));
    for (bool more;;) {
        TRY(query_next(q, &more, err));
        if (!more)
            return DS_DONE;
        for (size_t i = 0; i < query_width(q); i++) {
            ds_query_value value = query_value(q, i);
            buf_printf(out, "%s%s", i ? "|" : "", value.kind == QUERY_NULL ? "-" : "");
            buf_put_str(out, value.text);
        }
        buf_putc(out, ';');
    }
}

static void answers(void **state)
{
    (void)state;
    CLEANUP(world_release) world w = world_new();
    static const struct {
        const char *sql, *rows;
    } CASES[] = {
        {"SELECT name, live FROM ecosystem", "Starter|acme/model@main;"},
        {"SELECT name, cloud, locations FROM vendors", "MyCorp|private|USA/NY_1 USA/NJ_1;"},
        {"SELECT name, defined FROM zones", "USA|1;"},
        {"SELECT name, zone FROM teams ORDER BY 1", "USA/analytics|USA;USA/customer_data|USA;"},
        {"SELECT name, team, service, port FROM containers ORDER BY 1",
         "CustomerDB|USA/customer_data|-|5432;MergeDB|-|Yellow_NY|5432;"},
        {"SELECT name, production, deprecated, producer, datasets FROM stores ORDER BY 1",
         "MaskedCustomers|0|-|MaskCustomers|1;Store1|1|-|-|2;"},
        {"SELECT store, name, place, classification, \"key\", source_table, columns FROM datasets ORDER BY 1, 3",
         "MaskedCustomers|customers|1|pub|id|-|3;Store1|customers|1|cpi|id|-|6;"
         "Store1|addresses|2|-|id|customer_address|3;"},
        {"SELECT name, type, \"key\", not_null, classification, source FROM columns WHERE dataset = 'addresses'",
         "id|varchar(20)|1|1|pub|-;customer_id|varchar(20)|-|1|pub|-;city|varchar(100)|-|1|cpi|Town Name;"},
        {"SELECT count(*) FROM columns", "12;"},
        {"SELECT count(*) FROM columns WHERE store = 'Store1'", "9;"},
        {"SELECT count(*) FROM columns WHERE store = 'Store1' AND dataset = 'customers'", "6;"},
        {"SELECT count(*) FROM columns WHERE store IN ('Store1', 'Store2') AND dataset = name", "0;"},
        {"SELECT count(*) FROM columns c JOIN datasets d ON c.store = d.store AND c.dataset = d.name", "12;"},
        {"SELECT count(DISTINCT rowid) FROM columns", "12;"},
        {"SELECT DISTINCT f.path FROM columns c JOIN files f ON f.id = c.file ORDER BY 1", "customer_data.yaml;"},
        {"SELECT name, team, priority FROM workspaces ORDER BY 1",
         "Consumer1|USA/analytics|high;MaskCustomers|USA/customer_data|medium;"},
        {"SELECT workspace, name, history, retention FROM groups ORDER BY 1, 2",
         "Consumer1|audit|full|7y;Consumer1|live|live|-;MaskCustomers|input|live|-;"},
        {"SELECT dataset_group, store, dataset, allow_deprecated FROM sinks WHERE workspace = 'Consumer1' ORDER BY 1, 2, 3",
         "audit|Store1|addresses|1;audit|Store1|customers|0;live|MaskedCustomers|customers|0;live|Store1|addresses|0;"
         "live|Store1|customers|0;"},
        {"SELECT workspace, name, store, kind FROM transformers", "MaskCustomers|mask|MaskedCustomers|sql;"},
        {"SELECT name, container, defined FROM services", "Yellow_NY|MergeDB|1;"},
        {"SELECT name, milestoning, staging_batches FROM platforms ORDER BY 1",
         "YellowForensic|scd2|-1;YellowLive|scd1|50;"},
        {"SELECT workspace, dataset_group, platform FROM assignments ORDER BY 2",
         "Consumer1|audit|YellowForensic;Consumer1|live|YellowLive;"},
        {"SELECT count(*) FROM diagnostics", "0;"},
        {"WITH document AS (SELECT 1 AS x) SELECT x FROM document; -- a name of our own", "1;"},
        {"SELECT value FROM json_each('[1,2]')", "1;2;"},
        {"SELECT x'0AFF', 1.5, NULL, 'a'", "0aff|1.5|-|a;"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CLEANUP(buf_release) ds_buf out = BUF_INIT(TEXT_MAX);
        ds_error err;
        OK(ask(&w, CASES[i].sql, NULL, &out, &err));
        if (strcmp(buf_text(&out), CASES[i].rows) != 0)
            fail_msg("%s:\n%s\nexpected:\n%s", CASES[i].sql, buf_text(&out), CASES[i].rows);
    }
}

static void refusals(void **state)
{
    (void)state;
    CLEANUP(world_release) world w = world_new();
    static const char ONE_SELECT[] = "only a query may run here";
    static const struct {
        const char *sql, *why;
    } CASES[] = {
        {"", "there is no query"},
        {" -- nothing", "there is no query"},
        {"SELECT 1; SELECT 2", "one query at a time"},
        {"SELECT 1; what", "one query at a time"},
        {"SELEKT 1", "syntax error"},
        {"SELECT colour FROM stores", "no such column"},
        {"SELECT \"colour\" FROM stores", "no such column"},
        {"SELECT * FROM stoers", "no such table: stoers"},
        {"SELECT * FROM document", "no such table: document"},
        {"SELECT * FROM main.dataset", "no such table: dataset"},
        {"SELECT (SELECT count(*) FROM meta)", "no such table: meta"},
        {"SELECT * FROM remark", "no such table: remark"},
        {"SELECT sql FROM sqlite_schema", "no such table: sqlite_master"},
        {"SELECT * FROM sqlite_temp_master", "no such table: sqlite_temp_master"},
        {"DELETE FROM stores", ONE_SELECT},
        {"UPDATE stores SET name = 'x'", ONE_SELECT},
        {"INSERT INTO stores(name) VALUES ('x')", ONE_SELECT},
        {"INSERT INTO dataset_lineage(note) VALUES ('x')", ONE_SELECT},
        {"CREATE TABLE t(x)", ONE_SELECT},
        {"CREATE TEMP TABLE t(x)", ONE_SELECT},
        {"CREATE VIEW v AS SELECT 1", ONE_SELECT},
        {"DROP TABLE stores", ONE_SELECT},
        {"ATTACH 'x.db' AS x", ONE_SELECT},
        {"DETACH main", ONE_SELECT},
        {"PRAGMA writable_schema = 1", ONE_SELECT},
        {"PRAGMA user_version", ONE_SELECT},
        {"SELECT * FROM pragma_table_info('stores')", ONE_SELECT},
        {"VACUUM INTO 'x.db'", ONE_SELECT},
        {"BEGIN", ONE_SELECT},
        {"SELECT load_extension('x')", "no such function: load_extension"},
        {"SELECT randomblob(200000000)", "too big"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CLEANUP(buf_release) ds_buf out = BUF_INIT(TEXT_MAX);
        ds_error err;
        ds_rc rc = ask(&w, CASES[i].sql, NULL, &out, &err);
        if (rc.code != DS_USAGE || !strstr(err.text, CASES[i].why))
            fail_msg("%s: code %d, %s; expected \"%s\"", CASES[i].sql, (int)rc.code, rc.code ? err.text : "",
                     CASES[i].why);
    }
    CLEANUP(buf_release) ds_buf out = BUF_INIT(TEXT_MAX);
    ds_error err;
    FAILS(ask(&w, "SELECT * FROM stoers", NULL, &out, &err), DS_USAGE, "stoers");
    HINTS("did you mean \"stores\"?");
    OK(ask(&w, "SELECT count(*) FROM stores", NULL, &out, &err)); // none of that did any harm
    assert_string_equal(buf_text(&out), "2;");
}

// What no image has, the caller puts: only for this query.
static void late_tables(void **state)
{
    (void)state;
    CLEANUP(world_release) world w = world_new();
    static const char SQL[] = "SELECT store, note FROM (SELECT * FROM Dataset_Lineage) ORDER BY 1";
    static const char *const ROWS[][6] = {{"w", "B", "d", "A", "d", NULL}, {"w", "A", "d", "B", "d", "why"}};
    for (int round = 0; round < 2; round++) {
        ds_error err;
        CLEANUP(query_closep) ds_query *q = NULL;
        OK(query_open(w.image, SQL, NULL, &q, &err));
        assert_true(query_reads(q, IMAGE_DATASET_LINEAGE));
        assert_false(query_reads(q, IMAGE_COLUMN_LINEAGE));
        for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
            OK(query_put(q, IMAGE_DATASET_LINEAGE, ROWS[i], &err));
        bool more;
        OK(query_next(q, &more, &err));
        assert_true(more && str_eq(query_value(q, 0).text, str_of("A")) &&
                    str_eq(query_value(q, 1).text, str_of("why")));
        OK(query_next(q, &more, &err));
        assert_true(more && str_eq(query_value(q, 0).text, str_of("B")) && query_value(q, 1).kind == QUERY_NULL);
        OK(query_next(q, &more, &err));
        assert_false(more);
    }
    CLEANUP(buf_release) ds_buf out = BUF_INIT(TEXT_MAX);
    ds_error err;
    OK(ask(&w, "SELECT count(*) FROM dataset_lineage", NULL, &out, &err));
    assert_string_equal(buf_text(&out), "0;");
}

static void interrupted(void **state)
{
    (void)state;
    CLEANUP(world_release) world w = world_new();
    CLEANUP(buf_release) ds_buf out = BUF_INIT(TEXT_MAX);
    static const char ENDLESS[] =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    volatile int cancelled = 2;
    ds_error err;
    FAILS(ask(&w, ENDLESS, &cancelled, &out, &err), DS_CANCELLED, "interrupted");
}

static void page(void **state)
{
    (void)state;
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX), printed = BUF_INIT(TEXT_MAX), file = BUF_INIT(TEXT_MAX);
    ds_error err;
    find("docs/query.md", &path);
    image_tables_markdown(&printed);
    const char *update = getenv("UPDATE_GOLDEN");
    if (update && strcmp(update, "1") == 0)
        OK(file_write_atomic(buf_text(&path), buf_str(&printed), false, &err));
    OK(file_read(buf_text(&path), &file, &err));
    assert_string_equal(buf_text(&file), buf_text(&printed)); // make golden rewrites it
}

static void examples_run(void **state)
{
    (void)state;
    CLEANUP(world_release) world w = world_new();
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX), file = BUF_INIT(TEXT_MAX);
    ds_error err;
    find("docs/query.md", &path);
    OK(file_read(buf_text(&path), &file, &err));
    size_t run = 0;
    char *text = (char *)(uintptr_t)buf_text(&file);
    for (char *at = strstr(text, "```sql\n"); at; at = strstr(at, "```sql\n"), run++) {
        CLEANUP(buf_release) ds_buf out = BUF_INIT(TEXT_MAX);
        at += sizeof "```sql\n" - 1;
        char *end = strstr(at, "```");
        assert_non_null(end);
        *end = '\0';
        OK(ask(&w, at, NULL, &out, &err));
        if (run == 0)
            assert_string_equal(buf_text(&out), "Store1|addresses|Consumer1;Store1|customers|Consumer1;"
                                                "Store1|customers|MaskCustomers;");
        at = end + 3;
    }
    assert_true(run >= 5);
}

int main(void)
{
    const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(answers),     cmocka_unit_test(refusals), cmocka_unit_test(late_tables),
        cmocka_unit_test(interrupted), cmocka_unit_test(page),     cmocka_unit_test(examples_run),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
