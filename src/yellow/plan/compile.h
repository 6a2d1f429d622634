// Pipelines -> stream definitions: everything a job will need, resolved: physical names, containers (Environment
// applied), shapes, keys, views, transformer SQL with placeholders replaced by the live rows of the inputs on that
// platform. One deployment per PlatformService in its merge database, and one in each database that gets replicas of
// it. Lives in arena.
#pragma once
#include "graph/graph.h"
#include "platform/database.h"
#include "store/store.h"
#include "yellow/def/def.h"

// A workspace that has its views in another database, where they may still have to be made.
typedef struct ds_elsewhere {
    const char *workspace;
    const ds_container_def *container;
    bool waits; // it does: what is here stays
} ds_elsewhere;

typedef struct ds_deployment {
    const ds_platform_service *service;
    ds_container_def merge;        // the database that all this is in: the merge database, or that of a replica
    const ds_dialect *dialect;     // of it
    const ds_stream_def **streams; // so that a transformer's stream comes after its inputs
    size_t n;
    ds_container_caps *caps; // of the merge container and of all sources
    size_t cap_count;
    // Of the merge database: the containers that get replicas from it. Of a replica: none.
    const ds_container **replicas;
    const ds_container_def *replica_defs;
    size_t replica_count;
    const ds_container_def *home;  // of a replica: the merge database, where it is recorded; NULL: this is it
    const ds_elsewhere *elsewhere; // as plan_service.c has found
    size_t elsewhere_count;
} ds_deployment;

// `type: yellow`, whose streams are compiled; those of other types' platforms are left to them.
#define COMPILE_PLATFORM_TYPE "yellow"
bool compile_is_ours(const ds_platform *platform);

// DS_FINDING when something can't be compiled that lint should have refused, or is "not yet" (with the object named).
ds_rc compile_service(const ds_model *model, const ds_graph *graph, const ds_platform_service *service,
                      const ds_store *store, ds_arena *arena, const ds_deployment **out, ds_error *err);
// The same of the service's replicas in one of the merge deployment's containers.
ds_rc compile_replica(const ds_model *model, const ds_graph *graph, const ds_deployment *merge, size_t replica,
                      const ds_store *store, ds_arena *arena, const ds_deployment **out, ds_error *err);
// Of a container that has no replicas any more, as it was recorded.
ds_rc compile_former_replica(const ds_deployment *merge, const ds_container_def *container, const ds_store *store,
                             ds_arena *arena, const ds_deployment **out, ds_error *err);
