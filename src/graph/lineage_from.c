// What stands in FROM: inputs, queries, functions, and joins of these.
#include "graph/lineage_int.h"

static void append_from(lineage_walk *w, lineage_from *to, const lineage_from *from)
{
    for (size_t i = 0; i < from->relations.n; i++)
        *VEC_PUSH(w->arena, &to->relations) = from->relations.v[i];
    lineage_columns_add(w, &to->columns, &from->columns);
}

static void add_relation(lineage_walk *w, lineage_from *to, const lineage_relation *relation)
{
    *VEC_PUSH(w->arena, &to->relations) = relation;
    lineage_columns_add(w, &to->columns, &relation->columns);
}

// Gives the relation the names of AS t(a, b), as far as they are there.
static void rename_relation(lineage_walk *w, lineage_relation *relation, const json_t *alias)
{
    const char *name = json_string_value(json_object_get(alias, "aliasname"));
    const json_t *names = json_object_get(alias, "colnames");
    if (name)
        relation->name = name;
    if (names)
        lineage_need_places(w, &relation->columns);
    for (size_t i = 0; i < json_array_size(names) && i < relation->columns.n; i++) {
        const char *column = lineage_string(json_array_get(names, i));
        relation->columns.v[i].name = column ? column : relation->columns.v[i].name;
    }
}

static lineage_relation *copy_of(lineage_walk *w, const lineage_relation *relation)
{
    lineage_relation *copy = ARENA_NEW(w->arena, lineage_relation);
    *copy = *relation;
    copy->columns = (lineage_columns){0};
    lineage_columns_add(w, &copy->columns, &relation->columns);
    return copy;
}

// --- tables

static const lineage_relation *find_table(lineage_walk *w, const char *name, const lineage_scope *scope)
{
    for (; scope; scope = scope->outer)
        for (size_t i = scope->ctes.n; i-- > 0;)
            if (strcmp(scope->ctes.v[i]->name, name) == 0)
                return scope->ctes.v[i];
    for (size_t i = 0; i < w->input_count; i++)
        if (strcmp(w->inputs[i].name, name) == 0)
            return &w->inputs[i];
    return NULL;
}

static void range_var(lineage_walk *w, const json_t *node, lineage_scope *scope, lineage_from *out)
{
    const char *name = json_string_value(json_object_get(node, "relname"));
    const lineage_relation *table = name && !json_object_get(node, "schemaname") ? find_table(w, name, scope) : NULL;
    if (!table) {
        lineage_fail(w, "it reads what is no input:", name);
        return;
    }
    lineage_relation *relation = copy_of(w, table);
    rename_relation(w, relation, json_object_get(node, "alias"));
    add_relation(w, out, relation);
}

// --- queries and functions

// What stands beside a query in FROM is not seen in it without LATERAL.
static lineage_scope without_siblings(const lineage_scope *scope)
{
    while (scope->in_join)
        scope = scope->outer;
    lineage_scope out = *scope;
    out.from = (lineage_from){0};
    return out;
}

static void range_subselect(lineage_walk *w, const json_t *node, lineage_scope *scope, lineage_from *out)
{
    const lineage_scope alone = without_siblings(scope);
    const bool lateral = json_is_true(json_object_get(node, "lateral"));
    lineage_relation *relation = ARENA_NEW(w->arena, lineage_relation);
    relation->name = "";
    relation->columns = lineage_query(w, lineage_select_of(w, json_object_get(node, "subquery")),
                                      lateral ? scope : &alone, &scope->rows);
    rename_relation(w, relation, json_object_get(node, "alias"));
    add_relation(w, out, relation);
}

