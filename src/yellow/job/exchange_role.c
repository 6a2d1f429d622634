// The exchange on a server: a schema and a role of this run. What an earlier run left, because it was killed, goes
// first; nobody else's role is touched.
#include <sys/random.h>

#include "runtime/runtime.h"
#include "yellow/job/exchange.h"

enum { PASSWORD_BYTES = 24, GRACE_S = 60 };
#define ROLE_COMMENT "role of a transformer, made by datasurface"

typedef struct names {
    ds_db *db;
    ds_arena *arena;
    const char *schema, *role, *database;
} names;

static names names_of(const ds_job *job)
{
    const ds_exchange *x = job->exchange;
    return (names){job->control->db, job->arena, x->schema, x->role, x->database};
}

static ds_rc exec(ds_job *job, const ds_sql *q, ds_error *err)
{
    return store_exec(job->control->db, q, NULL, err);
}

// --- dropping

static ds_rc find_role(const names *x, bool *out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(x->db->dialect);
    SQL(&q, "SELECT pg_catalog.shobj_description(oid, 'pg_authid') FROM pg_catalog.pg_roles WHERE rolname = ");
    sql_text(&q, x->role);
    ds_result r;
    TRY(store_query(x->db, &q, x->arena, &r, err));
    *out = r.rows > 0;
    const char *comment = r.rows ? result_text(&r, 0, 0) : NULL;
    if (!r.rows || (comment && strcmp(comment, ROLE_COMMENT) == 0))
        return DS_DONE;
    return ds_hint(ds_fail(err, DS_FINDING, "role \"%s\" is not datasurface's", x->role), err,
                   "it has the name of a transformer's role: rename that role, or the transformer's workspace");
}

// Ends them and waits until they are gone.
static ds_rc end_sessions(const names *x, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(x->db->dialect);
    SQL(&q, "SELECT pg_catalog.pg_terminate_backend(pid, 5000) FROM pg_catalog.pg_stat_activity WHERE usename = ");
    sql_text(&q, x->role);
    ds_result ignored;
    return store_query(x->db, &q, x->arena, &ignored, err);
}

static ds_rc drop_role(const names *x, ds_error *err)
{
    TRY(end_sessions(x, err));
    CLEANUP(sql_release) ds_sql owned = sql_new(x->db->dialect);
    SQL(&owned, "DROP OWNED BY ");
    sql_ident(&owned, x->role);
    TRY(store_exec(x->db, &owned, NULL, err));
    CLEANUP(sql_release) ds_sql role = sql_new(x->db->dialect);
    SQL(&role, "DROP ROLE ");
    sql_ident(&role, x->role);
    return store_exec(x->db, &role, NULL, err);
}

// Rights on the database are one row of the catalogue, which two can't write at a time: until the transaction ends.
static ds_rc wait_for_others(const names *x, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(x->db->dialect);
    SQL(&q, "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('datasurface exchange', 0))");
    ds_result ignored;
    return store_query(x->db, &q, x->arena, &ignored, err);
}

static ds_rc drop_all(const names *x, ds_error *err)
{
    bool found;
    TRY(wait_for_others(x, err));
    TRY(find_role(x, &found, err));
    if (found)
        TRY(drop_role(x, err));
    CLEANUP(sql_release) ds_sql q = sql_new(x->db->dialect);
    SQL(&q, "DROP SCHEMA IF EXISTS ");
    sql_ident(&q, x->schema);
    SQL(&q, " CASCADE"); // ours, and nothing outside of it can be meant to last
    return store_exec(x->db, &q, NULL, err);
}

// --- making

static ds_rc make_password(ds_job *job, ds_error *err)
{
    unsigned char bytes[PASSWORD_BYTES];
    CLEANUP(buf_release) ds_buf hex = BUF_INIT(2 * PASSWORD_BYTES);
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return ds_fail(err, DS_ENV, "no entropy from the operating system");
    buf_put_hex(&hex, bytes, sizeof bytes);
    job->exchange->password = arena_strdup(job->arena, buf_text(&hex));
    return DS_DONE;
}

