// How far a stream's reading is, as lines for a terminal: one for the stream, one for each dataset that is being read.
// A pure state: events and the time go in, text comes out; progress_terminal.h draws it. Thread rule: one at a time.
#pragma once
#include "base/buf.h"
#include "base/vec.h"
#include "runtime/runtime.h"

typedef struct progress_dataset {
    const char *name;
    int64_t rows, bytes, total;
    double since_s;
} progress_dataset;

typedef struct progress_board {
    ds_arena *arena;
    const char *stream; // NULL: nothing has begun
    size_t datasets, done;
    int64_t rows, bytes; // of the datasets that are done
    int64_t total;
    double since_s;
    VEC(progress_dataset) reading;
    double draw_at_s; // not before
    bool drawn;
} progress_board;

void progress_init(progress_board *board, double now_s);
void progress_release(progress_board *board);
void progress_event(progress_board *board, const ds_progress_event *event, double now_s);
// Is it time to draw? Not for what is done in a moment, then some ten times a second, and once when all has been read.
bool progress_is_due(progress_board *board, double now_s);
// At most so many lines of fewer than so many columns, each with its line end; no escape sequences.
void progress_render(const progress_board *board, double now_s, size_t columns, size_t lines, ds_buf *out);
