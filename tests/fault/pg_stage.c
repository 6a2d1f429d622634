#include "fault/pg_stage.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "support/check.h"
#include "support/dump.h"
#include "support/truth.h"

enum { BUSY_MS = 1000, PATIENT_MS = 20000, WATCHDOG_S = 60 };
#define COLUMNS "id integer primary key; name varchar(200); code varchar(10)"

const char *const STAGE_SIDES[PAIR_SIDES] = {"Source", "Merge"};
const char *const SCENARIOS[] = {"first load", "changes", "merge", "idle"};

// --- the watchdog

static const char *current = "";

static void on_alarm(int signal)
{
    (void)signal;
    static const char SAYS[] = "it hangs: ";
    if (write(STDERR_FILENO, SAYS, sizeof SAYS - 1) > 0 && write(STDERR_FILENO, current, strlen(current)) > 0)
        (void)!write(STDERR_FILENO, "\n", 1);
    _exit(1);
}

void stage_begin_case(const char *label)
{
    current = label;
    signal(SIGALRM, on_alarm);
    alarm(WATCHDOG_S);
}

void stage_end_case(void)
{
    alarm(0);
}

const char *stage_case(void)
{
    return current;
}

// --- life

void stage_open(stage *s, const char *host)
{
    *s = (stage){.pair = {.name = "postgres"}, .stall_ms = STAGE_STALL_MS};
    pg_database_new(host ? host : pgserver_shared(), &s->pair.postgres);
    pg_tap_init(&s->tap);
    s->pair.drivers[PAIR_SOURCE] = s->pair.drivers[PAIR_MERGE] = &s->tap.driver;
    for (int side = 0; side < PAIR_SIDES; side++)
        s->proxies[side] = netproxy_new(s->pair.postgres.host, s->pair.postgres.port);
}

void stage_close(stage *s)
{
    for (int side = 0; side < PAIR_SIDES; side++)
        netproxy_free(s->proxies[side]);
    pair_close(&s->pair);
}

void stage_heal(stage *s)
{
    for (int side = 0; side < PAIR_SIDES; side++)
        netproxy_set(s->proxies[side], (netproxy_plan){.fault = NETPROXY_PASS});
}

ds_container_def stage_direct(const stage *s, int side)
{
    return pair_container(&s->pair, side);
}

static ds_container_def through(const stage *s, int side)
{
    ds_container_def out = stage_direct(s, side);
    out.host = "127.0.0.1";
    out.port = netproxy_port(s->proxies[side]);
    return out;
}

static void fill(stage *s)
{
    pg_exec_text(&s->pair.postgres,
                 "INSERT INTO people SELECT i, repeat('name', 20) || i, 'c' || i % 7 FROM generate_series(1, 400) AS i;"
                 "INSERT INTO towns SELECT i, 'town ' || i, 't' FROM generate_series(1, 20) AS i");
    s->inserted = 420;
    s->updated = 0;
}

void stage_open_world(stage *s)
{
    stage_heal(s);
    world_open_on(&s->w, &s->pair, MILESTONING_SCD2);
    s->w.source = s->w.def.source = through(s, PAIR_SOURCE);
    s->w.merge = through(s, PAIR_MERGE);
    s->w.def.chunk_rows = 50;
    world_dataset(&s->w, "people", COLUMNS);
    world_dataset(&s->w, "towns", COLUMNS);
    world_apply(&s->w);
    fill(s);
    stage_finish(s);
}

void stage_close_world(stage *s)
{
    stage_heal(s);
    world_close(&s->w);
    pair_clear(&s->pair);
}

void stage_change(stage *s)
{
    static int version;
    version++;
    pg_exec_text(&s->pair.postgres, arena_printf(s->w.arena,
                                                 "UPDATE people SET code = 'n%d' WHERE id %% 4 = 0;"
                                                 "UPDATE towns SET code = 'n%d' WHERE id = 7",
                                                 version, version));
    s->updated += 101;
}

static void forget_all(stage *s)
{
    const pg_database *db = &s->pair.postgres;
    pg_exec_text(db, "DELETE FROM datasurface.dataset_batch; DELETE FROM datasurface.batch; "
                     "DELETE FROM datasurface.event");
    for (size_t i = 0; i < s->w.def.dataset_count; i++)
        pg_exec_text(db, arena_printf(s->w.arena, "DELETE FROM %s; DROP TABLE IF EXISTS %s",
                                      world_name(&s->w, s->w.datasets[i].merge),
                                      world_name(&s->w, s->w.datasets[i].staging)));
    world_apply(&s->w); // views without rows
    s->inserted = 420;
    s->updated = 0;
}

