// Random tables and random change sequences, every strategy: after each batch the live rows equal the source, as-of(b)
// equals the source as it was at every batch b, counts equal those of an in-memory comparison, verify is equal.
#include <stdio.h>

#include "property/property.h"
#include "support/world.h"

enum { KEYS = 40, BATCHES = 8, ROW_TEXT = 400 };

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
    const char *comma = ";INSERT INTO t VALUES ";
    for (int k = 0; k < KEYS; k++) {
        char row[ROW_TEXT];
        print_row(row, f, k, &t->slots[k]);
        for (int i = 0; i < t->slots[k].copies; i++, comma = ", ")
            buf_printf(&sql, "%s(%s)", comma, row);
    }
    world_source(w, buf_text(&sql));
}

static const char *source_rows(const world *w)
{
    return world_rows_of(w, PAIR_SOURCE, (ds_relation){w->datasets[0].source_schema, "t"});
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

// Versions that were valid in batch b.
static void one_sequence(const test_pair *pair, const form *f, ds_milestoning milestoning)
{
    world w;
    pair_clear(pair);
    world_open_on(&w, pair, milestoning);
    world_dataset(&w, "t", f->columns);
    w.def.staging_full = below(4) == 0;
    w.def.staging_batches = below(3) == 0 ? STAGING_BATCHES_ALL : below(4);
    w.def.chunk_rows = below(3) ? 0 : 3;
    w.def.memory_bytes = below(3) ? 0 : 1 + below(600); // none, some or nearly all of it waits on disk
    world_apply(&w);
    table old = {0}, now = {0};
    const char *snapshots[BATCHES + 1];
    for (int b = 1; b <= BATCHES; b++) {
        if (below(4))
            mutate(&now, f, below(30));
        if (below(10) == 0)
            now = (table){0};
        write_source(&w, f, &now);
        snapshots[b] = source_rows(&w);
        w.options.verify = below(2) == 0;
        ds_job_result result;
        ds_error err;
        ds_rc rc = world_job(&w, &result, &err);
        if (rc.code != DS_OK)
            fail_msg("batch %d: %s", b, err.text);
        assert_int_equal(result.batch, b);
        expect_counts(f, &old, &now, &result.counts);
        assert_true(!w.options.verify || result.equal);
        assert_string_equal(world_live(&w), snapshots[b]);
        for (int past = 1; past <= b && milestoning != MILESTONING_SCD1; past++)
            assert_string_equal(world_as_of(&w, past), snapshots[past]);
        old = now;
    }
    world_close(&w);
}

static void sequences(void **state)
{
    const test_pair *pair = *state;
    for (int i = 0; i < property_rounds(pair, 25); i++)
        for (int f = 0; f < 3; f++)
            for (int m = MILESTONING_SCD1; m <= MILESTONING_SCD4; m++)
                if (FORMS[f].key || m == MILESTONING_SCD1)
                    one_sequence(pair, &FORMS[f], (ds_milestoning)m);
}

int main(int argc, char **argv)
{
    return property_main(argc, argv, sequences);
}
