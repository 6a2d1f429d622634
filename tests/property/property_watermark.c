// Random tables read by watermark, against an oracle in memory that knows which rows a batch may see: rows that come in
// time, late, within and beyond the overlap, without a watermark, changed behind it, or go; batches that are killed and
// go on over another source; sweeps. After each batch live rows and every batch before are those of the oracle, and
// after a sweep the live rows are the source's.
#include <stdio.h>
#include <time.h>

#include "property/property.h"
#include "support/crash.h"
#include "support/truth.h"
#include "support/world.h"

enum { KEYS = 30, BATCHES = 12, TEXT = 200, NULL_MARK = -1, OVERLAP = 5 };

// --- keys and watermarks in all their forms

typedef struct key_form {
    const char *columns;
    const char *literal, *text; // of key #, two digits
    const char *postgres;       // its literal where it is another one
} key_form;
static const key_form KEY_FORMS[] = {
    {"id integer primary key", "#", "#", NULL},
    {"k varchar(20) primary key; f boolean primary key", "'O''#', 1", "O'#|true", "'O''#', true"},
    {"id decimal(7,2) primary key; d date primary key", "#.5, '2024-02-29'", "#.5|2024-02-29", NULL},
    {"id uuid primary key", "'00000000-0000-0000-0000-0000000000#'", "00000000-0000-0000-0000-0000000000#", NULL},
    {"id ubigint primary key; b binary primary key", "'#', X'00#'", "#|00#", "#, '\\x00#'"},
    {"id double primary key; t timestamptz primary key", "#.25, '2024-01-01 00:00:00+00:00'",
     "#.25|2024-01-01 00:00:00+00:00", NULL},
};
enum { KEY_FORM_COUNT = sizeof KEY_FORMS / sizeof KEY_FORMS[0] };

static void put_key(const char *form, int key, ds_buf *out)
{
    for (const char *c = form; *c; c++)
        if (*c == '#')
            buf_printf(out, "%d", 10 + key);
        else
            buf_putc(out, *c);
}

typedef enum mark_form { MARK_INT, MARK_TIME, MARK_ZONE, MARK_DATE, MARK_FORM_COUNT } mark_form;
static const char *const MARK_TYPES[] = {"bigint", "timestamp", "timestamptz", "date"};
static const int64_t OVERLAPS[] = {OVERLAP, OVERLAP *INT64_C(20000000), OVERLAP *INT64_C(20000000),
                                   OVERLAP *INT64_C(86400000000)};

static void print_mark(mark_form form, int mark, char out[TEXT])
{
    time_t at = INT64_C(1704067200) + (form == MARK_DATE ? mark * INT64_C(86400) : mark * INT64_C(20));
    struct tm tm;
    char text[TEXT];
    gmtime_r(&at, &tm);
    strftime(text, sizeof text, form == MARK_DATE ? "%Y-%m-%d" : "%Y-%m-%d %H:%M:%S", &tm);
    if (form == MARK_INT)
        snprintf(out, TEXT, "%d", 1000 + mark);
    else
        snprintf(out, TEXT, "%.60s%s%s", text, form != MARK_DATE && mark % 2 ? ".000001" : "",
                 form == MARK_ZONE ? "+00:00" : "");
}

// As the engine compares them: what print_mark prints, in the units of an overlap.
static int64_t mark_value(mark_form form, int mark)
{
    bool has_fraction = form == MARK_TIME || form == MARK_ZONE;
    return mark * (OVERLAPS[form] / OVERLAP) + (has_fraction && mark % 2);
}

// --- the oracle

typedef struct slot {
    bool there;
    int value, mark;
} slot;
typedef struct table {
    slot slots[KEYS];
} table;

typedef struct play {
    const test_pair *pair;
    const key_form *key;
    mark_form mark;
    bool nullable, overlaps, waits;
    world w;
    table source, live;
    int top, recorded; // greatest mark ever given, and as recorded
    const char *snapshots[BATCHES + 1];
} play;

