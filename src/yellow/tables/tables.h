// The DDL of a dataset's own tables. ds_ columns come first: merge ds_row_hash, ds_batch_in[, ds_batch_out][, ds_copy];
// staging ds_batch_id, ds_op (I U D), ds_row_hash[, ds_copy]. Uniqueness of the key is a partial unique index on live
// rows; closed versions have a plain one. Indexes come after the first load.
#pragma once
#include "yellow/control/control.h"

void table_create_merge_sql(const ds_stream_def *def, const ds_dataset_def *dataset, ds_sql *out);
void table_create_history_sql(const ds_stream_def *def, const ds_dataset_def *dataset, ds_sql *out);
void table_create_staging_sql(const ds_stream_def *def, const ds_dataset_def *dataset, ds_sql *out);
// The indexes of merge and history, each with IF NOT EXISTS; drop: for a key change, within the merge's transaction.
ds_rc table_create_indexes(ds_control *control, const ds_stream_def *def, const ds_dataset_def *dataset, ds_error *err);
// Only the one on closed versions, for a table that has none yet.
ds_rc table_create_closed_index(ds_control *control, const ds_stream_def *def, const ds_dataset_def *dataset,
                                ds_error *err);
ds_rc table_drop_indexes(ds_control *control, const ds_stream_def *def, const ds_dataset_def *dataset, ds_error *err);
// "id,line": how control tables name the key in force.
const char *table_key_text(ds_arena *arena, const ds_shape *shape);
