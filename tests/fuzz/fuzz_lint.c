// Whatever the model, lint ends with findings that have a rule and point into the text.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "gate/lint.h"
#include "yellow/platform.h"

static void check_finding(const ds_diags *diags, const ds_diag *d, size_t lines)
{
    if (d->pos.file > 1 || d->pos.line > lines || !lint_rule(d->rule) || !d->message[0])
        BUG("finding %s \"%s\" at line %u of %zu", d->rule, d->message, (unsigned)d->pos.line, lines);
    if (str_utf8_length(str_of(d->message)) < 0 || str_utf8_length(str_of(d->hint)) < 0)
        BUG("finding is not UTF-8");
    json_t *json = diag_json(diags, d);
    if (!json)
        BUG("finding has no JSON");
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *const PATHS[] = {"fuzz.yaml"};
    const ds_platform_type *const types[] = {yellow_platform_type()};
    ds_str text = {(const char *)data, size};
    ds_model *model;
    ds_diags *diags;
    ds_error err;
    size_t lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    if (model_load_texts(PATHS, &text, 1, NULL, &model, &diags, &err).code != DS_OK)
        BUG("not loaded: %s", err.text);
    lint_model(model, (ds_platform_types){types, 1}, diags);
    for (size_t i = 0; i < diags_count(diags); i++)
        check_finding(diags, diags_at(diags, i), lines);
    diags_free(diags);
    model_free(model);
    return 0;
}
