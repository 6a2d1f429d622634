// Leases on PostgreSQL, straight and through PgBouncer in transaction mode: two processes at one stream, an owner that
// is killed, one that stands still in the middle of anything and loses the stream, one on another machine.
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"
#include "support/dump.h"
#include "support/estate_model.h"
#include "support/pgbouncer.h"
#include "support/truth.h"
#include "support/world.h"

// WAIT_MS is less than a server lets a writer stand still.
enum {
    DEADLINE_MS = 20000,
    WAIT_MS = 12000,
    SHORT_MS = 60,
    RENEWED_MS = 1000,
    LONG_MS = 600000,
    EXIT_TAKEN_OVER = 3,
    EXIT_BUSY = 4,
    PLACES = 30,
    TOKEN = 32,
};

static pgbouncer *bouncer; // NULL: straight

// --- the child's driver: it stops in the middle of a transaction

// A claim of a stream or of "apply", or of the token under which the row of the lease is written. A claim goes to the
// server together with the statement that follows: after it is after both.
typedef enum place { NOWHERE, BEFORE_CLAIM, AFTER_CLAIM, BEFORE_TOKEN, AFTER_TOKEN, BEFORE_COMMIT } place;

static struct {
    place at;
    int n;             // the n-th time, from 1
    const char *point; // or a checkpoint of the job
    const char *wait;  // a checkpoint at which the job waits until that has been
    bool renewing;     // in the thread that renews the lease; else in the job's own
    bool still;        // stands still as a whole; else its other threads go on
    int said, go;      // pipes: the child writes to the one; waits for the other unless it stands still
} stop;

static atomic_bool stopped;

static void stop_here(void)
{
    char byte = 'x';
    if (write(stop.said, &byte, 1) != 1)
        _exit(2);
    if (stop.still)
        kill(getpid(), SIGSTOP);
    else if (read(stop.go, &byte, 1) != 1)
        _exit(2);
    atomic_store(&stopped, true);
}

static void pass(place at)
{
    bool renewing = gettid() != getpid();
    if (at == stop.at && renewing == stop.renewing && --stop.n == 0)
        stop_here();
}

static void on_point(void *context, const char *point)
{
    (void)context;
    if (stop.point && strcmp(point, stop.point) == 0)
        stop_here();
    while (stop.wait && strcmp(point, stop.wait) == 0 && !atomic_load(&stopped))
        usleep(1000);
}

static const ds_driver *inner;

static _Thread_local place claimed; // what the next statement makes known

static ds_rc stopping_claim(ds_db *db, const char *name, ds_error *err)
{
    place before = strlen(name) == TOKEN ? BEFORE_TOKEN : BEFORE_CLAIM;
    pass(before);
    TRY(inner->claim(db, name, err));
    claimed = before + 1;
    return DS_DONE;
}

static void pass_statement(void)
{
    if (claimed != NOWHERE)
        pass(claimed);
    claimed = NOWHERE;
}

static ds_rc stopping_exec(ds_db *db, const ds_sql *sql, int64_t *affected, ds_error *err)
{
    TRY(inner->exec(db, sql, affected, err));
    pass_statement();
    return DS_DONE;
}

static ds_rc stopping_query(ds_db *db, const ds_sql *sql, ds_arena *arena, ds_result *out, ds_error *err)
{
    TRY(inner->query(db, sql, arena, out, err));
    pass_statement();
    return DS_DONE;
}

static ds_rc stopping_now(ds_db *db, int64_t *now_us, ds_error *err)
{
    TRY(inner->now(db, now_us, err));
    pass_statement();
    return DS_DONE;
}

static ds_rc stopping_commit(ds_db *db, ds_error *err)
{
    pass(BEFORE_COMMIT);
    return inner->commit(db, err);
}

// --- worlds

typedef struct fixture {
    test_pair pair;
    ds_driver driver;
    world w;
} fixture;

static void open_pair(fixture *f)
{
    memset(&stop, 0, sizeof stop);
    assert_true(pair_open(&f->pair, "sqlite-postgres"));
    inner = f->pair.drivers[PAIR_MERGE];
    f->driver = *inner;
    f->driver.claim = stopping_claim;
    f->driver.exec = stopping_exec;
    f->driver.query = stopping_query;
    f->driver.now = stopping_now;
    f->driver.commit = stopping_commit;
    f->pair.drivers[PAIR_MERGE] = &f->driver;
}

