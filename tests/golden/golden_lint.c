// All findings about a model as people see them. model.yaml of a case has the documents that differ from those of the
// rules' examples (LINT_EXAMPLE_MODEL).
#include "base/file.h"
#include "golden.h"
#include "support/example.h"
#include "support/linted.h"

enum { MODEL_MAX = 1 << 20 };

void golden_lint(const char *dir, FILE *out)
{
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX), own = BUF_INIT(MODEL_MAX), whole = BUF_INIT(MODEL_MAX);
    ds_error err;
    file_join(&path, dir, "model.yaml");
    if (file_read(buf_text(&path), &own, &err).code != DS_OK)
        BUG("%s", err.text);
    example_compose(buf_text(&own), &whole);
    linted r = linted_text(buf_str(&whole));
    for (size_t i = 0; i < diags_count(r.diags); i++)
        diag_print(out, r.diags, diags_at(r.diags, i), false);
    fprintf(out, "%zu errors, %zu warnings, %zu infos\n", diags_severity_count(r.diags, DIAG_ERROR),
            diags_severity_count(r.diags, DIAG_WARNING), diags_severity_count(r.diags, DIAG_INFO));
    linted_free(&r);
}
