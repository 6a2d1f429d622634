#include <stdio.h>
#include <string.h>

#include "base/vec.h"
#include "store/sqlite/sqlite_int.h"

// --- transactions

static ds_rc run(ds_sqlite *db, const char *text, ds_error *err)
{
    int code = sqlite3_exec(db->handle, text, NULL, NULL, NULL);
    return code == SQLITE_OK ? DS_DONE : sqlite_fail(db, code, err);
}

ds_rc sqlite_begin(ds_db *base, ds_begin kind, ds_error *err)
{
    ds_sqlite *db = (ds_sqlite *)base;
    atomic_store(&db->cancelled, false);
    if (db->in_transaction || !sqlite3_get_autocommit(db->handle))
        return ds_fail(err, DS_INTERNAL, "%s: a transaction is open already", db->label);
    TRY(run(db, kind == BEGIN_READ ? "BEGIN DEFERRED" : "BEGIN IMMEDIATE", err));
    if (kind == BEGIN_READ) { // a deferred transaction gets its snapshot with its first read
        ds_rc rc = run(db, "SELECT 1 FROM sqlite_schema LIMIT 1", err);
        if (rc.code != DS_OK) {
            sqlite_rollback(base);
            return rc;
        }
    }
    db->in_transaction = true;
    return DS_DONE;
}

// A snapshot of the file holds whatever becomes of its tables.
ds_rc sqlite_begin_snapshot(ds_db *db, const ds_snapshot *snapshot, ds_error *err)
{
    ds_assert(!snapshot->shared);
    return sqlite_begin(db, BEGIN_READ, err);
}

// SQLite rolls back by itself after some failures; what comes next must not run outside of the transaction.
static ds_rc check_transaction(ds_sqlite *db, ds_error *err)
{
    if (db->in_transaction && sqlite3_get_autocommit(db->handle))
        return ds_fail(err, DS_INTERNAL, "%s: the transaction was rolled back by an earlier failure", db->label);
    return DS_DONE;
}

ds_rc sqlite_commit(ds_db *base, ds_error *err)
{
    ds_sqlite *db = (ds_sqlite *)base;
    if (!db->in_transaction)
        return ds_fail(err, DS_INTERNAL, "%s: commit without a transaction", db->label);
    atomic_store(&db->cancelled, false);
    ds_rc rc = check_transaction(db, err);
    if (rc.code == DS_OK)
        rc = run(db, "COMMIT", err);
    if (rc.code != DS_OK)
        sqlite_rollback(base);
    db->in_transaction = false;
    return rc;
}

