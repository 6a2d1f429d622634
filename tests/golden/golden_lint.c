// All findings about a model as people see them. model.yaml of a case has the documents that differ from those of the
// rules' examples (LINT_EXAMPLE_MODEL).
#include "base/file.h"
#include "gate/lint.h"
#include "golden.h"
#include "support/example.h"
#include "yellow/platform.h"

enum { MODEL_MAX = 1 << 20 };

void golden_lint(const char *dir, FILE *out)
{
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX), own = BUF_INIT(MODEL_MAX), whole = BUF_INIT(MODEL_MAX);
    const ds_platform_type *const types[] = {yellow_platform_type()};
    const char *name = "model.yaml";
    ds_model *model = NULL;
    ds_diags *diags = NULL;
    ds_error err;
    file_join(&path, dir, name);
    if (file_read(buf_text(&path), &own, &err).code != DS_OK)
        BUG("%s", err.text);
    example_compose(buf_text(&own), &whole);
    ds_str text = buf_str(&whole);
    if (model_load_texts(&name, &text, 1, NULL, &model, &diags, &err).code != DS_OK)
        BUG("%s", err.text);
    lint_model(model, (ds_platform_types){types, 1}, diags);
    for (size_t i = 0; i < diags_count(diags); i++)
        diag_print(out, diags, diags_at(diags, i), false);
    fprintf(out, "%zu errors, %zu warnings, %zu infos\n", diags_severity_count(diags, DIAG_ERROR),
            diags_severity_count(diags, DIAG_WARNING), diags_severity_count(diags, DIAG_INFO));
    diags_free(diags);
    model_free(model);
}
