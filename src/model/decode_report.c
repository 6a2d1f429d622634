// What the decoder says when something is not as it must be.
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "model/decode_int.h"

enum { SHOWN_MAX = 80 };

const char *decode_object(decoder *d)
{
    CLEANUP(buf_release) ds_buf object = BUF_INIT(1024);
    for (size_t i = 0; i < d->path_n; i++)
        buf_printf(&object, "%s%s", i ? "/" : "", d->path[i]);
    return arena_str(d->scratch, buf_str(&object));
}

void decode_find(decoder *d, model_rule rule, ds_pos pos, const char *format, ...)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(4096);
    va_list args;
    va_start(args, format);
    char *message = buf_extend(&text, 2000);
    int n = vsnprintf(message, 2000, format, args);
    va_end(args);
    ds_assert(n >= 0);
    MODEL_FIND(d->diags, rule, pos, decode_object(d), "%s", message);
}

// Is the character at p one that a terminal would act on?
static bool is_control(const char *p)
{
    unsigned char c = (unsigned char)*p;
    return c < ' ' || c == 0x7F || (c == 0xC2 && (unsigned char)p[1] < 0xA0);
}

const char *decode_show(decoder *d, ds_str text)
{
    size_t n = text.n <= SHOWN_MAX ? text.n : SHOWN_MAX;
    while (n < text.n && n > 0 && ((unsigned char)text.p[n] & 0xC0) == 0x80)
        n--;
    char *shown = arena_printf(d->scratch, "%.*s%s", (int)n, text.p, n < text.n ? "..." : "");
    for (char *p = shown; *p; p++)
        while (is_control(p)) {
            if ((unsigned char)*p >= 0x80)
                *p++ = ' ';
            *p = ' ';
        }
    return shown;
}

static const char *node_form(const yaml_node *node)
{
    return node->kind == NODE_SCALAR ? "text" : node->kind == NODE_LIST ? "a list" : "a map";
}

// An item of a list has no key of its own.
static bool is_item(const decode_slot *slot)
{
    return memcmp(&slot->key_pos, &slot->node->pos, sizeof slot->key_pos) == 0;
}

// `an item of "sinks"`, `"sinks"`
static const char *who(decoder *d, const decode_slot *slot)
{
    return arena_printf(d->scratch, "%s\"%s\"", is_item(slot) ? "an item of " : "",
                        decode_show(d, str_of(slot->label)));
}

void decode_hint_field(decoder *d, const model_field *f)
{
    bool list = f->kind == FIELD_LIST || f->kind == FIELD_TEXTS;
    diag_hint(d->diags, "for example %s: %s%s%s", f->key, list ? "[" : "", f->example, list ? "]" : "");
}

void decode_hint_example(decoder *d, const decode_slot *slot)
{
    const model_field *f = slot->field;
    bool entry = f->kind == FIELD_MAP && slot->label != f->key;
    const model_field *brief = entry ? f->shape->short_form : f->key ? NULL : f;
    if (is_item(slot))
        diag_hint(d->diags, "for example %s", f->example);
    else if (brief)
        diag_hint(d->diags, "for example %s: %s", decode_show(d, str_of(slot->label)), brief->example);
    else
        decode_hint_field(d, f);
}

void decode_wrong_shape(decoder *d, const decode_slot *slot, const char *needed)
{
    decode_find(d, RULE_SHAPE, slot->node->pos, "%s is %s, not %s", who(d, slot), needed, node_form(slot->node));
    decode_hint_example(d, slot);
}

bool decode_has_value(decoder *d, const decode_slot *slot)
{
    const yaml_node *node = slot->node;
    if (!yaml_is_empty(node))
        return true;
    decode_find(d, RULE_EMPTY, node->quoted || node->text.n ? node->pos : slot->key_pos, "%s has no value",
                who(d, slot));
    if (node->text.n > 0)
        diag_hint(d->diags, "leave it out, or put quotes around \"%.*s\" if it is a text", STR_ARGS(node->text));
    else if (slot->field->required || !slot->field->key)
        decode_hint_example(d, slot);
    else
        diag_hint(d->diags, "leave it out, or give it a value");
    return false;
}

const char *decode_hint_words(decoder *d, const char *written, const char *const *words, size_t n)
{
    const char *nearest = str_nearest(written, words, n);
    if (nearest) {
        diag_hint(d->diags, "did you mean \"%s\"?", nearest);
        return nearest;
    }
    CLEANUP(buf_release) ds_buf all = BUF_INIT(2000);
    for (size_t i = 0; i < n; i++)
        buf_printf(&all, "%s%s", i ? ", " : "", words[i]);
    diag_hint(d->diags, "%s %s", n == 1 ? "it can only be" : "one of", buf_text(&all));
    return NULL;
}

// --- names and other patterns

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// "col 1" -> "col_1": what is not legal becomes one "_", none at the ends.
static void put_legal(ds_buf *out, const char *name)
{
    for (const char *p = name; *p; p++) {
        bool digit = *p >= '0' && *p <= '9';
        if (is_letter(*p) || (digit && out->n))
            buf_putc(out, *p);
        else if (digit)
            buf_printf(out, "n%c", *p);
        else if (out->n && out->p[out->n - 1] != '_')
            buf_putc(out, '_');
    }
    while (out->n && out->p[out->n - 1] == '_')
        out->p[--out->n] = '\0';
}

static void hint_legal(decoder *d, model_pattern pattern, const char *name)
{
    CLEANUP(buf_release) ds_buf legal = BUF_INIT(PATTERN_NAME_MAX), example = BUF_INIT(PATTERN_NAME_MAX + 100);
    put_legal(&legal, name);
    if (buf_ok(&legal) && MODEL_PATTERNS[PATTERN_NAME].matches(buf_str(&legal)))
        buf_printf(&example, ": for example \"%s\"", buf_text(&legal));
    diag_hint(d->diags, "%s%s%s", MODEL_PATTERNS[pattern].form, buf_text(&example),
              pattern == PATTERN_COLUMN ? "; its name at the source goes into source" : "");
}

static void report_illegal(decoder *d, model_pattern pattern, const char *what, ds_pos pos, const char *name)
{
    const char *shown = decode_show(d, str_of(name));
    bool of_name = strcmp(what, "name") == 0;
    if (pattern != PATTERN_NAME && pattern != PATTERN_COLUMN && pattern != PATTERN_LABEL) {
        decode_find(d, RULE_REFERENCE, pos, "\"%s\" is not %s", shown, MODEL_PATTERNS[pattern].what);
        diag_hint(d->diags, "%s", MODEL_PATTERNS[pattern].form);
        return;
    }
    decode_find(d, RULE_NAME, pos, "\"%s\" is not a legal name%s%s", shown, of_name ? "" : " for a ",
                of_name ? "" : what);
    if (pattern == PATTERN_LABEL)
        diag_hint(d->diags, "%s", MODEL_PATTERNS[pattern].form);
    else
        hint_legal(d, pattern, name);
}

void decode_check_name(decoder *d, model_pattern pattern, const char *what, ds_pos pos, const char *name)
{
    if (!MODEL_PATTERNS[pattern].matches(str_of(name))) {
        report_illegal(d, pattern, what, pos, name);
    } else if (pattern == PATTERN_COLUMN && (*name | 0x20) == 'd' && strncasecmp(name, "ds_", 3) == 0) {
        decode_find(d, RULE_RESERVED, pos, "column names that begin with \"%.3s\" are reserved", name);
        diag_hint(d->diags, "call it \"%s\" and write its name at the source into source", name[3] ? name + 3 : "id");
    }
}
