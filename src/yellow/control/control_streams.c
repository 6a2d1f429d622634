// Rows of `stream` and `view`.
#include "yellow/control/control_tables.h"
#include "yellow/def/def_json.h"

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

static ds_rc query_streams(ds_control *control, const ds_sql *q, ds_arena *arena, ds_stream_row **out, size_t *n,
                           ds_error *err)
{
    ds_result r;
    TRY(store_query(control->db, q, arena, &r, err));
    ds_stream_row *rows = ARENA_ARRAY(arena, ds_stream_row, r.rows);
    for (size_t i = 0; i < r.rows; i++)
        rows[i] = decode_stream(&r, i);
    *out = rows;
    *n = r.rows;
    return DS_DONE;
}

ds_rc control_streams_stored(ds_control *control, ds_arena *arena, ds_stream_row **out, size_t *n, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    select_streams(control, &q);
    SQL(&q, " ORDER BY removed, name");
    return query_streams(control, &q, arena, out, n, err);
}

ds_rc control_streams_named(ds_control *control, const char *const *names, size_t n, ds_arena *arena,
                            ds_stream_row **out, size_t *found, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    select_streams(control, &q);
    SQL(&q, " WHERE removed = 0 AND name IN (");
    for (size_t i = 0; i < n; i++) {
        if (i)
            SQL(&q, ", ");
        sql_text(&q, names[i]);
    }
    SQL(&q, ")");
    return query_streams(control, &q, arena, out, found, err);
}

ds_rc control_streams(ds_control *control, ds_arena *arena, ds_stream_row **out, size_t *n, ds_error *err)
{
    bool damaged;
    TRY(control_streams_stored(control, arena, out, n, err));
    for (size_t i = 0; i < *n; i++)
        TRY(control_decode_def(arena, &(*out)[i], &damaged, err));
    return DS_DONE;
}

// A question, and not one after another: a job begins with it.
// known: the definition is not read when it is still that one; may be NULL.
static void select_first_look(const ds_control *control, const char *name, const ds_kept_def *known, ds_sql *q)
{
    SQL(q, "SELECT s.name, s.version, ");
    if (known) {
        SQL(q, "CASE WHEN s.version = ");
        sql_int(q, known->version);
        SQL(q, " AND s.applied_at = ");
        control_sql_time(q, known->applied_at);
        SQL(q, " THEN NULL ELSE s.config END");
    } else {
        SQL(q, "s.config");
    }
    SQL(q, ", s.tree_id, s.fence, s.paused, s.removed, s.resnapshot, s.applied_at, (SELECT a.tree_id FROM ");
    sql_relation(q, control->names.applied);
    SQL(q, " a ORDER BY a.id DESC LIMIT 1), CASE WHEN s.failure IS NULL THEN 0 ELSE 1 END FROM ");
    sql_relation(q, control->names.meta);
    SQL(q, " m LEFT JOIN ");
    sql_relation(q, control->names.stream);
    SQL(q, " s ON s.name = ");
    sql_text(q, name);
    SQL(q, " WHERE m.key = 'schema_version' AND m.value = '");
    sql_literal_int(q, CONTROL_SCHEMA_VERSION);
    SQL(q, "'");
}

static ds_rc query_first_look(ds_control *control, const char *name, const ds_kept_def *known, ds_arena *arena,
                              ds_result *out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    select_first_look(control, name, known, &q);
    ds_result r;
    ds_rc rc = store_query(control->db, &q, arena, &r, err);
    if (rc.code == DS_FINDING || (rc.code == DS_OK && r.rows != 1)) // something is wrong with the tables: what?
        TRY(control_check(control, err));
    TRY(rc);
    if (r.rows != 1)
        return ds_fail(err, DS_BUSY, "an apply has just changed the control tables of \"%s\"", control->merge->name);
    *out = r;
    return DS_DONE;
}

// Decodes the definition, for the next job, too, where there is a cache.
static ds_rc keep_def(ds_control *control, ds_arena *arena, ds_stream_row *row, int64_t applied_at,
                      const ds_kept_def **out, ds_error *err)
{
    ds_def_cache *defs = control->runtime->defs;
    bool damaged;
    if (!defs)
        return control_decode_def(arena, row, &damaged, err);
    ds_arena *its_own = arena_new_tight();
    ds_rc rc = control_decode_def(its_own, row, &damaged, err);
    if (rc.code != DS_OK) {
        arena_free(its_own);
        return rc;
    }
    *out = def_cache_put(defs, control->merge, (ds_kept_def){row->def, row->version, applied_at}, its_own);
    return DS_DONE;
}

static ds_rc first_look(ds_control *control, const char *name, const ds_kept_def **known, ds_arena *arena,
                        ds_first_look *out, ds_error *err)
{
    enum { AT_APPLIED = 8, AT_TREE, AT_FAILED };
    ds_result r;
    TRY(query_first_look(control, name, *known, arena, &r, err));
    const char *tree_id = result_text(&r, 0, AT_TREE);
    *out = (ds_first_look){.tree_id = tree_id ? tree_id : ""};
    if (!result_text(&r, 0, 0))
        return DS_DONE;
    ds_stream_row *row = ARENA_NEW(arena, ds_stream_row);
    *row = decode_stream(&r, 0);
    row->failed = result_int(&r, 0, AT_FAILED) != 0;
    if (row->config) {
        int64_t applied_at = control_time_parse(result_text(&r, 0, AT_APPLIED));
        TRY(keep_def(control, arena, row, applied_at, &out->kept, err));
    } else {
        out->kept = *known;
        *known = NULL;
        row->def = out->kept->def;
    }
    out->row = row;
    return DS_DONE;
}

