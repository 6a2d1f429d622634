// What a transformer's program is given, and what its batch takes from it: the exchange.
//
// On a server it is a schema that lives as long as the program runs: views of the inputs, empty tables for the outputs,
// and a role that may read the ones and fill the others, and nothing else. Elsewhere, where a database has no roles, it
// is a file of its own with copies of the inputs. So in both cases a program sees its inputs and nothing else.
//
// One thread. Its memory is the job's arena; resources go with command_release.
#pragma once
#include "base/private_dir.h"
#include "yellow/job/job_int.h"

typedef struct ds_exchange_input {
    const ds_command_input *def;
    ds_relation rows;    // its live rows
    ds_relation changes; // keys that came, changed or went since; name NULL without a key
    int64_t batch;       // in which it changed last; 0: never committed (only its own output)
    int64_t since;       // the same when this transformer read it last; 0: changes has all keys
} ds_exchange_input;

typedef struct ds_exchange {
    ds_private_dir dir;         // of this run
    ds_container_def container; // where the outputs are read
    const char *schema;
    const char *database, *role, *password; // of a server; else NULL
    bool made;                              // there is something on the server that has to go
    ds_exchange_input *inputs;
    size_t n;
} ds_exchange;

// --- exchange.c
// The state of each input as db sees it, and job->inputs, the position.
ds_rc exchange_look(ds_job *job, ds_db *db, ds_error *err);
// SELECT of an input's live rows; of the keys that changed. db: whose catalogue is asked.
void exchange_rows_sql(const ds_job *job, const ds_exchange_input *input, ds_sql *out);
ds_rc exchange_changes_sql(ds_job *job, ds_db *db, const ds_exchange_input *input, ds_sql *out, ds_error *err);
// The columns of a key as a shape of its own.
ds_rc exchange_key_shape(ds_job *job, const ds_shape *shape, const ds_shape **out, ds_error *err);
// CREATE TABLE of an output; of a copy.
void exchange_table_sql(ds_relation table, const ds_shape *shape, bool source_names, ds_sql *out);
ds_relation exchange_output(const ds_dataset_def *dataset);

// --- exchange_file.c, exchange_role.c: ready for the program; afterwards nobody but us writes there; all gone
ds_rc exchange_file_make(ds_job *job, ds_error *err);
ds_rc exchange_role_make(ds_job *job, ds_error *err);
ds_rc exchange_role_close(ds_job *job, ds_error *err);
ds_rc exchange_role_drop(ds_job *job, ds_error *err);
// What a run that was killed left, for apply: nobody runs the stream. Inside the caller's transaction.
ds_rc exchange_role_drop_left(ds_control *control, const ds_stream_def *def, ds_arena *arena, ds_error *err);

// --- command_context.c
// The context file and its environment, in the exchange's directory. The environment lives in the job's arena.
ds_rc command_context(ds_job *job, const char *const **environment, ds_error *err);
