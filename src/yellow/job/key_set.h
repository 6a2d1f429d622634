// Keys that have been seen, as their seeded hashes. Open addressing; up to KEY_SET_MAX of them, beyond which it takes
// no more. Owns its memory; one thread.
#pragma once
#include "schema/rows.h"

enum { KEY_SET_MAX = 4 << 20 };
typedef struct ds_key_set {
    ds_hash *slots; // all zero: free
    size_t n, cap;
} ds_key_set;

// False when it is there already.
bool key_set_add(ds_key_set *set, ds_hash key);
void key_set_release(ds_key_set *set);
