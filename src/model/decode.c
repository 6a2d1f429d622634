// Maps and lists of structs, and documents.
#include "model/decode_int.h"

enum { FIELDS_MAX = 32 };

static void decode_struct(decoder *d, const model_shape *shape, const decode_slot *slot, const char *name);

// --- values that a flow map has cut at a comma: {balance: decimal(12,2)}

static int open_parentheses(ds_str text)
{
    int open = 0;
    for (size_t i = 0; i < text.n; i++)
        open += (text.p[i] == '(') - (text.p[i] == ')');
    return open;
}

// How many of the pairs from i on belong to the value of pair i; 1 when nothing was cut.
static size_t pieces_of(const yaml_node *map, size_t i)
{
    const yaml_node *value = &map->items[i + 1];
    int open = value->kind == NODE_SCALAR && value->plain ? open_parentheses(value->text) : 0;
    size_t pieces = 1;
    for (size_t k = i + 2; open > 0 && k < map->n; k += 2, pieces++) {
        const yaml_node *key = &map->items[k], *rest = &map->items[k + 1];
        if (key->kind != NODE_SCALAR || !key->plain || rest->kind != NODE_SCALAR || !rest->plain || rest->text.n)
            return 1;
        open += open_parentheses(key->text);
    }
    return open == 0 ? pieces : 1;
}

static yaml_node join_pieces(decoder *d, const yaml_node *map, size_t i, size_t pieces)
{
    CLEANUP(buf_release) ds_buf whole = BUF_INIT(MODEL_FILE_MAX);
    buf_put_str(&whole, map->items[i + 1].text);
    for (size_t k = 1; k < pieces; k++)
        buf_printf(&whole, ",%s", map->items[i + 2 * k].text.p);
    yaml_node joined = map->items[i + 1];
    joined.text = (ds_str){arena_str(d->scratch, buf_str(&whole)), whole.n};
    const yaml_node *key = &map->items[i];
    const char *name = key->kind == NODE_SCALAR ? decode_show(d, key->text) : "";
    decode_find(d, RULE_CUT_OFF, map->items[i + 1].pos, "the value of \"%s\" is cut off at a comma: \"%s\"", name,
                decode_show(d, map->items[i + 1].text));
    diag_hint(d->diags, "put quotes around it: %s: \"%s\"", name, decode_show(d, joined.text));
    return joined;
}

// The map with cut values whole again, each a finding.
static const yaml_node *mend(decoder *d, const yaml_node *map)
{
    if (!map->flow)
        return map;
    yaml_node *mended = NULL;
    for (size_t i = 0; i < map->n;) {
        size_t pieces = pieces_of(map, i);
        if (pieces > 1 && !mended) {
            mended = ARENA_NEW(d->scratch, yaml_node);
            *mended = *map;
            mended->items = ARENA_ARRAY(d->scratch, yaml_node, map->n);
            memcpy(mended->items, map->items, i * sizeof *map->items);
            mended->n = i;
        }
        if (mended) {
            mended->items[mended->n++] = map->items[i];
            mended->items[mended->n++] = pieces > 1 ? join_pieces(d, map, i, pieces) : map->items[i + 1];
        }
        i += 2 * pieces;
    }
    return mended ? mended : map;
}

// A key is a text, and no merge key; else a finding.
static bool is_key(decoder *d, const yaml_node *key)
{
    if (key->kind != NODE_SCALAR) {
        decode_find(d, RULE_SHAPE, key->pos, "a key is a text, not a %s", key->kind == NODE_LIST ? "list" : "map");
        return false;
    }
    if (key->plain && str_eq(key->text, STR("<<"))) {
        decode_find(d, RULE_YAML_FEATURE, key->pos, "merge keys (<<) are not allowed");
        diag_hint(d->diags, "write the keys out");
        return false;
    }
    if (yaml_is_empty(key) && key->text.n == 0) {
        decode_find(d, RULE_EMPTY, key->pos, "a key is empty");
        return false;
    }
    return true;
}

