// Names that are owned by rows, as on a server: SQLite with its own locks hidden and claims that are only noted down.
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/sqlite/sqlite.h"
#include "support/check.h"
#include "support/crash.h"
#include "support/estate_model.h"
#include "support/truth.h"
#include "yellow/control/lock.h"
#include "yellow/control/process.h"

enum { DEADLINE_MS = 20000, TICK_MS = 2, LONG_MS = 600000, VALID_US = 20000000 };
#define PEOPLE "id integer primary key; name varchar(20)"
#define LEASES "SELECT stream FROM datasurface__lease ORDER BY 1"

// --- the driver

static struct {
    atomic_bool no_open, no_delete;
    atomic_int opened;
    char notes[256]; // "+P/S " a claim, "!P/S " a break
} fake;

// How often the stream was claimed, all in a row.
static size_t claims(const char *before, const char *after)
{
    const char *at = fake.notes;
    assert_int_equal(strncmp(at, before, strlen(before)), 0);
    size_t n = 0;
    for (at += strlen(before); strncmp(at, "+P/S ", 5) == 0; at += 5)
        n++;
    assert_string_equal(at, after);
    return n;
}

// Tokens are random.
static void note(char kind, const char *name)
{
    if (strlen(name) == 32)
        name = "token";
    size_t n = strlen(fake.notes);
    snprintf(fake.notes + n, sizeof fake.notes - n, "%c%s ", kind, name);
}

static ds_rc fake_open(const ds_driver *self, const ds_target *target, const ds_open_options *options, ds_db **out,
                       ds_error *err)
{
    if (atomic_load(&fake.no_open))
        return ds_fail(err, DS_ENV, "no way to the server");
    atomic_fetch_add(&fake.opened, 1);
    return SQLITE_DRIVER.open(self, target, options, out, err);
}

static ds_rc fake_exec(ds_db *db, const ds_sql *sql, int64_t *affected, ds_error *err)
{
    if (atomic_load(&fake.no_delete) && strstr(buf_text(&sql->text), "DELETE FROM \"datasurface__lease\""))
        return ds_fail(err, DS_ENV, "the connection was lost");
    return SQLITE_DRIVER.exec(db, sql, affected, err);
}

static ds_rc fake_claim(ds_db *db, const char *name, ds_error *err)
{
    (void)db, (void)err;
    note('+', name);
    return DS_DONE;
}

static ds_rc fake_claim_break(ds_db *db, const char *name, ds_error *err)
{
    (void)db, (void)err;
    note('!', name);
    return DS_DONE;
}

static ds_driver rows_driver; // SQLite's, without its locks

static int make_driver(void **state)
{
    (void)state;
    rows_driver = SQLITE_DRIVER;
    rows_driver.open = fake_open;
    rows_driver.exec = fake_exec;
    rows_driver.lock_try = NULL;
    rows_driver.lock_release = NULL;
    rows_driver.claim = fake_claim;
    rows_driver.claim_break = fake_claim_break;
    return 0;
}

static int reset_fake(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    return 0;
}

// --- worlds and owners

static void people_world(world *w)
{
    world_open(w, &rows_driver, MILESTONING_SCD2);
    world_dataset(w, "people", PEOPLE);
    world_apply(w);
    world_source(w, "INSERT INTO people VALUES (1, 'ann'), (2, 'bob')");
}

static void runs(world *w)
{
    ds_job_result result;
    ds_error err;
    OK(world_job(w, &result, &err));
    assert_string_equal(truth_broken(&w->runtime, &w->merge, &w->def, w->arena), "");
}

typedef struct owner {
    ds_control *control;
    ds_lock *lock;
} owner;

static owner owner_new(world *w)
{
    owner o = {0};
    ds_error err;
    OK(control_open(&w->runtime, &w->merge, CONTROL_WRITE, &o.control, &err));
    o.lock = lock_new(o.control, "stream P/S");
    return o;
}

static void owner_end(owner *o)
{
    lock_free(o->lock);
    control_close(o->control);
}

