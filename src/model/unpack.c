// Bytes -> structs. Nothing is believed: every number has its bounds, every text its end.
#include "model/decode_int.h"
#include "model/pack_int.h"

struct ds_unpacker {
    ds_arena *arena;
    ds_map *types; // ds_type by canonical text
};

typedef struct reader {
    ds_unpacker *u;
    ds_arena *arena; // for structs
    ds_words *words;
    const unsigned char *p, *end;
    ds_pos last; // the position before; its file is that of all
    bool bad;
    ds_datastore *apart;
    size_t apart_n;
} reader;

// They are unpacked as far as somebody asks: those of a store's head come first, and its datasets are often not needed.
struct ds_words {
    VEC(const char *) texts; // of the first
    const ds_type **types;   // those that have been asked for; NULL: none
    size_t n;                // of all
    reader rest;
};

ds_unpacker *unpacker_new(ds_arena *arena)
{
    ds_unpacker *u = ARENA_NEW(arena, ds_unpacker);
    *u = (ds_unpacker){arena, map_new(arena)};
    return u;
}

static reader reader_init(ds_unpacker *u, ds_words *words, ds_str bytes, uint32_t file)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    return (reader){.u = u, .arena = u->arena, .words = words, .p = p, .end = p + bytes.n, .last = {.file = file}};
}

// What is read after that is zero and empty.
static void spoil(reader *r)
{
    r->bad = true;
    r->p = r->end;
}

static ds_rc reader_finish(const reader *r, ds_error *err)
{
    if (!r->bad && r->p == r->end)
        return DS_DONE;
    return ds_fail(err, DS_INTERNAL, "a packed document is damaged");
}

// --- numbers, positions, texts

static uint64_t take_long_number(reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && r->p < r->end; shift += 7) {
        unsigned char byte = *r->p++;
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return v;
    }
    spoil(r);
    return 0;
}

static inline uint64_t take_number(reader *r)
{
    return r->p < r->end && *r->p < 0x80 ? *r->p++ : take_long_number(r);
}

// How many things follow; each takes a byte at least.
static size_t take_count(reader *r)
{
    uint64_t n = take_number(r);
    if (n > (uint64_t)(r->end - r->p)) {
        spoil(r);
        return 0;
    }
    return (size_t)n;
}

static ds_pos take_pos(reader *r)
{
    enum { LINE_END = 1 << 20, COLUMN_END = 1 << 12 };
    uint64_t packed = take_number(r);
    if (packed == 0)
        return NO_POS;
    packed--;
    int64_t by = pack_unzigzag(packed >> 1);
    uint64_t column = packed & 1 ? r->last.column : take_number(r);
    int64_t line = by > -LINE_END && by < LINE_END ? (int64_t)r->last.line + by : -1;
    if (line < 0 || line >= LINE_END || column >= COLUMN_END) {
        spoil(r);
        return NO_POS;
    }
    r->last.line = (uint32_t)line & (LINE_END - 1);
    r->last.column = column & (COLUMN_END - 1);
    return r->last;
}

static const char *take_plain_text(reader *r)
{
    uint64_t n = take_number(r);
    if (n >= (uint64_t)(r->end - r->p) || r->p[n] != '\0' ||
        str_utf8_length((ds_str){(const char *)r->p, (size_t)n}) < 0) {
        spoil(r);
        return "";
    }
    const char *text = (const char *)r->p;
    r->p += n + 1;
    return text;
}

static const char *word_at(reader *r, uint64_t i)
{
    ds_words *words = r->words;
    while (i < words->n && i >= words->texts.n && !words->rest.bad)
        *VEC_PUSH(words->rest.arena, &words->texts) = take_plain_text(&words->rest);
    if (i < words->n && !words->rest.bad)
        return words->texts.v[i];
    spoil(r);
    return "";
}

static const char *take_word(reader *r)
{
    return word_at(r, take_number(r));
}

static const char *take_text(reader *r, const model_field *f)
{
    return pack_is_word(f) ? take_word(r) : take_plain_text(r);
}

static const ds_type *type_of(reader *r, uint64_t word)
{
    const char *text = word_at(r, word);
    if (r->bad)
        return NULL;
    if (!r->words->types)
        r->words->types = ARENA_ARRAY(r->u->arena, const ds_type *, r->words->n);
    if (r->words->types[word])
        return r->words->types[word];
    const ds_type *type = map_get(r->u->types, text);
    size_t at;
    ds_error err;
    if (!type && type_parse(r->u->arena, str_of(text), &type, &at, &err).code != DS_OK) {
        spoil(r);
        return NULL;
    }
    (void)map_add(r->u->types, text, (void *)(uintptr_t)type);
    r->words->types[word] = type;
    return type;
}

// --- fields

static void take_struct(reader *r, const model_shape *shape, void *base);

