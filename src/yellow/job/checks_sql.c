// The statement of a check: over what consumers would see, that is what is staged, and of the live rows those that the
// batch leaves alone. Only staged rows can newly break a rule about one row, so a batch looks at those; values that
// must be unique are held against live rows, too. All live rows are looked at when they have not passed this set of
// checks.
//
//   WITH ds_touched AS (keys of staged U and D)
//   SELECT key FROM (staged I and U UNION ALL live rows without ds_touched) AS r WHERE broken ORDER BY key
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/value.h"
#include "yellow/control/control_tables.h"
#include "yellow/job/checks_int.h"

// --- which rows

static bool all_live(const checker *c)
{
    return c->work->check_all;
}

static bool any_staged(const checker *c)
{
    return c->work->staged_rows > 0;
}

static bool reads_live(const checker *c)
{
    return all_live(c) || c->check->kind == CHECK_UNIQUE;
}

static bool is_checked(const ds_check_def *check, const char *column)
{
    for (size_t i = 0; i < check->column_count; i++)
        if (strcmp(check->columns[i], column) == 0)
            return true;
    return check->kind == CHECK_SQL;
}

// The columns that the statement needs, from "alias".
static void put_columns(const checker *c, const char *alias, ds_sql *q)
{
    const ds_shape *shape = c->work->def->shape;
    const char *comma = "";
    for (size_t i = 0; i < shape->n; i++) {
        const char *name = shape->columns[i].name;
        if (shape_find(c->key, name) < 0 && !is_checked(c->check, name))
            continue;
        sql_add_fixed(q, comma, strlen(comma));
        sql_column(q, alias, name);
        comma = ", ";
    }
}

static void put_checked(const checker *c, const char *alias, ds_sql *q)
{
    for (size_t i = 0; i < c->check->column_count; i++) {
        if (i)
            SQL(q, ", ");
        sql_column(q, alias, c->check->columns[i]);
    }
}

// "a" IS NOT NULL AND "b" IS NOT NULL: only such rows can share their values with another.
static void where_given(const checker *c, const char *alias, ds_sql *q)
{
    for (size_t i = 0; i < c->check->column_count; i++) {
        if (i)
            SQL(q, " AND ");
        sql_column(q, alias, c->check->columns[i]);
        SQL(q, " IS NOT NULL");
    }
}

static void from_staged(const checker *c, ds_sql *q)
{
    SQL(q, " FROM ");
    sql_relation(q, c->work->def->staging);
    SQL(q, " AS s WHERE s.ds_batch_id = ");
    sql_int(q, c->job->batch);
    SQL(q, " AND s.ds_op IN ");
}

static void staged_rows(const checker *c, ds_sql *q)
{
    SQL(q, "SELECT ");
    put_columns(c, "s", q);
    from_staged(c, q);
    SQL(q, "('I', 'U')");
}

// The key's columns, or what stands for them.
static void put_key(const checker *c, const char *alias, const char *between, const char *after, ds_sql *q)
{
    const ds_shape *shape = c->work->def->shape;
    static const char *const KEYLESS[] = {"ds_row_hash", "ds_copy"};
    size_t n = shape->key_count ? shape->key_count : 2;
    for (size_t i = 0; i < n; i++) {
        if (i)
            sql_add_fixed(q, between, strlen(between));
        sql_column(q, alias, shape->key_count ? shape->columns[shape->key[i]].name : KEYLESS[i]);
        sql_add_fixed(q, after, strlen(after));
    }
}

static void define_touched(const checker *c, ds_sql *q)
{
    if (!any_staged(c) || !reads_live(c))
        return;
    SQL(q, "WITH ds_touched AS MATERIALIZED (SELECT ");
    put_key(c, "s", ", ", "", q);
    from_staged(c, q);
    SQL(q, "('U', 'D') AND ");
    put_key(c, "s", " AND ", " IS NOT NULL", q);
    SQL(q, ") ");
}

// Nothing that holds each live row against each staged one: it would take days.
static void without_touched(const checker *c, ds_sql *q)
{
    if (q->dialect->looks_up_not_in) {
        SQL(q, " WHERE (");
        put_key(c, "m", ", ", "", q);
        SQL(q, ") NOT IN (SELECT ");
        put_key(c, "t", ", ", "", q);
        SQL(q, " FROM ds_touched AS t)");
        return;
    }
    SQL(q, " LEFT JOIN ds_touched AS t ON ");
    sql_key_match(q, "m", "t", c->work->def->shape);
    SQL(q, " WHERE ");
    put_key(c, "t", " AND ", " IS NULL", q);
}

