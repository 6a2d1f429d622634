#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/postgres/pg_int.h"

enum {
    SERVER_VERSION_MIN = 150000,
    CONNECT_TIMEOUT_MS = 10000,
    STALL_TIMEOUT_MS = 60000,
    BUSY_TIMEOUT_MS = 5000,
    SETTINGS_MAX = 20,
    SLICE_MS = 100,
    CLOSE_WAIT_MS = 10000,
    CLOSE_WAIT_BROKEN_MS = 1000,
};

static const char NOBODYS[] = "datasurface"; // the name of a connection that nobody uses

// Keywords and values as PQconnectStartParams wants them; values of our own.
struct pg_settings {
    ds_arena *arena;
    const char *keywords[SETTINGS_MAX + 1], *values[SETTINGS_MAX + 1];
    char *password; // wiped at the end
    size_t n;
};

// --- settings

static void set(pg_settings *s, const char *keyword, const char *value)
{
    if (!value || !value[0])
        return;
    ds_assert(s->n < SETTINGS_MAX);
    s->keywords[s->n] = keyword;
    s->values[s->n++] = arena_strdup(s->arena, value);
}

static const char *part(const ds_open_options *options, ds_secret_part which)
{
    return options->secret ? options->secret->parts[which] : NULL;
}

static const char *purpose_of(const ds_open_options *options)
{
    return options->purpose && options->purpose[0] ? options->purpose : NOBODYS;
}

static pg_settings *settings_new(ds_arena *arena, const ds_target *target, const ds_open_options *options)
{
    pg_settings *s = ARENA_NEW(arena, pg_settings);
    s->arena = arena;
    char port[16] = "";
    if (target->port)
        snprintf(port, sizeof port, "%d", target->port);
    set(s, "host", target->host);
    set(s, "port", port);
    set(s, "dbname", target->database);
    set(s, "user", part(options, SECRET_USER));
    set(s, "sslmode", target->tls_mode);
    set(s, "sslrootcert", target->tls_ca);
    set(s, "sslcert", target->tls_cert);
    set(s, "sslkey", target->tls_key);
    set(s, "client_encoding", "UTF8");
    set(s, "application_name", options->kept ? NOBODYS : arena_printf(arena, "%.60s", purpose_of(options)));
    // A peer that is gone is noticed by the kernel; one that lives and says nothing by pg_wait.c.
    set(s, "keepalives_idle", "30");
    set(s, "keepalives_interval", "10");
    set(s, "keepalives_count", "3");
    set(s, "tcp_user_timeout", "60000");
    set(s, "password", part(options, SECRET_PASSWORD));
    if (s->n && strcmp(s->keywords[s->n - 1], "password") == 0)
        s->password = (char *)(uintptr_t)s->values[s->n - 1];
    return s;
}

static const char *label_of(ds_arena *arena, const ds_target *target)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1024);
    buf_puts(&text, target->name ? target->name : "postgres");
    buf_puts(&text, " (");
    buf_puts(&text, target->host && target->host[0] ? target->host : "local server");
    if (target->port)
        buf_printf(&text, ":%d", target->port);
    if (target->database && target->database[0])
        buf_printf(&text, "/%s", target->database);
    buf_puts(&text, ")");
    return arena_str(arena, buf_str(&text));
}

// --- connecting

static void no_notice(void *context, const PGresult *result)
{
    (void)context, (void)result;
}

static ds_rc no_answer(const ds_pg *db, int timeout_ms, ds_error *err)
{
    return ds_hint(ds_fail(err, DS_ENV, "%s: no connection within %g s", db->label, timeout_ms / 1000.0), err,
                   "check host, port and network");
}

// Polls libpq through the handshake.
static ds_rc handshake(const ds_pg *db, PGconn *conn, int timeout_ms, ds_error *err)
{
    double until_s = clock_elapsed_s() + timeout_ms / 1000.0;
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (flag_is_set(db->stop) || atomic_load(&db->unwanted))
            return ds_fail(err, DS_CANCELLED, "%s: interrupted", db->label);
        struct pollfd fd = {.fd = PQsocket(conn), .events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        int n = state == PGRES_POLLING_FAILED ? 1 : poll(&fd, 1, SLICE_MS);
        if (n < 0 && errno != EINTR)
            return ds_fail_errno(err, errno, "can't wait for", db->label);
        if (n > 0)
            state = PQconnectPoll(conn);
        if (state == PGRES_POLLING_FAILED) {
            ds_pg failed = {.conn = conn, .label = db->label};
            return pg_fail_connection(&failed, err);
        }
        if (state != PGRES_POLLING_OK && clock_elapsed_s() > until_s)
            return no_answer(db, timeout_ms, err);
    }
    return DS_DONE;
}

static ds_rc connect_within(const ds_pg *db, int timeout_ms, PGconn **out, ds_error *err)
{
    PGconn *conn = PQconnectStartParams(db->settings->keywords, db->settings->values, 0);
    if (!conn)
        BUG("out of memory in libpq");
    PQsetNoticeReceiver(conn, no_notice, NULL); // a server that goes down says so to whoever is just connecting
    ds_rc rc;
    PQsetErrorVerbosity(conn, PQERRORS_VERBOSE); // with the state, for pg_fail_connection
    if (PQstatus(conn) == CONNECTION_BAD) {
        ds_pg failed = {.conn = conn, .label = db->label};
        rc = pg_fail_connection(&failed, err);
    } else {
        rc = handshake(db, conn, timeout_ms, err);
    }
    PQsetErrorVerbosity(conn, PQERRORS_DEFAULT);
    if (rc.code != DS_OK)
        PQfinish(conn);
    else
        *out = conn;
    return rc;
}

