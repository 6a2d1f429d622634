// Findings as lint and check print them: for people, programs, code scanning, GitHub Actions and test reports. What
// findings say comes from models that nobody has looked at yet; each format escapes what would act in it.
#pragma once
#include "cli/command.h"

// The values of --format, for a command's own table of options.
#define FINDINGS_FORMATS "text|json|sarif|github|junit"

// A tree of git's that was judged.
typedef struct ds_judged {
    const char *name;   // "base", "head"
    const char *ref;    // fit to be shown
    const char *commit; // in hex; "": it could not be found, or merged
} ds_judged;
enum { JUDGED_MAX = 2 };

typedef struct ds_findings {
    const ds_diags *diags;
    const ds_diag **shown;
    size_t n;
    size_t counts[DIAG_ERROR + 1]; // with those that diags no longer keeps
    double seconds;
    const char *place; // "a/b" where code scanning counts paths from further up than the findings do; else ""
    const char *home;  // the file that code scanning, which wants one, is told of a finding without a place; "": none
    ds_judged judged[JUDGED_MAX]; // check's; name NULL: none
} ds_findings;

// All findings of diags.
ds_findings findings_all(const ds_diags *diags, ds_arena *arena);
// json goes to cli->diagnostics, the rest to cli->out. What people read (text, github) ends with a line of the
// command's own.
void findings_print(ds_cli *cli, const ds_findings *findings, const char *format);
bool findings_want_last_line(const char *format);
// "1 error, 2 warnings, "; nothing when there is none.
void findings_put_counts(ds_buf *out, const size_t counts[DIAG_ERROR + 1]);
