// The pipelines of all platforms. Nodes and their canonical chain:
//   Ingest -> Export -> Trigger -> Transformer -> Ingest (of the output store) -> Export ...
//   Ingest -> Replica -> Export, where the consumer has a database of its own
// Names: Ingest/PLATFORM/STORE (multi_dataset), Ingest/PLATFORM/STORE/DATASET (single_dataset),
//        Export/PLATFORM/WORKSPACE/GROUP/STORE/DATASET, Trigger/PLATFORM/WORKSPACE, Transformer/PLATFORM/WORKSPACE,
//        Replica/ with the rest of the Ingest's name and @CONTAINER.
// A stream is an Ingest or a Replica node; its stream name is the node's name without "Ingest/" or "Replica/". Only
// datasets that some export needs are ingested. Everything lives in the arena given and refers to the model.
#pragma once
#include "model/model.h"

// A consumer's group on a platform: what the assignments come down to (platform/assign.h computes them).
typedef struct ds_root {
    const ds_workspace *workspace;
    const ds_group *group;
    const ds_platform *platform;
    const ds_platform_service *service;
    ds_assignment_status status; // decommissioned ones are no roots
    const ds_container *replica; // the workspace's own database, where its views are; NULL: in the merge database
    bool owns_views;             // of a group's platforms with their views in one database exactly one does
    bool automatic;              // by auto_assign
} ds_root;
typedef struct ds_roots {
    const ds_root *v;
    size_t n;
} ds_roots;

typedef enum ds_node_kind { NODE_INGEST, NODE_EXPORT, NODE_TRIGGER, NODE_TRANSFORMER, NODE_REPLICA } ds_node_kind;
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
    const ds_datastore *store;     // ingest, export, replica
    const ds_dataset *dataset;     // export; ingest and replica of a single_dataset store; else NULL
    const ds_workspace *workspace; // export, trigger, transformer
    const ds_group *group;         // export
    const ds_root *root;           // export of an assigned group; NULL for a transformer's inputs
    const ds_container *container; // replica: the database that it is in
    ds_priority priority;          // the highest of what hangs on it to the right
    ds_nodes left, right;          // in order of name
    // ingest, replica: the datasets that some export needs, in the store's order
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
// Streams of one platform (NULL: all) so that each comes after those that its transformer reads, or that it is a copy
// of; a transformer that reads its own output, or a cycle, is cut at the later name.
ds_nodes graph_streams(const ds_graph *graph, const ds_platform *platform, ds_arena *arena);
static inline bool node_is_stream(const ds_node *one)
{
    return one->kind == NODE_INGEST || one->kind == NODE_REPLICA;
}
// "YellowLive/Store1", "YellowLive/Store1@Reports"
const char *node_stream_name(const ds_node *stream);
// Cycles between transformers (besides a transformer reading its own output): lint rejects those without a cron.
