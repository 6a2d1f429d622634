#pragma once
#include <stdio.h>

#include "base/map.h"
#include "gate/import.h"

// name, or name_2, name_3 ... when one of its letters in any case is taken; takes it.
const char *import_distinct(ds_arena *arena, ds_map *taken, const char *name);
