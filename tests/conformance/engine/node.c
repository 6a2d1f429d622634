#include "conformance/engine/node.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool parse(document *out, FILE *file)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        abort();
    yaml_parser_set_input_file(&parser, file);
    bool good = yaml_parser_load(&parser, &out->yaml) == 1;
    if (!good)
        printf("# %s:%zu: %s\n", out->path, parser.problem_mark.line + 1, parser.problem ? parser.problem : "?");
    yaml_parser_delete(&parser);
    return good;
}

void document_open(document *out, const char *path)
{
    out->path = path;
    FILE *file = fopen(path, "rb");
    if (!file) {
        printf("# %s: %s\n", path, strerror(errno));
        exit(1);
    }
    bool good = parse(out, file);
    fclose(file);
    if (!good)
        exit(1);
}

void document_close(document *d)
{
    yaml_document_delete(&d->yaml);
}

static node at_index(document *d, int index)
{
    return (node){d, yaml_document_get_node(&d->yaml, index)};
}

node document_root(document *d)
{
    return at_index(d, 1);
}

void node_fail(node n, const char *format, ...)
{
    printf("# %s:%zu: ", n.document->path, n.yaml ? n.yaml->start_mark.line + 1 : 0);
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    _exit(1);
}

bool node_is_map(node n)
{
    return n.yaml && n.yaml->type == YAML_MAPPING_NODE;
}

size_t node_count(node n)
{
    if (!n.yaml)
        return 0;
    if (n.yaml->type == YAML_SEQUENCE_NODE)
        return (size_t)(n.yaml->data.sequence.items.top - n.yaml->data.sequence.items.start);
    if (n.yaml->type == YAML_MAPPING_NODE)
        return (size_t)(n.yaml->data.mapping.pairs.top - n.yaml->data.mapping.pairs.start);
    return 1;
}

node node_at(node n, size_t i)
{
    if (n.yaml && n.yaml->type == YAML_SCALAR_NODE && i == 0)
        return n;
    if (!n.yaml || n.yaml->type != YAML_SEQUENCE_NODE || i >= node_count(n))
        node_fail(n, "expected a list with more entries");
    return at_index(n.document, n.yaml->data.sequence.items.start[i]);
}

static const yaml_node_pair_t *pair(node map, size_t i)
{
    if (!node_is_map(map) || i >= node_count(map))
        node_fail(map, "expected a map");
    return &map.yaml->data.mapping.pairs.start[i];
}

node node_key(node map, size_t i)
{
    return at_index(map.document, pair(map, i)->key);
}

node node_value(node map, size_t i)
{
    return at_index(map.document, pair(map, i)->value);
}

node node_get(node map, const char *key)
{
    for (size_t i = 0; node_is_map(map) && i < node_count(map); i++)
        if (strcmp(node_text(node_key(map, i)), key) == 0)
            return node_value(map, i);
    return (node){map.document, NULL};
}

const char *node_text(node n)
{
    if (!n.yaml || n.yaml->type != YAML_SCALAR_NODE)
        node_fail(n, "expected a scalar");
    return (const char *)n.yaml->data.scalar.value;
}

int64_t node_int(node n)
{
    char *end;
    const char *text = node_text(n);
    long long value = strtoll(text, &end, 10);
    if (end == text || *end)
        node_fail(n, "expected a number, found \"%s\"", text);
    return value;
}

bool node_bool(node n)
{
    const char *text = node_text(n);
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        node_fail(n, "expected true or false, found \"%s\"", text);
    return text[0] == 't';
}

void node_allow(node map, const char *const *names)
{
    for (size_t i = 0; i < node_count(map); i++) {
        const char *key = node_text(node_key(map, i));
        size_t k = 0;
        while (names[k] && strcmp(names[k], key) != 0)
            k++;
        if (!names[k])
            node_fail(node_key(map, i), "unknown key \"%s\"", key);
    }
}