// Its password is good for this run; we are among its members so that we can end its sessions.
static ds_rc create_role(ds_job *job, ds_error *err)
{
    ds_exchange *x = job->exchange;
    ds_db *db = job->control->db;
    int64_t now_us;
    char until[CLOCK_TEXT];
    TRY(make_password(job, err));
    TRY(store_now(db, &now_us, err));
    clock_format_iso(now_us + (job->def->command->timeout_s + GRACE_S) * INT64_C(1000000), until);
    CLEANUP(sql_release) ds_sql role = sql_new(db->dialect);
    SQL(&role, "CREATE ROLE ");
    sql_ident(&role, x->role);
    SQL(&role, " LOGIN NOINHERIT PASSWORD ");
    sql_literal_text(&role, x->password);
    SQL(&role, " VALID UNTIL ");
    sql_literal_text(&role, until);
    SQL(&role, " ROLE CURRENT_USER");
    ds_rc rc = exec(job, &role, err);
    if (rc.code != DS_OK)
        return ds_hint(ds_context(rc, err, "the transformer's role"), err,
                       "the merge database's credential needs CREATEROLE to run commands");
    CLEANUP(sql_release) ds_sql comment = sql_new(db->dialect);
    SQL(&comment, "COMMENT ON ROLE ");
    sql_ident(&comment, x->role);
    SQL(&comment, " IS '" ROLE_COMMENT "'");
    TRY(exec(job, &comment, err));
    CLEANUP(sql_release) ds_sql isolation = sql_new(db->dialect);
    SQL(&isolation, "ALTER ROLE ");
    sql_ident(&isolation, x->role);
    SQL(&isolation, " SET default_transaction_isolation TO 'repeatable read'");
    return exec(job, &isolation, err);
}

static void to_role(const ds_job *job, ds_sql *q)
{
    SQL(q, " TO ");
    sql_ident(q, job->exchange->role);
}

static ds_rc grant_schema(ds_job *job, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "GRANT USAGE ON SCHEMA ");
    sql_ident(&q, job->exchange->schema);
    to_role(job, &q);
    return exec(job, &q, err);
}

// Where not everybody may connect. Who may not grant it is told so by a notice, and the role can't log in.
static ds_rc grant_connect(ds_job *job, ds_error *err)
{
    CLEANUP(sql_release) ds_sql ask = sql_new(job->control->db->dialect);
    SQL(&ask, "SELECT pg_catalog.has_database_privilege('public', pg_catalog.current_database(), 'CONNECT')::int");
    ds_result r;
    TRY(store_query(job->control->db, &ask, job->arena, &r, err));
    if (result_int(&r, 0, 0))
        return DS_DONE;
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "GRANT CONNECT ON DATABASE ");
    sql_ident(&q, job->exchange->database);
    to_role(job, &q);
    return exec(job, &q, err);
}

static ds_rc make_view(ds_job *job, ds_relation view, const ds_sql *select, ds_error *err)
{
    ds_db *db = job->control->db;
    CLEANUP(sql_release) ds_sql create = sql_new(db->dialect);
    SQL(&create, "CREATE OR REPLACE VIEW "); // several groups may name one dataset
    sql_relation(&create, view);
    SQL(&create, " AS ");
    sql_append(&create, select);
    TRY(exec(job, &create, err));
    CLEANUP(sql_release) ds_sql grant = sql_new(db->dialect);
    SQL(&grant, "GRANT SELECT ON ");
    sql_relation(&grant, view);
    to_role(job, &grant);
    return exec(job, &grant, err);
}

