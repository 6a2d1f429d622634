// The findings of lint for people, programs, code scanning, GitHub Actions and test reports.
#pragma once
#include "cli/command.h"

typedef struct lint_report {
    const ds_diags *diags;
    const ds_diag **shown;
    size_t n;
    size_t counts[DIAG_ERROR + 1];
    size_t datasets, workspaces;
    double seconds;
} lint_report;

// format: text json sarif github junit. json goes to cli->result, the rest to cli->out.
void lint_print(ds_cli *cli, const lint_report *report, const char *format);
