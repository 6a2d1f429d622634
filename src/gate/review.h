// What a check has to say beside the verdict on the changes (check.h), about the rest of both models.
//
// Findings that two models have in common are told by rule, object and message: where things stand makes no difference.
// Any thread.
#pragma once
#include "gate/lint.h"
#include "model/diff.h"

// Errors of the base, as lint has found them, that the head does not have any more: each a note in diags, which hold
// what was found in the head.
void gate_note_repaired(const ds_diags *base, ds_diags *diags);

// Errors and warnings that the head has under one of its Environments only, with its name in front. `changed` are the
// head's documents that may be new or different (NULL: all): as long as there is no container, service or Environment
// among them, only the streams that they are about are looked at, since linting everything again takes its time. Sorts
// diags.
void gate_lint_environments(const ds_model *head, ds_platform_types types, const ds_documents *changed,
                            ds_diags *diags);
