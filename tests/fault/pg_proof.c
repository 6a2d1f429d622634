// What the merge database says about each batch, against the ledger.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fault/pg_rig.h"
#include "support/truth.h"

enum { PEOPLE, WORDS, VERSION, BULK, DATASETS };
static const char *const DATASET_NAMES[DATASETS] = {"people", "words", "version", "bulk"};

// --- asking

__attribute__((format(printf, 2, 3))) static const char *query(rig *r, const char *format, ...)
{
    char text[4000];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ds_assert(n > 0 && (size_t)n < sizeof text);
    return pg_query_text(&r->merge, text, r->scratch);
}

static int64_t number_in(const char *text)
{
    return strtoll(text, NULL, 10);
}

// NULL: not in this stream.
static const ds_dataset_def *dataset_of(const rig_stream *s, int dataset)
{
    for (size_t i = 0; i < s->def->dataset_count; i++)
        if (strcmp(s->def->datasets[i].name, DATASET_NAMES[dataset]) == 0)
            return &s->def->datasets[i];
    return NULL;
}

static const char *name_of(rig *r, ds_relation relation)
{
    return arena_printf(r->scratch, "\"%s\".\"%s\"", relation.schema, relation.name);
}

static bool exists(rig *r, ds_relation relation)
{
    return number_in(query(r, "SELECT count(to_regclass('%s'))", name_of(r, relation))) == 1;
}

int64_t rig_committed(rig *r, int stream)
{
    return number_in(query(r,
                           "SELECT COALESCE(max(batch_id), 0) FROM datasurface.batch WHERE status = 'committed' "
                           "AND stream = '%s'",
                           r->streams[stream].def->name));
}

// --- as of a batch

static const char *as_of(rig *r, const rig_stream *s, int dataset, const char *columns, int64_t batch)
{
    const ds_dataset_def *d = dataset_of(s, dataset);
    const char *merge = name_of(r, d->merge);
    switch (s->def->milestoning) {
    case MILESTONING_SCD1:
        return query(r, "SELECT %s FROM %s ORDER BY 1, 2", columns, merge);
    case MILESTONING_SCD2:
        return query(r,
                     "SELECT %s FROM %s WHERE ds_batch_in <= %" PRId64 " AND ds_batch_out >= %" PRId64 " ORDER BY 1, 2",
                     columns, merge, batch, batch);
    case MILESTONING_SCD4:
        return query(r,
                     "SELECT %s FROM %s WHERE ds_batch_in <= %" PRId64 " UNION ALL SELECT %s FROM %s "
                     "WHERE ds_batch_in <= %" PRId64 " AND ds_batch_out >= %" PRId64 " ORDER BY 1, 2",
                     columns, merge, batch, columns, name_of(r, d->history), batch, batch);
    }
    BUG("milestoning");
}

// Which change of the source a batch has read. scd1 keeps no old rows, but all that was staged.
static int64_t state_of(rig *r, const rig_stream *s, int64_t batch)
{
    const char *staging = name_of(r, dataset_of(s, VERSION)->staging);
    int64_t n =
        s->def->milestoning != MILESTONING_SCD1
            ? number_in(as_of(r, s, VERSION, "n, id", batch))
            : number_in(query(r, "SELECT n FROM %s WHERE ds_batch_id <= %" PRId64 " ORDER BY ds_batch_id DESC LIMIT 1",
                              staging, batch));
    if (n < 0 || n > r->count)
        fail_msg("%s: batch %" PRId64 " shows change %" PRId64 " of %" PRId64, s->def->name, batch, n, r->count);
    return n;
}

static void same_rows(const rig_stream *s, int dataset, int64_t batch, const char *there, const char *expected)
{
    if (strcmp(there, expected) != 0)
        fail_msg("%s: %s as of batch %" PRId64 ":\n%sexpected\n%s", s->def->name, DATASET_NAMES[dataset], batch, there,
                 expected);
}

static void check_rows(rig *r, const rig_stream *s, int64_t batch, int64_t shown, bool note)
{
    const rig_state *state = &r->states[shown];
    same_rows(s, PEOPLE, batch, as_of(r, s, PEOPLE, "id, name, amount, level, note", batch), state->people[note]);
    same_rows(s, BULK, batch, as_of(r, s, BULK, "id, left(pad, 4) || octet_length(pad)", batch), state->bulk);
    if (dataset_of(s, WORDS))
        same_rows(s, WORDS, batch, as_of(r, s, WORDS, "kind, word", batch), state->words);
}

// --- counts

