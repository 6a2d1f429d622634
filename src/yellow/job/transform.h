// When a transformer's stream is due: every input has a first commit, and one of them has changed since the batch that
// read it last. Input batches are recorded in the batch's position as JSON: {"YellowLive/Store1": "7"}.
#pragma once
#include "yellow/control/control.h"

// The input batches as `db` sees them now; "" in *out when an input has no first commit yet, *missing names it.
ds_rc transform_inputs(ds_db *db, const ds_control_names *names, const ds_stream_def *def, ds_arena *arena,
                       const char **out, const char **missing, ds_error *err);

// The rows of an output: "SELECT columns FROM (the transformer's SELECT)", appended to out.
void transform_select(const ds_dataset_def *dataset, ds_sql *out);
// Reads them as a user's text: from the stream's inputs and nothing else. select is borrowed, the rest in arena.
ds_read transform_read(const ds_stream_def *def, const ds_dataset_def *dataset, const ds_sql *select, ds_arena *arena);
