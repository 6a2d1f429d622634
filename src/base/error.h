// The first error channel: the world failed. A function that can fail returns ds_rc and fills the ds_error passed
// last. The code says what the caller can do, the text says what happened, the hint what to do next.
// (Second channel: base/diag.h, the user's input is wrong. Third: BUG() and ds_assert(), we are wrong.)
//
//     ds_rc stream_open(const char *name, ds_stream **out, ds_error *err)
//     {
//         TRY(ds_context(lease_take(name, err), err, "stream %s", name));
//         ...
//         return DS_DONE;
//     }
//
// A ds_error is plain storage of the caller; it owns nothing. Thread rule: none is shared.
#pragma once
#include <stdbool.h>
#include <stddef.h>

// What a caller can do about a failure. error_exit_code() maps each to the process's exit code.
typedef enum ds_code {
    DS_OK = 0,
    DS_FINDING,   // exit 1: the answer is no: refused, guarded, mismatch, bad data
    DS_USAGE,     // exit 2: the caller named something that is not there
    DS_ENV,       // exit 3: connection, file, permission, disk; worth a retry
    DS_BUSY,      // exit 3: somebody else holds it; worth a retry soon
    DS_CANCELLED, // exit 130: we were asked to stop
    DS_INTERNAL,  // exit 4: our bug, found in time
} ds_code;

// Must be looked at: TRY it, or compare .code.
typedef struct [[nodiscard]] ds_rc {
    ds_code code;
} ds_rc;

#define DS_DONE ((ds_rc){DS_OK})

enum { DS_ERROR_TEXT = 1024, DS_ERROR_HINT = 256 };

typedef struct ds_error {
    ds_code code;
    char state[8]; // SQLSTATE or the driver's own code, where there is one
    char text[DS_ERROR_TEXT];
    char hint[DS_ERROR_HINT]; // empty when there is no next step to name
} ds_error;

// Returns from the calling function when expr failed.
#define TRY(expr)                                                                                                      \
    do {                                                                                                               \
        ds_rc try_rc_ = (expr);                                                                                        \
        if (try_rc_.code != DS_OK)                                                                                     \
            return try_rc_;                                                                                            \
    } while (0)

// Fills *err and returns its code: `return ds_fail(err, DS_ENV, "can't open %s: %s", path, strerror(errno));`
__attribute__((format(printf, 3, 4))) ds_rc ds_fail(ds_error *err, ds_code code, const char *format, ...);

// Adds the next step to a failure; passes rc on.
__attribute__((format(printf, 3, 4))) ds_rc ds_hint(ds_rc rc, ds_error *err, const char *format, ...);

// When rc is a failure, puts "what we were doing: " before its text; passes rc on.
__attribute__((format(printf, 3, 4))) ds_rc ds_context(ds_rc rc, ds_error *err, const char *format, ...);

// A failed system call: text is "<what> <path>: <strerror>"; ENOSPC, EACCES and the like get a hint.
ds_rc ds_fail_errno(ds_error *err, int error_number, const char *what, const char *path);

// The exit code of design: 0, 1, 2, 3, 4 or 130.
int error_exit_code(ds_code code);

// Of several streams' failures the process reports the highest of 4, 3, 1 (130 wins over all).
ds_code error_worse(ds_code a, ds_code b);

// For failures that nobody can act on, as in a clean-up after the first failure.
static inline void ds_ignore(ds_rc rc)
{
    (void)rc;
}

// Always on. Prints file:line, the text and a backtrace, then aborts.
#define BUG(...) error_bug(__FILE__, __LINE__, __VA_ARGS__)
#define ds_assert(condition)                                                                                           \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            BUG("assertion failed: %s", #condition);                                                                   \
    } while (0)
__attribute__((noreturn, format(printf, 3, 4))) void error_bug(const char *file, int line, const char *format, ...);

// CLEANUP(arena_freep) ds_arena *a = arena_new(0);  -- f receives the variable's address
#define CLEANUP(f) __attribute__((cleanup(f)))
