#include "yellow/pump.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/queue.h"

struct ds_pump {
    ds_db *db;
    ds_reader *reader;
    size_t chunk_rows;
    ds_rate *rate;  // may be NULL
    ds_rows *first; // read by pump_open, until it is handed out
    bool more;      // after the first chunk: there is a thread, or there will be
    bool started;
    bool ended; // the owner has seen the end
    pthread_t thread;
    ds_queue *full, *empty;
    atomic_bool stop;
    // Written by the thread before it closes the queue, read by the owner after it has seen the end.
    ds_rc rc;
    ds_error err;
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
static ds_rc read_chunk(ds_pump *pump, ds_rows *rows, bool *more, ds_error *err)
{
    const ds_driver *driver = pump->db->driver;
    if (!pump->rate)
        return driver->read_next(pump->reader, rows, pump->chunk_rows, PUMP_CHUNK_BYTES, more, err);
    int64_t taken = (int64_t)pump->chunk_rows;
    if (!rate_wait(pump->rate, rate_take(pump->rate, taken), &pump->stop))
        return ds_fail(err, DS_CANCELLED, "interrupted");
    ds_rc rc = driver->read_next(pump->reader, rows, pump->chunk_rows, PUMP_CHUNK_BYTES, more, err);
    rate_give_back(pump->rate, taken - (int64_t)rows->n);
    return rc;
}

ds_rc pump_open(ds_db *db, const ds_read *read, size_t chunk_rows, ds_pump **out, ds_error *err)
{
    return pump_open_paced(db, read, chunk_rows, NULL, out, err);
}

ds_rc pump_open_paced(ds_db *db, const ds_read *read, size_t chunk_rows, ds_rate *rate, ds_pump **out, ds_error *err)
{
    ds_pump *pump = calloc(1, sizeof *pump);
    if (!pump)
        BUG("out of memory");
    pump->db = db;
    pump->chunk_rows = chunk_rows ? chunk_rows : PUMP_CHUNK_ROWS;
    pump->rate = rate;
    if (rate)
        pump->chunk_rows = (size_t)rate_chunk_rows(rate, (int64_t)pump->chunk_rows);
    ds_rc rc = db->driver->read_open(db, read, &pump->reader, err);
    if (rc.code == DS_OK) {
        pump->first = chunk_new();
        rc = read_chunk(pump, pump->first, &pump->more, err);
    }
    if (rc.code != DS_OK) {
        pump_close(pump);
        return rc;
    }
    *out = pump;
    return DS_DONE;
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
    ds_pump *pump = argument;
    bool more = true;
    while (more && pump->rc.code == DS_OK && !atomic_load(&pump->stop)) {
        ds_rows *rows = queue_try_pop(pump->empty);
        if (!rows)
            rows = chunk_new();
        rows_clear(rows);
        pump->rc = read_chunk(pump, rows, &more, &pump->err);
        if (pump->rc.code != DS_OK || !queue_push(pump->full, rows))
            pump_chunk_free(rows);
    }
    queue_close(pump->full);
    return NULL;
}

static ds_rc start(ds_pump *pump, ds_error *err)
{
    pump->full = queue_new(PUMP_QUEUE);
    pump->empty = queue_new(PUMP_QUEUE + 2);
    if (pthread_create(&pump->thread, NULL, run, pump) != 0)
        return ds_fail(err, DS_ENV, "can't start a thread");
    pump->started = true;
    return DS_DONE;
}

// A failure stays one however often it is asked for: it must never be taken for the end.
static ds_rc take_end(ds_pump *pump, ds_error *err)
{
    if (pump->started) {
        pthread_join(pump->thread, NULL);
        pump->started = false;
    }
    pump->ended = true;
    if (pump->rc.code != DS_OK)
        *err = pump->err;
    return pump->rc;
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

void pump_close(ds_pump *pump)
{
    if (!pump)
        return;
    if (pump->started) {
        atomic_store(&pump->stop, true);
        pump->db->driver->cancel(pump->db);
        queue_close(pump->full);
        pthread_join(pump->thread, NULL);
    }
    drain(pump->full);
    drain(pump->empty);
    pump_chunk_free(pump->first);
    if (pump->reader)
        pump->db->driver->read_close(pump->reader);
    free(pump);
}

void pump_closep(ds_pump **pump)
{
    pump_close(*pump);
    *pump = NULL;
}
