// The databases that get replicas from a merge database: rows of `meta`, "replica SERVICE CONTAINER" with the container
// as JSON. The model may forget them before what they hold is dropped.
#include "yellow/control/control_tables.h"
#include "yellow/def/def_json.h"

#define PREFIX "replica "

static const char *key_of(ds_arena *arena, const char *service, const char *container)
{
    return arena_printf(arena, PREFIX "%s %s", service, container);
}

static ds_rc decode(ds_arena *arena, const char *key, const char *text, ds_container_def *out, ds_error *err)
{
    json_t *json = json_loads(text, 0, NULL);
    ds_rc rc = def_decode_container(arena, json, out, err);
    json_decref(json);
    return ds_context(rc, err, "damaged control table meta: %s", key);
}

ds_rc control_replicas(ds_control *control, const char *service, ds_arena *arena, ds_container_def **out, size_t *n,
                       ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "SELECT key, value FROM ");
    sql_relation(&q, control->names.meta);
    SQL(&q, " WHERE key LIKE 'replica %' ORDER BY key");
    ds_result r;
    TRY(store_query(control->db, &q, arena, &r, err));
    ds_str ours = str_of(key_of(arena, service, ""));
    ds_container_def *list = ARENA_ARRAY(arena, ds_container_def, r.rows);
    size_t count = 0;
    for (size_t i = 0; i < r.rows; i++)
        if (str_starts(str_of(result_text(&r, i, 0)), ours))
            TRY(decode(arena, result_text(&r, i, 0), result_text(&r, i, 1), &list[count++], err));
    *out = list;
    *n = count;
    return DS_DONE;
}

ds_rc control_put_replica(ds_control *control, const char *service, const ds_container_def *container, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    json_t *json = def_encode_container(container);
    const char *text = def_json_text(scratch, json);
    json_decref(json);
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, control->names.meta);
    SQL(&q, " (key, value) VALUES (");
    sql_text(&q, key_of(scratch, service, container->name));
    SQL(&q, ", ");
    sql_text(&q, text);
    SQL(&q, ") ON CONFLICT (key) DO UPDATE SET value = excluded.value");
    return store_exec(control->db, &q, NULL, err);
}

ds_rc control_forget_replica(ds_control *control, const char *service, const char *container, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "DELETE FROM ");
    sql_relation(&q, control->names.meta);
    SQL(&q, " WHERE key = ");
    sql_text(&q, key_of(scratch, service, container));
    return store_exec(control->db, &q, NULL, err);
}
