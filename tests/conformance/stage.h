// What a case plays on: an estate whose model is made of the case's few words, the rows of its source, and what is seen
// of its merge database, in one notation for every engine:
//   id(a,b)@3      a live row with key id that came in batch 3; ~ is null; without a key (a,b)@3
//   id(a,b)[2,5]   a version that was valid in the batches 2 to 5; MAX: it is live
//   id(a,b)        a row of a view, or as of a batch
#pragma once
#include "conformance/node.h"
#include "support/estate.h"

typedef struct stage {
    estate e;
    const test_pair *far;     // see far.h
    const char *place;        // what the estate is turned to; NULL: the first service
    const char *strategy;     // scd1 scd2 scd4
    bool guard;               // max_delete_ratio is the default instead of 1
    const node *root, *model; // the case, and the step that changed its model last
    ds_job_result result;     // of the last run
} stage;

// Empties the pair and the far database.
void stage_open(stage *s, const test_pair *pair, const test_pair *far, const char *strategy, bool guard);
void stage_close(stage *s);
// Compiles the model; DS_FINDING when it can't be.
ds_rc stage_compile(stage *s, const node *model, ds_error *err);
// Streams, datasets and the merge database are from here on those of another service, or a container with replicas.
void stage_turn(stage *s, const char *place);
const ds_stream_def *stage_stream(const stage *s, const char *name); // NULL: the first; aborts when unknown
// The dataset of that name, STORE/NAME or STREAM/NAME, in the first stream that has it; aborts when unknown.
const ds_dataset_def *stage_dataset(const stage *s, const char *name, const ds_stream_def **stream);

// Tables at the source, with exactly these rows (lists of texts, in the model's order of columns).
void stage_make_table(stage *s, const char *dataset, const node *rows);
void stage_source(stage *s, const char *statements);
// {people}, {people:staging}, {people:history} and {control:batch} stand for physical names.
void stage_merge(stage *s, const char *statements);

// Sorted lines, in the estate's arena.
const char *stage_live(stage *s, const char *dataset);
const char *stage_versions(stage *s, const char *dataset);
const char *stage_view(stage *s, const char *dataset);
const char *stage_history_view(stage *s, const char *dataset);
const char *stage_as_of(stage *s, const char *dataset, int64_t batch);
const char *stage_staged_batches(stage *s, const char *dataset); // "3 4 5"
const char *stage_lines(stage *s, const node *list);
