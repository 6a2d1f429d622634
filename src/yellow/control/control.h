// The control tables of a merge database (schema `datasurface`): what they are, and the typed reads and writes that
// the rest of yellow uses. Times are instants in microseconds, stored as timestamptz.
#pragma once
#include "base/map.h"
#include "runtime/record.h"
#include "runtime/runtime.h"
#include "yellow/def/def_cache.h"

typedef struct ds_control_names {
    ds_relation meta, stream, batch, dataset_batch, lease, container, restart, applied, event, view, trigger, follow;
} ds_control_names;

typedef struct ds_control {
    ds_db *db; // the writer connection (or a reader's, see control_open)
    const ds_runtime *runtime;
    ds_arena *arena;
    const ds_container_def *merge;
    ds_control_names names;
} ds_control;

typedef enum ds_control_mode {
    CONTROL_READ,   // status, plan: a read-only connection
    CONTROL_WRITE,  // jobs
    CONTROL_CREATE, // apply: makes database and control tables when missing
} ds_control_mode;

// Fails with DS_FINDING "nothing has been applied to …" (hint: run datasurface apply) when the control tables are
// missing, or when a newer version of datasurface wrote them. merge is borrowed.
ds_rc control_open(const ds_runtime *runtime, const ds_container_def *merge, ds_control_mode mode, ds_control **out,
                   ds_error *err);
// To read, for who goes on without: *out is NULL, and *why says what people are told, where nothing has been applied
// yet, or only apply can use what is there.
ds_rc control_open_applied(const ds_runtime *runtime, const ds_container_def *merge, ds_control **out, ds_error *why,
                           ds_error *err);
void control_close(ds_control *control); // takes NULL
void control_closep(ds_control **control);
// Is there a database with our control tables? For plan, which takes an absent one as empty.
ds_rc control_exists(const ds_runtime *runtime, const ds_container_def *merge, bool *out, ds_error *err);
// Can only apply use it: because it has no control tables yet, or those of an older version?
ds_rc control_wants_apply(const ds_runtime *runtime, const ds_container_def *merge, bool *out, ds_error *err);

typedef struct ds_stream_row {
    const char *name;
    int64_t version; // grows with every applied change of the definition
    const ds_stream_def *def;
    const char *config; // the JSON as stored
    const char *tree_id;
    int64_t fence;
    bool paused, removed, resnapshot;
    bool failed;        // control_fail_between; known to a job's first look only
    int64_t removed_at; // of a removed one: when, or before that
} ds_stream_row;

// All applied streams by name, removed ones last; the arena holds them.
ds_rc control_streams(ds_control *control, ds_arena *arena, ds_stream_row **out, size_t *n, ds_error *err);
// *out is NULL when there is no such stream.
ds_rc control_stream(ds_control *control, const char *name, ds_arena *arena, ds_stream_row **out, ds_error *err);
// Inserts or replaces the definition; raises version. Inside the caller's transaction.
ds_rc control_put_stream(ds_control *control, const ds_stream_def *def, ds_error *err);
ds_rc control_mark_removed(ds_control *control, const char *stream, bool removed, ds_error *err);
ds_rc control_delete_stream(ds_control *control, const char *stream, ds_error *err); // with all its batches
ds_rc control_set_paused(ds_control *control, const char *stream, bool paused, ds_error *err);
ds_rc control_set_resnapshot(ds_control *control, const char *stream, bool wanted, ds_error *err);

// A stream without its definition, which is long: for who lists streams.
typedef struct ds_stream_card {
    const char *name, *service, *platform, *store;
    const char *cron, *priority; // as names
    const char *facts;           // see def_facts; NULL: an older version wrote the row
    const char *failure;         // control_fail_between; NULL: none
    bool paused, removed;
} ds_stream_card;
// All by name, removed ones last; only: NULL, or the one of that name, if it is there.
ds_rc control_cards(ds_control *control, const char *only, ds_arena *arena, ds_stream_card **out, size_t *n,
                    ds_error *err);

// --- control_standing.c: what a scheduler wants to know of every stream, in one question.
typedef struct ds_stream_standing {
    const char *name;
    int64_t version;
    bool paused;
    bool held;            // by a lease that is a row and has not expired, and not by a process known to be dead
    int64_t wanted_at;    // the last `trigger`; 0: never
    int64_t begun_at;     // the newest batch; 0: there is none
    bool open;            // it isn't committed
    int64_t committed_at; // if it is
    int64_t retry_at;     // of an open one: not before
} ds_stream_standing;
// Of all streams that the model has, by name; *now_us is the database's clock at that time.
ds_rc control_standings(ds_control *control, ds_arena *arena, ds_stream_standing **out, size_t *n, int64_t *now_us,
                        ds_error *err);
// The stream is wanted as of now, and what has failed there is tried again at once. Inside a write transaction.
ds_rc control_trigger(ds_control *control, const char *stream, ds_error *err);
// Forgets the failures of an open batch, so that it is tried at once. The same.
ds_rc control_retry_now(ds_control *control, const char *stream, ds_error *err);

// --- control_replicas.c: the databases that get, or got, replicas of a service's streams from this merge database.
ds_rc control_replicas(ds_control *control, const char *service, ds_arena *arena, ds_container_def **out, size_t *n,
                       ds_error *err);
// Inserts or replaces. Inside a write transaction, as the next.
ds_rc control_put_replica(ds_control *control, const char *service, const ds_container_def *container, ds_error *err);
ds_rc control_forget_replica(ds_control *control, const char *service, const char *container, ds_error *err);

ds_rc control_containers(ds_control *control, ds_arena *arena, ds_container_caps **out, size_t *n, ds_error *err);
// Inserts or replaces. Inside a write transaction.
ds_rc control_put_container(ds_control *control, const ds_container_caps *caps, ds_error *err);

