// Integers, booleans, floating point numbers and decimals.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "schema/value_int.h"

// --- integers

typedef struct ds_int_range {
    int64_t least;
    uint64_t most;
} ds_int_range;

static const ds_int_range RANGES[] = {
    [TYPE_TINYINT] = {INT8_MIN, INT8_MAX},   [TYPE_SMALLINT] = {INT16_MIN, INT16_MAX},
    [TYPE_INTEGER] = {INT32_MIN, INT32_MAX}, [TYPE_BIGINT] = {INT64_MIN, INT64_MAX},
    [TYPE_UTINYINT] = {0, UINT8_MAX},        [TYPE_USMALLINT] = {0, UINT16_MAX},
    [TYPE_UINTEGER] = {0, UINT32_MAX},       [TYPE_UBIGINT] = {0, UINT64_MAX},
};

static bool in_range(ds_type_kind kind, bool negative, uint64_t magnitude)
{
    const ds_int_range *range = &RANGES[kind];
    return negative ? magnitude <= -(uint64_t)range->least : magnitude <= range->most;
}

ds_rc int_from_int(ds_rows *rows, const ds_shape_column *column, int64_t value, ds_error *err)
{
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
    if (!in_range(column->type->kind, value < 0, magnitude)) {
        char text[32];
        snprintf(text, sizeof text, "%" PRId64, value);
        return refuse_fit(column->type, str_of(text), err);
    }
    rows_put_i64(rows, column->name_hash, value);
    return DS_DONE;
}

ds_rc int_from_text(ds_rows *rows, const ds_shape_column *column, ds_str text, ds_error *err)
{
    bool negative = text.n > 0 && text.p[0] == '-', overflow = false;
    size_t i = text.n > 0 && (negative || text.p[0] == '+');
    if (i == text.n)
        return refuse_form(column->type, text, err);
    uint64_t magnitude = 0;
    for (; i < text.n; i++) {
        unsigned digit = (unsigned)(text.p[i] - '0');
        if (digit > 9)
            return refuse_form(column->type, text, err);
        overflow = overflow || __builtin_mul_overflow(magnitude, 10, &magnitude) ||
                   __builtin_add_overflow(magnitude, digit, &magnitude);
    }
    if (overflow || !in_range(column->type->kind, negative, magnitude))
        return refuse_fit(column->type, text, err);
    rows_put_i64(rows, column->name_hash, (int64_t)(negative ? -magnitude : magnitude));
    return DS_DONE;
}

// --- booleans

ds_rc bool_from_text(ds_rows *rows, const ds_shape_column *column, ds_str text, ds_error *err)
{
    static const ds_str WORDS[][2] = {{STR("f"), STR("t")}, {STR("false"), STR("true")}, {STR("0"), STR("1")}};
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        for (int value = 0; value < 2; value++)
            if (str_eq_nocase(text, WORDS[i][value])) {
                rows_put_bool(rows, column->name_hash, value);
                return DS_DONE;
            }
    return refuse_form(column->type, text, err);
}

// --- numbers as text

// digits = whole then fraction; the value is 0.digits * 10^(whole.n + exponent).
typedef struct ds_number {
    bool negative;
    ds_str whole, fraction;
    int64_t exponent;
} ds_number;

enum { EXPONENT_MAX = 1000000000 };

static ds_str take_digits(ds_str *text)
{
    ds_str digits = {text->p, 0};
    while (digits.n < text->n && digits.p[digits.n] >= '0' && digits.p[digits.n] <= '9')
        digits.n++;
    *text = (ds_str){text->p + digits.n, text->n - digits.n};
    return digits;
}

static bool take_char(ds_str *text, char c)
{
    if (text->n == 0 || text->p[0] != c)
        return false;
    *text = (ds_str){text->p + 1, text->n - 1};
    return true;
}

static bool take_sign(ds_str *text)
{
    return !take_char(text, '+') && take_char(text, '-');
}

static bool take_exponent(ds_str *text, int64_t *out)
{
    bool negative = take_sign(text);
    ds_str digits = take_digits(text);
    int64_t exponent = 0;
    for (size_t i = 0; i < digits.n; i++)
        if (exponent < EXPONENT_MAX)
            exponent = exponent * 10 + (digits.p[i] - '0');
    *out = negative ? -exponent : exponent;
    return digits.n > 0;
}

static bool number_parse(ds_str text, ds_number *out)
{
    *out = (ds_number){.negative = take_sign(&text)};
    out->whole = take_digits(&text);
    out->fraction = (ds_str){text.p, 0};
    if (take_char(&text, '.'))
        out->fraction = take_digits(&text);
    if (out->whole.n == 0 && out->fraction.n == 0)
        return false;
    if ((take_char(&text, 'e') || take_char(&text, 'E')) && !take_exponent(&text, &out->exponent))
        return false;
    return text.n == 0;
}

