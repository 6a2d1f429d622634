// What a transformer's program is given (docs/transformers.md), as such a program reads it: we may be one ourselves.
#pragma once
#include "cli/command.h"
#include "store/driver.h"

typedef struct ds_exchange_output {
    const char *dataset;
    ds_relation table; // empty, to be filled
    const char *const *columns;
    size_t column_count;
} ds_exchange_output;

typedef struct ds_exchange_context {
    ds_target target; // of the connection, which has all this
    const char *user; // NULL: it has none
    const char *password;
    const ds_exchange_output *outputs;
    size_t output_count;
} ds_exchange_context;

// The file that DATASURFACE_CONTEXT names, in arena. DS_USAGE: there is none, or it is no context that we know.
ds_rc exchange_context_read(ds_arena *arena, ds_exchange_context *out, ds_error *err);
// The database of the outputs.
ds_rc exchange_context_open(const ds_exchange_context *context, const ds_program *program, ds_db **out, ds_error *err);
