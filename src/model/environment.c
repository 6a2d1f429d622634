// A model under one of its Environments, without loading it again.
#include "model/index_int.h"
#include "model/lookup.h"

// The same container elsewhere: it stays who it is, where it is said to be, and what it may bear, unless given.
static void replace(ds_container *container, const ds_container *by)
{
    ds_container old = *container;
    *container = *by;
    container->pos = old.pos;
    container->team = old.team;
    container->name = old.name;
    if (by->locations.pos.file == 0)
        container->locations = old.locations;
    if (by->limits.pos.file == 0)
        container->limits = old.limits;
}

void environment_apply(ds_model *model, const ds_environment *environment)
{
    for (size_t i = 0; i < environment->containers.n; i++) {
        const ds_container *by = &environment->containers.v[i];
        ds_container *container = by->name.s ? map_get(model->container_by_name, by->name.s) : NULL;
        if (container)
            replace(container, by);
    }
}

// Containers of its own, which have the names of the model's.
static void copy_container(ds_model *copy, const ds_container *from, ds_container *to)
{
    *to = *from;
    if (to->name.s)
        (void)map_add(copy->container_by_name, to->name.s, to);
}

static void copy_documents(ds_model *copy, const ds_model *model, ds_arena *arena)
{
    ds_container *all = ARENA_ARRAY(arena, ds_container, model->containers.n);
    copy->containers.v = ARENA_ARRAY(arena, ds_container *, model->containers.n);
    for (size_t i = 0; i < model->containers.n; i++) {
        copy->containers.v[i] = &all[i];
        copy_container(copy, model->containers.v[i], &all[i]);
    }
}

static void copy_services(ds_model *copy, const ds_model *model, ds_arena *arena)
{
    ds_platform_service *all = ARENA_ARRAY(arena, ds_platform_service, model->services.n);
    copy->services.v = ARENA_ARRAY(arena, ds_platform_service *, model->services.n);
    for (size_t i = 0; i < model->services.n; i++) {
        ds_platform_service *service = copy->services.v[i] = &all[i];
        *service = *model->services.v[i];
        if (service->name.s)
            (void)map_add(copy->service_by_name, service->name.s, service);
        service->containers.v = ARENA_ARRAY(arena, ds_container, service->containers.n);
        for (size_t k = 0; k < service->containers.n; k++)
            copy_container(copy, &model->services.v[i]->containers.v[k], &service->containers.v[k]);
    }
}

const ds_model *model_in_environment(const ds_model *model, const ds_environment *environment, ds_arena *arena)
{
    ds_model *copy = ARENA_NEW(arena, ds_model);
    *copy = *model;
    copy->container_by_name = map_new(arena);
    copy->service_by_name = map_new(arena);
    copy_documents(copy, model, arena);
    copy_services(copy, model, arena);
    environment_apply(copy, environment);
    return copy;
}
