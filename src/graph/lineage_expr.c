// Expressions: every column that is named anywhere in one, and how it bears on the value.
#include "graph/lineage_int.h"

// --- sets and the budget

void lineage_fail(lineage_walk *w, const char *message, const char *text)
{
    if (!w->problem)
        w->problem = text ? arena_printf(w->arena, "%s \"%.100s\"", message, text) : message;
}

bool lineage_spend(lineage_walk *w, size_t bytes)
{
    if (bytes > w->budget_bytes)
        lineage_fail(w, "it is too large to be followed", NULL);
    else
        w->budget_bytes -= bytes;
    return !w->problem;
}

lineage_set lineage_set_new(lineage_walk *w)
{
    size_t words = 2 * w->words;
    return lineage_spend(w, words * sizeof(uint64_t)) ? ARENA_ARRAY(w->arena, uint64_t, words) : NULL;
}

void lineage_set_add(lineage_walk *w, lineage_set *into, lineage_set from, ds_influence influence)
{
    if (from && !*into)
        *into = lineage_set_new(w);
    if (!from || !*into)
        return;
    uint64_t *values = *into, *influences = *into + w->words;
    for (size_t i = 0; i < w->words; i++) {
        influences[i] |= from[w->words + i];
        if (influence == INFLUENCE_VALUE)
            values[i] |= from[i];
        else
            influences[i] |= from[i];
    }
}

void lineage_column_add(lineage_walk *w, lineage_columns *columns, const char *name, lineage_set set)
{
    if (lineage_spend(w, sizeof(lineage_column)))
        *VEC_PUSH(w->arena, columns) = (lineage_column){name, set};
}

// --- columns

// Sets of columns are never changed, so a new one takes the place of `any`.
static void open_columns(lineage_walk *w, lineage_columns *columns, lineage_set any)
{
    lineage_set both = NULL;
    lineage_set_add(w, &both, columns->any, INFLUENCE_VALUE);
    lineage_set_add(w, &both, any, INFLUENCE_VALUE);
    columns->open = true;
    columns->any = both;
}

void lineage_columns_add(lineage_walk *w, lineage_columns *to, const lineage_columns *from)
{
    for (size_t i = 0; i < from->n; i++)
        lineage_column_add(w, to, from->v[i].name, from->v[i].set);
    if (from->open)
        open_columns(w, to, from->any);
}

void lineage_columns_use(lineage_walk *w, const lineage_columns *columns, lineage_set *into, ds_influence influence)
{
    for (size_t i = 0; i < columns->n; i++)
        lineage_set_add(w, into, columns->v[i].set, influence);
    lineage_set_add(w, into, columns->any, influence);
}

void lineage_need_places(lineage_walk *w, const lineage_columns *columns)
{
    if (columns->open)
        lineage_fail(w, "a function's columns are taken by their places: name them, as in AS f(a, b)", NULL);
}

// --- names

const char *lineage_string(const json_t *node)
{
    return json_string_value(json_object_get(json_object_get(node, "String"), "sval"));
}

bool lineage_is_star(const json_t *fields)
{
    size_t n = json_array_size(fields);
    return n && json_object_get(json_array_get(fields, n - 1), "A_Star");
}

// Case is ignored throughout: a model has no two names that differ by it, and engines fold it in their own ways.
static bool same_name(const char *a, const char *b)
{
    return str_eq_nocase(str_of(a), str_of(b));
}

// A use of some columns, added to *into.
typedef struct use {
    lineage_set *into;
    ds_influence influence;
} use;

static bool add_named(lineage_walk *w, const lineage_columns *columns, const char *name, use u)
{
    bool found = false;
    for (size_t i = 0; i < columns->n; i++) {
        if (!same_name(columns->v[i].name, name))
            continue;
        lineage_set_add(w, u.into, columns->v[i].set, u.influence);
        found = true;
    }
    return found;
}