static void begin(fixture *f)
{
    open_pair(f);
    world_open_on(&f->w, &f->pair, MILESTONING_SCD2);
    if (bouncer)
        f->w.merge.host = pgbouncer_host(bouncer);
    world_dataset(&f->w, "people", "id integer primary key; name varchar(20)");
    world_apply(&f->w);
    world_source(&f->w, "INSERT INTO people VALUES (1, 'ann'), (2, 'bob')");
}

static void end(fixture *f)
{
    world_close(&f->w);
    pair_close(&f->pair);
}

static void runs(world *w)
{
    ds_job_result result;
    ds_error err;
    OK(world_job(w, &result, &err));
    assert_string_equal(truth_broken(&w->runtime, &w->merge, &w->def, w->arena), "");
}

static int64_t committed(world *w)
{
    return dump_committed(&w->runtime, &w->merge, w->def.name);
}

static const char *leases(fixture *f)
{
    return pg_query_text(&f->pair.postgres, "SELECT stream FROM datasurface.lease", f->w.arena);
}

// --- children

typedef struct holder {
    pid_t pid;
    bool still;
    int said, go;
} holder;

static int exit_code(ds_rc rc, const ds_error *err)
{
    if (rc.code == DS_OK)
        return 0;
    if (rc.code == DS_BUSY && strstr(err->text, "taken over"))
        return EXIT_TAKEN_OVER;
    if (rc.code == DS_BUSY && strstr(err->text, "stream busy: P/S: held by "))
        return EXIT_BUSY;
    fprintf(stderr, "child: code %d: %s\n", (int)rc.code, err->text);
    return 1;
}

static int child_job(void *context)
{
    world *w = context;
    w->runtime.checkpoint = on_point;
    ds_job_result result;
    ds_error err;
    return exit_code(world_job(w, &result, &err), &err);
}

static int child_apply(void *context)
{
    estate *e = context;
    ds_error err;
    return exit_code(plan_apply(&e->runtime, estate_plan(e, false), NULL, &err), &err);
}

// Only the child stops.
static holder start(int (*work)(void *context), void *context)
{
    int said[2], go[2];
    assert_int_equal(pipe(said), 0);
    assert_int_equal(pipe(go), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(said[0]);
        stop.said = said[1];
        stop.go = go[0];
        _exit(work(context));
    }
    close(said[1]);
    close(go[0]);
    return (holder){.pid = child, .still = stop.still, .said = said[0], .go = go[1]};
}

static void stop_nowhere(void)
{
    memset(&stop, 0, sizeof stop);
}

static holder start_alone(world *w)
{
    holder h = start(child_job, w);
    stop_nowhere();
    return h;
}

// False: it has ended without coming there.
static bool comes_there(const holder *h)
{
    struct pollfd ready = {.fd = h->said, .events = POLLIN};
    if (poll(&ready, 1, DEADLINE_MS) != 1)
        fail_msg("the child never came there, and never ended");
    char byte;
    if (read(h->said, &byte, 1) != 1)
        return false;
    int status;
    if (h->still)
        assert_int_equal(waitpid(h->pid, &status, WUNTRACED), h->pid);
    return true;
}

