#include "sim/rng.h"

// Sebastiano Vigna, http://prng.di.unimi.it/splitmix64.c (public domain algorithm)
uint64_t rng_next(ds_rng *rng)
{
    uint64_t z = (rng->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t rng_below(ds_rng *rng, uint64_t n)
{
    return rng_next(rng) % n;
}

int64_t rng_range(ds_rng *rng, int64_t low, int64_t high)
{
    uint64_t span = (uint64_t)high - (uint64_t)low + 1;
    return (int64_t)((uint64_t)low + (span ? rng_below(rng, span) : rng_next(rng)));
}

bool rng_once_in(ds_rng *rng, uint64_t n)
{
    return rng_below(rng, n) == 0;
}
