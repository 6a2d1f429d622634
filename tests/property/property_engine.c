// Random tables and random change sequences, every strategy: after each batch the live rows equal the source, as-of(b)
// equals the source as it was at every batch b, counts equal those of an in-memory comparison, verify is equal.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "store/sqlite/sqlite.h"
#include "support/world.h"

enum { KEYS = 40, BATCHES = 8, ROW_TEXT = 400 };

static uint64_t random_state;

static uint64_t next_random(void) // xorshift64*
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(2685821657736338717);
}

static int below(int n)
{
    return (int)((next_random() >> 33) % (uint64_t)n);
}

// The oracle's source: one slot per key; multisets use a copy count.
typedef struct slot {
    int copies; // 0: absent
    int a, b, c;
} slot;
typedef struct table {
    slot slots[KEYS];
} table;

static const char *const TEXTS[] = {"NULL",
                                    "''",
                                    "'x'",
                                    "'X'",
                                    "' x'",
                                    "'O''Brien'",
                                    "'\xF0\x9F\x98\x80'",
                                    "'1e5'",
                                    "'long text that does not fit into anything small'"};
static const char *const NUMBERS[] = {"NULL", "0", "-0.0", "1.1", "12.50", "-99999.99", "3"};
static const char *const DATES[] = {"NULL", "'2024-02-29'", "'0001-01-01'", "'9999-12-31'"};
enum { TEXT_N = 9, NUMBER_N = 7, DATE_N = 4 };

typedef struct form {
    const char *columns;
    int key; // 0 multiset, 1 single, 2 composite
} form;
static const form FORMS[] = {
    {"id integer primary key; a varchar(100); b decimal(7,2); c date", 1},
    {"k1 varchar(10) primary key; k2 varchar(10) primary key; a text; b decimal(7,2); c date", 2},
    {"a text; b decimal(7,2); c date", 0},
};

static void print_row(char out[ROW_TEXT], const form *f, int key, const slot *s)
{
    char keys[64] = "";
    if (f->key == 1)
        snprintf(keys, sizeof keys, "%d, ", key);
    if (f->key == 2) // pairs that a concatenation would mix up
        snprintf(keys, sizeof keys, "'%d', '%d', ", key % 4 == 0 ? 1 : 11, key % 4 == 0 ? 1000 + key : key);
    snprintf(out, ROW_TEXT, "%s%s, %s, %s", keys, TEXTS[s->a], NUMBERS[s->b], DATES[s->c]);
}

static void mutate(table *t, const form *f, int churn)
{
    for (int i = 0; i < churn; i++) {
        slot *s = &t->slots[below(KEYS)];
        if (s->copies && below(3) == 0) {
            s->copies = f->key ? 0 : s->copies - 1;
            continue;
        }
        if (!s->copies || f->key)
            *s = (slot){s->copies, below(TEXT_N), below(NUMBER_N), below(DATE_N)};
        s->copies = f->key ? 1 : s->copies + 1;
    }
}

static void write_source(world *w, const form *f, const table *t)
{
    CLEANUP(buf_release) ds_buf sql = BUF_INIT(1 << 20);
    buf_puts(&sql, "DELETE FROM t");
    for (int k = 0; k < KEYS; k++) {
        char row[ROW_TEXT];
        print_row(row, f, k, &t->slots[k]);
        for (int i = 0; i < t->slots[k].copies; i++)
            buf_printf(&sql, ";INSERT INTO t VALUES (%s)", row);
    }
    world_source(w, buf_text(&sql));
}

#define VALUES "quote(a), quote(b + 0), quote(c)"

static const char *ordered(world *w, const form *f, const char *from, bool merge)
{
    const char *keys = f->key == 1 ? "quote(id), " : f->key == 2 ? "quote(k1), quote(k2), " : "";
    const char *order = f->key == 2 ? "1, 2, 3, 4, 5" : f->key == 1 ? "1, 2, 3, 4" : "1, 2, 3";
    return world_query(w, merge, arena_printf(w->arena, "SELECT %s" VALUES " FROM %s ORDER BY %s", keys, from, order));
}

