// A process runs jobs in a loop over a source that changes all the time, and is killed: at every named point of its
// work, at driver calls by chance, and from outside after random times. The source counts its changes in a table of the
// same stream, and the writer keeps what the other table held at each count; so every committed batch says which state
// it must show, as of that batch, whatever was killed since.
//
// KILL_ROUNDS=n makes it longer (20), DS_SEED repeats it as far as chance allows.
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/sqlite/sqlite.h"
#include "support/chance.h"
#include "support/check.h"
#include "support/crash.h"
#include "support/fault.h"
#include "support/truth.h"

enum { KEYS = 40, ROUNDS = 20, STATES_MAX = 100000 };

typedef struct loop {
    world w;
    ds_fault *fault;
    ds_rng chance;
    const char **states; // what people held when the count was i
    int64_t count;
    int64_t checked; // batches that were compared already
    int64_t kills, batches;
} loop;

static int below(loop *l, int n)
{
    return (int)rng_below(&l->chance, (uint64_t)n);
}

// --- the source's writer

#define PEOPLE_SELECT "SELECT id, name, quote(amount) FROM %s ORDER BY id"

static void remember(loop *l)
{
    if (l->count == STATES_MAX)
        BUG("too many changes");
    l->states[l->count] = world_query(&l->w, false, arena_printf(l->w.arena, PEOPLE_SELECT, "people"));
}

// One transaction of the source: a few rows and the count.
static void change_source(loop *l)
{
    CLEANUP(buf_release) ds_buf sql = BUF_INIT(1 << 16);
    for (int i = below(l, 8); i > 0; i--) {
        int id = below(l, KEYS), what = below(l, 5);
        buf_printf(&sql, "DELETE FROM people WHERE id = %d;", id);
        if (what)
            buf_printf(&sql, "INSERT INTO people VALUES (%d, 'n%d', %d.25);", id, below(l, 4), below(l, 3));
    }
    if (below(l, 40) == 0)
        buf_puts(&sql, "DELETE FROM people;");
    buf_puts(&sql, "UPDATE version SET n = n + 1");
    world_source(&l->w, buf_text(&sql));
    l->count++;
    remember(l);
}

static void change_for(loop *l, int changes, int pause_us)
{
    for (int i = 0; i < changes; i++) {
        change_source(l);
        if (pause_us)
            usleep((useconds_t)below(l, pause_us));
    }
}

// --- the process that works

static void work_for_ever(loop *l)
{
    for (;;) {
        ds_job_result result;
        ds_error err;
        ds_rc rc = world_job(&l->w, &result, &err);
        if (rc.code != DS_OK && rc.code != DS_BUSY) {
            fprintf(stderr, "the working process failed: %s\n", err.text);
            _exit(1);
        }
    }
}

static pid_t start_worker(loop *l)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        work_for_ever(l);
    assert_true(child > 0);
    return child;
}

static void wait_for_kill(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail_msg("the working process ended with status %#x", (unsigned)status);
}

// --- what must be true

static const char *as_of(loop *l, size_t dataset, const char *columns, int64_t batch)
{
    world *w = &l->w;
    const ds_dataset_def *d = &w->datasets[dataset];
    const char *live = arena_printf(w->arena, "SELECT * FROM (SELECT %s FROM %s WHERE ds_batch_in <= %" PRId64, columns,
                                    d->merge.name, batch);
    if (w->def.milestoning == MILESTONING_SCD2)
        live = arena_printf(w->arena, "%s AND ds_batch_out >= %" PRId64, live, batch);
    if (w->def.milestoning == MILESTONING_SCD4)
        live =
            arena_printf(w->arena,
                         "%s UNION ALL SELECT %s FROM %s WHERE ds_batch_in <= %" PRId64 " AND ds_batch_out >= %" PRId64,
                         live, columns, d->history.name, batch, batch);
    return world_query(w, true, arena_printf(w->arena, "%s) ORDER BY 1", live));
}

static void check_batch(loop *l, int64_t batch)
{
    int64_t count = strtoll(as_of(l, 1, "n", batch), NULL, 10);
    assert_in_range(count, 0, l->count);
    const char *there = as_of(l, 0, "id, name, quote(amount)", batch);
    if (strcmp(there, l->states[count]) != 0)
        fail_msg("as of batch %" PRId64 ", which read change %" PRId64 ":\n%sexpected\n%s", batch, count, there,
                 l->states[count]);
}

