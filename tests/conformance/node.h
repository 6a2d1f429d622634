// A case's YAML as a tree that is easy to ask. Every question that the file can't answer aborts and names the place.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct node node;

// The first document of the file.
node *node_load(const char *path);
void node_free(node *root);
const char *node_path(const node *n); // of the file
// Aborts when a key of a map below was never asked for: a typo must not make an expectation silent.
void node_check_used(const node *root);

const node *node_get(const node *map, const char *key); // NULL when absent, or map is NULL
const char *node_text(const node *scalar);              // NULL for a plain null (~)
const char *node_get_text(const node *map, const char *key, const char *otherwise);
int64_t node_get_int(const node *map, const char *key, int64_t otherwise);
bool node_is_list(const node *n);
size_t node_count(const node *n); // items, or pairs; 0 for NULL
const node *node_item(const node *list, size_t i);
const char *node_key(const node *map, size_t i);
const node *node_value(const node *map, size_t i);
