#include "support/linted.h"

#include "yellow/platform.h"

linted linted_files(const char *const *paths, const ds_str *texts, size_t n)
{
    const ds_platform_type *const types[] = {yellow_platform_type()};
    linted r = {0};
    ds_error err;
    if (model_load_texts(paths, texts, n, NULL, &r.model, &r.diags, &err).code != DS_OK)
        BUG("%s", err.text);
    lint_model(r.model, (ds_platform_types){types, 1}, r.diags);
    return r;
}

linted linted_text(ds_str text)
{
    const char *path = "model.yaml";
    return linted_files(&path, &text, 1);
}

void linted_free(linted *r)
{
    diags_free(r->diags);
    model_free(r->model);
}
