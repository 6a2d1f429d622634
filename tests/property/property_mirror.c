// Random changes under a primary, and a mirror that looks now and then: it holds what the primary held at the batch
// whose number it has, version by version where both keep them; while the primary commits beside it, and when it is
// killed.
#include <stdio.h>

#include "property/property.h"
#include "support/crash.h"
#include "support/mirror.h"
#include "support/truth.h"

enum { KEYS = 30, LOOKS = 8, VALUES = 5 };

typedef struct form {
    const char *columns, *row;
    bool keyless;
} form;
static const form FORMS[] = {
    {"id integer primary key; a varchar(20); b decimal(7,2); c timestamp", "(%d, %s, %s, '2024-02-%02d 10:00:00')",
     false},
    {"k1 varchar(10) primary key; k2 integer primary key; a text; b decimal(7,2); c date",
     "('%1$d', %1$d, %2$s, %3$s, '2024-02-%4$02d')", false},
    {"n integer; a text; b decimal(7,2); c date", "(%d, %s, %s, '2024-02-%02d')", true},
};
static const char *const TEXTS[VALUES] = {"NULL", "''", "'x'", "'O''Brien'", "'\xF0\x9F\x98\x80'"};
static const char *const NUMBERS[VALUES] = {"NULL", "0", "1.1", "12.50", "-99999.99"};

typedef struct scene {
    world primary, mirror, replica; // the replica is the mirror's, in the other database
    const form *form;
    int values[KEYS]; // -1: no such row
    bool exact;       // the mirror took versions only, never rows
    int64_t batch;    // the primary's last one
    const char *live, *versions;
    const char *seen; // what consumers of the mirror see
} scene;

static void write_source(scene *s)
{
    CLEANUP(buf_release) ds_buf sql = BUF_INIT(1 << 20);
    buf_puts(&sql, "DELETE FROM t");
    const char *comma = ";INSERT INTO t VALUES ";
    for (int k = 0; k < KEYS; k++) {
        int v = s->values[k];
        if (v < 0)
            continue;
        char row[200];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(row, sizeof row, s->form->row, s->form->keyless ? k % 7 : k, TEXTS[v], NUMBERS[v], 1 + v);
#pragma GCC diagnostic pop
        buf_printf(&sql, "%s%s", comma, row);
        comma = ", ";
    }
    world_source(&s->primary, buf_text(&sql));
}

static void mutate(scene *s)
{
    for (int i = below(12); i > 0; i--)
        s->values[below(KEYS)] = below(VALUES + 2) - 2 < 0 ? -1 : below(VALUES);
    if (below(20) == 0)
        for (int k = 0; k < KEYS; k++)
            s->values[k] = -1;
    write_source(s);
}

static void run_primary(scene *s)
{
    ds_job_result result;
    ds_error err;
    mutate(s);
    if (world_job(&s->primary, &result, &err).code != DS_OK)
        fail_msg("primary: %s", err.text);
    s->batch = result.batch;
    s->live = mirror_versions(&s->primary, 0, true);
    s->versions = mirror_versions(&s->primary, 0, false);
}

// --- the primary commits while the mirror is at that point

typedef struct race {
    scene *scene;
    const char *point;
} race;

static void commit_beside(void *context, const char *point)
{
    race *r = context;
    if (!r->point || strcmp(point, r->point) != 0)
        return;
    r->point = NULL;
    run_primary(r->scene);
}

static ds_rc run_mirror(scene *s, bool races, ds_job_result *result, ds_error *err)
{
    static const char *const POINTS[] = {"begun", "ingest:dataset", "merging"};
    race r = {s, races ? POINTS[below(3)] : NULL};
    world *m = &s->mirror;
    m->runtime.checkpoint = commit_beside;
    m->runtime.checkpoint_context = &r;
    ds_rc rc = world_job(m, result, err);
    m->runtime.checkpoint = NULL;
    return rc;
}

// --- what must hold

static void check_truth(scene *s)
{
    world *worlds[] = {&s->primary, &s->mirror};
    for (int i = 0; i < 2; i++)
        assert_string_equal(truth_broken(&worlds[i]->runtime, &worlds[i]->merge, &worlds[i]->def, s->primary.arena),
                            "");
}

