// A contract on its way into a model. What is understood is taken out of the contract's tree; what is left in the end
// gets a comment, so nothing is lost without a word.
#pragma once
#include "base/map.h"
#include "base/vec.h"
#include "gate/odcs_int.h"

typedef struct odcs_reading {
    const ds_odcs_options *options;
    ds_arena *arena;
    ds_odcs_summary summary;
    VEC(const char *) left_out;
} odcs_reading;

// Removes the entry and gives it to the caller; NULL when there is none.
json_t *odcs_take(json_t *object, const char *key);
// The text of an entry that has one, which is removed; else NULL, and it stays.
const char *odcs_take_text(odcs_reading *r, json_t *object, const char *key);
// True for "true", which is removed as "false" is.
bool odcs_take_flag(odcs_reading *r, json_t *object, const char *key);
// An integer, which is removed; else `otherwise`.
int64_t odcs_take_int(odcs_reading *r, json_t *object, const char *key, int64_t otherwise);
// The value of our entry in customProperties, a new reference; an empty map when there is none.
json_t *odcs_take_ours(json_t *element);
// Moves those of the fields that `ours` has.
void odcs_move_fields(json_t *ours, json_t *to, const char *const *fields);

// One comment: "customers.email: tags: [...]: the reason".
void odcs_leave_out(odcs_reading *r, const char *path, const char *key, const json_t *value, const char *reason);
// One for each entry that is still there and says something.
void odcs_leave_rest(odcs_reading *r, const char *path, const json_t *object);

// --- odcs_import_dataset.c
// One of the contract's objects as a dataset of the model; a new reference.
json_t *odcs_dataset(odcs_reading *r, json_t *object, const char *name);
// --- odcs_import_check.c
// Checks that an object's and its properties' `quality` come to, which is removed as far as it is understood.
json_t *odcs_checks(odcs_reading *r, json_t *object, const char *path, const ds_map *columns);
