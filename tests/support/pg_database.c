#include "support/pg_database.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"

// PG_PASSWORD as the server keeps it (RFC 5803), of 1 round where PostgreSQL takes 4096: those cost every connection
// of every test 4 ms.
#define VERIFIER                                                                                                       \
    "SCRAM-SHA-256$1:c2FsdCBvZiB0aGUgdGVzdA==$xIDngc7U2ST1etum1ez/mkUS1Zg9rrjlBZS6hPSFS8A=:"                           \
    "YrUhkA3VNDKK0AZnr+r+3eRrOYVCCsX7PY9GDdoUvSQ="

static void ignore_notice(void *context, const char *message)
{
    (void)context, (void)message;
}

// As superuser. What a test has done to the database's settings doesn't change what it sees.
static PGconn *session(const char *host, int port, const char *database)
{
    char port_text[16];
    snprintf(port_text, sizeof port_text, "%d", port);
    const char *const names[] = {"host",    "port", "dbname", "user", "application_name", "client_encoding",
                                 "options", NULL};
    const char *const values[] = {host,
                                  port_text,
                                  database,
                                  "postgres",
                                  "test",
                                  "UTF8",
                                  "-c datestyle=ISO -c intervalstyle=postgres -c timezone=UTC -c bytea_output=hex "
                                  "-c extra_float_digits=1 -c statement_timeout=60s",
                                  NULL};
    PGconn *conn = PQconnectdbParams(names, values, 0);
    if (PQstatus(conn) != CONNECTION_OK)
        BUG("%s", PQerrorMessage(conn));
    PQsetNoticeProcessor(conn, ignore_notice, NULL);
    return conn;
}

static PGresult *must(PGconn *conn, const char *statements)
{
    PGresult *result = PQexec(conn, statements);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
        BUG("%s: %s", statements, PQerrorMessage(conn));
    return result;
}

static void run(PGconn *conn, const char *statements)
{
    PQclear(must(conn, statements));
}

// Names are made of letters, digits and '_' only: they need no quotes.
__attribute__((format(printf, 2, 3))) static void run_printf(PGconn *conn, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ds_assert(n >= 0 && (size_t)n < sizeof text);
    run(conn, text);
}

void pg_database_new(const char *host, pg_database *out)
{
    static atomic_int count;
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        BUG("no random numbers");
    pg_database db = {.port = PG_PORT};
    ds_assert(strlen(host) < sizeof db.host);
    memcpy(db.host, host, strlen(host) + 1);
    char unique[PG_NAME_MAX - 8];
    snprintf(unique, sizeof unique, "%d_%d_%08" PRIx32, (int)getpid(), atomic_fetch_add(&count, 1), random);
    snprintf(db.name, sizeof db.name, "test_%s", unique);
    snprintf(db.role, sizeof db.role, "owner_%s", unique);

    PGconn *conn = session(db.host, db.port, "postgres");
    run_printf(conn, "CREATE ROLE %s LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '" VERIFIER "'", db.role);
    run_printf(conn, "CREATE DATABASE %s OWNER %s TEMPLATE template0 STRATEGY wal_log", db.name, db.role);
    PQfinish(conn);
    *out = db;
}

void pg_database_drop(pg_database *db)
{
    if (!*db->name)
        return;
    PGconn *conn = session(db->host, db->port, "postgres");
    run_printf(conn, "DROP DATABASE %s WITH (FORCE)", db->name);
    run_printf(conn, "DROP ROLE %s", db->role);
    PQfinish(conn);
    *db = (pg_database){0};
}

void pg_exec_text(const pg_database *db, const char *statements)
{
    PGconn *conn = session(db->host, db->port, db->name);
    run_printf(conn, "SET SESSION AUTHORIZATION %s", db->role);
    run(conn, statements);
    PQfinish(conn);
}

void pg_exec_super(const pg_database *db, const char *statements)
{
    PGconn *conn = session(db->host, db->port, db->name);
    run(conn, statements);
    PQfinish(conn);
}

const char *pg_query_text(const pg_database *db, const char *select, ds_arena *arena)
{
    PGconn *conn = session(db->host, db->port, db->name);
    PGresult *result = must(conn, select);
    CLEANUP(buf_release) ds_buf out = BUF_INIT(64 << 20);
    for (int row = 0; row < PQntuples(result); row++) {
        for (int column = 0; column < PQnfields(result); column++) {
            buf_puts(&out, column ? "|" : "");
            buf_puts(&out, PQgetisnull(result, row, column) ? "~" : PQgetvalue(result, row, column));
        }
        buf_putc(&out, '\n');
    }
    PQclear(result);
    PQfinish(conn);
    ds_assert(buf_ok(&out));
    return arena_strdup(arena, buf_text(&out));
}
