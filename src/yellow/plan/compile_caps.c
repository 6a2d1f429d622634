// How much each container bears: the least of what its own document and the service allow.
#include "model/lookup.h"
#include "yellow/plan/compile_int.h"

static int64_t least(int64_t a, ds_int b)
{
    return b.set && (a == 0 || b.v < a) ? b.v : a;
}

static void add_caps(ds_container_caps *to, const ds_caps *caps)
{
    to->connections = least(to->connections, caps->connections);
    to->writers = least(to->writers, caps->writers);
    to->rows_per_second = least(to->rows_per_second, caps->rows_per_second);
}

static void put_container(const ds_platform_service *service, const ds_container *container, ds_map *seen,
                          ds_deployment *out)
{
    if (!container || !container->name.s || map_add(seen, container->name.s, out))
        return;
    ds_container_caps *caps = &out->caps[out->cap_count++];
    *caps = (ds_container_caps){.name = container->name.s};
    add_caps(caps, &container->limits);
    for (size_t i = 0; i < service->limits.n; i++)
        if (strcmp(service->limits.v[i].container, container->name.s) == 0)
            add_caps(caps, &service->limits.v[i].caps);
}

void compile_caps(const ds_model *model, const ds_container *merge, ds_arena *arena, ds_deployment *out)
{
    ds_map *seen = map_new(arena);
    out->caps = ARENA_ARRAY(arena, ds_container_caps, out->n + 1);
    put_container(out->service, merge, seen, out);
    for (size_t i = 0; i < out->n; i++)
        if (out->streams[i]->source.name[0])
            put_container(out->service, model_container(model, out->streams[i]->source.name), seen, out);
}
