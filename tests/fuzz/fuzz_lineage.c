// Any SQL as a transformer's: its lineage comes back, and says nothing of columns that are not there.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "graph/lineage.h"
#include "model/load.h"
#include "model/lookup.h"

static const char BEFORE[] =
    "kind: Datastore\nteam: Z/t\nname: S\ncapture: {type: sql_snapshot, container: C, trigger: {external: true}}\n"
    "datasets: {t: {columns: {id: integer primary key, a: integer, b: integer}}, u: {columns: {id: integer primary key, "
    "x: integer}}}\n"
    "---\nkind: Workspace\nteam: Z/t\nname: W\ndataset_groups: {i: {sinks: [S/t, S/u]}}\ntransformer:\n  name: w\n"
    "  output: {datastore: O, datasets: {o: {columns: {p: integer primary key, q: integer}}}}\n  run: {sql: {o: ";

static void check(const ds_lineage *lineage)
{
    if (lineage->note && lineage->edge_count)
        BUG("a note and edges");
    for (size_t i = 0; i < lineage->edge_count; i++) {
        const ds_lineage_edge *edge = &lineage->edges[i];
        if (edge->input >= lineage->input_count ||
            dataset_column(lineage->inputs[edge->input].dataset, edge->from->name) != edge->from)
            BUG("an edge from nowhere");
        if (!edge->to && edge->influence != INFLUENCE_INDIRECT)
            BUG("rows have no value");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *sql = json_stringn((const char *)data, size); // NULL: no UTF-8, which is no model either
    char *quoted = sql ? json_dumps(sql, JSON_ENCODE_ANY) : NULL;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
    buf_printf(&text, "%s%s}}\n", BEFORE, quoted ? quoted : "~");
    free(quoted);
    json_decref(sql);
    ds_model *model = NULL;
    ds_diags *diags = NULL;
    ds_error err;
    const char *path = "m.yaml";
    const ds_str whole = buf_str(&text);
    if (!buf_ok(&text) || model_load_texts(&path, &whole, 1, NULL, &model, &diags, &err).code != DS_OK)
        return 0;
    const ds_workspace *workspace = model_workspace(model, "W");
    const ds_datastore *store = workspace ? workspace->transformer.output : NULL;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_lineage lineage;
    if (store && store->datasets.n) {
        lineage_of_output(model, workspace, &store->datasets.v[0], arena, &lineage);
        check(&lineage);
    }
    diags_free(diags);
    model_free(model);
    return 0;
}
