#include "base/cron.h"

typedef struct cron_field {
    const char *name;
    int min, max;
    const char *words; // three letters each, for min, min + 1 ...; NULL: numbers only
} cron_field;

enum { FIELD_MINUTE, FIELD_HOUR, FIELD_DAY, FIELD_MONTH, FIELD_WEEKDAY, FIELD_COUNT };
enum { SUNDAY_AGAIN = 7, DAY_MINUTES = 24 * 60 };
static const cron_field FIELDS[FIELD_COUNT] = {
    {"minute", 0, 59, NULL},
    {"hour", 0, 23, NULL},
    {"day", 1, 31, NULL},
    {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    {"weekday", 0, SUNDAY_AGAIN, "sunmontuewedthufrisat"},
};

static bool field_word(const cron_field *field, ds_str text, int *out)
{
    if (!field->words || text.n != 3)
        return false;
    for (size_t i = 0; field->words[i]; i += 3)
        if (str_eq_nocase(text, (ds_str){field->words + i, 3})) {
            *out = field->min + (int)(i / 3);
            return true;
        }
    return false;
}

static ds_rc field_value(const cron_field *field, ds_str text, int *out, ds_error *err)
{
    if (field_word(field, text, out))
        return DS_DONE;
    int64_t v = -1;
    bool digits = text.n > 0 && text.n <= 4 && text.p[0] != '-' && str_int64(text, &v);
    if (!digits)
        return ds_fail(err, DS_FINDING, "%s \"%.*s\" is not a number%s", field->name, STR_ARGS(text),
                       field->words ? " or a name" : "");
    if (v < field->min || v > field->max)
        return ds_fail(err, DS_FINDING, "%s \"%.*s\" is not between %d and %d", field->name, STR_ARGS(text), field->min,
                       field->max);
    *out = (int)v;
    return DS_DONE;
}

// *, N or A-B; a single number has no end of its own.
static ds_rc field_range(const cron_field *field, ds_str text, int *from, int *to, bool *single, ds_error *err)
{
    *from = field->min;
    *to = field->max;
    *single = false;
    if (str_eq(text, STR("*")))
        return DS_DONE;
    ds_str rest = text, first = str_split(&rest, '-');
    *single = first.n == text.n;
    TRY(field_value(field, first, from, err));
    if (*single)
        return DS_DONE;
    TRY(field_value(field, rest, to, err));
    if (*to == 0 && *from > 0 && field == &FIELDS[FIELD_WEEKDAY])
        *to = SUNDAY_AGAIN; // fri-sun
    if (*from > *to)
        return ds_fail(err, DS_FINDING, "%s \"%.*s\" runs backwards", field->name, STR_ARGS(text));
    return DS_DONE;
}

static ds_rc field_part(const cron_field *field, ds_str part, uint64_t *bits, ds_error *err)
{
    int from, to;
    int64_t step = 1;
    bool single;
    ds_str rest = part, range = str_split(&rest, '/');
    bool stepped = range.n != part.n;
    TRY(field_range(field, range, &from, &to, &single, err));
    if (stepped && (rest.n == 0 || rest.p[0] == '-' || !str_int64(rest, &step) || step < 1 || step > field->max))
        return ds_fail(err, DS_FINDING, "%s \"%.*s\" has no step between 1 and %d", field->name, STR_ARGS(part),
                       field->max);
    if (single && !stepped)
        to = from;
    for (int64_t v = from; v <= to; v += step)
        *bits |= UINT64_C(1) << v;
    return DS_DONE;
}

static ds_rc field_parse(const cron_field *field, ds_str text, uint64_t *bits, ds_error *err)
{
    *bits = 0;
    for (bool more = true; more;) {
        ds_str part = str_split(&text, ',');
        more = text.p != NULL && part.p + part.n != text.p + text.n;
        if (part.n == 0)
            return ds_fail(err, DS_FINDING, "%s has an empty part", field->name);
        TRY(field_part(field, part, bits, err));
    }
    return DS_DONE;
}

// The next word of the line; empty at its end.
static ds_str next_word(ds_str *line)
{
    *line = str_trim(*line);
    size_t n = 0;
    while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t')
        n++;
    ds_str word = {line->p, n};
    line->p += n;
    line->n -= n;
    return word;
}

static int days_in_month(int year, int month)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return DAYS[month - 1] + (month == 2 && year % 4 == 0);
}

bool cron_day_matches(const ds_cron *cron, int month, int day, int weekday)
{
    bool by_day = cron->days >> day & 1, by_weekday = cron->weekdays >> weekday & 1;
    return (cron->months >> month & 1) && (cron->either_day ? by_day || by_weekday : by_day && by_weekday);
}

// The longest run from one firing day to the next, over the 28 years after which the calendar repeats; 0: never fires.
static int longest_days(const ds_cron *cron)
{
    const bool all_days = cron->days == UINT32_MAX - 1 && cron->weekdays == 0x7F && cron->months == 0x1FFE;
    if (all_days)
        return 1;
    int weekday = 6, longest = 0, since = -1; // 1 January 2000 was a Saturday
    for (int year = 2000; year < 2000 + 28; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= days_in_month(year, month); day++, weekday = (weekday + 1) % 7) {
                since += since >= 0;
                if (!cron_day_matches(cron, month, day, weekday))
                    continue;
                longest = since > longest ? since : longest;
                since = 0;
            }
    return since < 0 ? 0 : longest ? longest : 1;
}

ds_rc cron_parse(ds_str text, ds_cron *out, ds_error *err)
{
    uint64_t bits[FIELD_COUNT];
    ds_str line = text, words[FIELD_COUNT];
    for (int i = 0; i < FIELD_COUNT; i++) {
        words[i] = next_word(&line);
        if (words[i].n == 0)
            return ds_fail(err, DS_FINDING, "\"%.*s\" has fewer than five fields", STR_ARGS(text));
    }
    if (str_trim(line).n)
        return ds_fail(err, DS_FINDING, "\"%.*s\" has more than five fields", STR_ARGS(text));
    for (int i = 0; i < FIELD_COUNT; i++)
        TRY(field_parse(&FIELDS[i], words[i], &bits[i], err));
    ds_cron cron = {
        .minutes = bits[FIELD_MINUTE],
        .hours = (uint32_t)bits[FIELD_HOUR],
        .days = (uint32_t)bits[FIELD_DAY],
        .months = (uint16_t)bits[FIELD_MONTH],
        .weekdays = (uint8_t)((bits[FIELD_WEEKDAY] & 0x7F) | bits[FIELD_WEEKDAY] >> SUNDAY_AGAIN),
        .either_day = words[FIELD_DAY].p[0] != '*' && words[FIELD_WEEKDAY].p[0] != '*',
    };
    if (longest_days(&cron) == 0)
        return ds_fail(err, DS_FINDING, "\"%.*s\" never fires: no month has that day", STR_ARGS(text));
    *out = cron;
    return DS_DONE;
}

int64_t cron_longest_gap_minutes(const ds_cron *cron)
{
    int first = -1, last = -1, longest = 0;
    for (int t = 0; t < DAY_MINUTES; t++) {
        if (!(cron->hours >> (t / 60) & 1) || !(cron->minutes >> (t % 60) & 1))
            continue;
        if (first < 0)
            first = t;
        else if (t - last > longest)
            longest = t - last;
        last = t;
    }
    int64_t overnight = (int64_t)longest_days(cron) * DAY_MINUTES - last + first;
    return overnight > longest ? overnight : longest;
}