// --- maps with fields

typedef struct given_keys {
    ds_pos pos[FIELDS_MAX]; // of each field's key; file 0: not given
    ds_pos kind;            // of a document's
} given_keys;

static void report_unknown(decoder *d, const model_shape *shape, const yaml_node *key)
{
    const char *known[FIELDS_MAX + 1];
    size_t n = shape_field_count(shape);
    for (size_t i = 0; i < n; i++)
        known[i] = shape_field(shape, i)->key;
    decode_find(d, RULE_UNKNOWN_KEY, key->pos, "unknown key \"%s\"", decode_show(d, key->text));
    decode_hint_words(d, key->text.p, known, n);
}

static const model_field *find_field(const model_shape *shape, ds_str key, size_t *index)
{
    for (size_t i = 0; i < shape_field_count(shape); i++) {
        const model_field *f = shape_field(shape, i);
        if (str_eq(key, str_of(f->key))) {
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
    diag_hint(d->diags, "the first one is at line %u", (unsigned)seen->line);
    return false;
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
        inner.base = (char *)slot->base + f->offset;
        decode_struct(d, f->shape, &inner, NULL);
        return;
    case FIELD_POINTER:
        inner.base = arena_alloc(d->arena, f->shape->size);
        memcpy((char *)slot->base + f->offset, &inner.base, sizeof inner.base);
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
    map = mend(d, map);
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
            report_unknown(d, shape, key);
            continue;
        }
        if (note(d, key, &given->pos[index])) {
            decode_slot slot = {f, f->key, key->pos, &map->items[i + 1], base};
            decode_field(d, &slot);
        }
    }
}

// --- what the fields of a struct must be together

// `capture`, `column "id"`
static const char *describe(decoder *d, const model_shape *shape, const char *name)
{
    return name ? arena_printf(d->scratch, "%s \"%s\"", shape->name, name) : shape->name;
}

static void report_missing(decoder *d, const model_field *f, const char *who, ds_pos pos, const char *because)
{
    decode_find(d, RULE_MISSING, pos, "%s lacks \"%s\"%s", who, f->key, because);
    bool list = f->kind == FIELD_LIST || f->kind == FIELD_TEXTS;
    diag_hint(d->diags, "for example %s: %s%s%s", f->key, list ? "[" : "", f->example, list ? "]" : "");
}

// The word of the tag field, with its row; NULL when the struct has none, or none that is known.
static const model_word *tag_word(const model_shape *shape, const void *base)
{
    const model_field *tag = shape_tag(shape);
    if (!tag)
        return NULL;
    int value;
    memcpy(&value, (const char *)base + tag->value_offset, sizeof value);
    for (size_t i = 0; i < tag->words->n; i++)
        if (tag->words->v[i].value == value)
            return &tag->words->v[i];
    return NULL;
}

static void check_given(decoder *d, const model_shape *shape, const void *base, const given_keys *given,
                        const char *who, ds_pos pos)
{
    const model_word *tag = tag_word(shape, base);
    uint32_t bit = tag ? 1u << tag->value : 0;
    for (size_t i = 0; i < shape_field_count(shape); i++) {
        const model_field *f = shape_field(shape, i);
        bool is_given = given->pos[i].file != 0;
        if (!is_given && f->required) {
            report_missing(d, f, who, pos, "");
        } else if (!is_given && (f->required_for & bit)) {
            report_missing(d, f, who, pos, arena_printf(d->scratch, " (type %s)", tag->word));
        } else if (is_given && tag && f->only_for && !(f->only_for & bit)) {
            decode_find(d, RULE_NOT_FOR_TYPE, given->pos[i], "\"%s\" means nothing for type %s", f->key, tag->word);
            diag_hint(d->diags, "remove it");
        }
    }
}