static void expect_counts(const form *f, const table *old, const table *now, const ds_counts *counts)
{
    if (!f->key)
        return; // equal rows of different slots are one multiset entry
    int inserted = 0, updated = 0, deleted = 0;
    for (int k = 0; k < KEYS; k++) {
        const slot *o = &old->slots[k], *n = &now->slots[k];
        bool zero_same =
            NUMBERS[o->b] == NUMBERS[n->b] || (below(1) == 0 && (o->b == 1 || o->b == 2) && (n->b == 1 || n->b == 2));
        inserted += n->copies && !o->copies;
        deleted += o->copies && !n->copies;
        updated += o->copies && n->copies && (o->a != n->a || o->c != n->c || (o->b != n->b && !zero_same));
    }
    assert_int_equal(counts->inserted, inserted);
    assert_int_equal(counts->updated, updated);
    assert_int_equal(counts->deleted, deleted);
}

static const char *as_of(world *w, const form *f, int b)
{
    const char *merge = w->datasets[0].merge.name, *history = w->datasets[0].history.name;
    const char *columns = f->key == 1 ? "id, a, b, c" : f->key == 2 ? "k1, k2, a, b, c" : "a, b, c";
    if (w->def.milestoning == MILESTONING_SCD2)
        return ordered(w, f, arena_printf(w->arena, "%s WHERE ds_batch_in <= %d AND ds_batch_out >= %d", merge, b, b),
                       true);
    return ordered(w, f,
                   arena_printf(w->arena,
                                "(SELECT %s FROM %s WHERE ds_batch_in <= %d UNION ALL SELECT %s FROM %s WHERE "
                                "ds_batch_in <= %d AND ds_batch_out >= %d)",
                                columns, merge, b, columns, history, b, b),
                   true);
}

static void one_sequence(const form *f, ds_milestoning milestoning)
{
    world w;
    world_open(&w, &SQLITE_DRIVER, milestoning);
    world_dataset(&w, "t", f->columns);
    w.def.staging_full = below(4) == 0;
    w.def.staging_batches = below(3) == 0 ? STAGING_BATCHES_ALL : below(4);
    w.def.chunk_rows = below(3) ? 0 : 3;
    w.def.memory_bytes = below(3) ? 0 : 600; // a few ranges
    world_apply(&w);
    table old = {0}, now = {0};
    const char *snapshots[BATCHES + 1];
    const char *view = w.datasets[0].views[0].relation.name;
    for (int b = 1; b <= BATCHES; b++) {
        if (below(4))
            mutate(&now, f, below(30));
        if (below(10) == 0)
            now = (table){0};
        write_source(&w, f, &now);
        snapshots[b] = ordered(&w, f, "t", false);
        w.options.verify = below(2) == 0;
        ds_job_result result;
        ds_error err;
        ds_rc rc = world_job(&w, &result, &err);
        if (rc.code != DS_OK)
            fail_msg("batch %d: %s", b, err.text);
        assert_int_equal(result.batch, b);
        expect_counts(f, &old, &now, &result.counts);
        assert_true(!w.options.verify || result.equal);
        assert_string_equal(ordered(&w, f, view, true), snapshots[b]);
        for (int past = 1; past <= b && milestoning != MILESTONING_SCD1; past++)
            assert_string_equal(as_of(&w, f, past), snapshots[past]);
        old = now;
    }
    world_close(&w);
}

static int rounds(void)
{
    const char *wanted = getenv("DS_ROUNDS");
    return wanted ? (int)strtol(wanted, NULL, 10) : 25;
}

static void sequences(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(); i++)
        for (int f = 0; f < 3; f++)
            for (int m = MILESTONING_SCD1; m <= MILESTONING_SCD4; m++)
                if (FORMS[f].key || m == MILESTONING_SCD1)
                    one_sequence(&FORMS[f], (ds_milestoning)m);
}

int main(void)
{
    const char *seed = getenv("DS_SEED");
    random_state = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL) * 2654435761u + 1;
    print_message("DS_SEED=%llu\n", (unsigned long long)random_state);
    const struct CMUnitTest tests[] = {cmocka_unit_test(sequences)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
