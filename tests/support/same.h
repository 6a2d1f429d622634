// Are two structs of the model equal in every field of the tables and every position, files aside? Written apart from
// the code that packs and compares models, so that one can be held against the other.
#pragma once
#include "model/fields.h"

// "" when they are; else the path of the first difference: "datasets[0].columns[3].type".
void same_struct(const model_shape *shape, const void *a, const void *b, ds_buf *where);
