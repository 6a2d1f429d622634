// The rows of `lease`. What a statement expects stands in its WHERE; transactions are there so that a claim stands
// before it: that of the owner's token, by which others can end what an owner that stands still has left open here.
#include "yellow/control/lock_int.h"

// As somebody wrote it.
typedef struct holder {
    const char *token;
    bool expired;
    ds_process process;
} holder;

static int64_t expiry(const ds_lock *lock, int64_t now)
{
    return now + lock->valid_ms * INT64_C(1000);
}

static ds_rc insert(const ds_lock *lock, const char *name, int64_t now, int64_t *affected, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(lock->control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, lock->control->names.lease);
    SQL(&q, " (stream, owner, owner_host, owner_machine, owner_pid, owner_birth, owner_start, expires_at) VALUES (");
    sql_text(&q, name);
    SQL(&q, ", ");
    sql_text(&q, lock->token);
    SQL(&q, ", ");
    sql_text(&q, lock->self.host);
    SQL(&q, ", ");
    sql_text(&q, lock->self.machine);
    SQL(&q, ", ");
    sql_int(&q, lock->self.pid);
    SQL(&q, ", ");
    sql_int(&q, lock->self.birth);
    SQL(&q, ", ");
    control_sql_time(&q, now);
    SQL(&q, ", ");
    control_sql_time(&q, expiry(lock, now));
    SQL(&q, ") ON CONFLICT (stream) DO NOTHING");
    return store_exec(lock->control->db, &q, affected, err);
}

static void copy_text(char *out, size_t size, const char *text)
{
    size_t n = text ? strnlen(text, size - 1) : 0;
    if (n)
        memcpy(out, text, n);
    out[n] = '\0';
}

// *found: there is a row. Without a time of expiry it has expired.
static ds_rc read_holder(const ds_lock *lock, const char *name, int64_t now, ds_arena *arena, holder *out, bool *found,
                         ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(lock->control->db->dialect);
    SQL(&q, "SELECT owner, owner_machine, owner_pid, owner_birth, CASE WHEN expires_at > ");
    control_sql_time(&q, now);
    SQL(&q, " THEN 0 ELSE 1 END FROM ");
    sql_relation(&q, lock->control->names.lease);
    SQL(&q, " WHERE stream = ");
    sql_text(&q, name);
    ds_result r;
    TRY(store_query(lock->control->db, &q, arena, &r, err));
    *found = r.rows == 1;
    if (!*found)
        return DS_DONE;
    const char *token = result_text(&r, 0, 0);
    *out = (holder){.token = token ? token : "",
                    .expired = result_int(&r, 0, 4) != 0,
                    .process = {.pid = result_int(&r, 0, 2), .birth = result_int(&r, 0, 3)}};
    copy_text(out->process.machine, sizeof out->process.machine, result_text(&r, 0, 1));
    return DS_DONE;
}

bool lock_owner_is_gone(const char *token, const ds_process *process)
{
    const ds_process self = process_self();
    bool is_self = self.machine[0] && strcmp(process->machine, self.machine) == 0 && process->pid == self.pid &&
                   process->birth == self.birth;
    return is_self ? !lock_is_here(token) : process_is_gone(process);
}

static ds_rc take_over(const ds_lock *lock, const char *name, const holder *from, int64_t now, int64_t *affected,
                       ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(lock->control->db->dialect);
    SQL(&q, "UPDATE ");
    sql_relation(&q, lock->control->names.lease);
    SQL(&q, " SET owner = ");
    sql_text(&q, lock->token);
    SQL(&q, ", owner_host = ");
    sql_text(&q, lock->self.host);
    SQL(&q, ", owner_machine = ");
    sql_text(&q, lock->self.machine);
    SQL(&q, ", owner_pid = ");
    sql_int(&q, lock->self.pid);
    SQL(&q, ", owner_birth = ");
    sql_int(&q, lock->self.birth);
    SQL(&q, ", owner_start = ");
    control_sql_time(&q, now);
    SQL(&q, ", expires_at = ");
    control_sql_time(&q, expiry(lock, now));
    SQL(&q, " WHERE stream = ");
    sql_text(&q, name);
    SQL(&q, " AND COALESCE(owner, '') = ");
    sql_text(&q, from->token);
    if (from->expired) { // and was not renewed since we looked
        SQL(&q, " AND COALESCE(expires_at, ");
        control_sql_time(&q, now);
        SQL(&q, ") <= ");
        control_sql_time(&q, now);
    }
    return store_exec(lock->control->db, &q, affected, err);
}

static ds_rc end_with(ds_db *db, ds_rc rc, ds_error *err)
{
    if (rc.code == DS_OK)
        return store_commit(db, err);
    store_rollback(db);
    return rc;
}

static ds_rc claim_token(ds_db *db, const char *token, ds_error *err)
{
    return db->driver->claim ? db->driver->claim(db, token, err) : DS_DONE;
}

