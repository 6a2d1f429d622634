// One case on one strategy: a world, and the actions that a step may name. A failure ends the process.
#pragma once
#include "conformance/engine/node.h"
#include "support/world.h"

typedef struct play {
    world w;
    node step; // what is under way, for messages
} play;

// Runs the whole case; returns when all of it holds.
void play_case(node root, const test_pair *pair, ds_milestoning milestoning);

// The rows of a dataset's tables as text, compared with a list of the case in any order.
typedef enum rows_kind {
    ROWS_LIVE,     // id(cols)@in
    ROWS_VERSIONS, // id(cols)[in,out]
    ROWS_VIEW,     // id(cols): what a consumer's live view shows
} rows_kind;
void rows_check(play *p, const ds_dataset_def *dataset, rows_kind kind, node expected);
void rows_check_as_of(play *p, const ds_dataset_def *dataset, int64_t batch, node expected);
int64_t rows_count(play *p, const ds_dataset_def *dataset);
