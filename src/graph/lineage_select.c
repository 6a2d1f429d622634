// Queries: WITH, SELECT, VALUES, UNION and its like.
#include "graph/lineage_int.h"

static bool has(const json_t *node, const char *key)
{
    return json_array_size(json_object_get(node, key)) > 0 || json_is_object(json_object_get(node, key));
}

static bool is_word(const json_t *node, const char *key, const char *word)
{
    const char *value = json_string_value(json_object_get(node, key));
    return value && strcmp(value, word) == 0;
}

const json_t *lineage_select_of(lineage_walk *w, const json_t *node)
{
    const json_t *select = json_object_get(node, "SelectStmt");
    if (!select)
        lineage_fail(w, "it holds something else than a SELECT", NULL);
    return select;
}

// --- WITH

static void name_columns(lineage_walk *w, lineage_columns *columns, const json_t *names)
{
    if (names)
        lineage_need_places(w, columns);
    for (size_t i = 0; i < columns->n && i < json_array_size(names); i++) {
        const char *name = lineage_string(json_array_get(names, i));
        columns->v[i].name = name ? name : columns->v[i].name;
    }
}

// Adds the sets of `more` to the columns in the same places; false when nothing was new.
static bool grow(lineage_walk *w, lineage_columns *columns, const lineage_columns *more)
{
    bool grown = false;
    lineage_need_places(w, columns);
    lineage_need_places(w, more);
    for (size_t i = 0; i < columns->n && i < more->n; i++) {
        lineage_set both = NULL, old = columns->v[i].set;
        lineage_set_add(w, &both, old, INFLUENCE_VALUE);
        lineage_set_add(w, &both, more->v[i].set, INFLUENCE_VALUE);
        if (!both || (old && memcmp(both, old, 2 * w->words * sizeof *both) == 0))
            continue;
        columns->v[i].set = both;
        grown = true;
    }
    return grown;
}

// A query that reads itself: begins with its first part, and is followed until nothing is added.
static void follow_recursion(lineage_walk *w, const json_t *select, const json_t *names, lineage_scope *scope,
                             lineage_relation *self)
{
    self->columns = lineage_query(w, json_object_get(select, "larg"), scope, &scope->rows);
    name_columns(w, &self->columns, names);
    *VEC_PUSH(w->arena, &scope->ctes) = self;
    for (bool grown = true; grown && !w->problem;) {
        lineage_columns next = lineage_query(w, select, scope, &scope->rows);
        grown = grow(w, &self->columns, &next);
    }
}

static void add_cte(lineage_walk *w, const json_t *node, bool recursive, lineage_scope *scope)
{
    const json_t *cte = json_object_get(node, "CommonTableExpr"), *names = json_object_get(cte, "aliascolnames");
    const json_t *select = lineage_select_of(w, json_object_get(cte, "ctequery"));
    lineage_relation *relation = ARENA_NEW(w->arena, lineage_relation);
    relation->name = json_string_value(json_object_get(cte, "ctename"));
    if (json_object_get(cte, "search_clause") || json_object_get(cte, "cycle_clause"))
        lineage_fail(w, "SEARCH and CYCLE aren't followed", NULL);
    if (!select || !relation->name)
        return;
    if (recursive && is_word(select, "op", "SETOP_UNION")) {
        follow_recursion(w, select, names, scope, relation);
        return;
    }
    relation->columns = lineage_query(w, select, scope, &scope->rows);
    name_columns(w, &relation->columns, names);
    *VEC_PUSH(w->arena, &scope->ctes) = relation;
}

static void add_with(lineage_walk *w, const json_t *select, lineage_scope *scope)
{
    const json_t *with = json_object_get(select, "withClause"), *ctes = json_object_get(with, "ctes");
    bool recursive = json_is_true(json_object_get(with, "recursive"));
    for (size_t i = 0; i < json_array_size(ctes); i++)
        add_cte(w, json_array_get(ctes, i), recursive, scope);
}

// --- the three kinds of queries