typedef struct lines {
    const char **v;
    size_t n;
} lines;

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static lines split(ds_arena *arena, const char *text)
{
    lines out = {0};
    for (const char *p = text; *p; p++)
        out.n += *p == '\n';
    out.v = ARENA_ARRAY(arena, const char *, out.n);
    ds_str rest = str_of(text);
    for (size_t i = 0; i < out.n; i++)
        out.v[i] = arena_str(arena, str_split(&rest, '\n'));
    qsort(out.v, out.n, sizeof *out.v, compare_lines);
    return out;
}

// By the key when there is one: the text before the first '|' and the bar.
static int compare_identity(const char *a, const char *b, bool keyed)
{
    return keyed ? strncmp(a, b, strcspn(a, "|") + 1) : strcmp(a, b);
}

static rig_counts compare(rig *r, const char *before, const char *after, bool keyed)
{
    lines a = split(r->scratch, before), b = split(r->scratch, after);
    rig_counts c = {.read = (int64_t)b.n};
    size_t i = 0, k = 0;
    while (i < a.n || k < b.n) {
        int order = i == a.n ? 1 : k == b.n ? -1 : compare_identity(a.v[i], b.v[k], keyed);
        c.deleted += order < 0;
        c.inserted += order > 0;
        if (order == 0 && strcmp(a.v[i], b.v[k]) == 0)
            c.unchanged++;
        else if (order == 0)
            c.updated++;
        i += order <= 0;
        k += order >= 0;
    }
    return c;
}

static void put_counts(ds_buf *out, const rig_counts *c)
{
    buf_printf(out, "%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64, c->read, c->inserted, c->updated,
               c->deleted, c->unchanged);
}

static void add(rig_counts *sum, const rig_counts *c)
{
    sum->read += c->read;
    sum->inserted += c->inserted;
    sum->updated += c->updated;
    sum->deleted += c->deleted;
    sum->unchanged += c->unchanged;
}

// before < 0: the first batch.
static void count_datasets(rig *r, int64_t before, bool note_before, int64_t after, bool note, rig_counts *out)
{
    static const rig_state NOTHING = {{"", ""}, "", ""};
    const rig_state *a = before < 0 ? &NOTHING : &r->states[before], *b = &r->states[after];
    out[PEOPLE] = compare(r, a->people[note_before], b->people[note], true);
    out[BULK] = compare(r, a->bulk, b->bulk, true);
    out[WORDS] = compare(r, a->words, b->words, false);
    out[VERSION] = (rig_counts){.read = 1,
                                .inserted = before < 0,
                                .updated = before >= 0 && before != after,
                                .unchanged = before == after};
}

#define COUNT_COLUMNS "rows_read, rows_inserted, rows_updated, rows_deleted, rows_unchanged"

static void same_counts(const rig_stream *s, int64_t batch, const char *there, const char *expected)
{
    if (strcmp(there, expected) != 0)
        fail_msg("%s: counts of batch %" PRId64 " (" COUNT_COLUMNS "):\n%sexpected\n%s", s->def->name, batch, there,
                 expected);
}

// The batch's, and of each dataset that changed.
static void check_counts(rig *r, const rig_stream *s, int64_t batch, const rig_counts *datasets)
{
    CLEANUP(buf_release) ds_buf whole = BUF_INIT(1000);
    CLEANUP(buf_release) ds_buf parts = BUF_INIT(1000);
    rig_counts sum = {0};
    static const int BY_NAME[DATASETS] = {BULK, PEOPLE, VERSION, WORDS};
    for (int i = 0; i < DATASETS; i++) {
        const rig_counts *c = &datasets[BY_NAME[i]];
        if (!dataset_of(s, BY_NAME[i]))
            continue;
        add(&sum, c);
        if (batch > 1 && c->inserted + c->updated + c->deleted == 0)
            continue;
        buf_printf(&parts, "%s|", DATASET_NAMES[BY_NAME[i]]);
        put_counts(&parts, c);
        buf_printf(&parts, "|%" PRId64 "\n", c->read);
    }
    put_counts(&whole, &sum);
    buf_printf(&whole, "|%" PRId64 "\n", sum.read);
    const char *of = arena_printf(r->scratch, " WHERE stream = '%s' AND batch_id = %" PRId64, s->def->name, batch);
    same_counts(s, batch, query(r, "SELECT " COUNT_COLUMNS ", fingerprint_rows FROM datasurface.batch%s", of),
                buf_text(&whole));
    same_counts(s, batch,
                query(r,
                      "SELECT dataset, " COUNT_COLUMNS ", fingerprint_rows FROM datasurface.dataset_batch%s "
                      "ORDER BY dataset COLLATE \"C\"",
                      of),
                buf_text(&parts));
}

