// A stream's whole compiled configuration: what apply writes into the control table `stream` (as JSON) and all that a
// job reads. Lives in an arena, immutable.
#pragma once
#include <jansson.h>

#include "model/model.h"
#include "naming/naming.h"
#include "schema/shape.h"
#include "store/driver.h"

// How many live rows a batch may delete: see max_delete_ratio. 1 switches the guard off.
typedef struct ds_view_def {
    const char *workspace, *group;
    bool history;         // the …__history view
    ds_relation relation; // its physical name
} ds_view_def;

// What must hold of every live row. Null breaks no range, and makes no two rows equal.
typedef enum ds_check_kind { CHECK_NOT_NULL, CHECK_UNIQUE, CHECK_RANGE, CHECK_SQL } ds_check_kind;
typedef struct ds_check_def {
    ds_check_kind kind;
    const char *const *columns; // of the shape, spelled as there; range has one, sql none
    size_t column_count;
    const char *min, *max; // canonical texts (value_bound); NULL: that end is open
    const char *sql;       // a condition on one row in the merge database's SQL, as the user wrote it
} ds_check_def;

typedef struct ds_dataset_def {
    const char *name;
    const ds_shape *shape;
    const char *source_schema; // "" when none
    const char *source_table;
    ds_relation merge, staging, history, rejects;
    const ds_view_def *views;
    size_t view_count;
    const char *sql; // a transformer's SELECT with its placeholders resolved; NULL for a table
    // Columns that it gave up; its tables keep what they held. Only applied definitions have them, compiled ones none.
    const ds_shape_column *retired;
    size_t retired_count;
    const ds_check_def *checks;
    size_t check_count;
    ds_relation source_history; // of a primary that keeps closed versions apart; its name is NULL elsewhere
    int64_t retention_days;     // the longest that a group requires; 0: none
    int64_t kept_until;         // of one that its stream gave up: an instant before which it isn't dropped; 0: any time
    // The stream that it has been in, too, since the store's consistency changed: both have batches of it, and their
    // numbers go on from one to the other. NULL: none. Only applied definitions have it.
    const char *former;
} ds_dataset_def;

typedef struct ds_container_def {
    const char *name, *type, *path, *host, *database, *schema, *credential;
    int port;
    const char *tls_mode, *tls_ca, *tls_cert, *tls_key; // NULL: not given; files
    const ds_secret *login;                             // instead of a credential's; NULL: none. Never stored
} ds_container_def;

// Caps of a container: how much of it the jobs of all processes may use together. 0: no limit.
typedef struct ds_container_caps {
    const char *name;
    int64_t connections, writers, rows_per_second;
} ds_container_caps;

// An input of a transformer: a relation it may read, and the stream whose commits make it due.
typedef struct ds_input_def {
    const char *stream, *dataset;
    ds_relation relation;
} ds_input_def;

// A program that makes a transformer's outputs. What it is given of its inputs: their live rows.
typedef struct ds_command_input {
    const char *group, *store, *stream;
    const ds_dataset_def *dataset; // its columns and tables
} ds_command_input;
typedef struct ds_command_def {
    const char *const *argv; // NULL at the end
    size_t argc;
    int64_t timeout_s;
    const ds_command_input *inputs;
    size_t input_count;
} ds_command_def;

typedef struct ds_stream_def {
    const char *name; // PLATFORM/STORE[/DATASET]
    const char *service, *platform, *store;
    const char *dataset;   // NULL for multi_dataset
    const char *workspace; // of the transformer; NULL for an ingestion
    const char *primary;   // the stream that it mirrors, whose merge tables are its source; NULL: it reads the store's
    bool primary_versions; // the primary keeps closed versions
    ds_milestoning milestoning;
    ds_priority priority;
    const char *cron, *timezone; // "" when external or after inputs
    bool external;
    double max_delete_ratio;
    int64_t staging_batches; // STAGING_BATCHES_ALL
    bool staging_full;
    int64_t chunk_rows;             // 0: our own choice
    int64_t memory_bytes;           // of the diff; 0: our own choice
    int64_t workers;                // readers of the source at a time; 0: one
    int64_t source_rows_per_second; // at most; 0: no limit
    const char *watermark;          // the column by which rows are read (watermark.h); NULL: whole tables are
    int64_t overlap;                // how far back each batch reads again, in the watermark's units (us for times)
    const char *newest;             // "wait": rows of the newest watermark are left for later; NULL: they are not
    int64_t sql_timeout_ms;         // of each of a transformer's SELECTs, from its beginning to its last row; 0: none
    int64_t sweep_us;               // whole tables are read at least so often; 0: only when something asks for it
    ds_container_def source;        // type "" for a transformer: it reads the merge database
    const ds_dataset_def *datasets;
    size_t dataset_count;
    const ds_input_def *inputs;
    size_t input_count;
    const ds_command_def *command; // NULL: no program makes the outputs
} ds_stream_def;

// JSON and back; equal definitions give equal bytes. def_decode's result lives in arena; a definition of a newer
// version is DS_FINDING.
json_t *def_encode(const ds_stream_def *def);
ds_rc def_decode(ds_arena *arena, const json_t *json, const ds_stream_def **out, ds_error *err);

// With texts of its own in arena, except for the login.
ds_container_def def_container_dup(ds_arena *arena, const ds_container_def *container);

// The dataset's stream when the store's consistency is the other one: P/STORE/DATASET of P/STORE, and the other way
// round; of a replica with its @CONTAINER.
const char *def_other_stream(ds_arena *arena, const char *stream, const char *dataset);

// What tells one set of checks from another, in arena; "" for none.
const char *def_checks_id(ds_arena *arena, const ds_dataset_def *dataset);
// "range(age 0..150)"; what is long is cut, so that it has room in CHECK_TEXT_MAX bytes.
enum { CHECK_TEXT_MAX = 400 };
void check_print(const ds_check_def *check, ds_buf *out);

// Why a job can read a dataset's live rows: the WHERE that picks them, "" for scd1 and scd4.
static inline bool def_has_out(const ds_stream_def *def)
{
    return def->milestoning == MILESTONING_SCD2;
}
static inline bool def_keeps_versions(const ds_stream_def *def)
{
    return def->milestoning != MILESTONING_SCD1;
}
enum { DEF_VERSION = 1, DEFAULT_STAGING_BATCHES = 50 };
#define BATCH_LIVE INT64_C(9223372036854775807) // ds_batch_out of a live version
