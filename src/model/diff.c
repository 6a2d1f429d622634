#include <stdio.h>
#include <stdlib.h>

#include "base/vec.h"
#include "model/diff_int.h"

// Where the walk is: a document, a field in it, an entry of that field, and so on inwards.
typedef struct place {
    const struct place *up;   // NULL: a document
    const char *key;          // of the field, or the entry's name
    const model_shape *shape; // NULL: a field that is a list or a map
    const void *old, *new;    // structs of that shape; NULL: not on that side
} place;

typedef struct differ {
    ds_arena *arena;
    VEC(ds_change) changes;
    ds_document before, after;
    bool probe; // changes are only counted
    size_t found;
} differ;

const char *diff_action_name(ds_diff_action action)
{
    static const char *const NAMES[] = {"added", "removed", "changed", "moved"};
    return NAMES[action];
}

// --- documents

ds_documents model_documents(const ds_model *model, ds_arena *arena)
{
    VEC(ds_document) all = {0};
    for (size_t k = 0; k < MODEL_KIND_COUNT; k++) {
        const LIST_OF(void *) *list = (const void *)((const char *)model + MODEL_KINDS[k].list_offset);
        for (size_t i = 0; i < list->n; i++) {
            bool output = MODEL_KINDS[k].shape == &SHAPE_DATASTORE && ((const ds_datastore *)list->v[i])->producer;
            if (!output)
                *VEC_PUSH(arena, &all) = (ds_document){&MODEL_KINDS[k], list->v[i]};
        }
    }
    return (ds_documents){all.v, all.n};
}

const char *document_text(ds_document document, const char *key)
{
    const model_shape *shape = document.kind->shape;
    for (size_t i = 0; i < shape_field_count(shape); i++) {
        const model_field *f = shape_field(shape, i);
        if (f->kind == FIELD_TEXT && strcmp(f->key, key) == 0)
            return str_of(((const ds_text *)field_at(f, document.object))->s).p;
    }
    return "";
}

static ds_pos document_pos(ds_document document)
{
    return struct_pos(document.kind->shape, document.object);
}

ds_documents model_documents_in(const ds_model *model, const bool *files, ds_arena *arena)
{
    ds_documents all = model_documents(model, arena);
    VEC(ds_document) some = {0};
    for (size_t i = 0; i < all.n; i++)
        if (files[document_pos(all.v[i]).file])
            *VEC_PUSH(arena, &some) = all.v[i];
    return (ds_documents){some.v, some.n};
}

// --- what a change says

// Parts of a document that people speak of by their own names.
static bool is_object(const place *at)
{
    const model_shape *shape = at->shape;
    return !at->up || (shape && ((shape->part && !shape->name_of) || shape == &SHAPE_OUTPUT));
}

static void put_object(const differ *d, const place *at, ds_buf *out)
{
    if (!at->up) {
        ds_document document = at->new ? d->after : d->before;
        buf_printf(out, "%s %s", document.kind->name, document_text(document, "name"));
    } else if (at->shape == &SHAPE_OUTPUT) {
        const ds_datastore *store = at->new ? at->new : at->old;
        buf_printf(out, "Datastore %s", str_of(store->name.s).p);
    } else {
        put_object(d, at->up, out);
        if (is_object(at))
            buf_printf(out, "%s%s", at->shape == &SHAPE_COLUMN ? "." : "/", at->key);
    }
}

static void put_path(const place *at, ds_buf *out)
{
    if (is_object(at))
        return;
    put_path(at->up, out);
    buf_printf(out, "%s%s", out->n ? "." : "", at->key);
}

static ds_pos place_pos(const place *at, bool of_new)
{
    for (; at; at = at->up) {
        const void *base = of_new ? at->new : at->old;
        ds_pos pos = at->shape && base ? struct_pos(at->shape, base) : NO_POS;
        if (pos.file)
            return pos;
    }
    return NO_POS;
}

static ds_diff_part part_of(const place *at, const model_shape *shape, const model_shape *other)
{
    for (; at; at = at->up)
        if (at->shape && (shape ? at->shape == shape || at->shape == other : is_object(at)))
            return (ds_diff_part){at->shape, at->old, at->new};
    return (ds_diff_part){0};
}