static bool takes(const owner *o, const char *name)
{
    bool held;
    ds_error err;
    OK(lock_take(o->lock, name, 0, &held, &err));
    return held;
}

static ds_rc writes(const owner *o, const char *name, ds_error *err)
{
    TRY(store_begin(o->control->db, BEGIN_WRITE, err));
    ds_rc rc = lock_claim(o->lock, &name, 1, err);
    store_rollback(o->control->db);
    return rc;
}

static void put_row(world *w, const char *name, const ds_process *p, int64_t valid_us)
{
    char until[CLOCK_TEXT];
    clock_format_iso(w->clock.fixed_us + valid_us, until);
    until[10] = ' ';
    world_merge(w, arena_printf(w->arena,
                                "DELETE FROM datasurface__lease; INSERT INTO datasurface__lease VALUES "
                                "('%s', 'theirs', 'elsewhere', '%s', %lld, %lld, '2026-01-01', '%.26s+00:00')",
                                name, p->machine, (long long)p->pid, (long long)p->birth, until));
}

static const char *leases(world *w)
{
    return world_query(w, true, LEASES);
}

// --- processes

static pid_t sleeper(void)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        for (;;)
            pause();
    return child;
}

static void wait_for_end(pid_t child)
{
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
}

static void who_is_gone(void **state)
{
    (void)state;
    ds_process self = process_self(), other = self;
    assert_int_equal(self.pid, getpid());
    assert_true(self.machine[0] && self.birth > 0 && self.host[0]);
    assert_false(process_is_gone(&self));
    other.birth--; // had our number before
    assert_true(process_is_gone(&other));
    snprintf(other.machine, sizeof other.machine, "another boot");
    assert_false(process_is_gone(&other));
    other.machine[0] = '\0';
    assert_false(process_is_gone(&other));
    static const int64_t NONE[] = {0, -1, INT64_MIN};
    for (size_t i = 0; i < sizeof NONE / sizeof NONE[0]; i++) {
        other = self;
        other.pid = NONE[i];
        assert_false(process_is_gone(&other));
    }
    other = self;
    other.pid = sleeper();
    assert_true(process_is_gone(&other)); // that one was born later
    kill((pid_t)other.pid, SIGKILL);
    wait_for_end((pid_t)other.pid);
    assert_true(process_is_gone(&other)); // not reaped yet
    waitpid((pid_t)other.pid, NULL, 0);
    assert_true(process_is_gone(&other));
}

// The child tells who it is: its birth is then the right one.
static ds_process told_by_child(pid_t *pid)
{
    int said[2];
    assert_int_equal(pipe(said), 0);
    fflush(NULL);
    *pid = fork();
    if (*pid == 0) {
        ds_process self = process_self();
        if (write(said[1], &self, sizeof self) == (ssize_t)sizeof self)
            for (;;)
                pause();
        _exit(1);
    }
    ds_process p;
    assert_int_equal(read(said[0], &p, sizeof p), sizeof p);
    close(said[0]);
    close(said[1]);
    return p;
}

static void one_that_lives_is_not_gone(void **state)
{
    (void)state;
    pid_t child;
    ds_process p = told_by_child(&child);
    assert_false(process_is_gone(&p));
    kill(child, SIGSTOP);
    assert_false(process_is_gone(&p));
    kill(child, SIGKILL);
    wait_for_end(child);
    assert_true(process_is_gone(&p));
    waitpid(child, NULL, 0);
    assert_true(process_is_gone(&p));
}

// --- taking

