// A datastore as a data contract and back: documents of the Open Data Contract Standard, version 3.1.0
// (https://bitol-io.github.io/open-data-contract-standard/v3.1.0/). What the standard has no place for stands in
// customProperties as the property "datasurface", whose value is written as the model writes it; so a contract that
// odcs_contract made comes back as the same datastore. Opens nothing; any thread.
#pragma once
#include <jansson.h>

#include "base/buf.h"
#include "model/model.h"

enum {
    ODCS_TEXT_MAX = 64 << 20,  // of a contract, and of what is made of one
    ODCS_DEPTH_MAX = 64,       // of a contract's lists and maps
    ODCS_NODES_MAX = 2000000,  // of a contract, with what its aliases stand for
    ODCS_LEFT_OUT_SHOWN = 300, // characters of a value in a comment
};

// --- out

// A new reference; its version is a hash of the rest. The store is a Datastore or a transformer's output.
json_t *odcs_contract(const ds_model *model, const ds_datastore *store);
// As YAML. DS_FINDING when there is no room for it.
ds_rc odcs_put_yaml(const json_t *contract, ds_buf *out, ds_error *err);

// --- in

// YAML or JSON -> a tree in which every scalar is a text, and null is null; a new reference. DS_FINDING with
// path:line:column when it can't be read or is no contract of version 3.
ds_rc odcs_read(ds_str text, const char *path, json_t **out, ds_error *err);
// Name and team as the contract has them, in the arena; NULL: it doesn't say, or not as a model could.
const char *odcs_name(const json_t *contract, ds_arena *arena);
const char *odcs_team(const json_t *contract, ds_arena *arena);
// The DataContainer that the contract's first server stands for, by name; NULL: it has none that we know.
const char *odcs_container(const json_t *contract, ds_arena *arena);

typedef struct ds_odcs_options {
    const char *datastore; // legal names (import_legal_name)
    const char *team;      // ZONE/TEAM
    const char *container; // one that the model has; NULL: the contract's server is written as one
} ds_odcs_options;

typedef struct ds_odcs_summary {
    size_t datasets;
    size_t renamed;  // names that were not legal, or taken
    size_t guessed;  // columns whose physical type is unknown
    size_t left_out; // entries that a model has no place for, each a comment with the reason
} ds_odcs_summary;

// Appends YAML documents to out. The contract is used up: what is left in it was left out. DS_FINDING when it has no
// datasets, or neither a server nor options->container says where they are.
ds_rc odcs_import(const ds_odcs_options *options, json_t *contract, ds_arena *arena, ds_buf *out,
                  ds_odcs_summary *summary, ds_error *err);
