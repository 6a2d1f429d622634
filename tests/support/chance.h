// Where a test's chance begins: DS_SEED when it is set, else something new. It is printed, so that DS_SEED can repeat
// what failed, as far as nothing but chance decided.
#pragma once
#include "sim/rng.h"

ds_rng chance_begin(void);
