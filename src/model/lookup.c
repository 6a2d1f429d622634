#include "model/lookup.h"

#include "model/pattern.h"

const ds_datastore *model_datastore(const ds_model *model, const char *name)
{
    return map_get(model->datastore_by_name, name);
}

// Datasets, columns and groups are few and looked up seldom: no map is worth its memory.
const ds_dataset *datastore_dataset(const ds_datastore *store, const char *name)
{
    if (store->unread)
        return store->unread->find(store->unread, name);
    for (size_t i = 0; i < store->datasets.n; i++)
        if (strcmp(store->datasets.v[i].name, name) == 0)
            return &store->datasets.v[i];
    return NULL;
}

size_t datastore_dataset_count(const ds_datastore *store)
{
    return store->unread ? store->unread->n : store->datasets.n;
}

size_t datastore_place(const ds_datastore *store, const ds_dataset *dataset)
{
    return store->unread ? store->unread->place(store->unread, dataset) : (size_t)(dataset - store->datasets.v);
}

ds_datasets datastore_datasets(const ds_datastore *store, ds_arena *scratch)
{
    if (store->unread)
        return store->unread->all(store->unread, scratch);
    return (ds_datasets){store->datasets.v, store->datasets.n};
}

void datastore_open(ds_datastore *store, ds_arena *arena)
{
    if (!store->unread)
        return;
    ds_datasets all = store->unread->all(store->unread, arena);
    store->datasets.v = (ds_dataset *)(uintptr_t)all.v;
    store->datasets.n = all.n;
    store->unread = NULL;
}

void model_open(ds_model *model)
{
    for (size_t i = 0; i < model->datastores.n; i++)
        datastore_open(model->datastores.v[i], model->arena);
}

const char *datastore_nearest(const ds_datastore *store, const char *name, ds_arena *scratch)
{
    ds_datasets all = datastore_datasets(store, scratch);
    const char **names = ARENA_ARRAY(scratch, const char *, all.n);
    for (size_t i = 0; i < all.n; i++)
        names[i] = all.v[i].name;
    return str_nearest(name, names, all.n);
}

const ds_column *dataset_column(const ds_dataset *dataset, const char *name)
{
    for (size_t i = 0; i < dataset->columns.n; i++)
        if (strcmp(dataset->columns.v[i].name, name) == 0)
            return &dataset->columns.v[i];
    return NULL;
}

const ds_workspace *model_workspace(const ds_model *model, const char *name)
{
    return map_get(model->workspace_by_name, name);
}

const ds_group *workspace_group(const ds_workspace *workspace, const char *name)
{
    for (size_t i = 0; i < workspace->groups.n; i++)
        if (strcmp(workspace->groups.v[i].name, name) == 0)
            return &workspace->groups.v[i];
    return NULL;
}

const ds_container *model_container(const ds_model *model, const char *name)
{
    return map_get(model->container_by_name, name);
}

const ds_platform *model_platform(const ds_model *model, const char *name)
{
    return map_get(model->platform_by_name, name);
}

const ds_platform_service *model_service(const ds_model *model, const char *name)
{
    return map_get(model->service_by_name, name);
}

const ds_platform_service *platform_service(const ds_model *model, const ds_platform *platform)
{
    for (size_t i = 0; i < model->services.n; i++) {
        const ds_platform_service *service = model->services.v[i];
        for (size_t k = 0; k < service->platforms.n; k++)
            if (&service->platforms.v[k] == platform)
                return service;
    }
    return NULL;
}

const ds_zone *model_zone(const ds_model *model, const char *name)
{
    return map_get(model->zone_by_name, name);
}

static void put_key(const ds_column **out, size_t at, const ds_column *column)
{
    if (out)
        out[at] = column;
}

static bool in_key(const ds_dataset *dataset, const char *name, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (strcmp(dataset->rest->primary_key.v[i].s, name) == 0)
            return true;
    return false;
}

size_t dataset_key(const ds_dataset *dataset, const ds_column **out)
{
    size_t n = 0;
    if (dataset_is_keyless(dataset))
        return 0;
    // Names that are no columns, and repeated ones, are lint's business; here they are left out.
    for (size_t i = 0; i < dataset->rest->primary_key.n; i++) {
        const ds_column *column = dataset_column(dataset, dataset->rest->primary_key.v[i].s);
        if (column && !in_key(dataset, column->name, i))
            put_key(out, n++, column);
    }
    if (dataset->rest->primary_key.n)
        return n;
    for (size_t i = 0; i < dataset->columns.n; i++)
        if (dataset->columns.v[i].primary_key)
            put_key(out, n++, &dataset->columns.v[i]);
    return n;
}

bool dataset_is_keyless(const ds_dataset *dataset)
{
    return dataset->rest->key.s && strcmp(dataset->rest->key.s, "none") == 0;
}

bool model_resolve_group(const ds_model *model, const char *path, const ds_workspace **workspace,
                         const ds_group **group)
{
    char name[PATTERN_NAME_MAX + 1];
    const char *slash = path ? strchr(path, '/') : NULL;
    if (!slash || (size_t)(slash - path) >= sizeof name)
        return false;
    memcpy(name, path, (size_t)(slash - path));
    name[slash - path] = '\0';
    const ds_workspace *found = model_workspace(model, name);
    const ds_group *its = found ? workspace_group(found, slash + 1) : NULL;
    if (!its)
        return false;
    *workspace = found;
    *group = its;
    return true;
}