void sqlite_rollback(ds_db *base)
{
    ds_sqlite *db = (ds_sqlite *)base;
    db->in_transaction = false;
    if (db->handle && !sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

// --- statements

static ds_rc bind_params(ds_sqlite *db, const ds_sql *sql, sqlite3_stmt *stmt, ds_error *err)
{
    for (size_t i = 0; i < sql->param_count; i++) {
        const ds_param *param = &sql->params[i];
        const char *bytes = buf_text(&sql->values) + param->offset;
        int at = (int)i + 1;
        int code = SQLITE_OK;
        switch (param->kind) {
        case PARAM_NULL:
            code = sqlite3_bind_null(stmt, at);
            break;
        case PARAM_INT:
            code = sqlite3_bind_int64(stmt, at, param->i);
            break;
        case PARAM_TEXT:
            code = sqlite3_bind_text64(stmt, at, bytes, param->n, SQLITE_TRANSIENT, SQLITE_UTF8);
            break;
        case PARAM_BLOB:
            code = sqlite3_bind_blob64(stmt, at, bytes, param->n, SQLITE_TRANSIENT);
            break;
        }
        if (code != SQLITE_OK)
            return sqlite_fail(db, code, err);
    }
    return DS_DONE;
}

// Nothing but white space, comments and semicolons may follow a statement; SQLite's own parser is the judge.
static ds_rc check_tail(ds_sqlite *db, const char *tail, ds_error *err)
{
    while (*tail) {
        sqlite3_stmt *second = NULL;
        int code = sqlite3_prepare_v2(db->handle, tail, -1, &second, &tail);
        sqlite3_finalize(second);
        if (code != SQLITE_OK || second)
            return ds_fail(err, DS_FINDING, "%s: more than one statement", db->label);
    }
    return DS_DONE;
}

ds_rc sqlite_compile(ds_sqlite *db, const ds_sql *sql, sqlite_policy *policy, sqlite3_stmt **out, ds_error *err)
{
    if (!sql_ok(sql))
        return ds_fail(err, DS_FINDING, "%s: the statement is too large (the limits are %d bytes and %d parameters)",
                       db->label, SQL_TEXT_MAX, SQL_PARAMS_MAX);
    TRY(check_transaction(db, err));
    atomic_store(&db->cancelled, false);
    sqlite3_stmt *stmt = NULL;
    const char *tail = "";
    db->policy = policy;
    int code = sqlite3_prepare_v2(db->handle, buf_text(&sql->text), -1, &stmt, &tail);
    ds_rc rc = code == SQLITE_OK ? check_tail(db, tail, err) : sqlite_fail(db, code, err);
    db->policy = NULL;
    if (rc.code == DS_OK && !stmt)
        rc = ds_fail(err, DS_FINDING, "%s: the statement is empty", db->label);
    if (rc.code == DS_OK)
        rc = bind_params(db, sql, stmt, err);
    if (rc.code != DS_OK)
        sqlite3_finalize(stmt);
    else
        *out = stmt;
    return rc;
}

ds_rc sqlite_exec(ds_db *base, const ds_sql *sql, int64_t *affected, ds_error *err)
{
    ds_sqlite *db = (ds_sqlite *)base;
    sqlite3_stmt *stmt;
    TRY(sqlite_compile(db, sql, NULL, &stmt, err));
    int64_t before = sqlite3_total_changes64(db->handle);
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
        ;
    ds_rc rc = code == SQLITE_DONE ? DS_DONE : sqlite_fail(db, code, err);
    // Statements that change no rows leave the counter of the one before.
    if (rc.code == DS_OK && affected)
        *affected = sqlite3_total_changes64(db->handle) == before ? 0 : sqlite3_changes64(db->handle);
    sqlite3_finalize(stmt);
    return rc;
}

static char *copy_cell(ds_arena *arena, sqlite3_stmt *stmt, int column)
{
    int type = sqlite3_column_type(stmt, column);
    if (type == SQLITE_NULL)
        return NULL;
    if (type != SQLITE_BLOB)
        return arena_strdup(arena, (const char *)sqlite3_column_text(stmt, column));
    const unsigned char *p = sqlite3_column_blob(stmt, column);
    size_t n = (size_t)sqlite3_column_bytes(stmt, column);
    char *hex = arena_alloc(arena, n * 2 + 1);
    for (size_t i = 0; i < n; i++)
        snprintf(hex + 2 * i, 3, "%02x", p[i]);
    return hex;
}

ds_rc sqlite_query(ds_db *base, const ds_sql *sql, ds_arena *arena, ds_result *out, ds_error *err)
{
    ds_sqlite *db = (ds_sqlite *)base;
    sqlite3_stmt *stmt;
    TRY(sqlite_compile(db, sql, NULL, &stmt, err));
    VEC(char *) cells = {0};
    int columns = sqlite3_column_count(stmt);
    size_t rows = 0;
    int code;
    for (; (code = sqlite3_step(stmt)) == SQLITE_ROW; rows++)
        for (int c = 0; c < columns; c++) {
            char *cell = copy_cell(arena, stmt, c);
            *VEC_PUSH(arena, &cells) = cell;
        }
    ds_rc rc = code == SQLITE_DONE ? DS_DONE : sqlite_fail(db, code, err);
    sqlite3_finalize(stmt);
    if (rc.code == DS_OK)
        *out = (ds_result){.rows = rows, .columns = (size_t)columns, .cells = cells.v};
    return rc;
}

ds_rc sqlite_prepare(ds_db *base, const ds_sql *select, ds_arena *arena, const char *const **names, size_t *n,
                     ds_error *err)
{
    ds_sqlite *db = (ds_sqlite *)base;
    sqlite_policy policy = {.any_relation = true}; // some PRAGMAs act as soon as they are compiled
    sqlite_policy_install(db);
    sqlite3_stmt *stmt;
    TRY(sqlite_compile(db, select, &policy, &stmt, err));
    size_t count = (size_t)sqlite3_column_count(stmt);
    const char **list = ARENA_ARRAY(arena, const char *, count);
    for (size_t i = 0; i < count; i++)
        list[i] = arena_strdup(arena, sqlite3_column_name(stmt, (int)i));
    sqlite3_finalize(stmt);
    if (count == 0)
        return ds_fail(err, DS_FINDING, "%s: not a query", db->label);
    *names = list;
    *n = count;
    return DS_DONE;
}
