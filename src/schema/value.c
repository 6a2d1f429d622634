#include "schema/value.h"

#include <inttypes.h>
#include <stdio.h>

#include "schema/value_int.h"

// How values of a class are written, for hints.
static const char *const FORMS[] = {
    [VALUE_INT] = "integers are digits with an optional sign",
    [VALUE_BOOL] = "booleans are true, false, t, f, 1 or 0",
    [VALUE_FLOAT] = "numbers are digits with an optional sign, point and exponent, or NaN, Infinity, -Infinity",
    [VALUE_DECIMAL] = "numbers are digits with an optional sign, point and exponent",
    [VALUE_TEXT] = "",
    [VALUE_MICROS] = "timestamps are YYYY-MM-DD HH:MM:SS with up to 6 fraction digits",
    [VALUE_TIME] = "times are HH:MM:SS with up to 6 fraction digits, below 24:00",
    [VALUE_INTERVAL] = "intervals are as in P1Y2M3DT4H5M6.7S or 1 year 2 mons 3 days 04:05:06.7",
    [VALUE_UUID] = "UUIDs are 32 hexadecimal digits, with or without dashes",
    [VALUE_BINARY] = "binary values are pairs of hexadecimal digits",
    [VALUE_OTHER] = "",
};

// --- refusals

enum { SHOWN_BYTES = 60, SHOWN_TEXT = 4 * SHOWN_BYTES + 8 };

// A value in a message: cut, control characters and bytes that are not UTF-8 as \xNN.
static const char *show(ds_str text, ds_buf *out)
{
    bool cut = text.n > SHOWN_BYTES;
    if (cut)
        for (text.n = SHOWN_BYTES; text.n > SHOWN_BYTES - 4 && ((unsigned char)text.p[text.n] & 0xC0) == 0x80;)
            text.n--;
    bool is_utf8 = str_utf8_length(text) >= 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < ' ' || c == 0x7F || (c > 0x7F && !is_utf8))
            buf_printf(out, "\\x%02x", c);
        else
            buf_putc(out, (char)c);
    }
    buf_puts(out, cut ? "..." : "");
    return buf_text(out);
}

static const char *type_text(const ds_type *type, ds_buf *out)
{
    type_print(type, out);
    return buf_text(out);
}

ds_rc refuse_fit(const ds_type *type, ds_str text, ds_error *err)
{
    CLEANUP(buf_release) ds_buf value = BUF_INIT(SHOWN_TEXT), name = BUF_INIT(TYPE_TEXT_MAX);
    return ds_fail(err, DS_FINDING, "'%s' does not fit %s", show(text, &value), type_text(type, &name));
}

ds_rc refuse_form(const ds_type *type, ds_str text, ds_error *err)
{
    CLEANUP(buf_release) ds_buf value = BUF_INIT(SHOWN_TEXT), name = BUF_INIT(TYPE_TEXT_MAX);
    ds_rc rc = ds_fail(err, DS_FINDING, "'%s' is not a valid %s", show(text, &value), type_text(type, &name));
    const char *form = type->kind == TYPE_DATE ? "dates are YYYY-MM-DD" : FORMS[type_class(type)];
    return *form ? ds_hint(rc, err, "%s", form) : rc;
}

ds_rc refuse_because(ds_str text, const char *reason, ds_error *err)
{
    CLEANUP(buf_release) ds_buf value = BUF_INIT(SHOWN_TEXT);
    return ds_fail(err, DS_FINDING, "'%s' %s", show(text, &value), reason);
}

// What the source delivered is of another kind than the column.
static ds_rc refuse_kind(const ds_type *type, const char *value, ds_error *err)
{
    CLEANUP(buf_release) ds_buf name = BUF_INIT(TYPE_TEXT_MAX);
    return ds_hint(ds_fail(err, DS_FINDING, "%s is not a valid %s", value, type_text(type, &name)), err,
                   "nothing is coerced: change the type in the model, or the value at the source");
}

// --- from whatever the source delivered

ds_rc value_put_text(ds_rows *rows, const ds_shape_column *column, ds_str text, ds_error *err)
{
    static value_from_text *const FROM_TEXT[] = {
        [VALUE_INT] = int_from_text,         [VALUE_BOOL] = bool_from_text,         [VALUE_FLOAT] = float_from_text,
        [VALUE_DECIMAL] = decimal_from_text, [VALUE_TEXT] = text_from_text,         [VALUE_MICROS] = micros_from_text,
        [VALUE_TIME] = time_from_text,       [VALUE_INTERVAL] = interval_from_text, [VALUE_UUID] = uuid_from_text,
        [VALUE_BINARY] = binary_from_text,   [VALUE_OTHER] = other_from_text,
    };
    return FROM_TEXT[type_class(column->type)](rows, column, text, err);
}

static bool int_is_exact(ds_type_kind kind, int64_t value)
{
    if (kind == TYPE_REAL)
        return value > -(1 << 24) && value < 1 << 24;
    return value > -(INT64_C(1) << 53) && value < INT64_C(1) << 53;
}

// Apart from value_put_int, which runs for every value, so that only a refusal pays for its text.
static ds_rc refuse_int(const ds_type *type, int64_t value, ds_error *err)
{
    char text[32], described[64];
    snprintf(text, sizeof text, "%" PRId64, value);
    snprintf(described, sizeof described, "an integer (%s)", text);
    switch (type_class(type)) {
    case VALUE_BOOL:
        return refuse_form(type, str_of(text), err);
    case VALUE_FLOAT:
        return refuse_fit(type, str_of(text), err);
    default:
        return refuse_kind(type, described, err);
    }
}

ds_rc value_put_int(ds_rows *rows, const ds_shape_column *column, int64_t value, ds_error *err)
{
    switch (type_class(column->type)) {
    case VALUE_INT:
        return int_from_int(rows, column, value, err);
    case VALUE_DECIMAL:
        return decimal_from_int(rows, column, value, err);
    case VALUE_BOOL:
        if (value != 0 && value != 1)
            break;
        rows_put_bool(rows, column->name_hash, value == 1);
        return DS_DONE;
    case VALUE_FLOAT:
        if (!int_is_exact(column->type->kind, value))
            break;
        rows_put_double(rows, column->name_hash, (double)value);
        return DS_DONE;
    default:
        break;
    }
    return refuse_int(column->type, value, err);
}

ds_rc value_put_real(ds_rows *rows, const ds_shape_column *column, double value, ds_error *err)
{
    switch (type_class(column->type)) {
    case VALUE_FLOAT:
        return float_from_real(rows, column, value, err);
    case VALUE_DECIMAL:
        return decimal_from_real(rows, column, value, err);
    default: {
        char text[FLOAT_TEXT], described[96];
        float_print(value, false, text);
        snprintf(described, sizeof described, "a floating point number (%s)", text);
        return refuse_kind(column->type, described, err);
    }
    }
}

ds_rc value_put_blob(ds_rows *rows, const ds_shape_column *column, const void *bytes, size_t n, ds_error *err)
{
    ds_value_class class = type_class(column->type);
    if (class == VALUE_BINARY)
        return bytes_put(rows, column, bytes, n, err);
    if (class == VALUE_UUID && n == 16) {
        rows_put(rows, column->name_hash, bytes, n);
        return DS_DONE;
    }
    char described[64];
    snprintf(described, sizeof described, "a blob of %zu bytes", n);
    return refuse_kind(column->type, described, err);
}
