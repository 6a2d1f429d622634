// Structs -> bytes.
#include <stdlib.h>

#include "base/buf.h"
#include "model/pack_int.h"

// The longest document is a file; a struct's bytes are fewer than its text.
enum { PACKED_MAX = 256 << 20, CACHE_SIZE = 256 };

typedef struct cached {
    const void *key; // a text or a type
    uint32_t document;
    uint32_t word;
} cached;

struct ds_packer {
    ds_arena *arena; // of the document
    ds_map *index;   // word: its number + 1
    ds_buf words, head, entries, type;
    uint32_t word_count;
    ds_buf *out;               // head or entries: where we are
    ds_pos last;               // the position before
    uint32_t file;             // of all positions; 0: none seen yet
    const ds_datastore *apart; // whose datasets are entries
    uint32_t document;         // counts documents: entries of the cache that are older are void
    cached cache[CACHE_SIZE];  // of equal pointers, which are most
};

ds_packer *packer_new(void)
{
    ds_packer *p = calloc(1, sizeof *p);
    if (!p)
        BUG("out of memory");
    p->arena = arena_new();
    p->words = p->head = p->entries = BUF_INIT(PACKED_MAX);
    p->type = BUF_INIT(TYPE_PRINT_MAX);
    return p;
}

void packer_freep(ds_packer **packer)
{
    ds_packer *p = *packer;
    *packer = NULL;
    if (!p)
        return;
    arena_free(p->arena);
    buf_release(&p->words);
    buf_release(&p->head);
    buf_release(&p->entries);
    buf_release(&p->type);
    free(p);
}

// --- numbers, positions, texts

static void put_number(ds_buf *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        buf_putc(out, (char)(v | 0x80));
    buf_putc(out, (char)v);
}

static void put_pos(ds_packer *p, ds_pos pos)
{
    if (pos.file == 0) {
        buf_putc(p->out, 0);
        return;
    }
    ds_assert(p->file == 0 || p->file == pos.file);
    p->file = pos.file;
    bool same = pos.column == p->last.column;
    put_number(p->out, (pack_zigzag((int64_t)pos.line - (int64_t)p->last.line) << 1 | same) + 1);
    if (!same)
        put_number(p->out, pos.column);
    p->last = pos;
}

static void put_text(ds_buf *out, const char *text)
{
    size_t n = strlen(text);
    put_number(out, n);
    buf_put(out, text, n + 1);
}

static cached *cache_slot(ds_packer *p, const void *key)
{
    return &p->cache[((uintptr_t)key >> 4) % CACHE_SIZE];
}

static uint32_t add_word(ds_packer *p, const char *text)
{
    void *known = map_add(p->index, text, (void *)((uintptr_t)p->word_count + 1));
    if (known)
        return (uint32_t)((uintptr_t)known - 1);
    put_text(&p->words, text);
    return p->word_count++;
}

static uint32_t word_of(ds_packer *p, const char *text)
{
    cached *c = cache_slot(p, text);
    if (c->key != text || c->document != p->document)
        *c = (cached){text, p->document, add_word(p, text)};
    return c->word;
}

static uint32_t word_of_type(ds_packer *p, const ds_type *type)
{
    cached *c = cache_slot(p, type);
    if (c->key == type && c->document == p->document)
        return c->word;
    buf_clear(&p->type);
    type_print(type, &p->type);
    ds_assert(buf_ok(&p->type));
    uint32_t word = add_word(p, arena_strdup(p->arena, buf_text(&p->type)));
    *c = (cached){type, p->document, word};
    return word;
}

// --- fields: each writes its value and says true, or writes nothing: the default

static bool put_struct(ds_packer *p, const model_shape *shape, const void *base);

static const void *member(const model_field *f, const void *base)
{
    return (const char *)base + f->offset;
}

static void put_field_text(ds_packer *p, const model_field *f, const char *text)
{
    if (pack_is_word(f))
        put_number(p->out, word_of(p, text));
    else
        put_text(p->out, text);
}

static bool put_text_field(ds_packer *p, const model_field *f, const void *base)
{
    const ds_text *text = member(f, base);
    if (text->pos.file == 0 || !text->s)
        return false;
    put_pos(p, text->pos);
    put_field_text(p, f, text->s);
    return true;
}

