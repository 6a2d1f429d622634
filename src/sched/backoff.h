// How long to wait after a failure before the next attempt: 5 s, doubled with each further failure up to 15 minutes,
// and then an hour: such work is parked, nobody waits for it any more. Up to a quarter of it is added, so that what
// failed together doesn't come back together.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { BACKOFF_PARKED_AFTER = 10 }; // failures in a row

// failures counts from 1. The same seed and count always give the same wait.
int64_t backoff_delay_us(int64_t failures, const char *seed);
static inline bool backoff_is_parked(int64_t failures)
{
    return failures >= BACKOFF_PARKED_AFTER;
}