// Each column depends on all arguments. AS f(a, b) and AS f(a integer) name columns; else there is one, and others
// besides.
static void range_function(lineage_walk *w, const json_t *node, lineage_scope *scope, lineage_from *out)
{
    const json_t *functions = json_object_get(node, "functions"), *alias = json_object_get(node, "alias");
    const json_t *defined = json_object_get(node, "coldeflist"), *named = json_object_get(alias, "colnames");
    const json_t *call =
        json_array_get(json_object_get(json_object_get(json_array_get(functions, 0), "List"), "items"), 0);
    lineage_relation *relation = ARENA_NEW(w->arena, lineage_relation);
    lineage_columns *columns = &relation->columns;
    lineage_expr(w, functions, scope, &columns->any, INFLUENCE_VALUE);
    lineage_set_add(w, &scope->rows, columns->any, INFLUENCE_INDIRECT);
    columns->open = !defined;
    const char *name = json_string_value(json_object_get(alias, "aliasname"));
    relation->name = name ? name : lineage_expr_name(call);
    for (size_t i = 0; i < json_array_size(defined); i++) {
        const json_t *definition = json_object_get(json_array_get(defined, i), "ColumnDef");
        lineage_column_add(w, columns, json_string_value(json_object_get(definition, "colname")), columns->any);
    }
    for (size_t i = 0; i < json_array_size(named); i++)
        lineage_column_add(w, columns, lineage_string(json_array_get(named, i)), columns->any);
    if (columns->n == 0)
        lineage_column_add(w, columns, relation->name, columns->any);
    add_relation(w, out, relation);
}

// XMLTABLE: each column depends on the document, on what chooses rows, and on its own path and default.
static void range_table_func(lineage_walk *w, const json_t *node, lineage_scope *scope, lineage_from *out)
{
    static const char *const SHARED[] = {"docexpr", "rowexpr", "namespaces"};
    const json_t *columns = json_object_get(node, "columns");
    lineage_relation *relation = ARENA_NEW(w->arena, lineage_relation);
    lineage_set any = NULL;
    relation->name = "xmltable";
    for (size_t i = 0; i < sizeof SHARED / sizeof SHARED[0]; i++)
        lineage_expr(w, json_object_get(node, SHARED[i]), scope, &any, INFLUENCE_VALUE);
    lineage_set_add(w, &scope->rows, any, INFLUENCE_INDIRECT);
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const json_t *column = json_object_get(json_array_get(columns, i), "RangeTableFuncCol");
        lineage_set set = NULL;
        lineage_set_add(w, &set, any, INFLUENCE_VALUE);
        lineage_expr(w, json_object_get(column, "colexpr"), scope, &set, INFLUENCE_VALUE);
        lineage_expr(w, json_object_get(column, "coldefexpr"), scope, &set, INFLUENCE_VALUE);
        lineage_column_add(w, &relation->columns, json_string_value(json_object_get(column, "colname")), set);
    }
    rename_relation(w, relation, json_object_get(node, "alias"));
    add_relation(w, out, relation);
}

// --- joins

static const lineage_column *column_named(const lineage_columns *columns, const char *name)
{
    for (size_t i = 0; name && i < columns->n; i++)
        if (columns->v[i].name && str_eq_nocase(str_of(columns->v[i].name), str_of(name)))
            return &columns->v[i];
    return NULL;
}

// USING: such a column is one of both sides, and decides which rows meet.
static void merge_column(lineage_walk *w, const char *name, const lineage_from sides[2], lineage_columns *merged,
                         lineage_set *rows)
{
    lineage_set set = NULL;
    for (int i = 0; i < 2; i++) {
        const lineage_column *column = column_named(&sides[i].columns, name);
        if (!column) {
            lineage_fail(w, "no input has the column", name);
            return;
        }
        lineage_set_add(w, &set, column->set, INFLUENCE_VALUE);
    }
    lineage_set_add(w, rows, set, INFLUENCE_INDIRECT);
    lineage_column_add(w, merged, name, set);
}

static lineage_columns merged_columns(lineage_walk *w, const json_t *join, const lineage_from sides[2],
                                      lineage_set *rows)
{
    lineage_columns merged = {0};
    const json_t *using = json_object_get(join, "usingClause");
    for (size_t i = 0; i < json_array_size(using); i++)
        merge_column(w, lineage_string(json_array_get(using, i)), sides, &merged, rows);
    const lineage_columns *left = &sides[0].columns;
    const bool natural = json_is_true(json_object_get(join, "isNatural"));
    if (natural && (left->open || sides[1].columns.open))
        lineage_fail(w, "a NATURAL JOIN with a function isn't followed", NULL);
    for (size_t i = 0; natural && i < left->n; i++)
        if (column_named(&sides[1].columns, left->v[i].name))
            merge_column(w, left->v[i].name, sides, &merged, rows);
    return merged;
}

static void range_any(lineage_walk *w, const json_t *node, lineage_scope *scope, lineage_from *out);

