// Text, JSON, UUIDs, binary values, and all that is kept as canonical text.
#include <jansson.h>

#include "schema/value_int.h"

static ds_rc refuse_encoding(ds_str text, ds_error *err)
{
    if (text.n > 0 && memchr(text.p, '\0', text.n))
        return refuse_because(text, "contains U+0000", err);
    return refuse_because(text, "is not valid UTF-8", err);
}

static ds_rc check_json(ds_str text, ds_error *err)
{
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL;
    json_error_t why;
    json_t *value = json_loadb(text.p, text.n, flags, &why);
    if (!value)
        return ds_hint(refuse_because(text, "is not valid JSON", err), err, "line %d, column %d: %s", why.line,
                       why.column, why.text);
    json_decref(value);
    return DS_DONE;
}

ds_rc text_from_text(ds_rows *rows, const ds_shape_column *column, ds_str text, ds_error *err)
{
    const ds_type *type = column->type;
    if (type->kind == TYPE_CHAR || type->kind == TYPE_NCHAR)
        while (text.n > 0 && text.p[text.n - 1] == ' ')
            text.n--;
    int64_t length = str_utf8_length(text);
    if (length < 0)
        return refuse_encoding(text, err);
    if (type->kind == TYPE_JSON)
        TRY(check_json(text, err));
    else if (type_is_text(type) && type->size != TYPE_UNLIMITED && length > type->size)
        return ds_hint(refuse_fit(type, text, err), err, "it has %lld characters", (long long)length);
    rows_put(rows, column->name_hash, text.p, text.n);
    return DS_DONE;
}

ds_rc bytes_put(ds_rows *rows, const ds_shape_column *column, const void *bytes, size_t n, ds_error *err)
{
    if (column->type->size != TYPE_UNLIMITED && n > (size_t)column->type->size) {
        CLEANUP(buf_release) ds_buf hex = BUF_INIT(128);
        buf_put_hex(&hex, bytes, n < 32 ? n : 32);
        return ds_hint(refuse_fit(column->type, buf_str(&hex), err), err, "it has %zu bytes", n);
    }
    rows_put(rows, column->name_hash, bytes, n);
    return DS_DONE;
}

static int hex_value(char c)
{
    return str_hex_digit(str_lower_char(c));
}

static bool is_hex(ds_str digits)
{
    for (size_t i = 0; i < digits.n; i++)
        if (hex_value(digits.p[i]) < 0)
            return false;
    return true;
}

static void hex_decode(const char *digits, size_t pairs, unsigned char *out)
{
    for (size_t i = 0; i < pairs; i++)
        out[i] = (unsigned char)(hex_value(digits[2 * i]) * 16 + hex_value(digits[2 * i + 1]));
}

ds_rc uuid_from_text(ds_rows *rows, const ds_shape_column *column, ds_str text, ds_error *err)
{
    ds_str bare = text;
    if (bare.n > 1 && bare.p[0] == '{' && bare.p[bare.n - 1] == '}')
        bare = (ds_str){bare.p + 1, bare.n - 2};
    static const unsigned char GROUPS[] = {4, 2, 2, 2, 6};
    bool dashes = bare.n == 36;
    if (!dashes && bare.n != 32)
        return refuse_form(column->type, text, err);
    unsigned char uuid[16], *out = uuid;
    const char *p = bare.p;
    for (size_t i = 0; i < sizeof GROUPS; i++) {
        if (dashes && i > 0 && *p++ != '-')
            return refuse_form(column->type, text, err);
        if (!is_hex((ds_str){p, 2 * (size_t)GROUPS[i]}))
            return refuse_form(column->type, text, err);
        hex_decode(p, GROUPS[i], out);
        p += 2 * (size_t)GROUPS[i];
        out += GROUPS[i];
    }
    rows_put(rows, column->name_hash, uuid, sizeof uuid);
    return DS_DONE;
}

ds_rc binary_from_text(ds_rows *rows, const ds_shape_column *column, ds_str text, ds_error *err)
{
    const ds_type *type = column->type;
    ds_str digits = text;
    if (str_starts(digits, STR("\\x")))
        digits = (ds_str){digits.p + 2, digits.n - 2};
    if (digits.n % 2 != 0 || !is_hex(digits))
        return refuse_form(type, text, err);
    size_t n = digits.n / 2;
    if (type->size != TYPE_UNLIMITED && n > (size_t)type->size)
        return ds_hint(refuse_fit(type, text, err), err, "it has %zu bytes", n);
    unsigned char *p = rows_put_raw(rows, column->name_hash, n);
    if (p)
        hex_decode(digits.p, n, p);
    return DS_DONE;
}