// NaN, Infinity, inf, with a sign, in any case.
static bool word_parse(ds_str text, double *out)
{
    bool is_signed = text.n > 0 && (text.p[0] == '+' || text.p[0] == '-');
    bool negative = take_sign(&text);
    if (str_eq_nocase(text, STR("infinity")) || str_eq_nocase(text, STR("inf")))
        *out = negative ? -HUGE_VAL : HUGE_VAL;
    else if (!is_signed && str_eq_nocase(text, STR("nan")))
        *out = (double)NAN;
    else
        return false;
    return true;
}

// --- floating point

static bool all_zero(ds_str digits)
{
    for (size_t i = 0; i < digits.n; i++)
        if (digits.p[i] != '0')
            return false;
    return true;
}

enum { FLOAT_TEXT_MAX = 4096 };

ds_rc float_from_text(ds_rows *rows, const ds_shape_column *column, ds_str text, ds_error *err)
{
    double value;
    ds_number number;
    if (word_parse(text, &value)) {
        rows_put_double(rows, column->name_hash, value);
        return DS_DONE;
    }
    if (!number_parse(text, &number))
        return refuse_form(column->type, text, err);
    char copy[FLOAT_TEXT_MAX + 1];
    if (text.n > FLOAT_TEXT_MAX)
        return refuse_fit(column->type, text, err);
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    value = column->type->kind == TYPE_REAL ? (double)strtof(copy, NULL) : strtod(copy, NULL);
    bool lost = value == 0 && !(all_zero(number.whole) && all_zero(number.fraction));
    if (isinf(value) || lost)
        return refuse_fit(column->type, text, err);
    rows_put_double(rows, column->name_hash, value);
    return DS_DONE;
}

static ds_rc refuse_real(const ds_type *type, double value, ds_error *err)
{
    char text[FLOAT_TEXT];
    float_print(value, false, text);
    return refuse_fit(type, str_of(text), err);
}

ds_rc float_from_real(ds_rows *rows, const ds_shape_column *column, double value, ds_error *err)
{
    if (column->type->kind == TYPE_REAL) {
        float rounded = (float)value;
        bool lost = value != 0 && rounded == 0;
        if (lost || (isinf(rounded) && !isinf(value)))
            return refuse_real(column->type, value, err);
        value = (double)rounded;
    }
    rows_put_double(rows, column->name_hash, value);
    return DS_DONE;
}

// --- decimals

// Significant digits of a number: without zeros at either end. point: how many of them, and zeros, stand before the
// decimal point; negative: zeros after it.
typedef struct ds_digits {
    size_t first, n;
    int64_t point;
} ds_digits;

static char digit_at(const ds_number *number, size_t i)
{
    return i < number->whole.n ? number->whole.p[i] : number->fraction.p[i - number->whole.n];
}

static ds_digits significant(const ds_number *number)
{
    size_t first = 0, end = number->whole.n + number->fraction.n;
    while (first < end && digit_at(number, first) == '0')
        first++;
    while (end > first && digit_at(number, end - 1) == '0')
        end--;
    return (ds_digits){first, end - first, (int64_t)number->whole.n - (int64_t)first + number->exponent};
}

// What any engine with unlimited decimals can hold.
enum { DECIMAL_WHOLE_MAX = 131072, DECIMAL_FRACTION_MAX = 16383 };

static bool decimal_fits(const ds_type *type, ds_digits digits)
{
    int64_t fraction = (int64_t)digits.n - digits.point;
    if (digits.n == 0)
        return true;
    if (type->size == TYPE_UNLIMITED)
        return digits.point <= DECIMAL_WHOLE_MAX && fraction <= DECIMAL_FRACTION_MAX;
    return digits.point <= type->size - type->scale && fraction <= type->scale;
}

static void decimal_write(unsigned char *p, const ds_number *number, ds_digits digits)
{
    if (number->negative)
        *p++ = '-';
    if (digits.point <= 0) {
        *p++ = '0';
        *p++ = '.';
    }
    for (int64_t i = digits.point; i < 0; i++)
        *p++ = '0';
    for (size_t i = 0; i < digits.n; i++) {
        if (i > 0 && (int64_t)i == digits.point)
            *p++ = '.';
        *p++ = (unsigned char)digit_at(number, digits.first + i);
    }
    for (int64_t i = (int64_t)digits.n; i < digits.point; i++)
        *p++ = '0';
}

