// What the demo shows of the consumers' views: rows side by side, and the versions of one row.
#pragma once
#include "cli/command.h"

ds_rc demo_show_customers(ds_cli *cli, const char *dir, ds_error *err);
ds_rc demo_show_versions(ds_cli *cli, const char *dir, ds_error *err);