ds_rc control_first_look(ds_control *control, const char *name, ds_arena *arena, ds_first_look *out, ds_error *err)
{
    ds_def_cache *defs = control->runtime->defs;
    const ds_kept_def *known = defs ? def_cache_take(defs, control->merge, name) : NULL;
    *out = (ds_first_look){0};
    ds_rc rc = first_look(control, name, &known, arena, out, err);
    def_cache_give_back(defs, known);
    return rc;
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

ds_rc control_cards(ds_control *control, const char *only, ds_arena *arena, ds_stream_card **out, size_t *n,
                    ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "SELECT name, service, platform, store, schedule, priority, facts, failure, paused, removed FROM ");
    sql_relation(&q, control->names.stream);
    if (only) {
        SQL(&q, " WHERE name = ");
        sql_text(&q, only);
    }
    SQL(&q, " ORDER BY removed, name");
    ds_result r;
    TRY(store_query(control->db, &q, arena, &r, err));
    *n = r.rows;
    *out = ARENA_ARRAY(arena, ds_stream_card, r.rows);
    for (size_t i = 0; i < r.rows; i++)
        (*out)[i] = (ds_stream_card){
            .name = result_text(&r, i, 0),
            .service = result_text(&r, i, 1),
            .platform = result_text(&r, i, 2),
            .store = result_text(&r, i, 3),
            .cron = result_text(&r, i, 4),
            .priority = result_text(&r, i, 5),
            .facts = result_text(&r, i, 6),
            .failure = result_text(&r, i, 7),
            .paused = result_int(&r, i, 8) != 0,
            .removed = result_int(&r, i, 9) != 0,
        };
    return DS_DONE;
}

static void put_stream_values(ds_control *control, const ds_stream_def *def, ds_arena *scratch, int64_t now, ds_sql *q)
{
    json_t *json = def_encode(def), *facts = def_facts(def);
    const char *config = def_json_text(scratch, json), *facts_text = def_json_text(scratch, facts);
    json_decref(json);
    json_decref(facts);
    const char *tree_id = control->runtime->tree_id;
    const char *const TEXTS[] = {def->name,
                                 def->service,
                                 def->platform,
                                 def->store,
                                 def->dataset,
                                 config,
                                 tree_id ? tree_id : "",
                                 def->cron ? def->cron : "",
                                 priority_name(def->priority),
                                 facts_text};
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
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, control->names.stream);
    SQL(&q, " AS s (name, service, platform, store, dataset, config, tree_id, schedule, priority, facts, applied_at, "
            "version, retired) VALUES (");
    put_stream_values(control, def, scratch, now, &q);
    SQL(&q, ", 1, '[]') ON CONFLICT (name) DO UPDATE SET service = excluded.service, platform = excluded.platform, "
            "store = excluded.store, dataset = excluded.dataset, config = excluded.config, "
            "tree_id = excluded.tree_id, schedule = excluded.schedule, priority = excluded.priority, "
            "facts = excluded.facts, applied_at = excluded.applied_at, version = s.version + 1, removed = 0");
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

static ds_rc fill_facts(ds_control *control, ds_stream_row *row, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    ds_error ignored;
    bool damaged;
    if (control_decode_def(scratch, row, &damaged, &ignored).code != DS_OK)
        return DS_DONE;
    json_t *facts = def_facts(row->def);
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    UPDATE_STREAM(&q, control, "facts");
    sql_text(&q, def_json_text(scratch, facts));
    json_decref(facts);
    return update_stream(control, &q, row->name, err);
}

ds_rc control_fill_facts(ds_control *control, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    ds_stream_row *rows;
    size_t n;
    select_streams(control, &q);
    SQL(&q, " WHERE facts IS NULL");
    TRY(query_streams(control, &q, arena, &rows, &n, err));
    for (size_t i = 0; i < n; i++)
        TRY(fill_facts(control, &rows[i], err));
    return DS_DONE;
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

ds_rc control_fail_between(ds_control *control, const char *stream, const char *text, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    UPDATE_STREAM(&q, control, "failure");
    sql_text(&q, text);
    TRY(update_stream(control, &q, stream, err));
    return text ? control_event(control, stream, "failed", text, err) : DS_DONE;
}

ds_rc control_set_resnapshot(ds_control *control, const char *stream, bool wanted, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    UPDATE_STREAM(&q, control, "resnapshot");
    sql_int(&q, wanted);
    return update_stream(control, &q, stream, err);
}

ds_rc control_raise_fence(ds_control *control, const char *stream, ds_fence *out, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    UPDATE_STREAM(&q, control, "fence");
    SQL(&q, "fence + 1 WHERE name = ");
    sql_text(&q, stream);
    SQL(&q, " RETURNING fence, version, removed");
    ds_result r;
    TRY(store_query(control->db, &q, scratch, &r, err));
    if (r.rows == 0)
        return ds_fail(err, DS_USAGE, "no stream \"%s\"", stream);
    if (out)
        *out = (ds_fence){result_int(&r, 0, 0), result_int(&r, 0, 1), result_int(&r, 0, 2) != 0};
    return DS_DONE;
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
