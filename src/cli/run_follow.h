// `run --follow REF`: streams run when they are due, and a thread beside them keeps the merge databases true to REF.
#pragma once
#include "cli/command.h"

ds_rc run_follow(ds_cli *cli, ds_error *err);
