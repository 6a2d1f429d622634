#include <inttypes.h>
#include <stdlib.h>

#include "model/diff_int.h"

static const void *second_at(const model_field *f, const void *base)
{
    return (const char *)field_home(f, base) + f->value_offset;
}

bool field_is_leaf(const model_field *f)
{
    switch (f->kind) {
    case FIELD_STRUCT:
    case FIELD_POINTER:
    case FIELD_LIST:
    case FIELD_MAP:
        return false;
    default:
        return true;
    }
}

// --- lists of texts

// Every kind of list of texts as one; pos.file 0 when it was not given.
static ds_texts texts_of(const model_field *f, const void *base)
{
    if (f->kind != FIELD_CLASSES)
        return *(const ds_texts *)field_at(f, base);
    const ds_text *v;
    uint16_t n;
    memcpy(&v, field_at(f, base), sizeof v);
    memcpy(&n, second_at(f, base), sizeof n);
    ds_texts out = {.n = n};
    memcpy(&out.v, &v, sizeof v);
    if (n)
        out.pos = v[0].pos;
    return out;
}

static bool text_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const ds_text *)a)->s, ((const ds_text *)b)->s);
}

static bool same_order(const ds_text *a, const ds_text *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!text_equal(a[i].s, b[i].s))
            return false;
    return true;
}

static bool same_set(ds_texts a, ds_texts b)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    ds_texts lists[] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        const ds_text *from = lists[i].v;
        lists[i].v = ARENA_ARRAY(scratch, ds_text, lists[i].n);
        memcpy(lists[i].v, from, lists[i].n * sizeof *from);
        qsort(lists[i].v, lists[i].n, sizeof *from, by_text);
    }
    return same_order(lists[0].v, lists[1].v, a.n);
}

static bool texts_equal(const model_field *f, ds_texts a, ds_texts b)
{
    if (a.n != b.n || (f->given_counts && (a.pos.file != 0) != (b.pos.file != 0)))
        return false;
    return same_order(a.v, b.v, a.n) || (!f->ordered && same_set(a, b));
}

// --- equal

static bool column_type_equal(const ds_column *a, const ds_column *b)
{
    bool same_type = a->type == b->type || (a->type && b->type && type_equal(a->type, b->type));
    return same_type && a->primary_key == b->primary_key && a->not_null == b->not_null && a->partition == b->partition;
}

static bool deprecation_equal(const ds_deprecation *a, const ds_deprecation *b)
{
    return a->v == b->v && text_equal(a->reason, b->reason);
}

static bool string_equal(const model_field *f, const void *a, const void *b)
{
    const char *x, *y;
    memcpy(&x, field_at(f, a), sizeof x);
    memcpy(&y, field_at(f, b), sizeof y);
    return text_equal(x, y);
}

static bool int_equal(const ds_int *a, const ds_int *b)
{
    return a->set == b->set && a->v == b->v;
}

static bool flag_equal(const model_field *f, const ds_flag *a, const ds_flag *b)
{
    return a->v == b->v && (f->fallback || a->set == b->set);
}

static bool ratio_equal(const ds_ratio *a, const ds_ratio *b)
{
    return !(a->v < b->v) && !(a->v > b->v);
}

bool leaf_equal(const model_field *f, const void *a, const void *b)
{
    const void *x = field_at(f, a), *y = field_at(f, b);
    switch (f->kind) {
    case FIELD_TEXT:
        return text_equal(((const ds_text *)x)->s, ((const ds_text *)y)->s);
    case FIELD_STRING:
        return string_equal(f, a, b);
    case FIELD_INT:
        return int_equal(x, y);
    case FIELD_FLAG:
        return flag_equal(f, x, y);
    case FIELD_RATIO:
        return ratio_equal(x, y);
    case FIELD_TEXTS:
    case FIELD_ONE_OR_MANY:
    case FIELD_CLASSES:
        return texts_equal(f, texts_of(f, a), texts_of(f, b));
    case FIELD_COLUMN_TYPE:
        return column_type_equal(a, b);
    case FIELD_SINK:
        return text_equal(((const ds_sink *)a)->text.s, ((const ds_sink *)b)->text.s);
    case FIELD_DEPRECATED:
        return deprecation_equal(x, y);
    case FIELD_BATCHES:
        return memcmp(second_at(f, a), second_at(f, b), sizeof(int64_t)) == 0;
    default:
        BUG("\"%s\" is no single value", f->key);
    }
}

// --- given, and where

