#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/sqlite/sqlite_int.h"

typedef struct meaning {
    int code; // an extended code stands before its primary one
    ds_code means;
    const char *hint; // NULL: none
} meaning;

static const char SPACE[] = "free some disk space, there or in TMPDIR, and run the command again; nothing was lost";
static const char RECOVER[] = "its last writer crashed; open it once with a program that may write to it";

static const meaning MEANINGS[] = {
    {SQLITE_READONLY_ROLLBACK, DS_ENV, RECOVER},
    {SQLITE_READONLY_RECOVERY, DS_ENV, RECOVER},
    {SQLITE_READONLY_CANTINIT, DS_ENV, RECOVER},
    {SQLITE_READONLY_DIRECTORY, DS_ENV, "SQLite also writes to the file's directory; check its permissions"},
    {SQLITE_READONLY_DBMOVED, DS_ENV, "the file was renamed or removed while it was open"},
    {SQLITE_BUSY, DS_BUSY, NULL},
    {SQLITE_LOCKED, DS_BUSY, NULL},
    {SQLITE_SCHEMA, DS_BUSY, NULL},
    {SQLITE_PROTOCOL, DS_BUSY, NULL},
    {SQLITE_FULL, DS_ENV, SPACE},
    {SQLITE_IOERR, DS_ENV, "check the disk and the file system"},
    {SQLITE_READONLY, DS_ENV, "check the file's owner and permissions"},
    {SQLITE_CANTOPEN, DS_ENV, "check the path, and the permissions of the file and its directory"},
    {SQLITE_PERM, DS_ENV, "check the file's owner and permissions"},
    {SQLITE_CORRUPT, DS_ENV, "the file is damaged; restore it from a backup"},
    {SQLITE_NOTADB, DS_ENV, "check the path: an SQLite file begins with \"SQLite format 3\""},
    {SQLITE_NOLFS, DS_ENV, "the file system doesn't hold large files"},
    {SQLITE_CONSTRAINT, DS_FINDING, NULL},
    {SQLITE_ERROR, DS_FINDING, NULL},
    {SQLITE_MISMATCH, DS_FINDING, NULL},
    {SQLITE_TOOBIG, DS_FINDING, NULL},
    {SQLITE_AUTH, DS_FINDING, NULL},
    {SQLITE_INTERRUPT, DS_CANCELLED, NULL},
};

static const meaning *find(int code)
{
    static const meaning OTHER = {0, DS_INTERNAL, NULL};
    for (size_t i = 0; i < sizeof MEANINGS / sizeof MEANINGS[0]; i++)
        if (MEANINGS[i].code == code || MEANINGS[i].code == (code & 0xff))
            return &MEANINGS[i];
    return &OTHER;
}

ds_rc sqlite_fail_text(const char *label, int code, int os_error, const char *message, ds_error *err)
{
    if ((code & 0xff) == SQLITE_NOMEM)
        BUG("out of memory in SQLite");
    const meaning *found = find(code);
    const char *hint = found->hint;
    ds_rc rc = ds_fail(err, found->means, "%s: %s", label, message);
    if ((code & 0xff) == SQLITE_IOERR && os_error) {
        rc = ds_fail(err, DS_ENV, "%s: %s: %s", label, message, strerror(os_error));
        hint = os_error == ENOSPC || os_error == EDQUOT ? SPACE : hint;
    }
    snprintf(err->state, sizeof err->state, "%d", code);
    return hint ? ds_hint(rc, err, "%s", hint) : rc;
}

ds_rc sqlite_fail(ds_sqlite *db, int code, ds_error *err)
{
    // Our busy handler gives up when the call is cancelled.
    if ((code & 0xff) == SQLITE_BUSY && sqlite_cancelled(db))
        return sqlite_fail_text(db->label, SQLITE_INTERRUPT, 0, "interrupted", err);
    bool is_refusal = (code & 0xff) == SQLITE_AUTH || (code & 0xff) == SQLITE_ERROR;
    if (is_refusal && db->policy && db->policy->refused[0])
        return sqlite_fail_text(db->label, code, 0, db->policy->refused, err);
    int os_error = (code & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(db->handle) : 0;
    return sqlite_fail_text(db->label, code, os_error, sqlite3_errmsg(db->handle), err);
}
