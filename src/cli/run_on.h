// `run` without --once: streams run when they are due, until a signal comes.
#pragma once
#include "cli/session.h"

// The first signal drains: what runs goes on to its end, and the command ends well. The second one cancels.
ds_rc run_on(ds_session *session, ds_error *err);