bool leaf_given(const model_field *f, const void *base)
{
    const void *at = field_at(f, base);
    const char *string;
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_BATCHES:
        return ((const ds_text *)at)->s != NULL;
    case FIELD_STRING:
        memcpy(&string, at, sizeof string);
        return string != NULL;
    case FIELD_INT:
        return ((const ds_int *)at)->set;
    case FIELD_FLAG:
        return ((const ds_flag *)at)->set || f->fallback;
    case FIELD_TEXTS:
    case FIELD_ONE_OR_MANY:
    case FIELD_CLASSES:
        return texts_of(f, base).n > 0 || texts_of(f, base).pos.file != 0;
    case FIELD_COLUMN_TYPE:
        return ((const ds_column *)base)->type != NULL;
    case FIELD_SINK:
        return ((const ds_sink *)base)->text.s != NULL;
    default:
        return true; // ratios and deprecations have defaults
    }
}

ds_pos leaf_pos(const model_field *f, const void *base)
{
    const void *at = field_at(f, base);
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_BATCHES:
        return ((const ds_text *)at)->pos;
    case FIELD_INT:
        return ((const ds_int *)at)->pos;
    case FIELD_FLAG:
        return ((const ds_flag *)at)->pos;
    case FIELD_RATIO:
        return ((const ds_ratio *)at)->pos;
    case FIELD_TEXTS:
    case FIELD_ONE_OR_MANY:
    case FIELD_CLASSES:
        return texts_of(f, base).pos;
    case FIELD_DEPRECATED:
        return ((const ds_deprecation *)at)->pos;
    case FIELD_SINK:
        return ((const ds_sink *)base)->text.pos;
    default:
        return NO_POS;
    }
}

// --- as YAML

// May nobody take the text for anything else?
static bool is_plain(const char *text)
{
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./@ ()+";
    static const char *const WORDS[] = {"null", "true", "false"};
    size_t n = strlen(text);
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (strcasecmp(text, WORDS[i]) == 0)
            return false;
    return n && strspn(text, PLAIN) == n && text[0] != ' ' && text[0] != '-' && text[0] != '@' && text[n - 1] != ' ';
}

// The character at p, which YAML breaks lines at or does not let through; 0: none. *n: its bytes.
static unsigned special(const unsigned char *p, size_t *n)
{
    *n = 1;
    if (p[0] < ' ' || p[0] == 0x7F)
        return p[0];
    *n = 2;
    if (p[0] == 0xC2 && p[1] < 0xA0) // U+0080 to U+009F
        return p[1];
    *n = 3;
    if (p[0] == 0xE2 && p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9)) // line and paragraph separators
        return 0x2000u + (p[2] & 0x3Fu);
    return p[0] == 0xEF && p[1] == 0xBB && p[2] == 0xBF ? 0xFEFF : 0; // a byte order mark
}

static void put_text(const char *text, ds_buf *out)
{
    if (is_plain(text)) {
        buf_puts(out, text);
        return;
    }
    buf_putc(out, '"');
    for (const char *p = text; *p; p++) {
        size_t n;
        const unsigned code = special((const unsigned char *)p, &n);
        if (*p == '\n')
            buf_puts(out, "\\n");
        else if (*p == '"' || *p == '\\')
            buf_printf(out, "\\%c", *p);
        else if (code)
            buf_printf(out, "\\u%04X", code);
        else
            buf_putc(out, *p);
        p += code ? n - 1 : 0;
    }
    buf_putc(out, '"');
}

// As few digits as say it.
static void put_ratio(double value, ds_buf *out)
{
    char text[32];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (!(strtod(text, NULL) < value) && !(strtod(text, NULL) > value))
            break;
    }
    buf_puts(out, text);
}

static void put_texts(ds_texts texts, ds_buf *out)
{
    buf_putc(out, '[');
    for (size_t i = 0; i < texts.n; i++) {
        buf_puts(out, i ? ", " : "");
        put_text(texts.v[i].s, out);
    }
    buf_putc(out, ']');
}

static void put_column_type(const ds_column *column, ds_buf *out)
{
    type_print(column->type, out);
    if (column->primary_key)
        buf_puts(out, " primary key");
    else if (column->not_null && !column->partition)
        buf_puts(out, " not null");
    if (column->partition)
        buf_puts(out, " partition");
}

static void put_deprecation(const ds_deprecation *deprecation, ds_buf *out)
{
    if (deprecation->reason)
        put_text(deprecation->reason, out);
    else
        buf_puts(out, deprecation->v ? "true" : "false");
}

static void put_string(const void *at, ds_buf *out)
{
    const char *string;
    memcpy(&string, at, sizeof string);
    put_text(string, out);
}

