#include "model/fields_markdown.h"

#include <inttypes.h>

#include "base/map.h"
#include "model/fields.h"

typedef struct page {
    ds_buf *out;
    ds_arena *arena;
    ds_map *printed; // shapes, by name
} page;

// Text of a table's cell.
static void cell(ds_buf *out, const char *text)
{
    for (const char *p = text; *p; p++)
        buf_printf(out, *p == '|' ? "\\%c" : "%c", *p);
}

static void link_shape(ds_buf *out, const model_shape *shape)
{
    buf_printf(out, "[%s](#", shape->name);
    for (const char *p = shape->name; *p; p++)
        buf_putc(out, *p == ' ' ? '-' : str_lower_char(*p));
    buf_putc(out, ')');
}

// The loader calls names and labels the same.
static const char *form_name(model_pattern pattern)
{
    return pattern == PATTERN_LABEL ? "a label" : MODEL_PATTERNS[pattern].what;
}

// --- what a field holds

static void words(ds_buf *out, const model_words *list)
{
    for (size_t i = 0; i < list->n; i++)
        buf_printf(out, "%s`%s`", i ? " " : "", list->v[i].word);
}

// One text.
static void text_value(ds_buf *out, const model_field *f)
{
    if (f->words)
        words(out, f->words);
    else if (f->pattern)
        buf_printf(out, "[%s](#forms)", form_name(f->pattern));
    else
        buf_puts(out, "text");
}

static void value(ds_buf *out, const model_field *f)
{
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_STRING:
    case FIELD_SINK:
        text_value(out, f);
        return;
    case FIELD_INT:
        buf_printf(out, "number, %" PRId64 " to %" PRId64, f->min, f->max);
        return;
    case FIELD_BATCHES:
        buf_printf(out, "number, %" PRId64 " to %" PRId64 ", or `all`", f->min, f->max);
        return;
    case FIELD_FLAG:
        buf_puts(out, "`true` `false`");
        return;
    case FIELD_RATIO:
        buf_puts(out, "number, 0 to 1");
        return;
    case FIELD_TEXTS:
        buf_puts(out, "list of: ");
        text_value(out, f);
        return;
    case FIELD_ONE_OR_MANY:
    case FIELD_CLASSES:
        buf_puts(out, "one or a list of: ");
        text_value(out, f);
        return;
    case FIELD_STRUCT:
    case FIELD_POINTER:
        link_shape(out, f->shape);
        return;
    case FIELD_LIST:
        buf_puts(out, "list of: ");
        link_shape(out, f->shape);
        return;
    case FIELD_MAP:
        buf_printf(out, "map, %s name: ", f->shape->name_of ? f->shape->name_of : f->shape->name);
        link_shape(out, f->shape);
        return;
    case FIELD_COLUMN_TYPE:
        buf_puts(out, "[a type](model.md#types), and what follows it");
        return;
    case FIELD_DEPRECATED:
        buf_puts(out, "`true` `false`, or a reason");
        return;
    }
    BUG("field kind %d has no text", (int)f->kind);
}

// The tag's words among bits.
static void tag_words(ds_buf *out, const model_field *tag, uint32_t bits)
{
    const char *before = "";
    for (size_t i = 0; i < tag->words->n; i++) {
        if (!(bits & (1u << tag->words->v[i].value)))
            continue;
        buf_printf(out, "%s%s", before, tag->words->v[i].word);
        before = ", ";
    }
}

static void presence(ds_buf *out, const model_shape *shape, const model_field *f)
{
    const char *before = "";
    if (f->required)
        buf_puts(out, "required");
    if (f->choice)
        buf_puts(out, "exactly one of these");
    if (f->fallback)
        buf_printf(out, "`%s`", f->fallback);
    if (f->required_for) {
        buf_puts(out, "required for ");
        tag_words(out, shape_tag(shape), f->required_for);
        before = "; ";
    }
    if (f->only_for && f->only_for == f->required_for)
        buf_puts(out, ", not for others");
    else if (f->only_for) {
        buf_printf(out, "%sonly for ", before);
        tag_words(out, shape_tag(shape), f->only_for);
    }
}

