// How far a change reaches: the datastores whose streams may be other ones, or judged in another way, because of it.
//
//     ds_map *stores = map_new(arena);
//     reach_document(stores, changed);                       // for each
//     reach_spread(stores, (const ds_model *[]){base, head}, 2);
//
// Names are those of the models and of documents, by themselves: key and value are of no further meaning. Any thread.
#pragma once
#include "base/map.h"
#include "model/diff.h"

void reach_store(ds_map *stores, const char *name); // takes NULL
void reach_group(ds_map *stores, const ds_group *group);
// The stores that a document is about: a Datastore, or those that a Workspace reads and writes.
void reach_document(ds_map *stores, ds_document document);
// Adds what transformers read to fill the stores, and all that transformers make of any of them, in each model.
void reach_spread(ds_map *stores, const ds_model *const *models, size_t n);
bool reach_group_reads(const ds_map *stores, const ds_group *group);
bool reach_workspace_reads(const ds_map *stores, const ds_workspace *workspace);
