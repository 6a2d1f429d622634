#include "gate/compat_int.h"
#include "model/lookup.h"

// --- columns

static void judge_type(gate *g, gate_change *change, const ds_column *old, const ds_column *new)
{
    if (!old->type || !new->type || type_equal(old->type, new->type))
        return;
    CLEANUP(buf_release) ds_buf why = BUF_INIT(TYPE_TEXT_MAX);
    if (type_widens(old->type, new->type, &why)) {
        gate_find(g, CHANGE_TYPE_WIDENED, change->what, "column \"%s\" gets a wider type: %s, before %s", new->name,
                  gate_text(change->what->new_text), gate_text(change->what->old_text));
        return;
    }
    gate_break(g, CHANGE_TYPE_NARROWED, change, "column \"%s\": %s", new->name, buf_text(&why));
}

static void judge_null(gate *g, gate_change *change, const ds_column *old, const ds_column *new)
{
    if (old->not_null == new->not_null || old->primary_key != new->primary_key)
        return; // a column of the key is the key's business
    if (new->not_null)
        gate_break(g, CHANGE_NULL_FORBIDDEN, change, "column \"%s\" must have a value now", new->name);
    else
        gate_find(g, CHANGE_NULL_ALLOWED, change->what, "column \"%s\" may be null now", new->name);
}

static void judge_partition(gate *g, gate_change *change, const ds_column *old, const ds_column *new)
{
    const bool was = old && old->partition, is = new &&new->partition;
    if (was != is)
        gate_break(g, CHANGE_PARTITION, change, "column \"%s\" %s the ingestion partition", (new ? new : old)->name,
                   is ? "becomes part of" : "is no longer part of");
}

static void judge_column(gate *g, gate_change *change)
{
    const ds_column *old = change->what->part.before, *new = change->what->part.after;
    const char *dataset = ((const ds_dataset *)change->what->dataset.after)->name;
    if (!new) {
        gate_break(g, CHANGE_COLUMN_REMOVED, change, "column \"%s\" of \"%s\" is removed", old->name, dataset);
    } else if (!old && new->not_null) {
        gate_break(g, CHANGE_COLUMN_NOT_NULL, change,
                   "the new column \"%s\" must have a value, and the rows that are there have none", new->name);
    } else if (!old) {
        gate_find(g, CHANGE_COLUMN_ADDED, change->what, "dataset \"%s\" gets the column \"%s\"", dataset, new->name);
    } else if (change_is_of(change->what, &SHAPE_COLUMN, "type")) {
        judge_type(g, change, old, new);
        judge_null(g, change, old, new);
    }
    if ((!old || !new) || change_is_of(change->what, &SHAPE_COLUMN, "type"))
        judge_partition(g, change, old, new);
}

// --- classifications

// What holds for the column: its own, or the dataset's.
static uint32_t classes_of(const ds_dataset *dataset, const ds_column *column)
{
    const ds_text *v = column->rest->classification_count ? column->rest->classification : dataset->classification.v;
    size_t n = column->rest->classification_count ? column->rest->classification_count : dataset->classification.n;
    uint32_t bits = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t w = 0; w < WORDS_CLASSIFICATION.n; w++)
            if (v[i].s && strcmp(v[i].s, WORDS_CLASSIFICATION.v[w].word) == 0)
                bits |= UINT32_C(1) << w;
    return bits;
}

static void report_classes(gate *g, gate_change *change, uint32_t was, const char *what)
{
    const char *before = change->what->old_text, *after = change->what->new_text;
    if (was)
        gate_break(g, CHANGE_CLASSIFICATION, change, "the classification of %s changes: %s, before %s", what,
                   after ? after : "its dataset's or none", before ? before : "its dataset's or none");
    else
        gate_find(g, CHANGE_CLASSIFIED, change->what, "%s is classified now: %s", what, gate_text(after));
}

// A column's own classification, or the dataset's, which is that of the columns without one.
static void judge_classes(gate *g, gate_change *change)
{
    const ds_dataset *before = change->what->dataset.before, *after = change->what->dataset.after;
    const ds_column *only = change->what->part.shape == &SHAPE_COLUMN ? change->what->part.after : NULL;
    for (size_t i = 0; i < after->columns.n; i++) {
        const ds_column *new = &after->columns.v[i], *old = dataset_column(before, new->name);
        if (!old || (only && new != only) ||
            (!only && (old->rest->classification_count || new->rest->classification_count)))
            continue;
        uint32_t was = classes_of(before, old);
        if (was == classes_of(after, new))
            continue;
        report_classes(g, change, was,
                       only ? arena_printf(g->arena, "column \"%s\"", new->name)
                            : arena_printf(g->arena, "dataset \"%s\"", after->name));
        return;
    }
}

