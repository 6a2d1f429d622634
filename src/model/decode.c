// Maps and lists of structs.
#include "model/decode_int.h"

enum { FIELDS_MAX = 32 };

// A key is a text, and no merge key; else a finding.
static bool is_key(decoder *d, const yaml_node *key)
{
    if (key->kind != NODE_SCALAR) {
        decode_find(d, RULE_SHAPE, key->pos, "a key is a text, not a %s", key->kind == NODE_LIST ? "list" : "map");
        return false;
    }
    if (key->plain && key->text.n == 2 && str_eq(key->text, STR("<<"))) {
        decode_find(d, RULE_YAML_FEATURE, key->pos, "merge keys (<<) are not allowed");
        diag_hint(d->diags, "write the keys out");
        return false;
    }
    if (key->text.n == 0) {
        decode_find(d, RULE_EMPTY, key->pos, "a key is empty");
        return false;
    }
    return true;
}

// --- maps with fields

typedef struct given_keys {
    ds_pos pos[FIELDS_MAX]; // of each field's key; file 0: not given
    bool meant[FIELDS_MAX]; // a misspelt key looks like it
    ds_pos kind;            // of a document's
} given_keys;

static void report_unknown(decoder *d, const model_shape *shape, const yaml_node *key, given_keys *given)
{
    const char *known[FIELDS_MAX];
    size_t n = shape_field_count(shape);
    for (size_t i = 0; i < n; i++)
        known[i] = shape_field(shape, i)->key;
    decode_find(d, RULE_UNKNOWN_KEY, key->pos, "unknown key \"%s\"", decode_show(d, key->text));
    const char *nearest = decode_hint_words(d, key->text.p, known, n);
    for (size_t i = 0; i < n; i++) // so that "datasts" is one finding, not a missing field, too
        given->meant[i] |= known[i] == nearest;
}

static const model_field *find_field(const model_shape *shape, ds_str key, size_t *index)
{
    for (size_t i = 0; i < shape_field_count(shape); i++) {
        const model_field *f = shape_field(shape, i);
        if (f->key[0] == key.p[0] && str_eq(key, str_of(f->key))) {
            *index = i;
            return f;
        }
    }
    return NULL;
}

// Notes a key; false when it was there before.
static bool note(decoder *d, const yaml_node *key, ds_pos *seen)
{
    if (seen->file == 0) {
        *seen = key->pos;
        return true;
    }
    decode_find(d, RULE_DUPLICATE_KEY, key->pos, "key \"%s\" stands here twice", decode_show(d, key->text));
    diag_hint(d->diags, "the first one is at %s:%u:%u", files_path(diags_files(d->diags), seen->file),
              (unsigned)seen->line, (unsigned)seen->column);
    return false;
}

void *decode_member(decoder *d, const decode_slot *slot)
{
    return (char *)field_own_home(slot->field, slot->base, d->arena) + slot->field->offset;
}

static void decode_list(decoder *d, const decode_slot *slot);
static void decode_map(decoder *d, const decode_slot *slot);

static void decode_field(decoder *d, const decode_slot *slot)
{
    if (decode_scalar(d, slot))
        return;
    const model_field *f = slot->field;
    decode_slot inner = *slot;
    switch (f->kind) {
    case FIELD_LIST:
        decode_list(d, slot);
        return;
    case FIELD_MAP:
        decode_map(d, slot);
        return;
    case FIELD_STRUCT:
        inner.base = decode_member(d, slot);
        decode_struct(d, f->shape, &inner, NULL);
        return;
    case FIELD_POINTER:
        inner.base = arena_alloc(d->arena, f->shape->size);
        memcpy(decode_member(d, slot), &inner.base, sizeof inner.base);
        decode_defaults(f->shape, inner.base);
        decode_struct(d, f->shape, &inner, NULL);
        return;
    default:
        BUG("field \"%s\" has no decoder", f->key);
    }
}

static void decode_pairs(decoder *d, const model_shape *shape, const yaml_node *map, void *base, given_keys *given)
{
    bool is_document = map == d->document;
    map = decode_mend(d, map);
    for (size_t i = 0; i < map->n; i += 2) {
        const yaml_node *key = &map->items[i];
        if (!is_key(d, key))
            continue;
        if (is_document && str_eq(key->text, STR("kind"))) {
            (void)note(d, key, &given->kind);
            continue;
        }
        size_t index = 0;
        const model_field *f = find_field(shape, key->text, &index);
        if (!f) {
            report_unknown(d, shape, key, given);
            continue;
        }
        if (note(d, key, &given->pos[index])) {
            decode_slot slot = {f, f->key, key->pos, &map->items[i + 1], base};
            decode_field(d, &slot);
        }
    }
}

// --- what the fields of a struct must be together

// A struct that has been read.
typedef struct subject {
    const model_shape *shape;
    const char *name; // of an entry or a document; else NULL
    ds_pos pos;
    const void *base;
    const given_keys *given;
} subject;