static bool put_string(ds_packer *p, const model_field *f, const void *base)
{
    const char *text = *(const char *const *)member(f, base);
    if (text)
        put_field_text(p, f, text);
    return text != NULL;
}

static bool put_int(ds_packer *p, const model_field *f, const void *base)
{
    const ds_int *value = member(f, base);
    if (value->set) {
        put_pos(p, value->pos);
        put_number(p->out, pack_zigzag(value->v));
    }
    return value->set;
}

static bool put_flag(ds_packer *p, const model_field *f, const void *base)
{
    const ds_flag *value = member(f, base);
    if (value->set) {
        put_pos(p, value->pos);
        put_number(p->out, value->v);
    }
    return value->set;
}

static bool put_ratio(ds_packer *p, const model_field *f, const void *base)
{
    const ds_ratio *value = member(f, base);
    if (value->set) {
        put_pos(p, value->pos);
        uint64_t bits;
        memcpy(&bits, &value->v, sizeof bits);
        put_number(p->out, bits);
    }
    return value->set;
}

static void put_text_items(ds_packer *p, const model_field *f, const ds_text *items, size_t n)
{
    put_number(p->out, n);
    for (size_t i = 0; i < n; i++) {
        put_pos(p, items[i].pos);
        put_field_text(p, f, items[i].s);
    }
}

static bool put_texts(ds_packer *p, const model_field *f, const void *base)
{
    const ds_texts *list = member(f, base);
    if (list->pos.file == 0)
        return false;
    put_pos(p, list->pos);
    put_text_items(p, f, list->v, list->n);
    return true;
}

static bool put_classes(ds_packer *p, const model_field *f, const void *base)
{
    uint16_t n;
    memcpy(&n, (const char *)base + f->value_offset, sizeof n);
    if (n)
        put_text_items(p, f, *(const ds_text *const *)member(f, base), n);
    return n > 0;
}

static bool put_nested(ds_packer *p, const model_field *f, const void *base)
{
    size_t before = p->out->n;
    ds_pos last = p->last;
    if (put_struct(p, f->shape, member(f, base)))
        return true;
    p->out->n = before;
    p->last = last;
    return false;
}

static bool put_pointer(ds_packer *p, const model_field *f, const void *base)
{
    const void *target = *(const void *const *)member(f, base);
    if (target)
        (void)put_struct(p, f->shape, target);
    return target != NULL;
}

static const char *entry_name(const model_shape *shape, const void *entry)
{
    const char *at = (const char *)entry + shape->name_offset;
    return shape->name_is_string ? *(const char *const *)(const void *)at : ((const ds_text *)(const void *)at)->s;
}

static bool put_list(ds_packer *p, const model_field *f, const void *base)
{
    const pack_list *list = member(f, base);
    if (list->pos.file == 0)
        return false;
    put_pos(p, list->pos);
    put_number(p->out, list->n);
    if (f->apart) {
        p->apart = base;
        return true;
    }
    for (size_t i = 0; i < list->n; i++) {
        const void *entry = (const char *)list->v + i * f->shape->size;
        if (f->kind == FIELD_MAP)
            put_number(p->out, word_of(p, entry_name(f->shape, entry)));
        (void)put_struct(p, f->shape, entry);
    }
    return true;
}

static bool put_column_type(ds_packer *p, const model_field *f, const void *base)
{
    (void)f;
    const ds_column *column = base;
    if (!column->type)
        return false;
    unsigned flags = (column->primary_key ? PACK_PRIMARY_KEY : 0u) | (column->not_null ? PACK_NOT_NULL : 0u) |
                     (column->partition ? PACK_PARTITION : 0u) | (column->null_given ? PACK_NULL_GIVEN : 0u);
    put_number(p->out, (uint64_t)word_of_type(p, column->type) << PACK_FLAG_BITS | flags);
    return true;
}

static bool put_sink(ds_packer *p, const model_field *f, const void *base)
{
    (void)f;
    const ds_sink *sink = base;
    if (!sink->text.s)
        return false;
    put_pos(p, sink->text.pos);
    put_number(p->out, word_of(p, sink->text.s));
    put_number(p->out, sink->store ? (uint64_t)word_of(p, sink->store) + 1 : 0);
    if (sink->store)
        put_number(p->out, word_of(p, sink->dataset));
    return true;
}