static void check_choice(decoder *d, const model_shape *shape, const given_keys *given, const char *who, ds_pos pos)
{
    CLEANUP(buf_release) ds_buf choices = BUF_INIT(500);
    const model_field *first = NULL, *second = NULL;
    ds_pos second_pos = pos;
    for (size_t i = 0; i < shape->n; i++) {
        const model_field *f = &shape->fields[i];
        if (!f->choice)
            continue;
        buf_printf(&choices, "%s%s", choices.n ? ", " : "", f->key);
        if (given->pos[i].file == 0)
            continue;
        if (first && !second) {
            second = f;
            second_pos = given->pos[i];
        }
        first = first ? first : f;
    }
    if (choices.n == 0 || (first && !second))
        return;
    if (second)
        decode_find(d, RULE_CHOICE, second_pos, "%s has both \"%s\" and \"%s\"", who, first->key, second->key);
    else
        decode_find(d, RULE_CHOICE, pos, "%s says nothing", who);
    diag_hint(d->diags, "give one of %s", buf_text(&choices));
}

static void put_pos(void *base, uint16_t offset, ds_pos pos)
{
    memcpy((char *)base + offset, &pos, sizeof pos);
}

// base has its defaults. name: of an entry of a map, else NULL.
static void decode_struct(decoder *d, const model_shape *shape, const decode_slot *slot, const char *name)
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
    const char *who = describe(d, shape, name);
    check_given(d, shape, slot->base, &given, who, slot->key_pos);
    check_choice(d, shape, &given, who, slot->key_pos);
}

// --- lists and maps of structs

typedef LIST_OF(void) any_list;

static bool is_empty_list(decoder *d, const decode_slot *slot)
{
    if (slot->node->n > 0 || !slot->field->required)
        return slot->node->n == 0;
    decode_find(d, RULE_EMPTY, slot->key_pos, "\"%s\" is empty", slot->label);
    bool list = slot->field->kind == FIELD_LIST;
    diag_hint(d->diags, "for example %s: %s%s%s", slot->field->key, list ? "[" : "", slot->field->example,
              list ? "]" : "");
    return true;
}

static const char *name_of(const model_shape *shape, const void *entry)
{
    const char *at = (const char *)entry + shape->name_offset;
    return shape->name_is_string ? *(const char *const *)(const void *)at : ((const ds_text *)(const void *)at)->s;
}

static const char *object_of(decoder *d)
{
    CLEANUP(buf_release) ds_buf object = BUF_INIT(1024);
    for (size_t i = 0; i < d->path_n; i++)
        buf_printf(&object, "%s%s", i ? "/" : "", d->path[i]);
    return arena_str(d->scratch, buf_str(&object));
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
    name_scope scope = {d->diags, RULE_DUPLICATE, shape->name, object_of(d), d->scratch};
    names_check(&scope, names, n);
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
        list.v = arena_alloc_array(d->arena, shape->size, list.n);
    }
    for (size_t i = 0; i < list.n; i++) {
        void *item = (char *)list.v + i * shape->size;
        const yaml_node *node = &slot->node->items[i];
        decode_slot at = {slot->field, shape->name, node->pos, node, item};
        decode_defaults(shape, item);
        decode_struct(d, shape, &at, NULL);
    }
    memcpy((char *)slot->base + slot->field->offset, &list, sizeof list);
    if (shape->named)
        check_item_names(d, shape, &list);
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
    scoped_name *legal = ARENA_ARRAY(d->scratch, scoped_name, n);
    size_t legal_n = 0;
    for (size_t i = 0; i < n; i++)
        if (!keys[i].duplicate)
            legal[legal_n++] = keys[i];
    name_scope scope = {d->diags, RULE_DUPLICATE_KEY, shape->name, object_of(d), d->scratch};
    names_check(&scope, legal, legal_n);
    for (size_t i = n; i-- > 0;)
        if (!keys[i].duplicate)
            keys[i].duplicate = legal[--legal_n].duplicate;
    for (size_t i = 0; i < n; i++)
        if (!keys[i].duplicate)
            decode_check_name(d, shape->name_pattern, shape->name, keys[i].pos, keys[i].name);
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

