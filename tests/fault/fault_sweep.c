// Every driver call of a job fails once, before its work and after it, alone and with all that follow; or the process
// is killed there. Then the job runs again without faults until the batch is committed. What is there then must be what
// an uninterrupted run leaves: tables, staging, counts, fingerprints, the source as of every batch. After each failure,
// too, all must be true that stands above the states (support/truth.h).
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/sqlite/sqlite.h"
#include "support/check.h"
#include "support/crash.h"
#include "support/dump.h"
#include "support/fault.h"
#include "support/mirror.h"
#include "support/truth.h"

// Sanitizers make everything slower: there every 5th call fails, in each mode another one.
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(DS_STRESS) || __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { STEP = 5 };
#else
enum { STEP = 1 };
#endif
enum { RUNS_MAX = 4, CALLS_MIN = 100, SERVER_CALLS = 50 };

static test_pair pair;

enum { ALL, SCD1, SCD2, SCD4 };
_Static_assert(SCD1 == MILESTONING_SCD1 + 1 && SCD4 == MILESTONING_SCD4 + 1, "one more than milestoning");

typedef struct scenario {
    const char *name;
    void (*prepare)(world *w); // the world until the run that is swept
    int64_t batches;           // committed ones after that run
    bool verify, accept_deletes;
    bool damaged;    // by hand: not all is true until the batch is committed
    int only;        // the strategy to sweep, ALL; DS_SWEEP=all sweeps all everywhere
    bool world_only; // refusals by the database would send the batch back to the start, and the source has changed
} scenario;

#define KEYED "id integer primary key; name varchar(20); code varchar(10)"
#define KEYLESS "name varchar(20); code varchar(10)"

// --- worlds

static void must_run(world *w)
{
    ds_job_result result;
    ds_error err;
    OK(world_job(w, &result, &err));
}

static void two_tables(world *w, const char *columns)
{
    w->def.chunk_rows = 3; // several chunks: the reader has its thread
    world_dataset(w, "people", columns);
    world_dataset(w, "towns", "id integer primary key; name text");
    world_apply(w);
    world_source(w, "INSERT INTO towns VALUES (1, 'Aa'), (2, 'Bb'), (3, 'Cc')");
}

static void fill_keyed(world *w)
{
    world_source(w, "INSERT INTO people VALUES (1, 'ann', 'a'), (2, 'bob', 'b'), (3, 'cyd', 'c'), (4, 'dan', 'd'), "
                    "(5, 'eve', 'd')");
}

static void change_keyed(world *w)
{
    world_source(w, "UPDATE people SET name = 'new' WHERE id IN (2, 4); DELETE FROM people WHERE id IN (1, 3); "
                    "INSERT INTO people VALUES (8, 'hal', 'h'), (9, 'ian', NULL); UPDATE towns SET name = NULL WHERE "
                    "id = 2");
}

static void fill_keyless(world *w)
{
    world_source(w,
                 "INSERT INTO people VALUES ('x', 'a'), ('x', 'a'), ('x', 'a'), ('y', 'b'), (NULL, NULL), ('z', 'c')");
}

static void first_load(world *w)
{
    two_tables(w, KEYED);
    fill_keyed(w);
}

static void first_load_keyless(world *w)
{
    two_tables(w, KEYLESS);
    fill_keyless(w);
}

static void first_load_staged(world *w)
{
    w->def.staging_batches = STAGING_BATCHES_ALL;
    first_load(w);
}

static void first_load_again(world *w)
{
    first_load(w);
    if (crash_job(w, "ingest:dataset", 2) != CRASH_KILLED)
        BUG("the first load was not killed");
}

static void changes(world *w)
{
    first_load(w);
    must_run(w);
    change_keyed(w);
}

static void changes_by_disk(world *w)
{
    w->def.memory_bytes = 1; // of one key
    changes(w);
}

static void changes_after_empty_staging(world *w)
{
    w->def.staging_batches = 0;
    changes(w);
    must_run(w);
    world_source(w, "UPDATE people SET code = 'z'");
}

static void changes_keyless(world *w)
{
    first_load_keyless(w);
    must_run(w);
    world_source(w,
                 "DELETE FROM people WHERE name = 'x'; INSERT INTO people VALUES ('x', 'a'), ('y', 'b'), ('n', 'n')");
}

static void unchanged(world *w)
{
    first_load(w);
    must_run(w);
}

static void unchanged_kept_whole(world *w)
{
    w->def.staging_full = true;
    unchanged(w);
}

static void emptied(world *w)
{
    w->def.max_delete_ratio = 0.2;
    unchanged(w);
    world_source(w, "DELETE FROM people");
}