// A renewal that stands still would keep the row locked.
static ds_rc take_from(const ds_lock *lock, const char *name, const holder *from, int64_t now, int64_t *affected,
                       ds_error *err)
{
    ds_db *db = lock->control->db;
    if (db->driver->claim_break && from->token[0])
        TRY(db->driver->claim_break(db, from->token, err));
    return take_over(lock, name, from, now, affected, err);
}

static ds_rc take(const ds_lock *lock, const char *name, rows_taken *out, ds_error *err)
{
    TRY(claim_token(lock->control->db, lock->token, err));
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    holder h;
    bool found;
    int64_t now, affected = 0;
    TRY(store_now(lock->control->db, &now, err));
    TRY(read_holder(lock, name, now, arena, &h, &found, err));
    if (!found)
        TRY(insert(lock, name, now, &affected, err));
    else if (strcmp(h.token, lock->token) != 0 && (h.expired || lock_owner_is_gone(h.token, &h.process)))
        TRY(take_from(lock, name, &h, now, &affected, err));
    bool ours = found && strcmp(h.token, lock->token) == 0;
    *out = affected ? ROWS_NEW : ours ? ROWS_OURS : ROWS_BUSY;
    return DS_DONE;
}

ds_rc lock_rows_take(const ds_lock *lock, const char *name, rows_taken *out, ds_error *err)
{
    ds_db *db = lock->control->db;
    TRY(store_begin(db, BEGIN_WRITE_FLEETING, err));
    return end_with(db, take(lock, name, out, err), err);
}

static ds_rc renew(const ds_lock *lock, ds_db *db, int64_t *renewed, ds_error *err)
{
    int64_t now;
    TRY(claim_token(db, lock->token, err));
    TRY(store_now(db, &now, err));
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "UPDATE ");
    sql_relation(&q, lock->control->names.lease);
    SQL(&q, " SET expires_at = ");
    control_sql_time(&q, expiry(lock, now));
    SQL(&q, " WHERE owner = ");
    sql_text(&q, lock->token);
    return store_exec(db, &q, renewed, err);
}

ds_rc lock_rows_renew(const ds_lock *lock, ds_db *db, int64_t *renewed, ds_error *err)
{
    TRY(store_begin(db, BEGIN_WRITE_FLEETING, err));
    return end_with(db, renew(lock, db, renewed, err), err);
}

static ds_rc release(const ds_lock *lock, ds_db *db, const char *name, ds_error *err)
{
    TRY(claim_token(db, lock->token, err));
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "DELETE FROM ");
    sql_relation(&q, lock->control->names.lease);
    SQL(&q, " WHERE owner = ");
    sql_text(&q, lock->token);
    if (name) {
        SQL(&q, " AND stream = ");
        sql_text(&q, name);
    }
    return store_exec(db, &q, NULL, err);
}

ds_rc lock_rows_release(const ds_lock *lock, ds_db *db, const char *name, ds_error *err)
{
    TRY(store_begin(db, BEGIN_WRITE_FLEETING, err));
    return end_with(db, release(lock, db, name, err), err);
}

ds_rc lock_rows_count(const ds_lock *lock, const char *const *names, size_t n, int64_t *out, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(lock->control->db->dialect);
    SQL(&q, "SELECT count(*) FROM ");
    sql_relation(&q, lock->control->names.lease);
    SQL(&q, " WHERE owner = ");
    sql_text(&q, lock->token);
    SQL(&q, " AND stream IN (");
    for (size_t i = 0; i < n; i++) {
        if (i)
            SQL(&q, ", ");
        sql_text(&q, names[i]);
    }
    SQL(&q, ")");
    ds_result r;
    TRY(store_query(lock->control->db, &q, arena, &r, err));
    *out = result_int(&r, 0, 0);
    return DS_DONE;
}

// --- notices

ds_rc lock_notice_put(ds_control *control, const char *name, ds_error *err)
{
    if (lock_by_rows(control->db))
        return DS_DONE;
    int64_t now;
    TRY(store_now(control->db, &now, err));
    ds_process self = process_self();
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, control->names.lease);
    SQL(&q, " (stream, owner_host, owner_pid, owner_start, expires_at) VALUES (");
    sql_text(&q, name);
    SQL(&q, ", ");
    sql_text(&q, self.host);
    SQL(&q, ", ");
    sql_int(&q, self.pid);
    SQL(&q, ", ");
    control_sql_time(&q, now);
    SQL(&q, ", ");
    control_sql_time(&q, now + LOCK_VALID_MS * INT64_C(1000));
    SQL(&q, ") ON CONFLICT (stream) DO UPDATE SET owner_host = excluded.owner_host, owner_pid = excluded.owner_pid, "
            "owner_start = excluded.owner_start, expires_at = excluded.expires_at");
    return store_exec(control->db, &q, NULL, err);
}

ds_rc lock_notice_drop(ds_control *control, const char *name, ds_error *err)
{
    if (lock_by_rows(control->db))
        return DS_DONE;
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "DELETE FROM ");
    sql_relation(&q, control->names.lease);
    SQL(&q, " WHERE stream = ");
    sql_text(&q, name);
    return store_exec(control->db, &q, NULL, err);
}
