// Lint: every rule over a loaded model, one run reports everything. Rules are a const table (rules.c): id, severity,
// title, explanation, a failing and a passing example; docs/lint-rules.md and `explain` are printed from it. The
// loader's own rules (M...) are part of it.
#pragma once
#include "model/load.h"
#include "model/rules.h"
#include "platform/assign.h"

// Examples of rules about changes are a base and a head, parted by this line. A first line names the repository from
// which the change comes; without one it is allowed to.
#define LINT_EXAMPLE_HEAD "# --- head ---\n"
#define LINT_EXAMPLE_FROM "# from "

// All rules, the loader's first, by id; the list lives in arena.
const ds_rule *lint_rules(ds_arena *arena, size_t *n);
const ds_rule *lint_rule(const char *id); // NULL when unknown
// docs/lint-rules.md
void lint_rules_markdown(ds_buf *out);
// The model in which the examples of the gate's rules stand: a document of an example takes the place of the one of the
// same kind and name.
extern const char LINT_EXAMPLE_MODEL[];
// First line of an example that stands alone.
#define LINT_EXAMPLE_WHOLE "# the whole model\n"

// Adds findings to diags (which hold the loader's) and sorts them: lint_datasets, then lint_objects.
void lint_model(const ds_model *model, ds_platform_types types, ds_diags *diags);

// What can be said of the datasets of each datastore by itself: it depends on one document only, so that an image can
// keep it. only_read: not of stores whose datasets are unread (model/lookup.h).
void lint_datasets(const ds_model *model, bool only_read, ds_diags *diags);
void lint_datastore(const ds_datastore *store, ds_diags *diags); // the same of one; on any thread
// All else. Neither sorts.
void lint_objects(const ds_model *model, ds_platform_types types, ds_diags *diags);
// The same for who has the graph of all the model's roots.
void lint_objects_with(const ds_model *model, const ds_graph *graph, ds_platform_types types, ds_diags *diags);

// A model before some of its files changed, and what was found in it.
typedef struct lint_past {
    const ds_model *model;
    const ds_diags *diags;  // everything
    const ds_diags *loaded; // of these, what its loader and lint_datasets found
} lint_past;
// What lint_objects adds, and nothing that has not been found again is missing from it: with diags that hold the
// loader's and lint_datasets' findings the result is the same once it is sorted. It looks only at what the changed
// files can reach. false: that would be too much, or it can't be told; nothing was added. Files of both models are
// numbered as the entries of their trees, from 1; diff is of these trees.
bool lint_objects_since(const lint_past *past, const ds_model *model, const ds_tree_diff *diff, ds_platform_types types,
                        ds_diags *diags);
