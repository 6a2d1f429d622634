// Plain tables that will be read one after another are asked for at once: their COPYs are one query of several
// statements (https://www.postgresql.org/docs/15/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT), whose results come
// in order, each when its reader is opened. The server waits with the next table until this one has been taken, so
// nobody holds more than before; what is not read in that order is thrown away by the next call (pg_wait.c).
#include <string.h>

#include "store/postgres/pg_codec.h"
#include "store/postgres/pg_int.h"

// COPY takes each column once.
static bool reads_twice(const ds_shape *shape)
{
    for (size_t i = 0; i < shape->n; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(shape->columns[i].source, shape->columns[k].source) == 0)
                return true;
    return false;
}

// Each value as it is, with a binary form that fits.
static bool reads_as_it_is(const ds_read *read)
{
    if (!read->type_ids || read->shape->n == 0 || read->has_hash || read->has_locator || read->untrusted)
        return false;
    for (size_t i = 0; i < read->shape->n; i++) {
        pg_wire wire = pg_wire_of(read->type_ids[i]);
        if (wire == PG_CAST || !pg_wire_fits(wire, read->shape->columns[read->shape->hash_order[i]].type))
            return false;
    }
    return true;
}

// COPY of a table takes no planner and no executor, which for a small table are most of what it costs the server.
bool pg_plain_copy(const ds_read *read, ds_sql *q)
{
    if (!read->plain || !reads_as_it_is(read) || reads_twice(read->shape))
        return false;
    SQL(q, "COPY ");
    sql_relation(q, *read->plain);
    SQL(q, " (");
    sql_columns_to_read(q, read->shape, true);
    SQL(q, ") TO STDOUT (FORMAT binary)");
    return sql_ok(q);
}

// The statements of the first reads that can be asked for in this way; each with its end, by which it is found again.
static size_t put_copies(const ds_read *reads, size_t n, ds_sql *q)
{
    for (size_t i = 0; i < n; i++) {
        CLEANUP(sql_release) ds_sql copy = sql_new(q->dialect);
        if (!pg_plain_copy(&reads[i], &copy))
            return i;
        sql_append(q, &copy);
        SQL(q, ";");
    }
    return n;
}

ds_rc pg_read_expect(ds_db *base, const ds_read *reads, size_t n, ds_error *err)
{
    ds_pg *db = (ds_pg *)base;
    CLEANUP(sql_release) ds_sql q = sql_new(base->dialect);
    if (!db->in_transaction || put_copies(reads, n, &q) < 2 || !sql_ok(&q))
        return DS_DONE; // each by itself, then
    TRY(pg_own_begin(db, db->kind, err));
    buf_clear(&db->expected);
    db->expected_at = 0;
    if (!PQsendQuery(db->conn, buf_text(&q.text)))
        return pg_fail_connection(db, err);
    buf_put_str(&db->expected, buf_str(&q.text));
    return pg_flush(db, err);
}

bool pg_expected_take(ds_pg *db, const ds_sql *copy)
{
    size_t n = copy->text.n;
    if (db->undrained || !pg_expects(db) || db->expected.n - db->expected_at <= n)
        return false;
    const char *next = db->expected.p + db->expected_at;
    if (memcmp(next, copy->text.p, n) != 0 || next[n] != ';')
        return false;
    db->expected_at += n + 1;
    return true;
}
