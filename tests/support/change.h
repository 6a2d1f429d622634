// A pull request on two texts: base and head are documents that take the place of those of their kind and name in the
// model of the lint rules' examples (support/example.h), and the gate says what it thinks.
//
//     change_run run = change_check(&(change_case){.base = "...", .head = "...", .repository = "acme/model@usa"});
//     ...
//     change_free(&run);
#pragma once
#include "gate/check.h"

typedef struct change_case {
    const char *base, *head;
    const char *repository; // "PATH@BRANCH"; NULL: not asked
    bool approve_breaking;
    bool lint; // the head is linted, too
} change_case;

typedef struct change_run {
    ds_arena *arena;
    ds_model *base, *head;
    ds_diags *base_diags, *diags;
    gate_verdict *verdict;
} change_run;

change_run change_check(const change_case *what);
void change_free(change_run *run);
size_t change_count(const change_run *run, const char *rule); // findings of that rule
void change_print(const change_run *run);                     // findings, to stderr
