// The next firing of a cron line in a time zone. It walks the zone's stretches of constant offset, and within each of
// them the days of the calendar: no step for every minute.
#include <time.h>

#include "base/cron.h"

enum { MINUTE_S = 60, DAY_MINUTES = 24 * 60, DAYS_MAX = 8 * 366 + 1 }; // 29 February may be eight years away
static const int64_t MINUTE_US = MINUTE_S * INT64_C(1000000);

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

// The first minute of the day, from `minute` on, that fires; -1 when none does.
static int minute_from(const ds_cron *cron, int minute)
{
    for (; minute < DAY_MINUTES; minute++)
        if (cron->hours >> (minute / 60) & 1 && cron->minutes >> (minute % 60) & 1)
            return minute;
    return -1;
}

// The first local minute that fires in [from, end), both counted from 1970-01-01 00:00 local time; -1 when none does.
static int64_t local_from(const ds_cron *cron, int64_t from, int64_t end)
{
    int64_t day = floor_div(from, DAY_MINUTES);
    int minute = (int)(from - day * DAY_MINUTES);
    for (int i = 0; i < DAYS_MAX && day * DAY_MINUTES < end; i++, day++, minute = 0) {
        time_t midnight = (time_t)(day * DAY_MINUTES * MINUTE_S);
        struct tm date;
        gmtime_r(&midnight, &date);
        int found = minute_from(cron, minute);
        if (found >= 0 && cron_day_matches(cron, date.tm_mon + 1, date.tm_mday, date.tm_wday))
            return day * DAY_MINUTES + found < end ? day * DAY_MINUTES + found : -1;
    }
    return -1;
}

static int64_t local_minute(int64_t at_s, int64_t offset_s)
{
    return floor_div(at_s + offset_s, MINUTE_S);
}

// The first firing in the span, not before at_s; -1 when there is none.
static int64_t next_in_span(const ds_cron *cron, const ds_zone_span *span, int64_t at_s)
{
    const bool every_hour = cron->hours == (1u << 24) - 1;
    int64_t from = local_minute(at_s, span->offset_s);
    int64_t end = span->end_s == INT64_MAX ? INT64_MAX : local_minute(span->end_s, span->offset_s);
    if (!every_hour && span->start_s != INT64_MIN) {
        int64_t start = local_minute(span->start_s, span->offset_s);
        int64_t before = local_minute(span->start_s, span->offset_before_s);
        if (at_s == span->start_s && before < start && local_from(cron, before, start) >= 0)
            return at_s; // what the clocks skipped
        if (from < before)
            from = before; // what has been once already
    }
    int64_t found = local_from(cron, from, end);
    return found < 0 ? -1 : found * MINUTE_S - span->offset_s;
}

int64_t cron_next(const ds_cron *cron, const ds_zone *zone, int64_t after_us)
{
    int64_t at_s = (floor_div(after_us, MINUTE_US) + 1) * MINUTE_S;
    const int64_t limit_s = at_s + DAYS_MAX * (int64_t)DAY_MINUTES * MINUTE_S;
    while (at_s < limit_s) {
        ds_zone_span span = zone_span(zone, at_s);
        int64_t found = next_in_span(cron, &span, at_s);
        if (found >= 0)
            return found * 1000000;
        if (span.end_s == INT64_MAX)
            break;
        at_s = span.end_s;
    }
    return 0;
}
