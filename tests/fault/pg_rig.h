// What pg_kill.c breaks and checks: a PostgreSQL server of its own with a source and a merge database, a model of three
// platforms (scd1, scd2, scd4) over one store, and a ledger of what the source held after each of its changes.
//
// The store: people (keyed), words (without a key, so only scd1 has them), and version, whose one row counts the
// source's changes. All are read in one snapshot, so every committed batch says which state of the ledger it must show.
//
// Schemas change, too: people.note comes and goes, types get wider. The ledger keeps people with and without note, and
// which version of a stream's definition has the column.
//
// Helpers abort the test when something fails that is not the server being gone. Thread rule: the main thread; a forked
// child may run jobs and applies, and crash the server, nothing else.
#pragma once
#include <libpq-fe.h>

#include "sim/rng.h"
#include "support/check.h"
#include "support/estate.h"

enum { RIG_STREAMS = 3, RIG_STATES_MAX = 100000, RIG_VERSIONS_MAX = 4000 };

typedef struct rig_state { // rows as lines: columns by '|', null as "~"
    const char *people[2]; // without and with note
    const char *words, *bulk;
} rig_state;

typedef struct rig_counts {
    int64_t read, inserted, updated, deleted, unchanged;
} rig_counts;

typedef struct rig_stream {
    const ds_stream_def *def; // of the model compiled last
    int64_t version;          // of the definition applied last
    bool *has_note;           // by version
    int64_t checked, shown;   // the last batch that was checked, and the state that it shows
    bool note_shown;
} rig_stream;

// What the model says, and the source knows.
typedef struct rig_shape {
    bool note;
    int name_length, digits, level; // varchar(n), decimal(n, 2), smallint integer bigint
} rig_shape;

typedef struct rig {
    pgserver *server;
    pg_database source, merge;
    estate e;
    ds_arena *kept, *scratch; // the ledger; what a check needs
    PGconn *writer;           // NULL: not connected
    ds_rng chance;
    rig_shape model, there;
    rig_state *states;
    int64_t count; // changes that were remembered
    bool unsure;   // one more may have been committed
    rig_stream streams[RIG_STREAMS];
} rig;

void rig_open(rig *r, ds_rng chance);
void rig_close(rig *r);
int rig_below(rig *r, int n); // from 0, by chance

// --- pg_rig.c: the source
// One transaction of the source; false when the server is gone, and perhaps has it nevertheless.
bool rig_change(rig *r);
void rig_change_for(rig *r, int changes, int pause_us);
// Once the server is gone: starts it, and finds out what the source holds.
void rig_recover(rig *r);
// Adds or drops people.note at the source, widens its types, until it is what the model says.
void rig_alter_source(rig *r);

// --- pg_rig.c: the platform
void rig_compile(rig *r); // r->model
ds_rc rig_apply(rig *r, ds_error *err);
ds_rc rig_job(rig *r, int stream, const ds_job_options *options, ds_job_result *out, ds_error *err);
// After every apply, a killed one, too: which streams have got the model's definition.
void rig_note_versions(rig *r);

// --- pg_proof.c
// What must be true while nothing runs, whatever was killed.
void rig_check_truth(rig *r, const char *when);
// All batches since the last look: what they show, and their counts. all: once more from the first.
void rig_check_batches(rig *r, bool all);
// What consumers see is what the source holds now: after jobs of all streams.
void rig_check_views(rig *r);
int64_t rig_committed(rig *r, int stream);