// A batch that only looks at what is new needs those live rows that have a staged row's values.
static void like_staged(const checker *c, ds_sql *q)
{
    SQL(q, " AND (");
    put_checked(c, "m", q);
    SQL(q, ") IN (SELECT ");
    put_checked(c, "s", q);
    from_staged(c, q);
    SQL(q, "('I', 'U') AND ");
    where_given(c, "s", q);
    SQL(q, ")");
}

static void live_rows(const checker *c, ds_sql *q)
{
    bool keyless = c->work->def->shape->key_count == 0;
    SQL(q, "SELECT ");
    put_columns(c, "m", q);
    SQL(q, " FROM (");
    ingest_live_select(c->job, c->work, c->work->def->shape, keyless, keyless, q);
    SQL(q, ") AS m");
    if (any_staged(c))
        without_touched(c, q);
    if (!all_live(c)) // then something is staged
        like_staged(c, q);
}

static void rows_after(const checker *c, ds_sql *q)
{
    SQL(q, "(");
    if (any_staged(c))
        staged_rows(c, q);
    if (any_staged(c) && reads_live(c))
        SQL(q, " UNION ALL ");
    if (reads_live(c))
        live_rows(c, q);
    SQL(q, ") AS r");
}

// --- which of them are wrong

// All digits of a real: an engine that has only doubles holds it as one.
static void put_real(const char *bound, ds_sql *q)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.17g", (double)strtof(bound, NULL));
    sql_text(q, digits);
}

// The bound as the column's type, so that it compares as the values do.
static void put_bound(const checker *c, const char *bound, ds_sql *q)
{
    const ds_shape *shape = c->work->def->shape;
    const ds_type *type = shape->columns[shape_find(shape, c->check->columns[0])].type;
    ds_value_class class = type_class(type);
    const char *how = NULL;
    SQL(q, "CAST(");
    if (type->kind == TYPE_REAL)
        put_real(bound, q);
    else
        sql_text(q, bound);
    SQL(q, " AS ");
    control_sql_type(q, type);
    SQL(q, ")");
    bool number = class == VALUE_INT || class == VALUE_DECIMAL;
    if (number && q->dialect->number_order && q->dialect->supports(type, &how) && how)
        buf_puts(&q->text, q->dialect->number_order);
}

static void outside_range(const checker *c, ds_sql *q)
{
    const ds_check_def *check = c->check;
    if (check->min) {
        sql_column(q, "r", check->columns[0]);
        SQL(q, " < ");
        put_bound(c, check->min, q);
    }
    if (check->min && check->max)
        SQL(q, " OR ");
    if (check->max) {
        sql_column(q, "r", check->columns[0]);
        SQL(q, " > ");
        put_bound(c, check->max, q);
    }
}

static void any_null(const checker *c, ds_sql *q)
{
    for (size_t i = 0; i < c->check->column_count; i++) {
        if (i)
            SQL(q, " OR ");
        sql_column(q, "r", c->check->columns[i]);
        SQL(q, " IS NULL");
    }
}

static void select_broken(const checker *c, ds_sql *q)
{
    SQL(q, "SELECT ");
    sql_columns_to_read(q, c->key, false);
    SQL(q, " FROM ");
    rows_after(c, q);
    SQL(q, " WHERE ");
    switch (c->check->kind) {
    case CHECK_NOT_NULL:
        any_null(c, q);
        return;
    case CHECK_RANGE:
        outside_range(c, q);
        return;
    case CHECK_SQL: // null passes, as in a CHECK of SQL; the line feed ends a comment
        SQL(q, "NOT (");
        sql_user_text(q, c->check->sql);
        SQL(q, "\n)");
        return;
    case CHECK_UNIQUE:
        break;
    }
    BUG("check kind %d", (int)c->check->kind);
}

static void select_shared(const checker *c, ds_sql *q)
{
    SQL(q, "SELECT ");
    sql_columns_to_read(q, c->key, false);
    SQL(q, " FROM (SELECT ");
    put_columns(c, "r", q);
    SQL(q, ", count(*) OVER (PARTITION BY ");
    put_checked(c, "r", q);
    SQL(q, ") AS ds_rows FROM ");
    rows_after(c, q);
    SQL(q, " WHERE ");
    where_given(c, "r", q);
    SQL(q, ") AS u WHERE ds_rows > 1");
}

void checks_select(const checker *c, ds_sql *q)
{
    define_touched(c, q);
    if (c->check->kind == CHECK_UNIQUE)
        select_shared(c, q);
    else
        select_broken(c, q);
    sql_order_by_key(q, c->work->def->shape);
}