// `capture`, `column "id"`
static const char *describe(decoder *d, const subject *s)
{
    return s->name ? arena_printf(d->scratch, "%s \"%s\"", s->shape->name, decode_show(d, str_of(s->name)))
                   : s->shape->name;
}

// The word of the tag field, with its row; NULL when the struct has none, or none that is known.
static const model_word *tag_word(const subject *s)
{
    const model_field *tag = shape_tag(s->shape);
    if (!tag)
        return NULL;
    int value;
    memcpy(&value, (const char *)field_home(tag, s->base) + tag->value_offset, sizeof value);
    for (size_t i = 0; i < tag->words->n; i++)
        if (tag->words->v[i].value == value)
            return &tag->words->v[i];
    return NULL;
}

static void check_absent(decoder *d, const subject *s, const model_field *f, const model_word *tag)
{
    bool for_type = tag && (f->required_for & (1u << tag->value));
    if (!f->required && !for_type)
        return;
    const char *because = f->required ? "" : arena_printf(d->scratch, " (type %s)", tag->word);
    decode_find(d, RULE_MISSING, s->pos, "%s lacks \"%s\"%s", describe(d, s), f->key, because);
    decode_hint_field(d, f);
}

static void check_given(decoder *d, const subject *s)
{
    const model_word *tag = tag_word(s);
    for (size_t i = 0; i < shape_field_count(s->shape); i++) {
        const model_field *f = shape_field(s->shape, i);
        if (s->given->pos[i].file == 0) {
            if (!s->given->meant[i])
                check_absent(d, s, f, tag);
        } else if (tag && f->only_for && !(f->only_for & (1u << tag->value))) {
            decode_find(d, RULE_NOT_FOR_TYPE, s->given->pos[i], "\"%s\" means nothing for type %s", f->key, tag->word);
            diag_hint(d->diags, "remove it");
        }
    }
}

static void check_choice(decoder *d, const subject *s)
{
    CLEANUP(buf_release) ds_buf choices = BUF_INIT(500);
    const model_field *first = NULL, *second = NULL;
    ds_pos second_pos = s->pos;
    for (size_t i = 0; i < s->shape->n; i++) {
        const model_field *f = &s->shape->fields[i];
        if (!f->choice)
            continue;
        buf_printf(&choices, "%s%s", choices.n ? ", " : "", f->key);
        if (s->given->pos[i].file == 0)
            continue;
        if (first && !second) {
            second = f;
            second_pos = s->given->pos[i];
        }
        first = first ? first : f;
    }
    if (choices.n == 0 || (first && !second))
        return;
    if (second)
        decode_find(d, RULE_CHOICE, second_pos, "%s has both \"%s\" and \"%s\"", describe(d, s), first->key,
                    second->key);
    else
        decode_find(d, RULE_CHOICE, s->pos, "%s says nothing", describe(d, s));
    diag_hint(d->diags, "give one of %s", buf_text(&choices));
}

static void put_pos(void *base, uint16_t offset, ds_pos pos)
{
    memcpy((char *)base + offset, &pos, sizeof pos);
}

void decode_struct(decoder *d, const model_shape *shape, const decode_slot *slot, const char *name)
{
    put_pos(slot->base, shape->pos_offset, slot->key_pos);
    if (shape->body_pos_offset)
        put_pos(slot->base, shape->body_pos_offset, slot->node->pos);
    if (slot->node->kind == NODE_SCALAR && shape->short_form) {
        decode_slot brief = *slot;
        brief.field = shape->short_form;
        decode_field(d, &brief);
        return;
    }
    if (slot->node->kind != NODE_MAP || shape->n == 0) {
        if (slot->node->kind != NODE_SCALAR || decode_has_value(d, slot))
            decode_wrong_shape(d, slot, shape->n == 0 ? "text" : shape->short_form ? "a text or a map" : "a map");
        return;
    }
    given_keys given = {0};
    ds_assert(shape_field_count(shape) <= FIELDS_MAX);
    decode_pairs(d, shape, slot->node, slot->base, &given);
    subject s = {shape, name, slot->key_pos, slot->base, &given};
    check_given(d, &s);
    check_choice(d, &s);
}

// --- lists and maps of structs

typedef LIST_OF(void) any_list;

static bool is_empty_list(decoder *d, const decode_slot *slot)
{
    if (slot->node->n > 0 || !slot->field->required)
        return slot->node->n == 0;
    decode_find(d, RULE_EMPTY, slot->key_pos, "\"%s\" is empty", slot->label);
    decode_hint_field(d, slot->field);
    return true;
}

static const char *name_of(const model_shape *shape, const void *entry)
{
    const char *at = (const char *)entry + shape->name_offset;
    return shape->name_is_string ? *(const char *const *)(const void *)at : ((const ds_text *)(const void *)at)->s;
}

// Names of list items are fields of theirs, so they are known only now.
static void check_item_names(decoder *d, const model_shape *shape, const any_list *list)
{
    scoped_name *names = ARENA_ARRAY(d->scratch, scoped_name, list->n);
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        const void *item = (const char *)list->v + i * shape->size;
        const ds_text *name = (const void *)((const char *)item + shape->name_offset);
        if (name->s)
            names[n++] = (scoped_name){name->s, name->pos, false};
    }
    if (!names_may_clash(names, n, d->scratch))
        return;
    name_scope scope = {d->diags, RULE_DUPLICATE, shape->name, decode_object(d), d->scratch};
    names_check(&scope, names, n);
}

