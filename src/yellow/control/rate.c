#include "yellow/control/rate.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/flag.h"

// A reader that was kept from reading for a moment may catch up with so much of what it missed.
static const double CREDIT_S = 0.1;

struct ds_rate {
    ds_rate_clock clock;
    const volatile int *cancelled;
    double rows_per_second;
    pthread_mutex_t lock; // guards what follows
    double due_s;         // when the next row may be read
};

static double real_elapsed_s(void *context)
{
    (void)context;
    return clock_elapsed_s();
}

static void real_sleep_s(void *context, double seconds)
{
    (void)context;
    time_t whole = (time_t)seconds;
    nanosleep(&(struct timespec){.tv_sec = whole, .tv_nsec = (long)((seconds - (double)whole) * 1e9)}, NULL);
}

ds_rate *rate_new(int64_t rows_per_second, const ds_rate_clock *clock, const volatile int *cancelled)
{
    static const ds_rate_clock REAL = {NULL, real_elapsed_s, real_sleep_s};
    ds_assert(rows_per_second > 0);
    ds_rate *rate = calloc(1, sizeof *rate);
    if (!rate)
        BUG("out of memory");
    rate->clock = clock ? *clock : REAL;
    rate->cancelled = cancelled;
    rate->rows_per_second = (double)rows_per_second;
    rate->due_s = rate->clock.elapsed_s(rate->clock.context);
    pthread_mutex_init(&rate->lock, NULL);
    return rate;
}

void rate_free(ds_rate *rate)
{
    if (!rate)
        return;
    pthread_mutex_destroy(&rate->lock);
    free(rate);
}

int64_t rate_chunk_rows(const ds_rate *rate, int64_t wanted)
{
    return (double)wanted > rate->rows_per_second ? (int64_t)rate->rows_per_second : wanted;
}

double rate_take(ds_rate *rate, int64_t rows)
{
    pthread_mutex_lock(&rate->lock);
    double now_s = rate->clock.elapsed_s(rate->clock.context);
    double due_s = rate->due_s > now_s - CREDIT_S ? rate->due_s : now_s - CREDIT_S;
    rate->due_s = due_s + (double)rows / rate->rows_per_second;
    pthread_mutex_unlock(&rate->lock);
    return due_s > now_s ? due_s - now_s : 0;
}

void rate_give_back(ds_rate *rate, int64_t rows)
{
    pthread_mutex_lock(&rate->lock);
    rate->due_s -= (double)rows / rate->rows_per_second;
    pthread_mutex_unlock(&rate->lock);
}

static bool stopped(const ds_rate *rate, const atomic_bool *stop)
{
    return flag_is_set(rate->cancelled) || (stop && atomic_load(stop));
}

bool rate_wait(const ds_rate *rate, double wait_s, const atomic_bool *stop)
{
    static const double SLICE_S = RATE_SLICE_MS / 1e3;
    const ds_rate_clock *clock = &rate->clock;
    double left_s = wait_s, until_s = clock->elapsed_s(clock->context) + wait_s;
    while (left_s > 0) {
        if (stopped(rate, stop))
            return false;
        clock->sleep_s(clock->context, left_s < SLICE_S ? left_s : SLICE_S);
        left_s = until_s - clock->elapsed_s(clock->context);
    }
    return true;
}