void leaf_print(const model_field *f, const void *base, ds_buf *out)
{
    const void *at = field_at(f, base);
    if (!leaf_given(f, base))
        return;
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_BATCHES:
        put_text(((const ds_text *)at)->s, out);
        break;
    case FIELD_STRING:
        put_string(at, out);
        break;
    case FIELD_INT:
        buf_printf(out, "%" PRId64, ((const ds_int *)at)->v);
        break;
    case FIELD_FLAG:
        buf_puts(out, ((const ds_flag *)at)->v ? "true" : "false");
        break;
    case FIELD_RATIO:
        put_ratio(((const ds_ratio *)at)->v, out);
        break;
    case FIELD_TEXTS:
    case FIELD_ONE_OR_MANY:
    case FIELD_CLASSES:
        put_texts(texts_of(f, base), out);
        break;
    case FIELD_COLUMN_TYPE:
        put_column_type(base, out);
        break;
    case FIELD_SINK:
        put_text(((const ds_sink *)base)->text.s, out);
        break;
    case FIELD_DEPRECATED:
        put_deprecation(at, out);
        break;
    default:
        BUG("\"%s\" is no single value", f->key);
    }
}

// --- structs

bool struct_given(const model_shape *shape, const void *base)
{
    ds_pos pos;
    memcpy(&pos, (const char *)base + shape->pos_offset, sizeof pos);
    return pos.file != 0;
}

const model_field *shape_brief(const model_shape *shape)
{
    const model_field *brief = shape->short_form;
    for (size_t i = 0; brief && i < shape->n; i++)
        if (shape->fields[i].kind == brief->kind && shape->fields[i].rest == brief->rest &&
            shape->fields[i].offset == brief->offset)
            return NULL;
    return brief;
}

const char *entry_name(const model_shape *shape, const void *entry)
{
    const char *at = (const char *)entry + shape->name_offset, *string;
    if (!shape->named && !shape->known_by_name)
        return NULL;
    if (!shape->name_is_string)
        return ((const ds_text *)(const void *)at)->s;
    memcpy(&string, at, sizeof string);
    return string;
}

static void put_field(const model_field *f, const void *base, bool *first, ds_buf *out);

static void put_fields(const model_shape *shape, const void *base, ds_buf *out)
{
    bool first = true;
    buf_putc(out, '{');
    for (size_t i = 0; i < shape_field_count(shape); i++)
        put_field(shape_field(shape, i), base, &first, out);
    buf_putc(out, '}');
}

void struct_print(const model_shape *shape, const void *base, ds_buf *out)
{
    const model_field *brief = shape_brief(shape);
    if (brief && leaf_given(brief, base))
        leaf_print(brief, base, out);
    else
        put_fields(shape, base, out);
}

static void put_list(const model_field *f, const any_list *list, ds_buf *out)
{
    bool map = f->kind == FIELD_MAP;
    buf_putc(out, map ? '{' : '[');
    for (size_t i = 0; i < list->n; i++) {
        const char *entry = (const char *)list->v + i * f->shape->size;
        buf_puts(out, i ? ", " : "");
        if (map) {
            put_text(entry_name(f->shape, entry), out);
            buf_puts(out, ": ");
        }
        struct_print(f->shape, entry, out);
    }
    buf_putc(out, map ? '}' : ']');
}

// Is there anything to say about the field?
static bool worth_printing(const model_field *f, const void *base)
{
    const void *inner = field_at(f, base);
    if (field_is_leaf(f))
        return leaf_given(f, base) && !(f->fallback && leaf_pos(f, base).file == 0);
    if (f->kind == FIELD_LIST || f->kind == FIELD_MAP)
        return ((const any_list *)inner)->n > 0;
    if (f->kind == FIELD_POINTER)
        memcpy(&inner, field_at(f, base), sizeof inner);
    if (!inner || !struct_given(f->shape, inner))
        return false;
    for (size_t i = 0; i < shape_field_count(f->shape); i++)
        if (worth_printing(shape_field(f->shape, i), inner))
            return true;
    return f->given_counts;
}

static void put_field(const model_field *f, const void *base, bool *first, ds_buf *out)
{
    const void *inner = field_at(f, base);
    if (!worth_printing(f, base) || !buf_ok(out))
        return;
    if (f->kind == FIELD_POINTER)
        memcpy(&inner, field_at(f, base), sizeof inner);
    buf_printf(out, "%s%s: ", *first ? "" : ", ", f->key);
    *first = false;
    if (field_is_leaf(f))
        leaf_print(f, base, out);
    else if (f->kind == FIELD_LIST || f->kind == FIELD_MAP)
        put_list(f, inner, out);
    else
        struct_print(f->shape, inner, out);
}
