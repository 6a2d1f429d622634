// open, close, transactions, the clock.
#include "contract/contract.h"

static void open_makes_and_finds(void **state)
{
    contract *w = *state;
    ds_error err;
    ds_db *db = contract_open(w);
    assert_string_equal(db->driver->name, w->engine->name);
    assert_ptr_equal(db->dialect, w->engine->driver->dialect);
    RUN(db, "CREATE TABLE t (a INTEGER)");
    store_close(db);
    db = contract_open_with(w, (ds_open_options){.read_only = true});
    assert_int_equal(count_rows(db, "t"), 0);
    store_close(db);
    store_close(NULL);
    w->drivers[0]->close(NULL);
}

static void open_unknown_type(void **state)
{
    contract *w = *state;
    ds_error err;
    ds_db *db;
    ds_target target = {.type = "oracle"};
    FAILS(store_open(&w->store, &target, &(ds_open_options){0}, &db, &err), DS_FINDING,
          "container type \"oracle\" is not supported yet");
}

static void read_only_refuses_writes(void **state)
{
    contract *w = *state;
    ds_error err;
    ds_db *db = contract_open(w);
    RUN(db, "CREATE TABLE t (a INTEGER)");
    store_close(db);
    db = contract_open_with(w, (ds_open_options){.read_only = true});
    RUN_FAILS(db, "INSERT INTO t VALUES (1)", DS_ENV, "");
    RUN_FAILS(db, "DROP TABLE t", DS_ENV, "");
    assert_int_equal(count_rows(db, "t"), 0);
    store_close(db);
}

static void commit_and_rollback(void **state)
{
    contract *w = *state;
    ds_error err;
    ds_db *db = contract_open(w), *other = contract_open(w);
    RUN(db, "CREATE TABLE t (a INTEGER)");
    OK(store_begin(db, BEGIN_WRITE, &err));
    RUN(db, "INSERT INTO t VALUES (1)");
    assert_int_equal(count_rows(db, "t"), 1);
    assert_int_equal(count_rows(other, "t"), 0);
    store_rollback(db);
    store_rollback(db); // no transaction: does nothing
    assert_int_equal(count_rows(db, "t"), 0);
    OK(store_begin(db, BEGIN_WRITE, &err));
    RUN(db, "INSERT INTO t VALUES (2)");
    OK(store_commit(db, &err));
    assert_int_equal(count_rows(other, "t"), 1);
    store_close(other);
    store_close(db);
}

static void ddl_is_transactional(void **state)
{
    contract *w = *state;
    ds_error err;
    ds_db *db = contract_open(w);
    OK(store_begin(db, BEGIN_WRITE, &err));
    RUN(db, "CREATE TABLE t (a INTEGER)");
    store_rollback(db);
    RUN_FAILS(db, "INSERT INTO t VALUES (1)", DS_FINDING, "t");
    store_close(db);
}

static void close_rolls_back(void **state)
{
    contract *w = *state;
    ds_error err;
    ds_db *db = contract_open(w);
    RUN(db, "CREATE TABLE t (a INTEGER)");
    OK(store_begin(db, BEGIN_WRITE, &err));
    RUN(db, "INSERT INTO t VALUES (1)");
    store_close(db);
    db = contract_open(w);
    assert_int_equal(count_rows(db, "t"), 0);
    store_close(db);
}

static void transactions_do_not_nest(void **state)
{
    contract *w = *state;
    ds_error err;
    ds_db *db = contract_open(w);
    FAILS(store_commit(db, &err), DS_INTERNAL, "without a transaction");
    OK(store_begin(db, BEGIN_WRITE, &err));
    FAILS(store_begin(db, BEGIN_READ, &err), DS_INTERNAL, "open already");
    OK(store_commit(db, &err));
    FAILS(store_commit(db, &err), DS_INTERNAL, "without a transaction");
    store_close(db);
}

// What others commit after begin, even before the first statement, is not seen.
static void snapshot_is_fixed_at_begin(void **state)
{
    contract *w = *state;
    ds_error err;
    ds_db *db = contract_open(w), *reader = contract_open_with(w, (ds_open_options){.read_only = true});
    RUN(db, "CREATE TABLE t (a INTEGER)");
    OK(store_begin(reader, BEGIN_READ, &err));
    RUN(db, "INSERT INTO t VALUES (1)");
    assert_int_equal(count_rows(reader, "t"), 0);
    RUN(db, "INSERT INTO t VALUES (2)");
    assert_int_equal(count_rows(reader, "t"), 0);
    OK(store_commit(reader, &err));
    assert_int_equal(count_rows(reader, "t"), 2);
    store_close(reader);
    store_close(db);
}

static void second_writer_waits_then_is_told(void **state)
{
    contract *w = *state;
    if (!w->engine->one_writer)
        skip();
    ds_error err;
    ds_db *db = contract_open(w), *other = contract_open(w);
    OK(store_begin(db, BEGIN_WRITE, &err));
    double start_s = clock_elapsed_s();
    FAILS(store_begin(other, BEGIN_WRITE, &err), DS_BUSY, "locked");
    double waited_s = clock_elapsed_s() - start_s;
    assert_true(waited_s >= WAIT_MS / 1000.0 * 0.9 && waited_s < 30);
    OK(store_commit(db, &err));
    OK(store_begin(other, BEGIN_WRITE, &err));
    OK(store_commit(other, &err));
    store_close(other);
    store_close(db);
}

static void clock_is_the_database_s(void **state)
{
    contract *w = *state;
    ds_error err;
    ds_db *db = contract_open(w);
    int64_t now_us = 0, later_us = 0;
    OK(store_now(db, &now_us, &err));
    if (w->engine->injected_clock) {
        assert_true(now_us == CLOCK_START);
        w->clock.fixed_us++;
    }
    OK(store_now(db, &later_us, &err));
    assert_true(later_us > now_us);
    store_close(db);
}

TEST_TABLE(OPEN, CONTRACT(open_makes_and_finds), CONTRACT(open_unknown_type), CONTRACT(read_only_refuses_writes),
           CONTRACT(commit_and_rollback), CONTRACT(ddl_is_transactional), CONTRACT(close_rolls_back),
           CONTRACT(transactions_do_not_nest), CONTRACT(snapshot_is_fixed_at_begin),
           CONTRACT(second_writer_waits_then_is_told), CONTRACT(clock_is_the_database_s), );
