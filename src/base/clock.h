// Time, injected so that tests own it. Instants are microseconds since 1970-01-01 UTC.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct ds_clock {
    int64_t (*now_us)(const struct ds_clock *clock);
    int64_t fixed_us; // for clock_manual
} ds_clock;

const ds_clock *clock_system(void);
// Stands still at fixed_us until its owner moves it.
ds_clock clock_manual(int64_t fixed_us);
static inline int64_t clock_now_us(const ds_clock *clock)
{
    return clock->now_us(clock);
}
// Monotonic seconds, for measuring durations.
double clock_elapsed_s(void);

// "2026-01-31T12:34:56.789012Z" (ISO 8601, UTC). out needs CLOCK_TEXT bytes.
enum { CLOCK_TEXT = 32 };
void clock_format_iso(int64_t instant_us, char out[CLOCK_TEXT]);
