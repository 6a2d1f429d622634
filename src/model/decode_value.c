// Texts, words, numbers, flags, column types: the leaves.
#include <stdlib.h>

#include "model/decode_int.h"

// A scalar with a value; else a finding.
static bool is_text(decoder *d, const decode_slot *slot, const char *needed)
{
    if (slot->node->kind == NODE_SCALAR)
        return decode_has_value(d, slot);
    decode_wrong_shape(d, slot, needed);
    return false;
}

static void check_pattern(decoder *d, const decode_slot *slot, const yaml_node *node)
{
    model_pattern pattern = slot->field->pattern;
    if (pattern == PATTERN_NONE || MODEL_PATTERNS[pattern].matches(node->text))
        return;
    decode_check_name(d, pattern, slot->label, node->pos, node->text.p);
}

// The word's row, or NULL after a finding.
static const model_word *find_word(decoder *d, const decode_slot *slot, const yaml_node *node)
{
    const model_words *words = slot->field->words;
    const char *names[32];
    ds_assert(words->n <= 32);
    for (size_t i = 0; i < words->n; i++) {
        if (strcmp(node->text.p, words->v[i].word) == 0)
            return &words->v[i];
        names[i] = words->v[i].word;
    }
    decode_find(d, RULE_VALUE, node->pos, "\"%s\" is not a value of \"%s\"", decode_show(d, node->text), slot->label);
    decode_hint_words(d, node->text.p, names, words->n);
    return NULL;
}

// --- the leaves

static void put_int(void *base, uint16_t offset, int value)
{
    memcpy((char *)base + offset, &value, sizeof value);
}

static ds_text keep(decoder *d, const yaml_node *node)
{
    return (ds_text){intern(d->strings, node->text), node->pos};
}

static void decode_text(decoder *d, const decode_slot *slot)
{
    if (!is_text(d, slot, "text"))
        return;
    *(ds_text *)decode_member(d, slot) = keep(d, slot->node);
    if (!slot->field->words) {
        check_pattern(d, slot, slot->node);
        return;
    }
    const model_word *word = find_word(d, slot, slot->node);
    if (word && slot->field->value_offset)
        put_int(field_own_home(slot->field, slot->base, d->arena), slot->field->value_offset, word->value);
}

static void decode_string(decoder *d, const decode_slot *slot)
{
    if (!is_text(d, slot, "text"))
        return;
    *(const char **)decode_member(d, slot) = intern(d->strings, slot->node->text);
    check_pattern(d, slot, slot->node);
}

// A whole number between the field's ends; else a finding.
static bool take_int(decoder *d, const decode_slot *slot, const char *or_word, int64_t *out)
{
    int64_t value = 0;
    const model_field *f = slot->field;
    if (!str_int64(slot->node->text, &value)) {
        decode_find(d, RULE_VALUE, slot->node->pos, "\"%s\" is not a whole number%s", decode_show(d, slot->node->text),
                    or_word);
        decode_hint_example(d, slot);
        return false;
    }
    if (value < f->min || value > f->max) {
        decode_find(d, RULE_VALUE, slot->node->pos, "\"%s\" is %lld, but must be between %lld and %lld", slot->label,
                    (long long)value, (long long)f->min, (long long)f->max);
        return false;
    }
    *out = value;
    return true;
}

static void decode_int(decoder *d, const decode_slot *slot)
{
    ds_int *out = decode_member(d, slot);
    if (is_text(d, slot, "a number") && take_int(d, slot, "", &out->v)) {
        out->set = true;
        out->pos = slot->node->pos;
    }
}

static void decode_batches(decoder *d, const decode_slot *slot)
{
    int64_t value = STAGING_BATCHES_ALL;
    if (!is_text(d, slot, "a number or all"))
        return;
    if (!str_eq(slot->node->text, STR("all")) && !take_int(d, slot, ", nor \"all\"", &value))
        return;
    *(ds_text *)decode_member(d, slot) = keep(d, slot->node);
    memcpy((char *)field_own_home(slot->field, slot->base, d->arena) + slot->field->value_offset, &value, sizeof value);
}

static bool looks_true(ds_str text, bool *out)
{
    static const struct {
        const char *word;
        bool value;
    } WORDS[] = {{"true", true},   {"yes", true}, {"on", true},   {"y", true},  {"1", true},
                 {"false", false}, {"no", false}, {"off", false}, {"n", false}, {"0", false}};
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        if (str_eq_nocase(text, str_of(WORDS[i].word))) {
            *out = WORDS[i].value;
            return true;
        }
    }
    return false;
}

