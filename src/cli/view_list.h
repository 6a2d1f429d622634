// What the platforms have made for consumers, as it stands in the merge databases, each with a SELECT to copy.
#pragma once
#include "cli/session.h"

typedef struct view_entry {
    const ds_container_def *merge;
    const ds_platform_type *type;
    ds_artifact is;
} view_entry;

typedef struct view_list {
    view_entry *v;
    size_t n;
    bool several; // there are replicas: each database has a heading
} view_list;

// workspace NULL: all.
ds_rc view_list_read(ds_session *session, const char *workspace, view_list *out, ds_error *err);
// All, of those merge databases to which something has been applied: a service may have nothing for one.
ds_rc view_list_read_applied(ds_session *session, view_list *out, ds_error *err);
void view_list_print(const ds_cli *cli, const view_list *views);
json_t *view_list_json(const view_list *views);