static bool put_deprecated(ds_packer *p, const model_field *f, const void *base)
{
    const ds_deprecation *d = member(f, base);
    if (d->pos.file == 0)
        return false;
    put_pos(p, d->pos);
    put_number(p->out, d->reason ? 2 : d->v);
    if (d->reason)
        put_text(p->out, d->reason);
    return true;
}

typedef bool put_value(ds_packer *p, const model_field *f, const void *base);
static put_value *const VALUES[FIELD_KIND_COUNT] = {
    [FIELD_TEXT] = put_text_field,
    [FIELD_STRING] = put_string,
    [FIELD_INT] = put_int,
    [FIELD_FLAG] = put_flag,
    [FIELD_RATIO] = put_ratio,
    [FIELD_TEXTS] = put_texts,
    [FIELD_ONE_OR_MANY] = put_texts,
    [FIELD_CLASSES] = put_classes,
    [FIELD_STRUCT] = put_nested,
    [FIELD_POINTER] = put_pointer,
    [FIELD_LIST] = put_list,
    [FIELD_MAP] = put_list,
    [FIELD_COLUMN_TYPE] = put_column_type,
    [FIELD_SINK] = put_sink,
    [FIELD_DEPRECATED] = put_deprecated,
    [FIELD_BATCHES] = put_text_field, // its number is read from its text
};

static ds_pos pos_at(const void *base, uint16_t offset)
{
    ds_pos pos;
    memcpy(&pos, (const char *)base + offset, sizeof pos);
    return pos;
}

// False when nothing in it was given.
static bool put_struct(ds_packer *p, const model_shape *shape, const void *base)
{
    pack_fields all = pack_fields_of(shape);
    ds_pos pos = pos_at(base, shape->pos_offset);
    put_pos(p, pos);
    if (shape->body_pos_offset)
        put_pos(p, pos_at(base, shape->body_pos_offset));
    size_t at = p->out->n, bytes = (all.n + 7) / 8;
    uint32_t given = 0;
    buf_put(p->out, &given, bytes);
    for (size_t i = 0; i < all.n; i++) {
        const model_field *f = pack_field(&all, i);
        const void *home = field_home(f, base);
        if (!f->rest || home != f->rest->none)
            given |= (uint32_t)VALUES[f->kind](p, f, home) << i;
    }
    for (size_t i = 0; i < bytes && buf_ok(p->out); i++)
        p->out->p[at + i] = (char)(given >> 8 * i);
    return given || pos.file;
}

// --- documents

static const ds_packed_entry *put_entries(ds_packer *p, const ds_datastore *store, size_t n)
{
    ds_packed_entry *list = ARENA_ARRAY(p->arena, ds_packed_entry, n);
    p->out = &p->entries;
    for (size_t i = 0; i < n; i++) {
        const ds_dataset *dataset = &store->datasets.v[i];
        size_t before = p->entries.n;
        p->last = NO_POS;
        put_text(p->out, dataset->name);
        (void)put_struct(p, &SHAPE_DATASET, dataset);
        list[i] = (ds_packed_entry){dataset, {NULL, p->entries.n - before}};
    }
    const char *at = p->entries.p;
    for (size_t i = 0; i < n; at += list[i++].bytes.n)
        list[i].bytes.p = at;
    return list;
}

ds_packed pack_document(ds_packer *p, size_t kind, const void *object)
{
    arena_clear(p->arena);
    buf_clear(&p->words);
    buf_put(&p->words, &(uint32_t){0}, sizeof(uint32_t)); // how many, in the end
    buf_clear(&p->head);
    buf_clear(&p->entries);
    p->index = map_new(p->arena);
    p->document++;
    p->word_count = 0;
    p->last = NO_POS;
    p->file = 0;
    p->apart = NULL;
    p->out = &p->head;
    (void)put_struct(p, MODEL_KINDS[kind].shape, object);
    size_t n = p->apart ? p->apart->datasets.n : 0;
    const ds_packed_entry *entries = n ? put_entries(p, p->apart, n) : NULL;
    memcpy(p->words.p, &p->word_count, sizeof p->word_count);
    ds_assert(buf_ok(&p->words) && buf_ok(&p->head) && buf_ok(&p->entries));
    return (ds_packed){buf_str(&p->words), buf_str(&p->head), entries, n};
}
