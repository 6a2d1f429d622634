// What plan and apply ask of a dataset's tables besides their DDL.
#pragma once
#include "yellow/tables/tables.h"

enum { TABLE_SYSTEM_MAX = 6 };
// The columns that we add to a table of that kind; returns how many.
size_t table_system_names(const ds_stream_def *def, const ds_shape *shape, ds_table_kind kind,
                          const char *out[TABLE_SYSTEM_MAX]);
// A column's type as a table or a stub view declares it: text in a key is equal by its bytes.
void table_type_sql(const ds_type *type, bool in_key, ds_sql *out);
// Does being in a key change how a column of that type is declared?
bool table_collates(const ds_dialect *dialect, const ds_type *type);
// By its name in any spelling.
bool table_is_key(const ds_shape *shape, const char *column);
ds_relation table_relation_of(const ds_dataset_def *dataset, ds_table_kind kind);
