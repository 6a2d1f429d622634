// What a zone's policies say, for those who hold something against them.
#pragma once
#include "gate/lint_int.h"

bool policy_given(const ds_policy *policy); // false: it allows all
bool policy_allows(const ds_policy *policy, const char *value);
