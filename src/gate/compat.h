// Can those who use it live with what changes? Columns, types, null, keys, partitions and classifications of a dataset,
// how a store's streams are cut, platforms, views; and what is removed while somebody uses it.
#pragma once
#include "gate/changes.h"

// Reports (rules C001 and up) and marks what is breaking. A breaking change is an error unless g->approve_breaking; a
// removal of what is in use, and a deprecation that its consumers have not allowed, are errors whoever approves.
void gate_judge(gate *g);
