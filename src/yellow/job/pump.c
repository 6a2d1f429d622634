#include "yellow/job/pump.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/queue.h"

// One part of the read.
typedef struct lane {
    ds_pump *pump;
    ds_db *db;
    ds_reader *reader;
    pthread_t thread;
    bool started;
    // Written by the thread before it ends, read by the owner after it has seen the end.
    ds_rc rc;
    ds_error err;
} lane;

struct ds_pump {
    lane lanes[PUMP_PARTS_MAX];
    size_t n;
    size_t chunk_rows;
    ds_rate *rate;   // may be NULL
    ds_rows *first;  // the first lane's, read by pump_open, until it is handed out
    bool more;       // after the first chunk: there are threads, or there will be
    bool first_ends; // it was all that the first lane has
    bool started;
    bool ended; // the owner has seen the end
    ds_queue *full, *empty;
    atomic_bool stop;
    atomic_size_t running; // lanes; the last one to end closes the queue
};

static ds_rows *chunk_new(void)
{
    ds_rows *rows = malloc(sizeof *rows);
    if (!rows)
        BUG("out of memory");
    rows_init(rows);
    return rows;
}

void pump_chunk_free(ds_rows *chunk)
{
    if (!chunk)
        return;
    rows_release(chunk);
    free(chunk);
}

// The driver's next chunk, when it is due.
static ds_rc read_chunk(lane *l, ds_rows *rows, bool *more, ds_error *err)
{
    ds_pump *pump = l->pump;
    const ds_driver *driver = l->db->driver;
    if (!pump->rate)
        return driver->read_next(l->reader, rows, pump->chunk_rows, PUMP_CHUNK_BYTES, more, err);
    int64_t taken = (int64_t)pump->chunk_rows;
    if (!rate_wait(pump->rate, rate_take(pump->rate, taken), &pump->stop))
        return ds_fail(err, DS_CANCELLED, "interrupted");
    ds_rc rc = driver->read_next(l->reader, rows, pump->chunk_rows, PUMP_CHUNK_BYTES, more, err);
    rate_give_back(pump->rate, taken - (int64_t)rows->n);
    return rc;
}

ds_rc pump_open(ds_db *db, const ds_read *read, size_t chunk_rows, ds_pump **out, ds_error *err)
{
    return pump_open_parts(&db, read, 1, chunk_rows, NULL, out, err);
}

static ds_rc open_lanes(ds_pump *pump, ds_db *const *dbs, const ds_read *reads, size_t n, ds_error *err)
{
    for (size_t i = 0; i < n; i++) {
        lane *l = &pump->lanes[pump->n++];
        *l = (lane){.pump = pump, .db = dbs[i]};
        TRY(dbs[i]->driver->read_open(dbs[i], &reads[i], &l->reader, err));
    }
    bool more = false;
    pump->first = chunk_new();
    TRY(read_chunk(&pump->lanes[0], pump->first, &more, err));
    pump->first_ends = !more;
    pump->more = more || n > 1;
    return DS_DONE;
}

ds_rc pump_open_parts(ds_db *const *dbs, const ds_read *reads, size_t n, size_t chunk_rows, ds_rate *rate,
                      ds_pump **out, ds_error *err)
{
    ds_assert(n > 0 && n <= PUMP_PARTS_MAX);
    ds_pump *pump = calloc(1, sizeof *pump);
    if (!pump)
        BUG("out of memory");
    pump->chunk_rows = chunk_rows ? chunk_rows : PUMP_CHUNK_ROWS;
    pump->rate = rate;
    if (rate)
        pump->chunk_rows = (size_t)rate_chunk_rows(rate, (int64_t)pump->chunk_rows);
    ds_rc rc = open_lanes(pump, dbs, reads, n, err);
    if (rc.code != DS_OK)
        pump_close(pump);
    else
        *out = pump;
    return rc;
}

bool pump_is_small(const ds_pump *pump)
{
    return !pump->more;
}

const ds_rows *pump_peek(const ds_pump *pump)
{
    return pump->first;
}

