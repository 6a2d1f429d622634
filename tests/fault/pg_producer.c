// A producer who changes tables while a job reads them: TRUNCATE, ALTER, DROP, renaming, partitions that come and go,
// locks that are held for long. In a session of its own, before every call that the job makes on its source. Whatever
// happens: the job commits the source exactly as it was before the change or as it was after it, or it fails, says
// which table and why, and consumers see what they saw before. Then the source is put right, and the next run succeeds.
//
// An action that our locks hold up waits until the job is over, and must go on then.
//
// pg_producer GROUP: one; without: all.
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>

#include "fault/pg_tap.h"
#include "support/check.h"
#include "support/truth.h"
#include "support/world.h"

enum { DEADLINE_MS = 20000, POLL_MS = 2, BUSY_MS = 2000, STOP_WAITING_MS = 300, WORKERS = 3 };
#define COLUMNS "id integer primary key; name varchar(20); code varchar(10)"
#define TABLE " (id integer PRIMARY KEY, name varchar(20), code varchar(10))"
#define ROWS(first, last) "SELECT i, 'name ' || i, 'c' || i % 7 FROM generate_series(" #first ", " #last ") AS i;"

// --- what producers have, and what they do with it

typedef struct action {
    const char *name;
    const char *sql;
    const char *fails; // what a job says that meets its outcome; NULL: it can read that
    bool free;         // our locks don't hold it up
} action;

typedef struct kind {
    const char *name;
    const char *setup;  // alpha and beta in schema shop
    const char *change; // what a refresh finds
    const action *actions;
    size_t n;
} kind;

#define FRESH "DROP SCHEMA IF EXISTS shop, shed, fresh, stale CASCADE; CREATE SCHEMA shop;"
#define BETA                                                                                                           \
    "CREATE TABLE shop.beta" TABLE ";"                                                                                 \
    "INSERT INTO shop.beta " ROWS(101, 104)
#define MOVE(id)                                                                                                       \
    "WITH gone AS (DELETE FROM shop.alpha WHERE id = " #id " RETURNING *) INSERT INTO shop.beta SELECT * FROM gone;"

static const action OF_TABLES[] = {
    {"a row moves", MOVE(5), NULL, true},
    {"all rows are replaced", "DELETE FROM shop.alpha; INSERT INTO shop.alpha " ROWS(201, 215), NULL, true},
    {"TRUNCATE", "TRUNCATE shop.alpha", NULL, false},
    {"TRUNCATE of both", "TRUNCATE shop.beta, shop.alpha", NULL, false},
    {"TRUNCATE and INSERT", "TRUNCATE shop.alpha; INSERT INTO shop.alpha " ROWS(3, 25) MOVE(6), NULL, false},
    {"ADD COLUMN", "ALTER TABLE shop.alpha ADD extra integer NOT NULL DEFAULT (random() * 9)::integer", NULL, false},
    {"DROP COLUMN", "ALTER TABLE shop.alpha DROP code", "table \"alpha\" has no column \"code\"", false},
    {"RENAME COLUMN", "ALTER TABLE shop.alpha RENAME code TO token", "table \"alpha\" has no column \"code\"", false},
    {"a type that can't feed ours", "ALTER TABLE shop.alpha ALTER id TYPE text",
     "the type of \"id\" can't feed integer", false},
    {"a wider type", "ALTER TABLE shop.alpha ALTER id TYPE bigint, ALTER code TYPE text", NULL, false},
    {"DROP TABLE", "DROP TABLE shop.alpha", "source table \"alpha\" is missing", false},
    {"RENAME", "ALTER TABLE shop.alpha RENAME TO aside", "source table \"alpha\" is missing", false},
    {"to another schema", "CREATE SCHEMA shed; ALTER TABLE shop.alpha SET SCHEMA shed",
     "source table \"alpha\" is missing", false},
    {"DROP and CREATE", "DROP TABLE shop.alpha; CREATE TABLE shop.alpha" TABLE "; INSERT INTO shop.alpha " ROWS(7, 30),
     NULL, false},
    {"swap",
     "CREATE TABLE shop.fresh" TABLE "; INSERT INTO shop.fresh " ROWS(7, 30) //
     "ALTER TABLE shop.alpha RENAME TO stale; ALTER TABLE shop.fresh RENAME TO alpha",
     NULL, false},
    {"swap of schemas",
     "CREATE SCHEMA fresh CREATE TABLE alpha" TABLE " CREATE TABLE beta" TABLE
     "; INSERT INTO fresh.alpha " ROWS(3, 9) //
     "ALTER SCHEMA shop RENAME TO stale; ALTER SCHEMA fresh RENAME TO shop",
     NULL, true},
    {"rewrite", "CLUSTER shop.alpha USING alpha_pkey", NULL, false},
};

