#include "yellow/artifacts.h"

#include "yellow/history.h"

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

static const char *relation_name(ds_arena *arena, ds_relation relation)
{
    CLEANUP(buf_release) ds_buf name = BUF_INIT(1024);
    if (relation.schema && relation.schema[0]) {
        put_name(&name, relation.schema);
        buf_putc(&name, '.');
    }
    put_name(&name, relation.name);
    return arena_strdup(arena, buf_text(&name));
}

// For people to copy; we never run it.
static const char *select_text(ds_arena *arena, const char *name)
{
    CLEANUP(buf_release) ds_buf select = BUF_INIT(2048);
    buf_puts(&select, "SELECT * FROM ");
    buf_puts(&select, name);
    buf_putc(&select, ';');
    return arena_strdup(arena, buf_text(&select));
}

static ds_artifact artifact_of(ds_arena *arena, const ds_view_row *row)
{
    const char *name = relation_name(arena, row->relation);
    return (ds_artifact){.workspace = row->workspace,
                         .group = row->group,
                         .store = row->store,
                         .dataset = row->dataset,
                         .stream = row->stream,
                         .kind = row->history ? "history" : "live",
                         .relation = row->relation,
                         .name = name,
                         .use = select_text(arena, name)};
}

ds_rc artifacts_read(const ds_runtime *runtime, const ds_container_def *merge, ds_arena *arena, ds_artifacts *out,
                     ds_error *err)
{
    *out = (ds_artifacts){0};
    CLEANUP(control_closep) ds_control *control = NULL;
    TRY(control_open_applied(runtime, merge, &control, &out->why, err));
    out->nothing = !control;
    if (out->nothing)
        return DS_DONE;
    ds_view_row *rows;
    TRY(control_views(control, arena, &rows, &out->n, err));
    out->v = ARENA_ARRAY(arena, ds_artifact, out->n);
    for (size_t i = 0; i < out->n; i++)
        out->v[i] = artifact_of(arena, &rows[i]);
    return DS_DONE;
}

ds_rc artifacts_history(const ds_runtime *runtime, const ds_container_def *merge, const ds_artifact *artifact,
                        ds_as_of as_of, const ds_row_sink *sink, ds_error *err)
{
    CLEANUP(control_closep) ds_control *control = NULL;
    TRY(control_open(runtime, merge, CONTROL_READ, &control, err));
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const char *path =
        arena_path(arena, artifact->workspace, artifact->group, artifact->store, artifact->dataset, NULL);
    return history_read(control, path, as_of, sink, err);
}
