// The interface of a data platform type. `type: yellow` in the model names one. Registered in program/main.c as a const
// list. A service may have platforms of several types: each type looks after its own.
#pragma once
#include "graph/graph.h"
#include "platform/artifact.h"
#include "platform/plan.h"
#include "platform/schedule.h"

// Rules that platform types report under; their rows are in the gate's table.
#define PLATFORM_RULE_MERGE "P001"     // the merge database's type can't be used
#define PLATFORM_RULE_TEXT_FORM "P002" // a type without a native form is kept as text
#define PLATFORM_RULE_CANT_RUN "P003"  // a capture or command that can't be run yet
#define PLATFORM_RULE_IGNORED "P004"   // a field that has no effect yet
#define PLATFORM_RULE_NAMES "P005"     // two physical names are equal
#define PLATFORM_RULE_DIALECT "P006"   // a transformer has no SQL for this merge database
#define PLATFORM_RULE_NEEDS_KEY "P007" // a dataset without a key where history is kept
#define PLATFORM_RULE_COLUMN "P008"    // a column of a name that the merge database has taken
#define PLATFORM_RULE_TYPE "P009"      // a platform of a type that the program lacks
#define PLATFORM_RULE_REPLICA "P010"   // workspaces that disagree about a database that they share
#define PLATFORM_RULE_LENGTH "P011"    // a column's name that is too long for the merge database

// What plan is asked about.
typedef struct ds_plan_request {
    const ds_runtime *runtime;
    const ds_model *model;
    const ds_graph *graph; // of the whole model
    const ds_platform_service *service;
    bool prune; // what the model no longer mentions is dropped instead of kept
} ds_plan_request;

typedef struct ds_platform_type {
    const char *name; // as in `type: yellow`
    // Can this platform serve what the group requires? why (may be NULL) gets the reason when not.
    bool (*serves)(const ds_platform *platform, const ds_requires *requires_, ds_buf *why);
    // Findings about one stream (types against the merge container, capture kinds, names after shortening ...).
    void (*check_stream)(const ds_model *model, const ds_node *ingest, ds_diags *diags);
    // Findings about the service as a whole: its merge database, and names across its streams.
    void (*check_service)(const ds_model *model, const ds_graph *graph, const ds_platform_service *service,
                          ds_diags *diags);
    // A sum over those physical names in the graph that check_service could find taken by objects outside of it: where
    // a change leaves the sum as it was, it has brought no such name.
    uint64_t (*names_at_stake)(const ds_model *model, const ds_graph *graph);
    // What its platforms of the service lack to be what the model says, in each database where something is of theirs,
    // the merge database first. Changes nothing. Databases of consumers that can't be reached are missing. None is
    // added to *out when the service has no platform of the type, and nothing is left of former ones.
    ds_rc (*plan)(const ds_plan_request *request, ds_arena *arena, ds_plan_list *out, ds_error *err);
    // Does it, as things are by then. expected_id: NULL, or DS_FINDING when that is no longer the plan's id. *done is
    // what was done in fact: less when another apply was faster.
    ds_rc (*apply)(const ds_runtime *runtime, const ds_plan *plan, const char *expected_id, ds_arena *arena,
                   const ds_plan **done, ds_error *err);
    // After all plans of the model have been applied, as far as they could be: what waited for another database of
    // the list. shown is the plan that apply was given, *done what it has done, which gets what is done now. May be
    // NULL.
    ds_rc (*finish)(const ds_runtime *runtime, const ds_plan *shown, ds_arena *arena, const ds_plan **done,
                    ds_error *err);
    // --- what is there, by merge database
    //
    // The streams that were applied; only: NULL, or the one of that name, if it is there.
    ds_rc (*streams)(const ds_runtime *runtime, const ds_container_def *merge, const char *only, ds_arena *arena,
                     ds_streams *out, ds_error *err);
    // How n of these stand, out[i] of streams[i]. Nothing is known of a type that has no such function.
    ds_rc (*status)(const ds_runtime *runtime, const ds_container_def *merge, const ds_stream_info *const *streams,
                    size_t n, ds_arena *arena, ds_stream_status *out, ds_error *err);
    // A stream's batches, newest first, at most limit. May be NULL.
    ds_rc (*batches)(const ds_runtime *runtime, const ds_container_def *merge, const char *stream, int64_t limit,
                     ds_arena *arena, ds_batch_row **out, size_t *n, ds_error *err);
    // What is there for consumers, of all streams that streams() tells of.
    ds_rc (*artifacts)(const ds_runtime *runtime, const ds_container_def *merge, ds_arena *arena, ds_artifacts *out,
                       ds_error *err);
    // The rows of one of these as they were. DS_FINDING: that is not known, or no more. May be NULL.
    ds_rc (*history)(const ds_runtime *runtime, const ds_container_def *merge, const ds_artifact *artifact,
                     ds_as_of as_of, const ds_row_sink *sink, ds_error *err);
    // --- the work
    //
    // One cycle of a stream that streams() has told of. The result lives in arena. DS_USAGE unknown stream; DS_BUSY
    // with the holder; DS_FINDING guarded or bad data; DS_ENV worth a retry.
    ds_rc (*run)(const ds_runtime *runtime, const ds_container_def *merge, const char *stream,
                 const ds_job_options *options, ds_arena *arena, ds_job_result *out, ds_error *err);
    // All of them as tasks of a scheduler.
    void (*schedule)(const ds_schedule_options *options, size_t first_group, ds_type_schedule *out);
    // DS_USAGE where the type has nothing of the kind.
    ds_rc (*tell)(const ds_runtime *runtime, const ds_container_def *merge, const char *stream, ds_stream_order order,
                  ds_error *err);
    // Abandons what is begun and not committed. *batch is what was (0: nothing), *rows how many rows (would) go;
    // dry_run changes nothing.
    ds_rc (*reset)(const ds_runtime *runtime, const ds_container_def *merge, const char *stream, bool dry_run,
                   int64_t *batch, int64_t *rows, ds_error *err);
    // --- branches that are followed; NULL, all three, in a type that keeps no record
    //
    // The model that was applied last; texts are "" where none is known.
    ds_rc (*applied)(const ds_runtime *runtime, const ds_container_def *merge, ds_arena *arena, ds_applied_model *out,
                     ds_error *err);
    ds_rc (*follows)(const ds_runtime *runtime, const ds_container_def *merge, ds_arena *arena, ds_follow_row **out,
                     size_t *n, ds_error *err);
    ds_rc (*note_follow)(const ds_runtime *runtime, const ds_container_def *merge, const ds_follow_row *row,
                         ds_error *err);
} ds_platform_type;

typedef struct ds_platform_types {
    const ds_platform_type *const *v;
    size_t n;
} ds_platform_types;
const ds_platform_type *platform_type(ds_platform_types types, const char *name); // NULL when unknown
// The service's merge database: one of its own containers, or a DataContainer; NULL when there is none of that name.
const ds_container *service_container(const ds_model *model, const ds_platform_service *service);
