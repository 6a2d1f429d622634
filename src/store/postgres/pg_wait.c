// All waiting for the server. libpq never blocks here: the socket is watched together with a wake-up that cancel gives,
// in slices, so that the process's own flag is seen, too.
//
// A server that says nothing is a problem only when it should say something. In the middle of a COPY silence for
// stall_timeout_ms ends the connection. While a statement runs (an index on a large table may take an hour) a second
// connection asks whether the server still works on it; only when that fails, or says no, the wait is over.
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "store/postgres/pg_int.h"

enum { SLICE_MS = 100 };

void pg_result_clearp(PGresult **result)
{
    PQclear(*result);
    *result = NULL;
}

bool pg_cancelled(const ds_pg *db)
{
    return atomic_load(&db->cancelled) || (db->stop && *db->stop);
}

// --- the server's silence

// Does the server still work on our statement? As a look from outside tells.
static bool still_working(ds_pg *db)
{
    PGconn *other = db->backend ? pg_connect_again(db, db->stall_timeout_ms) : NULL;
    if (!other)
        return false;
    char pid[16];
    snprintf(pid, sizeof pid, "%d", db->backend);
    const char *values[] = {pid};
    PGresult *r =
        PQexecParams(other, "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE pid = $1::int AND state = 'active'", 1,
                     NULL, values, NULL, NULL, 0);
    bool yes = PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1;
    PQclear(r);
    PQfinish(other);
    return yes;
}

static ds_rc stalled(ds_pg *db, ds_error *err)
{
    db->broken = true;
    return ds_hint(ds_fail(err, DS_ENV, "%s: the server has not answered for %d s", db->label,
                           db->stall_timeout_ms / 1000),
                   err, "check the network and the server; run it again");
}

// --- interruption

// Asks the server to stop; what it says to that is taken by whoever waits for the result.
static void ask_to_stop(ds_pg *db)
{
    char ignored[256];
    PGcancel *cancel = PQgetCancel(db->conn);
    if (cancel)
        PQcancel(cancel, ignored, sizeof ignored);
    PQfreeCancel(cancel);
}

static ds_rc interrupted(ds_pg *db, ds_error *err)
{
    bool whole_process = db->stop && *db->stop;
    if (db->undrained && !whole_process) // only this read is given up, the transaction and its snapshot live on
        return ds_fail(err, DS_CANCELLED, "%s: interrupted", db->label);
    if (!db->broken)
        ask_to_stop(db);
    db->broken = true; // it may be anywhere in the protocol
    return ds_fail(err, DS_CANCELLED, "%s: interrupted", db->label);
}

// Waits for the events on the socket; *ready is false after a slice without any.
static ds_rc wait_slice(ds_pg *db, short events, bool *ready, ds_error *err)
{
    struct pollfd fds[] = {{.fd = PQsocket(db->conn), .events = events}, {.fd = db->wake, .events = POLLIN}};
    if (pg_cancelled(db))
        return interrupted(db, err);
    if (fds[0].fd < 0)
        return pg_fail_connection(db, err);
    int n = poll(fds, 2, SLICE_MS);
    if (n < 0 && errno != EINTR)
        return ds_fail_errno(err, errno, "can't wait for", db->label);
    *ready = n > 0 && fds[0].revents != 0;
    return pg_cancelled(db) ? interrupted(db, err) : DS_DONE;
}

static ds_rc wait_for(ds_pg *db, short events, bool statement, ds_error *err)
{
    double since_s = clock_elapsed_s();
    for (bool ready = false;;) {
        TRY(wait_slice(db, events, &ready, err));
        if (ready)
            return DS_DONE;
        if ((clock_elapsed_s() - since_s) * 1000 < db->stall_timeout_ms)
            continue;
        if (!statement || !still_working(db))
            return stalled(db, err);
        since_s = clock_elapsed_s();
    }
}

ds_rc pg_wait_input(ds_pg *db, bool statement, ds_error *err)
{
    TRY(wait_for(db, POLLIN, statement, err));
    return PQconsumeInput(db->conn) ? DS_DONE : pg_fail_connection(db, err);
}

ds_rc pg_flush(ds_pg *db, ds_error *err)
{
    for (;;) {
        int left = PQflush(db->conn);
        if (left == 0)
            return DS_DONE;
        if (left < 0)
            return pg_fail_connection(db, err);
        TRY(wait_for(db, POLLIN | POLLOUT, false, err));
        // A server that has something to say (an error, in the middle of a COPY) reads no more until it has said it.
        if (!PQconsumeInput(db->conn))
            return pg_fail_connection(db, err);
    }
}

// --- results

ds_rc pg_next_result(ds_pg *db, PGresult **out, ds_error *err)
{
    while (PQisBusy(db->conn))
        TRY(pg_wait_input(db, true, err));
    *out = PQgetResult(db->conn);
    return DS_DONE;
}

static bool is_failure(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_PIPELINE_ABORTED;
}

// A COPY that nobody wanted has to be ended before the next result comes.
static bool is_copy(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

ds_rc pg_finish(ds_pg *db, PGresult **out, ds_error *err)
{
    CLEANUP(pg_result_clearp) PGresult *last = NULL;
    ds_rc rc = DS_DONE;
    TRY(pg_flush(db, err));
    for (;;) {
        PGresult *result;
        TRY(pg_next_result(db, &result, err));
        if (!result)
            break;
        if (is_copy(result)) {
            PQclear(result);
            db->broken = true;
            return ds_fail(err, DS_FINDING, "%s: COPY is not allowed here", db->label);
        }
        if (rc.code == DS_OK && is_failure(result))
            rc = pg_fail_result(db, result, err);
        if (PQresultStatus(result) == PGRES_EMPTY_QUERY)
            rc = ds_fail(err, DS_FINDING, "%s: the statement is empty", db->label);
        PQclear(last);
        last = result;
    }
    if (!last)
        return pg_fail_connection(db, err);
    if (out) {
        *out = last;
        last = NULL;
    }
    return rc;
}

// --- a call

// What is left of a COPY is read and thrown away, so that the transaction and its snapshot live on.
static ds_rc drain(ds_pg *db, ds_error *err)
{
    db->undrained = false;
    for (;;) {
        char *row = NULL;
        int n = PQgetCopyData(db->conn, &row, 1);
        PQfreemem(row);
        if (n == 0)
            TRY(pg_wait_input(db, true, err));
        else if (n < 0)
            break;
    }
    return pg_finish(db, NULL, err);
}

ds_rc pg_call_begin(ds_pg *db, ds_error *err)
{
    uint64_t count;
    if (atomic_exchange(&db->cancelled, false))
        (void)!read(db->wake, &count, sizeof count);
    if (db->broken)
        return ds_hint(ds_fail(err, DS_ENV, "%s: the connection was lost", db->label), err, "run it again");
    return db->undrained ? drain(db, err) : DS_DONE;
}

void pg_cancel(ds_db *base)
{
    ds_pg *db = (ds_pg *)base;
    uint64_t one = 1;
    atomic_store(&db->cancelled, true);
    (void)!write(db->wake, &one, sizeof one);
}
