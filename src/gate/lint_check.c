// Checks of a dataset: columns that are there, ranges that hold values, conditions that are one.
#include <strings.h>

#include "gate/lint_int.h"
#include "schema/value.h"

typedef struct check_lint {
    lint *l;
    const ds_dataset *dataset;
    const char *object;
} check_lint;

// --- columns

// NULL when there is none, which is reported, or nothing was given.
static const ds_column *find_column(const check_lint *c, ds_text name)
{
    const ds_column *column = name.s ? dataset_column(c->dataset, name.s) : NULL;
    if (column || !name.s)
        return column;
    lint_add(c->l, LINT_CHECK_COLUMN, name.pos, c->object, "dataset \"%s\" has no column \"%s\"", c->dataset->name,
             name.s);
    const char **names = ARENA_ARRAY(c->l->arena, const char *, c->dataset->columns.n);
    for (size_t i = 0; i < c->dataset->columns.n; i++)
        names[i] = c->dataset->columns.v[i].name;
    const char *nearest = str_nearest(name.s, names, c->dataset->columns.n);
    if (nearest)
        diag_hint(c->l->diags, "did you mean \"%s\"?", nearest);
    return NULL;
}

static bool is_empty(const check_lint *c, const ds_texts *list, const char *what)
{
    if (list->n == 0 && list->pos.file)
        lint_add(c->l, LINT_CHECK_EMPTY, list->pos, c->object, "\"%s\" names no column", what);
    return list->n == 0;
}

static bool in_key(const check_lint *c, const ds_column *column)
{
    const ds_column **key = ARENA_ARRAY(c->l->arena, const ds_column *, c->dataset->columns.n);
    size_t n = dataset_is_keyless(c->dataset) ? 0 : dataset_key(c->dataset, key);
    for (size_t i = 0; i < n; i++)
        if (key[i] == column)
            return true;
    return false;
}

static void check_not_null(const check_lint *c, const ds_check *check)
{
    if (is_empty(c, &check->not_null, "not_null"))
        return;
    for (size_t i = 0; i < check->not_null.n; i++) {
        const ds_column *column = find_column(c, check->not_null.v[i]);
        if (column && (column->not_null || in_key(c, column)))
            lint_add(c->l, LINT_CHECK_NEEDLESS, check->not_null.v[i].pos, c->object, "column \"%s\" is never null",
                     column->name);
    }
}

static bool has_column(const ds_texts *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->v[i].s && strcmp(list->v[i].s, name) == 0)
            return true;
    return false;
}

static bool has_whole_key(const check_lint *c, const ds_texts *list)
{
    const ds_column **key = ARENA_ARRAY(c->l->arena, const ds_column *, c->dataset->columns.n);
    size_t n = dataset_is_keyless(c->dataset) ? 0 : dataset_key(c->dataset, key);
    for (size_t i = 0; i < n; i++)
        if (!has_column(list, key[i]->name))
            return false;
    return n > 0;
}

static void check_unique(const check_lint *c, const ds_check *check)
{
    if (is_empty(c, &check->unique, "unique"))
        return;
    for (size_t i = 0; i < check->unique.n; i++) {
        const ds_column *column = find_column(c, check->unique.v[i]);
        if (column && column->type && column->type->kind == TYPE_JSON)
            lint_add(c->l, LINT_CHECK_TYPE, check->unique.v[i].pos, c->object,
                     "column \"%s\" is json, whose values can't be compared", column->name);
    }
    if (has_whole_key(c, &check->unique))
        lint_add(c->l, LINT_CHECK_NEEDLESS, check->unique.pos, c->object, "the key of dataset \"%s\" is unique already",
                 c->dataset->name);
}

// --- ranges

// Its canonical text, or NULL.
static const char *bound_of(const check_lint *c, const ds_column *column, ds_text text)
{
    const char *out = NULL;
    ds_error err = {0};
    if (!text.s || value_bound(c->l->arena, column->type, str_of(text.s), &out, &err).code == DS_OK)
        return out;
    lint_add(c->l, LINT_CHECK_BOUND, text.pos, c->object, "the range of column \"%s\": %s", column->name, err.text);
    if (err.hint[0])
        diag_hint(c->l->diags, "%s", err.hint);
    return NULL;
}

