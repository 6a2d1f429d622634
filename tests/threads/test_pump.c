// The pump over a scripted driver: every row once and in order, however its owner takes them; failures come after what
// was read before them; closing early never hangs.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "support/check.h"
#include "yellow/job/pump.h"

typedef struct script {
    ds_db db; // first: what the driver's functions receive
    int chunks, per_chunk;
    int64_t base; // locator of the first row
    int fail_at;  // the chunk whose read fails; 0: none
    int block_at; // the chunk whose read waits for cancel; 0: none
    bool fail_open;
    pthread_t owner;
    bool off_thread; // a chunk was read on another thread
    atomic_int reads;
    atomic_bool cancelled, blocked;
    int open_readers;
} script;

static ds_rc read_open(ds_db *db, const ds_read *read, ds_reader **out, ds_error *err)
{
    (void)read;
    script *s = (script *)db;
    if (s->fail_open)
        return ds_fail(err, DS_FINDING, "no such table");
    s->open_readers++;
    *out = (ds_reader *)s;
    return DS_DONE;
}

static ds_rc block(script *s, ds_error *err)
{
    atomic_store(&s->blocked, true);
    while (!atomic_load(&s->cancelled))
        sched_yield();
    return ds_fail(err, DS_CANCELLED, "interrupted");
}

static ds_rc read_next(ds_reader *reader, ds_rows *rows, size_t max_rows, size_t max_bytes, bool *more, ds_error *err)
{
    script *s = (script *)reader;
    int number = atomic_fetch_add(&s->reads, 1) + 1;
    assert_true(max_rows > 0 && max_bytes > 0 && rows->n == 0);
    if (!pthread_equal(pthread_self(), s->owner))
        s->off_thread = true;
    if (number == s->block_at)
        return block(s, err);
    if (number == s->fail_at)
        return ds_fail(err, DS_ENV, "the disk is gone at chunk %d", number);
    static const ds_shape NO_COLUMNS = {0};
    for (int i = 0; i < s->per_chunk; i++) {
        rows_begin(rows);
        TRY(rows_end(rows, &NO_COLUMNS, 0, err));
        rows->locator[rows->n - 1] = s->base + (int64_t)(number - 1) * s->per_chunk + i;
    }
    *more = number < s->chunks;
    return DS_DONE;
}

static void read_close(ds_reader *reader)
{
    if (reader)
        ((script *)reader)->open_readers--;
}

static void cancel(ds_db *db)
{
    atomic_store(&((script *)db)->cancelled, true);
}

static const ds_driver DRIVER = {
    .name = "script", .read_open = read_open, .read_next = read_next, .read_close = read_close, .cancel = cancel};

static script script_new(int chunks, int per_chunk)
{
    return (script){.db = {.driver = &DRIVER}, .chunks = chunks, .per_chunk = per_chunk, .owner = pthread_self()};
}

static ds_pump *opened(script *s)
{
    ds_error err;
    ds_pump *pump = NULL;
    OK(pump_open(&s->db, &(ds_read){0}, 0, &pump, &err));
    return pump;
}

// Checks that the chunk's rows are the next ones.
static int64_t count_rows(const ds_rows *chunk, int64_t next)
{
    for (size_t i = 0; i < chunk->n; i++)
        assert_int_equal(chunk->locator[i], next++);
    return next;
}

typedef enum taking { BY_NEXT, BY_TRY, BY_TURNS, KEEPING, TAKINGS } taking;

static ds_rc take(ds_pump *pump, taking how, int64_t turn, ds_rows **out, bool *ended, ds_error *err)
{
    if (how == BY_TRY || (how == BY_TURNS && turn % 3 == 0))
        return pump_try(pump, out, ended, err);
    TRY(pump_next(pump, out, err));
    *ended = *out == NULL;
    return DS_DONE;
}

// Takes everything; rows counts what came before the end or the failure.
static ds_rc take_all(ds_pump *pump, taking how, int64_t *rows, ds_error *err)
{
    *rows = 0;
    for (int64_t turn = 0;; turn++) {
        ds_rows *chunk = NULL;
        bool ended = false;
        TRY(take(pump, how, turn, &chunk, &ended, err));
        if (ended)
            return DS_DONE;
        if (!chunk)
            continue;
        *rows = count_rows(chunk, *rows);
        if (how == KEEPING)
            pump_chunk_free(chunk);
        else
            pump_recycle(pump, chunk);
    }
}

