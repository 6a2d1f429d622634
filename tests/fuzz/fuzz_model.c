// Whatever the text, loading it ends with a model and findings that point into it; twice the same.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "model/load.h"
#include "model/lookup.h"

typedef struct loaded {
    ds_model *model;
    ds_diags *diags;
} loaded;

static loaded load(ds_str text, const char *environment)
{
    const char *const PATHS[] = {"fuzz.yaml"};
    loaded l = {0};
    ds_error err;
    if (model_load_texts(PATHS, &text, 1, environment, &l.model, &l.diags, &err).code != DS_OK &&
        (!environment || err.code != DS_USAGE))
        BUG("not loaded: %s", err.text);
    return l;
}

static void loaded_release(loaded *l)
{
    diags_free(l->diags);
    model_free(l->model);
}

static void check_finding(const ds_diags *diags, const ds_diag *d, ds_str text)
{
    size_t lines = 1;
    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    if (d->pos.file != 1 || d->pos.line > lines || d->rule[0] != 'M' || !d->message[0])
        BUG("finding \"%s\" at line %u of %zu", d->message, (unsigned)d->pos.line, lines);
    if (str_utf8_length(str_of(d->message)) < 0 || str_utf8_length(str_of(d->hint)) < 0)
        BUG("finding is not UTF-8");
    json_t *json = diag_json(diags, d);
    if (!json)
        BUG("finding has no JSON");
    json_decref(json);
}

static void print_findings(const ds_diags *diags, ds_str text)
{
    char *shown = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&shown, &n);
    for (size_t i = 0; i < diags_count(diags); i++) {
        check_finding(diags, diags_at(diags, i), text);
        diag_print(out, diags, diags_at(diags, i), i % 2);
    }
    fclose(out);
    free(shown);
}

static void check_datasets(const ds_datastore *store, bool clean)
{
    for (size_t i = 0; i < store->datasets.n; i++) {
        const ds_dataset *dataset = &store->datasets.v[i];
        const ds_column **key = calloc(dataset->columns.n + 1, sizeof *key);
        if (!key || dataset_key(dataset, key) > dataset->columns.n ||
            datastore_dataset(store, dataset->name) != dataset)
            BUG("dataset \"%s\"", dataset->name);
        free(key);
        for (size_t k = 0; clean && k < dataset->columns.n; k++)
            if (!dataset->columns.v[k].type)
                BUG("column \"%s\" has no type, and no finding", dataset->columns.v[k].name);
    }
}

// What holds for every model, and more for one without findings.
static void check_model(const ds_model *m, bool clean)
{
    for (size_t i = 0; i < m->datastores.n; i++) {
        const ds_datastore *store = m->datastores.v[i];
        check_datasets(store, clean);
        if (clean && model_datastore(m, store->name.s) != store)
            BUG("datastore \"%s\" is not found", store->name.s);
    }
    for (size_t i = 0; clean && i < m->workspaces.n; i++) {
        const ds_workspace *workspace = m->workspaces.v[i];
        if (model_workspace(m, workspace->name.s) != workspace || workspace->groups.n == 0)
            BUG("workspace \"%s\" is not found, or has no groups", workspace->name.s);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ds_str text = {(const char *)data, size};
    CLEANUP(loaded_release) loaded a = load(text, NULL);
    CLEANUP(loaded_release) loaded b = load(text, "laptop");
    print_findings(a.diags, text);
    check_model(a.model, diags_count(a.diags) == 0);
    if (b.model) {
        check_model(b.model, diags_count(b.diags) == 0);
        if (diags_count(a.diags) != diags_count(b.diags))
            BUG("%zu findings, then %zu", diags_count(a.diags), diags_count(b.diags));
    }
    return 0;
}
