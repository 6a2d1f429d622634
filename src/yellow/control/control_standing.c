// What schedulers of all processes tell each other through the control tables: where each stream stands, who wants one,
// and how much of each container may be used.
#include <stdio.h>

#include "yellow/control/control_tables.h"
#include "yellow/control/lock.h"

enum {
    AT_NAME,
    AT_VERSION,
    AT_PAUSED,
    AT_HELD,
    AT_WANTED,
    AT_MACHINE,
    AT_PID,
    AT_BIRTH,
    AT_OWNER,
    AT_BEGUN,
    AT_STATUS,
    AT_COMMITTED,
    AT_RETRY,
};

// The stream's newest batch, by the primary key: a join may look the best plan to an engine that doesn't know yet how
// many batches there are.
#define NEWEST(q, control, columns)                                                                                    \
    do {                                                                                                               \
        SQL((q), "(SELECT " columns " FROM ");                                                                         \
        sql_relation((q), (control)->names.batch);                                                                     \
        SQL((q), " x WHERE x.stream = s.name ORDER BY x.batch_id DESC LIMIT 1)");                                      \
    } while (0)

static void select_newest(const ds_control *control, ds_sql *q)
{
    if (control->db->dialect->has_lateral) {
        SQL(q, ", b.started_at, b.status, b.committed_at, b.retry_at");
        return;
    }
    SQL(q, ", ");
    NEWEST(q, control, "x.started_at");
    SQL(q, ", ");
    NEWEST(q, control, "x.status");
    SQL(q, ", ");
    NEWEST(q, control, "x.committed_at");
    SQL(q, ", ");
    NEWEST(q, control, "x.retry_at");
}

static void join_newest(const ds_control *control, ds_sql *q)
{
    if (!control->db->dialect->has_lateral)
        return;
    SQL(q, " LEFT JOIN LATERAL ");
    NEWEST(q, control, "x.started_at, x.status, x.committed_at, x.retry_at");
    SQL(q, " b ON true");
}

// The columns in the order above.
static void select_standings(const ds_control *control, int64_t now_us, ds_sql *q)
{
    SQL(q, "SELECT s.name, s.version, s.paused, CASE WHEN l.owner IS NOT NULL AND l.expires_at > ");
    control_sql_time(q, now_us);
    SQL(q, " THEN 1 ELSE 0 END, t.wanted_at, l.owner_machine, l.owner_pid, l.owner_birth, l.owner");
    select_newest(control, q);
    SQL(q, " FROM ");
    sql_relation(q, control->names.stream);
    SQL(q, " s LEFT JOIN ");
    sql_relation(q, control->names.lease);
    SQL(q, " l ON l.stream = s.name LEFT JOIN ");
    sql_relation(q, control->names.trigger);
    SQL(q, " t ON t.stream = s.name");
    join_newest(control, q);
    SQL(q, " WHERE s.removed = 0 ORDER BY s.name");
}

// A lease whose holder is gone for certain, a job of ours that could not give it back too, is free for whoever takes
// it: its time need not run out.
static bool is_held(const ds_result *r, size_t i)
{
    if (result_int(r, i, AT_HELD) == 0)
        return false;
    ds_process holder = {.pid = result_int(r, i, AT_PID), .birth = result_int(r, i, AT_BIRTH)};
    snprintf(holder.machine, sizeof holder.machine, "%s", str_of(result_text(r, i, AT_MACHINE)).p);
    return !lock_owner_is_gone(str_of(result_text(r, i, AT_OWNER)).p, &holder);
}

static ds_stream_standing decode_standing(const ds_result *r, size_t i)
{
    const char *status = result_text(r, i, AT_STATUS);
    return (ds_stream_standing){
        .name = result_text(r, i, AT_NAME),
        .version = result_int(r, i, AT_VERSION),
        .paused = result_int(r, i, AT_PAUSED) != 0,
        .held = is_held(r, i),
        .wanted_at = control_time_parse(result_text(r, i, AT_WANTED)),
        .begun_at = control_time_parse(result_text(r, i, AT_BEGUN)),
        .open = status && strcmp(status, "committed") != 0,
        .committed_at = control_time_parse(result_text(r, i, AT_COMMITTED)),
        .retry_at = control_time_parse(result_text(r, i, AT_RETRY)),
    };
}

