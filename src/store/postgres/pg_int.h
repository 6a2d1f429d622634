// Private to store/postgres: the connection and what its files share.
// A connection belongs to one thread at a time; pg_cancel alone may come from another.
//
// Nothing outlives a transaction: no session setting, no named statement, no session lock. So a pooler may give the
// server's connection to somebody else between two transactions, and every transaction says what it relies on.
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "base/flag.h"
#include "store/postgres/pg_library_int.h"
#include "store/postgres/postgres.h"
#include "store/store.h"

enum { PG_CLAIMS_MAX = 4, PG_PURPOSE = 64 };
#define PG_CLOCK "(EXTRACT(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint"
typedef struct pg_settings pg_settings; // how to connect, kept for connecting again

typedef struct ds_pg {
    ds_db db; // first: drivers embed it
    PGconn *conn;
    pg_settings *settings;
    const char *label;  // "MergeDB (db.internal:5432/merge)", for messages
    const char *schema; // where unqualified names are looked up
    int busy_timeout_ms, stall_timeout_ms;
    bool read_only;
    bool wait_closed; // see ds_open_options
    bool in_transaction;
    bool broken;        // only good for being closed, or for connecting again at the next begin
    double deadline_s;  // of the read that is open; 0: none
    int64_t timeout_ms; // by which it was set
    bool undrained;     // a COPY was left in the middle
    ds_buf expected;    // COPYs that the server was asked for at once, "…;…;"
    size_t expected_at; // those from here on nobody has opened yet
    bool spoilt;        // the server refused something, or ran a user's text: not for another user
    bool shared;        // by users one after another: each transaction says what it is for
    char purpose[PG_PURPOSE];
    size_t touched;                // tables, as often as they were: the server remembers what it knows of each
    bool own_transaction;          // begun for a single call outside of any
    bool due;                      // begun, and the server doesn't know yet: BEGIN goes with the first statement
    ds_begin kind;                 // of the transaction
    int64_t claims[PG_CLAIMS_MAX]; // keys; they go with BEGIN
    size_t claim_count;
    int64_t clock_us;         // of the server, when the transaction began there,
    double told_s;            // and what time it was here when we heard that
    int backend;              // process id of the server's side, 0 outside of a transaction
    bool direct;              // no pooler stands between: that is the connection's, all the time
    const volatile int *stop; // the process's flag, may be NULL
    atomic_bool cancelled;    // since the running call began
    int wake;                 // eventfd: ends a wait when cancel is called

    // --- connecting in the background
    bool connecting; // there is a thread, to which conn and the last two belong
    pthread_t connector;
    atomic_bool unwanted; // closed before it was there
    ds_rc connected;
    ds_error *why_not;
} ds_pg;

static inline bool pg_expects(const ds_pg *db)
{
    return db->expected_at < db->expected.n;
}

// Where a relation is looked for.
static inline const char *pg_schema_of(const ds_pg *db, ds_relation relation)
{
    return relation.schema && relation.schema[0] ? relation.schema : db->schema;
}

// --- pg_open.c
ds_rc pg_open(const ds_driver *self, const ds_target *target, const ds_open_options *options, ds_db **out,
              ds_error *err);
void pg_close(ds_db *db);
void pg_set_options(ds_pg *db, const ds_open_options *options);
// Waits for a connection that is being made in the background. Its failure is told once; then it is a lost connection.
ds_rc pg_connected(ds_pg *db, ds_error *err);
// Connects anew, with a state as after open.
ds_rc pg_reconnect(ds_pg *db, ds_error *err);
// A second connection with the same settings, for a look from outside; NULL when there is none within timeout_ms.
PGconn *pg_connect_again(const ds_pg *db, int timeout_ms);

// --- pg_rest.c: connections that are kept
bool pg_rest(ds_db *db);
bool pg_wake(ds_db *db, const ds_open_options *options);

// --- pg_error.c: what SQLSTATEs mean to a caller, in one table
ds_rc pg_fail_result(ds_pg *db, const PGresult *result, ds_error *err);
ds_rc pg_fail_connection(ds_pg *db, ds_error *err); // the connection is lost: it is broken from now on

// --- pg_wait.c: all waiting for the server
// Begins a call: forgets an earlier cancel, brings the connection in order. DS_ENV on a broken connection.
ds_rc pg_call_begin(ds_pg *db, ds_error *err);
// The same for a call that goes on with what the server was asked for: nothing is thrown away.
ds_rc pg_call_again(ds_pg *db, ds_error *err);
bool pg_cancelled(const ds_pg *db);
// Until the server has taken what was sent.
ds_rc pg_flush(ds_pg *db, ds_error *err);
// Until there is something to read. The server may be silent for as long as it works on a statement.
ds_rc pg_wait_input(ds_pg *db, ds_error *err);
// The next result, NULL when there is none left. The caller clears it.
ds_rc pg_next_result(ds_pg *db, PGresult **out, ds_error *err);
// Takes all results: *out is the last one (the caller clears it; may be NULL for out); the first failure is returned.
ds_rc pg_finish(ds_pg *db, PGresult **out, ds_error *err);
void pg_result_clearp(PGresult **result);