static ds_diff_part inner_part(const place *at)
{
    while (!at->shape)
        at = at->up;
    return (ds_diff_part){at->shape, at->old, at->new};
}

static ds_pos either(ds_pos pos, ds_pos otherwise)
{
    return pos.file ? pos : otherwise;
}

// The text, cut to its limit between two characters; NULL when there is none.
static const char *keep_text(differ *d, ds_buf *text)
{
    if (text->n == 0)
        return NULL;
    const char *end = "";
    if (!buf_ok(text)) {
        end = "...";
        while (text->n && ((unsigned char)text->p[text->n - 1] & 0xC0) == 0x80)
            text->n--;
        if (text->n && (unsigned char)text->p[text->n - 1] >= 0xC0)
            text->n--;
    }
    return arena_printf(d->arena, "%.*s%s", (int)text->n, text->p, end);
}

static ds_change *add_change(differ *d, const place *at, const model_field *row, ds_diff_action action)
{
    d->found++;
    if (d->probe)
        return NULL;
    CLEANUP(buf_release) ds_buf object = BUF_INIT(DIFF_TEXT_MAX);
    CLEANUP(buf_release) ds_buf field = BUF_INIT(DIFF_TEXT_MAX);
    put_object(d, at, &object);
    put_path(at, &field);
    ds_change *c = VEC_PUSH(d->arena, &d->changes);
    *c = (ds_change){
        .action = action,
        .before = d->before,
        .after = d->after,
        .part = part_of(at, NULL, NULL),
        .store = part_of(at, &SHAPE_DATASTORE, &SHAPE_OUTPUT),
        .dataset = part_of(at, &SHAPE_DATASET, NULL),
        .inner = inner_part(at),
        .row = row,
        .object = arena_str(d->arena, buf_str(&object)),
        .field = arena_str(d->arena, buf_str(&field)),
        .pos = place_pos(at, true),
        .old_pos = place_pos(at, false),
    };
    return c;
}

// --- a change of a single value

static void add_leaf(differ *d, const place *at, const model_field *f)
{
    bool had = leaf_given(f, at->old), has = leaf_given(f, at->new);
    // A short form is the value of the entry itself.
    place leaf = {at, f->key, NULL, NULL, NULL};
    ds_diff_action action = had && has ? DIFF_CHANGED : had ? DIFF_REMOVED : DIFF_ADDED;
    ds_change *c = add_change(d, f->key ? &leaf : at, f, action);
    if (!c)
        return;
    CLEANUP(buf_release) ds_buf old = BUF_INIT(DIFF_TEXT_MAX);
    CLEANUP(buf_release) ds_buf new = BUF_INIT(DIFF_TEXT_MAX);
    leaf_print(f, at->old, &old);
    leaf_print(f, at->new, &new);
    c->old_text = keep_text(d, &old);
    c->new_text = keep_text(d, &new);
    c->old_pos = either(leaf_pos(f, at->old), c->old_pos);
    c->pos = either(leaf_pos(f, at->new), c->pos);
}

// An entry, an optional struct or a document that one side lacks.
static void add_whole(differ *d, const place *at, const model_field *row)
{
    ds_change *c = add_change(d, at, row, at->new ? DIFF_ADDED : DIFF_REMOVED);
    if (!c || (is_object(at) && at->shape != &SHAPE_COLUMN))
        return;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(DIFF_TEXT_MAX);
    struct_print(at->shape, at->new ? at->new : at->old, &text);
    *(at->new ? &c->new_text : &c->old_text) = keep_text(d, &text);
}

static void put_names(const model_field *f, const any_list *list, ds_buf *out)
{
    for (size_t i = 0; i < list->n; i++)
        buf_printf(out, "%s%s", i ? ", " : "", entry_name(f->shape, (const char *)list->v + i * f->shape->size));
}

static void add_moved(differ *d, const place *list, const model_field *f, const any_list *old, const any_list *new)
{
    ds_change *c = add_change(d, list, f, DIFF_MOVED);
    if (!c)
        return;
    CLEANUP(buf_release) ds_buf before = BUF_INIT(DIFF_TEXT_MAX);
    CLEANUP(buf_release) ds_buf after = BUF_INIT(DIFF_TEXT_MAX);
    put_names(f, old, &before);
    put_names(f, new, &after);
    c->old_text = keep_text(d, &before);
    c->new_text = keep_text(d, &after);
    c->old_pos = old->pos;
    c->pos = new->pos;
}

