// The texts and types of one definition while it is decoded, each kept once: a store's tables have the same schema, the
// same reader, columns of the same names and types. A definition stays in memory as long as its stream may be due.
#pragma once
#include "base/map.h"
#include "schema/type.h"

typedef struct def_pool {
    ds_arena *arena;   // the definition's
    ds_arena *scratch; // goes with the pool
    ds_map *texts, *types;
} def_pool;

void def_pool_init(def_pool *pool, ds_arena *arena);
void def_pool_release(def_pool *pool);

// In the definition's arena.
const char *def_pool_text(def_pool *pool, const char *text);
ds_rc def_pool_type(def_pool *pool, const char *text, const ds_type **out, ds_error *err);