static void decode_flag(decoder *d, const decode_slot *slot)
{
    if (!is_text(d, slot, "true or false"))
        return;
    ds_str text = slot->node->text;
    bool is_true = str_eq(text, STR("true"));
    if (is_true || str_eq(text, STR("false"))) {
        *(ds_flag *)decode_member(d, slot) = (ds_flag){.v = is_true, .set = true, .pos = slot->node->pos};
        return;
    }
    decode_find(d, RULE_VALUE, slot->node->pos, "\"%s\" is neither true nor false", decode_show(d, text));
    bool meant = false;
    if (looks_true(text, &meant))
        diag_hint(d->diags, "write %s", meant ? "true" : "false");
    else
        diag_hint(d->diags, "\"%s\" is true or false", slot->label);
}

// Digits with at most one point; strtod alone takes too much ("inf", "0x1p3", " 1").
static bool parse_ratio(const char *text, double *out)
{
    size_t digits = 0, points = 0;
    for (const char *p = text; *p; p++) {
        digits += *p >= '0' && *p <= '9';
        points += *p == '.';
    }
    if (digits == 0 || points > 1 || digits + points != strlen(text))
        return false;
    *out = strtod(text, NULL);
    return *out <= 1;
}

static void decode_ratio(decoder *d, const decode_slot *slot)
{
    if (!is_text(d, slot, "a number"))
        return;
    double value = 0;
    if (!parse_ratio(slot->node->text.p, &value)) {
        decode_find(d, RULE_VALUE, slot->node->pos, "\"%s\" is not a number between 0 and 1",
                    decode_show(d, slot->node->text));
        decode_hint_example(d, slot);
        return;
    }
    *(ds_ratio *)decode_member(d, slot) = (ds_ratio){.v = value, .set = true, .pos = slot->node->pos};
}

// --- lists of texts

static int by_text(const void *x, const void *y)
{
    const ds_text *a = *(const ds_text *const *)x, *b = *(const ds_text *const *)y;
    int order = strcmp(a->s, b->s);
    return order ? order : (a > b) - (a < b);
}

// A list without an order is a set: it says each thing once.
static void report_repeated(decoder *d, const ds_texts *texts)
{
    if (texts->n < 2)
        return;
    const ds_text **sorted = ARENA_ARRAY(d->scratch, const ds_text *, texts->n);
    for (size_t i = 0; i < texts->n; i++)
        sorted[i] = &texts->v[i];
    qsort(sorted, texts->n, sizeof *sorted, by_text);
    for (size_t i = 1; i < texts->n; i++)
        if (strcmp(sorted[i]->s, sorted[i - 1]->s) == 0)
            decode_find(d, RULE_DUPLICATE, sorted[i]->pos, "\"%s\" is listed twice", sorted[i]->s);
}

// The texts of a list; those that are none are left out.
static ds_texts take_texts(decoder *d, const decode_slot *slot)
{
    const yaml_node *list = slot->node;
    ds_texts out = {.v = ARENA_ARRAY(d->arena, ds_text, list->n), .pos = slot->key_pos};
    for (size_t i = 0; i < list->n; i++) {
        const yaml_node *item = &list->items[i];
        decode_slot at = *slot;
        at.node = item;
        at.key_pos = item->pos;
        if (!is_text(d, &at, "text"))
            continue;
        if (slot->field->words && !find_word(d, &at, item))
            continue;
        if (!slot->field->words)
            check_pattern(d, &at, item);
        out.v[out.n++] = keep(d, item);
    }
    if (!slot->field->ordered)
        report_repeated(d, &out);
    return out;
}

static ds_texts take_one_or_many(decoder *d, const decode_slot *slot)
{
    if (slot->node->kind == NODE_LIST)
        return take_texts(d, slot);
    yaml_node one = {.kind = NODE_LIST, .pos = slot->node->pos};
    yaml_node item = *slot->node;
    one.items = &item;
    one.n = 1;
    decode_slot as_list = *slot;
    as_list.node = &one;
    if (is_text(d, slot, "a text or a list of texts"))
        return take_texts(d, &as_list);
    return (ds_texts){.pos = slot->key_pos};
}

static void decode_texts(decoder *d, const decode_slot *slot)
{
    if (slot->node->kind == NODE_LIST)
        *(ds_texts *)decode_member(d, slot) = take_texts(d, slot);
    else if (slot->node->kind == NODE_MAP || decode_has_value(d, slot))
        decode_wrong_shape(d, slot, "a list");
}

static void decode_one_or_many(decoder *d, const decode_slot *slot)
{
    *(ds_texts *)decode_member(d, slot) = take_one_or_many(d, slot);
}

static void decode_classes(decoder *d, const decode_slot *slot)
{
    ds_texts texts = take_one_or_many(d, slot);
    size_t most = slot->field->words->n;
    uint16_t n = (uint16_t)(texts.n < most ? texts.n : most); // more would repeat one (diagnosed)
    *(const ds_text **)decode_member(d, slot) = n ? texts.v : NULL;
    memcpy((char *)field_own_home(slot->field, slot->base, d->arena) + slot->field->value_offset, &n, sizeof n);
}

// --- texts with a grammar of their own