static void a_small_read_starts_no_thread(void **state)
{
    (void)state;
    for (int rows = 0; rows < 3; rows++) {
        script s = script_new(1, rows);
        ds_pump *pump = opened(&s);
        assert_true(pump_is_small(pump));
        assert_int_equal(pump_peek(pump)->n, rows);
        int64_t taken;
        ds_error err;
        OK(take_all(pump, rows == 1 ? BY_TRY : BY_NEXT, &taken, &err));
        assert_int_equal(taken, rows);
        pump_close(pump);
        assert_false(s.off_thread);
        assert_int_equal(atomic_load(&s.reads), 1);
        assert_int_equal(s.open_readers, 0);
    }
}

static void every_row_once_and_in_order(void **state)
{
    (void)state;
    static const int CHUNKS[] = {2, 3, 17, 400};
    for (size_t i = 0; i < sizeof CHUNKS / sizeof CHUNKS[0]; i++)
        for (int how = 0; how < TAKINGS; how++) {
            script s = script_new(CHUNKS[i], 5);
            ds_pump *pump = opened(&s);
            assert_false(pump_is_small(pump));
            int64_t taken;
            ds_error err;
            OK(take_all(pump, (taking)how, &taken, &err));
            assert_int_equal(taken, CHUNKS[i] * 5);
            ds_rows *chunk = NULL;
            OK(pump_next(pump, &chunk, &err)); // the end stays the end
            assert_null(chunk);
            pump_close(pump);
            assert_true(s.off_thread);
            assert_int_equal(atomic_load(&s.reads), CHUNKS[i]);
            assert_int_equal(s.open_readers, 0);
        }
}

// A pump that waits for its rate ends at once when it is closed.
static void closing_while_waiting_for_the_rate(void **state)
{
    (void)state;
    script s = script_new(50, 5);
    ds_rate *rate = rate_new(1, NULL, NULL);
    ds_pump *pump = NULL;
    ds_rows *chunk;
    ds_error err;
    ds_db *db = &s.db;
    OK(pump_open_parts(&db, &(ds_read){0}, 1, 0, rate, &pump, &err)); // five rows, though one was asked for
    OK(pump_next(pump, &chunk, &err));
    assert_int_equal(chunk->n, 5);
    pump_recycle(pump, chunk);
    rate_take(rate, 1000000); // nobody would wait for the end of it
    pump_close(pump);
    assert_int_equal(s.open_readers, 0);
    assert_true(atomic_load(&s.reads) <= 2);
    rate_free(rate);
}

static void a_failure_to_open(void **state)
{
    (void)state;
    script s = script_new(1, 1);
    s.fail_open = true;
    ds_pump *pump;
    ds_error err;
    FAILS(pump_open(&s.db, &(ds_read){0}, 0, &pump, &err), DS_FINDING, "no such table");
    s = script_new(3, 1);
    s.fail_at = 1;
    FAILS(pump_open(&s.db, &(ds_read){0}, 0, &pump, &err), DS_ENV, "gone at chunk 1");
    assert_int_equal(s.open_readers, 0);
}

// What was read before the failure is given out first; the failure is never taken for the end.
static void a_failure_in_the_middle(void **state)
{
    (void)state;
    static const int FAIL_AT[] = {2, 3, 9, 30};
    for (size_t i = 0; i < sizeof FAIL_AT / sizeof FAIL_AT[0]; i++)
        for (int how = 0; how < TAKINGS; how++) {
            script s = script_new(50, 4);
            s.fail_at = FAIL_AT[i];
            ds_pump *pump = opened(&s);
            int64_t taken;
            ds_error err;
            FAILS(take_all(pump, (taking)how, &taken, &err), DS_ENV, "gone at chunk");
            assert_int_equal(taken, (FAIL_AT[i] - 1) * 4);
            ds_rows *chunk;
            bool ended;
            FAILS(pump_next(pump, &chunk, &err), DS_ENV, "gone at chunk");
            FAILS(pump_try(pump, &chunk, &ended, &err), DS_ENV, "gone at chunk");
            pump_close(pump);
            assert_int_equal(s.open_readers, 0);
        }
}

