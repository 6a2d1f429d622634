// store/keeper.h with a server: who is counted there, and what a connection brings along.
#include <stdlib.h>

#include "store/keeper.h"
#include "store/postgres/postgres.h"
#include "support/check.h"
#include "support/pg_database.h"

typedef struct fixture {
    pg_database pg;
    ds_secret secret;
    char password[64];
    ds_target target;
    const ds_driver *drivers[1];
    ds_store store;
    ds_clock clock;
    ds_keeper *keeper;
    ds_arena *arena;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    pg_database_new(pgserver_shared(), &f->pg);
    pg_exec_text(&f->pg, "CREATE TABLE t (a integer)");
    strcpy(f->password, PG_PASSWORD);
    f->secret.parts[SECRET_USER] = f->pg.role;
    f->secret.parts[SECRET_PASSWORD] = f->password;
    f->target =
        (ds_target){.type = "postgres", .name = "Kept", .host = f->pg.host, .port = f->pg.port, .database = f->pg.name};
    f->drivers[0] = &POSTGRES_DRIVER;
    f->store = (ds_store){f->drivers, 1};
    f->clock = clock_manual(INT64_C(1700000000) * 1000000);
    f->keeper = keeper_new(&(ds_keeper_limits){.resting = 2, .rest_ms = 60000, .age_ms = 180000}, &f->clock);
    f->arena = arena_new();
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    keeper_freep(&f->keeper);
    pg_database_drop(&f->pg);
    arena_free(f->arena);
    free(f);
    return 0;
}

static void advance_s(fixture *f, int64_t seconds)
{
    f->clock.fixed_us += seconds * 1000000;
}

static ds_db *open_for(fixture *f, const char *purpose)
{
    ds_error err;
    ds_db *db;
    ds_open_options options = {.purpose = purpose, .secret = &f->secret};
    OK(keeper_open(f->keeper, &f->store, &f->target, &options, &db, &err));
    return db;
}

static const char *ask(fixture *f, ds_db *db, const char *select)
{
    ds_error err;
    ds_result r;
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    sql_add_fixed(&q, select, strlen(select));
    OK(store_query(db, &q, f->arena, &r, &err));
    return result_text(&r, 0, 0);
}

static const char *process_of(fixture *f, ds_db *db)
{
    return ask(f, db, "SELECT pg_backend_pid()");
}

// The processes that the server has for the role.
static const char *served(fixture *f)
{
    return pg_query_text(&f->pg,
                         arena_printf(f->arena, "SELECT count(*) FROM pg_stat_activity WHERE usename = '%s'",
                                      f->pg.role),
                         f->arena);
}

// Ends it, and waits for that.
static void kill_process(fixture *f, const char *process)
{
    const char *killed =
        pg_query_text(&f->pg, arena_printf(f->arena, "SELECT pg_terminate_backend(%s, 30000)::int", process), f->arena);
    assert_string_equal(killed, "1\n");
}

static void one_process_serves_one_after_another(void **state)
{
    fixture *f = *state;
    const char *first = NULL;
    for (int i = 0; i < 20; i++) {
        ds_db *db = open_for(f, arena_printf(f->arena, "job %d", i));
        const char *process = process_of(f, db);
        first = first ? first : process;
        assert_string_equal(process, first);
        store_close(db);
    }
    assert_string_equal(served(f), "1\n");
    ds_db *a = open_for(f, "a"), *b = open_for(f, "b");
    assert_string_not_equal(process_of(f, a), process_of(f, b));
    store_close(a);
    store_close(b);
    assert_int_equal(keeper_resting(f->keeper), 2);
}

static void a_transaction_says_who_it_is_for(void **state)
{
    fixture *f = *state;
    static const char NAME[] = "SELECT current_setting('application_name')";
    const char *idle =
        arena_printf(f->arena, "SELECT application_name FROM pg_stat_activity WHERE usename = '%s' AND state = 'idle'",
                     f->pg.role);
    for (int i = 0; i < 2; i++) {
        const char *purpose = arena_printf(f->arena, "job Live/Store%d", i);
        ds_db *db = open_for(f, purpose);
        assert_string_equal(ask(f, db, NAME), purpose);
        store_close(db);
    }
    assert_string_equal(pg_query_text(&f->pg, idle, f->arena), "datasurface\n");
}

static void what_was_open_is_rolled_back(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *db = open_for(f, "a");
    const char *process = process_of(f, db);
    CLEANUP(sql_release) ds_sql insert = sql_new(db->dialect);
    SQL(&insert, "INSERT INTO t VALUES (1)");
    OK(store_begin(db, BEGIN_WRITE, &err));
    OK(store_exec(db, &insert, NULL, &err));
    store_close(db);
    db = open_for(f, "b");
    assert_string_equal(process_of(f, db), process);
    assert_string_equal(ask(f, db, "SELECT count(*) FROM t"), "0");
    store_close(db);
}

static void who_has_failed_is_not_kept(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_result r;
    ds_db *db = open_for(f, "a");
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT nothing FROM nowhere");
    FAILS(store_query(db, &q, f->arena, &r, &err), DS_FINDING, "nowhere");
    assert_string_equal(ask(f, db, "SELECT 1"), "1"); // it works on
    store_close(db);
    assert_int_equal(keeper_resting(f->keeper), 0);
}