static void *member(const model_field *f, void *base)
{
    return (char *)base + f->offset;
}

static void take_text_field(reader *r, const model_field *f, void *base)
{
    ds_pos pos = take_pos(r);
    const char *text = take_text(r, f);
    *(ds_text *)member(f, base) = (ds_text){text, pos};
    for (size_t i = 0; f->words && f->value_offset && i < f->words->n; i++)
        if (strcmp(f->words->v[i].word, text) == 0)
            memcpy((char *)base + f->value_offset, &f->words->v[i].value, sizeof(int));
}

static void take_string(reader *r, const model_field *f, void *base)
{
    *(const char **)member(f, base) = take_text(r, f);
}

static void take_int(reader *r, const model_field *f, void *base)
{
    ds_pos pos = take_pos(r);
    int64_t value = pack_unzigzag(take_number(r));
    if (value < f->min || value > f->max)
        spoil(r);
    else
        *(ds_int *)member(f, base) = (ds_int){value, pos, true};
}

static void take_flag(reader *r, const model_field *f, void *base)
{
    ds_pos pos = take_pos(r);
    *(ds_flag *)member(f, base) = (ds_flag){.v = take_number(r) != 0, .set = true, .pos = pos};
}

static void take_ratio(reader *r, const model_field *f, void *base)
{
    ds_pos pos = take_pos(r);
    uint64_t bits = take_number(r);
    double value;
    memcpy(&value, &bits, sizeof value);
    if (value >= 0 && value <= 1)
        *(ds_ratio *)member(f, base) = (ds_ratio){.v = value, .set = true, .pos = pos};
    else
        spoil(r);
}

static ds_text *take_text_items(reader *r, const model_field *f, size_t *n)
{
    *n = take_count(r);
    ds_text *items = ARENA_ARRAY(r->arena, ds_text, *n);
    for (size_t i = 0; i < *n; i++) {
        items[i].pos = take_pos(r);
        items[i].s = take_text(r, f);
    }
    return items;
}

static void take_texts(reader *r, const model_field *f, void *base)
{
    ds_texts *list = member(f, base);
    list->pos = take_pos(r);
    list->v = take_text_items(r, f, &list->n);
}

static void take_classes(reader *r, const model_field *f, void *base)
{
    size_t n;
    const ds_text *items = take_text_items(r, f, &n);
    uint16_t count = (uint16_t)n;
    if (n > f->words->n) {
        spoil(r);
        return;
    }
    *(const ds_text **)member(f, base) = items;
    memcpy((char *)base + f->value_offset, &count, sizeof count);
}

static void take_nested(reader *r, const model_field *f, void *base)
{
    take_struct(r, f->shape, member(f, base));
}

static void take_pointer(reader *r, const model_field *f, void *base)
{
    void *target = arena_alloc(r->arena, f->shape->size);
    decode_defaults(f->shape, target);
    take_struct(r, f->shape, target);
    *(void **)member(f, base) = target;
}

static void take_entry(reader *r, const model_field *f, void *entry)
{
    const model_shape *shape = f->shape;
    void *name = (char *)entry + shape->name_offset;
    decode_defaults(shape, entry);
    const char *text = f->kind == FIELD_MAP ? take_word(r) : NULL;
    take_struct(r, shape, entry);
    if (f->kind != FIELD_MAP)
        return;
    if (shape->name_is_string) {
        *(const char **)name = text;
        return;
    }
    ((ds_text *)name)->s = text;
    memcpy(&((ds_text *)name)->pos, (char *)entry + shape->pos_offset, sizeof(ds_pos));
}

static void take_list(reader *r, const model_field *f, void *base)
{
    pack_list *list = member(f, base);
    list->pos = take_pos(r);
    if (f->apart) {
        r->apart = base;
        r->apart_n = take_number(r);
        return;
    }
    list->n = take_count(r);
    list->v = arena_alloc_array(r->arena, f->shape->size, list->n);
    for (size_t i = 0; i < list->n; i++)
        take_entry(r, f, (char *)list->v + i * f->shape->size);
}

static void take_column_type(reader *r, const model_field *f, void *base)
{
    (void)f;
    ds_column *column = base;
    uint64_t packed = take_number(r);
    column->type = type_of(r, packed >> PACK_FLAG_BITS);
    column->primary_key = packed & PACK_PRIMARY_KEY;
    column->not_null = packed & PACK_NOT_NULL;
    column->partition = packed & PACK_PARTITION;
    column->null_given = packed & PACK_NULL_GIVEN;
}

static void take_sink(reader *r, const model_field *f, void *base)
{
    (void)f;
    ds_sink *sink = base;
    sink->text.pos = take_pos(r);
    sink->text.s = take_word(r);
    uint64_t store = take_number(r);
    if (store == 0)
        return;
    sink->store = word_at(r, store - 1);
    sink->dataset = take_word(r);
}