static void decode_entry(decoder *d, const decode_slot *slot, const scoped_name *key, const yaml_node *node,
                         void *entry)
{
    const model_shape *shape = slot->field->shape;
    decode_defaults(shape, entry);
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
    const yaml_node *map = mend(d, slot->node);
    any_list list = {.pos = slot->key_pos};
    if (!is_empty_list(d, slot)) {
        const scoped_name *keys = take_keys(d, shape, map);
        list.v = arena_alloc_array(d->arena, shape->size, map->n / 2);
        for (size_t i = 0; i < map->n / 2; i++)
            if (!keys[i].duplicate)
                decode_entry(d, slot, &keys[i], &map->items[2 * i + 1], (char *)list.v + shape->size * list.n++);
    }
    memcpy((char *)slot->base + slot->field->offset, &list, sizeof list);
}

// --- documents

static const yaml_node *find_value(const yaml_node *map, ds_str key)
{
    for (size_t i = 0; i < map->n; i += 2)
        if (map->items[i].kind == NODE_SCALAR && str_eq(map->items[i].text, key))
            return &map->items[i + 1];
    return NULL;
}

static void hint_kinds(decoder *d, const char *written)
{
    const char *kinds[16];
    for (size_t i = 0; i < MODEL_KIND_COUNT; i++)
        kinds[i] = MODEL_KINDS[i].name;
    decode_hint_words(d, written, kinds, MODEL_KIND_COUNT);
}

static void report_no_kind(decoder *d, const yaml_node *root)
{
    decode_find(d, RULE_KIND, root->pos, "the document has no \"kind\"");
    for (size_t i = 0; i < root->n; i += 2) {
        if (root->items[i].kind == NODE_SCALAR && str_distance(root->items[i].text, STR("kind"), 1) <= 1) {
            diag_hint(d->diags, "did you mean \"kind\" where \"%s\" stands?", root->items[i].text.p);
            return;
        }
    }
    hint_kinds(d, "");
}

static void decode_object(decoder *d, size_t kind, const yaml_node *root)
{
    const model_shape *shape = MODEL_KINDS[kind].shape;
    void *object = arena_alloc(d->arena, shape->size);
    const yaml_node *name = find_value(root, STR("name"));
    const char *called = name && name->kind == NODE_SCALAR && name->text.n ? name->text.p : NULL;
    d->document = root;
    d->path_n = 0;
    if (called)
        d->path[d->path_n++] = called;
    decode_defaults(shape, object);
    decode_slot slot = {NULL, shape->name, root->pos, root, object};
    decode_struct(d, shape, &slot, called);
    d->path_n = 0;
    *VEC_PUSH(d->arena, &d->objects[kind]) = object;
}

void decode_document(decoder *d, const yaml_node *root)
{
    if (root->kind != NODE_MAP) {
        decode_find(d, RULE_KIND, root->pos, "a document is a map with a \"kind\", not %s",
                    root->kind == NODE_LIST ? "a list" : "text");
        return;
    }
    const yaml_node *kind = find_value(root, STR("kind"));
    if (!kind) {
        report_no_kind(d, root);
        return;
    }
    if (kind->kind != NODE_SCALAR || yaml_is_empty(kind)) {
        decode_find(d, RULE_KIND, kind->pos, "\"kind\" is %s", kind->kind == NODE_SCALAR ? "empty" : "no text");
        hint_kinds(d, "");
        return;
    }
    for (size_t i = 0; i < MODEL_KIND_COUNT; i++) {
        if (str_eq(kind->text, str_of(MODEL_KINDS[i].name))) {
            decode_object(d, i, root);
            return;
        }
    }
    decode_find(d, RULE_KIND, kind->pos, "unknown kind \"%s\"", decode_show(d, kind->text));
    hint_kinds(d, kind->text.p);
}
