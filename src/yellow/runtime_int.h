#pragma once
#include "yellow/runtime.h"

// The container is a file that does not exist. An unreadable one is not absent: opening it says why.
bool runtime_absent(const ds_runtime *runtime, const ds_container_def *container);
// Calls the test's checkpoint, if there is one.
void runtime_checkpoint(const ds_runtime *runtime, const char *point);
