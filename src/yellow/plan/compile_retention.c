// How long what a dataset holds must be kept once it is given up.
#include "yellow/plan/compile_int.h"

enum { DAYS_MAX = 366 * 1000 }; // later than that no calendar of ours goes

// "7y": at least as long as that in any calendar.
static int64_t days_of(ds_text text)
{
    static const compile_unit UNITS[] = {{"d", 1}, {"w", 7}, {"mo", 31}, {"y", 366}};
    return compile_units(str_of(text.s), UNITS, sizeof UNITS / sizeof UNITS[0], DAYS_MAX);
}

int64_t compile_retention(const ds_node *ingest, const ds_dataset *dataset)
{
    int64_t most = 0;
    for (size_t i = 0; i < ingest->right.n; i++) {
        const ds_node *export = ingest->right.v[i];
        if (export->kind != NODE_EXPORT || export->dataset != dataset || !export->group->requires_.retention.s)
            continue;
        int64_t days = days_of(export->group->requires_.retention);
        most = days > most ? days : most;
    }
    return most;
}
