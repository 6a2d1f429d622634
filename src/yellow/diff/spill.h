// Rows put aside on disk: those that a diff's table has no room for. They are written once, one block after another,
// into one temporary file: by the side that they came from and a range of their key's hash. Later each of these runs is
// read back by itself.
//
//     spill_open(...)  spill_add(...) ...  spill_end(...)  spill_read(...) until it gives no row  spill_close(...)
//
// The file loses its name as soon as it is made, so that nothing of it outlives the process. Each block carries a
// checksum of its bytes and its place: a disk that gives back something else is a failure, never a wrong row.
// Every failure is DS_ENV: the disk is full, may not be written, or is damaged. Thread rule: one thread.
#pragma once
#include "schema/fingerprint.h"

typedef struct ds_spill ds_spill;

typedef enum ds_spill_side { SPILL_LIVE, SPILL_SOURCE, SPILL_SIDES } ds_spill_side;
enum { SPILL_RANGES = 32 };

// directory: NULL stands for $TMPDIR, or /tmp. buffer_bytes: of memory for what is not written yet.
ds_rc spill_open(const char *directory, size_t buffer_bytes, ds_spill **out, ds_error *err);
void spill_close(ds_spill *spill); // takes NULL

// Adds a row as it is: bytes, hashes, locator.
ds_rc spill_add(ds_spill *spill, ds_spill_side side, uint32_t range, const ds_rows *chunk, size_t i, ds_error *err);
// No more rows: writes what is left and gives the buffers back.
ds_rc spill_end(ds_spill *spill, ds_error *err);

// What the run holds.
ds_fingerprint spill_rows(const ds_spill *spill, ds_spill_side side, uint32_t range);
// Its next rows, in place of what is in out; none at its end. The order is not that of writing.
ds_rc spill_read(ds_spill *spill, ds_spill_side side, uint32_t range, ds_rows *out, ds_error *err);