static void take_deprecated(reader *r, const model_field *f, void *base)
{
    ds_deprecation *d = member(f, base);
    d->pos = take_pos(r);
    uint64_t how = take_number(r);
    d->v = how != 0;
    if (how == 2)
        d->reason = take_plain_text(r);
}

static void take_batches(reader *r, const model_field *f, void *base)
{
    int64_t value = STAGING_BATCHES_ALL;
    take_text_field(r, f, base);
    const char *text = ((const ds_text *)member(f, base))->s;
    if (strcmp(text, "all") != 0 && (!str_int64(str_of(text), &value) || value < f->min || value > f->max))
        spoil(r);
    else
        memcpy((char *)base + f->value_offset, &value, sizeof value);
}

typedef void take_value(reader *r, const model_field *f, void *base);
static take_value *const VALUES[FIELD_KIND_COUNT] = {
    [FIELD_TEXT] = take_text_field,
    [FIELD_STRING] = take_string,
    [FIELD_INT] = take_int,
    [FIELD_FLAG] = take_flag,
    [FIELD_RATIO] = take_ratio,
    [FIELD_TEXTS] = take_texts,
    [FIELD_ONE_OR_MANY] = take_texts,
    [FIELD_CLASSES] = take_classes,
    [FIELD_STRUCT] = take_nested,
    [FIELD_POINTER] = take_pointer,
    [FIELD_LIST] = take_list,
    [FIELD_MAP] = take_list,
    [FIELD_COLUMN_TYPE] = take_column_type,
    [FIELD_SINK] = take_sink,
    [FIELD_DEPRECATED] = take_deprecated,
    [FIELD_BATCHES] = take_batches,
};

static uint32_t take_bitmap(reader *r, size_t fields)
{
    uint32_t given = 0;
    size_t bytes = (fields + 7) / 8;
    if ((size_t)(r->end - r->p) < bytes) {
        spoil(r);
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        given |= (uint32_t)*r->p++ << 8 * i;
    if (given >> (fields - 1) > 1) {
        spoil(r);
        return 0;
    }
    return given;
}

static void put_pos(void *base, uint16_t offset, ds_pos pos)
{
    memcpy((char *)base + offset, &pos, sizeof pos);
}

// base has its defaults.
static void take_struct(reader *r, const model_shape *shape, void *base)
{
    pack_fields all = pack_fields_of(shape);
    ds_assert(all.n > 0 && all.n <= PACK_FIELDS_MAX);
    put_pos(base, shape->pos_offset, take_pos(r));
    if (shape->body_pos_offset)
        put_pos(base, shape->body_pos_offset, take_pos(r));
    uint32_t given = take_bitmap(r, all.n);
    for (; given && !r->bad; given &= given - 1) {
        const model_field *f = pack_field(&all, (size_t)__builtin_ctz(given));
        VALUES[f->kind](r, f, field_own_home(f, base, r->arena));
    }
}

// --- documents

ds_rc unpack_words(ds_unpacker *u, ds_str bytes, ds_words **out, ds_error *err)
{
    uint32_t n = 0;
    if (bytes.n >= sizeof n)
        memcpy(&n, bytes.p, sizeof n);
    if (bytes.n < sizeof n || n > bytes.n)
        return ds_fail(err, DS_INTERNAL, "the words of a packed document are damaged");
    ds_words *words = ARENA_NEW(u->arena, ds_words);
    *words = (ds_words){.n = n, .rest = reader_init(u, NULL, bytes, 0)};
    words->rest.p += sizeof n;
    *out = words;
    return DS_DONE;
}

ds_rc unpack_document(ds_unpacker *u, ds_words *words, size_t kind, ds_str head, uint32_t file, ds_unpacked *out,
                      ds_error *err)
{
    if (kind >= MODEL_KIND_COUNT)
        return ds_fail(err, DS_INTERNAL, "a packed document is of no kind");
    const model_shape *shape = MODEL_KINDS[kind].shape;
    reader r = reader_init(u, words, head, file);
    void *object = arena_alloc(u->arena, shape->size);
    decode_defaults(shape, object);
    take_struct(&r, shape, object);
    TRY(reader_finish(&r, err));
    *out = (ds_unpacked){object, r.apart, r.apart_n};
    return DS_DONE;
}

ds_rc unpack_dataset(ds_unpacker *u, ds_words *words, ds_str bytes, uint32_t file, ds_arena *arena, ds_dataset *out,
                     ds_error *err)
{
    reader r = reader_init(u, words, bytes, file);
    r.arena = arena;
    ds_dataset dataset = {0};
    decode_defaults(&SHAPE_DATASET, &dataset);
    dataset.name = take_plain_text(&r);
    take_struct(&r, &SHAPE_DATASET, &dataset);
    TRY(reader_finish(&r, err));
    *out = dataset;
    return DS_DONE;
}
