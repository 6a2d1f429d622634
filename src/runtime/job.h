// One cycle of a stream: what it is asked, and what it did.
#pragma once
#include "runtime/record.h"

// Datasets whose source is very large are loaded outside any batch, in ranges of their key with a restart point after
// each. 0: the usual value.
typedef struct ds_long_load_options {
    int64_t restart_rows; // of a source that is estimated to have more; 20 million
    int64_t range_rows;   // between two restart points, at most; 1 million
    int cycle_ms;         // for ranges in one cycle, after its batch; one minute
    int cycle_units;      // for tests: ranges and index builds in one cycle; 0: as many as its time allows
} ds_long_load_options;

typedef struct ds_job_options {
    int lease_wait_ms;   // how long to wait for another holder
    bool accept_deletes; // lets one guarded batch pass
    int64_t due_us;      // a batch that began since then, by the merge database's clock, has done it; 0: run anyway
    bool verify;         // afterwards compare source and merge within the batch's snapshot
    ds_long_load_options long_loads;
} ds_job_options;

typedef struct ds_key_difference {
    const char *key;  // "id='5'"
    const char *what; // "differs" "missing in merge" "not in source"
} ds_key_difference;
enum { VERIFY_KEYS_MAX = 10 };

typedef struct ds_dataset_result {
    const char *dataset;
    ds_counts counts;
    ds_fingerprint fingerprint; // recorded after the batch
    bool first_load;
    double seconds; // reading, comparing or loading
    // with options.verify
    ds_fingerprint source, merge; // as read; merge recomputed from stored values
    ds_key_difference keys[VERIFY_KEYS_MAX];
    size_t key_count;
} ds_dataset_result;

typedef struct ds_job_result {
    const char *stream;
    int64_t batch;    // 0: no batch was due (a transformer whose inputs did not change; all datasets are being loaded)
    const char *note; // why none, or how far loads outside the batch are; or ""
    const char *tree_id; // of the model applied last, "" when none; NULL: the job did not come so far
    bool made_since;     // another one has made the batch since options.due_us
    bool keep_working;   // a cycle's budget was used up: the stream should be called again at once
    bool equal;          // with options.verify: every dataset is
    ds_counts counts;
    double seconds;
    ds_dataset_result *datasets;
    size_t n;
} ds_job_result;
