// A dataset's checks on the rows that consumers would see: what is staged, and of the live rows those that the batch
// leaves alone. Only staged rows can newly break a rule about one row, so a batch looks at those; values that must be
// unique are held against live rows, too. All live rows are looked at once for each new set of checks, and when they
// were loaded without staging. Each check is one statement that gives the keys of the rows that break it:
//
//   WITH ds_touched AS (keys of staged U and D)
//   SELECT key FROM (staged I and U UNION ALL live rows without ds_touched) AS r WHERE broken ORDER BY key
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/value.h"
#include "yellow/control_int.h"
#include "yellow/job_int.h"

enum { KEYS_SHOWN = 5, KEYS_TEXT = 200, ENTRY_TEXT = 800, FAILURE_TEXT = 900, READ_ROWS = 4096 };

typedef struct checker {
    ds_job *job;
    const ds_work *work;
    const ds_check_def *check;
    const ds_shape *key; // what names a row: its key, or all of it
} checker;

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

// Made once and then looked up: for each live row anew it would take days.
static void define_touched(const checker *c, ds_sql *q)
{
    const ds_shape *shape = c->work->def->shape;
    if (!any_staged(c) || !reads_live(c))
        return;
    SQL(q, "WITH ds_touched AS MATERIALIZED (SELECT ");
    if (shape->key_count == 0)
        SQL(q, "s.ds_row_hash, s.ds_copy");
    for (size_t i = 0; i < shape->key_count; i++) {
        if (i)
            SQL(q, ", ");
        sql_column(q, "s", shape->columns[shape->key[i]].name);
    }
    from_staged(c, q);
    SQL(q, "('U', 'D')) ");
}