static ds_rc make_input(ds_job *job, const ds_exchange_input *input, ds_error *err)
{
    ds_db *db = job->control->db;
    CLEANUP(sql_release) ds_sql rows = sql_new(db->dialect);
    exchange_rows_sql(job, input, &rows);
    TRY(make_view(job, input->rows, &rows, err));
    if (!input->changes.name)
        return DS_DONE;
    CLEANUP(sql_release) ds_sql changes = sql_new(db->dialect);
    TRY(exchange_changes_sql(job, db, input, &changes, err));
    return make_view(job, input->changes, &changes, err);
}

static ds_rc make_output(ds_job *job, const ds_dataset_def *dataset, ds_error *err)
{
    ds_db *db = job->control->db;
    CLEANUP(sql_release) ds_sql create = sql_new(db->dialect);
    exchange_table_sql(exchange_output(dataset), dataset->shape, true, &create);
    TRY(exec(job, &create, err));
    CLEANUP(sql_release) ds_sql grant = sql_new(db->dialect);
    SQL(&grant, "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ");
    sql_relation(&grant, exchange_output(dataset));
    to_role(job, &grant);
    return exec(job, &grant, err);
}

static ds_rc make_all(ds_job *job, ds_error *err)
{
    const names x = names_of(job);
    TRY(drop_all(&x, err));
    TRY(exchange_look(job, job->control->db, err));
    TRY(create_role(job, err));
    TRY(grant_connect(job, err));
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "CREATE SCHEMA ");
    sql_ident(&q, x.schema);
    TRY(exec(job, &q, err));
    TRY(grant_schema(job, err));
    for (size_t i = 0; i < job->exchange->n; i++)
        TRY(make_input(job, &job->exchange->inputs[i], err));
    for (size_t i = 0; i < job->work_count; i++)
        TRY(make_output(job, job->work[i].def, err));
    return DS_DONE;
}

static ds_rc look_up_names(ds_control *control, const ds_stream_def *def, ds_arena *arena, names *out, ds_error *err)
{
    ds_name_rules rules = control->db->dialect->names;
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "SELECT pg_catalog.current_database()");
    ds_result r;
    TRY(store_query(control->db, &q, arena, &r, err));
    *out = (names){.db = control->db, .arena = arena, .database = result_text(&r, 0, 0)};
    const char *parts[] = {arena_printf(arena, "dt_%s", def->platform), def->workspace, out->database};
    out->role = naming_role(arena, rules, parts, 3);
    out->schema = naming_exchange(arena, rules, def->platform, def->workspace, "in", "", "").schema;
    return DS_DONE;
}

ds_rc exchange_role_make(ds_job *job, ds_error *err)
{
    ds_exchange *x = job->exchange;
    names found;
    TRY(look_up_names(job->control, job->def, job->arena, &found, err));
    x->container = *job->control->merge;
    x->schema = found.schema;
    x->role = found.role;
    x->database = found.database;
    TRY(lease_begin(job, err));
    TRY(lease_end(job, make_all(job, err), err));
    x->made = true;
    return DS_DONE;
}

// --- afterwards

static ds_rc close_role(ds_job *job, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(job->control->db->dialect);
    SQL(&q, "ALTER ROLE ");
    sql_ident(&q, job->exchange->role);
    SQL(&q, " NOLOGIN PASSWORD NULL");
    return exec(job, &q, err);
}

ds_rc exchange_role_close(ds_job *job, ds_error *err)
{
    const names x = names_of(job);
    TRY(lease_begin(job, err));
    TRY(lease_end(job, close_role(job, err), err));
    return end_sessions(&x, err);
}

ds_rc exchange_role_drop(ds_job *job, ds_error *err)
{
    const names x = names_of(job);
    TRY(lease_begin(job, err));
    return lease_end(job, drop_all(&x, err), err);
}

ds_rc exchange_role_drop_left(ds_control *control, const ds_stream_def *def, ds_arena *arena, ds_error *err)
{
    names x;
    TRY(look_up_names(control, def, arena, &x, err));
    return drop_all(&x, err);
}