static void key_changed(world *w)
{
    changes(w);
    w->def.dataset_count = 0;
    world_dataset(w, "people", "id integer; name varchar(20); code varchar(10) primary key");
    world_dataset(w, "towns", "id integer primary key; name text");
    world_apply(w);
    world_source(w, "DELETE FROM people WHERE code IS NULL OR id = 5");
}

// Whose rows hold all of them, so that every call of their run can fail.
static void first_load_checked(world *w)
{
    static const char *const COLUMNS[] = {"id", "name"};
    static const ds_check_def CHECKS[] = {{.kind = CHECK_NOT_NULL, .columns = COLUMNS, .column_count = 2},
                                          {.kind = CHECK_UNIQUE, .columns = COLUMNS, .column_count = 2},
                                          {.kind = CHECK_SQL, .sql = "id < 100"}};
    first_load(w);
    w->datasets[0].checks = CHECKS;
    w->datasets[0].check_count = sizeof CHECKS / sizeof CHECKS[0];
    world_apply(w);
}

static void changes_checked(world *w)
{
    first_load_checked(w);
    must_run(w);
    change_keyed(w);
}

static void checks_changed(world *w)
{
    changes_checked(w);
    w->datasets[0].check_count = 2;
    world_apply(w);
}

static void damaged(world *w)
{
    unchanged(w);
    const char *merge = world_name(w, w->datasets[0].merge);
    world_merge(w, arena_printf(w->arena,
                                "UPDATE %s SET name = 'damaged' WHERE id = 2; DELETE FROM %s WHERE id = 4; "
                                "UPDATE %s SET resnapshot = 1",
                                merge, merge, world_control(w, "stream")));
}

static void left_in_merging(world *w)
{
    changes(w);
    if (crash_job(w, "merging", 1) != CRASH_KILLED)
        BUG("the batch was not killed in merging");
    world_source(w, "DELETE FROM people"); // comes too late for that batch
}

static void left_in_merging_and_changed(world *w)
{
    left_in_merging(w);
    fill_keyed(w);
    w->def.priority = PRIORITY_HIGH;
    world_apply(w);
}

static void left_in_merging_and_lost(world *w)
{
    left_in_merging(w);
    fill_keyed(w);
    world_merge(w, arena_printf(w->arena, "DELETE FROM %s WHERE ds_op = 'I'", world_name(w, w->datasets[0].staging)));
}

// A transformer whose input is a table that another stream is said to feed.
static void input_committed(world *w, int batch)
{
    world_merge(w, arena_printf(w->arena,
                                "INSERT INTO %s (stream, batch_id, status, started_at, committed_at) "
                                "VALUES ('P/I', %d, 'committed', '2026-01-01 00:00:00.000000+00:00', "
                                "'2026-01-01 00:00:00.000000+00:00'); INSERT INTO %s (stream, "
                                "batch_id, dataset, rows_updated) VALUES ('P/I', %d, 'input', 1)",
                                world_control(w, "batch"), batch, world_control(w, "dataset_batch"), batch));
}

static void transformer(world *w)
{
    static ds_input_def input = {.stream = "P/I", .dataset = "input"};
    bool has_schemas = w->drivers[PAIR_MERGE]->dialect->names.has_schemas;
    input.relation = (ds_relation){has_schemas ? "public" : "", "input"};
    world_dataset(w, "people", KEYED);
    w->datasets[0].sql = "SELECT id, upper(name) AS name, code FROM input";
    w->def.workspace = "W";
    w->def.inputs = &input;
    w->def.input_count = 1;
    world_apply(w);
    world_merge(
        w,
        "CREATE TABLE input (id integer, name text, code text); INSERT INTO input VALUES (1, 'ann', 'a'), (2, 'bob', 'b'), "
        "(3, 'cyd', 'c')");
    input_committed(w, 1);
    must_run(w);
    world_merge(w,
                "UPDATE input SET name = 'new' WHERE id = 2; DELETE FROM input WHERE id = 3; INSERT INTO input VALUES "
                "(4, 'dan', 'd')");
    input_committed(w, 2);
}

