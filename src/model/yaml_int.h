// Text -> trees of nodes, one per document: simple documents at once, others by libyaml's events, made strict. What is
// no YAML, or YAML that a model may not use (tags, merge keys, aliases without end), becomes findings; after a syntax
// error reading goes on at the next
// "---". Private to model/.
#pragma once
#include "model/load.h"
#include "model/rules.h"

typedef enum yaml_kind { NODE_SCALAR, NODE_LIST, NODE_MAP } yaml_kind;

typedef struct yaml_node yaml_node;
struct yaml_node {
    ds_pos pos;
    uint32_t count; // nodes of this subtree, aliases expanded
    uint8_t kind;   // yaml_kind
    uint8_t height; // 0 for scalars
    bool plain;     // a scalar without quotes
    bool quoted;    // a scalar in quotes; block scalars are neither
    bool flow;      // a list or map in brackets
    union {
        ds_str text; // NUL-terminated
        struct {
            yaml_node *items; // of a map: key, value, key, value ...
            size_t n;         // items, so twice the pairs
        };
    };
};

// ~ or null, of a scalar without quotes.
bool yaml_is_null(const yaml_node *node);
// Nothing was written, or null.
static inline bool yaml_is_empty(const yaml_node *node)
{
    if (node->kind != NODE_SCALAR || node->text.n > 4)
        return false;
    return node->text.n == 0 || (node->plain && yaml_is_null(node));
}

// root is never NULL and lives until visit returns. Empty documents are left out.
typedef void yaml_visit(const yaml_node *root, void *context);
// text is that of `file`. scratch is cleared after each document.
void yaml_read(ds_diags *diags, uint32_t file, ds_str text, ds_arena *scratch, yaml_visit *visit, void *context);

// The same with libyaml alone, for tests: what is found and visited is the same.
void yaml_read_events(ds_diags *diags, uint32_t file, ds_str text, ds_arena *scratch, yaml_visit *visit, void *context);

// yaml_simple.c: visits the documents that *text, without a byte order mark, begins with, as long as they are simple,
// and leaves the others in *text, and in *lines how many lines stand before them.
void yaml_read_simple(uint32_t file, ds_str *text, uint32_t *lines, ds_arena *scratch, yaml_visit *visit,
                      void *context);
// Gives a list or map its items, which are copied.
void yaml_node_fill(yaml_node *node, const yaml_node *items, size_t n, ds_arena *scratch);

// A finding with the id and severity of its rule.
#define MODEL_FIND(diags, rule, pos, object, ...)                                                                      \
    diag_add((diags), MODEL_RULES[rule].severity, MODEL_RULES[rule].id, (pos), (object), __VA_ARGS__)

enum {
    MODEL_NODES_MAX = 2 << 20, // of one document
    MODEL_ANCHORS_MAX = 1000,  // of one document
    MODEL_PROBLEMS_MAX = 100,  // documents of one file that can't be read, before the rest is left out
};

// A place, counted from 1; what is too large for its field stays at the field's maximum.
static inline ds_pos yaml_pos(uint32_t file, size_t line, size_t column)
{
    enum { LINE_LAST = (1 << 20) - 1, COLUMN_LAST = (1 << 12) - 1 };
    ds_pos pos = {.file = file};
    pos.line = (line < LINE_LAST ? line : LINE_LAST) & LINE_LAST;
    pos.column = (column < COLUMN_LAST ? column : COLUMN_LAST) & COLUMN_LAST;
    return pos;
}

// yaml_text.c: the first thing that keeps text from being read at all. True when there was one (it is a finding).
bool yaml_text_refused(ds_diags *diags, uint32_t file, ds_str text);