static void jobs_run_under_rows(void **state)
{
    (void)state;
    world w;
    people_world(&w);
    w.options.verify = true;
    runs(&w);
    assert_string_equal(leases(&w), "");
    world_source(&w, "UPDATE people SET name = 'new'; INSERT INTO people VALUES (3, 'cyd')");
    fake.notes[0] = '\0';
    runs(&w);
    // begin, enter merging, commit; one more for each further write when rows are staged one by one
    assert_in_range(claims("+token !P/S ", "+token "), 3, 6);
    assert_string_equal(leases(&w), "");
    int64_t batch, rows;
    ds_error err;
    assert_int_equal(crash_job(&w, "begun", 1), CRASH_KILLED);
    OK(job_reset(&w.runtime, &w.merge, w.def.name, false, &batch, &rows, &err));
    assert_int_equal(batch, 3);
    assert_string_equal(leases(&w), "");
    world_close(&w);
}

static void one_has_it_until_it_gives_it_back(void **state)
{
    (void)state;
    world w;
    people_world(&w);
    owner a = owner_new(&w), b = owner_new(&w);
    ds_error err;
    assert_true(takes(&a, "P/S"));
    assert_true(takes(&a, "P/S")); // again
    assert_true(takes(&a, "P/T"));
    assert_false(takes(&b, "P/S"));
    assert_true(takes(&b, "apply"));
    OK(writes(&a, "P/S", &err));
    assert_string_equal(leases(&w), "P/S\nP/T\napply\n");
    CLEANUP(buf_release) ds_buf holder = BUF_INIT(512);
    lock_holder(b.lock, "P/S", &holder);
    assert_non_null(strstr(buf_text(&holder), arena_printf(w.arena, " pid %d since 20", (int)getpid())));
    ds_job_result result;
    FAILS(world_job(&w, &result, &err), DS_BUSY, "stream busy: P/S: held by ");
    lock_release(a.lock, "P/S");
    assert_true(takes(&b, "P/S"));
    assert_false(takes(&b, "P/T"));
    owner_end(&a);
    assert_true(takes(&b, "P/T"));
    owner_end(&b);
    assert_string_equal(leases(&w), "");
    world_close(&w);
}

static bool is_held_for(world *w)
{
    ds_stream_standing *rows;
    size_t n;
    int64_t now_us;
    ds_error err;
    owner a = owner_new(w);
    OK(control_standings(a.control, w->arena, &rows, &n, &now_us, &err));
    assert_int_equal(n, 1);
    const bool held = rows[0].held;
    owner_end(&a);
    return held;
}

static bool seems_held(world *w, const ds_process *by, int64_t valid_us)
{
    put_row(w, w->def.name, by, valid_us);
    return is_held_for(w);
}

// Schedulers leave a stream alone that another process has, but not one whose holder is dead for certain.
static void what_schedulers_see(void **state)
{
    (void)state;
    world w;
    people_world(&w);
    pid_t child;
    const ds_process alive = told_by_child(&child), self = process_self();
    ds_process dead = self, elsewhere = self;
    dead.birth--; // had our number before
    snprintf(elsewhere.machine, sizeof elsewhere.machine, "another boot");
    assert_true(seems_held(&w, &alive, 1000000));
    assert_true(seems_held(&w, &elsewhere, 1000000));
    assert_false(seems_held(&w, &dead, 1000000));
    assert_false(seems_held(&w, &alive, -1000000)); // it has run out
    assert_false(seems_held(&w, &self, 1000000));   // of a job of ours that could not give it back
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    owner o = owner_new(&w);
    assert_true(takes(&o, w.def.name));
    assert_true(is_held_for(&w));
    owner_end(&o);
    assert_false(is_held_for(&w));
    world_close(&w);
}

// By the database's clock; the one who lost it can't write, and notices.
static void an_expired_row_is_taken_over(void **state)
{
    (void)state;
    world w;
    people_world(&w);
    owner a = owner_new(&w), b = owner_new(&w);
    ds_error err;
    assert_true(takes(&a, "P/S"));
    w.clock.fixed_us += VALID_US - 1;
    assert_false(takes(&b, "P/S"));
    OK(writes(&a, "P/S", &err));
    w.clock.fixed_us += 1;
    OK(writes(&a, "P/S", &err)); // nobody has taken it yet
    fake.notes[0] = '\0';
    assert_true(takes(&b, "P/S"));
    assert_string_equal(fake.notes, "+token !token !P/S "); // whatever a still does ends
    OK(lock_check(a.lock, &err));                           // not known yet
    FAILS(writes(&a, "P/S", &err), DS_BUSY, "stream P/S was taken over by another process");
    FAILS(lock_check(a.lock, &err), DS_BUSY, "taken over");
    OK(writes(&b, "P/S", &err));
    owner_end(&a); // gives back nothing that isn't its own
    assert_string_equal(leases(&w), "P/S\n");
    owner_end(&b);
    world_close(&w);
}

