// The verdict on a pull request: what it changes, whose that is, whether it breaks anybody, and whom it reaches.
//
//     lint_model(head, types, diags);      // diags came with the head; they take the check's findings, too
//     gate_verdict *verdict = gate_check(base, head, &(gate_options){...}, diags, arena);
//     json_object_set_new(result, ..., verdict_json(verdict));
//
// The base is compared, never judged: its own errors are the caller's to show, and stop nothing that the head repairs.
// Everything lives in the arena given and refers to the models. Any thread.
#pragma once
#include <jansson.h>

#include "gate/changes.h"

typedef struct gate_options {
    const char *repository; // PATH, NULL: who may change what is not asked
    const char *branch;
    bool approve_breaking;
    ds_platform_types types;
    // All documents of the files that differ, each with its model's; NULL: compare all of both models.
    const ds_documents *base_documents, *head_documents;
} gate_options;

typedef struct gate_verdict {
    bool accepted; // no errors in the findings, and all changes allowed
    const gate_change *changes;
    size_t n;
} gate_verdict;

// Adds its findings to diags, which hold those of the head's loader and of lint, and sorts them.
gate_verdict *gate_check(const ds_model *base, const ds_model *head, const gate_options *options, ds_diags *diags,
                         ds_arena *arena);
// {"verdict":"accepted"|"refused","changes":[{"object","action","field","old","new","owner","allowed","breaking",
// "affects":[{"kind","name","owner","effect","about"}]}]}; a new reference.
json_t *verdict_json(const gate_verdict *verdict);
