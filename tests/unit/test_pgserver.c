// tests/support's own: PostgreSQL servers, databases on them, a pooler, a network that breaks.
#include "support/check.h"

#include <libpq-fe.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "support/netproxy.h"
#include "support/pg_database.h"
#include "support/pgbouncer.h"

// Long enough for whatever comes; short for what must not come.
enum { SURELY_MS = 60000, SHORTLY_MS = 200, LOOK_MS = 20 };

static ds_arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void look_again(void)
{
    nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
}

static void ignore_notice(void *context, const char *message)
{
    (void)context, (void)message;
}

// As the database's role, by a plain client.
static PGconn *client(const pg_database *db, const char *host, int port)
{
    const char *const names[] = {"host", "port", "dbname", "user", "password", "application_name", NULL};
    const char *port_text = arena_printf(arena, "%d", port);
    const char *const values[] = {host, port_text, db->name, db->role, PG_PASSWORD, "client", NULL};
    PGconn *conn = PQconnectdbParams(names, values, 0);
    PQsetNoticeProcessor(conn, ignore_notice, NULL);
    return conn;
}

static PGconn *connected(const pg_database *db, const char *host, int port)
{
    PGconn *conn = client(db, host, port);
    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(conn));
    return conn;
}

typedef enum outcome { ANSWER, SILENCE, END } outcome;

// Waits for the answer of what was sent.
static outcome await(PGconn *conn, int64_t wait_ms)
{
    int64_t deadline = now_ms() + wait_ms;
    while (PQisBusy(conn)) {
        int64_t left = deadline - now_ms();
        if (left <= 0)
            return SILENCE;
        poll(&(struct pollfd){.fd = PQsocket(conn), .events = POLLIN}, 1, (int)left);
        if (!PQconsumeInput(conn))
            return END;
    }
    outcome found = END;
    for (PGresult *r = PQgetResult(conn); r; r = PQgetResult(conn)) {
        found = PQresultStatus(r) == PGRES_TUPLES_OK ? ANSWER : END;
        PQclear(r);
    }
    return found;
}

static outcome ask(PGconn *conn, const char *query, int64_t wait_ms)
{
    return PQsendQuery(conn, query) ? await(conn, wait_ms) : END;
}

static void a_database_is_new_empty_and_its_roles_own(void **state)
{
    (void)state;
    pg_database one, other;
    pg_database_new(pgserver_shared(), &one);
    pg_database_new(pgserver_shared(), &other);
    assert_string_not_equal(one.name, other.name);
    pg_exec_text(&one, "CREATE TABLE people (id integer, name text); INSERT INTO people VALUES (1, 'x'), (null, null)");
    assert_string_equal(pg_query_text(&one, "SELECT * FROM people ORDER BY id", arena), "1|x\n~|~\n");
    assert_string_equal(pg_query_text(&other, "SELECT to_regclass('people')", arena), "~\n");
    const char *rights = "SELECT rolsuper, rolcreatedb, rolcreaterole, rolcanlogin, rolname = (SELECT tableowner FROM "
                         "pg_tables WHERE tablename = 'people') FROM pg_roles WHERE rolname = "
                         "(SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database())";
    assert_string_equal(pg_query_text(&one, rights, arena), "f|f|f|t|t\n");

    const char *role = arena_strdup(arena, one.role);
    PGconn *left_open = connected(&one, one.host, one.port);
    pg_database_drop(&one);
    pg_database_drop(&one);
    PQfinish(left_open);
    const char *left = arena_printf(arena, "SELECT count(*) FROM pg_roles WHERE rolname = '%s'", role);
    assert_string_equal(pg_query_text(&other, left, arena), "0\n");
    pg_database_drop(&other);
}

static void a_role_needs_its_password(void **state)
{
    (void)state;
    pg_database db;
    pg_database_new(pgserver_shared(), &db);
    PGconn *conn = connected(&db, db.host, db.port);
    assert_int_equal(ask(conn, "SELECT 1", SURELY_MS), ANSWER);
    PQfinish(conn);
    const char *const names[] = {"host", "dbname", "user", "password", NULL};
    const char *const values[] = {db.host, db.name, db.role, "sesame", NULL};
    conn = PQconnectdbParams(names, values, 0);
    assert_non_null(strstr(PQerrorMessage(conn), "password authentication failed"));
    PQfinish(conn);
    pg_database_drop(&db);
}

