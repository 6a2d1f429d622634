// What both directions know of the standard.
#pragma once
#include "gate/odcs.h"
#include "model/fields.h"

#define ODCS_VERSION "v3.1.0"
#define ODCS_CUSTOM "datasurface" // the property of customProperties that is ours

// --- odcs_map.c

enum { ODCS_PLACES = 4 };
// A field of a server that is one of a container.
typedef struct odcs_place {
    const char *ours, *theirs;
    const char *assumed; // what the standard requires and a model may leave out
} odcs_place;
typedef struct odcs_server {
    const char *ours, *theirs; // types
    odcs_place places[ODCS_PLACES];
} odcs_server;
// "custom" for a type that the standard doesn't have. Never NULL.
const odcs_server *odcs_server_of(const char *container_type);
// NULL for a type that we don't have; custom servers say theirs in customProperties.
const odcs_server *odcs_server_from(const char *server_type);

const char *odcs_logical_type(ds_type_kind kind);
// The model's type for a logical type; size: maxLength, or TYPE_UNLIMITED. NULL when unknown.
const char *odcs_type_from(ds_arena *arena, const char *logical, int64_t size);

// Fields that stand in customProperties, by element: NULL-terminated.
extern const char *const ODCS_STORE_FIELDS[], *const ODCS_DATASET_FIELDS[], *const ODCS_CONTAINER_FIELDS[];

// --- odcs_fields.c

// Those of the shape's fields that were given and are in keys (NULL-terminated; NULL: all), as the model writes them;
// a new reference.
json_t *odcs_fields(const model_shape *shape, const void *object, const char *const *keys);
// Numbers and flags that a contract's reader took for texts become what the shape's fields are.
void odcs_fields_mend(const model_shape *shape, json_t *object);
