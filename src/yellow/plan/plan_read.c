// What is there: control tables and catalogue.
#include "yellow/def/def_json.h"
#include "yellow/plan/plan_int.h"

const char *plan_relation_key(ds_arena *arena, ds_relation relation)
{
    char *key = arena_printf(arena, "%s.%s", relation.schema ? relation.schema : "", relation.name);
    str_lower(key); // engines compare our names without case, or keep them in lower case
    return key;
}

const ds_catalog_table *plan_catalog(const ds_planner *p, ds_relation relation)
{
    return map_get(p->catalog, plan_relation_key(p->arena, relation));
}

static ds_rc read_catalog(ds_planner *p, ds_error *err)
{
    const ds_catalog_table *tables;
    size_t n;
    ds_db *db = p->control->db;
    TRY(db->driver->list(db, p->arena, &tables, &n, err));
    for (size_t i = 0; i < n; i++)
        map_set(p->catalog, plan_relation_key(p->arena, tables[i].relation), (void *)(uintptr_t)&tables[i]);
    return DS_DONE;
}

static void own_tables(ds_planner *p, const char *stream, const ds_dataset_def *dataset)
{
    const ds_relation RELATIONS[] = {dataset->merge, dataset->staging, dataset->history, dataset->rejects};
    for (size_t i = 0; i < sizeof RELATIONS / sizeof RELATIONS[0]; i++)
        if (RELATIONS[i].name && RELATIONS[i].name[0])
            map_set(p->table_owner, plan_relation_key(p->arena, RELATIONS[i]), (void *)(uintptr_t)stream);
}

// The datasets that a stream gave up.
static ds_rc read_retired(ds_planner *p, const char *stream, plan_retired *out, ds_error *err)
{
    TRY(control_retired(p->control, stream, p->arena, &out->text, err));
    json_t *list = json_loads(out->text, 0, NULL);
    out->n = json_array_size(list);
    out->datasets = ARENA_ARRAY(p->arena, ds_dataset_def, out->n);
    ds_rc rc = list ? DS_DONE : ds_fail(err, DS_FINDING, "its retired datasets are no JSON");
    for (size_t i = 0; rc.code == DS_OK && i < out->n; i++)
        rc = def_decode_dataset(p->arena, json_array_get(list, i), &out->datasets[i], err);
    json_decref(list);
    return ds_context(rc, err, "stream %s", stream);
}

// Of a definition that is damaged nothing is known: its tables are taken for those of the model, if that still has the
// stream, and are compared with the catalogue as ever; the definition is written again.
static ds_rc read_def(ds_planner *p, ds_stream_row *row, ds_error *err)
{
    bool damaged;
    ds_rc rc = control_decode_def(p->arena, row, &damaged, err);
    for (size_t i = 0; damaged && i < p->deployment->n; i++) {
        if (strcmp(p->deployment->streams[i]->name, row->name) != 0)
            continue;
        row->def = p->deployment->streams[i];
        map_set(p->damaged, row->name, row);
        return DS_DONE;
    }
    if (damaged)
        return ds_hint(rc, err, "the model has no such stream: give it back for one datasurface apply");
    return rc;
}

static ds_rc read_streams(ds_planner *p, ds_error *err)
{
    TRY(control_streams_stored(p->control, p->arena, &p->rows, &p->row_count, err));
    for (size_t i = 0; i < p->row_count; i++)
        TRY(read_def(p, &p->rows[i], err));
    p->retired = ARENA_ARRAY(p->arena, plan_retired, p->row_count);
    for (size_t i = 0; i < p->row_count; i++) {
        const ds_stream_row *row = &p->rows[i];
        (void)map_add(p->row_by_name, row->name, (void *)(uintptr_t)row);
        TRY(read_retired(p, row->name, &p->retired[i], err));
        for (size_t k = 0; k < p->retired[i].n; k++) // their tables are still the stream's
            own_tables(p, row->name, &p->retired[i].datasets[k]);
        for (size_t k = 0; k < row->def->dataset_count; k++)
            own_tables(p, row->name, &row->def->datasets[k]);
    }
    return DS_DONE;
}

static ds_rc read_views(ds_planner *p, ds_error *err)
{
    TRY(control_views(p->control, p->arena, &p->views, &p->view_count, err));
    for (size_t i = 0; i < p->view_count; i++) {
        ds_view_row *row = &p->views[i];
        map_set(p->view_by_name, plan_relation_key(p->arena, row->relation), row);
        plan_view_rows *of = map_get(p->views_of, row->stream);
        if (!of)
            map_set(p->views_of, row->stream, of = ARENA_NEW(p->arena, plan_view_rows));
        *VEC_PUSH(p->arena, of) = row;
    }
    return DS_DONE;
}

// A model that changed without any effect here is still recorded as the one applied last.
static ds_rc read_tree(ds_planner *p, ds_error *err)
{
    const char *tree_id = p->runtime->tree_id ? p->runtime->tree_id : "";
    const char *commit = p->runtime->commit ? p->runtime->commit : "";
    ds_applied_model last;
    TRY(control_applied_last(p->control, p->arena, &last, err));
    p->steps->new_tree = strcmp(last.tree_id, tree_id) != 0 || (commit[0] && strcmp(last.commit, commit) != 0);
    return DS_DONE;
}

static ds_rc read_replicas(ds_planner *p, ds_error *err)
{
    if (p->deployment->home)
        return DS_DONE;
    return control_replicas(p->control, p->deployment->service->name.s, p->arena, &p->steps->replicas,
                            &p->steps->replica_count, err);
}

static bool control_is_whole(ds_planner *p)
{
    ds_control_names names = control_names(p->arena, p->deployment->dialect);
    const ds_relation RELATIONS[CONTROL_TABLE_COUNT] = {names.meta,          names.stream,  names.batch,
                                                        names.dataset_batch, names.lease,   names.container,
                                                        names.restart,       names.applied, names.event,
                                                        names.view,          names.trigger, names.follow};
    for (size_t i = 0; i < CONTROL_TABLE_COUNT; i++)
        if (!plan_catalog(p, RELATIONS[i]))
            return false;
    return true;
}

ds_rc plan_read(ds_planner *p, ds_error *err)
{
    p->catalog = map_new(p->arena);
    p->row_by_name = map_new(p->arena);
    p->damaged = map_new(p->arena);
    p->table_owner = map_new(p->arena);
    p->view_by_name = map_new(p->arena);
    p->views_of = map_new(p->arena);
    p->view_wanted = map_new(p->arena);
    p->in_model = map_new(p->arena);
    p->moved = map_new(p->arena);
    p->steps->create_control = p->steps->new_tree = true;
    if (!p->control)
        return DS_DONE;
    TRY(read_catalog(p, err));
    TRY(store_now(p->control->db, &p->now_us, err));
    int64_t version;
    TRY(control_version(p->control, &version, err));
    p->has_control = version > 0;
    p->steps->older = version > 0 && version < CONTROL_SCHEMA_VERSION;
    if (!p->has_control || p->steps->older)
        return DS_DONE;
    p->steps->create_control = !control_is_whole(p);
    TRY(read_streams(p, err));
    TRY(read_views(p, err));
    TRY(read_replicas(p, err));
    return read_tree(p, err);
}
