// The name of the packed format: it changes with the tables of fields.
#include <xxhash.h>

#include "model/pack_int.h"

enum { PACK_VERSION = 1 };

static void hash_shape(XXH3_state_t *state, const model_shape *shape)
{
    pack_fields all = pack_fields_of(shape);
    XXH3_64bits_update(state, shape->name, strlen(shape->name) + 1);
    for (size_t i = 0; i < all.n; i++) {
        const model_field *f = pack_field(&all, i);
        const uint32_t facts[] = {(uint32_t)f->kind, pack_is_word(f), f->apart, f->shape != NULL};
        XXH3_64bits_update(state, f->key ? f->key : "", f->key ? strlen(f->key) + 1 : 1);
        XXH3_64bits_update(state, f->fallback ? f->fallback : "", f->fallback ? strlen(f->fallback) + 1 : 1);
        XXH3_64bits_update(state, facts, sizeof facts);
        if (f->shape)
            hash_shape(state, f->shape);
    }
}

uint64_t pack_format(void)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state || XXH3_64bits_reset_withSeed(state, PACK_VERSION) != XXH_OK)
        BUG("out of memory");
    for (size_t i = 0; i < MODEL_KIND_COUNT; i++)
        hash_shape(state, MODEL_KINDS[i].shape);
    uint64_t format = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return format;
}
