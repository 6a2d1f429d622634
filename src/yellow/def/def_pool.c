#include "yellow/def/def_pool_int.h"

void def_pool_init(def_pool *pool, ds_arena *arena)
{
    ds_arena *scratch = arena_new();
    *pool = (def_pool){.arena = arena, .scratch = scratch, .texts = map_new(scratch), .types = map_new(scratch)};
}

void def_pool_release(def_pool *pool)
{
    arena_free(pool->scratch);
}

const char *def_pool_text(def_pool *pool, const char *text)
{
    char *kept = map_get(pool->texts, text);
    if (kept)
        return kept;
    kept = arena_strdup(pool->arena, text);
    map_set(pool->texts, kept, kept);
    return kept;
}

ds_rc def_pool_type(def_pool *pool, const char *text, const ds_type **out, ds_error *err)
{
    *out = map_get(pool->types, text);
    if (*out)
        return DS_DONE;
    size_t error_at = 0;
    TRY(type_parse(pool->arena, str_of(text), out, &error_at, err));
    map_set(pool->types, arena_strdup(pool->scratch, text), (void *)(uintptr_t)*out);
    return DS_DONE;
}
