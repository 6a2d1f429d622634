// So many rows a second and no more: a token bucket that readers ask before each chunk. Kept as the instant at which
// the next row is due (the virtual scheduling algorithm of ITU-T I.371, Annex A), so that nothing has to tick.
//
// Rows are taken before they are read, as many as a chunk may have; what the chunk did not have is given back.
// Thread rule: any thread; the readers of one container share one rate.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct ds_rate ds_rate;

// Where a rate gets its time from, for tests. NULL stands for the monotonic clock and a real sleep.
typedef struct ds_rate_clock {
    void *context;
    double (*elapsed_s)(void *context);
    void (*sleep_s)(void *context, double seconds);
} ds_rate_clock;

// rows_per_second is at least 1; clock and cancelled are borrowed and may be NULL.
ds_rate *rate_new(int64_t rows_per_second, const ds_rate_clock *clock, const volatile int *cancelled);
void rate_free(ds_rate *rate); // takes NULL

// The largest chunk that keeps the pace: rows of a second, or fewer when fewer are wanted.
int64_t rate_chunk_rows(const ds_rate *rate, int64_t wanted);
// Takes rows and says after how many seconds they may be read.
double rate_take(ds_rate *rate, int64_t rows);
void rate_give_back(ds_rate *rate, int64_t rows);
// Waits, and looks up every RATE_SLICE_MS: false as soon as the work is cancelled or stop is set. stop may be NULL.
bool rate_wait(const ds_rate *rate, double wait_s, const atomic_bool *stop);

enum { RATE_SLICE_MS = 50 };
