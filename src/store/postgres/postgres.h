// The driver for PostgreSQL, 15 and later, over libpq.
#pragma once
#include "store/driver.h"

extern const ds_driver POSTGRES_DRIVER;
