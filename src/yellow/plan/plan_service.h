// What the files of the platform type share.
#pragma once
#include "platform/platform.h"

// --- plan_service.c
ds_rc plan_service(const ds_plan_request *request, ds_arena *arena, ds_plan_list *out, ds_error *err);
ds_rc plan_service_apply(const ds_runtime *runtime, const ds_plan *plan, const char *expected_id, ds_arena *arena,
                         const ds_plan **done, ds_error *err);
ds_rc plan_service_finish(const ds_runtime *runtime, const ds_plan *shown, ds_arena *arena, const ds_plan **done,
                          ds_error *err);
