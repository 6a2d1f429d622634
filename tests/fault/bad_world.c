// A world that refuses: files that are missing or locked, a full disk, a newer merge database, an interruption. Each
// says what, where and what to do; nothing is lost; the next run finishes.
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/sqlite/sqlite.h"
#include "support/check.h"
#include "support/dump.h"
#include "support/truth.h"
#include "support/world.h"

// Stress builds write a transaction for each row that changed.
#ifdef DS_STRESS
enum { ROWS = 300 };
#else
enum { ROWS = 1400 };
#endif

static void people_world(world *w, ds_milestoning milestoning)
{
    world_open(w, &SQLITE_DRIVER, milestoning);
    world_dataset(w, "people", "id integer primary key; name varchar(20)");
    world_apply(w);
    world_source(w, "INSERT INTO people VALUES (1, 'ann'), (2, 'bob')");
}

static ds_rc job(world *w, ds_error *err)
{
    ds_job_result result;
    return world_job(w, &result, err);
}

static void check_truth(world *w)
{
    assert_string_equal(truth_broken(&w->runtime, &w->merge, &w->def, w->arena), "");
}

static void finishes(world *w, int64_t batches)
{
    ds_error err;
    OK(job(w, &err));
    check_truth(w);
    assert_int_equal(dump_committed(&w->runtime, &w->merge, w->def.name), batches);
    assert_string_equal(world_query(w, true, "SELECT * FROM ws_w__g__s__people ORDER BY 1"),
                        world_query(w, false, "SELECT * FROM people ORDER BY 1"));
}

static const char *path_of(world *w, const char *file)
{
    return arena_printf(w->arena, "%s/%s", w->dir.path, file);
}

static void put_aside(world *w, const char *file)
{
    assert_int_equal(rename(path_of(w, file), path_of(w, "aside")), 0);
}

static void put_back(world *w, const char *file)
{
    assert_int_equal(rename(path_of(w, "aside"), path_of(w, file)), 0);
}

