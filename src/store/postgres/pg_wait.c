// All waiting for the server. libpq never blocks here: the socket is watched together with a wake-up that cancel gives,
// in slices, so that the process's own flag is seen, too.
//
// A server that says nothing is a problem only when it should say something: an index on a large table may take an
// hour, and so may the next row of a view. After stall_timeout_ms of silence a second connection asks whether the
// server still works on our statement, and not only on getting rid of its answer or waiting for our data; when that
// fails, or says no, the wait is over.
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "store/postgres/pg_int.h"

enum { SLICE_MS = 100, LOOK_MAX_MS = 10000, STOP_MAX_MS = 2000 };

void pg_result_clearp(PGresult **result)
{
    PQclear(*result);
    *result = NULL;
}

bool pg_cancelled(const ds_pg *db)
{
    return atomic_load(&db->cancelled) || flag_is_set(db->stop);
}

// --- the server's silence

static int look_timeout_ms(const ds_pg *db)
{
    return db->stall_timeout_ms < LOOK_MAX_MS ? db->stall_timeout_ms : LOOK_MAX_MS;
}

// The result of what was sent on `other`; NULL after until_s.
static PGresult *take_answer(const ds_pg *db, PGconn *other, double until_s)
{
    while (PQflush(other) == 1 || PQisBusy(other)) {
        struct pollfd fd = {.fd = PQsocket(other), .events = POLLIN};
        if (flag_is_set(db->stop) || clock_elapsed_s() > until_s || poll(&fd, 1, SLICE_MS) < 0)
            return NULL;
        if (fd.revents && !PQconsumeInput(other))
            return NULL;
    }
    return PQgetResult(other);
}

// Asks about a process of the server, over a connection of its own. It may be the network that is wrong, so this, too,
// has its time. True: the answer has a row.
static bool ask(const ds_pg *db, int process, const char *question, int timeout_ms)
{
    double until_s = clock_elapsed_s() + timeout_ms / 1000.0;
    PGconn *other = process ? pg_connect_again(db, timeout_ms) : NULL;
    if (!other)
        return false;
    char pid[16];
    snprintf(pid, sizeof pid, "%d", process);
    const char *values[] = {pid};
    bool sent = PQsetnonblocking(other, 1) == 0 && PQsendQueryParams(other, question, 1, NULL, values, NULL, NULL, 0);
    PGresult *r = sent ? take_answer(db, other, until_s) : NULL;
    bool yes = PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1;
    PQclear(r);
    PQfinish(other);
    return yes;
}

// In a transaction's first call its process isn't known yet: that of the connection is the same, unless a pooler stands
// between; then there is none of that number.
static bool still_working(const ds_pg *db)
{
    return ask(db, db->backend ? db->backend : PQbackendPID(db->conn),
               "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE pid = $1::int AND state = 'active' "
               "AND wait_event_type IS DISTINCT FROM 'Client'",
               look_timeout_ms(db));
}

static ds_rc stalled(ds_pg *db, ds_error *err)
{
    db->broken = true;
    return ds_hint(ds_fail(err, DS_ENV, "%s: the server has not answered for %g s", db->label,
                           db->stall_timeout_ms / 1000.0),
                   err, "check the network and the server; run it again");
}

// --- interruption

// Asks the server to stop our statement. Not by PQcancel, which waits for as long as the network likes. Until a
// pooler's server has said which process it is, there is nothing to stop but a wait for locks, which ends by itself.
static void ask_to_stop(const ds_pg *db)
{
    ds_pg deaf = {.settings = db->settings, .label = db->label}; // it was told to stop already
    int timeout_ms = look_timeout_ms(db) < STOP_MAX_MS ? look_timeout_ms(db) : STOP_MAX_MS;
    int process = db->direct ? PQbackendPID(db->conn) : db->backend;
    (void)ask(&deaf, process, "SELECT pg_catalog.pg_cancel_backend($1::int)", timeout_ms);
}

static ds_rc interrupted(ds_pg *db, ds_error *err)
{
    bool whole_process = flag_is_set(db->stop);
    bool reads = db->undrained || pg_expects(db);
    if (reads && !whole_process) // only this read is given up, the transaction and its snapshot live on
        return ds_fail(err, DS_CANCELLED, "%s: interrupted", db->label);
    if (!db->broken)
        ask_to_stop(db);
    db->broken = true; // it may be anywhere in the protocol
    return ds_fail(err, DS_CANCELLED, "%s: interrupted", db->label);
}

