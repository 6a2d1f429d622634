// The closing table of a run: what was read and what changed, in rows, bytes and time.
#pragma once
#include "cli/work.h"

// A row for each stream, below it one for each of its datasets, and a total. Of a stream with many datasets only those
// that changed have a row of their own.
void results_print_streams(const ds_cli *cli, const work_list *list);
// The datasets of one stream and their total.
void results_print_datasets(const ds_cli *cli, const ds_job_result *result);
