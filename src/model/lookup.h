// Finds objects of a model. All results are the model's own; NULL when there is none.
#pragma once
#include "model/model.h"

const ds_datastore *model_datastore(const ds_model *model, const char *name);
const ds_dataset *datastore_dataset(const ds_datastore *store, const char *name);
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
