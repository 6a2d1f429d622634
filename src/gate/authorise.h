// May the pull request change what it changes? Every change must be owned by the repository that it comes from.
#pragma once
#include "gate/changes.h"

// Marks the changes that are allowed and reports the others (rules A001 and up), each with its owner. A repository that
// owns nothing in the base is refused even when it changes nothing. path and branch are compared exactly.
void gate_authorise(gate *g, const char *path, const char *branch);