static void write_file(world *w, const char *file, const char *text)
{
    FILE *f = fopen(path_of(w, file), "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

// --- files

static void a_source_that_is_not_there(void **state)
{
    (void)state;
    static const struct {
        const char *instead; // NULL: nothing; "/": a directory
        ds_code code;
        const char *says, *hints;
    } CASES[] = {
        {NULL, DS_ENV, "no such file", "check the container's path"},
        {"/", DS_ENV, "is a directory", "must name the database file"},
        {"not a database, and long enough to be one; not a database, and long enough to be one; not a database, "
         "and long enough to be one",
         DS_ENV, "not a database", "check the path"},
        {"", DS_FINDING, "source table \"people\" is missing", "create it"}, // never taken for an empty table
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        for (int batch = 1; batch <= 2; batch++) {
            world w;
            people_world(&w, MILESTONING_SCD2);
            if (batch == 2)
                finishes(&w, 1);
            put_aside(&w, "source.db");
            if (CASES[i].instead && CASES[i].instead[0] == '/')
                assert_int_equal(mkdir(path_of(&w, "source.db"), 0700), 0);
            else if (CASES[i].instead)
                write_file(&w, "source.db", CASES[i].instead);
            ds_error err;
            FAILS(job(&w, &err), CASES[i].code, CASES[i].says);
            assert_non_null(strstr(err.text, "ource"));
            HINTS(CASES[i].hints);
            check_truth(&w);
            remove(path_of(&w, "source.db"));
            put_back(&w, "source.db");
            finishes(&w, batch);
            world_close(&w);
        }
}

static void a_merge_database_that_is_not_there(void **state)
{
    (void)state;
    world w;
    people_world(&w, MILESTONING_SCD1);
    put_aside(&w, "merge.db");
    ds_error err;
    FAILS(job(&w, &err), DS_FINDING, "nothing has been applied to merge database \"Merge\"");
    HINTS("datasurface apply");
    assert_int_equal(access(path_of(&w, "merge.db"), F_OK), -1); // none was made
    write_file(&w, "merge.db", "");
    FAILS(job(&w, &err), DS_FINDING, "nothing has been applied");
    assert_int_equal(mkdir(path_of(&w, "dir.db"), 0700), 0);
    w.merge.path = "dir.db";
    FAILS(job(&w, &err), DS_ENV, "is a directory");
    w.merge.path = "merge.db";
    put_back(&w, "merge.db");
    finishes(&w, 1);
    world_close(&w);
}

static void a_merge_database_of_a_newer_version(void **state)
{
    (void)state;
    world w;
    people_world(&w, MILESTONING_SCD1);
    finishes(&w, 1);
    const char *version = world_query(&w, true, "SELECT value FROM datasurface__meta");
    world_merge(&w, "UPDATE datasurface__meta SET value = '999'");
    const char *before = world_query(&w, true, "SELECT * FROM datasurface__batch");
    ds_error err;
    FAILS(job(&w, &err), DS_FINDING, "newer");
    assert_true(err.hint[0]);
    assert_string_equal(world_query(&w, true, "SELECT * FROM datasurface__batch"), before);
    world_merge(&w, arena_printf(w.arena, "UPDATE datasurface__meta SET value = '%ld'", strtol(version, NULL, 10)));
    finishes(&w, 2);
    world_close(&w);
}

static void a_stream_that_nobody_knows(void **state)
{
    (void)state;
    world w;
    people_world(&w, MILESTONING_SCD1);
    ds_job_result result;
    ds_error err;
    FAILS(job_run(&w.runtime, &w.merge, "P/s", &w.options, w.arena, &result, &err), DS_USAGE, "unknown stream \"P/s\"");
    HINTS("P/S");
    FAILS(job_run(&w.runtime, &w.merge, "elsewhere", &w.options, w.arena, &result, &err), DS_USAGE, "unknown stream");
    HINTS("status");
    world_close(&w);
}

// --- what somebody dropped from the merge database

static void a_table_of_ours_that_is_missing(void **state)
{
    (void)state;
    static const char *const TABLES[] = {"ds_p__s__people", "ds_p__s__people__h", "ds_p__s__people__s"};
    for (size_t i = 0; i < sizeof TABLES / sizeof TABLES[0]; i++) {
        world w;
        people_world(&w, MILESTONING_SCD4);
        finishes(&w, 1);
        world_source(&w, "UPDATE people SET name = 'x'");
        finishes(&w, 2);
        world_source(&w, "UPDATE people SET name = 'y' WHERE id = 1; DELETE FROM people WHERE id = 2; "
                         "INSERT INTO people VALUES (3, 'cyd')");
        world_merge(&w, arena_printf(w.arena, "ALTER TABLE %s RENAME TO aside", TABLES[i]));
        ds_error err;
        ds_rc rc = job(&w, &err);
        if (i == 2) { // staging is evidence only
            OK(rc);
            world_close(&w);
            continue;
        }
        assert_int_equal(rc.code, DS_FINDING);
        assert_non_null(strstr(err.text, "people"));
        assert_int_equal(dump_committed(&w.runtime, &w.merge, w.def.name), 2);
        world_merge(&w, arena_printf(w.arena, "ALTER TABLE aside RENAME TO %s", TABLES[i]));
        finishes(&w, 3);
        world_close(&w);
    }
}

// --- locks

// Another program's connection, which may lock what it likes.
static sqlite3 *other_program(world *w, const char *file, const char *statements)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path_of(w, file), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, statements, NULL, NULL, NULL), SQLITE_OK);
    return db;
}

static void a_locked_source(void **state)
{
    (void)state;
    world w;
    people_world(&w, MILESTONING_SCD2);
    finishes(&w, 1);
    world_source(&w, "UPDATE people SET name = 'x'");
    sqlite3 *other = other_program(&w, "source.db", "PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
    ds_error err;
    FAILS(job(&w, &err), DS_BUSY, "source of stream P/S: Source (");
    assert_non_null(strstr(err.text, "locked"));
    assert_string_equal(world_query(&w, true,
                                    "SELECT error IS NOT NULL, attempts FROM datasurface__batch WHERE batch_id = 2"),
                        "1|1\n");
    check_truth(&w);
    sqlite3_close(other);
    finishes(&w, 2);
    world_close(&w);
}

static void a_locked_merge_database(void **state)
{
    (void)state;
    world w;
    people_world(&w, MILESTONING_SCD2);
    finishes(&w, 1);
    world_source(&w, "UPDATE people SET name = 'x'");
    sqlite3 *other = other_program(&w, "merge.db", "BEGIN IMMEDIATE");
    ds_error err;
    FAILS(job(&w, &err), DS_BUSY, "merge database busy: Merge (");
    HINTS("run it again");
    sqlite3_close(other);
    check_truth(&w);
    finishes(&w, 2);
    world_close(&w);
}

typedef struct locker {
    world *w;
    sqlite3 *other;
} locker;

// Somebody takes the write lock in the middle of the batch, and gives it back half a second later.
static void lock_for_a_while(void *context, const char *point)
{
    locker *l = context;
    if (strcmp(point, "ingest:dataset") != 0)
        return;
    fflush(NULL);
    int said[2];
    char byte = 'x';
    if (pipe(said) != 0)
        BUG("pipe");
    if (fork() == 0) {
        other_program(l->w, "merge.db", "BEGIN IMMEDIATE");
        if (write(said[1], &byte, 1) != 1)
            _exit(1);
        usleep(500 * 1000);
        _exit(0);
    }
    if (read(said[0], &byte, 1) != 1)
        BUG("the child could not lock");
    close(said[0]);
    close(said[1]);
}

static void a_merge_database_that_is_locked_for_a_while(void **state)
{
    (void)state;
    world w;
    people_world(&w, MILESTONING_SCD2);
    locker l = {.w = &w};
    w.runtime.checkpoint = lock_for_a_while;
    w.runtime.checkpoint_context = &l;
    finishes(&w, 1);
    while (wait(NULL) > 0)
        ;
    world_close(&w);
}

// --- a full disk

static int64_t size_of(world *w, const char *file)
{
    struct stat st;
    return stat(path_of(w, file), &st) == 0 ? st.st_size : 0;
}

// In a child that may not let a file grow above `limit`: how it ended.
static ds_code job_with_small_disk(world *w, int64_t limit)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit files = {(rlim_t)limit, (rlim_t)limit};
        ds_error err;
        if (setrlimit(RLIMIT_FSIZE, &files) != 0)
            _exit(100);
        ds_rc rc = job(w, &err);
        if (rc.code != DS_OK && !strstr(err.text, "Merge ("))
            _exit(101);
        _exit((int)rc.code);
    }
    w->clock.fixed_us += 1000000;
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 100);
    return (ds_code)WEXITSTATUS(status);
}