static ds_rc overdue(ds_pg *db, ds_error *err)
{
    if (!db->broken)
        ask_to_stop(db);
    db->broken = true;
    db->deadline_s = 0;
    return store_fail_overdue(db->label, db->timeout_ms, err);
}

// Waits for the events on the socket; *ready is false after a slice without any.
static ds_rc wait_slice(ds_pg *db, short events, bool *ready, ds_error *err)
{
    struct pollfd fds[] = {{.fd = PQsocket(db->conn), .events = events}, {.fd = db->wake, .events = POLLIN}};
    if (pg_cancelled(db))
        return interrupted(db, err);
    if (db->deadline_s > 0 && clock_elapsed_s() > db->deadline_s)
        return overdue(db, err);
    if (fds[0].fd < 0)
        return pg_fail_connection(db, err);
    int n = poll(fds, 2, SLICE_MS);
    if (n < 0 && errno != EINTR)
        return ds_fail_errno(err, errno, "can't wait for", db->label);
    *ready = n > 0 && fds[0].revents != 0;
    return pg_cancelled(db) ? interrupted(db, err) : DS_DONE;
}

static ds_rc wait_for(ds_pg *db, short events, ds_error *err)
{
    double since_s = clock_elapsed_s();
    for (bool ready = false;;) {
        TRY(wait_slice(db, events, &ready, err));
        if (ready)
            return DS_DONE;
        if ((clock_elapsed_s() - since_s) * 1000 < db->stall_timeout_ms)
            continue;
        if (!still_working(db))
            return stalled(db, err);
        since_s = clock_elapsed_s();
    }
}

ds_rc pg_wait_input(ds_pg *db, ds_error *err)
{
    TRY(wait_for(db, POLLIN, err));
    // A server that ends a connection says why before it does: that is taken as any result.
    return PQconsumeInput(db->conn) || !PQisBusy(db->conn) ? DS_DONE : pg_fail_connection(db, err);
}

ds_rc pg_flush(ds_pg *db, ds_error *err)
{
    for (;;) {
        int left = PQflush(db->conn);
        if (left == 0)
            return DS_DONE;
        if (left < 0)
            return pg_fail_connection(db, err);
        TRY(wait_for(db, POLLIN | POLLOUT, err));
        // A server that has something to say (an error, in the middle of a COPY) reads no more until it has said it.
        if (!PQconsumeInput(db->conn))
            return pg_fail_connection(db, err);
    }
}

// --- results

ds_rc pg_next_result(ds_pg *db, PGresult **out, ds_error *err)
{
    while (PQisBusy(db->conn))
        TRY(pg_wait_input(db, err));
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

static ds_rc drain_copy(ds_pg *db, ds_error *err)
{
    for (;;) {
        char *row = NULL;
        int n = PQgetCopyData(db->conn, &row, 1);
        PQfreemem(row);
        if (n < 0)
            return DS_DONE;
        if (n == 0)
            TRY(pg_wait_input(db, err));
    }
}

// What is left of a COPY, and those that were to come, are read and thrown away, so that the transaction and its
// snapshot live on.
static ds_rc drain(ds_pg *db, ds_error *err)
{
    ds_rc rc = DS_DONE;
    db->undrained = false;
    db->expected_at = db->expected.n;
    TRY(pg_flush(db, err));
    for (;;) {
        CLEANUP(pg_result_clearp) PGresult *result = NULL;
        TRY(pg_next_result(db, &result, err)); // of a COPY in the middle it is told again
        if (!result)
            return rc;
        if (is_copy(result))
            TRY(drain_copy(db, err));
        else if (is_failure(result) && rc.code == DS_OK)
            rc = pg_fail_result(db, result, err);
    }
}

ds_rc pg_call_again(ds_pg *db, ds_error *err)
{
    uint64_t count;
    if (atomic_exchange(&db->cancelled, false))
        (void)!read(db->wake, &count, sizeof count);
    if (db->broken)
        return ds_hint(ds_fail(err, DS_ENV, "%s: the connection was lost", db->label), err, "run it again");
    return DS_DONE;
}

ds_rc pg_call_begin(ds_pg *db, ds_error *err)
{
    TRY(pg_call_again(db, err));
    return db->undrained || pg_expects(db) ? drain(db, err) : DS_DONE;
}

void pg_cancel(ds_db *base)
{
    ds_pg *db = (ds_pg *)base;
    uint64_t one = 1;
    atomic_store(&db->cancelled, true);
    (void)!write(db->wake, &one, sizeof one);
}
