// The databases that a run of the cases uses: a source and a merge database, by name. Adding an engine: a row in
// engines.c and its name in meson.build; the cases stay as they are.
#pragma once
#include "support/estate.h"

typedef struct engine_pair {
    const char *name;
    const ds_driver *driver;
    const char *source, *merge; // fields of the containers, as a model writes them
} engine_pair;

const engine_pair *engine_find(const char *name); // NULL: unknown
// Connections to the two databases; the source is made when missing.
ds_db *engine_open_source(const estate *e, const engine_pair *engine);
ds_db *engine_open_merge(const estate *e, const engine_pair *engine);
