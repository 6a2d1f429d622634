// A program that is run to its end: no shell in between, its output line by line, and nothing of it left behind.
//
// It is the leader of a process group of its own, reads nothing (/dev/null), inherits no open file but its output, and
// has no other environment than what is given. Whatever of its group is still there when it ends is killed; it is
// itself killed when the thread that runs it dies. Any thread; several at a time.
#pragma once
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

typedef struct ds_child {
    const char *const *argv;        // NULL at the end; a name without '/' is looked for in PATH of the environment
    const char *const *environment; // "NAME=value", NULL at the end
    const char *directory;          // that it starts in; NULL: ours
    int64_t timeout_ms;             // after which it is ended
    void *context;                  // of the functions below
    // Each line of its standard output and error, without the newline; long ones come in pieces.
    void (*line)(void *context, ds_str line);
    // Asked several times a second: a failure ends the program, and is that of child_run.
    ds_rc (*look)(void *context, ds_error *err);
} ds_child;

typedef struct ds_child_end {
    bool timed_out;
    int code;   // that it exited with
    int signal; // that killed it; 0: it exited
} ds_child_end;

// DS_ENV when it can't be started. A program is ended by SIGTERM, and CHILD_GRACE_MS later by SIGKILL.
enum { CHILD_LINE_MAX = 4096, CHILD_GRACE_MS = 2000 };
ds_rc child_run(const ds_child *child, ds_child_end *out, ds_error *err);