// n structs with their defaults.
static void *new_structs(decoder *d, const model_shape *shape, size_t n)
{
    char *all = arena_alloc_array(d->arena, shape->size, n);
    if (n)
        decode_defaults(shape, all);
    for (size_t i = 1; i < n; i++)
        memcpy(all + i * shape->size, all, shape->size);
    return all;
}

static void decode_list(decoder *d, const decode_slot *slot)
{
    const model_shape *shape = slot->field->shape;
    if (slot->node->kind != NODE_LIST) {
        if (slot->node->kind == NODE_MAP || decode_has_value(d, slot))
            decode_wrong_shape(d, slot, "a list");
        return;
    }
    any_list list = {.pos = slot->key_pos};
    if (!is_empty_list(d, slot)) {
        list.n = slot->node->n;
        list.v = new_structs(d, shape, list.n);
    }
    for (size_t i = 0; i < list.n; i++) {
        void *item = (char *)list.v + i * shape->size;
        const yaml_node *node = &slot->node->items[i];
        decode_slot at = {slot->field, slot->label, node->pos, node, item};
        decode_struct(d, shape, &at, NULL);
    }
    memcpy(decode_member(d, slot), &list, sizeof list);
    if (shape->named)
        check_item_names(d, shape, &list);
}

// Marks keys that are equal to earlier ones.
static void check_keys(decoder *d, const model_shape *shape, scoped_name *keys, size_t n)
{
    scoped_name *legal = ARENA_ARRAY(d->scratch, scoped_name, n);
    size_t legal_n = 0;
    for (size_t i = 0; i < n; i++)
        if (!keys[i].duplicate)
            legal[legal_n++] = keys[i];
    name_scope scope = {d->diags, RULE_DUPLICATE_KEY, shape->name, decode_object(d), d->scratch};
    names_check(&scope, legal, legal_n);
    for (size_t i = n; i-- > 0;)
        if (!keys[i].duplicate)
            keys[i].duplicate = legal[--legal_n].duplicate;
}

// The keys of a map that can be names. Equal ones are marked, all others are checked.
static scoped_name *take_keys(decoder *d, const model_shape *shape, const yaml_node *map)
{
    scoped_name *keys = ARENA_ARRAY(d->scratch, scoped_name, map->n / 2);
    size_t n = 0;
    for (size_t i = 0; i < map->n; i += 2) {
        const yaml_node *key = &map->items[i];
        if (!is_key(d, key))
            keys[n++] = (scoped_name){"", key->pos, true};
        else
            keys[n++] = (scoped_name){key->text.p, key->pos, false};
    }
    if (names_may_clash(keys, n, d->scratch))
        check_keys(d, shape, keys, n);
    for (size_t i = 0; i < n; i++)
        if (!keys[i].duplicate)
            decode_check_name(d, shape->name_pattern, shape->name_of ? shape->name_of : shape->name, keys[i].pos,
                              keys[i].name);
    return keys;
}

static void put_name(decoder *d, const model_shape *shape, const scoped_name *key, void *entry)
{
    void *at = (char *)entry + shape->name_offset;
    const char *name = intern(d->strings, str_of(key->name));
    if (shape->name_is_string)
        *(const char **)at = name;
    else
        *(ds_text *)at = (ds_text){name, key->pos};
}

// entry has its defaults.
static void decode_entry(decoder *d, const decode_slot *slot, const scoped_name *key, const yaml_node *node,
                         void *entry)
{
    const model_shape *shape = slot->field->shape;
    put_name(d, shape, key, entry);
    const char *name = name_of(shape, entry);
    bool part = shape->part && d->path_n < DECODE_PATH_MAX;
    if (part)
        d->path[d->path_n++] = name;
    decode_slot at = {slot->field, name, key->pos, node, entry};
    decode_struct(d, shape, &at, name);
    if (part)
        d->path_n--;
}

static void decode_map(decoder *d, const decode_slot *slot)
{
    const model_shape *shape = slot->field->shape;
    if (slot->node->kind != NODE_MAP) {
        if (slot->node->kind == NODE_LIST || decode_has_value(d, slot))
            decode_wrong_shape(d, slot, "a map by name");
        return;
    }
    const yaml_node *map = decode_mend(d, slot->node);
    any_list list = {.pos = slot->key_pos};
    if (!is_empty_list(d, slot)) {
        const scoped_name *keys = take_keys(d, shape, map);
        list.v = new_structs(d, shape, map->n / 2);
        for (size_t i = 0; i < map->n / 2; i++)
            if (!keys[i].duplicate)
                decode_entry(d, slot, &keys[i], &map->items[2 * i + 1], (char *)list.v + shape->size * list.n++);
    }
    memcpy(decode_member(d, slot), &list, sizeof list);
}