static void statements_run_as_role_and_as_superuser(void **state)
{
    (void)state;
    pg_database db;
    pg_database_new(pgserver_shared(), &db);
    pg_exec_text(&db, "CREATE TABLE mine AS SELECT current_user AS who");
    pg_exec_super(&db, "CREATE TABLE theirs AS SELECT current_user AS who");
    assert_string_equal(pg_query_text(&db, "SELECT who FROM theirs", arena), "postgres\n");
    assert_string_equal(pg_query_text(&db, "SELECT who FROM mine", arena), arena_printf(arena, "%s\n", db.role));
    pg_exec_super(&db, arena_printf(arena, "ALTER DATABASE %s SET datestyle = 'German'", db.name));
    assert_string_equal(pg_query_text(&db, "SELECT date '2020-12-31'", arena), "2020-12-31\n");
    pg_database_drop(&db);
}

static void a_crash_ends_sessions_and_keeps_what_was_committed(void **state)
{
    (void)state;
    pgserver *server = pgserver_private_new();
    pg_database db;
    pg_database_new(pgserver_host(server), &db);
    pg_exec_text(&db, "CREATE TABLE t (i integer); INSERT INTO t VALUES (1)");
    PGconn *conn = connected(&db, db.host, db.port);
    PQclear(PQexec(conn, "BEGIN; INSERT INTO t VALUES (2)"));
    pgserver_crash(server);
    assert_int_equal(ask(conn, "SELECT 1", SURELY_MS), END);
    PQfinish(conn);
    conn = client(&db, db.host, db.port);
    assert_int_equal(PQstatus(conn), CONNECTION_BAD);
    PQfinish(conn);
    for (int turn = 0; turn < 2; turn++) {
        pgserver_start(server);
        assert_string_equal(pg_query_text(&db, "SELECT i FROM t", arena), "1\n");
        assert_string_equal(pg_query_text(&db, "SHOW fsync", arena), "on\n");
        pgserver_stop(server);
    }
    const char *dir = arena_strdup(arena, pgserver_host(server));
    pgserver_free(server);
    assert_false(file_exists(dir));
}

static void a_server_goes_when_its_process_has_gone(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        pgserver *server = pgserver_private_new();
        if (write(ends[1], pgserver_host(server), strlen(pgserver_host(server))) > 0)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    char dir[PG_HOST_MAX] = "";
    assert_true(read(ends[0], dir, sizeof dir - 1) > 0);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    close(ends[0]);
    close(ends[1]);
    for (int64_t deadline = now_ms() + SURELY_MS; file_exists(dir); look_again())
        if (now_ms() > deadline)
            fail_msg("%s is still there", dir);
}

