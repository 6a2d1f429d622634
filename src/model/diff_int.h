// Single values of fields: equal or not, as text, and where. Private to model/.
#pragma once
#include "model/diff.h"

// FIELD_LIST and FIELD_MAP: LIST_OF(struct) without its type.
typedef LIST_OF(void) any_list;

bool field_is_leaf(const model_field *f); // no struct, list or map of structs
// base: the struct that the field belongs to.
bool leaf_equal(const model_field *f, const void *a, const void *b);
bool leaf_given(const model_field *f, const void *base); // also by its default
// Without a position of its own: file 0.
ds_pos leaf_pos(const model_field *f, const void *base);
// As YAML; nothing when it is not given.
void leaf_print(const model_field *f, const void *base, ds_buf *out);

// The struct's fields that are given, as a flow map; a plain value where it has a short form and no more is given.
void struct_print(const model_shape *shape, const void *base, ds_buf *out);
// Was the map of this shape there at all?
bool struct_given(const model_shape *shape, const void *base);
// The row of the short form when its member is none of the shape's fields; else NULL.
const model_field *shape_brief(const model_shape *shape);
// An entry's name or what tells it apart; NULL when it has neither.
const char *entry_name(const model_shape *shape, const void *entry);

// Where the field's value is.
static inline const void *field_at(const model_field *f, const void *base)
{
    return (const char *)field_home(f, base) + f->offset;
}
