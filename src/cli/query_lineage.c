#include "cli/query_lineage.h"

#include "base/vec.h"

bool query_reads_lineage(const ds_query *q)
{
    return query_reads(q, IMAGE_DATASET_LINEAGE) || query_reads(q, IMAGE_COLUMN_LINEAGE);
}

query_lineage query_lineage_find(const ds_model *model, ds_arena *arena)
{
    VEC(query_product) list = {0};
    for (size_t i = 0; i < model->workspaces.n; i++) {
        const ds_workspace *workspace = model->workspaces.v[i];
        const ds_datastore *output = workspace->transformer.output;
        for (size_t k = 0; output && k < output->datasets.n; k++) {
            query_product *p = VEC_PUSH(arena, &list);
            *p = (query_product){.workspace = workspace, .dataset = &output->datasets.v[k]};
            lineage_of_output(model, workspace, p->dataset, arena, &p->lineage);
        }
    }
    return (query_lineage){list.v, list.n};
}

static ds_rc put_inputs(ds_query *q, const query_product *p, ds_error *err)
{
    for (size_t i = 0; i < p->lineage.input_count; i++) {
        const ds_lineage_input *input = &p->lineage.inputs[i];
        const char *const cells[] = {p->workspace->name.s, p->workspace->transformer.output->name.s,
                                     p->dataset->name,     input->store->name.s,
                                     input->dataset->name, p->lineage.note};
        TRY(query_put(q, IMAGE_DATASET_LINEAGE, cells, err));
    }
    return DS_DONE;
}

static ds_rc put_edges(ds_query *q, const query_product *p, ds_error *err)
{
    for (size_t i = 0; i < p->lineage.edge_count; i++) {
        const ds_lineage_edge *edge = &p->lineage.edges[i];
        const ds_lineage_input *input = &p->lineage.inputs[edge->input];
        const char *const cells[] = {p->workspace->name.s, p->workspace->transformer.output->name.s,
                                     p->dataset->name,     edge->to ? edge->to->name : NULL,
                                     input->store->name.s, input->dataset->name,
                                     edge->from->name,     edge->influence == INFLUENCE_VALUE ? "value" : "indirect"};
        TRY(query_put(q, IMAGE_COLUMN_LINEAGE, cells, err));
    }
    return DS_DONE;
}

ds_rc query_put_lineage(ds_query *q, query_lineage lineage, ds_error *err)
{
    for (size_t i = 0; i < lineage.n; i++) {
        TRY(put_inputs(q, &lineage.v[i], err));
        TRY(put_edges(q, &lineage.v[i], err));
    }
    return DS_DONE;
}