static void look(scene *s, bool may_race)
{
    bool races = may_race && below(3) == 0;
    const char *live = s->live, *versions = s->versions, *rows = world_live(&s->primary);
    int64_t batch = s->batch;
    ds_job_result result;
    ds_error err;
    ds_rc rc = run_mirror(s, races, &result, &err);
    if (rc.code != DS_OK)
        fail_msg("mirror at batch %lld: %s", (long long)batch, err.text);
    check_truth(s);
    assert_true(!s->mirror.options.verify || result.equal);
    if (result.batch && result.batch != batch) // it had read an earlier one before it was killed
        return;
    assert_string_equal(world_live(&s->mirror), rows);
    if (!s->exact)
        return;
    assert_string_equal(mirror_versions(&s->mirror, 0, true), live);
    if (s->mirror.def.milestoning != MILESTONING_SCD1)
        assert_string_equal(mirror_versions(&s->mirror, 0, false), versions);
}

// It has the same name of a database as if it were the primary's.
static void open_replica(scene *s)
{
    world mirror = s->mirror;
    mirror.source = s->primary.source;
    mirror.drivers[PAIR_SOURCE] = s->primary.drivers[PAIR_SOURCE];
    mirror_open(&s->replica, &mirror, s->mirror.def.milestoning, MIRROR_REPLICA);
    s->replica.def.staging_full = false;
    world_apply(&s->replica);
}

// After a look, and now and then later.
static void look_at_mirror(scene *s)
{
    ds_job_result result;
    ds_error err;
    if (below(2) == 0)
        return;
    if (below(4) == 0)
        crash_job(&s->replica, CRASH_POINTS[below(6)], 1);
    if (world_job(&s->replica, &result, &err).code != DS_OK || world_job(&s->replica, &result, &err).code != DS_OK)
        fail_msg("replica: %s", err.text);
    assert_string_equal(truth_broken(&s->replica.runtime, &s->replica.merge, &s->replica.def, s->primary.arena), "");
    assert_string_equal(world_live(&s->replica), world_live(&s->mirror));
    if (s->exact && s->mirror.def.milestoning != MILESTONING_SCD1)
        assert_string_equal(mirror_versions(&s->replica, 0, false), mirror_versions(&s->mirror, 0, false));
}

static void open_scene(scene *s, const test_pair *pair, const form *f, ds_milestoning from, ds_milestoning to,
                       mirror_place place)
{
    *s = (scene){.form = f, .live = "", .versions = ""};
    for (int k = 0; k < KEYS; k++)
        s->values[k] = below(3) ? -1 : below(VALUES);
    world_open_on(&s->primary, pair, from);
    world_dataset(&s->primary, "t", f->columns);
    world_apply(&s->primary);
    mirror_open(&s->mirror, &s->primary, to, place);
    s->mirror.def.staging_full = below(6) == 0;
    s->mirror.def.chunk_rows = below(3) ? 0 : 3;
    s->exact = from != MILESTONING_SCD1 && !s->mirror.def.staging_full;
    world_apply(&s->mirror);
    open_replica(s);
}

static void one_scene(const test_pair *pair, const form *f, ds_milestoning from, ds_milestoning to, mirror_place place)
{
    scene s;
    pair_clear(pair);
    open_scene(&s, pair, f, from, to, place);
    for (int i = 0; i < LOOKS; i++) {
        for (int n = below(3); n >= 0; n--)
            run_primary(&s);
        s.mirror.options.verify = below(4) == 0;
        if (below(3) == 0)
            crash_job(&s.mirror, CRASH_POINTS[below(6)], 1 + below(2));
        if (below(4) == 0)
            run_primary(&s);
        look(&s, true);
        look_at_mirror(&s);
    }
    look(&s, false);
    look(&s, false); // nothing to do, or what a race left
    world_close(&s.primary);
}

static void scenes(void **state)
{
    const test_pair *pair = *state;
    for (int i = 0; i < property_rounds(pair, 6); i++)
        for (int from = MILESTONING_SCD1; from <= MILESTONING_SCD4; from++)
            for (int to = MILESTONING_SCD1; to <= MILESTONING_SCD4; to++) {
                bool live = from == MILESTONING_SCD1 && to == MILESTONING_SCD1;
                one_scene(pair, &FORMS[below(live ? 3 : 2)], (ds_milestoning)from, (ds_milestoning)to,
                          below(2) ? MIRROR_SAME : MIRROR_OTHER);
            }
}

int main(int argc, char **argv)
{
    return property_main(argc, argv, scenes);
}
