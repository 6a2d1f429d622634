// Which platform serves which group: the written assignments, and for services with auto_assign the first fitting
// platform in written order for groups that no assignment mentions. Groups of transformer workspaces have none.
// Unresolvable assignments are skipped (lint reports them).
#pragma once
#include "platform/platform.h"

ds_roots assign_roots(const ds_model *model, ds_platform_types types, ds_arena *arena);
// Only those of some workspaces, which are the map's keys.
ds_roots assign_roots_of_workspaces(const ds_model *model, ds_platform_types types, const ds_map *workspaces,
                                    ds_arena *arena);
// Only those of one service; NULL gives all back.
ds_roots assign_roots_of_service(ds_roots roots, const ds_platform_service *service, ds_arena *arena);

// The model's services by name, so that the order of files decides nothing; as many as it has.
const ds_platform_service **assign_services(const ds_model *model, ds_arena *arena);

// The pieces that lint needs as well.
// The service's own platform of that name, or NULL.
const ds_platform *assign_platform(const ds_platform_service *service, const char *name);
// A text that is equal for containers that are one database, whatever they are called.
const char *assign_database(const ds_container *container, ds_arena *arena);
// The same of a service's merge database.
const char *assign_merge_database(const ds_model *model, const ds_platform_service *service, ds_arena *arena);
// The database of the workspace's views, in such a text.
const char *assign_views_database(const ds_model *model, const ds_workspace *workspace,
                                  const ds_platform_service *service, ds_arena *arena);
