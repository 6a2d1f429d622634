// The table of rules, and the page that is printed from it.
#include "gate/changes_int.h"
#include "gate/lint_int.h"

const ds_rule *lint_row(lint_rule_id rule)
{
    return &LINT_RULES[rule];
}

enum { TABLES = 4 };
typedef struct rule_table {
    const ds_rule *v;
    size_t n;
    const char *title, *about;
} rule_table;

static rule_table table_at(size_t i)
{
    const rule_table tables[TABLES] = {
        {MODEL_RULES, MODEL_RULE_COUNT, "The text of the model",
         "Found while the files are read, wherever they stand. Each example is a file of its own."},
        {LINT_RULES, LINT_RULE_COUNT, "The model as a whole",
         "Found by comparing objects. The examples stand in the model at the end of this page: a document takes the "
         "place of the one of the same kind and name."},
        {PLATFORM_RULES, PLATFORM_RULE_COUNT, "What a platform says",
         "Found by the data platform that would run the pipelines, here Yellow. The examples stand in the same model."},
        {CHANGE_RULES, CHANGE_RULE_COUNT, "A change of the model",
         "Found by comparing the model before and after. Examples have both, the head below its line, in the same "
         "model; one that says where the change comes from is about whose it is."},
    };
    ds_assert(i < TABLES);
    return tables[i];
}

const ds_rule *lint_rules(ds_arena *arena, size_t *n)
{
    ds_rule *all =
        ARENA_ARRAY(arena, ds_rule, MODEL_RULE_COUNT + LINT_RULE_COUNT + PLATFORM_RULE_COUNT + CHANGE_RULE_COUNT);
    *n = 0;
    for (size_t t = 0; t < TABLES; t++) {
        rule_table table = table_at(t);
        memcpy(all + *n, table.v, table.n * sizeof *all);
        *n += table.n;
    }
    return all;
}

const ds_rule *lint_rule(const char *id)
{
    for (size_t t = 0; t < TABLES; t++) {
        rule_table table = table_at(t);
        for (size_t i = 0; i < table.n; i++)
            if (str_eq_nocase(str_of(table.v[i].id), str_of(id)))
                return &table.v[i];
    }
    return NULL;
}

static void put_example(ds_buf *out, const char *title, const char *yaml)
{
    if (yaml && yaml[0])
        buf_printf(out, "%s:\n```yaml\n%s```\n\n", title, yaml);
}

static void put_rule(ds_buf *out, const ds_rule *rule)
{
    buf_printf(out, "### %s: %s\n%s. %s\n\n", rule->id, rule->title, severity_name(rule->severity), rule->meaning);
    put_example(out, "Fails", rule->failing);
    put_example(out, "Passes", rule->passing);
}

static void put_index(ds_buf *out, const rule_table *table)
{
    buf_puts(out, "| rule | severity | what |\n|---|---|---|\n");
    for (size_t i = 0; i < table->n; i++)
        buf_printf(out, "| %s | %s | %s |\n", table->v[i].id, severity_name(table->v[i].severity), table->v[i].title);
    buf_puts(out, "\n");
}

void lint_rules_markdown(ds_buf *out)
{
    buf_puts(
        out,
        "# Lint rules\n\n"
        "`datasurface lint` holds a model against all of these at once; `datasurface explain RULE` shows one. Only "
        "errors fail. Ids never change their meaning. This page is printed from the tables in `src/model/rules.c` "
        "and `src/gate/`; a test runs its examples.\n\n");
    for (size_t t = 0; t < TABLES; t++) {
        rule_table table = table_at(t);
        buf_printf(out, "## %s\n%s\n\n", table.title, table.about);
        put_index(out, &table);
        for (size_t i = 0; i < table.n; i++)
            put_rule(out, &table.v[i]);
    }
    buf_printf(out, "## The model of the examples\n```yaml\n%s```\n", LINT_EXAMPLE_MODEL);
}
