// The databases that the model names, as those who open them know them. Texts are the model's.
#pragma once
#include "graph/graph.h"
#include "runtime/container.h"

// Type, path, host ... of a container; credential NULL: none.
ds_container_def database_of(const ds_container *container, const char *credential);
// With what a container's replicas are written: those who share one name one credential, lint sees to it.
const char *database_replica_credential(ds_roots roots, const ds_container *container);
