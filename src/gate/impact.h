// Whom a change reaches through lineage, and what `apply` does to them: streams, groups, transformers, platforms.
#pragma once
#include "gate/changes.h"

// Fills the changes' `affects`.
void gate_trace(gate *g);
const char *gate_effect_name(gate_effect effect);  // "view_replaced"
const char *gate_effect_about(gate_effect effect); // a clause for people
const char *gate_thing_name(gate_thing thing);     // "stream"
