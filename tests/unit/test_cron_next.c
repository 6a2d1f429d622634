// base/cron.h cron_next and base/zone.h against an oracle that looks at every minute, with the C library's own idea of
// local time.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/cron.h"
#include "support/check.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
enum { MINUTE_S = 60, DAY_S = 86400 };

static const char *const ZONES[] = {"UTC",
                                    "Europe/Berlin",
                                    "America/New_York",
                                    "Australia/Lord_Howe", // half an hour
                                    "America/Havana",      // at midnight
                                    "Africa/Casablanca",   // backwards in Ramadan
                                    "Asia/Kathmandu",
                                    "America/Sao_Paulo",
                                    "Pacific/Apia"}; // a day that never was
static const char *const LINES[] = {"*/15 * * * *", "30 2 * * *",  "0 0 * * *",    "30 1 * * sun", "15 1-3 * * *",
                                    "0 */2 * * *",  "59 23 * * *", "0 12 30 12 *", "45 0 * * *",   "7 * * * *"};

static struct tm local_of(time_t at)
{
    struct tm local;
    localtime_r(&at, &local);
    return local;
}

// Minutes of local time since 1970.
static int64_t label_of(time_t at)
{
    struct tm local = local_of(at);
    return (at + local.tm_gmtoff) / MINUTE_S;
}

static bool label_matches(const ds_cron *cron, int64_t label)
{
    if (!(cron->minutes >> (label % 60) & 1) || !(cron->hours >> (label / 60 % 24) & 1))
        return false;
    time_t as_utc = (time_t)(label * MINUTE_S);
    struct tm t;
    gmtime_r(&as_utc, &t);
    return cron_day_matches(cron, t.tm_mon + 1, t.tm_mday, t.tm_wday);
}

// Does the line fire at this minute? *newest is the latest label that has been.
static bool oracle_fires(const ds_cron *cron, int64_t label, int64_t *newest)
{
    int64_t seen = *newest;
    *newest = label > seen ? label : seen;
    if (cron->hours == (1u << 24) - 1)
        return label_matches(cron, label);
    if (label <= seen)
        return false;
    for (int64_t l = seen + 1; l <= label; l++)
        if (label_matches(cron, l))
            return true;
    return false;
}

// Every minute of some days: its label in the zone that TZ names, after that of the minute before.
typedef struct minutes {
    time_t start;
    size_t n;
    int64_t *labels;
} minutes;

static minutes label_days(time_t start, int days)
{
    minutes m = {.start = start, .n = (size_t)days * DAY_S / MINUTE_S};
    m.labels = malloc((m.n + 1) * sizeof *m.labels);
    assert_non_null(m.labels);
    for (size_t i = 0; i <= m.n; i++)
        m.labels[i] = label_of(start + ((time_t)i - 1) * MINUTE_S);
    return m;
}

// All firings of these days, from both.
static void compare(const char *zone_name, const char *line, const minutes *m)
{
    ds_error err = {0};
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const ds_zone *zone;
    ds_cron cron;
    OK(zone_load(zone_name, arena, &zone, &err));
    OK(cron_parse(str_of(line), &cron, &err));
    int64_t newest = m->labels[0], next = cron_next(&cron, zone, (m->start - 1) * INT64_C(1000000));
    for (size_t i = 0; i < m->n; i++) {
        time_t at = m->start + (time_t)i * MINUTE_S;
        bool fires = oracle_fires(&cron, m->labels[i + 1], &newest), ours = next == at * INT64_C(1000000);
        if (fires != ours)
            fail_msg("%s, %s: at %ld: %s", zone_name, line, (long)at, fires ? "missed" : "too much");
        if (ours)
            next = cron_next(&cron, zone, next);
    }
}

static void agrees_with_oracle(void **state)
{
    (void)state;
    const struct {
        time_t start;
        int days;
    } STRETCHES[] = {{1772323200, 250}, // 2026-03-01
                     {1325030400, 8},   // 2011-12-28: Apia
                     {2182464000, 300}, // 2039-02-28: after the last transition in the files
                     {1524873600, 20}};
    for (size_t z = 0; z < COUNT(ZONES); z++) {
        setenv("TZ", ZONES[z], 1);
        tzset();
        for (size_t s = 0; s < COUNT(STRETCHES); s++) {
            minutes m = label_days(STRETCHES[s].start, STRETCHES[s].days);
            for (size_t i = 0; i < COUNT(LINES); i++)
                compare(ZONES[z], LINES[i], &m);
            free(m.labels);
        }
    }
}

// "2026-03-29T01:00" in UTC.
static int64_t instant(const char *text)
{
    struct tm t = {0};
    assert_non_null(strptime(text, "%Y-%m-%dT%H:%M", &t));
    return timegm(&t) * INT64_C(1000000);
}

static void examples(void **state)
{
    (void)state;
    const struct {
        const char *what, *zone, *line, *after, *next;
    } CASES[] = {
        {"a time that is skipped", "Europe/Berlin", "30 2 * * *", "2026-03-28T12:00", "2026-03-29T01:00"},
        {"and the next day", "Europe/Berlin", "30 2 * * *", "2026-03-29T01:00", "2026-03-30T00:30"},
        {"a time that comes twice", "Europe/Berlin", "30 2 * * *", "2026-10-24T12:00", "2026-10-25T00:30"},
        {"not the second time", "Europe/Berlin", "30 2 * * *", "2026-10-25T00:30", "2026-10-26T01:30"},
        {"every quarter, skipped hour", "Europe/Berlin", "*/15 * * * *", "2026-03-29T00:45", "2026-03-29T01:00"},
        {"every quarter, hour again", "Europe/Berlin", "*/15 * * * *", "2026-10-25T00:45", "2026-10-25T01:00"},
        {"within a minute", "UTC", "* * * * *", "2026-01-01T00:00", "2026-01-01T00:01"},
        {"a leap day", "UTC", "0 0 29 2 *", "2096-03-01T00:00", "2104-02-29T00:00"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        ds_error err = {0};
        CLEANUP(arena_freep) ds_arena *arena = arena_new();
        const ds_zone *zone;
        ds_cron cron;
        OK(zone_load(CASES[i].zone, arena, &zone, &err));
        OK(cron_parse(str_of(CASES[i].line), &cron, &err));
        int64_t next = cron_next(&cron, zone, instant(CASES[i].after));
        if (next != instant(CASES[i].next))
            fail_msg("%s: %ld, wanted %ld", CASES[i].what, (long)next, (long)instant(CASES[i].next));
    }
}

static void names(void **state)
{
    (void)state;
    ds_error err = {0};
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const ds_zone *zone;
    FAILS(zone_load("../passwd", arena, &zone, &err), DS_FINDING, "is not the name of a time zone");
    FAILS(zone_load("Mars/Olympus", arena, &zone, &err), DS_ENV, "time zone \"Mars/Olympus\"");
    FAILS(zone_load("zone.tab", arena, &zone, &err), DS_FINDING, "is not the name");
    OK(zone_load("", arena, &zone, &err));
    assert_int_equal(zone_span(zone, 0).offset_s, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_oracle),
        cmocka_unit_test(examples),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
