// What both directions of packing share. Private to model/.
#pragma once
#include "model/fields.h"
#include "model/pack.h"

typedef LIST_OF(void) pack_list; // any LIST_OF

// Where a struct's fields are, the place of its short form among them where no field has that place.
typedef struct pack_fields {
    const model_shape *shape;
    const model_field *extra; // NULL: none
    size_t n;
} pack_fields;

static inline pack_fields pack_fields_of(const model_shape *shape)
{
    pack_fields all = {shape, shape->short_form, shape_field_count(shape)};
    for (size_t i = 0; all.extra && i < all.n; i++)
        if (shape_field(shape, i)->kind == all.extra->kind && shape_field(shape, i)->offset == all.extra->offset)
            all.extra = NULL;
    all.n += all.extra != NULL;
    return all;
}

static inline const model_field *pack_field(const pack_fields *all, size_t i)
{
    return all->extra && i == all->n - 1 ? all->extra : shape_field(all->shape, i);
}

enum { PACK_FIELDS_MAX = 32 };

// Texts of a small vocabulary are words; others stand where they are used.
static inline bool pack_is_word(const model_field *f)
{
    return f->words || f->pattern != PATTERN_NONE;
}

// A number that stands before a position: 0 is none, else the difference of lines, zigzag, and a bit that says whether
// the column is the one before.
static inline uint64_t pack_zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}
static inline int64_t pack_unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

enum { PACK_PRIMARY_KEY = 1, PACK_NOT_NULL = 2, PACK_PARTITION = 4, PACK_NULL_GIVEN = 8, PACK_FLAG_BITS = 4 };
