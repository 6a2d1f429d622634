// `run --follow REF`: streams run when they are due, and a thread beside them keeps the merge databases true to REF.
#pragma once
#include "cli/session.h"

// keeper: of the connections that its jobs share.
ds_rc run_follow(ds_cli *cli, ds_keeper *keeper, ds_error *err);
