// Transactions. A round trip is dear beside a small statement, so BEGIN and what each transaction relies on wait for
// the first statement and travel with it, and COMMIT, too, where the statement is all there is. They are a pipeline
// (https://www.postgresql.org/docs/15/libpq-pipeline-mode.html) with one synchronization at its end: what comes after a
// failure is not run, and a pooler sees one exchange.
#include <stdio.h>
#include <string.h>

#include "store/postgres/pg_int.h"

enum { IDLE_WRITER_S = 20 };

// --- a pipeline

// What goes in one round trip. The first failure stays.
typedef struct trip {
    ds_pg *db;
    size_t sent; // statements whose results are to come
    ds_rc rc;
    ds_error *err;
} trip;

static void need(trip *t, bool good)
{
    if (!good && t->rc.code == DS_OK)
        t->rc = pg_fail_connection(t->db, t->err);
}

static void send_sql(trip *t, const ds_sql *sql)
{
    if (t->rc.code == DS_OK)
        t->rc = pg_check_text(t->db, sql, t->err);
    if (t->rc.code != DS_OK)
        return;
    need(t, pg_send(t->db, sql));
    t->sent++;
}

static void send_text(trip *t, const char *fixed)
{
    CLEANUP(sql_release) ds_sql q = sql_new(t->db->db.dialect);
    sql_add_fixed(&q, fixed, strlen(fixed));
    send_sql(t, &q);
}

// The last result of the next statement; the caller clears it. NULL for out: it isn't wanted.
static void take(trip *t, PGresult **out)
{
    ds_error later;
    if (t->sent == 0 || t->db->broken)
        return;
    t->sent--;
    ds_rc rc = pg_finish(t->db, out, t->rc.code == DS_OK ? t->err : &later);
    if (t->rc.code == DS_OK)
        t->rc = rc;
}

// The end that PQpipelineSync has asked for: from here on the connection is as it was before.
static void leave(trip *t)
{
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    ds_error later;
    if (t->db->broken)
        return;
    ds_rc rc = pg_next_result(t->db, &result, t->rc.code == DS_OK ? t->err : &later);
    if (t->rc.code == DS_OK)
        t->rc = rc;
    if (rc.code == DS_OK)
        need(t, PQresultStatus(result) == PGRES_PIPELINE_SYNC && PQexitPipelineMode(t->db->conn));
    t->db->broken |= PQpipelineStatus(t->db->conn) != PQ_PIPELINE_OFF;
}

// --- what stands at a transaction's beginning

static void put_setting(ds_sql *q, const char *name, const char *value)
{
    SQL(q, ", pg_catalog.set_config(");
    sql_literal_text(q, name);
    SQL(q, ", ");
    sql_text(q, value); // a parameter: nobody knows yet how the server reads a backslash in a literal
    SQL(q, ", true)");
}

static void put_setting_int(ds_sql *q, const char *name, int value)
{
    char text[16];
    snprintf(text, sizeof text, "%d", value);
    put_setting(q, name, text);
}

// The server's process and clock, what every transaction relies on, whoever had the server's connection before, and
// claims.
static void select_settings(const ds_pg *db, ds_sql *q)
{
    static const char *const FIXED[][2] = {
        {"timezone", "UTC"},           {"datestyle", "ISO, YMD"},
        {"intervalstyle", "postgres"}, {"bytea_output", "hex"},
        {"extra_float_digits", "3"},   {"standard_conforming_strings", "on"},
        {"statement_timeout", "0"},    {"jit", "off"},
        {"row_security", "off"}, // a policy that hides rows from us must be an error, not an emptier table
    };
    CLEANUP(sql_release) ds_sql schema = sql_new(db->db.dialect);
    sql_ident(&schema, db->schema);
    SQL(q, "SELECT pg_catalog.pg_backend_pid(), " PG_CLOCK);
    put_setting(q, "search_path", buf_text(&schema.text));
    for (size_t i = 0; i < sizeof FIXED / sizeof FIXED[0]; i++)
        put_setting(q, FIXED[i][0], FIXED[i][1]);
    put_setting_int(q, "lock_timeout", db->busy_timeout_ms);
    if (db->shared)
        put_setting(q, "application_name", db->purpose);
    if (db->kind == BEGIN_READ) // it waits while the merge database works
        put_setting(q, "max_parallel_workers_per_gather", "0");
    if (db->kind == BEGIN_WRITE_FLEETING)
        put_setting(q, "synchronous_commit", "off");
    // A writer that stands still must not hold up the next owner of its stream.
    put_setting_int(q, "idle_in_transaction_session_timeout", db->kind == BEGIN_READ ? 0 : IDLE_WRITER_S * 1000);
    for (size_t i = 0; i < db->claim_count; i++) {
        SQL(q, ", pg_catalog.pg_advisory_xact_lock_shared(");
        sql_int(q, db->claims[i]);
        SQL(q, ")");
    }
}