// Newest first, at most limit.
ds_rc control_batches(ds_control *control, const char *stream, int64_t limit, ds_arena *arena, ds_batch_row **out,
                      size_t *n, ds_error *err);
// The newest batch, and the newest committed one; *out is NULL when there is none.
ds_rc control_last_batch(ds_control *control, const char *stream, bool committed, ds_arena *arena, ds_batch_row **out,
                         ds_error *err);

// The same of all streams: *out is name -> ds_batch_row.
ds_rc control_newest_batches(ds_control *control, bool committed, ds_arena *arena, ds_map **out, ds_error *err);

// What is known of a dataset after the last committed batch that changed it.
typedef struct ds_dataset_state {
    int64_t batch; // 0: never committed, still to be loaded first
    ds_fingerprint fingerprint;
    const char *key;      // the key columns of the index in force, "id,line"; "" for a multiset
    const char *checks;   // def_checks_id of the checks that its live rows have passed; "" for none
    const char *position; // watermark.h; "" for none
} ds_dataset_state;
ds_rc control_dataset_state(ds_control *control, const char *stream, const char *dataset, ds_arena *arena,
                            ds_dataset_state *out, ds_error *err);
// The same after the last committed batch up to that one.
ds_rc control_dataset_state_at(ds_control *control, const char *stream, const char *dataset, int64_t batch,
                               ds_arena *arena, ds_dataset_state *out, ds_error *err);

// Of all datasets of a stream, in its order.
ds_rc control_dataset_states(ds_control *control, const ds_stream_def *def, ds_arena *arena, ds_dataset_state **out,
                             ds_error *err);

// The same after the last committed batch up to that one.
ds_rc control_dataset_states_at(ds_control *control, const ds_stream_def *def, int64_t batch, ds_arena *arena,
                                ds_dataset_state **out, ds_error *err);

// " AND …": of dataset_batch AS d only batches in which rows of the dataset have changed. A batch may record one of
// which none has: that it was read whole, has passed other checks, or has come from another stream.
void control_sql_changed(ds_sql *sql);

// --- control_restart.c: first loads that are made in key ranges, outside any batch. A row says how far one is; while
// it is there, the merge table holds the rows up to its point and no others.
typedef enum ds_restart_phase {
    RESTART_RANGES,  // ranges are being loaded
    RESTART_INDEXES, // all are in
    RESTART_JOIN,    // the next batch compares the dataset with its source, as if it had been committed
} ds_restart_phase;
typedef struct ds_restart {
    const char *dataset;
    ds_restart_phase phase;
    int64_t batch_in;      // ds_batch_in of its rows: the batch that was open when the load began
    int64_t rows_estimate; // of the source when the load began
    int64_t rows_loaded;
    const char *const *last; // the key values of the last row, as sql_point_value takes them; NULL: none is loaded yet
    size_t last_count;
} ds_restart;
// All of a stream by dataset. DS_FINDING when somebody damaged one.
ds_rc control_restarts(ds_control *control, const char *stream, ds_arena *arena, ds_restart **out, size_t *n,
                       ds_error *err);
// The names of the streams that have some.
ds_rc control_restarting(ds_control *control, ds_arena *arena, ds_map **out, ds_error *err);
// Inserts or replaces the row of the definition's dataset.
ds_rc control_put_restart(ds_control *control, const ds_stream_def *def, const ds_restart *restart, ds_error *err);
// "people: 3000000 of about 50000000 rows are loaded"
void control_restart_text(const ds_restart *restart, ds_buf *out);
ds_rc control_delete_restart(ds_control *control, const char *stream, const char *dataset, ds_error *err);
// What a table made for the definition looks like, as a hash in arena: loaded rows fit no other one.
const char *control_table_id(ds_arena *arena, const ds_stream_def *def, const ds_dataset_def *dataset);
// Forgets loads of datasets that def lacks, or that are another table now: their columns, key or milestoning changed.
ds_rc control_prune_restarts(ds_control *control, const ds_stream_def *def, ds_error *err);

// A cycle of the stream has failed that has no batch to say so: it is an event, and stays known until text is NULL.
// Inside a write transaction.
ds_rc control_fail_between(ds_control *control, const char *stream, const char *text, ds_error *err);

ds_rc control_event(ds_control *control, const char *stream, const char *kind, const char *detail, ds_error *err);

// Consumer views as applied, for `views` and `history`.
typedef struct ds_view_row {
    const char *workspace, *group, *store, *dataset, *stream;
    bool history;
    ds_relation relation;
} ds_view_row;
ds_rc control_views(ds_control *control, ds_arena *arena, ds_view_row **out, size_t *n, ds_error *err);
ds_rc control_put_view(ds_control *control, const ds_view_row *view, ds_error *err);
ds_rc control_delete_view(ds_control *control, ds_relation relation, ds_error *err);

// One row in `applied`.
ds_rc control_applied(ds_control *control, const char *plan_id, const char *changes_json, ds_error *err);
ds_rc control_applied_last(ds_control *control, ds_arena *arena, ds_applied_model *out, ds_error *err);

// --- control_follow.c: which branches `run --follow` keeps the merge database true to, and how that goes.
ds_rc control_follows(ds_control *control, ds_arena *arena, ds_follow_row **out, size_t *n, ds_error *err);
// In a transaction of its own. *news: that is not what stood there; then an event says so, too.
ds_rc control_put_follow(ds_control *control, const ds_follow_row *row, bool *news, ds_error *err);
// What was not applied.
ds_rc control_forget_follows(ds_control *control, ds_error *err);