// Before the first chunk, with a thread that waits for room, and with one that has long ended.
static void closing_early(void **state)
{
    (void)state;
    static const int TAKE[] = {0, 1, 2, 20};
    for (size_t i = 0; i < sizeof TAKE / sizeof TAKE[0]; i++)
        for (int chunks = 1; chunks < 80; chunks += 13) {
            script s = script_new(chunks, 2);
            ds_pump *pump = opened(&s);
            int64_t next = 0;
            for (int n = 0; n < TAKE[i]; n++) {
                ds_rows *chunk;
                ds_error err;
                OK(pump_next(pump, &chunk, &err));
                if (!chunk)
                    break;
                next = count_rows(chunk, next);
                pump_recycle(pump, chunk);
            }
            pump_close(pump);
            assert_int_equal(s.open_readers, 0);
        }
    pump_close(NULL);
}

static void closing_cancels_a_read_that_hangs(void **state)
{
    (void)state;
    for (int at = 2; at < 6; at++) {
        script s = script_new(50, 1);
        s.block_at = at;
        ds_pump *pump = opened(&s);
        ds_rows *chunk;
        ds_error err;
        OK(pump_next(pump, &chunk, &err));
        pump_recycle(pump, chunk);
        while (!atomic_load(&s.blocked)) {
            bool ended;
            OK(pump_try(pump, &chunk, &ended, &err));
            pump_chunk_free(chunk);
        }
        CLEANUP(pump_closep) ds_pump *closing = pump;
        pump_closep(&closing);
        assert_null(closing);
        assert_int_equal(s.open_readers, 0);
    }
}

// --- several parts

enum { PARTS = 3, PART_SHIFT = 1000000 };

static ds_pump *opened_parts(script *scripts)
{
    ds_error err;
    ds_pump *pump = NULL;
    ds_db *dbs[PARTS];
    ds_read reads[PARTS] = {0};
    for (int i = 0; i < PARTS; i++)
        dbs[i] = &scripts[i].db;
    OK(pump_open_parts(dbs, reads, PARTS, 0, NULL, &pump, &err));
    return pump;
}

// Each part's rows in order, whatever the order of the parts.
static void parts_give_every_row_once(void **state)
{
    (void)state;
    for (int chunks = 1; chunks < 60; chunks += 7) {
        script s[PARTS];
        for (int i = 0; i < PARTS; i++) {
            s[i] = script_new(i == 1 ? 1 : chunks, 5);
            s[i].base = (int64_t)i * PART_SHIFT;
        }
        ds_pump *pump = opened_parts(s);
        assert_false(pump_is_small(pump));
        int64_t next[PARTS] = {0, PART_SHIFT, 2 * PART_SHIFT}, rows = 0;
        for (ds_error err;;) {
            ds_rows *chunk;
            OK(pump_next(pump, &chunk, &err));
            if (!chunk)
                break;
            int part = (int)(chunk->locator[0] / PART_SHIFT);
            next[part] = count_rows(chunk, next[part]);
            rows += (int64_t)chunk->n;
            pump_recycle(pump, chunk);
        }
        assert_int_equal(rows, 5 * (2 * chunks + 1));
        pump_close(pump);
        for (int i = 0; i < PARTS; i++)
            assert_int_equal(s[i].open_readers, 0);
    }
}

static void a_part_that_fails_stops_the_others(void **state)
{
    (void)state;
    for (int failing = 0; failing < PARTS; failing++) {
        script s[PARTS];
        for (int i = 0; i < PARTS; i++)
            s[i] = script_new(1000000, 5);
        s[failing].fail_at = 4;
        ds_pump *pump = opened_parts(s);
        ds_rc rc = DS_DONE;
        ds_error err;
        for (ds_rows *chunk = NULL; rc.code == DS_OK;) {
            rc = pump_next(pump, &chunk, &err);
            if (rc.code == DS_OK) {
                assert_non_null(chunk);
                pump_recycle(pump, chunk);
            }
        }
        FAILS(rc, DS_ENV, "gone at chunk 4");
        pump_close(pump);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_give_every_row_once),
        cmocka_unit_test(a_part_that_fails_stops_the_others),
        cmocka_unit_test(a_small_read_starts_no_thread),
        cmocka_unit_test(every_row_once_and_in_order),
        cmocka_unit_test(closing_while_waiting_for_the_rate),
        cmocka_unit_test(a_failure_to_open),
        cmocka_unit_test(a_failure_in_the_middle),
        cmocka_unit_test(closing_early),
        cmocka_unit_test(closing_cancels_a_read_that_hangs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
