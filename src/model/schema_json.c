#include "model/schema_json.h"

#include <stdlib.h>

#include "model/fields.h"
#include "model/yaml_int.h"

// --- small pieces

// Aborts when out of memory, so that nobody has to look.
static json_t *sure(json_t *value)
{
    if (!value)
        BUG("out of memory, or a text that is not UTF-8");
    return value;
}

static void put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, sure(value)) != 0)
        BUG("out of memory");
}

static void add(json_t *array, json_t *value)
{
    if (json_array_append_new(array, sure(value)) != 0)
        BUG("out of memory");
}

static void put_text(json_t *object, const char *key, const char *text)
{
    put(object, key, json_string(text));
}

static json_t *new_string(const char *pattern)
{
    json_t *schema = sure(json_pack("{s:s}", "type", "string"));
    if (pattern)
        put_text(schema, "pattern", pattern);
    else
        put(schema, "minLength", json_integer(1));
    return schema;
}

// The key of a shape in $defs: spaces become "_".
static const char *def_name(const model_shape *shape, ds_buf *out)
{
    for (const char *p = shape->name; *p; p++)
        buf_putc(out, *p == ' ' ? '_' : *p);
    return buf_text(out);
}

static json_t *new_ref(const model_shape *shape)
{
    CLEANUP(buf_release) ds_buf name = BUF_INIT(100);
    CLEANUP(buf_release) ds_buf path = BUF_INIT(120);
    buf_printf(&path, "#/$defs/%s", def_name(shape, &name));
    return sure(json_pack("{s:s}", "$ref", buf_text(&path)));
}

// --- examples: YAML as in the tables

// What an editor takes a scalar without quotes for.
static json_t *plain_value(ds_str text)
{
    int64_t number = 0;
    if (str_eq(text, STR("true")) || str_eq(text, STR("false")))
        return json_boolean(text.p[0] == 't');
    if (str_int64(text, &number))
        return json_integer(number);
    char *end = NULL;
    double real = strtod(text.p, &end);
    bool digits = strspn(text.p, "0123456789.") == text.n;
    return digits && end == text.p + text.n ? json_real(real) : json_stringn(text.p, text.n);
}

static json_t *example_value(const yaml_node *node)
{
    if (node->kind == NODE_SCALAR)
        return node->plain ? plain_value(node->text) : json_stringn(node->text.p, node->text.n);
    json_t *value = sure(node->kind == NODE_LIST ? json_array() : json_object());
    size_t step = node->kind == NODE_LIST ? 1 : 2;
    for (size_t i = 0; i < node->n; i += step) {
        if (step == 1)
            add(value, example_value(&node->items[i]));
        else
            put(value, node->items[i].text.p, example_value(&node->items[i + 1]));
    }
    return value;
}

static void visit_example(const yaml_node *root, void *context)
{
    *(json_t **)context = example_value(root);
}

// The value that a text of the tables stands for.
static json_t *new_value(const char *text)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    ds_files *files = files_new(arena);
    uint32_t file = files_add(files, "example", str_of(text));
    CLEANUP(diags_freep) ds_diags *diags = diags_new(files);
    json_t *value = NULL;
    yaml_read(diags, file, str_of(text), scratch, visit_example, &value);
    if (!value || diags_count(diags))
        BUG("not YAML: %s", text);
    return value;
}

static void put_example(json_t *schema, const model_field *f)
{
    bool item = f->kind == FIELD_LIST || f->kind == FIELD_TEXTS;
    if (f->example)
        put(schema, "examples", json_pack(item ? "[[o]]" : "[o]", new_value(f->example)));
}

// --- fields

static json_t *new_words(const model_words *words)
{
    json_t *list = sure(json_array());
    for (size_t i = 0; i < words->n; i++)
        add(list, json_string(words->v[i].word));
    return sure(json_pack("{s:o}", "enum", list));
}