// False when it does not fit.
static bool decimal_put(ds_rows *rows, const ds_shape_column *column, const ds_number *number)
{
    ds_digits digits = significant(number);
    if (!decimal_fits(column->type, digits))
        return false;
    if (digits.n == 0) {
        rows_put(rows, column->name_hash, "0", 1);
        return true;
    }
    int64_t count = (int64_t)digits.n, size = number->negative;
    if (digits.point <= 0)
        size += 2 - digits.point + count;
    else
        size += digits.point < count ? count + 1 : digits.point;
    unsigned char *p = rows_put_raw(rows, column->name_hash, (size_t)size);
    if (p)
        decimal_write(p, number, digits);
    return true;
}

static ds_rc decimal_put_word(ds_rows *rows, const ds_shape_column *column, double value, ds_error *err)
{
    const char *word = isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
    if (!isnan(value) && column->type->size != TYPE_UNLIMITED)
        return refuse_fit(column->type, str_of(word), err);
    rows_put(rows, column->name_hash, word, strlen(word));
    return DS_DONE;
}

ds_rc decimal_from_text(ds_rows *rows, const ds_shape_column *column, ds_str text, ds_error *err)
{
    ds_number number;
    double word;
    if (number_parse(text, &number))
        return decimal_put(rows, column, &number) ? DS_DONE : refuse_fit(column->type, text, err);
    if (word_parse(text, &word))
        return decimal_put_word(rows, column, word, err);
    return refuse_form(column->type, text, err);
}

// The decimal digits of a magnitude, at least `least` of them, at the end of out.
enum { DIGITS_MAX = 40 };
static ds_str digits_of(uint64_t magnitude, int least, char out[DIGITS_MAX])
{
    char *p = out + DIGITS_MAX;
    for (; magnitude > 0 || least > 0; magnitude /= 10, least--)
        *--p = (char)('0' + magnitude % 10);
    return (ds_str){p, (size_t)(out + DIGITS_MAX - p)};
}

ds_rc decimal_from_int(ds_rows *rows, const ds_shape_column *column, int64_t value, ds_error *err)
{
    char digits[DIGITS_MAX];
    ds_number number = {.negative = value < 0};
    number.whole = digits_of(value < 0 ? -(uint64_t)value : (uint64_t)value, 1, digits);
    if (decimal_put(rows, column, &number))
        return DS_DONE;
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    return refuse_fit(column->type, str_of(text), err);
}

enum { FAST_SCALE = 12 };
static const double POWERS[FAST_SCALE + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12};

// |value| * 10^scale rounded to an integer when one multiplication can tell: the product is below 2^42, so that its
// error is below 2^-11, and it is further than that from a tie.
static bool scale_fast(double value, int scale, uint64_t *out)
{
    if (scale < 0 || scale > FAST_SCALE)
        return false;
    double scaled = fabs(value) * POWERS[scale];
    if (!(scaled < 0x1p42))
        return false;
    double whole = floor(scaled), rest = scaled - whole;
    if (fabs(rest - 0.5) < 0x1p-9)
        return false;
    *out = (uint64_t)whole + (rest > 0.5);
    return true;
}

// Enough for all digits of any double: 309 before the point, 1074 after it.
enum { EXACT_TEXT = 1400, EXACT_SCALE = 1074 };

static bool decimal_put_exact(ds_rows *rows, const ds_shape_column *column, double value)
{
    char text[EXACT_TEXT];
    int scale = column->type->scale;
    int n = snprintf(text, sizeof text, "%.*f", scale < EXACT_SCALE ? scale : EXACT_SCALE, value);
    ds_number number;
    return number_parse((ds_str){text, (size_t)n}, &number) && decimal_put(rows, column, &number);
}

ds_rc decimal_from_real(ds_rows *rows, const ds_shape_column *column, double value, ds_error *err)
{
    if (isnan(value) || isinf(value))
        return decimal_put_word(rows, column, value, err);
    if (column->type->size == TYPE_UNLIMITED) {
        char text[FLOAT_TEXT];
        float_print(value, false, text);
        return decimal_from_text(rows, column, str_of(text), err);
    }
    uint64_t scaled;
    int scale = column->type->scale;
    bool fits;
    if (scale_fast(value, scale, &scaled)) {
        char space[DIGITS_MAX] = {0};
        ds_str digits = digits_of(scaled, scale, space);
        size_t whole = digits.n - (size_t)scale;
        ds_number number = {value < 0, {digits.p, whole}, {digits.p + whole, (size_t)scale}, 0};
        fits = decimal_put(rows, column, &number);
    } else {
        fits = decimal_put_exact(rows, column, value);
    }
    return fits ? DS_DONE : refuse_real(column->type, value, err);
}
