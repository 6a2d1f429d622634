// Ranges of a source table by its key, in the source's own order: (after, upto]. The values at their ends are the
// source's, printed by it (sql_point_column), so that no type, affinity or collation of ours comes between.
#pragma once
#include "store/store.h"
#include "yellow/def/def.h"

typedef struct ds_key_range {
    const ds_dataset_def *dataset;
    const char *const *after; // one value per key column; NULL: from the first row on
    const char *const *upto;  // NULL: to the last one
} ds_key_range;

// Sets range->upto, in arena, so that the range has so many rows, or to NULL when there are fewer. In the caller's
// snapshot. DS_FINDING also when the key's columns have no order there.
ds_rc key_range_find_end(ds_db *db, ds_key_range *range, int64_t rows, ds_arena *arena, ds_error *err);
// Appends what stands behind "FROM table".
void key_range_where(const ds_key_range *range, ds_sql *out);