static const action OF_PARTITIONS[] = {
    {"a row moves", MOVE(5), NULL, true},
    {"a row changes its partition", "UPDATE shop.alpha SET id = 2000 WHERE id = 5", NULL, true},
    {"TRUNCATE of one", "TRUNCATE shop.alpha_1", NULL, false},
    {"TRUNCATE and INSERT", "TRUNCATE shop.alpha_1; INSERT INTO shop.alpha " ROWS(3, 18), NULL, false},
    {"DROP of one", "DROP TABLE shop.alpha_1", NULL, false},
    {"DETACH", "ALTER TABLE shop.alpha DETACH PARTITION shop.alpha_1", NULL, false},
    {"DETACH, and move its rows",
     "ALTER TABLE shop.alpha DETACH PARTITION shop.alpha_1; INSERT INTO shop.beta SELECT * FROM shop.alpha_1", NULL,
     false},
    {"DETACH CONCURRENTLY", "ALTER TABLE shop.alpha DETACH PARTITION shop.alpha_1 CONCURRENTLY", NULL, false},
    {"ATTACH",
     "CREATE TABLE shop.alpha_4 (LIKE shop.alpha INCLUDING ALL); INSERT INTO shop.alpha_4 " ROWS(3001, 3005) //
     "ALTER TABLE shop.alpha ATTACH PARTITION shop.alpha_4 FOR VALUES FROM (3000) TO (4000)",
     NULL, true},
    {"ATTACH of what was filled before, and beta loses its rows",
     "ALTER TABLE shop.alpha ATTACH PARTITION shop.ready FOR VALUES FROM (3000) TO (4000); DELETE FROM shop.beta", NULL,
     true},
    {"DROP COLUMN", "ALTER TABLE shop.alpha DROP code", "table \"alpha\" has no column \"code\"", false},
};

static const action OF_VIEWS[] = {
    {"a row moves", "DELETE FROM shop.stock WHERE id = 5; INSERT INTO shop.beta VALUES (5, 'x', 'y')", NULL, true},
    {"TRUNCATE of its table", "TRUNCATE shop.stock", NULL, false},
    {"TRUNCATE and INSERT", "TRUNCATE shop.stock; INSERT INTO shop.stock " ROWS(3, 25), NULL, false},
    {"DROP VIEW", "DROP VIEW shop.alpha", "source table \"alpha\" is missing", false},
    {"DROP of its table", "DROP TABLE shop.stock CASCADE", "source table \"alpha\" is missing", false},
    {"another SELECT",
     "CREATE OR REPLACE VIEW shop.alpha AS SELECT id, code::varchar(20) AS name, code FROM shop.stock "
     "WHERE id < 9",
     NULL, false},
    {"swap of its table",
     "CREATE TABLE shop.fresh" TABLE "; INSERT INTO shop.fresh " ROWS(7, 30) //
     "ALTER TABLE shop.stock RENAME TO stale; ALTER TABLE shop.fresh RENAME TO stock;"
     "CREATE OR REPLACE VIEW shop.some AS SELECT * FROM shop.stock",
     NULL, false},
    {"RENAME of a column", "ALTER VIEW shop.alpha RENAME code TO token", "table \"alpha\" has no column \"code\"",
     false},
};

