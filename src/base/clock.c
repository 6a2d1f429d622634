#include "base/clock.h"

#include <stdio.h>
#include <time.h>

enum { MICROS = 1000000 };

static int64_t system_now_us(const ds_clock *clock)
{
    (void)clock;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MICROS + now.tv_nsec / 1000;
}

static int64_t manual_now_us(const ds_clock *clock)
{
    return clock->fixed_us;
}

const ds_clock *clock_system(void)
{
    static const ds_clock SYSTEM = {.now_us = system_now_us};
    return &SYSTEM;
}

ds_clock clock_manual(int64_t fixed_us)
{
    return (ds_clock){.now_us = manual_now_us, .fixed_us = fixed_us};
}

double clock_elapsed_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void clock_format_iso(int64_t instant_us, char out[CLOCK_TEXT])
{
    int64_t second = instant_us / MICROS, fraction = instant_us % MICROS;
    if (fraction < 0) {
        fraction += MICROS;
        second--;
    }
    time_t when = (time_t)second;
    struct tm utc;
    gmtime_r(&when, &utc);
    char date[24];
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out, CLOCK_TEXT, "%s.%06dZ", date, (int)fraction);
}