// VALUES (1, 2), (3, 4): column1, column2.
static lineage_columns values(lineage_walk *w, const json_t *lists, const lineage_scope *scope)
{
    lineage_columns out = {0};
    for (size_t i = 0; i < json_array_size(lists); i++) {
        const json_t *items = json_object_get(json_object_get(json_array_get(lists, i), "List"), "items");
        for (size_t k = 0; k < json_array_size(items) && !w->problem; k++) {
            if (k == out.n)
                lineage_column_add(w, &out, arena_printf(w->arena, "column%zu", k + 1), NULL);
            if (k < out.n)
                lineage_expr(w, json_array_get(items, k), scope, &out.v[k].set, INFLUENCE_VALUE);
        }
    }
    return out;
}

// By place. Only UNION ALL leaves all rows as they are: else what is equal decides which there are.
static lineage_columns set_operation(lineage_walk *w, const json_t *select, lineage_scope *scope)
{
    lineage_columns left = lineage_query(w, json_object_get(select, "larg"), scope, &scope->rows);
    lineage_columns right = lineage_query(w, json_object_get(select, "rarg"), scope, &scope->rows);
    if (!is_word(select, "op", "SETOP_UNION") || !json_is_true(json_object_get(select, "all"))) {
        lineage_columns_use(w, &left, &scope->rows, INFLUENCE_INDIRECT);
        lineage_columns_use(w, &right, &scope->rows, INFLUENCE_INDIRECT);
    }
    if (!is_word(select, "op", "SETOP_EXCEPT")) // what EXCEPT takes away is in no column
        (void)grow(w, &left, &right);
    return left;
}

static void add_star(lineage_walk *w, const json_t *fields, const lineage_scope *scope, lineage_columns *out)
{
    const char *name = json_array_size(fields) == 2 ? lineage_string(json_array_get(fields, 0)) : NULL;
    const lineage_relation *relation = name ? lineage_find_relation(scope, name) : NULL;
    if (!relation && json_array_size(fields) != 1) {
        lineage_fail(w, "no input is called", name ? name : "by more than one name");
        return;
    }
    lineage_columns_add(w, out, relation ? &relation->columns : &scope->from.columns);
}

// (t).*, where t is a whole row.
static void add_row(lineage_walk *w, const json_t *node, const lineage_scope *scope, lineage_columns *out)
{
    const json_t *fields = json_object_get(json_object_get(json_object_get(node, "arg"), "ColumnRef"), "fields");
    bool alone = json_array_size(json_object_get(node, "indirection")) == 1;
    const lineage_relation *row = alone ? lineage_whole_row(fields, scope) : NULL;
    if (row)
        lineage_columns_add(w, out, &row->columns);
    else
        lineage_fail(w, "it makes columns of a value: (...).*", NULL);
}

static void add_target(lineage_walk *w, const json_t *target, const lineage_scope *scope, lineage_columns *out)
{
    const json_t *value = json_object_get(target, "val");
    const json_t *fields = json_object_get(json_object_get(value, "ColumnRef"), "fields");
    const json_t *indirection = json_object_get(value, "A_Indirection");
    const char *name = json_string_value(json_object_get(target, "name"));
    lineage_set set = NULL;
    if (lineage_is_star(fields)) {
        add_star(w, fields, scope, out);
    } else if (lineage_is_star(json_object_get(indirection, "indirection"))) {
        add_row(w, indirection, scope, out);
    } else {
        lineage_expr(w, value, scope, &set, INFLUENCE_VALUE);
        lineage_column_add(w, out, name ? name : lineage_expr_name(value), set);
    }
}

static lineage_columns target_list(lineage_walk *w, const json_t *select, const lineage_scope *scope)
{
    lineage_columns out = {0};
    const json_t *list = json_object_get(select, "targetList");
    for (size_t i = 0; i < json_array_size(list) && !w->problem; i++)
        add_target(w, json_object_get(json_array_get(list, i), "ResTarget"), scope, &out);
    return out;
}

// --- what decides the rows

// Which names come first: those of the inputs (GROUP BY), or those of the result (ORDER BY, DISTINCT ON).
typedef enum names_first { INPUTS_FIRST, RESULT_FIRST } names_first;