static void row(ds_buf *out, const model_shape *shape, const model_field *f)
{
    buf_printf(out, "| `%s` | ", f->key);
    value(out, f);
    buf_puts(out, " | ");
    presence(out, shape, f);
    buf_puts(out, " | ");
    cell(out, f->about);
    buf_puts(out, " | ");
    if (f->example) {
        buf_putc(out, '`');
        cell(out, f->example);
        buf_putc(out, '`');
    }
    buf_puts(out, " |\n");
}

// The words that need saying.
static void explain_words(ds_buf *out, const model_field *f)
{
    const char *before = "";
    for (size_t i = 0; f->words && i < f->words->n; i++) {
        if (!f->words->v[i].about)
            continue;
        if (!before[0])
            buf_printf(out, "- `%s`: ", f->key);
        buf_printf(out, "%s`%s` %s", before, f->words->v[i].word, f->words->v[i].about);
        before = "; ";
    }
    if (before[0])
        buf_puts(out, ".\n");
}

static bool says_more(const model_field *f)
{
    for (size_t i = 0; f->words && i < f->words->n; i++)
        if (f->words->v[i].about)
            return true;
    return false;
}

// --- shapes

static char first_upper(const char *text)
{
    return text[0] >= 'a' && text[0] <= 'z' ? (char)(text[0] - ('a' - 'A')) : text[0];
}

static void fields(ds_buf *out, const model_shape *shape)
{
    size_t n = shape_field_count(shape), explained = 0;
    if (n == 0)
        return;
    buf_puts(out, "\n| field | value | required, or default | what | example |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < n; i++)
        row(out, shape, shape_field(shape, i));
    for (size_t i = 0; i < n; i++)
        explained += says_more(shape_field(shape, i));
    if (explained)
        buf_putc(out, '\n');
    for (size_t i = 0; i < n; i++)
        explain_words(out, shape_field(shape, i));
}

static void short_form(ds_buf *out, const model_shape *shape)
{
    if (!shape->short_form)
        return;
    buf_puts(out, shape->n ? " May be written as one text: " : " One text: ");
    value(out, shape->short_form);
    buf_printf(out, " (%s), for example `%s`.", shape->short_form->about, shape->short_form->example);
}

static void put_shape(page *p, const model_shape *shape, const char *heading)
{
    if (map_add(p->printed, shape->name, p))
        return;
    buf_printf(p->out, "\n%s %s\n%c%s.", heading, shape->name, first_upper(shape->about), shape->about + 1);
    short_form(p->out, shape);
    buf_putc(p->out, '\n');
    fields(p->out, shape);
    for (size_t i = 0; i < shape_field_count(shape); i++)
        if (shape_field(shape, i)->shape)
            put_shape(p, shape_field(shape, i)->shape, "###");
}

static void forms(ds_buf *out)
{
    buf_puts(out, "\n## Forms\n\n| a text | its form |\n|---|---|\n");
    for (size_t i = PATTERN_NONE + 1; i < PATTERN_COUNT; i++)
        if (i != PATTERN_COLUMN) // says the same as PATTERN_NAME
            buf_printf(out, "| %s | %s |\n", form_name((model_pattern)i), MODEL_PATTERNS[i].form);
}

void model_fields_markdown(ds_buf *out)
{
    buf_puts(out, "# Fields of the model\n"
                  "Printed by `datasurface schema --markdown` from the tables that the loader reads "
                  "(`src/model/fields.c` and its neighbours); a test compares.\n\n"
                  "[model.md](model.md) says what they mean together, and what does not act yet. Every document has a "
                  "`kind`, the heading of its section, and these fields; shapes that a document uses follow it. Where "
                  "the third column is empty, the field may be absent.\n");
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    page p = {out, arena, map_new(arena)};
    for (size_t i = 0; i < MODEL_KIND_COUNT; i++)
        put_shape(&p, MODEL_KINDS[i].shape, "##");
    forms(out);
}
