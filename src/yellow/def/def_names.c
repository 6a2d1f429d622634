#include "yellow/def/def.h"

const char *def_other_stream(ds_arena *arena, const char *stream, const char *dataset)
{
    const char *store = strchr(stream, '/');
    ds_assert(store);
    const char *tail = store + strcspn(store, "@");
    const char *own = memchr(store + 1, '/', (size_t)(tail - store) - 1);
    ds_str head = {stream, (size_t)((own ? own : tail) - stream)};
    if (own)
        return arena_printf(arena, "%.*s%s", (int)head.n, head.p, tail);
    return arena_printf(arena, "%.*s/%s%s", (int)head.n, head.p, dataset, tail);
}
