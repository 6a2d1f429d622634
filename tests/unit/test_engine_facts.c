// yellow/platform.c has its own table of engines, because lint must judge models without drivers: it says of every type
// what the dialects say.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gate/lint.h"
#include "model/load.h"
#include "store/postgres/postgres.h"
#include "store/sqlite/sqlite.h"
#include "yellow/platform.h"

// One of every kind, and more where the form depends on the size.
static const char *const TYPES[] = {"tinyint",
                                    "smallint",
                                    "integer",
                                    "bigint",
                                    "utinyint",
                                    "usmallint",
                                    "uinteger",
                                    "ubigint",
                                    "real",
                                    "double",
                                    "decimal(12,2)",
                                    "decimal(15,15)",
                                    "decimal(16)",
                                    "decimal(38,10)",
                                    "boolean",
                                    "char(3)",
                                    "varchar(10)",
                                    "text",
                                    "nchar(3)",
                                    "nvarchar(10)",
                                    "string",
                                    "date",
                                    "time",
                                    "timetz",
                                    "timestamp",
                                    "timestamptz",
                                    "interval",
                                    "uuid",
                                    "json",
                                    "binary(16)",
                                    "variant",
                                    "geography(point)",
                                    "vector(3)",
                                    "array(integer)",
                                    "map(text, integer)",
                                    "struct(a integer)",
                                    "ieee16",
                                    "fp8_e4m3"};
enum { TYPE_COUNT = sizeof TYPES / sizeof TYPES[0] };

static const char *model_text(ds_arena *arena, const char *merge)
{
    CLEANUP(buf_release) ds_buf out = BUF_INIT(1 << 16);
    buf_puts(&out, "kind: DataContainer\nteam: Z/T\nname: Source\ntype: sqlite\npath: source.db\n---\n"
                   "kind: Datastore\nteam: Z/T\nname: S\ncapture: {type: sql_snapshot, container: Source, trigger: "
                   "{external: true}}\ndatasets:\n  d:\n    columns:\n      id: integer primary key\n");
    for (size_t i = 0; i < TYPE_COUNT; i++)
        buf_printf(&out, "      c%zu: \"%s\"\n", i, TYPES[i]);
    buf_printf(&out,
               "---\nkind: Workspace\nteam: Z/T\nname: W\ndataset_groups:\n  g: {sinks: [S/d]}\n---\n"
               "kind: PlatformService\nname: Svc\nmerge: {container: Merge}\ncontainers:\n  Merge: {%s}\n"
               "platforms:\n  P: {type: yellow, milestoning: scd1}\nauto_assign: true\n",
               merge);
    return arena_strdup(arena, buf_text(&out));
}

static bool says_text_form(const ds_diags *diags, const char *object)
{
    for (size_t i = 0; i < diags_count(diags); i++) {
        const ds_diag *d = diags_at(diags, i);
        if (strcmp(d->rule, PLATFORM_RULE_TEXT_FORM) == 0 && strcmp(d->object, object) == 0)
            return true;
    }
    return false;
}

static void compare(const char *merge, const ds_dialect *dialect)
{
    const ds_platform_type *const types[] = {yellow_platform_type()};
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const char *path = "m.yaml";
    ds_str text = str_of(model_text(arena, merge));
    ds_model *model;
    ds_diags *diags;
    ds_error err;
    assert_int_equal(model_load_texts(&path, &text, 1, NULL, &model, &diags, &err).code, DS_OK);
    lint_model(model, (ds_platform_types){types, 1}, diags);
    bool seen[TYPE_KIND_COUNT] = {false};
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        const ds_type *type;
        size_t at;
        const char *how;
        assert_int_equal(type_parse(arena, str_of(TYPES[i]), &type, &at, &err).code, DS_OK);
        assert_true(dialect->supports(type, &how));
        if (says_text_form(diags, arena_printf(arena, "S/d/c%zu", i)) != (how != NULL))
            fail_msg("%s: lint says of %s that it is %s", dialect->name, TYPES[i], how ? "native" : "kept as text");
        seen[type->kind] = true;
    }
    for (int kind = 0; kind < TYPE_KIND_COUNT; kind++)
        if (!seen[kind])
            fail_msg("no column is of kind %s", type_kind_name((ds_type_kind)kind));
    diags_free(diags);
    model_free(model);
}

static void lint_and_dialects(void **state)
{
    (void)state;
    compare("type: sqlite, path: merge.db", SQLITE_DRIVER.dialect);
    compare("type: postgres, host: merge.internal, database: merge", POSTGRES_DRIVER.dialect);
}

int main(void)
{
    const struct CMUnitTest TESTS[] = {cmocka_unit_test(lint_and_dialects)};
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