static int ended(holder *h)
{
    int status = 0;
    assert_int_equal(waitpid(h->pid, &status, 0), h->pid);
    close(h->said);
    close(h->go);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int let_go(holder *h)
{
    if (h->still)
        kill(h->pid, SIGCONT);
    else
        assert_int_equal(write(h->go, "x", 1), 1);
    return ended(h);
}

static void busy(world *w, const holder *h)
{
    ds_job_result result;
    ds_error err;
    FAILS(world_job(w, &result, &err), DS_BUSY, "stream busy: P/S: held by ");
    HINTS("--lease-wait");
    assert_non_null(strstr(err.text, arena_printf(w->arena, " pid %d since 20", (int)h->pid)));
}

// --- two at once

static void exactly_one_proceeds(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    stop.point = "leased";
    holder both[2] = {start(child_job, &f.w), start(child_job, &f.w)};
    stop_nowhere();
    bool has[2] = {comes_there(&both[0]), comes_there(&both[1])};
    assert_int_equal(has[0] + has[1], 1);
    assert_int_equal(ended(&both[has[0]]), EXIT_BUSY);
    busy(&f.w, &both[has[1]]);
    assert_int_equal(let_go(&both[has[1]]), 0);
    assert_int_equal(committed(&f.w), 1);
    assert_string_equal(leases(&f), "");
    runs(&f.w);
    assert_int_equal(committed(&f.w), 2);
    end(&f);
}

static void the_other_is_told_who(void **state)
{
    (void)state;
    static const char *const POINTS[] = {"begun", "load:chunk", "ingest:dataset", "merging"};
    for (size_t i = 0; i < sizeof POINTS / sizeof POINTS[0]; i++) {
        fixture f;
        begin(&f);
        stop.point = POINTS[i];
        holder h = start_alone(&f.w);
        assert_true(comes_there(&h));
        busy(&f.w, &h);
        assert_int_equal(committed(&f.w), 0);
        assert_int_equal(let_go(&h), 0);
        runs(&f.w);
        assert_int_equal(committed(&f.w), 2);
        end(&f);
    }
}

// Its threads go on, so the row is renewed for as long as it takes.
static void a_slow_owner_keeps_it(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    f.w.runtime.lease_ms = RENEWED_MS;
    stop.at = BEFORE_COMMIT;
    stop.n = 2;
    holder h = start_alone(&f.w);
    assert_true(comes_there(&h));
    const char *expiry = "";
    for (int renewed = 0; renewed < 6;) { // more than once its time
        const char *now = pg_query_text(&f.pair.postgres, "SELECT expires_at FROM datasurface.lease", f.w.arena);
        renewed += strcmp(now, expiry) != 0;
        expiry = now;
        busy(&f.w, &h);
    }
    assert_int_equal(let_go(&h), 0);
    runs(&f.w);
    end(&f);
}

// --- an owner that is gone

// Its row would be good for ten minutes.
static void a_killed_owner_holds_up_nobody(void **state)
{
    (void)state;
    for (int at = BEFORE_CLAIM; at <= BEFORE_COMMIT; at += BEFORE_COMMIT - BEFORE_CLAIM)
        for (int still = 0; still < 2; still++) {
            fixture f;
            begin(&f);
            f.w.runtime.lease_ms = LONG_MS;
            stop.at = (place)at;
            stop.n = 2;
            stop.still = still;
            holder h = start_alone(&f.w);
            assert_true(comes_there(&h));
            busy(&f.w, &h);
            kill(h.pid, SIGKILL);
            assert_int_equal(ended(&h), -SIGKILL);
            runs(&f.w);
            assert_int_equal(committed(&f.w), 1);
            assert_string_equal(leases(&f), "");
            end(&f);
        }
}

static void another_machine_is_respected_until_it_expires(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    pg_exec_text(&f.pair.postgres,
                 "INSERT INTO datasurface.lease VALUES ('P/S', 'theirs', 'elsewhere', 'another boot', "
                 "1, 1, now(), now() + interval '10 minutes')");
    ds_job_result result;
    ds_error err;
    FAILS(world_job(&f.w, &result, &err), DS_BUSY, "stream busy: P/S: held by elsewhere pid 1 since 20");
    pg_exec_text(&f.pair.postgres, "UPDATE datasurface.lease SET expires_at = clock_timestamp() + interval '300 ms'");
    f.w.options.lease_wait_ms = DEADLINE_MS;
    runs(&f.w);
    const char *early = pg_query_text(&f.pair.postgres,
                                      "SELECT count(*) FROM datasurface.batch WHERE started_at < "
                                      "(SELECT now() - interval '10 minutes')",
                                      f.w.arena);
    assert_string_equal(early, "0\n");
    end(&f);
}

// --- an owner that stands still, loses the stream, and goes on

// The next owner neither waits for the open transaction nor sees anything of it. The child finds out.
static void taken_from_a_zombie(fixture *f, holder *h, place at)
{
    f->w.options.lease_wait_ms = WAIT_MS;
    runs(&f->w);
    if (at != BEFORE_CLAIM) // it keeps no table from anybody, reading or writing
        pg_exec_text(&f->pair.postgres, "SET lock_timeout = 100; LOCK TABLE ds_p.s__people IN ACCESS EXCLUSIVE MODE");
    int64_t batches = committed(&f->w);
    const char *left = dump_stream(&f->w.runtime, &f->w.merge, &f->w.def, DUMP_STAGING, f->w.arena);
    assert_int_equal(let_go(h), EXIT_TAKEN_OVER);
    assert_int_equal(committed(&f->w), batches);
    assert_string_equal(dump_stream(&f->w.runtime, &f->w.merge, &f->w.def, DUMP_STAGING, f->w.arena), left);
    assert_string_equal(leases(f), "");
}

// The n-th time that a job comes to the place; false: it doesn't come there so often, or only to give the lease back.
static bool zombie_at(place at, int n, bool loaded)
{
    fixture f;
    begin(&f);
    if (loaded) {
        runs(&f.w);
        world_source(&f.w, "UPDATE people SET name = 'new'; DELETE FROM people WHERE id = 2");
    }
    f.w.runtime.lease_ms = LONG_MS; // no renewal comes between
    stop.still = true;
    stop.at = at;
    stop.n = n;
    holder h = start_alone(&f.w);
    bool there = comes_there(&h) && committed(&f.w) == loaded;
    if (there) {
        pg_exec_text(&f.pair.postgres, "UPDATE datasurface.lease SET expires_at = clock_timestamp()");
        taken_from_a_zombie(&f, &h, at);
    } else {
        kill(h.pid, SIGCONT);
        assert_int_equal(ended(&h), 0);
    }
    end(&f);
    return there;
}

static void everywhere(place at, int first)
{
    for (int loaded = 0; loaded < 2; loaded++) {
        int n = first;
        while (n < PLACES && zombie_at(at, n, loaded))
            n++;
        assert_in_range(n, first + 2, PLACES - 1);
    }
}

static void a_zombie_before_its_claim(void **state)
{
    (void)state;
    everywhere(BEFORE_CLAIM, 1);
}

static void a_zombie_behind_its_claim(void **state)
{
    (void)state;
    everywhere(AFTER_CLAIM, 1);
}

static void a_zombie_before_its_commit(void **state)
{
    (void)state;
    everywhere(BEFORE_COMMIT, 2); // the first one takes the lease
}

static void a_zombie_between_two_transactions(void **state)
{
    (void)state;
    static const char *const POINTS[] = {"leased", "begun", "load:chunk", "ingest:dataset", "merging"};
    for (size_t i = 0; i < sizeof POINTS / sizeof POINTS[0]; i++) {
        fixture f;
        begin(&f);
        f.w.runtime.lease_ms = SHORT_MS;
        stop.point = POINTS[i];
        stop.still = true;
        holder h = start_alone(&f.w);
        assert_true(comes_there(&h));
        taken_from_a_zombie(&f, &h, NOWHERE);
        end(&f);
    }
}

// It keeps its row locked, or would.
static void a_zombie_in_the_middle_of_a_renewal(void **state)
{
    (void)state;
    for (int at = BEFORE_TOKEN; at <= BEFORE_COMMIT; at++) {
        fixture f;
        begin(&f);
        f.w.runtime.lease_ms = SHORT_MS;
        stop.at = (place)at;
        stop.n = 1;
        stop.renewing = stop.still = true;
        stop.wait = "begun";
        holder h = start_alone(&f.w);
        assert_true(comes_there(&h));
        taken_from_a_zombie(&f, &h, (place)at);
        end(&f);
    }
}

// Stood still for longer than its row was good for, and nobody came: it is still the owner.
static void nobody_took_it(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    f.w.runtime.lease_ms = SHORT_MS;
    stop.point = "begun";
    stop.still = true;
    holder h = start_alone(&f.w);
    assert_true(comes_there(&h));
    const char *expired = "SELECT expires_at < clock_timestamp() FROM datasurface.lease";
    while (strcmp(pg_query_text(&f.pair.postgres, expired, f.w.arena), "t\n") != 0)
        ;
    assert_int_equal(let_go(&h), 0);
    assert_int_equal(committed(&f.w), 1);
    end(&f);
}

// --- applies

static const estate_model ONE = {.people = "id: integer primary key, name: text", .live = "Store1/people"};
static const estate_model BOTH = {.people = "id: integer primary key, name: text",
                                  .orders = "id: integer primary key, person: integer",
                                  .live = "Store1/people, Store1/orders"};

static void begin_estate(fixture *f, estate *e)
{
    open_pair(f);
    estate_open_on(e, &f->pair);
    if (bouncer)
        snprintf(e->pair.postgres.host, sizeof e->pair.postgres.host, "%s", pgbouncer_host(bouncer));
    estate_sql(e, "source.db",
               "CREATE TABLE people (id INTEGER, name TEXT); INSERT INTO people VALUES (1, 'a'), (2, 'b');"
               "CREATE TABLE orders (id INTEGER, person INTEGER); INSERT INTO orders VALUES (7, 1)");
    estate_use(e, &ONE);
    estate_apply(e);
    estate_job(e, "P/Store1");
    estate_use(e, &BOTH);
}

static bool is_applied(const fixture *f, ds_arena *arena)
{
    return strcmp(pg_query_text(&f->pair.postgres, "SELECT count(*) FROM datasurface.applied", arena), "2\n") == 0;
}

// The next apply does what this one did not; false: it was done with everything, or never came to the place.
static bool zombie_apply_at(place at, int n)
{
    fixture f;
    estate e;
    begin_estate(&f, &e);
    e.runtime.lease_ms = LONG_MS;
    stop.still = true;
    stop.at = at;
    stop.n = n;
    holder h = start(child_apply, &e);
    stop_nowhere();
    bool there = comes_there(&h) && !is_applied(&f, e.arena);
    if (there) {
        pg_exec_text(&f.pair.postgres,
                     "UPDATE datasurface.lease SET expires_at = clock_timestamp() WHERE stream IN "
                     "(SELECT stream FROM datasurface.lease FOR UPDATE SKIP LOCKED)"); // it may be giving one back
        estate_apply(&e);
        assert_true(is_applied(&f, e.arena));
    } else {
        kill(h.pid, SIGCONT);
    }
    int code = there ? let_go(&h) : ended(&h);
    bool finds_all_done = at == BEFORE_TOKEN && code == 0; // it takes the stream, plans again, and nothing is left
    assert_int_equal(code, there && !finds_all_done ? EXIT_TAKEN_OVER : 0);
    assert_true(is_applied(&f, e.arena));
    estate_job(&e, "P/Store1");
    estate_close(&e);
    pair_close(&f.pair);
    return there;
}

static void a_zombie_apply(void **state)
{
    (void)state;
    for (int at = BEFORE_CLAIM; at <= BEFORE_COMMIT; at++) {
        int first = at >= BEFORE_TOKEN ? 2 : 1, n = first; // the first row that it takes is no row yet
        while (n < PLACES && zombie_apply_at((place)at, n))
            n++;
        assert_in_range(n, first + 1, PLACES - 1);
    }
}

// --- both ways

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_one_proceeds),
        cmocka_unit_test(the_other_is_told_who),
        cmocka_unit_test(a_slow_owner_keeps_it),
        cmocka_unit_test(a_killed_owner_holds_up_nobody),
        cmocka_unit_test(another_machine_is_respected_until_it_expires),
        cmocka_unit_test(a_zombie_before_its_claim),
        cmocka_unit_test(a_zombie_behind_its_claim),
        cmocka_unit_test(a_zombie_before_its_commit),
        cmocka_unit_test(a_zombie_between_two_transactions),
        cmocka_unit_test(a_zombie_in_the_middle_of_a_renewal),
        cmocka_unit_test(nobody_took_it),
        cmocka_unit_test(a_zombie_apply),
    };
    if (argc > 1 && strcmp(argv[1], "pooled") == 0)
        bouncer = pgbouncer_new(pgserver_shared(), "transaction");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    pgbouncer_free(bouncer);
    return failed;
}
