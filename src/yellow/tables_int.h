// What plan and apply ask of a dataset's tables besides their DDL.
#pragma once
#include "yellow/tables.h"

enum { TABLE_SYSTEM_MAX = 4 };
// The columns that we add to a table of that kind; returns how many.
size_t table_system_names(const ds_stream_def *def, const ds_shape *shape, ds_table_kind kind,
                          const char *out[TABLE_SYSTEM_MAX]);
ds_relation table_relation_of(const ds_dataset_def *dataset, ds_table_kind kind);