static const action OF_MATERIALIZED_VIEWS[] = {
    {"its table changes", "DELETE FROM shop.stock WHERE id < 9", NULL, true},
    {"REFRESH", "DELETE FROM shop.stock WHERE id < 9; REFRESH MATERIALIZED VIEW shop.alpha", NULL, false},
    {"REFRESH, and a row moves",
     "DELETE FROM shop.stock WHERE id = 5; REFRESH MATERIALIZED VIEW shop.alpha;"
     "INSERT INTO shop.beta VALUES (5, 'x', 'y')",
     NULL, false},
    {"REFRESH CONCURRENTLY, and a row moves",
     "DELETE FROM shop.stock WHERE id = 5; REFRESH MATERIALIZED VIEW CONCURRENTLY shop.alpha;"
     "INSERT INTO shop.beta VALUES (5, 'x', 'y')",
     NULL, true},
    {"REFRESH of nothing", "TRUNCATE shop.stock; REFRESH MATERIALIZED VIEW shop.alpha", NULL, false},
    {"REFRESH WITH NO DATA", "REFRESH MATERIALIZED VIEW shop.alpha WITH NO DATA", "alpha\" has not been populated",
     false},
    {"DROP", "DROP MATERIALIZED VIEW shop.alpha", "source table \"alpha\" is missing", false},
};

#define WITH(list) (list), sizeof(list) / sizeof(list)[0]
static const kind TABLES = {
    "tables",
    FRESH "CREATE TABLE shop.alpha" TABLE "; INSERT INTO shop.alpha " ROWS(1, 20) BETA,
    "UPDATE shop.alpha SET name = 'new' WHERE id % 3 = 0; DELETE FROM shop.alpha WHERE id % 5 = 1;"
    "INSERT INTO shop.beta VALUES (105, 'new', 'x')",
    WITH(OF_TABLES),
};
static const kind PARTITIONS = {
    "partitions",
    FRESH "CREATE TABLE shop.alpha" TABLE " PARTITION BY RANGE (id);"
          "CREATE TABLE shop.alpha_1 PARTITION OF shop.alpha FOR VALUES FROM (0) TO (1000);"
          "CREATE TABLE shop.alpha_2 PARTITION OF shop.alpha FOR VALUES FROM (1000) TO (2000);"
          "CREATE TABLE shop.alpha_3 PARTITION OF shop.alpha FOR VALUES FROM (2000) TO (3000);"
          "CREATE TABLE shop.ready (LIKE shop.alpha INCLUDING ALL); INSERT INTO shop.ready " ROWS(3001, 3010) //
    "INSERT INTO shop.alpha " ROWS(1, 10) "INSERT INTO shop.alpha " ROWS(1001, 1010) BETA,
    "UPDATE shop.alpha SET name = 'new' WHERE id % 3 = 0",
    WITH(OF_PARTITIONS),
};
static const kind VIEWS = {
    "views",
    FRESH "CREATE TABLE shop.stock" TABLE "; INSERT INTO shop.stock " ROWS(1, 20) BETA
    "CREATE VIEW shop.some AS SELECT * FROM shop.stock;"
    "CREATE VIEW shop.alpha AS SELECT * FROM shop.some WHERE id > 0",
    "UPDATE shop.stock SET name = 'new' WHERE id % 3 = 0",
    WITH(OF_VIEWS),
};
static const kind MATERIALIZED_VIEWS = {
    "materialized-views",
    FRESH "CREATE TABLE shop.stock" TABLE "; INSERT INTO shop.stock " ROWS(1, 20) BETA
    "CREATE MATERIALIZED VIEW shop.alpha AS SELECT * FROM shop.stock;"
    "CREATE UNIQUE INDEX ON shop.alpha (id)",
    "UPDATE shop.stock SET name = 'new' WHERE id % 3 = 0; REFRESH MATERIALIZED VIEW shop.alpha",
    WITH(OF_MATERIALIZED_VIEWS),
};

// --- the stage