static void windows(world *w)
{
    w->def.chunk_rows = 3;
    w->def.watermark = "w";
    w->def.overlap = 2;
    world_dataset(w, "people", "id integer primary key; name varchar(20); w integer not null");
    world_dataset(w, "towns", "id integer primary key; code varchar(5) primary key; w integer");
    world_apply(w);
    world_source(w,
                 "INSERT INTO people VALUES (1, 'ann', 1), (2, 'bob', 2), (3, 'cyd', 3), (4, 'dan', 4), (5, 'eve', 5)");
    world_source(w, "INSERT INTO towns VALUES (1, 'a', 1), (1, 'b', NULL), (2, 'a', 2)");
    must_run(w);
    world_source(w,
                 "UPDATE people SET name = 'new', w = 6 WHERE id IN (1, 4); INSERT INTO people VALUES (6, 'fay', 3), "
                 "(7, 'gus', 7), (8, 'hal', 1); UPDATE towns SET w = 3 WHERE id = 1; DELETE FROM people WHERE id = 2");
}

// The world's stream, of which two batches are there, feeds another one, which is the world's from then on.
static void become_mirror_in(world *w, mirror_place place)
{
    world mirror;
    ds_container_def source = w->source;
    ds_milestoning milestoning = w->def.milestoning;
    w->def.milestoning = MILESTONING_SCD2;
    changes(w);
    must_run(w);
    mirror_open(&mirror, w, milestoning, place);
    *w = mirror;
    w->source = source; // where the primary's rows come from
    w->store.drivers = w->drivers;
    w->runtime.store = &w->store;
    w->runtime.clock = &w->clock;
    w->def.datasets = w->datasets;
    world_apply(w);
}

static void become_mirror(world *w)
{
    become_mirror_in(w, MIRROR_SAME);
}

static void become_replica(world *w)
{
    become_mirror_in(w, MIRROR_REPLICA);
}

static void change_primary(world *w)
{
    ds_job_result result;
    ds_error err;
    must_run(w);
    world_source(w, "UPDATE people SET name = 'old' WHERE id = 2; DELETE FROM people WHERE id = 8; "
                    "INSERT INTO people VALUES (3, 'cyd', 'c')");
    w->clock.fixed_us += 1000000;
    OK(job_run(&w->runtime, &w->def.source, w->def.primary, &w->options, w->arena, &result, &err));
}

static void mirror_changes_since(world *w)
{
    become_mirror(w);
    change_primary(w);
}

static void replica_changes_since(world *w)
{
    become_replica(w);
    change_primary(w);
}

static const scenario SCENARIOS[] = {
    {.name = "mirror-load", .prepare = become_mirror, .batches = 1, .only = SCD4},
    {.name = "mirror-changes", .prepare = mirror_changes_since, .batches = 2},
    {.name = "replica-load", .prepare = become_replica, .batches = 1, .only = SCD2},
    {.name = "replica-changes", .prepare = replica_changes_since, .batches = 2},
    {.name = "first-load", .prepare = first_load, .batches = 1},
    {.name = "first-load-keyless", .prepare = first_load_keyless, .batches = 1, .only = SCD1},
    {.name = "first-load-staged", .prepare = first_load_staged, .batches = 1},
    {.name = "first-load-again", .prepare = first_load_again, .batches = 1, .only = SCD4},
    {.name = "changes", .prepare = changes, .batches = 2},
    {.name = "changes-by-disk", .prepare = changes_by_disk, .batches = 2, .only = SCD2},
    {.name = "changes-keyless", .prepare = changes_keyless, .batches = 2, .only = SCD1},
    {.name = "changes-pruning", .prepare = changes_after_empty_staging, .batches = 3, .only = SCD1},
    {.name = "unchanged", .prepare = unchanged, .batches = 2, .only = SCD1},
    {.name = "unchanged-kept-whole", .prepare = unchanged_kept_whole, .batches = 2, .only = SCD2},
    {.name = "emptied", .prepare = emptied, .batches = 2, .accept_deletes = true, .only = SCD4},
    {.name = "key-changed", .prepare = key_changed, .batches = 2},
    {.name = "first-load-checked", .prepare = first_load_checked, .batches = 1, .only = SCD2},
    {.name = "changes-checked", .prepare = changes_checked, .batches = 2, .only = SCD4},
    {.name = "checks-changed", .prepare = checks_changed, .batches = 2, .only = SCD1},
    {.name = "verify", .prepare = changes, .batches = 2, .verify = true, .only = SCD2},
    {.name = "resnapshot", .prepare = damaged, .batches = 2, .damaged = true, .only = SCD2},
    {.name = "windows", .prepare = windows, .batches = 2},
    {.name = "transformer", .prepare = transformer, .batches = 2, .only = SCD4},
    {.name = "merging", .prepare = left_in_merging, .batches = 2, .world_only = true},
    {.name = "merging-changed", .prepare = left_in_merging_and_changed, .batches = 2, .only = SCD4},
    {.name = "merging-lost", .prepare = left_in_merging_and_lost, .batches = 2, .damaged = true, .only = SCD2},
};

