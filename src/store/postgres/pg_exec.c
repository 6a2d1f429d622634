#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/postgres/pg_int.h"

// OIDs of built-in types, which never change.
enum { OID_BYTEA = 17, OID_INT8 = 20 };
enum { IDLE_WRITER_S = 20, TEXT_MAX = 2 * SQL_TEXT_MAX };

// --- running

ds_rc pg_run_text(ds_pg *db, const char *text, PGresult **out, ds_error *err)
{
    if (!PQsendQuery(db->conn, text))
        return pg_fail_connection(db, err);
    return pg_finish(db, out, err);
}

ds_rc pg_copy_start(ds_pg *db, const char *text, ExecStatusType direction, ds_error *err)
{
    if (!PQsendQuery(db->conn, text))
        return pg_fail_connection(db, err);
    TRY(pg_flush(db, err));
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    TRY(pg_next_result(db, &result, err));
    if (PQresultStatus(result) == direction)
        return DS_DONE;
    ds_rc rc = result ? pg_fail_result(db, result, err) : pg_fail_connection(db, err);
    ds_error ignored;
    if (!db->broken)
        ds_ignore(pg_finish(db, NULL, &ignored));
    return rc;
}

static ds_rc check_text(const ds_pg *db, const ds_sql *sql, ds_error *err)
{
    if (sql_ok(sql))
        return DS_DONE;
    return ds_fail(err, DS_FINDING, "%s: the statement is too large (the limits are %d bytes and %d parameters)",
                   db->label, SQL_TEXT_MAX, SQL_PARAMS_MAX);
}

// The parameters as libpq wants them. Integers and bytes travel in binary; the type of a text is the server's to infer.
typedef struct bound {
    Oid types[SQL_PARAMS_MAX];
    const char *values[SQL_PARAMS_MAX];
    int lengths[SQL_PARAMS_MAX], formats[SQL_PARAMS_MAX];
    uint64_t integers[SQL_PARAMS_MAX]; // big-endian
} bound;

static void bind(const ds_sql *sql, bound *b)
{
    for (size_t i = 0; i < sql->param_count; i++) {
        const ds_param *param = &sql->params[i];
        b->types[i] = param->kind == PARAM_INT ? OID_INT8 : param->kind == PARAM_BLOB ? OID_BYTEA : 0;
        b->values[i] = param->kind == PARAM_NULL ? NULL : buf_text(&sql->values) + param->offset;
        b->lengths[i] = (int)param->n;
        b->formats[i] = param->kind == PARAM_INT || param->kind == PARAM_BLOB;
        if (param->kind != PARAM_INT)
            continue;
        b->integers[i] = htobe64((uint64_t)param->i);
        b->values[i] = (const char *)&b->integers[i];
        b->lengths[i] = sizeof b->integers[i];
    }
}

static ds_rc run(ds_pg *db, const ds_sql *sql, PGresult **out, ds_error *err)
{
    const char *text = buf_text(&sql->text);
    int sent;
    if (sql->param_count == 0) {
        sent = PQsendQueryParams(db->conn, text, 0, NULL, NULL, NULL, NULL, 0);
    } else {
        bound *b = malloc(sizeof *b);
        if (!b)
            BUG("out of memory");
        bind(sql, b);
        sent = PQsendQueryParams(db->conn, text, (int)sql->param_count, b->types, b->values, b->lengths, b->formats, 0);
        free(b);
    }
    return sent ? pg_finish(db, out, err) : pg_fail_connection(db, err);
}

// --- transactions

// What every transaction relies on, whoever had the server's connection before. SET LOCAL takes no snapshot.
static void put_settings(const ds_pg *db, bool reads, ds_sql *q)
{
    SQL(q, "; SET LOCAL search_path = ");
    sql_ident(q, db->schema);
    SQL(q,
        "; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres'; "
        "SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 3; SET LOCAL standard_conforming_strings = on; "
        "SET LOCAL statement_timeout = 0; SET LOCAL jit = off; SET LOCAL lock_timeout = ");
    sql_literal_int(q, db->busy_timeout_ms);
    // A policy that hides rows from us must be an error, not an emptier table.
    SQL(q, "; SET LOCAL row_security = off; SET LOCAL idle_in_transaction_session_timeout = ");
    if (reads) // it waits while the merge database works
        SQL(q, "0; SET LOCAL max_parallel_workers_per_gather = 0");
    else // a writer that stands still must not hold up the next owner of its stream
        sql_literal_int(q, IDLE_WRITER_S * 1000);
}

static void put_locks(const ds_snapshot *snapshot, ds_sql *q)
{
    for (size_t i = 0; i < snapshot->n; i++) {
        if (i == 0)
            SQL(q, "; LOCK TABLE ");
        else
            SQL(q, ", ");
        sql_relation(q, snapshot->tables[i]);
    }
    if (snapshot->n)
        SQL(q, " IN ACCESS SHARE MODE");
}

