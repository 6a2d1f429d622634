// Dates, times and timestamps, in the proleptic Gregorian calendar, years 0001 to 9999.
#include <stdio.h>
#include <stdlib.h>

#include "schema/value_int.h"

// Days since 1970-01-01; the way back is in value_print.c.
static int64_t days_from_civil(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned year_of_era = (unsigned)(year - era * 400);
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    return era * 146097 + (int64_t)of_era - 719468;
}

// --- parts; each moves on in *text when it finds what it is looking for

static bool take_char(ds_str *text, char c)
{
    if (text->n == 0 || text->p[0] != c)
        return false;
    *text = (ds_str){text->p + 1, text->n - 1};
    return true;
}

// Exactly n digits, a number of at most `most`.
static bool take_number(ds_str *text, size_t n, unsigned most, unsigned *out)
{
    unsigned value = 0;
    if (text->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned digit = (unsigned)(text->p[i] - '0');
        if (digit > 9)
            return false;
        value = value * 10 + digit;
    }
    if (value > most)
        return false;
    *text = (ds_str){text->p + n, text->n - n};
    *out = value;
    return true;
}

static bool take_date(ds_str *text, int64_t *days)
{
    static const unsigned char LENGTHS[] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned year, month, day;
    if (!take_number(text, 4, 9999, &year) || !take_char(text, '-') || !take_number(text, 2, 12, &month) ||
        !take_char(text, '-') || !take_number(text, 2, 31, &day))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    unsigned length = month == 2 && leap ? 29 : LENGTHS[month];
    if (year == 0 || day == 0 || day > length) // there are no days in month 0
        return false;
    *days = days_from_civil(year, month, day);
    return true;
}

// The digits after the point as microseconds; more than six only when they are zeros.
static bool take_fraction(ds_str *text, int64_t *micros)
{
    int64_t value = 0, unit = SECOND_MICROS / 10;
    size_t n = 0;
    for (; n < text->n && text->p[n] >= '0' && text->p[n] <= '9'; n++) {
        if (unit == 0 && text->p[n] != '0')
            return false;
        value += (text->p[n] - '0') * unit;
        unit /= 10;
    }
    *text = (ds_str){text->p + n, text->n - n};
    *micros = value;
    return n > 0;
}

// HH:MM[:SS[.ffffff]] below 24:00.
static bool take_time(ds_str *text, int64_t *micros)
{
    unsigned hour, minute, second = 0;
    int64_t fraction = 0;
    if (!take_number(text, 2, 23, &hour) || !take_char(text, ':') || !take_number(text, 2, 59, &minute))
        return false;
    if (take_char(text, ':')) {
        if (!take_number(text, 2, 59, &second))
            return false;
        if (take_char(text, '.') && !take_fraction(text, &fraction))
            return false;
    }
    *micros = (hour * 3600 + minute * 60 + second) * SECOND_MICROS + fraction;
    return true;
}

enum { OFFSET_HOURS_MAX = 15 };

// Z, +HH, +HHMM, +HH:MM, +HH:MM:SS as seconds east of UTC. False and *found when something is wrong with it.
static bool take_offset(ds_str *text, bool *found, int *seconds)
{
    *found = text->n > 0;
    *seconds = 0;
    if (!*found || take_char(text, 'Z') || take_char(text, 'z'))
        return true;
    bool west = take_char(text, '-');
    unsigned hour, minute = 0, second = 0;
    if (!west && !take_char(text, '+'))
        return false;
    if (!take_number(text, 2, OFFSET_HOURS_MAX, &hour))
        return false;
    bool colon = take_char(text, ':');
    if ((colon || text->n > 0) && !take_number(text, 2, 59, &minute))
        return false;
    if (colon && take_char(text, ':') && !take_number(text, 2, 59, &second))
        return false;
    *seconds = (int)(hour * 3600 + minute * 60 + second) * (west ? -1 : 1);
    return true;
}

// --- dates and timestamps

typedef struct ds_moment {
    int64_t days;
    int64_t micros; // of the day, local
    bool has_offset;
    int offset_s;
} ds_moment;

static bool moment_parse(ds_str text, ds_moment *out)
{
    *out = (ds_moment){0};
    if (!take_date(&text, &out->days))
        return false;
    if (text.n == 0)
        return true;
    if (!take_char(&text, ' ') && !take_char(&text, 'T'))
        return false;
    return take_time(&text, &out->micros) && take_offset(&text, &out->has_offset, &out->offset_s) && text.n == 0;
}