static void grow_source(world *w)
{
    world_source(w,
                 arena_printf(w->arena,
                              "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT "
                              "INTO people SELECT i, 'name ' || i FROM n; UPDATE people SET name = 'x' WHERE id < 10",
                              99 + ROWS));
}

// The disk is a little larger each time; until it is large enough each run fails, and nothing is lost.
static void a_full_disk(void **state)
{
    (void)state;
    for (int batch = 1; batch <= 2; batch++) {
        world w;
        people_world(&w, MILESTONING_SCD2);
        if (batch == 2)
            finishes(&w, 1);
        grow_source(&w);
        int failures = 0;
        int64_t limit = size_of(&w, "merge.db") + 4096;
        ds_code code;
        for (; (code = job_with_small_disk(&w, limit)) != DS_OK; limit += 8192) {
            assert_int_equal(code, DS_ENV);
            check_truth(&w);
            assert_int_equal(dump_committed(&w.runtime, &w.merge, w.def.name), batch - 1);
            failures++;
        }
        assert_true(failures > 2);
        check_truth(&w);
        finishes(&w, batch + 1);
        world_close(&w);
    }
}

// --- interruptions

static volatile int cancelled;

static void cancel_after_rows(void *context, const ds_progress_event *event)
{
    if (event->rows >= *(int64_t *)context)
        cancelled = 1;
}

static void an_interruption_in_the_middle(void **state)
{
    (void)state;
    for (int batch = 1; batch <= 2; batch++)
        for (int64_t after = 1; after < ROWS - 20; after += ROWS / 3) {
            world w;
            people_world(&w, MILESTONING_SCD2);
            w.def.chunk_rows = 10;
            world_apply(&w);
            if (batch == 2)
                finishes(&w, 1);
            grow_source(&w);
            cancelled = 0;
            ds_progress progress = {.context = &after, .read = cancel_after_rows};
            w.runtime.progress = &progress;
            w.runtime.cancelled = &cancelled;
            ds_error err;
            FAILS(job(&w, &err), DS_CANCELLED, "interrupted");
            cancelled = 0;
            check_truth(&w);
            assert_int_equal(dump_committed(&w.runtime, &w.merge, w.def.name), batch - 1);
            assert_string_equal(world_query(&w, true,
                                            "SELECT count(*) FROM datasurface__batch WHERE error IS NOT NULL"),
                                "0\n");
            w.runtime.progress = NULL;
            finishes(&w, batch);
            world_close(&w);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_that_is_not_there),
        cmocka_unit_test(a_merge_database_that_is_not_there),
        cmocka_unit_test(a_merge_database_of_a_newer_version),
        cmocka_unit_test(a_stream_that_nobody_knows),
        cmocka_unit_test(a_table_of_ours_that_is_missing),
        cmocka_unit_test(a_locked_source),
        cmocka_unit_test(a_locked_merge_database),
        cmocka_unit_test(a_merge_database_that_is_locked_for_a_while),
        cmocka_unit_test(a_full_disk),
        cmocka_unit_test(an_interruption_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
