// Shared by apply.c, which runs a plan, and apply_steps.c, which changes tables and views. Nothing else includes it.
#pragma once
#include "yellow/control/lock.h"
#include "yellow/plan/plan_int.h"

typedef struct applier {
    const ds_runtime *runtime;
    ds_control *control;
    ds_lock *lock;
    const ds_plan *plan;
    const ds_plan *upgrade; // of older control tables, which was carried out before; NULL: none
    ds_arena *arena;        // of the plan that is carried out
    ds_arena *scratch;      // of one transaction
    ds_map *leases;         // of streams: those that were taken
    ds_map *schemas;        // that are there
} applier;

// Views step aside, tables change, views come back. Inside the caller's transaction.
ds_rc apply_steps(applier *a, const plan_step_list *steps, ds_error *err);
