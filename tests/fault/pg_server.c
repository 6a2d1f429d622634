// Servers that end what a job is doing: sessions that somebody terminates, statements that somebody stops, a server
// that refuses, stops or crashes. Each failure says what, where and what to do, shows no password, and loses nothing.
//
// pg_server TEST: one; without: all.
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "fault/pg_stage.h"
#include "support/check.h"

// --- sessions that somebody ends

static PGconn *superuser(const stage *s)
{
    const pg_database *db = &s->pair.postgres;
    char port[16];
    snprintf(port, sizeof port, "%d", db->port);
    PGconn *conn = PQsetdbLogin(db->host, port, NULL, NULL, db->name, "postgres", NULL);
    if (PQstatus(conn) != CONNECTION_OK)
        BUG("%s", PQerrorMessage(conn));
    return conn;
}

typedef struct killer {
    stage *s;
    PGconn *super;
    const char *sql;
    long at;
    bool done;
} killer;

static void on_server(const killer *k, const char *sql)
{
    PGresult *result = PQexec(k->super, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        BUG("%s: %s", sql, PQerrorMessage(k->super));
    PQclear(result);
}

#define OF_JOBS " FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'job %'"

static void end_sessions(void *context, const char *call, long n)
{
    (void)call;
    killer *k = context;
    if (n != k->at)
        return;
    on_server(k, k->sql);
    k->done = true;
}

static void terminate_at(killer *k, scenario what, const char *side)
{
    ds_error err;
    stage *s = k->s;
    for (k->at = 1, k->done = true; k->done; k->at += what == FIRST_LOAD ? 9 : 6) {
        k->done = false;
        stage_prepare(s, what);
        stage_begin_case(
            arena_printf(s->w.arena, "%s: sessions ended before call %ld on %s", SCENARIOS[what], k->at, side));
        pg_tap_arm(&s->tap, side, end_sessions, k);
        ds_rc rc = stage_job(s, &err);
        pg_tap_arm(&s->tap, NULL, NULL, NULL);
        stage_check_outcome(rc, &err);
        stage_finish(s);
        stage_end_case();
    }
}

static void sessions_that_are_terminated(void **state)
{
    stage *s = *state;
    killer k = {.s = s, .super = superuser(s), .sql = "SELECT pg_terminate_backend(pid, 5000)" OF_JOBS};
    stage_open_world(s);
    for (int side = 0; side < PAIR_SIDES; side++) {
        terminate_at(&k, FIRST_LOAD, STAGE_SIDES[side]);
        terminate_at(&k, CHANGES, STAGE_SIDES[side]);
    }
    PQfinish(k.super);
    stage_close_world(s);
}

static void *when_it_sleeps(void *argument)
{
    killer *k = argument;
    for (int ms = 0; !k->done; ms += STAGE_POLL_MS) {
        PGresult *result = PQexec(k->super, "SELECT 1" OF_JOBS " AND wait_event = 'PgSleep'");
        k->done = PQntuples(result) > 0;
        PQclear(result);
        if (ms >= STAGE_DEADLINE_MS)
            BUG("the job's statement does not come");
        poll(NULL, 0, STAGE_POLL_MS);
    }
    on_server(k, k->sql);
    return NULL;
}

static void a_statement_that_a_dba_stops(void **state)
{
    static const struct {
        const char *sql, *says, *hints;
    } CASES[] = {
        {"SELECT pg_cancel_backend(pid)" OF_JOBS, "canceling statement due to user request", "pg_cancel_backend"},
        {"SELECT pg_terminate_backend(pid)" OF_JOBS, "terminating connection due to administrator command",
         "pg_terminate_backend"},
    };
    stage *s = *state;
    ds_error err;
    stage_open_world(s);
    stage_make_slow(s, "BEFORE UPDATE");
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        killer k = {.s = s, .super = superuser(s), .sql = CASES[i].sql};
        pthread_t thread;
        stage_begin_case(CASES[i].sql);
        stage_change(s);
        assert_int_equal(pthread_create(&thread, NULL, when_it_sleeps, &k), 0);
        FAILS(stage_job(s, &err), DS_ENV, CASES[i].says);
        HINTS(CASES[i].hints);
        pthread_join(thread, NULL);
        PQfinish(k.super);
        stage_finish(s);
    }
    stage_make_fast(s);
    stage_close_world(s);
}

// --- servers that refuse

static void write_secret(const stage *s, const char *part, const char *text)
{
    char path[500];
    snprintf(path, sizeof path, "%s/" PAIR_CREDENTIAL "/%s", s->w.dir.path, part);
    FILE *out = fopen(path, "w");
    if (!out || fputs(text, out) < 0 || fclose(out) != 0)
        BUG("can't write %s", path);
}

