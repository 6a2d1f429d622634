// Rows of `stream` and `view`.
#include "yellow/control_int.h"
#include "yellow/def_int.h"

// The columns of a ds_stream_row, in the order of decode_stream.
static void select_streams(const ds_control *control, ds_sql *q)
{
    SQL(q, "SELECT name, version, config, tree_id, fence, paused, removed, resnapshot, "
           "coalesce(removed_at, applied_at) FROM ");
    sql_relation(q, control->names.stream);
}

ds_rc control_decode_def(ds_arena *arena, ds_stream_row *row, bool *damaged, ds_error *err)
{
    json_error_t where;
    json_t *json = json_loads(row->config, 0, &where);
    *damaged = !json;
    if (!json)
        return ds_hint(ds_fail(err, DS_FINDING, "stream %s: its stored definition is no JSON: %s", row->name,
                               where.text),
                       err, "run datasurface apply to write it again");
    ds_rc rc = def_decode(arena, json, &row->def, err);
    *damaged = rc.code != DS_OK && !def_is_newer(json);
    json_decref(json);
    return ds_context(rc, err, "stream %s", row->name);
}

static ds_stream_row decode_stream(const ds_result *r, size_t i)
{
    return (ds_stream_row){
        .name = result_text(r, i, 0),
        .version = result_int(r, i, 1),
        .config = result_text(r, i, 2),
        .tree_id = result_text(r, i, 3),
        .fence = result_int(r, i, 4),
        .paused = result_int(r, i, 5) != 0,
        .removed = result_int(r, i, 6) != 0,
        .resnapshot = result_int(r, i, 7) != 0,
        .removed_at = control_time_parse(result_text(r, i, 8)),
    };
}

ds_rc control_streams_stored(ds_control *control, ds_arena *arena, ds_stream_row **out, size_t *n, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    select_streams(control, &q);
    SQL(&q, " ORDER BY removed, name");
    ds_result r;
    TRY(store_query(control->db, &q, arena, &r, err));
    ds_stream_row *rows = ARENA_ARRAY(arena, ds_stream_row, r.rows);
    for (size_t i = 0; i < r.rows; i++)
        rows[i] = decode_stream(&r, i);
    *out = rows;
    *n = r.rows;
    return DS_DONE;
}

ds_rc control_streams(ds_control *control, ds_arena *arena, ds_stream_row **out, size_t *n, ds_error *err)
{
    bool damaged;
    TRY(control_streams_stored(control, arena, out, n, err));
    for (size_t i = 0; i < *n; i++)
        TRY(control_decode_def(arena, &(*out)[i], &damaged, err));
    return DS_DONE;
}

ds_rc control_stream(ds_control *control, const char *name, ds_arena *arena, ds_stream_row **out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    select_streams(control, &q);
    SQL(&q, " WHERE name = ");
    sql_text(&q, name);
    ds_result r;
    TRY(store_query(control->db, &q, arena, &r, err));
    *out = NULL;
    if (!r.rows)
        return DS_DONE;
    bool damaged;
    ds_stream_row *row = ARENA_NEW(arena, ds_stream_row);
    *row = decode_stream(&r, 0);
    TRY(control_decode_def(arena, row, &damaged, err));
    *out = row;
    return DS_DONE;
}

static void put_stream_values(ds_control *control, const ds_stream_def *def, const char *config, int64_t now, ds_sql *q)
{
    const char *tree_id = control->runtime->tree_id;
    const char *const TEXTS[] = {def->name,
                                 def->service,
                                 def->platform,
                                 def->store,
                                 def->dataset,
                                 config,
                                 tree_id ? tree_id : "",
                                 def->cron ? def->cron : "",
                                 priority_name(def->priority)};
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        sql_text(q, TEXTS[i]);
        SQL(q, ", ");
    }
    control_sql_time(q, now);
}

ds_rc control_put_stream(ds_control *control, const ds_stream_def *def, ds_error *err)
{
    int64_t now = 0;
    TRY(store_now(control->db, &now, err));
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    json_t *json = def_encode(def);
    const char *config = def_json_text(scratch, json);
    json_decref(json);
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, control->names.stream);
    SQL(&q, " AS s (name, service, platform, store, dataset, config, tree_id, schedule, priority, applied_at, version, "
            "retired) VALUES (");
    put_stream_values(control, def, config, now, &q);
    SQL(&q, ", 1, '[]') ON CONFLICT (name) DO UPDATE SET service = excluded.service, platform = excluded.platform, "
            "store = excluded.store, dataset = excluded.dataset, config = excluded.config, "
            "tree_id = excluded.tree_id, schedule = excluded.schedule, priority = excluded.priority, "
            "applied_at = excluded.applied_at, version = s.version + 1, removed = 0");
    return store_exec(control->db, &q, NULL, err);
}

// Begins "UPDATE stream SET column = ".
#define UPDATE_STREAM(q, control, column)                                                                              \
    do {                                                                                                               \
        SQL((q), "UPDATE ");                                                                                           \
        sql_relation((q), (control)->names.stream);                                                                    \
        SQL((q), " SET " column " = ");                                                                                \
    } while (0)

// Ends the statement and runs it; DS_USAGE when there is no such stream.
static ds_rc update_stream(ds_control *control, ds_sql *q, const char *stream, ds_error *err)
{
    SQL(q, " WHERE name = ");
    sql_text(q, stream);
    int64_t affected = 0;
    TRY(store_exec(control->db, q, &affected, err));
    return affected ? DS_DONE : ds_fail(err, DS_USAGE, "no stream \"%s\"", stream);
}

