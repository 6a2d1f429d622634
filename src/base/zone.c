#include "base/zone.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "base/vec.h"

static const char DIR[] = "/usr/share/zoneinfo";
enum { ZONE_PATH = 128, ZONE_FILE_MAX = 256 << 10, LAST_YEAR = 2100, HOUR_S = 3600, DAY_S = 86400 };

typedef struct transition {
    int64_t at_s, offset_s;
} transition;

struct ds_zone {
    int64_t first_offset_s;
    VEC(transition) list; // by time, each with another offset than the one before
};

static bool well_formed(const char *name)
{
    static const char ALLOWED[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    size_t n = strlen(name);
    return n > 0 && n <= 64 && strspn(name, ALLOWED) == n && name[0] != '/' && name[n - 1] != '/';
}

bool timezone_known(const char *name)
{
    if (!well_formed(name))
        return false;
    char path[ZONE_PATH];
    snprintf(path, sizeof path, "%s/%s", DIR, name);
    struct stat info;
    return access(DIR, X_OK) != 0 || (stat(path, &info) == 0 && S_ISREG(info.st_mode));
}

static void add_transition(ds_zone *zone, ds_arena *arena, int64_t at_s, int64_t offset_s)
{
    int64_t before = zone->list.n ? zone->list.v[zone->list.n - 1].offset_s : zone->first_offset_s;
    if (offset_s != before)
        *VEC_PUSH(arena, &zone->list) = (transition){at_s, offset_s};
}

// --- the file

typedef struct counts {
    int64_t isut, isstd, leap, time, type, chars;
} counts;

static int64_t big_endian(const char *p, size_t n)
{
    uint64_t v = (unsigned char)p[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | (unsigned char)p[i];
    return (int64_t)v;
}

// The header at the beginning of *rest, which is consumed.
static bool take_header(ds_str *rest, counts *out)
{
    enum { HEADER = 44, COUNTS_AT = 20 };
    if (rest->n < HEADER || memcmp(rest->p, "TZif", 4) != 0 || rest->p[4] < '2')
        return false;
    int64_t *const FIELDS[] = {&out->isut, &out->isstd, &out->leap, &out->time, &out->type, &out->chars};
    for (size_t i = 0; i < sizeof FIELDS / sizeof FIELDS[0]; i++) {
        *FIELDS[i] = big_endian(rest->p + COUNTS_AT + 4 * i, 4);
        if (*FIELDS[i] < 0 || *FIELDS[i] > ZONE_FILE_MAX)
            return false;
    }
    *rest = (ds_str){rest->p + HEADER, rest->n - HEADER};
    return out->type > 0;
}

static size_t block_size(const counts *c, int64_t time_size)
{
    return (size_t)(c->time * (time_size + 1) + c->type * 6 + c->chars + c->leap * (time_size + 4) + c->isstd +
                    c->isut);
}

// The 64-bit block at the beginning of *rest, which is consumed.
static bool take_block(ds_str *rest, const counts *c, ds_zone *zone, ds_arena *arena)
{
    enum { TIME = 8, TYPE = 6 };
    size_t size = block_size(c, TIME), n = (size_t)c->time;
    if (rest->n < size)
        return false;
    const char *indexes = rest->p + n * TIME, *types = indexes + n;
    zone->first_offset_s = big_endian(types, 4);
    for (size_t i = 0; i < n; i++) {
        size_t type = (unsigned char)indexes[i];
        if (type >= (size_t)c->type)
            return false;
        add_transition(zone, arena, big_endian(rest->p + i * TIME, TIME), big_endian(types + type * TYPE, 4));
    }
    *rest = (ds_str){rest->p + size, rest->n - size};
    return true;
}

// --- the footer: "CET-1CEST,M3.5.0,M10.5.0/3"

typedef struct change_rule {
    int64_t month, week, weekday, time_s; // local time of the offset before
} change_rule;

static bool skip_name(const char **p)
{
    const char *start = *p;
    if (*start == '<') {
        const char *end = strchr(start, '>');
        *p = end ? end + 1 : start;
        return end != NULL;
    }
    while ((**p >= 'A' && **p <= 'Z') || (**p >= 'a' && **p <= 'z'))
        ++*p;
    return *p > start;
}

static bool take_digits(const char **p, int64_t *out)
{
    const char *start = *p;
    for (*out = 0; **p >= '0' && **p <= '9' && *p - start < 4; ++*p)
        *out = *out * 10 + (**p - '0');
    return *p > start;
}

// "3", "-1:30", "+5:45:30", in seconds.
static bool take_time(const char **p, int64_t *out)
{
    int64_t part, sign = **p == '-' ? -1 : 1;
    if (**p == '-' || **p == '+')
        ++*p;
    if (!take_digits(p, &part))
        return false;
    *out = part * HOUR_S;
    for (int64_t unit = 60; **p == ':' && unit; unit /= 60) {
        ++*p;
        if (!take_digits(p, &part))
            return false;
        *out += part * unit;
    }
    *out *= sign;
    return true;
}

// ",M3.5.0/2": the day of the week in the week of the month, 5 for its last one. Other forms are in no zone's file.
static bool take_rule(const char **p, change_rule *out)
{
    out->time_s = 2 * HOUR_S;
    if (strncmp(*p, ",M", 2) != 0)
        return false;
    *p += 2;
    int64_t *const PARTS[] = {&out->month, &out->week, &out->weekday};
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        if (i > 0 && *(*p)++ != '.')
            return false;
        if (!take_digits(p, PARTS[i]))
            return false;
    }
    if (out->month < 1 || out->month > 12 || out->week < 1 || out->week > 5 || out->weekday > 6)
        return false;
    if (**p != '/')
        return true;
    ++*p;
    return take_time(p, &out->time_s);
}

// The rule's local time in a year, as if it were UTC.
static int64_t rule_local(const change_rule *rule, int year)
{
    struct tm first = {.tm_year = year - 1900, .tm_mon = (int)rule->month - 1, .tm_mday = 1};
    struct tm next = {.tm_year = year - 1900, .tm_mon = (int)rule->month, .tm_mday = 1};
    int64_t start = timegm(&first), end = timegm(&next);
    int64_t day = start + (rule->weekday - first.tm_wday + 7) % 7 * DAY_S + (rule->week - 1) * 7 * DAY_S;
    while (day >= end)
        day -= 7 * DAY_S;
    return day + rule->time_s;
}

static int year_of(int64_t at_s)
{
    struct tm date;
    time_t t = (time_t)at_s;
    gmtime_r(&t, &date);
    return date.tm_year + 1900;
}

static void add_if_later(ds_zone *zone, ds_arena *arena, transition t)
{
    if (zone->list.n == 0 || t.at_s > zone->list.v[zone->list.n - 1].at_s)
        add_transition(zone, arena, t.at_s, t.offset_s);
}

static void add_years(ds_zone *zone, ds_arena *arena, const transition offsets[2], const change_rule rules[2])
{
    int year = zone->list.n ? year_of(zone->list.v[zone->list.n - 1].at_s) : 1970;
    for (; year <= LAST_YEAR; year++) {
        transition summer = {rule_local(&rules[0], year) - offsets[0].offset_s, offsets[1].offset_s};
        transition winter = {rule_local(&rules[1], year) - offsets[1].offset_s, offsets[0].offset_s};
        bool north = summer.at_s < winter.at_s;
        add_if_later(zone, arena, north ? summer : winter);
        add_if_later(zone, arena, north ? winter : summer);
    }
}

static bool add_footer(ds_zone *zone, ds_arena *arena, ds_str text)
{
    if (text.n < 2 || text.p[0] != '\n' || text.p[text.n - 1] != '\n')
        return false;
    const char *p = arena_str(arena, (ds_str){text.p + 1, text.n - 2});
    if (*p == '\0') // nothing is known of what comes after
        return true;
    transition offsets[2] = {0}; // standard time and the other; their signs are the other way round
    change_rule rules[2];
    if (!skip_name(&p) || !take_time(&p, &offsets[0].offset_s))
        return false;
    offsets[0].offset_s = -offsets[0].offset_s;
    if (*p == '\0')
        return true;
    if (!skip_name(&p))
        return false;
    offsets[1].offset_s = offsets[0].offset_s + HOUR_S;
    if (*p != ',') {
        if (!take_time(&p, &offsets[1].offset_s))
            return false;
        offsets[1].offset_s = -offsets[1].offset_s;
    }
    if (!take_rule(&p, &rules[0]) || !take_rule(&p, &rules[1]) || *p != '\0')
        return false;
    add_years(zone, arena, offsets, rules);
    return true;
}

static bool decode(ds_str bytes, ds_zone *zone, ds_arena *arena)
{
    counts c;
    if (!take_header(&bytes, &c) || bytes.n < block_size(&c, 4))
        return false;
    size_t old = block_size(&c, 4);
    bytes = (ds_str){bytes.p + old, bytes.n - old};
    return take_header(&bytes, &c) && take_block(&bytes, &c, zone, arena) && add_footer(zone, arena, bytes);
}

ds_rc zone_load(const char *name, ds_arena *arena, const ds_zone **out, ds_error *err)
{
    ds_zone *zone = ARENA_NEW(arena, ds_zone);
    *out = zone;
    if (name[0] == '\0' || strcmp(name, "UTC") == 0)
        return DS_DONE;
    if (!well_formed(name))
        return ds_fail(err, DS_FINDING, "\"%s\" is not the name of a time zone", name);
    char path[ZONE_PATH];
    snprintf(path, sizeof path, "%s/%s", DIR, name);
    CLEANUP(buf_release) ds_buf bytes = BUF_INIT(ZONE_FILE_MAX);
    TRY(ds_hint(ds_context(file_read(path, &bytes, err), err, "time zone \"%s\"", name), err,
                "install the system's time zone database (tzdata)"));
    if (!decode(buf_str(&bytes), zone, arena))
        return ds_fail(err, DS_ENV, "time zone \"%s\": %s is no time zone file that we can read", name, path);
    return DS_DONE;
}

ds_zone_span zone_span(const ds_zone *zone, int64_t at_s)
{
    size_t low = 0, high = zone->list.n; // low: how many transitions are not after at_s
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->list.v[middle].at_s <= at_s)
            low = middle + 1;
        else
            high = middle;
    }
    const transition *v = zone->list.v;
    int64_t offset = low ? v[low - 1].offset_s : zone->first_offset_s;
    return (ds_zone_span){
        .start_s = low ? v[low - 1].at_s : INT64_MIN,
        .end_s = low < zone->list.n ? v[low].at_s : INT64_MAX,
        .offset_s = offset,
        .offset_before_s = low > 1 ? v[low - 2].offset_s
                           : low   ? zone->first_offset_s
                                   : offset,
    };
}
