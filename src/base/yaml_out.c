#include "base/yaml_out.h"

#include "base/error.h"

static int write_bytes(void *data, unsigned char *bytes, size_t n)
{
    buf_put(data, bytes, n);
    return 1;
}

static void emit(yaml_out *y, int initialised, yaml_event_t *event)
{
    if (!initialised || !yaml_emitter_emit(&y->emitter, event))
        y->failed = true;
}

void yaml_out_begin(yaml_out *y, ds_buf *out)
{
    *y = (yaml_out){.out = out};
    if (!yaml_emitter_initialize(&y->emitter))
        BUG("out of memory");
    yaml_emitter_set_output(&y->emitter, write_bytes, out);
    yaml_emitter_set_unicode(&y->emitter, 1);
    yaml_emitter_set_width(&y->emitter, -1);
    yaml_event_t event;
    emit(y, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING), &event);
    emit(y, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1), &event);
    yaml_map_begin(y, NULL);
}

bool yaml_out_end(yaml_out *y)
{
    yaml_event_t event;
    yaml_map_end(y);
    emit(y, yaml_document_end_event_initialize(&event, 1), &event);
    emit(y, yaml_stream_end_event_initialize(&event), &event);
    bool good = yaml_emitter_flush(&y->emitter) && !y->failed;
    yaml_emitter_delete(&y->emitter);
    return good;
}

// Words that other readers of YAML take for something else than text.
static bool is_special(const char *text)
{
    static const char *const WORDS[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (str_eq_nocase(str_of(text), str_of(WORDS[i])))
            return true;
    return false;
}

static void put_bare(yaml_out *y, const char *text)
{
    yaml_event_t event;
    emit(y,
         yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), 1, 1,
                                      YAML_PLAIN_SCALAR_STYLE),
         &event);
}

static void put_scalar(yaml_out *y, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t event;
    if (style == YAML_PLAIN_SCALAR_STYLE && is_special(text))
        style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    emit(y, yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), 1, 1, style),
         &event);
}

static void put_key(yaml_out *y, const char *key)
{
    if (key)
        put_scalar(y, key, YAML_PLAIN_SCALAR_STYLE);
}

static void map_begin(yaml_out *y, const char *key, yaml_mapping_style_t style)
{
    yaml_event_t event;
    put_key(y, key);
    emit(y, yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, style), &event);
}

void yaml_map_begin(yaml_out *y, const char *key)
{
    map_begin(y, key, YAML_BLOCK_MAPPING_STYLE);
}

void yaml_flow_map_begin(yaml_out *y)
{
    map_begin(y, NULL, YAML_FLOW_MAPPING_STYLE);
}

void yaml_map_end(yaml_out *y)
{
    yaml_event_t event;
    emit(y, yaml_mapping_end_event_initialize(&event), &event);
}

void yaml_list_begin(yaml_out *y, const char *key)
{
    yaml_event_t event;
    put_key(y, key);
    emit(y, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE), &event);
}

void yaml_list_end(yaml_out *y)
{
    yaml_event_t event;
    emit(y, yaml_sequence_end_event_initialize(&event), &event);
}

void yaml_word(yaml_out *y, const char *key, const char *value)
{
    put_key(y, key);
    put_scalar(y, value, YAML_PLAIN_SCALAR_STYLE);
}

void yaml_quoted(yaml_out *y, const char *key, const char *value)
{
    put_key(y, key);
    put_scalar(y, value, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

// Begins with a letter, goes on with what has no meaning anywhere in YAML, and is no word that has one.
static bool is_plain(const char *text)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t n = strlen(text);
    return strspn(text, LETTERS) > 0 && text[n - 1] != ' ' && !is_special(text) &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./() -")] == '\0';
}

static void put_text(yaml_out *y, const char *key, const char *value)
{
    if (is_plain(value))
        yaml_word(y, key, value);
    else
        yaml_quoted(y, key, value);
}

static void put_object(yaml_out *y, const char *key, const json_t *tree)
{
    const char *name;
    json_t *value;
    yaml_map_begin(y, key);
    json_object_foreach((json_t *)(uintptr_t)tree, name, value) yaml_tree(y, name, value);
    yaml_map_end(y);
}

static void put_array(yaml_out *y, const char *key, const json_t *tree)
{
    yaml_list_begin(y, key);
    for (size_t i = 0; i < json_array_size(tree); i++)
        yaml_tree(y, NULL, json_array_get(tree, i));
    yaml_list_end(y);
}

void yaml_tree(yaml_out *y, const char *key, const json_t *tree)
{
    char number[64];
    switch (json_typeof(tree)) {
    case JSON_OBJECT:
        put_object(y, key, tree);
        break;
    case JSON_ARRAY:
        put_array(y, key, tree);
        break;
    case JSON_STRING:
        put_text(y, key, json_string_value(tree));
        break;
    case JSON_INTEGER:
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(tree));
        yaml_word(y, key, number);
        break;
    case JSON_REAL:
        snprintf(number, sizeof number, "%.15g", json_real_value(tree));
        yaml_word(y, key, number);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        put_key(y, key);
        put_bare(y, json_is_null(tree) ? "null" : json_is_true(tree) ? "true" : "false");
        break;
    }
}

// --- comments

// Code points that YAML doesn't allow or that end a line there (https://yaml.org/spec/1.1/#id868518), and those that
// show a line otherwise than it stands there.
static bool is_hidden(uint32_t point)
{
    static const struct {
        uint32_t first, last;
    } RANGES[] = {{0, 0x1F},        {0x7F, 0x9F},     {0x200B, 0x200F}, {0x2028, 0x202E},
                  {0x2066, 0x2069}, {0xFEFF, 0xFEFF}, {0xFFFE, 0xFFFF}};
    for (size_t i = 0; i < sizeof RANGES / sizeof RANGES[0]; i++)
        if (point >= RANGES[i].first && point <= RANGES[i].last)
            return true;
    return false;
}

// The bytes at p that make one code point which people can see; 0: none.
static size_t visible(const char *p)
{
    static const unsigned char SIZES[] = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 3, 4};
    unsigned char first = (unsigned char)*p;
    size_t n = SIZES[first >> 4];
    if (n == 0 || strnlen(p, n) < n || str_utf8_length((ds_str){p, n}) != 1)
        return 0;
    uint32_t point = n == 1 ? first : first & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; i++)
        point = point << 6 | ((unsigned char)p[i] & 0x3F);
    return is_hidden(point) ? 0 : n;
}

void yaml_comment(ds_buf *out, const char *text)
{
    buf_puts(out, "# ");
    for (const char *p = text; *p;) {
        size_t n = visible(p);
        if (n)
            buf_put(out, p, n);
        else if (*p == '\n')
            buf_puts(out, "\\n");
        else
            buf_printf(out, "\\x%02x", (unsigned char)*p);
        p += n ? n : 1;
    }
    buf_putc(out, '\n');
}
