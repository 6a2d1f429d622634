#include "sched/backoff.h"

#include <string.h>
#include <xxhash.h>

enum { BASE_S = 5, LONGEST_S = 15 * 60, PARKED_S = 60 * 60, JITTER_PARTS = 4 };

int64_t backoff_delay_us(int64_t failures, const char *seed)
{
    int64_t delay_s = BASE_S;
    for (int64_t i = 1; i < failures && delay_s < LONGEST_S; i++)
        delay_s *= 2;
    if (delay_s > LONGEST_S)
        delay_s = LONGEST_S;
    if (backoff_is_parked(failures))
        delay_s = PARKED_S;
    int64_t delay_us = delay_s * 1000000;
    uint64_t jitter = XXH3_64bits_withSeed(seed, strlen(seed), (uint64_t)failures);
    return delay_us + (int64_t)(jitter % (uint64_t)(delay_us / JITTER_PARTS));
}
