// What the files of compile share. One thread; everything lives in the arena.
#pragma once
#include "yellow/plan/compile.h"

typedef struct ds_compiler {
    const ds_model *model;
    const ds_graph *graph;
    const ds_platform_service *service;
    const ds_container *container; // the database that is compiled for
    bool is_replica;               // it is a consumer's
    const ds_store *store;
    const ds_dialect *dialect; // of that database
    ds_arena *arena;
} ds_compiler;

// DS_FINDING when columns can't be compiled that lint should have refused.
ds_rc compile_shape(const ds_compiler *c, const ds_datastore *store, const ds_dataset *dataset, const ds_shape **out,
                    ds_error *err);
// The name of the stream that carries the dataset on a platform, after the store's consistency.
const char *compile_stream_name(ds_arena *arena, const ds_platform *platform, const ds_datastore *store,
                                const char *dataset);
// Digits and one of these units; at most `most`, 0 for what lint refuses.
typedef struct compile_unit {
    const char *name;
    int64_t worth;
} compile_unit;
int64_t compile_units(ds_str text, const compile_unit *units, size_t unit_count, int64_t most);
// An amount as a model writes it: "10m" in microseconds, "64Mi" in bytes, "1000" as it is; 0 when it is not given. Lint
// refuses other forms.
int64_t compile_amount(ds_text text);

// --- compile_check.c
// The dataset's checks into out, whose shape is known. DS_FINDING for what lint should have refused.
ds_rc compile_checks(const ds_compiler *c, const ds_datastore *store, const ds_dataset *dataset, ds_dataset_def *out,
                     ds_error *err);

// --- compile_retention.c: the longest that a group requires, in days; 0: none does.
int64_t compile_retention(const ds_node *ingest, const ds_dataset *dataset);

// --- compile_mirror.c
// The stream that this one is a mirror of: a replica's, or that of the store's primary platform; NULL when it reads the
// source itself.
ds_rc compile_find_primary(const ds_compiler *c, const ds_node *ingest, const ds_node **out, ds_error *err);
ds_rc compile_mirror(const ds_compiler *c, const ds_node *ingest, const ds_node *primary, ds_stream_def *out,
                     ds_error *err);
ds_rc compile_mirror_dataset(const ds_compiler *c, const ds_node *primary, const ds_dataset *dataset,
                             ds_dataset_def *out, ds_error *err);

// The databases that get replicas from the service's merge database, into out.
void compile_replicas(const ds_compiler *c, ds_deployment *out);

// --- compile_transformer.c
// What a transformer's stream may read: the sinks of its workspace's groups.
void compile_inputs(const ds_compiler *c, const ds_node *ingest, ds_stream_def *out);
// The SELECT for one output dataset in the merge database's dialect, its placeholders replaced.
ds_rc compile_sql(const ds_compiler *c, const ds_node *ingest, const ds_dataset *dataset, const char **out,
                  ds_error *err);
// Its program, when it has one.
ds_rc compile_command(const ds_compiler *c, const ds_node *ingest, const ds_command_def **out, ds_error *err);

// --- compile_watermark.c
// Into out, whose datasets are known. DS_FINDING for what lint should have refused.
ds_rc compile_watermark(const ds_capture *capture, ds_stream_def *out, ds_error *err);

// --- compile_caps.c
// Fills caps of the deployment, whose streams are known.
void compile_caps(const ds_model *model, const ds_container *merge, ds_arena *arena, ds_deployment *out);