// A standby refuses the very BEGIN of a transaction that writes: "feature not supported".
static bool is_standby(ds_begin kind, const ds_error *err)
{
    return kind != BEGIN_READ && strcmp(err->state, "0A000") == 0;
}

static ds_rc only_reads(const ds_pg *db, ds_error *err)
{
    return ds_hint(ds_fail(err, DS_ENV, "%s: the server is a standby, which only allows reading", db->label), err,
                   "name the primary in the container; a standby can only be a source");
}

// One round trip: BEGIN, the settings, the locks, and then the first query, which fixes the snapshot.
static ds_rc begin(ds_pg *db, ds_begin kind, const ds_snapshot *snapshot, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->db.dialect);
    if (kind == BEGIN_READ)
        SQL(&q, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    else
        SQL(&q, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
    if (snapshot && snapshot->shared) {
        SQL(&q, "; SET TRANSACTION SNAPSHOT ");
        sql_literal_text(&q, snapshot->shared);
    }
    put_settings(db, kind == BEGIN_READ, &q);
    if (kind == BEGIN_WRITE_FLEETING)
        SQL(&q, "; SET LOCAL synchronous_commit = off");
    if (snapshot)
        put_locks(snapshot, &q);
    SQL(&q, "; SELECT pg_catalog.pg_backend_pid()");
    TRY(check_text(db, &q, err));
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    ds_rc rc = pg_run_text(db, buf_text(&q.text), &result, err);
    db->in_transaction = !db->broken;
    if (rc.code != DS_OK) {
        pg_rollback(&db->db);
        return is_standby(kind, err) ? only_reads(db, err) : rc;
    }
    int64_t backend = 0;
    str_int64(str_of(PQgetvalue(result, 0, 0)), &backend);
    db->backend = (int)backend;
    return DS_DONE;
}

static ds_rc check_begin(ds_pg *db, ds_begin kind, ds_error *err)
{
    if (db->in_transaction)
        return ds_fail(err, DS_INTERNAL, "%s: a transaction is open already", db->label);
    if (kind != BEGIN_READ && db->read_only)
        return ds_fail(err, DS_INTERNAL, "%s: opened for reading only", db->label);
    if (db->broken)
        TRY(pg_reconnect(db, err));
    return pg_call_begin(db, err);
}

// A connection that the server has closed in the meantime (a restart, an idle timeout) is noticed by its first use.
ds_rc pg_begin_on(ds_pg *db, ds_begin kind, const ds_snapshot *snapshot, ds_error *err)
{
    TRY(check_begin(db, kind, err));
    ds_rc rc = begin(db, kind, snapshot, err);
    if (rc.code != DS_ENV || !db->broken)
        return rc;
    TRY(pg_reconnect(db, err));
    return begin(db, kind, snapshot, err);
}

ds_rc pg_begin(ds_db *base, ds_begin kind, ds_error *err)
{
    return pg_begin_on((ds_pg *)base, kind, NULL, err);
}

ds_rc pg_commit(ds_db *base, ds_error *err)
{
    ds_pg *db = (ds_pg *)base;
    if (!db->in_transaction)
        return ds_fail(err, DS_INTERNAL, "%s: commit without a transaction", db->label);
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    ds_rc rc = pg_call_begin(db, err);
    if (rc.code == DS_OK)
        rc = pg_run_text(db, "COMMIT", &result, err);
    db->in_transaction = false;
    db->backend = 0;
    // After a failed statement the server answers COMMIT with ROLLBACK, and without an error.
    if (rc.code == DS_OK && strcmp(PQcmdStatus(result), "COMMIT") != 0)
        rc = ds_fail(err, DS_INTERNAL, "%s: the transaction was rolled back by an earlier failure", db->label);
    return rc;
}

void pg_rollback(ds_db *base)
{
    ds_pg *db = (ds_pg *)base;
    ds_error ignored;
    if (!db->in_transaction)
        return;
    db->in_transaction = db->own_transaction = false;
    db->backend = 0;
    if (db->undrained) // to read the rest of a table only to forget it is no use
        db->broken = true;
    if (db->broken || pg_call_begin(db, &ignored).code != DS_OK)
        return;
    if (pg_run_text(db, "ROLLBACK", NULL, &ignored).code != DS_OK)
        db->broken = true;
}

ds_rc pg_own_begin(ds_pg *db, ds_begin kind, ds_error *err)
{
    if (db->in_transaction)
        return pg_call_begin(db, err);
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

// --- statements

ds_rc pg_exec(ds_db *base, const ds_sql *sql, int64_t *affected, ds_error *err)
{
    ds_pg *db = (ds_pg *)base;
    TRY(check_text(db, sql, err));
    TRY(pg_own_begin(db, db->read_only ? BEGIN_READ : BEGIN_WRITE, err));
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    ds_rc rc = run(db, sql, &result, err);
    int64_t rows = 0;
    if (rc.code == DS_OK)
        str_int64(str_of(PQcmdTuples(result)), &rows);
    TRY(pg_own_end(db, rc, err));
    if (affected)
        *affected = rows;
    return DS_DONE;
}

static char *copy_cell(ds_arena *arena, const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column))
        return NULL;
    const char *text = PQgetvalue(result, row, column);
    bool hex = PQftype(result, column) == OID_BYTEA && strncmp(text, "\\x", 2) == 0;
    return arena_strdup(arena, hex ? text + 2 : text);
}

