#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "schema/value_int.h"

// The date of a day since 1970-01-01, the way back is in value_time.c: H. Hinnant, "chrono-Compatible Low-Level
// Date Algorithms".
static void civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    days += 719468; // since 0000-03-01
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned of_era = (unsigned)(days - era * 146097);
    unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted = (5 * of_year + 2) / 153; // months since March
    *day = of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = (int64_t)year_of_era + era * 400 + (*month <= 2);
}

// Divides so that the rest is never negative.
static int64_t floor_div(int64_t value, int64_t by, int64_t *rest)
{
    int64_t quotient = value / by;
    *rest = value % by;
    if (*rest < 0) {
        *rest += by;
        quotient--;
    }
    return quotient;
}

static void print_fraction(int64_t micros, ds_buf *out)
{
    if (micros == 0)
        return;
    char text[8];
    int n = snprintf(text, sizeof text, ".%06d", (int)micros);
    while (text[n - 1] == '0')
        n--;
    buf_put(out, text, (size_t)n);
}

// Exactly `width` digits: this runs for every date of every row that is written, where printf would be the larger part.
static void put_digits(char *at, unsigned value, int width)
{
    for (int i = width - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
}

void day_time_print(int64_t micros, ds_buf *out)
{
    unsigned seconds = (unsigned)(micros / SECOND_MICROS), fraction = (unsigned)(micros % SECOND_MICROS);
    char text[] = "hh:mm:ss.ffffff";
    put_digits(text, seconds / 3600, 2);
    put_digits(text + 3, seconds / 60 % 60, 2);
    put_digits(text + 6, seconds % 60, 2);
    put_digits(text + 9, fraction, 6);
    buf_put(out, text, fraction ? sizeof text - 1 : 8);
}

static void print_time(const ds_type *type, ds_cell cell, ds_buf *out)
{
    (void)type;
    day_time_print(cell_i64(cell), out);
}

static void print_micros(const ds_type *type, ds_cell cell, ds_buf *out)
{
    int64_t micros = cell_i64(cell), rest, year;
    if (micros == INT64_MAX || micros == INT64_MIN) {
        buf_puts(out, micros == INT64_MAX ? "infinity" : "-infinity");
        return;
    }
    unsigned month, day;
    civil_from_days(floor_div(micros, DAY_MICROS, &rest), &year, &month, &day);
    char date[] = "yyyy-mm-dd";
    put_digits(date, (unsigned)year, 4); // 0001 to 9999
    put_digits(date + 5, month, 2);
    put_digits(date + 8, day, 2);
    buf_put(out, date, sizeof date - 1);
    if (type->kind == TYPE_DATE)
        return;
    buf_putc(out, ' ');
    day_time_print(rest, out);
    if (type->kind == TYPE_TIMESTAMPTZ)
        buf_puts(out, "+00:00");
}

static void print_int(const ds_type *type, ds_cell cell, ds_buf *out)
{
    int64_t value = cell_i64(cell);
    if (type->kind == TYPE_UBIGINT)
        buf_printf(out, "%" PRIu64, (uint64_t)value);
    else
        buf_printf(out, "%" PRId64, value);
}

static void print_bool(const ds_type *type, ds_cell cell, ds_buf *out)
{
    (void)type;
    buf_puts(out, cell.n == 1 && cell.p[0] ? "true" : "false");
}

void float_print(double value, bool as_real, char out[FLOAT_TEXT])
{
    if (isnan(value) || isinf(value)) {
        snprintf(out, FLOAT_TEXT, "%s", isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
        return;
    }
    for (int digits = as_real ? 6 : 15, most = as_real ? 9 : 17; digits <= most; digits++) {
        snprintf(out, FLOAT_TEXT, "%.*g", digits, value);
        if (as_real ? strtof(out, NULL) == (float)value : strtod(out, NULL) == value)
            break;
    }
}

static void print_float(const ds_type *type, ds_cell cell, ds_buf *out)
{
    char text[FLOAT_TEXT];
    float_print(cell_double(cell), type->kind == TYPE_REAL, text);
    buf_puts(out, text);
}

static void print_text(const ds_type *type, ds_cell cell, ds_buf *out)
{
    (void)type;
    buf_put(out, cell.p, cell.n);
}

static void print_hex(const ds_type *type, ds_cell cell, ds_buf *out)
{
    (void)type;
    buf_put_hex(out, cell.p, cell.n);
}

static void print_uuid(const ds_type *type, ds_cell cell, ds_buf *out)
{
    (void)type;
    ds_assert(cell.n == 16);
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            buf_putc(out, '-');
        buf_put_hex(out, cell.p + i, 1);
    }
}

static void print_part(int64_t value, char unit, ds_buf *out)
{
    if (value)
        buf_printf(out, "%" PRId64 "%c", value, unit);
}

static void print_interval(const ds_type *type, ds_cell cell, ds_buf *out)
{
    (void)type;
    ds_assert(cell.n == 24);
    int64_t months = cell_i64((ds_cell){cell.p, 8}), days = cell_i64((ds_cell){cell.p + 8, 8});
    int64_t micros = cell_i64((ds_cell){cell.p + 16, 8});
    if (!months && !days && !micros) {
        buf_puts(out, "PT0S");
        return;
    }
    buf_putc(out, 'P');
    print_part(months / 12, 'Y', out);
    print_part(months % 12, 'M', out);
    print_part(days, 'D', out);
    if (!micros)
        return;
    buf_putc(out, 'T');
    int64_t seconds = micros / SECOND_MICROS, fraction = micros % SECOND_MICROS;
    print_part(seconds / 3600, 'H', out);
    print_part(seconds / 60 % 60, 'M', out);
    if (seconds % 60 || fraction) {
        buf_printf(out, "%s%d", micros < 0 ? "-" : "", abs((int)(seconds % 60)));
        print_fraction(fraction < 0 ? -fraction : fraction, out);
        buf_putc(out, 'S');
    }
}

void value_print(const ds_type *type, ds_cell cell, ds_buf *out)
{
    static void (*const PRINT[])(const ds_type *, ds_cell, ds_buf *) = {
        [VALUE_INT] = print_int,      [VALUE_BOOL] = print_bool,         [VALUE_FLOAT] = print_float,
        [VALUE_DECIMAL] = print_text, [VALUE_TEXT] = print_text,         [VALUE_MICROS] = print_micros,
        [VALUE_TIME] = print_time,    [VALUE_INTERVAL] = print_interval, [VALUE_UUID] = print_uuid,
        [VALUE_BINARY] = print_hex,   [VALUE_OTHER] = print_text,
    };
    PRINT[type_class(type)](type, cell, out);
}

ds_value_class type_class(const ds_type *type)
{
    static const unsigned char CLASS[TYPE_KIND_COUNT] = {
        [TYPE_TINYINT] = VALUE_INT,      [TYPE_SMALLINT] = VALUE_INT,       [TYPE_INTEGER] = VALUE_INT,
        [TYPE_BIGINT] = VALUE_INT,       [TYPE_UTINYINT] = VALUE_INT,       [TYPE_USMALLINT] = VALUE_INT,
        [TYPE_UINTEGER] = VALUE_INT,     [TYPE_UBIGINT] = VALUE_INT,        [TYPE_REAL] = VALUE_FLOAT,
        [TYPE_DOUBLE] = VALUE_FLOAT,     [TYPE_DECIMAL] = VALUE_DECIMAL,    [TYPE_BOOLEAN] = VALUE_BOOL,
        [TYPE_CHAR] = VALUE_TEXT,        [TYPE_VARCHAR] = VALUE_TEXT,       [TYPE_TEXT] = VALUE_TEXT,
        [TYPE_NCHAR] = VALUE_TEXT,       [TYPE_NVARCHAR] = VALUE_TEXT,      [TYPE_STRING] = VALUE_TEXT,
        [TYPE_DATE] = VALUE_MICROS,      [TYPE_TIME] = VALUE_TIME,          [TYPE_TIMETZ] = VALUE_OTHER,
        [TYPE_TIMESTAMP] = VALUE_MICROS, [TYPE_TIMESTAMPTZ] = VALUE_MICROS, [TYPE_INTERVAL] = VALUE_INTERVAL,
        [TYPE_UUID] = VALUE_UUID,        [TYPE_JSON] = VALUE_TEXT,          [TYPE_BINARY] = VALUE_BINARY,
        [TYPE_VARIANT] = VALUE_OTHER,    [TYPE_GEOGRAPHY] = VALUE_OTHER,    [TYPE_VECTOR] = VALUE_OTHER,
        [TYPE_ARRAY] = VALUE_OTHER,      [TYPE_MAP] = VALUE_OTHER,          [TYPE_STRUCT] = VALUE_OTHER,
        [TYPE_MLFLOAT] = VALUE_OTHER,
    };
    return (ds_value_class)CLASS[type->kind];
}
