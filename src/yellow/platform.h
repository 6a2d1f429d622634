// Yellow as the rest of the program sees it: what it can serve, and what lint should know about its merge databases.
// Const data and pure functions; any thread.
#pragma once
#include "platform/platform.h"

const ds_platform_type *yellow_platform_type(void);