static void change(play *p)
{
    slot *s = &p->source.slots[below(KEYS)];
    int old = s->mark;
    if (below(5) == 0) {
        s->there = false;
        return;
    }
    int what = below(20);
    *s = (slot){.there = true, .value = below(5), .mark = ++p->top};
    if (what < 4)
        s->mark = --p->top;
    else if (what < 8)
        s->mark = p->top < 12 ? 0 : p->top - below(12);
    else if (what < 10 && p->nullable)
        s->mark = NULL_MARK;
    else if (what < 12)
        s->mark = old == NULL_MARK && !p->nullable ? 0 : old;
}

// In a source whose times are texts any form will do, but for telling which is the newest.
static void put_mark(const play *p, int mark, ds_buf *out)
{
    char text[TEXT];
    if (mark == NULL_MARK) {
        buf_puts(out, "NULL");
        return;
    }
    print_mark(p->mark, mark, text);
    bool any_form = !p->waits || !p->w.drivers[PAIR_SOURCE]->dialect->times_are_text;
    if (any_form && p->w.drivers[PAIR_SOURCE]->dialect->times_are_text && p->mark != MARK_INT && p->mark != MARK_DATE &&
        below(2))
        text[10] = 'T';
    if (any_form && p->mark == MARK_ZONE && below(3) == 0) {
        text[strlen(text) - 6] = '\0';
        strcat(text, below(2) ? "Z" : "-00:00");
    }
    buf_printf(out, "'%s'", text);
}

static void write_source(const play *p)
{
    CLEANUP(buf_release) ds_buf sql = BUF_INIT(1 << 20);
    bool postgres = p->w.drivers[PAIR_SOURCE]->dialect->names.has_schemas;
    buf_puts(&sql, "DELETE FROM t");
    const char *comma = ";INSERT INTO t VALUES ";
    for (int k = 0; k < KEYS; k++) {
        const slot *s = &p->source.slots[k];
        if (!s->there)
            continue;
        buf_printf(&sql, "%s(", comma);
        put_key(postgres && p->key->postgres ? p->key->postgres : p->key->literal, k, &sql);
        buf_printf(&sql, ", %d, ", s->value);
        put_mark(p, s->mark, &sql);
        buf_puts(&sql, ")");
        comma = ", ";
    }
    world_source(&p->w, buf_text(&sql));
}

// Rows of the newest mark wait, unless it has been delivered.
static table without_waiting(const play *p, const table *source)
{
    table out = *source;
    int newest = NULL_MARK;
    for (int k = 0; k < KEYS; k++)
        if (source->slots[k].there && source->slots[k].mark > newest)
            newest = source->slots[k].mark;
    for (int k = 0; k < KEYS && p->waits && newest > p->recorded; k++)
        if (out.slots[k].mark == newest)
            out.slots[k].there = false;
    return out;
}

