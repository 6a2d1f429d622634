#include "cli/due.h"

#include <time.h>

#include "base/cron.h"

enum { DAYS_MAX = 8 * 366 + 1 }; // 29 February may be eight years away
static const int64_t MINUTE_US = 60 * INT64_C(1000000);

static bool read_cron(const ds_stream_def *def, ds_cron *out)
{
    ds_error ignored;
    return def->cron && def->cron[0] && cron_parse(str_of(def->cron), out, &ignored).code == DS_OK;
}

static bool in_utc(const ds_stream_def *def)
{
    return !def->timezone || !def->timezone[0] || strcmp(def->timezone, "UTC") == 0;
}

// The first minute of the day, from `minute` on, that fires; -1 when none does.
static int first_minute(const ds_cron *cron, int minute)
{
    for (; minute < 24 * 60; minute++)
        if (cron->hours >> (minute / 60) & 1 && cron->minutes >> (minute % 60) & 1)
            return minute;
    return -1;
}

int64_t due_after(const ds_stream_def *def, int64_t instant_us)
{
    ds_cron cron;
    if (!in_utc(def) || !read_cron(def, &cron))
        return 0;
    int64_t next_minute = instant_us / MINUTE_US + 1;
    int64_t day = next_minute / (24 * 60);
    int minute = (int)(next_minute % (24 * 60));
    for (int i = 0; i < DAYS_MAX; i++, day++, minute = 0) {
        time_t midnight = (time_t)(day * 24 * 60 * 60);
        struct tm date;
        gmtime_r(&midnight, &date);
        int found = first_minute(&cron, minute);
        if (found >= 0 && cron_day_matches(&cron, date.tm_mon + 1, date.tm_mday, date.tm_wday))
            return (day * 24 * 60 + found) * MINUTE_US;
    }
    return 0;
}

bool due_late(const ds_stream_def *def, int64_t committed_us, int64_t now_us)
{
    ds_cron cron;
    return read_cron(def, &cron) && now_us - committed_us > 2 * cron_longest_gap_minutes(&cron) * MINUTE_US;
}