// The batches committed since the last look; without history only the last can be looked at.
static void check_batches(loop *l, bool all)
{
    l->batches = strtoll(world_query(&l->w, true,
                                     "SELECT COALESCE(max(batch_id), 0) FROM datasurface__batch WHERE status = "
                                     "'committed'"),
                         NULL, 10);
    int64_t first = all ? 1 : l->checked + 1;
    if (l->w.def.milestoning == MILESTONING_SCD1)
        first = l->batches;
    for (int64_t batch = first < 1 ? 1 : first; batch <= l->batches; batch++)
        check_batch(l, batch);
    l->checked = l->batches;
}

static void check_truth(loop *l, const char *when)
{
    const char *broken = truth_broken(&l->w.runtime, &l->w.merge, &l->w.def, l->w.arena);
    if (*broken)
        fail_msg("%s:\n%s", when, broken);
}

static void finish(loop *l)
{
    ds_job_result result;
    ds_error err;
    l->w.options.verify = true;
    OK(world_job(&l->w, &result, &err));
    l->w.options.verify = false;
    assert_true(result.equal);
    check_truth(l, "after a whole run");
    check_batches(l, false);
    const char *view = arena_printf(l->w.arena, PEOPLE_SELECT, l->w.datasets[0].views[0].relation.name);
    assert_string_equal(world_query(&l->w, true, view), l->states[l->count]);
}

// --- rounds

static void killed_from_outside(loop *l)
{
    pid_t child = start_worker(l);
    change_for(l, 1 + below(l, 6), 8000);
    kill(child, SIGKILL);
    wait_for_kill(child);
    l->kills++;
}

static void killed_at_a_point(loop *l, int round)
{
    int points = 0;
    while (CRASH_POINTS[points])
        points++;
    change_for(l, 2, 0);
    if (crash_job(&l->w, CRASH_POINTS[round % points], 1 + below(l, 2)) == CRASH_KILLED)
        l->kills++;
}

static void killed_at_a_call(loop *l)
{
    change_for(l, 2, 0);
    fault_arm(l->fault, 1 + below(l, 90), FAULT_ONCE | FAULT_KILL | (below(l, 2) ? FAULT_AFTER : 0), DS_ENV);
    pid_t child = start_worker(l);
    wait_for_kill(child);
    fault_arm(l->fault, 1, FAULT_OFF, DS_OK);
    l->kills++;
}

static void one_round(loop *l, int round)
{
    switch (round % 4) {
    case 0:
    case 2:
        killed_from_outside(l);
        break;
    case 1:
        killed_at_a_point(l, round / 4);
        break;
    default:
        killed_at_a_call(l);
    }
    check_truth(l, "after a kill");
    check_batches(l, false);
    if (round % 4 == 3 || below(l, 3) == 0) // whatever chance has it, a batch is finished now and then
        finish(l);
}

static void open_loop(loop *l, ds_milestoning milestoning)
{
    world *w = &l->w;
    world_open(w, fault_driver(l->fault), milestoning);
    w->runtime.clock = clock_system();
    w->def.chunk_rows = 5;
    w->def.staging_batches = below(l, 4);
    w->def.staging_full = below(l, 4) == 0;
    world_dataset(w, "people", "id integer primary key; name varchar(20); amount decimal(7,2)");
    world_dataset(w, "version", "id integer primary key; n bigint");
    world_apply(w);
    world_source(w, "INSERT INTO version VALUES (1, 0)");
    remember(l);
    change_for(l, 10, 0);
}

static int rounds(void)
{
    const char *wanted = getenv("KILL_ROUNDS");
    return wanted ? (int)strtol(wanted, NULL, 10) : ROUNDS;
}

static void kills(ds_milestoning milestoning)
{
    static loop l;
    l = (loop){.fault = fault_new(&SQLITE_DRIVER), .chance = chance_begin()};
    l.states = calloc(STATES_MAX, sizeof *l.states);
    assert_non_null(l.states);
    open_loop(&l, milestoning);
    for (int round = 0; round < rounds(); round++)
        one_round(&l, round);
    finish(&l);
    check_batches(&l, true);
    print_message("%" PRId64 " kills, %" PRId64 " batches, %" PRId64 " changes\n", l.kills, l.batches, l.count);
    assert_true(l.kills >= rounds() / 2 && l.batches >= rounds() / 4);
    world_close(&l.w);
    free(l.states);
    fault_free(l.fault);
}

static void kills_scd1(void **state)
{
    (void)state;
    kills(MILESTONING_SCD1);
}

static void kills_scd2(void **state)
{
    (void)state;
    kills(MILESTONING_SCD2);
}

static void kills_scd4(void **state)
{
    (void)state;
    kills(MILESTONING_SCD4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kills_scd1), cmocka_unit_test(kills_scd2),
                                       cmocka_unit_test(kills_scd4)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
