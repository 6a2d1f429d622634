#include "conformance/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/error.h"

struct node {
    char *path; // of the file
    size_t line;
    yaml_node_type_t type;
    char *text; // of a scalar; NULL: null
    char **keys;
    node **items;
    size_t n;
    bool used;
};

static node *node_new(const char *path, const yaml_node_t *from)
{
    node *n = calloc(1, sizeof *n);
    if (!n)
        BUG("out of memory");
    n->path = strdup(path);
    n->line = from->start_mark.line + 1;
    n->type = from->type;
    return n;
}

static bool is_null(const yaml_node_t *from)
{
    return from->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (from->data.scalar.length == 0 || strcmp((const char *)from->data.scalar.value, "~") == 0);
}

static void *items_new(size_t n)
{
    void *items = calloc(n + 1, sizeof(void *));
    if (!items)
        BUG("out of memory");
    return items;
}

static node *convert(yaml_document_t *document, int index, const char *path)
{
    const yaml_node_t *from = yaml_document_get_node(document, index);
    node *n = node_new(path, from);
    if (from->type == YAML_SCALAR_NODE) {
        n->text = is_null(from) ? NULL : strdup((const char *)from->data.scalar.value);
        return n;
    }
    if (from->type == YAML_SEQUENCE_NODE) {
        n->n = (size_t)(from->data.sequence.items.top - from->data.sequence.items.start);
        n->items = items_new(n->n);
        for (size_t i = 0; i < n->n; i++)
            n->items[i] = convert(document, from->data.sequence.items.start[i], path);
        return n;
    }
    n->n = (size_t)(from->data.mapping.pairs.top - from->data.mapping.pairs.start);
    n->items = items_new(n->n);
    n->keys = items_new(n->n);
    for (size_t i = 0; i < n->n; i++) {
        yaml_node_pair_t pair = from->data.mapping.pairs.start[i];
        n->keys[i] = strdup((const char *)yaml_document_get_node(document, pair.key)->data.scalar.value);
        n->items[i] = convert(document, pair.value, path);
    }
    return n;
}

node *node_load(const char *path)
{
    FILE *in = fopen(path, "rb");
    yaml_parser_t parser;
    yaml_document_t document;
    if (!in || !yaml_parser_initialize(&parser))
        BUG("can't read %s", path);
    yaml_parser_set_input_file(&parser, in);
    if (!yaml_parser_load(&parser, &document) || !yaml_document_get_root_node(&document))
        BUG("%s:%zu: %s", path, parser.problem_mark.line + 1, parser.problem ? parser.problem : "is empty");
    node *root = convert(&document, 1, path);
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    fclose(in);
    root->used = true;
    return root;
}

void node_free(node *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->n; i++) {
        node_free(n->items[i]);
        if (n->keys)
            free(n->keys[i]);
    }
    free(n->items);
    free(n->keys);
    free(n->text);
    free(n->path);
    free(n);
}

const char *node_path(const node *n)
{
    return n->path;
}

void node_check_used(const node *n)
{
    for (size_t i = 0; i < n->n; i++) {
        if (n->keys && !n->items[i]->used)
            BUG("%s:%zu: nobody knows the key \"%s\"", n->path, n->items[i]->line, n->keys[i]);
        node_check_used(n->items[i]);
    }
}

const node *node_get(const node *map, const char *key)
{
    for (size_t i = 0; map && i < map->n; i++)
        if (map->keys && strcmp(map->keys[i], key) == 0) {
            map->items[i]->used = true;
            return map->items[i];
        }
    return NULL;
}

const char *node_text(const node *scalar)
{
    if (scalar->type != YAML_SCALAR_NODE)
        BUG("%s:%zu: not a scalar", scalar->path, scalar->line);
    return scalar->text;
}

const char *node_get_text(const node *map, const char *key, const char *otherwise)
{
    const node *value = node_get(map, key);
    return value ? node_text(value) : otherwise;
}

int64_t node_get_int(const node *map, const char *key, int64_t otherwise)
{
    const char *text = node_get_text(map, key, NULL);
    char *end;
    int64_t value = text ? strtoll(text, &end, 10) : otherwise;
    if (text && *end)
        BUG("%s:%zu: \"%s\" is no number", map->path, map->line, text);
    return value;
}

bool node_is_list(const node *n)
{
    return n->type == YAML_SEQUENCE_NODE;
}

size_t node_count(const node *n)
{
    return n ? n->n : 0;
}

const node *node_item(const node *list, size_t i)
{
    if (!node_is_list(list) || i >= list->n)
        BUG("%s:%zu: not a list of more than %zu", list->path, list->line, i);
    return list->items[i];
}

const char *node_key(const node *map, size_t i)
{
    return map->keys[i];
}

const node *node_value(const node *map, size_t i)
{
    map->items[i]->used = true;
    return map->items[i];
}
