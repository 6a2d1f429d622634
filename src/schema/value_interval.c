// Intervals: months, days and microseconds, which don't convert into each other.
#include "schema/rows_int.h"
#include "schema/value_int.h"

typedef enum ds_interval_field { FIELD_MONTHS, FIELD_DAYS, FIELD_MICROS, FIELD_COUNT } ds_interval_field;

typedef struct ds_interval {
    int64_t fields[FIELD_COUNT];
    bool overflow;
} ds_interval;

typedef struct ds_unit {
    const char *name; // "year"; or a letter of ISO 8601, before and after its T
    int rank;         // larger units come first
    ds_interval_field field;
    int64_t size;
} ds_unit;

static const ds_unit ISO_DATE[] = {{"Y", 1, FIELD_MONTHS, 12},
                                   {"M", 2, FIELD_MONTHS, 1},
                                   {"W", 3, FIELD_DAYS, 7},
                                   {"D", 4, FIELD_DAYS, 1},
                                   {NULL, 0, 0, 0}};
static const ds_unit ISO_TIME[] = {{"H", 5, FIELD_MICROS, 3600 * SECOND_MICROS},
                                   {"M", 6, FIELD_MICROS, 60 * SECOND_MICROS},
                                   {"S", 7, FIELD_MICROS, SECOND_MICROS},
                                   {NULL, 0, 0, 0}};
static const ds_unit WORDS[] = {{"year", 1, FIELD_MONTHS, 12},
                                {"mon", 2, FIELD_MONTHS, 1},
                                {"month", 2, FIELD_MONTHS, 1},
                                {"week", 3, FIELD_DAYS, 7},
                                {"day", 4, FIELD_DAYS, 1},
                                {"hour", 5, FIELD_MICROS, 3600 * SECOND_MICROS},
                                {"min", 6, FIELD_MICROS, 60 * SECOND_MICROS},
                                {"minute", 6, FIELD_MICROS, 60 * SECOND_MICROS},
                                {"sec", 7, FIELD_MICROS, SECOND_MICROS},
                                {"second", 7, FIELD_MICROS, SECOND_MICROS},
                                {NULL, 0, 0, 0}};

// A number of units: negative counts for both parts. fraction: millionths.
typedef struct ds_amount {
    bool negative, has_fraction;
    int64_t whole; // never negative
    int64_t fraction;
} ds_amount;

static bool take_char(ds_str *text, char c)
{
    if (text->n == 0 || text->p[0] != c)
        return false;
    *text = (ds_str){text->p + 1, text->n - 1};
    return true;
}

static bool take_digits(ds_str *text, ds_str *digits)
{
    size_t n = 0;
    while (n < text->n && text->p[n] >= '0' && text->p[n] <= '9')
        n++;
    *digits = (ds_str){text->p, n};
    *text = (ds_str){text->p + n, text->n - n};
    return n > 0;
}

// Up to six digits, and zeros.
static bool fraction_of(ds_str digits, int64_t *out)
{
    int64_t unit = SECOND_MICROS / 10;
    *out = 0;
    for (size_t i = 0; i < digits.n; i++, unit /= 10) {
        if (unit == 0 && digits.p[i] != '0')
            return false;
        *out += (digits.p[i] - '0') * unit;
    }
    return true;
}

static bool take_amount(ds_str *text, ds_amount *out)
{
    *out = (ds_amount){.negative = !take_char(text, '+') && take_char(text, '-')};
    ds_str digits;
    if (!take_digits(text, &digits) || !str_int64(digits, &out->whole))
        return false;
    out->has_fraction = take_char(text, '.');
    return !out->has_fraction || (take_digits(text, &digits) && fraction_of(digits, &out->fraction));
}

