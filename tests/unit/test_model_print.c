// What a change of a whole object says of it (model/diff_int.h, struct_print) is YAML that means the object: a model
// that is printed and read again is the same model, and prints the same.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "gate/lint.h"
#include "model/diff_int.h"
#include "model/load.h"
#include "support/garbled.h"

typedef struct loaded {
    ds_model *model;
    ds_diags *diags;
} loaded;

static loaded load(ds_str text)
{
    static const char *const PATH = "model.yaml";
    loaded l = {0};
    ds_error err;
    assert_int_equal(model_load_texts(&PATH, &text, 1, NULL, &l.model, &l.diags, &err).code, DS_OK);
    return l;
}

static void loaded_free(loaded *l)
{
    diags_free(l->diags);
    model_free(l->model);
}

static void print(const ds_model *model, ds_buf *out)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_documents documents = model_documents(model, arena);
    for (size_t i = 0; i < documents.n; i++) {
        CLEANUP(buf_release) ds_buf fields = BUF_INIT(GARBLED_TEXT_MAX);
        struct_print(documents.v[i].kind->shape, documents.v[i].object, &fields);
        buf_printf(out, "---\n{kind: %s%s%s\n", documents.v[i].kind->name, fields.n > 2 ? ", " : "",
                   buf_text(&fields) + 1);
    }
}

// What lacks fields that it must have may not be the same any more, but prints the same.
static bool expect_same(ds_str text)
{
    CLEANUP(buf_release) ds_buf printed = BUF_INIT(GARBLED_TEXT_MAX), again = BUF_INIT(GARBLED_TEXT_MAX);
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    loaded first = load(text);
    print(first.model, &printed);
    loaded second = load(buf_str(&printed));
    print(second.model, &again);
    assert_string_equal(buf_text(&again), buf_text(&printed));
    ds_diff diff = model_diff(model_documents(first.model, arena), model_documents(second.model, arena), arena);
    const bool valid = diags_severity_count(first.diags, DIAG_ERROR) == 0;
    if (valid && diff.n)
        fail_msg("%s, %s: %s is now %s\n%s", diff.v[0].object, diff.v[0].field, str_of(diff.v[0].old_text).p,
                 str_of(diff.v[0].new_text).p, buf_text(&printed));
    loaded_free(&first);
    loaded_free(&second);
    return valid;
}

static void expect_file(const char *path)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(GARBLED_TEXT_MAX), whole = BUF_INIT(FILE_PATH_MAX);
    ds_error err;
    file_join(&whole, getenv("DATASURFACE_ROOT"), path);
    assert_int_equal(file_read(buf_text(&whole), &text, &err).code, DS_OK);
    assert_true(expect_same(buf_str(&text)));
}

static void whole_models(void **state)
{
    assert_true(expect_same(buf_str(*state)));
    assert_true(expect_same(str_of(LINT_EXAMPLE_MODEL)));
    expect_file("tests/golden/model/everything/model.yaml");
}

// Texts that YAML takes for something else, or for its end.
static void any_text(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {"null",    "~",           "true", "1e3",     "- a",      "a: b",    "# no",
                                        "a #b",    "\\\"",        "'",    "\\t\\t",  "\\r\\n",   "\\u0085", "\\u2028",
                                        " a ",     "[a, b]",      "{a}",  "\\x07",   "&x *y !z", "---",     "%TAG",
                                        "\\u00e9", "\\U0001F600", "@a",   "a\\\\nb", ">",        "| a",     "?"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(GARBLED_TEXT_MAX);
        buf_printf(
            &text,
            "kind: Datastore\nteam: A/b\nname: S\ndescription: \"%s\"\ndeprecated: \"%s\"\n"
            "capture: {type: sql_snapshot, container: C, max_delete_ratio: 0.0123456789, trigger: {external: true}}\n"
            "datasets: {t: {columns: {id: integer primary key, \"%s\": {type: text, source: \"%s\"}}}}\n",
            TEXTS[i], TEXTS[i], TEXTS[i], TEXTS[i]);
        expect_same(buf_str(&text));
    }
}

static void broken_models(void **state)
{
    enum { MODELS = 2000, GARBLED_MAX = 2 };
    size_t valid = 0;
    for (uint64_t i = 1; i <= MODELS; i++) {
        ds_rng chance = {i};
        CLEANUP(buf_release) ds_buf text = BUF_INIT(GARBLED_TEXT_MAX);
        buf_put_str(&text, buf_str(*state));
        for (size_t k = 1 + rng_below(&chance, GARBLED_MAX); k > 0 && text.n; k--)
            garbled_garble(&text, &chance);
        valid += expect_same(buf_str(&text));
    }
    print_message("%zu of %d models valid\n", valid, MODELS);
    assert_true(valid > MODELS / 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(whole_models), cmocka_unit_test(any_text),
                                       cmocka_unit_test(broken_models)};
    return cmocka_run_group_tests(tests, garbled_load_estate, garbled_release_estate);
}