// These statements take no snapshot; the first query does, which comes after them.
static void send_locks(trip *t, const ds_snapshot *snapshot)
{
    CLEANUP(sql_release) ds_sql timeout = sql_new(t->db->db.dialect), lock = sql_new(t->db->db.dialect);
    SQL(&timeout, "SET LOCAL lock_timeout = ");
    sql_literal_int(&timeout, t->db->busy_timeout_ms);
    SQL(&lock, "LOCK TABLE ");
    for (size_t i = 0; i < snapshot->n; i++) {
        if (i)
            SQL(&lock, ", ");
        sql_relation(&lock, (ds_relation){pg_schema_of(t->db, snapshot->tables[i]), snapshot->tables[i].name});
    }
    SQL(&lock, " IN ACCESS SHARE MODE");
    send_text(t, "SET LOCAL statement_timeout = 0");
    send_sql(t, &timeout);
    send_sql(t, &lock);
}

static void send_begin(trip *t, const ds_snapshot *snapshot)
{
    bool reads = t->db->kind == BEGIN_READ;
    send_text(t, reads ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
                       : "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
    if (snapshot && snapshot->shared) {
        CLEANUP(sql_release) ds_sql q = sql_new(t->db->db.dialect);
        SQL(&q, "SET TRANSACTION SNAPSHOT ");
        sql_literal_text(&q, snapshot->shared);
        send_sql(t, &q);
    }
    if (snapshot && snapshot->n)
        send_locks(t, snapshot);
    CLEANUP(sql_release) ds_sql settings = sql_new(t->db->db.dialect);
    select_settings(t->db, &settings);
    send_sql(t, &settings);
}

// A standby refuses the very BEGIN of a transaction that writes: "feature not supported".
static bool is_standby(const ds_pg *db, const ds_error *err)
{
    return db->kind != BEGIN_READ && strcmp(err->state, "0A000") == 0;
}

static ds_rc only_reads(const ds_pg *db, ds_error *err)
{
    return ds_hint(ds_fail(err, DS_ENV, "%s: the server is a standby, which only allows reading", db->label), err,
                   "name the primary in the container; a standby can only be a source");
}

static void take_begin(trip *t, size_t n)
{
    ds_pg *db = t->db;
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    while (n-- > 1)
        take(t, NULL);
    take(t, &result);
    if (t->rc.code != DS_OK) {
        t->rc = is_standby(db, t->err) ? only_reads(db, t->err) : t->rc;
        return;
    }
    int64_t backend = 0;
    str_int64(str_of(PQgetvalue(result, 0, 0)), &backend);
    db->backend = (int)backend;
    db->direct = db->backend == PQbackendPID(db->conn);
    str_int64(str_of(PQgetvalue(result, 0, 1)), &db->clock_us);
    db->told_s = clock_elapsed_s();
}

// --- beginning

// What a transaction begins with, and how it does.
typedef struct beginning {
    const ds_snapshot *snapshot; // NULL: no tables to hold
    const ds_sql *first;         // its first statement; NULL: not yet
    bool whole;                  // which is also the last
    PGresult *result;            // of that statement
} beginning;

static ds_rc travel(ds_pg *db, beginning *b, ds_error *err)
{
    trip t = {.db = db, .err = err};
    if (!PQenterPipelineMode(db->conn))
        return pg_fail_connection(db, err);
    send_begin(&t, b->snapshot);
    size_t n = t.sent;
    // Behind a pooler only the server can say which of its processes it is, and must do so before a long statement.
    if (!db->direct)
        need(&t, PQsendFlushRequest(db->conn));
    if (b->first)
        send_sql(&t, b->first);
    if (b->whole)
        send_text(&t, "COMMIT");
    need(&t, PQpipelineSync(db->conn));
    take_begin(&t, n);
    if (b->first)
        take(&t, &b->result);
    if (b->whole)
        take(&t, NULL);
    leave(&t);
    return t.rc;
}

// A connection that the server has closed in the meantime (a restart, an idle timeout) is noticed by its first use. All
// that may be sent again then is what the server forgets with the connection, and what only reads.
static ds_rc begin(ds_pg *db, beginning *b, ds_error *err)
{
    db->backend = 0;
    ds_rc rc = travel(db, b, err);
    if (rc.code == DS_ENV && db->broken && !db->backend) {
        pg_result_clearp(&b->result);
        rc = pg_reconnect(db, err);
        if (rc.code == DS_OK)
            rc = travel(db, b, err);
    }
    db->in_transaction = true;
    db->due = false;
    return rc;
}

// The transaction that was promised by pg_begin. Without it nothing may be run any more.
static ds_rc begin_due(ds_pg *db, beginning *b, ds_error *err)
{
    ds_rc rc = begin(db, b, err);
    db->broken |= db->backend == 0;
    return rc;
}

static ds_rc check_begin(ds_pg *db, ds_begin kind, ds_error *err)
{
    if (db->in_transaction)
        return ds_fail(err, DS_INTERNAL, "%s: a transaction is open already", db->label);
    if (kind != BEGIN_READ && db->read_only)
        return ds_fail(err, DS_INTERNAL, "%s: opened for reading only", db->label);
    TRY(pg_connected(db, err));
    if (db->broken)
        TRY(pg_reconnect(db, err));
    db->kind = kind;
    db->claim_count = 0;
    return pg_call_begin(db, err);
}

ds_rc pg_begin_on(ds_pg *db, ds_begin kind, const ds_snapshot *snapshot, ds_error *err)
{
    TRY(check_begin(db, kind, err));
    db->touched += snapshot ? snapshot->n : 0;
    ds_rc rc = begin(db, &(beginning){.snapshot = snapshot}, err);
    if (rc.code != DS_OK)
        pg_rollback(&db->db);
    return rc;
}

// A snapshot is fixed at once; for others the first statement is early enough.
ds_rc pg_begin(ds_db *base, ds_begin kind, ds_error *err)
{
    ds_pg *db = (ds_pg *)base;
    if (kind == BEGIN_READ)
        return pg_begin_on(db, kind, NULL, err);
    TRY(check_begin(db, kind, err));
    db->in_transaction = db->due = true;
    return DS_DONE;
}

bool pg_begin_claims(ds_pg *db, int64_t key)
{
    if (!db->due || db->claim_count == PG_CLAIMS_MAX)
        return false;
    db->claims[db->claim_count++] = key;
    return true;
}

// --- ending

ds_rc pg_commit(ds_db *base, ds_error *err)
{
    ds_pg *db = (ds_pg *)base;
    if (!db->in_transaction)
        return ds_fail(err, DS_INTERNAL, "%s: commit without a transaction", db->label);
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    bool nothing = db->due;
    ds_rc rc = pg_call_begin(db, err);
    if (rc.code == DS_OK && !nothing)
        rc = pg_run_text(db, "COMMIT", &result, err);
    db->in_transaction = db->due = false;
    db->backend = 0;
    // After a failed statement the server answers COMMIT with ROLLBACK, and without an error.
    if (rc.code == DS_OK && !nothing && strcmp(PQcmdStatus(result), "COMMIT") != 0)
        rc = ds_fail(err, DS_INTERNAL, "%s: the transaction was rolled back by an earlier failure", db->label);
    return rc;
}

void pg_rollback(ds_db *base)
{
    ds_pg *db = (ds_pg *)base;
    ds_error ignored;
    if (!db->in_transaction)
        return;
    bool nothing = db->due;
    db->in_transaction = db->own_transaction = db->due = false;
    db->backend = 0;
    if (db->undrained || pg_expects(db)) // to read the rest of a table only to forget it is no use
        db->broken = true;
    if (nothing || db->broken || pg_call_begin(db, &ignored).code != DS_OK)
        return;
    if (pg_run_text(db, "ROLLBACK", NULL, &ignored).code != DS_OK)
        db->broken = true;
}

// --- calls

ds_rc pg_own_begin(ds_pg *db, ds_begin kind, ds_error *err)
{
    if (db->in_transaction) {
        TRY(pg_call_begin(db, err));
        return db->due ? begin_due(db, &(beginning){0}, err) : DS_DONE;
    }
    TRY(pg_begin_on(db, kind, NULL, err));
    db->own_transaction = true;
    return DS_DONE;
}

ds_rc pg_own_end(ds_pg *db, ds_rc rc, ds_error *err)
{
    if (!db->own_transaction)
        return rc;
    db->own_transaction = false;
    if (rc.code == DS_OK)
        return pg_commit(&db->db, err);
    pg_rollback(&db->db);
    return rc;
}

// Outside of any transaction. A statement that writes is not sent together with its COMMIT: were the connection lost
// then, nobody could say whether it has committed.
static ds_rc run_alone(ds_pg *db, beginning *b, bool reads, ds_error *err)
{
    TRY(check_begin(db, reads || db->read_only ? BEGIN_READ : BEGIN_WRITE, err));
    b->whole = db->kind == BEGIN_READ;
    ds_rc rc = begin(db, b, err);
    db->own_transaction = true;
    if (rc.code != DS_OK || !b->whole)
        return pg_own_end(db, rc, err);
    db->in_transaction = db->own_transaction = false;
    db->backend = 0;
    return DS_DONE;
}

ds_rc pg_statement(ds_pg *db, const ds_sql *sql, bool reads, PGresult **out, ds_error *err)
{
    beginning b = {.first = sql};
    ds_rc rc;
    TRY(pg_check_text(db, sql, err));
    if (!db->in_transaction) {
        rc = run_alone(db, &b, reads, err);
    } else {
        TRY(pg_call_begin(db, err));
        if (db->due)
            rc = begin_due(db, &b, err);
        else
            rc = pg_send(db, sql) ? pg_finish(db, &b.result, err) : pg_fail_connection(db, err);
    }
    *out = b.result;
    return rc;
}