typedef struct stage {
    const kind *kind;
    test_pair pair;
    pg_tap tap;
    world w;
    PGconn *producer, *monitor;
    // the action of the case at hand
    const action *action;
    const char *label;
    long at;         // the call before which it happens
    atomic_bool met; // there was such a call
    bool waits;      // it was held up
    const char *seen_before, *before;
} stage;

static PGconn *session(const pg_database *db, bool super)
{
    char port[16];
    snprintf(port, sizeof port, "%d", db->port);
    const char *const names[] = {"host", "port", "dbname", "user", "password", "application_name", "options", NULL};
    const char *const values[] = {db->host,
                                  port,
                                  db->name,
                                  super ? "postgres" : db->role,
                                  super ? "" : PG_PASSWORD,
                                  "producer",
                                  "-c lock_timeout=15s -c client_min_messages=error",
                                  NULL};
    PGconn *conn = PQconnectdbParams(names, values, 0);
    if (PQstatus(conn) != CONNECTION_OK)
        BUG("%s", PQerrorMessage(conn));
    return conn;
}

static void stage_open(stage *s)
{
    *s = (stage){0};
    assert_true(pair_open(&s->pair, "postgres"));
    pg_tap_init(&s->tap);
    s->tap.busy_timeout_ms = BUSY_MS;
    s->pair.drivers[PAIR_SOURCE] = s->pair.drivers[PAIR_MERGE] = &s->tap.driver;
    s->producer = session(&s->pair.postgres, false);
    s->monitor = session(&s->pair.postgres, true);
}

static void stage_close(stage *s)
{
    PQfinish(s->producer);
    PQfinish(s->monitor);
    pair_close(&s->pair);
}

