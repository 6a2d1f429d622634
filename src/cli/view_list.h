// The consumers' views as they stand in the merge databases, each with a SELECT to copy.
#pragma once
#include "cli/session.h"

typedef struct view_entry {
    const ds_container_def *merge;
    ds_view_row row;
    const char *name;   // physical, quoted where it must be
    const char *select; // a whole statement
} view_entry;

typedef struct view_list {
    view_entry *v;
    size_t n;
    bool several; // there are replicas: each database has a heading
} view_list;

// workspace NULL: all. Opens the merge databases.
ds_rc view_list_read(ds_session *session, const char *workspace, view_list *out, ds_error *err);
// All, of those merge databases to which something has been applied: another type's platforms may leave one alone.
ds_rc view_list_read_applied(ds_session *session, view_list *out, ds_error *err);
void view_list_print(const ds_cli *cli, const view_list *views);
json_t *view_list_json(const view_list *views);
