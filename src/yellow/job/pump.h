// Reads typed rows on a thread of its own, chunk by chunk, while its owner works on those before: a bounded queue
// between the two. Small reads never start a thread.
//
// A read may come in several parts, each on a connection and a thread of its own: their chunks arrive in any order.
//
// The connections belong to the pump from pump_open to pump_close. Thread rule: one owner.
#pragma once
#include "yellow/control/rate.h"
#include "runtime/runtime.h"

typedef struct ds_pump ds_pump;

// Begins the read and fetches the first chunk on the caller's thread.
ds_rc pump_open(ds_db *db, const ds_read *read, size_t chunk_rows, ds_pump **out, ds_error *err);
// The same at the pace of rate, which is borrowed and may be NULL (no chunk has more rows than a second may bring), and
// in parts: select i of n on connection i. What differs between the parts' reads is their select alone.
ds_rc pump_open_parts(ds_db *const *dbs, const ds_read *reads, size_t n, size_t chunk_rows, ds_rate *rate,
                      ds_pump **out, ds_error *err);
enum { PUMP_PARTS_MAX = 16 };
void pump_close(ds_pump *pump); // cancels and waits; takes NULL
void pump_closep(ds_pump **pump);

// The next chunk, or NULL at the end. The caller gives it back with pump_recycle or frees it (pump_chunk_free).
ds_rc pump_next(ds_pump *pump, ds_rows **out, ds_error *err);
// The same without waiting: *out is NULL when nothing is ready now; *ended tells the end.
ds_rc pump_try(ds_pump *pump, ds_rows **out, bool *ended, ds_error *err);
void pump_recycle(ds_pump *pump, ds_rows *chunk);
void pump_chunk_free(ds_rows *chunk);

// The whole result is in the first chunk, which pump_next will give.
bool pump_is_small(const ds_pump *pump);
// That chunk, before pump_next gives it; it stays the pump's.
const ds_rows *pump_peek(const ds_pump *pump);

enum { PUMP_CHUNK_ROWS = 2048, PUMP_CHUNK_BYTES = 512 * 1024, PUMP_QUEUE = 8 };
