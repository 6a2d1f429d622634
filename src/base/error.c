#include "base/error.h"

#include <errno.h>
#include <execinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

ds_rc ds_fail(ds_error *err, ds_code code, const char *format, ...)
{
    ds_assert(code != DS_OK);
    *err = (ds_error){.code = code};
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return (ds_rc){code};
}

ds_rc ds_hint(ds_rc rc, ds_error *err, const char *format, ...)
{
    if (rc.code == DS_OK)
        return rc;
    va_list args;
    va_start(args, format);
    vsnprintf(err->hint, sizeof err->hint, format, args);
    va_end(args);
    return rc;
}

ds_rc ds_context(ds_rc rc, ds_error *err, const char *format, ...)
{
    if (rc.code == DS_OK)
        return rc;
    char before[DS_ERROR_TEXT];
    memcpy(before, err->text, sizeof before);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n < sizeof err->text ? (size_t)n : sizeof err->text - 1;
    snprintf(err->text + used, sizeof err->text - used, ": %s", before);
    return rc;
}

static const struct {
    int error_number;
    const char *hint;
} ERRNO_HINTS[] = {
    {ENOSPC, "free some disk space and run the command again; nothing was lost"},
    {EDQUOT, "the disk quota is used up; free some space and run the command again"},
    {EACCES, "check the file's owner and permissions"},
    {EPERM, "check the file's owner and permissions"},
    {EROFS, "the file system is read-only"},
    {EMFILE, "raise the limit of open files (ulimit -n)"},
};

ds_rc ds_fail_errno(ds_error *err, int error_number, const char *what, const char *path)
{
    ds_rc rc = ds_fail(err, DS_ENV, "%s %s: %s", what, path, strerror(error_number));
    for (size_t i = 0; i < sizeof ERRNO_HINTS / sizeof ERRNO_HINTS[0]; i++)
        if (ERRNO_HINTS[i].error_number == error_number)
            return ds_hint(rc, err, "%s", ERRNO_HINTS[i].hint);
    return rc;
}

int error_exit_code(ds_code code)
{
    switch (code) {
    case DS_OK:
        return 0;
    case DS_FINDING:
        return 1;
    case DS_USAGE:
        return 2;
    case DS_ENV:
    case DS_BUSY:
        return 3;
    case DS_CANCELLED:
        return 130;
    case DS_INTERNAL:
        return 4;
    }
    BUG("unknown code %d", (int)code);
}

ds_code error_worse(ds_code a, ds_code b)
{
    int x = error_exit_code(a);
    int y = error_exit_code(b);
    return x >= y ? a : b;
}

void error_bug(const char *file, int line, const char *format, ...)
{
    fprintf(stderr, "datasurface: BUG at %s:%d: ", file, line);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    void *frames[64];
    int n = backtrace(frames, 64);
    backtrace_symbols_fd(frames, n, STDERR_FILENO);
    abort();
}