static void check_ends(const check_lint *c, const ds_check *check, const ds_column *column)
{
    const char *min = bound_of(c, column, check->min), *max = bound_of(c, column, check->max);
    if (min && max && value_bound_compare(column->type, min, max) > 0)
        lint_add(c->l, LINT_CHECK_BOUND, check->min.pos, c->object,
                 "the range of column \"%s\" ends before it begins: %s is more than %s", column->name, check->min.s,
                 check->max.s);
}

static void check_range(const check_lint *c, const ds_check *check)
{
    const ds_column *column = find_column(c, check->range_column);
    if (!check->range_column.s)
        return;
    if (!check->min.pos.file && !check->max.pos.file)
        lint_add(c->l, LINT_CHECK_EMPTY, check->range_column.pos, c->object,
                 "the range of column \"%s\" has neither min nor max", check->range_column.s);
    if (!column || !column->type)
        return;
    if (type_has_order(column->type)) {
        check_ends(c, check, column);
        return;
    }
    lint_add(c->l, LINT_CHECK_TYPE, check->range_column.pos, c->object, "column \"%s\" is %s, which has no range",
             column->name, type_kind_name(column->type->kind));
    diag_hint(c->l->diags, "write the condition as \"sql\"");
}

// --- conditions. What the text means only the merge database can tell; here it is looked at as far as all agree.

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// After the quoted text; NULL when it doesn't end. A quote in it is doubled.
static const char *skip_quoted(const char *p)
{
    char quote = *p++;
    for (; *p; p++) {
        if (*p != quote)
            continue;
        if (p[1] != quote)
            return p + 1;
        p++;
    }
    return NULL;
}

static const char *skip_word(const char *p, const char **problem)
{
    const char *start = p;
    while (is_word(*p))
        p++;
    if (p - start == 6 && strncasecmp(start, "select", 6) == 0)
        *problem = "it has a SELECT, and looks at one row only";
    return p;
}

// A character that is neither quoted nor of a word.
static void look_at(const char *p, int *depth, const char **problem)
{
    *depth += (*p == '(') - (*p == ')');
    if (*depth < 0)
        *problem = "it closes a parenthesis that it didn't open";
    else if (*p == ';')
        *problem = "it is more than one statement";
    else if (strncmp(p, "--", 2) == 0 || strncmp(p, "/*", 2) == 0)
        *problem = "it has a comment";
}

// What is wrong with the text, or NULL.
static const char *sql_problem(const char *text)
{
    const char *problem = NULL, *p = text + strspn(text, " \t\r\n");
    int depth = 0;
    if (!*p)
        return "it is empty";
    while (p && *p && !problem) {
        if (*p == '\'' || *p == '"') {
            p = skip_quoted(p);
        } else if (is_word(*p)) {
            p = skip_word(p, &problem);
        } else {
            look_at(p, &depth, &problem);
            p++;
        }
    }
    if (!p)
        return "a quote is not closed";
    return problem || depth == 0 ? problem : "a parenthesis is not closed";
}

static void check_sql(const check_lint *c, const ds_check *check)
{
    const char *problem = check->sql.s ? sql_problem(check->sql.s) : NULL;
    if (!problem)
        return;
    lint_add(c->l, LINT_CHECK_SQL, check->sql.pos, c->object, "a check's sql is one condition: %s", problem);
    diag_hint(c->l->diags, "for example: price >= cost AND currency IN ('EUR', 'USD')");
}

void lint_checks(lint *l, const ds_dataset *dataset, const char *object)
{
    check_lint c = {l, dataset, object};
    for (size_t i = 0; i < dataset->rest->checks.n; i++) {
        const ds_check *check = &dataset->rest->checks.v[i];
        check_not_null(&c, check);
        check_unique(&c, check);
        check_range(&c, check);
        check_sql(&c, check);
    }
}