// What a user's text may have done to the session, nobody knows.
static void who_ran_a_users_text_is_not_kept(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *db = open_for(f, "a");
    ds_type integer = {.kind = TYPE_INTEGER};
    const ds_shape_column column = {.name = "a", .type = &integer};
    const ds_shape *shape;
    OK(shape_new(f->arena, &column, 1, NULL, 0, &shape, &err));
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT a FROM t");
    ds_relation allowed = {"public", "t"};
    ds_read read = {.select = &q, .shape = shape, .untrusted = true, .allowed = &allowed, .allowed_count = 1};
    ds_reader *reader;
    OK(db->driver->read_open(db, &read, &reader, &err));
    db->driver->read_close(reader);
    store_close(db);
    assert_int_equal(keeper_resting(f->keeper), 0);
}

// Whether the server ended it while it rested, or just when it was given out: nobody notices.
static void a_lost_one_is_replaced(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *db = open_for(f, "a");
    const char *process = process_of(f, db);
    store_close(db);
    kill_process(f, process);
    db = open_for(f, "b");
    const char *second = process_of(f, db);
    assert_string_not_equal(second, process);
    store_close(db);
    db = open_for(f, "c");
    kill_process(f, second);
    OK(store_begin(db, BEGIN_WRITE, &err));
    assert_string_not_equal(process_of(f, db), second);
    OK(store_commit(db, &err));
    store_close(db);
    db = open_for(f, "d");
    kill_process(f, process_of(f, db)); // and here between two transactions
    OK(store_begin_snapshot(db, &(ds_snapshot){.tables = &(ds_relation){"public", "t"}, .n = 1}, &err));
    store_close(db);
}

static void another_password_is_another_connection(void **state)
{
    fixture *f = *state;
    ds_db *db = open_for(f, "a");
    const char *process = process_of(f, db);
    store_close(db);
    pg_exec_super(&f->pg, arena_printf(f->arena, "ALTER ROLE \"%s\" PASSWORD 'a new one'", f->pg.role));
    strcpy(f->password, "a new one");
    db = open_for(f, "b");
    assert_string_not_equal(process_of(f, db), process);
    store_close(db);
    strcpy(f->password, "a wrong one");
    ds_error err;
    ds_open_options options = {.secret = &f->secret};
    FAILS(keeper_open(f->keeper, &f->store, &f->target, &options, &db, &err), DS_ENV, "");
    assert_int_equal(keeper_resting(f->keeper), 2);
    advance_s(f, 60); // what nobody wants goes
    keeper_sweep(f->keeper);
    assert_int_equal(keeper_resting(f->keeper), 0);
}

static void limits_hold(void **state)
{
    fixture *f = *state;
    ds_db *dbs[3];
    for (int i = 0; i < 3; i++)
        dbs[i] = open_for(f, "a");
    const char *first = process_of(f, dbs[0]), *last = process_of(f, dbs[2]);
    for (int i = 0; i < 3; i++)
        store_close(dbs[i]);
    assert_int_equal(keeper_resting(f->keeper), 2); // the first one has rested for the longest
    ds_db *db = open_for(f, "b");
    assert_string_equal(process_of(f, db), last);
    assert_string_not_equal(process_of(f, db), first);
    store_close(db);
    for (int minute = 1; minute <= 3; minute++) { // in use again and again, and too old for that in the end
        advance_s(f, 59);
        db = open_for(f, "c");
        assert_string_equal(process_of(f, db), last);
        advance_s(f, 1);
        store_close(db);
    }
    keeper_sweep(f->keeper);
    assert_int_equal(keeper_resting(f->keeper), 0);
}

// Where connections are counted none may be there that nobody uses; a database to be made is no place to keep one for.
static void some_are_nobodys(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *db;
    const ds_open_options OPTIONS[] = {{.secret = &f->secret, .wait_closed = true},
                                       {.secret = &f->secret, .create = true}};
    for (size_t i = 0; i < sizeof OPTIONS / sizeof OPTIONS[0]; i++) {
        OK(keeper_open(f->keeper, &f->store, &f->target, &OPTIONS[i], &db, &err));
        assert_null(db->kept);
        store_close(db);
    }
    OK(keeper_open(NULL, &f->store, &f->target, &OPTIONS[1], &db, &err));
    store_close(db);
    assert_int_equal(keeper_resting(f->keeper), 0);
}

// The next user's options hold, not those of who opened it.
static void the_next_user_has_his_own_options(void **state)
{
    fixture *f = *state;
    ds_error err;
    int stop = 0;
    ds_db *db;
    ds_open_options reader = {.secret = &f->secret, .read_only = true, .cancelled = &stop};
    OK(keeper_open(f->keeper, &f->store, &f->target, &reader, &db, &err));
    FAILS(store_begin(db, BEGIN_WRITE, &err), DS_INTERNAL, "for reading only");
    store_close(db);
    stop = 1; // interrupts nobody any more
    db = open_for(f, "writer");
    OK(store_begin(db, BEGIN_WRITE, &err));
    assert_string_equal(ask(f, db, "SELECT 1"), "1");
    OK(store_commit(db, &err));
    store_close(db);
    assert_int_equal(keeper_resting(f->keeper), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(one_process_serves_one_after_another),
        TEST(a_transaction_says_who_it_is_for),
        TEST(what_was_open_is_rolled_back),
        TEST(who_has_failed_is_not_kept),
        TEST(who_ran_a_users_text_is_not_kept),
        TEST(a_lost_one_is_replaced),
        TEST(another_password_is_another_connection),
        TEST(limits_hold),
        TEST(some_are_nobodys),
        TEST(the_next_user_has_his_own_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