static void *run(void *argument)
{
    lane *l = argument;
    ds_pump *pump = l->pump;
    bool more = true;
    while (more && l->rc.code == DS_OK && !atomic_load(&pump->stop)) {
        ds_rows *rows = queue_try_pop(pump->empty);
        if (!rows)
            rows = chunk_new();
        rows_clear(rows);
        l->rc = read_chunk(l, rows, &more, &l->err);
        if (l->rc.code != DS_OK || !queue_push(pump->full, rows))
            pump_chunk_free(rows);
    }
    if (l->rc.code != DS_OK) // what the others read is of no use any more
        atomic_store(&pump->stop, true);
    if (atomic_fetch_sub(&pump->running, 1) == 1)
        queue_close(pump->full);
    return NULL;
}

static ds_rc start(ds_pump *pump, ds_error *err)
{
    size_t first = pump->first_ends;
    pump->full = queue_new(PUMP_QUEUE);
    pump->empty = queue_new(PUMP_QUEUE + 2);
    pump->started = true;
    atomic_store(&pump->running, pump->n - first);
    for (size_t i = first; i < pump->n; i++) {
        lane *l = &pump->lanes[i];
        if (pthread_create(&l->thread, NULL, run, l) != 0)
            return ds_fail(err, DS_ENV, "can't start a thread");
        l->started = true;
    }
    return DS_DONE;
}

static void join(ds_pump *pump)
{
    for (size_t i = 0; i < pump->n; i++) {
        if (pump->lanes[i].started)
            pthread_join(pump->lanes[i].thread, NULL);
        pump->lanes[i].started = false;
    }
}

// A failure stays one however often it is asked for: it must never be taken for the end.
static ds_rc take_end(ds_pump *pump, ds_error *err)
{
    join(pump);
    pump->ended = true;
    const lane *failed = NULL; // one that stopped because another failed doesn't say why
    for (size_t i = 0; i < pump->n; i++)
        if (pump->lanes[i].rc.code != DS_OK && (!failed || failed->rc.code == DS_CANCELLED))
            failed = &pump->lanes[i];
    if (!failed)
        return DS_DONE;
    *err = failed->err;
    return failed->rc;
}

// The first chunk goes out by itself; the thread starts with it.
static ds_rc take_first(ds_pump *pump, ds_rows **out, ds_error *err)
{
    if (pump->more)
        TRY(start(pump, err));
    *out = pump->first;
    pump->first = NULL;
    return DS_DONE;
}

ds_rc pump_next(ds_pump *pump, ds_rows **out, ds_error *err)
{
    if (pump->first)
        return take_first(pump, out, err);
    *out = NULL;
    if (pump->ended || !pump->more)
        return take_end(pump, err);
    *out = queue_pop(pump->full);
    return *out ? DS_DONE : take_end(pump, err);
}

ds_rc pump_try(ds_pump *pump, ds_rows **out, bool *ended, ds_error *err)
{
    *ended = false;
    if (pump->first)
        return take_first(pump, out, err);
    *out = NULL;
    *ended = pump->ended || !pump->more;
    if (*ended)
        return take_end(pump, err);
    *out = queue_try_pop(pump->full);
    if (*out || !queue_is_closed(pump->full))
        return DS_DONE;
    *out = queue_try_pop(pump->full); // what came between the two looks
    if (*out)
        return DS_DONE;
    *ended = true;
    return take_end(pump, err);
}

void pump_recycle(ds_pump *pump, ds_rows *chunk)
{
    if (pump->started && queue_try_push(pump->empty, chunk))
        return;
    pump_chunk_free(chunk);
}

static void drain(ds_queue *queue)
{
    for (ds_rows *rows = queue ? queue_try_pop(queue) : NULL; rows; rows = queue_try_pop(queue))
        pump_chunk_free(rows);
    queue_free(queue);
}

static void stop_lanes(ds_pump *pump)
{
    atomic_store(&pump->stop, true);
    for (size_t i = 0; i < pump->n; i++)
        if (pump->lanes[i].started)
            pump->lanes[i].db->driver->cancel(pump->lanes[i].db);
    queue_close(pump->full);
    join(pump);
}

void pump_close(ds_pump *pump)
{
    if (!pump)
        return;
    if (pump->started)
        stop_lanes(pump);
    drain(pump->full);
    drain(pump->empty);
    pump_chunk_free(pump->first);
    for (size_t i = 0; i < pump->n; i++)
        if (pump->lanes[i].reader)
            pump->lanes[i].db->driver->read_close(pump->lanes[i].reader);
    free(pump);
}

void pump_closep(ds_pump **pump)
{
    pump_close(*pump);
    *pump = NULL;
}