// --- walking

static void diff_struct(differ *d, const place *at);

static bool shape_is_optional(const model_shape *shape)
{
    for (size_t i = 0; i < shape_field_count(shape); i++)
        if (shape_field(shape, i)->required || shape_field(shape, i)->choice)
            return false;
    return true;
}

static const void *inner_of(const model_field *f, const void *base)
{
    const void *at = field_at(f, base);
    if (f->kind == FIELD_POINTER)
        memcpy(&at, field_at(f, base), sizeof at);
    return at;
}

// An optional struct of optional fields is what they are; others are there, or are not.
static void diff_inner(differ *d, const place *at, const model_field *f)
{
    place inner = {at, f->key, f->shape, inner_of(f, at->old), inner_of(f, at->new)};
    bool had = inner.old && struct_given(f->shape, inner.old), has = inner.new &&struct_given(f->shape, inner.new);
    if (!had && !has)
        return;
    if (had == has || (f->kind == FIELD_STRUCT && !f->given_counts && shape_is_optional(f->shape))) {
        diff_struct(d, &inner);
        return;
    }
    *(had ? &inner.new : &inner.old) = NULL;
    add_whole(d, &inner, f);
}

static const void *entry_at(const model_field *f, const any_list *list, size_t i)
{
    return (const char *)list->v + i * f->shape->size;
}

static const char *name_at(const model_field *f, const any_list *list, size_t i)
{
    return str_of(entry_name(f->shape, entry_at(f, list, i))).p;
}

// An entry; NULL: that side lacks it.
static void diff_entry(differ *d, const place *list, const model_field *f, const char *key, const void *old,
                       const void *new)
{
    place entry = {list, key, f->shape, old, new};
    if (old && new)
        diff_struct(d, &entry);
    else
        add_whole(d, &entry, NULL);
}

typedef struct named {
    const char *name;
    size_t index;
} named;

static int by_name(const void *a, const void *b)
{
    const named *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static named *names_from(ds_arena *arena, const model_field *f, const any_list *list, size_t from)
{
    named *names = ARENA_ARRAY(arena, named, list->n - from);
    for (size_t i = from; i < list->n; i++)
        names[i - from] = (named){name_at(f, list, i), i};
    qsort(names, list->n - from, sizeof *names, by_name);
    return names;
}

// Entries from `from` on, by name. Of equal names the n-th here belongs to the n-th there.
static void diff_by_name(differ *d, const place *at, const model_field *f, const any_list *old, const any_list *new,
                         size_t from)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    const named *a = names_from(scratch, f, old, from), *b = names_from(scratch, f, new, from);
    const named *a_end = a + (old->n - from), *b_end = b + (new->n - from);
    size_t *old_index = ARENA_ARRAY(scratch, size_t, new->n); // + 1, by index in new
    while (a < a_end || b < b_end) {
        int order = a == a_end ? 1 : b == b_end ? -1 : strcmp(a->name, b->name);
        const void *x = order <= 0 ? entry_at(f, old, a->index) : NULL;
        const void *y = order >= 0 ? entry_at(f, new, b->index) : NULL;
        if (order == 0)
            old_index[b->index] = a->index + 1;
        diff_entry(d, at, f, order <= 0 ? a->name : b->name, x, y);
        a += order <= 0;
        b += order >= 0;
    }
    size_t last = 0;
    bool moved = false;
    for (size_t i = from; f->ordered && i < new->n; i++) {
        moved |= old_index[i] && old_index[i] < last;
        last = old_index[i] ? old_index[i] : last;
    }
    if (moved)
        add_moved(d, at, f, old, new);
}

static bool entry_equal(const model_field *f, const void *old, const void *new)
{
    differ probe = {.probe = true};
    const place entry = {NULL, "", f->shape, old, new};
    diff_struct(&probe, &entry);
    return probe.found == 0;
}