// Statements of the producer, which succeed.
static void produce(const stage *s, const char *sql)
{
    PGresult *result = PQexec(s->producer, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        BUG("%s: %s", sql, PQerrorMessage(s->producer));
    PQclear(result);
}

static void open_world(stage *s, const kind *k, int workers)
{
    s->kind = k;
    world_open_on(&s->w, &s->pair, MILESTONING_SCD2);
    produce(s, k->setup);
    s->w.def.chunk_rows = 3; // several chunks: readers have their threads
    s->w.def.workers = workers;
    world_dataset(&s->w, "alpha", COLUMNS); // beside these stand empty tables of the same names
    world_dataset(&s->w, "beta", COLUMNS);
    for (size_t i = 0; i < s->w.def.dataset_count; i++)
        s->w.datasets[i].source_schema = "shop";
    world_apply(&s->w);
}

static void close_world(stage *s)
{
    world_close(&s->w);
    pair_clear(&s->pair);
}

// --- what is there

static void append_rows(const PGresult *result, ds_buf *out)
{
    for (int row = 0; row < PQntuples(result); row++) {
        for (int column = 0; column < PQnfields(result); column++)
            buf_printf(out, "%s%s", column ? "|" : "",
                       PQgetisnull(result, row, column) ? "~" : PQgetvalue(result, row, column));
        buf_putc(out, '\n');
    }
}

// The rows of both as consumers or the producer see them; NULL when they can't be read.
static const char *rows_of(const stage *s, const char *alpha, const char *beta)
{
    CLEANUP(buf_release) ds_buf out = BUF_INIT(1 << 20);
    const char *const names[] = {alpha, beta};
    for (size_t i = 0; i < 2; i++) {
        char select[300];
        snprintf(select, sizeof select, "SELECT id, name, code FROM %s ORDER BY id", names[i]);
        PGresult *result = PQexec(s->monitor, select);
        bool good = PQresultStatus(result) == PGRES_TUPLES_OK;
        buf_printf(&out, "%s\n", i ? "beta" : "alpha");
        append_rows(result, &out);
        PQclear(result);
        if (!good)
            return NULL;
    }
    return arena_strdup(s->w.arena, buf_text(&out));
}

static const char *source_rows(const stage *s)
{
    return rows_of(s, "shop.alpha", "shop.beta");
}

static const char *consumer_rows(const stage *s)
{
    return rows_of(s, world_name(&s->w, s->w.datasets[0].views[0].relation),
                   world_name(&s->w, s->w.datasets[1].views[0].relation));
}

static int64_t committed(const stage *s)
{
    PGresult *result = PQexec(s->monitor, "SELECT 1 FROM datasurface.batch WHERE status = 'committed'");
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        BUG("%s", PQerrorMessage(s->monitor));
    int n = PQntuples(result);
    PQclear(result);
    return n;
}

static void check_truth(const stage *s, const char *when)
{
    const char *broken = truth_broken(&s->w.runtime, &s->w.merge, &s->w.def, s->w.arena);
    if (*broken)
        fail_msg("%s, %s:\n%s", s->label, when, broken);
}

static ds_rc run_job(stage *s, ds_error *err)
{
    ds_job_result result;
    return world_job(&s->w, &result, err);
}

// --- an action beside the job

static bool server_says(const stage *s, const char *select)
{
    PGresult *result = PQexec(s->monitor, select);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        BUG("%s: %s", select, PQerrorMessage(s->monitor));
    bool yes = PQntuples(result) > 0;
    PQclear(result);
    return yes;
}

#define WAITING_FOR_LOCK                                                                                               \
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND "

static bool producer_waits(const stage *s)
{
    return server_says(s, WAITING_FOR_LOCK "application_name = 'producer'");
}

static bool job_waits(const stage *s)
{
    return server_says(s, WAITING_FOR_LOCK "application_name LIKE 'job %'");
}

static void pause_a_little(void)
{
    poll(NULL, 0, POLL_MS);
}

// True when the producer's statements are done; false when they wait for a lock, and that may last.
static bool producer_done(const stage *s, bool may_wait)
{
    for (int ms = 0; ms < DEADLINE_MS; ms += POLL_MS) {
        if (!PQconsumeInput(s->producer))
            BUG("%s: %s", s->label, PQerrorMessage(s->producer));
        if (!PQisBusy(s->producer))
            return true;
        if (may_wait && producer_waits(s))
            return false;
        pause_a_little();
    }
    BUG("%s: the producer's statement does not end", s->label);
}

static void take_results(const stage *s)
{
    for (PGresult *result = PQgetResult(s->producer); result; result = PQgetResult(s->producer)) {
        if (PQresultStatus(result) == PGRES_FATAL_ERROR)
            BUG("%s: the producer failed: %s", s->label, PQresultErrorMessage(result));
        PQclear(result);
    }
}

// Before the chosen call: the action is done when this returns, or it waits for our locks.
static void act(void *context, const char *call, long n)
{
    stage *s = context;
    if (n != s->at)
        return;
    (void)call;
    if (!PQsendQuery(s->producer, s->action->sql))
        BUG("%s", PQerrorMessage(s->producer));
    s->waits = !producer_done(s, true);
    if (!s->waits)
        take_results(s);
    atomic_store(&s->met, true);
}

static void let_producer_finish(stage *s)
{
    if (!s->waits)
        return;
    (void)producer_done(s, false);
    take_results(s);
}

// --- a case

static const char *label(const stage *s)
{
    return arena_printf(s->w.arena, "%s, %s before call %ld, workers %d", s->kind->name, s->action->name, s->at,
                        (int)s->w.def.workers);
}

static void check_success(const stage *s, const char *after, int64_t batches)
{
    const char *seen = consumer_rows(s);
    bool is_before = strcmp(seen, s->before) == 0, is_after = after && strcmp(seen, after) == 0;
    if (!is_before && !is_after)
        fail_msg("%s: torn: consumers see\n%sbefore\n%safter\n%s", s->label, seen, s->before, after ? after : "-");
    if (s->waits && !is_before)
        fail_msg("%s: the producer waited, and consumers see what it did then:\n%s", s->label, seen);
    assert_int_equal(committed(s), batches + 1);
}

static void check_failure(const stage *s, ds_rc rc, const ds_error *err, int64_t batches)
{
    bool named = strstr(err->text, "alpha") || strstr(err->text, "beta");
    bool worth_a_retry = rc.code == DS_BUSY;
    bool expected = s->action->fails && strstr(err->text, s->action->fails) && !s->waits;
    if (!named || (!expected && !worth_a_retry))
        fail_msg("%s: the job failed: code %d: %s", s->label, (int)rc.code, err->text);
    if (strcmp(consumer_rows(s), s->seen_before) != 0)
        fail_msg("%s: the job failed, and consumers see something else", s->label);
    assert_int_equal(committed(s), batches);
}

static void put_right(stage *s)
{
    ds_error err;
    produce(s, s->kind->setup);
    ds_rc rc = run_job(s, &err);
    if (rc.code != DS_OK)
        fail_msg("%s: the run afterwards failed: %s", s->label, err.text);
    assert_string_equal(consumer_rows(s), source_rows(s));
}

typedef struct tally {
    long cases, waited, before, after, failed;
} tally;

static void count(const stage *s, ds_rc rc, tally *t)
{
    t->cases++;
    t->waited += s->waits;
    t->failed += rc.code != DS_OK;
    if (rc.code == DS_OK)
        *(strcmp(consumer_rows(s), s->before) == 0 ? &t->before : &t->after) += 1;
}

static void run_case(stage *s, const action *a, long at, tally *t)
{
    ds_error err = {0};
    s->action = a;
    s->at = at;
    s->label = label(s);
    s->seen_before = consumer_rows(s);
    s->before = source_rows(s);
    int64_t batches = committed(s);
    atomic_store(&s->met, false);
    s->waits = false;
    pg_tap_arm(&s->tap, "Source", act, s);
    ds_rc rc = run_job(s, &err);
    pg_tap_arm(&s->tap, NULL, NULL, NULL);
    let_producer_finish(s);
    check_truth(s, "after the job");
    if (rc.code == DS_OK)
        check_success(s, source_rows(s), batches);
    else
        check_failure(s, rc, &err, batches);
    count(s, rc, t);
    put_right(s);
}

// --- sweeps

typedef enum scenario { FIRST_LOAD, UNCHANGED, CHANGES } scenario;

// As if nothing had been loaded yet.
static void forget_all(stage *s)
{
    produce(s, "DELETE FROM datasurface.dataset_batch; DELETE FROM datasurface.batch; DELETE FROM datasurface.event");
    for (size_t i = 0; i < s->w.def.dataset_count; i++)
        produce(s,
                arena_printf(s->w.arena, "DELETE FROM %s; DROP TABLE IF EXISTS %s",
                             world_name(&s->w, s->w.datasets[i].merge), world_name(&s->w, s->w.datasets[i].staging)));
    world_apply(&s->w); // views without rows
}

static void prepare(stage *s, scenario what)
{
    if (what == FIRST_LOAD)
        forget_all(s);
    if (what == CHANGES)
        produce(s, s->kind->change);
}

// How many calls the job makes on its source, and which of them holds the tables.
typedef struct calls {
    long n, holds;
} calls;

static void note_call(void *context, const char *call, long n)
{
    calls *c = context;
    if (!c->holds && strcmp(call, "begin_snapshot") == 0)
        c->holds = n;
}

static calls count_calls(stage *s)
{
    calls c = {0};
    ds_error err;
    pg_tap_arm(&s->tap, "Source", note_call, &c);
    OK(run_job(s, &err));
    c.n = atomic_load(&s->tap.calls);
    pg_tap_arm(&s->tap, NULL, NULL, NULL);
    return c;
}

// Until the tables are held every action counts; from then on those that are held up are all the same.
static void sweep(stage *s, const kind *k, scenario what, int workers)
{
    static const char *const NAMES[] = {"first load", "unchanged", "changes"};
    tally t = {0};
    open_world(s, k, workers);
    ds_error err;
    if (what != FIRST_LOAD)
        OK(run_job(s, &err));
    if (what == CHANGES)
        produce(s, k->change);
    calls c = count_calls(s);
    s->action = &k->actions[0];
    s->label = "after counting";
    put_right(s);
    long turn = (long)what + workers;
    for (long at = 1; at <= c.n; at++)
        for (size_t i = 0; i < k->n; i++) {
            const action *a = &k->actions[i];
            if (at != c.holds && (at + (long)i + turn) % (a->free ? 3 : (long)k->n) != 0)
                continue;
            prepare(s, what);
            run_case(s, a, at, &t);
        }
    print_message("%s, %s, workers %d: %ld cases; %ld waited; as before %ld, as after %ld, failed %ld\n", k->name,
                  NAMES[what], workers, t.cases, t.waited, t.before, t.after, t.failed);
    close_world(s);
}

static void tables_first_load(void **state)
{
    sweep(*state, &TABLES, FIRST_LOAD, 1);
    sweep(*state, &TABLES, FIRST_LOAD, WORKERS);
}

static void tables_unchanged(void **state)
{
    sweep(*state, &TABLES, UNCHANGED, 1);
    sweep(*state, &TABLES, UNCHANGED, WORKERS);
}

static void tables_changes(void **state)
{
    sweep(*state, &TABLES, CHANGES, 1);
    sweep(*state, &TABLES, CHANGES, WORKERS);
}

static void partitions(void **state)
{
    sweep(*state, &PARTITIONS, CHANGES, 1);
    sweep(*state, &PARTITIONS, CHANGES, WORKERS);
}

static void views(void **state)
{
    sweep(*state, &VIEWS, CHANGES, 1);
}

static void materialized_views(void **state)
{
    sweep(*state, &MATERIALIZED_VIEWS, CHANGES, 1);
}

// --- a producer whose transaction is open when the job comes

typedef enum ending { COMMITS, ROLLS_BACK, STAYS } ending;
typedef struct open_transaction {
    stage *stage;
    ending ending;
    pthread_t thread;
} open_transaction;

// Ends the transaction once the job waits for it.
static void *end_when_job_waits(void *argument)
{
    const open_transaction *o = argument;
    for (int ms = 0; !job_waits(o->stage); ms += POLL_MS) {
        if (ms >= DEADLINE_MS)
            BUG("%s: the job does not wait", o->stage->label);
        pause_a_little();
    }
    produce(o->stage, o->ending == COMMITS ? "COMMIT" : "ROLLBACK");
    return NULL;
}

static void begin_at_snapshot(void *context, const char *call, long n)
{
    open_transaction *o = context;
    stage *s = o->stage;
    if (strcmp(call, "begin_snapshot") != 0 || atomic_exchange(&s->met, true))
        return;
    s->at = n;
    produce(s, "BEGIN");
    produce(s, s->action->sql);
    if (o->ending != STAYS && pthread_create(&o->thread, NULL, end_when_job_waits, o) != 0)
        BUG("no thread");
}

static void run_open_case(stage *s, const action *a, ending how)
{
    static const char *const ENDINGS[] = {"commits", "rolls back", "stays"};
    open_transaction o = {.stage = s, .ending = how};
    ds_error err = {0};
    s->action = a;
    s->label = arena_printf(s->w.arena, "%s, %s in a transaction that %s", s->kind->name, a->name, ENDINGS[how]);
    s->seen_before = consumer_rows(s);
    s->before = source_rows(s);
    int64_t batches = committed(s);
    atomic_store(&s->met, false);
    s->waits = false;
    s->tap.busy_timeout_ms = how == STAYS ? STOP_WAITING_MS : BUSY_MS;
    pg_tap_arm(&s->tap, "Source", begin_at_snapshot, &o);
    ds_rc rc = run_job(s, &err);
    pg_tap_arm(&s->tap, NULL, NULL, NULL);
    s->tap.busy_timeout_ms = BUSY_MS;
    if (how != STAYS)
        pthread_join(o.thread, NULL);
    check_truth(s, "after the job");
    if (how == STAYS) {
        produce(s, "COMMIT");
        if (rc.code != DS_BUSY || !strstr(err.text, "alpha"))
            fail_msg("%s: code %d: %s", s->label, (int)rc.code, err.text);
        check_failure(s, rc, &err, batches);
    } else if (rc.code == DS_OK) {
        const char *after = source_rows(s);
        check_success(s, after, batches);
        assert_string_equal(consumer_rows(s), after);
    } else {
        check_failure(s, rc, &err, batches);
    }
    put_right(s);
}

static void run_open_cases(stage *s, const kind *k)
{
    ds_error err;
    open_world(s, k, 1);
    OK(run_job(s, &err));
    for (size_t i = 0; i < k->n; i++) {
        const action *a = &k->actions[i];
        bool can_wait = !a->free && !strstr(a->sql, "CONCURRENTLY"); // not in a transaction
        for (ending how = COMMITS; how <= ROLLS_BACK && can_wait; how++) {
            produce(s, k->change);
            run_open_case(s, a, how);
        }
    }
}

static void transactions_that_are_open(void **state)
{
    stage *s = *state;
    static const kind *const KINDS[] = {&MATERIALIZED_VIEWS, &PARTITIONS, &VIEWS, &TABLES};
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        if (i)
            close_world(s);
        run_open_cases(s, KINDS[i]);
    }
    static const action LOCK = {"LOCK TABLE", "LOCK TABLE shop.alpha IN ACCESS EXCLUSIVE MODE", NULL, false};
    for (ending how = COMMITS; how <= STAYS; how++)
        run_open_case(s, &LOCK, how);
    close_world(s);
}

