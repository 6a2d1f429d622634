#include "platform/platform.h"

const ds_platform_type *platform_type(ds_platform_types types, const char *name)
{
    for (size_t i = 0; name && i < types.n; i++)
        if (strcmp(types.v[i]->name, name) == 0)
            return types.v[i];
    return NULL;
}

const ds_container *service_container(const ds_model *model, const ds_platform_service *service)
{
    const char *name = service->merge_container.s;
    for (size_t i = 0; name && i < service->containers.n; i++)
        if (service->containers.v[i].name.s && strcmp(service->containers.v[i].name.s, name) == 0)
            return &service->containers.v[i];
    return name ? map_get(model->container_by_name, name) : NULL;
}
