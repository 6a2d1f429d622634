// How a SELECT is followed: lineage_parse.c makes a tree of its text, lineage_select.c follows queries,
// lineage_from.c what stands in FROM, lineage_expr.c expressions. The shapes are those of PostgreSQL's parser
// (src/include/nodes/parsenodes.h), as JSON.
#pragma once
#include <jansson.h>

#include "base/vec.h"
#include "graph/lineage.h"

// Columns of inputs that something depends on: a bit for each as a value, then a bit for each as an influence.
// Immutable once it is a column's; NULL: none.
typedef uint64_t *lineage_set;

typedef struct lineage_column {
    const char *name;
    lineage_set set;
} lineage_column;
// Columns in their order. Open ones have others besides, of whatever names and at whatever places, each of which
// depends on `any`: those of a function.
typedef struct lineage_columns {
    lineage_column *v;
    size_t n, cap;
    bool open;
    lineage_set any;
} lineage_columns;

// What a name in FROM stands for.
typedef struct lineage_relation {
    const char *name;
    lineage_columns columns;
} lineage_relation;

// FROM as a whole: what qualified names find, and what unqualified names and * find.
typedef struct lineage_from {
    VEC(const lineage_relation *) relations;
    lineage_columns columns;
} lineage_from;

typedef struct lineage_scope lineage_scope;
struct lineage_scope {
    const lineage_scope *outer;
    bool in_join; // a side of a join: outer is of the same query
    lineage_from from;
    VEC(lineage_relation *) ctes;
    lineage_set rows;      // what decides which rows there are; grows
    const json_t *windows; // the WINDOW clause
};

typedef struct lineage_walk {
    ds_arena *arena;
    const lineage_relation *inputs; // named ds_input_1, ...
    size_t input_count;
    size_t words;        // of half a set
    size_t budget_bytes; // what may still be spent on columns and sets
    size_t steps;        // nodes that may still be visited
    const char *problem; // the first one; NULL: none
} lineage_walk;

enum { LINEAGE_BUDGET_BYTES = 32 << 20, LINEAGE_STEPS = 2000000 };

// The walk goes on after a problem, without effect. text is one or two words of the user's, or NULL.
void lineage_fail(lineage_walk *w, const char *message, const char *text);
// Takes from the budget; false when there is none left or something went wrong before.
bool lineage_spend(lineage_walk *w, size_t bytes);
lineage_set lineage_set_new(lineage_walk *w);
void lineage_set_add(lineage_walk *w, lineage_set *into, lineage_set from, ds_influence influence);
void lineage_column_add(lineage_walk *w, lineage_columns *columns, const char *name, lineage_set set);
// Adds all of `from`, and what it has besides.
void lineage_columns_add(lineage_walk *w, lineage_columns *to, const lineage_columns *from);
// All columns, known or not, added to *into.
void lineage_columns_use(lineage_walk *w, const lineage_columns *columns, lineage_set *into, ds_influence influence);
// A problem when nobody knows which column is the n-th.
void lineage_need_places(lineage_walk *w, const lineage_columns *columns);

// PostgreSQL's tree of one SELECT, a new reference; NULL with *problem set, in the arena. sql is at most
// LINEAGE_SQL_MAX long.
json_t *lineage_parse(const char *sql, ds_arena *arena, const char **problem);

// --- lineage_select.c
// The columns of a SelectStmt; what decides its rows is added to *rows as an influence.
lineage_columns lineage_query(lineage_walk *w, const json_t *select, const lineage_scope *outer, lineage_set *rows);
// The query of {"SelectStmt": …}; NULL with a problem when it is another statement.
const json_t *lineage_select_of(lineage_walk *w, const json_t *node);

// --- lineage_from.c
// Adds what a node of FROM brings into the scope.
void lineage_from_add(lineage_walk *w, const json_t *node, lineage_scope *scope);

// --- lineage_expr.c
// What an expression depends on, added to *into. influence is that of the expression as a whole.
void lineage_expr(lineage_walk *w, const json_t *node, const lineage_scope *scope, lineage_set *into,
                  ds_influence influence);
// The innermost relation that a plain name stands for, when it is no column; else NULL.
const lineage_relation *lineage_whole_row(const json_t *fields, const lineage_scope *scope);
// The only column of an unqualified or qualified name; false, and nothing else, when there is none.
bool lineage_resolve(lineage_walk *w, const json_t *fields, const lineage_scope *scope, lineage_set *into,
                     ds_influence influence);
// Text of {"String":{"sval": …}}, NULL when it is something else.
const char *lineage_string(const json_t *node);
// For {"*"}: the fields' last one is A_Star.
bool lineage_is_star(const json_t *fields);
// A named relation in FROM, the innermost first.
const lineage_relation *lineage_find_relation(const lineage_scope *scope, const char *name);

// --- lineage_name.c
// What PostgreSQL calls a column whose expression has no AS.
const char *lineage_expr_name(const json_t *node);
