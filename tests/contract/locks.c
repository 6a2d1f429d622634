// Named locks, cancelling, what another process's death leaves behind.
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "contract/contract.h"

enum { DEADLINE_S = 30 };

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static bool try_lock(ds_db *db, const char *name)
{
    ds_error err;
    bool held = false;
    OK(db->driver->lock_try(db, name, &held, &err));
    return held;
}

static void locks_exclude(void **state)
{
    contract *w = *state;
    if (!w->drivers[0]->lock_try)
        skip();
    ds_db *a = contract_open(w), *b = contract_open(w);
    assert_true(try_lock(a, "stream Yellow/Store1"));
    assert_true(try_lock(a, "stream Yellow/Store1")); // ours already
    assert_false(try_lock(b, "stream Yellow/Store1"));
    assert_true(try_lock(b, "stream Yellow/Store2"));
    assert_false(try_lock(a, "stream Yellow/Store2"));
    b->driver->lock_release(b, "stream Yellow/Store1"); // not ours: nothing happens
    assert_false(try_lock(b, "stream Yellow/Store1"));
    a->driver->lock_release(a, "stream Yellow/Store1");
    assert_true(try_lock(b, "stream Yellow/Store1"));
    assert_false(try_lock(a, "stream Yellow/Store1"));
    store_close(b); // frees all that it held
    assert_true(try_lock(a, "stream Yellow/Store1"));
    assert_true(try_lock(a, "stream Yellow/Store2"));
    store_close(a);
}

static void locks_are_no_transactions(void **state)
{
    contract *w = *state;
    if (!w->drivers[0]->lock_try)
        skip();
    ds_error err;
    ds_db *a = contract_open(w), *b = contract_open(w);
    OK(store_begin(a, BEGIN_WRITE, &err));
    assert_true(try_lock(a, "x"));
    assert_true(try_lock(b, "y")); // while somebody writes
    store_rollback(a);
    assert_false(try_lock(b, "x")); // and a rollback frees nothing
    store_close(b);
    store_close(a);
}

static void many_locks(void **state)
{
    contract *w = *state;
    if (!w->drivers[0]->lock_try)
        skip();
    ds_db *a = contract_open(w), *b = contract_open(w);
    char name[32];
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "lock %d", i);
        assert_true(try_lock(a, name));
        assert_false(try_lock(b, name));
    }
    store_close(a);
    assert_true(try_lock(b, "lock 499"));
    store_close(b);
}

// --- another process

// In the child: locks, begins to write, says so, and waits to be killed.
__attribute__((noreturn)) static void hold_and_wait(contract *w, int ready)
{
    ds_error err;
    ds_db *db = NULL;
    bool held = false;
    ds_open_options options = {.create = true, .busy_timeout_ms = WAIT_MS, .clock = &w->clock, .secret = &w->secret};
    CLEANUP(sql_release) ds_sql q = sql_new(w->drivers[0]->dialect);
    SQL(&q, "INSERT INTO t VALUES (1)");
    bool fine = store_open(&w->store, &w->target, &options, &db, &err).code == DS_OK &&
                db->driver->lock_try(db, "x", &held, &err).code == DS_OK && held &&
                store_begin(db, BEGIN_WRITE, &err).code == DS_OK && store_exec(db, &q, NULL, &err).code == DS_OK;
    if (write(ready, fine ? "+" : "-", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static void death_frees_locks_and_rolls_back(void **state)
{
    contract *w = *state;
    if (!w->drivers[0]->lock_try)
        skip();
    ds_error err;
    ds_db *db = contract_open(w);
    RUN(db, "CREATE TABLE t (a INTEGER)");
    store_close(db); // a connection must not be carried across a fork
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        hold_and_wait(w, ready[1]);
    char said = 0;
    assert_int_equal(read(ready[0], &said, 1), 1);
    db = contract_open(w);
    bool excluded = !try_lock(db, "x");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    assert_int_equal(said, '+');
    assert_true(excluded);
    double end_s = clock_elapsed_s() + DEADLINE_S;
    while (!try_lock(db, "x") && clock_elapsed_s() < end_s)
        nap();
    assert_true(try_lock(db, "x"));
    assert_int_equal(count_rows(db, "t"), 0);
    RUN(db, "INSERT INTO t VALUES (2)");
    store_close(db);
}

// --- cancelling

typedef struct canceller {
    ds_db *db;
    atomic_bool stop;
} canceller;

// What does not run yet can't be cancelled: again and again until it is over.
static void *cancel_until_stopped(void *context)
{
    canceller *c = context;
    while (!atomic_load(&c->stop)) {
        nap();
        c->db->driver->cancel(c->db);
    }
    return NULL;
}

static ds_rc endless_query(ds_db *db, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n");
    ds_result found;
    return store_query(db, &q, arena, &found, err);
}

static ds_rc endless_read(ds_db *db, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    static const column_text COLUMN[] = {{"i", "bigint"}};
    SQL(&q, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n");
    ds_read read = {.select = &q, .shape = shape_of(arena, COLUMN, 1, 1)};
    ds_reader *reader;
    TRY(db->driver->read_open(db, &read, &reader, err));
    ds_rc rc = DS_DONE;
    for (bool more = true; more && rc.code == DS_OK; rows_clear(&rows))
        rc = db->driver->read_next(reader, &rows, 100, 10000, &more, err);
    db->driver->read_close(reader);
    return rc;
}

static ds_rc long_wait(ds_db *db, ds_error *err)
{
    return store_begin(db, BEGIN_WRITE, err);
}

static void cancel_one(ds_db *db, ds_rc (*work)(ds_db *, ds_error *))
{
    ds_error err;
    canceller c = {.db = db};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, cancel_until_stopped, &c), 0);
    ds_rc rc = work(db, &err);
    atomic_store(&c.stop, true);
    pthread_join(thread, NULL);
    FAILS(rc, DS_CANCELLED, "interrupted");
    assert_int_equal(count_rows(db, "t"), 0); // and the connection is as good as before
}

static void cancel_stops_what_runs(void **state)
{
    contract *w = *state;
    ds_error err;
    ds_db *db = contract_open(w);
    RUN(db, "CREATE TABLE t (a INTEGER)");
    cancel_one(db, endless_query);
    cancel_one(db, endless_read);
    db->driver->cancel(db); // nothing runs: nothing happens
    assert_int_equal(count_rows(db, "t"), 0);
    store_close(db);
}

static void cancel_ends_a_wait(void **state)
{
    contract *w = *state;
    if (!w->engine->one_writer)
        skip();
    ds_error err;
    ds_db *holder = contract_open(w);
    RUN(holder, "CREATE TABLE t (a INTEGER)");
    ds_db *db = contract_open_with(w, (ds_open_options){.busy_timeout_ms = 1000 * DEADLINE_S, .clock = &w->clock});
    OK(store_begin(holder, BEGIN_WRITE, &err));
    double start_s = clock_elapsed_s();
    cancel_one(db, long_wait);
    assert_true(clock_elapsed_s() - start_s < DEADLINE_S);
    store_close(db);
    store_close(holder);
}

TEST_TABLE(LOCK, CONTRACT(locks_exclude), CONTRACT(locks_are_no_transactions), CONTRACT(many_locks),
           CONTRACT(death_frees_locks_and_rolls_back), CONTRACT(cancel_stops_what_runs),
           CONTRACT(cancel_ends_a_wait), );