static const lineage_relation *relation_in(const lineage_scope *scope, const char *name)
{
    for (size_t i = 0; i < scope->from.relations.n; i++)
        if (same_name(scope->from.relations.v[i]->name, name))
            return scope->from.relations.v[i];
    return NULL;
}

const lineage_relation *lineage_find_relation(const lineage_scope *scope, const char *name)
{
    const lineage_relation *found = NULL;
    for (; scope && !found; scope = scope->outer)
        found = relation_in(scope, name);
    return found;
}

// name may be a column, else a whole row. One that is neither may be a column of a function, and of what is outside,
// too: it is both.
static bool resolve_plain(lineage_walk *w, const lineage_scope *scope, const char *name, use u)
{
    bool guessed = false;
    for (; scope; scope = scope->outer) {
        if (add_named(w, &scope->from.columns, name, u))
            return true;
        const lineage_relation *row = relation_in(scope, name);
        if (row) {
            lineage_columns_use(w, &row->columns, u.into, u.influence);
            return true;
        }
        lineage_set_add(w, u.into, scope->from.columns.any, u.influence);
        guessed |= scope->from.columns.open;
    }
    return guessed;
}

const lineage_relation *lineage_whole_row(const json_t *fields, const lineage_scope *scope)
{
    const char *name = json_array_size(fields) == 1 ? lineage_string(json_array_get(fields, 0)) : NULL;
    for (; name && scope; scope = scope->outer) {
        for (size_t i = 0; i < scope->from.columns.n; i++)
            if (same_name(scope->from.columns.v[i].name, name))
                return NULL;
        if (relation_in(scope, name))
            return relation_in(scope, name);
    }
    return NULL;
}

// name NULL: all of it.
static bool resolve_qualified(lineage_walk *w, const lineage_relation *relation, const char *name, use u)
{
    if (!relation || (name && add_named(w, &relation->columns, name, u)))
        return relation != NULL;
    if (!name)
        lineage_columns_use(w, &relation->columns, u.into, u.influence);
    else
        lineage_set_add(w, u.into, relation->columns.any, u.influence);
    return !name || relation->columns.open;
}

bool lineage_resolve(lineage_walk *w, const json_t *fields, const lineage_scope *scope, lineage_set *into,
                     ds_influence influence)
{
    size_t n = json_array_size(fields);
    const use u = {into, influence};
    const char *first = lineage_string(json_array_get(fields, 0));
    const char *second = lineage_string(json_array_get(fields, 1));
    if (n == 1 && first)
        return resolve_plain(w, scope, first, u);
    if (n == 1) // * as an argument: every column there is
        lineage_columns_use(w, &scope->from.columns, into, influence);
    return n == 1 || (n == 2 && first && resolve_qualified(w, lineage_find_relation(scope, first), second, u));
}

static void column_ref(lineage_walk *w, const json_t *node, const lineage_scope *scope, use u)
{
    const json_t *fields = json_object_get(node, "fields");
    if (!lineage_resolve(w, fields, scope, u.into, u.influence))
        lineage_fail(w, "no input has the column", lineage_string(json_array_get(fields, json_array_size(fields) - 1)));
}

// --- what isn't simply the sum of its parts

// A query as a value: its columns, and what decides its rows.
static void sub_link(lineage_walk *w, const json_t *node, const lineage_scope *scope, use u)
{
    lineage_expr(w, json_object_get(node, "testexpr"), scope, u.into, u.influence);
    const json_t *select = lineage_select_of(w, json_object_get(node, "subselect"));
    const char *kind = json_string_value(json_object_get(node, "subLinkType"));
    bool only_rows = kind && strcmp(kind, "EXISTS_SUBLINK") == 0;
    lineage_columns columns = lineage_query(w, select, scope, u.into);
    lineage_columns_use(w, &columns, u.into, only_rows ? INFLUENCE_INDIRECT : u.influence);
}