static void who_may_be_robbed(void **state)
{
    (void)state;
    world w;
    people_world(&w);
    pid_t child;
    const ds_process alive = told_by_child(&child), self = process_self();
    ds_process gone = self, foreign = gone, nowhere = gone;
    gone.birth--;
    foreign.birth--;
    snprintf(foreign.machine, sizeof foreign.machine, "another boot");
    nowhere.birth--;
    nowhere.machine[0] = '\0';
    const struct {
        const ds_process *process;
        int64_t valid_us;
        bool taken;
    } CASES[] = {
        {&alive, 1, false},   {&alive, 0, true},   {&alive, -1, true},
        {&foreign, 1, false}, {&foreign, 0, true}, {&gone, VALID_US, true},
        {&nowhere, 1, false}, {&nowhere, 0, true}, {&self, VALID_US, true}, // of an owner that is no more
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        put_row(&w, "P/S", CASES[i].process, CASES[i].valid_us);
        owner o = owner_new(&w);
        if (takes(&o, "P/S") != CASES[i].taken)
            fail_msg("case %zu: expected %d", i, CASES[i].taken);
        owner_end(&o);
    }
    world_merge(&w, "DELETE FROM datasurface__lease; INSERT INTO datasurface__lease (stream) VALUES ('P/S')");
    runs(&w); // somebody's hand
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    world_close(&w);
}

static void a_killed_job_holds_up_nobody(void **state)
{
    (void)state;
    for (size_t i = 0; CRASH_POINTS[i]; i++) {
        world w;
        people_world(&w);
        (void)crash_job(&w, CRASH_POINTS[i], 1);
        runs(&w);
        assert_string_equal(leases(&w), "");
        world_close(&w);
    }
}

// The row could not be deleted: the next owner in the same process knows that it means nothing.
static void what_could_not_be_given_back_is_taken(void **state)
{
    (void)state;
    world w;
    people_world(&w);
    ds_job_result result;
    ds_error err;
    atomic_store(&fake.no_delete, true);
    OK(world_job(&w, &result, &err));
    assert_string_equal(leases(&w), "P/S\n");
    OK(world_job(&w, &result, &err));
    atomic_store(&fake.no_delete, false);
    runs(&w);
    assert_string_equal(leases(&w), "");
    world_close(&w);
}

static void interrupted_while_waiting(void **state)
{
    (void)state;
    world w;
    people_world(&w);
    owner o = owner_new(&w);
    assert_true(takes(&o, "P/S"));
    volatile int cancelled = 1;
    w.runtime.cancelled = &cancelled;
    w.options.lease_wait_ms = DEADLINE_MS;
    ds_job_result result;
    ds_error err;
    ds_rc rc = world_job(&w, &result, &err);
    assert_int_equal(rc.code, DS_CANCELLED);
    w.runtime.cancelled = NULL;
    owner_end(&o);
    world_close(&w);
}

static volatile int cancelled;

static void cancel_at(void *context, const char *point)
{
    if (strcmp(point, context) == 0)
        cancelled = 1;
}

static void an_interrupted_job_gives_back(void **state)
{
    (void)state;
    world w;
    people_world(&w);
    w.runtime.cancelled = &cancelled;
    w.runtime.checkpoint = cancel_at;
    w.runtime.checkpoint_context = (void *)(uintptr_t) "begun";
    ds_job_result result;
    ds_error err;
    FAILS(world_job(&w, &result, &err), DS_CANCELLED, "interrupted");
    cancelled = 0;
    w.runtime.cancelled = NULL;
    w.runtime.checkpoint = NULL;
    assert_string_equal(leases(&w), "");
    runs(&w);
    world_close(&w);
}