// What the batch makes of the source.
static void oracle_batch(play *p, const table *all_rows, bool sweep)
{
    table seen = without_waiting(p, all_rows), *source = &seen;
    int64_t low = mark_value(p->mark, p->recorded) - (p->overlaps ? OVERLAPS[p->mark] : 0);
    bool all = sweep || p->recorded == NULL_MARK;
    if (all) {
        p->live = *source;
        p->recorded = NULL_MARK;
    }
    for (int k = 0; k < KEYS; k++) {
        const slot *s = &source->slots[k];
        if (!s->there || (!all && s->mark != NULL_MARK && mark_value(p->mark, s->mark) < low))
            continue;
        p->live.slots[k] = *s;
        if (s->mark > p->recorded)
            p->recorded = s->mark;
    }
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *expected(const play *p)
{
    const char *lines[KEYS];
    size_t n = 0;
    CLEANUP(buf_release) ds_buf out = BUF_INIT(1 << 16);
    for (int k = 0; k < KEYS; k++) {
        const slot *s = &p->live.slots[k];
        char mark[TEXT] = "~";
        if (!s->there)
            continue;
        if (s->mark != NULL_MARK)
            print_mark(p->mark, s->mark, mark);
        CLEANUP(buf_release) ds_buf line = BUF_INIT(TEXT * 2);
        put_key(p->key->text, k, &line);
        buf_printf(&line, "|%d|%s\n", s->value, mark);
        lines[n++] = arena_strdup(p->w.arena, buf_text(&line));
    }
    if (n)
        qsort(lines, n, sizeof *lines, compare_lines);
    for (size_t i = 0; i < n; i++)
        buf_puts(&out, lines[i]);
    return arena_strdup(p->w.arena, buf_text(&out));
}

// --- what is there

static void check_batch(play *p, int b)
{
    p->snapshots[b] = expected(p);
    assert_string_equal(world_live(&p->w), p->snapshots[b]);
    for (int past = 1; past <= b && p->w.def.milestoning != MILESTONING_SCD1; past++)
        assert_string_equal(world_as_of(&p->w, past), p->snapshots[past]);
    assert_string_equal(truth_broken(&p->w.runtime, &p->w.merge, &p->w.def, p->w.arena), "");
}

// --- a sequence

static void churn(play *p)
{
    if (below(4) == 0)
        return;
    for (int i = below(15); i > 0; i--)
        change(p);
    if (below(15) == 0)
        p->source = (table){0};
    write_source(p);
}

static const char *last_batch(const play *p)
{
    return world_query(&p->w, true, "SELECT batch_id, status FROM datasurface__batch ORDER BY batch_id DESC LIMIT 1");
}

// True: the batch is committed, or has been read and can only be merged; read_from is what it has read.
static bool killed(play *p, int b, table *read_from, bool *committed)
{
    size_t points = 0;
    while (CRASH_POINTS[points])
        points++;
    *read_from = p->source;
    p->w.options.verify = false;
    crash_end end = crash_job(&p->w, CRASH_POINTS[below((int)points)], 1 + below(2));
    assert_int_not_equal(end, CRASH_FAILED);
    const char *last = last_batch(p);
    *committed = strcmp(last, arena_printf(p->w.arena, "%d|committed\n", b)) == 0;
    return *committed || strcmp(last, arena_printf(p->w.arena, "%d|merging\n", b)) == 0;
}

static void one_batch(play *p, int b)
{
    table read_from = {0};
    bool committed = false, read = false;
    churn(p);
    if (below(4) == 0) {
        read = killed(p, b, &read_from, &committed);
        if (!committed)
            churn(p);
    }
    if (committed) {
        oracle_batch(p, &read_from, false);
        check_batch(p, b);
        return;
    }
    p->w.options.verify = !read && below(5) == 0;
    ds_job_result result;
    ds_error err;
    OK(world_job(&p->w, &result, &err));
    assert_int_equal(result.batch, b);
    oracle_batch(p, read ? &read_from : &p->source, p->w.options.verify);
    assert_true(!p->w.options.verify || result.equal);
    check_batch(p, b);
}

static void one_sequence(const test_pair *pair, mark_form mark, ds_milestoning milestoning)
{
    play p = {.pair = pair,
              .key = &KEY_FORMS[below(KEY_FORM_COUNT)],
              .mark = mark,
              .nullable = below(2),
              .overlaps = below(2),
              .waits = below(3) == 0,
              .recorded = NULL_MARK};
    pair_clear(pair);
    world_open_on(&p.w, pair, milestoning);
    world_dataset(&p.w, "t",
                  arena_printf(p.w.arena, "%s; a integer; w %s%s", p.key->columns, MARK_TYPES[mark],
                               p.nullable ? "" : " not null"));
    p.w.def.watermark = "w";
    p.w.def.overlap = p.overlaps ? OVERLAPS[mark] : 0;
    p.w.def.newest = p.waits ? "wait" : NULL;
    p.w.def.staging_full = below(4) == 0;
    p.w.def.staging_batches = below(3) == 0 ? STAGING_BATCHES_ALL : below(4);
    p.w.def.chunk_rows = below(3) ? 0 : 3;
    p.w.def.workers = below(2) ? 0 : 2;
    world_apply(&p.w);
    for (int b = 1; b <= BATCHES; b++)
        one_batch(&p, b);
    world_close(&p.w);
}

static void sequences(void **state)
{
    const test_pair *pair = *state;
    for (int i = 0; i < property_rounds(pair, 12); i++)
        for (int f = 0; f < MARK_FORM_COUNT; f++)
            for (int m = MILESTONING_SCD1; m <= MILESTONING_SCD4; m++)
                one_sequence(pair, (mark_form)f, (ds_milestoning)m);
}

int main(int argc, char **argv)
{
    return property_main(argc, argv, sequences);
}
