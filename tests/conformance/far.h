// A third database, on the engine of the pair's source, that a case may copy to: `{Far}` in its documents.
#pragma once
#include "support/pair.h"

// A pair whose merge database is the far one; the role and its credential are the other pair's.
void far_open(test_pair *far, const test_pair *pair);
void far_close(test_pair *far); // before the other one
// Its fields in a flow mapping, in arena or static.
const char *far_container_yaml(const test_pair *far, ds_arena *arena);
// "credential: Pair", or nothing.
const char *far_credential_yaml(const test_pair *far);