void stage_prepare(stage *s, scenario what)
{
    if (what == FIRST_LOAD)
        forget_all(s);
    if (what == CHANGES || what == MERGE)
        stage_change(s);
}

// --- jobs, and what must be true after them

static ds_rc run_job(stage *s, int stall_ms, ds_error *err)
{
    ds_job_result result;
    *err = (ds_error){0};
    s->tap.stall_timeout_ms = stall_ms;
    s->tap.busy_timeout_ms = BUSY_MS;
    ds_rc rc = world_job(&s->w, &result, err);
    s->tap.stall_timeout_ms = s->tap.busy_timeout_ms = 0;
    return rc;
}

ds_rc stage_job(stage *s, ds_error *err)
{
    return run_job(s, s->stall_ms, err);
}

static const char *rows(stage *s, const char *relation)
{
    const char *select = arena_printf(s->w.arena, "SELECT id, name, code FROM %s ORDER BY id", relation);
    return pg_query_text(&s->pair.postgres, select, s->w.arena);
}

void stage_check_equal(stage *s)
{
    for (size_t i = 0; i < s->w.def.dataset_count; i++)
        if (strcmp(rows(s, s->w.datasets[i].name), rows(s, world_name(&s->w, s->w.datasets[i].views[0].relation))) != 0)
            fail_msg("%s: consumers of %s see something else than the source has", current, s->w.datasets[i].name);
}

// Every change is counted in one committed batch.
static void check_counts(stage *s)
{
    const char *are = pg_query_text(&s->pair.postgres,
                                    "SELECT sum(rows_inserted), sum(rows_updated), sum(rows_deleted) FROM "
                                    "datasurface.batch WHERE status = 'committed'",
                                    s->w.arena);
    const char *should = arena_printf(s->w.arena, "%d|%d|0\n", (int)s->inserted, (int)s->updated);
    if (strcmp(are, should) != 0)
        fail_msg("%s: committed batches count %sinstead of %s", current, are, should);
}

void stage_check_outcome(ds_rc rc, const ds_error *err)
{
    bool clear = (rc.code == DS_ENV || rc.code == DS_BUSY) && err->text[0] && err->hint[0];
    if (rc.code != DS_OK && (!clear || strstr(err->text, PG_PASSWORD)))
        fail_msg("%s: code %d: %s (%s)", current, (int)rc.code, err->text, err->hint);
}

void stage_finish(stage *s)
{
    ds_error err;
    ds_rc rc = run_job(s, PATIENT_MS, &err); // the machine may be slow
    if (rc.code != DS_OK)
        fail_msg("%s: the run afterwards failed: code %d: %s", current, (int)rc.code, err.text);
    stage_check_equal(s);
    check_counts(s);
    const char *broken = truth_broken(&s->w.runtime, &s->w.merge, &s->w.def, s->w.arena);
    if (*broken)
        fail_msg("%s:\n%s", current, broken);
}

int64_t stage_committed(stage *s)
{
    return dump_committed(&s->w.runtime, &s->w.merge, s->w.def.name);
}

// --- slow statements

void stage_make_slow(stage *s, const char *when)
{
    bool each_row = strstr(when, "INSERT") != NULL;
    const char *table = world_name(&s->w, s->w.datasets[0].merge);
    pg_exec_text(&s->pair.postgres,
                 arena_printf(s->w.arena,
                              "CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS "
                              "$$ BEGIN PERFORM pg_sleep(2); RETURN NEW; END $$; "
                              "CREATE TRIGGER slow %s ON %s FOR EACH %s EXECUTE FUNCTION public.slow()",
                              when, table, each_row ? "ROW WHEN (NEW.id = 1)" : "STATEMENT"));
    s->stall_ms = STAGE_SHORT_MS;
}

void stage_make_fast(stage *s)
{
    pg_exec_text(&s->pair.postgres, "DROP FUNCTION public.slow() CASCADE");
    s->stall_ms = STAGE_STALL_MS;
}
