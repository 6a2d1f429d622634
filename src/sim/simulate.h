// Changes a source the way a business does: new customers with their addresses, corrections, deletions; weighted, in
// transactions, with nulls, unicode and boundary values now and then. Works for any modelled store; columns are filled
// by what their names say. The same seed on the same data makes the same changes and, unless it runs in real time
// (seconds, rate), the same ledger.
#pragma once
#include "model/model.h"
#include "runtime/runtime.h"

enum { SIMULATE_NO_LIMIT = -1 };
typedef struct ds_simulate_options {
    int64_t changes; // stop after that many; or SIMULATE_NO_LIMIT
    double seconds;  // stop after that time; 0: no limit
    double rate;     // changes a second; 0: as fast as it goes
    uint64_t seed;
    int64_t seed_rows;  // rows that an empty table gets first
    bool create;        // database and tables that are missing
    const char *ledger; // file to append to; NULL: none (see ledger.h)
} ds_simulate_options;

typedef struct ds_simulate_result {
    int64_t tables_created, seeded;
    int64_t transactions, inserted, updated, deleted; // besides seeding
    bool made_wal;    // the source had a rollback journal; as every writer's it is now in WAL mode
    bool interrupted; // somebody set runtime->cancelled
} ds_simulate_result;

// DS_USAGE for a store that no source feeds; DS_ENV when the source can't be reached; DS_FINDING when its tables don't
// fit the model.
ds_rc simulate_run(const ds_runtime *runtime, const ds_model *model, const ds_datastore *store,
                   const ds_simulate_options *options, ds_simulate_result *out, ds_error *err);
