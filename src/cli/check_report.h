// What check has to say: the verdict, every change with its owner and whom it reaches, and the findings.
#pragma once
#include "cli/findings.h"
#include "gate/check.h"

// What a ref was when the check began; refs move.
typedef struct check_side {
    const char *ref;    // fit to be shown
    const char *commit; // in hex; "": it could not be found, or merged
} check_side;

typedef struct check_report {
    ds_findings findings;
    const gate_verdict *verdict;
    const char *repository; // "PATH@BRANCH", where the pull request comes from
    check_side base, head;
} check_report;

// "HEAD 1f3c9e1a02 into main 77d0a1b2c3", for people; nothing when there is no such commit.
void check_put_commits(const check_report *report, ds_buf *out);
// The changes, for people.
void check_print_changes(const ds_cli *cli, const check_report *report);
// "accepted: 3 changes, 1 warning, HEAD 1f3c9e1a02 into main 77d0a1b2c3, 41 ms"
void check_print_last_line(const ds_cli *cli, const check_report *report);

// Markdown fit for a comment on the pull request. Whatever comes from the model is shown as it is and acts on nothing:
// it stands in HTML's code elements, in blocks that Markdown leaves alone.
enum { CHECK_SUMMARY_MAX = 60000 }; // bytes
void check_summary(const check_report *report, ds_buf *out);
// The same when nothing could be checked.
void check_summary_failure(const ds_error *failure, ds_buf *out);