// --- losing it in the middle of a job

// Somebody else has the stream from here on.
static void take_over_at(void *context, const char *point)
{
    world *w = ((void **)context)[0];
    if (strcmp(point, ((void **)context)[1]) == 0)
        world_merge(w, "UPDATE datasurface__lease SET owner = 'theirs'");
}

static void a_job_that_lost_its_row_commits_nothing(void **state)
{
    (void)state;
    static const char *const POINTS[] = {"leased", "begun", "ingest:dataset", "merging"};
    for (size_t i = 0; i < sizeof POINTS / sizeof POINTS[0]; i++) {
        world w;
        people_world(&w);
        runs(&w);
        world_source(&w, "UPDATE people SET name = 'new'");
        void *context[] = {&w, (void *)(uintptr_t)POINTS[i]};
        w.runtime.checkpoint = take_over_at;
        w.runtime.checkpoint_context = context;
        ds_job_result result;
        ds_error err;
        FAILS(world_job(&w, &result, &err), DS_BUSY, "stream P/S was taken over by another process");
        w.runtime.checkpoint = NULL;
        assert_string_equal(world_query(&w, true, "SELECT name FROM ws_w__g__s__people ORDER BY 1"), "ann\nbob\n");
        assert_string_equal(world_query(&w, true, "SELECT owner FROM datasurface__lease"), "theirs\n");
        world_merge(&w, "DELETE FROM datasurface__lease");
        runs(&w);
        world_close(&w);
    }
}

// --- renewing

static void tick(void)
{
    usleep(TICK_MS * 1000);
}