// Numbers may be written with quotes, too.
static json_t *new_number(const char *type, const char *pattern, json_t *least, json_t *most)
{
    return sure(json_pack("{s:[{s:s, s:o, s:o}, {s:s, s:s}]}", "anyOf", "type", type, "minimum", least, "maximum", most,
                          "type", "string", "pattern", pattern));
}

static json_t *new_int(const model_field *f)
{
    return new_number("integer", f->min < 0 ? "^-?[0-9]+$" : "^[0-9]+$", json_integer(f->min), json_integer(f->max));
}

// One text of the field.
static json_t *new_text(const model_field *f)
{
    if (f->words)
        return new_words(f->words);
    if (f->pattern)
        return new_string(MODEL_PATTERNS[f->pattern].regex);
    // Scalars are text for us, whatever an editor takes them for.
    return sure(json_pack("{s:[s, s, s], s:i}", "type", "string", "number", "boolean", "minLength", 1));
}

static json_t *new_texts(const model_field *f)
{
    json_t *schema = sure(json_pack("{s:s, s:o}", "type", "array", "items", new_text(f)));
    if (!f->ordered)
        put(schema, "uniqueItems", json_true());
    return schema;
}

static json_t *new_list(const model_field *f)
{
    json_t *schema = sure(json_pack("{s:s, s:o}", "type", "array", "items", new_ref(f->shape)));
    if (f->required)
        put(schema, "minItems", json_integer(1));
    return schema;
}

static json_t *new_map(const model_field *f)
{
    json_t *names = sure(json_pack("{s:s}", "pattern", MODEL_PATTERNS[f->shape->name_pattern].regex));
    if (f->shape->name_pattern == PATTERN_COLUMN)
        put(names, "not", json_pack("{s:s}", "pattern", "^[dD][sS]_"));
    json_t *schema = sure(json_pack("{s:s, s:o, s:o}", "type", "object", "propertyNames", names, "additionalProperties",
                                    new_ref(f->shape)));
    if (f->required)
        put(schema, "minProperties", json_integer(1));
    return schema;
}

static json_t *new_form(const model_field *f)
{
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_STRING:
    case FIELD_SINK:
        return new_text(f);
    case FIELD_COLUMN_TYPE:
        return new_string(NULL);
    case FIELD_INT:
        return new_int(f);
    case FIELD_BATCHES:
        return sure(json_pack("{s:[o, {s:s}]}", "anyOf", new_int(f), "const", "all"));
    case FIELD_FLAG:
        return sure(json_pack("{s:[b, b, s, s]}", "enum", 1, 0, "true", "false"));
    case FIELD_RATIO:
        return new_number("number", "^(0?\\.[0-9]+|0\\.?|1\\.?0*)$", json_integer(0), json_integer(1));
    case FIELD_DEPRECATED:
        return sure(json_pack("{s:[s, s], s:i}", "type", "boolean", "string", "minLength", 1));
    case FIELD_TEXTS:
        return new_texts(f);
    case FIELD_ONE_OR_MANY:
    case FIELD_CLASSES:
        return sure(json_pack("{s:[o, o]}", "anyOf", new_text(f), new_texts(f)));
    case FIELD_STRUCT:
    case FIELD_POINTER:
        return new_ref(f->shape);
    case FIELD_LIST:
        return new_list(f);
    case FIELD_MAP:
        return new_map(f);
    }
    BUG("field kind %d has no schema", (int)f->kind);
}

static void put_about(json_t *schema, const model_field *f)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(4000);
    buf_puts(&text, f->about);
    const char *before = ". ";
    for (size_t i = 0; f->words && i < f->words->n; i++) {
        if (f->words->v[i].about) {
            buf_printf(&text, "%s%s: %s", before, f->words->v[i].word, f->words->v[i].about);
            before = "; ";
        }
    }
    put_text(schema, "description", buf_text(&text));
}

static json_t *new_field(const model_field *f)
{
    json_t *schema = new_form(f);
    put_about(schema, f);
    put_example(schema, f);
    if (f->fallback)
        put(schema, "default", new_value(f->fallback));
    return schema;
}

// --- shapes

