// Pipelines -> stream definitions: everything a job will need, resolved: physical names, containers (Environment
// applied), shapes, keys, views, transformer SQL with placeholders replaced by the live rows of the inputs on that
// platform. One deployment per PlatformService, in its merge database. Lives in arena.
#pragma once
#include "graph/graph.h"
#include "store/store.h"
#include "yellow/def.h"

typedef struct ds_deployment {
    const ds_platform_service *service;
    ds_container_def merge;
    const ds_dialect *dialect;     // of the merge database
    const ds_stream_def **streams; // so that a transformer's stream comes after its inputs
    size_t n;
    ds_container_caps *caps; // of the merge container and of all sources
    size_t cap_count;
} ds_deployment;

// `type: yellow`, whose streams are compiled; those of other types' platforms are left to them.
#define COMPILE_PLATFORM_TYPE "yellow"
bool compile_is_ours(const ds_platform *platform);

// DS_FINDING when something can't be compiled that lint should have refused, or is "not yet" (with the object named).
ds_rc compile_service(const ds_model *model, const ds_graph *graph, const ds_platform_service *service,
                      const ds_store *store, ds_arena *arena, const ds_deployment **out, ds_error *err);
// The container definition of a model's container (type, path, host, ...).
ds_container_def compile_container(const ds_container *container, const char *credential);
