// A type printed and parsed again is the same type, it widens to itself, and an error points into the text.
#include <stddef.h>
#include <stdint.h>

#include "schema/type.h"

static void check_type(ds_arena *arena, const ds_type *type)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
    CLEANUP(buf_release) ds_buf again_text = BUF_INIT(1 << 20);
    CLEANUP(buf_release) ds_buf why = BUF_INIT(1 << 20);
    ds_error err;
    size_t at = 0;
    const ds_type *again = NULL;
    type_print(type, &text);
    if (text.n > TYPE_TEXT_MAX) // "binary" is longer than "blob"
        return;
    if (type_parse(arena, buf_str(&text), &again, &at, &err).code != DS_OK)
        BUG("\"%s\" is refused: %s", buf_text(&text), err.text);
    if (!type_equal(type, again) || !type_equal(again, type))
        BUG("\"%s\" is another type", buf_text(&text));
    type_print(again, &again_text);
    if (!str_eq(buf_str(&text), buf_str(&again_text)))
        BUG("\"%s\" prints as \"%s\"", buf_text(&text), buf_text(&again_text));
    if (!type_widens(type, again, &why) || why.n)
        BUG("\"%s\" does not widen to itself: %s", buf_text(&text), buf_text(&why));
}

static void check_error(ds_str text, size_t at, const ds_error *err)
{
    if (at > text.n || !err->text[0] || err->code != DS_FINDING)
        BUG("error \"%s\" at %zu of %zu", err->text, at, text.n);
}

// Two types, one after the other in the input: widening is only claimed within what it claims to be.
static void check_pair(ds_arena *arena, const ds_type *type, ds_str other_text)
{
    const ds_type *other = NULL;
    ds_error err;
    size_t at = 0;
    CLEANUP(buf_release) ds_buf why = BUF_INIT(1 << 20);
    if (type_parse(arena, other_text, &other, &at, &err).code != DS_OK)
        return;
    bool widens = type_widens(type, other, &why);
    if (widens == (why.n > 0) || (type_equal(type, other) && !widens))
        BUG("widening %d, because \"%s\"", widens, buf_text(&why));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_str rest = {(const char *)data, size};
    ds_str text = str_split(&rest, ';');
    ds_error err;
    size_t at = 0;
    const ds_type *type = NULL;
    if (type_parse(arena, text, &type, &at, &err).code == DS_OK) {
        check_type(arena, type);
        check_pair(arena, type, rest);
    } else {
        check_error(text, at, &err);
    }
    ds_column_spec spec;
    if (column_spec_parse(arena, text, &spec, &at, &err).code != DS_OK)
        check_error(text, at, &err);
    else if (spec.null_given && spec.not_null)
        BUG("a column that is null and not null");
    return 0;
}
