// Finds objects of a model. All results are the model's own; NULL when there is none.
#pragma once
#include "model/model.h"

const ds_datastore *model_datastore(const ds_model *model, const char *name);
// --- datasets of a store. Where a model was read from an image they are unpacked when they are asked for, so such a
// model belongs to one thread; only these functions see them. The same pointer for the same name, for the life of the
// model.
const ds_dataset *datastore_dataset(const ds_datastore *store, const char *name);
size_t datastore_dataset_count(const ds_datastore *store);
// Which one it is of its store, from 0. The dataset comes from datastore_dataset.
size_t datastore_place(const ds_datastore *store, const ds_dataset *dataset);
// All, in order: the model's own, or read anew into scratch, whose pointers are others.
typedef struct ds_datasets {
    const ds_dataset *v;
    size_t n;
} ds_datasets;
ds_datasets datastore_datasets(const ds_datastore *store, ds_arena *scratch);
// Reads all into store->datasets, for who walks through structs; before anybody has asked for one. model_open: of all
// stores, which makes the model as if its text had been decoded.
void datastore_open(ds_datastore *store, ds_arena *arena);
void model_open(ds_model *model);
// The name nearest to a misspelt one, in scratch, or NULL.
const char *datastore_nearest(const ds_datastore *store, const char *name, ds_arena *scratch);

// How an image gives them. Failures are its own to keep: NULL and nothing then.
typedef struct ds_unread {
    size_t n;
    const ds_dataset *(*find)(struct ds_unread *unread, const char *name);
    size_t (*place)(const struct ds_unread *unread, const ds_dataset *dataset);
    ds_datasets (*all)(struct ds_unread *unread, ds_arena *scratch);
} ds_unread;

const ds_column *dataset_column(const ds_dataset *dataset, const char *name);
const ds_workspace *model_workspace(const ds_model *model, const char *name);
const ds_group *workspace_group(const ds_workspace *workspace, const char *name);
const ds_container *model_container(const ds_model *model, const char *name);
const ds_platform *model_platform(const ds_model *model, const char *name);
const ds_platform_service *model_service(const ds_model *model, const char *name);
// The service that declares the platform.
const ds_platform_service *platform_service(const ds_model *model, const ds_platform *platform);
const ds_zone *model_zone(const ds_model *model, const char *name);

// Key columns in key order: `primary_key` when given, else the columns marked `primary key` in column order.
// Returns how many; 0 for `key: none`. out has room for dataset->columns.n; NULL just counts.
size_t dataset_key(const ds_dataset *dataset, const ds_column **out);
bool dataset_is_keyless(const ds_dataset *dataset); // key: none

// "A/B" -> {"A", "B"}: the workspace and group of an assignment. False when it is no such pair or does not exist.
bool model_resolve_group(const ds_model *model, const char *path, const ds_workspace **workspace,
                         const ds_group **group);

// The model as it is with one of its Environments, which was loaded without any. Containers and services are its own,
// in arena; it shares all else with the model and is not freed.
const ds_model *model_in_environment(const ds_model *model, const ds_environment *environment, ds_arena *arena);