// Right but for a year before 0001 or after 9999, as PostgreSQL prints them: "44-03-15 BC", "12024-01-01".
static bool is_outside(ds_str text)
{
    size_t n = 0;
    while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9')
        n++;
    bool before = text.n > 3 && memcmp(text.p + text.n - 3, " BC", 3) == 0;
    return n >= 4 && n < text.n && text.p[n] == '-' && (n > 4 || before || memcmp(text.p, "0000", 4) == 0);
}

static const char OUTSIDE[] = "is outside of the years 0001 to 9999";

static ds_rc refuse_moment(const ds_type *type, ds_str text, ds_error *err)
{
    return is_outside(text) ? refuse_because(text, OUTSIDE, err) : refuse_form(type, text, err);
}

// What a date or timestamp lacks or has too much.
static ds_rc check_zone(const ds_type *type, const ds_moment *moment, ds_str text, ds_error *err)
{
    if (type->kind == TYPE_TIMESTAMPTZ && !moment->has_offset)
        return ds_hint(
            refuse_because(text, "has no time zone", err), err,
            "a timestamptz ends with Z or an offset such as +02:00; times without one are of type timestamp");
    if (type->kind != TYPE_TIMESTAMPTZ && moment->has_offset)
        return ds_hint(refuse_because(text, "has a time zone", err), err, "use the type timestamptz");
    if (type->kind == TYPE_DATE && moment->micros != 0)
        return ds_hint(refuse_because(text, "has a time of day", err), err, "use the type timestamp");
    return DS_DONE;
}

ds_rc micros_from_text(ds_rows *rows, const ds_shape_column *column, ds_str text, ds_error *err)
{
    static const int64_t FIRST = INT64_C(-62135596800) * SECOND_MICROS, LAST = INT64_C(253402300800) * SECOND_MICROS;
    ds_moment moment;
    if (moment_parse(text, &moment)) {
        TRY(check_zone(column->type, &moment, text, err));
        int64_t micros = moment.days * DAY_MICROS + moment.micros - moment.offset_s * SECOND_MICROS;
        if (micros < FIRST || micros >= LAST)
            return refuse_because(text, OUTSIDE, err);
        rows_put_i64(rows, column->name_hash, micros);
        return DS_DONE;
    }
    bool before = str_eq_nocase(text, STR("-infinity"));
    if (!before && !str_eq_nocase(text, STR("infinity")))
        return refuse_moment(column->type, text, err);
    rows_put_i64(rows, column->name_hash, before ? INT64_MIN : INT64_MAX);
    return DS_DONE;
}

// --- times of day

ds_rc time_from_text(ds_rows *rows, const ds_shape_column *column, ds_str text, ds_error *err)
{
    ds_str rest = text;
    int64_t micros;
    if (!take_time(&rest, &micros) || rest.n > 0)
        return refuse_form(column->type, text, err);
    rows_put_i64(rows, column->name_hash, micros);
    return DS_DONE;
}

// Kept as text: HH:MM:SS[.ffffff]+HH:MM[:SS].
static ds_rc timetz_from_text(ds_rows *rows, const ds_shape_column *column, ds_str text, ds_error *err)
{
    ds_str rest = text;
    int64_t micros;
    bool found;
    int offset;
    if (!take_time(&rest, &micros) || !take_offset(&rest, &found, &offset) || rest.n > 0)
        return ds_hint(refuse_form(column->type, text, err), err, "as in 12:34:56.789+02:00");
    if (!found)
        return ds_hint(refuse_because(text, "has no time zone", err), err,
                       "a timetz ends with Z or an offset such as +02:00; times without one are of type time");
    CLEANUP(buf_release) ds_buf canonical = BUF_INIT(64);
    day_time_print(micros, &canonical);
    int size = abs(offset);
    buf_printf(&canonical, "%c%02d:%02d", offset < 0 ? '-' : '+', size / 3600, size / 60 % 60);
    if (size % 60)
        buf_printf(&canonical, ":%02d", size % 60);
    rows_put(rows, column->name_hash, canonical.p, canonical.n);
    return DS_DONE;
}

ds_rc other_from_text(ds_rows *rows, const ds_shape_column *column, ds_str text, ds_error *err)
{
    return column->type->kind == TYPE_TIMETZ ? timetz_from_text(rows, column, text, err)
                                             : text_from_text(rows, column, text, err);
}
