// How long what a dataset holds must be kept once it is given up.
#include "yellow/plan/compile_int.h"

enum { DAYS_MAX = 366 * 1000 }; // later than that no calendar of ours goes

// "7y": at least as long as that in any calendar.
static int64_t days_of(ds_str text)
{
    static const struct {
        const char *unit;
        int64_t days;
    } UNITS[] = {{"d", 1}, {"w", 7}, {"mo", 31}, {"y", 366}};
    size_t digits = 0;
    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    int64_t n;
    if (!str_int64((ds_str){text.p, digits}, &n))
        return 0;
    for (size_t i = 0; i < sizeof UNITS / sizeof UNITS[0]; i++)
        if (str_eq((ds_str){text.p + digits, text.n - digits}, str_of(UNITS[i].unit)))
            return n < DAYS_MAX / UNITS[i].days ? n * UNITS[i].days : DAYS_MAX;
    return 0;
}

int64_t compile_retention(const ds_node *ingest, const ds_dataset *dataset)
{
    int64_t most = 0;
    for (size_t i = 0; i < ingest->right.n; i++) {
        const ds_node *export = ingest->right.v[i];
        if (export->kind != NODE_EXPORT || export->dataset != dataset || !export->group->requires_.retention.s)
            continue;
        int64_t days = days_of(str_of(export->group->requires_.retention.s));
        most = days > most ? days : most;
    }
    return most;
}