static ds_rc check_server(ds_pg *db, ds_error *err)
{
    int version = PQserverVersion(db->conn);
    if (version < SERVER_VERSION_MIN)
        return ds_fail(err, DS_FINDING, "%s: the server is PostgreSQL %d, version %d or later is needed", db->label,
                       version / 10000, SERVER_VERSION_MIN / 10000);
    if (PQsetnonblocking(db->conn, 1) != 0)
        return pg_fail_connection(db, err);
    return DS_DONE;
}

static ds_rc connect_once(ds_pg *db, ds_error *err)
{
    int timeout_ms = db->stall_timeout_ms < CONNECT_TIMEOUT_MS ? db->stall_timeout_ms : CONNECT_TIMEOUT_MS;
    return connect_within(db, timeout_ms, &db->conn, err);
}

ds_rc pg_reconnect(ds_pg *db, ds_error *err)
{
    PQfinish(db->conn);
    db->conn = NULL;
    db->broken = true;
    db->in_transaction = db->own_transaction = db->undrained = db->direct = false;
    db->expected_at = db->expected.n;
    TRY(connect_once(db, err));
    TRY(check_server(db, err));
    db->broken = false;
    return DS_DONE;
}

PGconn *pg_connect_again(const ds_pg *db, int timeout_ms)
{
    ds_error ignored;
    PGconn *conn = NULL;
    return connect_within(db, timeout_ms, &conn, &ignored).code == DS_OK ? conn : NULL;
}

// --- in the background

static void *connect_later(void *argument)
{
    ds_pg *db = argument;
    db->connected = connect_once(db, db->why_not);
    return NULL;
}

// Signals are for the threads that were there before. Without a thread it is the first use that connects.
static void start_connecting(ds_pg *db)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    db->broken = true;
    db->why_not = ARENA_NEW(db->settings->arena, ds_error);
    db->connecting = pthread_create(&db->connector, NULL, connect_later, db) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

ds_rc pg_connected(ds_pg *db, ds_error *err)
{
    if (!db->connecting)
        return DS_DONE;
    pthread_join(db->connector, NULL);
    db->connecting = false;
    if (db->connected.code != DS_OK) {
        *err = *db->why_not;
        return db->connected;
    }
    TRY(check_server(db, err));
    db->broken = false;
    return DS_DONE;
}

// --- opening

void pg_set_options(ds_pg *db, const ds_open_options *options)
{
    db->busy_timeout_ms = options->busy_timeout_ms > 0 ? options->busy_timeout_ms : BUSY_TIMEOUT_MS;
    db->stall_timeout_ms = options->stall_timeout_ms > 0 ? options->stall_timeout_ms : STALL_TIMEOUT_MS;
    db->read_only = options->read_only;
    db->wait_closed = options->wait_closed;
    db->stop = options->cancelled;
    snprintf(db->purpose, sizeof db->purpose, "%.60s", purpose_of(options));
}

static ds_rc connect_first(ds_pg *db, bool later, ds_error *err)
{
    if (db->wake < 0)
        return ds_fail_errno(err, errno, "can't make an eventfd for", db->label);
    if (!later)
        return pg_reconnect(db, err);
    start_connecting(db);
    return DS_DONE;
}

ds_rc pg_open(const ds_driver *self, const ds_target *target, const ds_open_options *options, ds_db **out,
              ds_error *err)
{
    TRY(pg_library_load(err));
    ds_arena *arena = arena_new();
    ds_pg *db = ARENA_NEW(arena, ds_pg);
    *db = (ds_pg){
        .db = {.driver = self, .dialect = self->dialect},
        .settings = settings_new(arena, target, options),
        .label = label_of(arena, target),
        .schema = arena_strdup(arena, target->schema && target->schema[0] ? target->schema : "public"),
        .shared = options->kept,
        .expected = BUF_INIT(SQL_TEXT_MAX),
        .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
    };
    pg_set_options(db, options);
    ds_rc rc = connect_first(db, options->later, err);
    if (rc.code != DS_OK)
        pg_close(&db->db);
    else
        *out = &db->db;
    return rc;
}

// The server closes its end when the session is over. libpq doesn't wait for that: another name for the socket does.
// What has gone wrong with the connection may be that nobody answers any more.
static void finish_patiently(ds_pg *db)
{
    PGconn *conn = db->conn;
    int wait_ms = db->broken ? CLOSE_WAIT_BROKEN_MS : CLOSE_WAIT_MS;
    int fd = conn ? dup(PQsocket(conn)) : -1;
    PQfinish(conn);
    if (fd < 0)
        return;
    char rest[256];
    struct pollfd end = {.fd = fd, .events = POLLIN};
    while (poll(&end, 1, wait_ms) == 1 && recv(fd, rest, sizeof rest, MSG_DONTWAIT) > 0)
        ;
    close(fd);
}

void pg_close(ds_db *base)
{
    ds_pg *db = (ds_pg *)base;
    ds_error ignored;
    if (!db)
        return;
    atomic_store(&db->unwanted, true);
    ds_ignore(pg_connected(db, &ignored));
    if (!db->direct) // the server rolls back by itself, but a pooler gives up its connection then
        pg_rollback(base);
    if (db->wait_closed)
        finish_patiently(db);
    else
        PQfinish(db->conn);
    if (db->wake >= 0)
        close(db->wake);
    buf_release(&db->expected);
    if (db->settings->password)
        explicit_bzero(db->settings->password, strlen(db->settings->password));
    arena_free(db->settings->arena);
}