// --- keys

static void put_key(const ds_dataset *dataset, ds_arena *arena, ds_buf *out)
{
    const ds_column **key = ARENA_ARRAY(arena, const ds_column *, dataset->columns.n);
    size_t n = dataset_key(dataset, key);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%s", i ? ", " : "", key[i]->name);
    if (n == 0)
        buf_puts(out, "none");
}

static bool is_key_column(const ds_column *column)
{
    return column && column->primary_key;
}

// Could the change be what changes the key?
static bool touches_key(const ds_change *c)
{
    if (c->part.shape == &SHAPE_COLUMN)
        return is_key_column(c->part.before) != is_key_column(c->part.after);
    return change_is_of(c, &SHAPE_DATASET, "key") || change_is_of(c, &SHAPE_DATASET, "primary_key") ||
           c->action == DIFF_MOVED;
}

// Of one dataset's changes those that touch the key, when it is another one.
static void judge_key(gate *g, gate_change *changes, size_t n)
{
    gate_change *first = NULL;
    for (size_t i = n; i-- > 0;)
        if (touches_key(changes[i].what))
            first = &changes[i];
    if (!first)
        return;
    const ds_dataset *before = first->what->dataset.before, *after = first->what->dataset.after;
    CLEANUP(buf_release) ds_buf was = BUF_INIT(DIFF_TEXT_MAX);
    CLEANUP(buf_release) ds_buf is = BUF_INIT(DIFF_TEXT_MAX);
    put_key(before, g->arena, &was);
    put_key(after, g->arena, &is);
    if (str_eq(buf_str(&was), buf_str(&is)))
        return;
    gate_break(g, CHANGE_KEY, first, "the key of \"%s\" changes: %s, before %s", after->name, buf_text(&is),
               buf_text(&was));
    for (size_t i = 0; i < n; i++)
        changes[i].breaking |= touches_key(changes[i].what);
}

// --- datasets and stores

// The changes of one dataset that stays.
static void judge_dataset(gate *g, gate_change *changes, size_t n)
{
    judge_key(g, changes, n);
    for (size_t i = 0; i < n; i++) {
        if (changes[i].what->part.shape == &SHAPE_COLUMN)
            judge_column(g, &changes[i]);
        bool whole = !(changes[i].what->part.before && changes[i].what->part.after);
        if (!whole && changes[i].what->row && changes[i].what->row->key &&
            strcmp(changes[i].what->row->key, "classification") == 0)
            judge_classes(g, &changes[i]);
    }
}

// What a parent declares goes to another repository.
static void judge_owner(gate *g, const ds_change *c)
{
    static const model_shape *const OWNED[] = {&SHAPE_ECOSYSTEM, &SHAPE_ZONE_DECLARATION, &SHAPE_SERVICE_DECLARATION,
                                               &SHAPE_TEAM};
    bool is = false;
    for (size_t i = 0; i < sizeof OWNED / sizeof OWNED[0]; i++)
        is |= change_is_of(c, OWNED[i], "repository");
    if (!is || !c->old_text || !c->new_text)
        return;
    const ds_declaration *declared = c->inner.after; // an Ecosystem begins otherwise
    gate_find(g, CHANGE_OTHER_OWNER, c, "all of \"%s\" belongs to %s from now on, no longer to %s",
              gate_text(c->inner.shape == &SHAPE_ECOSYSTEM ? ((const ds_ecosystem *)c->inner.after)->name.s
                                                           : declared->name.s),
              c->new_text, c->old_text);
}

static void judge_other(gate *g, gate_change *change)
{
    judge_owner(g, change->what);
    if (change_is_of(change->what, &SHAPE_CAPTURE, "consistency"))
        gate_break(g, CHANGE_CONSISTENCY, change, "the streams of \"%s\" are cut another way: %s, before %s",
                   gate_text(((const ds_datastore *)change->what->store.after)->name.s),
                   gate_text(change->what->new_text), gate_text(change->what->old_text));
}

void gate_judge(gate *g)
{
    for (size_t i = 0; i < g->n;) {
        const ds_diff_part *dataset = &g->changes[i].what->dataset;
        size_t end = i + 1;
        if (!dataset->before || !dataset->after) {
            judge_other(g, &g->changes[i]);
        } else {
            while (end < g->n && g->changes[end].what->dataset.after == dataset->after)
                end++;
            judge_dataset(g, &g->changes[i], end - i);
        }
        i = end;
    }
    compat_uses(g);
    compat_services(g);
    compat_places(g);
}
