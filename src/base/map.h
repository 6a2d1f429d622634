// A map from text to a pointer, in an arena. Keys are borrowed: they must outlive the map. The hash is seeded, so that
// nobody can craft names that collide. No removal. Thread rule: concurrent reads are safe once nothing writes.
#pragma once
#include "base/arena.h"

typedef struct ds_map ds_map;

ds_map *map_new(ds_arena *arena);
// Returns the value stored before under this key, or NULL after storing the new one: the first one wins.
void *map_add(ds_map *map, const char *key, void *value);
// Stores or replaces.
void map_set(ds_map *map, const char *key, void *value);
void *map_get(const ds_map *map, const char *key); // NULL when absent
size_t map_count(const ds_map *map);
// The i-th entry in order of insertion.
const char *map_key(const ds_map *map, size_t i);
void *map_value(const ds_map *map, size_t i);
// The key nearest to a misspelt one, the first by name of several, or NULL.
const char *map_nearest(const ds_map *map, const char *key);
