// Private to store/sqlite: the connection and what its files share. The only place that knows sqlite3.h.
// A connection belongs to one thread at a time (SQLITE_OPEN_NOMUTEX); sqlite_cancel alone may come from another.
#pragma once
#include <sqlite3.h>
#include <stdatomic.h>

#include "base/vec.h"
#include "store/sqlite/sqlite.h"

// What a statement may do that somebody else wrote: nothing but read, and only these relations.
typedef struct sqlite_policy {
    ds_arena *arena;
    bool any_relation;
    const char *const *allowed; // names in the main schema
    size_t n;
    VEC(const char *) inner; // what those that are views read in their turn
    VEC(const char *) bare;  // names that were read without a column, see sqlite_policy_seal
    bool names_inner;        // the text itself says one of these names
    bool learning, sealed;
    char refused[160]; // set by the authorizer: what was asked for and not granted
} sqlite_policy;

typedef struct ds_sqlite {
    ds_db db; // first: drivers embed it
    sqlite3 *handle;
    char *label; // "CustomerDB (/data/customers.db)", for messages
    const ds_clock *clock;
    int busy_timeout_ms;
    double busy_since_s;
    bool in_transaction;      // begun by begin; SQLite itself may have rolled it back since
    const volatile int *stop; // the process's flag, may be NULL
    atomic_bool cancelled;    // since the running call began
    sqlite_policy *policy;    // of the statement being prepared or stepped; NULL: ours, may do anything
    double deadline_s;        // of the read that is being stepped; 0: none
    int lock_fd;              // -1 until the first lock
} ds_sqlite;

// --- sqlite_open.c
ds_rc sqlite_open(const ds_driver *self, const ds_target *target, const ds_open_options *options, ds_db **out,
                  ds_error *err);
void sqlite_close(ds_db *db);

// --- sqlite_error.c: what SQLite's result codes mean to a caller, in one table.
// Fills *err from the connection's last error.
ds_rc sqlite_fail(ds_sqlite *db, int code, ds_error *err);
// The same with a message of our own.
ds_rc sqlite_fail_text(const char *label, int code, int os_error, const char *message, ds_error *err);

// --- sqlite_exec.c
// Was the running call cancelled, or is the whole process to stop?
bool sqlite_cancelled(const ds_sqlite *db);
// Has the read that is being stepped run out of time?
bool sqlite_overdue(const ds_sqlite *db);
ds_rc sqlite_begin(ds_db *db, ds_begin kind, ds_error *err);
ds_rc sqlite_begin_snapshot(ds_db *db, const ds_snapshot *snapshot, ds_error *err);
ds_rc sqlite_commit(ds_db *db, ds_error *err);
void sqlite_rollback(ds_db *db);
ds_rc sqlite_exec(ds_db *db, const ds_sql *sql, int64_t *affected, ds_error *err);
ds_rc sqlite_query(ds_db *db, const ds_sql *sql, ds_arena *arena, ds_result *out, ds_error *err);
ds_rc sqlite_prepare(ds_db *db, const ds_sql *select, ds_arena *arena, const char *const **names, size_t *n,
                     ds_error *err);
// Compiles exactly one statement and binds its parameters; more than one is refused. policy may be NULL. Starts a new
// call: forgets an earlier cancel.
ds_rc sqlite_compile(ds_sqlite *db, const ds_sql *sql, sqlite_policy *policy, sqlite3_stmt **out, ds_error *err);

// --- sqlite_read.c, sqlite_write.c
ds_rc sqlite_read_open(ds_db *db, const ds_read *read, ds_reader **out, ds_error *err);
ds_rc sqlite_read_next(ds_reader *reader, ds_rows *rows, size_t max_rows, size_t max_bytes, bool *more, ds_error *err);
void sqlite_read_close(ds_reader *reader);
ds_rc sqlite_write_open(ds_db *db, const ds_write *write, ds_writer **out, ds_error *err);
ds_rc sqlite_write_row(ds_writer *writer, const ds_system_value *system, ds_str row, ds_error *err);
ds_rc sqlite_write_close(ds_writer *writer, int64_t *rows_written, ds_error *err);
void sqlite_write_abort(ds_writer *writer);

// --- sqlite_catalog.c
ds_rc sqlite_describe(ds_db *db, ds_arena *arena, const ds_relation *relations, size_t n, const ds_catalog_table **out,
                      ds_error *err);
ds_rc sqlite_list(ds_db *db, ds_arena *arena, const ds_catalog_table **out, size_t *n, ds_error *err);

ds_rc sqlite_rows_estimate(ds_db *db, ds_relation table, int64_t *out, ds_error *err);
ds_rc sqlite_view_put(ds_db *db, ds_relation view, const ds_sql *select, ds_error *err);

// --- sqlite_policy.c
// Installs the authorizer, which does nothing while db->policy is NULL.
void sqlite_policy_install(ds_sqlite *db);
// Copies the names into arena, and looks up what stands behind those that are views.
sqlite_policy *sqlite_policy_new(ds_sqlite *db, ds_arena *arena, const ds_relation *allowed, size_t n);
// Before compiling: refuses a text that gives one of those names a meaning of its own (see there).
ds_rc sqlite_policy_check_text(sqlite_policy *policy, const char *text, ds_error *err);
// After compiling: refuses when a name that was read without any of its columns is a table. Until then such names pass.
ds_rc sqlite_policy_seal(ds_sqlite *db, sqlite_policy *policy, ds_error *err);

// --- sqlite_lock.c
ds_rc sqlite_lock_try(ds_db *db, const char *name, bool *held, ds_error *err);
void sqlite_lock_release(ds_db *db, const char *name);
void sqlite_lock_close(ds_sqlite *db);

// --- sqlite_dialect.c
extern const ds_dialect SQLITE_DIALECT;
#define SQLITE_NUMBERS "ds_numbers" // a collation of every connection; no table of ours declares it