static void copy_result(ds_arena *arena, const PGresult *result, ds_result *out)
{
    int rows = PQntuples(result), columns = PQnfields(result);
    *out = (ds_result){.rows = (size_t)rows, .columns = (size_t)columns};
    out->cells = ARENA_ARRAY(arena, char *, out->rows * out->columns);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            out->cells[r * columns + c] = copy_cell(arena, result, r, c);
}

ds_rc pg_query(ds_db *base, const ds_sql *sql, ds_arena *arena, ds_result *out, ds_error *err)
{
    ds_pg *db = (ds_pg *)base;
    TRY(check_text(db, sql, err));
    TRY(pg_own_begin(db, db->read_only ? BEGIN_READ : BEGIN_WRITE, err));
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    ds_rc rc = run(db, sql, &result, err);
    TRY(pg_own_end(db, rc, err));
    copy_result(arena, result, out);
    return DS_DONE;
}

// --- selects

static void put_literal(const ds_sql *sql, const ds_param *param, ds_sql *out)
{
    const char *bytes = buf_text(&sql->values) + param->offset;
    switch (param->kind) {
    case PARAM_NULL:
        SQL(out, "NULL");
        break;
    case PARAM_INT:
        SQL(out, "(");
        sql_literal_int(out, param->i);
        SQL(out, ")::bigint");
        break;
    case PARAM_TEXT:
        sql_literal_text(out, bytes);
        break;
    case PARAM_BLOB:
        SQL(out, "'\\x");
        buf_put_hex(&out->text, bytes, param->n);
        SQL(out, "'::bytea");
        break;
    }
}

ds_rc pg_inline(ds_pg *db, const ds_sql *sql, ds_buf *out, ds_error *err)
{
    TRY(check_text(db, sql, err));
    CLEANUP(sql_release) ds_sql whole = sql_new(db->db.dialect);
    size_t from = 0;
    for (size_t i = 0; i < sql->param_count; i++) {
        const ds_param *param = &sql->params[i];
        sql_add_fixed(&whole, sql->text.p + from, param->at - from);
        put_literal(sql, param, &whole);
        from = param->at + param->length;
    }
    sql_add_fixed(&whole, sql->text.p + from, sql->text.n - from);
    TRY(check_text(db, &whole, err));
    buf_put_str(out, buf_str(&whole.text));
    return DS_DONE;
}

ds_rc pg_describe_select(ds_pg *db, const char *text, PGresult **out, ds_error *err)
{
    if (!PQsendPrepare(db->conn, "", text, 0, NULL))
        return pg_fail_connection(db, err);
    TRY(pg_finish(db, NULL, err));
    if (!PQsendDescribePrepared(db->conn, ""))
        return pg_fail_connection(db, err);
    TRY(pg_finish(db, out, err));
    if (PQnfields(*out) > 0)
        return DS_DONE;
    pg_result_clearp(out);
    return ds_fail(err, DS_FINDING, "%s: not a query", db->label);
}

static ds_rc prepare(ds_pg *db, const ds_sql *select, PGresult **out, ds_error *err)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(TEXT_MAX);
    TRY(pg_inline(db, select, &text, err));
    return pg_describe_select(db, buf_text(&text), out, err);
}

ds_rc pg_prepare(ds_db *base, const ds_sql *select, ds_arena *arena, const char *const **names, size_t *n,
                 ds_error *err)
{
    ds_pg *db = (ds_pg *)base;
    TRY(pg_own_begin(db, BEGIN_READ, err));
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    TRY(pg_own_end(db, prepare(db, select, &result, err), err));
    int count = PQnfields(result);
    const char **list = ARENA_ARRAY(arena, const char *, (size_t)count);
    for (int i = 0; i < count; i++)
        list[i] = arena_strdup(arena, PQfname(result, i));
    *names = list;
    *n = (size_t)count;
    return DS_DONE;
}

ds_rc pg_now(ds_db *base, int64_t *now_us, ds_error *err)
{
    ds_pg *db = (ds_pg *)base;
    TRY(pg_own_begin(db, BEGIN_READ, err));
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    ds_rc rc =
        pg_run_text(db, "SELECT (EXTRACT(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint", &result, err);
    TRY(pg_own_end(db, rc, err));
    if (!str_int64(str_of(PQgetvalue(result, 0, 0)), now_us))
        return ds_fail(err, DS_INTERNAL, "%s: the server's clock reads \"%s\"", db->label, PQgetvalue(result, 0, 0));
    return DS_DONE;
}