// --- rights

// Rows that we may not see are no rows that are gone.
static void what_the_role_may_not_see(void **state)
{
    stage *s = *state;
    static const action REFUSALS[] = {
        {"a policy",
         "CREATE POLICY few ON shop.alpha USING (id < 9); ALTER TABLE shop.alpha ENABLE ROW LEVEL SECURITY, FORCE ROW "
         "LEVEL SECURITY",
         "row-level security policy for table \"alpha\"", false},
        {"no policy lets a row through", "ALTER TABLE shop.alpha ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
         "row-level security policy for table \"alpha\"", false},
        {"no SELECT", "REVOKE SELECT ON shop.alpha FROM CURRENT_USER", "permission denied for table alpha", false},
        {"SELECT on a column",
         "REVOKE SELECT ON shop.alpha FROM CURRENT_USER; GRANT SELECT (id) ON shop.alpha TO CURRENT_USER",
         "permission denied for table alpha", false},
        {"no USAGE", "REVOKE USAGE ON SCHEMA shop FROM CURRENT_USER", "permission denied for schema shop", false},
    };
    for (int loaded = 0; loaded < 2; loaded++) {
        open_world(s, &TABLES, 1);
        ds_error err = {0};
        if (loaded)
            OK(run_job(s, &err));
        for (size_t i = 0; i < sizeof REFUSALS / sizeof REFUSALS[0]; i++) {
            s->action = &REFUSALS[i];
            s->label = s->action->name;
            const char *seen = consumer_rows(s);
            int64_t batches = committed(s);
            produce(s, s->action->sql);
            FAILS(run_job(s, &err), DS_ENV, s->action->fails);
            HINTS("docs/postgres.md");
            check_truth(s, "after the refusal");
            assert_string_equal(consumer_rows(s), seen);
            assert_int_equal(committed(s), batches);
            produce(s, "GRANT ALL ON SCHEMA shop TO CURRENT_USER");
            put_right(s);
        }
        close_world(s);
    }
}

static int open_stage(void **state)
{
    static stage s;
    stage_open(&s);
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
        cmocka_unit_test(tables_first_load),
        cmocka_unit_test(tables_unchanged),
        cmocka_unit_test(tables_changes),
        cmocka_unit_test(partitions),
        cmocka_unit_test(views),
        cmocka_unit_test(materialized_views),
        cmocka_unit_test(transactions_that_are_open),
        cmocka_unit_test(what_the_role_may_not_see),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, open_stage, close_stage);
}
