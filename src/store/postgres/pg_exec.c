#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/postgres/pg_int.h"

// OIDs of built-in types, which never change.
enum { OID_BYTEA = 17, OID_INT8 = 20 };
enum { TEXT_MAX = 2 * SQL_TEXT_MAX };

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
    return pg_copy_take(db, direction, err);
}

// After a failure the server forgets what else it was asked for.
static ds_rc take_status(ds_pg *db, ExecStatusType wanted, ds_error *err)
{
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    TRY(pg_next_result(db, &result, err));
    if (PQresultStatus(result) == wanted)
        return DS_DONE;
    ds_rc rc = result ? pg_fail_result(db, result, err) : pg_fail_connection(db, err);
    ds_error ignored;
    db->expected_at = db->expected.n;
    if (!db->broken)
        ds_ignore(pg_finish(db, NULL, &ignored));
    return rc;
}

ds_rc pg_copy_take(ds_pg *db, ExecStatusType direction, ds_error *err)
{
    return take_status(db, direction, err);
}

ds_rc pg_copy_end(ds_pg *db, ds_error *err)
{
    return pg_expects(db) ? take_status(db, PGRES_COMMAND_OK, err) : pg_finish(db, NULL, err);
}

ds_rc pg_check_text(const ds_pg *db, const ds_sql *sql, ds_error *err)
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

bool pg_send(ds_pg *db, const ds_sql *sql)
{
    const char *text = buf_text(&sql->text);
    if (sql->param_count == 0)
        return PQsendQueryParams(db->conn, text, 0, NULL, NULL, NULL, NULL, 0) != 0;
    bound *b = malloc(sizeof *b);
    if (!b)
        BUG("out of memory");
    bind(sql, b);
    int n = (int)sql->param_count;
    bool sent = PQsendQueryParams(db->conn, text, n, b->types, b->values, b->lengths, b->formats, 0) != 0;
    free(b);
    return sent;
}

// --- statements

ds_rc pg_exec(ds_db *base, const ds_sql *sql, int64_t *affected, ds_error *err)
{
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    TRY(pg_statement((ds_pg *)base, sql, false, &result, err));
    int64_t rows = 0;
    str_int64(str_of(PQcmdTuples(result)), &rows);
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
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    TRY(pg_statement((ds_pg *)base, sql, true, &result, err));
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
    TRY(pg_check_text(db, sql, err));
    CLEANUP(sql_release) ds_sql whole = sql_new(db->db.dialect);
    size_t from = 0;
    for (size_t i = 0; i < sql->param_count; i++) {
        const ds_param *param = &sql->params[i];
        sql_add_fixed(&whole, sql->text.p + from, param->at - from);
        put_literal(sql, param, &whole);
        from = param->at + param->length;
    }
    sql_add_fixed(&whole, sql->text.p + from, sql->text.n - from);
    TRY(pg_check_text(db, &whole, err));
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

// A transaction's beginning has told the server's clock: since then ours goes as fast. It is not ahead of the server's,
// and behind by no more than the answer took.
ds_rc pg_now(ds_db *base, int64_t *now_us, ds_error *err)
{
    enum { TOLD_MAX_S = 10 };
    ds_pg *db = (ds_pg *)base;
    if (db->in_transaction && db->due)
        TRY(pg_own_begin(db, db->kind, err));
    double since_s = clock_elapsed_s() - db->told_s;
    if (db->in_transaction && db->backend && since_s < TOLD_MAX_S) {
        *now_us = db->clock_us + (int64_t)(since_s * 1e6);
        return DS_DONE;
    }
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(base->dialect);
    SQL(&q, "SELECT " PG_CLOCK);
    ds_result r;
    TRY(pg_query(base, &q, arena, &r, err));
    *now_us = result_int(&r, 0, 0);
    return DS_DONE;
}