// --- staging

// Rows of batches that aren't there, and batches whose rows are not those recorded. What was pruned is gone whole.
static void check_staging(rig *r, const rig_stream *s)
{
    for (int i = 0; i < DATASETS; i++) {
        const ds_dataset_def *d = dataset_of(s, i);
        if (!d || !exists(r, d->staging))
            continue;
        const char *staging = name_of(r, d->staging), *stream = s->def->name;
        int64_t orphans =
            number_in(query(r,
                            "SELECT count(*) FROM %s AS s WHERE NOT EXISTS (SELECT FROM datasurface.batch AS b "
                            "WHERE b.stream = '%s' AND b.batch_id = s.ds_batch_id)",
                            staging, stream));
        const char *wrong = query(r,
                                  "SELECT s.batch, s.n, d.staged_rows FROM (SELECT ds_batch_id AS batch, count(*) AS n "
                                  "FROM %s GROUP BY 1) AS s JOIN datasurface.batch AS b ON b.stream = '%s' "
                                  "AND b.batch_id = s.batch AND b.status = 'committed' "
                                  "LEFT JOIN datasurface.dataset_batch AS d ON d.stream = b.stream "
                                  "AND d.batch_id = b.batch_id AND d.dataset = '%s' "
                                  "WHERE d.staged_rows IS DISTINCT FROM s.n",
                                  staging, stream, d->name);
        if (orphans || *wrong)
            fail_msg("%s: staging of %s: %" PRId64 " rows of no batch; of batch, rows, recorded:\n%s", stream, d->name,
                     orphans, wrong);
    }
}

// --- the checks

void rig_check_truth(rig *r, const char *when)
{
    for (int i = 0; i < RIG_STREAMS; i++) {
        rig_stream *s = &r->streams[i];
        if (s->version == 0)
            continue;
        const char *broken = truth_broken(&r->e.runtime, &r->e.deployment->merge, s->def, r->scratch);
        if (*broken)
            fail_msg("%s: %s:\n%s", s->def->name, when, broken);
        check_staging(r, s);
    }
    arena_clear(r->scratch);
}

static void check_batch(rig *r, rig_stream *s, int64_t batch, int64_t newest)
{
    int64_t version =
        number_in(query(r, "SELECT stream_version FROM datasurface.batch WHERE stream = '%s' AND batch_id = %" PRId64,
                        s->def->name, batch));
    assert_in_range(version, 1, s->version);
    bool note = s->has_note[version];
    int64_t shown = state_of(r, s, batch);
    if (shown < s->shown)
        fail_msg("%s: batch %" PRId64 " went back from change %" PRId64 " to %" PRId64, s->def->name, batch, s->shown,
                 shown);
    if (s->def->milestoning != MILESTONING_SCD1 || batch == newest)
        check_rows(r, s, batch, shown, note);
    rig_counts counts[DATASETS];
    count_datasets(r, s->shown, s->note_shown, shown, note, counts);
    check_counts(r, s, batch, counts);
    s->checked = batch;
    s->shown = shown;
    s->note_shown = note;
    arena_clear(r->scratch);
}

void rig_check_batches(rig *r, bool all)
{
    for (int i = 0; i < RIG_STREAMS; i++) {
        rig_stream *s = &r->streams[i];
        if (s->version == 0)
            continue;
        if (all || s->checked == 0)
            s->checked = 0, s->shown = -1;
        int64_t newest = rig_committed(r, i);
        if (newest < s->checked)
            fail_msg("%s: batch %" PRId64 " was committed and is gone", s->def->name, s->checked);
        while (s->checked < newest)
            check_batch(r, s, s->checked + 1, newest);
    }
}

void rig_check_views(rig *r)
{
    for (int i = 0; i < RIG_STREAMS; i++) {
        const ds_dataset_def *d = dataset_of(&r->streams[i], PEOPLE);
        const ds_view_def *live = d->views[0].history ? &d->views[1] : &d->views[0];
        const char *seen = query(r, "SELECT id, name, amount, level, %s FROM %s ORDER BY id",
                                 r->model.note ? "note" : "NULL", name_of(r, live->relation));
        same_rows(&r->streams[i], PEOPLE, rig_committed(r, i), seen, r->states[r->count].people[r->model.note]);
    }
    arena_clear(r->scratch);
}
