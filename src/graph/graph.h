// The pipelines of all platforms. Nodes and their canonical chain:
//   Ingest -> Export -> Trigger -> Transformer -> Ingest (of the output store) -> Export ...
// Names: Ingest/PLATFORM/STORE (multi_dataset), Ingest/PLATFORM/STORE/DATASET (single_dataset),
//        Export/PLATFORM/WORKSPACE/GROUP/STORE/DATASET, Trigger/PLATFORM/WORKSPACE, Transformer/PLATFORM/WORKSPACE.
// A stream is an Ingest node; its stream name is the node's name without "Ingest/". Only datasets that some export
// needs are ingested. Everything lives in the arena given and refers to the model.
#pragma once
#include "model/model.h"

// A consumer's group on a platform: what the assignments come down to (platform/assign.h computes them).
typedef struct ds_root {
    const ds_workspace *workspace;
    const ds_group *group;
    const ds_platform *platform;
    const ds_platform_service *service;
    ds_assignment_status status; // decommissioned ones are no roots
    bool owns_views;             // of a group's platforms in one merge database exactly one does
    bool automatic;              // by auto_assign
} ds_root;
typedef struct ds_roots {
    const ds_root *v;
    size_t n;
} ds_roots;

typedef enum ds_node_kind { NODE_INGEST, NODE_EXPORT, NODE_TRIGGER, NODE_TRANSFORMER } ds_node_kind;
typedef struct ds_node ds_node;
typedef struct ds_nodes {
    ds_node **v;
    size_t n, cap;
} ds_nodes;

struct ds_node {
    ds_node_kind kind;
    const char *name;
    const ds_platform *platform;
    const ds_platform_service *service;
    const ds_datastore *store;     // ingest, export
    const ds_dataset *dataset;     // export; ingest of a single_dataset store; else NULL
    const ds_workspace *workspace; // export, trigger, transformer
    const ds_group *group;         // export
    const ds_root *root;           // export of an assigned group; NULL for a transformer's inputs
    ds_priority priority;          // the highest of what hangs on it to the right
    ds_nodes left, right;          // in order of name
    // ingest: the datasets that some export needs, in the store's order
    const ds_dataset **datasets;
    size_t dataset_count;
};

typedef struct ds_graph {
    ds_nodes nodes; // in order of name
    ds_map *by_name;
    ds_roots roots; // what it was built from
} ds_graph;

ds_graph *graph_build(const ds_model *model, ds_roots roots, ds_arena *arena);
const ds_node *graph_node(const ds_graph *graph, const char *name);
// Ingest nodes of one platform (NULL: all) so that every stream comes after the streams that its transformer reads;
// a transformer that reads its own output, or a cycle, is cut at the later name.
ds_nodes graph_streams(const ds_graph *graph, const ds_platform *platform, ds_arena *arena);
// "YellowLive/Store1"
const char *node_stream_name(const ds_node *ingest);
// Cycles between transformers (besides a transformer reading its own output): lint rejects those without a cron.
