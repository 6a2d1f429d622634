// store/keeper.h and yellow/def/def_cache.h with threads: a connection has one user at a time, a definition stays while
// somebody uses it.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/keeper.h"
#include "support/check.h"
#include "yellow/def/def_cache.h"

enum { THREADS = 8, ROUNDS = 2000, PLACES = 3, STREAMS = 5 };

// --- a driver without a server

typedef struct fake {
    ds_db db; // first
    int uses; // not atomic: the keeper hands it over
} fake;

static atomic_int opened, closed;

static ds_rc fake_open(const ds_driver *self, const ds_target *target, const ds_open_options *options, ds_db **out,
                       ds_error *err)
{
    (void)target, (void)options, (void)err;
    fake *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->db.driver = self;
    atomic_fetch_add(&opened, 1);
    *out = &f->db;
    return DS_DONE;
}

static void fake_close(ds_db *db)
{
    atomic_fetch_add(&closed, 1);
    free(db);
}

static bool fake_rest(ds_db *db)
{
    return ((fake *)db)->uses % 50 != 0;
}

static bool fake_wake(ds_db *db, const ds_open_options *options)
{
    (void)options;
    return ((fake *)db)->uses % 71 != 0;
}

static const ds_driver FAKE = {
    .name = "fake", .open = fake_open, .close = fake_close, .rest = fake_rest, .wake = fake_wake};
static const ds_driver *const DRIVERS[] = {&FAKE};
static const ds_store STORE = {DRIVERS, 1};

static void *use_connections(void *argument)
{
    ds_keeper *keeper = argument;
    for (int i = 0; i < ROUNDS; i++) {
        char name[16];
        ds_error err;
        ds_db *db;
        snprintf(name, sizeof name, "%d", i % PLACES);
        ds_target target = {.type = "fake", .name = name};
        OK(keeper_open(keeper, &STORE, &target, &(ds_open_options){0}, &db, &err));
        ((fake *)db)->uses++;
        store_close(db);
        if (i % 100 == 0)
            keeper_sweep(keeper);
    }
    return NULL;
}

static void in_threads(void *(*work)(void *), void *argument)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, argument), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void a_connection_has_one_user(void **state)
{
    (void)state;
    ds_keeper *keeper = keeper_new(&(ds_keeper_limits){.resting = 4}, NULL);
    in_threads(use_connections, keeper);
    assert_in_range(keeper_resting(keeper), 0, 4);
    assert_true(opened < THREADS * ROUNDS / 2);
    keeper_freep(&keeper);
    assert_int_equal(opened, closed);
}

// --- definitions

static const ds_kept_def *put(ds_def_cache *cache, const ds_container_def *merge, const char *stream, int64_t version)
{
    ds_arena *arena = arena_new();
    ds_stream_def *def = ARENA_NEW(arena, ds_stream_def);
    def->name = arena_strdup(arena, stream);
    def->chunk_rows = version;
    return def_cache_put(cache, merge, (ds_kept_def){def, version, 1}, arena);
}

static void *use_definitions(void *argument)
{
    static const ds_container_def MERGE = {.name = "M"};
    for (int i = 0; i < ROUNDS; i++) {
        char name[16];
        snprintf(name, sizeof name, "Live/%d", i % STREAMS);
        const ds_kept_def *kept = def_cache_take(argument, &MERGE, name);
        if (!kept || i % 7 == 0) {
            def_cache_give_back(argument, kept);
            kept = put(argument, &MERGE, name, i);
        }
        assert_string_equal(kept->def->name, name);
        assert_int_equal(kept->def->chunk_rows, kept->version);
        def_cache_give_back(argument, kept);
    }
    return NULL;
}

static void a_definition_stays_while_it_is_used(void **state)
{
    (void)state;
    ds_def_cache *cache = def_cache_new(0);
    in_threads(use_definitions, cache);
    def_cache_freep(&cache);
}

static void definitions_are_found_by_database_and_stream(void **state)
{
    (void)state;
    ds_def_cache *cache = def_cache_new(0);
    const ds_container_def a = {.name = "M", .database = "a"}, b = {.name = "M", .database = "b"};
    const ds_kept_def *first = put(cache, &a, "Live/S", 1), *second = put(cache, &a, "Live/S", 2);
    assert_int_equal(first->version, 1); // replaced, and still whole
    def_cache_give_back(cache, first);
    def_cache_give_back(cache, second);
    const ds_kept_def *found = def_cache_take(cache, &a, "Live/S");
    assert_int_equal(found->version, 2);
    def_cache_give_back(cache, found);
    assert_null(def_cache_take(cache, &b, "Live/S"));
    assert_null(def_cache_take(cache, &a, "Live/T"));
    def_cache_freep(&cache);
}

static void what_has_no_room_is_not_kept(void **state)
{
    (void)state;
    ds_def_cache *cache = def_cache_new(1);
    const ds_container_def merge = {.name = "M"};
    const ds_kept_def *kept = put(cache, &merge, "Live/S", 1);
    assert_int_equal(kept->version, 1); // for its user alone
    assert_null(def_cache_take(cache, &merge, "Live/S"));
    def_cache_give_back(cache, kept);
    def_cache_freep(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_has_one_user),
        cmocka_unit_test(a_definition_stays_while_it_is_used),
        cmocka_unit_test(definitions_are_found_by_database_and_stream),
        cmocka_unit_test(what_has_no_room_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