// The place of an offset in a text that stands on one line.
static ds_pos inside(const yaml_node *node, size_t offset)
{
    ds_pos pos = node->pos;
    if (!node->plain && !node->quoted)
        return pos;
    uint32_t column = pos.column + node->quoted;
    for (size_t i = 0; i < offset && i < node->text.n; i++)
        column += ((unsigned char)node->text.p[i] & 0xC0) != 0x80;
    if (column < (1u << 12))
        pos.column = column & 0xFFF;
    return pos;
}

static void decode_column_type(decoder *d, const decode_slot *slot)
{
    ds_column *column = slot->base;
    if (!is_text(d, slot, "a type"))
        return;
    ds_error err;
    size_t at = 0;
    const ds_column_spec *spec = intern_column(d->strings, slot->node->text, &at, &err);
    if (!spec) {
        decode_find(d, RULE_TYPE, inside(slot->node, at), "%s", err.text);
        if (err.hint[0])
            diag_hint(d->diags, "%s", err.hint);
        return;
    }
    column->type = spec->type;
    column->primary_key = spec->primary_key;
    column->not_null = spec->not_null;
    column->null_given = spec->null_given;
    column->partition = spec->partition;
}

static void decode_sink(decoder *d, const decode_slot *slot)
{
    ds_sink *sink = slot->base;
    if (!is_text(d, slot, "STORE/DATASET"))
        return;
    sink->text = keep(d, slot->node);
    check_pattern(d, slot, slot->node);
    if (!MODEL_PATTERNS[PATTERN_PAIR].matches(slot->node->text))
        return;
    ds_str rest = slot->node->text;
    sink->store = intern(d->strings, str_split(&rest, '/'));
    sink->dataset = intern(d->strings, rest);
}

static void decode_deprecated(decoder *d, const decode_slot *slot)
{
    if (!is_text(d, slot, "true, false or a reason"))
        return;
    ds_str text = slot->node->text;
    ds_deprecation *out = decode_member(d, slot);
    *out = (ds_deprecation){.pos = slot->node->pos, .v = !str_eq(text, STR("false"))};
    if (out->v && !str_eq(text, STR("true")))
        out->reason = intern(d->strings, text);
}

typedef void decode_leaf(decoder *d, const decode_slot *slot);
static decode_leaf *const LEAVES[FIELD_KIND_COUNT] = {
    [FIELD_TEXT] = decode_text,
    [FIELD_STRING] = decode_string,
    [FIELD_INT] = decode_int,
    [FIELD_FLAG] = decode_flag,
    [FIELD_RATIO] = decode_ratio,
    [FIELD_TEXTS] = decode_texts,
    [FIELD_ONE_OR_MANY] = decode_one_or_many,
    [FIELD_CLASSES] = decode_classes,
    [FIELD_COLUMN_TYPE] = decode_column_type,
    [FIELD_SINK] = decode_sink,
    [FIELD_DEPRECATED] = decode_deprecated,
    [FIELD_BATCHES] = decode_batches,
};

bool decode_scalar(decoder *d, const decode_slot *slot)
{
    decode_leaf *leaf = LEAVES[slot->field->kind];
    if (leaf)
        leaf(d, slot);
    return leaf != NULL;
}

// --- defaults

static int fallback_word(const model_field *f)
{
    for (size_t i = 0; i < f->words->n; i++)
        if (strcmp(f->words->v[i].word, f->fallback) == 0)
            return f->words->v[i].value;
    BUG("the default \"%s\" of \"%s\" is none of its words", f->fallback, f->key);
}

static void put_default(const model_field *f, void *base)
{
    void *at = (char *)base + f->offset;
    int64_t number = 0;
    switch (f->kind) {
    case FIELD_TEXT:
        ((ds_text *)at)->s = f->fallback;
        if (f->words && f->value_offset)
            put_int(base, f->value_offset, fallback_word(f));
        break;
    case FIELD_RATIO:
        ((ds_ratio *)at)->v = strtod(f->fallback, NULL);
        break;
    case FIELD_BATCHES:
        ds_assert(str_int64(str_of(f->fallback), &number));
        ((ds_text *)at)->s = f->fallback;
        memcpy((char *)base + f->value_offset, &number, sizeof number);
        break;
    case FIELD_FLAG:
    case FIELD_DEPRECATED: // zeroed memory is false
        ds_assert(strcmp(f->fallback, "false") == 0);
        break;
    default:
        BUG("\"%s\" is of a kind without defaults", f->key);
    }
}

void decode_defaults(const model_shape *shape, void *base)
{
    for (size_t i = 0; i < shape_field_count(shape); i++) {
        const model_field *f = shape_field(shape, i);
        if (f->rest)
            memcpy((char *)base + f->rest->offset, &f->rest->none, sizeof f->rest->none);
        else if (f->fallback)
            put_default(f, base);
        else if (f->kind == FIELD_STRUCT)
            decode_defaults(f->shape, (char *)base + f->offset);
    }
}