#define WAIT_FOR(condition)                                                                                            \
    do {                                                                                                               \
        double until_ = clock_elapsed_s() + DEADLINE_MS / 1000.0;                                                      \
        while (!(condition)) {                                                                                         \
            if (clock_elapsed_s() > until_)                                                                            \
                fail_msg("%s: not within the deadline", #condition);                                                   \
            tick();                                                                                                    \
        }                                                                                                              \
    } while (0)

static owner renewing_owner(world *w, int valid_ms)
{
    people_world(w);
    w->runtime.clock = clock_system();
    w->runtime.lease_ms = valid_ms;
    owner o = owner_new(w);
    assert_true(takes(&o, "P/S"));
    return o;
}

static const char *expiry(world *w)
{
    return world_query(w, true, "SELECT expires_at FROM datasurface__lease WHERE stream = 'P/S'");
}

static void a_row_is_renewed(void **state)
{
    (void)state;
    world w;
    owner a = renewing_owner(&w, 4000), b = owner_new(&w); // renewed every second
    int opened = atomic_load(&fake.opened);
    const char *first = expiry(&w);
    assert_false(takes(&b, "P/S"));
    assert_true(takes(&a, "P/T"));
    lock_release(a.lock, "P/T");
    WAIT_FOR(strcmp(expiry(&w), first) > 0);
    ds_error err;
    OK(writes(&a, "P/S", &err));
    OK(lock_check(a.lock, &err));
    assert_false(takes(&b, "P/S"));
    assert_true(atomic_load(&fake.opened) > opened);
    owner_end(&b);
    owner_end(&a);
    world_close(&w);
}

static void a_short_job_opens_nothing_for_its_lease(void **state)
{
    (void)state;
    world w;
    owner o = renewing_owner(&w, LONG_MS);
    int opened = atomic_load(&fake.opened);
    ds_error err;
    OK(writes(&o, "P/S", &err));
    owner_end(&o);
    assert_int_equal(atomic_load(&fake.opened), opened);
    world_close(&w);
}

static bool has_lost(const owner *o, ds_error *err)
{
    return lock_check(o->lock, err).code != DS_OK;
}

static void a_renewal_finds_the_row_taken(void **state)
{
    (void)state;
    world w;
    owner o = renewing_owner(&w, 400);
    world_merge(&w, "UPDATE datasurface__lease SET owner = 'theirs'");
    ds_error err;
    WAIT_FOR(has_lost(&o, &err));
    FAILS(lock_check(o.lock, &err), DS_BUSY, "stream P/S was taken over by another process");
    HINTS("the other process goes on");
    owner_end(&o);
    assert_string_equal(leases(&w), "P/S\n");
    world_close(&w);
}

static void renewals_fail_until_the_row_expires(void **state)
{
    (void)state;
    world w;
    owner o = renewing_owner(&w, 200);
    ds_error err;
    atomic_store(&fake.no_open, true);
    WAIT_FOR(has_lost(&o, &err));
    FAILS(lock_check(o.lock, &err), DS_ENV, "stream P/S: the lease could not be renewed for 200 ms: no way to the");
    atomic_store(&fake.no_open, false);
    owner_end(&o);
    assert_string_equal(leases(&w), "");
    world_close(&w);
}

static void a_renewal_that_fails_is_tried_again(void **state)
{
    (void)state;
    world w;
    owner o = renewing_owner(&w, 4000);
    ds_error err;
    const char *first = expiry(&w);
    atomic_store(&fake.no_open, true);
    double until = clock_elapsed_s() + 1.3; // the first renewal is due after a second
    WAIT_FOR(clock_elapsed_s() > until);
    atomic_store(&fake.no_open, false);
    WAIT_FOR(strcmp(expiry(&w), first) > 0);
    OK(lock_check(o.lock, &err));
    owner_end(&o);
    world_close(&w);
}

// A failure of the connection may be the taker's doing: asked, the row says so.
static void a_failure_is_explained_by_the_loss(void **state)
{
    (void)state;
    world w;
    owner o = renewing_owner(&w, LONG_MS);
    ds_error err;
    FAILS(lock_explain(o.lock, ds_fail(&err, DS_ENV, "cut off"), &err), DS_ENV, "cut off");
    OK(lock_explain(o.lock, DS_DONE, &err));
    atomic_store(&fake.no_open, true);
    FAILS(lock_explain(o.lock, ds_fail(&err, DS_ENV, "cut off"), &err), DS_ENV, "cut off");
    atomic_store(&fake.no_open, false);
    world_merge(&w, "UPDATE datasurface__lease SET owner = 'theirs'");
    FAILS(lock_explain(o.lock, ds_fail(&err, DS_FINDING, "bad data"), &err), DS_FINDING, "bad data");
    FAILS(lock_explain(o.lock, ds_fail(&err, DS_ENV, "cut off"), &err), DS_BUSY, "taken over by another process");
    owner_end(&o);
    world_close(&w);
}

// --- apply

static const estate_model BOTH = {.people = "id: integer primary key, name: text",
                                  .orders = "id: integer primary key, person: integer",
                                  .live = "Store1/people, Store1/orders"};
static const estate_model ONE = {.people = "id: integer primary key, name: text", .live = "Store1/people"};

static void begin(estate *e)
{
    estate_open(e, &rows_driver);
    estate_sql(e, "source.db",
               "CREATE TABLE people (id INTEGER, name TEXT); INSERT INTO people VALUES (1, 'a'), (2, 'b');"
               "CREATE TABLE orders (id INTEGER, person INTEGER); INSERT INTO orders VALUES (7, 1)");
    estate_use(e, &ONE);
}

static void apply_owns_by_rows(void **state)
{
    (void)state;
    estate e;
    begin(&e);
    estate_apply(&e); // the first one makes the table of its own lease
    estate_job(&e, "P/Store1");
    fake.notes[0] = '\0';
    estate_use(&e, &BOTH);
    estate_apply(&e);
    assert_string_equal(fake.notes,
                        "+token !apply +token !P/Store1 +token !ddl +apply +P/Store1 +token +apply +token ");
    estate_job(&e, "P/Store1");
    assert_string_equal(estate_query(&e, "merge.db", LEASES), "");
    estate_use(&e, &(estate_model){.people = ONE.people});
    estate_prune(&e);
    assert_string_equal(estate_query(&e, "merge.db", LEASES), "");
    estate_close(&e);
}

static void apply_waits_for_jobs(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"apply", "P/Store1"};
    for (size_t i = 0; i < 2; i++) {
        estate e;
        begin(&e);
        estate_apply(&e);
        ds_control *control;
        ds_error err;
        OK(control_open(&e.runtime, &e.deployment->merge, CONTROL_WRITE, &control, &err));
        ds_lock *lock = lock_new(control, "test");
        bool held;
        OK(lock_take(lock, NAMES[i], 0, &held, &err));
        assert_true(held);
        estate_use(&e, &BOTH);
        volatile int now = 1;
        e.runtime.cancelled = &now;
        ds_rc rc = plan_apply(&e.runtime, estate_plan(&e, false), NULL, &err);
        assert_int_equal(rc.code, DS_CANCELLED);
        e.runtime.cancelled = NULL;
        lock_free(lock);
        control_close(control);
        estate_apply(&e);
        estate_close(&e);
    }
}