// Only seconds have a fraction.
static bool add_units(ds_interval *interval, const ds_amount *amount, const ds_unit *unit)
{
    if (amount->has_fraction && unit->size != SECOND_MICROS)
        return false;
    int64_t value, *field = &interval->fields[unit->field];
    if (__builtin_mul_overflow(amount->whole, unit->size, &value) ||
        __builtin_add_overflow(value, amount->fraction, &value) ||
        (amount->negative ? __builtin_sub_overflow(*field, value, field)
                          : __builtin_add_overflow(*field, value, field)))
        interval->overflow = true;
    return true;
}

static const ds_unit *find_unit(const ds_unit *units, ds_str name)
{
    for (; units->name; units++)
        if (str_eq(name, str_of(units->name)))
            return units;
    return NULL;
}

// P1Y2M3W4DT5H6M7.8S, each with its own sign, the larger unit first.
static bool iso_parse(ds_str text, ds_interval *out)
{
    const ds_unit *units = ISO_DATE, *unit = NULL;
    int rank = 0;
    if (!take_char(&text, 'P') || text.n == 0)
        return false;
    while (text.n > 0) {
        if (units == ISO_DATE && take_char(&text, 'T'))
            units = ISO_TIME;
        ds_amount amount;
        if (!take_amount(&text, &amount) || text.n == 0)
            return false;
        unit = find_unit(units, (ds_str){text.p, 1});
        if (!unit || unit->rank <= rank || !add_units(out, &amount, unit))
            return false;
        rank = unit->rank;
        text = (ds_str){text.p + 1, text.n - 1};
    }
    return true;
}

// H:MM[:SS[.ffffff]] after the amount that stands for its hours; its sign counts for all.
static bool add_clock(ds_interval *out, ds_amount hours, ds_str text)
{
    ds_amount minutes, seconds = {0};
    if (hours.has_fraction || !take_amount(&text, &minutes) || minutes.has_fraction || minutes.whole > 59)
        return false;
    if (take_char(&text, ':') && (!take_amount(&text, &seconds) || seconds.whole > 59))
        return false;
    if (text.n > 0 || minutes.negative || seconds.negative)
        return false;
    minutes.negative = seconds.negative = hours.negative;
    return add_units(out, &hours, &ISO_TIME[0]) && add_units(out, &minutes, &ISO_TIME[1]) &&
           add_units(out, &seconds, &ISO_TIME[2]);
}

// "1 year 2 mons -3 days 04:05:06.7"
static bool words_parse(ds_str text, ds_interval *out)
{
    int rank = 0;
    do {
        ds_amount amount;
        if (!take_amount(&text, &amount))
            return false;
        if (take_char(&text, ':'))
            return rank < ISO_TIME[0].rank && add_clock(out, amount, text);
        if (!take_char(&text, ' '))
            return false;
        if (text.n > 0 && text.p[text.n - 1] == ' ')
            return false;
        ds_str name = str_split(&text, ' ');
        if (name.n > 1 && name.p[name.n - 1] == 's')
            name.n--;
        const ds_unit *unit = find_unit(WORDS, name);
        if (!unit || unit->rank <= rank || !add_units(out, &amount, unit))
            return false;
        rank = unit->rank;
    } while (text.n > 0);
    return true;
}

ds_rc interval_from_text(ds_rows *rows, const ds_shape_column *column, ds_str text, ds_error *err)
{
    ds_interval interval = {0};
    bool right = text.n > 0 && text.p[0] == 'P' ? iso_parse(text, &interval) : words_parse(text, &interval);
    if (!right)
        return refuse_form(column->type, text, err);
    const int64_t *fields = interval.fields;
    if (interval.overflow || fields[FIELD_MONTHS] != (int32_t)fields[FIELD_MONTHS] ||
        fields[FIELD_DAYS] != (int32_t)fields[FIELD_DAYS])
        return refuse_fit(column->type, text, err);
    unsigned char *p = rows_put_raw(rows, column->name_hash, sizeof interval.fields);
    for (size_t i = 0; p && i < FIELD_COUNT; i++)
        store_u64(p + 8 * i, (uint64_t)fields[i]);
    return DS_DONE;
}
