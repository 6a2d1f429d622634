// The branches that `run --follow` follows. Several processes may follow the same one: what they all say is one row.
#include "yellow/control/control_tables.h"

ds_rc control_follows(ds_control *control, ds_arena *arena, ds_follow_row **out, size_t *n, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "SELECT ref, service, commit_id, state, detail, since FROM ");
    sql_relation(&q, control->names.follow);
    SQL(&q, " ORDER BY ref, service");
    ds_result r;
    TRY(store_query(control->db, &q, arena, &r, err));
    *out = ARENA_ARRAY(arena, ds_follow_row, r.rows);
    for (size_t i = 0; i < r.rows; i++)
        (*out)[i] = (ds_follow_row){
            .ref = result_text(&r, i, 0),
            .service = result_text(&r, i, 1),
            .commit = result_text(&r, i, 2),
            .state = result_text(&r, i, 3),
            .detail = result_text(&r, i, 4),
            .since = control_time_parse(result_text(&r, i, 5)),
        };
    *n = r.rows;
    return DS_DONE;
}

// *news: the row said something else.
static ds_rc put_row(ds_control *control, const ds_follow_row *row, bool *news, ds_error *err)
{
    int64_t now = 0, changed = 0;
    TRY(store_now(control->db, &now, err));
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, control->names.follow);
    SQL(&q, " AS was (since, ref, service, commit_id, state, detail) VALUES (");
    control_sql_time(&q, now);
    const char *const texts[] = {row->ref, row->service, row->commit, row->state, row->detail};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        SQL(&q, ", ");
        sql_text(&q, texts[i]);
    }
    SQL(&q, ") ON CONFLICT (ref, service) DO UPDATE SET since = excluded.since, commit_id = excluded.commit_id, "
            "state = excluded.state, detail = excluded.detail WHERE was.commit_id <> excluded.commit_id OR "
            "was.state <> excluded.state OR was.detail <> excluded.detail");
    TRY(store_exec(control->db, &q, &changed, err));
    *news = changed > 0;
    return DS_DONE;
}

static ds_rc put_news(ds_control *control, const ds_follow_row *row, bool *news, ds_error *err)
{
    TRY(put_row(control, row, news, err));
    if (!*news)
        return DS_DONE;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const char *detail =
        arena_printf(arena, "%s %.10s%s%s", row->ref, row->commit, row->detail[0] ? ": " : "", row->detail);
    return control_event(control, NULL, row->state, detail, err);
}

ds_rc control_put_follow(ds_control *control, const ds_follow_row *row, bool *news, ds_error *err)
{
    TRY(store_begin(control->db, BEGIN_WRITE, err));
    ds_rc rc = put_news(control, row, news, err);
    if (rc.code == DS_OK)
        return store_commit(control->db, err);
    store_rollback(control->db);
    return rc;
}

ds_rc control_forget_follows(ds_control *control, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "DELETE FROM ");
    sql_relation(&q, control->names.follow);
    SQL(&q, " WHERE state <> 'applied'");
    return store_exec(control->db, &q, NULL, err);
}