static void take_apply_at(void *context, const char *point)
{
    if (strcmp(point, "apply:control") == 0)
        estate_sql(context, "merge.db", "UPDATE datasurface__lease SET owner = 'theirs' WHERE stream = 'apply'");
}

static void an_apply_that_was_overtaken_stops(void **state)
{
    (void)state;
    estate e;
    begin(&e);
    e.runtime.checkpoint = take_apply_at;
    e.runtime.checkpoint_context = &e;
    ds_error err;
    FAILS(plan_apply(&e.runtime, estate_plan(&e, false), NULL, &err), DS_BUSY,
          "apply was taken over by another process");
    e.runtime.checkpoint = NULL;
    assert_string_equal(estate_query(&e, "merge.db", "SELECT name FROM datasurface__stream"), "");
    estate_sql(&e, "merge.db", "DELETE FROM datasurface__lease");
    estate_apply(&e);
    estate_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_gone),
        cmocka_unit_test(one_that_lives_is_not_gone),
        cmocka_unit_test_setup(jobs_run_under_rows, reset_fake),
        cmocka_unit_test_setup(one_has_it_until_it_gives_it_back, reset_fake),
        cmocka_unit_test_setup(what_schedulers_see, reset_fake),
        cmocka_unit_test_setup(an_expired_row_is_taken_over, reset_fake),
        cmocka_unit_test_setup(who_may_be_robbed, reset_fake),
        cmocka_unit_test_setup(a_killed_job_holds_up_nobody, reset_fake),
        cmocka_unit_test_setup(what_could_not_be_given_back_is_taken, reset_fake),
        cmocka_unit_test_setup(interrupted_while_waiting, reset_fake),
        cmocka_unit_test_setup(an_interrupted_job_gives_back, reset_fake),
        cmocka_unit_test_setup(a_job_that_lost_its_row_commits_nothing, reset_fake),
        cmocka_unit_test_setup(a_row_is_renewed, reset_fake),
        cmocka_unit_test_setup(a_short_job_opens_nothing_for_its_lease, reset_fake),
        cmocka_unit_test_setup(a_renewal_finds_the_row_taken, reset_fake),
        cmocka_unit_test_setup(renewals_fail_until_the_row_expires, reset_fake),
        cmocka_unit_test_setup(a_renewal_that_fails_is_tried_again, reset_fake),
        cmocka_unit_test_setup(a_failure_is_explained_by_the_loss, reset_fake),
        cmocka_unit_test_setup(apply_owns_by_rows, reset_fake),
        cmocka_unit_test_setup(apply_waits_for_jobs, reset_fake),
        cmocka_unit_test_setup(an_apply_that_was_overtaken_stops, reset_fake),
    };
    return cmocka_run_group_tests(tests, make_driver, NULL);
}
