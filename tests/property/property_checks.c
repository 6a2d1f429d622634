// Random tables, random changes, random sets of checks: a batch goes through exactly when every row of the source
// passes every check of the definition in force, whatever was staged, loaded or left alone; when it doesn't, the
// message counts the rows, and consumers see what they saw before.
#include <stdio.h>

#include "property/property.h"
#include "support/truth.h"
#include "support/world.h"

enum { SLOTS = 14, STEPS = 14, CHECK_COUNT = 6 };

// --- the oracle: one slot per key; without a key equal rows may stand side by side

typedef struct slot {
    bool there;
    int a, b, c; // of the values below; 0 is null
} slot;
typedef struct table {
    slot slots[SLOTS];
} table;

static const char *const AS[] = {"NULL", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"};
static const char *const BS[] = {"NULL",  "'-12345678901234567.25'", "'-9.5'", "'0'", "'2'", "'10'", "'99.99'",
                                 "'1000'"};
static const char *const CS[] = {"NULL", "''", "'x'", "'X'", "'O''Brien'", "'y'"};
#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])
static const double B_VALUES[] = {0, -12345678901234567.25, -9.5, 0, 2, 10, 99.99, 1000};

static bool shares(const table *t, int i, const char *columns)
{
    const slot *s = &t->slots[i];
    for (int k = 0; k < SLOTS; k++) {
        const slot *o = &t->slots[k];
        if (k == i || !o->there)
            continue;
        bool same = true;
        for (const char *p = columns; *p; p++) {
            int mine = *p == 'a' ? s->a : *p == 'b' ? s->b : s->c, other = *p == 'a' ? o->a : *p == 'b' ? o->b : o->c;
            same = same && mine && mine == other;
        }
        if (same)
            return true;
    }
    return false;
}

static bool breaks_not_null(const table *t, int i)
{
    return t->slots[i].a == 0;
}

static bool breaks_unique_a_c(const table *t, int i)
{
    return shares(t, i, "ac");
}

static bool breaks_unique_b(const table *t, int i)
{
    return shares(t, i, "b");
}

static bool breaks_range(const table *t, int i)
{
    double b = B_VALUES[t->slots[i].b];
    return t->slots[i].b && (b < -9.5 || b > 99.99);
}

static bool breaks_least(const table *t, int i)
{
    return t->slots[i].b && B_VALUES[t->slots[i].b] < 0;
}

static bool breaks_sql(const table *t, int i)
{
    return t->slots[i].c == 2 && t->slots[i].a > 5;
}

typedef struct known {
    ds_check_def def;
    bool (*broken)(const table *t, int i);
    const char *name;
} known;
static const char *const A_C[] = {"a", "c"}, *const B[] = {"b"};
// In the order in which a definition has them.
static const known CHECKS[CHECK_COUNT] = {
    {{.kind = CHECK_NOT_NULL, .columns = A_C, .column_count = 1}, breaks_not_null, "not_null(a)"},
    {{.kind = CHECK_UNIQUE, .columns = A_C, .column_count = 2}, breaks_unique_a_c, "unique(a, c)"},
    {{.kind = CHECK_UNIQUE, .columns = B, .column_count = 1}, breaks_unique_b, "unique(b)"},
    {{.kind = CHECK_RANGE, .columns = B, .column_count = 1, .min = "-9.5", .max = "99.99"},
     breaks_range,
     "range(b -9.5..99.99)"},
    {{.kind = CHECK_RANGE, .columns = B, .column_count = 1, .min = "0"}, breaks_least, "range(b 0..)"},
    {{.kind = CHECK_SQL, .sql = "c <> 'x' OR a <= 5"}, breaks_sql, "sql(c <> 'x' OR a <= 5)"},
};

static int count_broken(const table *t, const known *check)
{
    int n = 0;
    for (int i = 0; i < SLOTS; i++)
        n += t->slots[i].there && check->broken(t, i);
    return n;
}

// What the message must say of the first one that fails; "" when all is well.
static const char *expected(const table *t, unsigned wanted, ds_arena *arena)
{
    for (int i = 0; i < CHECK_COUNT; i++) {
        int n = wanted >> i & 1 ? count_broken(t, &CHECKS[i]) : 0;
        if (n)
            return arena_printf(arena, "check %s of t failed for %d row%s: ", CHECKS[i].name, n, n == 1 ? "" : "s");
    }
    return "";
}

// --- the world

typedef struct form {
    const char *columns;
    bool keyed;
} form;
static const form FORMS[] = {{"id integer primary key; a integer; b decimal(30,2); c varchar(20)", true},
                             {"a integer; b decimal(30,2); c varchar(20)", false}};

static void write_source(world *w, const form *f, const table *t)
{
    CLEANUP(buf_release) ds_buf sql = BUF_INIT(1 << 16);
    buf_puts(&sql, "DELETE FROM t");
    const char *comma = ";INSERT INTO t VALUES ";
    for (int k = 0; k < SLOTS; k++) {
        const slot *s = &t->slots[k];
        if (!s->there)
            continue;
        buf_printf(&sql, "%s(", comma);
        if (f->keyed)
            buf_printf(&sql, "%d, ", k);
        buf_printf(&sql, "%s, %s, %s)", AS[s->a], BS[s->b], CS[s->c]);
        comma = ", ";
    }
    world_source(w, buf_text(&sql));
}

static void mutate(table *t, int churn)
{
    for (int i = 0; i < churn; i++) {
        slot *s = &t->slots[below(SLOTS)];
        *s = (slot){.there = below(4) > 0, .a = below(COUNT(AS)), .b = below(COUNT(BS)), .c = below(COUNT(CS))};
    }
}

static void choose_checks(world *w, unsigned wanted)
{
    ds_check_def *checks = ARENA_ARRAY(w->arena, ds_check_def, CHECK_COUNT);
    size_t n = 0;
    for (int i = 0; i < CHECK_COUNT; i++)
        if (wanted >> i & 1)
            checks[n++] = CHECKS[i].def;
    w->datasets[0].checks = checks;
    w->datasets[0].check_count = n;
    world_apply(w);
}

// At most two at a time: more are nearly always broken.
static unsigned some_checks(void)
{
    return below(6) == 0 ? 0 : 1u << below(CHECK_COUNT) | 1u << below(CHECK_COUNT);
}

typedef struct tally {
    int passed, failed;
} tally;

// One state of the source; true when it went through.
static bool step(world *w, const table *now, unsigned wanted, const char **seen)
{
    ds_job_result result;
    ds_error err;
    const char *wrong = expected(now, wanted, w->arena);
    ds_rc rc = world_job(w, &result, &err);
    const char *broken = truth_broken(&w->runtime, &w->merge, &w->def, w->arena);
    assert_string_equal(broken, "");
    if (wrong[0]) {
        FAILS(rc, DS_FINDING, wrong);
    } else {
        OK(rc);
        *seen = world_rows_of(w, PAIR_SOURCE, (ds_relation){w->datasets[0].source_schema, "t"});
    }
    assert_string_equal(world_live(w), *seen);
    return !wrong[0];
}

static void one_sequence(const test_pair *pair, const form *f, ds_milestoning milestoning, tally *sum)
{
    world w;
    pair_clear(pair);
    world_open_on(&w, pair, milestoning);
    world_dataset(&w, "t", f->columns);
    w.def.max_delete_ratio = 1;
    w.def.staging_full = below(4) == 0;
    w.def.staging_batches = below(3) == 0 ? STAGING_BATCHES_ALL : below(4);
    unsigned wanted = some_checks();
    choose_checks(&w, wanted);
    table good = {0}, now = {0};
    const char *seen = "";
    for (int i = 0; i < STEPS; i++) {
        mutate(&now, below(3) ? 1 + below(2) : 0);
        if (below(5) == 0)
            choose_checks(&w, wanted = some_checks());
        write_source(&w, f, &now);
        bool passed = step(&w, &now, wanted, &seen);
        sum->passed += passed;
        sum->failed += !passed;
        if (passed)
            good = now;
        else if (below(2))
            now = good;
    }
    world_close(&w);
}

static void sequences(void **state)
{
    const test_pair *pair = *state;
    int rounds = property_rounds(pair, 20);
    tally sum = {0};
    for (int i = 0; i < rounds; i++)
        for (int f = 0; f < COUNT(FORMS); f++)
            for (int m = MILESTONING_SCD1; m <= MILESTONING_SCD4; m++)
                if (FORMS[f].keyed || m == MILESTONING_SCD1)
                    one_sequence(pair, &FORMS[f], (ds_milestoning)m, &sum);
    print_message("%d batches went through, %d failed\n", sum.passed, sum.failed);
    assert_true(sum.passed > rounds && sum.failed > rounds);
}

int main(int argc, char **argv)
{
    return property_main(argc, argv, sequences);
}
