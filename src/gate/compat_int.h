// The parts of gate_judge(). Private to gate/.
#pragma once
#include "gate/changes_int.h"
#include "gate/compat.h"

// compat_use.c: whatever is removed, and who uses it in the head; deprecations.
void compat_uses(gate *g);
// compat_service.c: platforms, merge databases, groups that nobody serves any more.
void compat_services(gate *g);
// compat_place.c: merge databases that move, sources that become others.
void compat_places(gate *g);
// Does it say where a container is?
bool change_is_address(const ds_change *c);

// The change is of this field, and of no other.
static inline bool change_is_of(const ds_change *c, const model_shape *shape, const char *key)
{
    return c->inner.shape == shape && c->row && c->row->key && strcmp(c->row->key, key) == 0;
}
// A whole struct of that shape, or what it is in, came or went.
static inline bool change_is_whole(const ds_change *c, const model_shape *shape)
{
    return c->inner.shape == shape && !(c->inner.before && c->inner.after);
}
