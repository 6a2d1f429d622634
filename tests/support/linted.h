// A model of texts with all findings about it, as Yellow's gate sees it.
#pragma once
#include "gate/lint.h"

typedef struct linted {
    ds_model *model;
    ds_diags *diags;
} linted;

linted linted_files(const char *const *paths, const ds_str *texts, size_t n);
linted linted_text(ds_str text); // of one file
void linted_free(linted *r);
