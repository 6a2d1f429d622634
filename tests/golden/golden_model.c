// The loader's findings about a directory of YAML, as people see them. A file called `environment` has the name of
// the Environment to load.
#include <string.h>

#include "base/file.h"
#include "golden.h"
#include "model/load.h"

void golden_model(const char *dir, FILE *out)
{
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX), environment = BUF_INIT(200);
    file_join(&path, dir, "environment");
    ds_load_options options = {.dir = dir};
    ds_error err;
    if (file_exists(buf_text(&path)) && file_read(buf_text(&path), &environment, &err).code == DS_OK) {
        while (environment.n && environment.p[environment.n - 1] == '\n')
            environment.p[--environment.n] = '\0';
        options.environment = buf_text(&environment);
    }
    ds_model *model = NULL;
    ds_diags *diags = NULL;
    if (model_load(&options, &model, &diags, &err).code != DS_OK) {
        fprintf(out, "not loaded, exit %d: %s\n", error_exit_code(err.code), err.text);
        if (err.hint[0])
            fprintf(out, "  hint: %s\n", err.hint);
        return;
    }
    for (size_t i = 0; i < diags_count(diags); i++)
        diag_print(out, diags, diags_at(diags, i), false);
    fprintf(out, "%zu findings\n", diags_count(diags));
    diags_free(diags);
    model_free(model);
}
