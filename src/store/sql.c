#include "store/sql.h"

#include <inttypes.h>
#include <stdlib.h>

enum { VALUES_MAX = 64 << 20 };

ds_sql sql_new(const ds_dialect *dialect)
{
    return (ds_sql){.dialect = dialect, .text = BUF_INIT(SQL_TEXT_MAX), .values = BUF_INIT(VALUES_MAX)};
}

void sql_release(ds_sql *sql)
{
    buf_release(&sql->text);
    buf_release(&sql->values);
    free(sql->params);
    sql->params = NULL;
    sql->param_count = sql->param_cap = 0;
}

void sql_clear(ds_sql *sql)
{
    buf_clear(&sql->text);
    buf_clear(&sql->values);
    sql->param_count = 0;
}

bool sql_ok(const ds_sql *sql)
{
    return buf_ok(&sql->text) && buf_ok(&sql->values);
}

void sql_add_fixed(ds_sql *sql, const char *text, size_t n)
{
    buf_put(&sql->text, text, n);
}

// The text in quotes of the given kind; a quote inside is doubled, which is all that SQL knows of escapes.
static void put_quoted(ds_buf *out, char quote, const char *text)
{
    buf_putc(out, quote);
    for (const char *p = text; *p; p++) {
        if (*p == quote)
            buf_putc(out, quote);
        buf_putc(out, *p);
    }
    buf_putc(out, quote);
}

void sql_ident(ds_sql *sql, const char *name)
{
    ds_assert(name && name[0]);
    put_quoted(&sql->text, '"', name);
}

void sql_relation(ds_sql *sql, ds_relation relation)
{
    if (sql->dialect->names.has_schemas && relation.schema && relation.schema[0]) {
        sql_ident(sql, relation.schema);
        buf_putc(&sql->text, '.');
    }
    sql_ident(sql, relation.name);
}

void sql_locator(ds_sql *sql, const char *alias)
{
    if (alias) {
        sql_ident(sql, alias);
        buf_putc(&sql->text, '.');
    }
    buf_puts(&sql->text, sql->dialect->locator);
}

void sql_locator_value(ds_sql *sql, int64_t locator)
{
    sql->dialect->locator_value(locator, &sql->text);
}

void sql_locator_range(ds_sql *sql, int64_t first_page, int64_t end_page)
{
    sql_locator(sql, NULL);
    buf_puts(&sql->text, " >= ");
    sql_locator_value(sql, sql->dialect->page_locator(first_page));
    buf_puts(&sql->text, " AND ");
    sql_locator(sql, NULL);
    buf_puts(&sql->text, " < ");
    sql_locator_value(sql, sql->dialect->page_locator(end_page));
}

void sql_column(ds_sql *sql, const char *alias, const char *name)
{
    if (alias) {
        sql_ident(sql, alias);
        buf_putc(&sql->text, '.');
    }
    sql_ident(sql, name);
}

void sql_point_column(ds_sql *sql, const char *alias, const char *name)
{
    buf_puts(&sql->text, sql->dialect->point_begin);
    sql_column(sql, alias, name);
    buf_puts(&sql->text, sql->dialect->point_end);
}

void sql_point_value(ds_sql *sql, const char *point)
{
    sql->dialect->point_value(point, sql);
}

// Room for one more parameter and its placeholder in the text. Past the limit the statement is marked as overflown.
static void add_param(ds_sql *sql, ds_param param)
{
    if (sql->param_count == SQL_PARAMS_MAX) {
        sql->text.overflow = true;
        return;
    }
    if (sql->param_count == sql->param_cap) {
        size_t cap = sql->param_cap ? sql->param_cap * 2 : 8;
        ds_param *params = reallocarray(sql->params, cap, sizeof *params);
        if (!params)
            BUG("out of memory: %zu parameters", cap);
        sql->params = params;
        sql->param_cap = cap;
    }
    param.at = sql->text.n;
    if (sql->dialect->numbered_params)
        buf_printf(&sql->text, "$%zu", sql->param_count + 1);
    else
        buf_putc(&sql->text, '?');
    param.length = sql->text.n - param.at;
    sql->params[sql->param_count++] = param;
}

void sql_int(ds_sql *sql, int64_t value)
{
    add_param(sql, (ds_param){.kind = PARAM_INT, .i = value});
}

static void add_bytes(ds_sql *sql, ds_param_kind kind, const void *bytes, size_t n)
{
    ds_param param = {.kind = kind, .offset = sql->values.n, .n = n};
    buf_put(&sql->values, bytes, n);
    buf_putc(&sql->values, '\0'); // drivers hand texts on as C strings
    add_param(sql, param);
}

void sql_text(ds_sql *sql, const char *value)
{
    if (value)
        add_bytes(sql, PARAM_TEXT, value, strlen(value));
    else
        add_param(sql, (ds_param){.kind = PARAM_NULL});
}

void sql_blob(ds_sql *sql, const void *bytes, size_t n)
{
    add_bytes(sql, PARAM_BLOB, bytes, n);
}

void sql_literal_text(ds_sql *sql, const char *value)
{
    put_quoted(&sql->text, '\'', value);
}

void sql_literal_int(ds_sql *sql, int64_t value)
{
    // The smallest integer has no literal in SQL: it is a minus before a number that is too large.
    if (value == INT64_MIN)
        buf_printf(&sql->text, "(%" PRId64 " - 1)", value + 1);
    else
        buf_printf(&sql->text, "%" PRId64, value);
}

void sql_append(ds_sql *sql, const ds_sql *part)
{
    ds_assert(part->param_count == 0);
    buf_put_str(&sql->text, buf_str(&part->text));
    sql->text.overflow |= !sql_ok(part);
}

void sql_user_text(ds_sql *sql, const char *text)
{
    buf_puts(&sql->text, text);
}

void sql_columns(ds_sql *sql, const char *alias, const ds_shape *shape)
{
    for (size_t i = 0; i < shape->n; i++) {
        if (i)
            buf_puts(&sql->text, ", ");
        sql_column(sql, alias, shape->columns[i].name);
    }
}

void sql_columns_to_read(ds_sql *sql, const ds_shape *shape, bool source_names)
{
    for (size_t i = 0; i < shape->n; i++) {
        const ds_shape_column *column = &shape->columns[shape->hash_order[i]];
        if (i)
            buf_puts(&sql->text, ", ");
        sql_ident(sql, source_names ? column->source : column->name);
    }
}

static void match(ds_sql *sql, const char *a, const char *b, const char *name)
{
    sql_column(sql, a, name);
    buf_puts(&sql->text, " = ");
    sql_column(sql, b, name);
}

void sql_key_match(ds_sql *sql, const char *a, const char *b, const ds_shape *shape)
{
    if (shape->key_count == 0) {
        match(sql, a, b, "ds_row_hash");
        buf_puts(&sql->text, " AND ");
        match(sql, a, b, "ds_copy");
    }
    for (size_t i = 0; i < shape->key_count; i++) {
        if (i)
            buf_puts(&sql->text, " AND ");
        match(sql, a, b, shape->columns[shape->key[i]].name);
    }
}

void sql_order_by_key(ds_sql *sql, const ds_shape *shape)
{
    for (size_t i = 0; i < shape->key_count; i++) {
        buf_puts(&sql->text, i ? ", " : " ORDER BY ");
        sql_ident(sql, shape->columns[shape->key[i]].name);
    }
}