// --- the merge database, kept aside

static void copy(const world *w, const char *from, const char *to)
{
    char a[WORKDIR_PATH], b[WORKDIR_PATH];
    workdir_file(&w->dir, from, a);
    workdir_file(&w->dir, to, b);
    FILE *in = fopen(a, "rb"), *out = fopen(b, "wb");
    if (!in || !out)
        BUG("can't copy %s to %s", a, b);
    char bytes[1 << 16];
    for (size_t n = fread(bytes, 1, sizeof bytes, in); n; n = fread(bytes, 1, sizeof bytes, in))
        if (fwrite(bytes, 1, n, out) != n)
            BUG("can't write %s", b);
    fclose(in);
    if (fclose(out) != 0)
        BUG("can't write %s", b);
}

static void forget_log(const world *w, const char *file)
{
    char path[WORKDIR_PATH];
    workdir_file(&w->dir, file, path);
    struct stat st;
    if (stat(path, &st) == 0 && unlink(path) != 0)
        BUG("can't remove %s", path);
}

static bool has_server(const world *w)
{
    return strcmp(w->merge.type, "postgres") == 0;
}

static void save(const world *w)
{
    if (has_server(w)) {
        pair_save(&pair);
        return;
    }
    world_query(w, true, "PRAGMA wal_checkpoint(TRUNCATE)"); // a killed job left its log
    world_query(w, false, "PRAGMA wal_checkpoint(TRUNCATE)");
    copy(w, w->merge.path, "merge.saved");
}

static void restore(const world *w)
{
    if (has_server(w)) {
        pair_restore(&pair);
        return;
    }
    forget_log(w, arena_printf(w->arena, "%s-wal", w->merge.path));
    forget_log(w, arena_printf(w->arena, "%s-shm", w->merge.path));
    copy(w, "merge.saved", w->merge.path);
}

// --- the sweep

typedef struct sweep {
    world *w;
    const scenario *s;
    ds_fault *fault;
    const char *expected;
    int mode;
    long n;
} sweep;

static void check_truth(const sweep *s, const char *when)
{
    const char *broken = truth_broken(&s->w->runtime, &s->w->merge, &s->w->def, s->w->arena);
    if (*broken)
        fail_msg("%s, call %ld, mode %d, %s:\n%s", s->s->name, s->n, s->mode, when, broken);
}

static bool done(const sweep *s)
{
    return dump_committed(&s->w->runtime, &s->w->merge, s->w->def.name) >= s->s->batches;
}

static void run_until_done(const sweep *s)
{
    s->w->options = (ds_job_options){.accept_deletes = s->s->accept_deletes};
    for (int run = 0; !done(s); run++) {
        ds_job_result result;
        ds_error err;
        ds_rc rc = world_job(s->w, &result, &err);
        if (rc.code != DS_OK || run == RUNS_MAX)
            fail_msg("%s, call %ld, mode %d: the run after the failure failed: %s", s->s->name, s->n, s->mode,
                     rc.code == DS_OK ? "no commit" : err.text);
    }
}

// What the world refuses never makes the work of a batch in merging be thrown away.
static void check_not_restarted(const sweep *s, ds_code code)
{
    if (s->s->damaged || (code != DS_ENV && code != DS_BUSY))
        return;
    const char *events = world_query(s->w, true,
                                     arena_printf(s->w->arena, "SELECT detail FROM %s WHERE kind = 'restarted'",
                                                  world_control(s->w, "event")));
    if (*events)
        fail_msg("%s, call %ld, mode %d: restarted: %s", s->s->name, s->n, s->mode, events);
}

// The job with its fault; in a child when that kills. True when it was hit.
static bool run_with_fault(const sweep *s, ds_code code)
{
    s->w->options = (ds_job_options){.verify = s->s->verify, .accept_deletes = s->s->accept_deletes};
    fault_arm(s->fault, s->n, s->mode, code);
    ds_job_result result = {0};
    ds_error err;
    ds_rc rc = world_job(s->w, &result, &err);
    bool hit = fault_hits(s->fault) > 0;
    fault_arm(s->fault, 1, FAULT_OFF, DS_OK);
    if (!hit && rc.code != DS_OK)
        fail_msg("%s, without a fault: %s", s->s->name, err.text);
    return hit;
}

