// The lineage of datasets and columns for queries that ask for it. It is found out anew each time: a transformer's SQL
// takes less than a tenth of a millisecond, and an image that kept it would be written more slowly by all who never
// ask.
#pragma once
#include "graph/lineage.h"
#include "image/query.h"

// An output of a transformer, and what it is made of.
typedef struct query_product {
    const ds_workspace *workspace;
    const ds_dataset *dataset;
    ds_lineage lineage;
} query_product;
typedef struct query_lineage {
    const query_product *v;
    size_t n;
} query_lineage;

// Does it read dataset_lineage or column_lineage?
bool query_reads_lineage(const ds_query *q);
// Of all transformers, in arena. Reads datasets.
query_lineage query_lineage_find(const ds_model *model, ds_arena *arena);
// As rows, before the query begins.
ds_rc query_put_lineage(ds_query *q, query_lineage lineage, ds_error *err);