static void without_touched(const checker *c, ds_sql *q)
{
    const ds_shape *shape = c->work->def->shape;
    SQL(q, " LEFT JOIN ds_touched AS t ON ");
    sql_key_match(q, "m", "t", shape);
    SQL(q, " WHERE ");
    sql_column(q, "t", shape->key_count ? shape->columns[shape->key[0]].name : "ds_row_hash");
    SQL(q, " IS NULL");
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
    if (!all_live(c))
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

static void check_sql(const checker *c, ds_sql *q)
{
    const ds_shape *shape = c->work->def->shape;
    define_touched(c, q);
    if (c->check->kind == CHECK_UNIQUE)
        select_shared(c, q);
    else
        select_broken(c, q);
    for (size_t i = 0; i < shape->key_count; i++) {
        if (i)
            SQL(q, ", ");
        else
            SQL(q, " ORDER BY ");
        sql_ident(q, shape->columns[shape->key[i]].name);
    }
}

// --- what is said of them

// The rows that break one check.
typedef struct broken_rows {
    int64_t n;
    int shown;
    ds_buf keys; // of the first ones
} broken_rows;

typedef struct failures {
    ds_buf text;
    size_t more; // checks for which it has no room
} failures;

static void add_row(const checker *c, ds_str row, broken_rows *out)
{
    if (out->n++ != out->shown || out->shown == KEYS_SHOWN)
        return;
    CLEANUP(buf_release) ds_buf key = BUF_INIT(ROWS_BYTES_MAX);
    row_print_key(c->key, row, &key);
    if (out->keys.n + key.n + 2 > KEYS_TEXT)
        return;
    buf_puts(&out->keys, out->shown++ ? ", " : "");
    buf_put_str(&out->keys, buf_str(&key));
}

static ds_rc read_broken(const checker *c, ds_reader *reader, broken_rows *out, ds_error *err)
{
    ds_rows rows;
    rows_init(&rows);
    bool more = true;
    ds_rc rc = DS_DONE;
    while (more && rc.code == DS_OK) {
        rows_clear(&rows);
        rc = lease_check(c->job, err);
        if (rc.code == DS_OK)
            rc = c->job->control->db->driver->read_next(reader, &rows, READ_ROWS, ROWS_BYTES_MAX, &more, err);
        for (size_t i = 0; rc.code == DS_OK && i < rows.n; i++)
            add_row(c, rows_row(&rows, i), out);
    }
    rows_release(&rows);
    return rc;
}

// A user's SQL may read these two tables, through the statement around it, and nothing else.
static ds_rc find_broken(const checker *c, broken_rows *out, ds_error *err)
{
    const ds_driver *driver = c->job->control->db->driver;
    const ds_relation own[] = {c->work->def->merge, c->work->def->staging};
    CLEANUP(sql_release) ds_sql q = sql_new(driver->dialect);
    check_sql(c, &q);
    ds_read read = {.select = &q, .shape = c->key, .salvage = true};
    if (c->check->kind == CHECK_SQL) {
        read.untrusted = true;
        read.allowed = own;
        read.allowed_count = sizeof own / sizeof own[0];
    }
    ds_reader *reader = NULL;
    TRY(driver->read_open(c->job->control->db, &read, &reader, err));
    ds_rc rc = read_broken(c, reader, out, err);
    driver->read_close(reader);
    return rc;
}

static void add_failure(const checker *c, const char *name, const broken_rows *rows, failures *out)
{
    CLEANUP(buf_release) ds_buf entry = BUF_INIT(ENTRY_TEXT);
    buf_printf(&entry, "%scheck %s of %s failed for %" PRId64 " row%s", out->text.n ? "; " : "", name,
               c->work->def->name, rows->n, rows->n == 1 ? "" : "s");
    if (rows->shown)
        buf_printf(&entry, ": %s%s", buf_text(&rows->keys), rows->n > rows->shown ? ", ..." : "");
    if (out->text.n + entry.n > FAILURE_TEXT)
        out->more++;
    else
        buf_put_str(&out->text, buf_str(&entry));
}

static ds_rc run_check(const checker *c, failures *out, ds_error *err)
{
    CLEANUP(buf_release) ds_buf name = BUF_INIT(CHECK_TEXT_MAX);
    check_print(c->check, &name);
    broken_rows rows = {.keys = BUF_INIT(KEYS_TEXT)};
    ds_rc rc = find_broken(c, &rows, err);
    if (rc.code == DS_OK && rows.n)
        add_failure(c, buf_text(&name), &rows, out);
    buf_release(&rows.keys);
    return ds_context(rc, err, "check %s of %s", buf_text(&name), c->work->def->name);
}

static ds_rc fail_checks(const failures *found, ds_error *err)
{
    ds_rc rc = found->more ? ds_fail(err, DS_FINDING, "%s; and %zu more", buf_text(&found->text), found->more)
                           : ds_fail(err, DS_FINDING, "%s", buf_text(&found->text));
    return ds_hint(rc, err, "nothing was changed; the next run reads the source again: correct it there, or the check");
}

// --- a batch

static bool is_wanted(const ds_work *work)
{
    bool news = work->counts.inserted + work->counts.updated > 0;
    return work->def->check_count > 0 && work->changed && (work->check_all || news);
}

bool checks_wanted(const ds_job *job)
{
    for (size_t i = 0; i < job->work_count; i++)
        if (is_wanted(&job->work[i]))
            return true;
    return false;
}

static ds_rc run_all(ds_job *job, const ds_work *work, failures *out, ds_error *err)
{
    const ds_shape *shape = work->def->shape;
    checker c = {.job = job, .work = work, .key = shape->key_count ? shape_of_key(job->arena, shape) : shape};
    for (size_t i = 0; i < work->def->check_count; i++) {
        c.check = &work->def->checks[i];
        TRY(run_check(&c, out, err));
    }
    return DS_DONE;
}

ds_rc checks_run(ds_job *job, ds_error *err)
{
    if (!checks_wanted(job))
        return DS_DONE;
    failures found = {.text = BUF_INIT(FAILURE_TEXT)};
    ds_rc rc = DS_DONE;
    for (size_t i = 0; rc.code == DS_OK && i < job->work_count; i++)
        if (is_wanted(&job->work[i]))
            rc = run_all(job, &job->work[i], &found, err);
    if (rc.code == DS_OK && found.text.n)
        rc = fail_checks(&found, err);
    buf_release(&found.text);
    if (rc.code == DS_OK)
        job_checkpoint(job, "checked");
    return rc;
}