ds_rc control_mark_removed(ds_control *control, const char *stream, bool removed, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    int64_t now = 0;
    TRY(store_now(control->db, &now, err));
    UPDATE_STREAM(&q, control, "removed");
    sql_int(&q, removed);
    SQL(&q, ", removed_at = ");
    control_sql_time(&q, removed ? now : 0);
    return update_stream(control, &q, stream, err);
}

ds_rc control_set_paused(ds_control *control, const char *stream, bool paused, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    UPDATE_STREAM(&q, control, "paused");
    sql_int(&q, paused);
    return update_stream(control, &q, stream, err);
}

ds_rc control_set_resnapshot(ds_control *control, const char *stream, bool wanted, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    UPDATE_STREAM(&q, control, "resnapshot");
    sql_int(&q, wanted);
    return update_stream(control, &q, stream, err);
}

ds_rc control_raise_fence(ds_control *control, const char *stream, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    UPDATE_STREAM(&q, control, "fence");
    SQL(&q, "fence + 1");
    return update_stream(control, &q, stream, err);
}

ds_rc control_put_retired(ds_control *control, const char *stream, const char *retired_json, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    UPDATE_STREAM(&q, control, "retired");
    sql_text(&q, retired_json);
    return update_stream(control, &q, stream, err);
}

ds_rc control_retired(ds_control *control, const char *stream, ds_arena *arena, const char **out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "SELECT retired FROM ");
    sql_relation(&q, control->names.stream);
    SQL(&q, " WHERE name = ");
    sql_text(&q, stream);
    ds_result r;
    TRY(store_query(control->db, &q, arena, &r, err));
    *out = r.rows ? result_text(&r, 0, 0) : "[]";
    return DS_DONE;
}

// Deletes a stream's rows from one control table; stream_column names it.
#define DELETE_OF_STREAM(q, relation, stream_column, stream)                                                           \
    do {                                                                                                               \
        SQL((q), "DELETE FROM ");                                                                                      \
        sql_relation((q), (relation));                                                                                 \
        SQL((q), " WHERE " stream_column " = ");                                                                       \
        sql_text((q), (stream));                                                                                       \
    } while (0)

ds_rc control_delete_stream(ds_control *control, const char *stream, ds_error *err)
{
    const ds_relation TABLES[] = {control->names.view, control->names.restart, control->names.dataset_batch,
                                  control->names.batch, control->names.trigger};
    for (size_t i = 0; i < sizeof TABLES / sizeof TABLES[0]; i++) {
        CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
        DELETE_OF_STREAM(&q, TABLES[i], "stream", stream);
        TRY(store_exec(control->db, &q, NULL, err));
    }
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    DELETE_OF_STREAM(&q, control->names.stream, "name", stream);
    return store_exec(control->db, &q, NULL, err);
}

ds_rc control_delete_dataset(ds_control *control, const char *stream, const char *dataset, ds_error *err)
{
    const ds_relation TABLES[] = {control->names.restart, control->names.dataset_batch};
    for (size_t i = 0; i < sizeof TABLES / sizeof TABLES[0]; i++) {
        CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
        DELETE_OF_STREAM(&q, TABLES[i], "stream", stream);
        SQL(&q, " AND dataset = ");
        sql_text(&q, dataset);
        TRY(store_exec(control->db, &q, NULL, err));
    }
    return DS_DONE;
}

// --- views

ds_rc control_views(ds_control *control, ds_arena *arena, ds_view_row **out, size_t *n, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "SELECT relation_schema, relation_name, workspace, group_name, store, dataset, stream, history FROM ");
    sql_relation(&q, control->names.view);
    SQL(&q, " ORDER BY workspace, group_name, store, dataset, history");
    ds_result r;
    TRY(store_query(control->db, &q, arena, &r, err));
    ds_view_row *rows = ARENA_ARRAY(arena, ds_view_row, r.rows);
    for (size_t i = 0; i < r.rows; i++)
        rows[i] = (ds_view_row){
            .relation = {result_text(&r, i, 0), result_text(&r, i, 1)},
            .workspace = result_text(&r, i, 2),
            .group = result_text(&r, i, 3),
            .store = result_text(&r, i, 4),
            .dataset = result_text(&r, i, 5),
            .stream = result_text(&r, i, 6),
            .history = result_int(&r, i, 7) != 0,
        };
    *out = rows;
    *n = r.rows;
    return DS_DONE;
}

ds_rc control_put_view(ds_control *control, const ds_view_row *view, ds_error *err)
{
    const char *const TEXTS[] = {view->relation.schema, view->relation.name, view->workspace, view->group,
                                 view->store,           view->dataset,       view->stream};
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, control->names.view);
    SQL(&q, " (relation_schema, relation_name, workspace, group_name, store, dataset, stream, history) VALUES (");
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        sql_text(&q, TEXTS[i] ? TEXTS[i] : "");
        SQL(&q, ", ");
    }
    sql_int(&q, view->history);
    SQL(&q, ") ON CONFLICT (relation_schema, relation_name) DO UPDATE SET workspace = excluded.workspace, "
            "group_name = excluded.group_name, store = excluded.store, dataset = excluded.dataset, "
            "stream = excluded.stream, history = excluded.history");
    return store_exec(control->db, &q, NULL, err);
}

ds_rc control_delete_view(ds_control *control, ds_relation relation, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "DELETE FROM ");
    sql_relation(&q, control->names.view);
    SQL(&q, " WHERE relation_schema = ");
    sql_text(&q, relation.schema ? relation.schema : "");
    SQL(&q, " AND relation_name = ");
    sql_text(&q, relation.name);
    return store_exec(control->db, &q, NULL, err);
}