// Items that have no name: those between an equal beginning and an equal end belong together in their order.
static void diff_items(differ *d, const place *at, const model_field *f, const any_list *old, const any_list *new)
{
    size_t shorter = old->n < new->n ? old->n : new->n, first = 0, tail = 0;
    while (first < shorter && entry_equal(f, entry_at(f, old, first), entry_at(f, new, first)))
        first++;
    while (tail < shorter - first &&
           entry_equal(f, entry_at(f, old, old->n - tail - 1), entry_at(f, new, new->n - tail - 1)))
        tail++;
    for (size_t i = first; i < old->n - tail || i < new->n - tail; i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i + 1);
        diff_entry(d, at, f, number, i < old->n - tail ? entry_at(f, old, i) : NULL,
                   i < new->n - tail ? entry_at(f, new, i) : NULL);
    }
}

static void diff_list(differ *d, const place *at, const model_field *f)
{
    const any_list *old = field_at(f, at->old), *new = field_at(f, at->new);
    const place list = {at, f->key, NULL, NULL, NULL};
    if (!f->shape->named && !f->shape->known_by_name) {
        diff_items(d, &list, f, old, new);
        return;
    }
    size_t i = 0;
    for (; i < old->n && i < new->n &&strcmp(name_at(f, old, i), name_at(f, new, i)) == 0; i++)
        diff_entry(d, &list, f, name_at(f, old, i), entry_at(f, old, i), entry_at(f, new, i));
    if (i < old->n || i < new->n)
        diff_by_name(d, &list, f, old, new, i);
}

static void diff_struct(differ *d, const place *at)
{
    const model_field *brief = shape_brief(at->shape);
    if (brief && !leaf_equal(brief, at->old, at->new))
        add_leaf(d, at, brief);
    for (size_t i = 0; i < shape_field_count(at->shape); i++) {
        const model_field *f = shape_field(at->shape, i);
        if (f->rest && field_home(f, at->old) == field_home(f, at->new))
            continue; // neither has any of it
        if (f->kind == FIELD_LIST || f->kind == FIELD_MAP)
            diff_list(d, at, f);
        else if (!field_is_leaf(f))
            diff_inner(d, at, f);
        else if (!leaf_equal(f, at->old, at->new))
            add_leaf(d, at, f);
    }
}

// --- whole models

// By kind in the order of the table, then by name. One of several of the same name keeps its place among them.
static int by_document(const void *a, const void *b)
{
    const ds_document *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->kind->single ? 0 : strcmp(document_text(*x, "name"), document_text(*y, "name"));
}

static int by_document_and_place(const void *a, const void *b)
{
    int order = by_document(a, b);
    ds_pos x = document_pos(*(const ds_document *)a), y = document_pos(*(const ds_document *)b);
    if (order == 0)
        order = (x.file > y.file) - (x.file < y.file);
    return order ? order : (x.line > y.line) - (x.line < y.line);
}

static ds_document *sorted(ds_documents documents, ds_arena *arena)
{
    ds_document *v = ARENA_ARRAY(arena, ds_document, documents.n);
    for (size_t i = 0; i < documents.n; i++)
        v[i] = documents.v[i];
    if (documents.n > 1)
        qsort(v, documents.n, sizeof *v, by_document_and_place);
    return v;
}

static void diff_documents(differ *d, const ds_document *old, const ds_document *new)
{
    d->before = old ? *old : (ds_document){0};
    d->after = new ? *new : (ds_document){0};
    const place document = {NULL, NULL, (old ? old : new)->kind->shape, d->before.object, d->after.object};
    if (old && new)
        diff_struct(d, &document);
    else
        add_whole(d, &document, NULL);
}

ds_diff model_diff(ds_documents base, ds_documents head, ds_arena *arena)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    differ d = {.arena = arena};
    const ds_document *a = sorted(base, scratch), *a_end = a + base.n;
    const ds_document *b = sorted(head, scratch), *b_end = b + head.n;
    while (a < a_end || b < b_end) {
        int order = a == a_end ? 1 : b == b_end ? -1 : by_document(a, b);
        diff_documents(&d, order <= 0 ? a : NULL, order >= 0 ? b : NULL);
        a += order <= 0;
        b += order >= 0;
    }
    return (ds_diff){d.changes.v, d.changes.n};
}
