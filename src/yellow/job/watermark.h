// How far a dataset that is read by watermark has been read. It is kept with the dataset's batches, so that it moves in
// the transaction that commits the rows. watermark.c says which rows a batch reads. Plain data, any thread.
#pragma once
#include "schema/fingerprint.h"
#include "yellow/def/def.h"

typedef struct ds_position {
    const char *definition; // what was read, as a hash; "": nothing is known, all else is zero
    bool known;             // of the watermark; false: no row had one
    int64_t watermark;      // the greatest of all rows that were merged, as the number that its cell is (schema/rows.h)
    ds_fingerprint again;   // of the rows that the next batch reads again, when nothing happens to the source
    int64_t swept_at;       // when the last batch began that read the whole table
} ds_position;

// As JSON in arena. column is the watermark's, for a text that people can read.
const char *position_encode(ds_arena *arena, const ds_position *position, const ds_shape_column *column);
// What can't be read is as if nothing were known: then the whole table is read again.
ds_position position_decode(ds_arena *arena, const char *text);
// The watermark as a value's text, NULL when there is none.
const char *position_watermark(ds_arena *arena, const ds_position *position, const ds_shape_column *column);
// The dataset's watermark column; NULL when its stream has none.
const ds_shape_column *watermark_column(const ds_stream_def *def, const ds_dataset_def *dataset);