static bool run_and_be_killed(const sweep *s)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(run_with_fault(s, DS_ENV) ? 1 : 0);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || (WIFEXITED(status) && WEXITSTATUS(status) != 0))
        BUG("%s, call %ld: the child ended with status %#x", s->s->name, s->n, (unsigned)status);
    s->w->clock.fixed_us += 1000000;
    return WIFSIGNALED(status);
}

// Where leases are rows, one that could not be given back is valid for a while.
static void let_leases_expire(const sweep *s)
{
    if (has_server(s->w))
        world_merge(s->w, arena_printf(s->w->arena, "DELETE FROM %s", world_control(s->w, "lease")));
}

// One fault; false when the job makes fewer calls.
static bool strike(sweep *s)
{
    static const ds_code CODES[] = {DS_ENV, DS_BUSY, DS_FINDING, DS_INTERNAL};
    restore(s->w);
    ds_code code = CODES[s->n % (s->s->world_only ? 2 : 4)];
    if (s->mode & FAULT_FROM && code == DS_BUSY)
        code = DS_ENV; // a database that is busy for good is waited for
    bool hit = s->mode & FAULT_KILL ? run_and_be_killed(s) : run_with_fault(s, code);
    let_leases_expire(s);
    if (!s->s->damaged)
        check_truth(s, "after the failure");
    run_until_done(s);
    check_truth(s, "in the end");
    check_not_restarted(s, s->mode & FAULT_KILL ? DS_ENV : code);
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    const char *left = dump_stream(&s->w->runtime, &s->w->merge, &s->w->def, DUMP_STAGING, scratch);
    if (strcmp(left, s->expected) != 0)
        fail_msg("%s, call %ld, mode %d: left\n%s\nexpected\n%s", s->s->name, s->n, s->mode, left, s->expected);
    return hit;
}

static void sweep_world(sweep *s)
{
    static const int MODES[] = {FAULT_ONCE, FAULT_ONCE | FAULT_AFTER, FAULT_FROM, FAULT_ONCE | FAULT_KILL};
    s->s->prepare(s->w);
    save(s->w);
    run_until_done(s);
    s->expected = dump_stream(&s->w->runtime, &s->w->merge, &s->w->def, DUMP_STAGING, s->w->arena);
    // A server's runs are some 20 times as long: there one call fails in each mode, another one every time; with
    // DS_SWEEP all do.
    bool few = has_server(s->w) && !getenv("DS_SWEEP");
    long calls = 0, begin = few ? (long)time(NULL) : 0;
    for (size_t m = 0; m < sizeof MODES / sizeof MODES[0]; m++) {
        s->mode = MODES[m];
        s->n = 1 + (begin + (long)m) % (few ? SERVER_CALLS : STEP);
        for (bool more = true; more && strike(s); s->n += STEP, more = !few)
            calls++;
    }
    print_message("%s: %ld faults\n", s->s->name, calls);
    assert_true(calls > (few ? 0 : CALLS_MIN / STEP));
}

static void sweep_scenario(const scenario *what, ds_milestoning milestoning)
{
    world w;
    ds_fault *fault = fault_new(pair.drivers[PAIR_MERGE]);
    test_pair wrapped = pair;
    wrapped.drivers[PAIR_SOURCE] = wrapped.drivers[PAIR_MERGE] = fault_driver(fault);
    pair_clear(&pair);
    world_open_on(&w, &wrapped, milestoning);
    sweep s = {.w = &w, .s = what, .fault = fault};
    sweep_world(&s);
    world_close(&w);
    fault_free(fault);
}

static const scenario *chosen;

static void sweep_test(void **state)
{
    (void)state;
    bool everywhere = getenv("DS_SWEEP") && !strstr(chosen->name, "keyless");
    for (int strategy = SCD1; strategy <= SCD4; strategy++)
        if (everywhere || chosen->only == ALL || chosen->only == strategy)
            sweep_scenario(chosen, (ds_milestoning)(strategy - 1));
}

// fault_sweep DATABASES SCENARIO: "sqlite" or "postgres" on both sides; one scenario, without: all.
int main(int argc, char **argv)
{
    int failed = 0, found = 0;
    if (argc < 2 || !pair_open(&pair, argv[1]))
        return 2;
    for (size_t i = 0; i < sizeof SCENARIOS / sizeof SCENARIOS[0]; i++) {
        if (argc > 2 && strcmp(argv[2], SCENARIOS[i].name) != 0)
            continue;
        chosen = &SCENARIOS[i];
        const struct CMUnitTest tests[] = {{chosen->name, sweep_test, NULL, NULL, NULL}};
        failed += cmocka_run_group_tests(tests, NULL, NULL);
        found++;
    }
    pair_close(&pair);
    return found ? failed : 2;
}
