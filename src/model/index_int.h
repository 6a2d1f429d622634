// What needs all documents: lists, names, outputs of transformers, environments. Private to model/.
#pragma once
#include "model/decode_int.h"

// Moves the decoded objects into the model, finds duplicates, applies `environment` (NULL: none).
// DS_USAGE when there is no such environment.
ds_rc index_build(ds_model *model, decoder *d, const char *environment, ds_error *err);

// Replaces the containers that it names.
void environment_apply(ds_model *model, const ds_environment *environment);
