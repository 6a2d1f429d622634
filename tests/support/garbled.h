// Models that are broken in places: an estate that has something of everything, and findings of most rules;
// and what chance does to such a text.
#pragma once
#include "base/buf.h"
#include "sim/rng.h"

enum { GARBLED_TEXT_MAX = 4 << 20 };

// Set-up and tear-down of a cmocka group: *state is a ds_buf with the estate's text.
int garbled_load_estate(void **state);
int garbled_release_estate(void **state);
// One node is gone, stands elsewhere, or is another one.
void garbled_garble(ds_buf *text, ds_rng *chance);
