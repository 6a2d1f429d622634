// Models that are broken in places: an estate that has something of everything, and findings of most rules; its
// documents one by one; and what chance does to such a text.
#pragma once
#include <stdint.h>

#include "base/buf.h"

enum { GARBLED_TEXT_MAX = 4 << 20, ESTATE_DOCUMENTS_MAX = 64 };

// Set-up and tear-down of a cmocka group: *state is a ds_buf with the estate's text.
int garbled_load_estate(void **state);
int garbled_release_estate(void **state);
// The documents of a text, which they point into. At most ESTATE_DOCUMENTS_MAX.
size_t garbled_split(ds_str text, ds_str *out);
// A number below n; the seed is not 0, and the same one gives the same numbers.
size_t random_below(uint64_t *seed, size_t n);
// One node is gone, stands elsewhere, or is another one.
void garbled_garble(ds_buf *text, uint64_t *seed);