// Clients that do nothing hold a connection to the server for as long as the pool's mode says.
static void a_pooler_answers_as_its_mode_says(void **state)
{
    (void)state;
    pg_database db;
    pg_database_new(pgserver_shared(), &db);
    static const struct {
        const char *mode;
        outcome one_too_many;
    } cases[] = {{"transaction", ANSWER}, {"session", SILENCE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pgbouncer *bouncer = pgbouncer_new(db.host, cases[i].mode);
        PGconn *conns[PGBOUNCER_POOL + 1];
        for (int n = 0; n < PGBOUNCER_POOL; n++) {
            conns[n] = connected(&db, pgbouncer_host(bouncer), PG_PORT);
            assert_int_equal(ask(conns[n], "SELECT 1", SURELY_MS), ANSWER);
        }
        PGconn *last = conns[PGBOUNCER_POOL] = connected(&db, pgbouncer_host(bouncer), PG_PORT);
        outcome expected = cases[i].one_too_many;
        assert_int_equal(ask(last, "SELECT 1", expected == SILENCE ? SHORTLY_MS : SURELY_MS), expected);
        for (int n = 0; n <= PGBOUNCER_POOL; n++)
            PQfinish(conns[n]);
        pgbouncer_free(bouncer);
    }
    pg_database_drop(&db);
}

static void a_pooler_refuses_parameters_that_it_does_not_know(void **state)
{
    (void)state;
    pg_database db;
    pg_database_new(pgserver_shared(), &db);
    pgbouncer *bouncer = pgbouncer_new(db.host, "transaction");
    const char *const names[] = {"host", "dbname", "user", "password", "options", NULL};
    const char *const values[] = {pgbouncer_host(bouncer), db.name, db.role, PG_PASSWORD, "-c work_mem=1MB", NULL};
    PGconn *conn = PQconnectdbParams(names, values, 0);
    assert_non_null(strstr(PQerrorMessage(conn), "unsupported startup parameter"));
    PQfinish(conn);
    pgbouncer_free(bouncer);
    pg_database_drop(&db);
}

// A client behind a proxy, for the faults below.
typedef struct line {
    pg_database db;
    netproxy *proxy;
    PGconn *conn;
} line;

static line line_open(void)
{
    line l;
    pg_database_new(pgserver_shared(), &l.db);
    l.proxy = netproxy_new(l.db.host, l.db.port);
    l.conn = connected(&l.db, "127.0.0.1", netproxy_port(l.proxy));
    assert_int_equal(ask(l.conn, "SELECT 1", SURELY_MS), ANSWER);
    return l;
}

static void line_close(line *l)
{
    PQfinish(l->conn);
    netproxy_free(l->proxy);
    pg_database_drop(&l->db);
}

static const char LONG_ANSWER[] = "SELECT repeat('x', 1000) FROM generate_series(1, 1000)";

// Until so many bytes have come through to the client.
static void await_bytes(netproxy *proxy, int64_t bytes)
{
    for (int64_t deadline = now_ms() + SURELY_MS; netproxy_bytes(proxy, NETPROXY_TO_CLIENT) < bytes; look_again())
        assert_true(now_ms() < deadline);
}

static void a_proxy_passes(void **state)
{
    (void)state;
    line l = line_open();
    netproxy_set(l.proxy, (netproxy_plan){.fault = NETPROXY_PASS});
    assert_int_equal(ask(l.conn, LONG_ANSWER, SURELY_MS), ANSWER);
    assert_true(netproxy_bytes(l.proxy, NETPROXY_TO_CLIENT) > 1000000);
    assert_int_equal(netproxy_bytes(l.proxy, NETPROXY_TO_SERVER), sizeof LONG_ANSWER + 5);
    assert_false(netproxy_tripped(l.proxy));
    line_close(&l);
}

static void a_stalled_connection_goes_on_later(void **state)
{
    (void)state;
    line l = line_open();
    netproxy_set(l.proxy, (netproxy_plan){.fault = NETPROXY_STALL});
    assert_int_equal(ask(l.conn, "SELECT 1", SHORTLY_MS), SILENCE);
    assert_int_equal(netproxy_bytes(l.proxy, NETPROXY_EITHER), 0);
    netproxy_set(l.proxy, (netproxy_plan){.fault = NETPROXY_PASS});
    assert_int_equal(await(l.conn, SURELY_MS), ANSWER);
    netproxy_set(l.proxy, (netproxy_plan){.fault = NETPROXY_STALL, .way = NETPROXY_TO_CLIENT, .after_bytes = 100000});
    assert_int_equal(ask(l.conn, LONG_ANSWER, SHORTLY_MS), SILENCE);
    await_bytes(l.proxy, 100000);
    assert_int_equal(await(l.conn, SHORTLY_MS), SILENCE);
    assert_int_equal(netproxy_bytes(l.proxy, NETPROXY_TO_CLIENT), 100000);
    line_close(&l);
}

static void a_reset_connection_ends(void **state)
{
    (void)state;
    line l = line_open();
    netproxy_set(l.proxy, (netproxy_plan){.fault = NETPROXY_RESET, .way = NETPROXY_TO_CLIENT, .after_bytes = 100000});
    assert_false(netproxy_tripped(l.proxy));
    assert_int_equal(ask(l.conn, LONG_ANSWER, SURELY_MS), END);
    assert_true(netproxy_tripped(l.proxy));
    assert_int_equal(netproxy_bytes(l.proxy, NETPROXY_TO_CLIENT), 100000);
    netproxy_set(l.proxy, (netproxy_plan){.fault = NETPROXY_RESET});
    PGconn *second = client(&l.db, "127.0.0.1", netproxy_port(l.proxy));
    assert_int_equal(PQstatus(second), CONNECTION_BAD);
    PQfinish(second);
    line_close(&l);
}

// From the first byte of a connection's life to the last: none hangs, and in the end none is hit.
static void a_reset_strikes_at_every_byte(void **state)
{
    (void)state;
    line l = line_open();
    int hits = 0;
    for (int n = 0;; n += 7) {
        netproxy_set(l.proxy, (netproxy_plan){.fault = NETPROXY_RESET, .after_bytes = n});
        PQfinish(l.conn);
        l.conn = client(&l.db, "127.0.0.1", netproxy_port(l.proxy));
        outcome found = PQstatus(l.conn) == CONNECTION_OK ? ask(l.conn, "SELECT 1", SURELY_MS) : END;
        assert_int_not_equal(found, SILENCE);
        if (!netproxy_tripped(l.proxy)) {
            assert_int_equal(found, ANSWER);
            break;
        }
        hits++;
    }
    assert_true(hits > 50);
    line_close(&l);
}

static void a_half_open_connection_is_gone_at_the_server_only(void **state)
{
    (void)state;
    line l = line_open();
    const char *sessions =
        arena_printf(arena,
                     "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'client' AND usename = '%s'",
                     l.db.role);
    assert_string_equal(pg_query_text(&l.db, sessions, arena), "1\n");
    netproxy_set(l.proxy, (netproxy_plan){.fault = NETPROXY_HALF_OPEN});
    for (int64_t deadline = now_ms() + SURELY_MS; strcmp(pg_query_text(&l.db, sessions, arena), "0\n") != 0;)
        assert_true(now_ms() < deadline);
    assert_int_equal(ask(l.conn, "SELECT 1", SHORTLY_MS), SILENCE);
    netproxy_set(l.proxy, (netproxy_plan){.fault = NETPROXY_PASS});
    assert_int_equal(await(l.conn, SHORTLY_MS), SILENCE);
    line_close(&l);
}

static void a_slow_connection_gets_there(void **state)
{
    (void)state;
    line l = line_open();
    netproxy_set(l.proxy, (netproxy_plan){.fault = NETPROXY_SLOW, .bytes_per_second = 10000});
    assert_int_equal(ask(l.conn, LONG_ANSWER, SHORTLY_MS), SILENCE);
    await_bytes(l.proxy, 2000);
    assert_true(netproxy_bytes(l.proxy, NETPROXY_TO_CLIENT) < 1000000);
    netproxy_set(l.proxy, (netproxy_plan){.fault = NETPROXY_PASS});
    assert_int_equal(await(l.conn, SURELY_MS), ANSWER);
    line_close(&l);
}

static void a_refused_client_may_come_back(void **state)
{
    (void)state;
    line l = line_open();
    for (int turn = 0; turn < 2; turn++) {
        netproxy_set(l.proxy, (netproxy_plan){.fault = NETPROXY_REFUSE});
        PGconn *second = client(&l.db, "127.0.0.1", netproxy_port(l.proxy));
        assert_non_null(strstr(PQerrorMessage(second), "Connection refused"));
        PQfinish(second);
        assert_int_equal(ask(l.conn, "SELECT 1", SURELY_MS), ANSWER);
        netproxy_set(l.proxy, (netproxy_plan){.fault = NETPROXY_PASS});
        second = connected(&l.db, "127.0.0.1", netproxy_port(l.proxy));
        assert_int_equal(ask(second, "SELECT 1", SURELY_MS), ANSWER);
        PQfinish(second);
    }
    line_close(&l);
}

static void a_proxy_without_a_server_resets(void **state)
{
    (void)state;
    line l = line_open();
    netproxy *nowhere = netproxy_new("/nonexistent", PG_PORT);
    PGconn *second = client(&l.db, "127.0.0.1", netproxy_port(nowhere));
    assert_int_equal(PQstatus(second), CONNECTION_BAD);
    PQfinish(second);
    netproxy_free(nowhere);
    line_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_database_is_new_empty_and_its_roles_own),
        cmocka_unit_test(a_role_needs_its_password),
        cmocka_unit_test(statements_run_as_role_and_as_superuser),
        cmocka_unit_test(a_crash_ends_sessions_and_keeps_what_was_committed),
        cmocka_unit_test(a_server_goes_when_its_process_has_gone),
        cmocka_unit_test(a_pooler_answers_as_its_mode_says),
        cmocka_unit_test(a_pooler_refuses_parameters_that_it_does_not_know),
        cmocka_unit_test(a_proxy_passes),
        cmocka_unit_test(a_stalled_connection_goes_on_later),
        cmocka_unit_test(a_reset_connection_ends),
        cmocka_unit_test(a_reset_strikes_at_every_byte),
        cmocka_unit_test(a_half_open_connection_is_gone_at_the_server_only),
        cmocka_unit_test(a_slow_connection_gets_there),
        cmocka_unit_test(a_refused_client_may_come_back),
        cmocka_unit_test(a_proxy_without_a_server_resets),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
