// What plan needs of a definition's JSON beyond def.h: datasets alone. A dataset that its stream gave up is kept in
// the control tables in this form, so that its tables are still known when it comes back or is pruned.
#pragma once
#include "yellow/def/def.h"

// Equal dataset definitions give equal bytes (JSON_SORT_KEYS | JSON_COMPACT). A new reference.
json_t *def_encode_dataset(const ds_dataset_def *dataset);
ds_rc def_decode_dataset(ds_arena *arena, const json_t *json, ds_dataset_def *out, ds_error *err);
// A container alone; the same.
json_t *def_encode_container(const ds_container_def *container);
ds_rc def_decode_container(ds_arena *arena, const json_t *json, ds_container_def *out, ds_error *err);
// --- def_check.c: a list of checks; a new reference.
json_t *def_encode_checks(const ds_check_def *checks, size_t n);
// Into out, whose shape is known; NULL gives none. False when it is damaged.
bool def_decode_checks(ds_arena *arena, const json_t *list, ds_dataset_def *out);
// --- def_command.c: a transformer's program; a new reference. False when it is damaged.
json_t *def_encode_command(const ds_command_def *command);
bool def_decode_command(ds_arena *arena, const json_t *json, const ds_command_def **out);
// --- def_facts.c: what those want who only look at streams: {datasets, external, inputs, primary, timezone,
// watermark}, without what is empty. A new reference.
json_t *def_facts(const ds_stream_def *def);
// Canonical text of a JSON value, in arena.
const char *def_json_text(ds_arena *arena, const json_t *json);
// A stream's definition that a newer version of datasurface wrote.
bool def_is_newer(const json_t *json);