// Nothing that anybody can read shows a password.
static void check_secret(stage *s, const ds_error *err, const char *secret)
{
    const char *control = pg_query_text(&s->pair.postgres,
                                        "SELECT error FROM datasurface.batch WHERE error IS NOT NULL UNION ALL "
                                        "SELECT detail FROM datasurface.event",
                                        s->w.arena);
    if (strstr(err->text, secret) || strstr(err->hint, secret) || strstr(control, secret))
        fail_msg("%s: the password shows: %s (%s)\n%s", stage_case(), err->text, err->hint, control);
}

static void remove_secret(const stage *s, const char *part)
{
    char path[500];
    snprintf(path, sizeof path, "%s/" PAIR_CREDENTIAL "/%s", s->w.dir.path, part);
    if (unlink(path) != 0)
        BUG("can't remove %s", path);
}

static void refused(stage *s, const char *says, const char *hints)
{
    ds_error err;
    stage_begin_case(says);
    FAILS(stage_job(s, &err), DS_ENV, says);
    HINTS(hints);
    check_secret(s, &err, "sesame");
    check_secret(s, &err, "wr0ng");
    stage_end_case();
}

static void servers_that_refuse(void **state)
{
    stage *s = *state;
    stage_open_world(s);
    for (int side = 0; side < PAIR_SIDES; side++) {
        netproxy_set(s->proxies[side], (netproxy_plan){.fault = NETPROXY_REFUSE});
        refused(s, "Connection refused", "check that the server is up");
        stage_heal(s);
        stage_finish(s);
    }
    write_secret(s, "PASSWORD", "wr0ng-and-secret");
    refused(s, "password authentication failed for user", "check the credential's user and password");
    write_secret(s, "USER", "nobody_here");
    refused(s, "password authentication failed for user \"nobody_here\"", "check the credential's user and password");
    remove_secret(s, "PASSWORD");
    refused(s, "the server wants a password, and there is none", "has no password here: set DATASURFACE_");
    write_secret(s, "USER", s->pair.postgres.role);
    write_secret(s, "PASSWORD", PG_PASSWORD);
    stage_finish(s);
    ds_container_def usual = s->w.merge;
    s->w.merge.database = "nowhere";
    refused(s, "database \"nowhere\" does not exist", "check the container's database");
    s->w.merge = usual;
    stage_finish(s);
    for (int most = 0; most < 2; most++) { // none at all, too few
        pg_exec_super(&s->pair.postgres,
                      arena_printf(s->w.arena, "ALTER ROLE %s CONNECTION LIMIT %d", s->pair.postgres.role, most));
        refused(s, "too many connections for role", "no connection left");
        pg_exec_super(&s->pair.postgres,
                      arena_printf(s->w.arena, "ALTER ROLE %s CONNECTION LIMIT -1", s->pair.postgres.role));
        stage_finish(s);
    }
    stage_close_world(s);
}

// --- a server that stops

typedef struct stopper {
    pgserver *server;
    long at;
    bool crash, done;
} stopper;

static void stop_server(void *context, const char *call, long n)
{
    stopper *k = context;
    if (n < k->at || k->done || strcmp(call, "read_next") == 0) // not from a reader's thread
        return;
    k->done = true;
    if (k->crash)
        pgserver_crash(k->server);
    else
        pgserver_stop(k->server);
}

static void a_server_that_stops(void **state)
{
    (void)state;
    static stage own;
    stage *s = &own;
    pgserver *server = pgserver_private_new();
    stage_open(s, pgserver_host(server));
    stage_open_world(s);
    for (int i = 0; i < 4; i++) {
        ds_error err;
        stopper k = {.server = server, .at = 1 + i / 2 * 20, .crash = i % 2};
        stage_begin_case(
            arena_printf(s->w.arena, "the server %s before call %ld", k.crash ? "crashes" : "stops", k.at));
        stage_change(s);
        pg_tap_arm(&s->tap, "Merge", stop_server, &k);
        ds_rc rc = stage_job(s, &err);
        pg_tap_arm(&s->tap, NULL, NULL, NULL);
        assert_true(k.done);
        assert_int_equal(rc.code, DS_ENV);
        stage_check_outcome(rc, &err);
        pgserver_start(server);
        stage_finish(s);
        stage_end_case();
    }
    stage_close_world(s);
    stage_close(s);
    pgserver_free(server);
}

static int open_stage(void **state)
{
    static stage s;
    stage_open(&s, NULL);
    *state = &s;
    return 0;
}

static int close_stage(void **state)
{
    stage_close(*state);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_that_are_terminated),
        cmocka_unit_test(a_statement_that_a_dba_stops),
        cmocka_unit_test(servers_that_refuse),
        cmocka_unit_test(a_server_that_stops),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, open_stage, close_stage);
}