// What a word of the tag field asks for and rules out; NULL when it is nothing.
static json_t *new_condition(const model_shape *shape, const model_field *tag, const model_word *word)
{
    json_t *required = sure(json_array()), *properties = sure(json_object());
    uint32_t bit = 1u << word->value;
    for (size_t i = 0; i < shape_field_count(shape); i++) {
        const model_field *f = shape_field(shape, i);
        if (f->required_for & bit)
            add(required, json_string(f->key));
        if (f->only_for && !(f->only_for & bit))
            put(properties, f->key, json_false());
    }
    return sure(json_pack("{s:{s:{s:{s:s}}, s:[s]}, s:{s:o, s:o}}", "if", "properties", tag->key, "const", word->word,
                          "required", tag->key, "then", "required", required, "properties", properties));
}

static void put_conditions(json_t *schema, const model_shape *shape)
{
    const model_field *tag = shape_tag(shape);
    if (!tag)
        return;
    json_t *all = sure(json_array());
    for (size_t i = 0; i < tag->words->n; i++)
        add(all, new_condition(shape, tag, &tag->words->v[i]));
    put(schema, "allOf", all);
}

static void put_choices(json_t *schema, const model_shape *shape)
{
    json_t *one = sure(json_array());
    for (size_t i = 0; i < shape->n; i++)
        if (shape->fields[i].choice)
            add(one, json_pack("{s:[s]}", "required", shape->fields[i].key));
    if (json_array_size(one))
        put(schema, "oneOf", one);
    else
        json_decref(one);
}

// kind: of a document, else NULL.
static json_t *new_object(const model_shape *shape, const char *kind)
{
    json_t *properties = sure(json_object()), *required = sure(json_array());
    if (kind) {
        put(properties, "kind", json_pack("{s:s}", "const", kind));
        add(required, json_string("kind"));
    }
    for (size_t i = 0; i < shape_field_count(shape); i++) {
        const model_field *f = shape_field(shape, i);
        put(properties, f->key, new_field(f));
        if (f->required)
            add(required, json_string(f->key));
    }
    json_t *schema = sure(json_pack("{s:s, s:s, s:o, s:o, s:b}", "type", "object", "description", shape->about,
                                    "properties", properties, "required", required, "additionalProperties", 0));
    put_conditions(schema, shape);
    put_choices(schema, shape);
    return schema;
}

static json_t *new_shape(const model_shape *shape)
{
    if (!shape->short_form)
        return new_object(shape, NULL);
    json_t *forms = sure(json_pack("[o]", new_field(shape->short_form)));
    if (shape->n)
        add(forms, new_object(shape, NULL));
    return sure(json_pack("{s:s, s:o}", "description", shape->about, "anyOf", forms));
}

// The shapes that a shape's fields need, and theirs.
static void put_defs(json_t *defs, const model_shape *shape)
{
    for (size_t i = 0; i < shape_field_count(shape); i++) {
        const model_shape *inner = shape_field(shape, i)->shape;
        if (!inner)
            continue;
        CLEANUP(buf_release) ds_buf name = BUF_INIT(100);
        if (json_object_get(defs, def_name(inner, &name)))
            continue;
        put(defs, buf_text(&name), new_shape(inner));
        put_defs(defs, inner);
    }
}

json_t *model_json_schema(void)
{
    json_t *defs = sure(json_object()), *kinds = sure(json_array());
    for (size_t i = 0; i < MODEL_KIND_COUNT; i++) {
        put(defs, MODEL_KINDS[i].name, new_object(MODEL_KINDS[i].shape, MODEL_KINDS[i].name));
        put_defs(defs, MODEL_KINDS[i].shape);
        add(kinds, new_ref(MODEL_KINDS[i].shape));
    }
    return sure(json_pack("{s:s, s:s, s:s, s:s, s:[s], s:o, s:o}", "$schema",
                          "https://json-schema.org/draft/2020-12/schema", "title", "datasurface model", "description",
                          "one document of a datasurface model", "type", "object", "required", "kind", "oneOf", kinds,
                          "$defs", defs));
}
