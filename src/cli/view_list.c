#include "cli/view_list.h"

#include "base/vec.h"
#include "cli/output.h"

typedef VEC(view_entry) entries;

static bool plain(const char *name)
{
    return name[0] && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0' &&
           !(name[0] >= '0' && name[0] <= '9');
}

static void put_name(ds_buf *out, const char *name)
{
    if (plain(name)) {
        buf_puts(out, name);
        return;
    }
    buf_putc(out, '"');
    for (const char *p = name; *p; p++) {
        if (*p == '"')
            buf_putc(out, '"');
        buf_putc(out, *p);
    }
    buf_putc(out, '"');
}

static view_entry make_entry(ds_arena *arena, const ds_container_def *merge, const ds_view_row *row)
{
    CLEANUP(buf_release) ds_buf name = BUF_INIT(1024);
    if (row->relation.schema && row->relation.schema[0]) {
        put_name(&name, row->relation.schema);
        buf_putc(&name, '.');
    }
    put_name(&name, row->relation.name);
    view_entry entry = {.merge = merge, .row = *row, .name = arena_strdup(arena, buf_text(&name))};
    CLEANUP(buf_release) ds_buf select = BUF_INIT(2048); // for people to copy; we never run it
    buf_puts(&select, "SELECT * FROM ");
    buf_puts(&select, entry.name);
    buf_putc(&select, ';');
    entry.select = arena_strdup(arena, buf_text(&select));
    return entry;
}

static ds_rc read_merge(ds_session *session, const ds_container_def *merge, const char *workspace, entries *list,
                        ds_error *err)
{
    ds_arena *arena = session->cli->arena;
    CLEANUP(control_closep) ds_control *control = NULL;
    TRY(control_open(&session->runtime, merge, CONTROL_READ, &control, err));
    ds_view_row *rows;
    size_t n;
    TRY(control_views(control, arena, &rows, &n, err));
    for (size_t i = 0; i < n; i++)
        if (!workspace || strcmp(rows[i].workspace, workspace) == 0)
            *VEC_PUSH(arena, list) = make_entry(arena, merge, &rows[i]);
    return DS_DONE;
}

static ds_rc read_all(ds_session *session, const char *workspace, bool only_applied, view_list *out, ds_error *err)
{
    if (!session->merge_count)
        TRY(session_merges(session, err));
    entries list = {0};
    for (size_t i = 0; i < session->merge_count; i++) {
        bool there = true;
        ds_rc rc = DS_DONE;
        if (only_applied || i >= session->replicas_from)
            rc = control_exists(&session->runtime, &session->merges[i], &there, err);
        if (rc.code == DS_OK && there)
            rc = read_merge(session, &session->merges[i], workspace, &list, err);
        if (rc.code != DS_OK && !session_leaves_out(session, i, err))
            return rc;
    }
    *out = (view_list){list.v, list.n, session->merge_count > session->replicas_from};
    return DS_DONE;
}

ds_rc view_list_read(ds_session *session, const char *workspace, view_list *out, ds_error *err)
{
    return read_all(session, workspace, false, out, err);
}

ds_rc view_list_read_applied(ds_session *session, view_list *out, ds_error *err)
{
    return read_all(session, NULL, true, out, err);
}

void view_list_print(const ds_cli *cli, const view_list *views)
{
    const char *workspace = "", *group = "";
    const ds_container_def *database = NULL;
    for (size_t i = 0; i < views->n; i++) {
        const ds_view_row *row = &views->v[i].row;
        if (views->several && views->v[i].merge != database) {
            fprintf(cli->out, "in %s%s%s\n", style(cli, STYLE_BOLD), views->v[i].merge->name, style_end(cli));
            workspace = group = "";
        }
        database = views->v[i].merge;
        if (strcmp(workspace, row->workspace) != 0 || strcmp(group, row->group) != 0)
            fprintf(cli->out, "  %s%s/%s%s\n", style(cli, STYLE_CYAN), row->workspace, row->group, style_end(cli));
        workspace = row->workspace;
        group = row->group;
        fprintf(cli->out, "    %s\n", views->v[i].select);
    }
}

json_t *view_list_json(const view_list *views)
{
    json_t *list = json_array();
    for (size_t i = 0; i < views->n; i++) {
        const ds_view_row *row = &views->v[i].row;
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "container",
                                              views->v[i].merge->name, "workspace", row->workspace, "group", row->group,
                                              "store", row->store, "dataset", row->dataset, "kind",
                                              row->history ? "history" : "live", "name", views->v[i].name, "select",
                                              views->v[i].select));
    }
    return list;
}
