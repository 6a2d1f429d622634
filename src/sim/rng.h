// Pseudo-random numbers from a seed: the same seed gives the same numbers on every machine (splitmix64).
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ds_rng {
    uint64_t state;
} ds_rng;

uint64_t rng_next(ds_rng *rng);
// 0 .. n-1; n > 0
uint64_t rng_below(ds_rng *rng, uint64_t n);
// low .. high, both included
int64_t rng_range(ds_rng *rng, int64_t low, int64_t high);
// true once in n
bool rng_once_in(ds_rng *rng, uint64_t n);