// The window of that name, among the first n of the WINDOW clause, and the one that it is made from.
static void named_window(lineage_walk *w, const char *name, size_t n, const lineage_scope *scope, use u)
{
    for (size_t i = 0; name && i < n; i++) {
        const json_t *window = json_object_get(json_array_get(scope->windows, i), "WindowDef");
        const char *own = json_string_value(json_object_get(window, "name"));
        if (!own || strcmp(own, name) != 0)
            continue;
        lineage_expr(w, json_object_get(window, "partitionClause"), scope, u.into, INFLUENCE_INDIRECT);
        lineage_expr(w, json_object_get(window, "orderClause"), scope, u.into, INFLUENCE_INDIRECT);
        named_window(w, json_string_value(json_object_get(window, "refname")), i, scope, u);
        return;
    }
}

// OVER w, and OVER (w ORDER BY x).
static void over_named(lineage_walk *w, const json_t *call, const lineage_scope *scope, use u)
{
    const json_t *over = json_object_get(call, "over");
    const char *name = json_string_value(json_object_get(over, "name"));
    named_window(w, name ? name : json_string_value(json_object_get(over, "refname")), json_array_size(scope->windows),
                 scope, u);
}

// (t).x where t is a whole row; false when it is something else.
static bool field_of_row(lineage_walk *w, const json_t *node, const lineage_scope *scope, use u)
{
    const json_t *fields = json_object_get(json_object_get(json_object_get(node, "arg"), "ColumnRef"), "fields");
    const char *name = lineage_string(json_array_get(json_object_get(node, "indirection"), 0));
    const lineage_relation *row = name ? lineage_whole_row(fields, scope) : NULL;
    return row && resolve_qualified(w, row, name, u);
}

// Parts of nodes that only decide: of which kind of node, and which part.
static bool only_decides(const char *kind, const char *part, const json_t *node)
{
    static const struct {
        const char *kind, *part;
    } PARTS[] = {
        {"CaseExpr", "arg"},       {"CaseWhen", "expr"}, {"FuncCall", "agg_filter"},
        {"FuncCall", "agg_order"}, {"FuncCall", "over"},
    };
    if (strcmp(part, "agg_order") == 0 && json_is_true(json_object_get(node, "agg_within_group")))
        return false; // percentile_cont(0.5) WITHIN GROUP (ORDER BY x) is made of x
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++)
        if (strcmp(PARTS[i].kind, kind) == 0 && strcmp(PARTS[i].part, part) == 0)
            return true;
    return false;
}

// The parts of a node of that kind.
static void parts(lineage_walk *w, const char *kind, const json_t *node, const lineage_scope *scope, use u)
{
    const char *part;
    json_t *value;
    if (strcmp(kind, "A_Indirection") == 0 && field_of_row(w, node, scope, u))
        return;
    if (strcmp(kind, "FuncCall") == 0)
        over_named(w, node, scope, u);
    json_object_foreach((json_t *)(uintptr_t)node, part, value)
        lineage_expr(w, value, scope, u.into, only_decides(kind, part, node) ? INFLUENCE_INDIRECT : u.influence);
}

void lineage_expr(lineage_walk *w, const json_t *node, const lineage_scope *scope, lineage_set *into,
                  ds_influence influence)
{
    const use u = {into, influence};
    const char *kind;
    json_t *value;
    if (w->steps == 0)
        lineage_fail(w, "it is too large to be followed", NULL);
    if (w->problem || !node)
        return;
    w->steps--;
    for (size_t i = 0; json_is_array(node) && i < json_array_size(node); i++)
        lineage_expr(w, json_array_get(node, i), scope, into, influence);
    json_object_foreach((json_t *)(uintptr_t)node, kind, value)
    {
        if (strcmp(kind, "ColumnRef") == 0)
            column_ref(w, value, scope, u);
        else if (strcmp(kind, "SubLink") == 0)
            sub_link(w, value, scope, u);
        else if (json_is_object(value))
            parts(w, kind, value, scope, u);
        else
            lineage_expr(w, value, scope, into, influence);
    }
}
