// The shape of a dataset's rows, compiled once per stream: columns, key, and the order in which a row is encoded.
// Lives in an arena, immutable, any thread.
#pragma once
#include "schema/type.h"

typedef struct ds_shape_column {
    const char *name;   // the model's spelling
    const char *source; // its name at the source; equal to name by default
    const ds_type *type;
    bool not_null;      // also set for key columns
    uint64_t name_hash; // XXH3-64 (seed 0) of the name in lower case
} ds_shape_column;

enum { SHAPE_COLUMNS_MAX = 4096 };

typedef struct ds_shape {
    const ds_shape_column *columns; // in the model's order
    size_t n;
    const uint16_t *hash_order; // indexes into columns, by byte order of their lower-case names
    const uint16_t *key;        // indexes into columns, in key order
    const uint16_t *key_place;  // where in hash_order each of them stands
    size_t key_count;           // 0: a multiset, identity is (row hash, copy number)
    bool key_is_number;         // one column whose cells are signed integers: the key hash has the number itself
} ds_shape;

// Copies the columns into arena (their names and types are borrowed) and computes the rest; a source of NULL becomes
// the name. key has key_count indexes into columns. DS_FINDING when two columns have the same name hash, no columns or
// too many.
ds_rc shape_new(ds_arena *arena, const ds_shape_column *columns, size_t n, const uint16_t *key, size_t key_count,
                const ds_shape **out, ds_error *err);
// The shape that has only the key columns of `shape` (all of them key, in key order); without columns for
// a multiset.
const ds_shape *shape_of_key(ds_arena *arena, const ds_shape *shape);
// Index of the column of that name (exact), or -1.
int shape_find(const ds_shape *shape, const char *name);