// --- pg_transaction.c
ds_rc pg_begin(ds_db *db, ds_begin kind, ds_error *err);
// Over the snapshot's tables, which may be NULL. Connects anew when the connection turns out to be lost.
ds_rc pg_begin_on(ds_pg *db, ds_begin kind, const ds_snapshot *snapshot, ds_error *err);
// A claim that goes with BEGIN. False: BEGIN is gone, or it has enough of them.
bool pg_begin_claims(ds_pg *db, int64_t key);
ds_rc pg_commit(ds_db *db, ds_error *err);
void pg_rollback(ds_db *db);
// A call that does more than one statement: the open transaction has begun on the server. Outside of any it begins one,
// which pg_own_end ends with the call's outcome.
ds_rc pg_own_begin(ds_pg *db, ds_begin kind, ds_error *err);
ds_rc pg_own_end(ds_pg *db, ds_rc rc, ds_error *err);
// A call that is one statement, in the open transaction or in one of its own. reads: it changes nothing, at least when
// it is outside of any. The caller clears *out, also after a failure.
ds_rc pg_statement(ds_pg *db, const ds_sql *sql, bool reads, PGresult **out, ds_error *err);

// --- pg_exec.c
ds_rc pg_exec(ds_db *db, const ds_sql *sql, int64_t *affected, ds_error *err);
ds_rc pg_query(ds_db *db, const ds_sql *sql, ds_arena *arena, ds_result *out, ds_error *err);
ds_rc pg_prepare(ds_db *db, const ds_sql *select, ds_arena *arena, const char *const **names, size_t *n, ds_error *err);
ds_rc pg_now(ds_db *db, int64_t *now_us, ds_error *err);
void pg_cancel(ds_db *db);
// Too large a statement is DS_FINDING.
ds_rc pg_check_text(const ds_pg *db, const ds_sql *sql, ds_error *err);
// Hands a statement to libpq. False: the connection is lost.
bool pg_send(ds_pg *db, const ds_sql *sql);
// Runs fixed text of any number of statements without parameters. *out as pg_finish.
ds_rc pg_run_text(ds_pg *db, const char *text, PGresult **out, ds_error *err);
// Begins a COPY, which must be of that direction.
ds_rc pg_copy_start(ds_pg *db, const char *text, ExecStatusType direction, ds_error *err);
// The same when it was sent already.
ds_rc pg_copy_take(ds_pg *db, ExecStatusType direction, ds_error *err);
// After its last row. Others that are expected remain.
ds_rc pg_copy_end(ds_pg *db, ds_error *err);
// The statement's text with its parameters as literals, for statements that can't have any.
ds_rc pg_inline(ds_pg *db, const ds_sql *sql, ds_buf *out, ds_error *err);
// Names and types of a select's columns. Refuses more than one statement.
ds_rc pg_describe_select(ds_pg *db, const char *text, PGresult **out, ds_error *err);

// --- pg_snapshot.c
ds_rc pg_begin_snapshot(ds_db *db, const ds_snapshot *snapshot, ds_error *err);
ds_rc pg_snapshot_check(ds_db *db, const ds_snapshot *snapshot, ds_error *err);
ds_rc pg_snapshot_share(ds_db *db, ds_arena *arena, const char **out, ds_error *err);

// --- pg_read.c, pg_write.c
ds_rc pg_read_open(ds_db *db, const ds_read *read, ds_reader **out, ds_error *err);
ds_rc pg_read_next(ds_reader *reader, ds_rows *rows, size_t max_rows, size_t max_bytes, bool *more, ds_error *err);
void pg_read_close(ds_reader *reader);
ds_rc pg_write_open(ds_db *db, const ds_write *write, ds_writer **out, ds_error *err);
ds_rc pg_write_row(ds_writer *writer, const ds_system_value *system, ds_str row, ds_error *err);
ds_rc pg_write_close(ds_writer *writer, int64_t *rows_written, ds_error *err);
void pg_write_abort(ds_writer *writer);

// --- pg_expect.c
ds_rc pg_read_expect(ds_db *db, const ds_read *reads, size_t n, ds_error *err);
// The read as COPY of a table. False: it needs a query.
bool pg_plain_copy(const ds_read *read, ds_sql *q);
// Is it the next one that is expected? Then it is no longer, its result comes now.
bool pg_expected_take(ds_pg *db, const ds_sql *copy);

// --- pg_catalog.c
ds_rc pg_describe(ds_db *db, ds_arena *arena, const ds_relation *relations, size_t n, const ds_catalog_table **out,
                  ds_error *err);
ds_rc pg_list(ds_db *db, ds_arena *arena, const ds_catalog_table **out, size_t *n, ds_error *err);
ds_rc pg_pages(ds_db *db, ds_relation table, int64_t *out, ds_error *err);
ds_rc pg_rows_estimate(ds_db *db, ds_relation table, int64_t *out, ds_error *err);

// --- pg_objects.c
ds_rc pg_schema_put(ds_db *db, const char *name, ds_error *err);
ds_rc pg_view_put(ds_db *db, ds_relation view, const ds_sql *select, ds_error *err);

// --- pg_vet.c
// DS_FINDING when the select (read->select as text) does more than read what read->allowed names.
ds_rc pg_vet(ds_pg *db, const ds_read *read, const char *select, ds_error *err);

// --- pg_claim.c
ds_rc pg_claim(ds_db *db, const char *name, ds_error *err);
ds_rc pg_claim_break(ds_db *db, const char *name, ds_error *err);

// --- pg_dialect.c
extern const ds_dialect POSTGRES_DIALECT;
// A tid as our locator: the page above its 16 bits of place.
static inline int64_t pg_locator(uint32_t page, uint16_t place)
{
    return (int64_t)page << 16 | place;
}
