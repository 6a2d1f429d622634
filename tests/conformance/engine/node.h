// A case file as a tree: libyaml's document, looked at by name. Whatever is not as expected ends the process with the
// place, for it is a mistake in the case. Nodes live as long as their document.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

typedef struct document {
    const char *path;
    yaml_document_t yaml;
} document;

typedef struct node {
    document *document;
    const yaml_node_t *yaml; // NULL: there is none
} node;

void document_open(document *out, const char *path);
void document_close(document *d);
node document_root(document *d);

// "FILE:LINE: " and the message on stdout as a TAP comment, then the process ends with 1.
[[gnu::noreturn, gnu::format(printf, 2, 3)]] void node_fail(node n, const char *format, ...);

node node_get(node map, const char *key); // none when the map lacks it
bool node_is_map(node n);
size_t node_count(node n); // entries of a list or map; a scalar counts as a list of one
node node_at(node n, size_t i);
node node_key(node map, size_t i);
node node_value(node map, size_t i);
const char *node_text(node n);
int64_t node_int(node n);
bool node_bool(node n);
// Stops at a key of the map that is not in names, which ends with NULL.
void node_allow(node map, const char *const *names);
