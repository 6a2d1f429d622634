// The SQLite driver (3.40): sources and merge databases in one file.
#pragma once
#include "store/driver.h"

extern const ds_driver SQLITE_DRIVER;
