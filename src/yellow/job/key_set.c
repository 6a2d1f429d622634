#include "yellow/job/key_set.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 1024 };

static bool is_free(ds_hash slot)
{
    return slot.low == 0 && slot.high == 0;
}

static ds_hash *slot_of(const ds_key_set *set, ds_hash key)
{
    size_t i = key.low & (set->cap - 1);
    while (!is_free(set->slots[i]) && !hash_eq(set->slots[i], key))
        i = (i + 1) & (set->cap - 1);
    return &set->slots[i];
}

static void grow(ds_key_set *set)
{
    ds_key_set larger = {.n = set->n, .cap = set->cap ? 2 * set->cap : FIRST_SLOTS};
    larger.slots = calloc(larger.cap, sizeof *larger.slots);
    if (!larger.slots)
        BUG("out of memory");
    for (size_t i = 0; i < set->cap; i++)
        if (!is_free(set->slots[i]))
            *slot_of(&larger, set->slots[i]) = set->slots[i];
    free(set->slots);
    *set = larger;
}

bool key_set_add(ds_key_set *set, ds_hash key)
{
    if (is_free(key))
        key.low = 1;
    if (2 * set->n >= set->cap && set->n < KEY_SET_MAX)
        grow(set);
    ds_hash *slot = slot_of(set, key);
    if (!is_free(*slot))
        return false;
    if (set->n == KEY_SET_MAX)
        return true;
    *slot = key;
    set->n++;
    return true;
}

void key_set_release(ds_key_set *set)
{
    free(set->slots);
    *set = (ds_key_set){0};
}
