// One copy of every text and of every column type of a model. Private to model/; used while loading only.
#pragma once
#include "schema/type.h"

typedef struct interner interner;

// Texts go to arena, which outlives the interner; its own tables are freed with it.
interner *interner_new(ds_arena *arena);
void interner_freep(interner **in);

// A NUL-terminated copy, the same pointer for equal texts.
const char *intern(interner *in, ds_str text);
// The column type written as text, parsed once. NULL when it can't be read: err and *error_at say why.
const ds_column_spec *intern_column(interner *in, ds_str text, size_t *error_at, ds_error *err);