// One side of a join, which may look at what stands left of it.
static lineage_from join_side(lineage_walk *w, const json_t *node, lineage_scope *scope, const lineage_from *left)
{
    lineage_from side = {0};
    lineage_scope inner = {.outer = scope, .in_join = true};
    if (left)
        inner.from = *left;
    range_any(w, node, &inner, &side);
    lineage_set_add(w, &scope->rows, inner.rows, INFLUENCE_INDIRECT);
    return side;
}

// Both sides as one: what USING merges once, then the rest.
static lineage_from join_sides(lineage_walk *w, const json_t *node, const lineage_from sides[2], lineage_set *rows)
{
    const lineage_columns merged = merged_columns(w, node, sides, rows);
    lineage_from both = {0};
    lineage_columns_add(w, &both.columns, &merged);
    for (int s = 0; s < 2; s++) {
        for (size_t i = 0; i < sides[s].relations.n; i++)
            *VEC_PUSH(w->arena, &both.relations) = sides[s].relations.v[i];
        lineage_columns rest = {.open = sides[s].columns.open, .any = sides[s].columns.any};
        for (size_t i = 0; i < sides[s].columns.n; i++)
            if (!column_named(&merged, sides[s].columns.v[i].name))
                lineage_column_add(w, &rest, sides[s].columns.v[i].name, sides[s].columns.v[i].set);
        lineage_columns_add(w, &both.columns, &rest);
    }
    const char *name = json_string_value(json_object_get(json_object_get(node, "join_using_alias"), "aliasname"));
    if (name) { // USING (…) AS m: the merged columns, beside all else
        lineage_relation *relation = ARENA_NEW(w->arena, lineage_relation);
        *relation = (lineage_relation){name, merged};
        *VEC_PUSH(w->arena, &both.relations) = relation;
    }
    return both;
}

static void join_expr(lineage_walk *w, const json_t *node, lineage_scope *scope, lineage_from *out)
{
    lineage_from sides[2];
    sides[0] = join_side(w, json_object_get(node, "larg"), scope, NULL);
    sides[1] = join_side(w, json_object_get(node, "rarg"), scope, &sides[0]);
    const lineage_from both = join_sides(w, node, sides, &scope->rows);
    const lineage_scope on = {.outer = scope, .in_join = true, .from = both};
    lineage_expr(w, json_object_get(node, "quals"), &on, &scope->rows, INFLUENCE_INDIRECT);
    const json_t *alias = json_object_get(node, "alias");
    if (!alias) {
        append_from(w, out, &both);
        return;
    }
    // (a JOIN b ON …) AS j: nothing else is seen from outside
    lineage_relation *relation = ARENA_NEW(w->arena, lineage_relation);
    *relation = (lineage_relation){.name = "", .columns = both.columns};
    rename_relation(w, relation, alias);
    add_relation(w, out, relation);
}

// --- any of these

static void range_sample(lineage_walk *w, const json_t *node, lineage_scope *scope, lineage_from *out)
{
    range_any(w, json_object_get(node, "relation"), scope, out);
}

static void range_any(lineage_walk *w, const json_t *node, lineage_scope *scope, lineage_from *out)
{
    static const struct {
        const char *kind;
        void (*add)(lineage_walk *w, const json_t *node, lineage_scope *scope, lineage_from *out);
    } KINDS[] = {{"RangeVar", range_var},           {"RangeSubselect", range_subselect},
                 {"RangeFunction", range_function}, {"RangeTableFunc", range_table_func},
                 {"JoinExpr", join_expr},           {"RangeTableSample", range_sample}};
    for (size_t i = 0; !w->problem && i < sizeof KINDS / sizeof KINDS[0]; i++) {
        const json_t *found = json_object_get(node, KINDS[i].kind);
        if (!found)
            continue;
        KINDS[i].add(w, found, scope, out);
        return;
    }
    lineage_fail(w, "its FROM has something that isn't followed:",
                 json_object_iter_key(json_object_iter((json_t *)(uintptr_t)node)));
}

void lineage_from_add(lineage_walk *w, const json_t *node, lineage_scope *scope)
{
    lineage_from item = {0};
    range_any(w, node, scope, &item);
    append_from(w, &scope->from, &item);
}