static void by_name(lineage_walk *w, const json_t *fields, const lineage_columns *result, lineage_scope *scope,
                    names_first first)
{
    const lineage_scope inputs = {.from = scope->from}, named = {.from = {.columns = *result}};
    const lineage_scope *tries[] = {first == RESULT_FIRST ? &named : &inputs, first == RESULT_FIRST ? &inputs : &named,
                                    scope};
    bool plain = json_array_size(fields) == 1, found = false;
    for (size_t i = plain ? 0 : 2; i < 3 && (!found || tries[i - 1]->from.columns.open); i++)
        found |= lineage_resolve(w, fields, tries[i], &scope->rows, INFLUENCE_INDIRECT);
    if (!found)
        lineage_fail(w, "no input has the column", lineage_string(json_array_get(fields, json_array_size(fields) - 1)));
}

static void by_entries(lineage_walk *w, const json_t *list, const lineage_columns *result, lineage_scope *scope,
                       names_first first);

// An entry of GROUP BY, ORDER BY or DISTINCT ON: a place in the target list, a name, or an expression; of GROUP BY also
// some of them in brackets, ROLLUP and its like.
static void by_entry(lineage_walk *w, const json_t *node, const lineage_columns *result, lineage_scope *scope,
                     names_first first)
{
    const json_t *sorted = json_object_get(json_object_get(node, "SortBy"), "node");
    node = sorted ? sorted : node;
    const json_t *place = json_object_get(json_object_get(json_object_get(node, "A_Const"), "ival"), "ival");
    const json_t *fields = json_object_get(json_object_get(node, "ColumnRef"), "fields");
    const json_t *inner = json_object_get(json_object_get(node, "GroupingSet"), "content");
    if (!inner && first == INPUTS_FIRST)
        inner = json_object_get(json_object_get(node, "RowExpr"), "args");
    size_t i = (size_t)json_integer_value(place) - 1;
    if (place)
        lineage_need_places(w, result);
    if (inner)
        by_entries(w, inner, result, scope, first);
    else if (place && i < result->n)
        lineage_set_add(w, &scope->rows, result->v[i].set, INFLUENCE_INDIRECT);
    else if (fields)
        by_name(w, fields, result, scope, first);
    else
        lineage_expr(w, node, scope, &scope->rows, INFLUENCE_INDIRECT);
}

static void by_entries(lineage_walk *w, const json_t *list, const lineage_columns *result, lineage_scope *scope,
                       names_first first)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        by_entry(w, json_array_get(list, i), result, scope, first);
}

// ORDER BY decides nothing unless some rows are cut off.
static void follow_clauses(lineage_walk *w, const json_t *select, const lineage_columns *result, lineage_scope *scope)
{
    static const char *const CLAUSES[] = {"whereClause", "havingClause", "limitCount", "limitOffset"};
    const json_t *distinct = json_object_get(select, "distinctClause");
    for (size_t i = 0; i < sizeof CLAUSES / sizeof CLAUSES[0]; i++)
        lineage_expr(w, json_object_get(select, CLAUSES[i]), scope, &scope->rows, INFLUENCE_INDIRECT);
    by_entries(w, json_object_get(select, "groupClause"), result, scope, INPUTS_FIRST);
    if (json_object_size(json_array_get(distinct, 0)))
        by_entries(w, distinct, result, scope, RESULT_FIRST);
    else if (distinct) // DISTINCT alone is [{}]
        lineage_columns_use(w, result, &scope->rows, INFLUENCE_INDIRECT);
    if (has(select, "limitCount") || has(select, "limitOffset") || distinct)
        by_entries(w, json_object_get(select, "sortClause"), result, scope, RESULT_FIRST);
}

lineage_columns lineage_query(lineage_walk *w, const json_t *select, const lineage_scope *outer, lineage_set *rows)
{
    lineage_scope scope = {.outer = outer, .windows = json_object_get(select, "windowClause")};
    lineage_columns out = {0};
    if (!select || !lineage_spend(w, sizeof scope))
        return out;
    add_with(w, select, &scope);
    const json_t *from = json_object_get(select, "fromClause");
    for (size_t i = 0; i < json_array_size(from); i++)
        lineage_from_add(w, json_array_get(from, i), &scope);
    if (has(select, "larg"))
        out = set_operation(w, select, &scope);
    else if (has(select, "valuesLists"))
        out = values(w, json_object_get(select, "valuesLists"), &scope);
    else
        out = target_list(w, select, &scope);
    follow_clauses(w, select, &out, &scope);
    lineage_set_add(w, rows, scope.rows, INFLUENCE_INDIRECT);
    return out;
}
