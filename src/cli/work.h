// Running streams: in order, one after another, with progress on a terminal. Shared by run, job and verify.
#pragma once
#include "cli/session.h"

typedef struct work_item {
    const ds_applied_stream *stream;
    ds_job_result result;
    ds_error error; // code DS_OK: it went well
    bool skipped;   // paused
    int64_t open;   // the batch that a failure left open; 0: none
    bool guarded;   // it waits for --accept-deletes
} work_item;

typedef struct work_list {
    work_item *v;
    size_t n;
    ds_code worst; // DS_OK, or the failure that decides the exit code
} work_list;

// Streams in an order in which every transformer comes after its inputs, the urgent ones first.
work_list work_order(ds_arena *arena, const ds_applied_stream *streams, size_t n);
// Runs one cycle of each (again while a cycle says that it should go on). A failure is reported on stderr, noted in
// the item, and the others go on; an interruption ends it.
void work_run(ds_session *session, work_list *list, const ds_job_options *options);
// One cycle of one stream; a failure is the caller's to report.
ds_rc work_run_one(ds_session *session, work_item *item, const ds_job_options *options, ds_error *err);
json_t *work_item_json(const work_item *item);
// read, inserted, updated, deleted, unchanged, bytes, seconds
void work_put_counts(json_t *to, const ds_counts *counts, double seconds);
// "committed" "none" "paused" "failed" "guarded"
const char *work_item_status(const work_item *item);
// Sets the exit code of a command that ran these. Fails only when interrupted.
ds_rc work_finish(ds_cli *cli, const work_list *list, ds_error *err);
