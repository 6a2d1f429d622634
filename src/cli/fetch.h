// `git fetch`, by the git program: it knows the operator's keys, helpers and proxies, which libgit2 would have to
// learn.
#pragma once
#include "base/error.h"

// Brings the repository's remote-tracking branches of a remote up to date; branch, "refs/heads/main": only what it has
// of that, and a failure when the remote has it no more; NULL: all. Nobody is asked for a password; no file of a work
// tree is touched. None of our variables (DATASURFACE_…) is handed on. DS_ENV with git's own words when it fails, or
// has not come to its end by then; DS_CANCELLED as soon as stop or cancelled, flags that may be NULL, is set.
ds_rc fetch_remote(const char *directory, const char *remote, const char *branch, int timeout_ms,
                   const volatile int *stop, ds_error *err);
