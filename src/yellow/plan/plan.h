// plan: what apply would change in a service's merge database. Reads the control tables and the catalogue; an absent
// database counts as empty. apply does it: idempotent, stream by stream in transactions, under its own lease; killed
// half-way, the next apply finishes it.
#pragma once
#include "platform/plan.h"
#include "yellow/control/control.h"
#include "yellow/plan/compile.h"

// prune: what the model no longer mentions is dropped instead of kept.
ds_rc plan_make(const ds_runtime *runtime, const ds_deployment *deployment, bool prune, ds_arena *arena,
                const ds_plan **out, ds_error *err);
// Waits for another apply, and makes the plan again under the leases. expected_id: NULL, then what is found there is
// done whatever was shown before; or the id of a plan shown before: DS_FINDING when anything moved since. *done, in
// arena, is what was done in fact: empty when another apply had done it all.
ds_rc plan_carry_out(const ds_runtime *runtime, const ds_plan *plan, const char *expected_id, ds_arena *arena,
                     const ds_plan **done, ds_error *err);
// The same for those who don't ask what was done.
ds_rc plan_apply(const ds_runtime *runtime, const ds_plan *plan, const char *expected_id, ds_error *err);
