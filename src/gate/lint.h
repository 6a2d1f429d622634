// Lint: every rule over a loaded model, one run reports everything. Rules are a const table (rules.c): id, severity,
// title, explanation, a failing and a passing example; docs/lint-rules.md and `explain` are printed from it. The
// loader's own rules (M...) are part of it.
#pragma once
#include "model/load.h"
#include "model/rules.h"
#include "platform/assign.h"

// All rules, the loader's first, by id.
const ds_rule *lint_rules(size_t *n);
const ds_rule *lint_rule(const char *id); // NULL when unknown
void lint_rules_markdown(ds_buf *out);

// Adds findings to diags (which hold the loader's) and sorts them.
void lint_model(const ds_model *model, ds_platform_types types, ds_diags *diags);