ds_rc control_standings(ds_control *control, ds_arena *arena, ds_stream_standing **out, size_t *n, int64_t *now_us,
                        ds_error *err)
{
    TRY(store_now(control->db, now_us, err));
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    select_standings(control, *now_us, &q);
    ds_result r;
    TRY(store_query(control->db, &q, arena, &r, err));
    ds_stream_standing *list = ARENA_ARRAY(arena, ds_stream_standing, r.rows);
    for (size_t i = 0; i < r.rows; i++)
        list[i] = decode_standing(&r, i);
    *out = list;
    *n = r.rows;
    return DS_DONE;
}

// --- somebody wants a stream

static void update_open_batch(const ds_control *control, ds_sql *q)
{
    SQL(q, "UPDATE ");
    sql_relation(q, control->names.batch);
    SQL(q, " SET retry_at = NULL");
}

static void where_open(ds_sql *q, const char *stream)
{
    SQL(q, " WHERE stream = ");
    sql_text(q, stream);
    SQL(q, " AND status <> 'committed'");
}

static ds_rc put_trigger(ds_control *control, const char *stream, ds_error *err)
{
    int64_t now = 0;
    TRY(store_now(control->db, &now, err));
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, control->names.trigger);
    SQL(&q, " (stream, wanted_at) VALUES (");
    sql_text(&q, stream);
    SQL(&q, ", ");
    control_sql_time(&q, now);
    SQL(&q, ") ON CONFLICT (stream) DO UPDATE SET wanted_at = excluded.wanted_at");
    return store_exec(control->db, &q, NULL, err);
}

ds_rc control_trigger(ds_control *control, const char *stream, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    update_open_batch(control, &q);
    where_open(&q, stream);
    TRY(store_exec(control->db, &q, NULL, err));
    return put_trigger(control, stream, err);
}

ds_rc control_retry_now(ds_control *control, const char *stream, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    update_open_batch(control, &q);
    SQL(&q, ", attempts = 0");
    where_open(&q, stream);
    return store_exec(control->db, &q, NULL, err);
}

// --- caps

ds_rc control_containers(ds_control *control, ds_arena *arena, ds_container_caps **out, size_t *n, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "SELECT name, connections, writers, rows_per_second FROM ");
    sql_relation(&q, control->names.container);
    SQL(&q, " ORDER BY name");
    ds_result r;
    TRY(store_query(control->db, &q, arena, &r, err));
    ds_container_caps *list = ARENA_ARRAY(arena, ds_container_caps, r.rows);
    for (size_t i = 0; i < r.rows; i++)
        list[i] = (ds_container_caps){.name = result_text(&r, i, 0),
                                      .connections = result_int(&r, i, 1),
                                      .writers = result_int(&r, i, 2),
                                      .rows_per_second = result_int(&r, i, 3)};
    *out = list;
    *n = r.rows;
    return DS_DONE;
}

ds_rc control_put_container(ds_control *control, const ds_container_caps *caps, ds_error *err)
{
    const int64_t CAPS[] = {caps->connections, caps->writers, caps->rows_per_second};
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, control->names.container);
    SQL(&q, " (name, connections, writers, rows_per_second) VALUES (");
    sql_text(&q, caps->name);
    for (size_t i = 0; i < sizeof CAPS / sizeof CAPS[0]; i++) {
        SQL(&q, ", ");
        if (CAPS[i])
            sql_int(&q, CAPS[i]);
        else
            SQL(&q, "NULL");
    }
    SQL(&q, ") ON CONFLICT (name) DO UPDATE SET connections = excluded.connections, writers = excluded.writers, "
            "rows_per_second = excluded.rows_per_second");
    return store_exec(control->db, &q, NULL, err);
}
