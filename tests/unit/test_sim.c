// sim: the generator's published numbers, the ledger's form, and templates that lint.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "gate/lint.h"
#include "schema/value.h"
#include "sim/demo.h"
#include "sim/ledger.h"
#include "sim/rng.h"
#include "sim/templates.h"
#include "yellow/platform.h"

// Published with the algorithm: seed 1234567.
static void rng_is_splitmix64(void **state)
{
    (void)state;
    ds_rng rng = {1234567};
    assert_true(rng_next(&rng) == UINT64_C(6457827717110365317));
    assert_true(rng_next(&rng) == UINT64_C(3203168211198807973));
    assert_true(rng_next(&rng) == UINT64_C(9817491932198370423));
    for (int i = 0; i < 1000; i++) {
        int64_t n = rng_range(&rng, -3, 3);
        assert_true(n >= -3 && n <= 3);
    }
    (void)rng_range(&rng, INT64_MIN, INT64_MAX);
}

static const ds_shape *make_shape(ds_arena *arena)
{
    static const char *const TYPES[] = {"bigint", "decimal(9,3)", "boolean", "binary", "date"};
    static const char *const NAMES[] = {"id", "price", "ok", "raw", "day"};
    ds_shape_column columns[5] = {0};
    ds_error err;
    size_t at;
    for (size_t i = 0; i < 5; i++) {
        columns[i].name = columns[i].source = NAMES[i];
        assert_int_equal(type_parse(arena, str_of(TYPES[i]), &columns[i].type, &at, &err).code, DS_OK);
    }
    columns[0].not_null = true;
    const ds_shape *shape;
    uint16_t key = 0;
    assert_int_equal(shape_new(arena, columns, 5, &key, 1, &shape, &err).code, DS_OK);
    return shape;
}

static void fill_cells(const ds_shape *shape, ds_rows *rows, ds_cell *cells)
{
    static const char *const VALUES[] = {"7", "1.50", "true", NULL, NULL};
    ds_error err;
    rows_begin(rows);
    for (size_t i = 0; i < shape->n; i++) {
        size_t c = shape->hash_order[i];
        if (VALUES[c])
            assert_int_equal(value_put_text(rows, &shape->columns[c], str_of(VALUES[c]), &err).code, DS_OK);
        else if (c == 3)
            assert_int_equal(value_put_blob(rows, &shape->columns[c], "\x00\xff", 2, &err).code, DS_OK);
    }
    assert_int_equal(rows_end(rows, shape, 0, &err).code, DS_OK);
    row_cells(shape, rows_row(rows, 0), cells);
}

static void ledger_goes_on(void **state)
{
    (void)state;
    char dir[] = "/tmp/ds-sim-XXXXXX";
    assert_non_null(mkdtemp(dir));
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const char *path = arena_printf(arena, "%s/ledger.jsonl", dir);
    const ds_shape *shape = make_shape(arena);
    ds_rows rows;
    ds_cell cells[5];
    rows_init(&rows);
    fill_cells(shape, &rows, cells);
    ds_error err;
    for (int64_t tx = 1; tx <= 3; tx++) {
        ds_ledger ledger;
        assert_int_equal(ledger_open(path, &ledger, &err).code, DS_OK);
        assert_int_equal(ledger.tx, tx - 1);
        json_t *changes = json_array();
        json_array_append_new(changes, ledger_change("t", tx < 3 ? "insert" : "delete", shape, cells, tx == 3));
        assert_int_equal(ledger_write(&ledger, 0, changes, &err).code, DS_OK);
        json_decref(changes);
        ledger_close(&ledger);
    }
    CLEANUP(buf_release) ds_buf text = BUF_INIT(4096);
    assert_int_equal(file_read(path, &text, &err).code, DS_OK);
    ds_str rest = buf_str(&text);
    ds_str first = str_split(&rest, '\n');
    assert_string_equal(arena_str(arena, first),
                        "{\"tx\":1,\"at\":\"1970-01-01T00:00:00.000000Z\",\"dataset\":\"t\",\"op\":\"insert\","
                        "\"key\":{\"id\":7},\"row\":{\"id\":7,\"price\":\"1.5\",\"ok\":true,\"raw\":\"00ff\","
                        "\"day\":null}}");
    (void)str_split(&rest, '\n');
    assert_non_null(strstr(arena_str(arena, rest), "\"op\":\"delete\",\"key\":{\"id\":7},\"row\":null}"));
    rows_release(&rows);
    unlink(path);
    rmdir(dir);
}

static void templates_lint(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"starter", "northwind", "wwi"};
    const ds_platform_type *const types[] = {yellow_platform_type()};
    for (size_t t = 0; t < sizeof NAMES / sizeof NAMES[0]; t++) {
        const ds_template *template = template_find(NAMES[t]);
        assert_non_null(template);
        const char *paths[16];
        ds_str texts[16];
        size_t n = 0;
        for (size_t i = 0; i < template->n; i++)
            if (template->files[i].path[0] != '.') {
                paths[n] = template->files[i].path;
                texts[n++] = str_of(template->files[i].text);
            }
        ds_model *model;
        ds_diags *diags;
        ds_error err;
        assert_int_equal(model_load_texts(paths, texts, n, NULL, &model, &diags, &err).code, DS_OK);
        lint_model(model, (ds_platform_types){types, 1}, diags);
        assert_int_equal(diags_severity_count(diags, DIAG_ERROR), 0);
        assert_int_equal(diags_severity_count(diags, DIAG_WARNING), 0);
        assert_non_null(map_get(model->datastore_by_name, template->store));
        diags_free(diags);
        model_free(model);
    }
    assert_null(template_find("nothing"));
    assert_non_null(template_find(DEMO_TEMPLATE));
    assert_string_equal(template_find(DEMO_TEMPLATE)->store, DEMO_STORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rng_is_splitmix64),
        cmocka_unit_test(ledger_goes_on),
        cmocka_unit_test(templates_lint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
