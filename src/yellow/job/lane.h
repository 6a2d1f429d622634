// The lane for changing tables of a server's database: one owner at a time, over all processes. Whoever takes it holds
// the leases that it needs already.
#pragma once
#include "yellow/control/lock.h"

// Tries for wait_ms; given back with the lock.
ds_rc lane_take(ds_lock *lock, const ds_control *control, int wait_ms, bool *held, ds_error *err);
