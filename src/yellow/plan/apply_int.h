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

// --- apply_move.c: inside the caller's transaction
// The streams that it takes datasets from, in a->scratch.
size_t apply_givers(applier *a, const plan_stream *stream, const char ***out);
// Before and after the steps: what is known of the datasets goes to the stream, and leaves the other.
ds_rc apply_move_in(applier *a, const plan_stream *stream, ds_error *err);
ds_rc apply_move_out(applier *a, const plan_stream *stream, ds_error *err);
ds_rc apply_unstage(applier *a, const plan_step *step, ds_error *err);

// --- apply_steps.c: views step aside, tables change, views come back. Inside the caller's transaction.
ds_rc apply_steps(applier *a, const plan_step_list *steps, ds_error *err);
