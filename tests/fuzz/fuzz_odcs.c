// Any text as a data contract: it is refused, or becomes a text that a model can be loaded from.
#include <stddef.h>
#include <stdint.h>

#include "gate/odcs.h"
#include "model/load.h"

static void load(const ds_buf *text)
{
    ds_model *model;
    ds_diags *diags;
    ds_error err;
    const char *path = "m.yaml";
    const ds_str whole = buf_str(text);
    if (model_load_texts(&path, &whole, 1, NULL, &model, &diags, &err).code != DS_OK)
        BUG("%s", err.text);
    for (size_t i = 0; i < model->datastores.n; i++) {
        CLEANUP(buf_release) ds_buf yaml = BUF_INIT(ODCS_TEXT_MAX);
        json_t *contract = model->datastores.v[i]->name.s ? odcs_contract(model, model->datastores.v[i]) : NULL;
        if (contract && odcs_put_yaml(contract, &yaml, &err).code != DS_OK)
            BUG("%s", err.text);
        json_decref(contract);
    }
    diags_free(diags);
    model_free(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(buf_release) ds_buf text = BUF_INIT(ODCS_TEXT_MAX);
    ds_odcs_summary summary;
    ds_error err;
    json_t *contract;
    if (odcs_read((ds_str){(const char *)data, size}, "c.yaml", &contract, &err).code != DS_OK)
        return 0;
    const char *name = odcs_name(contract, arena), *team = odcs_team(contract, arena);
    const ds_odcs_options options = {.datastore = name ? name : "X", .team = team ? team : "Z/t"};
    if (odcs_import(&options, contract, arena, &text, &summary, &err).code == DS_OK)
        load(&text);
    json_decref(contract);
    return 0;
}
